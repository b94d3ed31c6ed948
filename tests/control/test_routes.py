"""Which routes has the door, and who may use each? The table, and what each route does."""

from typing import Any

import httpx
import pytest

from gateway.control import Act, Rejected, Revocation
from gateway.control.routes import WAYS
from gateway.crypto.digest import token_id
from tests.control.doors import A_FAULT, NOW, TOKENS, Behind, bearer, on_tcp

pytestmark = pytest.mark.anyio

ALL = {"system", "security", "audit", "reporter", "metrics", "admin"}
REVOCATION = {"kind": "subject", "id": "zhang.wei", "reason": "left", "until": None}
OPENING = {"department": "prov/civil", "digest": "d" * 43, "reason": "order 2026-17"}
# method, path, content of the request, roles that may, status for them
TABLE: list[tuple[str, str, dict[str, Any], set[str], int]] = [
    ("GET", "/health", {}, ALL, 200),
    ("GET", "/ready", {}, ALL, 200),
    ("GET", "/metrics", {}, {"metrics", "admin"}, 200),
    ("POST", "/v1/revocations", {"json": REVOCATION}, {"security", "admin"}, 200),
    ("GET", "/v1/revocations", {}, {"security", "admin"}, 200),
    ("DELETE", "/v1/revocations/7", {}, {"security", "admin"}, 200),
    ("POST", "/v1/posture/reports", {"content": b"a.b.c", "headers": {"content-type": "application/jose"}},
     {"reporter", "security", "admin"}, 202),
    ("POST", "/v1/reload", {}, {"system", "security", "admin"}, 200),
    ("GET", "/v1/policy", {}, {"security", "audit", "admin"}, 200),
    ("GET", "/v1/policy/history", {}, {"security", "audit", "admin"}, 200),
    ("POST", "/v1/policy/rollback", {"json": {"to": ""}}, {"security", "admin"}, 200),
    ("GET", "/v1/emergency", {}, {"security", "audit", "admin"}, 200),
    ("POST", "/v1/emergency", {"json": {"level": "II", "reason": "flood", "until": NOW + 60}}, {"security", "admin"}, 202),
    ("POST", "/v1/emergency/3/confirm?level=II", {}, {"security", "admin"}, 200),
    ("GET", "/v1/pilot", {}, {"security", "audit", "admin"}, 200),
    ("POST", "/v1/pilot", {"json": {"percent": 5, "orgs": ["prov/civil"]}}, {"security", "admin"}, 200),
    ("POST", "/v1/pilot/promote", {}, {"security", "admin"}, 200),
    ("DELETE", "/v1/pilot", {}, {"security", "admin"}, 200),
    ("GET", "/v1/decisions/j.1", {}, {"security", "audit", "admin"}, 200),
    ("POST", "/v1/audit/query", {"json": {"query": "outcome:deny", "limit": 5}}, {"audit", "admin"}, 200),
    ("POST", "/v1/audit/seen", {"json": {"value": "330106199003072319"}}, {"audit", "admin"}, 200),
    ("POST", "/v1/openings", {"json": OPENING}, {"security", "admin"}, 200),
    ("GET", "/v1/risk/staff%2Fzhang.wei", {}, {"security", "admin"}, 200),
]  # fmt: skip


async def ask(base: str, method: str, path: str, role: str = "admin", **more: Any) -> httpx.Response:
    headers = bearer(role) | more.pop("headers", {})
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(method, base + path, headers=headers, **more)


async def test_every_route_opens_to_its_roles_and_to_nobody_else() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        for method, path, content, roles, good in TABLE:
            for role in TOKENS:
                answer = await ask(base, method, path, role, **content)
                assert answer.status_code == (good if role in roles else 403), (method, path, role)
                assert answer.headers["cache-control"] == "no-store"
                assert not [name for name in answer.headers if name.startswith("access-control")]
    assert len(TABLE) == len(WAYS)


async def test_a_revocation_says_who_and_what_and_is_on_record() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        answer = await ask(base, "POST", "/v1/revocations", "security", json=REVOCATION)
    assert answer.json() == {"id": 7, "workers": 2, "seen": True}
    assert behind.asked == [("revoke", Revocation("subject", "zhang.wei", "left", None), "security-bot")]
    assert behind.acts == [Act("security-bot", "security", "revocation.add", "subject:zhang.wei", "#7 left", True)]


