"""What a job's settings are in effect: on the job, its class, its application, its worker's command line, by default."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import msgspec

from guardrails.facts import NEVER, Absent, Known, Repeat, Setting, Unknown, Varies
from guardrails.finding import Related
from guardrails.frameworks.forms.work import Spec, Timeout
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import JobSeen
from guardrails.names.code import Code
from guardrails.names.options import Answer, Hit, Made, Options
from guardrails.names.resolve import Resolver
from guardrails.outline import Literal_, dotted
from guardrails.place import Place
from guardrails.project.pins import Pins
from guardrails.project.settings.keys import Assigned, Keys
from guardrails.project.settings.near import Near
from guardrails.project.settings.values import is_endless, normal, read
from guardrails.project.units import command_lines, flag

_SHARED = ("base", "app_base", "namespaces", "prefixes", "mappings")  # where all settings of a framework may stand


class Limit(msgspec.Struct, frozen=True):
    """A job's effective time limit, the places that bear on it, the cause that jobs without one may share.

    `own`: it stands on the job itself.
    """

    setting: Setting
    related: tuple[Related, ...] = ()
    cause: str = ""
    own: bool = False


class Stand(msgspec.Struct, frozen=True):
    """A setting of an application as it is written at a place; `app` is the call that made the application, None where keys say it."""

    answer: Hit
    setting: Setting | None
    app: Made | None = None
    key: str = ""


class Settings:
    """Resolves settings of jobs and applications over the whole project."""

    def __init__(self, code: Code, resolver: Resolver) -> None:
        self._resolver = resolver
        self._keys, self._near = Keys(code, resolver), Near(resolver)
        self.assigned, self.classes, self.attribute = self._keys.assigned, self._near.classes, self._near.attribute
        self.prefixes, self.pins = self._keys.prefixes, Pins(code)
        self.lines = cache(lambda pattern: tuple(command_lines(code, pattern)))

    @property
    def apps(self) -> Mapping[str, tuple[Made, ...]]:
        """The calls that make applications, by framework."""
        return self._keys.apps

    @apps.setter
    def apps(self, apps: Mapping[str, tuple[Made, ...]]) -> None:
        self._keys.apps = apps

    def effective(self, job: JobSeen, spec: Spec) -> Setting:
        """Any setting of a job, effective; `Absent` holds the framework's default."""
        spec = _placed(job.model, spec)
        own = read(self._resolver, job.options.first(_selectors(job, spec)), spec)
        if own is not None:
            return own
        near = self._near.setting(job, spec) if spec.attributes else None
        return near or self._far(job, spec) or Absent(spec.default, spec.source, self._looked_in(job))

    def answer(self, job: JobSeen, spec: Spec) -> Answer:
        """The same as it is written, for settings that are no constants: lists, calls, names."""
        spec = _placed(job.model, spec)
        own = job.options.first(_selectors(job, spec))
        if own is not None:
            return own
        near = self._near.answer(job, spec)
        if near is not None:
            return near
        stands = [stand for stand in self.of_application(job.model, spec) if self._governs(stand, job)]
        return stands[-1].answer if stands else None

    def of_application(self, model: Model, spec: Spec) -> list[Stand]:
        """The places that give a setting to applications of a framework: constructors and settings keys, not below a condition."""
        spec = _placed(model, spec)
        found = []
        for app in self.apps.get(model.framework, ()) if spec.app else ():
            answer = Options(self._resolver, [app]).first(spec.app)
            if isinstance(answer, Hit):
                found.append(Stand(answer, read(self._resolver, answer, spec), app))
        for entry in self._entries(spec):
            found += [Stand(entry.hit, read(self._resolver, entry.hit, spec), None, entry.key)] if entry.sure else []
        return found

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
        own = read(self._resolver, job.options.first(_selectors(job, spec)), spec)
        if own is not None:
            return Limit(own, own=True)
        near = self._near.setting(job, spec) or self._near.bound_inside(job, spec)
        if near is not None:
            return Limit(near)
        if job.form.within:
            return Limit(Unknown(f"{job.form.within} bounds it", present="yes"))
        far = self._limit_afar(job, spec)
        unresolved = job.symbol.startswith("?") and isinstance(far.setting, Absent) and far.setting.default == NEVER
        return Limit(Unknown("the function that it runs was not resolved")) if unresolved else far

    def is_hosted(self, job: JobSeen) -> bool:
        """The project declares jobs for an application that is not its own."""
        spec = job.model.timeout
        if spec is None or not spec.settings or job.app is not None or self.apps.get(job.model.framework):
            return False
        tables = tuple(key.partition(".")[0] for key in spec.settings if "." in key)
        return bool(job.model.apps) or not self.assigned((*spec.settings, *tables), self.prefixes(spec))

    def _void(self, model: Model, spec: Timeout) -> Place | None:
        lines = self.lines(model.worker) if spec.void_under and model.worker else ()
        void = [line for line in lines if re.search(spec.void_under, line.words)]
        return void[0].place if void and len(void) == len(lines) else None

    def _limit_afar(self, job: JobSeen, spec: Timeout) -> Limit:
        setting = self._far(job, spec) or self._keys.installed(spec)
        if setting is not None:
            return Limit(setting, cause=_cause(job, setting.at) if isinstance(setting, Known) else "")
        default = NEVER if spec.default is None else spec.default
        looked = self._looked_in(job)
        at = looked[0] if looked else ""
        return Limit(Absent(default, spec.source, looked), cause=f"untimed:{job.model.framework}:{at}")

    def _far(self, job: JobSeen, spec: Spec) -> Setting | None:
        """What stands on the application, in its settings, on its worker's command line."""
        options = Options(self._resolver, [job.app]) if job.app is not None else None
        setting = read(self._resolver, options.first(spec.app), spec) if options is not None and spec.app else None
        return setting or self._in_settings(job, spec) or self._on_command_lines(job, spec)

    def _in_settings(self, job: JobSeen, spec: Spec) -> Setting | None:
        found = [entry for entry in self._entries(spec) if self._concerns(entry.place.path, job)]
        settings = [(entry, read(self._resolver, entry.hit, spec)) for entry in found]
        values = [(entry, setting) for entry, setting in settings if setting is not None]
        if not values:
            return self._hidden(job, spec)
        sure = [(entry.key, setting) for entry, setting in values if entry.sure]
        if not sure:
            return Unknown("it is set only under a condition", values[0][0].place)
        for key in {key: None for key, _ in sure}:
            same = [setting for k, setting in sure if k == key]
            if not any(is_endless(setting) for setting in same):
                return same[-1]
        known = tuple(setting for _, setting in sure if isinstance(setting, Known))
        return known[-1] if all(map(is_endless, known)) else Varies(known)

    def _entries(self, spec: Spec) -> tuple[Assigned, ...]:
        return self.assigned(spec.settings, self.prefixes(spec)) if spec.settings else ()

    def _hidden(self, job: JobSeen, spec: Spec) -> Setting | None:
        """Settings that arrive by a mapping that was not resolved."""
        apps = self.apps.get(job.model.framework, ()) if job.app is None else (job.app,)
        near = (app for app in apps if self._concerns(app.home.file, job))
        place = next((found for app in near if (found := self._keys.hidden(app, spec)) is not None), self._keys.veiled(spec.settings))
        return Unknown("its application's settings arrive by a mapping that was not resolved", place) if place is not None else None

    def _concerns(self, path: str, job: JobSeen) -> bool:
        return self._keys.concerns(path, job.model.framework, job.app, job.home.file)

    def _governs(self, stand: Stand, job: JobSeen) -> bool:
        if stand.app is not None:
            return job.app is not None and stand.app.call == job.app.call
        return self._concerns(stand.answer.home.file, job)

    def _on_command_lines(self, job: JobSeen, spec: Spec) -> Setting | None:
        lines = self.lines(job.model.worker) if spec.flags and job.model.worker else ()
        given = [(line, flag(line, spec.flags)) for line in lines]
        found = [normal(value, spec, line.place) for line, value in given if value is not None]
        settings = [setting for setting in found if setting is not None]
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
        return self._keys.files_with(self.prefixes(model.timeout)) if model.timeout else []

    def repeats(self, job: JobSeen) -> Repeat | None:
        """Why a job may run again, None where it runs at most once."""
        spec = job.form.repeats or job.model.repeats
        if spec is None:
            return None
        if spec.always:
            return Repeat("retried" if spec.on_failure else "redelivered", spec.always)
        answer = job.options.first((*spec.arguments, *spec.enqueue)) if job.options.calls else None
        for owner in self.classes(job):
            for name in spec.attributes if answer is None and owner is not None else ():
                answer = answer or (self._near.attribute(owner, name) if owner is not None else None)
        if isinstance(answer, Hit) and not (isinstance(answer.expr, Literal_) and not answer.expr.value):
            return Repeat("retried", "it is retried", answer.place)
        for entry in self.assigned(spec.settings, ()) if spec.settings else ():
            if not (isinstance(entry.hit.expr, Literal_) and not entry.hit.expr.value) and self._concerns(entry.place.path, job):
                return Repeat("late-ack", "its messages are acknowledged late", entry.place)
        for site in self._resolver.definition(job.home).sites:
            if dotted(site.call.func) in spec.calls:
                return Repeat("retried", "it retries itself", Place(job.home.file, site.call.start, site.call.end))
        return None


def _selectors(job: JobSeen, spec: Spec) -> tuple[str, ...]:
    return spec.arguments if not job.form.call else (*spec.enqueue, *spec.arguments)


def _placed(model: Model, spec: Spec) -> Spec:
    """A setting's places with those that all settings of its framework share."""
    home = model.timeout
    changes = {name: getattr(home, name) for name in _SHARED if not getattr(spec, name)} if home is not None else {}
    return msgspec.structs.replace(spec, **changes) if changes else spec


def _cause(job: JobSeen, at: Place) -> str:
    return f"untimed:{job.model.framework}:{at.path}:{at.start}" if at.path != job.home.file else ""


__all__ = ["Assigned", "Limit", "Settings", "Stand"]
