"""The whole way with a certified OpenID provider (node's oidc-provider): discovery, key set, at+jwt tokens."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from time import time

import httpx
import pytest

from gateway.facts import Ask
from gateway.identity import Claims, Issuer, Recogniser, Settings
from gateway.identity.fetch import Fetcher
from tests.identity.world import Withdrawn, bearing

IDP = Path(__file__).parents[1] / "idp"

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        shutil.which("node") is None or not (IDP / "node_modules" / "oidc-provider").is_dir(),
        reason="needs node and oidc-provider: npm ci --prefix tests/idp",
    ),
]


@pytest.fixture
async def issuer() -> AsyncIterator[str]:
    pipe = asyncio.subprocess.PIPE
    provider = await asyncio.create_subprocess_exec(
        "node", "provider.js", cwd=IDP, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    assert provider.stdin is not None
    assert provider.stdout is not None
    line = await asyncio.wait_for(provider.stdout.readline(), 20)
    yield json.loads(line)["issuer"]
    provider.stdin.close()
    await asyncio.wait_for(provider.wait(), 10)


async def a_token(issuer: str, alg: str = "RS256") -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{issuer}/token",
            auth=("reports", "reports-secret"),
            data={"grant_type": "client_credentials", "scope": "read", "resource": f"urn:gateway:{alg}"},
        )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def shown(token: str) -> Ask:
    return bearing(token, at=time())


async def test_tokens_of_a_real_provider(issuer: str) -> None:
    fetch, claims = Fetcher(), Claims(roles="realm_access.roles")
    settings = Settings(issuers=(Issuer(issuer, ("gateway",), realm="idp", claims=claims),))
    recogniser = Recogniser(settings, Withdrawn(), fetch, lambda notice: None)
    await recogniser.start()
    assert recogniser.ages()[issuer] is not None
    for alg in ("RS256", "ES256", "PS256"):
        token = await a_token(issuer, alg)
        subject = await recogniser.recognise(shown(token))
        assert (subject.rejection, subject.id, subject.kind) == (None, "idp/reports", "service")
        assert (subject.org, subject.roles) == ("prov/civil", ("reader",))
        assert subject.proof.jti
        body = token.split(".")
        swapped = ".".join((body[0], body[1], (await a_token(issuer, alg)).split(".")[2]))
        refused = await recogniser.recognise(shown(swapped))
        assert refused.rejection is not None
        assert refused.rejection.code == "token_signature"
    await recogniser.close()

    other = Recogniser(
        Settings(issuers=(Issuer(issuer, ("another-service",)),)), Withdrawn(), fetch, lambda notice: None
    )
    refused = await other.recognise(shown(await a_token(issuer)))
    assert refused.rejection is not None
    assert refused.rejection.code == "token_audience"
    await other.close()
    await fetch.close()