async def test_a_whole_token_is_replaced_by_its_name_before_anything_keeps_it() -> None:
    behind = Behind()
    token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
    async with on_tcp(behind) as base:
        await ask(base, "POST", "/v1/revocations", "security", json={"kind": "token", "id": token})
    assert behind.asked[0][1].id == token_id(token)
    assert token not in repr(behind.asked) + repr(behind.acts)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b'{"kind": "subject"}', b'{"kind": "planet", "id": "x"}', b'{"kind": "subject", "id": ""}',
        b'{"kind": "subject", "id": "a", "ID": "b"}', b'{"kind": "subject", "id": "a", "id": "b"}',
        b'{"kind": "subject", "id": "a\\u0000b"}', b'{"kind": "subject", "id": 5}', b"\xff\xfe", b"[" * 60_000,
        b'{"kind": "subject", "id": "a", "until": "tomorrow"}', b'{"kind": "subject", "id": "a", "until": 5}',
        b'{"kind": "subject", "id": "a", "until": 1e300}', b'{"kind": "subject", "id": "a"} x',
        b'{"kind": "subject", "id": "' + b"a" * 600 + b'"}',
    ],
)  # fmt: skip
async def test_an_ambiguous_or_odd_body_changes_nothing(body: bytes) -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        answer = await ask(
            base, "POST", "/v1/revocations", "security", content=body, headers={"content-type": "application/json"}
        )
    assert answer.status_code == 400
    assert answer.json()["reason"] == "bad_request"
    assert "str" not in answer.json()["errors"][0].split("`")
    assert behind.asked == []
    assert [(act.act, act.ok) for act in behind.acts] == [("revocation.add", False)]


async def test_a_body_of_another_type_or_size_is_not_read() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        form = await ask(
            base, "POST", "/v1/revocations", "security", content=b"{}", headers={"content-type": "text/plain"}
        )
        big = await ask(
            base,
            "POST",
            "/v1/revocations",
            "security",
            content=b" " * 70_000,
            headers={"content-type": "application/json"},
        )
    assert (form.status_code, form.json()["reason"]) == (415, "media_type")
    assert (big.status_code, big.json()["reason"]) == (413, "body_too_large")
    assert behind.asked == []


async def test_what_is_not_in_the_table_does_not_exist() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        for path in (
            "/",
            "/docs",
            "/openapi.json",
            "/v1",
            "/v1/reload/",
            "/debug/pprof",
            "/health/",
            "/v1/revocations/7/x",
        ):
            answer = await ask(base, "GET", path)
            assert (answer.status_code, answer.json()["reason"]) == (404, "not_found"), path
        odd = await ask(base, "PUT", "/v1/reload")
        assert (odd.status_code, odd.json()["reason"]) == (405, "method_not_allowed")
        assert odd.headers["allow"] == "POST"
        assert (await ask(base, "OPTIONS", "/v1/reload")).status_code == 405
        assert (await ask(base, "DELETE", "/v1/revocations/5")).status_code == 404
        assert (await ask(base, "DELETE", "/v1/revocations/x")).status_code == 404
        assert (await ask(base, "GET", "/v1/decisions/j.2")).status_code == 404


async def test_bad_policies_are_answered_with_their_faults_and_recorded_as_rejected() -> None:
    behind = Behind()
    behind.reloading = Rejected((A_FAULT,))
    async with on_tcp(behind) as base:
        answer = await ask(base, "POST", "/v1/reload", "system")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["line"] == 3
    assert [(act.act, act.detail, act.ok) for act in behind.acts] == [
        ("policy.reload_asked", "", True),
        ("policy.rejected", "rules/10.yaml:3:5: P001 unknown key `wen`", False),
    ]


async def test_what_was_lifted_is_on_record_by_its_name_and_with_its_reason() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        answer = await ask(base, "DELETE", "/v1/revocations/8?reason=found+again", "security")
        odd = await ask(base, "DELETE", "/v1/revocations/8?reason=a%00b", "security")
    assert answer.json() == {"lifted": 8, "kind": "session", "id": "s-1", "still": [9]}
    assert (odd.status_code, behind.asked) == (400, [("lift", 8, "security-bot")])
    assert [(act.act, act.target, act.detail, act.ok) for act in behind.acts][:2] == [
        ("revocation.lift_asked", "8", "", True),
        ("revocation.lift", "session:s-1", "#8 found again", True),
    ]


async def test_a_reload_is_counted_once_and_as_what_it_was() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        await ask(base, "POST", "/v1/reload", "system")
    assert [(act.act, act.target[:4], act.ok) for act in behind.acts] == [
        ("policy.reload_asked", "", True),
        ("policy.reload", "bbbb", True),
    ]


