"""The syntax tree of declarations; `ast.py` gives them out beside the expressions they hold.

dim T : time      Dim("T", None, (Name("time"),))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from catdl.record import record

if TYPE_CHECKING:
    from catdl.syntax.ast import Arg, Bind, Expr, Name, Store

__all__ = [
    "Binder",
    "Decl",
    "Dim",
    "Fact",
    "Functor",
    "Group",
    "Import",
    "ImportName",
    "Kind",
    "Learner",
    "Module",
    "Morphism",
    "Object",
    "Overload",
    "Param",
    "StaticParam",
    "Where",
]


@record
class Dim:
    """`dim H = 8`, `dim T : time`, `dim X = 3 : vector(O)`: one per name, a list is split.

    `roles` are the words after the colon (`var`, `set`, `vector(O)`), each a Name or a Call.
    """

    name: str
    size: Expr | None
    roles: tuple[Expr, ...]
    start: int
    end: int
    doc: str = ""


@record
class Where:
    """`where 16 | H, N >= 1` at top level or in a signature: one `Fact` each."""

    facts: tuple[Fact, ...]
    start: int
    end: int


@record
class Fact:
    """`left op right` with op one of `|` (divides), `==`, `>=`, `<=`, `>`, `<`."""

    left: Expr
    op: str
    right: Expr
    start: int
    end: int


@record
class Kind:
    """`kind Std : free Positive`, `kind Probs[A] of Prob : earned Positive` (with an axis). `base` None: a root."""

    name: str
    axis: str | None
    element: str | None  # what one number along the axis is by itself
    access: str  # "free", "earned" or "" for a root
    base: str | None
    start: int
    end: int
    doc: str = ""


@record
class Object:
    """`object Seq = Real[T, D]`; ports are named by a Tuple with named items.

    It may have axes of its own: `object Normal[..S] = (mean: Real[..S], std: Std[..S])`.
    """

    name: str
    value: Expr
    start: int
    end: int
    doc: str = ""
    binders: tuple[Binder, ...] = ()


@record
class Functor:
    """`functor Expr[A](X) = Real[A] + X @ X`: the shape of data, a sum of products in the variable X."""

    name: str
    binders: tuple[Binder, ...]
    variable: str
    value: Expr
    start: int
    end: int
    doc: str = ""


@record
class Param:
    """`param wte : Real[Vocab, D] ~ normal(0, 0.02)` at top level."""

    name: str
    type: Expr
    init: Expr | None
    start: int
    end: int
    doc: str = ""


@record
class Group:
    """`group D4 on (H, W), (K, L) where turn ^ 4 == id = (turn = (W, -H), flip = (H, -W))`: what acts on some dims.

    `keyword` is "group" or "monoid". `places` are the dims, alone or several that are moved together; `value` is a
    Tuple with named items, one for each generator, or a Call; `where` are the relations.
    """

    name: str
    keyword: str
    places: tuple[Expr, ...]
    where: Where | None
    value: Expr
    start: int
    end: int
    doc: str = ""


@record
class Binder:
    """A generic of a morphism: `..S` (row), `X`, `X : object`, `A : axis`, `K : kind`."""

    name: str
    row: bool
    sort: str | None
    start: int
    end: int


@record
class StaticParam:
    """A static argument of a morphism: `n`, `0` (an equation), `bias : bool = true`, `fresh f : X -> X`.

    `name` is None for a literal, which then stands in `literal`.
    """

    name: str | None
    literal: Expr | None
    tie: str | None
    sort: Expr | None
    default: Expr | None
    start: int
    end: int


@record
class Morphism:
    """`morphism name[binders](params) : domain -> codomain where … = body`.

    `keyword` is "morphism", "hom", "algebra", "coalgebra", "extern" or "law", whose body is an equation;
    `modifiers` holds "native" or "core" in the prelude.
    `signature` is an Arrow or None; `body` is None where a modifier allows it.
    """

    name: str
    keyword: str
    modifiers: tuple[str, ...]
    binders: tuple[Binder, ...]
    params: tuple[StaticParam, ...] | None
    signature: Expr | None
    where: Where | None
    body: Expr | None
    name_start: int
    name_end: int
    start: int
    end: int
    doc: str = ""


@record
class Overload:
    """`overload exp : LogStd -> Std`, `overload mul : Var @ Real -> never "message"`, `overload scale(1/2) : …`.

    `overload sample : Real @ Std = normal_sample` names the morphism that is meant where these kinds come.
    """

    name: str
    args: tuple[Arg, ...]
    domain: Expr
    codomain: Expr | None  # None: never
    message: str
    start: int
    end: int
    target: Name | None = None


@record
class Learner:
    """`learner digits { model = mlp, … }`: what is trained, on what and how; a field on each line.

    A field is a Bind of its name; one of several, `patience(accuracy, 5) | epochs(40)`, has a Copair for its value.
    What is written beside training, `old <- every(500, w)`, is a Store.
    """

    name: str
    fields: tuple[Bind | Store, ...]
    name_start: int
    name_end: int
    start: int
    end: int
    doc: str = ""


@record
class ImportName:
    """`block` or `block as b`."""

    name: str
    alias: str
    start: int
    end: int


@record
class Import:
    """`from layers.core import block, D as Width`."""

    module: str
    names: tuple[ImportName, ...]
    module_start: int
    module_end: int
    start: int
    end: int


Decl: TypeAlias = Dim | Where | Kind | Object | Functor | Param | Group | Morphism | Overload | Learner | Import


@record
class Module:
    """The declarations of one file, in text order. Doc comments (`## …` lines above) are in `doc`."""

    decls: tuple[Decl, ...]
