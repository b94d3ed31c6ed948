"""Which processes run, and what happens when one of them dies?

The supervisor binds the listening sockets (or takes them from systemd), forks one control
process and N workers that inherit them, and replaces whichever dies. It is single-threaded,
has no event loop and answers no request. Rules:

1. The sockets belong to the supervisor: a killed worker resets nothing that was waiting, its
   siblings or its replacement accept it (one SO_REUSEPORT listener per worker lost 49 of 100).
2. A child that dies young is replaced more and more slowly, up to five seconds; the others serve on.
3. Stopping: workers finish what is in flight, then control seals what they recorded, then it ends.
   What is still there `LEAVE_SECONDS` after `drain_seconds` is killed: who is cut off at the end of the drain has still to
   write down how far its answers came.
4. A child whose supervisor is gone drains and leaves: an unsupervised gateway can neither be
   reloaded nor replaced. With socket activation systemd keeps the socket meanwhile.
5. A worker that shows no sign of life is as good as dead (an endless loop, a stop signal): what it has accepted
   hangs, and it would still win new connections. It is killed and replaced.
"""

import contextlib
import os
import resource
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence

from msgspec import Struct

from gateway.stores import Board

BACKLOG = 512
DESCRIPTORS = 65536  # of each process, where the machine allows it
LOOK_SECONDS = 1.0
LEAVE_SECONDS = 5.0
YOUNG_SECONDS = 5.0
SLOWEST_SECONDS = 5.0
UNUSABLE = 78  # sysexits.h EX_CONFIG: trying again would not help
_WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


WORDS = {
    "en": {
        "ready": "ready",
        "control": "control",
        "worker": "worker {slot}",
        "signal": "signal {number}",
        "status": "status {number}",
        "replaced": "{name} ended with {cause}; replaced",
        "replaced_later": "{name} ended with {cause}; replaced in {wait:.1f} s",
        "stuck": "{name} shows no sign of life; killed",
        "stopped": "stopped",
    },
    "zh-CN": {
        "ready": "已就绪",
        "control": "控制进程",
        "worker": "工作进程 {slot}",
        "signal": "信号 {number}",
        "status": "状态 {number}",
        "replaced": "{name}已结束（{cause}），正在替换",
        "replaced_later": "{name}已结束（{cause}），{wait:.1f} 秒后替换",
        "stuck": "{name}没有生命迹象，已终止",
        "stopped": "已停止",
    },
}


class Crew(Struct, frozen=True):
    """What the children do; each callable runs until it is told to stop by SIGTERM."""

    workers: int
    work: Callable[[int], None]  # argument: slot of the worker
    control: Callable[[], None]
    drain_seconds: float = 30.0
    stuck_seconds: float = 15.0


class Post(Struct):
    """A place that must be filled: the control process (slot 0) or a worker (slots from 1)."""

    slot: int
    pid: int = 0
    since: float = 0.0
    deaths: int = 0
    due: float = 0.0
    beat: float = 0.0
    still: float = 0.0  # seconds since its heart was last seen to move


