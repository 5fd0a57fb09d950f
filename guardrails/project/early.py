"""Work that is handed to a queue while a transaction is open, in the function itself or in one that calls it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from guardrails.facts.flow import EarlyEnqueue
from guardrails.files import is_test
from guardrails.finding import Related, Repair
from guardrails.frameworks.forms.flow import TransactionForm
from guardrails.frameworks.sightings import EnqueueSeen, HandlerSeen, JobSeen, SpawnSeen
from guardrails.names.code import last_word, owner_of
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit, Made
from guardrails.names.values import Home
from guardrails.outline import Attr, Expr, Function, Group, Index, Literal_, Pair, Ref, Site, Step, dotted, enclosing, receiver, walk
from guardrails.place import Place
from guardrails.project.ground import Ground
from guardrails.project.patience import Patience
from guardrails.project.repairs import Repairs
from guardrails.project.transactions import Opening, Transactions, names_in
from guardrails.project.units import is_development

_BRANCHES = ("if", "else", "case")
_DEEPEST = 8  # calls between the transaction and the hand-over


class _Found(msgspec.Struct, frozen=True):
    """An open transaction and the calls from there down."""

    opening: Opening
    way: tuple[Related, ...]


class Early:
    """Makes a fact of each hand-over that does not wait for a commit."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver
        self._open, self._patience = Transactions(ground.resolver, ground.catalogue), Patience(ground)
        self._repairs = Repairs(ground.resolver)
        self._commits = [model.commit for model in ground.catalogue.models if model.commit is not None]
        self._asks = frozenset(word for commit in self._commits for word in commit.asks)
        self._hooks = frozenset(word.rpartition(".")[2] for commit in self._commits for word in commit.hooks)

    @cached_property
    def _may_open(self) -> bool:
        return bool(self._ground.code.words.holding_any(self._open.words())) or bool(self._requests)

    def ends(self) -> Iterator[Home]:
        """Where work is handed over and no transaction is seen: a caller may have opened one."""
        for seen in self._hand_overs() if self._may_open else ():
            if self._open.around(seen.made.home, self._step(seen)) is None:
                yield seen.made.home

    def facts(self) -> Iterator[EarlyEnqueue]:
        """A fact a hand-over."""
        for seen in self._hand_overs() if self._may_open else ():
            found = self._search(seen)
            if found is not None and not self._waits(seen):
                at = self._ground.at(seen.model, seen.made.home, seen.made.call)
                opened = Related(found.opening.at, "the transaction opens here")
                opening, instead = found.opening, seen.model.commit.instead if seen.model.commit is not None else ""
                repair = self._repair(seen, found) if not instead else None
                yield EarlyEnqueue(
                    **at, target=seen.target, opens=opening.words, opened=opened, way=found.way, fix=instead or opening.fix,
                    patient=self._patience.why(seen), repair=repair,
                )  # fmt: skip

    def _repair(self, seen: EnqueueSeen, found: _Found) -> Repair | None:
        """A hook of the transaction, where nobody looks at what the hand-over gives."""
        opening = found.opening
        if seen.site.use != "dropped" or (found.way and opening.using):
            return None
        return self._repairs.after_commit(seen.made.place, opening.hook, opening.needs, opening.using)

    def _hand_overs(self) -> Iterator[EnqueueSeen]:
        for seen in self._ground.sightings(EnqueueSeen):
            is_now = not seen.form.signature and not seen.form.after_commit and seen.made.call == seen.site.call
            if is_now and self._resolver.part(seen.made.home).language == "python":
                yield seen

    def _step(self, seen: EnqueueSeen) -> Step:
        return self._resolver.definition(seen.made.home).steps[seen.site.step]

    def _search(self, seen: EnqueueSeen) -> _Found | None:
        """Breadth first from the hand-over up through its callers, to the nearest open transaction."""
        home = seen.made.home
        todo: list[tuple[Home, Step, tuple[Related, ...], frozenset[str]]] = [(home, self._step(seen), (), frozenset())]
        visited = {home}
        while todo:
            home, step, way, switches = todo.pop(0)
            if self._is_asked(home, step):
                continue
            switches |= _switches(self._resolver.definition(home), step)
            opening = self._open.around(home, step) or self._in_request(home)
            if opening is not None and not self._is_switched(home, switches):
                return _Found(opening, way) if not way or self._runs(seen) != home else None
            if self._resolver.definition(home).kind != "function" or len(way) >= _DEEPEST:
                continue
            for caller, site in self._callers(home):
                if caller not in visited:
                    visited.add(caller)
                    name = self._resolver.definition(caller).qualname
                    hop = Related(Place(caller.file, site.call.start, site.call.end), f"`{name}` calls it here")
                    todo.append((caller, self._resolver.definition(caller).steps[site.step], (hop, *way), switches))
        return None

    def _runs(self, seen: EnqueueSeen) -> Home | None:
        """The body of the job that is handed over. Where it saves a row that hands it over, the row's state ends that, or nothing would."""
        job = self._ground.jobs.get(seen.job)
        return job.home if job is not None else None

    def _is_switched(self, home: Home, switches: frozenset[str]) -> bool:
        """The file that opens the transaction sets what is asked on the way down: it may well have turned the hand-over off."""
        steps = (step for function in self._resolver.part(home).functions for step in function.steps) if switches else ()
        texts = (dotted(target) for step in steps if step.kind == "assign" for target in step.targets)
        return any("." in text and text.rpartition(".")[2] in switches for text in texts)

    def _callers(self, home: Home) -> Iterator[tuple[Home, Site]]:
        """The calls that run a function now; not those that only hand it on, nor what a spawn runs or a queue takes."""
        for edge in self._ground.callers.of(home):
            site = self._ground.callers.site_of(edge)
            if site is None or (edge.caller.file, site.call.start) in self._apart or is_test(edge.caller.file):
                continue
            if self._resolver.definition(edge.caller).kind == "function" and self._surely_calls(edge.caller, site, home):
                yield edge.caller, site

    def _surely_calls(self, caller: Home, site: Site, home: Home) -> bool:
        """The call means this function: by its name, or a method of its own object that this one overrides."""
        value = self._resolver.resolve(caller.file, caller.function, site.call.func)
        if value is None or value.home is None or value.home == home:
            return value is not None
        if self._resolver.definition(value.home).kind == "class":
            return True
        own, calling = (owner_of(self._resolver.part(one).functions, one.function) for one in (home, caller))
        if own < 0 or calling < 0:
            return False
        return Home(caller.file, calling) in self._resolver.bases(Home(home.file, own))

    @cached_property
    def _apart(self) -> set[tuple[str, int]]:
        """The starts of calls that run later or elsewhere."""
        spawned = {(seen.runs.home.file, seen.runs.expr.start) for seen in self._ground.sightings(SpawnSeen) if seen.runs is not None}
        handed = (seen for seen in self._ground.sightings(EnqueueSeen) if not seen.form.signature)
        return spawned | {(seen.made.home.file, seen.made.call.start) for seen in handed}

    def _is_asked(self, home: Home, step: Step) -> bool:
        """The code asks whether a transaction is open before it hands over at once, or waits for the commit in the other branch."""
        function = self._resolver.definition(home)
        if any(one.kind == "test" and self._asks.intersection(names_in(one.value)) for one in function.steps):
            return True
        branches = [(block, block.parent) for block in enclosing(function, step.block) if block.kind in _BRANCHES]
        hooked = [function.steps[s.step].block for s in function.sites if branches and last_word(s) in self._hooks]
        for index in hooked:
            others = [block for block in enclosing(function, index) if block.kind in _BRANCHES]
            if any(other != branch and other.parent == parent for other in others for branch, parent in branches):
                return True
        return False

    def _waits(self, seen: EnqueueSeen) -> bool:
        """The hand-over itself waits for the commit, or is a row of the same transaction."""
        commit = seen.model.commit
        if commit is not None and any(self._is_imported(module) for module in commit.shares):
            return True
        if seen.queue is not None and self._waits_by(Made(seen.queue.call, seen.queue.home)):
            return True
        job = self._ground.jobs.get(seen.job)
        return job is not None and (job.form.after_commit or self._has_patient_class(job, dotted(seen.made.call.func).rpartition(".")[2]))

    def _waits_by(self, made: Made) -> bool:
        """The queue was made by a call whose hand-overs wait."""
        value = self._resolver.resolve(made.home.file, made.home.function, made.call.func)
        return value is not None and any(value.path in commit.tasks for commit in self._commits)

    def _is_imported(self, module: str) -> bool:
        imports = (entry for part in self._ground.parts() for entry in part.outline.imports)
        return any(entry.target == module or entry.target.startswith(f"{module}.") for entry in imports)

    def _has_patient_class(self, job: JobSeen, method: str) -> bool:
        """A class of the job hands over after the commit: a base class that is known to, or a method of the project's that uses a hook."""
        for owner in self._ground.settings.classes(job):
            for base in self._resolver.bases(owner) if owner is not None else ():
                if isinstance(base, str):
                    if any(base in commit.tasks for commit in self._commits):
                        return True
                    continue
                part = self._resolver.part(base)
                for name in (method, "apply_async"):
                    index = part.member(base.function, name)
                    if index >= 0 and any(dotted(site.call.func).rpartition(".")[2] in self._hooks for site in part.functions[index].sites):
                        return True
        return False

    @cached_property
    def _requests(self) -> list[tuple[TransactionForm, Place]]:
        """The settings that put every request of a framework in a transaction."""
        forms = [form for model in self._ground.catalogue.models for form in model.transactions if form.setting]
        return [(form, place) for form in forms for place in self._switched_on(form)]

    def _switched_on(self, form: TransactionForm) -> Iterator[Place]:
        for path in self._ground.code.words.holding(form.setting):
            if path.endswith(".py") and not is_development(path) and not is_test(path):
                part = self._ground.code.part(path)
                for index, function in enumerate(part.functions):
                    for step in function.steps:
                        for hit in _set_inside(step, form, Home(path, index)):
                            constant = evaluate(self._resolver, hit)
                            if constant is not None and constant.value is True:
                                yield Place(path, hit.expr.start, hit.expr.end)

    @cached_property
    def _handlers(self) -> dict[Home, str]:
        return {seen.home: seen.model.framework for seen in self._ground.sightings(HandlerSeen)}

    def _in_request(self, home: Home) -> Opening | None:
        """The function answers requests, and the project runs each of them in a transaction."""
        framework = self._handlers.get(home, "")
        function = self._resolver.definition(home)
        for form, place in self._requests if framework and not function.is_async else ():
            if framework in form.frameworks and not self._is_exempt(home, form):
                return Opening(f"`{form.setting}`", place, form.fix, form.hook, form.needs)
        return None

    def _is_exempt(self, home: Home, form: TransactionForm) -> bool:
        function = self._resolver.definition(home)
        part = self._resolver.part(home)
        owner = part.functions[function.parent] if function.parent > 0 else function
        words = {name for decorator in (*function.decorators, *owner.decorators) for name in names_in(decorator)}
        return any(path.rpartition(".")[2] in words for path in form.exempt)


