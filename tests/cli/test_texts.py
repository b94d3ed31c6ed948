"""What does the command line say, in English and Chinese?"""

import re
import string

from gateway.cli.texts import TEXTS
from tests.test_layout import ROOT


def test_every_text_is_there_twice_and_takes_the_same_values() -> None:
    for key, (english, chinese) in TEXTS.items():
        assert english and chinese, key
        names = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in (english, chinese)]
        assert names[0] == names[1], key


def test_every_text_that_is_asked_for_exists_and_every_one_is_asked_for() -> None:
    code = "".join(path.read_text() for path in (ROOT / "gateway" / "cli").glob("*.py") if path.name != "texts.py")
    keys = {key for key in TEXTS if re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", key)}
    asked = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', code)) & {k for k in keys if "." in k}
    families = {key for key in keys if re.match(r"(doctor|policy)\.[a-z]+$", key) or key.endswith(".help")}
    assert {key for key in keys if "." in key} - asked - families == set()
    for kind, key in re.findall(r'screen\.(say|warn)\(\s*"([a-z_.]+)"', code):
        assert key in TEXTS, (kind, key)
