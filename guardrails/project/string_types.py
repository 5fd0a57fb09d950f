"""Whether the sides of a comparison are texts or bytes, and whether one may be nothing: how they can be compared in constant time."""

from __future__ import annotations

from typing import Literal

from guardrails.finding import Repair
from guardrails.frameworks.forms.trust import Trust
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Await, Call, Expr, Function, Index, Literal_, Op, Param, Ref, Text, dotted
from guardrails.place import Place
from guardrails.project.repairs import can_be_repaired

Kind = Literal["text", "bytes", ""]
_TEXTS = frozenset("str hexdigest decode hex lower upper strip format join removeprefix removesuffix replace".split())
_BYTES = frozenset("bytes digest encode b64encode b64decode urlsafe_b64encode urlsafe_b64decode hexlify unhexlify fromhex".split())
_ATTRIBUTES = frozenset(("headers", "cookies", "META", "environ"))  # mappings of texts
_GETTERS = frozenset(("get", "getenv", "pop"))
_DEEPEST = 4


class StringTypes:
    """Reads what names, calls and annotations say of an expression's type."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def repair(self, home: Home, function: Function, op: Op, trust: Trust) -> Repair | None:
        """The comparison to use instead, where both sides are known to be texts or bytes: else it may be given nothing, and raise."""
        if not trust.needs or not can_be_repaired(home.file):
            return None
        kinds = [self._kind(home, function, part, 0) for part in op.parts]
        if not all(kinds) or len(set(kinds)) > 1 or any(self._is_unset(part) for part in op.parts):
            return None
        sides = ["maybe" if self._may_be_none(home, function, part, 0) else "" for part in op.parts]
        call = trust.compares.rpartition(".")[2]
        values = {"call": f"$.{call}", "kind": kinds[0], "left": sides[0], "right": sides[1]}
        return Repair("compared", Place(home.file, op.start, op.end), values, True, trust.needs)

    @staticmethod
    def _is_unset(expr: Expr) -> bool:
        """A setting that need not be there: an empty one in its place would let everybody in who sends nothing."""
        owner, _, last = dotted(expr.func).rpartition(".") if isinstance(expr, Call) else ("", "", "")
        return last in _GETTERS and owner.rpartition(".")[2] in ("os", "environ", "settings", "config")

    def _kind(self, home: Home, function: Function, expr: Expr, depth: int) -> Kind:
        match expr:
            case Await():
                return self._kind(home, function, expr.value, depth)
            case Text():
                return "text"
            case Literal_(kind="string"):
                return "text"
            case Literal_(kind="bytes"):
                return "bytes"
            case Op(op="+" | "or" | "%"):
                return next((found for part in expr.parts if (found := self._kind(home, function, part, depth + 1))), "")
            case Call():
                return self._of_call(home, function, expr, depth)
            case Index():
                return "text" if dotted(expr.base).rpartition(".")[2] in _ATTRIBUTES else ""
            case Ref() if "." not in expr.name and depth < _DEEPEST:
                return self._of_name(home, function, expr, depth)
            case _:
                return ""

    def _of_call(self, home: Home, function: Function, call: Call, depth: int) -> Kind:
        owner, _, last = dotted(call.func).rpartition(".")
        if last in _TEXTS:
            return "text"
        if last in _BYTES:
            return "bytes"
        if last in _GETTERS and owner.rpartition(".")[2] in (*_ATTRIBUTES, "os"):
            return "text"
        value = self._resolver.resolve(home.file, home.function, call.func) if depth < _DEEPEST else None
        inner = value.home if value is not None else None
        if inner is None or self._resolver.definition(inner).kind != "function":
            return ""
        returns = self._resolver.definition(inner).returns
        return _annotated(returns) if returns is not None else ""

    def _of_name(self, home: Home, function: Function, ref: Ref, depth: int) -> Kind:
        param = _param(function, ref)
        if param is not None:
            return _annotated(param.annotation)
        value = self._assigned(home, ref)
        return self._kind(home, function, value, depth + 1) if value is not None else ""

    def _assigned(self, home: Home, ref: Ref) -> Expr | None:
        """What a local name was last set to before it is used."""
        steps = [step for step in self._resolver.part(home).stores(home.function).get(ref.name, ()) if step.start < ref.start]
        return steps[-1].value if steps else None

    def _may_be_none(self, home: Home, function: Function, expr: Expr, depth: int) -> bool:
        """A look-up without a default, or an argument that need not be given."""
        match expr:
            case Call():
                last = dotted(expr.func).rpartition(".")[2]
                return last in _GETTERS and len(expr.args) < 2
            case Ref() if "." not in expr.name and depth < _DEEPEST:
                param = _param(function, expr)
                if param is not None:
                    return isinstance(param.default, Literal_) and param.default.value is None
                value = self._assigned(home, expr)
                return value is not None and not self._is_unset(value) and self._may_be_none(home, function, value, depth + 1)
            case _:
                return False


def _param(function: Function, ref: Ref) -> Param | None:
    return next((param for param in function.params if param.name == ref.name and not param.kind), None)


def _annotated(annotation: Expr | None) -> Kind:
    """The type that an annotation names: `str`, `str | None`, `Optional[bytes]`."""
    names = {one.rpartition(".")[2] for one in _names(annotation)} if annotation is not None else set()
    return "text" if "str" in names else "bytes" if "bytes" in names else ""


def _names(expr: Expr) -> list[str]:
    if isinstance(expr, Ref):
        return [expr.name]
    if isinstance(expr, Op):
        return [name for part in expr.parts for name in _names(part)]
    return _names(expr.key) if isinstance(expr, Index) and dotted(expr.base).rpartition(".")[2] == "Optional" else []
