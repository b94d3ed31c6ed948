"""Which keys may `gateway.yaml` have, and what may stand in them?

The shape of the file, for pydantic: it reports every fault of a file in one run, and makes the JSON
Schema that editors complete from. What depends on more than one key is checked in `checks`.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from gateway.config import units
from gateway.config.secrets import is_reference
from gateway.crypto.keys import KeyFault, read_verifier

Grade = Literal["general-1", "general-2", "general-3", "general-4", "general", "important", "core"]
GradeName = Annotated[str, Field(min_length=1, max_length=32)]  # a province's word: the catalog knows which there are
Mode = Literal["observe", "enforce"]
Role = Literal["system", "security", "audit", "reporter", "metrics", "admin"]
Switch = Literal["plaintext-listen", "plaintext-issuer", "plaintext-upstream", "unverified-upstream"]
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
KEEP_AT_LEAST = 183 * units.DAY  # 网络安全法 article 23: network logs for not less than six months


def _text(read: Callable[[str], object]) -> BeforeValidator:
    """Let pydantic read a value with a function of `units`, and schemas show it as text."""

    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise PydanticCustomError("string_type", "text")
        try:
            return read(str(value))
        except units.Odd as odd:
            raise PydanticCustomError("odd", "odd", {"kind": odd.kind}) from None

    return BeforeValidator(check, json_schema_input_type=str)


def _one_or_many(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _secret(value: Any) -> Any:
    if not isinstance(value, str) or not is_reference(value):
        raise PydanticCustomError("odd", "odd", {"kind": "secret_inline"})
    return value


def _strength(value: Any) -> Any:
    if value not in ("written", "synced"):
        raise PydanticCustomError("odd", "odd", {"kind": "strength_weak"})
    return value


def _keep(value: float) -> float:
    if value < KEEP_AT_LEAST:
        raise units.Odd("keep_short")
    return value


def _digest(value: str) -> str:
    lower = value.lower()
    if len(lower) != 64 or set(lower) - set("0123456789abcdef"):
        raise units.Odd("sha256")
    return lower


def _signer(value: str) -> str:
    try:
        read_verifier(value)
    except KeyFault:
        raise units.Odd("policy_signer") from None
    return value.strip()


_OneOrMany = BeforeValidator(_one_or_many, json_schema_input_type=str | list[str])
Duration = Annotated[float, _text(units.duration)]
Keep = Annotated[float, _text(lambda text: _keep(units.duration(text)))]
Size = Annotated[int, _text(units.size)]
Network = Annotated[str, _text(units.network)]
Listen = Annotated[units.Address, _text(units.address)]
Host = Annotated[str, _text(units.host)]
Url = Annotated[str, _text(units.url)]
UpstreamUrl = Annotated[str, _text(units.upstream_url)]
Match = Annotated[str, _text(units.match)]
PathText = Annotated[str, _text(units.path)]
Name = Annotated[str, _text(units.name)]
HeaderName = Annotated[str, _text(units.header_name)]
Zone = Annotated[str, _text(units.zone)]
Hours = Annotated[tuple[int, int], _text(units.hours)]
Sha256 = Annotated[str, _text(_digest)]
Signer = Annotated[str, _text(_signer)]
Secret = Annotated[str, BeforeValidator(_secret, json_schema_input_type=str)]
Strength = Annotated[Literal["written", "synced"], BeforeValidator(_strength)]
File = Annotated[str, Field(min_length=1)]
Text = Annotated[str, Field(min_length=1, max_length=512)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Section(BaseModel):
    """A part of the file: unknown keys are faults, values are never converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class Tls(Section):
    """Certificate and key of a listener."""

    cert: File = Field(description="certificate chain, PEM")
    key: Secret = Field(description="where the private key is: file:PATH or systemd:NAME")
    client_ca: File | None = Field(default=None, description="authorities whose client certificates are asked for, PEM")


class Claims(Section):
    """Which claims of this issuer's tokens say what; dots step into objects."""

    org: Text | None = None
    roles: Text | None = None
    name: Text | None = None
    clearance: Text | None = None
    device: Text | None = None
    session: Text | None = None
    purpose: Text | None = None
    kind: Text | None = None


class Issuer(Section):
    """Who signs access tokens."""

    issuer: Url = Field(description="the issuer exactly as tokens name it in `iss`")
    audience: Annotated[list[Text], _OneOrMany] = Field(
        min_length=1, description="names under which tokens mean this gateway"
    )
    jwks_uri: Url | None = Field(default=None, description="key set; found by discovery when absent")
    realm: Text | None = Field(default=None, description="keeps subjects of two issuers apart")
    typ: Literal["at+jwt", "any"] = "at+jwt"
    algorithms: list[Algorithm] | None = Field(default=None, min_length=1)
    claims: Claims = Claims()


