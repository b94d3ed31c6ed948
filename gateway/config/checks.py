"""Does the file hold together: names, prefixes, transport, files?

What depends on more than one key, or on the machine. The checks look at the tree that was read, not
at the model, so that a mistake in one place hides none in another. Rules:

1. Plaintext beyond this machine needs the switch that is named for it.
2. Two APIs never share a prefix on one host; two issuers never share a realm.
3. Every file that is named can be read now, not at three in the morning.
4. A value that is faulty by itself is not checked here again.
"""

import difflib
import os
import pwd
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from gateway.config import certificates, secrets, units
from gateway.config.codes import fault, key_fault
from gateway.crypto.keys import KeyFault, read_verifier
from gateway.crypto.sm2 import unavailable
from gateway.crypto.suite import SM, offered
from gateway.document import FileFault, Node, changeable, why

CERTIFICATES = (
    "tls.cert",
    "tls.client_ca",
    "identity.certificates.*.ca",
    "device.ca",
    "control.tls.cert",
    "control.tls.client_ca",
    "apis.*.ca",
    "apis.*.client.cert",
)
FILES = ("device.reporters.*.key",)
FOLDERS = ("policies",)
LISTENER_KEYS = ("tls.key", "control.tls.key")  # TLS reads them from files, again when they are renewed
SERVICE_KEYS = ("apis.*.client.key",)
SWITCHES = {
    "plaintext-listen": ("callers are served without TLS", "对调用方不使用 TLS"),
    "plaintext-issuer": ("key sets are fetched without TLS", "获取签发方公钥时不使用 TLS"),
    "plaintext-upstream": ("services are called without TLS", "调用后端服务时不使用 TLS"),
    "unverified-upstream": ("certificates of services are not verified", "不核验后端服务的证书"),
}


class Ground(Struct, frozen=True):
    """What the file stands on: the folder that relative paths start from, and the environment."""

    folder: Path
    environ: Mapping[str, str]


def check(root: Node, ground: Ground) -> Iterator[FileFault]:
    """Every fault and warning of the file as a whole."""
    used: set[str] = set()
    yield from _listening(root, ground, used)
    yield from _issuers(root, used)
    yield from _trusted_issuers(root)
    yield from _services(root, used)
    yield from _switches(root, used)
    yield from _proxies(root)
    yield from _apis(root)
    yield from _control(root)
    yield from _files(root, ground)
    yield from _observing(root)
    yield from _signers(root)
    yield from _algorithms(root)


def find(node: Node, pattern: str) -> Iterator[Node]:
    """The values at a place: `apis.*.upstream.*`. A lone value where a list may stand counts as its item."""
    step, _, rest = pattern.partition(".")
    if not step:
        yield node
    elif step == "*":
        items = node.value if isinstance(node.value, list) else [node]
        for item in items:
            yield from find(item, rest)
    elif isinstance(node.value, dict) and step in node.value:
        yield from find(node.value[step], rest)


def texts(node: Node, pattern: str, read: Callable[[str], object] = str) -> Iterator[tuple[Node, str]]:
    """The texts at a place that are good by themselves."""
    for found in find(node, pattern):
        if isinstance(found.value, str) and _good(read, found.value):
            yield found, found.value


def text(node: Node, pattern: str, default: str = "") -> str:
    """The one text at a place."""
    return next((value for _, value in texts(node, pattern)), default)


def present(node: Node, pattern: str) -> bool:
    """Whether anything but null stands at a place."""
    return any(found.value is not None for found in find(node, pattern))


def _good(read: Callable[[str], object], value: str) -> bool:
    try:
        read(value)
    except units.Odd:
        return False
    return True


# --- transport --------------------------------------------------------------------------------


def _listening(root: Node, ground: Ground, used: set[str]) -> Iterator[FileFault]:
    """Beyond loopback: TLS or the switch, and a list of hosts (CVE-2026-48710: a Host nobody checked)."""
    outside = [(n, v) for n, v in texts(root, "listen.*", units.address) if not units.address(v).loopback]
    if outside and not present(root, "tls"):
        used.add("plaintext-listen")
        if not _switched(root, "plaintext-listen"):
            yield from (fault(node, "plaintext_listen", value=value) for node, value in outside)
    if outside and not any(True for _ in find(root, "hosts.*")) and not _named(root, ground):
        yield fault(next(find(root, "hosts"), outside[0][0]), "hosts_missing")