class Supervisor:
    """Keeps every post filled until it is told to stop."""

    def __init__(self, crew: Crew, board: Board, say: Callable[[str], None], language: str = "en") -> None:
        self._words = WORDS[language]
        self._crew = crew
        self._board = board
        self._say = say
        self._posts = [Post(slot) for slot in range(crew.workers + 1)]
        self._announced = False
        self._looked = 0.0

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; 0 after a clean stop, 3 when a child can never start."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        take_descriptors()
        for post in self._posts:
            self._fill(post)
        while True:
            caught = signal.sigtimedwait(_WATCHED, self._patience())
            number = caught.si_signo if caught else 0
            if number in (signal.SIGTERM, signal.SIGINT):
                return self._stop()
            if number == signal.SIGHUP:
                self._tell_control(signal.SIGHUP)
            if not self._reap():
                self._stop()
                return 3
            for post in self._posts:
                if post.pid == 0 and time.monotonic() >= post.due:
                    self._fill(post)
            self._end_stuck()
            self._announce()

    def _patience(self) -> float:
        if not self._announced:
            return 0.02
        due = [post.due for post in self._posts if post.pid == 0]
        return min(LOOK_SECONDS, max(0.0, min(due) - time.monotonic())) if due else LOOK_SECONDS

    def _fill(self, post: Post) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = self._child(post.slot)
            finally:
                os._exit(code)  # never back into the supervisor's own frames
        post.pid, post.still = pid, 0.0
        post.since = time.monotonic()

    def _child(self, slot: int) -> int:
        """Run in the forked process; its exit status."""
        for number in _WATCHED:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # one sent to all of us must not kill a worker
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        try:
            if slot == 0:
                self._crew.control()
            else:
                self._crew.work(slot)
        except SystemExit as leaving:
            return leaving.code if isinstance(leaving.code, int) else 1
        except KeyboardInterrupt:
            return 0
        except OSError as error:
            print(f"gateway: {error}", file=sys.stderr, flush=True)  # noqa: T201 - the child's last words
            return 1
        finally:
            _last_words()
        return 0

    def _reap(self) -> bool:
        """Note the dead; False when one can never start."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return True
            code = os.waitstatus_to_exitcode(status)
            if code == UNUSABLE and not self._announced:
                return False
            self._bury(pid, code)

    def _bury(self, pid: int, code: int) -> None:
        for post in self._posts:
            if post.pid == pid:
                lived = time.monotonic() - post.since
                post.pid = 0
                post.deaths = post.deaths + 1 if lived < YOUNG_SECONDS else 0
                wait = 0.0 if post.deaths < 2 else min(SLOWEST_SECONDS, 0.1 * 2.0**post.deaths)
                post.due = time.monotonic() + wait
                cause = self._words["signal" if code < 0 else "status"].format(number=abs(code))
                said = "replaced_later" if wait else "replaced"
                self._say(self._words[said].format(name=self._name(post), cause=cause, wait=wait))

    def _end_stuck(self) -> None:
        now = time.monotonic()
        passed = min(now - self._looked, 2 * LOOK_SECONDS)  # a machine that stood still makes nobody stuck
        self._looked = now
        for post in self._posts[1:]:  # control may be long over one reload, and no request waits for it
            beat = self._board.slot(post.slot).heartbeat
            post.still = 0.0 if beat != post.beat else post.still + passed
            post.beat = beat
            if post.pid and post.still > self._crew.stuck_seconds:
                self._say(self._words["stuck"].format(name=self._name(post)))
                post.still = 0.0
                _kill(post.pid, signal.SIGKILL)

    def _announce(self) -> None:
        if self._announced:
            return
        ready = sum(slot.ready for slot in self._board.live("worker"))
        if ready == self._crew.workers and any(slot.ready for slot in self._board.live("control")):
            self._announced = True
            self._say(self._words["ready"])
            notify_systemd("READY=1")

    def _tell_control(self, number: signal.Signals) -> None:
        if self._posts[0].pid:
            os.kill(self._posts[0].pid, number)

    def _name(self, post: Post) -> str:
        return self._words["worker" if post.slot else "control"].format(slot=post.slot)

    def _stop(self) -> int:
        notify_systemd("STOPPING=1")
        deadline = time.monotonic() + self._crew.drain_seconds + LEAVE_SECONDS
        _end([post for post in self._posts if post.slot], deadline)
        _end([post for post in self._posts if not post.slot], max(deadline, time.monotonic() + LEAVE_SECONDS))
        self._say(self._words["stopped"])
        return 0


def _end(posts: Sequence[Post], deadline: float) -> None:
    for post in posts:
        _kill(post.pid, signal.SIGTERM)
    while any(post.pid for post in posts):
        with contextlib.suppress(ChildProcessError):
            for post in posts:
                if post.pid and os.waitpid(post.pid, os.WNOHANG)[0]:
                    post.pid = 0
        if time.monotonic() > deadline:
            for post in posts:
                _kill(post.pid, signal.SIGKILL)
                post.pid = 0
        signal.sigtimedwait([signal.SIGCHLD], 0.05)


def _kill(pid: int, number: signal.Signals) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _last_words() -> None:
    error = sys.exc_info()[1]
    if error is not None and not isinstance(error, SystemExit | KeyboardInterrupt | OSError):
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()


def take_descriptors(wanted: int = DESCRIPTORS) -> int:
    """Raise the soft limit of descriptors; the new limit. 1024, the usual one, is less than a worker's connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def listen(host: str, port: int) -> socket.socket:
    """A listening socket whose backlog is bounded. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def inherited() -> list[socket.socket]:
    """Sockets handed over by systemd (sd_listen_fds(3)); none when it did not start us."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    return [socket.socket(fileno=3 + n) for n in range(count)]


def notify_systemd(state: str) -> None:
    """Tell systemd (sd_notify(3)) when it asked to be told; silence otherwise."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messenger:
            messenger.connect("\0" + address[1:] if address.startswith("@") else address)
            messenger.send(state.encode())
