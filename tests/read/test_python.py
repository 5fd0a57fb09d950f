"""The Python reader: every construct of the language ends up in the outline, and no bytes make it fail."""

from __future__ import annotations

import ast
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.outline import (
    Attr,
    Await,
    Call,
    Choice,
    Closure,
    Comp,
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
    dotted,
    walk,
)
from guardrails.read.python import read


def outline(source: str) -> Outline:
    return read("a.py", source.encode())


def steps(source: str) -> list[tuple[str, str]]:
    """Kind of each step of the module, with the block that it stands in."""
    module = outline(source).functions[0]
    return [(step.kind, module.blocks[step.block].kind) for step in module.steps]


def blocks(source: str) -> list[tuple[str, int, int]]:
    return [(block.kind, block.parent, block.opened_by) for block in outline(source).functions[0].blocks[1:]]


def value(source: str) -> Expr:
    """The expression that the source is."""
    read_ = outline(source)
    assert read_.broken == ()
    found = read_.functions[0].steps[-1].value
    assert found is not None
    return found


def step(source: str) -> Step:
    return outline(source).functions[0].steps[-1]


def function(source: str) -> Function:
    return outline(source).functions[1]


def shape(expr: Expr | None) -> object:
    """An expression without its offsets."""
    match expr:
        case None:
            return None
        case Ref(name=name):
            return name
        case Literal_(kind=kind, value=found):
            return (kind, found)
        case Op(op=op, parts=parts):
            return (op, *map(shape, parts))
        case Spread(value=inner):
            return ("*", shape(inner))
        case Group(kind=kind, items=items):
            return (kind, *map(shape, items))
        case Pair(key=key, value=inner):
            return (shape(key), shape(inner))
        case Call(func=func, args=args):
            return ("call", shape(func), *[(arg.splat + arg.name, shape(arg.value)) for arg in args])
        case Index(base=base, key=key):
            return ("index", shape(base), shape(key))
        case Other(kind=kind, parts=parts):
            return (kind, *map(shape, parts))
        case Text(parts=parts):
            return ("text", *map(shape, parts))
        case Attr(base=base, name=name):
            return ("attr", shape(base), name)
        case Await(value=inner):
            return ("await", shape(inner))
    return expr


def imports(source: str) -> list[tuple[str, str]]:
    return [(one.name, one.target) for one in outline(source).imports]


def sites(source: str) -> list[tuple[str, str, str]]:
    return [(dotted(site.call.func), site.use, site.holder) for one in outline(source).functions for site in one.sites]


# --- imports


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a", [("a", "a")]),
        ("import a.b", [("a", "a")]),
        ("import a.b as c, d", [("c", "a.b"), ("d", "d")]),
        ("from a.b import c, d as e", [("c", "a.b.c"), ("e", "a.b.d")]),
        ("from . import a", [("a", ".a")]),
        ("from ..tasks import charge", [("charge", "..tasks.charge")]),
        ("from . tasks import (charge, # why\n mail)", [("charge", ".tasks.charge"), ("mail", ".tasks.mail")]),
        ("from a import *", [("", "a")]),
        ("from .. import *", [("", "..")]),
        ("from __future__ import annotations", []),
        ("import a . b as c", [("c", "a.b")]),
        ("try:\n    import a\nexcept ImportError:\n    from b import a", [("a", "a"), ("a", "b.a")]),
        ("if TYPE_CHECKING:\n    from a import B", [("B", "a.B")]),
    ],
)
def test_an_import_binds_a_name_to_what_it_means(source: str, expected: list[tuple[str, str]]) -> None:
    assert imports(source) == expected


def test_an_import_inside_a_function_has_that_function_as_its_scope() -> None:
    read_ = outline("def f():\n    class A:\n        import x\n    import y\nimport z\n")
    assert [(one.name, read_.functions[one.scope].qualname) for one in read_.imports] == [("x", "f.A"), ("y", "f"), ("z", "<module>")]


# --- functions and classes


def test_a_function_has_its_parameters_with_annotations_defaults_and_kinds() -> None:
    params = function("def f(a, /, b: int, *, c=1, d: x.y = 2, **kw: str): pass").params
    assert [(one.name, shape(one.annotation), shape(one.default), one.kind) for one in params] == [
        ("a", None, None, ""),
        ("b", "int", None, ""),
        ("c", None, ("number", 1), ""),
        ("d", "x.y", ("number", 2), ""),
        ("kw", "str", None, "**"),
    ]


def test_variadic_parameters_keep_their_stars_and_their_types() -> None:
    params = function("def f(*args: *Ts, **kw): pass").params
    assert [(one.name, shape(one.annotation), one.kind) for one in params] == [("args", ("*", "Ts"), "*"), ("kw", None, "**")]


def test_a_parameter_of_python_2_that_is_taken_apart_joins_its_names() -> None:
    assert [(one.name, one.kind) for one in function("def f(a, (b, (c, d))): pass").params] == [("a", ""), ("b,c,d", "pattern")]


