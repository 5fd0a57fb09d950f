"""What a file says, in no particular language: functions, blocks, steps, calls, expressions.

Readers (`guardrails.read`) lower source into this; everything above works on it alone. Offsets are bytes. Names are dotted
(`a.b.c`; Rust's `::` becomes `.`). All structures are immutable and serialisable with msgspec.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

SCHEMA = 1  # raise it when a structure below changes: cached outlines of other numbers are ignored


class Ref(msgspec.Struct, frozen=True, gc=False, tag=0, array_like=True):
    """A name or a chain of plain attributes: `self.app.task`."""

    start: int
    end: int
    name: str


class Attr(msgspec.Struct, frozen=True, gc=False, tag=1, array_like=True):
    """An attribute of anything but a plain chain: `make().task`, `rows[0].id`."""

    start: int
    end: int
    base: Expr
    name: str


class Literal_(msgspec.Struct, frozen=True, gc=False, tag=2, array_like=True):
    """A number, string, boolean or nothing; `kind` is one of number, string, bytes, bool, none, regex."""

    start: int
    end: int
    kind: str
    value: str | int | float | bool | None


class Arg(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An argument; `splat` is "", "*" or "**"."""

    value: Expr
    name: str = ""
    splat: str = ""


class Call(msgspec.Struct, frozen=True, gc=False, tag=3, array_like=True):
    """A call; `new` and macros are calls, too (`macro` keeps the `!` apart)."""

    start: int
    end: int
    func: Expr
    args: tuple[Arg, ...]
    macro: bool = False


class Text(msgspec.Struct, frozen=True, gc=False, tag=4, array_like=True):
    """An interpolated string; literal stretches are string `Literal_`s."""

    start: int
    end: int
    parts: tuple[Expr, ...]


class Pair(msgspec.Struct, frozen=True, gc=False, tag=5, array_like=True):
    """A key with its value in a mapping, or a named field of a struct literal (key is then a string `Literal_`)."""

    start: int
    end: int
    key: Expr
    value: Expr


class Spread(msgspec.Struct, frozen=True, gc=False, tag=6, array_like=True):
    """`*x`, `**x` or `...x` inside a group."""

    start: int
    end: int
    value: Expr


class Group(msgspec.Struct, frozen=True, gc=False, tag=7, array_like=True):
    """A list, tuple, set, dict (also an object or a struct literal, whose type is named `of`)."""

    start: int
    end: int
    kind: Literal["list", "tuple", "set", "dict"]
    items: tuple[Expr, ...]
    of: str = ""


class Op(msgspec.Struct, frozen=True, gc=False, tag=8, array_like=True):
    """An operator with its operands: `and`, `or`, `not`, `==`, `in`, `is`, `+`, `%`, `??`, `yield`, `void`, `?` ...

    Spellings are neutral: `&&` is `and`, `||` is `or`, `!` is `not`, `===` is `==`, `!==` is `!=`; chains of one operator are flat.
    """

    start: int
    end: int
    op: str
    parts: tuple[Expr, ...]


class Index(msgspec.Struct, frozen=True, gc=False, tag=9, array_like=True):
    """`base[key]`; a slice has an `Other` key. Also generic application in annotations: `list[int]`, `Json<T>`."""

    start: int
    end: int
    base: Expr
    key: Expr


class Await(msgspec.Struct, frozen=True, gc=False, tag=10, array_like=True):
    """`await x`, `x.await`."""

    start: int
    end: int
    value: Expr


class Choice(msgspec.Struct, frozen=True, gc=False, tag=11, array_like=True):
    """`yes if test else no`, `test ? yes : no`."""

    start: int
    end: int
    test: Expr
    yes: Expr
    no: Expr


class Closure(msgspec.Struct, frozen=True, gc=False, tag=12, array_like=True):
    """A lambda, arrow function, closure, function expression or async block: an index into `Outline.functions`."""

    start: int
    end: int
    function: int


class Comp(msgspec.Struct, frozen=True, gc=False, tag=13, array_like=True):
    """A comprehension: its element (a `Pair` in a dict), its (target, source) clauses, its conditions."""

    start: int
    end: int
    kind: Literal["list", "set", "dict", "generator"]
    element: Expr
    clauses: tuple[tuple[Expr, Expr], ...]
    tests: tuple[Expr, ...]


class Other(msgspec.Struct, frozen=True, gc=False, tag=14, array_like=True):
    """Whatever has no shape of its own; `kind` is the grammar's name, `parts` the expressions inside."""

    start: int
    end: int
    kind: str
    parts: tuple[Expr, ...]


Expr: TypeAlias = Ref | Attr | Literal_ | Call | Text | Pair | Spread | Group | Op | Index | Await | Choice | Closure | Comp | Other

BlockKind = Literal["body", "if", "else", "try", "except", "finally", "loop", "with", "case"]
StepKind = Literal[
    "expr", "assign", "augment", "return", "raise", "test", "iterate", "enter", "catch", "delete", "assert", "break", "continue", "def"
]
# How the value of a call is used. dropped: a statement of its own. assigned: to `holder`. chained: a method or attribute
# `holder` follows. passed: to a call whose callee reads `holder`. kept: inside a collection literal.
Use = Literal[
    "dropped", "awaited", "assigned", "returned", "yielded", "passed", "chained", "kept", "tested", "void", "iterated", "entered", "other"
]


