"""`fold(algebra)` over trees: the legs of an algebra, each on what stands at a node of its summand.

Takes a call of `fold` and trees; guarantees a leg for each summand, from what stands there to the carrier.

    fold([ embed | (op, l, r) => … ])      one box that holds both legs side by side
"""

from __future__ import annotations

from itertools import chain, repeat

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, Closure, Inner, W, unmade
from catdl.check.functors import FUNCTOR, Item, applied, kind_of
from catdl.check.inner import emit_inner, inner_diagram, settle
from catdl.check.legs import constant, filled
from catdl.check.ports import in_order
from catdl.check.rules.common import Rule
from catdl.check.scope import BadDef, Env, MorphismDef
from catdl.check.solver import Blame
from catdl.check.stands_for import sort_of
from catdl.check.static import Refused, alike, is_told
from catdl.syntax import ast
from catdl.types.types import ANONYMOUS, Axis, Child, Form, Leaf, Object, show_form, show_item, show_leaf


def fold(rule: Rule) -> Bundle:
    """`fold(alg)`: what an algebra makes of each tree."""
    if rule.items():
        span = rule.head.env.module.span(rule.items()[0])
        raise rule.ctx.refuse(wrong.TooManyArguments(span, "fold", 0, len(rule.items())))
    return over_trees(rule)


def over_trees(rule: Rule, axis: Axis | None = None) -> Bundle:
    """What an algebra makes of each tree; along an axis, of each of its nodes. Raises Refused."""
    ctx, env = rule.ctx, rule.head.env
    legs, carrier, functor = _arguments(rule)
    wires, form = _trees(rule)
    if functor is not None:
        fits(rule, functor, env)
    if not isinstance(legs, ast.Copair):
        return ctx.apply(legs, env, rule.b, rule.inp, rule.head.label)
    if len(legs.legs) != len(form.summands):
        span = env.module.span(legs)
        raise ctx.refuse(wrong.LegMismatch(span, show_form(form), 0, "", len(form.summands), len(legs.legs)))
    label = rule.head.label
    if label is None:
        return _fold(rule, rule.b, wires, form, legs, carrier, axis)
    inner, out = inner_diagram(
        ctx,
        rule.b,
        label,
        [w.leaf for w in wires],
        wires,
        lambda i, x: _fold(rule, i, x.wires, form, legs, carrier, axis),
    )
    if out.bad:
        return BAD
    leaves = [w.leaf for w in inner.outputs]
    return emit_inner(rule.b, Inner("call", inner, label), wires, leaves, out.names, label, rule.span, label)


def _trees(rule: Rule) -> tuple[list[W], Form]:
    """What comes in, and the functor of these trees. Raises Refused."""
    wires = rule.all_wires()
    form = wires[0].leaf.kind.form if len(wires) == 1 else None
    if form is None:
        found = " @ ".join(show_leaf(wire.leaf) for wire in wires) or "nothing"
        raise rule.ctx.refuse(wrong.TreesOnly(rule.span, rule.name, found, True))
    return wires, form


def fits(rule: Rule, functor: ast.Expr, env: Env) -> None:
    """Refuse trees of another functor than an algebra is of. Raises Refused."""
    _, form = _trees(rule)
    of_mine = applied(rule.ctx.types, functor, env)[0]
    if of_one_form(rule, form, of_mine):
        return
    expected = Object((Leaf(kind_of(of_mine), ()),), (None,))
    if not rule.ctx.ports(rule.inp, expected, rule.span, f"the input of `{rule.name}`"):
        raise Refused


def of_one_form(rule: Rule, found: Form, wanted: Form) -> bool:
    """Whether trees are of a functor whose dims may be unknown: then they are what the trees say."""
    pairs: list[tuple[tuple[Axis, ...], tuple[Axis, ...]]] = []
    if found.name.partition("[")[0] != wanted.name.partition("[")[0]:
        return False
    for mine, theirs in zip(chain.from_iterable(found.summands), chain.from_iterable(wanted.summands), strict=True):
        match mine, theirs:
            case Leaf(), Leaf() if (mine.kind.name, mine.kind.root) == (theirs.kind.name, theirs.kind.root):
                sizes = [[Axis(ANONYMOUS, x.kind.size)] if x.kind.size is not None else [] for x in (mine, theirs)]
                pairs.append(((*mine.axes, *sizes[0]), (*theirs.axes, *sizes[1])))  # type: ignore[arg-type]
            case Child(), Child():
                pairs.append((mine.axes, theirs.axes))
            case _:
                return False
    blame, same = Blame(rule.span, told=True), rule.ctx.solver.same_axis
    return all(len(mine) == len(theirs) and all(map(same, mine, theirs, repeat(blame))) for mine, theirs in pairs)