def test_functions_know_whether_they_are_async_what_they_return_and_where_their_name_stands() -> None:
    source = "@decorated\nasync def work() -> list[int]:\n    return 1\n"
    one = function(source)
    assert one.is_async
    assert one.kind == "function"
    assert shape(one.returns) == ("index", "list", "int")
    assert source[one.start :].startswith("async def")
    assert source[one.name_start : one.name_end] == "work"


def test_decorators_keep_their_arguments_and_their_calls_belong_to_the_def_step() -> None:
    read_ = outline("@app.task(bind=True)\n@plain\ndef f(): pass")
    assert [shape(one) for one in read_.functions[1].decorators] == [("call", "app.task", ("bind", ("bool", True))), "plain"]
    site = read_.functions[0].sites[0]
    assert read_.functions[0].steps[site.step].kind == "def"
    assert read_.functions[0].steps[site.step].function == 1


def test_calls_in_defaults_annotations_and_bases_are_sites_of_the_scope_around() -> None:
    assert sites("def f(a=b(), *, c: d() = 1) -> e(): pass\nclass C(g()): pass\nh = lambda x=i(): x") == [
        ("b", "other", ""),
        ("d", "other", ""),
        ("e", "other", ""),
        ("g", "other", ""),
        ("i", "other", ""),
    ]


def test_a_class_is_a_function_with_bases_whose_attributes_are_assign_steps() -> None:
    read_ = outline("class A(B, c.D[T], metaclass=M):\n    '''doc'''\n    x: int = 1\n    y = 2\n    def m(self): pass\n")
    one, method = read_.functions[1:]
    assert one.kind == "class"
    assert [(base.name, shape(base.value)) for base in one.bases] == [("", "B"), ("", ("index", "c.D", "T")), ("metaclass", "M")]
    assert [(found.kind, shape(found.value)) for found in one.steps] == [
        ("expr", ("string", "doc")),
        ("assign", ("number", 1)),
        ("assign", ("number", 2)),
        ("def", None),
    ]
    assert (method.qualname, method.parent) == ("A.m", 1)


def test_qualified_names_join_the_scopes_with_dots() -> None:
    read_ = outline("def f():\n    class A:\n        def g(self):\n            return lambda: 0\n")
    assert [one.qualname for one in read_.functions] == ["<module>", "f", "f.A", "f.A.g", "f.A.g.<lambda>"]


def test_a_lambda_is_a_closure_whose_body_is_one_return() -> None:
    read_ = outline("x = lambda a, *b, c=1: f(a)")
    found = read_.functions[0].steps[0].value
    assert isinstance(found, Closure)
    closure = read_.functions[found.function]
    assert (closure.name, closure.kind) == ("<lambda>", "closure")
    assert [(one.name, one.kind) for one in closure.params] == [("a", ""), ("b", "*"), ("c", "")]
    assert [one.kind for one in closure.steps] == ["return"]
    assert [site.use for site in closure.sites] == ["returned"]


def test_lambdas_in_defaults_do_not_shift_the_index_of_the_function() -> None:
    read_ = outline("def f(key=lambda: 0): return 1")
    assert read_.functions[read_.functions[0].steps[0].function].name == "f"


def test_type_parameters_are_passed_over() -> None:
    read_ = outline("def f[T: int, *Ts, **P](a: T) -> T: return g(a)\nclass A[T](B[T]): pass\ntype X[T] = list[T]\n")
    assert read_.broken == ()
    assert [one.name for one in read_.functions] == ["<module>", "f", "A"]
    last = read_.functions[0].steps[-1]
    assert (last.kind, shape(last.targets[0]), shape(last.value)) == ("assign", "X", ("index", "list", "T"))


# --- statements and blocks


def test_an_if_with_elif_and_else_nests_in_else_blocks() -> None:
    source = "if a:\n    b()\nelif c:\n    d()\nelse:\n    e()\n"
    assert steps(source) == [("test", "body"), ("expr", "if"), ("test", "else"), ("expr", "if"), ("expr", "else")]
    assert blocks(source) == [("if", 0, 0), ("else", 0, 0), ("if", 2, 2), ("else", 2, 2)]


def test_a_block_says_how_it_is_left() -> None:
    module = outline("def f():\n    if a:\n        return 1\n    elif b:\n        raise C\n    else:\n        return 2\n").functions[1]
    assert [(block.kind, block.ends) for block in module.blocks] == [
        ("body", "return"),
        ("if", "return"),
        ("else", "return"),
        ("if", "raise"),
        ("else", "return"),
    ]


