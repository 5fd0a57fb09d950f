"""Values that a log line names because they were refused: a token that could not be verified, a text that could not be decrypted."""

from __future__ import annotations

from guardrails.facts import Logged
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Function, Op, Site, dotted, is_within, openers, receiver
from guardrails.project.clauses import Caught, Clause, clauses, sites_in
from guardrails.project.secrets import words_of

_READS = frozenset("verify validate check decode parse unsign load loads introspect unpack authenticate".split())
_OPENS = frozenset("decrypt unseal unwrap".split())
# Worthless once they are refused; a password that was typed wrongly is nearly the right one.
_REFUSED = frozenset(("token", "tokens", "jwt"))
_STATUSES = frozenset("status status_code ok is_success".split())


class Refusals:
    """Looks at the except clause and at the tests around a log call."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver, self._caught = resolver, Caught(resolver)

    def is_sealed(self, home: Home, site: Site, one: Logged) -> bool:
        """It is the text that the call whose failure is told could not decrypt."""
        return not one.whole and self._is_taken(home, site, one.text, _OPENS)

    def is_refused(self, home: Home, site: Site, one: Logged) -> bool:
        """It is a token that the call whose failure is told did not take."""
        return bool(_REFUSED.intersection(one.secret.split()[-1:])) and self._is_taken(home, site, one.text, _READS)

    def is_failed(self, home: Home, site: Site) -> bool:
        """It stands where the status of an answer was just found to be bad: what is answered then says why, and holds no token."""
        function = self._resolver.definition(home)
        tests = (step.value for step in openers(function, function.steps[site.step].block, "if"))
        return any(
            isinstance(test, Op) and test.op in ("!=", ">=", ">", "not") and dotted(test.parts[0]).rpartition(".")[2] in _STATUSES
            for test in tests
        )

    def _is_taken(self, home: Home, site: Site, text: str, verbs: frozenset[str]) -> bool:
        function = self._resolver.definition(home)
        block = function.steps[site.step].block
        around = (clause for clause in clauses(home, function) if is_within(function, block, clause.block))
        return any(self._blames(function, clause, text, verbs) for clause in around)

    def _blames(self, function: Function, clause: Clause, text: str, verbs: frozenset[str]) -> bool:
        """The clause's try reads the value, and the clause takes only what that may raise."""
        tried = sites_in(function, clause.tries)
        takes = any(
            verbs.intersection(words_of(dotted(one.call.func).rpartition(".")[2]))
            and any(dotted(part) == text for part in (*(arg.value for arg in one.call.args), receiver(one.call)) if part is not None)
            for one in tried
        )
        return takes and (len(tried) == 1 or self._caught.breadth(clause) == "narrow")
