"""Hands the linter what the files for coding agents say; what reads them is loaded where there are any."""

from __future__ import annotations

from collections.abc import Iterable

from guardrails import lint
from guardrails.config import Config
from guardrails.facts import Fact
from guardrails.files import Tree


def reader(config: Config) -> lint.More:
    """Reads them; `config` is that of the project, whatever the command line says."""

    def more(tree: Tree, project: lint.Understood, known: lint.Known) -> Iterable[Fact]:
        from guardrails.instruct import stale

        return stale.facts(tree, project, known, config)

    return more
