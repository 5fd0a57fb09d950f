"""Clocks that run in processes of which there may be several: web processes, workers, replicas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from guardrails.facts.flow import Clock
from guardrails.finding import Related
from guardrails.frameworks.forms.flow import ClockForm
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import CallSeen, MarkSeen
from guardrails.names.options import Hit, Options
from guardrails.names.values import Home
from guardrails.outline import Expr, Ref, dotted, enclosing, walk
from guardrails.place import Place
from guardrails.project.ground import Ground
from guardrails.project.units import CommandLine, command_lines

_CHOICE = re.compile(
    r"(?i)(?:^|\.)(?:environ|getenv|settings|config|conf|args|options|env)(?:\.|$)|^[A-Z][A-Z0-9_]+$|(?:^|\.)[A-Z][A-Z0-9_]{3,}$"
)
_SEVERAL = re.compile(rb"^\s*(?:replicas|scale):\s*(?:[2-9]|\d{2,})\s*$")
_DEEPEST = 4


class Clocks:
    """Makes a fact of each clock that may tick several times."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver

    def ends(self) -> Iterator[Home]:
        """Where clocks are started: start-up code may call it."""
        return (seen.made.home for seen in self._ground.calls("clocks"))

    def facts(self) -> Iterator[Clock]:
        """A fact a clock."""
        for seen in self._ground.calls("clocks"):
            if not self._is_alone(seen) and self._ground.guards.locking(seen.made.home) is None:
                yield from self._started(seen)
        for mark in self._ground.marks("clocks"):
            yield self._decorated(mark)
        for model in self._ground.catalogue.models:
            for form in model.clocks:
                yield from self._on_lines(model, form)

    @staticmethod
    def _is_alone(seen: CallSeen) -> bool:
        """The scheduler takes the process for itself."""
        made = dotted(seen.origin.call.func).rpartition(".")[2] if seen.origin is not None else ""
        return made in seen.form.alone

    def _started(self, seen: CallSeen) -> Iterator[Clock]:
        home = seen.made.home
        way = self._way(home)
        if way is None or self._is_main(home, seen.site.step):
            return
        at = self._ground.at(seen.model, home, seen.made.call)
        yield Clock(
            **at,
            what=f"`{dotted(seen.made.call.func)}`",
            where="it starts with the web process, and each web process has its own",
            shown=way,
            chosen=self._is_chosen(home, seen.site.step),
            fix=seen.form.fix,
        )

    def _decorated(self, mark: MarkSeen) -> Clock:
        at = self._ground.standing(mark.model, mark.home, mark.at)
        name = self._resolver.definition(mark.home).name
        return Clock(**at, what=f"`{name}`", where="it ticks in the web process, and each web process has its own", fix=mark.form.fix)

    def _way(self, home: Home) -> tuple[Related, ...] | None:
        """The calls from start-up code down to a function; None where none is seen."""
        todo: list[tuple[Home, tuple[Related, ...]]] = [(home, ())]
        seen = {home}
        while todo:
            one, way = todo.pop(0)
            if one in self._startups or self._is_startup_method(one):
                return way
            for edge in self._ground.callers.of(one) if one.function and len(way) < _DEEPEST else ():
                if edge.caller not in seen and self._ground.callers.site_of(edge) is not None:
                    seen.add(edge.caller)
                    name = self._resolver.definition(edge.caller).qualname
                    hop = Related(Place(edge.caller.file, edge.start, edge.end), f"`{name}` calls it here")
                    todo.append((edge.caller, (hop, *way)))
        return None

    @cached_property
    def _startups(self) -> set[Home]:
        """The functions and modules that run when a web process starts."""
        found = {mark.home for mark in self._ground.marks("startups")}
        for seen in self._ground.calls("startups"):
            if seen.form.beside:
                found.add(seen.made.home)
            for selector in seen.form.functions:
                answer = Options(self._resolver, [seen.made]).get(selector)
                value = self._resolver.resolve(answer.home.file, answer.home.function, answer.expr) if isinstance(answer, Hit) else None
                if value is not None and value.home is not None:
                    found.add(value.home)
        return found

    @cached_property
    def _startup_methods(self) -> set[tuple[str, str]]:
        forms = [form for model in self._ground.catalogue.models for form in model.startups if form.base]
        return {(form.base, method) for form in forms for method in form.methods}

    def _is_startup_method(self, home: Home) -> bool:
        function = self._resolver.definition(home)
        if not any(name == function.name for _, name in self._startup_methods) or function.parent <= 0:
            return False
        bases = [base for base in self._resolver.bases(Home(home.file, function.parent)) if isinstance(base, str)]
        return any((base, function.name) in self._startup_methods for base in bases)

    def _tests(self, home: Home, step: int) -> Iterator[Expr]:
        """The conditions under which a step runs, also those that leave the function before it."""
        function = self._resolver.definition(home)
        for block in enclosing(function, function.steps[step].block):
            opener = function.steps[block.opened_by] if block.kind in ("if", "else") and block.opened_by >= 0 else None
            if opener is not None and opener.value is not None:
                yield opener.value
        for block in function.blocks:
            if block.kind == "if" and block.ends in ("return", "raise") and 0 <= block.opened_by < step:
                value = function.steps[block.opened_by].value
                if value is not None:
                    yield value

    def _is_main(self, home: Home, step: int) -> bool:
        """Below `if __name__ == "__main__"`: the module is then its own process."""
        return any(isinstance(part, Ref) and part.name == "__name__" for test in self._tests(home, step) for part in walk(test))

    def _is_chosen(self, home: Home, step: int) -> bool:
        """A setting or the environment decides."""
        return any(_CHOICE.search(dotted(part).replace("()", "")) for test in self._tests(home, step) for part in walk(test))

    def _on_lines(self, model: Model, form: ClockForm) -> Iterator[Clock]:
        """Clocks inside workers, and clocks that are started several times, by the command lines of deployment files."""
        apps = sorted(self._ground.settings.apps.get(model.framework, ()), key=lambda made: (made.home.file, made.call.start))
        for where, lines in (
            ("it runs inside the worker, and each worker that is added brings one more", self._inside(model, form)),
            ("it is started in several replicas", self._replicated(form)),
        ):
            if apps and lines:
                at = self._ground.at(model, apps[0].home, apps[0].call)
                shown = tuple(Related(line.place, "this command line starts it") for line in lines)
                yield Clock(**at, what=f"The clock of {model.title}", where=where, shown=shown, fix=form.fix)
                return

    def _inside(self, model: Model, form: ClockForm) -> list[CommandLine]:
        lines = self._ground.settings.lines(model.worker) if form.inside_worker and model.worker else ()
        alone = re.compile(form.unless or r"(?!)")
        return [line for line in lines if re.search(form.inside_worker, line.words) and not alone.search(line.words)]

    def _replicated(self, form: ClockForm) -> list[CommandLine]:
        lines = command_lines(self._ground.code, form.line) if form.line else []
        return [line for line in lines if _is_several(self._ground.code.files.load(line.place.path), line.place.start)]


def _is_several(text: bytes, at: int) -> bool:
    """The service of a compose file in which a line stands has more than one replica."""
    lines, offset, number = text.split(b"\n"), 0, 0
    for number, line in enumerate(lines):  # noqa: B007
        if offset + len(line) >= at:
            break
        offset += len(line) + 1
    depth = _indent(lines[number])
    first = next((i for i in range(number, -1, -1) if lines[i].strip() and _indent(lines[i]) < depth), -1)
    for line in lines[first + 1 :]:
        if line.strip() and _indent(line) < depth:
            return False
        if _SEVERAL.match(line):
            return True
    return False


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip())
