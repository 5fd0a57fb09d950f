"""Functions, closures and classes of TypeScript and JavaScript, lowered."""

from __future__ import annotations

from collections.abc import Iterable

from tree_sitter import Node

from guardrails.outline import Arg, Closure, Expr, Group, Pair, Param, Ref
from guardrails.read.build import Frame
from guardrails.read.tree import Reader, bound, error_statement, first, has_token, parts
from guardrails.read.typescript_types import annotation, applied

_CLOSURES = frozenset({"arrow_function", "function_expression", "generator_function", "class"})
_PROPERTY_MARKS = ("accessibility_modifier", "readonly", "override_modifier")


def is_closure(node: Node) -> bool:
    """Whether `closure` lowers it."""
    return node.type in _CLOSURES


def closure(r: Reader, node: Node, name: str = "<lambda>", label: Node | None = None, exported: bool = False) -> Closure:
    """A function or class as a value."""
    _, decorators = r.marks()
    if node.type == "class":
        frame = r.open(node, "class", name, label)
        frame.bases = _bases(r, node)
        frame.decorators = (*decorators, *_decorators(r, node))
        _members(r, node)
    else:
        frame = r.open(node, "closure", name, label)
        frame.params = tuple([_param(r, part) for part in _parameters(node)])
        _function_body(r, node, frame)
    frame.exported = exported
    r.builder.close_function()
    return Closure(node.start_byte, node.end_byte, frame.index)


def function(r: Reader, node: Node) -> None:
    """A function declaration."""
    exported, decorators = r.marks()
    _define(r, node, decorators).exported = exported
    r.builder.close_function()


def _define(r: Reader, node: Node, decorators: tuple[Expr, ...]) -> Frame:
    """A declared function or method, left open."""
    label = node.child_by_field_name("name")
    params = tuple([_param(r, part) for part in _parameters(node)])
    name = r.text(label) if label is not None else ""
    frame = r.define(node, "function", name, label, (*decorators, *[param.default for param in params]))
    frame.params, frame.decorators = params, decorators
    if name == "constructor":
        _parameter_properties(r, node)
    _function_body(r, node, frame)
    return frame


def _function_body(r: Reader, node: Node, frame: Frame) -> None:
    frame.is_async = has_token(node, "async")
    frame.returns = annotation(r, node, "return_type")
    body = node.child_by_field_name("body")
    if body is None:
        return
    if body.type == "statement_block":
        r.each(body.named_children)
    else:
        r.builder.step("return", body.start_byte, body.end_byte, r.expr(body))


def _parameters(node: Node) -> list[Node]:
    single = node.child_by_field_name("parameter")
    if single is not None:
        return [single]
    many = node.child_by_field_name("parameters")
    return [] if many is None else parts(many)


def _param(r: Reader, node: Node) -> Param:
    """A decorated parameter has its decorator for a default: `@InjectQueue("mail") queue: Queue` is given its value by it."""
    pattern = node.child_by_field_name("pattern") or node
    default = r.field_or_none(node, "value")
    decorators = _decorators(r, node)
    if default is None and decorators:
        default = decorators[0] if len(decorators) == 1 else Group(node.start_byte, pattern.start_byte, "tuple", tuple(decorators))
    name, kind = _name(r, pattern)
    return Param(name, annotation(r, node), default, kind)


def _name(r: Reader, pattern: Node) -> tuple[str, str]:
    if pattern.type == "rest_pattern":
        inside = first(pattern)
        return (_name(r, inside)[0] if inside is not None and inside.type != "rest_pattern" else "", "*")
    if pattern.type in ("identifier", "this"):
        return r.text(pattern), ""
    return ",".join(ref.name for ref in bound(r.expr(pattern))), "pattern"


def _decorators(r: Reader, node: Node) -> list[Expr]:
    return [r.expr(child) for child in node.children if child.type == "decorator"]


def _parameter_properties(r: Reader, node: Node) -> None:
    """`constructor(private readonly queue: Queue)` also assigns `this.queue`."""
    for part in _parameters(node):
        label = part.child_by_field_name("pattern")
        if label is not None and has_token(part, *_PROPERTY_MARKS):
            start, end, name = label.start_byte, label.end_byte, r.text(label)
            targets = (Ref(start, end, f"this.{name}"),)
            r.builder.step("assign", part.start_byte, part.end_byte, Ref(start, end, name), targets, annotation(r, part))


