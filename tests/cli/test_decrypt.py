"""`gateway keys decrypt`: what was sealed comes back to whoever holds the keys, and not before it is on record."""

import io
from pathlib import Path

import pytest

from gateway.crypto.digest import b64url, sha256
from gateway.crypto.suite import INTL, SM, Suite
from gateway.masking.keys import TOKEN, Keys
from gateway.masking.registry import compiled
from gateway.masks import Technique
from tests.cli.shell import Ran, Run
from tests.control.doors import Behind

FIRST, SECOND = b"a" * 32, b"b" * 32
ID = "330106199003072319"


@pytest.fixture
def town(run: Run, behind: Behind, tmp_path: Path) -> Path:
    """A folder with a configuration and two keys that mask."""
    keys = tmp_path / "state" / "keys"
    keys.mkdir(parents=True)
    keys.chmod(0o700)
    for name, secret in (("mask.key", FIRST), ("mask-2.key", SECOND)):
        (keys / name).write_bytes(secret)
        (keys / name).chmod(0o600)
    (tmp_path / "gateway.yaml").write_text("version: 1\nstate: state\n")
    return tmp_path


class Desk:
    """Somebody at the shell."""

    def __init__(self, run: Run, town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._run, self._town, self._monkeypatch = run, town, monkeypatch

    def asks(self, *values: str, org: str = "prov/civil", reason: str = "order 7", more: tuple[str, ...] = ()) -> Ran:
        typed = io.TextIOWrapper(io.BytesIO("\n".join(values).encode()), encoding="utf-8")
        self._monkeypatch.setattr("sys.stdin", typed)
        words = ("--department", org, "--reason", reason, "-c", str(self._town / "gateway.yaml"), "--socket", "c.sock")
        return self._run("keys", "decrypt", *words, *more)


@pytest.fixture
def desk(run: Run, town: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(run, town, monkeypatch)


def sealed(value: str, number: int = 2, suite: Suite = INTL, org: str = "prov/civil") -> str:
    return Keys((FIRST, SECOND)[number - 1], org, suite, number).sealed(value)


def test_what_any_key_and_suite_sealed_comes_back_and_is_on_record_first(desk: Desk, behind: Behind) -> None:
    values = (sealed(ID), sealed("王小明", 1), sealed("👍🏽", 2, SM))
    done = desk.asks(*values, more=("-o", "json"))
    assert (done.code, done.json) == (0, {"values": [ID, "王小明", "👍🏽"]})
    assert [(act.act, act.target, act.detail, act.ok) for act in behind.acts] == [
        ("value.decrypt", b64url(sha256(value.encode())), "prov/civil order 7", True) for value in values
    ]
    assert ID not in repr(behind.acts)
    assert "1     王小明" in desk.asks(values[1]).out.splitlines()


def test_what_is_not_of_this_department_or_was_changed_does_not_come_back(desk: Desk) -> None:
    good = sealed(ID)
    token = Keys(SECOND, "prov/civil", number=2).sealed("9 5 household$.id" + ID, TOKEN)
    odd = (sealed(ID, org="prov/health"), good[:-2], "e1" + good[2:], "e3" + good[2:], token, ID, "e2." + "A" * 40)
    done = desk.asks(*odd, good, more=("-o", "json"))
    assert (done.code, done.json) == (1, {"values": [None] * len(odd) + [ID]})
    assert "7 values were not opened" in done.err
    assert "7 个值未能还原" in desk.asks(*odd, more=("--lang", "zh-CN")).err


def test_what_cannot_be_recorded_is_not_opened(desk: Desk, behind: Behind) -> None:
    behind.recording = False
    done = desk.asks(sealed(ID))
    assert (done.code, ID in done.out + done.err) == (3, False)
    silent = desk.asks(sealed(ID), more=("--socket", "none.sock"))
    assert (silent.code, ID in silent.out + silent.err) == (3, False)


def test_digits_of_fpe_come_back_with_the_key_that_is_named(desk: Desk, behind: Behind) -> None:
    shown = compiled(Technique("fpe"))[0](ID, Keys(FIRST, "prov/civil"))
    assert desk.asks(shown, more=("--fpe", "--key", "1", "-o", "json")).json == {"values": [ID]}
    assert desk.asks(shown, more=("--fpe", "-o", "json")).json["values"] != [ID]
    assert b64url(sha256(shown.encode())) not in [act.target for act in behind.acts]  # it could be found by trying
    assert desk.asks("王小明", more=("--fpe",)).code == 1
    assert desk.asks(shown, more=("--fpe", "--key", "3")).code == 2


def test_nobody_opens_without_a_value_a_department_and_a_reason(desk: Desk, behind: Behind, town: Path) -> None:
    assert desk.asks("", " ").code == 2
    assert desk.asks(sealed(ID), reason=" ").code == 2
    assert desk.asks(sealed(ID), org="").code == 2
    assert behind.acts == []
    (town / "state" / "keys" / "mask-2.key").chmod(0o644)
    open_to_others = desk.asks(sealed(ID))
    assert (open_to_others.code, "chmod 600" in open_to_others.err) == (3, True)
    assert behind.acts == []


def test_what_a_value_holds_does_not_move_the_cursor(desk: Desk) -> None:
    assert "\x1b" not in desk.asks(sealed("\x1b[2J王")).out
