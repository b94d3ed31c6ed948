"""`gateway doctor`: what would fail tomorrow?

Each examination gives findings: good, to be looked at, bad, or unknown. Nothing is changed, nothing
is started; `--live` only asks the running gateway whether it can decide.
"""

import argparse
import errno
import os
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gateway.cli.parser import with_door
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.config import Config, Places
    from gateway.crypto.suite import Profile
    from gateway.upstream import Endpoint, Service

State = Literal["good", "warn", "bad", "unknown"]
COLOURS = {"good": "good", "warn": "warning", "bad": "error", "unknown": "warning"}
ENGINES = {"re2": "doctor.engine_re2", "re": "doctor.engine_re"}
PROFILES = {"intl": "doctor.crypto_intl", "sm": "doctor.crypto_sm", "dual": "doctor.crypto_dual"}
RENEW_DAYS = 14
FEW_BYTES = 1024**3
MAX_SKEW = 30.0
FETCH_SECONDS = 5.0


class Finding(NamedTuple):
    """What was examined, how it is, and a text with its values."""

    subject: str
    state: State
    key: str
    values: Mapping[str, object] = MappingProxyType({})


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("doctor", help="doctor.help", description="doctor.help")
    parser.add_argument("--live", action="store_true", help="doctor.live")
    with_door(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 nothing bad, 1 something bad, 3 something could not be found out."""
    screen = Screen(args)
    if not args.live and not Path(args.config).exists():
        screen.warn("no_config", "error", path=args.config)
        return 3
    findings = list(_live(args, screen) if args.live else _everything(args, screen))
    for one in findings:
        state = screen.paint(screen.text(f"doctor.{one.state}"), COLOURS[one.state])
        subject, colon = screen.text(f"doctor.{one.subject}"), screen.choose(": ", "：")
        screen.line(f"{state}  {subject}{colon}{screen.text(one.key, **one.values)}")
    states = {one.state for one in findings}
    code = 1 if "bad" in states else 3 if "unknown" in states else 0
    screen.result({"exit": code, "findings": [one._asdict() | {"values": dict(one.values)} for one in findings]})
    return code


def _live(args: argparse.Namespace, screen: Screen) -> Iterator[Finding]:
    from gateway.cli.door import socket_of

    path = socket_of(args, screen)
    yield from _door(path, args.lang) if path else ()
    if path is None:
        yield Finding("config", "unknown", "doctor.config_bad", {"count": 1})


def _everything(args: argparse.Namespace, screen: Screen) -> Iterator[Finding]:
    from gateway.cli.door import socket_of
    from gateway.config import load, places
    from gateway.document import Faulty

    path = Path(args.config)
    config = None
    try:
        config = load(path, os.environ)
        count = len(config.warnings)
        key = "doctor.config_warned" if count else "doctor.config_good"
        yield Finding("config", "warn" if count else "good", key, {"count": count})
    except Faulty as faulty:
        yield Finding("config", "bad", "doctor.config_bad", {"count": len(faulty.faults)})
    try:
        where = places(path, os.environ)
    except Faulty:
        where = None
    yield from _packages()
    yield from _engine()
    if where is not None:
        yield from _algorithms(where.crypto)  # also where the lack of one is why the configuration is bad
    if config is not None:
        yield from _certificates(config)
        yield from _issuers(config)
        yield from _services(config)
    if where is None:
        return
    yield from _policies(where.policies, config)
    yield from _keys(where)
    yield from _disk(where.state)
    yield from _store(where.state)
    yield from _chain(where.state, where.origin, where.crypto)
    door = socket_of(args, screen)
    if door is not None:
        found = list(_door(door, args.lang))
        yield from found
        if config is not None and found[0].key == "doctor.door_none":
            yield from _addresses(config)


def _packages() -> Iterator[Finding]:
    """`casbin` on PyPI is the stale twin of `pycasbin`: both install the same module."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution("casbin")
    except PackageNotFoundError:
        yield Finding("packages", "good", "doctor.packages_good")
    else:
        yield Finding("packages", "bad", "doctor.packages_bad")


def _engine() -> Iterator[Finding]:
    """What the second look searches with. Both find the same; a test holds them to each other."""
    from gateway.detect import ENGINE

    yield Finding("engine", "good", ENGINES[ENGINE])


def _algorithms(profile: "Profile") -> Iterator[Finding]:
    """Which profile is used, by what, and whether this machine has what the national one needs."""
    from cryptography.hazmat.backends.openssl import backend

    from gateway.crypto import sm2
    from gateway.crypto.suite import SM, offered

    yield Finding("crypto", "good", PROFILES[profile])
    library = {"version": backend.openssl_version_text()}
    if SM in offered():
        yield Finding("sm34", "good", "doctor.sm34_good", library)
    else:
        yield Finding("sm34", "bad" if profile == "sm" else "good", "doctor.sm34_none", library)
    why = sm2.unavailable()
    if why:
        yield Finding("sm2", "good" if profile == "intl" else "bad", "doctor.sm2_none", {"why": why})
    else:
        yield Finding("sm2", "good", "doctor.sm2_good", {"version": sm2.version()})


def _certificates(config: "Config") -> Iterator[Finding]:
    """Every certificate that we show or trust: the days it has left."""
    from gateway.config.certificates import expiry

    paths = [
        path for tls in (config.tls, config.control.tls) if tls for path in (tls.certificate, *tls.client_authorities)
    ]
    for path in dict.fromkeys(paths):
        left = expiry(path) - time.time()
        days = int(abs(left) // 86_400)
        if left < 0:
            yield Finding("certificate", "bad", "doctor.certificate_over", {"path": path, "days": days})
        else:
            state: State = "good" if days >= RENEW_DAYS else "warn"
            yield Finding("certificate", state, "doctor.certificate_days", {"path": path, "days": days})


def _issuers(config: "Config") -> Iterator[Finding]:
    """Whether each issuer's keys can be had, and how far our clock is from theirs."""
    from email.utils import parsedate_to_datetime

    import httpx

    skews = []
    with httpx.Client(timeout=FETCH_SECONDS, follow_redirects=False) as client:
        for issuer in config.identity.issuers:
            try:
                answer = client.get(_key_set(client, issuer.url, issuer.jwks_uri))
                count = len(answer.raise_for_status().json()["keys"])
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
                why = re.sub(r"^\[Errno -?\d+\] ", "", str(error).split("\n")[0]) or "no answer"
                yield Finding("issuer", "bad", "doctor.issuer_bad", {"url": issuer.url, "why": why})
                continue
            yield Finding(
                "issuer", "good" if count else "bad", "doctor.issuer_good", {"url": issuer.url, "count": count}
            )
            if "date" in answer.headers:
                skews.append(abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()))
    if skews:
        skew = min(skews)
        good = skew <= MAX_SKEW
        key = "doctor.clock_good" if good else "doctor.clock_bad"
        yield Finding("clock", "good" if good else "bad", key, {"seconds": round(skew + 1)})
    else:
        yield Finding("clock", "warn", "doctor.clock_unknown")


def _services(config: "Config") -> Iterator[Finding]:
    """Whether each service takes a connection, and with TLS shows a certificate that we accept."""
    for service in config.upstream.services:
        for end in service.endpoints:
            values: dict[str, object] = {"name": service.name, "url": str(end)}
            try:
                _connect(service, end)
            except ssl.SSLError as error:
                values["why"] = getattr(error, "verify_message", "") or error.reason or str(error)
                yield Finding("service", "bad", "doctor.service_tls", values)
            except (OSError, ValueError) as error:
                code = error.errno if isinstance(error, OSError) else 0
                refused = code == errno.ECONNREFUSED
                values["why"] = re.sub(r"^\[Errno -?\d+\] ", "", str(error))
                yield Finding("service", "bad", "doctor.service_closed" if refused else "doctor.service_bad", values)
            else:
                yield Finding("service", "good", "doctor.service_good", values)


def _connect(service: "Service", end: "Endpoint") -> None:
    """Connect as the gateway would, say nothing, hang up. Raises OSError, ValueError."""
    from gateway.upstream.tls import context

    with socket.create_connection((end.host, end.port), timeout=FETCH_SECONDS) as plain:
        if end.scheme == "https":
            with context(service).wrap_socket(plain, server_hostname=service.server_name or end.host):
                pass


def _addresses(config: "Config") -> Iterator[Finding]:
    """Whether the next start would get its addresses; asked only while no gateway of ours holds them."""
    for address in config.listen:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address.host, address.port))
            except OSError as error:
                taken = error.errno == errno.EADDRINUSE
                values = {"address": str(address), "why": error.strerror}
                yield Finding("address", "warn", "doctor.address_taken" if taken else "doctor.address_bad", values)
            else:
                yield Finding("address", "good", "doctor.address_free", {"address": str(address)})


