"""What models and configuration say about secrets: types that mask themselves, methods that show, objects that hold too much."""

from __future__ import annotations

import re
from functools import cached_property

from guardrails.config import Config
from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.forms.payload import Secrecy
from guardrails.project.secrets import secret_noun, words_of

_MASKS = re.compile(
    r"(?i)(?:mask|redact|obfuscat|sanitiz|scrub|fingerprint|anonymi[sz]|censor|hash|digest|sha\d*|md5|hexdigest|truncate|shorten|preview|last4|safe_|render_as_string)"
)
# A key or parameter that ends so holds what tells a secret apart, not the secret.
_TELLS_APART = frozenset(
    "id ids pk uuid guid name names label labels ref refs reference references hash digest fingerprint hint type kind prefix suffix path "
    "file filename status state count length expiry expires at version index slug title description field header".split()
)
_MAKES = frozenset("make generate create mint issue sign encode build new".split())


class Secrecies:
    """The secrecy of all models as one. `masks` are the project's own redaction helpers."""

    def __init__(self, catalogue: Catalogue, config: Config) -> None:
        self._specs: tuple[Secrecy, ...] = tuple(model.secrecy for model in catalogue.models if model.secrecy is not None)
        self.whole = catalogue.whole
        self._masks, self._more = frozenset(config.redact_helpers), frozenset(config.secret_words)

    @cached_property
    def masked(self) -> tuple[str, ...]:
        """Types that mask themselves."""
        return tuple(path for spec in self._specs for path in spec.masked)

    @cached_property
    def shown(self) -> frozenset[str]:
        """Methods that give what such a type hides."""
        return frozenset(name for spec in self._specs for name in spec.shown)

    @cached_property
    def fields(self) -> frozenset[str]:
        """Methods and attributes that give all fields of an object."""
        return frozenset(name for spec in self._specs for name in spec.fields)

    @cached_property
    def fields_of(self) -> frozenset[str]:
        """Functions that give all fields of their first argument."""
        return frozenset(path for spec in self._specs for path in spec.fields_of)

    @cached_property
    def bodies(self) -> dict[str, str]:
        """What holds all of a request's body or headers, in words."""
        return {name: words for spec in self._specs for name, words in spec.bodies.items()}

    @cached_property
    def requests(self) -> frozenset[str]:
        """The usual names of a request."""
        return frozenset(name for spec in self._specs for name in spec.requests)

    @cached_property
    def sent(self) -> tuple[str, ...]:
        """How the paths of requests begin that are sent, not received."""
        return tuple(path for spec in self._specs for path in spec.sent)

    @cached_property
    def handles(self) -> tuple[str, ...]:
        """Calls and types whose value only names something."""
        return tuple(path for spec in self._specs for path in spec.handles)

    @cached_property
    def records(self) -> frozenset[str]:
        """Bases of classes that are plain records."""
        return frozenset(path for spec in self._specs for path in spec.records)

    @cached_property
    def commands(self) -> frozenset[str]:
        """Decorators and bases of a program's commands."""
        return frozenset(path for spec in self._specs for path in spec.commands)

    @cached_property
    def asks(self) -> frozenset[str]:
        """Calls that ask the person who started the program."""
        return frozenset(path for spec in self._specs for path in spec.asks)

    @cached_property
    def fresh(self) -> frozenset[str]:
        """Calls that give random values."""
        return frozenset(path for spec in self._specs for path in spec.fresh)

    def noun(self, name: str) -> str:
        """The secret noun that a name ends in."""
        return secret_noun(name, self._more)

    def masks(self, name: str) -> bool:
        """A helper of this name gives what may be seen."""
        return name in self._masks or _MASKS.search(name) is not None

    def made(self, name: str) -> str:
        """The secret noun of a function that makes a secret: `make_token`, `create_access_token`."""
        words = words_of(name)
        return self.noun("_".join(words[1:])) if len(words) > 1 and words[0] in _MAKES else ""


def tells_apart(name: str) -> bool:
    """A key or a parameter of this name holds an id or a label."""
    words = words_of(name)
    return words[-1:] != [] and words[-1] in _TELLS_APART


def fields_of(catalogue: Catalogue) -> frozenset[str]:
    """The last words of what gives all fields of an object, those left out that mean something else more often."""
    specs = [model.secrecy for model in catalogue.models if model.secrecy is not None]
    names = {name.rpartition(".")[2] for spec in specs for name in (*spec.fields, *spec.fields_of)}
    return frozenset(names - {"data", "json", "copy", "dict", "encode", "dump"})
