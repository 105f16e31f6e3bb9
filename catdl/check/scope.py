"""What names mean: declarations of a module, of the prelude, and the scopes inside a body.

Takes the AST; guarantees that every entity knows the module it was declared in, so that its text can be read in its
own scope wherever it is used.

    scope.find("linear")     # MorphismDef, from the prelude, parsed on first use
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from catdl.diagram.learner import Alternation, Learner
from catdl.diagram.model import Diagram, Parameter
from catdl.prelude import Prelude, Slice
from catdl.record import field, record
from catdl.source import Source, Span
from catdl.symmetry.actions import Act, Declared
from catdl.syntax import ast
from catdl.types.sizes import Size
from catdl.types.types import Axis, Object

_WORD = re.compile(r"\w+")


@record(frozen=False, eq=False)
class DimDef:
    """A dim: its axis (label and size), its class and its roles."""

    name: str
    axis: Axis
    free: bool
    roles: tuple[ast.Expr, ...]
    span: Span
    formula: str | None = None  # the arithmetic that gives its size, as it is written
    act: Act | None = None  # how a group acts on it
    other: str | None = None  # its role that stands for no group
    untold: bool = False  # whether what acts on it is declared, and could not be read


@record(frozen=False, eq=False)
class KindDef:
    """A kind: `base` None for a root. `element` is what one number of a kind that names an axis is by itself."""

    name: str  # qualified
    base: KindDef | None
    free: bool
    axis: bool
    element: KindDef | None
    span: Span


@record(frozen=False, eq=False)
class ObjectDef:
    """A named object; its value is read once."""

    name: str
    node: ast.Object
    module: Module
    span: Span
    value: Object | None = None


@record(frozen=False, eq=False)
class FunctorDef:
    """A functor; it is read at each use, for the arguments given there."""

    name: str
    node: ast.Functor
    module: Module
    span: Span


@record(frozen=False, eq=False)
class GroupDef:
    """A declared group or monoid, once its generators are read."""

    name: str
    node: ast.Group
    module: Module
    span: Span
    group: Declared | None = None


@record(frozen=False, eq=False)
class ParamDef:
    """A declared parameter."""

    name: str
    node: ast.Param
    module: Module
    span: Span
    leaf: object | None = None
    record: tuple[Parameter, ...] | None = None  # its leaves, where it is the weights of a morphism


@record(frozen=False, eq=False)
class MorphismDef:
    """A morphism with all its equations, and its overloads."""

    name: str
    module: Module
    equations: list[ast.Morphism]
    span: Span
    overloads: tuple[Overload, ...] = ()
    sorts: dict[str, str] | None = None  # the sort of each binder, inferred once
    static: bool | None = None  # whether it is a function of numbers, once asked
    slides: tuple[str, ...] | None = None  # the binders of the axes it slides a kernel over, once asked
    sums: tuple[str, ...] | None = None  # the binders of the axes it sums products of its inputs over, once asked

    @property
    def head(self) -> ast.Morphism:
        """The first equation, which carries the signature."""
        return self.equations[0]

    @property
    def headless(self) -> bool:
        """Whether its arguments and its signature are lost, for the declaration could not be read."""
        head = self.head
        return head.signature is None and head.params is None and bool(self.module.half_read(head.start))

    @property
    def open(self) -> bool:
        """Whether it is one of several morphisms, by the kinds that come."""
        return bool(self.overloads) and self.overloads[0].target is not None

    @property
    def modifiers(self) -> tuple[str, ...]:
        """`native`, `core`."""
        return self.equations[0].modifiers


@record(frozen=False, eq=False)
class LawDef:
    """A law; its sides are diagrams once both compose."""

    name: str
    node: ast.Morphism
    module: Module
    span: Span
    sides: tuple[Diagram, Diagram] | None = None


@record(frozen=False, eq=False)
class LearnerDef:
    """A learner; its plan is there once all its parts fit."""

    name: str
    node: ast.Learner
    module: Module
    span: Span
    plan: Learner | Alternation | None = None


@record
class Overload:
    """Kinds of one overload: of the inputs, of the outputs (None: never), or why not; or the morphism that is meant."""

    literal: object | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...] | None
    message: str
    target: MorphismDef | None = None


@record
class BadDef:
    """A name whose declaration was refused; what uses it stays silent."""

    name: str


Placed: TypeAlias = (
    ast.Expr | ast.Statement | ast.Decl | ast.Arg | ast.Fact | ast.StaticParam | ast.Binder | ast.ImportName
)

Def: TypeAlias = (
    DimDef | KindDef | ObjectDef | FunctorDef | GroupDef | ParamDef | MorphismDef | LawDef | LearnerDef | BadDef
)


@record(frozen=False, eq=False)
class Module:
    """One file: its declarations by name, in text order, and what it demands of dims."""

    name: str
    source: Source
    prelude: PreludeScope | None
    defs: dict[str, Def] = field(default_factory=dict)
    facts: list[ast.Fact] = field(default_factory=list)
    divides: list[tuple[int, Size]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)  # what other declarations name, here or by an import
    types: dict[str, Object] = field(default_factory=dict)  # closed types by their text
    tree: ast.Module = field(default_factory=lambda: ast.Module(()))  # what was read of it
    broken: tuple[tuple[int, int], ...] = ()  # the declarations of which parts could not be read, by their offsets

    def unread(self) -> set[str]:
        """The words of what could not be read: it may use any of them."""
        return {word for start, end in self.broken for word in _WORD.findall(self.source.text[start:end])}

    def half_read(self, offset: int) -> str:
        """The text of the declaration at an offset if parts of it could not be read; empty if all of it was."""
        for start, end in self.broken:
            if start <= offset < end:
                return self.source.text[start:end]
        return ""

    def perhaps_read(self, name: str, offset: int) -> bool:
        """Whether a name declared at an offset stands once more in a declaration that could not be read whole."""
        text = self.half_read(offset)
        return bool(text) and len(re.findall(rf"\b{re.escape(name)}\b", text)) > 1

    def find(self, name: str) -> Def | None:
        """The meaning of a name at the top level of this file, and of what the prelude has for all."""
        found = self.defs.get(name)
        if found is not None or self.prelude is None or (self.name and is_private(name)):
            return found
        return self.prelude.find("sample" if name == ast.DRAW else name)

    def span(self, node: Placed) -> Span:
        """The place of a node in this file."""
        return Span(self.source, node.start, node.end)


def is_private(name: str) -> bool:
    """Whether an entry of the prelude is for its other entries alone."""
    return name.startswith("_")


Declare: TypeAlias = "Callable[[PreludeScope, str, Slice], Def]"


class PreludeScope:
    """The prelude's names, each parsed and declared when first asked for."""

    def __init__(self, prelude: Prelude, declare: Declare) -> None:
        self.prelude = prelude
        self.declare = declare  # how an entry's text becomes a declaration
        self.modules: dict[str, Module] = {}
        self.defs: dict[str, Def] = {}

    def module(self, source: Source) -> Module:
        """The module of one prelude file."""
        found = self.modules.get(source.path)
        if found is None:
            found = self.modules[source.path] = Module("", source, self)
        return found

    def find(self, name: str) -> Def | None:
        """The entry, or None. Raises ValueError when the prelude's own text is wrong."""
        found = self.defs.get(name)
        if found is None:
            place = self.prelude.entries.get(name)
            if place is None:
                return None
            found = self.defs[name] = self.declare(self, name, place)
        return found

    def names(self) -> list[str]:
        """Every name that the prelude has for all, for suggestions."""
        return [name for name in self.prelude.entries if not is_private(name)]