def _arguments(rule: Rule) -> tuple[ast.Expr, Object | None, ast.Expr | None]:
    """The algebra, legs or a name; the carrier and the functor, if they are said. Raises Refused."""
    ctx, env = rule.ctx, rule.head.env
    carrier: Object | None = None
    functor: ast.Expr | None = None
    plain_args = []
    for arg in rule.head.args:
        if arg.sep != "=":
            plain_args.append(arg)
        elif arg.name == "carrier":
            carrier = ctx.types.object(arg.value, env)
        elif arg.name == FUNCTOR:
            functor = arg.value
        else:
            span = env.module.span(arg)
            raise ctx.refuse(wrong.UnknownArgument(span, arg.name or "", rule.name, (), ("carrier",)))
    if not plain_args:
        raise ctx.refuse(wrong.MissingArgument(rule.span, "algebra", rule.name))
    if len(plain_args) > 1:
        raise ctx.refuse(wrong.TooManyArguments(env.module.span(plain_args[1]), rule.name, 1, len(plain_args)))
    node = plain_args[0].value
    legs = legs_of(rule, node)
    if legs is not None:
        return legs, carrier, functor
    node = node.body if isinstance(node, ast.Tie) else node
    _named(rule, node)
    return node, carrier, functor


def legs_of(rule: Rule, node: ast.Expr) -> ast.Copair | None:
    """The legs of an algebra that is written in place; None for a name. Of one summand it is the leg alone."""
    node = node.body if isinstance(node, ast.Tie) else node
    form = rule.inp.wires[0].leaf.kind.form if len(rule.inp.wires) == 1 else None
    alone = form is not None and len(form.summands) == 1
    match node:
        case ast.Copair():
            return node
        case ast.List((leg,)) if alone:
            return ast.Copair((leg,), node.start, node.end)
        case ast.Lambda() if alone:
            return ast.Copair((node,), node.start, node.end)
        case _:
            return None


def no_algebra(rule: Rule, node: ast.Expr) -> Refused:
    """Report what stands where an algebra belongs."""
    try:
        _named(rule, node)
    except Refused as refused:
        return refused
    return rule.ctx.refuse(wrong.NotAnAlgebra(rule.head.env.module.span(node), "an algebra without legs"))


def _named(rule: Rule, node: ast.Expr) -> None:
    """Refuse what is no name of an algebra. Raises Refused."""
    env = rule.head.env
    root = node
    while isinstance(root, ast.Call | ast.Index | ast.Plug):
        root = root.function if isinstance(root, ast.Call) else root.base
    if is_told(root):
        raise Refused
    found = env.find(root.id) if isinstance(root, ast.Name) else None
    if isinstance(found, MorphismDef) and found.head.keyword == "algebra":
        return
    if isinstance(found, BadDef):
        raise Refused
    if isinstance(root, ast.Name) and found is None:
        near = alike(root.id, env, MorphismDef)
        raise rule.ctx.refuse(wrong.UnknownName(env.module.span(root), root.id, "algebra", near))
    words = f"`{root.id}`, {sort_of(found)}" if isinstance(root, ast.Name) else "an expression"
    if isinstance(found, Closure):
        words = f"the morphism `{found.name}`"
    if isinstance(root, ast.List):
        words = "a list: the legs of an algebra are parted by `|`, and `[ f ]` has none"
    raise rule.ctx.refuse(wrong.NotAnAlgebra(env.module.span(node), words))


def _fold(
    rule: Rule,
    b: Builder,
    trees: list[W],
    form: Form,
    legs: ast.Copair,
    carrier: Object | None,
    axis: Axis | None,
) -> Bundle:
    ctx = rule.ctx
    for _ in range(2):
        since = ctx.asked()
        folding = _Folding(rule, b, form, legs, carrier)
        if not folding.run():
            made = folding.carrier
            return BAD if made is None else unmade(b, nodes(made, axis), made.names, rule.span)
        weaker = folding.weaker()
        if carrier is not None or weaker is None:
            break
        ctx.forget(since)
        carrier = weaker
    inner = folding.inner
    settle(ctx, inner)
    made = folding.carrier
    assert made is not None
    for effect, words in (("across", "reads across the batch"), ("state", "keeps a state")):
        if effect in inner.effects:
            message = f"a leg {words}, and the nodes of trees are no batch"
            raise ctx.refuse(wrong.BadValue(rule.span, message))
    if inner.emitted:
        name = next(iter(inner.emitted))
        raise ctx.refuse(wrong.BadValue(inner.emitted[name], f"`{name}` is emitted at every node, not once"))
    no_trees(rule, inner)
    op = Inner("trees", inner, rule.name, axes=() if axis is None else (axis,), form=form)
    out = emit_inner(b, op, trees, nodes(made, axis), made.names, rule.name, rule.span, None)
    for wire, port in zip(out.wires, made.names, strict=True):
        wire.name = port
    return out


def nodes(carrier: Object, axis: Axis | None) -> list[Leaf]:
    """The carrier, of each node if they stand along an axis."""
    front = () if axis is None else (axis,)
    return [Leaf(leaf.kind, (*front, *leaf.axes)) for leaf in carrier.leaves]


def no_trees(rule: Rule, inner: Builder) -> None:
    """Refuse trees that are read from outside where they would have to be repeated. Raises Refused."""
    for wire in inner.captured:
        if wire.leaf.kind.form is not None:
            raise rule.ctx.refuse(wrong.TreesOnly(rule.span, rule.name, show_leaf(wire.leaf), False))