def _key_set(client: Any, issuer: str, jwks_uri: str) -> str:
    """Where the keys are: as configured, or as the issuer's metadata says (OpenID Connect Discovery)."""
    if jwks_uri:
        return jwks_uri
    found = client.get(issuer.rstrip("/") + "/.well-known/openid-configuration").raise_for_status().json()
    return str(found["jwks_uri"])


def _policies(folder: Path, config: "Config | None") -> Iterator[Finding]:
    """Whether the folder would be taken at the next start; what runs now may be older and good."""
    from gateway.app.releases import signers
    from gateway.cli.policy.folder import read

    if config is not None and config.policy_signers and folder.is_dir():
        wrong = signers(config).faults(folder)
        if wrong:
            yield Finding("signatures", "bad", "doctor.signatures_bad", {"count": len(wrong), "code": wrong[0].code})
        else:
            yield Finding("signatures", "good", "doctor.signatures_good", {"count": config.policy_signatures})
    found = read(folder, config.apis if config else ())
    if found.errors or found.failed:
        yield Finding("policies", "bad", "doctor.policies_bad", {"count": found.errors, "tests": len(found.failed)})
        return
    values = {
        "rules": found.rules, "assets": found.assets, "tests": len(found.tests), "warnings": len(found.faults),
    }  # fmt: skip
    weak = not found.rules or not found.tests
    yield Finding("policies", "warn" if weak else "good", "doctor.policies_good", values)


