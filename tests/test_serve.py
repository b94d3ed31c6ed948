"""Processes die and are replaced; sockets and order of leaving stay as promised. Real forks, real signals."""

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.serve import WORDS, inherited, listen, notify_systemd

CREW = """
import os, signal, sys, time
from pathlib import Path
from gateway.serve import Crew, Supervisor, listen
from gateway.stores import Board

folder = Path(sys.argv[1])
listener = listen("127.0.0.1", 0)
board = Board.create(folder / "board", 3)

def line(text):
    os.write(1, (text + "\\n").encode())

def serve(slot, role):
    parent = os.getppid()
    going = [True]
    def stop(*_):
        going[0] = False
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, lambda *_: line("control reloads"))
    board.slot(slot).claim(os.getpid(), time.time(), role)
    board.slot(slot).set_ready(True)
    hangs = slot == 2 and float(sys.argv[2]) < 5 and not (folder / "hung").exists()
    line(f"{role}{slot} {os.getpid()}")
    listener.settimeout(0.05)
    if hangs:
        (folder / "hung").touch()
        time.sleep(60)
    while going[0] and os.getppid() == parent:
        board.slot(slot).beat(time.time())
        if role == "worker":
            try:
                connection, _ = listener.accept()
            except OSError:
                continue
            connection.sendall(str(os.getpid()).encode())
            connection.close()
        else:
            time.sleep(0.02)
    line(f"{role}{slot} leaves")

line(f"port {listener.getsockname()[1]}")
crew = Crew(2, lambda slot: serve(slot, "worker"), lambda: serve(0, "control"), 5.0, float(sys.argv[2]))
sys.exit(Supervisor(crew, board, line).run())
"""


class Running:
    """A supervisor in a process of its own; its lines are read as they come."""

    def __init__(self, folder: Path, script: str = CREW, stuck_seconds: float = 15.0) -> None:
        words = [sys.executable, "-c", textwrap.dedent(script), str(folder), str(stuck_seconds)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.seen: list[str] = []

    def until(self, wanted: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.seen.append(line.strip())
            if wanted in line:
                return line.strip()
        raise AssertionError(f"{wanted!r} never came; seen {self.seen}")

    def pids(self) -> dict[str, int]:
        return {line.split()[0]: int(line.split()[1]) for line in self.seen if line.split()[-1].isdigit()}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    yield from ready(Running(tmp_path))


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Running]:
    yield from ready(Running(tmp_path, stuck_seconds=0.5))


def ready(supervisor: Running) -> Iterator[Running]:
    supervisor.until("ready")
    yield supervisor
    supervisor.process.kill()
    supervisor.process.wait()
    assert supervisor.process.stdout is not None
    supervisor.process.stdout.close()
    for pid in supervisor.pids().values():
        if Path(f"/proc/{pid}").exists() and pid != supervisor.process.pid:
            os.kill(pid, signal.SIGKILL)


def ask(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        return int(connection.recv(100))


def test_a_killed_worker_is_replaced_and_nothing_that_waited_is_reset(running: Running) -> None:
    pids = running.pids()
    for worker in ("worker1", "worker2"):
        os.kill(pids[worker], signal.SIGSTOP)
    waiting = [socket.create_connection(("127.0.0.1", pids["port"]), timeout=10) for _ in range(20)]
    for worker in ("worker1", "worker2"):
        os.kill(pids[worker], signal.SIGKILL)
    answers = [int(connection.recv(100)) for connection in waiting]
    for connection in waiting:
        connection.close()
    assert len(answers) == 20
    assert not {pids["worker1"], pids["worker2"]} & set(answers)


def test_a_worker_that_hangs_is_killed_and_replaced_and_the_others_stay(impatient: Running) -> None:
    pids = impatient.pids()
    impatient.until("worker 2 shows no sign of life; killed")
    assert impatient.until("worker2 ").split()[1] != str(pids["worker2"])
    assert {ask(pids["port"]) for _ in range(20)} <= {pids["worker1"], impatient.pids()["worker2"]}
    assert not any("worker 1 shows" in line for line in impatient.seen)


def test_every_message_exists_in_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["zh-CN"].keys()
    for key, said in WORDS["en"].items():
        assert sorted(re.findall(r"{\w+", said)) == sorted(re.findall(r"{\w+", WORDS["zh-CN"][key]))


def test_a_killed_control_process_is_replaced_while_workers_answer(running: Running) -> None:
    pids = running.pids()
    os.kill(pids["control0"], signal.SIGKILL)
    assert ask(pids["port"]) in (pids["worker1"], pids["worker2"])
    assert running.until("control0 ").split()[1] != str(pids["control0"])


def test_hangup_reaches_control(running: Running) -> None:
    running.process.send_signal(signal.SIGHUP)
    running.until("control reloads")


def test_workers_leave_before_control(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    running.until("control0 leaves")
    assert {"worker1 leaves", "worker2 leaves"} <= set(running.seen)
    assert running.process.wait(10) == 0


NEVER = """
import sys
from pathlib import Path
from gateway.serve import UNUSABLE, Crew, Supervisor
from gateway.stores import Board
board = Board.create(Path(sys.argv[1]) / "board", 2)
crew = Crew(1, lambda slot: sys.exit(UNUSABLE), lambda: sys.exit(UNUSABLE), 1.0)
sys.exit(Supervisor(crew, board, print).run())
"""


def test_a_child_that_can_never_start_ends_the_supervisor(tmp_path: Path) -> None:
    run = Running(tmp_path, NEVER)
    assert run.process.wait(20) == 3
    assert run.process.stdout is not None
    run.process.stdout.close()


def test_sockets_of_systemd_are_taken_only_when_meant_for_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))
    assert inherited() == []


def test_systemd_is_told_over_its_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify_systemd("READY=1")
        assert ear.recv(100) == b"READY=1"


def test_a_listening_socket_is_bound_where_asked() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", listener.getsockname()[1])


@pytest.mark.parametrize(("soft", "hard", "taken"), [(256, 4096, 2048), (256, 512, 512), (3000, 4096, 3000)])
def test_a_low_soft_limit_of_descriptors_is_raised_and_a_high_one_kept(soft: int, hard: int, taken: int) -> None:
    code = f"""
        import resource
        from gateway.serve import take_descriptors
        resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
        print(take_descriptors(2048), resource.getrlimit(resource.RLIMIT_NOFILE))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == f"{taken} ({taken}, {hard})\n"
