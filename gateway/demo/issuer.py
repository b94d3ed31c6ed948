"""Who signs the tokens of the demonstration?

A development issuer: anybody may ask it for a token in anybody's name, so it listens on
loopback only and its key lives as long as the process. What it signs is real: RFC 9068
access tokens, ES256, with a key set over HTTP. Run as `python -m gateway.demo.issuer PORT`.
"""

import argparse
import json
import secrets
import time
from urllib.parse import parse_qs

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.crypto.jws import SigningKey

AUDIENCE = "gateway"


class Person(Struct, frozen=True):
    """Somebody the issuer knows."""

    name: str
    org: str
    roles: tuple[str, ...]
    clearance: str
    device: str


PEOPLE = {
    "zhang.wei": Person("张伟", "prov/civil", ("clerk",), "important", "laptop-7"),
    "li.na": Person("李娜", "prov", ("auditor",), "core", "laptop-9"),
    "wang.fang": Person("王芳", "prov/civil", ("clerk",), "important", "home-pc"),
}


class Issuer:
    """Signs tokens and publishes the key that proves them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = SigningKey.generate("ES256")

    def token(self, user: str, acr: str, now: float, session: str, purpose: str) -> str:
        """An access token for a known person."""
        person = PEOPLE[user]
        claims: dict[str, object] = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": user,
            "client_id": "demo-portal",
            "iat": int(now),
            "exp": int(now) + 900,
            "jti": secrets.token_urlsafe(12),
            "sid": session,
            "acr": acr,
            "auth_time": int(now),
            "name": person.name,
            "org": person.org,
            "roles": list(person.roles),
            "clearance": person.clearance,
            "device_id": person.device,
        }
        if purpose:
            claims["purpose"] = purpose
        return self.key.sign(claims, "at+jwt")

    def metadata(self) -> dict[str, object]:
        """OpenID provider metadata."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "token_endpoint": f"{self.url}/token",
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }


def application(issuer: Issuer) -> Starlette:
    """The issuer over HTTP: metadata, key set, and `POST /token` with user, acr, session, purpose."""

    async def token(request: Request) -> Response:
        form = {key: values[-1] for key, values in parse_qs((await request.body()).decode()).items()}
        user = form.get("user", "")
        if user not in PEOPLE:
            return _json({"error": "invalid_request", "error_description": f"users: {', '.join(PEOPLE)}"}, 400)
        signed = issuer.token(
            user, form.get("acr", "aal2"), time.time(), form.get("session", f"s-{user}"), form.get("purpose", "")
        )
        if form.get("plain"):
            return Response(signed, media_type="text/plain")
        return _json({"access_token": signed, "token_type": "Bearer", "expires_in": 900})

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", lambda _: _json(issuer.metadata())),
            Route("/jwks", lambda _: _json({"keys": [issuer.key.public_jwk()]})),
            Route("/token", token, methods=["POST"]),
        ]
    )


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status, media_type="application/json")


def main() -> None:
    """Issue on loopback at the port given."""
    parser = argparse.ArgumentParser(prog="python -m gateway.demo.issuer", description=__doc__)
    parser.add_argument("port", type=int, help="port on 127.0.0.1")
    port = parser.parse_args().port
    uvicorn.run(application(Issuer(f"http://127.0.0.1:{port}")), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
