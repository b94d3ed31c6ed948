"""What does an `x-data-classification` say?"""

import pytest

from gateway.document import FileFault, parse
from gateway.facts import GRADES, Grade
from gateway.inventory.labels import Label, joined, label_of


def read(text: str) -> tuple[Label | None, list[str]]:
    faults: list[FileFault] = []
    return label_of(parse(text, "s.yaml"), GRADES | {"L4": Grade.GENERAL_4}, faults), [one.code for one in faults]


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("general-2", Label(Grade.GENERAL_2)),
        ("4", Label(Grade.GENERAL_4)),
        ("L4", Label(Grade.GENERAL_4)),
        ("{level: core}", Label(Grade.CORE)),
        ("{identifier: phone}", Label(None, "phone")),
        ("{level: 3, identifier: phone, mask: 'partial(3, 4)'}", Label(Grade.GENERAL_3, "phone", "partial(3,4)")),
    ],
)
def test_a_grade_or_more(said: str, label: Label) -> None:
    assert read(f"x-data-classification: {said}") == (label, [])


def test_no_label() -> None:
    assert read("type: string") == (None, [])
    assert read("true") == (None, [])


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("secret", "I005"),
        ("7", "I005"),
        ("true", "I005"),
        ("[core]", "I005"),
        ("{}", "I004"),
        ("{grade: core, level: core}", "I004"),
        ("{level: {a: 1}}", "I005"),
        ("{identifier: idcard}", "I006"),
        ("{identifier: [phone]}", "I006"),
        ("{mask: md5}", "I007"),
    ],
)
def test_what_cannot_be_read_is_a_fault(said: str, code: str) -> None:
    assert code in read(f"x-data-classification: {said}")[1]


def test_of_two_labels_the_higher_grade_holds() -> None:
    assert joined(Label(Grade.GENERAL_2, "name"), Label(Grade.CORE, "phone", "hash")) == Label(
        Grade.CORE, "name", "hash"
    )
    assert joined(None, Label(Grade.CORE)) == joined(Label(Grade.CORE), None) == Label(Grade.CORE)
    assert joined(None, None) is None


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("绝密", "请写 general-1 … general-4（或 1 … 4）、important、core，或 grades.yaml 中的名称"),
        ("importent", "您是不是想写“important”？"),
        ("{identifier: 户号}", "可用值：address、bank-card、birth-date"),
    ],
)
def test_nobody_is_left_without_a_remedy(said: str, remedy: str) -> None:
    faults: list[FileFault] = []
    known = GRADES | {f"词{number}": Grade.CORE for number in range(60)}  # more than are listed
    label_of(parse(f"x-data-classification: {said}", "s.yaml"), known, faults)
    (fault,) = faults  # and is told once
    assert fault.remedy_zh.startswith(remedy)
