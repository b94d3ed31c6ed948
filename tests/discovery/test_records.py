from pathlib import Path

import msgspec
import pytest

from gateway.discovery.records import EMPTY, PathRecord, Record, RouteRecord, Unreadable, decoded, encoded, merged

FILE = Path("/var/lib/gateway/discovery/w0.json")
ONE = PathRecord("$.a", "2026-01-02", "2026-01-05", 4, 1, 1, 5, 0, 0, (1, 2, 0, 0, 2, 0, 0, 0), {"phone": 2}, 5, "name")
TWO = PathRecord("$.a", "2026-01-01", "2026-01-03", 3, 0, 0, 3, 1, 2, (0, 0, 3, 0, 0, 0, 0, 0), {"email": 1}, 2)


def record(*paths, route="GET /a"):
    return Record(1, (RouteRecord("api", "asset", route, 7, 1, paths),))


def test_counts_of_several_workers_are_added_and_the_later_label_holds():
    (route,) = merged([record(ONE), record(TWO)]).routes
    assert (route.answers, route.long) == (14, 2)
    (path,) = route.paths
    assert path == PathRecord(
        "$.a",
        "2026-01-01",
        "2026-01-05",
        7,
        1,
        1,
        8,
        1,
        2,
        (1, 2, 3, 0, 2, 0, 0, 0),
        {"phone": 2, "email": 1},
        5,
        "name",
    )


def test_the_order_of_workers_does_not_matter():
    assert merged([record(ONE), record(TWO)]) == merged([record(TWO), record(ONE)])


def test_paths_and_routes_stay_apart():
    other = msgspec.structs.replace(TWO, path="$.b")
    both = merged([record(ONE, other), record(ONE, route="GET /b")])
    assert [(route.route, [path.path for path in route.paths]) for route in both.routes] == [
        ("GET /a", ["$.a", "$.b"]),
        ("GET /b", ["$.a"]),
    ]


def test_what_was_written_is_what_is_read():
    assert decoded(encoded(record(ONE, TWO)), FILE) == record(ONE, TWO)
    assert decoded(encoded(EMPTY), FILE) == EMPTY


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"version":2,"routes":[]}',
        b'{"version":1,"routes":[{"api":"a","asset":"b","route":"c","answers":-1}]}',
        b'{"version":1,"routes":[{"api":"a","asset":"b","route":"c","paths":[{"path":"$.a","first":"x","last":"x"}]}]}',
        b'{"version":1,"routes":[{"api":"a","asset":"b","route":"c","paths":[{"path":"$[?@]","first":"2026-01-01","last":"2026-01-01"}]}]}',
        b"[" * 100_000,
    ],
)
def test_a_file_that_was_tampered_with_is_refused_with_the_way_to_mend_it(text):
    with pytest.raises(Unreadable, match=r"/w0\.json` holds no counters of discovery.*remove it"):
        decoded(text, FILE)
