"""The Rust reader: what tasks, routers and worker loops say ends up in the outline, and no bytes make it fail."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from said import blocks, function, imports, said, sites, steps

from guardrails.outline import Call, Function, Outline, walk
from guardrails.read.rust import read


def outline(source: str) -> Outline:
    found = read("a.rs", source.encode())
    assert found.broken == ()
    return found


def f(body: str) -> Function:
    """The function around the statements of a body."""
    return function(outline(f"async fn f() -> R {{ {body} }}"), "f")


def value(source: str) -> str:
    return said(f(f"let v = {source};").steps[-1].value)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a::b::c", "a.b.c"),
        ("self.x.y", "self.x.y"),
        ("self.0", "self.0"),
        ("crate::x", "crate.x"),
        ("super::x", "super.x"),
        ("::std::mem::take(x)", "std.mem.take(x)"),
        ("Vec::<u8>::new()", "Vec.new()"),
        ("iter.collect::<Vec<_>>()", "iter.collect()"),
        ("<T as Tr>::make()", "T.make()"),
        ("Client::builder().timeout(d).build()?", "(? Client.builder().timeout(d).build())"),
        ("run().await", "await run()"),
        ("&mut *x", "x"),
        ("(x as u32)", "x"),
        ("rows[0].id", "rows[0].id"),
        ("!a && b && c", "(and (not a), b, c)"),
        ("a == b", "(== a, b)"),
        ("0..n", "range<0, n>"),
        ("(a, 1)", "(a, 1)"),
        ("[a, b]", "[a, b]"),
        ("[0; 5]", "repeat<0, 5>"),
        ("()", "()"),
        ("TaskSpec::X { a: 1, b, ..d }", "TaskSpec.X{'a': 1, 'b': b, ...d}"),
        ('r#"a"b"#', "'a\"b'"),
        ('"a\\u{e9}\\n"', "'aé\\n'"),
        ("'c'", "'c'"),
        ("1_000u64", "1000"),
        ("0xff_u8", "255"),
        ("2.5f32", "2.5"),
        ("r#type", "type"),
        ("unsafe { f() }", "f()"),
        ("if a { b } else { c() }", "if<b, c()>"),
        ("match a { A => b, B => c() }", "match<b, c()>"),
    ],
)
def test_an_expression_is_lowered(source: str, expected: str) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('println!("{} {x:?} {{y}}", a.b())', "println!(text('{} ', x, ' {{y}}'), a.b())"),
        ('tracing::info!(user = %id, token = ?t.get(), n, "msg {name}")', "tracing.info!(user=id, token=t.get(), n, text('msg ', name))"),
        ("vec![a(), b]", "vec!(a(), b)"),
        ("vec![vec![a()]; n]", "vec!(vec!(a()), n)"),
        ('json!({"a": [1, {"b": x.y()}], "c": null})', "json!({'a': [1, {'b': x.y()}], 'c': null})"),
        ('assert!(a == b, "no {a}")', "assert!((== a, b), text('no ', a))"),
        ("m!()", "m!()"),
        ("matches!(x, Some(_))", "matches!(x, tokens<Some(tokens<>)>)"),
        ("m!(a => f(b))", "m!(tokens<a, f(b)>)"),
        ("m!(|x| x + 1, async move { run().await })", "m!(<closure>, <closure>)"),
    ],
)
def test_a_macro_is_a_call(source: str, expected: str) -> None:
    assert value(source).replace("Some(_)", "tokens<Some(tokens<>)>") == expected


def test_offsets_inside_macros_are_those_of_the_file() -> None:
    source = 'fn f() { /* é */ info!(a = %x, "m {name}", vec![outer(inner(1))]); }'
    found = function(outline(source), "f").steps[0].value
    assert found is not None
    texts = {said(one.func): source.encode()[one.start : one.end].decode() for one in walk(found) if isinstance(one, Call)}
    assert texts["outer"] == "outer(inner(1))"
    assert texts["inner"] == "inner(1)"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("use a::b::{c, d as e, self};", {"c": "a.b.c", "e": "a.b.d", "b": "a.b"}),
        ("use a::*;", {"": "a"}),
        ("use a::{b::{c, d}, e};", {"c": "a.b.c", "d": "a.b.d", "e": "a.e"}),
        ("pub use crate::queue::Queue;", {"Queue": "crate.queue.Queue"}),
        ("use super::x;", {"x": "super.x"}),
        ("mod jobs;", {"jobs": "self.jobs"}),
        ("extern crate foo as bar;", {"bar": "foo"}),
        ("mod tests { use super::*; use super::run; use super::super::x; use crate::y; }", {"x": "super.x", "y": "crate.y"}),
        ("mod a { mod b; use self::c::d; }", {"b": "self.a.b", "d": "self.a.c.d"}),
    ],
)
def test_an_import_binds_a_name(source: str, expected: dict[str, str]) -> None:
    assert imports(outline(source)) == expected


def test_an_inline_module_only_prefixes_qualified_names() -> None:
    found = function(outline("mod tests { #[test] fn t() { super::run(); } }"), "tests.t")
    assert (found.parent, steps(found), said(found.decorators[0])) == (0, ["expr run()"], "test")


def test_the_last_expression_of_a_function_is_returned() -> None:
    assert steps(f("let a = 1; a")) == ["assign a = 1", "return a"]
    assert steps(f("return a;")) == ["return a"]
    assert steps(f("run();")) == ["expr run()"]


def test_control_in_last_place_returns_from_each_arm() -> None:
    found = f("match q.push(x).await { Ok(id) => Json(id), Err(e) => { log(e); fail() } }")
    assert steps(found) == [
        "test await q.push(x)", "case: test id = Ok(id)", "case: return Json(id)",
        "case: test e = Err(e)", "case: expr log(e)", "case: return fail()",
    ]  # fmt: skip
    assert blocks(found) == [("case", "test", "return"), ("case", "test", "return")]


def test_control_in_last_place_of_a_unit_function_returns_nothing() -> None:
    found = function(outline("fn f() { if a { b() } else { c() } }"), "f")
    assert steps(found) == ["test a", "if: expr b()", "else: expr c()"]


def test_control_as_a_value_comes_before_the_step_that_uses_it() -> None:
    found = f("let x = match a { Some(v) if v > 1 => v, None => return d, _ => 0 };")
    assert steps(found) == [
        "test a", "case: test v = Some(v)", "case: test (> v, 1)", "case: test None", "case: return d", "case: test _",
        "assign x = match<v, 0>",
    ]  # fmt: skip


def test_if_let_and_while_let_bind_names_in_their_test() -> None:
    assert steps(f("if let Err(e) = push().await { log(e) }")) == ["test e = (let Err(e), await push())", "if: expr log(e)"]
    found = f("while let Some(job) = rx.recv().await { run(job).await; }")
    assert steps(found) == ["test job = (let Some(job), await rx.recv())", "loop: expr await run(job)"]
    assert steps(f("if let Some(a) = b && c {}"))[0] == "test a = (and (let Some(a), b), c)"


def test_let_else_is_an_assignment_with_a_test() -> None:
    found = f("let Some(x) = next() else { return; };")
    assert steps(found) == ["assign Some(x) = next()", "test (let Some(x))", "else: return -"]
    assert blocks(found) == [("else", "test", "return")]


def test_patterns_are_targets() -> None:
    assert steps(f("let (a, mut b): (u8, u8) = c; let Foo { x, y: z, .. } = d; let _ = e();")) == [
        "assign (a, b) = c: (u8, u8)", "assign Foo{'x': x, 'y': z} = d", "assign _ = e()",
    ]  # fmt: skip


def test_loops_are_opened_by_what_drives_them() -> None:
    found = f("loop { a(); } while b { } for (i, x) in xs.iter() { } 'l: loop { break 'l 5 }")
    assert blocks(found) == [("loop", "", ""), ("loop", "test", ""), ("loop", "iterate", ""), ("loop", "", "break")]
    assert steps(found) == ["loop: expr a()", "test b", "iterate (i, x) = xs.iter()", "loop: break l 5"]


def test_blocks_are_read_in_place() -> None:
    found = f("unsafe { a(); } { return b; }")
    assert steps(found) == ["body: expr a()", "body: return b"]
    assert found.blocks[0].ends == "return"


def test_assignments_are_steps() -> None:
    assert steps(f("x = y; self.n += 1; _ = tokio::spawn(g());")) == ["assign x = y", "augment self.n += 1", "assign _ = tokio.spawn(g())"]


def test_else_if_is_an_if_in_the_else() -> None:
    found = f("if a { return 1; } else if b { return 2; } else { return 3; }")
    assert blocks(found) == [("if", "test", "return"), ("else", "test", "return"), ("if", "test", "return"), ("else", "test", "return")]
    assert found.blocks[0].ends == "return"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tokio::spawn(run());", ("tokio.spawn(run())", "dropped", "")),
        ("let _ = tokio::spawn(run());", ("tokio.spawn(run())", "assigned", "_")),
        ("let h = tokio::spawn(run());", ("tokio.spawn(run())", "assigned", "h")),
        ("spawn_blocking(|| 1).await;", ("spawn_blocking(<closure>)", "awaited", "")),
        ("let r = send(x).await?;", ("send(x)", "awaited", "r")),
        ("set.push(send(x));", ("send(x)", "passed", "set.push")),
        ("if let Ok(x) = send(y) {}", ("send(y)", "tested", "")),
        ("tokio::spawn(run())", ("tokio.spawn(run())", "returned", "")),
    ],
)
def test_the_use_of_a_task_is_told(source: str, expected: tuple[str, str, str]) -> None:
    found = [(call, use, holder if use != "tested" else "") for call, use, holder in sites(f(source))]
    assert expected in found


def test_closures_and_async_blocks_are_functions() -> None:
    found = outline("fn f() { let cb = move |x: u8, (a, b)| x; tokio::spawn(async move { run().await }); g(|| 1); S { h: |y| y }; }")
    assert [(one.kind, one.qualname, one.is_async, steps(one)) for one in found.functions[2:]] == [
        ("closure", "f.cb", False, ["return x"]),
        ("block", "f.<block>", True, ["return await run()"]),
        ("closure", "f.<lambda>", False, ["return 1"]),
        ("closure", "f.h", False, ["return y"]),
    ]
    assert [(one.kind, one.name) for one in function(found, "f.cb").params] == [("", "x"), ("pattern", "a,b")]


def test_an_axum_router_and_its_handlers_are_found() -> None:
    found = outline(
        """
        pub fn router() -> Router { Router::new().route("/x", post(create)).with_state(s) }
        #[tracing::instrument(skip(s))]
        pub async fn create(State(s): State<AppState>, Json(body): Json<Foo>) -> Result<Json<Bar>, Error> {
            transport.enqueue(TaskSpec::X { id: body.id }).await?;
            Ok(Json(bar))
        }
        """
    )
    assert steps(function(found, "router")) == ["return Router.new().route('/x', post(create)).with_state(s)"]
    create = function(found, "create")
    assert [(one.kind, one.name, said(one.annotation)) for one in create.params] == [
        ("pattern", "s", "State[AppState]"), ("pattern", "body", "Json[Foo]"),
    ]  # fmt: skip
    assert (said(create.returns), create.is_async, create.exported) == ("Result[(Json[Bar], Error)]", True, True)
    assert [said(one) for one in create.decorators] == ["tracing.instrument(skip(s))"]
    assert steps(create) == ["expr (? await transport.enqueue(TaskSpec.X{'id': body.id}))", "return Ok(Json(bar))"]


def test_select_is_a_match_on_its_futures() -> None:
    found = f(
        """loop { tokio::select! {
            biased;
            _ = shutdown.recv() => break,
            Some(job) = queue.pop(), if ready => { run(job).await; }
            else => {}
        } }"""
    )
    assert steps(found) == [
        "loop: test tokio.select!(shutdown.recv(), queue.pop())", "case: test _", "case: break -",
        "case: test job = Some(job)", "case: test ready", "body: expr await run(job)",
    ]  # fmt: skip
    assert [kind for kind, _, _ in blocks(found)] == ["loop", "case", "case", "body", "case", "body"]


def test_statements_in_a_macro_are_a_block() -> None:
    found = outline("fn f() -> S { stream! { let x = next().await; yield x; } }")
    assert steps(function(found, "f.<block>")) == ["assign x = await next()", "expr (yield x)"]


def test_a_worker_loop_is_read() -> None:
    found = outline(
        """
        impl Worker {
            pub async fn run(&self) {
                loop {
                    let Some(job) = self.queue.pop().await else { sleep(D).await; continue };
                    if let Err(e) = self.handle(job).await { error!(error = %e, "failed"); }
                }
            }
        }
        """
    )
    run = function(found, "Worker.run")
    assert [one.name for one in run.params] == ["self"]
    assert steps(run) == [
        "loop: assign Some(job) = await self.queue.pop()", "loop: test (let Some(job))", "else: expr await sleep(D)", "else: continue -",
        "loop: test e = (let Err(e), await self.handle(job))", "if: expr error!(error=e, 'failed')",
    ]  # fmt: skip


def test_types_are_classes() -> None:
    found = outline(
        "#[derive(Debug, Clone)] pub struct S { #[serde(default)] pub a: Option<u8> } struct T(u8, String);"
        "enum E { A, B(u8), C { x: u8 } }"
        "trait Q: Send { fn g(&self) -> u8; } impl<T> Q for m::S<T> { const N: u8 = 1; pub fn g(&self) {} }"
    )
    classes = [one for one in found.functions if one.kind == "class"]
    assert [(one.name, one.exported, [said(base.value) for base in one.bases]) for one in classes] == [
        ("S", True, []), ("T", False, []), ("E", False, []), ("Q", False, ["Send"]), ("S", False, ["Q"]),
    ]  # fmt: skip
    assert [said(one) for one in classes[0].decorators] == ["derive(Debug, Clone)"]
    assert [steps(one) for one in classes] == [
        ["assign a = -: Option[u8]"], ["assign 0 = -: u8", "assign 1 = -: String"],
        ["assign A = -", "assign B = -: (u8)", "assign C = -: {'x': u8}"], ["def -"], ["assign N = 1: u8", "def -"],
    ]  # fmt: skip


def test_constants_are_assigned() -> None:
    source = "const A: u8 = 1; static B: OnceCell<X> = OnceCell::new(); type C = D<E>;"
    assert steps(outline(source).functions[0]) == ["assign A = 1: u8", "assign B = OnceCell.new(): OnceCell[X]", "assign C = D[E]"]


def test_attributes_belong_to_the_next_item_alone() -> None:
    found = outline('#[post("/x")] /* c */ #[cached] async fn a() {} fn b() { #[allow(x)] let y = 1; fn c() {} }')
    assert [[said(one) for one in function(found, name).decorators] for name in ("a", "b", "b.c")] == [["post('/x')", "cached"], [], []]


def test_every_comment_is_told() -> None:
    source = "//! a\n/// b\nfn f() { // c\n  g!(x, /* d */ y);\n}"
    assert [(one.text, one.own_line) for one in outline(source).comments] == [
        ("//! a", True), ("/// b", True), ("// c", False), ("/* d */", False),
    ]  # fmt: skip


def test_what_stands_around_and_inside_an_error_is_read() -> None:
    found = read("a.rs", b"fn a() { before(); let x = = 2; after() } fn b( { } fn c() { last(); }")
    called = {said(site.call) for one in found.functions for site in one.sites}
    assert {"before()", "after()", "last()"} <= called
    assert found.broken


@pytest.mark.parametrize(
    "body",
    [
        "[" * 10_000 + "]" * 10_000,
        "(" * 10_000,
        "if a {}" + " else if b { c(); }" * 5_000,
        "a" + ".b()" * 3_000,
        "a + b - " * 5_000 + "c",
        "vec![" * 3_000 + "]" * 3_000,
        "m!(1 + " * 2_000 + "1" + ")" * 2_000,
        "json!(" + '{"a": [' * 2_000 + "]}" * 2_000 + ")",
        "if a { " * 5_000 + "}" * 5_000,
        "a(|x| { match x { y => b(async { " * 300 + "}), } });" * 300,
        "select! { x = f() => { " * 300 + "} }" * 300,
    ],
    ids=["brackets", "open", "else ifs", "a method chain", "operators", "vec", "macros", "json", "ifs", "closures", "select"],
)
def test_deep_nesting_neither_fails_nor_hangs(body: str) -> None:
    started = time.process_time()
    found = read("a.rs", f"fn f() {{ {body} }}".encode())
    assert msgspec.json.decode(msgspec.json.encode(found), type=Outline) == found
    assert time.process_time() - started < 10


_WORDS = """async fn f => impl A for let if else match loop while in .await :: || m! select! json! vec! use a mod struct enum trait /* */ //
.. \\u{110000} return break unsafe move r#" """
_PIECES = st.sampled_from([*"(){}[],;=.:<>#!'\"\n\x00éx1?|&*%", *_WORDS.split()])


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECES, max_size=60).map(" ".join))
def test_no_mixture_of_tokens_makes_it_fail(source: str) -> None:
    found = read("a.rs", f"fn g() {{ {source} }}".encode())
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Outline) == found
    size = len(source.encode()) + 20
    assert all(0 <= step.start <= step.end <= size for one in found.functions for step in one.steps)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(source: bytes) -> None:
    found = read("a.rs", source)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Outline) == found
