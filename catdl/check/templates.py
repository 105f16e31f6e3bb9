"""Templates: morphisms elaborated in place, for they take morphisms or have no signature.

A higher-order morphism without parameters of its own adds its boxes to the diagram around it, so it adds no segment to
a key.
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.arguments import Binding, bind_arguments, fill, open_binding
from catdl.check.builder import BAD, Builder, Bundle, Closure, Inner, W, unmade
from catdl.check.calls import codomain
from catdl.check.closures import check_tie
from catdl.check.context import Context, Head
from catdl.check.inner import emit_inner, inner_diagram
from catdl.check.match import match_domain
from catdl.check.plugs import attach, read_plugs
from catdl.check.ports import in_order
from catdl.check.scope import Env, MorphismDef, Static
from catdl.check.signature import FixedPart, Scheme, binder_sorts, sized
from catdl.check.values import show_value
from catdl.record import replace
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import Axis, Leaf, Object


def expand(ctx: Context, definition: MorphismDef, head: Head, b: Builder, inp: Bundle) -> Bundle:
    """A template in place. Raises Refused."""
    span = head.span
    assert span is not None
    params = definition.head.params or ()
    names: dict[str, object] = {}
    closures: list[tuple[ast.StaticParam, Closure]] = []
    plain: list[ast.Arg] = []
    slots = [p.name or f"#{i}" for i, p in enumerate(params)]
    by_name = {p.name: p for p in params if p.name}
    place = 0
    for arg in head.args:
        if arg.sep == "=" and arg.name is not None:
            name = arg.name
        else:
            name = slots[place] if place < len(slots) else ""
            place += 1
        param = by_name.get(name)
        if (
            param is not None
            and (isinstance(param.sort, ast.Arrow) or not ctx.statics.is_static(arg.value, head.env))
            and not sized(param)
        ):
            tie = param.tie
            value = arg.value
            if isinstance(value, ast.Tie):
                tie, value = value.word, value.body
            closure = Closure(value, head.env, None, tie, head.env.module.span(arg))
            closure.param = param.name
            closure.over = ctx.over
            closure.wanted = definition.module.span(param)
            names[param.name or ""] = closure
            closures.append((param, closure))
        else:
            plain.append(arg)
    rest = Head(definition, definition.name, head.env, plain, head.items, [], None, span, head.root, head.way)
    known = {p.name for p, _ in closures}
    for param in params:
        if isinstance(param.sort, ast.Arrow) and param.name not in known and param.default is None:
            raise ctx.refuse(
                wrong.MissingArgument(span, param.name or "", definition.name, definition.module.span(param))
            )
    scheme = ctx.library.scheme(definition)
    wires, groups = inp.wires, inp.groups
    binding: Binding | None = None
    values = bind_arguments(ctx, without(definition, known), rest, span)
    if scheme is not None:
        binding = open_binding(ctx, without(definition, known), scheme, rest, values, span)
        binding.names.update(names)
        wires, _ = match_domain(binding, inp)
        names = binding.names
        for param, closure in closures:
            if isinstance(param.sort, ast.Arrow):
                closure.arrow = arrow(ctx, param.sort, binding)
    else:
        sorts = definition.sorts or binder_sorts(definition.head)
        binders = tuple((binder.name, sorts[binder.name]) for binder in definition.head.binders)
        unsigned = Scheme(binders, (), (), False, True)
        binding = open_binding(ctx, without(definition, known), unsigned, rest, values, span)
        binding.names.update(names)
        if definition.sorts:
            find_out(binding)
        names = binding.names
    equation = choose(ctx, definition, values, names, span)
    env = Env(definition.module, None, names)
    inp = Bundle(wires, inp.names if scheme is None else port_names(scheme, len(wires)))
    inp.groups = groups
    body = equation.body
    if body is None:
        raise ctx.refuse(wrong.BadValue(definition.module.span(equation), f"`{definition.name}` has no body"))
    plugs = read_plugs(ctx, head, b)
    ctx.over = None  # the body is written elsewhere
    higher_order = bool(closures)
    inline = higher_order and not ctx.library.traits(definition)[0] and head.label is None
    if inline:
        start = len(b.boxes)
        out = ctx.apply(body, env, b, inp)
        for _, closure in closures:
            check_tie(ctx, closure)
        if plugs and not out.bad:
            attach(ctx, b.boxes[start:], plugs, span, definition.name)
        out = result(ctx, binding, scheme, out, wires, span)
        return promised(binding, scheme, b, wires) if out.bad else out
    leaves = [w.leaf for w in wires]
    inner, out = inner_diagram(
        ctx, b, definition.name, leaves, wires, lambda i, x: ctx.apply(body, env, i, like(x, inp))
    )
    inner.owner = definition
    inner.arguments = tuple(values.items())
    for _, closure in closures:
        check_tie(ctx, closure)
    out = result(ctx, binding, scheme, out, wires, span)
    if out.bad:
        return promised(binding, scheme, b, wires)
    inner.outputs = [inner.take(w) for w in out.wires]
    made = emit_inner(
        b,
        Inner("call", inner, definition.name),
        wires,
        [w.leaf for w in inner.outputs],
        out.names,
        definition.name,
        span,
        head.label,
    )
    if plugs:
        attach(ctx, b.boxes[-1:], plugs, span, definition.name)
    return made


def find_out(binding: Binding) -> None:
    """Make unknowns of the dims that an algebra leaves to its use and nobody said. Raises Refused."""
    definition = binding.definition
    for name, sort in binding.scheme.binders:
        if sort not in ("axis", "size") and name not in binding.names:
            where = next(definition.module.span(b) for b in definition.head.binders if b.name == name)
            raise binding.ctx.refuse(wrong.MissingArgument(binding.span, name, definition.name, where))
        fill(binding, ast.Name(name, 0, 0))
    for param in definition.head.params or ():
        if param.name is not None and sized(param):
            fill(binding, ast.Name(param.name, param.start, param.end))


def like(bundle: Bundle, form: Bundle) -> Bundle:
    """The wires of one bundle under the ports of another."""
    out = Bundle(bundle.wires, form.names)
    out.groups = form.groups
    return out


def without(definition: MorphismDef, names: set[str | None]) -> MorphismDef:
    """The morphism as if the arguments already taken were not its own."""
    if not names:
        return definition
    equations = [
        replace(e, params=tuple(p for p in e.params or () if p.name not in names)) for e in definition.equations
    ]
    return MorphismDef(definition.name, definition.module, equations, definition.span, (), definition.sorts)


def port_names(scheme: Scheme, count: int) -> tuple[str | None, ...] | None:
    """The names of a signature's input ports."""
    names: list[str | None] = []
    for part in scheme.domain:
        if isinstance(part, FixedPart):
            names += part.value.names
        else:
            names.append(part.name)
    return tuple(names) if len(names) == count and any(names) else None


