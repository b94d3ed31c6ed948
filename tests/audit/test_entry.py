"""Entries: what is in them, what never is, and that they always fit."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.audit.entry import (
    MAX_ENTRY,
    Digests,
    Malformed,
    decode,
    encode,
    outcome_entry,
    query_names,
    verdict_entry,
)
from gateway.entries import ActEntry, NoticeEntry, OutcomeEntry, VerdictEntry
from gateway.facts import Challenge, Grade, Notify, Outcome, Reason, Revealed
from tests.literals import NOW, a_deny, a_permit, a_proof, a_subject, an_ask, an_asset, some_facts

JOURNAL = "20260921T133320-worker0-abc123"
DIGESTS = Digests(b"k" * 32)
OUTCOME = Outcome(200, 1024, 3, True, "", Revealed((("$.id_number", 2),), ("$.new",), 5), 0.001, 0.002)


def verdict(facts=None, decision=None) -> VerdictEntry:
    return verdict_entry(JOURNAL, 7, facts or some_facts(), a_permit() if decision is None else decision, DIGESTS)


def test_every_kind_of_entry_comes_back_as_it_was() -> None:
    entries = [
        verdict(),
        verdict(decision=a_deny()),
        outcome_entry(JOURNAL, 8, NOW, JOURNAL + ".7", OUTCOME),
        NoticeEntry(1, JOURNAL, 9, NOW, "edge.refused", "10.0.0.1", "bad_framing", 3),
        ActEntry(1, JOURNAL, 10, NOW, "root", "admin", "revocation.add", "session sid-1", "lost laptop", False),
    ]
    assert [decode(encode(entry)) for entry in entries] == entries


def test_a_permit_is_told_with_all_it_rests_on() -> None:
    entry = verdict(decision=a_permit(obligations=(Notify("core"),), stage="observe", would=a_deny()))
    assert (entry.outcome, entry.stage, entry.would) == ("permit", "observe", "deny")
    assert entry.would_reasons == (Reason("no_rule"),)
    assert entry.notify == ("core",)
    assert entry.mask is not None
    challenged = verdict(decision=Challenge((Reason("step_up_required"),), "b", "aal3"))
    assert (challenged.outcome, challenged.mask) == ("challenge", None)
    assert verdict(decision=a_permit(would=Challenge((Reason("step_up_required"),), "b", "aal3"))).would == "challenge"


def test_a_purpose_that_the_issuer_vouches_for_goes_before_a_claimed_one() -> None:
    facts = some_facts(ask=an_ask(purpose="curiosity"), subject=a_subject(purpose="care"))
    assert verdict(facts).purpose == "care"
    assert verdict(some_facts(ask=an_ask(purpose="curiosity"))).purpose == "curiosity"


def test_nothing_of_a_token_a_value_or_a_header_is_remembered() -> None:
    secret = "eyJhbGciOiJSUzI1NiJ9.SECRET.SIGNATURE"
    facts = some_facts(
        ask=an_ask(
            headers=((b"authorization", b"Bearer " + secret.encode()), (b"cookie", b"sid=COOKIE")),
            query="name=WANGFANG&id_number=110105199003070134&110105199003070135&x=1",
        )
    )
    raw = encode(verdict(facts))
    for trace in (b"SECRET", b"COOKIE", b"WANGFANG", b"110105199003070134", b"110105199003070135"):
        assert trace not in raw
    assert verdict(facts).query == ("name", "id_number", "*", "x")


def test_a_discreet_asset_hides_the_path_and_still_tells_records_apart() -> None:
    def seen(number: str) -> VerdictEntry:
        asset = an_asset(discreet=True, parameters=(("id", number),))
        return verdict(some_facts(ask=an_ask(path=f"/civil/households/{number}"), asset=asset))

    one, other = seen("110105199003070134"), seen("110105199003070135")
    assert one.path == "/civil/households/{id}"
    assert b"110105199003070134" not in encode(one)
    assert one.object != other.object
    assert one.digest != other.digest
    assert one.object == DIGESTS.object(("110105199003070134",)) == seen("110105199003070134").object


@pytest.mark.parametrize(
    ("path", "route", "kept"),
    [
        ("/citizen/330106199003072319", "GET /citizen/**", "/citizen/**"),
        ("/citizen/330106-19900307-2319/visits", "GET /citizen/**", "/citizen/**"),
        ("/people/330106199003072319", "GET /people/{id}", "/people/{id}"),
        ("/calls/13800138000", "GET /calls/{number}", "/calls/{number}"),
        ("/orders/20261122001", "GET /orders/{id}", "/orders/20261122001"),
        ("/citizen/330106199003072310", "GET /citizen/**", "/citizen/330106199003072310"),  # no such number
    ],
)
def test_a_number_of_a_person_in_a_path_is_never_sealed(path: str, route: str, kept: str) -> None:
    """What nobody declared an identifier is one all the same, and the ledger keeps it for ever."""
    assert verdict(some_facts(ask=an_ask(path=path), asset=an_asset(route=route, parameters=()))).path == kept


def test_a_keyed_digest_is_hmac_and_differs_with_the_key() -> None:
    for key in (b"k" * 16, b"k" * 64, b"k" * 100):
        expected = hmac.digest(key, b"a\0b", hashlib.sha256).hex()[:32]
        assert Digests(key).of("a", "b") == expected
    assert Digests(b"a" * 32).of("x") != Digests(b"b" * 32).of("x")
    assert DIGESTS.of("ab", "c") != DIGESTS.of("a", "bc")
    assert DIGESTS.object(()) == ""
    with pytest.raises(ValueError, match="shorter than 16"):
        Digests(b"short")


@given(st.text(alphabet="ab1_&=%[].$-é", max_size=60))
def test_a_query_gives_up_names_only(query: str) -> None:
    for name in query_names(query):
        assert name == "*" or name[0] in "abé_$"
    assert len(set(query_names(query))) == len(query_names(query))


@pytest.mark.parametrize(
    "query",
    ["E12345678", "H12345678", "LSVAU2180N2183294", "MzMwMTA2", "a330106850101123=1", "a139-5701-1234=1", "=330106"],
)
def test_a_value_in_the_place_of_a_name_is_not_on_record(query: str) -> None:
    assert query_names(query) == ("*",)


def test_a_query_of_a_thousand_names_is_bounded() -> None:
    assert len(query_names("&".join(f"n{i}=1" for i in range(1000)))) == 64


def test_a_token_with_half_a_character_cannot_prevent_the_record() -> None:
    entry = decode(encode(verdict(some_facts(subject=a_subject(id="\ud800evil", name="\udfff")))))
    assert isinstance(entry, VerdictEntry)
    assert entry.subject.id == "\ufffdevil"
    assert DIGESTS.of("\ud800")


@pytest.mark.parametrize("filling", ["x", "\u0001", "权", '"'])
def test_a_monstrous_token_is_cut_and_recorded(filling: str) -> None:
    subject = a_subject(
        id=filling * 70_000,
        roles=tuple(filling * 300 for _ in range(5000)),
        proof=a_proof(jti=filling * 70_000, session=filling * 70_000),
    )
    raw = encode(verdict(some_facts(subject=subject, ask=an_ask(path="/" + filling * 60_000))))
    entry = decode(raw)
    assert len(raw) <= MAX_ENTRY
    assert isinstance(entry, VerdictEntry)
    assert (entry.journal, entry.seq, entry.outcome) == (JOURNAL, 7, "permit")
    assert entry.subject.id.startswith(filling * 60)


def test_a_service_with_a_million_strange_fields_cannot_lose_its_outcome() -> None:
    revealed = Revealed(
        tuple((f"$.f{i}\ud800", i) for i in range(20_000)), tuple(f"$.g{i}" * 50 for i in range(20_000)), 9
    )
    raw = encode(outcome_entry(JOURNAL, 8, NOW, JOURNAL + ".7", Outcome(200, 1, 0, True, "", revealed, 0.0, 0.0)))
    entry = decode(raw)
    assert isinstance(entry, OutcomeEntry)
    assert len(raw) <= MAX_ENTRY
    assert (entry.verdict, entry.records, entry.masked[0][1]) == (JOURNAL + ".7", 9, 0)


def test_what_a_fault_came_of_is_on_record_and_short() -> None:
    told = replace(OUTCOME, status=502, code="cannot_inspect", detail="it has a DTD (`application/xml`)")
    entry = decode(encode(outcome_entry(JOURNAL, 8, NOW, JOURNAL + ".7", told)))
    assert isinstance(entry, OutcomeEntry)
    assert entry.detail == told.detail
    long = outcome_entry(JOURNAL, 8, NOW, JOURNAL + ".7", replace(told, detail="x" * 5000))
    assert len(long.detail) == 200


def test_an_outcome_from_before_details_were_kept_is_read_and_written_as_it_was() -> None:
    raw = (
        b'{"kind":"outcome","v":1,"journal":"j","seq":8,"at":1.0,"verdict":"j.7","status":502,"sent":0,'
        b'"received":0,"complete":true,"waited":0.0,"took":0.5,"code":"cannot_inspect"}'
    )
    entry = decode(raw)
    assert isinstance(entry, OutcomeEntry)
    assert (entry.code, entry.detail) == ("cannot_inspect", "")
    assert encode(entry) == raw


@pytest.mark.parametrize("version", [0, 2, 99])
def test_an_unknown_version_is_refused_by_name(version: int) -> None:
    raw = encode(verdict()).replace(b'"v":1', b'"v":%d' % version)
    with pytest.raises(Malformed, match=f"version `{version}` is not known"):
        decode(raw)
    with pytest.raises(Malformed, match=f"version `{version}` is not known"):
        decode(b'{"kind":"of the future","v":%d}' % version)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"v":1}', b'{"kind":"notice","v":1}', b"\xff", b'{"v":"1"}'])
def test_what_is_no_entry_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        decode(raw)


def test_grades_and_clearances_stand_as_they_are_spelt() -> None:
    assert b'"grade":"core"' in encode(verdict(some_facts(asset=an_asset(grade=Grade.CORE))))


def test_records_without_a_key_are_unlisted_on_record() -> None:
    shown = Outcome(200, 10, 0, True, "", Revealed(records=51, seen=b"12345678", unlisted=2, keyless=50), 0.0, 0.0)
    assert outcome_entry("j", 1, 0.0, "j.0", shown).unlisted == 52


def test_what_is_nested_too_deeply_is_malformed_and_ends_nobody() -> None:
    deep = b'{"kind":"notice","v":1,"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    with pytest.raises(Malformed):
        decode(deep)
