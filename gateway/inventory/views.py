"""What does the ledger look like to those who answer for it?

Tables: assets by department and grade, what grades each endpoint, what is unlabelled or overdue, fields by identifier, what is shown in clear, who
reads what grade, how much is masked, what drifts. Each is a value; who shows it decides how. A view of the record has no rows where no record was read.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from gateway.catalog import Listing, Reviewed
from gateway.facts import Grade
from gateway.inventory import VIEWS
from gateway.inventory.usage import Route, Usage

Words = tuple[str, str]
"""English and Chinese."""
Cell = str | int | float
"""A time is a float: seconds since 1970."""


class View(Struct, frozen=True):
    """One table; `name` is what a person types to get it."""

    name: str
    title: Words
    head: tuple[Words, ...]
    rows: tuple[tuple[Cell, ...], ...]


OF_RECORD: Final = frozenset({"exposed", "reads", "masking", "drift", "unlisted"})

_ASSET: Words = ("asset", "资产")
_OWNER: Words = ("department", "责任部门")
_GRADE: Words = ("grade", "级别")
_TITLE: Words = ("title", "名称")
_CATEGORY: Words = ("category", "类别")
_CONTRACT: Words = ("contract", "应答约定")
_ENDPOINTS: Words = ("endpoints", "端点数")
_FIELDS: Words = ("fields", "字段数")
_REVIEWED: Words = ("reviewed", "复核")
_NEXT: Words = ("due", "应复核日期")
_IDENTIFIER: Words = ("identifier", "标识类型")
_PATH: Words = ("path", "路径")
_ROUTE: Words = ("route", "路由")
_TIMES: Words = ("times", "次数")
_SINCE: Words = ("since", "首次")
_LAST: Words = ("last", "最近")
_ANSWERS: Words = ("answers", "应答数")
_RECORDS: Words = ("records", "记录数")
_MASKED: Words = ("values masked", "脱敏值数")
_CLEAR: Words = ("labelled values in clear", "明文标注值数")
_SHARE: Words = ("masked %", "脱敏占比 %")


def views(
    listings: Sequence[Listing],
    usage: Usage | None,
    today: str,
    chinese: bool,
    wanted: Iterable[str] = VIEWS,
    called: Mapping[str, Grade] = MappingProxyType({}),
) -> tuple[View, ...]:
    """The tables that are wanted.

    `today` is a day, 2026-01-31; `chinese`: which title of an asset is shown; `called`: what the province calls its levels.
    """
    made = _of_ledger(listings, today, chinese, called) + (_of_record(usage, listings) if usage is not None else [])
    found = {view.name: view for view in made}
    return tuple(found[name] for name in wanted if name in found)


def _of_ledger(listings: Sequence[Listing], today: str, chinese: bool, called: Mapping[str, Grade]) -> list[View]:
    return [
        View(
            "assets",
            ("Assets", "资产台账"),
            (_ASSET, _TITLE, _OWNER, _CATEGORY, _GRADE, _CONTRACT, _ENDPOINTS, _FIELDS,
             ("categories", "数据分类"), ("subject", "数据主体"), ("legal basis", "法律依据"),
             ("sharing", "共享属性"), ("opening", "开放属性"), ("source", "来源"), _REVIEWED, _NEXT),
            tuple(_asset(one, today, chinese) for one in listings),
        ),
        View(
            "owners",
            ("Departments and grades", "按部门与级别"),
            (_OWNER, *((grade.text, grade.text) for grade in Grade), ("reviewed %", "已复核占比 %")),
            tuple(_owner(owner, [one for one in listings if one.owner == owner], today) for owner in _owners(listings)),
        ),
        View(
            "grades",
            ("What grades are called here", "级别与本地名称"),
            (_GRADE, ("called", "本地名称")),
            tuple((grade.text, name) for name, grade in sorted(called.items(), key=lambda one: -one[1])),
        ),
        View(
            "endpoints",
            ("Endpoints and what grades them", "端点与定级依据"),
            (_ASSET, ("endpoint", "端点"), _GRADE, _CONTRACT, ("graded by", "定级依据"), ("name", "依据名称")),
            tuple(
                (one.id, route.route, route.grade.text, route.contract, route.because.by, route.because.name)
                for one in listings for route in one.routes
            ),
        ),
        View(
            "identifiers",
            ("Fields by identifier", "按标识类型的字段"),
            (_IDENTIFIER, _ASSET, _PATH, _GRADE),
            tuple(
                sorted((field.identifier, one.id, field.path, field.grade.text)
                       for one in listings for field in one.fields if field.identifier)
            ),
        ),
        View("unlabelled", ("Without a label", "未标注"), (_ASSET, _OWNER, ("what", "对象"), _GRADE), tuple(_unlabelled(listings))),
        View(
            "expired",
            ("Reviews that are overdue", "复核已逾期"),
            (_ASSET, _OWNER, ("what", "对象"), ("by", "复核人"), ("on", "复核日期"), _NEXT),
            tuple(_expired(listings, today)),
        ),
        View(
            "overrides",
            ("Graded lower on purpose", "经批准降低级别"),
            (_ASSET, ("what", "对象"), _GRADE, ("ticket", "单号"), ("approved by", "批准人"), ("on", "日期"), ("until", "截止")),
            tuple(_overrides(listings)),
        ),
    ]  # fmt: skip


def _asset(one: Listing, today: str, chinese: bool) -> tuple[Cell, ...]:
    about, reviewed = one.about, done(one, today)
    return (
        one.id, (one.title_zh if chinese else one.title_en), one.owner, one.category, one.grade.text, one.contract, len(one.endpoints),
        len(one.fields), ", ".join(about.categories), about.subject, about.basis_zh if chinese else about.basis_en,
        about.share, about.open, about.source,
        reviewed.on if reviewed else "", reviewed.next if reviewed else "",
    )  # fmt: skip


def done(one: Listing, today: str) -> Reviewed | None:
    """The review of an asset, None where nobody has looked yet."""
    reviewed = one.about.reviewed
    return reviewed if reviewed is not None and reviewed.done(today) else None


def _owners(listings: Sequence[Listing]) -> list[str]:
    return sorted({one.owner for one in listings})


def _owner(owner: str, own: Sequence[Listing], today: str) -> tuple[Cell, ...]:
    counts = Counter(one.grade for one in own)
    reviewed = sum(done(one, today) is not None for one in own)
    return (owner, *(counts[grade] for grade in Grade), _percent(reviewed, len(own)))


def _unlabelled(listings: Sequence[Listing]) -> Iterator[tuple[Cell, ...]]:
    for one in listings:
        if not one.fields:
            yield one.id, one.owner, "*", one.grade.text
        for route in one.routes:
            if route.unlabelled:
                yield one.id, one.owner, route.route, route.grade.text


def reviews(one: Listing) -> Iterator[tuple[str, Reviewed]]:
    """Everything of an asset that somebody reviewed, with who and when; "" for the asset itself."""
    if one.about.reviewed is not None:
        yield "", one.about.reviewed
    yield from ((route.route, route.reviewed) for route in one.routes if route.reviewed is not None)
    yield from ((label.path, label.reviewed) for label in one.labels if label.reviewed is not None)


def _expired(listings: Sequence[Listing], today: str) -> Iterator[tuple[Cell, ...]]:
    for one in listings:
        for what, reviewed in reviews(one):
            if reviewed.overdue(today):
                yield one.id, one.owner, what or one.id, reviewed.by, reviewed.on, reviewed.next


def _overrides(listings: Sequence[Listing]) -> Iterator[tuple[Cell, ...]]:
    for one in listings:
        for what, override in ((one.id, one.override), *((route.route, route.override) for route in one.routes)):
            if override is not None:
                grade = override.grade.text if override.grade is not None else ""
                yield one.id, what, grade, override.ticket, override.approver, override.on, override.until


def _of_record(usage: Usage, listings: Sequence[Listing]) -> list[View]:
    reads = sorted(usage.reads.items(), key=lambda item: (-_rank(item[0][1]), item[0][0]))
    assets = sorted({route.asset for route in usage.routes.values()})
    return [
        View(
            "exposed",
            ("Shown in clear", "明文展示"),
            (_ASSET, _OWNER, _GRADE, _ROUTE, _ANSWERS, _RECORDS, _CLEAR),
            tuple(_exposed(usage, listings)),
        ),
        View(
            "reads",
            ("Who read what grade", "谁读取了哪一级别"),
            (("office", "机构"), _GRADE, _ANSWERS, _RECORDS, ("people", "人数"), _MASKED, _CLEAR),
            tuple(
                (org or "-", grade, one.answers, one.records, len(one.people), one.masked, one.clear)
                for (org, grade), one in reads
            ),
        ),
        View(
            "masking",
            ("Masked and in clear", "脱敏与明文"),
            (_ASSET, _ANSWERS, _RECORDS, _MASKED, _CLEAR, _SHARE, ("stopped by the second look", "二次检查拦截")),
            tuple(_masking(asset, usage.of_asset(asset)) for asset in assets),
        ),
        View(
            "drift",
            ("Fields that nobody labelled", "未标注的字段"),
            (_ASSET, _ROUTE, _PATH, _TIMES, _SINCE, _LAST),
            tuple(unlabelled_met(usage)),
        ),
        View(
            "unlisted",
            ("Asked for and not listed", "被请求但未登记"),
            (("API", "接口"), _PATH, _TIMES, _SINCE, _LAST),
            tuple(unlisted_met(usage)),
        ),
    ]


def _exposed(usage: Usage, listings: Sequence[Listing]) -> list[tuple[Cell, ...]]:
    """Each endpoint that showed labelled values in clear, the most of them first."""
    known = {one.id: (one.owner, one.grade.text) for one in listings}
    shown = ((name, route) for (_, name), route in usage.routes.items() if route.clear)
    return [
        (one.asset, *known.get(one.asset, ("", "")), name, one.answers, one.records, one.clear)
        for name, one in sorted(shown, key=lambda pair: (-pair[1].clear, pair[1].asset, pair[0]))
    ]


def _rank(grade: str) -> int:
    return next((one for one in Grade if one.text == grade), 0)


def _masking(asset: str, routes: list[Route]) -> tuple[Cell, ...]:
    masked, clear = sum(one.masked for one in routes), sum(one.clear for one in routes)
    answers, records = sum(one.answers for one in routes), sum(one.records for one in routes)
    return asset, answers, records, masked, clear, _percent(masked, masked + clear), sum(one.residual for one in routes)


def _percent(part: int, whole: int) -> Cell:
    return round(100 * part / whole) if whole else ""


def unlabelled_met(usage: Usage) -> list[tuple[str, str, str, int, float, float]]:
    """Asset, route and path of each field that nobody labelled; how often, from when to when. The most frequent first."""
    rows = [
        (route.asset, name, path, seen.times, seen.first, seen.last)
        for (_, name), route in usage.routes.items()
        for path, seen in route.unlabelled.items()
    ]
    return sorted(rows, key=lambda row: (-row[3], row))


def unlisted_met(usage: Usage) -> list[tuple[str, str, int, float, float]]:
    """API and path of each request that no asset lists; how often, from when to when. The most frequent first."""
    rows = [(api, path, seen.times, seen.first, seen.last) for (api, path), seen in usage.unlisted.items()]
    return sorted(rows, key=lambda row: (-row[2], row))
