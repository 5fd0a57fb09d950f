"""What a job's settings are in effect: on the job, its class, its application, its worker's command line, by default."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache

import msgspec

from guardrails.facts import NEVER, Absent, Known, Repeat, Setting, Unknown, Varies
from guardrails.finding import Related
from guardrails.frameworks.model import Model, Timeout
from guardrails.frameworks.sightings import JobSeen
from guardrails.names.code import Code, Part
from guardrails.names.evaluate import as_text, evaluate
from guardrails.names.options import Answer, Hit, Made, Options
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Call, Expr, Function, Group, Index, Literal_, Pair, Ref, Step, dotted, enclosing, walk
from guardrails.place import Place
from guardrails.project.units import command_lines, flag, is_development

_DEBUG = re.compile(r"(?i)debug|test|dev|local")


class Assigned(msgspec.Struct, frozen=True):
    """A settings key with its value where it is assigned; `sure` is false below a condition."""

    key: str
    hit: Hit
    place: Place
    sure: bool


class Limit(msgspec.Struct, frozen=True):
    """A job's effective time limit, the places that bear on it, the cause that jobs without one may share.

    `own`: it stands on the job itself.
    """

    setting: Setting
    related: tuple[Related, ...] = ()
    cause: str = ""
    own: bool = False


class Settings:
    """Resolves settings of jobs over the whole project."""

    def __init__(self, code: Code, resolver: Resolver) -> None:
        self._code, self._resolver = code, resolver
        self.apps: dict[str, tuple[Made, ...]] = {}
        self.assigned = cache(self._assigned)
        self._settings_files = cache(self._files_with)
        self._namespaces = cache(self._named_by)
        self.lines = cache(lambda pattern: tuple(command_lines(code, pattern)))

    def limit(self, job: JobSeen) -> Limit:
        """The effective time limit of a job, in seconds."""
        spec = job.model.timeout
        if spec is None:
            return Limit(Unknown("its framework's limits are not modelled"))
        void = self._void(job.model, spec)
        if void is not None:
            return Limit(
                Absent(NEVER, spec.source, (void.path,)), (Related(void, spec.void_words),), f"void:{job.model.framework}:{void.path}"
            )
        selectors = spec.arguments if not job.form.call else (*spec.enqueue, *spec.arguments)
        own = self._read(job.options.first(selectors), spec)
        if own is not None:
            return Limit(own, own=True)
        near = self._near(job, spec)
        if near is not None:
            return Limit(near)
        far = self._far(job, spec)
        unresolved = job.symbol.startswith("?") and isinstance(far.setting, Absent) and far.setting.default == NEVER
        return Limit(Unknown("the function that it runs was not resolved")) if unresolved else far

    def is_hosted(self, job: JobSeen) -> bool:
        """The project declares jobs for an application that is not its own."""
        return (
            bool(job.model.apps)
            and job.app is None
            and not self.apps.get(job.model.framework)
            and bool(job.model.timeout and job.model.timeout.settings)
        )

    def _void(self, model: Model, spec: Timeout) -> Place | None:
        lines = self.lines(model.worker) if spec.void_under and model.worker else ()
        void = [line for line in lines if re.search(spec.void_under, line.words)]
        return void[0].place if void and len(void) == len(lines) else None

    def _near(self, job: JobSeen, spec: Timeout) -> Setting | None:
        """What stands near the job: its class's attributes, its base task's, a bound inside its body."""
        for owner in self._classes(job):
            setting = self._on_class(owner, spec)
            if setting is not None:
                return setting
        return self._bound_inside(job, spec)

    def _on_class(self, owner: Home | None, spec: Timeout) -> Setting | None:
        """What a class or its bases set; a base that was not read may set it."""
        if owner is None:
            return Unknown("its base class was not read")
        for home in self._resolver.bases(owner):
            if not isinstance(home, Home):
                continue
            for name in spec.attributes:
                answer = self._attribute(home, name)
                if isinstance(answer, Hit) and spec.endless_attributes and isinstance(answer.expr, Literal_) and answer.expr.value is None:
                    return Known(NEVER, Place(answer.home.file, answer.expr.start, answer.expr.end))
                setting = self._read(answer, spec)
                if setting is not None:
                    return setting
        return None

    def _bound_inside(self, job: JobSeen, spec: Timeout) -> Setting | None:
        for site in self._resolver.definition(job.home).sites if spec.inside else ():
            value = self._resolver.resolve(job.home.file, job.home.function, site.call.func)
            if value is not None and value.path in spec.inside:
                return Unknown("its body limits itself", Place(job.home.file, site.call.start, site.call.end), "yes")
        return None

    def _classes(self, job: JobSeen) -> Iterator[Home | None]:
        """The classes whose attributes are the job's options; None for one that was not read."""
        if job.owner is not None:
            yield job.owner
        if job.listed_in is not None:
            yield job.listed_in
        spec = job.model.timeout
        bases = [job.options.first(spec.base)] if spec is not None and spec.base and job.options.calls else []
        if spec is not None and spec.app_base and job.app is not None:
            bases.append(Options(self._resolver, [job.app]).first(spec.app_base))
        for base in bases:
            if isinstance(base, Hit):
                named = as_text(base.expr)
                value = (
                    self._resolver.imported(base.home.file, named.replace(":", "."))
                    if named is not None
                    else self._resolver.resolve(base.home.file, base.home.function, base.expr)
                )
                known = value is not None and value.home is not None and self._resolver.definition(value.home).kind == "class"
                yield value.home if known and value is not None else None

    def _attribute(self, home: Home, name: str) -> Answer:
        for step in self._resolver.definition(home).steps:
            if step.value is not None and any(getattr(target, "name", "") == name for target in step.targets):
                return Hit(step.value, home)
        return None

    def _read(self, answer: Answer, spec: Timeout) -> Setting | None:
        """A setting from an answer; None where nobody set it, or a sentinel inherits."""
        if answer is None:
            return None
        if answer == "maybe":
            return Unknown("its options arrive by an argument that was not resolved")
        assert isinstance(answer, Hit)
        place = Place(answer.home.file, answer.expr.start, answer.expr.end)
        constant = evaluate(self._resolver, answer)
        if constant is None:
            return Unknown("its value is only known when it runs", place, "yes")
        return _normal(constant.value, spec, place)

    def _far(self, job: JobSeen, spec: Timeout) -> Limit:
        """What stands on the application, in its settings, on its worker's command line; else the default."""
        options = Options(self._resolver, [job.app]) if job.app is not None else None
        setting = self._read(options.first(spec.app), spec) if options is not None and spec.app else None
        setting = setting or self._in_settings(job, spec) or self._on_command_lines(job, spec)
        if setting is not None:
            return Limit(setting, cause=_cause(job, setting.at) if isinstance(setting, Known) else "")
        default = NEVER if spec.default is None else spec.default
        looked = self._looked_in(job)
        at = looked[0] if looked else ""
        return Limit(Absent(default, spec.source, looked), cause=f"untimed:{job.model.framework}:{at}")

    def _in_settings(self, job: JobSeen, spec: Timeout) -> Setting | None:
        found = [entry for entry in self.assigned(spec.settings, self.prefixes(spec)) if self._concerns(entry.place.path, job)]
        settings = [(entry, self._read(entry.hit, spec)) for entry in found]
        values = [(entry, setting) for entry, setting in settings if setting is not None]
        if not values:
            return self._hidden(job, spec)
        sure = [(entry.key, setting) for entry, setting in values if entry.sure]
        if not sure:
            return Unknown("it is set only under a condition", values[0][0].place)
        for key in {key: None for key, _ in sure}:
            same = [setting for k, setting in sure if k == key]
            if not any(_is_endless(setting) for setting in same):
                return same[-1]
        known = tuple(setting for _, setting in sure if isinstance(setting, Known))
        return known[-1] if all(map(_is_endless, known)) else Varies(known)

    def _hidden(self, job: JobSeen, spec: Timeout) -> Setting | None:
        """Settings that arrive by a mapping that was not resolved: `app.conf.update(**config)`."""
        if job.app is None or not spec.settings:
            return None
        for index, site in self._code.part(job.app.home.file).sites_by_name.get("update", ()):
            home = Home(job.app.home.file, index)
            if (
                dotted(site.call.func).endswith(".conf.update")
                and Options(self._resolver, [Made(site.call, home)]).first(("0." + spec.settings[0], *spec.settings)) == "maybe"
            ):
                return Unknown(
                    "its application's settings arrive by a mapping that was not resolved", Place(home.file, site.call.start, site.call.end)
                )
        return None

    def _concerns(self, path: str, job: JobSeen) -> bool:
        """Whether a settings file belongs to a job's application: no other application of the framework is nearer to it."""
        homes = sorted({made.home.file for made in self.apps.get(job.model.framework, ())})
        if len(homes) < 2:
            return True
        own = job.app.home.file if job.app is not None else _nearest(job.home.file, homes)
        return _shared(path, own) >= max(_shared(path, home) for home in homes)

    def _on_command_lines(self, job: JobSeen, spec: Timeout) -> Setting | None:
        lines = self.lines(job.model.worker) if spec.flags and job.model.worker else ()
        given = [(line, flag(line, spec.flags)) for line in lines]
        read = [_normal(value, spec, line.place) for line, value in given if value is not None]
        settings = [setting for setting in read if setting is not None]
        if not settings:
            return None
        if len(settings) < len(given):
            return Unknown("only some of its workers have it on their command lines", given[0][0].place)
        known = tuple(setting for setting in settings if isinstance(setting, Known))
        return settings[0] if len(known) < len(settings) or len({one.value for one in known}) == 1 else Varies(known)

    def _looked_in(self, job: JobSeen) -> tuple[str, ...]:
        files = [job.app.home.file] if job.app is not None else [made.home.file for made in self.apps.get(job.model.framework, ())]
        files += [path for path in self.settings_files(job.model) if self._concerns(path, job)]
        files += [line.place.path for line in (self.lines(job.model.worker) if job.model.worker else ())]
        return tuple(dict.fromkeys(path for path in files if path != job.home.file))[:4]

    def settings_files(self, model: Model) -> list[str]:
        """The files that hold settings of a framework, whether or not they set a limit."""
        return self._settings_files(self.prefixes(model.timeout)) if model.timeout else []

    def prefixes(self, spec: Timeout) -> tuple[str, ...]:
        """What settings keys may begin with: the usual prefixes and the namespaces that the project names."""
        return (*spec.prefixes, *(prefix for call, selector in spec.namespaces.items() for prefix in self._namespaces(call, selector)))

    def _named_by(self, call: str, selector: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for part in self._code.parts():
            for index, site in part.sites_by_name.get(call, ()):
                answer = Options(self._resolver, [Made(site.call, Home(part.path, index))]).get(selector)
                name = as_text(answer.expr) if isinstance(answer, Hit) else None
                if name:
                    found[f"{name.upper()}_"] = None
        return tuple(found)

    def _files_with(self, prefixes: tuple[str, ...]) -> list[str]:
        return [part.path for part in self._code.parts() if prefixes and _has_setting(part.functions[0], prefixes)]

    def _assigned(self, keys: tuple[str, ...], prefixes: tuple[str, ...]) -> tuple[Assigned, ...]:
        wanted = {*keys, *(f"{prefix}{key}".upper() for prefix in prefixes for key in keys)}
        found: list[Assigned] = []
        for part in self._code.parts():
            text = self._code.text(part.path).lower()
            if not is_development(part.path) and any(key.lower().encode() in text for key in keys):
                found.extend(self._in_part(part, wanted))
        return tuple(found)

    def _in_part(self, part: Part, wanted: set[str]) -> Iterator[Assigned]:
        for index, function in enumerate(part.functions):
            if _DEBUG.match(function.name) and function.kind == "class":
                continue
            for step in function.steps:
                for key, value in _entries(step):
                    if key in wanted:
                        home = Home(part.path, index)
                        yield Assigned(key, Hit(value, home), Place(part.path, value.start, value.end), _is_sure(function, step))

    def repeats(self, job: JobSeen) -> Repeat | None:
        """Why a job may run again, None where it runs at most once."""
        spec = job.model.repeats
        if spec is None:
            return None
        if spec.always:
            return Repeat("redelivered", spec.always)
        answer = job.options.first((*spec.arguments, *spec.enqueue)) if job.options.calls else None
        for owner in self._classes(job):
            for name in spec.attributes if answer is None and owner is not None else ():
                answer = answer or (self._attribute(owner, name) if owner is not None else None)
        if isinstance(answer, Hit) and not (isinstance(answer.expr, Literal_) and not answer.expr.value):
            return Repeat("retried", "it is retried", Place(answer.home.file, answer.expr.start, answer.expr.end))
        for entry in self.assigned(spec.settings, ()) if spec.settings else ():
            if not (isinstance(entry.hit.expr, Literal_) and not entry.hit.expr.value) and self._concerns(entry.place.path, job):
                return Repeat("late-ack", "its messages are acknowledged late", entry.place)
        for site in self._resolver.definition(job.home).sites:
            if dotted(site.call.func) in spec.calls:
                return Repeat("retried", "it retries itself", Place(job.home.file, site.call.start, site.call.end))
        return None


def _normal(value: object, spec: Timeout, place: Place) -> Setting | None:
    number = _number(value) if isinstance(value, str) else value
    if number in spec.inherit:
        return None
    if number in spec.never or number == NEVER:
        return Known(NEVER, place)
    if isinstance(number, bool) or not isinstance(number, int | float):
        return Unknown("its value is only known when it runs", place, "yes")
    return Known(number * spec.unit, place)


def _is_endless(setting: Setting) -> bool:
    return isinstance(setting, Known) and setting.value == NEVER


def _number(text: str) -> float | str:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]] if match else text


