"""A worker that a test may kill or stop: `alone JOB MARK LEASE` runs one job, and says "ready" once that misbehaves."""

# ruff: noqa: T201 -- the test reads what is printed

import os
import sys
import time

from guardrails.runtime.pool.warm import Pool
from tests.runtime.pool.processes import MARK, begin


def main(name: str, mark: str, lease: str) -> None:
    pool = Pool("tests.runtime.pool.nasty", environ={**os.environ, MARK: mark})
    child = pool.take()
    events = begin(child, name)
    if lease:
        pool.renew(time.monotonic() + float(lease))
    print("ready", flush=True)
    for event in events:
        print(event, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
