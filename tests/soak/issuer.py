"""Does an issuer that is down, slow or talks nonsense harm those who hold good tokens?

One gateway, an issuer for each mood. Keys that are known go on; an unknown key id is refused in bounded time and
costs a bounded number of fetches; a new key is taken on demand; nothing bad replaces a good set.
"""

import asyncio
import time
from pathlib import Path

from gateway.crypto.jws import SigningKey
from tests.running import Issuer
from tests.soak.rig import OPEN, Caller, Stage, staged, until
from tests.soak.trial import Trial

FULL, QUICK = {"patience": 40.0}, {"patience": 0.0}
MOODS = ("down", "slow", "error", "garbage", "empty", "huge", "redirect")
FLOOD = 50


def run(trial: Trial, folder: Path, patience: float) -> None:
    """Spoil each issuer, look, mend it; with `patience` (seconds) wait until new keys are taken again."""
    issuers = {mood: Issuer() for mood in (*MOODS, "rotated")}
    urls = "".join(f"    - {{issuer: {one.url}, audience: gateway, realm: {mood}}}\n" for mood, one in issuers.items())

    def several(text: str) -> str:
        issuer = text.partition("  issuer: ")[2].partition("\n")[0]
        single = f"  issuer: {issuer}\n  audience: gateway\n"
        return text.replace(
            single, f"  issuers:\n    - {{issuer: {issuer}, audience: gateway, realm: staff}}\n{urls}", 1
        )

    try:
        with staged(folder, change=several) as stage:
            _rotated(trial, stage, issuers["rotated"])
            for mood in MOODS:
                _spoiled(trial, stage, issuers[mood], mood)
            if patience:
                _mended(trial, stage, issuers, patience)
            trial.must(stage.ask(OPEN, stage.people.clerks[0]).status == 200, "another issuer's callers notice nothing")
    finally:
        for issuer in issuers.values():
            issuer.close()


def _rotated(trial: Trial, stage: Stage, issuer: Issuer) -> None:
    old = issuer.token("before")
    stage.ask(OPEN, old)
    issuer.key = SigningKey.generate("ES256")
    issuer.answer("/jwks", {"keys": [issuer.key.public_jwk()]})
    said = stage.ask(OPEN, issuer.token("after"))
    trial.must(said.status == 200, "a new key is accepted on demand", said.body)
    said = stage.ask(OPEN, old)
    trial.must(said.status == 401, "and the key that is gone is refused from then on", said.body)


def _spoil(issuer: Issuer, mood: str) -> None:
    bodies: dict[str, tuple[int, bytes]] = {
        "error": (500, b"oops"),
        "garbage": (200, b"\x16\x03 this is not a key set"),
        "empty": (200, b'{"keys": []}'),
        "huge": (200, b'{"keys": [' + b" " * 2_000_000 + b"]}"),
        "redirect": (302, b""),
    }
    if mood == "down":
        issuer._server.shutdown()
        issuer._server.server_close()
    elif mood == "slow":
        issuer._server.finish_request = lambda *connection: time.sleep(20)  # type: ignore[method-assign]  # a fault to order
    else:
        status, body = bodies[mood]
        issuer.answer("/jwks", body, status, location=f"{issuer.url}/elsewhere")


def _spoiled(trial: Trial, stage: Stage, issuer: Issuer, mood: str) -> None:
    good = issuer.token("steady")
    trial.must(stage.ask(OPEN, good).status == 200, f"{mood}: a good token passes before")
    _spoil(issuer, mood)
    before = len(issuer.requests)
    strangers = []
    for number in range(FLOOD):
        issuer.key = SigningKey.generate("ES256")
        strangers.append(issuer.token(f"unknown-{number}"))
    began = time.monotonic()
    answers = stage.loop.run(_flood(stage, strangers))
    took = max(seconds for _, seconds in answers)
    trial.must({status for status, _ in answers} == {401}, f"{mood}: unknown keys are refused", answers[:3])
    trial.must(took < 2.6, f"{mood}: within bounded time", f"{took:.2f} s")
    fetches = len([path for path in issuer.paths()[before:] if path == "/jwks"])
    trial.must(fetches <= 5, f"{mood}: {FLOOD} unknown keys cost {fetches} fetches")
    said = stage.ask(OPEN, good)
    trial.must(said.status == 200, f"{mood}: known keys go on", said.body)
    trial.note(f"{mood}: {time.monotonic() - began:.1f} s, the slowest answer {took:.2f} s")


async def _flood(stage: Stage, tokens: list[str]) -> list[tuple[int, float]]:
    async def one(number: int, token: str) -> tuple[int, float]:

        began = time.monotonic()
        caller = Caller(stage.gateway.port, f"127.0.1.{number + 1}")
        got = await caller.ask("GET", OPEN, token)
        caller.close()
        return got.status, time.monotonic() - began

    return list(await asyncio.gather(*(one(number, token) for number, token in enumerate(tokens))))


def _mended(trial: Trial, stage: Stage, issuers: dict[str, Issuer], patience: float) -> None:
    """The key that each issuer signs with now is a new one: it must be found without a restart."""
    mendable = [mood for mood in MOODS if mood not in ("down", "slow")]
    for mood in mendable:
        issuers[mood].answer("/jwks", {"keys": [issuers[mood].key.public_jwk()]})
    for mood in mendable:
        token = issuers[mood].token("later")
        took = until(lambda token=token: stage.ask(OPEN, token).status == 200, patience, 0.5)
        trial.must(took is not None, f"{mood}: the new key is taken once the issuer is well again")
