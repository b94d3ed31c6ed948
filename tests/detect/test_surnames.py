from gateway.detect.surnames import SURNAMES


def test_single_and_double_surnames_are_known():
    assert {"王", "李", "欧阳", "司马"} <= SURNAMES
    assert all(1 <= len(name) <= 2 for name in SURNAMES)
