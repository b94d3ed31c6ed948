"""How do rules look as a table, and what do the rows of a table say as rules?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.document import Faulty, FileFault, parse, read, written
from gateway.policy import Bundle, load
from gateway.policy.content import digest
from gateway.policy.duties import Then
from gateway.policy.rules import KEYS
from gateway.policy.sheet import COLUMNS, THEN, Table, exported, read_table, text_of
from tests.policy.world import ASSETS, write

HEAD = "id,effect,who,org,data,action,level,when,mask,step_up,max_age,log,notify,reason,expires,rows"
GOOD = "a,allow,clerk,,population,read,<= important,,,,,,,,,"


def table(*lines: str, head: str = HEAD) -> str:
    return "\n".join([head, *lines, ""])


def read_in(text: str, folder: Path) -> tuple[Table, Bundle]:
    """Judge a table in a folder, as the command does."""
    found = read_table(text, "t.csv")
    try:
        return found, load(folder, ASSETS, 0.0, found.files)
    except Faulty as faulty:
        raise Faulty(found.named(fault) for fault in faulty.faults if fault.file == "t.csv") from None


def faults(text: str, folder: Path) -> list[FileFault]:
    with pytest.raises(Faulty) as raised:
        read_in(text, folder)
    return [fault for fault in raised.value.faults if not fault.warning]


def test_every_key_of_a_rule_has_a_column() -> None:
    spread = {"title": {"title_zh", "title_en"}, "basis": {"basis_zh", "basis_en"}, "then": set(THEN)}
    assert set(COLUMNS) == set().union(*(spread.get(key, {key}) for key in KEYS)) | {"layer", "file"}
    assert set(THEN) == set(Then.__struct_fields__) - {"reason"}
    assert len(COLUMNS) == len(set(COLUMNS))


def test_a_row_is_a_rule(tmp_path: Path) -> None:
    row = (
        'x,"一，二",one,allow,clerk;auditor,prov/civil,population,read;update,<= core,"env.purpose == ""audit""",'
        "pii-strict,$.district=subject.org;$.district=330100;$['a=b']=c,,,synced,audit;police,pii-strict,true,,2027-12-31,prov,,,a note,,"
    )
    found, bundle = read_in(table(row, head=",".join(COLUMNS)), write(tmp_path))
    assert found.files["rules/table.yaml"].plain() == {
        "rules": [
            {
                "id": "x",
                "title": {"zh": "一，二", "en": "one"},
                "effect": "allow",
                "who": ["clerk", "auditor"],
                "org": "prov/civil",
                "data": "population",
                "action": ["read", "update"],
                "level": "<= core",
                "when": 'env.purpose == "audit"',
                "then": {
                    "mask": "pii-strict",
                    "rows": {"$.district": ["subject.org", "330100"], "$['a=b']": ["c"]},
                    "log": "synced",
                    "notify": ["audit", "police"],
                    "request": "pii-strict",
                    "watermark": True,
                },
                "expires": "2027-12-31",
                "owner": "prov",
                "note": "a note",
            }
        ]
    }
    assert bundle.content.places["x"] == "t.csv:2"


# --- what a careless author, a spreadsheet or an insider writes -----------------------------------


