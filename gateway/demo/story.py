"""What should a stranger see in the first minute?

One request allowed, one masked, one denied with a reason, one asked to step up, one cut off
by a revocation; then the record that proves all of it, and what happens when somebody
changes the record. Each step checks the answer itself: a story that does not hold fails.
"""

import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from msgspec import Struct

Say = Callable[[str], None]


class Stage(Struct, frozen=True):
    """Where the story plays: addresses and files of the running processes."""

    gateway: str
    issuer: str
    folder: Path
    config: Path
    state: Path
    language: str = "en"


class Untrue(Exception):
    """The story does not hold; the text says which step, what was expected, and what came."""


class Step(Struct, frozen=True):
    """One scene: what is claimed, and what shows it."""

    en: str
    zh: str
    play: "Callable[[Scene], None]"


class Scene:
    """One step being played: makes requests, shows them, checks what came back."""

    def __init__(self, stage: Stage, client: httpx.Client, say: Say) -> None:
        self.stage = stage
        self._client = client
        self._say = say

    def token(self, user: str, acr: str = "aal2", session: str = "") -> str:
        """A signed access token from the development issuer."""
        form = {"user": user, "acr": acr, "session": session or f"s-{user}-{acr}", "plain": "1"}
        answer = self._client.post(f"{self.stage.issuer}/token", data=form)
        answer.raise_for_status()
        return answer.text

    def get(self, path: str, token: str = "", who: str = "", purpose: str = "") -> httpx.Response:
        """A request through the gateway, shown with its answer."""
        headers = {"accept-language": self.stage.language, "accept": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        if purpose:
            headers["x-purpose"] = purpose
        answer = self._client.get(self.stage.gateway + path, headers=headers)
        self._say(f"    {who or self.words('nobody', '匿名')} > GET {path}")
        many = self.words("… {count} in all", "……共 {count} 条")
        self._say(f"    {answer.status_code} {answer.reason_phrase}  {_excerpt(answer, many)}")
        return answer

    def words(self, en: str, zh: str) -> str:
        """One of two texts, in the language of the story."""
        return zh if self.stage.language == "zh-CN" else en

    def command(self, *words: str, code: int = 0) -> str:
        """A command of the gateway, shown with its output; its exit code is checked."""
        self._say(f"    $ gateway {shlex.join(words)}")
        environment = {**os.environ, "NO_COLOR": "1", "LANG": "C.UTF-8"}
        run = subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, "-m", "gateway", *words, "--lang", self.stage.language],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        for line in (run.stdout + run.stderr).strip().splitlines()[:8]:
            self._say(f"      {line}")
        self.expect(f"exit code of gateway {words[0]}", code, run.returncode)
        return run.stdout

    def expect(self, what: str, wanted: object, got: object) -> None:
        """Raise Untrue unless both are equal."""
        if wanted != got:
            raise Untrue(f"{what}: expected {wanted!r}, got {got!r}")


def _excerpt(answer: httpx.Response, many: str) -> str:
    try:
        value = answer.json()
    except ValueError:
        return answer.text[:100]
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        value = {"items": [*value["items"][:1], many.format(count=len(value["items"]))]}
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 320 else text[:319] + "…"


def _allowed(scene: Scene) -> None:
    answer = scene.get("/market/enterprises?limit=2", scene.token("zhang.wei"), "zhang.wei")
    scene.expect("status", 200, answer.status_code)
    scene.expect("records", 2, len(answer.json()["items"]))


def _masked(scene: Scene) -> None:
    answer = scene.get("/civil/households/h-1001", scene.token("zhang.wei"), "zhang.wei")
    scene.expect("status", 200, answer.status_code)
    from gateway.demo.records import make_records

    record = make_records().households["h-1001"]
    scene.expect("resident id in the answer", False, str(record["id_number"]) in answer.text)
    scene.expect("phone in the answer", False, str(record["phone"]) in answer.text)
    scene.expect("date of registration", record["registered_at"], answer.json()["registered_at"])


def _nobody(scene: Scene) -> None:
    answer = scene.get("/civil/households/h-1001")
    scene.expect("status", 401, answer.status_code)
    scene.expect("reason", "credential_missing", answer.json()["reason"])


