"""An application whose jobs run commands: what a real worker does with them."""

from pydantic import BaseModel

from guardrails import runtime


class Box(BaseModel):
    driver: str
    sleeping: str


@runtime.job(timeout=4, key=lambda box: box.sleeping, retry=runtime.Retry(1))
def sleeps(box: Box) -> str | None:
    free = box.driver == "process"
    script = f"setsid sleep {box.sleeping} & echo begun; sleep {box.sleeping}"
    return runtime.sandbox.run(["sh", "-c", script], wall=600, driver=box.driver, network=free).stopped_by


@runtime.job(timeout=30, key=lambda box: box.sleeping, retry=runtime.Retry(1))
def says(box: Box) -> list[str]:
    outcome = runtime.sandbox.run(
        ["sh", "-c", "echo $TOKEN; echo ${#TOKEN}"],
        wall=20,
        driver=box.driver,
        network=box.driver == "process",
        secrets={"TOKEN": runtime.SecretRef("BOX_TOKEN")},
    )
    return outcome.stdout.decode().split()
