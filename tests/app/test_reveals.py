"""How somebody learns what a token stands for: read strictly, on record first, and not after what changed meanwhile.

The way through a whole gateway is told in `tests/stories/test_a_token_is_revealed.py`.
"""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.app.reveals import MAX_BODY, Reveals
from gateway.crypto.suite import INTL, SM
from gateway.edge import Settings as Edge
from gateway.edge import Tally
from gateway.facts import (
    Asset,
    Deny,
    Facts,
    Field,
    Grade,
    Granted,
    Mask,
    Notice,
    Outcome,
    Permit,
    Reason,
    Refused,
    Warrant,
)
from gateway.masking import Masking, Settings
from gateway.masking.keys import Keys
from gateway.masking.tokens import Origin, tokens
from gateway.stores import MemoryState, StateFault
from tests.literals import a_permit, a_subject, an_asset, some_facts

pytestmark = pytest.mark.anyio

ID = "330106199003072319"
TOKEN = tokens(Origin("household", "$.id_number"))(ID, Keys(b"k" * 32, "prov/civil"))
KEEPS = a_permit(mask=Mask("none", (), "pass"))
GRANTS = (SimpleNamespace(id="a", approved_by="prov"), SimpleNamespace(id="b", approved_by=""))


class Town:
    """A journey whose rooms are as small as can be, and what came out of it."""

    def __init__(self) -> None:
        self.subject = a_subject()
        self.granted = Granted(("a", "b"), approved=True)
        self.decision: Permit | Deny = KEEPS
        self.state = MemoryState()
        self.changes = [0]
        self.concluded: list[Outcome] = []
        self.noticed: list[Notice] = []
        self.order: list[str] = []
        policy = SimpleNamespace(
            decide=lambda facts: self.decision,
            bundle=SimpleNamespace(digest="b" * 64, content=SimpleNamespace(grants=GRANTS)),
        )
        self.revision = SimpleNamespace(catalog=SimpleNamespace(revealing=self.revealing), policy=policy)
        self.edge = Edge()
        self.tally = Tally(self.noticed.append)
        self.knowledge = SimpleNamespace(current=lambda: self.revision)
        self.identity = SimpleNamespace(recognise=self.recognise)
        self.ledger = SimpleNamespace(commit=self.commit, conclude=lambda _, outcome: self.concluded.append(outcome))
        self.masking = Masking(Settings(hash_key=b"k" * 32))
        self.streams = self
        self.sent: list[dict[str, Any]] = []

    def revealing(self, asset: str, path: str, at: float, token: str) -> Asset:
        fields = (Field(path, "resident-id", Grade.IMPORTANT),)
        listed, parameters = asset == "household", (("token", token),)
        return an_asset(id=asset, action="reveal", fields=fields, listed=listed, parameters=parameters)

    async def recognise(self, ask: object) -> object:
        return self.subject

    def known(self, ask: Any, subject: Any, asset: Asset, revision: object) -> Facts:
        return some_facts(ask=ask, subject=subject, asset=asset, grant=self.granted)

    async def commit(self, facts: Facts, decision: Permit | Deny) -> object:
        self.order.append("on record")
        return Warrant("w.1", facts, decision) if isinstance(decision, Permit) else Refused("w.1", decision)

    def marks(self, ask: object, verdict: object, reply: object) -> tuple[()]:
        return ()

    def open_token(self, token: str, grants: tuple[str, ...], decision: str, at: float) -> str:
        self.order.append("in the store")
        return self.state.open_token(token, grants, decision, at)

    async def ask(
        self,
        body: bytes,
        method: str = "POST",
        query: bytes = b"",
        kind: bytes = b"application/json",
        language: bytes = b"en",
    ) -> int:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(event: Any) -> None:
            self.sent.append(event)

        self.sent.clear()
        headers = [(b"host", b"localhost"), (b"content-type", kind), (b"content-length", b"%d" % len(body))]
        headers.append((b"accept-language", language))
        scope = {
            "type": "http", "method": method, "scheme": "http", "raw_path": b"/.gateway/reveal", "query_string": query,
            "headers": headers, "client": ("127.0.0.1", 1), "http_version": "1.1",
        }  # fmt: skip
        await Reveals(self, self.open_token)(scope, receive, send)  # type: ignore[arg-type]  # a journey by its parts
        return int(self.sent[0]["status"])

    @property
    def answer(self) -> Any:
        return json.loads(self.sent[1]["body"])


def wish(token: object = TOKEN) -> bytes:
    return json.dumps({"token": token}).encode()


async def test_the_decision_is_on_record_and_the_opening_in_the_store_before_the_value_is_sent() -> None:
    town = Town()
    assert await town.ask(wish()) == 200
    assert town.answer == {"value": ID}
    assert town.order == ["on record", "in the store"]
    assert [(outcome.code, outcome.revealed.clear) for outcome in town.concluded] == [("", 1)]


