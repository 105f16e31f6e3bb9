"""Higher-order constructions: boxes that hold diagrams, morphism arguments, templates, and the structural maps.

Takes a call whose arguments are morphism expressions; guarantees that an argument is elaborated in the scope it was
written in, that what it reads from outside enters the inner diagram as a captured input, and that weights used twice
are tied or fresh by a word in the text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from catdl import diagnostics as wrong
from catdl.check import lists, machines, moore
from catdl.check.annotate import annotate
from catdl.check.builder import BAD, Bundle, Closure, Inner
from catdl.check.context import Head
from catdl.check.folds import no_trees
from catdl.check.inner import emit_inner, inner_diagram, named
from catdl.check.rules.common import Rule, known_axes, pointwise
from catdl.check.scope import Env, LawDef, MorphismDef
from catdl.check.solver import Blame
from catdl.check.static import Refused
from catdl.check.steps import lesser
from catdl.check.timed import step
from catdl.check.ways import Step
from catdl.syntax import ast
from catdl.types.types import Axis, Kind, Leaf, Object, label_of, show_axis, show_leaf

REPEAT_LIMIT = 100_000


def morphism_arg(rule: Rule, place: int, name: str) -> tuple[ast.Expr, str | None]:
    """A morphism argument with the word before it. Raises Refused."""
    plain = [a for a in rule.head.args if a.sep != "="]
    if len(plain) <= place:
        raise rule.ctx.refuse(wrong.MissingArgument(rule.span, name, rule.name))
    if len(plain) > place + 1:
        raise rule.ctx.refuse(
            wrong.TooManyArguments(rule.head.env.module.span(plain[place + 1]), rule.name, place + 1, len(plain))
        )
    for arg in rule.head.args:
        if arg.sep == "=":
            raise rule.ctx.refuse(wrong.UnknownArgument(rule.head.env.module.span(arg), arg.name or "", rule.name))
    value = plain[place].value
    if isinstance(value, ast.Tie):
        return value.body, value.word
    return value, None


def segment_of(expr: ast.Expr, default: str) -> str:
    """The segment a box with this body gets: the name of the morphism used."""
    while True:
        match expr:
            case ast.Name(id):
                return id
            case ast.Call(function, _):
                expr = function
            case ast.Index(base, _) | ast.Plug(base, _):
                expr = base
            case ast.Labelled(name, _):
                return name
            case ast.Tie(_, body):
                expr = body
            case _:
                return default


def element_segment(rule: Rule, expr: ast.Expr, default: str) -> str:
    """The segment of a repeated body; a higher-order body that adds none gives the name of the construction."""
    name = segment_of(expr, default)
    found = rule.head.env.find(name)
    if isinstance(found, MorphismDef):
        if "core" in found.modifiers:
            return name if rule.ctx.library.traits(found)[0] else default
        takes = any(isinstance(p.sort, ast.Arrow) for p in found.head.params or ())
        if takes and not rule.ctx.library.traits(found)[0]:
            return default
        return name
    if isinstance(found, Closure):
        if found.name is not None:
            return found.name
        return segment_of(found.expr, default) if not found.opaque else default
    return default


def rounds(rule: Rule, node: ast.Expr) -> int:
    """How often something is repeated. Raises Refused."""
    ctx = rule.ctx
    count = rule.whole(ctx.statics.value(node, rule.head.env), "n")
    if count < 0:
        raise ctx.refuse(wrong.BadArgument(rule.span, "n", "zero or more", str(count), rule.name))
    if count > REPEAT_LIMIT:
        raise ctx.refuse(wrong.LimitExceeded(rule.span, f"the count of `{rule.name}`", REPEAT_LIMIT))
    return count


def repeat(rule: Rule) -> Bundle:
    """`repeat(n, fresh f)`, `iterate(n, tied f)`: typed by induction, f gives back what it takes."""
    ctx, b = rule.ctx, rule.b
    plain = [a for a in rule.head.args if a.sep != "="]
    if not plain:
        raise ctx.refuse(wrong.MissingArgument(rule.span, "n", rule.name))
    try:
        count = rounds(rule, plain[0].value)
    except Refused:
        ctx.apply(morphism_arg(rule, 1, "f")[0], rule.head.env, b, BAD)
        raise
    body, word = morphism_arg(rule, 1, "f")
    tie: Literal["fresh", "tied"] = "fresh" if rule.name == "repeat" else "tied"
    if word is not None and word != tie:
        other = "iterate" if rule.name == "repeat" else "repeat"
        ctx.report(wrong.BadValue(rule.span, f"`{rule.name}` is {tie}; `{other}` is {word}"))
    wires = rule.all_wires()
    leaves = [w.leaf for w in wires]
    segment = element_segment(rule, body, rule.name)
    sampled: frozenset[int] = frozenset()
    for attempt in range(2 + len(wires)):
        name = segment if rule.head.label is None or tie == "fresh" else rule.head.label
        inner, out = inner_diagram(
            ctx, b, name, leaves, wires, lambda i, x: ctx.apply(body, rule.head.env, i, x), folded=tie == "tied",
            sampled=sampled,
        )  # fmt: skip
        if out.bad:
            return BAD
        if len(out.wires) != len(leaves):
            break
        # What comes back may differ from sample to sample though what went in does not.
        known = sampled
        sampled |= {k for k, (o, w) in enumerate(zip(out.wires, wires, strict=True)) if w.constant and not o.constant}
        if attempt == 0:
            # What comes back may mean less than what went in: then the rounds run on the lesser kind.
            weaker = [lesser(ctx, o.leaf, leaf) for o, leaf in zip(out.wires, leaves, strict=True)]
            if any(w is not leaf for w, leaf in zip(weaker, leaves, strict=True)):
                leaves = weaker
                continue
        if sampled == known:
            break
    context = f"what a round of `{rule.name}` gives back"
    taken = wires[0] if len(wires) == 1 else None
    if not ctx.ports(out, Object(tuple(leaves), (None,) * len(leaves)), rule.span, context, way=out.way, against=taken):
        return BAD
    op = Inner("repeat", inner, segment, count, tie)
    return emit_inner(b, op, wires, leaves, rule.inp.names, segment, rule.span, rule.head.label)


def lifted(rule: Rule) -> Bundle:
    """`map[T](tied f)`, `each[E](fresh f)`: f at every index of the leading axes."""
    ctx, b = rule.ctx, rule.b
    items = rule.items()
    if not items:
        raise ctx.refuse(wrong.NeedsAxes(rule.span, rule.name, f"{rule.name}[T](f)"))
    body, word = morphism_arg(rule, 0, "f")
    if word is not None and (rule.name == "map") != (word == "tied"):
        other = "map" if rule.name == "each" else "each"
        ctx.report(
            wrong.BadValue(
                rule.span, f"`{rule.name}` is {'tied' if rule.name == 'map' else 'fresh'}; `{other}` is {word}"
            )
        )
    if rule.name == "each" and len(items) != 1:
        raise ctx.refuse(wrong.TooManyArguments(rule.span, "each", 1, len(items)))
    wires = rule.all_wires()
    axes: list[Axis] = []
    leaves: list[Leaf] = []
    for wire in wires:
        mine = known_axes(ctx, wire, rule.span, rule.name)
        if not axes:
            axes = [mine[i] for i in rule.places(mine)]
        places = rule.places(mine)
        if places != list(range(len(places))):
            first = show_axis(mine[places[0]])
            raise ctx.refuse(
                wrong.BadPattern(
                    rule.span,
                    f"`{rule.name}` runs over leading axes; bring `{first}` to the front of {show_leaf(wire.leaf)}",
                )
            )
        for one, other_axis in zip(axes, mine, strict=False):
            ctx.solver.same_axis(other_axis, one, Blame(rule.span, None, wire.leaf, f"the axes of `{rule.name}`"))
        leaves.append(Leaf(wire.leaf.kind, tuple(mine[len(places) :])))
    if not wires:
        axes = [a for item in items if isinstance(a := ctx.types.axis(item, rule.head.env), Axis)]
    segment = element_segment(rule, body, rule.name)
    name = rule.head.label or segment
    inner, out = inner_diagram(
        ctx,
        b,
        name,
        leaves,
        wires,
        lambda i, x: ctx.apply(body, rule.head.env, i, x),
        mapped=len(axes),
        folded=rule.name == "map",
    )
    if out.bad:
        return BAD
    no_trees(rule, inner)
    results: list[Leaf] = []
    for wire in inner.outputs:
        mine = known_axes(ctx, wire, rule.span, rule.name)
        for axis in axes:
            if any(label_of(a.label) == label_of(axis.label) and isinstance(label_of(a.label), str) for a in mine):
                raise ctx.refuse(wrong.LabelRepeated(rule.span, show_axis(axis), f"in the result of `{rule.name}`"))
        results.append(Leaf(wire.leaf.kind, (*axes, *mine)))
    op = Inner(rule.name, inner, segment, 1, "tied" if rule.name == "map" else "fresh", tuple(axes))
    return emit_inner(b, op, wires, results, out.names, segment, rule.span, rule.head.label)


def chain(rule: Rule) -> Bundle:
    """`chain [f(c) for c in …]`: one after the other, under a common segment with an index."""
    ctx, env = rule.ctx, rule.head.env
    given = [a.value for a in rule.head.args] + [a.value for a in rule.items()]
    elements: list[tuple[ast.Expr, Env]] = []
    for node in given:
        match node:
            case ast.Comprehension(value):
                elements += [(value, scope) for scope in ctx.statics.loop(node, env)]
            case ast.List(items):
                elements += [(item, env) for item in items]
            case _:
                elements.append((node, env))
    if not elements:
        return rule.inp
    names = {
        element_segment(Rule(ctx, rule.b, Head(None, "", scope), rule.inp, rule.span, e), e, "chain")
        for e, scope in elements
    }
    segment = names.pop() if len(names) == 1 else "chain"
    group = object()
    inp = rule.inp
    way = Step(tuple(e for e, _ in elements), env, inp, "chain")
    for place, (expr, scope) in enumerate(elements):
        start = len(rule.b.boxes)
        span = scope.module.span(expr)
        ctx.way = way
        # Every element is a box of its own, so that its key is the segment and its index.
        if one_box(rule, expr, scope):
            out = ctx.apply(expr, scope, rule.b, inp)
        else:
            out = named(ctx, expr, scope, rule.b, inp, str(place), span)
        for box in rule.b.boxes[start:]:
            if isinstance(box.op, Inner) and box.op.builder.name == str(place):
                box.op.builder.name = f"{segment}_{place}"
            box.segment, box.label, box.group = segment, rule.head.label, (group, place)
        inp = out
        way.passed(inp)
    if inp is not BAD:
        inp.way = way
    return inp


def one_box(rule: Rule, expr: ast.Expr, env: Env) -> bool:
    """Whether a morphism expression makes exactly one box."""
    while isinstance(expr, (ast.Call, ast.Index, ast.Plug)):
        expr = expr.function if isinstance(expr, ast.Call) else expr.base
    found = env.find(expr.id) if isinstance(expr, ast.Name) else None
    if not isinstance(found, MorphismDef):
        return False
    if "core" in found.modifiers:
        return found.name in ("repeat", "iterate", "map", "each") or rule.ctx.library.traits(found)[0]
    if not rule.ctx.library.is_template(found):
        return True
    takes = any(isinstance(p.sort, ast.Arrow) or p.sort is None for p in found.head.params or ())
    return not takes or rule.ctx.library.traits(found)[0]


def collect(rule: Rule) -> Bundle:
    """`collect(f)`: what f gives, then the record of what is emitted in it."""
    body, _ = morphism_arg(rule, 0, "f")
    head = rule.head
    return rule.ctx.library.collect(rule.ctx, body, head.env, rule.b, rule.all_wires(), head.label)


def total(rule: Rule) -> Bundle:
    """`total`: the sum of all numbers of all wires."""
    bare(rule)
    result: Bundle | None = None
    for wire in rule.all_wires():
        rank = len(known_axes(rule.ctx, wire, rule.span, rule.name))
        leaf = Leaf(wire.leaf.kind, ())
        one = rule.out("reduce", [wire], [leaf], fn="sum", axes=tuple(range(rank))) if rank else Bundle([wire])
        if result is None:
            result = one
        else:
            result = pointwise(rule.ctx, rule.b, "add", [*result.wires, *one.wires], rule.span)
    if result is None:
        raise rule.ctx.refuse(wrong.ArityMismatch(rule.span, 1, 0, "the input of `total`"))
    return result


def law_loss(rule: Rule) -> Bundle:
    """`law_loss(name)`: how far the sides of a law are apart on these wires, the mean of the squared differences."""
    from catdl.check.laws import apart  # late: few specs state laws

    law, _ = morphism_arg(rule, 0, "law")
    named = rule.head.env.find(law.id) if isinstance(law, ast.Name) else None
    if not isinstance(named, LawDef):
        raise rule.ctx.refuse(
            wrong.BadArgument(rule.head.env.module.span(law), "law", "a law", described(law), rule.name)
        )
    left, right = apart(rule.ctx, named, rule.b, rule.inp)
    parts: list[Bundle] = []
    for mine, other in zip(left.wires, right.wires, strict=True):
        gap = pointwise(rule.ctx, rule.b, "sub", [mine, other], rule.span)
        square = pointwise(rule.ctx, rule.b, "mul", [gap.wires[0], gap.wires[0]], rule.span)
        rank = len(known_axes(rule.ctx, square.wires[0], rule.span, rule.name))
        leaf = Leaf(Kind("Real"), ())
        parts.append(rule.out("reduce", square.wires, [leaf], fn="mean", axes=tuple(range(rank))) if rank else square)
    result = parts[0]
    for part in parts[1:]:
        result = pointwise(rule.ctx, rule.b, "add", [*result.wires, *part.wires], rule.span)
    return result


def described(expr: ast.Expr) -> str:
    """What stands where the name of a law belongs."""
    return f"`{expr.id}`" if isinstance(expr, ast.Name) else "an expression"


def bare(rule: Rule) -> None:
    """Refuse static arguments. Raises Refused."""
    for arg in rule.head.args:
        raise rule.ctx.refuse(wrong.TooManyArguments(rule.head.env.module.span(arg), rule.name, 0, len(rule.head.args)))


def identity(rule: Rule) -> Bundle:
    """`id`, `id[X]`."""
    bare(rule)
    if rule.items():
        expected = rule.ctx.types.object(rule.items()[0].value, rule.head.env)
        rule.ctx.ports(rule.inp, expected, rule.span, "the input of `id`")
    return rule.inp


def copy(rule: Rule) -> Bundle:
    """`copy`: X -> X @ X."""
    bare(rule)
    return Bundle([*rule.inp.wires, *rule.inp.wires])


def discard(rule: Rule) -> Bundle:
    """`discard`: X -> ()."""
    bare(rule)
    return Bundle([])


def swap(rule: Rule) -> Bundle:
    """`swap`: X @ Y -> Y @ X."""
    bare(rule)
    if len(rule.inp.wires) != 2:
        raise rule.ctx.refuse(wrong.ArityMismatch(rule.span, 2, len(rule.inp.wires), "the input of `swap`"))
    return Bundle([rule.inp.wires[1], rule.inp.wires[0]])


HIGHER: dict[str, Callable[[Rule], Bundle]] = {
    "annotate": annotate,
    "chain": chain,
    "collect": collect,
    "copy": copy,
    "discard": discard,
    "each": lifted,
    "fold": lists.fold,
    "id": identity,
    "iterate": repeat,
    "law_loss": law_loss,
    "map": lifted,
    "mealy": machines.mealy,
    "moore": moore.moore,
    "moore0": moore.moore0,
    "repeat": repeat,
    "scan": lists.scan,
    "scan0": lists.scan0,
    "step": step,
    "swap": swap,
    "total": total,
    "unfold": machines.unfold,
}
