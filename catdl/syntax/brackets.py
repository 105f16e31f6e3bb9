"""Which bracket closes which.

Takes tokens; guarantees for every bracket its partner or a diagnostic, and finds the declarations that start in the
midst of open brackets: a declaration's word at the start of a line, followed by a name, always starts one, for no
expression has two names side by side. So one forgotten bracket spoils one declaration and no more.
"""

from __future__ import annotations

from bisect import bisect_left

from catdl.diagnostics.base import Diagnostic
from catdl.source import Span
from catdl.syntax.lexer import BRACKETS, IN_PLACE, Tokens, kinds_of

DEPTH_LIMIT = 100
"""How deep brackets may nest."""

OPENERS = {closer: opener for opener, closer in BRACKETS.items()}
MORPHISM_WORDS = kinds_of("MORPHISM HOM ALGEBRA COALGEBRA EXTERN NATIVE CORE")
LEADING = kinds_of("EXTERN NATIVE CORE")
NAMELIKE = (IN_PLACE - {"AS"}) | {"NAME"}
STARTED = NAMELIKE | {"TIED", "FRESH"}
"""What may follow a word that starts a statement."""
STATEMENTS = kinds_of("PARAM BOX EMIT STATE")

_HEADS = MORPHISM_WORDS | kinds_of("DIM KIND OBJECT FUNCTOR GROUP MONOID LAW OVERLOAD LEARNER FROM")
_SIGNS = {"RPAR": ")", "RSQB": "]", "RBRACE": "}"}


class Brackets:
    """The brackets of a text.

    `partners` maps the index of each bracket to that of its partner, `boundaries` are the tokens that start a
    declaration whatever is open, `damage` the offsets of brackets already reported, `refused` those that nest too deep.
    """

    def __init__(self, tokens: Tokens, found: list[Diagnostic]) -> None:
        self.partners: dict[int, int] = {}
        self.boundaries: set[int] = set()
        self.damage: list[int] = []
        self.refused: list[int] = []
        self._tokens = tokens
        self._found = found
        self._open: list[int] = []
        self._counts = dict.fromkeys(BRACKETS, 0)
        self._match()

    def _match(self) -> None:
        kinds, breaks = self._tokens.kinds, self._tokens.breaks
        for index in self._tokens.noted:
            kind = kinds[index]
            if kind in BRACKETS:
                self._open.append(index)
                self._counts[kind] += 1
                if len(self._open) == DEPTH_LIMIT + 1:
                    self._refuse(index)
            elif kind in OPENERS:
                self._close(index, OPENERS[kind])
            elif kind in IN_PLACE and index in breaks and index + 1 < len(kinds) and index + 1 not in breaks:
                self._line_start(index, kind, kinds[index + 1])
        self._leave(len(kinds))

    def _line_start(self, index: int, kind: str, following: str) -> None:
        if kind in _HEADS and following in (MORPHISM_WORDS if kind in LEADING else NAMELIKE):
            self.boundaries.add(index)
            self._leave(index)
        elif kind in STATEMENTS and following in NAMELIKE:  # only braces may be open here
            while self._open and self._tokens.kinds[self._open[-1]] != "LBRACE":
                self._unclosed(self._pop(), index)
            if kind == "PARAM" and not self._open:
                self.boundaries.add(index)

    def _pop(self) -> int:
        index = self._open.pop()
        self._counts[self._tokens.kinds[index]] -= 1
        return index

    def _leave(self, index: int) -> None:
        """Give up all open brackets; one report is enough, for the outermost: what is inside it may be whole."""
        if self._open:
            self._unclosed(self._open[0], index)
            while self._open:
                self._pop()

    def _close(self, index: int, opener: str) -> None:
        kinds = self._tokens.kinds
        if self._counts[opener]:
            while kinds[self._open[-1]] != opener:
                self._unclosed(self._pop(), index)
            partner = self._pop()
        elif self._open and kinds[self._open[-1]] != "LBRACE":
            partner = self._pop()
            self._mismatched(partner, index)
            kinds[index] = BRACKETS[kinds[partner]]
        else:
            self._stray(index)
            return
        self.partners[partner] = index
        self.partners[index] = partner

    def _span(self, index: int) -> Span:
        return Span(self._tokens.source, self._tokens.starts[index], self._tokens.ends[index])

    def _unclosed(self, index: int, limit: int) -> None:
        """Report a bracket that nothing before token `limit` closes, unless unread text may hold its partner."""
        from catdl.diagnostics.syntax_errors import UnclosedBracket

        tokens = self._tokens
        start = tokens.starts[index]
        self.damage.append(start)
        end = tokens.starts[limit] if limit < len(tokens.starts) else len(tokens.source.text)
        unread = bisect_left(tokens.unread, start)
        if unread == len(tokens.unread) or tokens.unread[unread] >= end:
            closer = _SIGNS[BRACKETS[tokens.kinds[index]]]
            self._found.append(UnclosedBracket(self._span(index), tokens.text(index), closer))

    def _mismatched(self, opener: int, closer: int) -> None:
        from catdl.diagnostics.syntax_errors import MismatchedBracket

        right = _SIGNS[BRACKETS[self._tokens.kinds[opener]]]
        span = self._span(closer)
        self._found.append(MismatchedBracket(span, self._tokens.text(closer), right, self._span(opener)))

    def _stray(self, index: int) -> None:
        from catdl.diagnostics.syntax_errors import StrayBracket

        self._found.append(StrayBracket(self._span(index), self._tokens.text(index)))
        self.damage.append(self._tokens.starts[index])

    def _refuse(self, index: int) -> None:
        from catdl.diagnostics.syntax_errors import NestedTooDeep

        self._found.append(NestedTooDeep(self._span(index), DEPTH_LIMIT))
        self.refused.append(self._tokens.starts[index])