def _named(root: Node, ground: Ground) -> bool:
    """Whether the certificate says which hosts are served."""
    cert = text(root, "tls.cert")
    return bool(cert) and bool(certificates.names(ground.folder / cert))


def _issuers(root: Node, used: set[str]) -> Iterator[FileFault]:
    """Keys come over TLS, and no two issuers can name the same person."""
    places = ("identity.issuer", "identity.jwks_uri", "identity.issuers.*.issuer", "identity.issuers.*.jwks_uri")
    for place in places:
        yield from _plaintext(root, place, units.url, "issuer", used)
    both = present(root, "identity.issuer") and present(root, "identity.issuers")
    if both:
        yield key_fault(next(find(root, "identity")), "issuers", "issuer_choice")
    if present(root, "identity.issuer") and not _spelled(root, "identity", "audience"):
        yield fault(next(find(root, "identity.issuer")), "audience_missing")
    issuers = list(find(root, "identity.issuers.*")) if isinstance(_value(root, "identity.issuers"), list) else []
    yield from _twice([pair for one in issuers for pair in texts(one, "issuer", units.url)], "issuer_twice")
    yield from _twice([pair for one in issuers for pair in texts(one, "realm")], "realm_twice")
    for one in issuers[1:]:
        if not present(one, "realm"):
            yield fault(one, "realm_missing")


def _trusted_issuers(root: Node) -> Iterator[FileFault]:
    """Only a token that is accepted can say which device it comes from."""
    known = [value for place in ("identity.issuer", "identity.issuers.*.issuer") for _, value in texts(root, place)]
    for node, value in texts(root, "device.trusted_issuers.*", units.url):
        if value not in known:
            yield fault(node, "issuer_unknown", value=value, known=" ".join(known) or "–")


def _spelled(root: Node, place: str, key: str) -> bool:
    """Whether the key stands there, or one that was meant to be it: that is a fault already."""
    keys = _value(root, place)
    return bool(difflib.get_close_matches(key, keys, n=1)) if isinstance(keys, dict) else False


def _services(root: Node, used: set[str]) -> Iterator[FileFault]:
    yield from _plaintext(root, "apis.*.upstream.*", units.upstream_url, "upstream", used)
    if any(value.startswith("https://") for _, value in texts(root, "apis.*.upstream.*", units.upstream_url)):
        used.add("unverified-upstream")
    for api in _items(root, "apis"):
        plain = [value for _, value in texts(api, "upstream.*", units.upstream_url) if value.startswith("http://")]
        for key in ("ca", "client"):
            if plain and present(api, key):
                yield key_fault(api, key, "ca_unused", value=plain[0])


def _plaintext(root: Node, place: str, read: Callable[[str], object], what: str, used: set[str]) -> Iterator[FileFault]:
    """Faults for `http://` beyond loopback, unless `plaintext-<what>` is switched on."""
    for node, value in texts(root, place, read):
        if value.startswith("http://") and not units.is_loopback(units.url_host(value)):
            used.add(f"plaintext-{what}")
            if not _switched(root, f"plaintext-{what}"):
                yield fault(node, f"plaintext_{what}", value=value)


def _switched(root: Node, switch: str) -> bool:
    return any(value == switch for _, value in texts(root, "insecure.*"))


def _switches(root: Node, used: Collection[str]) -> Iterator[FileFault]:
    """A switch that is on is said aloud; one that nothing needs would hide the next mistake."""
    for node, value in texts(root, "insecure.*"):
        if value in used:
            yield fault(node, "switch_on", value=value, what_en=SWITCHES[value][0], what_zh=SWITCHES[value][1])
        elif value in SWITCHES:
            yield fault(node, "switch_unused", value=value)


def _proxies(root: Node) -> Iterator[FileFault]:
    """Without a trusted proxy a certificate header could only come from the caller (CVE-2026-40575)."""
    if present(root, "client_certificate_header") and not any(True for _ in find(root, "trusted_proxies.*")):
        yield fault(next(find(root, "client_certificate_header")), "header_untrusted")


# --- APIs -------------------------------------------------------------------------------------


