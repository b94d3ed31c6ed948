"""Identifiers and harmless numbers, made from a seed: none belongs to anybody."""

import datetime
import json
import random
from collections.abc import Callable

from gateway.detect.checks import is_credit_code, is_luhn, is_org_code, is_resident_id, is_vin


def resident_id(random_: random.Random) -> str:
    """Eighteen characters that pass all checks."""
    day = datetime.date(1930, 1, 1) + datetime.timedelta(days=random_.randrange(34_000))
    area = random_.choice(["330106", "110101", "440305", "510104", "650102", "710000", "810000"])
    head = f"{area}{day:%Y%m%d}{random_.randrange(1, 1000):03d}"
    return next(head + last for last in "0123456789X" if is_resident_id(head + last))


def mobile(random_: random.Random) -> str:
    """Eleven digits of a mobile network."""
    return random_.choice(["138", "139", "150", "176", "188", "199"]) + f"{random_.randrange(10**8):08d}"


def bank_card(random_: random.Random) -> str:
    """Nineteen digits that pass Luhn."""
    head = "6222" + f"{random_.randrange(10**14):014d}"
    return next(head + str(last) for last in range(10) if is_luhn(head + str(last)))


def credit_code(random_: random.Random) -> str:
    """Eighteen characters with a valid organisation code inside."""
    while True:
        body = f"MA{random_.randrange(10**6):06d}"
        for org in "0123456789X":
            for last in "0123456789ABCDEFGHJKLMNPQRTUWXY":
                code = f"91330106{body}{org}{last}"
                if is_credit_code(code):
                    return code


def email(random_: random.Random) -> str:
    """An address of an office."""
    return f"user{random_.randrange(10**5)}@office{random_.randrange(99)}.example.gov.cn"


def plate(random_: random.Random) -> str:
    """A common plate."""
    return f"{random_.choice('浙京沪粤')}{random_.choice('ABCDE')}{random_.randrange(10**5):05d}"


MADE = {
    "resident-id": resident_id,
    "phone": mobile,
    "bank-card": bank_card,
    "credit-code": credit_code,
    "email": email,
    "plate": plate,
}


def benign(random_: random.Random) -> bytes:
    """An answer as services give them, with numbers of all lengths and no identifier of a person in it."""
    record = {
        "id": random_.randrange(10**6),
        "snowflake": random_.randrange(12 * 10**17, 21 * 10**17),
        "created": 1_600_000_000_000 + random_.randrange(10**11),
        "orderNo": f"2026{random_.randrange(1, 13):02d}{random_.randrange(1, 29):02d}{random_.randrange(10**10):010d}",
        "uuid": str(random_.getrandbits(128)) if random_.random() < 0.1 else f"{random_.getrandbits(128):032x}",
        "version": "1.2.3.4",
        "amount": round(random_.random() * 1e6, 2),
        "area": "330106",
        "day": f"{random_.randrange(1990, 2027)}-{random_.randrange(1, 13):02d}-{random_.randrange(1, 29):02d}",
        "remark": "请于三日内办理完毕，联系窗口三号",
        "digest": f"{random_.getrandbits(256):064x}",
        "serial": f"SN{random_.randrange(10**9):09d}",
    }
    return json.dumps({"data": [record], "total": 1}, ensure_ascii=False).encode()


def old_resident_id(random_: random.Random) -> str:
    """Fifteen digits, as issued until 1999."""
    day = datetime.date(1930, 1, 1) + datetime.timedelta(days=random_.randrange(25_000))
    return f"{random_.choice(['330106', '110101', '440305'])}{day:%y%m%d}{random_.randrange(1, 1000):03d}"


def org_code(random_: random.Random) -> str:
    """Nine characters, with or without the hyphen."""
    while True:
        body = f"{random_.randrange(10**8):08d}" if random_.random() < 0.5 else f"MA{random_.randrange(10**6):06d}"
        for last in "0123456789X":
            if is_org_code(body + last):
                return body + random_.choice(["", "-"]) + last