async def test_a_token_is_opened_once_under_its_approved_grants_and_no_others() -> None:
    town = Town()
    assert [await town.ask(wish()) for _ in range(3)] == [200, 409, 409]  # `b` is an application without approval
    assert town.answer["reason"] == "already_revealed"
    assert town.concluded[-1].code == "already_revealed"
    assert town.concluded[-1].revealed.clear == 0


async def test_a_later_key_or_another_algorithm_gives_nobody_a_second_look() -> None:
    """The service answers once more after a rotation, and the value comes under another token."""
    town = Town()
    assert await town.ask(wish()) == 200
    town.masking = Masking(Settings(hash_key=b"n" * 32, older=(b"k" * 32,)))
    origin = Origin("household", "$.id_number")
    later = [
        tokens(origin)(ID, Keys(b"n" * 32, "prov/civil", INTL, 2, b"k" * 32)),
        tokens(origin)(ID, Keys(b"n" * 32, "prov/civil", SM, 2, b"k" * 32)),
        tokens(origin)(ID, Keys(b"k" * 32, "prov/civil", SM)),
    ]
    assert [await town.ask(wish(token)) for token in later] == [409, 409, 409]
    other = tokens(origin)(ID.replace("1", "2"), Keys(b"n" * 32, "prov/civil", INTL, 2, b"k" * 32))
    assert await town.ask(wish(other)) == 200


async def test_a_store_that_cannot_be_written_reveals_nothing() -> None:
    town = Town()

    def broken(*_: object) -> str:
        raise StateFault("disk full", "磁盘已满")

    town.open_token = broken  # type: ignore[assignment]  # the disk of this test
    assert await town.ask(wish()) == 503
    assert ID not in str(town.sent)


async def test_what_changed_while_the_store_was_written_counts() -> None:
    town = Town()
    opened = town.open_token

    def withdrawn(token: str, grants: tuple[str, ...], decision: str, at: float) -> str:
        town.changes[0] += 1
        town.decision = Deny((Reason("rule_denied"),), "b" * 64)
        return opened(token, grants, decision, at)

    town.open_token = withdrawn  # type: ignore[method-assign]  # an emergency at the worst of moments
    assert await town.ask(wish()) == 403
    assert ID not in str(town.sent)
    assert town.concluded[-1].code == "rule_denied"


async def test_what_changed_without_taking_anything_away_does_not_matter() -> None:
    town = Town()
    opened = town.open_token

    def moved(token: str, grants: tuple[str, ...], decision: str, at: float) -> str:
        town.changes[0] += 1
        return opened(token, grants, decision, at)

    town.open_token = moved  # type: ignore[method-assign]  # somebody else's session was withdrawn
    assert await town.ask(wish()) == 200


@pytest.mark.parametrize("token", ["", "x", ID, "t1." + "A" * 30, TOKEN + "A", "t2" + TOKEN[2:]])
async def test_what_is_no_token_is_refused_on_record(token: str) -> None:
    town = Town()
    assert await town.ask(wish(token)) == 400
    assert town.answer["reason"] == "not_a_token"
    assert town.order == ["on record"]


async def test_who_proved_nothing_hears_of_the_credential() -> None:
    town = Town()
    town.subject = a_subject(kind="anonymous", id="")
    assert await town.ask(wish()) == 401
    assert town.answer["reason"] == "credential_missing"


@pytest.mark.parametrize(
    ("body", "changes", "status"),
    [
        (b"", {}, 400),
        (b"{}", {}, 400),
        (b'{"token": 1}', {}, 400),
        (b'{"token": "t1.x", "more": 1}', {}, 400),
        (b'["t1.x"]', {}, 400),
        (b"\xff\xfe", {}, 400),
        (b'{"token": "' + b"x" * MAX_BODY + b'"}', {}, 413),
        (wish(), {"method": "GET"}, 405),
        (wish(), {"query": b"token=t1.x"}, 400),
        (wish(), {"kind": b"text/plain"}, 415),
    ],
)
async def test_the_request_is_read_strictly(body: bytes, changes: dict[str, Any], status: int) -> None:
    town = Town()
    assert await town.ask(body, **changes) == status
    assert town.order == []


NO_JSON = ("the body is not JSON in UTF-8", "请求体不是 UTF-8 编码的 JSON")
OTHER = (
    'the body has one member, the token as a text, and no other: {"token": "t1.…"}',
    '请求体只能有一个成员，即文本形式的令牌：{"token": "t1.…"}',
)


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"", NO_JSON), (b"{", NO_JSON), (b'{"token": "\xff"}', NO_JSON), (b'{"tokn": "t1.x"}', OTHER), (b"[]", OTHER)],
)
async def test_a_body_that_does_not_fit_is_told_what_fits(body: bytes, said: tuple[str, str]) -> None:
    town = Town()
    assert await town.ask(body) == 400
    assert (town.answer["reason"], town.answer["errors"]) == ("bad_request", [said[0]])
    assert await town.ask(body, language=b"zh-CN") == 400
    assert town.answer["errors"] == [said[1]]
    assert b"tokn" not in json.dumps(town.answer).encode()
    assert await town.ask(wish(), query=b"token=t1.x") == 400
    assert "errors" not in town.answer
