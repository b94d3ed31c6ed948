"""Attacks from within: the ledger's files, other users of the machine, careless policy authors, planted secrets."""

import os
import random
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.audit import verify
from tests.running import Gateway, Issuer, Witness, until
from tests.stories.hostile import Stage, answer, staged
from tests.test_layout import ROOT

ID = "330106199003072319"
NOBODY = 65534
KNOCK = """
import os, socket, sys
os.setgroups([]), os.setgid(65534), os.setuid(65534)
door = socket.socket(socket.AF_UNIX)
try:
    door.connect(sys.argv[1])
    door.sendall(b"GET /health HTTP/1.1\\r\\nHost: control\\r\\nX-Uid: 0\\r\\nAuthorization: Bearer root\\r\\n\\r\\n")
    print(door.recv(12).decode())
except OSError as error:
    print(type(error).__name__)
"""
WATCHED = """\
  - name: watched
    match: /watched/**
    upstream: http://127.0.0.1:9
    data: watched
    mode: observe
"""
CATALOG = """\
assets:
  - id: watched
    title: {zh: 观察, en: watched}
    owner: prov/market
    category: open-data
    grade: general-2
    endpoints:
      - GET /watched/{id}
      - {path: GET /watched/core, grade: core}
      - {path: GET /watched/decoy, honey: true}
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("insiders")
    (folder / "policies" / "catalog").mkdir(parents=True)
    (folder / "policies" / "catalog" / "watched.yaml").write_text(CATALOG)
    with staged(folder, extra=WATCHED) as set_up:
        yield set_up


# --- the operators' door and the files of the state -------------------------------------------------


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody")
@pytest.mark.parametrize("opened", [False, True], ids=["as it is", "opened by mistake"])
def test_another_user_is_refused_at_the_door(stage: Stage, opened: bool) -> None:
    door, parents = stage.gateway.state / "control.sock", [stage.gateway.state, *stage.gateway.state.parents[:4]]
    before = {path: stat.S_IMODE(path.stat().st_mode) for path in (door, *parents)}
    try:
        for path in (*parents, door) if opened else parents[1:]:
            path.chmod(before[path] | (0o666 if path == door else 0o755))
        said = subprocess.run([sys.executable, "-c", KNOCK, str(door)], capture_output=True, text=True, check=True)
    finally:
        for path, mode in before.items():
            path.chmod(mode)
    assert said.stdout.strip() == ("HTTP/1.1 401" if opened else "PermissionError")


def test_nothing_of_the_state_is_open_to_others(stage: Stage) -> None:
    for path in (
        stage.gateway.state,
        stage.gateway.state / "keys",
        stage.gateway.state / "journal",
        stage.gateway.state / "bundles",
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    inside = [path for path in stage.gateway.state.rglob("*") if "bundles" not in path.parts and not path.is_dir()]
    assert [path.name for path in inside if stat.S_IMODE(path.lstat().st_mode) != 0o600] == []
    assert len(inside) > 10


@pytest.mark.parametrize("place", ["state", "state/keys", "state/keys/ledger.key"])
def test_a_gateway_does_not_start_on_a_state_that_others_can_change(tmp_path: Path, place: str) -> None:
    (tmp_path / "policies").mkdir()
    witness, issuer = Witness(), Issuer()
    try:
        gateway = Gateway(tmp_path, witness, issuer)
        (tmp_path / place).chmod(0o777)
        said = subprocess.run(
            [*gateway.launch, "serve", "-c", str(gateway.config)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    finally:
        witness.close()
        issuer.close()
    assert (said.returncode, "other accounts" in said.stderr) == (3, True)


@pytest.mark.parametrize("field", ["origin", "sec_fetch_site", "sec_fetch_mode"])
def test_a_browser_is_refused_at_the_door(stage: Stage, field: str) -> None:
    import http.client
    import socket

    connection = http.client.HTTPConnection("control", timeout=5)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(stage.gateway.state / "control.sock"))
    connection.request("POST", "/v1/reload", headers={field.replace("_", "-"): "http://evil.example"})
    assert connection.getresponse().status == 403
    connection.close()


DOOR = {
    "a form": ("{}", "text/plain", 415),
    "a name twice": ('{"kind":"session","id":"a","kind":"subject"}', "application/json", 400),
    "everything": ('{"kind":"all","id":"*"}', "application/json", 400),
    "nothing": ('{"kind":"session","id":""}', "application/json", 400),
    "NUL": ('{"kind":"subject","id":"a\\u0000b"}', "application/json", 400),
    "the past": ('{"kind":"subject","id":"a","until":1}', "application/json", 400),
    "no number": ('{"kind":"subject","id":"a","until":1e999}', "application/json", 400),
    "70 kilobytes": ('{"kind":"subject","id":"' + "a" * 70_000 + '"}', "application/json", 413),
    "brackets": ("[" * 60_000, "application/json", 400),
}


@pytest.mark.parametrize("name", DOOR)
def test_the_door_takes_nothing_that_is_not_an_order(stage: Stage, name: str) -> None:
    body, kind, status = DOOR[name]
    assert stage.gateway.door("POST", "/v1/revocations", body, kind).status == status
    assert stage.gateway.door("GET", "/v1/revocations").json["revocations"] == []


@pytest.mark.parametrize(
    "query",
    ["(" * 5000, "not " * 5000 + "subject:a", "subject:\"' OR 1=1 --", "| count by sqlite_master", "time:" + "9" * 30],
)
def test_a_question_is_not_sql(stage: Stage, query: str) -> None:
    assert stage.gateway.door("POST", "/v1/audit/query", {"query": query}).status == 400


# --- careless and hostile policy authors ----------------------------------------------------------


def rule(**changes: str | None) -> str:
    parts: dict[str, str | None] = {
        "id": "x", "title": "{zh: 试, en: try}", "effect": "allow", "who": "signed-in", "data": "household", "action": "read",
        "level": "any", "owner": "prov/civil",
    }  # fmt: skip
    parts |= changes
    return "rules:\n  - " + "\n    ".join(f"{key}: {value}" for key, value in parts.items() if value is not None) + "\n"


POLICIES: dict[str, str | bytes] = {
    "Deny": rule(effect="Deny"),
    "deny with a blank": rule(effect='"deny "'),
    "a full-width colon": rule().replace("effect:", "effect："),
    "a full-width comparison": rule(when="risk.score ＜ 5"),
    "effect twice": rule() + "    effect: deny\n",
    "rules twice": rule() + rule(id="y"),
    "two documents": rule() + "---\n" + rule(id="y", effect="deny"),
    "a bomb": 'a: &a ["x","x"]\nb: &b [*a,*a]\nrules: *b\n',
    "merged keys": "rules:\n  - &a {id: x}\n  - <<: *a\n",
    "a Python object": 'rules: !!python/object/apply:os.system ["true"]\n',
    "3 000 levels": "rules: " + "[" * 3000 + "]" * 3000,
    "17 MiB": "#" * 17_000_000,
    "UTF-16": rule().encode("utf-16"),
    "NUL": rule().replace("owner", "\0owner"),
    "who: no": rule(who="no"),
    "a Cyrillic letter": rule(who="сlerk"),
    "nobody": rule(who="[]"),
    "a person with a blank": rule(who='"user: zhang.wei"'),
    "no level": rule(level=None),
    "a level nobody knows": rule(level='"<= importent"'),
    "an HTTP method": rule(action="GET"),
    "Python": rule(when="__import__('os').system('true')"),
    "an attribute": rule(when="subject.__class__"),
    "a comprehension": rule(when="[x for x in subject.roles]"),
    "arithmetic": rule(when="9**9**9 > risk.score"),
    "a text and a number": rule(when='risk.score > "5"'),
    "a word nobody knows": rule(when='device.trust == "manged"'),
    "a mask nobody knows": rule(then="{mask: nosuch}"),
    "a mask on a deny": rule(effect="deny", then="{mask: none}"),
    "an id of the base": rule(id="base-compromised-device"),
    "a misspelt key": rule(efect="deny"),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_that_could_be_misread_changes_nothing_and_is_named(stage: Stage, name: str) -> None:
    text, path = POLICIES[name], stage.gateway.folder / "policies" / "rules" / "99-insider.yaml"
    before = stage.gateway.door("GET", "/v1/policy").json["active"]
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        said = stage.gateway.door("POST", "/v1/reload")
    finally:
        path.unlink()
    assert (said.status, stage.gateway.door("GET", "/v1/policy").json["active"]) == (422, before)
    assert any(fault["file"].endswith("99-insider.yaml") for fault in said.json["errors"])


@pytest.mark.parametrize("name", ["rules/99-deny.yml", "rules/99-deny.yaml~", "rules/more", "deny.yaml"])
def test_a_rule_that_would_not_be_read_is_a_fault(stage: Stage, name: str) -> None:
    path = stage.gateway.folder / "policies" / name
    path.write_text(rule(effect="deny", level=None))
    try:
        assert stage.gateway.door("POST", "/v1/reload").status == 422
    finally:
        path.unlink()


def test_a_pipe_does_not_keep_the_gateway_waiting(stage: Stage) -> None:
    path = stage.gateway.folder / "policies" / "rules" / "99-pipe.yaml"
    os.mkfifo(path)
    started = time.monotonic()
    try:
        assert stage.gateway.door("POST", "/v1/reload").status == 422
    finally:
        path.unlink()
    assert time.monotonic() - started < 5
    assert stage.ask().status == 200


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/watched/x/y", "unlisted"),
        ("/watched/core", "no_rule"),
        ("/watched/decoy", "risk_too_high"),
        ("/evil", "unlisted"),
    ],
)
def test_observe_never_passes_what_it_must_not(stage: Stage, target: str, reason: str) -> None:
    token = stage.gateway.issuer.token(f"watcher-{target.replace('/', '-')}")
    said = stage.gateway.get(target, token)
    assert (said.status, said.reason) == (403, reason)
    assert stage.gateway.get("/watched/1", "x.y.z").status == 401


# --- what is on record, and what is not -------------------------------------------------------------


def test_no_secret_is_in_any_file_or_line(stage: Stage) -> None:
    gateway = stage.gateway
    token = gateway.issuer.token("plain-person", jti="j-planted", clearance="core")
    stage.service.answer = answer(b'{"name":"planted-body","id_number":"' + ID.encode() + b'","other":"planted-other"}')
    gateway.get(
        f"/evil/x?planted-query=1&q=planted-value&{ID}", token, cookie="planted-cookie", referer="planted-referer"
    )
    gateway.ask("POST", "/evil/x", token, body=b"planted-request")
    for kind, body in (
        ("application/json", b'{"planted-member": "planted-request"}'),
        ("application/x-www-form-urlencoded", b"planted-member=planted-request&id_number=" + ID.encode()),
        ("multipart/form-data; boundary=planted-request", b"--planted-request\r\n\r\nplanted-member"),
    ):
        gateway.ask(
            "POST",
            "/evil/x?x[]=planted-value;planted-value&%70lanted=planted-value",
            token,
            body=body,
            content_type=kind,
        )
    for kind, text in (
        ("application/x-ndjson", f'{{"name":"planted-body","other":"{ID}"}}\n{{"planted-other'),
        ("text/csv", f"name,id_number\nplanted-body,{ID}\nplanted-other,,\n"),
        ("application/xml", f"<a planted-body='planted-other'><name>{ID}</name></a><planted-other"),
        ("application/x-www-form-urlencoded", f"name=planted-body&planted-other;={ID}"),
        ("text/event-stream", f"id: planted-other\ndata: planted-body {ID}\n\n"),
        ("text/html", f"<planted-body>{ID}"),
        (f"application/planted-{ID}", "planted-body"),
    ):
        stage.service.answer = answer(text.encode(), kind=kind.encode())
        stage.ask()  # some of them are cut
    gateway.get("/evil/x", token + "x")
    gateway.get("/evil/x?access_token=" + token)
    gateway.get("/evil/x", "planted-credential")
    gateway.get("/evil/x", authorization="Basic cGxhbnRlZC1iYXNpYw==")
    for path in (f"/evil/x/{ID}", f"/nowhere/{ID}", f"/{ID}/../x", f"/evil/{ID}%2F"):
        gateway.get(path, token)
    stage.service.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nplanted-header\r\n\r\n{}"
    gateway.get("/evil/x", token)
    stage.service.answer = answer(b'{"' + ID.encode() + b'":"planted-name"')
    last = gateway.get("/evil/x", token).headers["x-gateway-decision"]
    gateway.door("POST", "/v1/audit/query", {"query": "subject:plain-person"})
    until(lambda: gateway.door("GET", f"/v1/decisions/{last}").status == 200)  # sealed and indexed
    metrics = gateway.door("GET", "/metrics").body
    signature = token.rpartition(".")[2]
    planted = [token, signature, "planted-value", "planted-cookie", "planted-referer", "planted-request", "planted-member", "planted-body", "planted-other",
               "planted-credential", "cGxhbnRlZC1iYXNpYw", "planted-header", "planted-name", ID]  # fmt: skip
    files = {path: path.read_bytes() for path in (*gateway.state.rglob("*"), gateway.log) if path.is_file()}
    for secret in planted:
        assert [path.name for path, data in files.items() if secret.encode() in data] == []
        assert secret.encode() not in metrics
    assert b"plain-person" in b"".join(files.values())  # the record itself is there
    assert b"plain-person" not in metrics


@pytest.fixture(scope="module")
def sealed(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A stopped gateway's ledger, its public key, and an older checkpoint that was kept."""
    state = stage.gateway.state
    before = (state / "ledger" / "checkpoint").read_text(encoding="utf-8")
    stage.ask()
    kept = until(
        lambda: now if (now := (state / "ledger" / "checkpoint").read_text(encoding="utf-8")) != before else ""
    )
    for _ in range(3):
        stage.ask()
    stage.gateway.stop()
    ledger = tmp_path_factory.mktemp("ledger") / "ledger"
    shutil.copytree(state / "ledger", ledger)
    return ledger, (state / "keys" / "ledger.pub").read_text(encoding="ascii"), kept


