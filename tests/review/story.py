"""A pull request on the fake GitHub with worker code in it, reviewed as often as a story wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from host import GitHub
from host.git_repo import Repo
from host.state import Comment

from guardrails.review import look, marker
from guardrails.review.event import asked
from guardrails.review.github import GitHub as Client
from guardrails.review.github import Login
from guardrails.review.host import Pull
from guardrails.review.reviewer import Outcome, Sources, Wishes, review
from guardrails.review.told import Web

HEAD = "import requests\nfrom celery import Celery\n\napp = Celery('shop')\napp.conf.task_serializer = 'json'\n\n"
JOB = "\n@app.task(time_limit=60, ignore_result=True)\ndef {name}(order_id):\n    requests.get('http://{name}.example'{more})\n\n"
ENDLESS = "\n@app.task(ignore_result=True)\ndef {name}(order_id):\n    open(str(order_id)).read()\n\n"


def job(*names: str, good: bool = False) -> str:
    """Jobs that call without a limit of time (or with one): each a cause of its own."""
    return "".join(JOB.format(name=name, more=", timeout=9" if good else "") for name in names)


BASE: Mapping[str, str] = {
    "guardrails.yaml": "fail_on: info\n",
    "shop/jobs.py": HEAD + job(*(f"old{number}" for number in range(6)), good=True),
    "README.md": "# Shop\n",
}


def looked(task: look.Task) -> look.Looked:
    """In this process, so that a story is quick."""
    return look.look(task)


@dataclass
class Story:
    """A repository and its pull request 1; `run` is one run of the reviewer for the present head."""

    repo: Repo
    host: GitHub
    folder: Path
    wishes: Wishes = field(default_factory=Wishes)
    outcome: Outcome | None = None

    def push(self, files: Mapping[str, str | bytes | None]) -> str:
        """A commit on the change, pushed."""
        return self.host.push(self.repo.commit(files))

    def text(self, path: str = "shop/jobs.py") -> str:
        return (self.repo.path / path).read_text()

    def run(self, *, event: bool = True, told: Pull | None = None, **wishes: object) -> Outcome:
        """As in a workflow, whose event tells of the pull request as it is, or (`told`) was."""
        import msgspec

        wanted = msgspec.structs.replace(self.wishes, **wishes)
        told = told or (asked(self.host.environ(self.folder)).pull if event else None)
        client = self.client()
        sources = Sources(self.repo.path, None, Web("https://github.com", self.host.name, 1))
        try:
            self.outcome = review(told, client.of(1), wanted, sources, looked, self.host.clock)
        finally:
            client.close()
        return self.outcome

    def client(self) -> Client:
        """GitHub with the token of the workflow."""
        return Client(self.host.name, Login(self.host.url, self.host.token), clock=self.host.clock, pace=0)

    def again(self) -> Outcome:
        """A run whose calls alone are counted."""
        self.host.forget()
        return self.run()

    @property
    def inline(self) -> list[Comment]:
        """The comments that are not answers, oldest first."""
        return [one for one in self.host.comments if not one.reply_to]

    @property
    def open(self) -> list[Comment]:
        """Those whose findings are still there."""
        return [one for one in self.inline if not all(mark.closed for mark in marker.read(one.body))]

    @property
    def summary(self) -> str:
        """The text of our only summary, "" for none."""
        found = [one.body for one in self.host.issue_comments if marker.is_summary(one.body)]
        assert len(found) <= 1, "more than one summary"
        return found[0] if found else ""

    def verbs(self) -> list[str]:
        """The calls that change something, without the repository."""
        return [f"{one.method} {one.path.removeprefix(f'/repos/{self.host.name}')}" for one in self.host.writes]