def test_loops_are_opened_by_their_head_and_so_is_their_else() -> None:
    source = "for a, b in c():\n    break\nelse:\n    d()\nwhile e:\n    continue\nelse:\n    f\n"
    assert steps(source) == [
        ("iterate", "body"), ("break", "loop"), ("expr", "else"), ("test", "body"), ("continue", "loop"), ("expr", "else"),
    ]  # fmt: skip
    assert blocks(source) == [("loop", 0, 0), ("else", 0, 0), ("loop", 0, 3), ("else", 0, 3)]
    assert sites(source) == [("c", "iterated", ""), ("d", "dropped", "")]


def test_a_bracketed_loop_variable_is_no_tuple() -> None:
    assert shape(outline("for (x) in y: pass").functions[0].steps[0].targets[0]) == "x"
    assert shape(outline("for (x,) in y: pass").functions[0].steps[0].targets[0]) == ("tuple", "x")


@pytest.mark.parametrize("head", ["with", "async with"])
def test_with_blocks_nest_one_an_item(head: str) -> None:
    source = f"{head} a() as b, c():\n    d()\n"
    assert steps(source) == [("enter", "body"), ("enter", "with"), ("expr", "with")]
    assert blocks(source) == [("with", 0, 0), ("with", 1, 1)]
    assert [use for _, use, _ in sites(source)] == ["entered", "entered", "dropped"]


@pytest.mark.parametrize("items", ["(a() as b, c())", "(a() as b, c(),)", "(\n  # why\n  a() as b, # this\n  c(), # that\n)"])
def test_with_items_in_brackets_are_items_not_a_tuple(items: str) -> None:
    module = outline(f"with {items}:\n    d()\n").functions[0]
    assert [(shape(one.value), [shape(target) for target in one.targets]) for one in module.steps[:2]] == [
        (("call", "a"), ["b"]),
        (("call", "c"), []),
    ]


def test_a_try_has_a_catch_step_for_each_handler() -> None:
    source = "try:\n    a()\nexcept B as e:\n    c()\nexcept (D, E):\n    pass\nexcept:\n    raise\nelse:\n    f()\nfinally:\n    g()\n"
    module = outline(source).functions[0]
    assert blocks(source) == [("try", 0, -1), ("except", 0, 1), ("except", 0, 3), ("except", 0, 4), ("else", 0, -1), ("finally", 0, -1)]
    catches = [one for one in module.steps if one.kind == "catch"]
    assert [(shape(one.value), [shape(target) for target in one.targets]) for one in catches] == [
        ("B", ["e"]),
        (("tuple", "D", "E"), []),
        (None, []),
    ]


@pytest.mark.parametrize("head", ["except A, B", "except* (A, B)"])
def test_the_newer_forms_of_except_are_read(head: str) -> None:
    found = outline(f"try: a()\n{head}: pass\n")
    assert found.broken == ()
    assert shape(found.functions[0].steps[1].value) == ("tuple", "A", "B")


def test_a_match_tests_its_subject_and_each_case_its_pattern_and_guard() -> None:
    source = "match f(x):\n    case [a, *rest] if a > 1:\n        g()\n    case _:\n        h()\n"
    assert blocks(source) == [("case", 0, 0), ("case", 0, 0)]
    module = outline(source).functions[0]
    assert [(one.kind, one.block) for one in module.steps] == [
        ("test", 0), ("test", 1), ("test", 1), ("expr", 1), ("test", 2), ("expr", 2),
    ]  # fmt: skip
    assert [shape(target) for target in module.steps[1].targets] == ["a", "rest"]
    assert shape(module.steps[2].value) == (">", "a", ("number", 1))


@pytest.mark.parametrize(
    ("case", "expected", "captured"),
    [
        ("Point(x=0, y=b)", ("class_pattern", "Point", (("string", "x"), ("number", 0)), (("string", "y"), "b")), ["b"]),
        ('{"k": v, **kw}', ("dict", (("string", "k"), "v"), ("*", "kw")), ["v", "kw"]),
        ("a.B as q", ("as_pattern", "a.B", "q"), ["q"]),
        ('-1 | "s" | None', ("|", ("-", ("number", 1)), ("string", "s"), ("none", None)), []),
        ("1, 2", ("tuple", ("number", 1), ("number", 2)), []),
        ("(1 | 2) as z", ("as_pattern", ("|", ("number", 1), ("number", 2)), "z"), ["z"]),
        ("[1, *_]", ("list", ("number", 1), ("*", "_")), []),
        ("-1.5", ("-", ("number", 1.5)), []),
        ("str() as s", ("as_pattern", ("class_pattern", "str"), "s"), ["s"]),
    ],
)
def test_a_case_keeps_its_pattern_and_the_names_it_captures(case: str, expected: object, captured: list[str]) -> None:
    read_ = outline(f"match x:\n    case {case}: pass\n")
    assert read_.broken == ()
    one = read_.functions[0].steps[1]
    assert (shape(one.value), [shape(target) for target in one.targets]) == (expected, captured)
    assert read_.functions[0].sites == ()


