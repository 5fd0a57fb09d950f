"""Shared by all readers: collects functions, blocks, steps and sites, in source order, into an `Outline`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from guardrails.outline import (
    Arg,
    Attr,
    Await,
    Block,
    BlockKind,
    Broken,
    Call,
    Choice,
    Closure,
    Comment,
    Comp,
    Expr,
    Function,
    FunctionKind,
    Group,
    Import,
    Literal_,
    Op,
    Other,
    Outline,
    Pair,
    Param,
    Ref,
    Site,
    Spread,
    Step,
    StepKind,
    Use,
    children,
    dotted,
)

DEEPEST = 150  # levels of nesting that are read; what lies deeper is told as broken
_LEAVES = ("return", "raise", "break", "continue")
_USE_OF_STEP: dict[str, Use] = {
    "expr": "dropped",
    "assign": "assigned",
    "augment": "assigned",
    "return": "returned",
    "test": "tested",
    "assert": "tested",
    "iterate": "iterated",
    "enter": "entered",
}


class Frame:
    """One function while it is being read."""

    def __init__(self, index: int, name: str, qualname: str, kind: FunctionKind, parent: int, start: int, end: int) -> None:
        self.index, self.name, self.qualname, self.kind, self.parent = index, name, qualname, kind, parent
        self.start, self.end, self.name_start, self.name_end = start, end, start, end
        self.params: tuple[Param, ...] = ()
        self.decorators: tuple[Expr, ...] = ()
        self.bases: tuple[Arg, ...] = ()
        self.returns: Expr | None = None
        self.is_async = False
        self.exported = False
        self.blocks: list[Block] = [Block("body", -1, -1, start, end, "")]
        self.steps: list[Step] = []
        self.sites: list[Site] = []
        self.open_blocks: list[int] = [0]
        self.ends: list[str] = [""]  # of each block: how the last thing in it leaves it
        self.branches: dict[int, int] = {}  # the if block that a test step opens

    def freeze(self) -> Function:
        """What was read of it."""
        blocks = tuple(Block(b.kind, b.parent, b.opened_by, b.start, b.end, ends) for b, ends in zip(self.blocks, self.ends, strict=True))
        return Function(
            self.name, self.qualname, self.kind, self.parent, self.start, self.end, self.name_start, self.name_end, self.params,
            self.decorators, self.bases, self.returns, self.is_async, self.exported, blocks, tuple(self.steps), tuple(self.sites),
        )  # fmt: skip


class Builder:
    """What a reader tells while it walks. Open functions and blocks nest; steps go to the innermost."""

    def __init__(self, language: str, size: int) -> None:
        self.language = language
        self.functions: list[Function | None] = []
        self.imports: list[Import] = []
        self.comments: list[Comment] = []
        self.broken: list[Broken] = []
        self.called = True  # whether an expression of the statement at hand may hold a call; a reader that knows better may say so
        self._frames: list[Frame] = []
        self.open_function("<module>", "module", 0, size)

    @property
    def frame(self) -> Frame:
        """The innermost open function; the reader may set its parameters, decorators, bases, returns and flags."""
        return self._frames[-1]

    @contextmanager
    def function(self, name: str, kind: FunctionKind, start: int, end: int) -> Iterator[Frame]:
        """A function, class, closure or block while its body is read. Closures are named `<lambda>`, blocks `<block>`."""
        try:
            yield self.open_function(name, kind, start, end)
        finally:
            self.close_function()

    def open_function(self, name: str, kind: FunctionKind, start: int, end: int) -> Frame:
        """`function` without the overhead of a with statement; every one that is opened must be closed."""
        outer = self._frames[-1] if self._frames else None
        qualname = f"{outer.qualname}.{name}" if outer is not None and outer.parent >= 0 else name
        frame = Frame(len(self.functions), name, qualname, kind, outer.index if outer else -1, start, end)
        self.functions.append(None)
        self._frames.append(frame)
        return frame

    def close_function(self) -> None:
        """Close the innermost function."""
        frame = self._frames.pop()
        self.functions[frame.index] = frame.freeze()

    @contextmanager
    def block(self, kind: BlockKind, start: int, end: int, opened_by: int = -1) -> Iterator[int]:
        """A block of the innermost function while its steps are read."""
        try:
            yield self.open_block(kind, start, end, opened_by)
        finally:
            self.close_block()

    def open_block(self, kind: BlockKind, start: int, end: int, opened_by: int = -1) -> int:
        """`block` without the overhead of a with statement; every one that is opened must be closed."""
        frame = self._frames[-1]
        index = len(frame.blocks)
        frame.blocks.append(Block(kind, frame.open_blocks[-1], opened_by, start, end, ""))
        frame.ends.append("")
        frame.open_blocks.append(index)
        if kind == "if":
            frame.branches[opened_by] = index
        return index

    def close_block(self) -> None:
        """Close the innermost block."""
        frame = self._frames[-1]
        index = frame.open_blocks.pop()
        frame.ends[frame.open_blocks[-1]] = self._ends_after(frame, index)

    @staticmethod
    def _ends_after(frame: Frame, index: int) -> str:
        """How the parent is left after this block: a with or a plain block passes on; an else does when its if was left, too."""
        kind, ends = frame.blocks[index].kind, frame.ends[index]
        if kind in ("with", "body"):
            return ends
        if kind == "else" and ends:
            branch = frame.branches.get(frame.blocks[index].opened_by)
            return ends if branch is not None and frame.ends[branch] else ""
        return ""

    def step(
        self, kind: StepKind, start: int, end: int, value: Expr | None = None, targets: tuple[Expr, ...] = (),
        annotation: Expr | None = None, op: str = "", function: int = -1,
    ) -> int:  # fmt: skip
        """Record a statement in the innermost block, and the calls in it; returns its index."""
        frame = self._frames[-1]
        index = len(frame.steps)
        block = frame.open_blocks[-1]
        frame.steps.append(Step(kind, block, start, end, value, targets, annotation, op, function))
        frame.ends[block] = kind if kind in _LEAVES else ""
        if not self.called:
            return index
        if value is not None and type(value) not in _FLAT:
            holder = dotted(targets[0]) if targets else ""
            _collect(frame, index, value, _USE_OF_STEP.get(kind, "other"), holder)
        for target in targets:
            if type(target) is not Ref:
                _collect(frame, index, target, "other", "")
        if annotation is not None and type(annotation) is not Ref:
            _collect(frame, index, annotation, "other", "")
        return index

    def aside(self, step: int, expr: Expr | None) -> None:
        """Record the calls of an expression that belongs to a step, yet has no place in it: a decorator, a default."""
        if self.called and expr is not None and type(expr) not in _FLAT:
            _collect(self._frames[-1], step, expr, "other", "")

    def bind(self, name: str, target: str, start: int, end: int) -> None:
        """An import of the innermost function."""
        self.imports.append(Import(name, target, self.frame.index, start, end))

    def comment(self, start: int, end: int, text: str, own_line: bool) -> None:
        """A comment; in any order, see `settle`."""
        self.comments.append(Comment(start, end, text, own_line))

    def unreadable(self, start: int, end: int, why: str) -> None:
        """A region that could not be read; in any order, see `settle`."""
        self.broken.append(Broken(start, end, why))

    def settle(self) -> None:
        """Put comments and broken regions in order: each comment once, regions that touch as one."""
        self.comments = list({one.start: one for one in sorted(self.comments, key=lambda one: one.start)}.values())
        merged: list[Broken] = []
        for one in sorted(self.broken, key=lambda one: (one.start, -one.end)):
            last = merged[-1] if merged else None
            if last is None or one.start > last.end:
                merged.append(one)
            elif one.end > last.end:
                merged[-1] = Broken(last.start, one.end, last.why)
        self.broken = merged

    def outline(self) -> Outline:
        """Close the module; nothing may be told afterwards."""
        self.close_function()
        functions = tuple(function for function in self.functions if function is not None)
        return Outline(self.language, functions, tuple(self.imports), tuple(self.comments), tuple(self.broken))


_FLAT: frozenset[type] = frozenset((Ref, Literal_, Closure))


def _collect(frame: Frame, step: int, root: Expr, use: Use, holder: str) -> None:
    """The calls in an expression. A walrus is a step of its own, which has its calls already."""
    todo: list[tuple[Expr, Use, str]] = [(root, use, holder)]
    sites: list[Site] = []
    while todo:
        expr, use, holder = todo.pop()
        if type(expr) is Call:
            sites.append(Site(expr, step, use, holder))
            func = expr.func
            if type(func) is not Ref:
                todo.append((func, "chained", "()"))
            inside = [arg.value for arg in expr.args if type(arg.value) not in _FLAT]
            if inside:
                callee = func.name if type(func) is Ref else dotted(func)
                todo.extend([(value, "passed", callee) for value in inside])
        elif type(expr) is Group:
            todo.extend([(item, "kept", holder) for item in expr.items if type(item) not in _FLAT])
        elif type(expr) in _FLAT or (type(expr) is Op and expr.op == "walrus"):
            continue
        else:
            todo.extend([(part, *_use_of_part(expr, part, use, holder)) for part in children(expr) if type(part) not in _FLAT])
    if len(sites) > 1:
        sites.sort(key=_place)
    frame.sites.extend(sites)


def _place(site: Site) -> tuple[int, int]:
    return site.call.start, -site.call.end


def _use_of_part(whole: Expr, part: Expr, use: Use, holder: str) -> tuple[Use, str]:
    """How a direct part of an expression is used, given how the whole is."""
    match whole:
        case Await():
            return "awaited", holder
        case Attr():
            return "chained", whole.name
        case Call():
            return ("chained", "()") if part is whole.func else ("passed", dotted(whole.func))
        case Group() | Pair() | Spread():
            return "kept", holder
        case Comp():
            if part is whole.element:
                return "kept", holder
            return ("tested", "") if any(part is test for test in whole.tests) else ("iterated", "")
        case Choice():
            return ("tested", "") if part is whole.test else (use, holder)
        case Op(op="and" | "or" | "??" | "?"):
            return use, holder
        case Op(op="void"):
            return "void", ""
        case Op(op="yield" | "yield from"):
            return "yielded", ""
        case Op(op="not" | "==" | "!=" | "in" | "is" | "let"):
            return "tested", ""
        case _:
            return "other", ""


def deep(start: int, end: int) -> Other:
    """Stands for an expression that is nested deeper than `DEEPEST`."""
    return Other(start, end, "too-deep", ())
