"""The reference worker runtime: at-least-once execution, one recorded outcome, on SQLite or PostgreSQL.

```python
@runtime.job(timeout=30, key=lambda p: p.order_id)
def charge(p: Charge) -> None: ...

charge.enqueue(Charge(order_id="7"))
```
`guardrails worker app` runs it. Names are imported when they are first used, so `from guardrails import runtime` is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guardrails.runtime import blobs as blobs
    from guardrails.runtime import destinations as destinations
    from guardrails.runtime import kv as kv
    from guardrails.runtime import sandbox as sandbox
    from guardrails.runtime import signature as signature
    from guardrails.runtime import tasks as tasks
    from guardrails.runtime import testing as testing
    from guardrails.runtime.brief import ephemeral as ephemeral
    from guardrails.runtime.context import Running as Running
    from guardrails.runtime.context import current as current
    from guardrails.runtime.context import progress as progress
    from guardrails.runtime.context import remaining as remaining
    from guardrails.runtime.context import step as step
    from guardrails.runtime.context import stream as stream
    from guardrails.runtime.declare import Handle as Handle
    from guardrails.runtime.declare import Job as Job
    from guardrails.runtime.declare import Queue as Queue
    from guardrails.runtime.declare import Retry as Retry
    from guardrails.runtime.declare import job as job
    from guardrails.runtime.declare import on_dead as on_dead
    from guardrails.runtime.declare import on_status as on_status
    from guardrails.runtime.declare import queue as queue
    from guardrails.runtime.errors import DatabaseRefused as DatabaseRefused
    from guardrails.runtime.errors import DeclarationError as DeclarationError
    from guardrails.runtime.errors import DestinationRefused as DestinationRefused
    from guardrails.runtime.errors import KeyConflict as KeyConflict
    from guardrails.runtime.errors import PayloadRefused as PayloadRefused
    from guardrails.runtime.errors import RuntimeFault as RuntimeFault
    from guardrails.runtime.errors import SandboxRefused as SandboxRefused
    from guardrails.runtime.errors import SecretMissing as SecretMissing
    from guardrails.runtime.errors import SignatureRefused as SignatureRefused
    from guardrails.runtime.errors import Terminal as Terminal
    from guardrails.runtime.errors import Transient as Transient
    from guardrails.runtime.errors import UnknownJob as UnknownJob
    from guardrails.runtime.errors import WrongState as WrongState
    from guardrails.runtime.home import prepare as prepare
    from guardrails.runtime.logs import log as log
    from guardrails.runtime.scheduled import schedule as schedule
    from guardrails.runtime.secret import SecretRef as SecretRef
    from guardrails.runtime.secret import Sensitive as Sensitive
    from guardrails.runtime.settings import configure as configure
    from guardrails.runtime.status import State as State
    from guardrails.runtime.status import cancel as cancel
    from guardrails.runtime.status import requeue as requeue
    from guardrails.runtime.status import state as state
    from guardrails.runtime.store.jobs import Event as Event
    from guardrails.runtime.targets import http_job as http_job
    from guardrails.runtime.webhooks import webhook as webhook

_ROOMS = ("blobs", "destinations", "kv", "sandbox", "signature", "tasks", "testing")
_FROM = {
    "context": "Running current progress remaining step stream",
    "declare": "Handle Job Queue Retry job on_dead on_status queue",
    "brief": "ephemeral",
    "errors": "DatabaseRefused DeclarationError DestinationRefused KeyConflict PayloadRefused RuntimeFault SandboxRefused SecretMissing "
    "SignatureRefused Terminal Transient UnknownJob WrongState",
    "home": "prepare",
    "logs": "log",
    "scheduled": "schedule",
    "secret": "SecretRef Sensitive",
    "settings": "configure",
    "status": "State cancel requeue state",
    "store.jobs": "Event",
    "targets": "http_job",
    "webhooks": "webhook",
}
EXTRA = frozenset("anyio cronsim dbos httpcore httpx prometheus_client psycopg pydantic sqlalchemy starlette uvicorn".split())  # [worker]
_HOME = {name: module for module, names in _FROM.items() for name in names.split()}
__all__ = sorted([*_ROOMS, *_HOME])


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used; what an extra would bring is said in one sentence."""
    if name not in _HOME and name not in _ROOMS:
        raise AttributeError(f"guardrails.runtime has no {name!r}; it has: {', '.join(__all__)}")
    try:
        found = import_module(f"{__name__}.{name}") if name in _ROOMS else getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in EXTRA:
            raise ModuleNotFoundError(
                f"guardrails.runtime needs {error.name}: pip install 'worker-guardrails[worker]'", name=error.name
            ) from error
        raise
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