def _entries(step: Step) -> Iterator[tuple[str, Expr]]:
    """Keys with their values that a statement sets: names, attributes, items, keyword arguments, dict entries."""
    if step.value is None:
        return
    for target in step.targets if step.kind == "assign" else ():
        if isinstance(target, Ref):
            yield target.name.rpartition(".")[2], step.value
        elif isinstance(target, Index) and isinstance(target.key, Literal_):
            yield str(target.key.value), step.value
    for expr in walk(step.value):
        if isinstance(expr, Call):
            yield from ((arg.name, arg.value) for arg in expr.args if arg.name)
        elif isinstance(expr, Group):
            yield from ((str(i.key.value), i.value) for i in expr.items if isinstance(i, Pair) and isinstance(i.key, Literal_))


def _is_sure(function: Function, step: Step) -> bool:
    return all(block.kind in ("body", "try", "with") for block in enclosing(function, step.block))


def _has_setting(module: Function, prefixes: tuple[str, ...]) -> bool:
    return any(isinstance(t, Ref) and t.name.startswith(prefixes) for step in module.steps for t in step.targets)


def _shared(one: str, other: str) -> int:
    """How many leading folders two paths share."""
    return len([a for a, b in zip(posixpath.dirname(one).split("/"), posixpath.dirname(other).split("/"), strict=False) if a == b])


def _nearest(path: str, homes: list[str]) -> str:
    return max(homes, key=lambda home: (_shared(path, home), home))


def _cause(job: JobSeen, at: Place) -> str:
    return f"untimed:{job.model.framework}:{at.path}:{at.start}" if at.path != job.home.file else ""