def test_match_case_and_type_are_names_elsewhere() -> None:
    assert steps("match = 1\nmatch(x)\nmatch.foo\ncase = type(y)\ntype = 2\n") == [
        ("assign", "body"), ("expr", "body"), ("expr", "body"), ("assign", "body"), ("assign", "body"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "targets", "expected", "annotated"),
    [
        ("a = b = c, d", ["a", "b"], ("tuple", "c", "d"), None),
        ("x: int = 3", ["x"], ("number", 3), "int"),
        ("self.x: 'a.Foo'", ["self.x"], None, "a.Foo"),
        ("*a, b = c", [("tuple", ("*", "a"), "b")], "c", None),
        ("x = yield y", ["x"], ("yield", "y"), None),
        ("a[0], (b, c) = d", [("tuple", ("index", "a", ("number", 0)), ("tuple", "b", "c"))], "d", None),
        ("x = *a, b", ["x"], ("tuple", ("*", "a"), "b"), None),
    ],
)
def test_an_assignment_has_targets_a_value_and_an_annotation(source: str, targets: object, expected: object, annotated: object) -> None:
    one = step(source)
    assert one.kind == "assign"
    assert ([shape(target) for target in one.targets], shape(one.value), shape(one.annotation)) == (targets, expected, annotated)


def test_an_augmented_assignment_keeps_its_operator() -> None:
    one = step("a.b += f()")
    assert (one.kind, one.op, shape(one.targets[0]), shape(one.value)) == ("augment", "+=", "a.b", ("call", "f"))


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("return", "return", None),
        ("return a, b", "return", ("tuple", "a", "b")),
        ("raise", "raise", None),
        ("raise A(b)", "raise", ("call", "A", ("", "b"))),
        ("raise A from b", "raise", ("from", "A", "b")),
        ("assert a, f(b)", "assert", "a"),
        ("print >>f, x", "expr", ("call", "print", ("file", "f"), ("", "x"))),
        ("print 'a', b", "expr", ("call", "print", ("", ("string", "a")), ("", "b"))),
        ("exec 'code' in d", "expr", ("call", "exec", ("", ("string", "code")), ("", "d"))),
        ("print(*a, file=f)", "expr", ("call", "print", ("*", "a"), ("file", "f"))),
    ],
)
def test_simple_statements_are_steps(source: str, kind: str, expected: object) -> None:
    one = step(source)
    assert (one.kind, shape(one.value)) == (kind, expected)


def test_the_calls_in_the_message_of_an_assert_are_sites() -> None:
    assert sites("assert a(), b()") == [("a", "tested", ""), ("b", "other", "")]


def test_a_del_has_targets() -> None:
    assert [shape(target) for target in step("del a, b[0]").targets] == ["a", ("index", "b", ("number", 0))]
    assert [shape(target) for target in step("del (a, b)").targets] == ["a", "b"]


def test_statements_without_a_meaning_here_leave_no_step() -> None:
    assert steps("def f():\n    pass\n") == [("def", "body")]
    assert function("def f():\n    global a\n    nonlocal b\n    pass\n").steps == ()


def test_several_statements_on_a_line_are_several_steps() -> None:
    assert steps("a(); b = 1; c") == [("expr", "body"), ("assign", "body"), ("expr", "body")]


# --- expressions


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a.b.c", "a.b.c"),
        ("(a # why\n  .b\n  . c)", "a.b.c"),
        ("a.\\\n  b", "a.b"),
        ("a().b", ("attr", ("call", "a"), "b")),
        ("''.join", ("attr", ("string", ""), "join")),
        ("f(a, *b, c=d, **e)", ("call", "f", ("", "a"), ("*", "b"), ("c", "d"), ("**", "e"))),
        ("f( # one\n  a, # two\n)", ("call", "f", ("", "a"))),
        ("[1, *a]", ("list", ("number", 1), ("*", "a"))),
        ("(a,)", ("tuple", "a")),
        ("()", ("tuple",)),
        ("((a))", "a"),
        ("{1, 2}", ("set", ("number", 1), ("number", 2))),
        ("{'a': 1, **b}", ("dict", (("string", "a"), ("number", 1)), ("*", "b"))),
        ("a + b + c", ("+", "a", "b", "c")),
        ("a + b - c", ("-", ("+", "a", "b"), "c")),
        ("a + (b + c)", ("+", "a", ("+", "b", "c"))),
        ("a ** b ** c", ("**", "a", ("**", "b", "c"))),
        ("a and b and not c", ("and", "a", "b", ("not", "c"))),
        ("a or b and c", ("or", "a", ("and", "b", "c"))),
        ("-1", ("-", ("number", 1))),
        ("a < b < c", ("<", "a", "b", "c")),
        ("a < b <= c", ("< <=", "a", "b", "c")),
        ("a is not b", ("not", ("is", "a", "b"))),
        ("a not in b", ("not", ("in", "a", "b"))),
        ("a <> b", ("!=", "a", "b")),
        ("a[b]", ("index", "a", "b")),
        ("a[b, c]", ("index", "a", ("tuple", "b", "c"))),
        ("a[b,]", ("index", "a", ("tuple", "b"))),
        ("a[b, *c]", ("index", "a", ("tuple", "b", ("*", "c")))),
        ("a[1:]", ("index", "a", ("slice", ("number", 1), ("none", None)))),
        ("a[:1]", ("index", "a", ("slice", ("none", None), ("number", 1)))),
        ("a[::2]", ("index", "a", ("slice", ("none", None), ("none", None), ("number", 2)))),
        ("await f()", ("await", ("call", "f"))),
        ("(yield)", ("yield",)),
        ("yield from a", ("yield from", "a")),
        ("...", ("ellipsis",)),
        ("None", ("none", None)),
        ("True", ("bool", True)),
        ("ﬁx", "fix"),
        ("größe.ä", "größe.ä"),
    ],
)
def test_an_expression_is_lowered(source: str, expected: object) -> None:
    assert shape(value(source)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1_000", 1000), ("0x1F", 31), ("0o17", 15), ("0b11", 3), ("017", 15), ("10L", 10), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5),
        ("3j", None), ("18446744073709551615", 2**64 - 1), ("18446744073709551616", float(2**64)), ("0xe", 14), ("0", 0), ("00", 0),
        ("9" * 5000, None), ("1e999", None),
    ],
)  # fmt: skip
def test_a_number_has_its_value_and_one_beyond_64_bits_its_size(source: str, expected: object) -> None:
    found = value(source)
    assert isinstance(found, Literal_)
    assert (found.kind, found.value) == ("number", expected)
    assert type(found.value) is type(expected)


