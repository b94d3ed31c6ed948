"""`gateway demo`: what does this thing do? Shown live, checked, and left running to try."""

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from gateway.cli.screen import Screen

WORDS: dict[str, tuple[str, str]] = {
    "demo.help": (
        "the main job, live: a service, an issuer, a gateway, and the story told on them",
        "现场演示主要功能：业务服务、签发方、网关，以及在其上讲述的完整过程",
    ),
    "demo.workers": ("worker processes of the gateway", "网关的工作进程数量"),
    "demo.once": (
        "tell the story, check every answer, leave with 0 or say what failed",
        "讲述一遍，逐一核对应答；全部成立则以 0 退出，否则说明哪一步不成立",
    ),
    "demo.starting": (
        "Starting a department's service, a token issuer and the gateway, each a process of its own:",
        "正在启动部门业务服务、令牌签发方和网关，各为独立进程：",
    ),
    "demo.held": (
        "The story holds: {count} of {count} steps, {seconds:.1f} s.",
        "全部成立：{count} 步中 {count} 步，用时 {seconds:.1f} 秒。",
    ),
    "demo.untrue": ("THE STORY DOES NOT HOLD", "演示不成立"),
    "demo.not_up": ("could not start: ", "无法启动："),
    "demo.try": ("Everything is still running. Try it:", "所有进程仍在运行，可自行尝试："),
    "demo.stop": ("Stop with Ctrl-C.", "按 Ctrl-C 停止。"),
    "demo.gone": ("STOPPED: ", "已停止："),
    "demo.silent": ("no answer: {why}", "没有应答：{why}"),
    "demo.dir": ("keep the files here instead of a temporary folder", "将文件保存在此目录，而不是临时目录"),
    "demo.port": ("port of the gateway; the next two are used beside it", "网关端口；其后两个端口也会使用"),
    "demo.folder": ("configuration, policies, keys and ledger", "配置、策略、密钥与审计日志"),
    "demo.door": ("the operators' door (Unix socket)", "运维入口（Unix 套接字）"),
    "demo.metrics": ("metrics", "监控指标"),
    "demo.edit": ("change a rule, then reload", "修改一条规则后重新加载"),
}

LOOK_SECONDS = 0.5


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("demo", help="demo.help", description="demo.help")
    parser.add_argument("--once", action="store_true", help="demo.once")
    parser.add_argument("--dir", default="", help="demo.dir")
    parser.add_argument("--port", type=int, default=8080, help="demo.port")
    parser.add_argument("--workers", type=int, default=1, help="demo.workers")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Tell the story; 0 when it holds, 1 when it does not, 3 when it could not be told."""
    from httpx import TransportError

    from gateway.demo.stage import NotUp, stage, workspace
    from gateway.demo.story import Untrue, tell

    screen = Screen(args)
    folder, ours = workspace(args.dir)
    up = False
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell starts what it puts aside with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        print(screen.text("demo.starting"), flush=True)
        with stage(folder, _starter(), screen.language, args.port, args.workers, _say) as (place, crew):
            up = True
            began = time.monotonic()
            try:
                count = sum(1 for _ in tell(place, _say))
            except (Untrue, TransportError):
                _look_after(crew)  # a process that ended says more than the answer that did not come
                raise
            print("\n" + screen.text("demo.held", count=count, seconds=time.monotonic() - began), flush=True)
            if not args.once:
                _invite(place, screen)
                while True:
                    _look_after(crew)
                    time.sleep(LOOK_SECONDS)
    except (Untrue, TransportError) as why:
        said = screen.text("demo.silent", why=why) if isinstance(why, TransportError) else str(why)
        print(f"\n{screen.text('demo.untrue')}\n{said}", flush=True)
        return 1
    except NotUp as why:
        print(screen.text("demo.gone" if up else "demo.not_up") + screen.choose(str(why), why.zh), flush=True)
        return 3
    except KeyboardInterrupt:
        return 0
    finally:
        if ours:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _look_after(crew: Any) -> None:
    for one in crew:
        one.check()


def _say(line: str) -> None:
    print(line, flush=True)


def _starter() -> Path:
    from gateway.cli.init import starter

    return starter()


def _invite(place: Any, screen: Screen) -> None:
    beside = Path(sys.executable).with_name("gateway")
    gateway = "gateway" if shutil.which("gateway") or not beside.exists() else os.path.relpath(beside)
    socket = place.state / "control.sock"
    lines = [
        "",
        screen.text("demo.try"),
        "",
        f"  TOKEN=$(curl -s {place.issuer}/token -d user=zhang.wei -d plain=1)",
        f'  curl -s {place.gateway}/civil/households/h-1002 -H "Authorization: Bearer $TOKEN"',
        f'  curl -si {place.gateway}/health/visits -H "Authorization: Bearer $TOKEN"',
        f"  {gateway} audit query 'outcome:deny | count by reason' -c {place.config}",
        f"  {gateway} policy explain --as zhang.wei --given role=clerk --given org=prov/civil --do 'GET /health/visits' -c {place.config}",
        "",
        f"  {screen.text('demo.folder')}: {place.folder}",
        f"  {screen.text('demo.door')}: curl --unix-socket {socket} http://control/health",
        f"  {screen.text('demo.metrics')}: curl --unix-socket {socket} http://control/metrics",
        f"  {screen.text('demo.edit')}: {place.folder}/policies/rules/ , {gateway} reload -c {place.config}",
        "",
        screen.text("demo.stop"),
    ]
    print("\n".join(lines), flush=True)
