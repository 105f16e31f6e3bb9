# ruff: noqa: E501  (lines of specs)
"""Slips of every size in texts that mean something: tokens, lines, bytes."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.fuzz import corpus

SIGNS = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "=",
    "+",
    "-",
    "*",
    "/",
    "//",
    "^",
    "@",
    "&",
    "|",
    "~",
    ".",
    "..",
    "**",
    ">>",
    "=>",
    "->",
    "~>",
    "==",
    "!=",
    "<",
    ">=",
    "#",
    "##",
    "'",
    ";",
    "\\",
    "dim",
    "where",
    "kind",
    "object",
    "param",
    "morphism",
    "extern",
    "native",
    "core",
    "overload",
    "functor",
    "group",
    "monoid",
    "algebra",
    "coalgebra",
    "law",
    "state",
    "<-",
    "mu",
    "fold",
    "scan",
    "unfold",
    "mealy",
    "from",
    "import",
    "as",
    "box",
    "tied",
    "fresh",
    "if",
    "then",
    "else",
    "for",
    "in",
    "id",
    "copy",
    "swap",
    "discard",
    "repeat",
    "chain",
    "iterate",
    "map",
    "each",
    "true",
    "false",
    "()",
    "[]",
    "{}",
    "((",
    "))",
    '"a"',
    '"t',
    "(h",
    "d)",
    "->",
    "h",
    "t",
    'd"',
    "\n",
    "\n\n",
]
BYTES = (b"\x00", b"\xff", b"\xc3\x28", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\r\n", b"\t", b"\x0c", b"\x0b",
         "\u2028".encode(), "\u200d".encode(), "\U0001f600".encode(), "e\u0301".encode(), "\u202e".encode(), b"\x1b[31m",
         b"\x85", b"\xc2\x85", b"\xf4\x90\x80\x80", "⊗".encode(), "→".encode(), "²".encode(), "١".encode(), "ｄ".encode())  # fmt: skip

Tokens = list[str]


def places(tokens: Tokens, wanted: Callable[[str], bool]) -> list[int]:
    """Where the tokens of some sort stand."""
    return [i for i, token in enumerate(tokens) if wanted(token)]


def delete(random: Random, tokens: Tokens) -> None:
    place = random.randrange(len(tokens))
    del tokens[place : place + random.choice((1, 1, 1, 2, 5))]


def duplicate(random: Random, tokens: Tokens) -> None:
    place, count = random.randrange(len(tokens)), random.choice((1, 1, 2, 6))
    tokens[place:place] = tokens[place : place + count]


def swap(random: Random, tokens: Tokens) -> None:
    one, other = random.randrange(len(tokens)), random.randrange(len(tokens))
    tokens[one], tokens[other] = tokens[other], tokens[one]


def insert(random: Random, tokens: Tokens) -> None:
    tokens.insert(random.randrange(len(tokens) + 1), f" {random.choice(SIGNS)} ")


def rename(random: Random, tokens: Tokens) -> None:
    """Another name that is in scope, or one of the prelude."""
    names = places(tokens, lambda token: corpus.NAME.fullmatch(token) is not None)
    if names:
        other = tokens[random.choice(names)] if random.random() < 0.7 else random.choice(corpus.entries())
        tokens[random.choice(names)] = other


def renumber(random: Random, tokens: Tokens) -> None:
    numbers = places(tokens, lambda token: token[:1].isdigit())
    if numbers:
        tokens[random.choice(numbers)] = corpus.number(random)


def number_for_name(random: Random, tokens: Tokens) -> None:
    names = places(tokens, lambda token: corpus.NAME.fullmatch(token) is not None)
    if names:
        tokens[random.choice(names)] = corpus.number(random)


def operator(random: Random, tokens: Tokens) -> None:
    """One sign for another."""
    signs = places(tokens, lambda token: not token.isspace() and not token[:1].isalnum() and token[:1] not in '#"_')
    if signs:
        tokens[random.choice(signs)] = tokens[random.choice(signs)] if random.random() < 0.5 else random.choice(SIGNS)


def splice(random: Random, tokens: Tokens) -> None:
    """A run of tokens of another file."""
    other = list(corpus.tokens(corpus.text(random)))
    start, place = random.randrange(len(other) + 1), random.randrange(len(tokens) + 1)
    run = other[start : start + random.choice((2, 5, 10, 40))]
    if random.random() < 0.5:
        tokens[place:place] = run
    else:
        tokens[place : place + len(run)] = run


def lines(random: Random, tokens: Tokens) -> None:
    """Whole lines deleted, doubled, moved, or taken from another file."""
    rows = "".join(tokens).split("\n")
    place = random.randrange(len(rows))
    match random.randrange(5):
        case 0:
            del rows[place]
        case 1:
            rows.insert(place, rows[random.randrange(len(rows))])
        case 2:
            rows.insert(random.randrange(len(rows)), rows.pop(place))
        case 3:
            other = corpus.text(random).split("\n")
            rows[place : place + random.randrange(3)] = other[random.randrange(len(other)) :][: random.randrange(1, 9)]
        case _:
            rows = rows[:place] + corpus.text(random).split("\n")
    tokens[:] = corpus.tokens("\n".join(rows))


TOKEN_SLIPS = (delete, duplicate, swap, insert, rename, rename, rename, renumber, renumber, number_for_name, operator,
               operator, splice, lines)  # fmt: skip


def slipped(random: Random) -> bytes:
    """A text of the tree with one to six slips in tokens and lines."""
    tokens = list(corpus.tokens(corpus.text(random)))
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        if tokens:
            random.choice(TOKEN_SLIPS)(random, tokens)
    return "".join(tokens).encode("utf-8", "surrogatepass")


def damaged(random: Random) -> bytes:
    """A text of the tree with bytes put in, changed, cut out or doubled."""
    data = bytearray(corpus.text(random).encode())
    for _ in range(random.choice((1, 2, 5, 30))):
        place = random.randrange(len(data) + 1)
        match random.randrange(5):
            case 0:
                data[place:place] = random.choice(BYTES)
            case 1:
                data[place : place + 1] = bytes([random.randrange(256)])
            case 2:
                del data[place : place + random.randrange(1, 40)]
            case 3:
                data[place:place] = data[place : place + random.randrange(1, 40)]
            case _:
                data = bytearray(bytes(data).replace(b"\n", random.choice((b"\r", b"\r\n", b"\x0b", b"")), random.randrange(1, 9)))  # fmt: skip
    return bytes(data)