@pytest.mark.parametrize(
    "source",
    [
        r"'a\n\t\\\'\"'", r"r'\n'", r"'\x41\101\u00e9\U0001F600\N{BULLET}'", r"'\q'", "'''a\nb'''", '""', '""""""', r"'a\
b'", "'é'", r"u'x'", r"R'\\'", "'# no comment'", r"'\0'", "'a' 'b' # c", "('a'\n # c\n 'b')", r"'\777'", "'{x}'",
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:invalid .*escape sequence")
def test_a_string_has_the_value_that_python_gives_it(source: str) -> None:
    found = value(source)
    assert isinstance(found, Literal_)
    assert (found.kind, found.value) == ("string", ast.literal_eval(source))


def test_bytes_are_told_as_latin_1() -> None:
    assert shape(value(r"b'a\xff\u1234'")) == ("bytes", "a\xff\\u1234")
    assert shape(value(r"rb'\n' b'\n'")) == ("bytes", "\\n\n")


def test_a_lone_surrogate_is_replaced_since_it_cannot_be_stored() -> None:
    assert shape(value(r"'\ud800'")) == ("string", "\ufffd")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f'a{{b}}{x!r:>10} {y.z}'", ("text", ("string", "a{b}"), "x", ("string", " "), "y.z")),
        ("f'{x:>{w}.{p()}}'", ("text", ("format", "x", "w", ("call", "p")))),
        ("f'{a[\"b\"]}'", ("text", ("index", "a", ("string", "b")))),
        ("f'{f'{x}'}'", ("text", ("text", "x"))),
        ("f'{x=}'", ("text", "x")),
        ("f'{x,}'", ("text", ("tuple", "x"))),
        (r"rf'\n{x}'", ("text", ("string", "\\n"), "x")),
        (r"f'\n{x}'", ("text", ("string", "\n"), "x")),
        ("'a' 'b' f'c{d}' 'e'", ("text", ("string", "abc"), "d", ("string", "e"))),
        ("f'a' 'b'", ("string", "ab")),
        ("t'a {x}'", ("text", ("string", "a "), "x")),
        ("f''", ("text",)),
    ],
)
def test_an_interpolated_string_is_a_text(source: str, expected: object) -> None:
    assert shape(value(source)) == expected


def test_code_inside_a_string_is_not_code() -> None:
    read_ = outline("x = '''\nimport a\ndef f(): g()\n# no\n'''\ny = 'h()'\n")
    assert (read_.imports, len(read_.functions), read_.functions[0].sites, read_.comments) == ((), 1, (), ())


def test_a_comprehension_keeps_element_clauses_and_tests() -> None:
    found = value("{k: f(v) for k, v in g() if v if w async for z in k}")
    assert isinstance(found, Comp)
    assert found.kind == "dict"
    assert shape(found.element) == ("k", ("call", "f", ("", "v")))
    assert [(shape(target), shape(source)) for target, source in found.clauses] == [(("tuple", "k", "v"), ("call", "g")), ("z", "k")]
    assert [shape(test) for test in found.tests] == ["v", "w"]