@record
class Static:
    """A local name that stands for a static value."""

    value: object
    written: object = None  # how a number was written (`builder.Written`), if with dims


@record
class Shadow:
    """A name with two meanings: a parameter's wire, and a static value where a condition asks for one."""

    bundle: Any
    static: object


class Env:
    """The scope inside a body: local names over a module. Values: Bundle, Closure, Static, Axis, Object …"""

    __slots__ = ("module", "names", "parent")

    def __init__(self, module: Module, parent: Env | None = None, names: dict[str, object] | None = None) -> None:
        self.module = module
        self.parent = parent
        self.names: dict[str, object] = {} if names is None else names

    def local(self, name: str) -> object | None:
        """The local meaning of a name, or None."""
        env: Env | None = self
        while env is not None:
            found = env.names.get(name)
            if found is not None:
                return found
            env = env.parent
        return None

    def find(self, name: str) -> object | None:
        """The meaning of a name: local, then of the module, then of the prelude."""
        found = self.local(name)
        return self.module.find(name) if found is None else found

    def child(self, names: dict[str, object] | None = None) -> Env:
        """A scope inside this one."""
        return Env(self.module, self, names)

    def snapshot(self) -> Env:
        """This scope as it is now, whatever is bound later."""
        return Env(self.module, self.parent, dict(self.names))
