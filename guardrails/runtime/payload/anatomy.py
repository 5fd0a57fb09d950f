"""A payload's type, read once at its declaration: what must not be in it is refused, what is Sensitive is remembered."""

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args, get_origin

import typing_extensions
from pydantic import BaseModel, RootModel

from guardrails.runtime.errors import DeclarationError
from guardrails.runtime.payload.rows import is_secret, row_kind
from guardrails.runtime.secret import Sensitive


@dataclass(slots=True, eq=False)
class Part:
    """One place in a payload: is it sensitive, and what may stand in it. A type that holds itself gives a part that holds itself."""

    sensitive: bool = False
    fields: dict[str, "Part"] = field(default_factory=dict)
    items: list["Part"] = field(default_factory=list)
    variants: list["Part"] = field(default_factory=list)


def anatomy(model: type[BaseModel]) -> Part:
    """The parts of a model. Raises DeclarationError for a type that must not travel, with the path to it."""
    return _Reader().of(model, model.__name__)


class _Reader:
    def __init__(self) -> None:
        self._known: dict[type, Part] = {}

    def of(self, annotation: Any, where: str) -> Part:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self._marked(self.of(arguments[0], where), arguments[1:])
        if origin in (typing.Union, types.UnionType):
            return Part(variants=self._each(arguments, where))
        if origin is typing.Literal:
            return Part()
        if origin is not None:
            return Part(variants=[self.of(origin, where)], items=self._each(arguments, where))
        if isinstance(annotation, type):
            return self._known.get(annotation) or self._class(annotation, where)
        return Part(variants=self._each(_behind(annotation), where))

    def _each(self, annotations: Iterable[Any], where: str) -> list[Part]:
        return [self.of(annotation, where) for annotation in annotations]

    def _marked(self, part: Part, metadata: Iterable[Any]) -> Part:
        if any(mark is Sensitive or isinstance(mark, Sensitive) for mark in metadata):
            return Part(sensitive=True, variants=[part])
        return part

    def _class(self, kind: type, where: str) -> Part:
        if is_secret(kind):
            raise DeclarationError(
                f"{where} is a {kind.__name__}, and secrets do not travel: "
                "make it a SecretRef, queue SecretRef('name') and call its resolve() in the job."
            )
        if row := row_kind(kind):
            raise DeclarationError(f"{where} is {row} ({kind.__name__}), and rows do not travel: send its id and load it in the job.")
        if _configured(kind).get("arbitrary_types_allowed"):
            raise DeclarationError(
                f"{where}: {kind.__name__} sets arbitrary_types_allowed, so it could hold what JSON cannot: name types that pydantic knows."
            )
        part = self._known[kind] = Part()
        if issubclass(kind, RootModel):
            root = kind.model_fields["root"]
            part.variants.append(self._marked(self.of(root.annotation, where), root.metadata))
            return part
        for name, annotation, metadata in _members(kind, where):
            part.fields[name] = self._marked(self.of(annotation, f"{where}.{name}"), metadata)
        return part


def _behind(annotation: Any) -> Iterable[Any]:
    """What a named type, a NewType or a type variable stands for."""
    if isinstance(annotation, typing.TypeVar):
        return [*annotation.__constraints__, *([annotation.__bound__] if annotation.__bound__ else [])]
    if isinstance(annotation, typing_extensions.TypeAliasType):
        return [annotation.__value__]
    supertype = getattr(annotation, "__supertype__", None)
    return [] if supertype is None else [supertype]


def _configured(kind: type) -> Mapping[str, Any]:
    if issubclass(kind, BaseModel):
        return kind.model_config
    config: Mapping[str, Any] = getattr(kind, "__pydantic_config__", {})
    return config


def _members(kind: type, where: str) -> Iterable[tuple[str, Any, Iterable[Any]]]:
    """Name, type and metadata of each field of a model, dataclass, TypedDict or NamedTuple."""
    if issubclass(kind, BaseModel):
        return [(name, found.annotation, found.metadata) for name, found in kind.model_fields.items()]
    if not (dataclasses.is_dataclass(kind) or typing_extensions.is_typeddict(kind) or hasattr(kind, "_field_defaults")):
        return []
    try:
        hints = typing_extensions.get_type_hints(kind, include_extras=True)
    except NameError as error:
        raise DeclarationError(f"{where}: a type in {kind.__name__} cannot be found ({error}); declare it at module level.") from error
    return [(name, _bare(hint), ()) for name, hint in hints.items()]


def _bare(hint: Any) -> Any:
    """A TypedDict's hint without Required, NotRequired or ReadOnly around it."""
    wrappers = (typing_extensions.Required, typing_extensions.NotRequired, typing_extensions.ReadOnly)
    while get_origin(hint) in wrappers:
        hint = get_args(hint)[0]
    return hint
