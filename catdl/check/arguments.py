"""The arguments of a call by signature: static ones by sort, axes in brackets, and the binding they open.

Takes a call taken apart; guarantees that every static parameter is given, defaulted or known to be inferred.
"""

from __future__ import annotations

from fractions import Fraction

from catdl import diagnostics as wrong
from catdl.check.builder import W
from catdl.check.context import Context, Head
from catdl.check.scope import BadDef, Env, MorphismDef, Static
from catdl.check.signature import (
    ChoicePart,
    LabelOf,
    LeafPart,
    ObjectPart,
    Row,
    Scheme,
    axis_sort,
    labelled,
    sized,
)
from catdl.check.sorts import fits, is_value, phrase
from catdl.check.static import Refused, visible
from catdl.check.values import as_number, show_value
from catdl.check.ways import Port
from catdl.diagnostics.suggest import near
from catdl.record import field, record
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import Axis, LabelVar, label_of, show_axis


@record(frozen=False)
class Binding:
    """The binders of one call on their way to being known."""

    ctx: Context
    definition: MorphismDef
    scheme: Scheme
    span: Span
    names: dict[str, object]
    env: Env
    explicit: dict[str, str] = field(default_factory=dict)  # axis binder -> label given
    sized: dict[str, ast.Arg] = field(default_factory=dict)  # label given -> how, where a size was written with it
    explicit_row: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fresh: bool = False
    placed: bool = False  # the wires were permuted to the order of the signature
    head: Head | None = None  # the call as it is written
    bound_by: dict[str, W] = field(default_factory=dict)  # the wire that said what a binder is

    def port(self, index: int = 0, count: int = 1, name: str | None = None) -> Port:
        """One of the places of the call that take wires."""
        return (
            self.head.port(index, count, name)
            if self.head is not None
            else Port(self.definition.name, index, count, name)
        )

    def sort(self, name: str) -> str | None:
        """The sort of a binder or axis parameter, None for any other name."""
        assert self.definition.sorts is not None
        return self.definition.sorts.get(name)


def known_argument(ctx: Context, arg: ast.Arg, env: Env) -> None:
    """Say of an argument that has no place here first that it is no name at all. Raises Refused."""
    if not isinstance(arg.value, ast.Name):
        return
    found = env.find(arg.value.id)
    if found is None and arg.value.id not in ("true", "false"):
        raise ctx.refuse(
            wrong.UnknownName(env.module.span(arg.value), arg.value.id, "name", near(arg.value.id, visible(env)))
        )
    if isinstance(found, BadDef):
        raise Refused


def bind_arguments(ctx: Context, definition: MorphismDef, head: Head, span: Span) -> dict[str, object]:
    """Static arguments by name, defaults left out. Raises Refused."""
    params = definition.head.params or ()
    named = {p.name: p for p in params if p.name is not None}
    places = [p.name for p in params]
    for equation in definition.equations:
        for place, param in enumerate(equation.params or ()):
            if place < len(places) and places[place] is None and param.name is not None:
                places[place] = param.name
                named[param.name] = param
    slots = [name if name is not None else f"#{i}" for i, name in enumerate(places)]
    values: dict[str, object] = {}
    place = 0
    by_name = {arg.name for arg in head.args if arg.sep == "="}
    plain = sum(arg.sep != "=" for arg in head.args)
    for arg in head.args:
        where = head.env.module.span(arg)
        if arg.sep == "=" and arg.name is not None:
            name = arg.name
            if name in values:
                raise ctx.refuse(wrong.BadValue(where, f"`{name}` is given twice"))
            if name not in named:
                available = tuple(named)
                raise ctx.refuse(wrong.UnknownArgument(where, name, definition.name, near(name, available), available))
        else:
            if place >= len(slots) or slots[place] in by_name:  # what has a name is given once
                known_argument(ctx, arg, head.env)
                raise ctx.refuse(wrong.TooManyArguments(where, definition.name, place, plain, tuple(named)))
            name = slots[place]
            place += 1
        values[name] = argument(ctx, arg, named.get(name), head.env, definition)
    return values


