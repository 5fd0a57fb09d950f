"""A time limit that really stops: after it nothing of the job is left, also what it has started itself."""

import subprocess

from pydantic import BaseModel

from guardrails import runtime


class Clip(BaseModel):
    name: str


@runtime.job(timeout=2, key=lambda p: p.name, queue="clips", retry=runtime.Retry(1))
def convert(p: Clip) -> None:
    runtime.log.info("converting %s", p.name)
    subprocess.run(["sleep", "60"], check=True, timeout=50)  # stands for a converter that hangs


if __name__ == "__main__":
    print(convert.enqueue(Clip(name="intro")).id)
