"""What are the words of the ledger called in Chinese?"""

from gateway.facts import Grade
from gateway.inventory.views import View
from gateway.inventory.words import spoken
from gateway.masks import IDENTIFIERS


def a_view(heads: list[str], *rows: tuple[str | int, ...]) -> View:
    return View("v", ("T", "题"), tuple((head, "列") for head in heads), rows)


def test_words_are_chinese_and_ids_as_they_are_typed() -> None:
    heads = ["asset", "grade", "sharing", "identifier", "times", "department", "office"]
    said = spoken(a_view(heads, ("core", "core", "conditional", "resident-id", 7, "prov", "hz")), {"prov": "某省"})
    assert said.rows == (("core", "核心", "有条件共享", "身份证号", 7, "某省（prov）", "hz"),)
    assert spoken(a_view(["general-3", "grade"]), {}).head == (("general-3", "一般 3 级"), ("grade", "列"))


def test_every_grade_and_identifier_has_a_chinese_word_and_none_is_a_level_of_state_secrets() -> None:
    words = [grade.text for grade in Grade], sorted(IDENTIFIERS)
    for head, known in zip(("grade", "identifier"), words, strict=True):
        cells = {row[0] for row in spoken(a_view([head], *((word,) for word in known)), {}).rows}
        assert len(cells) == len(known) and not cells & {*known, "秘密", "机密", "绝密"}
