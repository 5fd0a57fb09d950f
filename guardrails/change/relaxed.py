"""The guardrails that a change makes weaker: settings, the baseline, allow comments. Listed for whoever reviews it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator

from guardrails import allow, baseline, config, rulebook
from guardrails.change import Before
from guardrails.facts import Scope
from guardrails.facts.change import Relaxed
from guardrails.files import Tree
from guardrails.finding import CONFIDENCES, SEVERITIES
from guardrails.lines import Lines
from guardrails.outline import Outline
from guardrails.place import Place

STRICTNESS = ("never", "error", "warning", "info")  # gates: the later, the more findings fail a run
HELPERS = ("redact_helpers", "guard_helpers", "verify_helpers", "spawn_helpers", "enqueue_helpers")
Reader = Callable[[str, bytes], Outline]
Steps = tuple[str | int, ...]


def relaxed(change: Before, tree: Tree, read: Reader) -> Iterator[Relaxed]:
    """A fact for each."""
    yield from _settings(change.tree, tree)
    yield from _adopted(change.tree, tree)
    yield from _allowances(change, tree, read)


def _settings(before: Tree, now: Tree) -> Iterator[Relaxed]:
    old, _, _ = _configured(before)
    new, name, lines = _configured(now)
    for steps, what in _weaker(old, new):
        at = lines.line(steps) if lines else 1
        yield _fact(now, name, at, what, f"{name}: {what}")


def _configured(tree: Tree) -> tuple[config.Config, str, config.Lines | None]:
    """Settings with the file that they come from; the defaults where there are none, or they are broken (another part says so)."""
    for name, parse in ((config.YAML, config.from_yaml), (config.PYPROJECT, config.from_toml)):
        text = tree.load(name).decode("utf-8-sig", "surrogateescape")
        if not text or (name == config.PYPROJECT and not config.has_table(text)):
            continue
        try:
            return parse(text, {rule: page.options for rule, page in rulebook.load().items()}), name, config.lines_of(text, name)
        except config.ConfigError:
            continue
    return config.Config(), config.PYPROJECT, None


def _weaker(old: config.Config, new: config.Config) -> Iterator[tuple[Steps, str]]:
    """The steps to each weaker setting, and what it does in words."""
    for rule in sorted(set(new.ignore) - set(old.ignore)):
        yield ("ignore",), f"switches {rule} off"
    if new.select and (dropped := sorted(set(old.select) - set(new.select)) if old.select else ["all other rules"]):
        yield ("select",), f"runs {', '.join(dropped)} no longer"
    for rule, level in sorted(new.severity.items()):
        before = old.severity.get(rule) or rulebook.load()[rule].severity
        if SEVERITIES.index(level) > SEVERITIES.index(before):
            yield ("severity", rule), f"lowers {rule} from {before} to {level}"
    if STRICTNESS.index(new.fail_on) < STRICTNESS.index(old.fail_on):
        yield ("fail_on",), f"lowers the gate from `fail_on = {old.fail_on}` to `{new.fail_on}`"
    if CONFIDENCES.index(new.confidence) < CONFIDENCES.index(old.confidence):
        yield ("confidence",), f"hides findings below {new.confidence} confidence"
    for pattern in _added(old.exclude, new.exclude):
        yield ("exclude",), f"leaves the files {pattern} out"
    for override in (one for one in new.overrides if one not in old.overrides):
        for rule in override.ignore:
            yield ("overrides", new.overrides.index(override), "ignore"), f"switches {rule} off in {', '.join(override.paths)}"
    for key in HELPERS:
        for helper in _added(getattr(old, key), getattr(new, key)):
            yield (key,), f"trusts {helper} (`{key}`)"


def _added(old: Collection[str], new: Collection[str]) -> list[str]:
    return [one for one in new if one not in old]


def _adopted(before: Tree, now: Tree) -> Iterator[Relaxed]:
    """A baseline that holds what it did not hold: as told by its words, since moved code keeps them."""
    try:
        old, new = (_held(tree) for tree in (before, now))
    except baseline.BaselineError:
        return
    rules: Counter[str] = Counter()
    for (rule, _, _), number in (new - old).items():
        rules[rule] += number
    for rule, number in sorted(rules.items()):
        what = f"adds {number} finding{'s' * (number > 1)} of {rule} to the baseline"
        yield _fact(now, baseline.FILE, 1, what, f"baseline: {rule}")


def _held(tree: Tree) -> Counter[tuple[str, str, str]]:
    text = tree.load(baseline.FILE).decode("utf-8", "replace")
    held: Counter[tuple[str, str, str]] = Counter()
    for entry in baseline.read(text, baseline.FILE).entries if text else ():
        held[entry.rule, entry.scope, entry.code] += entry.count
    return held


def _allowances(change: Before, now: Tree, read: Reader) -> Iterator[Relaxed]:
    for path in sorted(change.edited & set(now.paths)):
        if b"guardrails:" not in now.load(path):
            continue
        known = Counter(_key(one) for one in _comments(change.tree, change.then(path), read))
        for one in _comments(now, path, read):
            known[_key(one)] -= 1
            if known[_key(one)] < 0 and not one.fault:
                what = f"allows {', '.join(one.rules)} here ({one.reason})"
                yield Relaxed(place=one.place, scope=Scope(path, 0, ""), framework="", language="", what=what, subject=what)


def _comments(tree: Tree, path: str, read: Reader) -> tuple[allow.Allow, ...]:
    source = tree.load(path)
    return allow.read(path, read(path, source), Lines(source)) if b"guardrails:" in source else ()


def _key(one: allow.Allow) -> tuple[tuple[str, ...], str]:
    return one.rules, one.reason


def _fact(tree: Tree, path: str, line: int, what: str, subject: str) -> Relaxed:
    source = tree.load(path)
    lines = Lines(source)
    start, end = lines.span(min(line, max(1, source.count(b"\n") + 1))) if source else (0, 0)
    return Relaxed(place=Place(path, start, end), scope=Scope(path, 0, ""), framework="", language="", what=what, subject=subject)
