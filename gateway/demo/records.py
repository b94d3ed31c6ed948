"""Which records does the sample department keep?

All persons, companies and visits are invented. Numbers carry correct check digits
(GB 11643-1999 for resident ids, GB 32100-2015 for credit codes), so that whatever
recognises real ones recognises these; the same seed gives the same records.
"""

import random
from datetime import date, timedelta

from msgspec import Struct

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_DOUBLE_SURNAMES = ("欧阳", "上官", "诸葛")
_GIVEN = "伟芳娜敏静丽强磊洋艳勇军杰娟涛明超秀兰霞平刚桂英华玉建国春梅"
_STREETS = ("文三路", "体育场路", "解放路", "中山北路", "学院路", "湖墅南路")
_DISTRICTS = (("330106", "西湖区"), ("330105", "拱墅区"), ("330102", "上城区"), ("330108", "滨江区"))
_TRADES = ("云计算", "丝绸", "茶叶", "医疗器械", "物流", "建筑设计")
_DIAGNOSES = ("高血压", "2型糖尿病", "急性支气管炎", "腰椎间盘突出", "过敏性鼻炎", "抑郁状态")
_HOSPITALS = ("省立第一医院", "市中医院", "滨江区社区卫生服务中心")
_RELATIONS = ("配偶", "子女", "父母")

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORG_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Records(Struct, frozen=True):
    """Everything the service can be asked for, by id."""

    households: dict[str, dict[str, object]]
    enterprises: dict[str, dict[str, object]]
    visits: dict[str, dict[str, object]]


def make_records(seed: int = 20261121, households: int = 40, enterprises: int = 20, visits: int = 30) -> Records:
    """The synthetic records of one seed."""
    rng = random.Random(seed)  # noqa: S311 - invented data, not a secret
    homes = [_household(rng, 1001 + n) for n in range(households)]
    firms = [_enterprise(rng) for _ in range(enterprises)]
    seen = [_visit(rng, 5001 + n, homes) for n in range(visits)]
    return Records(
        {str(home["id"]): home for home in homes},
        {str(firm["credit_code"]): firm for firm in firms},
        {str(visit["id"]): visit for visit in seen},
    )


def resident_id(area: str, born: date, sequence: int) -> str:
    """An 18-character resident id with its ISO 7064 MOD 11-2 check character."""
    digits = f"{area}{born:%Y%m%d}{sequence:03d}"
    check = "10X98765432"[sum(int(d) * w for d, w in zip(digits, _ID_WEIGHTS, strict=True)) % 11]
    return digits + check


def credit_code(area: str, organisation: str) -> str:
    """An 18-character unified social credit code: inner organisation code and MOD 31 check included."""
    inner = organisation + _organisation_check(organisation)
    body = f"91{area}{inner}"
    total = sum(_CREDIT_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + _CREDIT_ALPHABET[(31 - total % 31) % 31]


def _organisation_check(code: str) -> str:
    check = 11 - sum(_ORG_ALPHABET.index(c) * w for c, w in zip(code, _ORG_WEIGHTS, strict=True)) % 11
    return {10: "X", 11: "0"}.get(check, str(check))


def _person(rng: random.Random) -> dict[str, object]:
    area, district = rng.choice(_DISTRICTS)
    born = date(1950, 1, 1) + timedelta(days=rng.randrange(25_000))
    surname = rng.choice(_DOUBLE_SURNAMES) if rng.random() < 0.05 else rng.choice(_SURNAMES)
    return {
        "name": surname + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2)))),
        "id_number": resident_id(area, born, rng.randrange(1, 999)),
        "birth_date": born.isoformat(),
        "phone": f"1{rng.choice('35789')}{rng.choice('035678')}{rng.randrange(10**8):08d}",
        "address": f"浙江省杭州市{district}{rng.choice(_STREETS)}{rng.randrange(1, 300)}号{rng.randrange(1, 20)}幢"
        f"{rng.randrange(1, 7)}0{rng.randrange(1, 5)}室",
    }


def _household(rng: random.Random, number: int) -> dict[str, object]:
    members = [
        {key: value for key, value in _person(rng).items() if key in ("name", "id_number", "birth_date")}
        | {"relation": rng.choice(_RELATIONS)}
        for _ in range(rng.randrange(0, 4))
    ]
    return (
        {"id": f"h-{number}"} | _person(rng) | {"members": members, "registered_at": f"20{rng.randrange(10, 25)}-06-01"}
    )


def _enterprise(rng: random.Random) -> dict[str, object]:
    area, _ = rng.choice(_DISTRICTS)
    organisation = "MA" + "".join(rng.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=6))
    return {
        "credit_code": credit_code(area, organisation),
        "name": f"杭州{''.join(rng.choices(_GIVEN, k=2))}{rng.choice(_TRADES)}有限公司",
        "legal_representative": str(_person(rng)["name"]),
        "registered_capital": rng.randrange(10, 5000) * 10_000,
        "status": rng.choice(("存续", "存续", "注销")),
    }


def _visit(rng: random.Random, number: int, homes: list[dict[str, object]]) -> dict[str, object]:
    patient = rng.choice(homes)
    return {
        "id": f"v-{number}",
        "patient": {"name": patient["name"], "id_number": patient["id_number"]},
        "hospital": rng.choice(_HOSPITALS),
        "diagnosis": rng.choice(_DIAGNOSES),
        "cost": round(rng.uniform(20, 4000), 2),
        "visited_at": f"2026-{rng.randrange(1, 12):02d}-{rng.randrange(1, 28):02d}T{rng.randrange(8, 18):02d}:30:00+08:00",
    }