def test_an_orderly_stop_is_not_on_record_as_a_death(sealed: tuple[Path, str, str]) -> None:
    verdict = verify(*sealed)
    assert (verdict.status, verdict.gaps, verdict.interrupted) == ("intact", (), 0)


def test_no_change_of_any_file_of_the_ledger_goes_unnoticed(sealed: tuple[Path, str, str]) -> None:
    ledger = sealed[0]
    draw = random.Random(20261122)
    missed = []
    for path in sorted(
        path for path in ledger.rglob("*") if path.is_file() and path.name not in ("lock", "sealer.json")
    ):
        data = path.read_bytes()
        for change, altered in changes(data, draw):
            if altered == data:
                continue
            path.write_bytes(altered)
            if verify(*sealed).status == "intact":
                missed.append((path.name, change))
        path.write_bytes(data)
    assert missed == []
    assert verify(*sealed).status == "intact"


def changes(data: bytes, draw: random.Random) -> Iterator[tuple[str, bytes]]:
    """One bit, a piece less, a piece twice, the end cut off, something behind, nothing left."""
    yield from (("more", data + b"\n"), ("NUL", data + b"\0"), ("twice", data + data))
    if data:
        yield "empty", b""
    for _ in range(8 if data else 0):
        at, size = draw.randrange(len(data)), draw.randrange(1, 120)
        yield f"bit at {at}", data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]
        yield f"high bit at {at}", data[:at] + bytes([data[at] ^ 0x80]) + data[at + 1 :]
        yield f"cut at {at}", data[:at]
        yield f"gone at {at}", data[:at] + data[at + size :]


