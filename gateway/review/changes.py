"""What could somebody change about a request, short of being somebody else?

For each dimension the changes worth trying, least effort first. Values come from the conditions of the rules that are
about this caller and this data (`atoms.py`), never out of the blue. Rules:

1. Never who the person is: no id, role, office or clearance. Never what is asked for: that is another request.
2. Only for the better: a higher assurance, a healthier device, a lower score. `worse` turns it round, for what would
   end a permit. Nobody is told to use a compromised device.
3. Dimensions in their order of effort: purpose, sign-in, credential, place, device, time, grant, risk.
4. Waiting means the same request at that time: a sign-in as old as now, the device as it is now.
5. A band of risk is left five points under its edge, as behaviour does; so is the score that is told.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from gateway.facts import Band, Facts, Granted, Posture, Risk
from gateway.policy.bundle import Bundle
from gateway.policy.duties import ASSURANCES
from gateway.review.atoms import Atoms

Dimension = Literal["purpose", "sign_in", "credential", "place", "device", "time", "grant", "risk"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)

ENTERED: tuple[tuple[Band, float], ...] = (("quarantine", 80.0), ("limit", 60.0), ("step_up", 40.0))
LEFT = 5.0  # points under its edge at which a band is left
BANDS: tuple[Band, ...] = ("normal", "step_up", "limit", "quarantine")
TRUST: tuple[Literal["compromised", "unknown", "known", "managed"], ...] = (
    "compromised", "unknown", "known", "managed",
)  # fmt: skip
HORIZON = 8  # days: every weekday once, and today's hours again
MOMENTS = 64  # ends of rules and grants beyond the horizon
PURPOSES = 64
ACR = {level: name for name, level in ASSURANCES.items()} | {0: "aal0"}

Apply = Callable[[Facts], Facts]
Words = tuple[str, str]
Network = IPv4Network | IPv6Network


class Claim(Struct, frozen=True):
    """How far a change holds: up to a value (below it, or with it included), and in which networks it does not."""

    most: float | None = None
    included: bool = False
    outside: tuple[str, ...] = ()


class Range(Struct, frozen=True, eq=False):
    """The values of a change that is told as a range: one in each stretch between those at which rules turn."""

    points: tuple[float, ...]
    turns: tuple[float, ...]
    move: Callable[[float, Facts], Facts]


class Option(Struct, frozen=True, eq=False):
    """One change: the name a rule looks at, what it is and what it would be, how to apply and how to say it."""

    dimension: Dimension
    name: str
    was: str
    to: str
    apply: Apply
    say: Callable[[Claim], Words]
    range: Range | None = None
    within: tuple[tuple[str, Apply], ...] = ()  # parts of a network at which rules turn
    wide: bool = False  # its words stand for more values than the one that it applies


def options(
    bundle: Bundle, facts: Facts, atoms: Atoms, ends: Iterable[float], worse: bool = False
) -> dict[Dimension, list[Option]]:
    """The changes worth trying; `ends` are the moments at which rules about this request expire."""
    return {
        "purpose": list(_purposes(bundle, facts, atoms)),
        "sign_in": list(_sign_ins(facts, atoms, worse)),
        "credential": list(_credentials(bundle, facts, atoms, worse)),
        "place": list(_places(facts, atoms)),
        "device": list(_devices(bundle, facts, atoms, worse)),
        "time": list(_times(bundle, facts, atoms, ends)),
        "grant": list(_grants(bundle, facts, atoms, worse)),
        "risk": list(_risks(facts, atoms, worse)),
    }


def _always(en: str, zh: str) -> Callable[[Claim], Words]:
    return lambda claim: (en, zh)


def _beside(bundle: Bundle, facts: Facts, atoms: Atoms, name: str) -> list[str]:
    """The texts beside a name, and what the names beside it say at the moment."""
    said = [bundle.names[other].get(facts) for other in atoms.names_beside.get(name, ()) if other in bundle.names]
    return list(dict.fromkeys((*atoms.texts(name), *(value for value in said if isinstance(value, str)))))


# --- purpose -----------------------------------------------------------------------------------


def _purposes(bundle: Bundle, facts: Facts, atoms: Atoms) -> Iterator[Option]:
    known = [word for word in _beside(bundle, facts, atoms, "env.purpose") if word]
    shared = _shared_for(bundle, facts)
    was = facts.ask.purpose
    for word in dict.fromkeys((*known, *shared)):
        yield _purpose(facts, was, word, f"with purpose `{word}`", f"用途为 `{word}`")
    if "env.purpose" in atoms.names:
        named = "`, `".join(known), "`、`".join(known)
        other = ("with a purpose other than `" + named[0] + "`", "用途不是 `" + named[1] + "`")
        free = _purpose(facts, was, another(known), *(other if known else ("with a purpose stated", "注明用途")))
        yield replace(free, wide=True)
        yield _purpose(facts, was, "", "without a purpose", "不带用途")


def another(known: Iterable[str]) -> str:
    """A word that is none of these."""
    word, taken = "another", set(known)
    while word in taken:
        word += "-"
    return word


def _purpose(facts: Facts, was: str, word: str, en: str, zh: str) -> Option:
    return Option("purpose", "env.purpose", was, word, partial(_with_purpose, word), _always(en, zh))


def _with_purpose(word: str, facts: Facts) -> Facts:
    return replace(facts, ask=replace(facts.ask, purpose=word))


def _shared_for(bundle: Bundle, facts: Facts) -> list[str]:
    """The purposes for which this caller holds a grant of this data."""
    if not bundle.asks_for_grants:
        return []
    purposes = list(dict.fromkeys(grant.purpose for grant in bundle.content.grants))[:PURPOSES]
    caller = replace(facts.subject, purpose="")
    asked = ((word, replace(facts.ask, purpose=word)) for word in purposes)
    return [word for word, ask in asked if bundle.granted(ask, caller, facts.asset).ids]


# --- sign-in and credential --------------------------------------------------------------------


def _sign_ins(facts: Facts, atoms: Atoms, worse: bool) -> Iterator[Option]:
    """Only a person can be asked to sign in; an anonymous caller would become somebody else."""
    if facts.subject.kind != "person":
        return
    held = facts.subject.assurance
    turns = atoms.numbers("subject.auth_age")
    if worse:
        age = _age(facts)
        yield Option(
            "sign_in", "subject.auth_age", "", "", partial(_aged, age), _too_old, Range(cells(turns, age), turns, _aged)
        )
        for level in range(held - 1, -1, -1):
            say = _always(f"with a sign-in of {ACR[level]} only", f"仅以 {ACR[level]} 登录")
            yield Option("sign_in", "subject.assurance", ACR.get(held, ""), ACR[level], partial(_assured, level), say)
        return
    reach = Range(cells(turns, 0.0), turns, _aged)
    for level in range(held, 4):
        name = "subject.assurance" if level > held else "subject.auth_age"
        say = partial(_after_signing_in, ACR[level] if level > held else "")
        yield Option("sign_in", name, ACR.get(held, ""), ACR[level], partial(_signed_in, level), say, reach)


def _age(facts: Facts) -> float:
    signed_in = facts.subject.proof.authenticated_at
    return max(facts.ask.at - signed_in, 0.0) if signed_in > 0 else 0.0


def _aged(age: float, facts: Facts) -> Facts:
    proof = replace(facts.subject.proof, authenticated_at=facts.ask.at - age)
    return replace(facts, subject=replace(facts.subject, proof=proof))


def _assured(level: int, facts: Facts) -> Facts:
    return replace(facts, subject=replace(facts.subject, assurance=level))


def _signed_in(level: int, facts: Facts) -> Facts:
    return _aged(0.0, _assured(level, facts))


def _after_signing_in(acr: str, claim: Claim) -> Words:
    en = f"after signing in with {acr}" if acr else "after signing in again"
    zh = f"以 {acr} 重新登录后" if acr else "重新登录后"
    if claim.most is None:
        return en, zh
    span = _span(claim.most)
    if claim.included:
        return f"{en}, within {span[0]}", f"{zh} {span[1]}内"
    return f"{en}, in less than {span[0]}", f"{zh}不到 {span[1]}时"


def _too_old(claim: Claim) -> Words:
    span = _span(claim.most or 0.0)
    if claim.included:
        return f"once the sign-in is older than {span[0]}", f"登录超过 {span[1]}后"
    return f"once the sign-in is {span[0]} old", f"登录满 {span[1]}时"


def _span(seconds: float) -> Words:
    for unit, en, zh in ((3600, "hour", "小时"), (60, "minute", "分钟")):
        if seconds >= unit and seconds % unit == 0:
            count = int(seconds // unit)
            return f"{count} {en}{'' if count == 1 else 's'}", f"{count} {zh}"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}", f"{seconds:g} 秒"


def _credentials(bundle: Bundle, facts: Facts, atoms: Atoms, worse: bool) -> Iterator[Option]:
    """How the sign-in is proven, and what its issuer vouches for."""
    subject = facts.subject
    if subject.kind == "anonymous":
        return
    bound, method = subject.proof.bound, subject.proof.method
    if worse:
        say = _always("with a credential that is not bound to a key", "凭证未绑定密钥")
        yield Option("credential", "subject.bound", str(bound).lower(), "false", partial(_proven, False, method), say)
        return
    say = _always("with a credential bound to its certificate or key", "使用绑定证书或密钥的凭证")
    yield Option("credential", "subject.bound", str(bound).lower(), "true", partial(_proven, True, method), say)
    say = _always("with a client certificate", "使用客户端证书")
    yield Option("credential", "subject.method", method, "certificate", partial(_proven, True, "certificate"), say)
    yield from _issued(bundle, facts, atoms)


def _issued(bundle: Bundle, facts: Facts, atoms: Atoms) -> Iterator[Option]:
    """Credentials for another purpose. What a credential vouches for hides what is stated, so then that counts too."""
    was = facts.subject.purpose
    words = _beside(bundle, facts, atoms, "subject.purpose")
    if was:
        words += _beside(bundle, facts, atoms, "env.purpose")
    known = [word for word in dict.fromkeys(words) if word]
    for word in dict.fromkeys((*known, *(_shared_for(bundle, facts) if was else ()))):
        say = _always(f"with a credential issued for purpose `{word}`", f"使用为用途 `{word}` 签发的凭证")
        yield Option("credential", "subject.purpose", was, word, partial(_vouched, word), say)
    if known:
        free = another(known)
        say = _always(
            f"with a credential issued for a purpose other than `{'`, `'.join(known)}`",
            f"使用签发用途不是 `{'`、`'.join(known)}` 的凭证",
        )
        yield Option("credential", "subject.purpose", was, free, partial(_vouched, free), say, wide=True)


def _proven(bound: bool, method: Literal["none", "bearer", "certificate"], facts: Facts) -> Facts:
    proof = replace(facts.subject.proof, bound=bound, method=method)
    return replace(facts, subject=replace(facts.subject, proof=proof))


def _vouched(word: str, facts: Facts) -> Facts:
    return replace(facts, subject=replace(facts.subject, purpose=word))


# --- place -------------------------------------------------------------------------------------


def _places(facts: Facts, atoms: Atoms) -> Iterator[Option]:
    networks = _networks(atoms.texts("env.source"))
    was = facts.ask.source
    for network in networks:
        inner = [one for one in networks if one != network and _inside(one, network)]
        address = _own_address(network, inner)
        if address is None:
            continue
        parts = tuple((_written(one), partial(_from, str(found))) for one in inner if (found := _own_address(one, ())))
        yield Option(
            "place", "env.source", was, _written(network), partial(_from, str(address)),
            partial(_from_network, network), within=parts, wide=network.num_addresses > 1,
        )  # fmt: skip
    stranger = next((one for one in _strangers(networks) if not any(_holds(n, one) for n in networks)), None)
    if networks and stranger is not None:
        shown = ", ".join(map(_written, networks))
        say = _always(f"from outside {shown}", f"来自 {shown} 之外")
        yield Option("place", "env.source", was, f"outside {shown}", partial(_from, str(stranger)), say, wide=True)


def _networks(texts: Iterable[str]) -> list[Network]:
    found: dict[Network, None] = {}
    for text in texts:
        try:
            found[ip_network(text)] = None
        except ValueError:  # a text that no address equals
            continue
    return list(found)


def _holds(network: Network, address: IPv4Address | IPv6Address) -> bool:
    return network.version == address.version and address in network


def _inside(one: Network, network: Network) -> bool:
    return one.version == network.version and _holds(network, one[0]) and _holds(network, one[-1])


def _own_address(network: Network, inner: Iterable[Network]) -> IPv4Address | IPv6Address | None:
    """An address of a network that is in none of those inside it."""
    inner = list(inner)
    tries = [network[1] if network.num_addresses > 1 else network[0], network[0], network[-1], *_strangers(inner)]
    return next((one for one in tries if _holds(network, one) and not any(_holds(n, one) for n in inner)), None)


def _strangers(networks: Iterable[Network]) -> Iterator[IPv4Address | IPv6Address]:
    """Addresses just outside, and those that documents use (RFC 5737)."""
    yield from (IPv4Address("203.0.113.1"), IPv4Address("198.51.100.1"), IPv4Address("192.0.2.1"))
    for network in networks:
        first, last = network[0], network[-1]
        if int(first) > 0:
            yield first - 1
        if int(last) < 2**network.max_prefixlen - 1:
            yield last + 1


def _written(network: Network) -> str:
    return str(network[0]) if network.num_addresses == 1 else str(network)


def _from(address: str, facts: Facts) -> Facts:
    return replace(facts, ask=replace(facts.ask, source=address))


def _from_network(network: Network, claim: Claim) -> Words:
    one = network.num_addresses == 1
    en, zh = f"from the {'address' if one else 'network'} {_written(network)}", f"来自 {_written(network)}"
    if claim.outside:
        shown = ", ".join(claim.outside)
        return f"{en} outside {shown}", f"{zh}（{shown} 除外）"
    return en, zh


# --- device ------------------------------------------------------------------------------------


def _devices(bundle: Bundle, facts: Facts, atoms: Atoms, worse: bool) -> Iterator[Option]:
    posture = facts.posture
    rank = TRUST.index(posture.trust)
    if worse:
        say = _always("once the health report of the device is no longer fresh", "设备健康报告过期后")
        yield _device(posture, "device.fresh", "false", replace(posture, fresh=False), say)
        for trust in reversed(TRUST[:rank]):
            say = _always(f"on a device that is `{trust}`", f"设备为 `{trust}` 时")
            yield _device(posture, "device.trust", trust, replace(posture, trust=trust, fresh=False), say)
        return
    if not posture.revoked and not posture.fresh:
        say = _always("after a fresh health report of this device", "本设备重新上报健康状况后")
        yield _device(posture, "device.fresh", "true", replace(posture, fresh=True), say)
    report = ("device.fresh" in atoms.names) and not (posture.fresh and not posture.revoked)
    for trust in TRUST[1:] if posture.revoked else TRUST[rank + 1 :]:
        other = replace(posture, trust=trust, fresh=True, revoked=False)
        yield _device(posture, "device.trust", trust, other, _on_device(trust, report, posture.revoked))
    for org in _beside(bundle, facts, atoms, "device.org"):
        other = replace(posture, trust="managed", fresh=True, revoked=False, org=org)
        say = _always(f"on a managed device of `{org}`", f"使用 `{org}` 的受管设备")
        yield _device(posture, "device.org", org, other, say)
    for id in _beside(bundle, facts, atoms, "device.id"):
        other = replace(posture, trust="managed", fresh=True, revoked=False, device=id)
        say = _always(f"on the device `{id}`", f"使用设备 `{id}`")
        yield _device(posture, "device.id", id, other, say)


def _on_device(trust: str, report: bool, revoked: bool) -> Callable[[Claim], Words]:
    en = {"managed": "managed device", "known": "registered device", "unknown": "device that is not compromised"}[trust]
    zh = {"managed": "受管设备", "known": "已登记设备", "unknown": "未失陷的设备"}[trust]
    if revoked:
        en, zh = f"another {en}", f"另一台{zh}"
    else:
        en, zh = f"a {en}", zh
    if report:
        return _always(f"on {en} with a fresh health report", f"使用健康报告有效的{zh}")
    return _always(f"on {en}", f"使用{zh}")


def _device(posture: Posture, name: str, to: str, other: Posture, say: Callable[[Claim], Words]) -> Option:
    was = {
        "device.fresh": str(posture.fresh).lower(),
        "device.trust": "revoked" if posture.revoked else posture.trust,
        "device.org": posture.org,
        "device.id": posture.device,
    }
    return Option("device", name, was[name], to, lambda facts: replace(facts, posture=other), say)


# --- time --------------------------------------------------------------------------------------

_DAYS = (("Monday", "周一"), ("Tuesday", "周二"), ("Wednesday", "周三"), ("Thursday", "周四"),
         ("Friday", "周五"), ("Saturday", "周六"), ("Sunday", "周日"))  # fmt: skip


def _times(bundle: Bundle, facts: Facts, atoms: Atoms, ends: Iterable[float]) -> Iterator[Option]:
    """The next moments at which a rule, a clock condition or a grant turns, soonest first."""
    zone = ZoneInfo(bundle.content.timezone)
    now = facts.ask.at
    moments = {float(one) for one in ends if one != float("inf")}
    if bundle.asks_for_grants:
        moments |= {float(one) for grant in bundle.content.grants for one in (grant.begins, grant.ends)}
    later = sorted(one for one in moments if one > now)[:MOMENTS]
    if {"env.hour", "env.time", "env.weekday"} & atoms.names:
        later = sorted({*later, *_clock(now, zone, atoms)})
    was = _moment(now, zone)[0]
    for moment in later:
        en, zh = _moment(moment, zone)
        yield Option("time", "env.time", was, en, partial(_at, moment), _always(f"from {en}", f"自{zh}起"))


def _clock(now: float, zone: ZoneInfo, atoms: Atoms) -> Iterator[float]:
    """Every moment of the coming days at which hour, time or weekday may turn a condition."""
    minutes = {0}
    for text in atoms.texts("env.time"):
        hour, _, minute = text.partition(":")
        if hour.isdigit() and minute.isdigit():
            minutes |= {int(hour) * 60 + int(minute), int(hour) * 60 + int(minute) + 1}
    for number in atoms.numbers("env.hour"):
        minutes |= {int(number) * 60, int(number) * 60 + 60}
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(HORIZON + 1):
        for count in minutes:
            if 0 <= count < 24 * 60:
                wall = (today + timedelta(days=day)).replace(hour=count // 60, minute=count % 60)
                if wall.timestamp() > now:
                    yield wall.timestamp()


def _at(moment: float, facts: Facts) -> Facts:
    proof = facts.subject.proof
    if proof.authenticated_at > 0:
        proof = replace(proof, authenticated_at=proof.authenticated_at + moment - facts.ask.at)
    return replace(facts, ask=replace(facts.ask, at=moment), subject=replace(facts.subject, proof=proof))


def _moment(at: float, zone: ZoneInfo) -> Words:
    wall = datetime.fromtimestamp(at, zone)
    en, zh = _DAYS[wall.weekday()]
    return f"{en} {wall:%Y-%m-%d %H:%M}", f"{zh} {wall:%Y-%m-%d %H:%M} "


# --- grant -------------------------------------------------------------------------------------


def _grants(bundle: Bundle, facts: Facts, atoms: Atoms, worse: bool) -> Iterator[Option]:
    held = facts.grant
    if not bundle.asks_for_grants or facts.subject.kind == "anonymous":
        return
    if worse:
        say = _always("without the sharing grant", "没有共享授权时")
        yield Option("grant", "grant.held", " ".join(held.ids), "", partial(_granted, Granted()), say)
        return
    overlay = bundle.content.overlays.get(bundle.level)
    if overlay is not None and overlay.freezes:  # nobody obtains a grant while an emergency freezes them
        return
    stated = bool(facts.subject.purpose or facts.ask.purpose)
    also = ("", "") if stated else (", stating its purpose", "并注明其用途")
    ids = held.ids or ("another",)
    if not held.approved:  # in the place of an approved one, at another time, only an approved one is as good
        say = _always("with a sharing grant" + also[0], "持有共享授权" + also[1])
        yield Option("grant", "grant.held", "", "grant", partial(_granted, Granted(ids)), say)
    say = _always("with an approved sharing grant" + also[0], "持有已获批准的共享授权" + also[1])
    yield Option("grant", "approval.held", "", "approval", partial(_granted, Granted(ids, True)), say)
    for id in atoms.texts("grant.ids"):
        say = _always(f"with the sharing grant `{id}`, approved" + also[0], f"持有已获批准的共享授权 `{id}`" + also[1])
        yield Option(
            "grant", "grant.ids", " ".join(held.ids), id, partial(_granted, Granted((*held.ids, id), True)), say
        )


def _granted(grant: Granted, facts: Facts) -> Facts:
    """A grant always has a purpose, and holds only for a request that states it."""
    ask = facts.ask
    if grant.ids and not (facts.subject.purpose or ask.purpose):
        ask = replace(ask, purpose=another(()))
    return replace(facts, ask=ask, grant=grant)


# --- risk --------------------------------------------------------------------------------------


def _risks(facts: Facts, atoms: Atoms, worse: bool) -> Iterator[Option]:
    risk = facts.risk
    was = "unknown" if risk.score is None else f"{risk.score:g}"
    edges = [edge for _, edge in ENTERED] if "risk.band" in atoms.names else []
    if worse:
        turns = tuple(sorted({*atoms.numbers("risk.score"), *edges}))
        start = risk.score or 0.0
        reach = Range(cells(turns, start), turns, partial(_risen, risk.band))
        yield Option("risk", "risk.score", was, "", partial(_risen, risk.band, start), _risen_to, reach)
        return
    left = [edge - LEFT for edge in edges] if risk.score is not None else edges
    turns = tuple(sorted({*atoms.numbers("risk.score"), *left}))
    move = partial(_fallen, risk.band)
    say = partial(_below, risk.score is None)
    yield Option("risk", "risk.score", was, "0", partial(move, 0.0), say, Range(cells(turns, 0.0), turns, move))


def _fallen(previous: Band, score: float, facts: Facts) -> Facts:
    unknown = facts.risk.score is None
    held = next(
        (band for band, edge in ENTERED
         if score >= edge or (not unknown and BANDS.index(previous) >= BANDS.index(band) and score >= edge - LEFT)),
        BANDS[0],
    )  # fmt: skip
    return replace(facts, risk=Risk(score, held))


def _risen(previous: Band, score: float, facts: Facts) -> Facts:
    entered = next((band for band, edge in ENTERED if score >= edge), BANDS[0])
    return replace(facts, risk=Risk(score, max(entered, previous, key=BANDS.index)))


def _below(unknown: bool, claim: Claim) -> Words:
    known = (
        ("once the behaviour is known", "行为历史已知后")
        if unknown
        else ("once the risk score is 0", "风险分值为 0 时")
    )
    if claim.most is None:
        return known if unknown else ("once the risk score has fallen", "风险分值下降后")
    word = ("at most", "不高于") if claim.included else ("below", "低于")
    en, zh = f"once the risk score is {word[0]} {claim.most:g}", f"风险分值{word[1]} {claim.most:g} 时"
    return (f"{known[0]} and {en.removeprefix('once ')}", f"行为历史已知且{zh}") if unknown else (en, zh)


def _risen_to(claim: Claim) -> Words:
    word = ("is above", "高于") if claim.included else ("reaches", "达到")
    return f"once the risk score {word[0]} {claim.most or 0:g}", f"风险分值{word[1]} {claim.most or 0:g} 时"


def cells(turns: Iterable[float], least: float) -> tuple[float, ...]:
    """One value in each stretch from `least` on: the turning values themselves, one between each two, one above."""
    points, last = [least], least
    for turn in sorted(turn for turn in set(turns) if turn > least):
        points += [(last + turn) / 2, turn]
        last = turn
    return (*points, last + 1.0)