async def test_a_posture_report_that_is_not_accepted_says_why_in_the_words_of_rfc_8935() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        answer = await ask(
            base,
            "POST",
            "/v1/posture/reports",
            "reporter",
            content=b"x.y.z",
            headers={"content-type": "application/jose"},
        )
    assert answer.status_code == 400
    assert answer.json() == {"err": "invalid_key", "description": "nobody knows this key"}
    assert behind.acts == [Act("reporter-bot", "reporter", "posture.report", "", "invalid_key", False)]


async def test_a_question_is_on_record_with_its_text_even_when_it_is_wrong() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        good = await ask(base, "POST", "/v1/audit/query", "audit", json={"query": "outcome:deny"})
        bad = await ask(base, "POST", "/v1/audit/query", "audit", json={"query": "nonsense:1"})
    assert good.json() == {"rows": [{"subject": "zhang.wei"}]}
    assert bad.json()["errors"] == ["unknown field `nonsense`"]
    assert [(act.act, act.target, act.ok) for act in behind.acts] == [
        ("audit.query", "outcome:deny", True),
        ("audit.query", "nonsense:1", False),
    ]


async def test_an_identifier_in_a_question_is_not_on_record_whoever_asked_and_whatever_came_of_it() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        for role in ("audit", "security"):
            for text in ("subject:330106199003072319", "nonsense:330106199003072319"):
                await ask(base, "POST", "/v1/audit/query", role, json={"query": text})
            for path in ("decisions", "risk"):
                await ask(base, "GET", f"/v1/{path}/330106199003072319", role)
    assert len(behind.acts) == 8
    assert "330106199003072319" not in repr(behind.acts)
    assert ("audit.query", "subject:…") in [(act.act, act.target) for act in behind.acts]


async def test_who_saw_a_citizen_is_on_record_by_the_digest_and_never_by_the_identifier() -> None:
    behind = Behind()
    behind.looks = {"looks": [{"subject": "zhang.wei"}], "larger": 2, "cut": False}
    async with on_tcp(behind) as base:
        good = await ask(base, "POST", "/v1/audit/seen", "audit", json={"value": "330106199003072319", "since": 5.0})
        bad = [
            await ask(base, "POST", "/v1/audit/seen", "audit", json=wish)
            for wish in (
                {"value": ""}, {"value": "330106199003072319\n"}, {"value": "3" * 201}, {"value": 330106199003072319},
                {"value": "330106199003072319", "since": -1}, {"value": "330106199003072319", "till": 1}, {},
            )
        ]  # fmt: skip
    assert good.json() == behind.looks
    assert behind.asked == [("seen", "330106199003072319", 5.0)]
    assert [answer.status_code for answer in bad] == [400] * 7
    assert not any("330106199003072319" in answer.text for answer in bad)
    assert [(act.act, act.target) for act in behind.acts if act.ok] == [("audit.seen", "d1" * 8)]
    assert "330106199003072319" not in repr(behind.acts)


async def test_what_is_about_to_be_deciphered_is_on_record_with_whose_and_why() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        good = await ask(base, "POST", "/v1/openings", "security", json=OPENING)
        bad = [
            await ask(base, "POST", "/v1/openings", "security", json=OPENING | wrong)
            for wrong in (
                {"reason": " "}, {"reason": "a\nb"}, {"reason": "r" * 501}, {"department": ""}, {"department": "a\nb"},
                {"department": "d" * 201}, {"digest": ""}, {"digest": "330106199003072319"}, {"digest": "d" * 44}, {"value": "e1.x"},
            )
        ]  # fmt: skip
        behind.recording = False
        unrecorded = await ask(base, "POST", "/v1/openings", "security", json=OPENING)
    assert (good.status_code, good.json()) == (200, {"digest": "d" * 43})
    assert [answer.status_code for answer in bad] == [400] * 10
    assert (unrecorded.status_code, unrecorded.json()["reason"]) == (503, "audit_unavailable")
    assert [(act.act, act.target, act.detail) for act in behind.acts if act.ok][:1] == [
        ("value.decrypt", "d" * 43, "prov/civil order 2026-17")
    ]


