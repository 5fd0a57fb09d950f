from __future__ import annotations

from types import ModuleType

import pytest

from guardrails import facts, registry, rulebook
from guardrails.facts import Job, Spawn


@pytest.mark.parametrize(
    ("annotation", "classes"),
    [("Job", (Job,)), ("Job | facts.Spawn", None), ("Spawn | Job", (Spawn, Job)), (Job, (Job,)), (Job | Spawn, (Job, Spawn))],
)
def test_the_annotation_of_a_checks_first_parameter_is_its_subscription(annotation, classes):
    module = ModuleType("x")
    module.check = lambda fact, project: iter(())  # type: ignore[attr-defined]
    module.check.__annotations__["fact"] = annotation
    if classes is None:
        with pytest.raises(AttributeError):
            registry.subscription(module, "fact")
    else:
        assert registry.subscription(module, "fact") == classes


def test_every_check_has_a_page_and_subscribes_to_facts():
    for name in registry.names():
        check = registry.check_of(name)
        assert check is not None
        assert name in rulebook.load()
        assert all(issubclass(kind, facts.Fact) for kind in check.subscribed)
    assert registry.check_of("unused-allow") is None
