"""Which words name a secret: the nouns, and what makes them harmless. Identifiers are split at `_`, `-` and capitals."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

NOUNS = frozenset(
    "password passwd pwd passphrase passcode secret token jwt credential credentials authorization cookie cookies dsn apikey bearer "
    "privatekey secretkey accesskey".split()
)
PAIRS = frozenset(
    tuple(pair.split())
    for pair in (
        "api key",
        "access key",
        "private key",
        "secret key",
        "session key",
        "signing key",
        "encryption key",
        "master key",
        "service key",
        "auth key",
        "database url",
        "db url",
        "redis url",
        "broker url",
        "mongo url",
        "connection string",
        "connection url",
        "signed url",
        "presigned url",
        "sso url",
        "login url",
        "magic link",
        "reset link",
        "auth header",
        "auth headers",
        "authorization header",
        "request headers",
        "access tokens",
        "refresh tokens",
        "api tokens",
        "auth tokens",
        "session cookie",
        "api keys",
        "secret keys",
        "private keys",
        "id token",
    )
)
# A token that is no credential: what stands before it says so.
HARMLESS_BEFORE = frozenset(
    "next page continuation pagination cancel cancellation csrf sync eos bos pad unk sep cls mask special stop start end first last prev "
    "previous current input output prompt completion max min num total lex parse syntax word text sub image audio video public device push "
    "fcm apns design shape template delimiter separator placeholder resume cursor nft erc20 lp reward base quote native liquidity "
    "validation handshake challenge has is no use need needs with without missing invalid expired wrong no_ check "
    "reset forgot change".split()
)
# A name that begins so is a question, and its value yes or no.
_QUESTIONS = frozenset(
    "has is are was had use uses used need needs should with without no can may allow allows enable enabled require requires missing "
    "invalid valid supports include includes got".split()
)


def words_of(name: str) -> list[str]:
    """The words of an identifier, lower case: `stripeSecretKey` -> stripe secret key."""
    return [word.lower() for word in _WORD.findall(name)]


def secret_noun(name: str, more: frozenset[str] = frozenset()) -> str:
    """The secret noun that an identifier ends in, "" for none: `stripe_secret_key` -> "secret key", `max_tokens` -> ""."""
    words = words_of(name)
    if not words:
        return ""
    if "_".join(words) in more or words[-1] in more:
        return words[-1]
    if len(words) > 1 and (words[-2], words[-1]) in PAIRS:
        return f"{words[-2]} {words[-1]}"
    if words[0] in _QUESTIONS:
        return ""
    if words[-1] in NOUNS and not (len(words) > 1 and words[-2] in HARMLESS_BEFORE):
        return words[-1]
    return ""
