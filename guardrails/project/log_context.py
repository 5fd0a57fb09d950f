"""Who adds the id of the work to a log record: a bound logger, a context variable, a formatter or filter of the project."""

from __future__ import annotations

from functools import cached_property

from guardrails.names.values import Home
from guardrails.outline import Attr, Call, Expr, Literal_, Ref, Site, dotted, receiver, walk
from guardrails.project.ground import Ground
from guardrails.project.secrets import words_of

_NAMES = frozenset("job task correlation message".split())
_IDS = frozenset("id uuid name func key current context".split())


class LogContext:
    """Knows the loggers and the configuration of a project."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        words = [model.failures for model in ground.catalogue.models if model.failures is not None]
        self._makers = frozenset(word for one in words for word in one.bound_loggers)
        self._everywhere = tuple(word for one in words for word in one.log_context)
        self._bases = frozenset(word for one in words for word in one.log_bases)

    def of(self, home: Home, site: Site, is_loop: bool) -> str:
        """Who adds the context to a log call, "" for nobody. What was bound before a loop began knows none of its messages."""
        own = self._logger(home, site, is_loop)
        return own or self.project

    def _logger(self, home: Home, site: Site, is_loop: bool) -> str:
        """The logger was made by something that binds."""
        base = receiver(site.call.func)
        if base is None:
            return ""
        for expr in (base, *([base.func] if isinstance(base, Call) else [])):
            name = self._made_by(home, expr)
            value = self._ground.resolver.resolve(home.file, home.function, expr) if name and is_loop else None
            if name and not (value is not None and value.made_in is not None and value.made_in != home):
                return f"`{name}` binds it"
        return ""

    def _made_by(self, home: Home, expr: Expr) -> str:
        if isinstance(expr, Call) and dotted(expr.func).rpartition(".")[2] in self._makers:
            return dotted(expr.func)
        value = self._ground.resolver.resolve(home.file, home.function, expr)
        made = value.made if value is not None else None
        while isinstance(made, Call):
            if dotted(made.func).rpartition(".")[2] in self._makers:
                return dotted(made.func)
            if self._binds(value.made_in if value is not None else None, made):
                return dotted(made.func)
            made = receiver(made.func) if isinstance(made.func, Attr) else None
        return ""

    def _binds(self, home: Home | None, made: Call) -> bool:
        """A function of the project that makes the logger binds something to it."""
        value = self._ground.resolver.resolve(home.file, home.function, made.func) if home is not None else None
        if value is None or value.home is None or value.home.function == 0:
            return False
        definition = self._ground.resolver.definition(value.home)
        if definition.kind == "class":
            return any(dotted(base.value).rpartition(".")[2] in self._makers for base in definition.bases)
        calls = {dotted(site.call.func).rpartition(".")[2] for site in definition.sites}
        return bool(calls & self._makers) or bool({"addHandler", "addFilter", "setFormatter"} & calls)

    @cached_property
    def project(self) -> str:
        """What adds the context everywhere in the project."""
        index = self._ground.code.words
        for word in self._everywhere:
            if index.holding(word):
                return f"`{word}` adds it"
        names = self._classes()
        return f"`{names}` adds it" if names else ""

    def _classes(self) -> str:
        """A formatter, filter or handler for log records that speaks of the job."""
        for path in self._ground.code.words.holding_any(self._bases):
            if not path.endswith(".py") or b"class " not in (text := self._ground.code.text(path)):
                continue
            if any(b"(" + base.encode() in text or b"." + base.encode() + b")" in text for base in self._bases):
                name = self._speaking(path)
                if name:
                    return name
        return ""

    def _speaking(self, path: str) -> str:
        part = self._ground.code.part(path)
        for index, one in enumerate(part.functions):
            if one.kind != "class" or not any(dotted(base.value).rpartition(".")[2] in self._bases for base in one.bases):
                continue
            for inner in part.functions[index + 1 :]:
                if inner.start < one.end and any(step.value is not None and _tells(step.value) for step in inner.steps):
                    return one.name
        return ""


def _tells(value: Expr) -> bool:
    """An expression about the work: `current_task.request.id`, `get_current_job()`, `record.trace_id`."""
    for expr in walk(value):
        text = dotted(expr) if isinstance(expr, Ref | Attr) else str(expr.value) if isinstance(expr, Literal_) else ""
        words = set(words_of(text)) if len(text) < 80 else set()
        if words & _NAMES and words & _IDS:
            return True
    return False
