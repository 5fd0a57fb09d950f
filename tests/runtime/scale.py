"""How large the drills are: small in `make test`, in full with `make drills` (DRILLS=full), where their figures are printed, too."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Jobs, kills of workers, and the lease (seconds) in which a dead worker is noticed."""

    jobs: int
    kills: int
    lease: float


SMALL, FULL = Scale(40, 5, 2.0), Scale(400, 25, 2.0)
SCALE = FULL if os.environ.get("DRILLS") == "full" else SMALL


def tell(drill: str, **figures: object) -> None:
    """Append a drill's figures to the file that `make drills` prints."""
    path = os.environ.get("DRILLS_FIGURES")
    if path:
        with open(path, "a") as file:  # noqa: PTH123
            told = ", ".join(name.replace("_", " ") + f" {value}" for name, value in figures.items())
            file.write(f"{drill}: {told}\n")
