"""What `guardrails init` wants to stand in a project's files."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["block", "file", "json"]


class Target(msgspec.Struct, frozen=True):
    """One file, relative to the root with `/`, and what shall stand in it, in lines that end in LF.

    `block`: a managed block in a file that may hold more; `file`: the whole file is ours, with a marker behind its front matter;
    `json`: `body` is a JSON object that is merged into the file's, where other entries stay. `id` names the block or entry.
    """

    path: str
    kind: Kind
    id: str
    body: str
