"""Items of Rust, lowered: functions, types, implementations, modules, imports."""

from __future__ import annotations

from collections.abc import Mapping

from tree_sitter import Node

from guardrails.outline import Arg, Call, Expr, FunctionKind, Group, Literal_, Op, Pair, Param, Ref
from guardrails.read.build import Frame
from guardrails.read.rust_flow import body, each
from guardrails.read.rust_macro import arguments
from guardrails.read.rust_pattern import lifted, names, path
from guardrails.read.tree import Reader, ToSteps, has_token, parts


def function(r: Reader, node: Node) -> None:
    """A function, or the signature of one in a trait."""
    params = _params(r, node.child_by_field_name("parameters"))
    frame = _open(r, node, "function")
    frame.params = params
    frame.returns = r.field_or_none(node, "return_type")
    frame.is_async = any(one.type == "function_modifiers" and has_token(one, "async") for one in node.named_children)
    body(r, node.child_by_field_name("body"), "unit" if frame.returns is None else "return")
    r.builder.close_function()


def _open(r: Reader, node: Node, kind: FunctionKind, name: str = "", bases: tuple[Arg, ...] = ()) -> Frame:
    """Open a function or class that bears the attributes before it."""
    _, decorators = r.marks()
    label = node.child_by_field_name("name") or node.child_by_field_name("type")
    name = name or (r.text(label).removeprefix("r#") if label is not None else "")
    frame = r.define(node, kind, name, label, (*decorators, *[base.value for base in bases]))
    frame.decorators, frame.bases = decorators, bases
    frame.exported = any(child.type == "visibility_modifier" for child in node.named_children)
    return frame


def _params(r: Reader, node: Node | None) -> tuple[Param, ...]:
    inside = [] if node is None else [one for one in node.children if one.is_named or one.type == "_"]
    return tuple([_param(r, one) for one in inside if one.type not in _NO_PARAMS])


_NO_PARAMS = frozenset({"attribute_item", "line_comment", "block_comment", "variadic_parameter", "ERROR"})


def closure_params(r: Reader, node: Node) -> tuple[Param, ...]:
    """The parameters of a closure, which may have no types."""
    return _params(r, node.child_by_field_name("parameters"))


def _param(r: Reader, node: Node) -> Param:
    if node.type == "self_parameter":
        return Param("self")
    pattern = node.child_by_field_name("pattern") or node
    annotation = r.field_or_none(node, "type") if node.type == "parameter" else None
    if pattern.type in ("identifier", "self", "_"):
        return Param(r.text(pattern).removeprefix("r#"), annotation)
    bound = names(r.expr(pattern))
    simple = pattern.type in ("mut_pattern", "ref_pattern", "reference_pattern") and len(bound) == 1
    return Param(",".join(one.name for one in bound if isinstance(one, Ref)), annotation, kind="" if simple else "pattern")


def attribute(r: Reader, node: Node) -> None:
    """`#[post("/x")]` is a decorator of the next item."""
    for one in parts(node):
        inside = parts(one)
        if one.type == "attribute" and inside:
            r.decorators = (*r.decorators, _attribute(r, one, inside))


def _attribute(r: Reader, node: Node, inside: list[Node]) -> Expr:
    start, end = node.start_byte + r.shift, node.end_byte + r.shift
    name = Ref(start, inside[0].end_byte + r.shift, path(r, inside[0]))
    if len(inside) == 1:
        return name
    if inside[-1].type == "token_tree":
        return Call(start, end, name, arguments(r, inside[-1]))
    return Op(start, end, "=", (name, r.expr(inside[-1])))


def implementation(r: Reader, node: Node) -> None:
    """`impl Trait for Type`: a class named after the type, with the trait for a base."""
    kind, trait = node.child_by_field_name("type"), r.field_or_none(node, "trait")
    bases = () if trait is None else (Arg(trait),)
    name = path(r, kind).rpartition(".")[2] if kind is not None and "[" not in r.text(kind) else ""
    _open(r, node, "class", name, bases)
    _members(r, node)
    r.builder.close_function()


def trait(r: Reader, node: Node) -> None:
    """A class with the traits that it demands for bases."""
    bounds = node.child_by_field_name("bounds")
    bases = tuple([Arg(r.expr(one)) for one in parts(bounds) if one.type != "lifetime"]) if bounds is not None else ()
    _open(r, node, "class", bases=bases)
    _members(r, node)
    r.builder.close_function()


def _members(r: Reader, node: Node) -> None:
    inside = node.child_by_field_name("body")
    each(r, parts(inside) if inside is not None else [])


def struct(r: Reader, node: Node) -> None:
    """A class; its fields are assign steps, numbered where they have no name."""
    _open(r, node, "class")
    inside = node.child_by_field_name("body")
    for key, kind, field in _fields(r, inside):
        target = Ref(key.start, key.end, str(key.value))
        r.builder.step("assign", field.start_byte + r.shift, field.end_byte + r.shift, None, (target,), kind)
    r.builder.close_function()


def _fields(r: Reader, node: Node | None) -> list[tuple[Literal_, Expr, Node]]:
    found: list[tuple[Literal_, Expr, Node]] = []
    if node is None:
        return found
    if node.type == "ordered_field_declaration_list":
        for one in node.children_by_field_name("type"):
            start, end = one.start_byte + r.shift, one.end_byte + r.shift
            found.append((Literal_(start, end, "string", str(len(found))), r.expr(one), one))
        return found
    for one in parts(node):
        label = one.child_by_field_name("name") if one.type == "field_declaration" else None
        if label is not None:
            start, end = label.start_byte + r.shift, label.end_byte + r.shift
            found.append((Literal_(start, end, "string", r.text(label).removeprefix("r#")), r.field(one, "type"), one))
    return found


