import pytest

from gateway.masking.media import form_of, json_type, media_type, named


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (b"application/json", "json"),
        (b"application/problem+json", "json"),
        (b"image/png", "json"),
        (b"application/x-ndjson; charset=utf-8", "lines"),
        (b"Application/JSON-Seq", "lines"),
        (b"text/csv; header=present", "table"),
        (b"application/x-www-form-urlencoded", "form"),
        (b"application/atom+xml", "markup"),
        (b"text/html,+xml", "json"),
        (b"text/html +xml", "json"),
        (b"text/event-stream", "events"),
        (b"text/html", "prose"),
    ],
)
def test_the_head_says_the_form(value, form):
    assert form_of(((b"content-type", value),)) == form


def test_without_a_head_it_is_looked_at_as_json():
    assert form_of(()) == "json"
    assert media_type(((b"content-type", b" Text/CSV ;x=1"),)) == b"text/csv"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"image/PNG; name=x", "image/png"),
        (b"application/json", ""),
        (b"application/hal+json", ""),
        (b"application/vnd.330106199003072319", ""),
        ("application/王".encode(), ""),
        (b"x", ""),
    ],
)
def test_a_type_is_named_unless_it_may_say_something(value, said):
    assert named(((b"content-type", value),)) == said


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (b"application/json", None),
        (b"application/problem+json; charset=UTF-8", None),
        (b"application/problem+json; charset=gbk", b"application/problem+json; charset=utf-8"),
        (b"text/json; charset=us-ascii", b"text/json; charset=utf-8"),
        (b"text/html", b"application/json"),
        (b"text/html; charset=gbk", b"application/json"),
        (b"text/html /json", b"application/json"),  # a page to browsers
        (b"text/html,/json", b"application/json"),
        (b"text/html,a+json", b"application/json"),
        (b"image/svg+xml,+json", b"application/json"),
        (b"TEXT/JSON", None),
        (b"application/vnd.330106199003072319+json; charset=gbk", b"application/json"),
        (b"application/vnd.330106199003072319+json", b"application/json"),
    ],
)
def test_json_is_sent_as_json_and_its_type_tells_nothing(value, sent):
    assert json_type(((b"content-type", value),)) == sent
    assert json_type(()) == b"application/json"