class Authority(Section):
    """Whose client certificates prove a person, a service or a device."""

    ca: File = Field(description="authority, PEM")
    realm: Text = "cert"
    kind: Literal["person", "service"] = "person"
    assurance: Annotated[int, Field(ge=0, le=3)] = 3


class Identity(Section):
    """Who may say who is asking."""

    issuer: Url | None = None
    audience: Annotated[list[Text], _OneOrMany] | None = Field(default=None, min_length=1)
    jwks_uri: Url | None = None
    realm: Text | None = None
    typ: Literal["at+jwt", "any"] = "at+jwt"
    algorithms: list[Algorithm] | None = Field(default=None, min_length=1)
    claims: Claims = Claims()
    issuers: list[Issuer] = []
    certificates: list[Authority] = []
    leeway: Duration = Field(default=30.0, le=60, description="how far clocks may differ")


class Reporter(Section):
    """Who may report the health of devices."""

    id: Name
    key: File = Field(description="its public key, PEM or JWK")
    orgs: list[Text] = Field(default=[], description="only devices of these departments; all when empty")


class Device(Section):
    """What is known about machines."""

    ca: File | None = Field(default=None, description="authority of device certificates, PEM")
    freshness: Duration = Field(default=86_400.0, gt=0, description="a report older than this is not fresh")
    stale: Duration = Field(default=259_200.0, gt=0, description="a report older than this says nothing")
    reporters: list[Reporter] = []
    trusted_issuers: list[Url] = Field(default=[], description="issuers whose device claim proves the device")


class Site(Section):
    """A place people usually work from."""

    name: Name
    networks: list[Network] = Field(min_length=1)
    kind: Literal["office", "dc", "vpn", "nat", "mobile"] = "office"


class Behaviour(Section):
    """What is usual."""

    timezone: Zone = "Asia/Shanghai"
    timezones: dict[str, Zone] = Field(default={}, description="time zone of a department, where it differs")
    office_hours: Hours = (420, 1200)
    sites: list[Site] = []
    weights: dict[str, Annotated[float, Field(ge=0, le=100)]] = {}
    identities_max: Count | None = None


class Strengths(Section):
    """How durable a record is before a request is forwarded."""

    general: Strength = "written"
    important: Strength = "written"
    core: Strength = "synced"


class Audit(Section):
    """What is remembered, and for how long."""

    keep: Keep = Field(default=3 * 365 * units.DAY, description="at least six months")
    strength: Strengths = Strengths()
    origin: Text | None = Field(default=None, description="name of this ledger in its checkpoints")


class Token(Section):
    """A bearer token for the control door, known by its digest only."""

    name: Name
    role: Role
    sha256: Sha256


class OperatorCertificate(Section):
    """A client certificate for the control door."""

    name: Name
    role: Role
    sha256: Sha256 = Field(description="SHA-256 of the certificate (DER), hexadecimal")


class Control(Section):
    """The operators' door."""

    socket: File | None = Field(
        default=None, description="Unix socket; `control.sock` in the state directory when absent"
    )
    listen: Listen | None = Field(default=None, description="also listen here, for scrapes and remote operators")
    tls: Tls | None = None
    tokens: list[Token] = []
    certificates: list[OperatorCertificate] = []
    operators: dict[str, Role] = Field(default={}, description="users of this machine (name or uid) and their role")


class Emergency(Section):
    """How long an emergency level may last."""

    longest: Duration = Field(default=3 * units.DAY, gt=0, le=30 * units.DAY, description="no level without an end")


class Discovery(Section):
    """What is learnt about answers: counts of what their fields hold, never a value."""

    sample: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=64, description="one answer in so many of each route is looked at; 0: none"
    )


class Limits(Section):
    """Bounds on what is read from callers."""

    header_bytes: Annotated[int, Field(ge=1024, le=1_048_576)] | None = None
    header_count: Annotated[int, Field(ge=8, le=1000)] | None = None
    target_bytes: Annotated[int, Field(ge=256, le=65_536)] | None = None
    header_seconds: Seconds | None = None
    body_idle_seconds: Seconds | None = None
    body_seconds: Seconds | None = None
    keep_alive_seconds: Seconds | None = None
    write_idle_seconds: Seconds | None = None
    small_body: Annotated[int, Field(ge=0, le=8_388_608)] | None = None
    connections: Count | None = None
    connections_per_address: Count | None = None
    in_flight: Count | None = None
    held_bytes: Annotated[Size, Field(ge=64 * 1024 * 1024)] = Field(
        default=256 * 1024 * 1024,
        description="of long answers: that are being masked, and that wait for callers who read slowly",
    )
    drain_seconds: Seconds | None = None


