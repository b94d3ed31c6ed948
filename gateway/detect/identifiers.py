"""What is this value, judged by its form, its check digits and the names it stands under?

1. A form alone proves little: any eight digits are a Taiwan compatriot permit. Only a few identifiers are told by
   their value (`alone`); every other needs a name on the way to it that says so.
2. Names are the other evidence: `idCard`, `sfzh`, `身份证号`. Any name on the way counts, as in
   `{"idCard": {"value": …}}`; case and separators do not.
3. Full-width digits and letters are read as plain ones, so that `１３８…` is still a phone.
4. Confidence is the sum of what speaks for it, between 0 and 1: form 0.3 (an email address or a plate looks like nothing
   else: 0.8), check digits 0.5, name 0.4. A lone mobile number has 0.3: whoever sees many of them on one path may say more.

Values are looked at and forgotten: nothing here keeps, cuts or prints them.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

from msgspec import Struct

from gateway.detect.checks import (
    is_bank_card,
    is_credit_code,
    is_date,
    is_imei,
    is_old_resident_id,
    is_org_code,
    is_resident_id,
    is_vin,
)
from gateway.detect.surnames import SURNAMES

FORM, SURE, CHECKED, NAMED = 0.3, 0.8, 0.5, 0.4
PROPOSED = 0.8
"""From this confidence on a label is worth proposing to a person."""
MAX_VALUE = 320
_SEPARATORS = re.compile(r"[ -]")


class Detector(Struct, frozen=True):
    """How one identifier is told: the form of the whole value, a check, and whether the value is proof enough."""

    identifier: str
    form: re.Pattern[str]
    names: str  # words in lower case, without separators; one of four letters or more may be part of a name
    check: Callable[[str], bool] | None = None  # of the value without spaces and hyphens, in capitals
    alone: bool = False  # the value speaks for itself, without a name
    form_says: float = FORM  # what the form alone is worth


class Recognised(Struct, frozen=True):
    """What a value may be, and how sure that is (0 to 1)."""

    identifier: str
    confidence: float


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})\Z", re.ASCII | re.IGNORECASE)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_place(text: str) -> bool:
    """A pair within the borders of China, in either order."""
    first, second = (float(part) for part in re.split(r"[ ,]+", text, maxsplit=1))
    return any(3.8 <= lat <= 53.6 and 73.5 <= lon <= 135.1 for lat, lon in ((first, second), (second, first)))


def _is_name(text: str) -> bool:
    """A surname with one or two characters after it; several parts for the names of other peoples of China."""
    return "·" in text or (text[0] in SURNAMES and len(text) <= 3) or (text[:2] in SURNAMES and 3 <= len(text) <= 4)


RESIDENT_ID = r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]"
MOBILE = r"(?:\+?86[- ]?)?1(?:3[0-9]|4[0145-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])[- ]?[0-9]{4}[- ]?[0-9]{4}"
CARD = r"62[0-9]{2}(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{1,3})?"
EMAIL = r"[A-Za-z0-9](?:[A-Za-z0-9_%+-]|\.[A-Za-z0-9_%+-]){0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}"
CREDIT_CODE = r"[1-9A-GY][1-9A-HJ-NPQRTUWXY][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}"
PLATE_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
PLATE = (
    rf"[{PLATE_PROVINCES}][A-HJ-Z][·\- ]?(?:(?=[A-HJ-NP-Z]*[0-9])[A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9挂学警港澳]"
    r"|[0-9]{5}[A-HJK]|[A-HJK][A-HJ-NP-Z0-9][0-9]{4})|[0-9]{6}使|[A-Z][0-9]{5}领|WJ[·\- ]?.?[0-9]{4}[0-9A-Z]"
)

PLATE_BYTES = (
    f"(?:{'|'.join(PLATE_PROVINCES)})[A-HJ-Z](?:·|[- ])?[A-HJ-NP-Z0-9]{{4,5}}(?:挂|学|警|港|澳|[A-HJ-NP-Z0-9])"
)
"""The common plates for engines that look at bytes and cannot look ahead; the full form decides."""

DETECTORS: dict[str, Detector] = {
    one.identifier: one
    for one in (
        Detector(
            "resident-id",
            _form(RESIDENT_ID),
            "idcard idno idnum idnumber identity identitycard certno certnum sfz sfzh sfzhm zjhm shenfenzheng residentid "
            "citizenid nationalid 身份证 证件号 公民身份",
            is_resident_id,
            alone=True,
        ),
        Detector(
            "old-resident-id",
            _form(r"[1-9][0-9]{14}"),
            "idcard idno idnumber certno sfz sfzh sfzhm zjhm oldid 身份证 证件号",
            is_old_resident_id,
        ),
        Detector(
            "credit-code",
            _form(CREDIT_CODE),
            "creditcode uscc unifiedcode socialcredit tyshxydm xydm 信用代码 纳税人识别号 taxno",
            is_credit_code,
            alone=True,
        ),
        Detector(
            "org-code",
            _form(r"[0-9A-Z]{8}-?[0-9X]"),
            "orgcode organizationcode organisationcode zzjgdm jgdm 组织机构代码 机构代码",
            is_org_code,
        ),
        Detector(
            "phone",
            _form(MOBILE),
            "phone mobile cell tel telephone sjh sjhm lxdh contact 手机 电话 联系方式",
            alone=True,
        ),
        Detector(
            "landline",
            _form(
                r"(?:0(?:10|2[0-9])[- ]?[2-8][0-9]{7}|0[3-9][0-9]{2}[- ]?[2-8][0-9]{6,7})(?:[- ][0-9]{1,5})?"
                r"|[48]00[- ]?[0-9]{3}[- ]?[0-9]{4}"
            ),
            "tel telephone landline phone fax dh gddh lxdh 电话 座机 固话 传真",
        ),
        Detector(
            "bank-card",
            _form(
                r"(?:6[02589][0-9]{2}|81[0-9]{2}|4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|35[0-9]{2}|9[0-9]{3})"
                r"(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{1,3})?|3[47][0-9]{13}"
            ),
            "bankcard cardno cardnumber bankno bankaccount accountno yhkh yhzh kahao 银行卡 卡号 银行账号 账号",
            is_bank_card,
        ),
        Detector(
            "passport",
            _form(r"E[0-9]{8}|E[A-HJ-NP-Z][0-9]{7}|[DSPKM][0-9]{8}|(?:DE|SE|PE|KJ|MA)[0-9]{7}|G[0-9]{8}|1[45][0-9]{7}"),
            "passport passportno hzh hzhm huzhao 护照",
        ),
        Detector(
            "permit",
            _form(
                r"[CW](?:[0-9]{8}|[A-HJ-NP-Z][0-9]{7})|[HM][0-9]{8}(?:[0-9]{2})?"
                r"|[0-9]{8}(?:[0-9]{2})?(?:\([A-Z]\))?|[TL][0-9]{8}"
            ),
            "permit hkpermit mtp txz txzh tbz hxz 通行证 回乡证 台胞证",
        ),
        Detector(
            "officer-id",
            _form(r"[军武士文][一-龥]{0,2}[字官]?字?第?[0-9]{4,8}号?"),
            "officer soldier military jgz sbz 军官证 士兵证 军人证",
        ),
        Detector(
            "plate",
            _form(PLATE),
            "plate platenumber carno vehicleno cph cphm 车牌 号牌",
            alone=True,
            form_says=SURE,
        ),
        Detector(
            "vin",
            _form(r"[A-HJ-NPR-Z0-9]{8}[0-9X][A-HJ-NPR-Z0-9]{8}"),
            "vin frameno chassis cjh clsbdh 车架号 车辆识别",
            is_vin,
        ),
        Detector("imei", _form(r"[0-9]{15}"), "imei deviceid meid 设备号 串号", is_imei),
        Detector(
            "social-card",
            _form(r"[A-Z][0-9]{8}|" + RESIDENT_ID),
            "socialcard socialsecurity ssn sbkh shbzh ybkh medicalcard 社保 医保 社会保障",
        ),
        Detector("email", _form(EMAIL), "email mail yx dzyx 邮箱 邮件", alone=True, form_says=SURE),
        Detector(
            "address",
            _form(
                r"[一-龥].{4,}(?:[路街道巷弄村组屯里]|小区|花园|大厦|广场).*[0-9一二三四五六七八九十](?:号|幢|栋|座|室|单元|弄|楼).*"
            ),
            "address addr dz zz jtzz hjdz xzz residence 住址 地址 住所",
        ),
        Detector(
            "name",
            _form(r"[一-龥]{2,4}|[一-龥]{1,8}(?:·[一-龥]{1,8}){1,3}"),
            "name fullname realname username personname xm xingming contactname 姓名 联系人 法人 户主",
            _is_name,
        ),
        Detector("ip", _form(r"[0-9a-f.:]{3,45}"), "ip ipaddr ipaddress clientip remoteaddr", _is_address),
        Detector(
            "mac",
            _form(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}"),
            "mac macaddr macaddress 物理地址",
        ),
        Detector(
            "birth-date",
            _form(r"(?:19|20)[0-9]{2}[-/.]?[0-9]{2}[-/.]?[0-9]{2}"),
            "birth birthday birthdate dob csrq chushengriqi 出生 生日",
            lambda text: is_date(re.sub(r"[./]", "", text)),
        ),
        Detector(
            "gps",
            _form(r"[0-9]{1,3}\.[0-9]{3,}[ ,]+[0-9]{1,3}\.[0-9]{3,}"),
            "gps location coordinate lnglat latlng jwd lat lng lon latitude longitude 坐标 经纬度 经度 纬度",
            _is_place,
        ),
    )
}
"""Every identifier that has a form. `secret` and `other` have none: a person says so."""


def recognise(value: str, names: Iterable[str] = ()) -> tuple[Recognised, ...]:
    """What a value may be, the surest first; `names` are those on the way to it, outermost first.

    What neither its value nor a name proves is left out.
    """
    text = plain(value) if len(value) <= MAX_VALUE else ""  # to make a long one plain may take the square of its length
    if not text:
        return ()
    return tuple(told for detector, told in _asked(tuple(names)) if fits(detector, text))


@lru_cache(maxsize=8192)
def _asked(names: tuple[str, ...]) -> tuple[tuple[Detector, Recognised], ...]:
    """Who has a say about a value under these names, and what a value that fits then is; the surest first."""
    called = frozenset[str]().union(*map(named, names))
    asked = [
        (one, Recognised(one.identifier, min(1.0, proven(one) + (NAMED if one.identifier in called else 0.0))))
        for one in DETECTORS.values()
        if one.alone or one.identifier in called
    ]
    return tuple(sorted(asked, key=lambda pair: (-pair[1].confidence, pair[1].identifier)))


def proven(detector: Detector) -> float:
    """How sure a value that fits is by itself."""
    return detector.form_says + (CHECKED if detector.check else 0.0)


def fits(detector: Detector, text: str) -> bool:
    """Whether a plain text has the form and passes the check."""
    if detector.form.match(text) is None:
        return False
    return detector.check is None or detector.check(_bare(detector, text))


def _bare(detector: Detector, text: str) -> str:
    """Without the separators that people write; a plain name, place or address keeps its own."""
    return text if detector.identifier in {"gps", "ip", "name"} else _SEPARATORS.sub("", text).upper()


def plain(value: str) -> str:
    """The text with full-width letters and digits as plain ones and nothing around it (NFKC)."""
    return value.strip() if value.isascii() else unicodedata.normalize("NFKC", value).strip()


@lru_cache(maxsize=8192)
def named(name: str) -> frozenset[str]:
    """The identifiers that a name speaks of: `idCardNo`, `user_phone`, `联系人姓名`."""
    flat = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name)).lower()
    words = frozenset(part.lower() for part in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])|[^\x00-\x7f]+", name))
    return frozenset(
        identifier for identifier, keywords in _KEYWORDS if any(_speaks(keyword, flat, words) for keyword in keywords)
    )


_KEYWORDS = tuple((one.identifier, tuple(one.names.split())) for one in DETECTORS.values())


def _speaks(keyword: str, flat: str, words: frozenset[str]) -> bool:
    """Short keywords are whole words (`ip` is not in `description`), long and Chinese ones may be a part."""
    if keyword.isascii() and len(keyword) < 4:
        return keyword == flat or keyword in words
    return keyword in flat