def argument(ctx: Context, arg: ast.Arg, param: ast.StaticParam | None, env: Env, definition: MorphismDef) -> object:
    """One static argument at its sort. Raises Refused."""
    sort = param.sort.id if param is not None and isinstance(param.sort, ast.Name) else None
    if param is not None and axis_sort(param):
        sort = "axis"
    where = env.module.span(arg)
    name = (param.name if param is not None else None) or ""
    if sort == "axis":
        arg = labelled(arg)
        if arg.sep != ":" and not isinstance(arg.value, (ast.Name, ast.Tuple)):
            return Axis(ctx.solver.label(), ctx.statics.size(arg.value, env))
        plain_arg = ast.Arg(
            arg.name if arg.sep == ":" else None, arg.sep if arg.sep == ":" else "", arg.value, arg.start, arg.end
        )
        if arg.sep != ":" and isinstance(arg.value, ast.Name):
            value = env.find(arg.value.id)
            if isinstance(value, Static):
                return Axis(ctx.solver.label(), ctx.statics.size(arg.value, env))
        axis = ctx.types.axis(plain_arg, env)
        if isinstance(axis, Axis):
            return axis
        raise ctx.refuse(wrong.BadArgument(where, name, "an axis", "a row of axes", definition.name))
    if sort == "size":
        return ctx.statics.size(arg.value, env)
    value = ctx.statics.value(arg.value, env)
    value = as_number(value)
    if isinstance(value, Fraction) and value.denominator == 1:
        value = value.numerator
    if param is not None and param.sort is not None and is_value(param.sort) and not fits(param.sort, value):
        raise ctx.refuse(wrong.BadArgument(where, name, phrase(param.sort), show_value(value), definition.name))
    return value


def open_binding(
    ctx: Context, definition: MorphismDef, scheme: Scheme, head: Head, values: dict[str, object], span: Span
) -> Binding:
    """A binding with static arguments, defaults and explicit axes in place. Raises Refused."""
    names: dict[str, object] = {}
    env = Env(definition.module, None, names)
    binding = Binding(ctx, definition, scheme, span, names, env, head=head)
    for param in definition.head.params or ():
        if param.name is None:
            continue
        if param.name in values:
            value = values[param.name]
            names[param.name] = value if isinstance(value, Axis) else Static(value)
        elif param.default is not None:
            if axis_sort(param):
                names[param.name] = Axis(ctx.solver.label(), ctx.statics.size(param.default, env))
            else:
                names[param.name] = Static(ctx.statics.value(param.default, env))
        elif not sized(param):
            raise ctx.refuse(wrong.MissingArgument(span, param.name, definition.name, definition.module.span(param)))
    if head.items is not None:
        explicit_axes(binding, head)
    return binding


def told_all(binding: Binding) -> None:
    """Refuse a call of which neither an argument, nor a wire, nor the result says a size. Raises Refused."""
    definition = binding.definition
    for param in definition.head.params or ():
        if param.name is not None and sized(param) and param.name not in binding.names:
            at = definition.module.span(param)
            raise binding.ctx.refuse(wrong.MissingArgument(binding.span, param.name, definition.name, at))


def take_labels(binding: Binding) -> None:
    """A size given for `O : axis(C)` takes the label of C."""
    for param in binding.definition.head.params or ():
        if not isinstance(param.sort, ast.Call) or param.name is None:
            continue
        mine, source = binding.names.get(param.name), param.sort.args[0].value
        if (
            isinstance(mine, Axis)
            and isinstance(mine.label, LabelVar)
            and mine.label.bound is None
            and isinstance(source, ast.Name)
        ):
            other = binding.names.get(source.id)
            if isinstance(other, Axis):
                mine.label.bound = other.label


def fillable(definition: MorphismDef, scheme: Scheme) -> list[tuple[str, str]]:
    """The binders that axes in brackets fill, in order: a row only where the input leaves it open."""
    rows_open: set[str] = set()
    in_domain: set[str] = set()
    for part in scheme.domain:
        if isinstance(part, ChoicePart):
            in_domain.update(
                i.value.name
                for p in part.then
                if isinstance(p, LeafPart)
                for i in p.items
                if isinstance(i.value, ast.Splice) and i.value.name
            )
        elif isinstance(part, LeafPart):
            rows = [i.value.name for i in part.items if isinstance(i.value, ast.Splice) and i.value.name]
            in_domain.update(rows)
            if len(rows) > 1:
                order = [name for name, _ in scheme.binders if name in rows]
                rows_open.update(order[: len(rows) - 1])
        elif isinstance(part, ObjectPart):
            in_domain.add(part.binder)
    out: list[tuple[str, str]] = []
    for name, sort in scheme.binders:
        if (
            sort in ("axis", "label")
            or (sort == "row" and (name in rows_open or name not in in_domain))
            or sort == "object"
        ):
            out.append((name, sort))
    return out


