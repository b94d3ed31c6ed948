"""What does a good file come to? Each room's own settings, and what the processes need.

Every function takes the checked file and makes the settings of one room. A room may still refuse
(its rules are its own); that refusal becomes a fault at the section it speaks of.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from msgspec import Struct

from gateway.audit.journal import Settings as AuditSettings
from gateway.behaviour import settings as behaviour
from gateway.behaviour.sites import Site
from gateway.catalog import ApiBinding
from gateway.config import certificates, checks, model, secrets, units
from gateway.config.codes import fault
from gateway.crypto.jwk import VerificationKey, admit_key
from gateway.crypto.strict import read_object
from gateway.crypto.suite import Profile
from gateway.device import settings as device
from gateway.document import FileFault, Node
from gateway.edge import settings as edge
from gateway.edge.tls import Tls
from gateway.identity import settings as identity
from gateway.upstream import settings as upstream

T = TypeVar("T")
DEFAULT_ORIGIN = "gateway/audit"  # never made from what may change: the ledger's public key carries this name


class ControlSettings(Struct, frozen=True):
    """The operators' door: where it is, and who may come in (name, role, SHA-256 in hexadecimal)."""

    socket: Path
    listen: units.Address | None
    tls: Tls | None
    tokens: tuple[tuple[str, model.Role, str], ...]
    certificates: tuple[tuple[str, model.Role, str], ...]
    operators: tuple[tuple[int, model.Role], ...]  # uid, role


class Config(Struct, frozen=True):
    """Everything the gateway is told, once, at start."""

    file: Path
    listen: tuple[units.Address, ...]
    tls: Tls | None
    public_url: str
    edge: edge.Settings
    identity: identity.Settings
    device: device.Settings
    behaviour: behaviour.Settings
    upstream: upstream.Settings
    audit: AuditSettings
    control: ControlSettings
    apis: tuple[ApiBinding, ...]
    policies: Path
    state: Path
    keep: float  # seconds that the ledger is kept
    mode: Literal["observe", "enforce"]
    observing: tuple[str, ...]  # names of the APIs in observe
    workers: int
    insecure: tuple[str, ...]
    warnings: tuple[FileFault, ...] = ()
    candidate: Path | None = None  # the policy folder that a pilot tries
    policy_signers: tuple[str, ...] = ()  # verifier keys of those who sign policies; nobody needs to when empty
    policy_signatures: int = 1  # how many of them must have
    emergency_longest: float = 3 * units.DAY  # seconds that an emergency level may last
    inspect_max: dict[str, int] = {}  # bytes of an answer that is masked, by the name of the API
    sample: int = 64  # of how many answers of a route discovery looks at one; 0: at none
    crypto: Profile = "intl"
    fingerprint: str = ""  # of what the file said, whatever its comments and the environment

    @property
    def keys(self) -> Path:
        """The folder of the gateway's own keys."""
        return self.state / "keys"


def assemble(
    file: model.GatewayFile, root: Node, path: Path, environ: Mapping[str, str], warnings: tuple[FileFault, ...]
) -> Config | tuple[FileFault, ...]:
    """The configuration, or what the rooms refuse."""
    work = _Assembly(file, root, path, environ)
    return work.config(warnings) or tuple(work.faults)