def test_a_ledger_cut_back_to_an_earlier_day_is_found_by_the_checkpoint_that_was_kept(
    sealed: tuple[Path, str, str],
) -> None:
    ledger, key, _ = sealed
    latest = (ledger / "checkpoint").read_text(encoding="utf-8")
    notes = (ledger / "checkpoints").read_text(encoding="utf-8").split("\n\n")
    earlier = ledger.parent / "earlier"
    shutil.copytree(ledger, earlier)
    first = f"{notes[0]}\n\n{notes[1]}\n"
    size = int(notes[0].split("\n")[1])
    (earlier / "checkpoint").write_text(first, encoding="utf-8")
    (earlier / "checkpoints").write_text(first + "\n", encoding="utf-8")
    entries, leaves = earlier / "entries" / "000000000000.bin", earlier / "leaves" / "000000000000.bin"
    data, at = entries.read_bytes(), 0
    for _ in range(size):
        at += 2 + int.from_bytes(data[at : at + 2], "big")
    entries.write_bytes(data[:at])
    leaves.write_bytes(leaves.read_bytes()[: size * 32])
    assert verify(earlier, key).status == "intact"  # nothing else can tell
    assert verify(earlier, key, latest).status == "altered"


def test_a_ledger_that_was_removed_is_not_intact(sealed: tuple[Path, str, str]) -> None:
    empty = sealed[0].parent / "empty"
    empty.mkdir()
    assert verify(empty, sealed[1]).status == "incomplete"
    assert verify(empty, sealed[1], sealed[2]).status == "altered"