def explicit_axes(binding: Binding, head: Head) -> None:
    """Bind what stands in brackets. Raises Refused."""
    ctx, env = binding.ctx, head.env
    items = list(head.items or ())
    slots = fillable(binding.definition, binding.scheme)
    in_domain = {
        item.value.id if isinstance(item.value, ast.Name) and item.sep != ":" else item.name or ""
        for part in binding.scheme.domain
        if isinstance(part, LeafPart)
        for item in part.items
        if not isinstance(item.value, ast.Splice)
    }
    rows_in_domain = {
        item.value.name
        for part in binding.scheme.domain
        if isinstance(part, LeafPart)
        for item in part.items
        if isinstance(item.value, ast.Splice)
    }
    for name, sort in slots:
        if not items:
            break
        if sort == "row":
            if name in rows_in_domain:
                if len(items) == 1 and isinstance(items[0].value, ast.Splice) and items[0].value.name is None:
                    binding.explicit_row[name] = ("*",)
                else:
                    binding.explicit_row[name] = tuple(given_label(binding, item, env) for item in items)
            else:
                binding.names[name] = Row(ctx.types.axes(tuple(items), env))
            items = []
        elif sort == "object":
            item = items.pop(0)
            binding.names[name] = ctx.types.object(item.value, env)
        else:
            item = items.pop(0)
            if name in in_domain:
                binding.explicit[name] = given_label(binding, item, env)
            else:
                axis = ctx.types.single(item, env)
                binding.names[name] = LabelOf(axis.label) if sort == "label" else axis
    if items:
        where = env.module.span(items[0])
        raise ctx.refuse(wrong.TooManyArguments(where, binding.definition.name, len(slots), len(head.items or ()), ()))


def given_label(binding: Binding, item: ast.Arg, env: Env) -> str:
    """The label that an item in brackets names. Raises Refused."""
    ctx = binding.ctx
    item = labelled(item)
    if item.sep == ":" and item.name is not None:
        name = item.name
    elif isinstance(item.value, ast.Name):
        name = item.value.id
    else:
        axis = ctx.types.axis(item, env) if isinstance(item.value, ast.Tuple) else None
        if isinstance(axis, Axis):
            return show_axis(Axis(axis.label, 0)).split(":")[0]
        raise ctx.refuse(wrong.NotAnAxis(env.module.span(item), binding.definition.name))
    label = label_of(ctx.types.label(name, env))
    found = label if isinstance(label, str) else f"?{name}"
    if item.sep == ":":
        binding.sized[found] = item
    return found


def fill(binding: Binding, node: ast.Expr) -> None:
    """Give every binder in an expression that is not bound yet an unknown."""
    ctx = binding.ctx
    stack: list[ast.Expr] = [node]
    while stack:
        expr = stack.pop()
        match expr:
            case ast.Name(id):
                if id in binding.names and not isinstance(binding.names[id], LabelOf):
                    continue
                match binding.sort(id):
                    case "axis":
                        known = binding.names.get(id)
                        label = known.label if isinstance(known, LabelOf) else ctx.solver.label()
                        binding.names[id] = Axis(label, ctx.solver.size(binding.span, unknown_text(binding, id)))
                        binding.fresh = True
                    case "size":
                        binding.names[id] = Static(ctx.solver.size(binding.span, unknown_text(binding, id)))
                        binding.fresh = True
                    case _:
                        param = next((p for p in binding.definition.head.params or () if p.name == id), None)
                        if param is not None and isinstance(param.sort, ast.Name) and param.sort.id == "size":
                            binding.names[id] = Static(ctx.solver.size(binding.span, unknown_text(binding, id)))
                            binding.fresh = True
            case ast.Splice(name) if name is not None and name not in binding.names:
                binding.names[name] = Row((ctx.solver.row(binding.span, f"the result of `{binding.definition.name}`"),))
                binding.fresh = True
            case ast.Chain(operands, _):
                stack += operands
            case ast.Negate(operand):
                stack.append(operand)
            case ast.Power(base, exponent):
                stack += [base, exponent]
            case ast.Call(function, args):
                stack += [function, *(a.value for a in args)]
            case ast.Tuple(items):
                stack += [i.value for i in items]
            case ast.Index(base, items):
                stack += [base, *(i.value for i in items)]
            case ast.Tensor(legs):
                stack += legs
            case ast.Field(base):
                stack.append(base)
            case _:
                pass


def unknown_text(binding: Binding, name: str) -> str:
    """What an unknown is, in words."""
    params = [p.name for p in binding.definition.head.params or ()]
    if name in params:
        return f"the size of `{binding.definition.name}`"
    return f"the size `{name}` of `{binding.definition.name}`"
