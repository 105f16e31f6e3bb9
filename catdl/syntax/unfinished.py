"""Lines that break off: where the next statement begins in spite of an operator at the end of the line above.

Takes tokens and brackets; guarantees to part only what could not be read otherwise. A line that begins as a statement
alone can is one. The last line of a block whose statement binds would leave the block without a value; it is that value
if it begins with a wire where `>>` needs a morphism, or reads what the statement above it only makes.

    y = x >> linear >>
    y >> tanh
"""

from __future__ import annotations

from catdl.syntax.brackets import NAMELIKE, STARTED, STATEMENTS, Brackets
from catdl.syntax.lexer import BRACKETS, Tokens, kinds_of

_OPERATORS = kinds_of("SEQ AMPERSAND EQ NE LE GE LT GT PLUS MINUS TENSOR STAR SLASH FLOORDIV CIRCUMFLEX")
_BINDS = ("EQUAL", "STORE")


def begins_statement(tokens: Tokens, brackets: Brackets, index: int) -> bool:
    """Does the line of a block that begins at a token begin as only a statement can."""
    kinds = tokens.kinds
    if kinds[index - 1] in ("COMMA", "LBRACE"):
        return False
    following = kinds[index + 1] if index + 1 < len(kinds) and index + 1 not in tokens.breaks else ""
    if kinds[index] in STATEMENTS and following in STARTED:
        return True
    if kinds[index] == "LPAR":
        after = brackets.partners.get(index, index) + 1
        return kinds[after : after + 1] == ["EQUAL"] and after not in tokens.breaks
    while index + 1 < len(kinds) and kinds[index] in NAMELIKE:
        if kinds[index + 1] != "COMMA":
            return kinds[index + 1] in _BINDS
        index += 2
    return False


def is_value(tokens: Tokens, brackets: Brackets, opener: int, last: int, closer: int) -> bool:
    """Is the last line of a block, from `last` on, the block's value and no part of the statement that goes before."""
    kinds = tokens.kinds
    if kinds[last - 1] not in _OPERATORS:
        return False
    before = _bound_by(tokens, brackets, opener - 1) if kinds[opener - 1] == "LAMBDA" else set()
    own: set[str] = set()
    place = opener + 1
    while place < last:
        bound: set[str] = set()
        if kinds[place] in BRACKETS and place in brackets.partners:
            place = brackets.partners[place]
        elif kinds[place] in STATEMENTS:
            bound = {tokens.text(place + 1)}
        elif kinds[place] in _BINDS:
            bound = _bound_by(tokens, brackets, place)
        if bound:
            before |= own
            own = bound
        place += 1
    read = [i for i in range(last, closer) if kinds[i] == "NAME" and kinds[i + 1] not in ("COLON", "EQUAL")]
    if kinds[last - 1] == "SEQ" and last in read and tokens.text(last) in before | own:
        return True
    return any(tokens.text(i) in own - before for i in read)


def _bound_by(tokens: Tokens, brackets: Brackets, sign: int) -> set[str]:
    """The names right before `=`, `<-` or `=>`."""
    first = brackets.partners.get(sign - 1, sign - 1)
    while first > 1 and tokens.kinds[first - 1] == "COMMA" and tokens.kinds[first] in NAMELIKE:
        first -= 2
    return {tokens.text(i) for i in range(first, sign) if tokens.kinds[i] in NAMELIKE}
