"""Which rules hold for a file, and how severe and sure their findings are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from guardrails.config import Config, Override
from guardrails.files import matcher
from guardrails.finding import Confidence, Finding, Severity
from guardrails.rulebook import Rule


class Policy:
    """Which rules hold for a file, and how severe they are: rule pages, then the configuration, then its overrides in order."""

    def __init__(self, config: Config, rules: Mapping[str, Rule]) -> None:
        self.config, self.rules = config, rules
        self._overrides = [(matcher(override.paths), override) for override in config.overrides]
        self._cache: dict[str, frozenset[str]] = {}

    def enabled(self, path: str) -> frozenset[str]:
        """The rules that run for a file."""
        if path not in self._cache:
            self._cache[path] = self._enabled(self._of(path))
        return self._cache[path]

    def anywhere(self) -> frozenset[str]:
        """The rules that may run for some file."""
        named = {rule for override in self.config.overrides for rule in override.select}
        return self._enabled([]) | named

    def severity(self, finding: Finding) -> Severity:
        """The configuration's word, else the check's, else the rule page's."""
        for override in reversed(self._of(finding.place.path)):
            if finding.rule in override.severity:
                return override.severity[finding.rule]
        return self.config.severity.get(finding.rule) or finding.severity or self.rules[finding.rule].severity

    def confidence(self, finding: Finding) -> Confidence:
        """The check's word, else the rule page's."""
        return finding.confidence or self.rules[finding.rule].confidence

    def _of(self, path: str) -> list[Override]:
        return [override for spec, override in self._overrides if spec.match_file(path)]

    def _enabled(self, overrides: Sequence[Override]) -> frozenset[str]:
        select, ignore = self.config.select, set(self.config.ignore)
        for override in overrides:
            select = override.select or select
            ignore = (ignore - set(override.select)) | set(override.ignore)
        regular = (rule.name for rule in self.rules.values() if self.config.pedantic or rule.persona == "regular")
        return frozenset(select or regular) - ignore
