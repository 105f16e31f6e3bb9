"""Layout: where a line end counts, and which words are keywords.

Takes tokens; guarantees a stream in which every declaration ends with `$END`, the statements of a block are parted by
NL, no other line end is left, words such as `dim` are keywords only where they can start something, and a `{` that
begins a path in a plug is a CHOICE. A line end counts at top level and directly inside the braces of a block, if the
token before can end an expression and the next one cannot go on with it. A `where` on a line of its own belongs to the
morphism above if that has no body yet. Where a line breaks off (`unfinished.py`), the statement ends even after an
operator, and a last line `-f(x)` that would leave a block without a value is its value: both are mistakes, and what is
around them is read as it was meant.

    y = f            # the line ends the statement: `f(x, y)` is not meant
    (x, y) >> g
"""

from __future__ import annotations

from bisect import insort

from catdl.diagnostics.base import Diagnostic
from catdl.record import record
from catdl.source import Span
from catdl.syntax.brackets import LEADING, MORPHISM_WORDS, NAMELIKE, OPENERS, STARTED, Brackets
from catdl.syntax.lexer import BRACKETS, IN_PLACE, Tokens, kinds_of
from catdl.syntax.unfinished import begins_statement, is_value

SIGNED = MORPHISM_WORDS | {"LAW", "GROUP", "MONOID"}
_ENDS = kinds_of("NAME NUMBER TEXT RPAR RSQB RBRACE")
_GOES_ON = kinds_of(
    "RPAR RSQB RBRACE COMMA SEQ LAMBDA TO RANDOM STORE AMPERSAND EQ NE LE GE LT GT PLUS MINUS TENSOR STAR STARS SLASH "
    "FLOORDIV CIRCUMFLEX VBAR TILDE DOT COLON EQUAL THEN ELSE FOR IN"
)
_AFTER_SEGMENT = (["DOT"], ["COLON"], ["EQUAL"])


@record
class Stream:
    """Tokens as the parser reads them. `chunks` are the indices at which declarations start.

    `closers` maps the offset of an opening bracket to that of its partner. `damage` holds, in order, the offsets of
    what has already been reported, `refused` those at which brackets nest too deep.
    """

    kinds: list[str]
    starts: list[int]
    ends: list[int]
    chunks: list[int]
    closers: dict[int, int]
    damage: list[int]
    refused: list[int]


def lay_out(tokens: Tokens, found: list[Diagnostic]) -> Stream:
    """Put separators in and turn words out of place into names."""
    brackets = Brackets(tokens, found)
    return _stream(tokens, _Layout(tokens, brackets, found).separators, brackets)