def _apis(root: Node) -> Iterator[FileFault]:
    apis = list(_items(root, "apis"))
    hosts = [value for _, value in texts(root, "hosts.*", units.host)]
    yield from _twice([pair for api in apis for pair in texts(api, "name", units.name)], "api_twice")
    yield from _overlaps(apis, hosts)
    for api in apis:
        for node, value in texts(api, "hosts.*", units.host):
            if value not in hosts:
                yield fault(node, "host_unlisted", value=value)
        yield from _prefix(api)
        if not any(present(api, key) for key in ("data", "level")):
            yield fault(api, "data_unnamed")
        if any(value == "*" for _, value in texts(api, "cors.origins.*")) and _value(api, "cors.credentials") is True:
            yield fault(next(find(api, "cors.credentials")), "cors_everyone")
        custom = text(api, "host", "upstream")
        if custom not in ("upstream", "preserve") and not _good(units.host, custom):
            yield fault(next(find(api, "host")), "host", value=custom)


def _prefix(api: Node) -> Iterator[FileFault]:
    """Only a beginning of `match`, by whole segments, can be stripped."""
    for node, stripped in texts(api, "strip_prefix", units.path):
        for _, pattern in texts(api, "match", units.match):
            prefix, bare = units.match(pattern), stripped.rstrip("/")
            if prefix != bare and not prefix.startswith(bare + "/"):
                yield fault(node, "strip_prefix", value=stripped, match=pattern)


def _overlaps(apis: list[Node], hosts: list[str]) -> Iterator[FileFault]:
    """One prefix on one host belongs to one API; a longer prefix inside a shorter one is no overlap."""
    taken: dict[tuple[str, str], Node] = {}
    for api in apis:
        own = [value for _, value in texts(api, "hosts.*", units.host)] or hosts or [""]
        for node, pattern in texts(api, "match", units.match):
            clash = next((taken[pattern, host] for host in own if (pattern, host) in taken), None)
            if clash is not None:
                yield fault(node, "match_twice", value=pattern, other=text(clash, "name", "?"), line=clash.line)
            else:
                taken.update({(pattern, host): api for host in own})


def _twice(pairs: list[tuple[Node, str]], kind: str) -> Iterator[FileFault]:
    """A fault for each value that stands twice."""
    first: dict[str, int] = {}
    for node, value in pairs:
        if value in first:
            yield fault(node, kind, value=value, line=first[value])
        first.setdefault(value, node.line)


def _items(root: Node, place: str) -> Iterator[Node]:
    value = _value(root, place)
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item.value, dict))


def _value(root: Node, place: str) -> object:
    found = next(find(root, place), None)
    return found.value if found else None


# --- the control door -------------------------------------------------------------------------


def _control(root: Node) -> Iterator[FileFault]:
    """The door is never open to a network in the clear, and knows whom it lets in (CVE-2022-24797)."""
    for node, value in texts(root, "control.listen", units.address):
        if not units.address(value).loopback and not present(root, "control.tls"):
            yield fault(node, "control_plaintext", value=value)
    if any(True for _ in find(root, "control.certificates.*")) and not present(root, "control.tls.client_ca"):
        yield key_fault(next(find(root, "control")), "certificates", "client_ca_missing")
    operators = next(find(root, "control.operators"), None)
    if operators is not None and isinstance(operators.value, dict):
        for name in operators.value:
            if uid_of(name) is None:
                yield key_fault(operators, name, "operator_unknown", value=name)


def uid_of(name: str) -> int | None:
    """The uid of a user of this machine, given by name or number."""
    if name.isascii() and name.isdigit() and len(name) < 10:
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        return None


# --- files ------------------------------------------------------------------------------------


def _files(root: Node, ground: Ground) -> Iterator[FileFault]:
    for place in (*CERTIFICATES, *FILES):
        for node, value in texts(root, place):
            yield from _readable(node, value, ground.folder / value, place in CERTIFICATES)
    for place in FOLDERS:
        for node, value in texts(root, place):
            if not (ground.folder / value).is_dir():
                yield fault(node, "folder_missing", value=value)
    for place in (*LISTENER_KEYS, *SERVICE_KEYS):
        for node, value in texts(root, place):
            if secrets.is_reference(value):
                yield from _secret(node, value, ground, place in LISTENER_KEYS)
    for place in ("tls", "control.tls", "apis.*.client"):
        for node in find(root, place):
            yield from _pair(node, ground)


