"""Calls in jobs that do something outside that doing twice makes worse: payments, mail, messages, posts, new rows, counters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.facts import Absent, Known, Setting, Unknown
from guardrails.facts.effects import Effect
from guardrails.frameworks.forms.effects import EffectForm
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import CallSeen
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Answer, Hit, Options
from guardrails.names.values import Home
from guardrails.outline import Attr, Call, Expr, Function, Group, Index, Literal_, Op, Pair, Ref, Site, Step, Text, dotted, receiver, walk
from guardrails.project.ground import Ground
from guardrails.project.secrets import words_of

_KEY = re.compile(r"(?i)idempot|dedup|(?:^|[-_])(?:delivery|event|message|webhook|request|transaction|correlation)[-_]?id$|^svix-id$")
_EVENT = re.compile(r"(?i)idempot|dedup|(?:^|_)(?:event|delivery|message|notification|request|transaction)_?id$")
_DOWN = 2  # calls below a job that are searched for rows and counters
# Rows of these are notes on a run: a second run has a note of its own.
_NOTES = frozenset(
    "log logs audit history event events activity attempt run execution result record metric metrics stat stats snapshot report status "
    "notification error failure trace job task".split()
)
_TALLIES = frozenset("attempt attempts retry retries tries try error errors failure failures fail fails failed run runs version".split())


class Effects:
    """Makes a fact of each such call; rows and counters only in jobs and a little below them."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        rows = [(model, model.rows) for model in ground.catalogue.models if model.rows is not None and model.rows.inserts]
        self._inserts = {word: (model, spec) for model, spec in rows for word in spec.inserts}

    def ends(self) -> Iterator[Home]:
        """Where an effect stands, if there is a job that runs again."""
        if any(self._ground.settings.repeats(job) is not None for job in self._ground.jobs.values()):
            yield from (seen.made.home for seen in self._ground.calls("effects") if self._counts(seen))
            yield from (Home(fact.scope.path, fact.scope.function) for fact in self._rows())

    def facts(self) -> Iterator[Effect]:
        """A fact a call."""
        for seen in self._ground.calls("effects"):
            if self._counts(seen):
                yield self._called(seen)
        yield from self._rows()

    def _rows(self) -> Iterator[Effect]:
        """New rows and counters."""
        for home in sorted(self._below_jobs()):
            function = self._ground.resolver.definition(home)
            for site in function.sites:
                yield from self._insert(home, function, site)
            for step in function.steps:
                yield from self._count(home, function, step)

    def _called(self, seen: CallSeen) -> Effect:
        form: EffectForm = seen.form
        at = self._ground.at(seen.model, seen.made.home, seen.made.call)
        lost = form.kind in ("payment", "post")
        return Effect(
            **at, kind=form.kind, call=_short(seen.made.call.func), does=form.does, key=self._key(seen), lost_answer=lost, fix=form.fix,
            sealed=self._is_sealed(seen),
        )  # fmt: skip

    def _is_sealed(self, seen: CallSeen) -> bool:
        """What is sent was given by a call of which nothing is known."""
        form: EffectForm = seen.form
        body = Options(self._ground.resolver, [seen.made]).first(form.body) if form.body else None
        if not isinstance(body, Hit) or not isinstance(body.expr, Ref):
            return False
        value = self._ground.resolver.resolve(body.home.file, body.home.function, body.expr)
        return value is None or (isinstance(value.made, Call) and value.home is None and self._entries(body) is None)

    def _counts(self, seen: CallSeen) -> bool:
        form: EffectForm = seen.form
        options = Options(self._ground.resolver, [seen.made])
        for name, value in form.only.items():
            answer = options.get(name)
            constant = evaluate(self._ground.resolver, answer) if isinstance(answer, Hit) else None
            if constant is None or str(constant.value).upper() != str(value).upper():
                return False
        target = options.first((form.target, "0")) if form.target else None
        return not (isinstance(target, Hit) and self._words(target) & frozenset(form.ask))

    def _words(self, hit: Hit) -> set[str]:
        """The words of an address: of its literals and names, and of what a name was given."""
        exprs = list(walk(hit.expr))
        value = self._ground.resolver.resolve(hit.home.file, hit.home.function, hit.expr) if isinstance(hit.expr, Ref) else None
        exprs += list(walk(value.made)) if value is not None and isinstance(value.made, Literal_ | Text | Op) else []
        texts = [str(e.value) for e in exprs if isinstance(e, Literal_)] + [e.name for e in exprs if isinstance(e, Ref | Attr)]
        return {word for text in texts for part in re.split(r"\W+", text) for word in words_of(part)}

    def _key(self, seen: CallSeen) -> Setting:
        """Its idempotency key: an argument, or a header."""
        form: EffectForm = seen.form
        options = Options(self._ground.resolver, [seen.made])
        answer: Answer = options.first(form.keys) if form.keys else None
        if isinstance(answer, Hit):
            return Known("", answer.place)
        headers = options.first(form.headers) if form.headers else None
        if any(_EVENT.search(name) for name in self._sent(options, form)):
            return Known("", seen.made.place)
        names = self._entries(headers) if isinstance(headers, Hit) else set()
        if isinstance(headers, Hit) and (names is None or any(_KEY.search(name) for name in names)):
            place = headers.place
            return Known("", place) if names else Unknown("its headers were not resolved", place)
        return Unknown("its options arrive by an argument that was not resolved") if "maybe" in (answer, headers) else Absent(None)

    def _sent(self, options: Options, form: EffectForm) -> set[str]:
        """The names in what is sent."""
        body = options.first(form.body) if form.body else None
        if isinstance(body, Hit) and isinstance(body.expr, Call) and body.expr.args:
            body = Hit(body.expr.args[0].value, body.home)
        return (self._entries(body) or set()) if isinstance(body, Hit) else set()

    def _entries(self, hit: Hit) -> set[str] | None:
        """The keys of a mapping, those that are set later included; None where it was not resolved."""
        value = self._ground.resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        made = hit.expr if isinstance(hit.expr, Group) else value.made if value is not None else None
        if not isinstance(made, Group):
            return None
        found = {str(item.key.value) for item in made.items if isinstance(item, Pair) and isinstance(item.key, Literal_)}
        name = dotted(hit.expr)
        for step in self._ground.resolver.definition(hit.home).steps:
            for target in step.targets:
                if isinstance(target, Index) and dotted(target.base) == name and isinstance(target.key, Literal_):
                    found.add(str(target.key.value))
        return found

    def _below_jobs(self) -> set[Home]:
        """The bodies of jobs that run again, the closures in them, and functions a little below."""
        jobs = [job for job in self._ground.jobs.values() if not job.symbol.startswith("?")]
        todo = [(job.home, 0) for job in jobs if self._ground.settings.repeats(job) is not None]
        found: set[Home] = set()
        while todo:
            home, depth = todo.pop()
            if home in found:
                continue
            found.add(home)
            for site in self._ground.resolver.definition(home).sites if depth < _DOWN else ():
                with self._ground.resolver.shallow():
                    value = self._ground.resolver.resolve(home.file, home.function, site.call.func)
                if value is not None and value.home is not None and self._ground.resolver.definition(value.home).kind == "function":
                    todo.append((value.home, depth + 1))
        return found

    def _insert(self, home: Home, function: Function, site: Site) -> Iterator[Effect]:
        """`Order.objects.create(..)`."""
        text = dotted(site.call.func)
        manager, _, word = text.rpartition(".")
        found = self._inserts.get(word)
        if found is None or manager.rpartition(".")[2] not in found[1].managers:
            return
        name = manager.rpartition(".")[0].rpartition(".")[2]
        skips = any(arg.name in found[1].insert_skips for arg in site.call.args) or _is_replaced(function, site, manager)
        if skips or _NOTES.intersection(words_of(name)) or not name[:1].isupper() or self._is_unique(home, site.call):
            return
        at = self._ground.at(found[0], home, site.call)
        yield Effect(**at, kind="insert", call=text, does=f"inserts a row of `{name}`", key=Absent(None))

    def _is_unique(self, home: Home, call: Call) -> bool:
        """The row's class says that something in it is unique: a second insert fails."""
        base = receiver(call.func)
        owner = receiver(base) if base is not None else None
        value = self._ground.resolver.resolve(home.file, home.function, owner) if owner is not None else None
        if value is None or value.home is None:
            return True
        definition = self._ground.resolver.definition(value.home)
        return "unique" in self._ground.resolver.text(value.home.file, definition.start, definition.end).lower()

    def _count(self, home: Home, function: Function, step: Step) -> Iterator[Effect]:
        """`account.balance += 1`, saved further down."""
        target = step.targets[0] if step.kind == "augment" and step.targets else None
        text = dotted(target) if target is not None else ""
        row, _, field = text.rpartition(".")
        if step.op not in ("+=", "-=", "+", "-") or not row or row in ("self", "cls") or _TALLIES.intersection(words_of(field)):
            return
        saved = any(dotted(site.call.func) in (f"{row}.save", f"{row}.asave") and site.call.start > step.start for site in function.sites)
        model = next((model for model, _ in self._inserts.values()), None)
        if saved and target is not None and model is not None:
            yield self._counted(model, home, target, text)

    def _counted(self, model: Model, home: Home, target: Expr, text: str) -> Effect:
        return Effect(**self._ground.at(model, home, target), kind="count", call=text, does=f"changes `{text}` by a step", key=Absent(None))


def _is_replaced(function: Function, site: Site, manager: str) -> bool:
    """Rows of the same table are deleted before in the same function: these take their place."""
    texts = (dotted(one.call.func) for one in function.sites if one.call.start < site.call.start)
    return any(text.startswith(f"{manager}.") and text.endswith((".delete", ".adelete")) for text in texts)


def _short(expr: Expr) -> str:
    text = dotted(expr)
    return text if len(text) <= 60 else f"..{text[-58:]}"
