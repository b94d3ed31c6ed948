"""Answers that are read whole and are no JSON: which kind, in which charset, and for how many records."""

import pytest

from gateway.facts import Field, FieldMask, Grade, Headers, Mask, RowFilter
from gateway.masking.about import TooMany
from gateway.masking.keys import Keys
from gateway.masking.prepared import Prepared
from gateway.masking.unpack import Withheld
from gateway.masking.whole import mask_whole
from tests.literals import an_asset

pytestmark = pytest.mark.anyio
KEYS = Keys(b"k" * 32, "prov/civil")
ID = "330106199003072319"
ASSET = an_asset(fields=(Field("$..id", "resident-id", Grade.GENERAL_3),), contract="warn")
MASK = Mask("pii", (FieldMask("$..id", "redact"),), "pass")
BODIES = {"form": f"id={ID}", "markup": f"<id>{ID}</id>", "prose": f"id: {ID}"}


def head(kind: str) -> Headers:
    return ((b"content-type", kind.encode()),)


async def written(form, body: str | bytes, kind: str, mask: Mask = MASK):
    raw = body.encode() if isinstance(body, str) else body
    return await mask_whole(form, raw, head(kind), Prepared(mask, ASSET), KEYS)


@pytest.mark.parametrize(
    ("form", "kind", "shown", "sent_as"),
    [
        ("form", "application/x-www-form-urlencoded", "id=%2A%2A%2A", "application/x-www-form-urlencoded"),
        ("markup", "Text/XML", "<id>***</id>", "text/xml; charset=utf-8"),
        ("markup", f"application/vnd.{ID}+xml", "<id>***</id>", "application/xml; charset=utf-8"),
        ("prose", "text/html; charset=UTF-8", "id: ***", "text/html; charset=utf-8"),
    ],
)
async def test_each_kind_is_masked_in_its_own_way(form, kind, shown, sent_as):
    one = await written(form, BODIES[form], kind)
    assert one.shown.decode() == shown
    assert one.content_type.decode() == sent_as
    assert dict(one.revealed.masked) == {"$..id": 1}


@pytest.mark.parametrize("form", ["form", "markup", "prose"])
async def test_records_that_cannot_be_told_apart_are_not_filtered_but_withheld(form):
    filtered = Mask("pii", MASK.fields, "pass", rows=(RowFilter("$.district", ("1",)),))
    with pytest.raises(Withheld):
        await written(form, BODIES[form], "text/plain", filtered)


async def test_many_elements_are_many_records():
    document = "<l>" + "<r><id>1</id><n>x</n></r>" * 3 + "</l>"
    assert b"x" in (await written("markup", document, "text/xml", Mask("pii", MASK.fields, "pass", most=3))).shown
    with pytest.raises(TooMany):
        await written("markup", document, "text/xml", Mask("pii", MASK.fields, "pass", most=2))
    stricter = Mask("strict", (*MASK.fields, FieldMask("$..n", "redact")), "pass")
    one = await written("markup", document, "text/xml", Mask("pii", MASK.fields, "pass", most=2, beyond=stricter))
    assert one.shown == b"<l>" + b"<r><id>***</id><n>***</n></r>" * 3 + b"</l>"


@pytest.mark.parametrize("form", ["form", "markup", "prose"])
async def test_another_charset_than_these_is_withheld(form):
    with pytest.raises(Withheld):
        await written(form, BODIES[form], "text/plain; charset=utf-16")