@pytest.mark.parametrize(("source", "kind"), [("[a for a in b]", "list"), ("{a for a in b}", "set"), ("(a for a in b)", "generator")])
def test_comprehensions_know_their_kind(source: str, kind: str) -> None:
    found = value(source)
    assert isinstance(found, Comp)
    assert found.kind == kind


def test_a_generator_as_the_only_argument_is_an_argument() -> None:
    found = value("sum(f(x) for x in y)")
    assert isinstance(found, Call)
    assert isinstance(found.args[0].value, Comp)


def test_a_conditional_expression_is_a_choice() -> None:
    found = value("a if b else c")
    assert isinstance(found, Choice)
    assert (shape(found.test), shape(found.yes), shape(found.no)) == ("b", "a", "c")


def test_a_walrus_is_an_assignment_of_its_own_and_its_call_counts_once() -> None:
    module = outline("if (n := f(a)) > 1: pass").functions[0]
    assert [(one.kind, [shape(target) for target in one.targets]) for one in module.steps] == [("assign", ["n"]), ("test", [])]
    assert shape(module.steps[1].value) == (">", ("walrus", "n", ("call", "f", ("", "a"))), ("number", 1))
    assert [(site.step, site.use, site.holder) for site in module.sites] == [(0, "assigned", "n")]


def test_a_walrus_in_a_comprehension_assigns_in_the_function_around() -> None:
    assert steps("x = [y for z in w if (y := f(z))]") == [("assign", "body"), ("assign", "body")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f(g())", [("f", "dropped", ""), ("g", "passed", "f")]),
        ("x = await f()", [("f", "awaited", "x")]),
        ("return f()", [("f", "returned", "")]),
        ("f().g()", [("f().g", "dropped", ""), ("f", "chained", "g")]),
        ("x = [f()]", [("f", "kept", "x")]),
        ("yield f()", [("f", "yielded", "")]),
        ("yield from f()", [("f", "yielded", "")]),
        ("if not f(): pass", [("f", "tested", "")]),
        ("x = [f() for a in g() if h()]", [("f", "kept", "x"), ("g", "iterated", ""), ("h", "tested", "")]),
        ("x: f() = 1", [("f", "other", "")]),
    ],
)
def test_a_call_says_how_its_value_is_used(source: str, expected: list[tuple[str, str, str]]) -> None:
    assert sites(source) == expected


@pytest.mark.parametrize(
    ("annotated", "expected"),
    [
        ("Optional['Foo']", ("index", "Optional", "Foo")),
        ("t.Optional['a.Foo']", ("index", "t.Optional", "a.Foo")),
        ("'Foo' | None", ("|", "Foo", ("none", None))),
        ("Literal['a', 'b']", ("index", "Literal", ("tuple", ("string", "a"), ("string", "b")))),
        ("Annotated['Foo', 'doc']", ("index", "Annotated", ("tuple", "Foo", ("string", "doc")))),
        ("Callable[[int], 'str']", ("index", "Callable", ("tuple", ("list", "int"), "str"))),
        ("'list[Foo]'", ("string", "list[Foo]")),
    ],
)
def test_a_name_in_quotes_is_a_name_in_an_annotation(annotated: str, expected: object) -> None:
    assert shape(function(f"def f(a: {annotated}): pass").params[0].annotation) == expected
    assert shape(step(f"x: {annotated}").annotation) == expected


def test_spans_are_those_of_the_bytes() -> None:
    source = "é = f('ü', x.y)  # ö\n"
    site = outline(source).functions[0].sites[0].call
    assert source.encode()[site.start : site.end].decode() == "f('ü', x.y)"
    argument = site.args[1].value
    assert source.encode()[argument.start : argument.end] == b"x.y"


# --- comments and codings


def test_every_comment_is_found_and_told_apart_by_its_line() -> None:
    source = "# a\nx = 1  # b\ndef f(  # c\n  a,  # d\n):  # e\n    # f\n    return [\n        # g\n        1,  # h\n    ]\n# i\n"
    assert [(one.text, one.own_line) for one in outline(source).comments] == [
        ("# a", True), ("# b", False), ("# c", False), ("# d", False), ("# e", False), ("# f", True), ("# g", True), ("# h", False),
        ("# i", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        "if a:  # 1\n    b  # 2\n# 3\nelif c:  # 4\n    d\nelse:  # 5\n    e",
        "try:  # 1\n    a\n# 2\nexcept B:  # 3\n    c\nfinally:  # 4\n    d",
        "@a  # 1\n# 2\ndef f(): pass",
        "@a(\n # 1\n)\nclass A(  # 2\n  B,  # 3\n): pass",
        "x = (a  # 1\n  + b  # 2\n  and  # 3\n  c)",
        "f'{x # 1\n}'",
        "x = {  # 1\n  'a':  # 2\n  1,  # 3\n  **b,  # 4\n}",
        "x = [a  # 1\n  for a in b  # 2\n  if c  # 3\n]",
        "x = a[  # 1\n  b:  # 2\n  c]",
        "for a in (  # 1\n  b):  # 2\n  pass\nelse:  # 3\n  c",
        "match a:  # 1\n  # 2\n  case b:  # 3\n    pass",
        "with (  # 1\n  a as b,  # 2\n): pass",
        "x = (lambda  # 1\n  a: b)",
        "f(  # 1\n  # 2\n  a=  # 3\n  b)",
        "def f[  # 1\n  T](): pass",
    ],
)
def test_comments_are_found_inside_any_construct_once_and_in_order(source: str) -> None:
    expected = [f"# {number}" for number in range(1, source.count("#") + 1)]
    assert [one.text for one in outline(source).comments] == expected


