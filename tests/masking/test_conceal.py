"""A request is forwarded without what its service must not have, or not at all."""

import json
from itertools import product
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts import Concealed, Fault, FieldMask, Mask
from gateway.masking import Masking, Settings
from gateway.masking.conceal import concealed, pairs
from gateway.masking.keys import Keys
from gateway.masking.prepared import Prepared
from tests.literals import a_permit, a_warrant, an_ask, an_asset, some_facts

KEYS = Keys(b"k" * 32, "prov/civil")
MASK = Mask(
    "out",
    (FieldMask("$..id_number", "drop"), FieldMask("$..name", "redact"), FieldMask("$.items[*].phone", "hash")),
    "pass",
)
PREPARED = Prepared(MASK, an_asset())
COLUMNS = PREPARED.columns
ID = "330106199003072319"
JSON = ((b"content-type", b"application/json"),)


def sent(query: str = "", content: bytes | None = b"", headers=JSON) -> Concealed | Fault:
    return concealed(an_ask(method="POST", query=query, headers=headers), content, PREPARED, KEYS)


@pytest.mark.parametrize(
    ("query", "forwarded"),
    [
        ("", ""),
        ("page=2&size=10", "page=2&size=10"),
        (f"id_number={ID}&page=2", "page=2"),
        (f"id%5Fnumber={ID}", ""),
        (f"id+number={ID}", f"id+number={ID}"),
        ("name=%E7%8E%8B&x=%2f+", "name=%2A%2A%2A&x=%2f+"),
        (f"filter[id_number]={ID}", ""),
        (f"filter%5Bid_number%5D[]={ID}", ""),
        (f"person.id_number={ID}&person.x=1", "person.x=1"),
        (f"id_number={ID}&id_number={ID}", ""),
        (f"ID_Number={ID}&page=2", "page=2"),
        (f"filter[ID_NUMBER]={ID}", ""),
        (f"%C4%B1d_number={ID}", ""),
        (f"id%255Fnumber={ID}", ""),
        (f"filter%25255BId_number%25255D={ID}", ""),
        (f"%{'25' * 40}61={ID}&page=2", "page=2"),
        (f"id%u005Fnumber={ID}", ""),
        (f"name[id_number]={ID}", ""),
        ("Name=x", "Name=%2A%2A%2A"),
        ("name", ""),
        ("name=", "name="),
        (f"a=1;id_number={ID}&page=2", "page=2"),
        (f"name=1;filter[id_number]={ID}", ""),
        (f"a;id%5Fnumber={ID}", ""),
        ("ids=1;2;3&a=1%3Bid_number=2", "ids=1;2;3&a=1%3Bid_number=2"),
        ("flag&=x&a=b=c", "flag&=x&a=b=c"),
    ],
)
def test_parameters_by_their_names(query, forwarded):
    assert sent(query) == Concealed(forwarded, b"")


def test_a_body_in_json():
    body = f'{{"id_number":"{ID}","items":[{{"phone":"13800138000","n":1.10}}],"name":"x"}}'.encode()
    answer = sent(content=body)
    assert isinstance(answer, Concealed)
    assert (
        answer.content == b'{"items":[{"phone":"' + KEYS.digest("13800138000").encode() + b'","n":1.10}],"name":"***"}'
    )


def test_a_body_whose_names_are_in_another_case():
    body = f'{{"ID_NUMBER":"{ID}","Items":[{{"Phone":"1","phone":"1","n":1.10}}],"page":{{"Name":"x"}}}}'.encode()
    answer = sent(content=body)
    assert isinstance(answer, Concealed)
    hidden = KEYS.digest("1").encode()
    assert answer.content == b'{"Items":[{"Phone":"%s","phone":"%s","n":1.10}],"page":{"Name":"***"}}' % (
        hidden,
        hidden,
    )


@pytest.mark.parametrize(
    "body",
    [
        '{"phone":"1"}',
        '{"person.phone":"1"}',
        '{"filter[phone]":"1"}',
        '{"PHONE":"1"}',
        '{"a":[{"phone":"1"}]}',
        '{" phone ":"1"}',
        '{"phone\\u0000x":"1"}',
        '{"\uff50hone":"1"}',
    ],
)
def test_a_label_of_answers_holds_wherever_a_request_has_its_name(body):
    answer = sent(content=body.encode())
    assert isinstance(answer, Concealed)
    assert answer.content is not None and KEYS.digest("1").encode() in answer.content