class _Layout:
    """One pass over the noted tokens; `separators` are the ends of statements and declarations, before which token."""

    def __init__(self, tokens: Tokens, brackets: Brackets, found: list[Diagnostic]) -> None:
        self.separators: list[tuple[int, str]] = []
        self._tokens = tokens
        self._found = found
        self._kinds = tokens.kinds
        self._breaks = tokens.breaks
        self._brackets = brackets
        self._inside: list[tuple[int, bool]] = []  # for each open bracket: its token, and whether it is a block
        self._binding: dict[int, int] = {}  # blocks whose statement binds: the token that begins its last line, or `=`
        self._head = 0  # the token that starts the declaration
        self._statement = -1  # the token that starts the statement
        self._settled = False  # the declaration's own `where` or `=` has come
        for index in tokens.noted:
            kind = tokens.kinds[index]
            parted = index > 0 and index in tokens.breaks and self._part(index, kind)
            if kind in OPENERS:
                self._leave(index)
                continue
            if not parted and index in tokens.breaks and self._inside and self._inside[-1][0] in self._binding:
                self._binding[self._inside[-1][0]] = index
            if kind in IN_PLACE:
                if not self._is_keyword(index, kind):
                    tokens.kinds[index] = "NAME"
            elif kind in BRACKETS:
                self._enter(index, kind, parted)
            elif kind in ("EQUAL", "STORE"):
                if not self._inside:
                    self._settled = True
                elif self._inside[-1][1]:
                    self._binding[self._inside[-1][0]] = index

    def _part(self, index: int, kind: str) -> bool:
        """Put a separator before a token that begins a line, if one belongs there."""
        boundary = index in self._brackets.boundaries
        if not boundary and (self._kinds[index - 1] not in _ENDS or kind in _GOES_ON):
            block = bool(self._inside) and self._inside[-1][1]
            if not (block and begins_statement(self._tokens, self._brackets, index)):
                return False
        if boundary:
            self._inside.clear()
        if self._inside:
            if not self._inside[-1][1]:
                return False
            self._binding.pop(self._inside[-1][0], None)
            self.separators.append((index, "NL"))
            self._statement = index
            return True
        if kind == "WHERE" and self._in_signature() and self._kinds[self._head] != "LAW":
            return False
        self.separators.append((index, "$END"))
        self._head = index
        self._settled = False
        return True

    def _in_signature(self) -> bool:
        return not self._inside and not self._settled and self._kinds[self._head] in SIGNED

    def _enter(self, index: int, kind: str, parted: bool) -> None:
        """Open a bracket; a `(` that nothing closes is passed over, for it must not swallow the line ends."""
        if kind != "LBRACE":
            if index in self._brackets.partners:
                self._inside.append((index, False))
            return
        last = self._kinds[index - 1] if index else ""
        if self._begins_path(index, last):
            self._kinds[index] = "CHOICE"
            self._inside.append((index, False))
            return
        fields = self._kinds[self._head] == "LEARNER" and index == self._head + 2
        block = fields or parted or not (last in _ENDS or last == "DOT")  # else it plugs into what is before it
        self._inside.append((index, block))
        if block:
            self._statement = index + 1

    def _begins_path(self, index: int, last: str) -> bool:
        """Is a brace in a plug the first segment of a path: `{q, v}.weight: …`."""
        if last not in ("LBRACE", "COMMA") or not self._inside or index not in self._brackets.partners:
            return False
        opener, block = self._inside[-1]
        after = self._brackets.partners[index] + 1
        return not block and self._kinds[opener] == "LBRACE" and self._kinds[after : after + 1] in _AFTER_SEGMENT

    def _leave(self, index: int) -> None:
        opener = self._brackets.partners.get(index)
        while opener is not None and self._inside.pop()[0] != opener:
            pass
        last = self._binding.pop(opener, -1) if opener is not None and self._binding else -1
        if opener is None or last < 0 or last == index or last not in self._breaks:
            return
        tokens = self._tokens
        if self._kinds[last] == "MINUS":
            from catdl.diagnostics.syntax_errors import BlockWithoutValue

            insort(self.separators, (last, "NL"))
            span = Span(tokens.source, tokens.starts[last], tokens.ends[index - 1])
            self._found.append(BlockWithoutValue(span, continued=True))
        elif is_value(tokens, self._brackets, opener, last, index):
            insort(self.separators, (last, "NL"))

    def _is_keyword(self, index: int, kind: str) -> bool:
        kinds = self._kinds
        first = index == self._head
        last = kinds[index - 1] if index else ""
        following = kinds[index + 1] if index + 1 < len(kinds) else ""
        beside = following if index + 1 not in self._breaks else ""  # on the same line
        match kind:
            case "MORPHISM" | "HOM":
                return first or last in LEADING
            case "EXTERN" | "NATIVE" | "CORE":
                return (first or last in LEADING) and following in MORPHISM_WORDS
            case "PARAM":
                return first or (index == self._statement and beside in NAMELIKE)
            case "EMIT" | "STATE":
                return index == self._statement and beside in NAMELIKE
            case "BOX":
                return index == self._statement and beside in STARTED
            case "WHERE":
                clause = not first and self._in_signature() and last in _ENDS
                self._settled |= clause
                return first or clause
            case "IMPORT":
                return kinds[self._head] == "FROM" and not self._inside and last == "NAME"
            case "AS":
                return beside in NAMELIKE
            case _:
                return first


def _stream(tokens: Tokens, separators: list[tuple[int, str]], brackets: Brackets) -> Stream:
    """The tokens with the separators among them."""
    kinds: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    chunks: list[int] = [0] if tokens.kinds else []
    done = 0
    for index, separator in [*separators, (len(tokens.kinds), "$END")]:
        kinds += tokens.kinds[done:index]
        starts += tokens.starts[done:index]
        ends += tokens.ends[done:index]
        place = ends[-1] if ends else 0
        kinds.append(separator)
        starts.append(place)
        ends.append(place)
        if separator == "$END" and index < len(tokens.kinds):
            chunks.append(len(kinds))
        done = index
    offsets = tokens.starts
    closers = {offsets[left]: offsets[right] for left, right in brackets.partners.items() if left < right}
    damage = sorted([*brackets.damage, *tokens.unread])
    return Stream(kinds, starts, ends, chunks, closers, damage, brackets.refused)