@pytest.mark.parametrize(
    ("row", "code", "column", "cell"),
    [
        ("a,Deny,clerk,,health,read,any,,,,,,,,,", "P002", 3, "B2"),
        ("a,deny # why,clerk,,health,read,any,,,,,,,,,", "P002", 3, "B2"),
        ("a,deny,auditor ,,,,,,,,,,,,,", "P120", 8, "C2"),
        ("a,deny, auditor,,,,,,,,,,,,,", "P120", 8, "C2"),
        ("a,deny,auditor; clerk,,,,,,,,,,,,,", "P120", 16, "C2"),
        ("a,deny,auditor;,,,,,,,,,,,,,", "P120", 16, "C2"),
        ("a,deny,auditor；clerk,,,,,,,,,,,,,", "P119", 15, "C2"),
        ("a,deny,auditor，clerk,,,,,,,,,,,,,", "P119", 15, "C2"),
        ("a,deny,audit\u200bor,,,,,,,,,,,,,", "P119", 13, "C2"),
        ("a,deny,auditor\u00a0,,,,,,,,,,,,,", "P119", 15, "C2"),
        ('a,deny,"auditor\n",,,,,,,,,,,,,', "P119", 16, "C2"),
        ("a,deny,audtor,,,,,,,,,,,,,", "P010", 8, "C2"),
        ("a,deny,clerk;audtor,,,,,,,,,,,,,", "P010", 14, "C2"),
        ("a,deny,clerk # why,,,,,,,,,,,,,", "P010", 8, "C2"),
        ("a,deny,,hz/cvil,,,,,,,,,,,,", "P011", 9, "D2"),
        ("a,deny,,,,,core,,,,,,,,,", "P030", 12, "G2"),
        ("a,deny,,,,,＞＝ core,,,,,,,,,", "P119", 12, "G2"),
        ("a,deny,,,,,>= core # why,,,,,,,,,", "P031", 12, "G2"),
        ("a,deny,,,,,,device.trust = 1,,,,,,,,", "P020", 13, "H2"),
        ('a,deny,,,,,,"device.trust == ""manged""",,,,,,,,', "P022", 14, "H2"),
        ("a,deny,,,,,,device.trust ＝＝ 1,,,,,,,,", "P020", 13, "H2"),
        ("a,deny,,,,,,,pii-strict,,,,,,,", "P070", 14, "I2"),
        ("a,deny,,,,,,,,aal2,5 min,,,,,", "P004", 20, "K2"),
        ("a,deny,,,,,,,,aal9,,,,,,", "P072", 15, "J2"),
        ("a,allow,clerk,,population,read,any,,,,,,,,,$.district", "P180", 44, "P2"),
        ("a,allow,clerk,,population,read,any,,,,,,,,,$.district=a;district=b", "P180", 57, "P2"),
        ("a,allow,clerk,,population,read,any,,,,,,,,,$.district=subject.ogr", "P181", 44, "P2"),
        ("a,allow,clerk,,population,read,any,,,,,,,,,$.district=a; $.b=c", "P120", 57, "P2"),
        ("a,deny,,,,,,,,,,,,,2027/12/31,", "P081", 20, "O2"),
        ("a,allow,clerk,,population,,any,,,,,,,,,", "P003", 1, "A2"),
        (",deny,,,,,,,,,,,,,,", "P003", 1, "A2"),
        ("a,deny,,,,,,,,,,,,,", "P118", 20, "O2"),
        ("a,deny,,,,,,,,,,,,,,,", "P118", 22, "Q2"),
    ],
)
def test_a_fault_is_told_at_its_cell(row: str, code: str, column: int, cell: str, tmp_path: Path) -> None:
    found = faults(table(row), write(tmp_path))
    assert [(one.code, one.line, one.column) for one in found] == [(code, 2, column)]
    assert found[0].en.endswith(f"(cell {cell})")
    assert found[0].zh.endswith(f"（单元格 {cell}）")


@pytest.mark.parametrize(
    ("head", "code", "what"),
    [
        ("", "P117", "columns are missing: id, effect"),
        (HEAD.replace(",", ";"), "P113", "semicolons"),
        (HEAD.replace(",", ";") + '\na;"b, c";deny "x";', "P113", "semicolons"),
        (HEAD.replace(",", "\t"), "P113", "tabs"),
        (HEAD.replace(",", "，"), "P113", "full-width commas"),
        (HEAD.replace("when,", ""), "P117", "columns are missing: when"),
        (HEAD + ",who", "P117", "`who` stands twice (first in C1)"),
        (HEAD + ",tilte_zh", "P116", "unknown column `tilte_zh`"),
        (HEAD.replace("id", "ID", 1), "P116", "unknown column `ID`"),
        (HEAD + ",", "P116", "unknown column ``"),
        ("sep=,\n" + HEAD, "P116", "unknown column `sep=`"),
    ],
)
def test_a_header_is_whole_and_nothing_else(head: str, code: str, what: str, tmp_path: Path) -> None:
    found = faults(table(head=head), write(tmp_path))
    assert (found[0].code, what in found[0].en) == (code, True), found[0].en
    assert found[0].remedy_en and found[0].remedy_zh


