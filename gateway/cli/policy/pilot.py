"""`gateway policy pilot`: how would the next policies do, on real traffic?

A candidate (`candidate:` of the configuration) is asked beside the active policies: in shadow first, then for a share of
the callers or for departments, until it is promoted, stopped, or withdraws itself.
"""

import argparse
import re
import time
from typing import Any

from gateway.cli.parser import with_door
from gateway.cli.screen import Screen
from gateway.cli.times import moment, spelled

WORDS: dict[str, tuple[str, str]] = {
    "pilot.help": ("try the next policies on live traffic", "在真实流量上试点下一版策略"),
    "pilot.start.help": (
        "ask the candidate beside the active policies; without a share it only looks on",
        "在现行策略之外同时询问候选策略；不设比例时只观察不判定",
    ),
    "pilot.share.help": ("let the candidate decide about more callers, or fewer", "调整由候选策略判定的调用方范围"),
    "pilot.promote.help": (
        "make the candidate the active policies; a restart keeps them",
        "使候选策略成为现行策略，重启后仍然有效",
    ),
    "pilot.stop.help": ("end the pilot; the active policies decide about everybody", "结束试点，全部由现行策略判定"),
    "pilot.show.help": (
        "what the candidate decides otherwise, and how it keeps its limits",
        "查看候选策略的不同判定及各项限值",
    ),
    "pilot.percent": ("share of the callers that it decides about, 0 to 100", "由候选策略判定的调用方比例，0 至 100"),
    "pilot.org": (
        "department whose people it decides about, with all below; may be repeated",
        "由候选策略判定的机构（含下级机构），可重复",
    ),
    "pilot.no_org": ("no department any more", "不再按机构选取"),
    "pilot.deny": (
        "withdraw it when it refuses more than this share that the active policies permit (default 2%%)",
        "候选策略拒绝而现行策略允许的请求超过该比例时自动撤回（默认 2%%）",
    ),
    "pilot.gain": (
        "the same when it permits or shows what the active policies do not (default 2%%)",
        "候选策略允许或显示了现行策略不允许、不显示的内容，超过该比例时自动撤回（默认 2%%）",
    ),
    "pilot.errors": ("the same for errors (default 0.1%%)", "错误超过该比例时自动撤回（默认 0.1%%）"),
    "pilot.p99": (
        "the same when one answer in a hundred takes longer (default 50ms)",
        "百分之一的应答超过该时长时自动撤回（默认 50ms）",
    ),
    "pilot.until": (
        "end of the pilot: 24h from now, or a time with its offset (default 24h)",
        "结束时间：如 24h，或带时区的时刻（默认 24h）",
    ),
    "pilot.odd": ("`{value}` does not fit {option}", "`{value}` 不适用于 {option}"),
    "pilot.nothing": (
        "say what to change: --percent, --org, --no-org, a limit or --for",
        "请指明要更改的内容：--percent、--org、--no-org、限值或 --for",
    ),
    "pilot.both": ("--org and --no-org exclude each other", "--org 与 --no-org 不能同时使用"),
    "pilot.none": ("no pilot is running", "没有正在进行的试点"),
    "pilot.rejected": ("the candidate was not started; nothing has changed", "候选策略未启动，一切照旧"),
    "pilot.unpromoted": ("the candidate was not promoted; the pilot goes on", "候选策略未被采用，试点继续"),
    "pilot.started": (
        "pilot {pilot} has begun: {candidate} is asked beside the active policies, and decides about {share}",
        "试点 {pilot} 已开始：{candidate} 与现行策略同时接受询问，判定范围：{share}",
    ),
    "pilot.changed": (
        "pilot {pilot} goes on: {candidate} decides about {share}",
        "试点 {pilot} 继续：{candidate} 的判定范围：{share}",
    ),
    "pilot.promoted": (
        "in force in every worker: {bundle} (before {previous}); pinned until the next `gateway reload`",
        "已在所有工作进程生效：{bundle}（此前为 {previous}）；在下次 `gateway reload` 之前保持固定",
    ),
    "pilot.stopped": (
        "pilot {pilot} has ended; the active policies decide about everybody",
        "试点 {pilot} 已结束，全部由现行策略判定",
    ),
    "pilot.nobody": ("nobody (it looks on)", "无（仅观察）"),
    "pilot.callers": ("{percent}% of the callers", "{percent}% 的调用方"),
    "pilot.state": (
        "pilot {pilot}: {candidate}, started by {by} at {at}, ends {until}",
        "试点 {pilot}：{candidate}，由 {by} 于 {at} 启动，{until} 结束",
    ),
    "pilot.decides": ("decides about: {share}", "判定范围：{share}"),
    "pilot.judged": (
        "asked {count:request} from {since} to {until}: {permit} permitted, {challenge} to sign in again, {deny} denied",
        "自 {since} 至 {until} 共询问 {count} 次：允许 {permit}，要求重新登录 {challenge}，拒绝 {deny}",
    ),
    "pilot.unjudged": (
        "no worker has told yet what it asked the candidate (each does so every second); counted since {since}",
        "尚无工作进程报告询问结果（每秒报告一次）；自 {since} 起计数",
    ),
    "pilot.few": (
        "only {count:request} were asked about, fewer than {enough}: that says little about the rest",
        "只询问了 {count} 次，不足 {enough} 次：不足以说明其余情况",
    ),
    "pilot.why_promoted": ("promoted", "已采用为现行策略"),
    "pilot.why_stopped": ("stopped", "已手动停止"),
    "pilot.why_replaced": ("replaced", "被另一次试点取代"),
    "pilot.why_over": ("its time is over", "已到期"),
    "pilot.why_another": ("another revision came into force", "已有其他修订版生效"),
    "pilot.why_unreadable": ("its candidate cannot be read any more", "其候选策略已无法读取"),
    "pilot.why_unsigned": ("its candidate is not signed", "其候选策略未签名"),
    "pilot.why_broken": (
        "a worker could not ask the candidate ({detail})",
        "有工作进程无法询问候选策略（{detail}）",
    ),
    "pilot.why_unprepared": (
        "a worker could not read the candidate ({detail})",
        "有工作进程无法读取候选策略（{detail}）",
    ),
    "pilot.why_deny": (
        "withdrawn: {count} of {of} were refused what the active policies permit; allowed {allowed}",
        "已撤回：{of} 次中有 {count} 次拒绝了现行策略允许的请求，上限 {allowed}",
    ),
    "pilot.why_gain": (
        "withdrawn: {count} of {of} were permitted or shown what the active policies do not; allowed {allowed}",
        "已撤回：{of} 次中有 {count} 次允许或显示了现行策略不允许、不显示的内容，上限 {allowed}",
    ),
    "pilot.why_errors": (
        "withdrawn: {count} of {of} ended in errors; allowed {allowed}, beside it {beside}",
        "已撤回：{of} 次中有 {count} 次出错，上限 {allowed}，同期现行策略为 {beside}",
    ),
    "pilot.why_p99": (
        "withdrawn: {count} of {of} were slower than the limit; allowed {allowed}, beside it {beside}",
        "已撤回：{of} 次中有 {count} 次慢于限值，上限 {allowed}，同期现行策略为 {beside}",
    ),
    "pilot.same": ("no decision differed", "判定全部一致"),
    "pilot.kind": ("it would", "不同之处"),
    "pilot.api": ("api", "接口"),
    "pilot.rules": ("rules", "规则"),
    "pilot.count": ("times", "次数"),
    "pilot.decided": ("decided", "已判定"),
    "pilot.decisions": ("decisions", "判定编号"),
    "pilot.orgs": ("department", "机构"),
    "pilot.loses": ("loses", "受限"),
    "pilot.gains": ("gains", "放宽"),
    "pilot.limit": ("limit", "限值"),
    "pilot.allowed": ("allowed", "允许"),
    "pilot.candidate": ("candidate", "候选"),
    "pilot.active": ("active", "现行"),
    "pilot.limit_deny": ("newly denied", "新增拒绝"),
    "pilot.limit_gain": ("newly permitted or shown", "新增允许或显示"),
    "pilot.limit_errors": ("errors", "错误"),
    "pilot.limit_p99": ("slower than {seconds}", "慢于 {seconds}"),
    "pilot.would_deny": ("deny", "拒绝"),
    "pilot.would_challenge": ("ask for a stronger sign-in", "要求更强登录"),
    "pilot.would_permit": ("permit", "允许"),
    "pilot.would_show": ("show more", "显示更多"),
    "pilot.would_hide": ("hide more", "隐藏更多"),
    "pilot.past": (
        "pilot {pilot} of {candidate} ended {at}: {why}",
        "试点 {pilot}（{candidate}）已于 {at} 结束：{why}",
    ),
}