def _readable(node: Node, value: str, path: Path, certificate: bool) -> Iterator[FileFault]:
    try:
        content = path.read_bytes()
    except OSError as error:
        why_en, why_zh = why(error)
        yield fault(node, "file_unreadable", value=value, why_en=why_en, why_zh=why_zh)
        return
    if mode := changeable(path):  # a reporter's key, an authority: swapped, it vouches for anything
        yield fault(node, "file_changeable", value=value, mode=mode)
    if certificate and b"-----BEGIN CERTIFICATE-----" not in content:
        yield fault(node, "not_certificate", value=value)


def _secret(node: Node, reference: str, ground: Ground, file_needed: bool) -> Iterator[FileFault]:
    """A key must be there, and only we may write it; a world-readable one is said aloud."""
    try:
        path = secrets.place(reference, ground.folder, ground.environ)
        if path is None and file_needed:
            yield fault(node, "secret_needs_file")
            return
        secrets.resolve(reference, ground.folder, ground.environ)
    except secrets.Unreadable as why:
        yield fault(node, why.kind, reference=reference, why_en=why.en, why_zh=why.zh, mode=why.mode)
        return
    mode = secrets.open_to_all(path) if path else ""
    if mode:
        yield fault(node, "secret_open", reference=reference, mode=mode)


def _pair(node: Node, ground: Ground) -> Iterator[FileFault]:
    """Certificate and key, when both can be read, must belong together."""
    cert, reference = text(node, "cert"), text(node, "key")
    try:
        key = secrets.place(reference, ground.folder, ground.environ) if secrets.is_reference(reference) else None
    except secrets.Unreadable:
        return
    if not cert or key is None or not os.access(ground.folder / cert, os.R_OK) or not os.access(key, os.R_OK):
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(ground.folder / cert, key, password=_no_password)
    except (ssl.SSLError, ValueError):
        yield fault(node, "key_mismatch")


def _no_password() -> str:
    """An encrypted key must not make the start wait at a prompt."""
    return ""


# --- observe ----------------------------------------------------------------------------------


def _observing(root: Node) -> Iterator[FileFault]:
    """Observe is a stage and said aloud, at the top and for each API that says it itself."""
    for node, value in texts(root, "mode"):
        if value == "observe":
            yield fault(
                node, "observe_on", what_en="every API without a mode of its own is", what_zh="未单独设置模式的所有接口"
            )
    for api in _items(root, "apis"):
        for node, value in texts(api, "mode"):
            if value == "observe":
                name = text(api, "name", "?")
                yield fault(node, "observe_on", what_en=f"the API `{name}` is", what_zh=f"接口 `{name}` ")


# --- releases ---------------------------------------------------------------------------------


def _signers(root: Node) -> Iterator[FileFault]:
    """Signers are told apart by their keys, and there are enough of them."""
    seen: set[str] = set()
    for node, value in texts(root, "policy_signers.*"):
        name, _, rest = value.partition("+")
        key = rest.partition("+")[2]
        if key and key in seen:
            yield fault(node, "policy_signer_twice", value=name)
        seen.add(key)
    for node in find(root, "policy_signatures"):
        if isinstance(node.value, int) and not isinstance(node.value, bool) and node.value > len(seen):
            yield fault(node, "policy_signatures", needed=node.value, count=len(seen))


def _algorithms(root: Node) -> Iterator[FileFault]:
    """SM2, SM3 and SM4 are there where they are asked for: nothing else is ever taken in their place."""
    profiles = list(texts(root, "crypto"))
    for node in [node for node, value in profiles if value == "sm" and SM not in offered()]:
        yield fault(node, "sm34_missing")
    asking = [(node, f"crypto: {value}") for node, value in profiles if value in ("sm", "dual")]
    asking += [(node, value.partition("+")[0]) for node, value in texts(root, "policy_signers.*") if _with_sm2(value)]
    why = unavailable() if asking else None
    if why is not None:
        for node, value in asking:
            yield fault(node, "sm2_missing", value=value, why_en=why.en, why_zh=why.zh)


def _with_sm2(value: str) -> bool:
    try:
        return read_verifier(value).algorithm == "SM2"
    except KeyFault:
        return False
