"""`gateway serve`: put the gateway in front of its APIs, and keep it there."""

import argparse
import errno
import fcntl
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_config
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.config import Config

WORDS: dict[str, tuple[str, str]] = {
    "serve.help": ("run the gateway", "运行网关"),
    "serve.workers": ("number of worker processes (default: the configuration's)", "工作进程数量（默认取自配置）"),
    "serve.observe": (
        "decide and record as always, but let pass what rules would deny (never core data, never a bad credential)",
        "照常判定并留痕，但放行规则本应拒绝的请求（核心数据和无效凭证除外）",
    ),
    "serve.follow": (
        "start with the policy folder, also when a rollback or promotion pinned another revision",
        "以策略目录启动，即使此前的回滚或转正已固定其他修订版",
    ),
    "serve.fresh": (
        "begin with an empty state store where the old one is lost: what was withdrawn holds no more, told tokens are told again",
        "状态库丢失时以空库启动：此前的吊销不再有效，已还原的令牌可再次还原",
    ),
    "serve.lost": (
        "`{path}` is missing or empty, and the record beside it is not: revocations would be forgotten, tokens that were told "
        "would be told again. Restore the newest backup; or go on without, and then withdraw again what "
        "`gateway audit query 'name:revocation.add'` lists: gateway serve --fresh-state",
        "`{path}` 缺失或为空，而旁边的审计日志并非空的：吊销会被遗忘，已还原的令牌会再次还原。请恢复最新备份；"
        "或以空库继续，随后按 `gateway audit query 'name:revocation.add'` 的结果重新吊销：gateway serve --fresh-state",
    ),
    "serve.began_anew": (
        "STATE STORE BEGAN ANEW: nothing that was withdrawn before holds; see `gateway audit query 'name:revocation.add'`",
        "状态库为新建：此前的吊销均已失效，见 `gateway audit query 'name:revocation.add'`",
    ),
    "serve.pinned": (
        "the revision {digest} is pinned; the policy folder is followed again after `gateway reload`",
        "已固定修订版 {digest}；执行 `gateway reload` 后恢复跟随策略目录",
    ),
    "serve.emergency": ("emergency level {level} is in force", "{level} 级应急响应生效中"),
    "serve.observing": (
        "OBSERVE MODE for {apis}: requests that rules would deny are forwarded. Never core data, never bad credentials.",
        "观察模式：{apis}。规则本应拒绝的请求会被转发；核心数据和无效凭证除外。",
    ),
    "serve.weak": ("weakened by configuration: {switches}", "配置中已放宽的安全项：{switches}"),
    "serve.running": ("another gateway uses `{state}`", "另一个网关正在使用 `{state}`"),
    "serve.writable": (
        "other accounts can change `{place}`: chmod 700 {place}",
        "其他账户可以改动 `{place}`：chmod 700 {place}",
    ),
    "serve.foreign": (
        "`{place}` belongs to another account, which can change it: chown it to the one that serves",
        "`{place}` 属于另一个账户，该账户可以改动它：请用 chown 改为运行网关的账户",
    ),
    "serve.replaceable": (
        "every account can rename what is in `{place}`, the state directory too: chmod o-w {place}",
        "任何账户都能重命名 `{place}` 中的内容，包括状态目录：chmod o-w {place}",
    ),
    "serve.bind": ("cannot listen on {address}: {why}", "无法监听 {address}：{why}"),
    "serve.in_use": (
        "another program uses it; `ss -ltnp` shows which. Stop it, or change `listen` in {file}",
        "该地址已被其他程序占用，`ss -ltnp` 可查看是哪一个。请停止该程序，或修改 {file} 中的 `listen`",
    ),
    "serve.not_here": (
        "this machine has no such address; change `listen` in {file}",
        "本机没有该地址，请修改 {file} 中的 `listen`",
    ),
    "serve.forbidden": (
        "this account may not open a port below 1024; take a higher one, or let systemd open it",
        "该账户不能使用 1024 以下的端口，请改用更大的端口，或由 systemd 打开",
    ),
    "serve.sm2_key": (
        "made the SM2 key of the ledger; hand its public half to the auditor: {key}",
        "已生成审计日志的 SM2 密钥；请将其公钥交给审计人员：{key}",
    ),
    "serve.listening": ("listening on {address}", "正在监听 {address}"),
    "serve.keys": (
        "`gateway init` makes the keys of a new gateway; it never replaces one",
        "`gateway init` 为新网关生成密钥，绝不替换已有密钥",
    ),
}

