import pytest

from gateway.masking.media import form_of, media_type


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