def _keys(where: "Places") -> Iterator[Finding]:
    from gateway.config.state import faults

    found = faults(where.state, where.origin, where.crypto)
    for fault in found:
        yield Finding("keys", "bad", "plain", {"text": fault})
    if not found:
        yield Finding("keys", "good", "doctor.keys_good")


def _disk(state: Path) -> Iterator[Finding]:
    """On a full disk nothing is forwarded any more: warn while there is time."""
    import shutil

    place = next((path for path in (state, *state.parents) if path.exists()), Path("/"))
    usage = shutil.disk_usage(place)
    percent = usage.free * 100 // usage.total if usage.total else 0
    tight = usage.free < FEW_BYTES or percent < 5
    values: dict[str, object] = {"free": round(usage.free / 1024**3, 1), "percent": percent}
    yield Finding("disk", "warn" if tight else "good", "doctor.disk_free", values)


def _store(state: Path) -> Iterator[Finding]:
    import sqlite3

    from gateway.config.state import forgotten

    path = state / "state.db"
    if forgotten(state):
        yield Finding("store", "bad", "doctor.store_lost")
        return
    if not path.is_file():
        yield Finding("store", "good", "doctor.store_none")
        return
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            verdict = str(connection.execute("PRAGMA quick_check").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict == "ok":
        yield Finding("store", "good", "doctor.store_good")
    else:
        yield Finding("store", "bad", "plain", {"text": verdict})


def _chain(state: Path, origin: str, profile: "Profile") -> Iterator[Finding]:
    """Whether the last checkpoint is signed by our keys; the whole ledger is `audit verify`'s work."""
    from gateway.audit.checkpoint import Verifier, read_checkpoint
    from gateway.audit.entry import Malformed
    from gateway.audit.shelf import read_notes
    from gateway.config.state import verifier_of, verifiers
    from gateway.crypto.keys import KeyFault
    from gateway.crypto.sm2 import Sm2Missing

    try:
        notes = read_notes(state / "ledger")
        if not notes:
            yield Finding("chain", "good", "doctor.chain_none")
            return
        point = read_checkpoint(notes[-1], Verifier(verifier_of(state, origin)))
        for other in verifiers(state)[1:] if profile != "intl" else ():
            Verifier(other).open(notes[-1])
        age = round(time.time() - (state / "ledger" / "checkpoints").stat().st_mtime)
    except (OSError, ValueError, KeyFault, Malformed, Sm2Missing) as error:
        yield Finding("chain", "bad", "plain", {"text": error})
        return
    yield Finding("chain", "good", "doctor.chain_good", {"count": point.size, "age": age})


def _door(path: Path, language: str) -> Iterator[Finding]:
    from gateway.cli.door import NoAnswer, ask, complaint

    try:
        status, answer = ask(path, "GET", "/ready", None, language)
        _, health = ask(path, "GET", "/health", None, language)
    except NoAnswer:
        yield Finding("door", "unknown", "doctor.door_none", {"socket": path})
        return
    if status == 200 and isinstance(health, dict):
        yield Finding("door", "good", "doctor.door_good", {"workers": len(health.get("workers", []))})
    elif status == 503 and isinstance(answer, dict) and "ready" in answer:
        yield Finding("door", "bad", "doctor.door_not_ready")
    else:
        yield Finding("door", "unknown", "plain", {"text": complaint(answer)})