def landline(random_: random.Random) -> str:
    """A number with its area, or of a service line."""
    number = f"{random_.choice('2345678')}{random_.randrange(10**7):07d}"
    return random_.choice([f"0571-{number}", f"010{number}", f"0571{number}-8001", f"400-{number[:3]}-{number[3:7]}"])


def passport(random_: random.Random) -> str:
    """Of citizens, diplomats and the two regions."""
    digits = f"{random_.randrange(10**8):08d}"
    return random_.choice([f"E{digits}", f"EA{digits[:7]}", f"G{digits}", f"DE{digits[:7]}", f"KJ{digits[:7]}"])


def permit(random_: random.Random) -> str:
    """To and from Hong Kong, Macao and Taiwan."""
    digits = f"{random_.randrange(10**10):010d}"
    return random_.choice(
        [f"C{digits[:8]}", f"CA{digits[:7]}", f"H{digits}", f"M{digits[:8]}", digits[:8], f"T{digits[:8]}"]
    )


def officer_id(random_: random.Random) -> str:
    """Of an officer or a soldier."""
    return f"{random_.choice(['军', '士', '武', '军官'])}字第{random_.randrange(10**6, 10**8)}号"


def vin(random_: random.Random) -> str:
    """Seventeen characters with their check."""
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
    while True:
        head, tail = "L" + "".join(random_.choices(letters, k=7)), "".join(random_.choices("ABCDEFGHJKLMNPR1234", k=1))
        tail += "".join(random_.choices(letters, k=1)) + f"{random_.randrange(10**6):06d}"
        for check in "0123456789X":
            if is_vin(head + check + tail):
                return head + check + tail


def imei(random_: random.Random) -> str:
    """Fifteen digits of a body that allocates."""
    head = random_.choice(["86", "35", "01"]) + f"{random_.randrange(10**12):012d}"
    return next(head + str(last) for last in range(10) if is_luhn(head + str(last)))


def social_card(random_: random.Random) -> str:
    """A letter and eight digits."""
    return f"{random_.choice('ABCDEF')}{random_.randrange(10**8):08d}"


def person(random_: random.Random) -> str:
    """A name: a surname and one or two characters, now and then with two surnames or a dot."""
    given = "".join(random_.choices("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞", k=random_.choice([1, 2, 2])))
    return random_.choice(["王", "李", "张", "刘", "陈", "欧阳", "诸葛", "阿依古丽·"]) + given


def address(random_: random.Random) -> str:
    """A place where somebody lives."""
    road = random_.choice(["文三路", "中关村大街", "福中路", "建国巷", "桃源村"])
    town = random_.choice(["浙江省杭州市西湖区", "北京市海淀区", "深圳市福田区"])
    return f"{town}{road}{random_.randrange(1, 400)}号" + random_.choice(["", "2幢301室", "3单元"])


def ip(random_: random.Random) -> str:
    """An address of either version."""
    parts = [random_.randrange(256) for _ in range(4)]
    return random_.choice([".".join(map(str, parts)), f"2408:8207:{parts[0]:x}::{parts[1]:x}"])


def mac(random_: random.Random) -> str:
    """In one of the three spellings."""
    pairs = [f"{random_.randrange(256):02x}" for _ in range(6)]
    return random_.choice(
        [":".join(pairs), "-".join(pairs).upper(), ".".join(a + b for a, b in zip(*[iter(pairs)] * 2, strict=True))]
    )


def birth_date(random_: random.Random) -> str:
    """A day in one of the spellings."""
    day = datetime.date(1930, 1, 1) + datetime.timedelta(days=random_.randrange(34_000))
    return day.strftime(random_.choice(["%Y-%m-%d", "%Y%m%d", "%Y/%m/%d"]))


def gps(random_: random.Random) -> str:
    """A place in China."""
    return f"{random_.uniform(75, 134):.4f},{random_.uniform(5, 53):.4f}"


