from gateway.detect.surnames import SURNAMES, WORDS


def test_single_and_double_surnames_are_known():
    assert {"王", "李", "欧阳", "司马"} <= SURNAMES
    assert all(1 <= len(name) <= 2 for name in SURNAMES)


def test_words_begin_like_a_surname_or_need_not_be_listed():
    assert "项目" in WORDS
    assert all(len(word) == 2 and word[0] in SURNAMES for word in WORDS)
