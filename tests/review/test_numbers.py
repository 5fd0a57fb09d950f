"""What the reviewer promises in numbers."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from story import BASE, HEAD, Story, job

from guardrails.review import marker

JOBS = "shop/jobs.py"
Begin = Callable[..., Story]


def test_calls_for_a_change_of_300_files(begin: Begin) -> None:
    story = begin({f"shop/part{number:03}.py": HEAD + job(f"job{number}", good=number > 40) for number in range(300)})
    story.run()
    assert len(story.inline) == 30
    assert len(story.host.calls) <= 12
    story.push({"README.md": "# More\n"})
    story.again()
    assert story.host.writes == []
    assert len(story.host.calls) <= 12


# What people and networks do to a change, and how often.
STEPS = dict.fromkeys(("mend", "shift", "rename", "reply", "resolve", "force", "back", "same", "quiet"), 1) | {"add": 2, "lost": 3}


class Life:
    """A pull request whose author does things in no order."""

    def __init__(self, story: Story, chance: random.Random) -> None:
        self.story, self.chance = story, chance
        self.bad, self.good, self.blank, self.path, self.number = ["first"], list[str](), 0, JOBS, 0

    def text(self) -> str:
        return HEAD + "\n" * self.blank + job(*self.bad) + job(*self.good, good=True)

    def step(self, what: str) -> None:
        story, host = self.story, self.story.host
        if what in ("add", "lost", "quiet"):
            self.number += 1
            self.bad.insert(self.chance.randrange(len(self.bad) + 1), f"job{self.number}")
        elif what == "mend" and self.bad:
            self.good.append(self.bad.pop(self.chance.randrange(len(self.bad))))
        elif what == "shift":
            self.blank = self.chance.randrange(60)
        elif what == "rename":
            old, self.path = self.path, f"shop/jobs{self.chance.randrange(5)}.py"
            if old != self.path:
                story.push({old: None, self.path: self.text()})
                return
        elif what == "reply" and story.inline:
            host.reply(self.chance.choice(story.inline), "Hm.")
        elif what == "resolve" and story.inline:
            host.resolve(self.chance.choice(story.inline))
        if what == "lost":
            host.fail("POST /repos/octo-org/shop/pulls/1/reviews", 502, after_effect=self.chance.random() < 0.7)
        elif what == "quiet":
            host.slow_down("POST /repos/octo-org/shop/pulls/1/reviews", seconds=20)
        if what == "back" and len(host.pull().pushes) > 2:
            host.push(self.chance.choice(host.pull().pushes))
        elif what == "force":
            host.push(story.repo.branch({self.path: self.text()}, name=f"forced{len(host.pull().pushes)}"))
        else:
            story.repo.git("checkout", "--quiet", "--detach", host.pull().head)
            there = story.repo.git("ls-tree", "--name-only", "-r", "HEAD", "--", "shop").splitlines()
            gone = dict.fromkeys((one for one in there if one not in (self.path, "shop/app.py")), None)
            story.push({**gone, self.path: self.text()})


def told_twice(story: Story) -> list[object]:
    """Findings that more than one comment tells as open."""
    host = story.host
    return host.duplicates(lambda one: tuple((mark.fp, mark.state) for mark in marker.read(one.body)) if _is_open(one.body) else one.id)


def _is_open(body: str) -> bool:
    return not all(mark.closed for mark in marker.read(body))


@pytest.mark.parametrize("seed", range(50))
def test_no_sequence_of_pushes_makes_a_duplicate(begin: Begin, seed: int) -> None:
    chance = random.Random(seed)
    story = begin({JOBS: HEAD + job("first")}, {"guardrails.yaml": BASE["guardrails.yaml"], "shop/app.py": HEAD})
    life = Life(story, chance)
    story.run()
    for what in chance.choices(list(STEPS), weights=list(STEPS.values()), k=chance.randint(2, 5)):
        life.step(what)
        story.run()
        assert told_twice(story) == []
    story.again()
    assert story.host.writes == []
