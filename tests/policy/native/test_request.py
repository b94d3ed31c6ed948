"""How is a casbin request `r` filled from the facts?"""

from gateway.document import FileFault, parse
from gateway.facts import Grade
from gateway.policy.names import Vocabulary, names
from gateway.policy.native.request import fillers, read_request, rooms, slots
from tests.literals import an_ask, an_asset, some_facts

TABLE = names(Vocabulary())


def read(text: str, *tokens: str) -> tuple[dict[str, str], list[FileFault]]:
    faults: list[FileFault] = []
    return read_request(parse(text, "request.yaml"), tokens, {}, TABLE, faults).names, faults


def test_the_usual_tokens_have_their_usual_meaning() -> None:
    assert read("", "sub", "dom", "obj", "act") == (
        {"sub": "subject.id", "dom": "subject.org", "obj": "path", "act": "method"},
        [],
    )


def test_a_mapping_or_a_list() -> None:
    assert read("request: {act: action}", "sub", "act")[0] == {"sub": "subject.id", "act": "action"}
    assert read("request: [subject.org, route]", "x", "y")[0] == {"x": "subject.org", "y": "route"}


def test_what_a_request_is_filled_with() -> None:
    facts = some_facts(ask=an_ask(method="POST"), asset=an_asset(grade=Grade.CORE, action="create"))
    wanted = {
        "a": "subject.id",
        "b": "path",
        "c": "route",
        "d": "method",
        "e": "action",
        "f": "data.grade",
        "g": "subject",
    }
    values = [fill(facts) for fill in fillers(wanted.values(), TABLE)]
    assert values == ["zhang.wei", "/civil/households/42", facts.asset.route, "POST", "create", 6, None]
    assert type(values[5]) is int


def test_kinds_and_attributes() -> None:
    found = slots({"sub": "subject", "level": "subject.clearance", "roles": "subject.roles", "obj": "path"}, TABLE)
    assert {token: slot.kind for token, slot in found.items()} == {
        "sub": "object",
        "level": "number",
        "roles": "texts",
        "obj": "text",
    }
    assert {"id", "org", "roles", "assurance"} <= set(found["sub"].attributes)
    assert {"subject", "device", "risk", "data", "env"} <= set(rooms(TABLE))
