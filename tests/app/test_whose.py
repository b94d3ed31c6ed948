"""Is the identifier that an auditor types the same as the one that masking saw?"""

from pathlib import Path

import pytest

from gateway.app.whose import asked, digests
from gateway.control import DoorFault
from gateway.crypto.suite import INTL, SM
from gateway.masking.keys import Keys
from gateway.masking.whom import same

KEY = b"k" * 32


@pytest.mark.parametrize("suite", [INTL, SM])
@pytest.mark.parametrize(
    "spelled", ["33010619900307231x", "３３０１０６１９９００３０７２３１Ｘ", "330106 19900307 231X"]
)
def test_however_it_is_spelled_it_is_found_in_any_department_under_any_suite(suite: object, spelled: str) -> None:
    told = Keys(KEY, "prov/health", suite).about(same("33010619900307231X"))  # type: ignore[arg-type]  # a suite
    assert told in digests(KEY, spelled)


def test_another_key_finds_nobody() -> None:
    assert set(digests(KEY, "33010619900307231X")).isdisjoint(digests(b"j" * 32, "33010619900307231X"))


def test_a_question_that_takes_too_long_is_refused_in_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.audit import TooSlow

    def slow(*_: object) -> None:
        raise TooSlow

    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "mask.key").write_bytes(KEY)
    (tmp_path / "keys" / "mask.key").chmod(0o600)
    monkeypatch.setattr("gateway.app.whose.seen", slow)
    with pytest.raises(DoorFault) as refused:
        asked(tmp_path, "33010619900307231X", 0.0)
    assert "33010619900307231X" not in str(refused.value)
