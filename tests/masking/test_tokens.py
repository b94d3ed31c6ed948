"""A token says where it came from to whoever holds the key, and nothing to anybody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto.digest import b64url, unb64url
from gateway.facts import Fault, FieldMask, Mask, RawReply, Reply
from gateway.masking import Masking, Settings
from gateway.masking.keys import TOKEN, Keys
from gateway.masking.tokens import Opened, Origin, opened, tokens
from tests.literals import a_permit, a_subject, a_warrant, an_asset, some_facts

pytestmark = pytest.mark.anyio

ID = "330106199003072319"
CIVIL = Keys(b"k" * 32, "prov/civil")
HEALTH = Keys(b"k" * 32, "prov/health")
HOUSEHOLD = Origin("household", "$..id_number")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def of(number: int) -> Keys | None:
    return CIVIL if number == 1 else None


@given(TEXTS, TEXTS, TEXTS)
def test_asset_label_and_value_come_back_as_they_were(asset: str, path: str, value: str) -> None:
    origin = Origin(asset, path)
    assert opened(tokens(origin)(value, CIVIL), of) == Opened(origin, value)


def test_one_value_has_one_token_of_its_asset_label_and_department() -> None:
    token = tokens(HOUSEHOLD)(ID, CIVIL)
    assert token == tokens(HOUSEHOLD)(ID, CIVIL)
    others = {
        tokens(Origin("visit", "$..id_number"))(ID, CIVIL),
        tokens(Origin("household", "$..id"))(ID, CIVIL),
        tokens(HOUSEHOLD)(ID, HEALTH),
    }
    assert len(others | {token}) == 4


@given(st.text(max_size=80) | st.from_regex(r"t1\.[A-Za-z0-9_-]{22,90}", fullmatch=True))
def test_what_nobody_sealed_does_not_open(text: str) -> None:
    assert opened(text, of) is None


def test_a_value_whose_token_would_be_too_long_to_bring_back_is_redacted() -> None:
    longest = "王" * 4_000
    assert opened(tokens(HOUSEHOLD)(longest, CIVIL), of) == Opened(HOUSEHOLD, longest)
    assert tokens(HOUSEHOLD)("王" * 4_100, CIVIL) == "***"


@pytest.mark.parametrize(
    "value", ["", "t1.AAAAAAAAAAAAAAAAAAAAAA", "👨\u200d👩\u200d👧", "\0", "-0", "1e400", "9 2 a$"]
)
def test_whatever_the_value_looks_like_it_comes_back(value: str) -> None:
    assert opened(tokens(HOUSEHOLD)(value, CIVIL), of) == Opened(HOUSEHOLD, value)


def test_a_token_does_not_open_elsewhere_or_otherwise() -> None:
    token = tokens(HOUSEHOLD)(ID, CIVIL)
    assert opened(token, lambda number: HEALTH) is None
    assert opened(token, lambda number: None) is None
    assert opened("t2" + token[2:], of) is None
    assert opened("e1" + token[2:], of) is None
    assert opened(CIVIL.sealed(f"9 12 household$..id_number{ID}"), of) is None  # sealed, but as no token
    assert opened(CIVIL.sealed(ID, TOKEN), of) is None  # a token of the form before


def test_no_bit_can_be_changed_and_no_other_spelling_opens() -> None:
    """Else one token could be revealed as many times as it can be spelled."""
    token = tokens(Origin("a", "$.b"))("c", CIVIL)
    sealed = unb64url(token[3:])
    assert sealed is not None
    for at in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[at // 8] ^= 1 << at % 8
        assert opened(f"t1.{b64url(bytes(changed))}", of) is None
    for spelled in (token + "=", token + "A", f" {token}", token + "\n", token.upper(), token.replace("t1.", "t01.")):
        assert opened(spelled, of) is None
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert [last for last in letters if opened(token[:-1] + last, of)] == [token[-1]]


# --- through the room -----------------------------------------------------------------------------

ASSET = an_asset()
TOKENISED = Mask("tokens", (FieldMask("$.id_number", "tokenise"), FieldMask("$.name", "keep")), "redact")


async def given_out(masking: Masking, body: bytes, kind: bytes = b"application/json", org: str = "prov/civil") -> bytes:
    warrant = a_warrant(facts=some_facts(subject=a_subject(org=org)), permit=a_permit(mask=TOKENISED))
    reply = await masking.apply(RawReply(200, ((b"content-type", kind),), body, None, 0.0), warrant)
    assert isinstance(reply, Reply)
    return reply.body if isinstance(reply.body, bytes) else b"".join([piece async for piece in reply.body])


def to_reveal(token: str, org: str = "prov/civil", **changes: object) -> Reply | Fault:
    asset = an_asset(**({"action": "reveal", "parameters": (("token", token),), "key": "$.id_number"} | changes))
    warrant = a_warrant(facts=some_facts(subject=a_subject(org=org), asset=asset))
    return Masking(Settings(hash_key=b"k" * 32)).reveal(warrant)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"application/json", b'{"id_number": "%s"}'),
        (b"application/json", b'{"id_number": %s, "n": 1.10}'),
        (b"application/x-ndjson", b'{"id_number": "%s"}\n'),
        (b"text/csv", b"id_number,name\n%s,x\n"),
    ],
)
async def test_tokens_of_every_form_of_answer_tell_where_they_came_from(kind: bytes, body: bytes) -> None:
    masking = Masking(Settings(hash_key=b"k" * 32))
    shown = await given_out(masking, body.replace(b"%s", ID.encode()), kind)
    assert ID.encode() not in shown
    start = shown.index(b"t1.")
    token = shown[start:].split(b'"')[0].split(b",")[0].decode()
    assert masking.origin(token, "prov/civil") == Origin("household", "$.id_number")
    assert masking.origin(token, "prov/health") is None
    reply = to_reveal(token)
    assert isinstance(reply, Reply)
    assert reply.body == b'{"value":"%s"}' % ID.encode()
    assert (reply.revealed.clear, reply.revealed.records) == (1, 1)
    assert reply.revealed.seen == CIVIL.about(ID)


async def test_a_warrant_opens_its_own_token_and_no_other() -> None:
    token = tokens(Origin("household", "$.id_number"))(ID, CIVIL)
    for changes in ({"action": "read"}, {"id": "visit"}, {"parameters": ()}, {"parameters": (("id", token),)}):
        assert to_reveal(token, **changes) == Fault("not_a_token")
    assert to_reveal(token, org="prov/health") == Fault("not_a_token")


async def test_an_older_key_still_opens_what_it_sealed() -> None:
    token = tokens(HOUSEHOLD)(ID, CIVIL)
    changed = Masking(Settings(hash_key=b"n" * 32, older=(b"k" * 32,)))
    assert changed.origin(token, "prov/civil") == HOUSEHOLD
    assert changed.origin("t3." + token[3:], "prov/civil") is None
