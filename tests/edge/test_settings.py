"""Abuse: a careless author. A setting that can never work stops the start, and says which."""

import pytest

from gateway.edge import Api, Limits, Settings
from gateway.edge.settings import Routes


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Api("a", "civil"), "not a canonical path"),
        (lambda: Api("a", "/civil/../x"), "not a canonical path"),
        (lambda: Api("a", "/civil", body_max=-1), "negative"),
        (lambda: Api("a", "/civil", hosts=("API.example.gov",)), "not a lower-case host"),
        (lambda: Settings(hosts=("api.example.gov/",)), "not a lower-case host"),
        (lambda: Settings(hosts=("*.example.gov",)), "not a lower-case host"),
        (lambda: Settings(hosts=("api.example.gov.",)), "not a lower-case host"),
        (lambda: Settings(hosts=("https://api.example.gov",)), "not a lower-case host"),
        (lambda: Settings(trusted_proxies=("10.0.0.1/8",)), "trusted proxy `10.0.0.1/8`"),
        (lambda: Settings(trusted_proxies=("proxy.example.gov",)), "trusted proxy"),
        (lambda: Settings(terminated_client_certificate="xfcc"), "trusted_proxies"),
        (lambda: Settings(public_url="https://a/"), "slash"),
        (lambda: Settings(apis=(Api("a", "/a"), Api("a", "/b"))), "same name"),
        (lambda: Settings(apis=(Api("a", "/a"), Api("b", "/a/"))), "share the prefix"),
        (lambda: Limits(header_seconds=0), "header_seconds"),
        (lambda: Limits(in_flight=-1), "in_flight"),
        (lambda: Limits(target_bytes=99999), "target_bytes"),
    ],
)
def test_a_setting_that_can_never_work_is_refused(make, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=says):
        make()


def test_the_same_prefix_may_stand_under_two_hosts() -> None:
    settings = Settings(
        apis=(Api("a", "/x", hosts=("a.example.gov",)), Api("b", "/x", hosts=("b.example.gov:8443",))),
        hosts=("c.example.gov",),
    )
    assert {host: routes.find("/x/1") for host, routes in settings.routes.items()} == {
        "a.example.gov": settings.apis[0],
        "b.example.gov:8443": settings.apis[1],
        "c.example.gov": None,
    }


def test_the_root_is_a_prefix_of_everything() -> None:
    routes = Routes((Api("root", "/"), Api("deep", "/a/b/c")))
    found = {
        path: api.name for path in ("/", "/a", "/a/b", "/a/b/c", "/a/b/c/d", "/a/b/cd") if (api := routes.find(path))
    }
    assert found == {"/": "root", "/a": "root", "/a/b": "root", "/a/b/c": "deep", "/a/b/c/d": "deep", "/a/b/cd": "root"}
