"""A report that a program makes which nobody here wrote: it gets one file and ten seconds, no network, and nothing else of this machine.

    python examples/runtime/sandbox_report.py        # one report, now
    guardrails worker sandbox_report                 # in this folder: reports as jobs, and the clean-up of each night

`bubblewrap` has to be installed (`apt-get install bubblewrap`); where it cannot be, pass `driver="docker", image=".."`.
"""

import sys

from pydantic import BaseModel

from guardrails import runtime

SALES = b"north,120\nsouth,80\nnorth,30\nwest,7\n"
PROGRAM = '{ total[$1] += $2 } END { for (place in total) print place "," total[place] | "sort" }'


class Month(BaseModel):
    name: str


def totals(sales: bytes) -> str:
    """The report, as text; raises Terminal where the program fails or wants more than it may have."""
    outcome = runtime.sandbox.run(
        ["awk", "-F,", "-v", "OFS=,", PROGRAM, "sales.csv"],
        wall=10,
        cpu=5,
        memory=256 << 20,
        output=64 << 10,
        files={"sales.csv": sales},
    )
    if not outcome.ok:
        said = outcome.stderr.decode("utf-8", "replace")
        raise runtime.Terminal(f"The report ended with {outcome.stopped_by or outcome.exit_code}: {said}")
    return outcome.stdout.decode()


@runtime.job(timeout=30, key=lambda month: month.name)
def report(month: Month) -> None:
    with runtime.stream("report", content_type="text/csv", metadata={"month": month.name}) as out:
        out.write(totals(SALES))


calendar = runtime.sandbox.command(["date", "--utc", "+%A"], wall=5, output=1024)
runtime.schedule("weekday", "0 2 * * *", calendar)


if __name__ == "__main__":
    try:
        print(totals(SALES), end="")
    except runtime.SandboxRefused as refusal:
        sys.exit(str(refusal))
