import pytest

from gateway.discovery.places import Coordinate, placed

HERE = Coordinate("30.2741,120.1551")


@pytest.mark.parametrize(
    ("latitude", "longitude"), [("lat", "lng"), ("Latitude", "Longitude"), ("lat", "lon"), ("纬度", "经度")]
)
def test_two_numbers_under_names_that_say_so_are_a_place(latitude, longitude):
    assert placed({latitude: 30.2741, "id": 7, longitude: 120.1551}) == {latitude: HERE, "id": 7, longitude: HERE}


def test_an_array_of_two_numbers_may_be_a_place():
    assert placed([120.1551, 30.2741]) == [Coordinate("120.1551,30.2741")] * 2


@pytest.mark.parametrize(
    "value",
    [
        {"lat": 30.2741},
        {"lat": 30.2741, "lng": None},
        {"lat": 30, "lng": 120},
        {"lat": True, "lng": False},
        {"a": 30.2741, "b": 120.1551},
        [30.2741],
        [30.2741, 120.1551, 8.5],
        [30, 120],
        [],
        {},
    ],
)
def test_all_else_stays_as_it_is(value):
    assert placed(value) == value
