"""What do `30s`, `10MiB`, `10.20.0.0/16` and `0.0.0.0:8443` mean?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import units
from gateway.config.units import Address, Odd


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("1.5m", 90), ("24h", 86400), ("7d", 604800), ("2w", 1209600), ("6mo", 183 * 86400), ("3y", 94608000)],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert units.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "30 s", "-1s", "1e3s", "３０s", "30S", "s", "inf", "30s\n", "9999999999s"])
def test_what_is_not_a_duration(text: str) -> None:
    with pytest.raises(Odd, match="duration"):
        units.duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("0B", 0), ("512KiB", 524288), ("10MiB", 10485760), ("10MB", 10000000), ("1GiB", 1 << 30)]
)
def test_sizes(text: str, size: int) -> None:
    assert units.size(text) == size


@pytest.mark.parametrize(
    ("number", "like", "told"),
    [
        (33554432, "64MiB", "32MiB"), (1024, "1B", "1KiB"), (2592000, "60d", "30d"), (60.0, "90s", "1m"),
        (0.1, "1ms", "100ms"), (0, "0s", "0"), (0.0, "0s", "0"), (65536, "70000", "65536"), (2.5, "x", "2.5"),
    ],
)  # fmt: skip
def test_a_bound_is_told_in_the_units_of_what_was_written(number: float, like: str, told: str) -> None:
    assert units.spelled(number, like) == told


@pytest.mark.parametrize("text", ["10", "10 MiB", "1.5MiB", "10mib", "-1B", "1TiB"])
def test_what_is_not_a_size(text: str) -> None:
    with pytest.raises(Odd, match="size"):
        units.size(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:8443", Address("0.0.0.0", 8443)),
        ("[::1]:80", Address("::1", 80)),
        ("localhost:0", Address("localhost", 0)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert units.address(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", ["8443", ":8443", "0.0.0.0", "::1:80", "[0.0.0.0]:1", "host.example:80", "1.2.3.4:65536", "1.2.3.4:８０", "1.2.3.4:-1", "01.2.3.4:80"])  # fmt: skip
def test_what_is_not_an_address(text: str) -> None:
    with pytest.raises(Odd, match="address"):
        units.address(text)


def test_only_the_machine_itself_is_loopback() -> None:
    assert [units.is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")] == [True] * 4
    assert [
        units.is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.evil.example", "2130706433")
    ] == [False] * 5


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0"])
def test_nobody_trusts_everybody(text: str) -> None:
    with pytest.raises(Odd, match="cidr_everyone"):
        units.network(text)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "x", ""])
def test_what_is_not_a_network(text: str) -> None:
    with pytest.raises(Odd, match="cidr"):
        units.network(text)


@pytest.mark.parametrize(
    ("text", "prefix"), [("/**", ""), ("/a/**", "/a"), ("/civil/households/**", "/civil/households")]
)
def test_prefixes(text: str, prefix: str) -> None:
    assert units.match(text) == prefix


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("/a", "match_form"), ("/a/*", "match_form"), ("a/**", "match_form"), ("/a//b/**", "match_form"), ("/a/../b/**", "match_form"),
        ("/a%2fb/**", "match_form"), ("/a;b/**", "match_form"), ("/*/b/**", "match_form"), ("/a b/**", "match_form"), ("/a?x/**", "match_form"),
        ("/.gateway/**", "match_reserved"), ("/.gateway/x/**", "match_reserved"), ("/.well-known/**", "match_reserved"),
    ],
)  # fmt: skip
def test_what_is_not_a_prefix(text: str, kind: str) -> None:
    with pytest.raises(Odd, match=kind):
        units.match(text)


@pytest.mark.parametrize("text", ["https://u@h/", "https://u:p@h/", "http://127.0.0.1@evil.example/"])
def test_an_address_never_carries_a_password(text: str) -> None:
    for read in (units.url, units.upstream_url):
        with pytest.raises(Odd, match="secret_in_url"):
            read(text)


@pytest.mark.parametrize("text", ["ftp://h", "https://", "https://h:0", "https://h:99999", "h", "https://h/?a", "https://h/#a", "https://h /", "https://[::1"])  # fmt: skip
def test_what_is_not_a_url(text: str) -> None:
    with pytest.raises(Odd):
        units.url(text)


def test_a_service_is_an_origin_without_a_path() -> None:
    assert units.upstream_url("https://10.20.0.5:8443/") == "https://10.20.0.5:8443"
    with pytest.raises(Odd, match="upstream_url"):
        units.upstream_url("https://10.20.0.5/api")


@pytest.mark.parametrize("name", ["authorization", "X_Gateway.Subject", "x-forwarded-for", "Connection", "content_length", "host", "a b", "", "Forwarded"])  # fmt: skip
def test_headers_that_only_the_gateway_sets_cannot_be_let_through(name: str) -> None:
    with pytest.raises(Odd, match="header_name"):
        units.header_name(name)


@pytest.mark.parametrize("text", ["7-20", "20:00-07:00", "07:00-07:00", "24:00-25:00", "07:00–20:00"])
def test_what_is_not_a_span_of_hours(text: str) -> None:
    with pytest.raises(Odd, match="hours"):
        units.hours(text)
    assert units.hours("07:30-20:00") == (450, 1200)


@pytest.mark.parametrize("text", ["Asia/Peking", "../../etc/passwd", "/etc/passwd", "", "a\0b"])
def test_what_is_not_a_time_zone(text: str) -> None:
    with pytest.raises(Odd, match="timezone"):
        units.zone(text)


@given(st.text(max_size=60))
def test_no_text_breaks_a_reader(text: str) -> None:
    for read in (units.duration, units.size, units.network, units.address, units.host, units.url, units.upstream_url,
                 units.match, units.path, units.name, units.header_name, units.zone, units.hours):  # fmt: skip
        try:
            read(text)
        except Odd as odd:
            assert odd.kind