def test_long_runs_of_comments_stay_single_comments_and_take_no_time() -> None:
    source = "if a:\n" + "    # one\n\n    # two\r\n" * 5000 + "    b()\n"
    begin = time.perf_counter()
    read_ = outline(source)
    assert time.perf_counter() - begin < 2
    assert len(read_.comments) == 10000
    assert all(source[one.start : one.end] == one.text and one.own_line for one in read_.comments)
    assert len(read_.functions[0].sites) == 1


def test_long_runs_of_hashes_in_a_string_stay_a_string() -> None:
    text = "\n# no\n" * 1000
    assert outline(f"x = '''{text}'''").functions[0].steps[0].value == Literal_(4, 4 + len(text) + 6, "string", text)
    assert outline(f"x = '''{text}'''").comments == ()


def test_a_coding_line_is_honoured() -> None:
    source = "# -*- coding: latin-1 -*-\nx = 'é'  # ü\n".encode("latin-1")
    read_ = read("a.py", source)
    assert shape(read_.functions[0].steps[0].value) == ("string", "é")
    assert read_.comments[1].text == "# ü"
    assert source[read_.comments[1].start :] == b"# \xfc\n"


@pytest.mark.parametrize("coding", ["unknown-8", "rot13", "undefined", "idna", "utf-16", "unicode_escape", "hex"])
def test_a_coding_that_is_no_text_is_taken_for_utf_8(coding: str) -> None:
    assert shape(read("a.py", f"# coding: {coding}\nx = 'é'\n".encode()).functions[0].steps[0].value) == ("string", "é")


def test_a_byte_order_mark_moves_nothing() -> None:
    read_ = read("a.py", b"\xef\xbb\xbf# a\nimport b\n")
    assert [(one.start, one.own_line) for one in read_.comments] == [(3, True)]
    assert read_.imports[0].start == 14


def test_bytes_that_cannot_be_decoded_are_replaced() -> None:
    assert shape(read("a.py", b"x = 'a\xff'").functions[0].steps[0].value) == ("string", "a\ufffd")


# --- broken files


def test_what_cannot_be_read_is_told_and_the_rest_is_read() -> None:
    source = "def f():\n    return a()\n\nx = b(c d())\n\ndef g():\n    return e()\n"
    read_ = outline(source)
    assert [one.name for one in read_.functions] == ["<module>", "f", "g"]
    assert [name for name, _, _ in sites(source)] == ["b", "d", "a", "e"]
    assert [source[one.start : one.end] for one in read_.broken] == ["c"]


def test_an_unclosed_bracket_leaves_the_statements_around_it_read() -> None:
    read_ = outline("import a\n\ndef f():\n    b()\n\nx = (1,\n\ndef g():\n    c()\n")
    assert read_.broken
    assert [one.name for one in read_.imports] == ["a"]
    assert "f" in [one.name for one in read_.functions]
    assert {dotted(site.call.func) for one in read_.functions for site in one.sites} >= {"b", "c"}


@pytest.mark.parametrize("source", ["def f[T=int](): a()\n", "lazy import x\na()\n", "@\na()\n", "class A:\n  def\n\na()\n"])
def test_forms_that_the_grammar_does_not_know_are_small_regions(source: str) -> None:
    read_ = outline(source)
    assert read_.broken
    assert all(one.end - one.start < 12 for one in read_.broken)
    assert "a" in [name for name, _, _ in sites(source)]


