"""The abstract syntax tree: what the parser yields and name resolution reads.

Every node carries `start` and `end`, offsets into the text of its file (half open). Patterns, types and
morphisms share one expression grammar; which of them an expression must be is decided by its place and
checked after parsing. Chains are flat: `f >> g >> h` is one `Seq` of three steps, so that the tree of a long
program is wide, never deep.

    x => x + (x >> f)      Lambda(Name x, Chain((Name x, Seq(Name x, Name f)), (+,)))
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

from catdl.record import record
from catdl.syntax.ast_decl import *  # noqa: F403


@record
class Name:
    """An identifier, primes included: `x`, `T'`. `true` and `false` are names bound by the prelude scope."""

    id: str
    start: int
    end: int


@record
class Number:
    """A literal, exact: `12`, `0.5`, `1e-3`. `text` is what was written."""

    value: int | Fraction
    text: str
    start: int
    end: int


@record
class Text:
    """A string literal, unescaped."""

    value: str
    start: int
    end: int


@record
class Splice:
    """`..S`, a row of axes; `..` alone (name None) stands for every axis."""

    name: str | None
    start: int
    end: int


@record
class Arg:
    """One item of a call, an index, a tuple or a plug.

    `name` with sep "=" is a named argument (`causal = true`); with sep ":" the label of an axis (`C: 3`), of an item of
    a tuple, or of a plug, where it may be a path or a pattern of paths with its dots: `block.*.{q,v}.weight`. A step's
    name is no such label: in a call `f(up: g)` the item is unnamed and its value a `Labelled`.
    """

    name: str | None
    sep: str  # "", "=" or ":"
    value: Expr
    start: int
    end: int


@record
class Tuple:
    """`()`, `(a, b)`, `(q = a, k = b)`. One unnamed item in parentheses is the item itself, not a tuple."""

    items: tuple[Arg, ...]
    start: int
    end: int


@record
class List:
    """`[a, b]`."""

    items: tuple[Expr, ...]
    start: int
    end: int


@record
class Copair:
    """`[ f | g ]`: what is done with a value of a sum, a leg for each summand."""

    legs: tuple[Expr, ...]
    start: int
    end: int


@record
class Comprehension:
    """`[value for target in source]`."""

    value: Expr
    target: Expr
    source: Expr
    start: int
    end: int


@record
class Call:
    """`f(a, n = 3)`: static arguments, or application to wires."""

    function: Expr
    args: tuple[Arg, ...]
    start: int
    end: int


@record
class Index:
    """`f[T, C: 3, ..S]`: axes of a tensor type, or the axes a morphism acts on. `rename[A -> B]` holds an Arrow."""

    base: Expr
    items: tuple[Arg, ...]
    start: int
    end: int


@record
class Plug:
    """`f{w}`, `f{weight = e}`, `f{block.*.weight: w => w}`."""

    base: Expr
    items: tuple[Arg, ...]
    start: int
    end: int


@record
class Field:
    """`e.name`: a port of a record, or a step of a path."""

    base: Expr
    name: str
    start: int
    end: int


@record
class Seq:
    """`f >> g >> h`, at least two steps; a step may be a `Labelled`."""

    steps: tuple[Expr, ...]
    start: int
    end: int


@record
class Fan:
    """`f & g`: copy, then the legs side by side."""

    legs: tuple[Expr, ...]
    start: int
    end: int


@record
class Tensor:
    """`f @ g`: of objects and of morphisms."""

    legs: tuple[Expr, ...]
    start: int
    end: int


@record
class Chain:
    """A flat run of one level of infix operators, applied from the left: `a + b - c`, `a * b / c // d`.

    `operators[i]` stands between `operands[i]` and `operands[i + 1]`; levels: comparison, sum, product.
    """

    operands: tuple[Expr, ...]
    operators: tuple[str, ...]
    start: int
    end: int


@record
class Negate:
    """Unary minus."""

    operand: Expr
    start: int
    end: int


@record
class Power:
    """`a ^ b`, to the right."""

    base: Expr
    exponent: Expr
    start: int
    end: int


@record
class Arrow:
    """`A -> B` (`random` False), `A ~> B` (`random` True); in `rename[A -> B]` also between labels."""

    domain: Expr
    codomain: Expr
    random: bool
    start: int
    end: int


@record
class Lambda:
    """`pattern => body`; the pattern is a name or a (nested) tuple of names."""

    pattern: Expr
    body: Expr
    start: int
    end: int


@record
class Labelled:
    """`qkv: linear(3 * D)`: the name of an occurrence."""

    name: str
    body: Expr
    start: int
    end: int


@record
class Tie:
    """`tied f` or `fresh f`."""

    word: str
    body: Expr
    start: int
    end: int


@record
class If:
    """`if c then a else b` on constants: one branch exists."""

    condition: Expr
    then: Expr
    orelse: Expr
    start: int
    end: int


DRAW = "~"
"""What `z ~ q` calls: the prelude's `sample`, whatever a file calls so."""


@record
class Bind:
    """`q, k = e`: a statement that names wires. `pattern` is a name or a Tuple of patterns.

    `drawn`: it is `z ~ q`, and the value is the call of DRAW with q.
    """

    pattern: Expr
    value: Expr
    start: int
    end: int
    drawn: bool = False


@record
class Box:
    """`box heads = f`, `box tied f = e`: a morphism named inside a block. `tie` is None, "tied" or "fresh"."""

    name: str
    tie: str | None
    value: Expr
    start: int
    end: int


@record
class Emit:
    """`emit kl = e`: a value that leaves the body beside its result, for `collect` to bring into the open."""

    name: str
    value: Expr
    start: int
    end: int


@record
class LocalParam:
    """`param weight : T ~ init if condition` inside a block: a leaf of the morphism's own parameters.

    `state`: it is `state weight : T = init`, which is written by a `Store` and not learned.
    """

    name: str
    type: Expr
    init: Expr | None
    condition: Expr | None
    state: bool
    start: int
    end: int


@record
class Store:
    """`k <- e`: what the state `k` holds from here on."""

    name: str
    value: Expr
    start: int
    end: int


@record
class Block:
    """`{ statements; result }`: `Bind`, `Box`, `Emit`, `LocalParam`, `Store`, or an expression that leaves no wire."""

    statements: tuple[Statement, ...]
    result: Expr
    start: int
    end: int


@record
class Bad:
    """A stretch the parser could not read; a diagnostic tells of it, and whatever meets it stays silent."""

    start: int
    end: int


Expr: TypeAlias = (
    Name | Number | Text | Splice | Tuple | List | Copair | Comprehension | Call | Index | Plug | Field | Seq | Fan
    | Tensor | Chain | Negate | Power | Arrow | Lambda | Labelled | Tie | If | Block | Bad
)  # fmt: skip
Statement: TypeAlias = Bind | Box | Emit | LocalParam | Store | Expr