SPOKEN = {
    "resident-id": (resident_id, ("idCard", "id_no", "applicantIdNumber", "sfzh", "身份证号")),
    "old-resident-id": (old_resident_id, ("sfzh", "idcard", "证件号码")),
    "credit-code": (credit_code, ("creditCode", "uscc", "tyshxydm", "统一社会信用代码")),
    "org-code": (org_code, ("orgCode", "zzjgdm", "组织机构代码")),
    "phone": (mobile, ("mobile", "phone", "contactPhone", "sjh", "手机号", "联系电话")),
    "landline": (landline, ("fax", "officeTel", "gddh", "传真")),
    "bank-card": (bank_card, ("cardNo", "bankAccount", "yhkh", "银行卡号")),
    "passport": (passport, ("passport", "passportNo", "hzhm", "护照号")),
    "permit": (permit, ("permit", "txzh", "通行证号码")),
    "officer-id": (officer_id, ("officerId", "jgz", "军官证号")),
    "plate": (plate, ("plateNumber", "cph", "车牌号")),
    "vin": (vin, ("vin", "cjh", "车架号")),
    "imei": (imei, ("imei", "deviceId", "设备号")),
    "social-card": (social_card, ("sbkh", "medicalCard", "社保卡号")),
    "email": (email, ("email", "dzyx", "电子邮箱")),
    "address": (address, ("address", "homeAddr", "jtzz", "家庭住址")),
    "name": (person, ("name", "realName", "xm", "联系人", "户主姓名")),
    "ip": (ip, ("ip", "clientIp", "remoteAddr")),
    "mac": (mac, ("mac", "macAddress", "物理地址")),
    "birth-date": (birth_date, ("birthday", "dob", "csrq", "出生日期")),
    "gps": (gps, ("gps", "location", "坐标")),
}
"""How each identifier is made, and names that speak of it."""


def digits(count: int) -> Callable[[random.Random], str]:
    """Makes random digits."""
    return lambda random_: f"{random_.randrange(10 ** (count - 1), 10**count)}"


LOOKALIKES: dict[str, Callable[[random.Random], object]] = {
    "idType": lambda random_: random_.choice(["01", "02", "11"]),
    "certNo": lambda random_: f"浙建许字{random_.randrange(10**6)}",
    "idNumber": digits(18),
    "accountNo": digits(10),
    "cardNumber": digits(16),
    "bankNo": digits(12),
    "deviceId": lambda random_: f"{random_.getrandbits(60):015x}",
    "imei": digits(14),
    "orgCode": lambda random_: f"D{random_.randrange(10**5):05d}",
    "taxNo": digits(18),
    "contact": lambda random_: random_.choice(["服务窗口三", "值班室", "12345"]),
    "mobileOs": lambda random_: random_.choice(["android 14", "ios 18", "harmony 5"]),
    "telExt": lambda random_: f"{random_.randrange(8000, 9000)}",
    "phoneModel": lambda random_: f"P{random_.randrange(10, 99)} Pro",
    "mailbox": lambda random_: random_.choice(["inbox", "sent", "draft"]),
    "fileName": lambda random_: f"通知{random_.randrange(99)}.pdf",
    "departmentName": lambda random_: random_.choice(["民政局", "公安局", "卫生健康委员会", "市场监督管理局"]),
    "roleName": lambda random_: random_.choice(["管理员", "办事员"]),
    "productName": lambda random_: random_.choice(["龙井茶叶礼盒", "丝绸围巾", "竹编提篮", "青瓷茶具"]),
    "address": lambda random_: random_.choice(["浙江省", "杭州市", "西湖区"]),
    "location": lambda random_: random_.choice(["三楼大厅", "一号窗口"]),
    "ipVersion": lambda random_: random_.choice(["4", "6"]),
    "passport": lambda random_: random_.choice(["YES", "NO"]),
    "permitStatus": lambda random_: random_.choice(["有效", "过期", "注销"]),
    "vin": lambda random_: f"MODEL-{random_.randrange(10**6)}",
    "birthPlace": lambda random_: random_.choice(["杭州", "北京"]),
    "carNo": lambda random_: f"{random_.randrange(1, 17)}号车厢",
    "serial": digits(19),
    "batch": digits(15),
    "orderNo": lambda random_: f"2026{random_.randrange(101, 1231):04d}{random_.randrange(10**10):010d}",
    "flow": digits(18),
    "code": digits(11),
}
"""Columns that hold no identifier, under names that speak of one or with values that look like one."""
