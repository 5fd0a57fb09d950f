"""The project's own helpers, named in its configuration, as one more model."""

from __future__ import annotations

from guardrails.config import Config
from guardrails.frameworks.forms.trust import Access, Trust
from guardrails.frameworks.forms.work import EnqueueForm, SpawnForm
from guardrails.frameworks.model import Model
from guardrails.rulebook import LANGUAGES


def models_of(config: Config) -> tuple[Model, ...]:
    """The model that a configuration's helpers make; none where it names none."""
    named = (*config.guard_helpers, *config.verify_helpers, *config.spawn_helpers, *config.enqueue_helpers)
    if not named:
        return ()
    model = Model(
        framework="configuration",
        title="your configuration",
        languages=LANGUAGES,
        packages=(),
        words=tuple(dict.fromkeys(name.rpartition(".")[2] for name in named)),
        locks=config.guard_helpers,
        trust=Trust(verifies=config.verify_helpers),
        access=Access(decorators=config.verify_helpers, calls=config.verify_helpers),
        spawns=tuple(SpawnForm(call=name, kind="task") for name in config.spawn_helpers),
        enqueues=tuple(EnqueueForm(call=name, job="0") for name in config.enqueue_helpers),
    )
    return (model,)
