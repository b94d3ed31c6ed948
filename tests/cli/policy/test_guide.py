"""Do the examples of the guide say what the gateway says?"""

import re
import shlex
from collections.abc import Iterator

import pytest

from tests.cli.shell import ROOT, Run

PAGES = ("docs/authoring.md", "docs/authoring.zh-CN.md")
EXAMPLE = re.compile(r"```\n\$ gateway (policy explain (?:[^\n]*\\\n)*[^\n]*)\n(.*?)```", re.S)


def examples() -> Iterator[tuple[str, str, list[str]]]:
    for page in PAGES:
        for typed, answer in EXAMPLE.findall((ROOT / page).read_text(encoding="utf-8")):
            yield page, typed.replace("\\\n", " "), answer.splitlines()


def test_there_are_twelve_in_each_language() -> None:
    assert [page for page, _, _ in examples()] == [page for page in PAGES for _ in range(12)]


@pytest.mark.parametrize(("page", "typed", "answer"), list(examples()))
def test_an_example_is_answered_as_printed(run: Run, page: str, typed: str, answer: list[str]) -> None:
    words = [str(ROOT / "policies") if word == "policies" else word for word in shlex.split(typed)]
    said = run(*words).out.splitlines()
    assert [line for line in answer if not any(given.startswith(line) for given in said)] == []
