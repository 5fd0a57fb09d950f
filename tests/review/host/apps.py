"""An App's own login: a JWT signed with its key buys a token of an installation."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from . import shapes
from .routes import missing, route
from .state import Actor, State, Token
from .wire import Call, Refused, Reply

LIVES, SKEW = 600, 60  # seconds


@dataclass(frozen=True)
class App:
    """A GitHub App, installed on the repository; `key` is its private key as PEM."""

    id: int
    installation: int
    slug: str
    key: str
    public: str
    rights: dict[str, str]

    @property
    def actor(self) -> Actor:
        return Actor(f"{self.slug}[bot]", 900_000 + self.id, "Bot")


def new(number: int, slug: str, rights: dict[str, str]) -> App:
    """An App with a fresh key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return App(number, 70_000 + number, slug, private.decode(), public.decode(), rights)


def login(state: State, given: str) -> App:
    """The App whose JWT this is; 401 in GitHub's words. The time is the real one, as PyGithub signs with it."""
    try:
        app = state.apps.get(int(jwt.decode(given, options={"verify_signature": False})["iss"]))
        if app is None:
            raise Refused(404, "Integration not found")
        said: dict[str, Any] = jwt.decode(given, app.public, algorithms=["RS256"], options={"require": ["iat", "exp", "iss"]}, leeway=SKEW)
    except (jwt.PyJWTError, KeyError, ValueError) as bad:
        raise Refused(401, "A JSON web token could not be decoded") from bad
    if said["exp"] - time.time() > LIVES + SKEW:
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
    return app  # type: ignore[no-any-return]


@route("GET", "/app", app=True)
def get_app(state: State, call: Call) -> Reply:
    made: dict[str, Any] = shapes.example("integration", state)
    app = call.token
    return Reply(200, made | {"id": app.id, "slug": app.slug, "name": app.slug, "permissions": app.rights})


@route("GET", "/repos/{owner}/{repo}/installation", app=True)
def of_repository(state: State, call: Call) -> Reply:
    return Reply(200, installation(state, call.token))


@route("GET", "/app/installations/{installation_id}", app=True)
def get_installation(state: State, call: Call) -> Reply:
    if call.names["installation_id"] != str(call.token.installation):
        raise missing()
    return Reply(200, installation(state, call.token))


def installation(state: State, app: App) -> dict[str, Any]:
    made: dict[str, Any] = shapes.example("installation", state)
    number = {"id": app.installation, "app_id": app.id, "app_slug": app.slug, "permissions": app.rights}
    return made | number | {"access_tokens_url": f"{state.url}/app/installations/{app.installation}/access_tokens"}


@route("POST", "/app/installations/{installation_id}/access_tokens", app=True)
def create_token(state: State, call: Call) -> Reply:
    """A token for an hour, with the rights of the App or fewer."""
    app = call.token
    if call.names["installation_id"] != str(app.installation):
        raise missing()
    rights = call.json.get("permissions") or app.rights
    if any(app.rights.get(name) not in ("write", level) for name, level in rights.items()):
        raise Refused(422, "The permissions requested are not granted to this installation.")
    text = f"ghs_{app.slug}{next(state.ids)}"
    state.tokens[text] = Token(app.actor, rights)
    ends = datetime.fromtimestamp(time.time() + 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Reply(201, {"token": text, "expires_at": ends, "permissions": rights, "repository_selection": "selected"})