WHY = {
    "promoted": "promoted",
    "stopped": "stopped",
    "replaced": "replaced",
    "its time is over": "over",
    "another revision came into force": "another",
    "its candidate cannot be read any more": "unreadable",
    "its candidate is not signed": "unsigned",
}
"""Why a pilot ended, as the store keeps it, and the text that tells it."""
CROSSED = re.compile(
    r"(?P<limit>deny|gain|errors|p99): (?P<count>\d+) of (?P<of>\d+) .*, allowed (?P<allowed>[\d.]+%)(?:; beside it (?P<beside>[\d.]+%))?"
)
REPORTED = re.compile(r"pilot\.(?P<what>broken|unprepared) (?P<detail>.*)", re.DOTALL)
ENOUGH = 200  # requests below which a pilot says little: the limits are shares of as many


def register(commands: Any) -> None:
    """Add the group and its commands."""
    group = commands.add_parser("pilot", help="pilot.help", description="pilot.help")
    steps = group.add_subparsers(dest="pilot_command", metavar="COMMAND", required=True)
    for name, step in STEPS.items():
        parser = steps.add_parser(name, help=f"pilot.{name}.help", description=f"pilot.{name}.help")
        if name in ("start", "share"):
            _terms(parser)
        with_door(parser)
        parser.set_defaults(run=run, step=step)


