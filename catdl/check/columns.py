"""Where the samples of a learner come from, and which column of them each input is.

Takes `table("digits.npz", input = image / 16, target = label)` and the ports of model and loss; guarantees one column
for each port, in their order, with the type that its numbers have to have, and for each var dim of them the column that
says how many elements each sample has, where the spec names one: `N = nodes`.
"""

from __future__ import annotations

from fractions import Fraction

from catdl import diagnostics as wrong
from catdl.check.context import Context
from catdl.check.results import called
from catdl.check.scope import Env
from catdl.check.static import Refused
from catdl.check.values import show_value
from catdl.diagnostics.suggest import near
from catdl.diagram.learner import Column, Cut, Data, Foreign, Sizes
from catdl.diagram.model import Diagram
from catdl.record import record, replace
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.ragged import of_leaves, ragged_syms
from catdl.types.sizes import short
from catdl.types.types import Axis, Leaf, Object, show_leaf

SOURCES = ("table", "text", "images", "python")
_IMAGE_COLUMNS = ("image", "label")
FORMATS = (".npz", ".csv", ".parquet", ".safetensors")


@record
class Ports:
    """What columns come to: the inputs of the model, then what the loss takes beside its results."""

    names: tuple[str, ...]
    types: tuple[Leaf, ...]
    inputs: int
    targets: Object

    @staticmethod
    def of(model: Diagram | None, targets: Object) -> Ports:
        """The ports of a learner; those without a name are `input` and `target`, numbered where there are several.

        Where the model has an input `target`, as the edges of a graph have, the loss's is `target_2`.
        """
        taken = model.inputs if model is not None else ()
        types = tuple(model.wires[w].type for w in taken) if model is not None else ()
        names = named(model.domain_names if model is not None else (), "input" if model is not None else "")
        word = "target" if model is not None else "input"
        return Ports(
            (*names, *(f"{name}_2" if name == word in names else name for name in named(targets.names, word))),
            (*types, *targets.leaves),
            len(taken),
            targets,
        )


def named(names: tuple[str | None, ...], word: str) -> tuple[str, ...]:
    """The names of ports, made up where there are none."""
    loose = sum(name is None for name in names)
    out: list[str] = []
    number = 0
    for name in names:
        if name is None:
            number += 1
            out.append(word if loose == 1 else f"{word}_{number}")
        else:
            out.append(name)
    return tuple(out)


def data_of(ctx: Context, node: ast.Expr, env: Env, ports: Ports | None, owner: str) -> Data:
    """One source of samples. Raises Refused."""
    span = env.module.span(node)
    how = node.function.id if isinstance(node, ast.Call) and isinstance(node.function, ast.Name) else ""
    if not isinstance(node, ast.Call) or how not in SOURCES:
        raise ctx.refuse(wrong.NoSuchSetting(span, "source of data", how or span.text, SOURCES, near(how, SOURCES)))
    place: str | None = None
    found: dict[str, ast.Arg] = {}
    for arg in node.args:
        at = env.module.span(arg)
        if arg.sep != "=" or arg.name is None:
            if place is not None or not isinstance(arg.value, ast.Text):
                raise ctx.refuse(wrong.BadSetting(at, how, "a path, then columns `input = name`", f"`{at.text}`"))
            place = arg.value.value
        elif arg.name in found:
            raise ctx.refuse(wrong.DuplicateName(at, arg.name, env.module.span(found[arg.name])))
        else:
            found[arg.name] = arg
    if place is None:
        sort = {"images": "the path of a folder", "python": 'what gives the samples, "package.module:Name"'}
        named = "target" if how == "python" else "path"
        raise ctx.refuse(wrong.SettingMissing(span, how, named, sort.get(how, "the path of a file")))
    if how == "table" and not place.endswith(FORMATS):
        kinds = ", ".join(FORMATS)
        raise ctx.refuse(wrong.BadSetting(env.module.span(node.args[0]), "path", f"a file of {kinds}", f'"{place}"'))
    if ports is None:
        raise Refused
    dims = {short(dim): dim for dim in sorted(of_leaves(ports.types)) if short(dim) not in ports.names}
    told = {name: found.pop(name) for name in dims if name in found}
    cut = cut_of(ctx, found, env, ports, span) if how == "text" else None
    outside = None
    if how == "python":
        if dims:
            raise ctx.refuse(wrong.BadSetting(span, "data", "a table where samples differ in size", "`python(…)`"))
        own = tuple(arg for arg in node.args if arg.name not in ports.names)
        found = {name: arg for name, arg in found.items() if name in ports.names}
        outside = Foreign(*called(ctx, replace(node, args=own), env, "a data set"), span)
    read = columns(ctx, found, env, ports, owner, node, tuple(dims), how)
    for each in read:
        if how == "images" and each.source not in _IMAGE_COLUMNS:
            at, close = each.span, near(each.source, _IMAGE_COLUMNS)
            raise ctx.refuse(wrong.NoSuchSetting(at, "column of images", each.source, _IMAGE_COLUMNS, close))
    return Data(how, place, read, sizes(ctx, told, env, ports, span), span, cut, outside)


