"""`gateway demo`: what does this thing do? Shown live, checked, and left running to try."""

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

TEXTS = {
    "en": {
        "help": "the main job, live: a service, an issuer, a gateway, and the story told on them",
        "workers": "worker processes of the gateway",
        "once": "tell the story, check every answer, leave with 0 or say what failed",
        "starting": "Starting a department's service, a token issuer and the gateway, each a process of its own:",
        "held": "The story holds: {count} of {count} steps, {seconds:.1f} s.",
        "untrue": "THE STORY DOES NOT HOLD\n{why}",
        "not_up": "could not start: {why}",
        "try": "Everything is still running. Try it:",
        "stop": "Stop with Ctrl-C.",
        "gone": "STOPPED: {why}",
        "silent": "no answer: {why}",
        "dir": "keep the files here instead of a temporary folder",
        "port": "port of the gateway; the next two are used beside it",
        "folder": "configuration, policies, keys and ledger",
        "door": "the operators' door (Unix socket)",
        "metrics": "metrics",
        "edit": "change a rule, then reload",
    },
    "zh-CN": {
        "help": "现场演示主要功能：业务服务、签发方、网关，以及在其上讲述的完整过程",
        "workers": "网关的工作进程数量",
        "once": "讲述一遍，逐一核对应答；全部成立则以 0 退出，否则说明哪一步不成立",
        "starting": "正在启动部门业务服务、令牌签发方和网关，各为独立进程：",
        "held": "全部成立：{count} 步中 {count} 步，用时 {seconds:.1f} 秒。",
        "untrue": "演示不成立\n{why}",
        "not_up": "无法启动：{why}",
        "try": "所有进程仍在运行，可自行尝试：",
        "stop": "按 Ctrl-C 停止。",
        "gone": "已停止：{why}",
        "silent": "没有应答：{why}",
        "dir": "将文件保存在此目录，而不是临时目录",
        "port": "网关端口；其后两个端口也会使用",
        "folder": "配置、策略、密钥与台账",
        "door": "运维入口（Unix 套接字）",
        "metrics": "监控指标",
        "edit": "修改一条规则后重新加载",
    },
}

LOOK_SECONDS = 0.5


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("demo", help=TEXTS["en"]["help"], description=TEXTS["en"]["help"])
    parser.add_argument("--once", action="store_true", help=TEXTS["en"]["once"])
    parser.add_argument("--dir", default="", help=TEXTS["en"]["dir"])
    parser.add_argument("--port", type=int, default=8080, help=TEXTS["en"]["port"])
    parser.add_argument("--workers", type=int, default=1, help=TEXTS["en"]["workers"])
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Tell the story; 0 when it holds, 1 when it does not, 3 when it could not be told."""
    from httpx import TransportError

    from gateway.demo.stage import NotUp, stage, workspace
    from gateway.demo.story import Untrue, tell

    language = "zh-CN" if args.lang == "zh-CN" else "en"
    words = TEXTS[language]
    folder, ours = workspace(args.dir)
    up = False
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell starts what it puts aside with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        print(words["starting"], flush=True)
        with stage(folder, _starter(), language, args.port, args.workers, _say) as (place, crew):
            up = True
            began = time.monotonic()
            try:
                count = sum(1 for _ in tell(place, _say))
            except (Untrue, TransportError):
                _look_after(crew)  # a process that ended says more than the answer that did not come
                raise
            print("\n" + words["held"].format(count=count, seconds=time.monotonic() - began), flush=True)
            if not args.once:
                _invite(place, words)
                while True:
                    _look_after(crew)
                    time.sleep(LOOK_SECONDS)
    except (Untrue, TransportError) as why:
        said = words["silent"].format(why=why) if isinstance(why, TransportError) else str(why)
        print("\n" + words["untrue"].format(why=said), flush=True)
        return 1
    except NotUp as why:
        print(words["gone" if up else "not_up"].format(why=why.zh if language == "zh-CN" else why), flush=True)
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


def _invite(place: Any, words: dict[str, str]) -> None:
    beside = Path(sys.executable).with_name("gateway")
    gateway = "gateway" if shutil.which("gateway") or not beside.exists() else os.path.relpath(beside)
    socket = place.state / "control.sock"
    lines = [
        "",
        words["try"],
        "",
        f"  TOKEN=$(curl -s {place.issuer}/token -d user=zhang.wei -d plain=1)",
        f'  curl -s {place.gateway}/civil/households/h-1002 -H "Authorization: Bearer $TOKEN"',
        f'  curl -si {place.gateway}/health/visits -H "Authorization: Bearer $TOKEN"',
        f"  {gateway} audit query 'outcome:deny | count by reason' -c {place.config}",
        f"  {gateway} policy explain --as zhang.wei --given role=clerk --given org=prov/civil --do 'GET /health/visits' -c {place.config}",
        "",
        f"  {words['folder']}: {place.folder}",
        f"  {words['door']}: curl --unix-socket {socket} http://control/health",
        f"  {words['metrics']}: curl --unix-socket {socket} http://control/metrics",
        f"  {words['edit']}: {place.folder}/policies/rules/ , {gateway} reload -c {place.config}",
        "",
        words["stop"],
    ]
    print("\n".join(lines), flush=True)