async def test_what_cannot_be_recorded_is_not_shown_and_what_widens_is_not_done() -> None:
    behind = Behind()
    behind.recording = False
    async with on_tcp(behind) as base:
        for method, path, content in (
            ("POST", "/v1/audit/query", {"json": {"query": "outcome:deny"}}),
            ("POST", "/v1/reload", {}),
            ("DELETE", "/v1/revocations/7", {}),
        ):
            answer = await ask(base, method, path, **content)
            assert (answer.status_code, answer.json()["reason"]) == (503, "audit_unavailable")
            assert "zhang.wei" not in answer.text
        revoked = await ask(base, "POST", "/v1/revocations", json=REVOCATION)
        assert revoked.status_code == 503
    # the revocation took effect all the same: withdrawing access must not depend on the disk
    assert [asked[0] for asked in behind.asked] == ["query", "revoke"]


async def test_until_is_kept_and_metrics_answer_in_the_format_asked_for() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        await ask(base, "POST", "/v1/revocations", json=REVOCATION | {"until": NOW + 60})
        scrape = await ask(base, "GET", "/metrics", "metrics", headers={"accept": "application/openmetrics-text"})
    assert behind.asked[0][1].until == NOW + 60
    assert scrape.text == "# application/openmetrics-text\n"
    assert scrape.headers["content-type"] == "text/plain; version=0.0.4"


async def test_problems_speak_the_language_that_was_asked_for() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        answer = await ask(base, "GET", "/v1/nothing", headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "此处没有内容"


async def test_a_rollback_is_on_record_before_it_is_tried_and_says_what_came() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        answer = await ask(base, "POST", "/v1/policy/rollback", "security", json={"to": "aaaaaaaa"})
    assert answer.json() == {"bundle": "b" * 64, "previous": "a" * 64}
    assert behind.asked == [("rollback", "aaaaaaaa", "security-bot")]
    assert [(act.act, act.target, act.detail, act.ok) for act in behind.acts] == [
        ("policy.rollback_asked", "", "", True),
        ("policy.rollback", "b" * 64, "previous " + "a" * 64, True),
    ]


async def test_a_rollback_that_is_not_on_record_is_not_tried() -> None:
    behind = Behind()
    behind.recording = False
    async with on_tcp(behind) as base:
        answer = await ask(base, "POST", "/v1/policy/rollback", "security", json={"to": ""})
    assert (answer.status_code, behind.asked) == (503, [])


async def test_a_rollback_to_what_has_faults_is_told_and_on_record_as_failed() -> None:
    behind = Behind()
    behind.reloading = Rejected((A_FAULT,))
    async with on_tcp(behind) as base:
        answer = await ask(base, "POST", "/v1/policy/rollback", "security", json={"to": "a" * 8})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "P001")
    assert (behind.acts[-1].act, behind.acts[-1].ok) == ("policy.rollback", False)


async def test_asking_and_confirming_are_on_record_with_number_level_and_reason() -> None:
    behind = Behind()
    wish = {"level": "II", "reason": "flood", "until": NOW + 60}
    async with on_tcp(behind) as base:
        asked = await ask(base, "POST", "/v1/emergency", "security", json=wish)
        done = await ask(base, "POST", "/v1/emergency/3/confirm?level=II", "security")
    assert asked.json() == {"id": 3, "level": "II", "confirm_before": NOW + 600}
    assert done.json() == {"id": 3, "level": "II", "until": NOW + 60, "workers": 2, "bundle": "b" * 64 + "+II"}
    assert [(act.act, act.target, act.detail) for act in behind.acts] == [
        ("emergency.ask", "#3 II", "flood"),
        ("emergency.confirm", "#3 II", "b" * 64 + "+II"),
    ]


async def test_the_end_of_a_level_is_on_record_before_it_is_tried() -> None:
    behind = Behind()
    behind.level = "I"
    async with on_tcp(behind) as base:
        done = await ask(base, "POST", "/v1/emergency/4/confirm", "security")
        behind.recording = False
        refused = await ask(base, "POST", "/v1/emergency/4/confirm", "security")
        behind.level = ""
        raised = await ask(base, "POST", "/v1/emergency/3/confirm?level=II", "security")
    assert (done.status_code, done.json()["level"]) == (200, "")
    assert [act.act for act in behind.acts[:2]] == ["emergency.end_asked", "emergency.end"]
    assert refused.status_code == 503
    assert raised.status_code == 503  # done, but not on record: a level takes away, and must not depend on the disk
    assert [one[:2] for one in behind.asked] == [("confirm", 4), ("confirm", 3)]


