import pytest

from gateway.masking.media import form_of, media_type, named


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