class Timeouts(Section):
    """How long a service may take."""

    connect: Duration = Field(default=3.0, gt=0)
    first_byte: Duration = Field(default=30.0, gt=0)
    idle: Duration = Field(default=30.0, gt=0)
    total: Duration = Field(default=300.0, gt=0)


class Client(Section):
    """The certificate the gateway shows to a service."""

    cert: File
    key: Secret


class PassedHeaders(Section):
    """Headers that pass beyond the usual ones."""

    forward: list[HeaderName] = []
    returned: list[HeaderName] = Field(default=[], alias="return")


class Cors(Section):
    """Which web pages of other origins may call this API."""

    origins: list[Url | Literal["*"]] = Field(min_length=1)
    methods: list[Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]] = ["GET"]
    headers: list[Text] = []
    credentials: bool = False
    max_age: Duration = 600.0


class Health(Section):
    """How a service is asked whether it works."""

    path: PathText
    every: Duration = Field(default=5.0, ge=0.1)


class Api(Section):
    """One protected API."""

    name: Name
    match: Match = Field(description="path prefix by whole segments, with /** at the end")
    hosts: list[Host] = Field(default=[], description="of `hosts`; all of them when empty")
    upstream: Annotated[list[UpstreamUrl], _OneOrMany] = Field(
        min_length=1, description="scheme, host and port; several are balanced"
    )
    ca: File | None = Field(
        default=None, description="authority of the service, PEM; the system's authorities when absent"
    )
    client: Client | None = None
    data: Annotated[list[Text], _OneOrMany] = Field(default=[], description="assets of policies/catalog/")
    mode: Mode | None = None
    strip_prefix: PathText | None = None
    add_prefix: PathText | None = None
    host: str = Field(default="upstream", description="Host sent: `upstream`, `preserve`, or a name")
    timeouts: Timeouts = Timeouts()
    body_max: Size = 10 * 1024 * 1024
    inspect_max: Annotated[Size, Field(ge=1024, le=32 * 1024 * 1024)] = Field(
        default=8 * 1024 * 1024,
        description="answers that are masked are read up to this size, packed and unpacked; longer ones are withheld",
    )
    headers: PassedHeaders = PassedHeaders()
    cors: Cors | None = None
    health: Health | None = None
    pool_size: Annotated[int, Field(ge=1, le=10_000)] | None = None
    level: Grade | GradeName | None = Field(
        default=None, description="for a first try without catalog files; also a name of policies/grades.yaml"
    )
    fields: dict[str, Text] = Field(default={}, description="JSON path to identifier, for a first try")
    opaque: bool = Field(default=False, description="answers cannot be inspected and pass unread where policy allows")


class GatewayFile(Section):
    """Configuration of the gateway."""

    version: Literal[1]
    listen: Annotated[list[Listen], _OneOrMany] = Field(
        default_factory=lambda: [units.Address("127.0.0.1", 8080)],
        min_length=1,
        description="address and port, or a list",
    )
    tls: Tls | None = None
    hosts: list[Host] = Field(default=[], description="host names that are served; needed unless listening on loopback")
    public_url: Url | None = Field(
        default=None, description="how callers reach the gateway; made from `hosts` when absent"
    )
    trusted_proxies: list[Network] = Field(
        default=[], description="proxies that may say who the caller is; nobody by default"
    )
    client_certificate_header: Literal["client-cert", "xfcc"] | None = None
    identity: Identity = Identity()
    device: Device = Device()
    behaviour: Behaviour = Behaviour()
    policies: File = "./policies"
    candidate: File | None = Field(default=None, description="policy folder that `gateway policy pilot` tries")
    policy_signers: list[Signer] = Field(
        default=[], description="verifier keys of those who sign policies (`gateway policy sign --new-key FILE`)"
    )
    policy_signatures: Annotated[int, Field(ge=1, le=16)] | None = Field(
        default=None, description="how many of them must have signed; one when absent"
    )
    emergency: Emergency = Emergency()
    discovery: Discovery = Discovery()
    state: File = "./state"
    crypto: Literal["intl", "sm", "dual"] = Field(
        default="intl",
        description="algorithms: international, the national ones of China (SM2, SM3, SM4), or both signatures",
    )
    audit: Audit = Audit()
    control: Control = Control()
    mode: Mode = "enforce"
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    limits: Limits = Limits()
    insecure: list[Switch] = Field(
        default=[], description="switches that weaken something, each named for what it does"
    )
    apis: list[Api] = Field(min_length=1)
