"""What can go wrong, in one sentence each: the command line prints a `RuntimeFault` as it stands."""


class RuntimeFault(Exception):
    """A mistake that its message explains, with the remedy; `detail` may hold more lines, such as a traceback."""

    def __init__(self, sentence: str, detail: str = "") -> None:
        super().__init__(sentence)
        self.detail = detail


class DeclarationError(RuntimeFault):
    """A job, queue, schedule or setting is declared in a way that cannot be run safely."""


class PayloadRefused(RuntimeFault):
    """A payload must not be queued: a row, a secret, too many bytes, or not what the job takes."""


class NewerVersion(RuntimeFault):
    """A queued payload was written by a newer release than this worker's."""


class KeyConflict(RuntimeFault):
    """The key was used before, with another payload; `job` is the id of the first job."""

    def __init__(self, sentence: str, job: str) -> None:
        super().__init__(sentence)
        self.job = job


class UnknownJob(RuntimeFault):
    """No such job, or no such name among the declared ones."""


class WrongState(RuntimeFault):
    """The job's present status does not allow what was asked."""


class DatabaseRefused(RuntimeFault):
    """The database cannot be used: unreachable, another one, read-only, or already served by a worker."""


class SecretMissing(RuntimeFault):
    """A SecretRef names a secret that nobody holds here."""


class SignatureRefused(RuntimeFault):
    """A webhook's signature does not hold; the message never tells the signature or the secret."""


class DestinationRefused(RuntimeFault):
    """An address that jobs must not be delivered to."""


class SandboxRefused(RuntimeFault):
    """A sandbox that was asked for cannot be given here."""


class Transient(Exception):
    """Raised by a body: it may work later. `after` (seconds), where the other side said when."""

    def __init__(self, *args: object, after: float | None = None) -> None:
        super().__init__(*args)
        self.after = after


class Terminal(Exception):
    """Raised by a body: it will never work, so do not try again."""