def class_declaration(r: Reader, node: Node) -> None:
    """Its fields are assign steps, its methods functions."""
    exported, before = r.marks()
    decorators = (*before, *_decorators(r, node))
    bases = _bases(r, node)
    frame = _open_class(r, node, (*decorators, *[base.value for base in bases]))
    frame.bases, frame.decorators, frame.exported = bases, decorators, exported
    _members(r, node)
    r.builder.close_function()


def _open_class(r: Reader, node: Node, head: Iterable[Expr] = ()) -> Frame:
    label = node.child_by_field_name("name")
    return r.define(node, "class", r.text(label) if label is not None else "", label, head)


def _bases(r: Reader, node: Node) -> tuple[Arg, ...]:
    """What a class extends, then what it implements."""
    bases: list[Arg] = []
    heritage = [clause for child in node.named_children if child.type == "class_heritage" for clause in parts(child)]
    for clause in heritage:
        if clause.type == "extends_clause":
            base = applied(r, r.field(clause, "value"), clause.child_by_field_name("type_arguments"), clause.end_byte)
            bases.append(Arg(base))
        elif clause.type == "implements_clause":
            bases.extend([Arg(r.expr(one)) for one in parts(clause)])
    return tuple(bases)


def _members(r: Reader, node: Node) -> None:
    """Decorators of a method stand before it as members of their own."""
    body = node.child_by_field_name("body")
    if r.is_too_deep(node):
        return
    r.depth += 1
    decorators: list[Expr] = []
    for member in body.named_children if body is not None else ():
        match member.type:
            case "decorator":
                decorators.append(r.expr(member))
            case "method_definition" | "abstract_method_signature":
                _define(r, member, tuple(decorators))
                r.builder.close_function()
                decorators = []
            case "public_field_definition":
                _field(r, member)
            case "class_static_block" | "ERROR":
                (error_statement if member.type == "ERROR" else _static)(r, member)
    r.depth -= 1


def _field(r: Reader, node: Node) -> None:
    """A decorated field without a value has its decorator for one, as a decorated parameter has."""
    label = node.child_by_field_name("name")
    if label is None:
        return
    target = Ref(label.start_byte, label.end_byte, r.text(label))
    value_node = node.child_by_field_name("value")
    if value_node is None:
        decorators = _decorators(r, node)
        value = decorators[0] if decorators else None
    elif is_closure(value_node):
        value = closure(r, value_node, target.name, label)
    else:
        value = r.expr(value_node)
    r.builder.step("assign", node.start_byte, node.end_byte, value, (target,), annotation(r, node))


def _static(r: Reader, node: Node) -> None:
    r.builder.open_block("body", node.start_byte, node.end_byte)
    body = node.child_by_field_name("body")
    r.each(body.named_children if body is not None else ())
    r.builder.close_block()


def interface(r: Reader, node: Node) -> None:
    """An interface, and a type alias of an object type: a class with fields."""
    exported, _ = r.marks()
    clauses = [child for child in node.named_children if child.type == "extends_type_clause"]
    bases = tuple([Arg(r.expr(one)) for clause in clauses for one in parts(clause)])
    frame = _open_class(r, node)
    frame.bases, frame.exported = bases, exported
    body = node.child_by_field_name("body") or node.child_by_field_name("value")
    for member in parts(body) if body is not None else ():
        _signature(r, member)
    r.builder.close_function()


def _signature(r: Reader, node: Node) -> None:
    if node.type == "method_signature":
        _define(r, node, ())
        r.builder.close_function()
        return
    field = r.expr(node)
    if isinstance(field, Pair):
        target = Ref(field.key.start, field.key.end, str(getattr(field.key, "value", "")))
        r.builder.step("assign", node.start_byte, node.end_byte, None, (target,), field.value)


def type_alias(r: Reader, node: Node) -> None:
    """An assign step, unless it names the fields of an object."""
    value = node.child_by_field_name("value")
    if value is not None and value.type == "object_type":
        interface(r, node)
        return
    r.marks()
    r.builder.step("assign", node.start_byte, node.end_byte, r.field(node, "value"), (r.field(node, "name"),))


def enum(r: Reader, node: Node) -> None:
    """A class with a field for each member."""
    exported, _ = r.marks()
    _open_class(r, node).exported = exported
    body = node.child_by_field_name("body")
    for member in parts(body) if body is not None else ():
        label = member.child_by_field_name("name") or member
        target = Ref(label.start_byte, label.end_byte, r.text(label).strip("'\""))
        r.builder.step("assign", member.start_byte, member.end_byte, r.field_or_none(member, "value"), (target,))
    r.builder.close_function()
