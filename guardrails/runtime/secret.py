"""Secrets that travel by name, and the mark for what must not be read in logs."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.runtime import context, logs, settings
from guardrails.runtime.errors import DeclarationError, SecretMissing
from guardrails.runtime.logs.credentials import looks_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_./:-]{0,199}", re.ASCII)


class Sensitive:
    """The mark of a field that logs, errors and pages show as `[redacted]`: `Annotated[str, Sensitive]`. The value itself does travel."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: "CoreSchema", handler: "GetJsonSchemaHandler") -> dict[str, Any]:
        return {**handler(schema), "writeOnly": True}


@dataclass(frozen=True, slots=True)
class SecretRef:
    """The name of a secret. Only the name is queued, stored and printed; `resolve()` gives the secret, in the job's body.

    Raises DeclarationError for a name that is none, or that looks like a secret itself.
    """

    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise DeclarationError("SecretRef(..) takes a secret's name, up to 200 letters, digits and _ . / : -, such as 'STRIPE_KEY'.")
        if looks_secret(self.name):
            raise DeclarationError("SecretRef(..) was given what looks like the secret itself: give the name under which it is kept.")

    def __repr__(self) -> str:
        return f"SecretRef({self.name!r})"

    def resolve(self) -> str:
        """The secret, which is redacted from the job's log from now on. Raises SecretMissing outside a body, or where nobody holds it."""
        if not context.inside():
            raise SecretMissing(
                f"{self!r} is resolved only inside a job's body, not in a thread that it started: resolve it before, and pass it on."
            )
        return reveal(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core import core_schema as core

        field = core.typed_dict_field(core.str_schema(max_length=200, pattern=f"^{_NAME.pattern}$"))
        data = core.no_info_after_validator_function(_read, core.typed_dict_schema({"secret": field}, extra_behavior="forbid"))
        return core.json_or_python_schema(
            json_schema=data,
            python_schema=core.union_schema([core.is_instance_schema(cls), data]),
            serialization=core.plain_serializer_function_ser_schema(_write, when_used="json", return_schema=core.dict_schema()),
        )


def reveal(ref: SecretRef) -> str:
    """The secret of a name, for the runtime itself (signatures, destinations, sandboxes); redacted in logs from now on.

    Raises SecretMissing.
    """
    try:
        value = settings.current().secrets(ref.name)
    except Exception as error:
        raise SecretMissing(f"The resolver of secrets failed on {ref.name} with {type(error).__name__}.") from error
    if not isinstance(value, str) or not value:
        raise SecretMissing(
            f"Nobody here holds the secret {ref.name}: set the environment variable of that name, or runtime.configure(secrets=..)."
        )
    logs.redactor().learn(value)
    context.resolved(value)
    return value


def configure(resolver: "Callable[[str], str | None]") -> None:
    """Look secrets up with a function from name to value; the default reads the environment variable of that name."""
    settings.configure(secrets=resolver)


def _read(data: dict[str, str]) -> SecretRef:
    try:
        return SecretRef(data["secret"])
    except DeclarationError as error:
        raise ValueError(str(error)) from None


def _write(ref: SecretRef) -> dict[str, str]:
    return {"secret": ref.name}