class _Assembly:
    """Puts a `Config` together and collects what rooms refuse."""

    def __init__(self, file: model.GatewayFile, root: Node, path: Path, environ: Mapping[str, str]) -> None:
        self.file = file
        self.root = root
        self.path = path
        self.folder = path.parent
        self.environ = environ
        self.faults: list[FileFault] = []

    def config(self, warnings: tuple[FileFault, ...]) -> Config | None:
        """The whole, or None when a room refused its part; then `faults` says which and why."""
        file = self.file
        parts = {
            "tls": self._made(("tls",), self._tls),
            "edge": self._made((), self._edge),
            "identity": self._made(("identity",), self._identity),
            "device": self._made(("device",), self._device),
            "behaviour": self._made(("behaviour",), self._behaviour),
            "upstream": self._made(("apis",), self._upstream),
            "audit": self._made(("audit",), self._audit),
            "control": self._made(("control",), self._control),
        }
        if self.faults:
            return None
        values: dict[str, Any] = parts | {
            "file": self.path,
            "listen": tuple(file.listen),
            "public_url": self.public_url,
            "apis": tuple(self._binding(api, self.root.at(["apis", at])) for at, api in enumerate(file.apis)),
            "policies": self._path(file.policies),
            "candidate": self._path(file.candidate) if file.candidate else None,
            "state": self._path(file.state),
            "keep": file.audit.keep,
            "mode": file.mode,
            "observing": tuple(api.name for api in file.apis if (api.mode or file.mode) == "observe"),
            "workers": file.workers,
            "insecure": tuple(file.insecure),
            "warnings": warnings,
            "policy_signers": tuple(file.policy_signers),
            "policy_signatures": file.policy_signatures or 1,
            "emergency_longest": file.emergency.longest,
            "inspect_max": {api.name: api.inspect_max for api in file.apis},
            "sample": file.discovery.sample,
            "crypto": file.crypto,
        }
        return Config(**values)

    def _path(self, text: str) -> Path:
        return Path(os.path.normpath(self.folder / text))

    def _made(self, place: tuple[str, ...], make: Callable[[], T]) -> T | None:
        """The part, or None after a fault at its place."""
        try:
            return make()
        except secrets.Unreadable as why:
            node = self.root.at(place)
            self.faults.append(fault(node, why.kind, reference="", why_en=why.en, why_zh=why.zh, mode=why.mode))
        except (ValueError, OSError) as why:
            self.faults.append(fault(self.root.at(place), "settings", why=str(why)))
        return None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that are served: as written, or as the certificate names them."""
        if self.file.hosts or self.file.tls is None or all(one.loopback for one in self.file.listen):
            return tuple(self.file.hosts)
        return certificates.names(self.folder / self.file.tls.cert)

    @property
    def public_url(self) -> str:
        """How callers reach the gateway; tokens for its services say so in `iss`."""
        if self.file.public_url:
            return self.file.public_url.rstrip("/")
        scheme = "https" if self.file.tls else "http"
        return f"{scheme}://{self.hosts[0]}" if self.hosts else f"{scheme}://{self.file.listen[0]}"

    def _tls(self) -> Tls | None:
        if self.file.tls is None:
            return None
        authorities = [self.file.tls.client_ca, self.file.device.ca, *(a.ca for a in self.file.identity.certificates)]
        asked = dict.fromkeys(self.folder / ca for ca in authorities if ca)
        return Tls(self.folder / self.file.tls.cert, self._key_file(self.file.tls.key), tuple(asked))

    def _key_file(self, reference: str) -> Path:
        path = secrets.place(reference, self.folder, self.environ)
        if path is None:
            raise ValueError("a TLS key cannot come from a variable")
        return path

    def _edge(self) -> edge.Settings:
        file = self.file
        limits = {name: value for name, value in file.limits.model_dump().items() if value is not None}
        return edge.Settings(
            apis=tuple(self._edge_api(api) for api in file.apis),
            hosts=self.hosts,
            trusted_proxies=tuple(file.trusted_proxies),
            public_url=self.public_url,
            limits=edge.Limits(**limits),
            terminated_client_certificate=file.client_certificate_header or "",
        )

    def _edge_api(self, api: model.Api) -> edge.Api:
        cors = (
            None
            if api.cors is None
            else edge.Cors(
                tuple(api.cors.origins),
                tuple(api.cors.methods),
                tuple(api.cors.headers),
                api.cors.credentials,
                api.cors.max_age,
            )
        )
        return edge.Api(api.name, api.match or "/", tuple(api.hosts), api.body_max, cors)

    def _identity(self) -> identity.Settings:
        said = self.file.identity
        issuers = [self._issuer(one, one.issuer, one.audience) for one in said.issuers]
        if said.issuer is not None:
            issuers.append(self._issuer(said, said.issuer, said.audience or []))
        authorities = [
            identity.Authority(certificates.ders(self.folder / one.ca), one.realm, one.kind, one.assurance)
            for one in said.certificates
        ]
        if self.file.device.ca:
            machines = certificates.ders(self.folder / self.file.device.ca)
            authorities.append(identity.Authority(machines, "device", "device", 0))
        return identity.Settings(tuple(issuers), tuple(authorities), said.leeway)

    def _issuer(self, said: model.Issuer | model.Identity, url: str, audience: list[str]) -> identity.Issuer:
        claims = {name: value for name, value in said.claims.model_dump().items() if value is not None}
        return identity.Issuer(
            url,
            tuple(audience),
            said.jwks_uri or "",
            said.realm or "",
            said.typ,
            tuple(said.algorithms) if said.algorithms else identity.DEFAULT_ALGORITHMS,
            identity.Claims(**claims),
            "plaintext-issuer" in self.file.insecure,
        )

    def _device(self) -> device.Settings:
        said = self.file.device
        return device.Settings(
            authorities=certificates.ders(self.folder / said.ca) if said.ca else (),
            freshness=said.freshness,
            stale=said.stale,
            reporters=tuple(
                device.Reporter(one.id, _public_key(self.folder / one.key), tuple(one.orgs)) for one in said.reporters
            ),
            trusted_issuers=tuple(said.trusted_issuers),
        )

    def _behaviour(self) -> behaviour.Settings:
        said = self.file.behaviour
        return behaviour.Settings(
            timezone=said.timezone,
            timezones=dict(said.timezones),
            sites=tuple(Site(one.name, tuple(one.networks), one.kind) for one in said.sites),
            office_hours=said.office_hours,
            weights=dict(said.weights),
            identities_max=said.identities_max or behaviour.IDENTITIES_MAX,
        )

    def _upstream(self) -> upstream.Settings:
        return upstream.Settings(
            tuple(self._service(api) for api in self.file.apis), upstream.Assertion(issuer=self.public_url)
        )

    def _service(self, api: model.Api) -> upstream.Service:
        optional: dict[str, Any] = {}
        if api.client is not None:
            optional["client_cert"] = (self.folder / api.client.cert).read_bytes()
            optional["client_key"] = secrets.resolve(api.client.key, self.folder, self.environ)
        if api.health is not None:
            optional["health"] = upstream.Health(api.health.path, api.health.every)
        if api.pool_size is not None:
            optional["pool_size"] = api.pool_size
        return upstream.Service(
            api.name,
            tuple(api.upstream),
            prefix=api.match,
            strip_prefix=api.strip_prefix or "",
            add_prefix=api.add_prefix or "",
            host=api.host,
            ca=(self.folder / api.ca).read_bytes() if api.ca else b"",
            timeouts=upstream.Timeouts(**api.timeouts.model_dump()),
            forward_headers=tuple(api.headers.forward),
            return_headers=tuple(api.headers.returned),
            insecure=tuple(switch for switch in self.file.insecure if switch in upstream.SWITCHES),
            **optional,
        )

    def _audit(self) -> AuditSettings:
        said = self.file.audit
        origin = said.origin or DEFAULT_ORIGIN
        return AuditSettings(self._path(self.file.state), said.strength.model_dump(), origin=origin)

    def _control(self) -> ControlSettings:
        said = self.file.control
        tls = (
            None
            if said.tls is None
            else Tls(
                self.folder / said.tls.cert,
                self._key_file(said.tls.key),
                (self.folder / said.tls.client_ca,) if said.tls.client_ca else (),
            )
        )
        operators = ((checks.uid_of(name), role) for name, role in said.operators.items())
        return ControlSettings(
            self._path(said.socket or f"{self.file.state}/control.sock"),
            said.listen,
            tls,
            tuple((one.name, one.role, one.sha256) for one in said.tokens),
            tuple((one.name, one.role, one.sha256) for one in said.certificates),
            tuple((uid, role) for uid, role in operators if uid is not None),
        )

    def _binding(self, api: model.Api, place: Node) -> ApiBinding:
        mode, data, fields = api.mode or self.file.mode, tuple(api.data), dict(api.fields)
        return ApiBinding(api.name, api.match or "/", data, mode, api.level, fields, api.opaque, place)


def _public_key(path: Path) -> VerificationKey:
    """The key of a reporter, PEM or JWK. Raises OSError, ValueError."""
    text = path.read_bytes()
    try:
        return admit_key(read_object(text)) if text.lstrip().startswith(b"{") else VerificationKey.load(text)
    except ValueError as why:
        raise ValueError(f"`{path}` {why}") from None