BOUND = {errno.EADDRINUSE: "serve.in_use", errno.EADDRNOTAVAIL: "serve.not_here", errno.EACCES: "serve.forbidden"}
"""Why an address cannot be had, where there is something to do about it."""


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("serve", help="serve.help", description="serve.help")
    with_config(parser)
    parser.add_argument("--workers", type=int, default=0, help="serve.workers")
    parser.add_argument("--observe", action="store_true", help="serve.observe")
    parser.add_argument("--follow", action="store_true", help="serve.follow")
    parser.add_argument("--fresh-state", action="store_true", help="serve.fresh")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; 1 for faults in files, 3 when there is none or it cannot run here."""
    from gateway.config import load
    from gateway.document import Faulty
    from gateway.stores import BoardFault, StateFault

    screen = Screen(args)
    if not Path(args.config).exists():
        screen.warn("no_config", "error", path=args.config)
        return 3
    environ = dict(os.environ)
    if args.observe:
        environ["GATEWAY__MODE"] = "observe"
    if args.workers:
        environ["GATEWAY__WORKERS"] = str(args.workers)
    try:
        return _serve(load(Path(args.config), environ), screen, args.follow, args.fresh_state)
    except Faulty as faulty:
        screen.faults(faulty.faults)
        return 1
    except (BoardFault, StateFault) as fault:
        return _fail(screen.choose(fault.en, fault.zh))
    except OSError as error:
        return _fail(f"{error.filename or args.config}: {error.strerror or error}")


def _serve(config: "Config", screen: Screen, follow: bool, fresh: bool) -> int:
    from gateway.app import control, revisions, start, worker
    from gateway.config.state import exposed, forgotten, prepare_sm2
    from gateway.config.state import faults as state_faults
    from gateway.serve import Crew, Supervisor, inherited, listen
    from gateway.stores import Board, State, instant

    wrong = state_faults(config.state, config.audit.origin, config.crypto)
    if wrong:
        return _fail("\n".join((*(screen.choose(one.en, one.zh) for one in wrong), screen.text("serve.keys"))))
    way_in = exposed(config.state)
    if way_in is not None:
        _say(screen.text(f"serve.{way_in.kind}", place=str(way_in.place)))
        if way_in.kind != "replaceable":  # an emptyDir of Kubernetes is open like this, and holds nobody else
            return 3
    os.umask(0o077)  # whatever the account's own is: what is made from here on is nobody else's
    lock = os.open(config.state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _fail(screen.text("serve.running", state=config.state))
    anew = forgotten(config.state)
    if anew and not fresh:
        return _fail(screen.text("serve.lost", path=config.state / "state.db"))
    if config.crypto != "intl" and (made := prepare_sm2(config.state, config.audit.origin)).made:
        _say(screen.text("serve.sm2_key", key=made.sm2_verifier))
    state = State(config.state / "state.db")
    compiled = start.first(config, state, instant(), follow)
    revisions.name_candidate(config.state, compiled.digest)  # the last life's may not fit these APIs: never prepared
    pinned = state.activations(1)[0].pinned
    state.close()
    if anew:
        _say(screen.text("serve.began_anew"))
    if pinned:
        _say(screen.text("serve.pinned", digest=compiled.digest[:12]))
    if level := revisions.level_of(compiled.digest):
        _say(screen.text("serve.emergency", level=level))
    listeners = inherited()
    for address in () if listeners else config.listen:
        try:
            listeners.append(listen(address.host, address.port))
        except OSError as error:
            key = BOUND.get(error.errno or 0)
            why = screen.text(key, file=str(config.file)) if key else error.strerror or str(error)
            return _fail(screen.text("serve.bind", address=address, why=why))
    board = Board.create(config.state / "board", config.workers + 1)
    if config.observing:
        _say(screen.text("serve.observing", apis=", ".join(config.observing)))
    if config.insecure:
        _say(screen.text("serve.weak", switches=", ".join(config.insecure)))
    crew = Crew(
        config.workers,
        lambda slot: worker.work(config, worker.Place(slot, tuple(listeners), compiled)),
        lambda: control.control(config, compiled, anew),
        config.edge.limits.drain_seconds,
    )
    for listener in listeners:
        host, port = listener.getsockname()[:2]
        _say(screen.text("serve.listening", address=f"[{host}]:{port}" if ":" in host else f"{host}:{port}"))
    return Supervisor(crew, board, _say, screen.language).run()


def _say(text: str) -> None:
    print(f"gateway: {text}", file=sys.stderr, flush=True)


def _fail(text: str) -> int:
    _say(text)
    return 3