def test_no_column_that_narrows_may_be_missing(tmp_path: Path) -> None:
    """An allow without its conditions would look complete."""
    for column in HEAD.split(","):
        rest = ",".join(name for name in HEAD.split(",") if name != column)
        assert faults(table(head=rest), write(tmp_path))[0].code == "P117"


@pytest.mark.parametrize(
    ("layer", "file"),
    [
        ("base", "cities/hz.yaml"),
        ("city:hz", "rules/hz.yaml"),
        ("city", "cities/hz.yaml"),
        ("province:hz", "rules/a.yaml"),
        ("emergency:I", "emergency/I.yaml"),
        ("province", "rules/a.yml"),
        ("province", "../rules/a.yaml"),
        ("province", "/rules/a.yaml"),
        ("province", "rules/../../a.yaml"),
        ("province", "rules/.a.yaml"),
        ("province", "a.yaml"),
        ("province", "tests/a.yaml"),
        ("", "cities/hz.yaml"),
    ],
)
def test_a_rule_is_written_only_where_it_is_read(layer: str, file: str, tmp_path: Path) -> None:
    found = faults(table(f"{GOOD},{layer},{file}", head=f"{HEAD},layer,file"), write(tmp_path))
    assert [one.code for one in found] == ["P121"]


def test_a_file_is_of_one_layer(tmp_path: Path) -> None:
    lines = ("a,deny,,,,,,,,,,,,,,,base,rules/a.yaml", "b,deny,,,,,,,,,,,,,,,province,rules/a.yaml")
    (one,) = faults(table(*lines, head=f"{HEAD},layer,file"), write(tmp_path))
    assert (one.code, one.line, one.en) == ("P121", 3, "`rules/a.yaml` is of `base` in a row above (cell Q3)")


def test_all_faults_are_told_at_once_and_ids_stand_once(tmp_path: Path) -> None:
    folder = write(tmp_path, "- {id: old, effect: deny}")
    found = faults(
        table("a,deny,audtor,,,,,,,,,,,,,", "a,Deny,clerk,,health,read,any,,,,,,,,,", "old,deny,,,,,,,,,,,,,,"), folder
    )
    assert [(one.code, one.line) for one in found] == [("P010", 2), ("P005", 3), ("P002", 3), ("P005", 4)]
    assert "first at t.csv:2" in found[1].en


def test_a_city_table_cannot_allow(tmp_path: Path) -> None:
    (one,) = faults(table(f"{GOOD},city:hz,cities/hz.yaml", head=f"{HEAD},layer,file"), write(tmp_path))
    assert (one.code, one.column) == ("P050", 3)


def test_a_formula_of_an_insider_is_not_a_formula() -> None:
    root = parse("rules: [{id: a, effect: deny, note: '=HYPERLINK(\"//x\")', level: == core}]", "")
    text = text_of(exported([("rules/a.yaml", root)]))
    assert ",'== core," in text
    assert '"\'=HYPERLINK(""//x"")"' in text
    assert read_table(text, "").files["rules/a.yaml"].plain() == root.plain()


@pytest.mark.parametrize(
    "rule", ["{id: 'a ', effect: deny}", "{id: a, effect: deny, who: 'user:李（三）'}", '{id: "a\\0", effect: deny}']
)
def test_what_a_table_cannot_carry_is_not_exported(rule: str) -> None:
    with pytest.raises(Faulty) as raised:
        exported([("rules/a.yaml", parse(f"rules:\n  - {rule}", "a.yaml"))])
    assert [(one.code, one.file, one.line) for one in raised.value.faults] == [("P122", "a.yaml", 2)]


