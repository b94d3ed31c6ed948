import random

import pytest

from gateway.discovery.found import Found, found, proposed_grade
from gateway.discovery.paths import step
from gateway.discovery.records import merged
from gateway.facts import Grade
from gateway.masks import IDENTIFIERS
from tests.detect.made import LOOKALIKES, MADE, SPOKEN, benign, mobile, resident_id
from tests.discovery.answers import asset, column, field, learnt


def proposed(answers, of=None) -> tuple[Found, ...]:
    return found(learnt(answers, of).record())


def told(answers, of=None):
    return [(one.path, one.identifier) for one in proposed(answers, of)]


def test_a_finding_says_where_what_how_sure_and_why():
    (one,) = proposed(column("idCard", resident_id, 10))
    assert (one.kind, one.api, one.asset, one.route) == ("unlabelled", "market", "shop", "GET /market/shops")
    assert (one.path, one.identifier, one.confidence, one.grade) == ("$.idCard", "resident-id", 1.0, Grade.GENERAL_4)
    assert one.label is None
    evidence = one.evidence
    assert (evidence.answers, evidence.values, evidence.hits, evidence.share) == (10, 10, 10, 1.0)
    assert (evidence.checked, evidence.named, evidence.distinct, evidence.nulls) == (True, True, 10, 0)
    assert (evidence.lengths, evidence.first, evidence.last) == ((0, 0, 0, 0, 10, 0, 0, 0), "2026-01-10", "2026-01-10")


@pytest.mark.parametrize("identifier", ["resident-id", "credit-code", "email", "plate"])
def test_some_are_told_by_their_values_alone(identifier):
    assert told(column("x7", MADE[identifier])) == [("$.x7", identifier)]


def test_a_bank_card_needs_a_name():
    assert told(column("x7", MADE["bank-card"])) == []
    assert told(column("cardNo", MADE["bank-card"])) == [("$.cardNo", "bank-card")]


def test_phones_without_a_name_need_three_and_nearly_all_of_the_path():
    assert told(column("x7", mobile, 3)) == [("$.x7", "phone")]
    assert told([{"x7": "13800138000"}] * 50) == []  # one value, however often
    mixed = [{"x7": mobile(random.Random(at)) if at % 4 else "A-17"} for at in range(40)]
    assert told(mixed) == []
    assert told([{"mobile": one["x7"]} for one in mixed]) == [("$.mobile", "phone")]


def test_a_few_resident_ids_in_a_column_of_anything_are_found():
    source = random.Random(4)
    values = [resident_id(source) if at % 20 == 0 else f"note {at}" for at in range(100)]
    (one,) = proposed([{"v": value} for value in values])
    assert (one.identifier, one.evidence.hits, one.evidence.share) == ("resident-id", 5, 0.05)


def test_an_accident_is_no_finding():
    values = ["330106199003072319"] + [f"{at}" for at in range(40)]
    assert told([{"v": value} for value in values]) == []


def test_the_same_word_over_and_over_is_nobodys_name():
    assert told([{"roleName": "管理员", "departmentName": "民政局"}] * 50) == []
    assert told([{"fullName": name} for name in ("王小明", "李雷", "赵六", "钱七")]) == [("$.fullName", "name")]


def test_what_is_labelled_already_is_not_proposed():
    of = asset((field("$..idCard", "resident-id"),))
    assert told(column("idCard", resident_id), of) == []


def test_a_label_that_its_values_contradict_is_a_finding():
    (one,) = proposed(column("holder", resident_id), asset((field("$.holder", "name"),)))
    assert (one.kind, one.label, one.identifier) == ("contradicted", "name", "resident-id")
    (one,) = proposed(column("holder", resident_id), asset((field("$.holder"),)))
    assert (one.kind, one.label) == ("contradicted", "")


@pytest.mark.parametrize("label", ["social-card", "old-resident-id", "secret"])
def test_a_label_that_means_the_same_or_hides_more_is_no_finding(label):
    assert told(column("holder", resident_id), asset((field("$.holder", label),))) == []


def test_one_path_has_one_finding_and_the_surer_one():
    assert told(column("shbzh", resident_id)) == [("$.shbzh", "resident-id")]


def test_findings_are_in_order_whatever_the_workers_saw_first():
    a, b = learnt(column("mobile", mobile)), learnt(column("idCard", resident_id), asset(route="DELETE /a"))
    assert found(merged([a.record(), b.record()])) == found(merged([b.record(), a.record()]))


def test_every_identifier_has_a_grade_to_begin_with():
    assert {proposed_grade(one) for one in IDENTIFIERS} == {Grade.GENERAL_2, Grade.GENERAL_3, Grade.GENERAL_4}
    assert proposed_grade("resident-id") == Grade.GENERAL_4


def test_two_numbers_are_a_place_and_one_is_not():
    source = random.Random(8)
    places = [(round(source.uniform(5, 53), 4), round(source.uniform(75, 134), 4)) for _ in range(12)]
    assert told([{"lat": lat, "lng": lng} for lat, lng in places]) == [("$.lat", "gps"), ("$.lng", "gps")]
    assert told([{"location": {"coordinates": [lng, lat]}} for lat, lng in places]) == [
        ("$.location.coordinates[*]", "gps")
    ]
    assert told([{"lat": lat, "width": lng} for lat, lng in places]) == []
    assert told([{"range": [lng, lat]} for lat, lng in places]) == []


def test_recall_on_columns_under_each_name_that_speaks():
    columns = [
        (identifier, name, seed) for identifier, (_, names) in SPOKEN.items() for name in names for seed in range(3)
    ]
    missed = [
        (identifier, name)
        for identifier, name, seed in columns
        if told(column(name, SPOKEN[identifier][0], 12, seed)) != [(f"${step(name)}", identifier)]
    ]
    assert len(columns) > 200
    assert missed == []  # 99.5 % are promised


def test_precision_on_columns_that_hold_something_else():
    wrong = [
        (name, seed, found)
        for name, make in LOOKALIKES.items()
        for seed in range(10)
        if (found := told(column(name, make, 12, seed)))
    ]
    assert wrong == []  # of as many columns of identifiers as above and these, 95 % right proposals are promised


def test_ten_thousand_harmless_answers_lead_to_no_finding():
    source = random.Random(17)
    assert found(learnt(benign(source) for _ in range(10_000)).record()) == ()