def _denied(scene: Scene) -> None:
    answer = scene.get("/health/visits/v-5001", scene.token("zhang.wei"), "zhang.wei")
    scene.expect("status", 403, answer.status_code)
    scene.expect("reason", "no_rule", answer.json()["reason"])


def _bad_device(scene: Scene) -> None:
    who = scene.words("wang.fang (unmanaged device)", "wang.fang（非受管设备）")
    answer = scene.get("/civil/households/h-1001", scene.token("wang.fang"), who)
    scene.expect("status", 403, answer.status_code)
    scene.expect("reason", "device_untrusted", answer.json()["reason"])


def _step_up(scene: Scene) -> None:
    who = scene.words("li.na ({acr}, purpose audit)", "li.na（{acr}，用途 audit）")
    answer = scene.get("/health/visits/v-5001", scene.token("li.na", "aal2"), who.format(acr="aal2"), "audit")
    scene.expect("status", 401, answer.status_code)
    scene.expect("reason", "step_up_required", answer.json()["reason"])
    challenge = answer.headers["www-authenticate"]
    scene.expect("challenge", True, 'error="insufficient_user_authentication"' in challenge and "aal3" in challenge)
    answer = scene.get("/health/visits/v-5001", scene.token("li.na", "aal3"), who.format(acr="aal3"), "audit")
    scene.expect("status after the step-up", 200, answer.status_code)


def _revoked(scene: Scene) -> None:
    stolen = f"s-{secrets.token_hex(4)}"
    token = scene.token("zhang.wei", session=stolen)
    scene.expect("status before", 200, scene.get("/market/enterprises?limit=1", token, "zhang.wei").status_code)
    scene.command(
        "revoke", "session", stolen, "--reason", scene.words("laptop lost", "电脑遗失"), "-c", str(scene.stage.config)
    )
    answer = scene.get("/market/enterprises?limit=1", token, "zhang.wei")
    scene.expect("status after", 401, answer.status_code)
    scene.expect("reason", "session_revoked", answer.json()["reason"])


def _recorded(scene: Scene) -> None:
    found = scene.command("audit", "query", "outcome:deny | count by subject, reason", "-c", str(scene.stage.config))
    for reason in ("no_rule", "device_untrusted", "session_revoked"):
        scene.expect(f"`{reason}` is on record", True, reason in found)
    key = str(scene.stage.state / "keys" / "ledger.pub")
    scene.command("audit", "verify", str(scene.stage.state / "ledger"), "--public-key", key)


def _tampered(scene: Scene) -> None:
    copy = scene.stage.folder / "tampered"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(scene.stage.state / "ledger", copy)
    for path in sorted(copy.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        if b"zhang.wei" in data:
            path.write_bytes(data.replace(b"zhang.wei", b"zhang.wee", 1))
            break
    key = str(scene.stage.state / "keys" / "ledger.pub")
    scene.command("audit", "verify", str(copy), "--public-key", key, code=4)


STEPS = (
    Step("Open data: a clerk is allowed", "开放数据：科员获准访问", _allowed),
    Step("Important data: allowed, and masked on the way out", "重要数据：获准访问，返回时脱敏", _masked),
    Step("No credential: refused", "没有凭证：拒绝", _nobody),
    Step("Another department's core data: denied with a reason", "其他部门的核心数据：说明理由后拒绝", _denied),
    Step("The right person on an unmanaged device: denied", "合法人员使用非受管设备：拒绝", _bad_device),
    Step("Core data needs a stronger sign-in: step up, then allowed", "核心数据需要更强认证：加强认证后获准", _step_up),
    Step("A session is revoked: the next request is refused", "会话被吊销：下一个请求即被拒绝", _revoked),
    Step("Everything is on record, and the record verifies", "全部留痕，且记录可验证", _recorded),
    Step("Somebody changes one letter of the record: found out", "有人改动记录中的一个字母：立即发现", _tampered),
)


def tell(stage: Stage, say: Say) -> Iterator[Step]:
    """Play the steps in order and yield each one that held. Raises Untrue."""
    with httpx.Client(timeout=10.0, trust_env=False) as client:
        for number, step in enumerate(STEPS, 1):
            title = step.zh if stage.language == "zh-CN" else step.en
            say(f"\n{number}. {title}")
            try:
                step.play(Scene(stage, client, say))
            except Untrue as untrue:
                raise Untrue(f"step {number} ({step.en}): {untrue}") from untrue
            yield step
