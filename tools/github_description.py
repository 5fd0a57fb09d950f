"""Trims what GitHub says of its own interfaces to the part that the reviewer uses, for the judge of its tests.

Run by hand when the reviewer calls something new: it needs node's `npm`, fetches the pinned packages below and
writes to `tests/review/host/github/`.
The same bytes from run to run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphql import parse, print_ast
from graphql.language import ast

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "tests" / "review" / "host" / "github"
OPENAPI, GRAPHQL, EVENTS = "@octokit/openapi@23.0.2", "@octokit/graphql-schema@15.26.1", "@octokit/webhooks-examples@7.6.1"
SENT = {"pull_request": "synchronize", "workflow_run": "completed", "issue_comment": "created", "installation": "created", "push": None}
ADDRESSES = {"html_url", "clone_url", "ssh_url", "diff_url"}
DROPPED = {"description", "externalDocs", "x-github", "tags", "x-webhooks", "title"}
REPO, PULL, ISSUE = "/repos/{owner}/{repo}", "/repos/{owner}/{repo}/pulls/{pull_number}", "/repos/{owner}/{repo}/issues"
OPERATIONS = {
    "/app": "get",
    "/app/installations/{installation_id}": "get",
    "/app/installations/{installation_id}/access_tokens": "post",
    "/rate_limit": "get",
    "/user": "get",
    "/users/{username}": "get",
    REPO: "get",
    f"{REPO}/installation": "get",
    f"{REPO}/pulls": "get",
    PULL: "get",
    f"{PULL}/files": "get",
    f"{PULL}/reviews": "get post",
    f"{PULL}/reviews/{{review_id}}": "get put delete",
    f"{PULL}/reviews/{{review_id}}/comments": "get",
    f"{PULL}/reviews/{{review_id}}/events": "post",
    f"{PULL}/comments": "get post",
    f"{PULL}/comments/{{comment_id}}/replies": "post",
    f"{REPO}/pulls/comments/{{comment_id}}": "get patch delete",
    f"{ISSUE}/{{issue_number}}/comments": "get post",
    f"{ISSUE}/comments/{{comment_id}}": "get patch delete",
    f"{REPO}/commits/{{ref}}": "get",
    f"{REPO}/commits/{{commit_sha}}/pulls": "get",
    f"{REPO}/commits/{{ref}}/check-runs": "get",
    f"{REPO}/contents/{{path}}": "get",
    f"{REPO}/check-runs": "post",
    f"{REPO}/check-runs/{{check_run_id}}": "get patch",
    f"{REPO}/check-runs/{{check_run_id}}/annotations": "get",
    f"{REPO}/code-scanning/sarifs": "post",
    f"{REPO}/code-scanning/sarifs/{{sarif_id}}": "get",
}
TYPES = (
    "Query Mutation Actor Bot User Repository PullRequest "
    "PullRequestReviewThread PullRequestReviewThreadConnection PullRequestReviewThreadEdge "
    "PullRequestReviewComment PullRequestReviewCommentConnection PullRequestReviewCommentEdge PullRequestReview Node PageInfo RateLimit "
    "ResolveReviewThreadInput ResolveReviewThreadPayload UnresolveReviewThreadInput UnresolveReviewThreadPayload "
    "MinimizeCommentInput MinimizeCommentPayload Minimizable ReportedContentClassifiers DiffSide PullRequestReviewThreadSubjectType "
    "PullRequestReviewState PullRequestState"
).split()
QUERIES = {
    "Query": "node nodes rateLimit repository viewer",
    "Mutation": "minimizeComment resolveReviewThread unresolveReviewThread",
    "Repository": "id isFork isPrivate name nameWithOwner pullRequest",
    "User": "databaseId id login name",
    "Bot": "databaseId id login",
}


def fetched(package: str, member: str, folder: Path) -> bytes:
    """A file of an npm package."""
    done = subprocess.run(["npm", "pack", "--silent", package], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"npm cannot fetch {package}: {done.stderr.strip()}")
    with tarfile.open(folder / done.stdout.split()[-1]) as packed:
        found = packed.extractfile(f"package/{member}")
        assert found is not None
        return found.read()


def trimmed(whole: dict[str, Any]) -> dict[str, Any]:
    """The operations in use and the components that they refer to, without prose."""
    paths = {}
    for path, verbs in OPERATIONS.items():
        kept = whole["paths"][path]
        paths[path] = {verb: bare(kept[verb]) for verb in verbs.split()}
    made: dict[str, Any] = {name: bare(whole[name]) for name in ("openapi", "servers")}
    made["info"] = {name: whole["info"][name] for name in ("title", "version", "license")}
    made |= {"paths": paths, "components": components(whole, paths)}
    named = [one for path in paths.values() for verb in path.values() for one in verb["responses"].values()]
    for one in [*named, *made["components"]["responses"].values()]:
        if "$ref" not in one:
            one["description"] = ""  # OpenAPI wants one
    return made


def components(whole: dict[str, Any], paths: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Everything that the paths refer to, directly or not."""
    made: dict[str, dict[str, Any]] = {}
    todo = list(references(paths))
    while todo:
        _, _, kind, name = todo.pop().split("/")
        if name not in made.setdefault(kind, {}):
            made[kind][name] = bare(whole["components"][kind][name])
            todo += references(made[kind][name])
    return {kind: dict(sorted(made[kind].items())) for kind in sorted(made)}