class _Folding:
    """The legs of one fold side by side in one diagram."""

    def __init__(self, rule: Rule, b: Builder, form: Form, legs: ast.Copair, carrier: Object | None) -> None:
        self.rule = rule
        self.form = form
        self.legs = legs.legs
        self.carrier = carrier
        self.inner = Builder("fold", b, folded=True)
        self.inputs: dict[int, list[W]] = {}
        self.outs: dict[int, Bundle] = {}

    def run(self) -> bool:
        """Elaborate all legs, those without children first; False after a mistake."""
        deep = [any(isinstance(item, Child) for item in parts) for parts in self.form.summands]
        good = True
        for k in sorted(range(len(deep)), key=deep.__getitem__):
            if self.carrier is None and deep[k]:
                if all(deep):
                    raise self.rule.ctx.refuse(wrong.MissingArgument(self.rule.span, "carrier", self.rule.name))
                self.rule.ctx.apply(self.legs[k], self.rule.head.env, self.inner, BAD)
                continue  # no leaf's leg could be read: what the carrier is nobody knows
            good = self.leg(k) and good
        if good:
            self.inner.inputs = [wire for k in range(len(deep)) for wire in self.inputs[k]]
            self.inner.outputs = [self.inner.take(w) for k in range(len(deep)) for w in self.outs[k].wires]
            self.inner.out_names = (None,) * len(self.inner.outputs)
        return good

    def leg(self, k: int) -> bool:
        """One leg on what stands at a node of its summand."""
        rule, parts = self.rule, self.form.summands[k]
        ctx, env, node = rule.ctx, rule.head.env, self.legs[k]
        span = env.module.span(node)
        groups = [self.entering(item) for item in parts]
        self.inputs[k] = [wire for group in groups for wire in group]
        if self.carrier is not None and (value := constant(rule, node)) is not None:
            self.outs[k] = filled(rule, self.inner, self.carrier, value)
            return True
        from catdl.check.forms import misfit  # late: it reads the table of rules, in which `fold` stands

        count = len(self.inputs[k])
        takes = misfit(ctx, node, env, count, len(parts))
        if takes is not None:
            ctx.report(wrong.LegMismatch(span, show_form(self.form), k + 1, show_summand(parts), count, takes))
            return False
        bundle = Bundle(self.inputs[k], self.names(parts))
        if any(len(group) != 1 for group in groups):
            bundle.groups = tuple((None, len(group)) for group in groups)
        out = ctx.apply(node, env, self.inner, bundle)
        if out.bad:
            return False
        if self.carrier is not None:
            out = in_order(out, self.carrier.names)
        self.outs[k] = out
        if self.carrier is None:
            self.carrier = Object(tuple(w.leaf for w in out.wires), out.names or (None,) * len(out.wires))
            return True
        context = f"what leg {k + 1} gives, for `{show_summand(parts)}`: the carrier"
        weak = [
            Leaf(w.leaf.kind, leaf.axes) if self.is_weaker(w.leaf, leaf) else leaf
            for w, leaf in zip(out.wires, self.carrier.leaves, strict=False)
        ]
        expected = Object((*weak, *self.carrier.leaves[len(weak) :]), self.carrier.names)
        return ctx.ports(out, expected, span, context, way=out.way)

    def is_weaker(self, found: Leaf, wanted: Leaf) -> bool:
        """Whether a leg gives less than was taken for the carrier, which then is that."""
        if self.rule.head.args and any(arg.name == "carrier" for arg in self.rule.head.args):
            return False
        return self.rule.ctx.kinds.weaker(found.kind.name, wanted.kind.name)

    def weaker(self) -> Object | None:
        """The carrier in the kinds that all legs give; None where they are those taken."""
        assert self.carrier is not None
        leaves = list(self.carrier.leaves)
        changed = False
        for out in self.outs.values():
            for place, wire in enumerate(out.wires):
                if self.is_weaker(wire.leaf, leaves[place]):
                    leaves[place] = Leaf(wire.leaf.kind, leaves[place].axes)
                    changed = True
        return Object(tuple(leaves), self.carrier.names) if changed else None

    def entering(self, item: Item) -> list[W]:
        """The wires of one part of a node: a constant, or the carrier of its children."""
        if isinstance(item, Leaf):
            return [self.inner.input(item, None, False)]
        leaves = self.carrier.leaves if self.carrier is not None else ()
        return [self.inner.input(Leaf(leaf.kind, (*item.axes, *leaf.axes)), None, False) for leaf in leaves]

    def names(self, parts: tuple[Item, ...]) -> tuple[str | None, ...] | None:
        """The ports of the children, where the carrier has names."""
        if self.carrier is None or not any(self.carrier.names):
            return None
        found: list[str | None] = []
        for item in parts:
            found += (None,) if isinstance(item, Leaf) else self.carrier.names
        return tuple(found)


def show_summand(parts: tuple[Item, ...]) -> str:
    """`Fin(3) @ X @ X`."""
    return " @ ".join(map(show_item, parts)) or "()"
