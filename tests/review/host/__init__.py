"""A stateful fake GitHub on 127.0.0.1, judged by GitHub's own description of its interfaces."""

from .clock import Clock
from .fake import TOKEN, GitHub
from .state import ACTIONS, OCTOCAT, READ, WRITE, Actor, Comment, Pull

__all__ = ["ACTIONS", "OCTOCAT", "READ", "TOKEN", "WRITE", "Actor", "Clock", "Comment", "GitHub", "Pull"]
