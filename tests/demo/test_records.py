"""The invented records carry correct check digits, and the same seed gives the same records."""

from datetime import date

from gateway.demo.records import credit_code, make_records, resident_id


def test_known_numbers_come_out() -> None:
    assert resident_id("330106", date(1990, 3, 7), 231) == "330106199003072319"
    assert resident_id("440305", date(1985, 12, 31), 19) == "44030519851231019X"
    assert credit_code("330106", "MA2B3C4D") == "91330106MA2B3C4D11"


def test_the_same_seed_gives_the_same_records() -> None:
    assert make_records(7) == make_records(7)
    assert make_records(7) != make_records(8)


def test_the_first_household_has_the_id_of_the_story() -> None:
    records = make_records()
    assert "h-1001" in records.households
    assert "v-5001" in records.visits


def test_a_patient_is_a_member_of_a_household() -> None:
    records = make_records()
    known = {home["id_number"] for home in records.households.values()}
    patients = [visit["patient"] for visit in records.visits.values()]
    assert all(isinstance(patient, dict) and patient["id_number"] in known for patient in patients)