def arrow(ctx: Context, node: ast.Arrow, binding: Binding) -> tuple[Object, Object, bool] | None:
    """The sort of a morphism argument; None where it has binders that only the argument determines."""
    sorts = binding.definition.sorts or {}
    stack: list[ast.Expr] = [node.domain, node.codomain]
    while stack:
        match stack.pop():
            case ast.Name(id):
                if id in sorts and id not in binding.names:
                    return None
            case ast.Index(base, items):
                stack += [base, *(i.value for i in items)]
            case ast.Splice(name):
                if name in sorts and name not in binding.names:
                    return None
            case ast.Tensor(legs):
                stack += legs
            case ast.Tuple(items):
                stack += [i.value for i in items]
            case ast.Call(_, args):
                stack += [a.value for a in args]
            case _:
                pass
    return (ctx.types.object(node.domain, binding.env), ctx.types.object(node.codomain, binding.env), node.random)


def result(ctx: Context, binding: Binding, scheme: Scheme | None, out: Bundle, wires: list[W], span: Span) -> Bundle:
    """A template's result against its declared codomain. Raises Refused."""
    if scheme is None or out.bad or loose(binding, scheme):
        return out
    leaves, _, names = codomain(binding, None, len(wires[0].leaf.axes) if wires else 0)
    if len(leaves) != len(out.wires):
        raise ctx.refuse(
            wrong.ArityMismatch(span, len(leaves), len(out.wires), f"the result of `{binding.definition.name}`")
        )
    out = in_order(out, names)
    for wire, leaf in zip(out.wires, leaves, strict=True):
        # A generic object stands for whatever both ends can be read as, so a result may mean less than the input.
        weaker = ctx.kinds.coerces(leaf.kind.name, wire.leaf.kind.name)
        target = Leaf(wire.leaf.kind, leaf.axes) if weaker else leaf
        if not ctx.port(wire, target, span, f"the result of `{binding.definition.name}`", way=out.way):
            return BAD
    return Bundle(out.wires, tuple(names) if any(names) else None)


def loose(binding: Binding, scheme: Scheme) -> bool:
    """Whether there is an object that only the body says."""
    return any(sort == "object" and name not in binding.names for name, sort in scheme.binders)


def promised(binding: Binding, scheme: Scheme | None, b: Builder, wires: list[W]) -> Bundle:
    """What a signature says of the result of a body with a mistake: what comes after it is read all the same.

    Raises Refused.
    """
    if scheme is None or loose(binding, scheme):
        return BAD
    leaves, _, names = codomain(binding, None, len(wires[0].leaf.axes) if wires else 0)
    binding.ctx.failed = True  # where the parser told of the mistake, nobody has said so here
    return unmade(b, leaves, names, binding.span)


def choose(
    ctx: Context, definition: MorphismDef, values: dict[str, object], names: dict[str, object], span: Span
) -> ast.Morphism:
    """The first equation whose literals the arguments match; binds its own names. Raises Refused."""
    if len(definition.equations) == 1 and not any(p.literal is not None for p in definition.head.params or ()):
        return definition.head
    slots: list[str] = []
    for i, param in enumerate(definition.head.params or ()):
        other = next(
            (e.params[i].name for e in definition.equations if e.params and i < len(e.params) and e.params[i].name),
            None,
        )
        slots.append(param.name or other or f"#{i}")
    given: list[object] = []
    for slot in slots:
        value = values.get(slot)
        if value is None:
            found = names.get(slot)
            value = found.value if isinstance(found, Static) else found
        given.append(value)
    for equation in definition.equations:
        bound: dict[str, object] = {}
        for param, value in zip(equation.params or (), given, strict=False):
            if param.literal is not None:
                if ctx.statics.value(param.literal, Env(definition.module)) != value:
                    break
            elif param.name is not None and not isinstance(value, Closure):
                bound[param.name] = value if isinstance(value, Axis) else Static(value)
            elif param.name is not None:
                bound[param.name] = value
        else:
            names.update(bound)
            return equation
    shown = ", ".join(show_value(v) for v in given)
    raise ctx.refuse(
        wrong.NoEquationMatches(
            span, definition.name, shown, tuple(definition.module.span(e) for e in definition.equations)
        )
    )
