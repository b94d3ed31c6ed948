"""Identifiers and harmless numbers, made from a seed: none belongs to anybody."""

import datetime
import json
import random

from gateway.detect.checks import is_credit_code, is_luhn, is_resident_id


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