def bare(value: Any, named: bool = False) -> Any:
    """Without prose and single-value examples; `named`: the keys are names of properties, not words of the description."""
    if isinstance(value, list):
        return [bare(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: one if key == "value" and not named else bare(one, not named and key in ("properties", "schemas"))
        for key, one in value.items()
        if named or (key not in DROPPED and not (key == "example" and "type" in value))
    }


def references(value: Any) -> Iterator[str]:
    """Every `$ref` below a value."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == "$ref" and isinstance(one, str):
                yield one
            else:
                yield from references(one)


def queries(text: str) -> str:
    """The GraphQL types in use; a field stays where its type and the types of its arguments do, or are plain."""
    document = parse(text, no_location=True)
    named = {one.name.value: one for one in document.definitions if isinstance(one, ast.TypeDefinitionNode)}
    plain = {name for name, one in named.items() if isinstance(one, ast.ScalarTypeDefinitionNode)}
    known = {*TYPES, *plain, "String", "Int", "Float", "Boolean", "ID"}
    kept = [narrowed(named[name], known) for name in sorted({*TYPES, *plain})]
    return "\n\n".join(print_ast(one) for one in kept) + "\n"


def narrowed(node: Any, known: set[str]) -> Any:
    """A type without descriptions and without what leads to unknown types."""
    wanted = QUERIES.get(node.name.value, "").split()
    changed: dict[str, Any] = {"description": None, "directives": ()}
    if getattr(node, "interfaces", ()):
        changed["interfaces"] = tuple(one for one in node.interfaces if one.name.value in known)
    if getattr(node, "fields", ()):
        changed["fields"] = tuple(narrowed_field(one, known) for one in node.fields if stays(one, known, wanted))
    if getattr(node, "values", ()):
        changed["values"] = tuple(replace(one, description=None, directives=()) for one in node.values)
    return replace(node, **changed)


def stays(field: Any, known: set[str], wanted: list[str]) -> bool:
    """Whether a field leads to a known type and is one of those wanted, where they are named."""
    return base(field.type) in known and (not wanted or field.name.value in wanted)


def narrowed_field(field: Any, known: set[str]) -> Any:
    """A field with the arguments of known types."""
    changed: dict[str, Any] = {"description": None, "directives": ()}
    if getattr(field, "arguments", ()):
        changed["arguments"] = tuple(replace(one, description=None) for one in field.arguments if base(one.type) in known)
    return replace(field, **changed)


def base(kind: Any) -> str:
    """The name of a type within lists and non-nulls."""
    while hasattr(kind, "type"):
        kind = kind.type
    return str(kind.name.value)


def sent(every: list[dict[str, Any]]) -> dict[str, Any]:
    """One recorded event of each kind in use, without the addresses that can be made from the others."""
    by_name = {one["name"]: one["examples"] for one in every}
    return {name: short(next(one for one in by_name[name] if one.get("action") == action)) for name, action in SENT.items()}


def short(value: Any) -> Any:
    """Without most addresses."""
    if isinstance(value, list):
        return [short(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: short(one) for key, one in value.items() if key != "_links" and (not key.endswith("_url") or key in ADDRESSES)}


def write(name: str, value: Any) -> None:
    """JSON on one line: nobody reads it, and it is small."""
    (TARGET / name).write_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Fetch, trim, write."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write("openapi.json", trimmed(json.loads(fetched(OPENAPI, "generated/api.github.com.json", folder))))
        write("events.json", sent(json.loads(fetched(EVENTS, "api.github.com/index.json", folder))))
        (TARGET / "schema.graphql").write_text(queries(fetched(GRAPHQL, "schema.graphql", folder).decode()), encoding="utf-8")
        for package, notice, target in ((OPENAPI, "LICENSE", "LICENSE-openapi"), (GRAPHQL, "LICENSE.md", "LICENSE-graphql-schema")):
            (TARGET / target).write_bytes(fetched(package, notice, folder).rstrip() + b"\n")
    for path in sorted(TARGET.iterdir()):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
