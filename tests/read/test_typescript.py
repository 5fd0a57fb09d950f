"""The TypeScript reader: what workers, producers and handlers say ends up in the outline, and no bytes make it fail."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from said import blocks, function, imports, said, sites, steps

from guardrails.outline import Function, Literal_, Outline
from guardrails.read.typescript import read


def outline(source: str, path: str = "a.ts") -> Outline:
    found = read(path, source.encode())
    assert found.broken == ()
    return found


def module(source: str, path: str = "a.ts") -> Function:
    return outline(source, path).functions[0]


def value(source: str, path: str = "a.ts") -> str:
    return said(module(source, path).steps[-1].value)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a.b.c", "a.b.c"),
        ("this.queue.add", "this.queue.add"),
        ("a?.b?.c", "a.b.c"),
        ("a!.b", "a.b"),
        ("(a as Foo).b", "a.b"),
        ("make().run", "make().run"),
        ("rows[0].id", "rows[0].id"),
        ("f?.(x)", "f(x)"),
        ("f(...xs, 1)", "f(*xs, 1)"),
        ("new Worker('q', run)", "Worker('q', run)"),
        ("new Worker", "Worker()"),
        ("new a.Worker<T>(1)", "a.Worker(1)"),
        ("sql`select ${id}`", "sql(text('select ', id))"),
        ("db.$queryRaw<Row>`select ${id}`", "db.$queryRaw(text('select ', id))"),
        ("`plain\\n`", "'plain\\n'"),
        ("'\\u{1F600}\\x41'", "'\U0001f600A'"),
        ("10n", "10"),
        ("1_000.5", "1000.5"),
        ("0xff", "255"),
        ("/a+/g", "'a+'"),
        ("[a, , ...b]", "[a, ...b]"),
        ("x = { a, 'b-c': 1, [k]: 2, ...rest }", "{'a': a, 'b-c': 1, k: 2, ...rest}"),
        ("a && b && c || d", "(or (and a, b, c), d)"),
        ("a === b", "(== a, b)"),
        ("!a", "(not a)"),
        ("a ?? uuid()", "(?? a, uuid())"),
        ("typeof a", "(typeof a)"),
        ("a ? b : c", "a ? b : c"),
        ("x satisfies T", "x"),
        ("<T>x", "x"),
        ("undefined", "None"),
        ("import('m')", "import('m')"),
        ("import.meta.url", "import.meta.url"),
    ],
)
def test_an_expression_is_lowered(source: str, expected: str) -> None:
    assert value(source) == expected


def test_jsx_keeps_attributes_and_embedded_expressions() -> None:
    source = "x = <form onSubmit={async () => { await send() }} {...rest}>{a()}<B disabled>text</B></form>"
    found = outline(source, "a.tsx")
    assert said(found.functions[0].steps[-1].value) == "jsx<'onSubmit': <closure>, ...rest, a(), jsx<'disabled': True>>"
    assert steps(function(found, "onSubmit")) == ["expr await send()"]


def test_an_assignment_inside_an_expression_is_a_step_of_its_own() -> None:
    found = module("if ((m = next()) > 1) { use(m) }")
    assert steps(found) == ["assign m = next()", "test (> (walrus m, next()), 1)", "if: expr use(m)"]
    assert sites(found) == [("next()", "assigned", "m"), ("use(m)", "dropped", "")]


def test_assignments_have_all_their_targets() -> None:
    assert steps(module("a = b = c()")) == ["assign a, b = c()"]
    assert steps(module("i++; n -= 2")) == ["augment i += 1", "augment n -= 2"]


def test_destructuring_has_patterns_for_targets() -> None:
    source = "const { a, b: c = 1, ...d } = x, [e, f = 2] = y"
    assert steps(module(source)) == ["assign {a, 'b': (= c, 1), ...d} = x", "assign [e, (= f, 2)] = y"]


def test_annotations_are_expressions() -> None:
    source = "let a: Promise<Foo>; let b: Map<string, x.Bar>; let c: string | null"
    assert steps(module(source)) == [
        "assign a = -: Promise[Foo]", "assign b = -: Map[(string, x.Bar)]", "assign c = -: union_type<string, None>",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import X from 'm'", {"X": "m.default"}),
        ("import { a as b, c } from 'bullmq'", {"b": "bullmq.a", "c": "bullmq.c"}),
        ("import * as ns from '@nestjs/bull'", {"ns": "@nestjs/bull"}),
        ("import type { T } from 'm'", {"T": "m.T"}),
        ("import X, { a } from './queue.js'", {"X": "./queue.default", "a": "./queue.a"}),
        ("import { a } from '../mail.service'", {"a": "../mail.service.a"}),
        ("import e = require('m')", {"e": "m"}),
        ("const x = require('m')", {"x": "m"}),
        ("const { a, b: c } = require('./m.ts')", {"a": "./m.a", "c": "./m.b"}),
        ("const Queue = require('bull').Queue", {"Queue": "bull.Queue"}),
        ("export { a as b } from './m'", {"b": "./m.a"}),
        ("export * from './m'", {"": "./m"}),
        ("export * as ns from './m'", {"ns": "./m"}),
        ("import 'side-effect'", {}),
    ],
)
def test_an_import_binds_a_name(source: str, expected: dict[str, str]) -> None:
    assert imports(outline(source)) == expected


def test_what_a_file_exports_is_marked() -> None:
    found = outline(
        "export function a() {} function b() {} function c() {} export { b }; export const d = async () => {};"
        "export const e = wrap(() => 1); exports.f = () => 1; export default function g() {}"
    )
    assert {one.name for one in found.functions if one.exported} == {"a", "b", "d", "f", "g"}
    assert steps(found.functions[0])[-1] == "assign default = g"


def test_a_default_export_is_a_function_named_default() -> None:
    found = function(outline("export default async (req) => run(req)"), "default")
    assert (found.exported, found.is_async, steps(found)) == (True, True, ["return run(req)"])


def test_a_closure_bears_the_name_of_what_it_is_assigned_to() -> None:
    found = outline("const a = async (req) => {}; o.b = function () {}; x = { c: () => 1, d() {} }; f(() => 2); class K { e = () => 3 }")
    assert [(one.kind, one.qualname) for one in found.functions[1:]] == [
        ("closure", "a"), ("closure", "b"), ("closure", "c"), ("closure", "d"), ("closure", "<lambda>"), ("class", "K"), ("closure", "K.e"),
    ]  # fmt: skip
    assert said(found.functions[0].steps[0].value) == "<closure>"


def test_a_name_stands_where_it_is_written() -> None:
    source = "const handler = async () => {}"
    found = function(outline(source), "handler")
    assert source[found.name_start : found.name_end] == "handler"


def test_control_opens_blocks() -> None:
    source = """
    function f() {
      if (a) { return 1 } else if (b) { throw new E() } else { return 2 }
    }
    """
    found = function(outline(source), "f")
    assert blocks(found) == [("if", "test", "return"), ("else", "test", "return"), ("if", "test", "raise"), ("else", "test", "return")]
    assert found.blocks[0].ends == "return"


def test_loops_are_opened_by_what_drives_them() -> None:
    found = module("while (true) { a() } for (const x of xs) { b() } for await (const y of ys) {} for (k in o) {} for (;;) {}")
    assert blocks(found) == [("loop", opener, "") for opener in ("test", "iterate", "iterate", "iterate", "")]
    assert [step for step in steps(found) if step.startswith("iterate")] == ["iterate x = xs", "iterate y await ys", "iterate k in o"]


def test_a_counting_loop_is_a_while() -> None:
    assert steps(module("for (let i = 0; i < 3; i++) { f(i) }")) == [
        "assign i = 0", "test (< i, 3)", "loop: expr f(i)", "loop: augment i += 1",
    ]  # fmt: skip


def test_a_do_loop_tests_at_its_end() -> None:
    assert steps(module("do { a() } while (b)")) == ["loop: expr a()", "loop: test b"]


def test_labels_are_kept_with_the_jump() -> None:
    assert steps(module("outer: for (const a of b) { continue outer }"))[-1] == "loop: continue outer -"


def test_switch_has_a_case_for_each_arm() -> None:
    found = module("switch (s) { case 'a': go(); break; default: stop() }")
    assert blocks(found) == [("case", "test", "break"), ("case", "test", "")]
    assert steps(found) == ["test s", "case: test 'a'", "case: expr go()", "case: break -", "case: expr stop()"]


def test_a_handler_is_opened_by_its_catch() -> None:
    found = module("try { a() } catch (e) { b(e) } finally { c() }")
    assert blocks(found) == [("try", "", ""), ("except", "catch", ""), ("finally", "", "")]
    assert steps(found) == ["try: expr a()", "catch e = -", "except: expr b(e)", "finally: expr c()"]
    assert blocks(module("try {} catch { }")) == [("try", "", ""), ("except", "catch", "")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("send(x)", ("send(x)", "dropped", "")),
        ("void send(x)", ("send(x)", "void", "")),
        ("x = async () => { await send(x) }", ("send(x)", "awaited", "")),
        ("const p = send(x)", ("send(x)", "assigned", "p")),
        ("keep(send(x))", ("send(x)", "passed", "keep")),
        ("send(x).catch(log)", ("send(x)", "chained", "catch")),
        ("function f() { return send(x) }", ("send(x)", "returned", "")),
        ("all = [send(x)]", ("send(x)", "kept", "all")),
        ("const p = key ?? send(x)", ("send(x)", "assigned", "p")),
    ],
)
def test_the_use_of_a_promise_is_told(source: str, expected: tuple[str, str, str]) -> None:
    assert expected in [site for one in outline(source).functions for site in sites(one)]


def test_a_nest_processor_keeps_its_decorators_and_injected_queue() -> None:
    found = outline(
        """
        @Processor('mail')
        export class Mail extends WorkerHost<Data> implements OnInit {
          @Inject() private readonly log: Logger;
          static retries = 3;
          constructor(@InjectQueue('mail') private readonly queue: Queue, opt?: number, ...rest: string[]) { super(); }
          @Process({ concurrency: 2 })
          async handle(job: Job<Data>): Promise<void> { await this.queue.add('x', job.data) }
        }
        """
    )
    mail = function(found, "Mail")
    assert ([said(one) for one in mail.decorators], [said(one.value) for one in mail.bases]) == (
        ["Processor('mail')"], ["WorkerHost[Data]", "OnInit"],
    )  # fmt: skip
    assert steps(mail)[:2] == ["assign log = Inject(): Logger", "assign retries = 3"]
    made = function(found, "Mail.constructor")
    assert [(one.kind, one.name, said(one.annotation), said(one.default)) for one in made.params] == [
        ("", "queue", "Queue", "InjectQueue('mail')"), ("", "opt", "number", "-"), ("*", "rest", "array_type<string>", "-"),
    ]  # fmt: skip
    assert steps(made)[0] == "assign this.queue = queue: Queue"
    handle = function(found, "Mail.handle")
    assert (said(handle.decorators[0]), said(handle.returns), handle.is_async) == ("Process({'concurrency': 2})", "Promise[void]", True)
    assert sites(handle) == [("this.queue.add('x', job.data)", "awaited", "")]
    assert ("Process({'concurrency': 2})", "other", "") in sites(mail)


def test_a_bullmq_producer_and_worker_are_found() -> None:
    found = outline(
        """
        import { Queue, Worker } from 'bullmq';
        const queue = new Queue('mail', { connection });
        export const send = async (id: string) => queue.add('send', { id }, { jobId: `mail-${id}`, attempts: 3 });
        export const worker = new Worker('mail', async (job) => { await deliver(job.data.id) }, { concurrency: 5 });
        worker.on('failed', (job, err) => log(err));
        """
    )
    assert sites(found.functions[0])[0] == ("Queue('mail', {'connection': connection})", "assigned", "queue")
    assert steps(function(found, "send")) == ["return queue.add('send', {'id': id}, {'jobId': text('mail-', id), 'attempts': 3})"]
    unnamed = [steps(one) for one in found.functions if one.qualname == "<lambda>"]
    assert unnamed == [["expr await deliver(job.data.id)"], ["return log(err)"]]


def test_handlers_of_express_fastify_and_next_are_found() -> None:
    found = outline(
        """
        app.post('/x', authenticate, async (req, res) => { res.json(await run(req.body)) });
        export default async function routes(fastify: FastifyInstance) {
          fastify.post<{ Body: Foo }>('/y', { schema }, async ({ body }, reply) => reply.send(body));
        }
        export async function POST(request: NextRequest) { return NextResponse.json({ ok: true }) }
        """
    )
    assert steps(found.functions[0])[0] == "expr app.post('/x', authenticate, <closure>)"
    assert steps(function(found, "routes")) == ["expr fastify.post('/y', {'schema': schema}, <closure>)"]
    (handler,) = [one for one in found.functions if one.qualname == "routes.<lambda>"]
    assert [(one.kind, one.name) for one in handler.params] == [("pattern", "body"), ("", "reply")]
    post = function(found, "POST")
    assert (post.exported, post.is_async, steps(post)) == (True, True, ["return NextResponse.json({'ok': True})"])


def test_types_with_fields_are_classes() -> None:
    found = outline("interface Job extends Base { id: string; run(x: number): void } type Data = { to?: string }; type Id = string")
    assert steps(function(found, "Job")) == ["assign id = -: string", "def -"]
    assert steps(function(found, "Data")) == ["assign to = -: string"]
    assert steps(found.functions[0])[-1] == "assign Id = string"
    assert steps(function(outline("enum Status { Failed = 'failed', Done }"), "Status")) == ["assign Failed = 'failed'", "assign Done = -"]


def test_a_namespace_only_prefixes_qualified_names() -> None:
    found = function(outline("namespace jobs { export function run() {} }"), "jobs.run")
    assert (found.parent, found.exported) == (0, True)


def test_generators_yield() -> None:
    found = function(outline("function* f() { yield g(); yield* h() }"), "f")
    assert sites(found) == [("g()", "yielded", ""), ("h()", "yielded", "")]


def test_javascript_and_its_jsx_are_read() -> None:
    assert value("module.exports = x", "a.cjs") == "x"
    assert value("a = <B c={d} />", "a.jsx") == "jsx<'c': d>"


def test_every_comment_is_told() -> None:
    source = "// a\nf(/* b */ 1) // c\nswitch (x) { // d\n  /* e */ case 1: }\nconst é = 1 // ü"
    assert [(one.text, one.own_line) for one in outline(source).comments] == [
        ("// a", True), ("/* b */", False), ("// c", False), ("// d", False), ("/* e */", True), ("// ü", False),
    ]  # fmt: skip


def test_offsets_are_bytes() -> None:
    source = "const é = 'ü'; send(é)"
    (site,) = module(source).sites
    assert source.encode()[site.call.start : site.call.end].decode() == "send(é)"


def test_what_stands_around_and_inside_an_error_is_read() -> None:
    found = read("a.ts", b"before(); const = ; function f() { inside(); let x = = 2; after() }\nlast()")
    called = {said(site.call) for one in found.functions for site in one.sites}
    assert {"before()", "inside()", "after()", "last()"} <= called
    assert found.broken
    assert sum(one.end - one.start for one in found.broken) < 20


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "[" * 10_000 + "]" * 10_000,
        "(" * 10_000,
        "if (a) {}" + " else if (b) { c() }" * 5_000,
        "a" + ".b()" * 3_000,
        "x = " + "a + b - " * 5_000 + "c",
        "f(() => {" * 2_000,
        "class A { m() {" * 1_000 + "}}" * 1_000,
        "x = " + "<a>" * 2_000 + "</a>" * 2_000,
    ],
    ids=["brackets", "open parentheses", "else ifs", "a method chain", "operators", "closures", "classes", "jsx"],
)
def test_deep_nesting_neither_fails_nor_hangs(source: str) -> None:
    started = time.process_time()
    found = read("a.tsx", source.encode())
    assert msgspec.json.decode(msgspec.json.encode(found), type=Outline) == found
    assert time.process_time() - started < 10


def test_long_rows_of_one_kind_are_no_deep_nesting() -> None:
    assert len(module("if (a) {}" + " else if (b) { c() }" * 2_000).sites) == 2_000
    assert value("x = " + "+".join(["a"] * 3_000)).count("a") == 3_000
    assert module("a" + ".b()" * 140).sites[0].call.end == 1 + 4 * 140


def test_what_is_nested_too_deeply_is_told_once() -> None:
    (broken,) = read("a.ts", b"x = " + b"[" * 1_000 + b"]" * 1_000).broken
    assert broken.why == "nested too deeply"


def test_a_number_that_nothing_can_hold_is_unknown() -> None:
    found = module("x = [1e999, 99999999999999999999]").steps[0].value
    assert found is not None
    assert said(found) == "[None, 1e+20]"


_WORDS = """async function f => class A extends @dec const let ${ if else for of await switch case try catch new ?. export default import
from /* */ // ... \\u{110000} \\ud800 A<B> enum interface type yield void"""
_PIECES = st.sampled_from([*"(){}[],;=.:<>#!`'\"\n\x00éx1", *_WORDS.split()])


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECES, max_size=60).map(" ".join), st.sampled_from(["a.ts", "a.tsx", "a.js"]))
def test_no_mixture_of_tokens_makes_it_fail(source: str, path: str) -> None:
    found = read(path, source.encode("utf-8", "surrogatepass"))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Outline) == found
    assert all(0 <= step.start <= step.end <= len(source.encode()) for one in found.functions for step in one.steps)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(source: bytes) -> None:
    found = read("a.tsx", source)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Outline) == found


def test_a_lone_surrogate_can_be_stored() -> None:
    found = module("x = '\\ud83d'").steps[0].value
    assert isinstance(found, Literal_)
    assert found.value == "\ufffd"
