"""Dead letters: a job that has used up its attempts is kept, somebody is told, and it can be queued again.

guardrails jobs dead
guardrails jobs requeue --all --name import_feed
"""

from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import Retry


class Feed(BaseModel):
    url: str


@runtime.job(timeout=30, key=lambda p: p.url, retry=Retry(2, first=0.05, cap=0.1))
def import_feed(p: Feed) -> None:
    raise ValueError("line 3 has no price")


@runtime.on_dead
def page_somebody(job: str, name: str, error: str) -> None:
    runtime.log.error("please look: guardrails jobs show %s (%s): %s", job, name, error)


if __name__ == "__main__":
    print(import_feed.enqueue(Feed(url="https://feeds.example.com/prices")).id)