class Block(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A stretch of steps. `opened_by` is the step that opens it (test, iterate, enter, catch), -1 for none;
    `ends` how its last own step leaves it: return, raise, break, continue, or "" when control runs on."""

    kind: BlockKind
    parent: int
    opened_by: int
    start: int
    end: int
    ends: str


class Step(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One statement, or the head of a compound one, in source order.

    assign/augment: `targets`, `value`, `annotation` (and `op` of an augmented one). iterate: loop variables and what they run
    over. enter: a with-item and its `as`. catch: the exception types (None: all) and the name. def: a nested function or
    class, by `function`. A chained assignment has several targets.
    """

    kind: StepKind
    block: int
    start: int
    end: int
    value: Expr | None = None
    targets: tuple[Expr, ...] = ()
    annotation: Expr | None = None
    op: str = ""
    function: int = -1


class Site(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A call where it stands: the step it belongs to and how its value is used."""

    call: Call
    step: int
    use: Use
    holder: str = ""


class Param(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A parameter; `kind` is "", "*", "**" or "pattern" (destructured; `name` then holds the names, joined by commas)."""

    name: str
    annotation: Expr | None = None
    default: Expr | None = None
    kind: str = ""


FunctionKind = Literal["module", "class", "function", "closure", "block"]


class Function(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A function, closure, async block, class body or the module itself (index 0): each has a body of steps in blocks.

    A class is a "function" of kind class: its bases are `bases`, its attributes its assign steps, its methods functions whose
    `parent` it is. `qualname` joins names with dots, without `<locals>`. `exported` is for languages that say so.
    """

    name: str
    qualname: str
    kind: FunctionKind
    parent: int
    start: int
    end: int
    name_start: int
    name_end: int
    params: tuple[Param, ...]
    decorators: tuple[Expr, ...]
    bases: tuple[Arg, ...]
    returns: Expr | None
    is_async: bool
    exported: bool
    blocks: tuple[Block, ...]
    steps: tuple[Step, ...]
    sites: tuple[Site, ...]


class Import(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """`name` in function `scope` means `target` (`""` for a star import). Relative targets keep the language's dots
    (`..tasks.charge`, `./queue.default`) and are resolved by the project."""

    name: str
    target: str
    scope: int
    start: int
    end: int


class Comment(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A comment with its marks (`#`, `//`); `own_line`: nothing but white space stands before it on its line."""

    start: int
    end: int
    text: str
    own_line: bool


class Broken(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A region that could not be read."""

    start: int
    end: int
    why: str


class Outline(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One file. `functions[0]` is the module."""

    language: str
    functions: tuple[Function, ...]
    imports: tuple[Import, ...]
    comments: tuple[Comment, ...]
    broken: tuple[Broken, ...]


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct parts of an expression, in source order; a closure has none (its body is a function of its own)."""
    match expr:
        case Ref() | Literal_() | Closure():
            return ()
        case Call():
            return (expr.func, *(arg.value for arg in expr.args))
        case Text() | Op() | Other():
            return expr.parts
        case Attr():
            return (expr.base,)
        case Group():
            return expr.items
        case Pair():
            return (expr.key, expr.value)
        case Spread() | Await():
            return (expr.value,)
        case Index():
            return (expr.base, expr.key)
        case Choice():
            return (expr.test, expr.yes, expr.no)
        case Comp():
            return (expr.element, *(part for clause in expr.clauses for part in clause), *expr.tests)


def dotted(expr: Expr) -> str:
    """The expression as dotted text where it has one: `a.b`, `make().run`, `rows[].pk`; else ""."""
    match expr:
        case Ref():
            return expr.name
        case Attr():
            return f"{dotted(expr.base) or '?'}.{expr.name}"
        case Call():
            return f"{dotted(expr.func) or '?'}()"
        case Index():
            return f"{dotted(expr.base) or '?'}[]"
        case Await():
            return dotted(expr.value)
        case _:
            return ""


def receiver(expr: Expr) -> Expr | None:
    """What an attribute is taken from, or a method is called on: `a.b` of `a.b.c` and of `a.b.c(..)`; None for a plain name."""
    if isinstance(expr, Call):
        return receiver(expr.func)
    if isinstance(expr, Attr):
        return expr.base
    if isinstance(expr, Ref) and "." in expr.name:
        name = expr.name.rpartition(".")[0]
        return Ref(expr.start, expr.start + len(name.encode()), name)
    return None


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and all its parts, outside in."""
    todo = [expr]
    while todo:
        one = todo.pop()
        yield one
        todo.extend(reversed(children(one)))


def enclosing(function: Function, block: int) -> Iterator[Block]:
    """The block and those around it, inside out, within one function."""
    while block >= 0:
        one = function.blocks[block]
        yield one
        block = one.parent


def openers(function: Function, block: int, kind: BlockKind) -> Iterator[Step]:
    """The steps that open the blocks of a kind around a block (itself included), inside out."""
    around = (one for one in enclosing(function, block) if one.kind == kind and one.opened_by >= 0)
    return (function.steps[one.opened_by] for one in around)


def is_within(function: Function, block: int, outer: int) -> bool:
    """Whether `block` is `outer` or lies inside it."""
    while block >= 0:
        if block == outer:
            return True
        block = function.blocks[block].parent
    return False
