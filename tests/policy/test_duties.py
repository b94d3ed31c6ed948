"""Do duties only ever add up?"""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.document import FileFault
from gateway.document import parse as parse_yaml
from gateway.facts import Notify
from gateway.policy.duties import Duties, Then, duties, parse, read_then, stronger, written

DUTIES = st.builds(
    Duties,
    st.frozensets(st.sampled_from(["none", "standard", "strict"])),
    st.sampled_from(["written", "synced"]),
    st.frozensets(st.sampled_from(["security", "audit"])),
)


@given(DUTIES, DUTIES, DUTIES)
def test_merging_is_associative_commutative_and_idempotent(one: Duties, two: Duties, three: Duties) -> None:
    assert one.merge(two).merge(three) == one.merge(two.merge(three))
    assert one.merge(two) == two.merge(one)
    assert one.merge(one) == one
    assert one.merge(Duties()) == one


def test_the_log_is_only_ever_strengthened() -> None:
    assert stronger("written", "synced") == stronger("synced", "written") == "synced"
    assert stronger("written", "written") == "written"


def test_topics_come_in_a_fixed_order() -> None:
    assert Duties(topics=frozenset({"b", "a"})).notices() == (Notify("a"), Notify("b"))


def test_what_is_written_into_a_row_is_read_back() -> None:
    then = Then(mask="none", log="synced", notify=("a",))
    assert parse(written(then)) == then
    assert parse("{}") == Then()


@pytest.mark.parametrize("row", ["", "{", '{"log": "never"}', '{"reason": "anything"}'])
def test_a_row_that_means_nothing_is_refused(row: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        parse(row)


def read(text: str, deny: bool) -> tuple[Then, list[str]]:
    faults: list[FileFault] = []
    return read_then(parse_yaml(text, "x.yaml"), deny, frozenset({"none"}), faults), [fault.code for fault in faults]


@pytest.mark.parametrize(
    ("text", "deny", "codes"),
    [
        ("{mask: none, log: synced, notify: security}", False, []),
        ("{step_up: aal3, max_age: 300}", True, []),
        ("{mask: none}", True, ["P070"]),
        ("{step_up: aal3}", False, ["P070"]),
        ("{colour: red}", False, ["P070"]),
        ("{step_up: aal4}", True, ["P072"]),
        ("{max_age: 300}", True, ["P070"]),
        ("{step_up: aal2, max_age: 0}", True, ["P004"]),
        ("{step_up: aal2, max_age: 5m}", True, ["P004"]),
        ("{mask: nonne}", False, ["P014"]),
        ("{log: none}", False, ["P071"]),
        ("{notify: []}", False, ["P004"]),
        ("[a]", False, ["P004"]),
    ],
)
def test_each_effect_has_its_own_words(text: str, deny: bool, codes: list[str]) -> None:
    assert read(text, deny)[1] == codes


def test_a_watermark_stands_on_an_allow_and_any_that_asks_for_it_wins() -> None:
    marked, faults = read("{watermark: true}", deny=False)
    assert (marked.watermark, faults) == (True, [])
    assert parse(written(marked)) == marked
    assert "watermark" not in written(Then())
    assert duties(Then()).merge(duties(marked)).watermark
    assert duties(marked).merge(duties(Then())).watermark
    assert not duties(Then()).merge(duties(Then())).watermark
    assert read("{watermark: yes please}", deny=False)[1] == ["P004"]
    assert read("{watermark: true}", deny=True)[1] == ["P070"]
