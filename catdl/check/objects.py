"""Type expressions: from syntax to objects, with binders in scope.

Takes expressions and an `Env` in which binders stand for axes, rows (tuples of axes), kinds, objects, sizes and labels;
guarantees that the sort of every binder is known from where it occurs.

    Real[..S, I]   with S = (T,), I = D: 768   Leaf(Real, (T, D: 768))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from catdl import diagnostics as wrong
from catdl.check import coalgebras
from catdl.check.functors import trees_kind
from catdl.check.kinds import Kinds
from catdl.check.object_families import written_out
from catdl.check.scope import BadDef, DimDef, Env, FunctorDef, KindDef, ObjectDef, Static
from catdl.check.signature import LabelOf, Row, labelled
from catdl.check.stands_for import sort_of
from catdl.check.static import Refused, Statics, alike
from catdl.check.values import as_number, show_value
from catdl.check.work import WIRES_PER_STEP
from catdl.diagnostics.base import Diagnostic, Edit, Help
from catdl.diagnostics.suggest import near
from catdl.diagram.model import Parameter
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.ragged import ragged_syms, row
from catdl.types.sizes import Poly, SizeTooLarge, mul, short, show
from catdl.types.types import (
    ANONYMOUS,
    UNIT,
    Axis,
    AxisItem,
    Kind,
    Label,
    LabelVar,
    Leaf,
    Object,
    Word,
    label_of,
    plain,
    show_axis,
    show_kind,
    show_leaf,
)

T = TypeVar("T")

WIRE_LIMIT = 100_000
FIN = "an index says below what: `Fin(n)`"
AXIS_LIMIT = 64  # as many as PyTorch takes in most operations


def too_long(axes: tuple[AxisItem, ...]) -> bool:
    """Whether a tensor has more axes than are taken on, counting those that are merged into one."""
    if len(axes) > AXIS_LIMIT:
        return True
    count = 0
    stack = list(axes)
    while stack and count <= AXIS_LIMIT:
        item = stack.pop()
        label = label_of(item.label) if isinstance(item, Axis) else None
        if isinstance(label, Word):
            stack += label.axes
        else:
            count += 1
    return count > AXIS_LIMIT


class Types:
    """Reads type expressions of one declaration."""

    def __init__(
        self,
        statics: Statics,
        kinds: Kinds,
        label: Callable[[], LabelVar],
        record: Callable[[ast.Expr, Env], tuple[Parameter, ...]],
    ) -> None:
        self.statics = statics
        self.kinds = kinds
        self.fresh_label = label
        self.record = record

    def kind_name(self, node: ast.Expr, env: Env) -> str | None:
        """The qualified name of a kind, or None when the expression names no kind. Raises Refused."""
        if not isinstance(node, ast.Name):
            return None
        if node.id == "Fin":
            return "Fin"
        found = env.find(node.id)
        match found:
            case KindDef():
                env.module.used.add(node.id)
                return found.name
            case Kind():
                return found.name
            case BadDef():
                raise Refused
            case _:
                return None

    def kind(self, node: ast.Expr, env: Env) -> Kind | None:
        """A kind with its argument: `Real`, `Fin(n)`, `Probs(Class)`. None for something else. Raises Refused."""
        if isinstance(node, ast.Name):
            found = env.find(node.id)
            if isinstance(found, Kind):
                return found
            name = self.kind_name(node, env)
            if name == "Fin":
                raise self.statics.refuse(wrong.BadValue(env.module.span(node), FIN))
            return None if name is None else Kind(name)
        if isinstance(node, ast.Call):
            if isinstance(node.function, ast.Name) and node.function.id == "mu" and env.find("mu") is None:
                return trees_kind(self, node, env)
            name = self.kind_name(node.function, env)
            if name is None:
                return None
            if len(node.args) > 1:
                where = env.module.span(node.args[1])
                raise self.statics.refuse(wrong.TooManyArguments(where, plain(name), 1, len(node.args)))
            if not node.args:
                last = f"a kind says its axis, `{plain(name)}(A)`, or nothing: then it is the last one"
                words = FIN if name == "Fin" else last
                raise self.statics.refuse(wrong.BadValue(env.module.span(node), words))
            known = self.kinds.find(name)
            if known is not None and known.base is None and name != "Fin":  # `Logits(C)` says along what
                raise self.statics.refuse(
                    no_argument(env.module.span(node), plain(name), env.module.span(node.args[0]))
                )
            if name == "Fin":
                return Kind("Fin", self.statics.size(node.args[0].value, env))
            value = self.axis(node.args[0], env)
            return Kind(name, axis=value.label if isinstance(value, Axis) else None)
        return None

    def axis(self, arg: ast.Arg, env: Env) -> AxisItem | tuple[AxisItem, ...]:
        """One item of an axis list: an axis, or the axes of a row. Raises Refused."""
        arg = labelled(arg)
        node = arg.value
        if arg.sep == ":" and arg.name is not None:
            return Axis(self.label(arg.name, env), self.statics.size(node, env))
        match node:
            case ast.Splice(name) if name is not None:
                found = env.find(name)
                if isinstance(found, Row):
                    return found.axes
                if isinstance(found, BadDef):
                    raise Refused
                raise self.statics.refuse(
                    wrong.UnknownName(env.module.span(node), name, "row of axes", alike(name, env, Row))
                )
            case ast.Splice():
                raise self.statics.refuse(
                    wrong.BadValue(env.module.span(node), "a row of axes has a name in a type: `[..S]`, with `f[..S]`")
                )
            case ast.Tuple(items):
                parts = [self.axis(item, env) for item in items]
                axes = tuple(p for p in parts if isinstance(p, Axis))
                size: int | Poly = 1
                try:
                    for axis in axes:
                        size = mul(size, axis.size)
                except SizeTooLarge as error:
                    raise self.statics.refuse(
                        wrong.LimitExceeded(env.module.span(node), error.what, error.limit)
                    ) from None
                return Axis(Word(axes), size)
            case ast.Name(id):
                found = env.find(id)
                match found:
                    case Axis():
                        return found
                    case DimDef(axis=axis):
                        env.module.used.add(id)
                        return axis
                    case LabelOf():
                        raise self.statics.refuse(wrong.BadValue(env.module.span(node), f"`{id}` has no size here"))
                    case Static(value):
                        value = as_number(value)
                        if isinstance(value, (int, Poly)) and not isinstance(value, bool):
                            return Axis(ANONYMOUS, value)
                        raise self.statics.refuse(wrong.WrongSort(env.module.span(node), id, "an axis", "a value"))
                    case BadDef():
                        raise Refused
                    case None:
                        if id.endswith("'") and (twin := self.twin(id, env)) is not None:
                            return twin
                        raise self.statics.refuse(
                            wrong.UnknownName(env.module.span(node), id, "dim", alike(id, env, Axis, DimDef, Static))
                        )
                    case _:
                        raise self.statics.refuse(wrong.WrongSort(env.module.span(node), id, "an axis", sort_of(found)))
            case _:
                value = self.statics.size(node, env)
                if isinstance(node, ast.Number):
                    return Axis(ANONYMOUS, value)
                return Axis(self.fresh_label(), value)

    def twin(self, name: str, env: Env) -> Axis | None:
        """`T'`: the size of T under another label."""
        base = name.rstrip("'")
        primes = name[len(base) :]
        found = env.find(base)
        axis = found.axis if isinstance(found, DimDef) else found
        if not isinstance(axis, Axis) or not isinstance(axis.label, str):
            return None
        if isinstance(found, DimDef):
            env.module.used.add(base)
        return Axis(axis.label + primes, axis.size)

    def label(self, name: str, env: Env) -> Label:
        """The label that a name stands for: a binder's, a dim's, or one of this module's own."""
        found = env.find(name)
        match found:
            case LabelOf(label):
                return label
            case Axis(label=label):
                return label
            case DimDef(axis=axis):
                env.module.used.add(name)
                return axis.label
            case None if name.endswith("'") and (twin := self.twin(name, env)) is not None:
                return twin.label
            case _:
                return f"{env.module.name}::{name}"

    def single(self, arg: ast.Arg, env: Env) -> Axis:
        """One axis, where a row of them would not do. Raises Refused."""
        value = self.axis(arg, env)
        if isinstance(value, Axis):
            return value
        raise self.statics.refuse(wrong.BadValue(env.module.span(arg), "one axis is meant here, not a row of axes"))

    def axes(self, items: tuple[ast.Arg, ...], env: Env) -> tuple[AxisItem, ...]:
        """A list of axes. Raises Refused."""
        out: list[AxisItem] = []
        refused: Refused | None = None  # every axis is read, so that each wrong one is told
        for item in items:
            try:
                value = self.axis(item, env)
            except Refused as problem:
                refused = problem
                continue
            if isinstance(value, tuple):
                out.extend(value)
            else:
                out.append(value)
        if refused is not None:
            raise refused
        return tuple(out)

    def object(self, node: ast.Expr, env: Env) -> Object:
        """A type expression as an object. Raises Refused."""
        out: list[Leaf] = []
        names: list[str | None] = []
        groups: list[tuple[str | None, int]] = []
        stack: list[tuple[ast.Expr, str | None]] = [(node, None)]
        refused: Refused | None = None
        while stack:
            expr, name = stack.pop()
            match expr:
                case ast.Call() | ast.Power() | ast.Index() if (record := self.weights(expr, env)) is not None:
                    out += [p.type for p in record]
                    names += [p.path for p in record]
                    groups.append((name, len(record)))
                case ast.Index() | ast.Name() if (whole := written_out(self.statics, expr, env)) is not None:
                    value = self.object(whole, env)
                    out += value.leaves
                    names += [name or value.names[0]] if len(value.leaves) == 1 else value.names
                    groups += value.groups if expr is node and value.groups else [(name, len(value.leaves))]
                case ast.Tensor(legs):
                    stack += [(leg, None) for leg in reversed(legs)]
                case ast.Tuple(items):
                    stack += [(i.value, i.name) for i in reversed(items)]
                case ast.Labelled(port, only):  # `(x: X)`
                    stack.append((only, port))
                case ast.Power(base, exponent):
                    count = as_number(self.statics.value(exponent, env))
                    value = self.object(base, env) if isinstance(count, int) and count > 1 else UNIT
                    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                        words = f"the power of an object is a whole number, not {show_value(count)}"
                        raise self.statics.refuse(wrong.BadValue(env.module.span(exponent), words))
                    if count * max(len(value.leaves), 1) > WIRE_LIMIT:
                        raise self.too_many(expr, env)
                    if any(isinstance(a, Axis) and isinstance(a.label, LabelVar) for x in value.leaves for a in x.axes):
                        value = UNIT  # every copy has unknowns of its own
                    if value.leaves:
                        out += value.leaves * count
                        names += value.names * count
                        groups += (value.groups or ((None, len(value.leaves)),)) * count
                    else:
                        stack += [(base, None)] * count
                case _:
                    try:
                        value = self.simple(expr, env)
                    except Refused as problem:
                        refused = problem  # the other legs are read all the same
                        continue
                    self.statics.spend(1 + len(value.leaves) // WIRES_PER_STEP, expr, env)
                    out.extend(value.leaves)
                    single = len(value.leaves) == 1
                    names += [name or value.names[0]] if single else value.names
                    groups += value.groups if expr is node and value.groups else [(name, len(value.leaves))]
            if len(out) > WIRE_LIMIT:
                raise self.too_many(expr, env)
        if refused is not None:
            raise refused
        return Object(tuple(out), tuple(names), tuple(groups)) if out else UNIT

    def too_many(self, node: ast.Expr, env: Env) -> Refused:
        """An object of more wires than are taken on."""
        return self.statics.refuse(
            wrong.LimitExceeded(env.module.span(node), "the number of wires of an object", WIRE_LIMIT)
        )

    def weights(self, node: ast.Expr, env: Env) -> tuple[Parameter, ...] | None:
        """The leaves of `weights(f)`, of its powers and its families; None for any other type. Raises Refused."""
        root = node
        while isinstance(root, ast.Power | ast.Index):
            root = root.base
        match root:
            case ast.Call(ast.Name("weights")) if env.find("weights") is None:
                return self.record(node, env)
        return None

    def simple(self, node: ast.Expr, env: Env) -> Object:
        """One leg of a type expression. Raises Refused."""
        match node:
            case ast.Bad():
                raise Refused
            case ast.Index(base, items):
                kind = self.kind(base, env)
                if kind is None:
                    refused = self.no_type(base, env, axes=True)
                    self.axes(items, env)
                    raise refused
                axes = self.axes(items, env)
                if kind.form is not None:
                    span = env.module.span(node)
                    raise self.statics.refuse(wrong.TreesOnly(span, "[…]", show_kind(kind), False))
                if too_long(axes):
                    raise self.statics.refuse(
                        wrong.LimitExceeded(env.module.span(node), "the number of axes of a tensor", AXIS_LIMIT)
                    )
                self.distinct(axes, node, env)
                leaf = Leaf(self.with_axis(kind, axes), axes)
                self.packable(leaf, node, env)
                return Object((leaf,), (None,))
            case ast.Name(id):
                found = env.find(id)
                if isinstance(found, ObjectDef):
                    env.module.used.add(id)
                    return self.declared(found)
                if isinstance(found, Object):
                    return found
                kind = self.kind(node, env)
                if kind is not None:
                    return Object((Leaf(kind, ()),), (None,))
                raise self.no_type(node, env)
            case ast.Call():
                kind = self.kind(node, env)
                if kind is not None:
                    return Object((Leaf(kind, ()),), (None,))
                applied = coalgebras.applied(self, node, env)
                if applied is not None:
                    return applied
                raise self.no_type(node, env)
            case ast.Field(_, coalgebras.INPUT):
                return coalgebras.input_of(self, node, env)
            case _:
                raise self.no_type(node, env)

    def packable(self, leaf: Leaf, node: ast.Expr, env: Env) -> None:
        """At most one axis of another size in every sample, the first; its size is a var dim. Raises Refused."""
        found = [k for k, axis in enumerate(leaf.axes) if isinstance(axis, Axis) and ragged_syms(axis.size)]
        sizes = [axis.size for axis in leaf.axes if isinstance(axis, Axis)]
        sizes += [] if leaf.kind.size is None else [leaf.kind.size]
        mixed = next((size for size in sizes if ragged_syms(size) and row(size) is None), None)
        where = env.module.span(node)
        if mixed is not None:
            dim, reason = (
                min(ragged_syms(mixed)),
                f"`{show(mixed)}` is no size of an axis: `{short(min(ragged_syms(mixed)))}` is",
            )
            raise self.statics.refuse(wrong.RaggedPlace(where, short(dim), reason))
        if len(found) > 1:
            first, second = (show_axis(leaf.axes[k]) for k in found[:2])
            reason = f"a tensor has one var axis at most, and this has `{first}` and `{second}`"
            dim = min(ragged_syms(leaf.axes[found[0]].size))  # type: ignore[union-attr]
            raise self.statics.refuse(wrong.RaggedPlace(where, short(dim), reason))
        if found and found[0] > 0:
            at = found[0]
            axis = leaf.axes[at]
            assert isinstance(axis, Axis)
            moved = Leaf(leaf.kind, (axis, *leaf.axes[:at], *leaf.axes[at + 1 :]))
            reason = f"the var axis `{show_axis(axis)}` comes first in a type"
            raise self.statics.refuse(
                wrong.RaggedPlace(where, short(min(ragged_syms(axis.size))), reason, show_leaf(moved))
            )

    def with_axis(self, kind: Kind, axes: tuple[AxisItem, ...]) -> Kind:
        """A kind that has an axis takes the last one when none is written."""
        known = self.kinds.find(kind.name)
        if known is None or not known.axis or kind.axis is not None or not axes:
            return kind
        last = axes[-1]
        return Kind(kind.name, axis=last.label) if isinstance(last, Axis) else kind

    def declared(self, found: ObjectDef) -> Object:
        """The value of a declared object, read in its own module. Raises Refused."""
        if found.value is None:
            found.value = self.object(found.node.value, Env(found.module))
        return found.value

    def no_type(self, node: ast.Expr, env: Env, axes: bool = False) -> Refused:
        """Why an expression is no type, or no kind that axes may stand behind."""
        span = env.module.span(node)
        if isinstance(node, ast.Bad):
            return Refused()
        if isinstance(node, ast.Name):
            found = env.find(node.id)
            if isinstance(found, BadDef):
                return Refused()
            if found is None:
                return self.statics.refuse(
                    wrong.UnknownName(span, node.id, "type", alike(node.id, env, KindDef, ObjectDef, Object, Kind))
                )
            return self.statics.refuse(wrong.WrongSort(span, node.id, "a type", sort_of(found)))
        if isinstance(node, ast.Call):
            return self.not_applied(node, env, axes)
        return self.statics.refuse(wrong.BadValue(span, "this is not a type"))

    def not_applied(self, node: ast.Call, env: Env, axes: bool) -> Refused:
        """Why a type with an argument is none: `F(C)` is a functor on an object, `Fin(n)` a kind."""
        root = node.function.base if isinstance(node.function, ast.Index) else node.function
        if not isinstance(root, ast.Name):
            return self.statics.refuse(wrong.BadValue(env.module.span(node), "this is not a type"))
        span, found = env.module.span(root), env.find(root.id)
        if isinstance(found, BadDef):
            return Refused()
        if found is not None:
            wanted = "a kind" if axes else "a functor"
            return self.statics.refuse(wrong.WrongSort(span, root.id, wanted, sort_of(found)))
        close = near(root.id, (*alike(root.id, env, KindDef, Kind, *(() if axes else (FunctorDef,))), "Fin"))
        sort = "kind" if axes or (close and not isinstance(env.find(close[0]), FunctorDef)) else "functor"
        return self.statics.refuse(wrong.UnknownName(span, root.id, sort, close))

    def distinct(self, axes: tuple[AxisItem, ...], node: ast.Expr, env: Env) -> None:
        """Labels of one list are distinct. Raises Refused."""
        seen: set[str] = set()
        for axis in axes:
            if isinstance(axis, Axis) and isinstance(axis.label, str):
                if axis.label in seen:
                    raise self.statics.refuse(
                        wrong.LabelRepeated(env.module.span(node), axis.label.rpartition("::")[2], "in this type")
                    )
                seen.add(axis.label)


def no_argument(span: Span, kind: str, given: Span) -> Diagnostic:
    """`Real(D)`, where `Real[D]` was meant, or `Real` if the axes stand behind."""
    if span.source.text.startswith("[", span.end):
        help_ = Help("leave it out", (Edit(span, kind),))
    else:
        meant = f"{kind}[{given.text}]"
        help_ = Help(f"axes stand in square brackets: `{meant}`", (Edit(span, meant),))
    return wrong.BadValue(given, f"the kind `{kind}` takes no argument", "", (help_,))