def _terms(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--percent", default="", metavar="N", help="pilot.percent")
    parser.add_argument("--org", action="append", default=[], metavar="ORG", help="pilot.org")
    if parser.prog.endswith("share"):
        parser.add_argument("--no-org", action="store_true", help="pilot.no_org")
    parser.add_argument("--max-deny", default="", metavar="SHARE", help="pilot.deny")
    parser.add_argument("--max-gain", default="", metavar="SHARE", help="pilot.gain")
    parser.add_argument("--max-errors", default="", metavar="SHARE", help="pilot.errors")
    parser.add_argument("--max-p99", default="", metavar="TIME", help="pilot.p99")
    parser.add_argument("--for", dest="until", default="", metavar="TIME", help="pilot.until")


def run(args: argparse.Namespace) -> int:
    """0 done, 1 the gateway said no or no pilot runs, 2 a value that cannot be, 3 no answer."""
    screen = Screen(args)
    return int(args.step(args, screen))


class Odd(ValueError):
    """A value that does not fit its option."""

    def __init__(self, option: str, value: str) -> None:
        super().__init__(option)
        self.option, self.value = option, value


def _wish(args: argparse.Namespace) -> dict[str, Any]:
    """What the options say, as the door takes it. Raises Odd."""
    from gateway.config.units import duration

    percent = _read("--percent", args.percent.removesuffix("%"), float, 100)
    limits = {
        "deny": _read("--max-deny", args.max_deny, share),
        "gain": _read("--max-gain", args.max_gain, share),
        "errors": _read("--max-errors", args.max_errors, share),
        "p99": _read("--max-p99", args.max_p99, duration),
    }
    wish: dict[str, Any] = {
        "percent": percent,
        "until": _read("--for", args.until, lambda text: moment(text, time.time()), 1e11),
    }
    if args.org or getattr(args, "no_org", False):
        wish["orgs"] = args.org
    if any(limit is not None for limit in limits.values()):
        wish["limits"] = limits
    return {name: value for name, value in wish.items() if value is not None}


def _read(option: str, text: str, read: Any, most: float = 600) -> float | None:
    if not text:
        return None
    try:
        value = float(read(text))
    except ValueError:
        raise Odd(option, text) from None
    if not 0 <= value <= most:  # NaN too
        raise Odd(option, text)
    return value


def share(text: str) -> float:
    """`2%` or `0.02`. Raises ValueError."""
    value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


def _start(args: argparse.Namespace, screen: Screen) -> int:
    return _submit(args, screen, None)


def _share(args: argparse.Namespace, screen: Screen) -> int:
    """Change the pilot that runs; which one that is, is asked first: it may be another one than people think."""
    if args.org and args.no_org:
        screen.warn("pilot.both", "error")
        return 2
    code, answer = _asked(args, screen, "GET", "/v1/pilot")
    if code:
        return code
    if answer["pilot"] is None:
        return _none(screen)
    return _submit(args, screen, answer["pilot"]["pilot"])


def _submit(args: argparse.Namespace, screen: Screen, number: int | None) -> int:
    try:
        wish = _wish(args)
    except Odd as odd:
        screen.warn("pilot.odd", "error", option=odd.option, value=odd.value)
        return 2
    if number is not None and not wish:
        screen.warn("pilot.nothing", "error")
        return 2
    code, answer = _asked(args, screen, "POST", "/v1/pilot", wish | ({"pilot": number} if number is not None else {}))
    if code:
        return code
    key = "pilot.started" if number is None else "pilot.changed"
    screen.say(key, "good", pilot=answer["pilot"], candidate=answer["candidate"][:12], share=_who(screen, answer))
    screen.result(answer)
    return 0


def _promote(args: argparse.Namespace, screen: Screen) -> int:
    code, answer = _asked(args, screen, "GET", "/v1/pilot")
    if code:
        return code
    if answer["pilot"] is None:
        return _none(screen)
    number, seen = answer["pilot"]["pilot"], sum(answer["pilot"]["judged"].values())
    code, answer = _asked(args, screen, "POST", f"/v1/pilot/promote?pilot={number}", rejected="pilot.unpromoted")
    if code:
        return code
    screen.say("pilot.promoted", "good", bundle=answer["bundle"][:12], previous=answer["previous"][:12])
    if seen < ENOUGH:
        screen.warn("pilot.few", "warning", count=seen, enough=ENOUGH)
    screen.result(answer)
    return 0


def _stop(args: argparse.Namespace, screen: Screen) -> int:
    code, answer = _asked(args, screen, "DELETE", "/v1/pilot")
    if code:
        return code
    screen.say("pilot.stopped", "good", pilot=answer["pilot"])
    screen.result(answer)
    return 0


def _show(args: argparse.Namespace, screen: Screen) -> int:
    """0 with the pilot that runs, 1 when none does."""
    code, answer = _asked(args, screen, "GET", "/v1/pilot")
    if code:
        return code
    screen.result(answer)
    running = answer["pilot"]
    if running is None:
        screen.say("pilot.none", "dim")
    else:
        _tell(screen, running)
    for one in answer["past"][:3]:
        at = spelled(one["ended_at"])
        screen.say(
            "pilot.past",
            "dim",
            pilot=one["pilot"],
            candidate=one["candidate"][:12],
            at=at,
            why=_why(screen, one["why"]),
        )
    return 0 if running is not None else 1


def _why(screen: Screen, why: str) -> str:
    """Why a pilot ended, in the operator's language; what nobody foresaw as it was written."""
    if why in WHY:
        return screen.text(f"pilot.why_{WHY[why]}")
    if crossed := CROSSED.fullmatch(why):
        return screen.text(f"pilot.why_{crossed['limit']}", **crossed.groupdict())
    if reported := REPORTED.fullmatch(why):
        return screen.text(f"pilot.why_{reported['what']}", detail=reported["detail"])
    return why


def _tell(screen: Screen, running: dict[str, Any]) -> None:
    times = {name: spelled(running[name]) for name in ("at", "until")}
    screen.say(
        "pilot.state", "bold", pilot=running["pilot"], candidate=running["candidate"][:12], by=running["by"], **times
    )
    screen.say("pilot.decides", share=_who(screen, running))
    outcomes = {name: running["judged"].get(name, 0) for name in ("permit", "challenge", "deny")}
    since, until = spelled(running["counted_since"]), running["counted_until"]
    if until is None:
        screen.say("pilot.unjudged", "dim", since=since)
    else:
        screen.say("pilot.judged", count=sum(outcomes.values()), since=since, until=spelled(until), **outcomes)
    if until is not None or running["differences"]:
        _tell_differences(screen, running)
    _tell_limits(screen, running)


def _tell_differences(screen: Screen, running: dict[str, Any]) -> None:
    rows = [
        (
            screen.text(f"pilot.{row['kind']}"),
            row["api"],
            " ".join(row["rules"]),
            row["count"],
            row["decided"],
            " ".join(row["decisions"][:2]),
        )
        for row in running["differences"]
    ]
    if not rows:
        screen.say("pilot.same", "dim")
        return
    heads = ("kind", "api", "rules", "count", "decided", "decisions")
    screen.table([screen.text(f"pilot.{name}") for name in heads], rows)
    orgs = [(one["org"], one["loses"], one["gains"]) for one in running["orgs_differ"]]
    screen.table([screen.text(f"pilot.{name}") for name in ("orgs", "loses", "gains")], orgs)


def _tell_limits(screen: Screen, running: dict[str, Any]) -> None:
    limits, tried, active = running["limits"], running["window"]["candidate"], running["window"]["active"]
    slow = screen.text("pilot.limit_p99", seconds=f"{limits['p99'] * 1000:g}ms")
    rows = [
        (screen.text("pilot.limit_deny"), f"{limits['deny']:.2%}", _part(tried, "denied", "decisions"), ""),
        (screen.text("pilot.limit_gain"), f"{limits['gain']:.2%}", _part(tried, "gained", "decisions"), ""),
        (screen.text("pilot.limit_errors"), f"{limits['errors']:.2%}", _part(tried, "errors", "decisions"), _part(active, "errors", "decisions")),
        (slow, "1.00%", _part(tried, "slow", "answers"), _part(active, "slow", "answers")),
    ]  # fmt: skip
    screen.table([screen.text(f"pilot.{name}") for name in ("limit", "allowed", "candidate", "active")], rows)


def _part(figures: dict[str, Any], count: str, of: str) -> str:
    return f"{figures[count]} / {figures[of]}"


def _who(screen: Screen, running: dict[str, Any]) -> str:
    percent = [screen.text("pilot.callers", percent=f"{running['percent']:g}")] if running["percent"] else []
    return " + ".join([*percent, *running["orgs"]]) or screen.text("pilot.nobody")


def _none(screen: Screen) -> int:
    screen.warn("pilot.none", "error")
    return 1


def _asked(
    args: argparse.Namespace,
    screen: Screen,
    method: str,
    target: str,
    wish: object = None,
    rejected: str = "pilot.rejected",
) -> tuple[int, Any]:
    """0 and the answer, or the exit code after saying why there is none."""
    from gateway.cli.door import answered

    said = {404: screen.text("pilot.none"), 422: screen.text(rejected)}
    return answered(args, screen, method, target, wish, said)


STEPS = {"start": _start, "share": _share, "promote": _promote, "stop": _stop, "show": _show}
