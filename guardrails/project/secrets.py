"""Which words name a secret: the nouns, and what makes them harmless. Identifiers are split at `_`, `-` and capitals."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

NOUNS = frozenset(
    "password passwd pwd passphrase passcode secret token jwt credential credentials authorization cookie cookies dsn apikey bearer "
    "privatekey secretkey accesskey".split()
)
_PAIRS = (
    "api key, access key, private key, secret key, session key, signing key, encryption key, master key, service key, auth key, api keys, "
    "secret keys, private keys, database url, db url, redis url, broker url, mongo url, connection string, connection url, signed url, "
    "presigned url, sso url, magic link, reset link, auth header, auth headers, authorization header, request headers, access tokens, "
    "refresh tokens, api tokens, auth tokens, session cookie"
)
PAIRS = frozenset(tuple(pair.split()) for pair in _PAIRS.split(", "))
# A token that is no credential, by the word before it: of text, of a page, of a rate, of a device, of a ledger.
_PLAIN_TOKENS = frozenset(
    "next page continuation pagination cancel cancellation csrf sync eos bos pad unk sep cls mask special stop start end first last prev "
    "previous current input output prompt completion max min num total lex parse syntax word text sub image audio video public device push "
    "fcm apns design shape template delimiter separator placeholder resume cursor nft erc20 lp reward base quote native liquidity per "
    "validation handshake challenge no missing invalid expired wrong request idempotency dedup dedupe fence fencing lease lock".split()
)
# What is done about a password, and no password: `reset_password`.
_ACTIONS = frozenset("reset forgot change check missing invalid expired wrong confirm verify".split())
# A name that begins so is a question, and its value yes or no.
_QUESTIONS = frozenset(
    "has is are was had use uses used need needs should with without no can may allow allows enable enabled require requires missing "
    "invalid valid supports include includes got".split()
)
_MASKED = frozenset("hashed masked encrypted redacted obfuscated truncated sanitized scrubbed anonymized fake dummy".split())
# The last words of a URL that may hold a credential: harmless where the same name is fetched as a public address.
ADDRESSES = frozenset(("url", "link"))


def words_of(name: str) -> list[str]:
    """The words of an identifier, lower case: `stripeSecretKey` -> stripe secret key."""
    return [word.lower() for word in _WORD.findall(name)]


@lru_cache(maxsize=1 << 14)
def secret_noun(name: str, more: frozenset[str] = frozenset()) -> str:
    """The secret noun that an identifier ends in, "" for none: `stripe_secret_key` -> "secret key", `max_tokens` -> ""."""
    words = words_of(name)
    if not words or words[0] in _QUESTIONS or _MASKED.intersection(words):
        return ""
    if "_".join(words) in more or words[-1] in more:
        return words[-1]
    before = words[-2] if len(words) > 1 else ""
    if (before, words[-1]) in PAIRS:
        return f"{before} {words[-1]}"
    if words[-1] in NOUNS and before not in (_PLAIN_TOKENS if words[-1] == "token" else _ACTIONS):
        return words[-1]
    return ""