def test_comments_in_a_broken_file_are_found_once() -> None:
    assert [one.text for one in outline("x = (  # a\n  y z  # b\n)\n# c\ndef\n# d\n").comments] == ["# a", "# b", "# c", "# d"]


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "[" * 10_000 + "]" * 10_000,
        "x = " + "(" * 10_000 + "a" + ")" * 10_000,
        "[" * 10_000,
        "f(" * 10_000,
        "{" * 10_000,
        "f(" * 10_000 + ")" * 10_000,
        "".join(" " * level + "if a:\n" for level in range(1_000)) + " " * 1_000 + "pass\n",
        "if a: pass\n" + "elif b: c()\n" * 3_000,
        "x = a" + ".b()" * 5_000,
        "x = a" + "[0]" * 5_000,
        "x = " + "not " * 5_000 + "a",
        "x = " + "lambda: " * 3_000 + "a",
        "x = " + "a if b else " * 3_000 + "c",
        "x = a" + " + b() - c" * 5_000,
        "x = a" + " ** b" * 5_000,
        "match x:\n case " + "[" * 3_000 + "]" * 3_000 + ": pass\n",
        "x = " + 'f"{' * 200 + "a" + '}"' * 200,
        "with " + ", ".join(["a() as b"] * 2_000) + ": pass\n",
        "@a()\n" * 3_000 + "def f(): pass",
        "a b c\n" * 5_000,
    ],
    ids=lambda source: source[:12],
)
def test_nothing_is_too_deep_or_too_long_to_be_read_in_time(source: str) -> None:
    begin = time.perf_counter()
    read_ = outline(source)
    assert time.perf_counter() - begin < 2
    msgspec.msgpack.encode(read_)


def test_what_is_nested_too_deeply_is_told_as_one_region() -> None:
    read_ = outline("x = " + "f(" * 400 + ")" * 400)
    assert [one.why for one in read_.broken] == ["nested too deeply"]
    found = read_.functions[0].steps[0].value
    assert found is not None
    assert any(isinstance(one, Other) and one.kind == "too-deep" for one in walk(found))


def test_long_chains_of_one_kind_are_not_deep() -> None:
    for source in ("x = a" + " + f()" * 5_000, "x = " + "a and " * 5_000 + "b", "a = " * 5_000 + "b", "x = a" + ".b" * 5_000):
        assert outline(source).broken == ()
    chain = value("x = a" + " + f()" * 5_000)
    assert isinstance(chain, Op)
    assert len(chain.parts) == 5_001
    assert len(outline("if a: pass\n" + "elif b(): c()\n" * 3_000).functions[0].sites) == 6_000


# --- properties

_WORDS = """
def class if elif else: try: except finally: with as for in while return raise yield await async lambda import from match case _ not and
or is del print exec global type a b.c f( ) [ ] { } : , = := == -> + - * ** / @ . ... ; ' " ''' f' {x} \\ # 1 0x 1e5 é except* ` $ ? !
rb' True None
"""
_FRAGMENTS = st.sampled_from([*_WORDS.split(), "\n", "\r", "\t", "\n    ", "\n  ", "\0", "\f"])
_STATEMENTS = st.lists(
    st.sampled_from(
        [
            "import a.b as c",
            "x = f(a, b=g())",
            "def h(p: int = k()):\n    return await_(p)",
            "class A(B):\n    x = y()\n    def m(self):\n        self.n()",
            "if a():\n    b()\nelif c():\n    d()\nelse:\n    e()",
            "try:\n    a()\nexcept B as e:\n    raise C() from e\nfinally:\n    d()",
            "for i in range(3):\n    with open(i) as j:\n        j.read()",
            "match s():\n    case [u]:\n        v(u)",
            "@deco(1)\nasync def w():\n    async for q in r():\n        yield q",
            "z = [n() for m in o() if (p := q())]",
        ]
    ),
    max_size=8,
)


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_read_and_can_be_stored(source: bytes) -> None:
    read_ = read("a.py", source)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(read_), type=Outline) == read_


@given(st.lists(_FRAGMENTS, max_size=60), st.sampled_from(["", " "]), st.sampled_from(["utf-8", "latin-1"]))
@settings(deadline=None, max_examples=600)
def test_any_soup_of_fragments_is_read_the_same_each_time(fragments: list[str], between: str, coding: str) -> None:
    source = between.join(fragments).encode(coding)
    read_ = read("a.py", source)
    assert read_ == read("a.py", source)
    spans = [(one.start, one.end) for one in read_.broken]
    spans += [(one.start, one.end) for one in read_.comments]
    spans += [(one.start, one.end) for one in read_.functions]
    assert all(0 <= start <= end <= len(source) for start, end in spans)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(read_), type=Outline) == read_


@given(_STATEMENTS, st.integers(0, 400), st.integers(0, 400))
@settings(deadline=None, max_examples=200)
def test_a_piece_cut_out_of_good_code_does_no_harm(statements: list[str], begin: int, length: int) -> None:
    source = "\n".join(statements)
    msgspec.msgpack.encode(outline(source[:begin] + source[begin + length :]))


@given(_STATEMENTS, st.sampled_from(["", "\n", "# a\n", "\n\n    # b\n\n", "pass\n"]))
@settings(deadline=None)
def test_blank_lines_and_comments_between_statements_change_no_names_and_no_calls(statements: list[str], between: str) -> None:
    plain, spaced = "\n".join(statements) + "\n", between + f"\n{between}".join(statements) + "\n"
    assert [one.qualname for one in outline(plain).functions] == [one.qualname for one in outline(spaced).functions]
    assert sites(plain) == sites(spaced)
    assert imports(plain) == imports(spaced)
    assert outline(spaced).broken == ()