def enum(r: Reader, node: Node) -> None:
    """A class; its variants are assign steps, annotated with their fields."""
    _open(r, node, "class")
    inside = node.child_by_field_name("body")
    for variant in parts(inside) if inside is not None else ():
        label = variant.child_by_field_name("name")
        if label is not None and variant.type == "enum_variant":
            target = Ref(label.start_byte + r.shift, label.end_byte + r.shift, r.text(label).removeprefix("r#"))
            start, end = variant.start_byte + r.shift, variant.end_byte + r.shift
            value = r.field_or_none(variant, "value")
            r.builder.step("assign", start, end, value, (target,), _variant(r, variant.child_by_field_name("body")))
    r.builder.close_function()


def _variant(r: Reader, node: Node | None) -> Expr | None:
    if node is None:
        return None
    start, end, fields = node.start_byte + r.shift, node.end_byte + r.shift, _fields(r, node)
    if node.type == "ordered_field_declaration_list":
        return Group(start, end, "tuple", tuple([kind for _, kind, _ in fields]))
    return Group(start, end, "dict", tuple([Pair(key.start, kind.end, key, kind) for key, kind, _ in fields]))


def module(r: Reader, node: Node) -> None:
    """`mod x;` is an import. The contents of `mod x { }` belong to the scope around it; qualified names say where they stand."""
    r.marks()
    label, inside = node.child_by_field_name("name"), node.child_by_field_name("body")
    name = r.text(label).removeprefix("r#") if label is not None else ""
    if inside is None:
        r.builder.bind(name, _absolute(r, f"self.{name}"), node.start_byte + r.shift, node.end_byte + r.shift)
        return
    r.modules.append(name)
    each(r, parts(inside))
    r.modules.pop()


def constant(r: Reader, node: Node) -> None:
    """`const`, `static`, `type`."""
    value = r.field_or_none(node, "type" if node.type == "type_item" else "value")
    annotation = None if node.type == "type_item" else r.field_or_none(node, "type")
    target = r.field(node, "name")
    r.builder.step("assign", node.start_byte + r.shift, node.end_byte + r.shift, value, (target,), annotation)


def foreign(r: Reader, node: Node) -> None:
    """`extern "C" { }`."""
    _members(r, node)


def extern_crate(r: Reader, node: Node) -> None:
    """`extern crate foo as bar;`."""
    label = node.child_by_field_name("name")
    if label is not None:
        alias = node.child_by_field_name("alias") or label
        r.builder.bind(r.text(alias), r.text(label), node.start_byte + r.shift, node.end_byte + r.shift)


def use(r: Reader, node: Node) -> None:
    """Every name that a `use` tree binds."""
    argument = node.child_by_field_name("argument")
    todo = [(argument, "")] if argument is not None else []
    while todo:
        one, prefix = todo.pop()
        match one.type:
            case "use_list":
                todo.extend([(child, prefix) for child in reversed(parts(one))])
            case "scoped_use_list":
                before, inside = one.child_by_field_name("path"), one.child_by_field_name("list")
                if inside is not None:
                    todo.append((inside, _under(prefix, r.text(before) if before is not None else "")))
            case "use_as_clause":
                before, alias = one.child_by_field_name("path"), one.child_by_field_name("alias")
                if before is not None and alias is not None:
                    _bind(r, one, r.text(alias), _under(prefix, r.text(before)))
            case "use_wildcard":
                _bind(r, one, "", _under(prefix, r.text(one).removesuffix("*").strip()))
            case "identifier" | "scoped_identifier" | "self" | "crate" | "super" | "metavariable":
                target = _under(prefix, r.text(one))
                _bind(r, one, target.rpartition(".")[2], target)


def _under(prefix: str, written: str) -> str:
    """A path of a `use` tree with what stands before it; `self` in a list is the prefix itself."""
    name = ".".join(part for part in "".join(written.split()).replace("r#", "").split("::") if part)
    if prefix and name == "self":
        return prefix
    return f"{prefix}.{name}" if prefix and name else prefix or name


def _bind(r: Reader, node: Node, name: str, target: str) -> None:
    """What an inline module takes from the file around it needs no name: it stands in the same scope."""
    target = _absolute(r, target)
    if target not in ("self", f"self.{name}") or not r.modules:
        r.builder.bind(name.removeprefix("r#"), target, node.start_byte + r.shift, node.end_byte + r.shift)


def _absolute(r: Reader, target: str) -> str:
    """A path inside inline modules, as seen from the file."""
    if not r.modules:
        return target
    if target == "self" or target.startswith("self."):
        return ".".join(("self", *r.modules, *target.split(".")[1:]))
    if target == "super" or target.startswith("super."):
        target = lifted(r, f"{target}.").rstrip(".")
        return target if target.startswith("super") else f"self.{target}".rstrip(".")
    return target


ITEMS: Mapping[str, ToSteps] = {
    **dict.fromkeys(("function_item", "function_signature_item"), function),
    **dict.fromkeys(("struct_item", "union_item"), struct),
    **dict.fromkeys(("const_item", "static_item", "type_item", "associated_type"), constant),
    "attribute_item": attribute,
    "enum_item": enum,
    "extern_crate_declaration": extern_crate,
    "foreign_mod_item": foreign,
    "impl_item": implementation,
    "mod_item": module,
    "trait_item": trait,
    "use_declaration": use,
}