async def test_what_takes_the_place_of_a_level_is_on_record_before_it_is_tried() -> None:
    """Level IV in place of I lets through again what I stopped, and so does an earlier end."""
    behind = Behind()
    behind.level = "I"
    async with on_tcp(behind) as base:
        done = await ask(base, "POST", "/v1/emergency/3/confirm?level=II", "security")
        behind.recording = False
        refused = await ask(base, "POST", "/v1/emergency/3/confirm?level=II", "security")
    assert (done.status_code, refused.status_code) == (200, 503)
    assert [(act.act, act.target) for act in behind.acts[:2]] == [
        ("emergency.confirm_asked", "#3"),
        ("emergency.confirm", "#3 II"),
    ]
    assert [one[:2] for one in behind.asked] == [("confirm", 3)]


async def test_the_same_operator_is_refused_and_that_is_on_record() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        answer = await ask(base, "POST", "/v1/emergency/5/confirm?level=II", "admin")
    assert (answer.status_code, answer.json()["reason"]) == (403, "second_operator")
    assert [(act.act, act.ok) for act in behind.acts] == [("emergency.confirm", False)]


@pytest.mark.parametrize("number", ["9", "x", "-1", "1e3", "9" * 16, "٣"])
async def test_a_number_that_nobody_asked_under_is_not_found(number: str) -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        answer = await ask(base, "POST", f"/v1/emergency/{number}/confirm", "security")
    assert answer.status_code == 404
    assert behind.asked == []


@pytest.mark.parametrize(
    "wish",
    [
        {"level": "II", "until": NOW + 60},
        {"level": "II", "reason": " ", "until": NOW + 60},
        {"level": "II", "reason": "a\nb", "until": NOW + 60},
        {"level": "II", "reason": "r" * 501, "until": NOW + 60},
        {"level": "II", "reason": "flood", "until": "tomorrow"},
        {"level": 2, "reason": "flood", "until": NOW + 60},
    ],
)
async def test_an_emergency_without_a_good_reason_or_end_is_not_asked_for(wish: dict[str, object]) -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        answer = await ask(base, "POST", "/v1/emergency", "security", json=wish)
    assert answer.status_code == 400
    assert behind.asked == []


async def test_a_pilot_is_on_record_before_and_after() -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        await ask(base, "POST", "/v1/pilot", "security", json={"percent": 5, "orgs": ["prov/civil"]})
        await ask(base, "POST", "/v1/pilot", "security", json={"pilot": 3, "percent": 10})
        await ask(base, "POST", "/v1/pilot/promote?pilot=3", "security")
        await ask(base, "DELETE", "/v1/pilot", "security")
    assert [(act.act, act.target, act.detail) for act in behind.acts] == [
        ("pilot.start_asked", "", ""), ("pilot.start", "c" * 64, "5% prov/civil"),
        ("pilot.start_asked", "", ""), ("pilot.change", "c" * 64, "10%"),
        ("pilot.promote_asked", "", ""), ("pilot.promote", "b" * 64, f"previous {'a' * 64}"),
        ("pilot.stop_asked", "", ""), ("pilot.stop", "", ""),
    ]  # fmt: skip
    assert ("promote", "security-bot", 3) in behind.asked


async def test_a_candidate_with_faults_is_told_with_them() -> None:
    behind = Behind()
    behind.piloting = Rejected((A_FAULT,))
    async with on_tcp(behind) as base:
        answer = await ask(base, "POST", "/v1/pilot", json={})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "P001")
    assert (behind.acts[-1].act, behind.acts[-1].ok) == ("pilot.start", False)


@pytest.mark.parametrize(
    "odd",
    [{"percent": -1}, {"percent": 100.5}, {"percent": "5"}, {"limits": {"deny": 1.5}}, {"limits": {"errors": -0.1}},
     {"limits": {"gain": 1.5}},
     {"limits": {"p99": 0}}, {"limits": {"p99": 1e9}}, {"orgs": ["a"] * 201}, {"share": 5}, {"limits": {"rate": 1}}],
)  # fmt: skip
async def test_terms_that_cannot_be_are_refused(odd: dict[str, Any]) -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        assert (await ask(base, "POST", "/v1/pilot", json=odd)).status_code == 400
    assert behind.asked == []


@pytest.mark.parametrize("number", ["x", "-1", "9" * 16, "٣"])
async def test_a_pilot_that_cannot_be_is_not_promoted(number: str) -> None:
    behind = Behind()
    async with on_tcp(behind) as base:
        assert (await ask(base, "POST", f"/v1/pilot/promote?pilot={number}")).status_code == 404
    assert behind.asked == []