def cut_of(ctx: Context, found: dict[str, ast.Arg], env: Env, ports: Ports, span: Span) -> Cut:
    """How a text is cut: into windows as long as is said, or as their axis is, or into lines. Raises Refused."""
    given: dict[str, int] = {}
    for name in ("window", "every"):
        arg = found.pop(name, None)
        number = ctx.statics.value(arg.value, env) if arg is not None else None
        if (
            isinstance(number, Fraction | int)
            and not isinstance(number, bool)
            and number >= 1
            and number == int(number)
        ):
            given[name] = int(number)
        elif arg is not None:
            sort = "a whole number of bytes"
            raise ctx.refuse(wrong.BadSetting(env.module.span(arg.value), name, sort, show_value(number)))
    along = next((axis.size for leaf in ports.types for axis in leaf.axes[:1] if isinstance(axis, Axis)), None)
    window = given.get("window", along if isinstance(along, int) else None)
    if window is None and (along is None or not ragged_syms(along)):
        raise ctx.refuse(wrong.SettingMissing(span, "text", "window", "how many bytes each sample has"))
    return Cut(window, given.get("every", window or 1))


def sizes(ctx: Context, told: dict[str, ast.Arg], env: Env, ports: Ports, span: Span) -> tuple[Sizes, ...]:
    """What says how large each sample is along each var dim. Raises Refused."""
    out: list[Sizes] = []
    for dim in sorted(of_leaves(ports.types)):
        arg = told.get(short(dim))
        source = arg.value if arg is not None else None
        match source:
            case None:
                out.append(Sizes(dim, None, span))
            case ast.Name(name) | ast.Text(name):
                out.append(Sizes(dim, name, env.module.span(source)))
            case _:
                at = env.module.span(source)
                raise ctx.refuse(wrong.BadSetting(at, short(dim), "the name of a column", f"`{at.text}`"))
    return tuple(out)


def columns(
    ctx: Context,
    found: dict[str, ast.Arg],
    env: Env,
    ports: Ports,
    owner: str,
    node: ast.Expr,
    dims: tuple[str, ...],
    how: str,
) -> tuple[Column, ...]:
    """One column for each port. Raises Refused."""
    wrong_ones = [name for name in found if name not in ports.names]
    for name in wrong_ones:
        free = [port for port in (*ports.names, *dims) if port not in found]
        close = near(name, free)
        arg = found[name]
        span = Span(env.module.source, arg.start, arg.start + len(name))
        ctx.report(wrong.ColumnLeftOver(span, name, (*ports.names, *dims), close))
    missing = [
        (name, show_leaf(leaf)) for name, leaf in zip(ports.names, ports.types, strict=True) if name not in found
    ]
    if missing and len(missing) > len(wrong_ones):
        ctx.report(wrong.ColumnMissing(env.module.span(node), tuple(missing), owner))
    if missing or wrong_ones:
        raise Refused
    pairs = zip(ports.names, ports.types, strict=True)
    return tuple(column(ctx, found[name], env, name, leaf, how) for name, leaf in pairs)


def column(ctx: Context, arg: ast.Arg, env: Env, port: str, leaf: Leaf, how: str) -> Column:
    """A column, with the arithmetic that is done to its numbers: `image / 16`, `x * 2 - 1`. Raises Refused."""
    span = env.module.span(arg.value)
    scale, shift = Fraction(1), Fraction(0)
    node = arg.value
    steps: list[tuple[str, ast.Expr]] = []
    while isinstance(node, ast.Chain):
        steps += reversed(list(zip(node.operators, node.operands[1:], strict=True)))
        node = node.operands[0]
    for operator, operand in reversed(steps):
        number = ctx.statics.value(operand, env)
        if isinstance(number, int) and not isinstance(number, bool):
            number = Fraction(number)
        if not isinstance(number, Fraction) or operator not in "+-*/" or (operator == "/" and number == 0):
            at = env.module.span(operand)
            raise ctx.refuse(wrong.BadSetting(at, "column", "a name, with numbers by `+ - * /`", show_value(number)))
        match operator:
            case "+":
                shift += number
            case "-":
                shift -= number
            case "*":
                scale, shift = scale * number, shift * number
            case _:
                scale, shift = scale / number, shift / number
    match node:
        case ast.Name(source) | ast.Text(source):
            return Column(port, source, scale, shift, leaf, span)
        case ast.Number(int(place)) if how == "python":
            return Column(port, str(place), scale, shift, leaf, span)
        case _:
            at = env.module.span(node)
            raise ctx.refuse(wrong.BadSetting(at, "column", "the name of a column", f"`{at.text}`"))
