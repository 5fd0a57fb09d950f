"""Where a finding can be mended by machine, and with what: sightings and forms into repairs. Only Python is repaired."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from guardrails.facts import NEVER, Absent, Known, Payload, Setting
from guardrails.finding import Repair
from guardrails.frameworks.forms.retrying import RetryForm
from guardrails.frameworks.forms.waiting import WaitForm
from guardrails.frameworks.forms.work import Key
from guardrails.frameworks.sightings import EnqueueSeen, JobSeen
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit, Made, Options
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Call, Expr, dotted
from guardrails.place import Place
from guardrails.read import language_of

_ID = re.compile(r"(?:(?:^|[._])(?:id|pk|uuid)|\[['\"](?:\w+_)?(?:id|uuid)['\"]\])$")
_NUMBER = re.compile(r"None|-?[\d_.]+|(?:math\.|np\.)?inf|float\((['\"])inf\1\)")


def can_be_repaired(path: str) -> bool:
    """Whether a file is written in the one language that is repaired."""
    return language_of(path) == "python"


class Repairs:
    """Makes repairs; `values` are names of arguments with code, as `guardrails.fix.argument` reads them."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def _text(self, place: Place) -> str:
        return self._resolver.text(place.path, place.start, place.end)

    def number(self, setting: Setting, code: str, needs: str = "") -> Repair | None:
        """Another value where a limit is switched off by a number that is written out."""
        if not isinstance(setting, Known) or setting.value != NEVER or not can_be_repaired(setting.at.path):
            return None
        if not _NUMBER.fullmatch(self._text(setting.at)):
            return None
        return Repair("replaced", setting.at, {"code": code}, needs=needs)

    def limit(self, job: JobSeen, setting: Setting) -> Repair | None:
        """A time limit for a job: on its declaration, in its class, or in place of the number that switches it off."""
        spec = job.model.timeout
        if spec is None:
            return None
        code = "{milliseconds}" if spec.unit == 0.001 else "{seconds}"
        if isinstance(setting, Known):
            return self.number(setting, code) if spec.unit in (1.0, 0.001) else None
        if not isinstance(setting, Absent):
            return None
        return self.on_job(job, {spec.option: code}) if spec.option else None

    def on_job(self, job: JobSeen, values: Mapping[str, str], needs: str = "") -> Repair | None:
        """Settings of a job: arguments of its decorator, attributes of its class."""
        if not can_be_repaired(job.home.file):
            return None
        if job.owner is not None:
            definition = self._resolver.definition(job.owner)
            name, code = next(iter(values.items()))
            place = Place(job.owner.file, definition.name_start, definition.name_end)
            return Repair("attribute", place, {"name": name.lstrip("?"), "code": code}) if len(values) == 1 and not needs else None
        mark = self._mark(job)
        return Repair("argument", mark, values, needs=needs) if mark is not None else None

    def _mark(self, job: JobSeen) -> Place | None:
        """The framework's own decorator of a job; one of the project's may not take its arguments."""
        if job.at is None or not job.form.decorator:
            return None
        definition = self._resolver.definition(job.home)
        mark = next((one for one in definition.decorators if one.start == job.at.start), None)
        own = dotted(mark).removesuffix("()").rpartition(".")[2] if mark is not None else ""
        if mark is None or own != job.form.decorator.rpartition(".")[2]:
            return None
        return Place(job.home.file, mark.start, mark.end)

    def wait(self, made: Made, form: WaitForm, limit: Setting) -> Repair | None:
        """A limit for a call that waits."""
        if not can_be_repaired(made.home.file):
            return None
        if isinstance(limit, Known):
            return self.number(limit, form.written, form.needs)
        name = next((name for name in form.arguments if name.isidentifier()), "")
        return Repair("argument", made.place, {name: form.written}, needs=form.needs) if name else None

    def backoff(self, form: RetryForm, made: Made, attempts: Setting, owner: str = "") -> Repair | None:
        """Delays that grow, by arguments of a call that retries."""
        options = Options(self._resolver, [made])
        positional = [name for spec in (form.delay, form.growth) if spec is not None for name in spec.arguments if name.isdigit()]
        if not form.paced_by or any(isinstance(options.get(name), Hit) for name in positional) or not can_be_repaired(made.home.file):
            return None
        values = self._paced(form, attempts, owner)
        return Repair("argument", made.place, values, safe=True, needs=form.needs) if values else None

    def backoff_on_job(self, form: RetryForm, job: JobSeen, attempts: Setting) -> Repair | None:
        """The same, by settings of a job."""
        values = self._paced(form, attempts, "")
        found = self.on_job(job, values, form.needs) if values else None
        return msgspec.structs.replace(found, safe=True) if found is not None else None

    @staticmethod
    def _paced(form: RetryForm, attempts: Setting, owner: str) -> dict[str, str]:
        number = attempts.value if isinstance(attempts, Known) else None
        codes = {name: code.replace("{owner}", owner).replace("{attempts}", str(number)) for name, code in form.paced_by.items()}
        unknown = any("{attempts}" in code for code in form.paced_by.values()) and not isinstance(number, int)
        return {} if unknown or any("{owner}" in code and not owner for code in form.paced_by.values()) else codes

    def key(self, seen: EnqueueSeen, key: Key, setting: Setting, payload: Sequence[Payload]) -> Repair | None:
        """A key made of the job's name and the one id among its arguments; where a key is there already, what it lacks."""
        if not isinstance(setting, Absent) or not key.written or not can_be_repaired(seen.made.home.file):
            return None
        if setting.looked_in:
            return Repair("argument", seen.made.place, dict([setting.looked_in[0].split("=", 1)]))
        ids = [one.text for one in payload if _ID.search(one.text)]
        quote = next((mark for mark in "\"'" if mark not in "".join(ids)), "")
        if len(ids) != 1 or not quote or "\n" in ids[0]:
            return None
        name = self._named(seen).replace("_", "-")
        made = f"f{quote}{name}-{{{ids[0]}}}{quote}"
        return Repair("argument", seen.made.place, {word: code.replace("{key}", made) for word, code in key.written.items()})

    def _named(self, seen: EnqueueSeen) -> str:
        """What the work is called, for its key."""
        name = seen.target.rpartition(".")[2]
        answer = seen.options.get(seen.form.job) if seen.form.job and not name.isidentifier() else None
        text = as_text(answer.expr) if isinstance(answer, Hit) else None
        return name if name.isidentifier() else text or "job"

    def entries(self, place: Place, unsafe: Sequence[str], use: str) -> Repair | None:
        """A serializer that runs nothing in place of those that do."""
        names = ",".join(name for name in unsafe if "." not in name)
        return Repair("entries", place, {"unsafe": names, "safe": use}) if use and can_be_repaired(place.path) else None

    def after_commit(self, at: Place, hook: str, needs: str, using: str) -> Repair | None:
        """An enqueue that is handed to a hook of the transaction."""
        values = {"hook": hook, "using": using}
        return Repair("after_commit", at, values, safe=True, needs=needs) if hook and can_be_repaired(at.path) else None

    def using(self, home: Home, opening: Expr, selectors: str) -> str | None:
        """Which database a transaction is of, as written; "" for the default, None where that cannot be told."""
        if not selectors or not isinstance(opening, Call):
            return ""
        func = self._resolver.resolve(home.file, home.function, opening.func)
        if func is None or func.home is not None:  # one of the project's own: its arguments are its own, too
            return ""
        options = Options(self._resolver, [Made(opening, home)])
        for selector in selectors.split("|"):
            answer = options.get(selector)
            if answer == "maybe":
                return None
            text = self._text(answer.place) if isinstance(answer, Hit) else ""
            if text and (not selector.isdigit() or text[:1] in "\"'"):
                return text
        return ""

    def row(self, seen: EnqueueSeen, job: JobSeen | None, payload: Sequence[Payload], handed: Sequence[EnqueueSeen]) -> Repair | None:
        """The key of a row in its place, and the row loaded by the task, where the task's only hand-over stands in its own module."""
        whole = [one for one in payload if one.kind not in ("plain", "unknown")]
        if job is None or job.owner is not None or len(whole) != 1 or whole[0].kind != "row" or not whole[0].load:
            return None
        home = job.home
        if len(handed) != 1 or seen.made.home.file != home.file or seen.form.payload != ("*",):
            return None
        definition = self._resolver.definition(home)
        values = {
            "payload": f"{whole[0].place.start}-{whole[0].place.end}",
            "job": f"{definition.name_start}-{definition.name_end}",
            "call": str(seen.made.call.start),
            "load": whole[0].load,
        }
        return Repair("row", seen.made.place, values)