@pytest.mark.parametrize("name", ["id_number", "ID_Number", " id_number"])
@pytest.mark.parametrize(
    "body", ['{"order":{"a":{NAME:ID},"a":1}}', '{"a":[{NAME:ID},{NAME:1}],"a":0}', "{NAME:ID,NAME:1}"]
)
def test_of_two_members_of_a_name_none_is_sent_in_clear(body, name):
    """Readers disagree about which of them counts: the first must not pass because most see the second."""
    content = body.replace("NAME", json.dumps(name)).replace("ID", f'"{ID}"')
    prepared = Prepared(Mask("out", (FieldMask("$.person.id_number", "redact"),), "pass"), an_asset())
    ask = an_ask(method="POST", query="", headers=JSON)
    found = concealed(ask, content.encode(), prepared, KEYS)
    assert isinstance(found, Fault) or ID.encode() not in found.content


def test_a_value_that_becomes_a_token_stands_under_the_name_of_its_label():
    prepared = Prepared(Mask("out", (FieldMask("$..id_number", "tokenise"),), "pass"), an_asset(id="household"))
    post = an_ask(method="POST", headers=JSON)
    assert isinstance(concealed(post, b'{"id_number":"1"}', prepared, KEYS), Concealed)
    assert isinstance(concealed(post, b'{"ID_Number":"1"}', prepared, KEYS), Fault)


@pytest.mark.parametrize(
    "query", ["%20id_number=1", "id_number+=1", "id_number%00=1", "id_number%0D%0A=1", "\uff49d_number=1"]
)
def test_blanks_and_nulls_hide_no_name(query):
    assert sent(query) == Concealed("", b"")


@pytest.mark.parametrize("query", ["330106199003072319", "E12345678", '{"id_number":"1"}', "%7B%22id_number%22%3A1%7D"])
def test_what_has_no_name_is_left_out(query):
    assert sent(query + "&a=1") == Concealed("a=1", b"")
    assert sent("verbose&a=1") == Concealed("verbose&a=1", b"")


def test_a_form_is_no_json_in_disguise():
    headers = ((b"content-type", b"application/x-www-form-urlencoded"),)
    assert sent(content=f'{{"id_number":"{ID}"}}'.encode(), headers=headers) == Concealed("", b"")


def test_utf8_may_be_said_in_quotation_marks():
    headers = ((b"content-type", b'application/json; charset="utf-8"'),)
    assert sent(content=b'{"a":1}', headers=headers) == Concealed("", b'{"a":1}')


def test_a_name_in_too_many_spellings_is_not_forwarded():
    names = ["".join(letters) for letters in product(*({letter, letter.upper()} for letter in "id_number"))]
    answer = sent(content=json.dumps(dict.fromkeys(names, ID)).encode())
    assert isinstance(answer, Fault)
    assert ID not in answer.detail


def test_a_form():
    headers = ((b"content-type", b"application/x-www-form-urlencoded; charset=UTF-8"),)
    assert sent(content=f"id_number={ID}&a=1".encode(), headers=headers) == Concealed("", b"a=1")


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (None, JSON),
        (b"{", JSON),
        (b'{"a":"\xff"}', JSON),
        (b"[" * 5000 + b"]" * 5000, JSON),
        (b"{}", (*JSON, (b"content-encoding", b"gzip"))),
        (b"{}", (*JSON, (b"content-encoding", b"identity"), (b"content-encoding", b"gzip"))),
        (b"{}", ((b"content-type", b"application/json; charset=gbk"),)),
        (b"{}", ((b"content-type", b"multipart/form-data; boundary=x"),)),
        (b"{}", ((b"content-type", b"text/plain"),)),
        (b"[]", ((b"content-type", b"application/json-patch+json"),)),
        (b"{}", ()),
        ("名=1".encode(), ((b"content-type", b"application/x-www-form-urlencoded"),)),
    ],
)
def test_what_cannot_be_read_is_not_forwarded(content, headers):
    answer = sent(content=content, headers=headers)
    assert isinstance(answer, Fault)
    assert answer.code == "cannot_conceal"


@given(st.lists(st.tuples(st.sampled_from(["a", "id_number", "x[id_number]", "中"]), st.text(max_size=6)), max_size=6))
def test_what_is_hidden_is_gone_and_the_rest_stays(parameters):
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in parameters)
    forwarded = parse_qsl(pairs(query, COLUMNS, KEYS), keep_blank_values=True)
    assert forwarded == [(name, value) for name, value in parameters if "id_number" not in name]


def test_the_room_conceals_by_the_permit():
    ask = an_ask(method="POST", query=f"id_number={ID}&a=1", headers=JSON)
    room = Masking(Settings(hash_key=b"k" * 32))
    warrant = a_warrant(facts=some_facts(ask=ask), permit=a_permit(forwarding=MASK))
    assert room.conceal(warrant, b'{"name":"x"}') == Concealed("a=1", b'{"name":"***"}')
    bad = a_warrant(
        facts=some_facts(ask=ask), permit=a_permit(forwarding=Mask("x", (FieldMask("$.a", "blur"),), "pass"))
    )
    assert isinstance(room.conceal(bad, b"{}"), Fault)