# --- the law -------------------------------------------------------------------------------------

FREE = st.sampled_from(
    ["one", "一，二；“三”", 'say "no", then', "=1+1", "'=1", "a\nb", " x", "#", "true", "\\;", "- a"]
)
NAMES = st.sampled_from(
    ["clerk", "auditor", "person", "user:li.na", "user:a;b", "user:CORP\\x", "user:x\\", "user:-1", "*"]
)
WHEN = st.sampled_from(
    [
        'env.purpose == "audit"',
        'device.trust == "managed" and\nnot device.fresh',
        '"=1" == env.purpose',
        "'a' == subject.id",
    ]
)


def some(words: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return words | st.lists(words, min_size=1, max_size=3)


def both() -> st.SearchStrategy[Any]:
    return FREE | st.dictionaries(st.sampled_from(["zh", "en"]), FREE, min_size=1)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


COMMON = {
    "title": both(),
    "basis": both(),
    "org": some(st.sampled_from(["hz", "prov", "hz/civil"])),
    "when": WHEN,
    "expires": st.just("2027-12-31"),
    "owner": st.sampled_from(["prov", "hz"]),
    "note": FREE,
}
SAID = {
    "who": some(NAMES),
    "data": some(st.sampled_from(["population", "health", "market"])),
    "action": some(st.sampled_from(["read", "update", "*"])),
    "level": st.sampled_from(["any", "== core", ">= important", "<= general"]),
}
DUTIES = optional(
    mask=st.just("pii-strict"), log=st.sampled_from(["written", "synced"]), notify=some(FREE.filter(str.isalpha))
)
OFFER = st.just({}) | st.fixed_dictionaries({"step_up": st.just("aal2")}, optional={"max_age": st.integers(1, 86400)})
ALLOW = st.fixed_dictionaries({"effect": st.just("allow"), **SAID}, optional={**COMMON, "then": DUTIES})
DENY = st.fixed_dictionaries(
    {"effect": st.just("deny")}, optional={**COMMON, **SAID, "then": OFFER, "reason": st.just("risk_too_high")}
)
FILES = st.fixed_dictionaries(
    {"rules/10.yaml": st.lists(ALLOW | DENY, min_size=1, max_size=3)},
    optional={"rules/00.yaml": st.lists(DENY, max_size=2), "cities/hz.yaml": st.lists(DENY, max_size=2)},
)
TOPS: dict[str, dict[str, Any]] = {
    "rules/00.yaml": {"locked": True},
    "cities/hz.yaml": {"org": "hz"},
    "rules/10.yaml": {},
}


def numbered(files: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    count = 0
    for name, rules in files.items():
        for rule in rules:
            count += 1
            rule["id"] = f"r{count}"
            if name == "cities/hz.yaml" and "org" in rule:
                rule["org"] = "hz/civil"
        yield name, {**TOPS[name], "rules": rules}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILES)
def test_export_and_import_give_the_same_policy(tmp_path: Path, files: dict[str, list[dict[str, Any]]]) -> None:
    folder = write(tmp_path)
    for kind in ("rules", "cities"):
        for path in (folder / kind).glob("*.yaml"):
            path.unlink()
    for name, root in numbered(files):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(written(root), encoding="utf-8")
    before = load(folder, ASSETS).content
    names = sorted(
        path.relative_to(folder).as_posix() for kind in ("rules", "cities") for path in (folder / kind).glob("*")
    )
    text = text_of(exported((name, read(folder / name)) for name in names))
    after = load(folder, ASSETS, 0.0, read_table(text, "t.csv").files).content
    assert after.places.keys() == before.places.keys()
    assert replace(after, places={}) == replace(before, places={})
    assert digest(replace(after, places={})) == digest(replace(before, places={}))