def _switches(function: Function, step: Step) -> frozenset[str]:
    """The constants of a configuration that decide whether a step runs: `settings.BATCH`, `getattr(settings, "BATCH", False)`."""
    around = [block for block in enclosing(function, step.block) if block.kind in _BRANCHES]
    left = [block for block in function.blocks if block.kind == "if" and block.ends in ("return", "raise") and block.end <= step.start]
    tests = [function.steps[block.opened_by].value for block in (*around, *left) if block.opened_by >= 0]
    exprs = [expr for test in tests if test is not None for expr in walk(test)]
    names = [expr.name.rpartition(".")[2] for expr in exprs if isinstance(expr, Ref | Attr)]
    names += [expr.value for expr in exprs if isinstance(expr, Literal_) and isinstance(expr.value, str)]
    return frozenset(name for name in names if name.isidentifier() and name.isupper())


def _set_inside(step: Step, form: TransactionForm, home: Home) -> Iterator[Hit]:
    """The values of a key in a mapping of the name that counts: written into it, stored under it, or passed to one of its methods."""
    for target in step.targets if step.value is not None else ():
        if isinstance(target, Index) and getattr(target.key, "value", None) == form.setting and _root(target) == form.inside:
            assert step.value is not None
            yield Hit(step.value, home)
    values = [step.value] if step.value is not None and any(_root(target) == form.inside for target in step.targets) else []
    for expr in walk(step.value) if step.value is not None and not values else ():
        owner = receiver(expr) if hasattr(expr, "args") else None
        if owner is not None and _root(owner) == form.inside:
            values.append(expr)
    for value in values:
        for expr in walk(value):
            for item in expr.items if isinstance(expr, Group) else ():
                if isinstance(item, Pair) and isinstance(item.key, Literal_) and item.key.value == form.setting:
                    yield Hit(item.value, home)
            yield from (Hit(arg.value, home) for arg in getattr(expr, "args", ()) if arg.name == form.setting)


def _root(expr: Expr) -> str:
    """`DATABASES` of `DATABASES["default"]["OPTIONS"]`."""
    while isinstance(expr, Index):
        expr = expr.base
    return dotted(expr).rpartition(".")[2]
