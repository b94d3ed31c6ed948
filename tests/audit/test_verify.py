"""The offline verifier: every kind of byte, every kind of cut."""

import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audit.checkpoint import Checkpoint, Signer, Sm2Signer
from gateway.audit.entry import Malformed
from gateway.audit.journal import Ledger, Settings
from gateway.audit.merkle import leaf, root_of
from gateway.audit.sealer import Sealer
from gateway.audit.shelf import read_entries, read_notes
from gateway.audit.verify import Vouched, check_proof, prove, verify
from gateway.crypto import sm2
from tests.audit.world import a_closed_life, die, live, seal_all, some_requests


@pytest.fixture
def ledger(settings: Settings, signer: Signer) -> Path:
    """Three checkpoints over three lives."""
    one = Sealer(settings, signer)
    for number in range(3):
        a_closed_life(settings, 4, f"worker{number}")
        one.step()
    one.close()
    return settings.directory / "ledger"


def forge(ledger: Path, raws: list[bytes], signer: Signer) -> None:
    """A ledger of these entries, signed as if they had always been there."""
    shutil.rmtree(ledger)
    (ledger / "entries").mkdir(parents=True)
    (ledger / "leaves").mkdir()
    framed = b"".join(struct.pack(">H", len(raw)) + raw for raw in raws)
    (ledger / "entries" / "000000000000.bin").write_bytes(framed)
    (ledger / "leaves" / "000000000000.bin").write_bytes(b"".join(map(leaf, raws)))
    note = signer.sign(Checkpoint(signer.name, len(raws), root_of([leaf(raw) for raw in raws])).text)
    (ledger / "checkpoint").write_text(note, encoding="utf-8")
    (ledger / "checkpoints").write_text(note + "\n", encoding="utf-8")


def test_an_untouched_ledger_is_intact(ledger: Path, signer: Signer) -> None:
    verdict = verify(ledger, signer.vkey)
    assert (verdict.status, verdict.size, verdict.signed, verdict.checkpoints) == ("intact", 42, 42, 3)


def test_a_ledger_without_any_checkpoint_is_not_intact(settings: Settings, signer: Signer) -> None:
    """Fresh or wiped: nobody can tell the two apart."""
    Sealer(settings, signer).close()
    assert verify(settings.directory / "ledger", signer.vkey).status == "incomplete"


def test_any_changed_bit_of_an_entry_is_found_at_its_place(ledger: Path, signer: Signer) -> None:
    path = ledger / "entries" / "000000000000.bin"
    whole = path.read_bytes()
    starts, at = [], 0
    while at < len(whole):
        starts.append(at)
        at += 2 + struct.unpack_from(">H", whole, at)[0]
    for place in range(0, len(whole), 397):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        verdict = verify(ledger, signer.vkey)
        number = sum(start <= place for start in starts) - 1
        assert verdict.status == "altered"
        assert verdict.at == number


