"""Text that every database and every frame can hold, from whatever a body said."""

from guardrails.runtime.errors import UnknownJob


def plain(text: str) -> str:
    r"""The text with NUL and lone surrogates written as `\x00` and `\udcff`: PostgreSQL keeps no NUL, and UTF-8 has no surrogates."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def said(error: BaseException) -> str:
    """An error's words, also where its `str()` raises; plain."""
    try:
        return plain(str(error))
    except BaseException as second:  # whatever it raises, the first error is what went wrong
        return f"<no words: its str() raised {type(second).__name__}>"


def known(what: str, given: object) -> str:
    """An id that a database can be asked for; raises UnknownJob for what none holds (`what`: a job or a task)."""
    if not isinstance(given, str) or not given or plain(given) != given:
        raise UnknownJob(f"There is no {what} {given!r}.")
    return given
