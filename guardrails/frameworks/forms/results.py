"""What waits for the result of another job."""

from __future__ import annotations

import msgspec

from guardrails.frameworks.forms.work import Scalar


class ResultForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call that waits until another job is done: a symbol (`call`), or a method on what handing a job over gave (`on_job`)."""

    call: str = ""
    on_job: str = ""  # `delay().get`
    loose: bool = False  # the method's name is unmistakable: it counts on receivers that cannot be resolved, too
    attribute: str = ""  # an attribute that says whether the job is done: a loop that reads it and sleeps between waits
    requires: dict[str, Scalar] = {}  # by argument: without it the call does not wait; null: anything but 0 and None
    ready: tuple[str, ...] = ()  # attributes of the receiver: where one was asked before, the call does not wait
    inline: tuple[str, ...] = ()  # methods whose result is there when they return: the work was done in place
    arguments: tuple[str, ...] = ()  # selectors of the limit
    default: float | None = None  # seconds when nobody sets it; null: never ends
    unit: float = 1.0  # seconds in one of the limit's units
    never: tuple[Scalar, ...] = (None,)  # values that mean: no limit
    asks: bool = False  # it only asks whether the job is done: a loop that sleeps between is what waits
    permits: bool = False  # it only lifts the framework's ban: it counts where no waiting call stands beside it
    fix: str = ""  # how this framework lets one job follow another
