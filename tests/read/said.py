"""Outlines as short text, so that a test can say in one line what it expects."""

from __future__ import annotations

from guardrails.outline import (
    Attr,
    Await,
    Call,
    Choice,
    Closure,
    Expr,
    Function,
    Group,
    Index,
    Literal_,
    Op,
    Other,
    Outline,
    Pair,
    Ref,
    Spread,
    Step,
    Text,
)  # fmt: skip


def said(expr: Expr | None) -> str:
    match expr:
        case None:
            return "-"
        case Ref():
            return expr.name
        case Attr():
            return f"{said(expr.base)}.{expr.name}"
        case Literal_():
            return repr(expr.value)
        case Call():
            args = ", ".join((f"{arg.name}=" if arg.name else "") + arg.splat + said(arg.value) for arg in expr.args)
            return f"{said(expr.func)}{'!' if expr.macro else ''}({args})"
        case Text():
            return f"text({said_all(expr.parts)})"
        case Pair():
            return f"{said(expr.key)}: {said(expr.value)}"
        case Spread():
            return f"...{said(expr.value)}"
        case Group():
            opening, closing = {"dict": "{}", "list": "[]"}.get(expr.kind, "()")
            return f"{expr.of}{opening}{said_all(expr.items)}{closing}"
        case Op():
            return f"({expr.op} {said_all(expr.parts)})"
        case Index():
            return f"{said(expr.base)}[{said(expr.key)}]"
        case Await():
            return f"await {said(expr.value)}"
        case Choice():
            return f"{said(expr.test)} ? {said(expr.yes)} : {said(expr.no)}"
        case Closure():
            return "<closure>"
        case Other():
            return f"{expr.kind}<{said_all(expr.parts)}>"
        case _:
            raise AssertionError(expr)


def said_all(exprs: tuple[Expr, ...]) -> str:
    return ", ".join(said(expr) for expr in exprs)


def said_step(step: Step) -> str:
    sign = step.op or "="
    targets = f"{said_all(step.targets)} {sign} " if step.targets else f"{step.op} " if step.op else ""
    kind = f": {said(step.annotation)}" if step.annotation is not None else ""
    return f"{step.kind} {targets}{said(step.value)}{kind}"


def steps(function: Function) -> list[str]:
    """Each step, with the kind of the block that it stands in unless that is the function's own."""
    return [f"{function.blocks[step.block].kind}: {said_step(step)}" if step.block else said_step(step) for step in function.steps]


def blocks(function: Function) -> list[tuple[str, str, str]]:
    """Kind, kind of the opening step and way out of each block but the first."""
    openers = [(function.steps[block.opened_by].kind if block.opened_by >= 0 else "") for block in function.blocks]
    return [(block.kind, opener, block.ends) for block, opener in zip(function.blocks[1:], openers[1:], strict=True)]


def sites(function: Function) -> list[tuple[str, str, str]]:
    return [(said(site.call), site.use, site.holder) for site in function.sites]


def function(outline: Outline, qualname: str) -> Function:
    (found,) = [one for one in outline.functions if one.qualname == qualname]
    return found


def imports(outline: Outline) -> dict[str, str]:
    return {one.name: one.target for one in outline.imports}
