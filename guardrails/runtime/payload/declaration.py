"""What a payload's model must be, judged when its job is declared."""

from typing import Any

from pydantic import BaseModel, RootModel, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError

from guardrails.runtime.errors import DeclarationError


def check(model: object) -> type[BaseModel]:
    """The model, complete; raises DeclarationError for what is no model of named fields."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)) or model is BaseModel:
        raise DeclarationError(f"A payload is a pydantic model of your own (class Charge(BaseModel): ..), not {model!r}.")
    if issubclass(model, RootModel):
        raise DeclarationError(f"{model.__name__} is a RootModel, and a payload has named fields, so that it can grow: make it a field.")
    try:
        complete = model.model_rebuild(raise_errors=False)
    except PydanticUserError as error:
        raise DeclarationError(f"{model.__name__} cannot be built: {_first_line(error)}.") from error
    if complete is False:
        raise DeclarationError(f"{model.__name__} names a type that is not defined yet: define it before the job is declared.")
    return model


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's JSON schema, by the names of its fields; raises DeclarationError for a field that JSON cannot hold."""
    try:
        return model.model_json_schema(by_alias=False)
    except PydanticInvalidForJsonSchema as error:
        names = ", ".join(filter(lambda name: _unheld(model, name), model.model_fields))
        raise DeclarationError(
            f"{model.__name__} has what JSON cannot hold ({names or _first_line(error)}): name types that pydantic writes as JSON."
        ) from error


def _unheld(model: type[BaseModel], name: str) -> bool:
    try:
        kind: Any = model.model_fields[name].annotation
        TypeAdapter(kind).json_schema()
    except PydanticInvalidForJsonSchema:
        return True
    return False


def _first_line(error: PydanticUserError) -> str:
    return error.message.splitlines()[0].rstrip(".")
