"""What is kept, and for how long: finished jobs for a time, dead letters until they are purged, keys for good."""

from pydantic import BaseModel

from guardrails import runtime

runtime.configure(retention_days=7)  # of finished jobs, with their events, logs and streams; workers remove them hour by hour


class Import(BaseModel):
    file: str


@runtime.job(timeout=60, key=lambda p: p.file, retry=runtime.Retry(1))
def load(p: Import) -> int:
    if not p.file.endswith(".csv"):
        raise runtime.Terminal(f"{p.file} is no CSV file")
    return len(p.file)


def again(file: str) -> str:
    """The key outlives the job: a file that was loaded long ago is not loaded twice."""
    handle = load.enqueue(Import(file=file))
    try:
        return runtime.state(handle.id).status
    except runtime.UnknownJob:
        return "loaded long ago"


if __name__ == "__main__":
    print(again("2026-11.csv"))