@pytest.mark.parametrize("name", ["leaves/000000000000.bin", "checkpoints", "checkpoint"])
def test_any_changed_byte_of_the_other_files_is_found(ledger: Path, signer: Signer, name: str) -> None:
    path = ledger / name
    whole = path.read_bytes()
    for place in range(0, len(whole), 11 if name.startswith("leaves") else 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert verify(ledger, signer.vkey).status == "altered", place


@pytest.mark.parametrize("name", ["entries/000000000000.bin", "leaves/000000000000.bin", "checkpoints", "checkpoint"])
def test_any_cut_is_found(ledger: Path, signer: Signer, name: str) -> None:
    path = ledger / name
    whole = path.read_bytes()
    for end in range(0, len(whole), 211 if len(whole) > 1000 else 41):
        path.write_bytes(whole[:end])
        assert verify(ledger, signer.vkey).status != "intact", end
    path.unlink()
    assert verify(ledger, signer.vkey).status == "incomplete"


def test_what_is_cut_at_the_end_is_missing_and_what_is_proven_is_told(ledger: Path, signer: Signer) -> None:
    path = ledger / "entries" / "000000000000.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    verdict = verify(ledger, signer.vkey)
    assert (verdict.status, verdict.size, verdict.signed, verdict.at) == ("incomplete", 41, 42, 28)
    assert "ends at 41 entries, but 42 are signed" in verdict.en
    (ledger / "entries" / "000000065536.bin").write_bytes(whole)  # a hole is not an end
    assert verify(ledger, signer.vkey).status == "altered"


def test_a_latest_checkpoint_that_agrees_with_nothing_is_altered(ledger: Path, signer: Signer) -> None:
    note = signer.sign(Checkpoint(signer.name, 20, bytes(32)).text)
    (ledger / "checkpoint").write_text(note, encoding="utf-8")
    verdict = verify(ledger, signer.vkey)
    assert (verdict.status, verdict.at) == ("altered", 14)
    (ledger / "checkpoint").write_text("nonsense", encoding="utf-8")
    assert verify(ledger, signer.vkey).status == "altered"


def test_an_older_latest_checkpoint_is_no_alteration_and_a_missing_one_is_missing(ledger: Path, signer: Signer) -> None:
    notes = read_notes(ledger)
    (ledger / "checkpoint").write_text(notes[0], encoding="utf-8")
    assert verify(ledger, signer.vkey).status == "intact"
    (ledger / "checkpoint").unlink()
    assert verify(ledger, signer.vkey).status == "incomplete"
    (ledger / "checkpoint").write_text(notes[2], encoding="utf-8")
    (ledger / "checkpoints").write_text(notes[0] + "\n", encoding="utf-8")
    verdict = verify(ledger, signer.vkey)
    assert (verdict.status, verdict.signed) == ("incomplete", 42)


def test_an_honest_copy_is_never_altered_in_whatever_order_it_was_made(
    settings: Settings, signer: Signer, tmp_path: Path
) -> None:
    """Each of its parts may be of any of five moments, from before the first seal to the end."""
    ledger = settings.directory / "ledger"
    one = Sealer(settings, signer)
    moments = [_moment(ledger)]
    for number in range(2):
        a_closed_life(settings, 2, f"worker{number}")
        one._shelf.append, real = _pausing(one._shelf.append, moments, ledger), one._shelf.append
        one.step()
        one._shelf.append = real
        moments.append(_moment(ledger))
    one.close()
    copy = tmp_path / "copy"
    seen = set()
    for choice in product(range(len(moments)), repeat=len(PARTS)):
        shutil.rmtree(copy, ignore_errors=True)
        for part, moment in zip(PARTS, choice, strict=True):
            content = moments[moment][part]
            if content is not None:
                (copy / part).parent.mkdir(parents=True, exist_ok=True)
                (copy / part).write_bytes(content)
        copy.mkdir(exist_ok=True)
        verdict = verify(copy, signer.vkey)
        assert verdict.status != "altered", (choice, verdict.en)
        seen.add(verdict.status)
        if verdict.status == "intact":
            assert verdict.size == verdict.signed
    assert seen == {"intact", "incomplete"}


PARTS = ("checkpoint", "checkpoints", "entries/000000000000.bin", "leaves/000000000000.bin")


def _moment(ledger: Path) -> dict[str, bytes | None]:
    return {part: (ledger / part).read_bytes() if (ledger / part).exists() else None for part in PARTS}


def _pausing(append: Callable[..., None], moments: list[dict[str, bytes | None]], ledger: Path) -> Callable[..., None]:
    def stepwise(raws: list[bytes], leaves: list[bytes]) -> None:
        append(raws, leaves)
        moments.append(_moment(ledger))  # written, and not signed yet

    return stepwise


def test_an_entry_and_its_leaf_changed_together_contradict_the_signed_root(ledger: Path, signer: Signer) -> None:
    raws = list(read_entries(ledger))
    raws[20] = raws[20].replace(b"zhang.wei", b"wang.fang")
    (ledger / "entries" / "000000000000.bin").write_bytes(b"".join(struct.pack(">H", len(r)) + r for r in raws))
    (ledger / "leaves" / "000000000000.bin").write_bytes(b"".join(map(leaf, raws)))
    verdict = verify(ledger, signer.vkey)
    assert (verdict.status, verdict.at) == ("altered", 14)  # from the last good checkpoint on
    assert "14 to 27" in verdict.en


def test_a_ledger_cut_back_to_an_older_checkpoint_needs_one_that_was_kept(ledger: Path, signer: Signer) -> None:
    notes = read_notes(ledger)
    kept = notes[-1]
    raws = list(read_entries(ledger))[:28]
    (ledger / "entries" / "000000000000.bin").write_bytes(b"".join(struct.pack(">H", len(r)) + r for r in raws))
    (ledger / "leaves" / "000000000000.bin").write_bytes(b"".join(map(leaf, raws)))
    (ledger / "checkpoints").write_text("".join(note + "\n" for note in notes[:2]), encoding="utf-8")
    (ledger / "checkpoint").write_text(notes[1], encoding="utf-8")
    assert verify(ledger, signer.vkey).status == "intact"
    verdict = verify(ledger, signer.vkey, kept)
    assert (verdict.status, verdict.at) == ("altered", 28)
    assert verify(ledger, signer.vkey, notes[0]).status == "intact"
    with pytest.raises(Malformed):
        verify(ledger, signer.vkey, "nonsense")


def test_a_ledger_signed_anew_with_the_same_key_contradicts_what_was_kept(ledger: Path, signer: Signer) -> None:
    kept = read_notes(ledger)[-1]
    raws = list(read_entries(ledger))
    raws[1] = raws[1].replace(b"zhang.wei", b"wang.fang")
    forge(ledger, raws, signer)
    assert verify(ledger, signer.vkey).status == "intact"
    assert verify(ledger, signer.vkey, kept).status == "altered"


def test_another_key_is_not_believed(ledger: Path, signer: Signer) -> None:
    other = Signer(signer.name, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    assert verify(ledger, other.vkey).status == "altered"
    with pytest.raises(Malformed):
        verify(ledger, "not a key")


def test_a_missing_number_is_incomplete_and_a_doubled_one_altered(ledger: Path, signer: Signer) -> None:
    raws = list(read_entries(ledger))
    forge(ledger, raws[:5] + raws[6:], signer)
    verdict = verify(ledger, signer.vkey)
    assert verdict.status == "incomplete"
    assert "entries 5 to 5" in verdict.en
    forge(ledger, [*raws[:5], raws[4], *raws[5:]], signer)
    verdict = verify(ledger, signer.vkey)
    assert (verdict.status, verdict.at) == ("altered", 5)


def test_a_permit_that_nobody_accounts_for_is_incomplete(ledger: Path, signer: Signer) -> None:
    raws = list(read_entries(ledger))
    at = next(number for number, raw in enumerate(raws) if json.loads(raw)["kind"] == "outcome")
    notice = {
        "kind": "notice",
        "v": 1,
        **{key: json.loads(raws[at])[key] for key in ("journal", "seq", "at")},
        "name": "x",
    }
    raws[at] = json.dumps(notice).encode()
    forge(ledger, raws, signer)
    verdict = verify(ledger, signer.vkey)
    assert verdict.status == "incomplete"
    assert "neither an outcome nor a declaration" in verdict.en


def test_a_permit_of_a_process_at_work_is_open_and_not_missing(settings: Settings, signer: Signer) -> None:
    async def story(ledger: Ledger) -> None:
        await some_requests(ledger, 3, concluded=False)

    alive = live(settings, story)
    one = Sealer(settings, signer)
    seal_all(one)
    verdict = verify(settings.directory / "ledger", signer.vkey)
    assert (verdict.status, verdict.open) == ("intact", 3)
    die(alive)
    one.close()


def test_entries_behind_the_last_checkpoint_are_said_to_be_unsigned(ledger: Path, signer: Signer) -> None:
    raws = list(read_entries(ledger))
    notes = read_notes(ledger)
    (ledger / "checkpoints").write_text(notes[0] + "\n", encoding="utf-8")
    (ledger / "checkpoint").write_text(notes[0], encoding="utf-8")
    verdict = verify(ledger, signer.vkey)
    assert (verdict.status, verdict.signed, verdict.at) == ("incomplete", 14, 14)
    forge(ledger, [*raws, b"nonsense"], signer)
    assert verify(ledger, signer.vkey).status == "altered"
    forge(ledger, [*raws, raws[0].replace(b'"v":1', b'"v":2')], signer)
    assert "format version `2`" in verify(ledger, signer.vkey).en


def test_a_proof_shows_one_entry_to_somebody_who_has_nothing_else(ledger: Path, signer: Signer) -> None:
    raws = list(read_entries(ledger))
    for index in (0, 17, 41):
        proof = prove(ledger, index)
        assert proof.startswith(f"c2sp.org/tlog-proof@v1\nindex {index}\n")
        assert check_proof(proof, raws[index], signer.vkey).size == 42
        with pytest.raises(Malformed):
            check_proof(proof, raws[index] + b" ", signer.vkey)
        with pytest.raises(Malformed):
            check_proof(proof.replace(f"index {index}", f"index {index + 1}"), raws[index], signer.vkey)
    for broken in (
        "",
        "c2sp.org/tlog-proof@v1\n\n",
        prove(ledger, 3).replace("index 3", "index x"),
        prove(ledger, 3)[:40],
    ):
        with pytest.raises(Malformed):
            check_proof(broken, raws[3], signer.vkey)
    with pytest.raises(ValueError, match="not in a tree"):
        prove(ledger, 42)


def test_the_verifier_needs_the_folder_and_the_key_and_nothing_else(
    ledger: Path, signer: Signer, tmp_path: Path
) -> None:
    away = tmp_path / "elsewhere"
    shutil.copytree(ledger, away, ignore=shutil.ignore_patterns("sealer.json", "lock"))
    code = "import sys;from pathlib import Path;from gateway.audit.verify import verify;print(verify(Path(sys.argv[1]), sys.argv[2]).status)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(away), signer.vkey], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert done.stdout == "intact\n"


# --- a signature of SM2 beside the one of Ed25519 ------------------------------------------------


@pytest.fixture
def national(signer: Signer) -> Sm2Signer:
    if sm2.unavailable():
        pytest.skip("no SM2 on this machine")
    return Sm2Signer(signer.name, sm2.PrivateKey.generate())


@pytest.fixture
def dual(settings: Settings, signer: Signer, national: Sm2Signer) -> Path:
    """One checkpoint from before the second key was there, and two with it."""
    for number, beside in enumerate([(), (national,), (national,)]):
        one = Sealer(settings, signer, beside=beside)
        a_closed_life(settings, 4, f"worker{number}")
        one.step()
        one.close()
    return settings.directory / "ledger"


def rewrite(ledger: Path, change: Callable[[int, str], str]) -> None:
    """Put other notes in the place of the checkpoints."""
    notes = [change(number, note) for number, note in enumerate(read_notes(ledger))]
    (ledger / "checkpoints").write_text("".join(f"{note}\n" for note in notes), encoding="utf-8")
    (ledger / "checkpoint").write_text(notes[-1], encoding="utf-8")


def without_last_line(note: str) -> str:
    return note[: note.rstrip("\n").rindex("\n") + 1]


def test_both_keys_are_checked_and_named(dual: Path, signer: Signer, national: Sm2Signer) -> None:
    verdict = verify(dual, signer.vkey, beside=[national.vkey])
    assert verdict.status == "intact"
    assert verdict.keys == (Vouched(signer.name, "Ed25519", 3), Vouched(signer.name, "SM2", 2))
    assert verify(dual, signer.vkey).status == "intact"  # a verifier of C2SP, which knows no SM2


def test_a_wrong_signature_of_the_second_key_is_altered(dual: Path, signer: Signer, national: Sm2Signer) -> None:
    def elsewhere(number: int, note: str) -> str:
        return note if number != 1 else without_last_line(note) + national.line("something else\n")

    rewrite(dual, elsewhere)
    assert verify(dual, signer.vkey).status == "intact"
    verdict = verify(dual, signer.vkey, beside=[national.vkey])
    assert (verdict.status, verdict.at) == ("altered", 0)
    assert "SM2" in verdict.en


def test_a_last_checkpoint_without_the_second_signature_is_altered(
    dual: Path, signer: Signer, national: Sm2Signer
) -> None:
    """Who has the key of Ed25519 alone can sign on, but not for SM2."""
    covered = Checkpoint(signer.name, int(read_notes(dual)[1].split("\n")[1]), b"")
    rewrite(dual, lambda number, note: without_last_line(note) if number == 2 else note)
    verdict = verify(dual, signer.vkey, beside=[national.vkey])
    assert (verdict.status, verdict.at) == ("altered", covered.size)
    rewrite(dual, lambda number, note: without_last_line(note) if number == 1 else note)
    assert verify(dual, signer.vkey, beside=[national.vkey]).at == 0


def test_the_latest_checkpoint_carries_the_second_signature_too(
    dual: Path, signer: Signer, national: Sm2Signer
) -> None:
    note = read_notes(dual)[-1]
    (dual / "checkpoint").write_text(without_last_line(note) + national.line("something else\n"), encoding="utf-8")
    assert verify(dual, signer.vkey, beside=[national.vkey]).status == "altered"


def test_another_key_of_sm2_is_not_believed(dual: Path, signer: Signer) -> None:
    other = Sm2Signer(signer.name, sm2.PrivateKey.generate())
    assert verify(dual, signer.vkey, beside=[other.vkey]).status == "altered"


def test_a_sealer_does_not_go_on_from_a_wrong_signature(
    settings: Settings, dual: Path, signer: Signer, national: Sm2Signer
) -> None:
    state = json.loads((dual / "sealer.json").read_text(encoding="utf-8"))
    state["note"] = without_last_line(state["note"]) + national.line("something else\n")
    (dual / "sealer.json").write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(Malformed, match="SM2"):
        Sealer(settings, signer, beside=[national])
