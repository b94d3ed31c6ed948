"""What does a native policy consist of, once it has been read?"""

from gateway.policy.native.source import MATCHER, Source, columns

SOURCE = Source(
    {"r": "sub, obj", "p": "sub, obj, eft", "g": "_, _", "g2": "_, _", "e": "some(where (p.eft == allow))", "m": "r.sub == p.sub"},
    (("3", "p", "a", "/x", "allow"), ("7", "g", "a", "b")),
    {"sub": "subject.id", "obj": "path"},
    matcher_line=14,
)  # fmt: skip


def test_the_model_is_written_as_casbin_reads_it() -> None:
    assert SOURCE.model() == (
        "[request_definition]\nr = sub, obj\n\n[policy_definition]\np = sub, obj, eft\n\n[role_definition]\n"
        "g = _, _\ng2 = _, _\n\n[policy_effect]\ne = some(where (p.eft == allow))\n\n[matchers]\nm = r.sub == p.sub\n"
    )


def test_rows_of_the_policy_have_names_and_places() -> None:
    assert SOURCE.named() == {"casbin:3": "casbin/policy.csv:3", MATCHER: "casbin/model.conf:14"}


def test_columns_are_parted_by_commas() -> None:
    assert columns(" sub,obj , eft ") == ("sub", "obj", "eft")
