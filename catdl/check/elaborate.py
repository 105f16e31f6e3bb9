"""Elaboration: expressions to boxes and wires, by two judgements.

`apply(f, x)`: a morphism expression applied to wires, here. `wires(e)`: an expression that is wires (`wiring.py`).
Takes the AST and scopes; guarantees boxes in topological order; a refused expression yields a bundle that absorbs what
follows. Chains are walked in a loop; only nesting recurses, and the parser bounds nesting.

    relu >> gelu   applied to a wire emits relu and gelu
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check import table as rules
from catdl.check.absorbed import absorbed, strangers, untaken
from catdl.check.blocks import bind_pattern, block, unused
from catdl.check.builder import BAD, Builder, Bundle, Closure
from catdl.check.calls import call
from catdl.check.closures import use_closure
from catdl.check.context import Context, Head
from catdl.check.depth import too_deep
from catdl.check.forms import aliased, head_of, is_wire, join, width
from catdl.check.inner import named
from catdl.check.names import kind_word, mentioned
from catdl.check.plugs import attach, read_plugs
from catdl.check.rules.common import Rule
from catdl.check.scope import BadDef, Env, MorphismDef, Shadow
from catdl.check.signature import LeafPart
from catdl.check.stands_for import sort_of
from catdl.check.static import Refused, alike, is_told
from catdl.check.templates import expand
from catdl.check.turned import Turned
from catdl.check.ways import Leg, Step, as_given
from catdl.check.work import EXPANSION_LIMIT, STEPS_PER_USE, WIRES_PER_STEP
from catdl.diagnostics.base import Diagnostic, Edit, Help
from catdl.diagnostics.suggest import near
from catdl.diagram.model import Choice
from catdl.record import replace
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import SizeTooLarge
from catdl.types.types import plain, show_leaf

DEPTH_LIMIT = 100


def apply(ctx: Context, expr: ast.Expr, env: Env, b: Builder, inp: Bundle, label: str | None = None) -> Bundle:
    """A morphism expression applied to wires."""
    if not ctx.work.spend(STEPS_PER_USE + len(inp.wires) // WIRES_PER_STEP, env.module.span(expr)):
        return BAD
    match expr:
        case ast.Seq(steps):
            return along(ctx, steps, env, b, inp, Step(steps, env, inp))
        case ast.Tensor(legs):
            return tensor(ctx, expr, legs, env, b, inp)
        case ast.Fan(legs):
            outs = []
            for number, leg in enumerate(legs, 1):
                ctx.way = Leg("&", number)
                outs.append(apply(ctx, leg, env, b, inp))
            return join(outs)
        case ast.Lambda(pattern, body):
            scope = env.child()
            try:
                bound = bind_pattern(ctx, pattern, inp, scope, env)
            except Refused:
                return BAD
            out = ctx.wires(body, scope, b)
            unused(ctx, env, bound, [body] if out.bad else [], wrong.UnusedWire)
            return out
        case ast.Block():
            return block(ctx, expr, env, b, inp)
        case ast.If(condition, then, orelse):
            try:
                held = ctx.statics.truth(condition, env)
            except Refused:
                return BAD
            chosen, other = (then, orelse) if held else (orelse, then)
            b.choices[Choice(env.module.span(condition), held)] = None
            spare(other, env)
            untaken(ctx, other, env)
            return apply(ctx, chosen, env, b, inp, label)
        case ast.Copair():
            from catdl.check.cases import copair  # late: few specs take cases apart

            return copair(ctx, expr, env, b, inp)
        case ast.Bad() | ast.Field() if is_told(expr):
            return BAD
        case ast.Field() if strange(expr, env) is not None:
            ctx.report(dotted(ctx, expr, (), env))
            return BAD
        case ast.Tuple(items) if items and not any(i.name for i in items):
            return tensor(ctx, expr, tuple(i.value for i in items), env, b, inp)
        case _:
            head = head_of(ctx, expr, env)
            if head is not None:
                head.label = head.label or label
                head.way = ctx.way
                return apply_head(ctx, head, expr, env, b, inp)
            if isinstance(expr, (ast.Call, ast.Index, ast.Plug, ast.Labelled, ast.Tie)):
                return apply_compound(ctx, expr, env, b, inp, label)
            ctx.report(wrong.NotAMorphism(env.module.span(expr), described(expr)))
            return BAD


def described(expr: ast.Expr) -> str:
    """An expression that is no morphism, or no wire, in words."""
    match expr:
        case ast.Number(_, text):
            return f"the number `{text}`"
        case ast.Text():
            return "a text"
        case ast.List() | ast.Comprehension():
            return "a list"
        case ast.Chain() | ast.Negate() | ast.Power():
            return "a value"
        case ast.Copair():
            return "the legs of an algebra, which only a fold takes"
        case ast.Lambda():
            return "a lambda"
        case _:
            return "an expression"


def along(ctx: Context, steps: tuple[ast.Expr, ...], env: Env, b: Builder, inp: Bundle, way: Step) -> Bundle:
    """The steps of a composition one after the other, `way` keeping account."""
    for step in steps:
        ctx.way = way
        inp = apply(ctx, step, env, b, inp)
        way.passed(inp)
    if inp is not BAD:
        inp.way = way
    return inp


def apply_compound(ctx: Context, expr: ast.Expr, env: Env, b: Builder, inp: Bundle, label: str | None) -> Bundle:
    """A label, a tie or brackets around an expression that is no name."""
    match expr:
        case ast.Labelled(name, body):
            return named(ctx, body, env, b, inp, name, env.module.span(expr))
        case ast.Tie(_, body):
            return apply(ctx, body, env, b, inp, label)
        case ast.Call(ast.Field() as called, args):
            ctx.report(dotted(ctx, called, args, env))
            return BAD
        case _:
            ctx.report(wrong.NotAMorphism(env.module.span(expr), "arguments given to an expression without a name"))
            return BAD


def dotted(ctx: Context, called: ast.Field, args: tuple[ast.Arg, ...], env: Env) -> Diagnostic:
    """What is wrong with `x.relu()`, where `relu(x)` is meant, or with `nn.Linear(D)`: nothing is called `nn`."""
    span = env.module.span(called)
    if (path := strange(called, env)) is not None:
        known = called.name in rules.TABLE or isinstance(env.find(called.name), MorphismDef)
        close = (called.name,) if known else alike(called.name, env, MorphismDef)
        return wrong.UnknownName(span, path, "morphism", close)
    if not is_wire(ctx, called.base, env):
        return wrong.NotAMorphism(span, described(called))
    given = [env.module.span(part).text for part in (called.base, *args)]
    meant = f"{called.name}({', '.join(given)})"
    whole = Span(span.source, span.start, span.source.text.index(")", args[-1].end if args else span.end) + 1)
    helps = (Help(f"apply the morphism to the wire: `{meant}`", (Edit(whole, meant),)),)
    return wrong.NotAMorphism(span, f"a part of the wire `{given[0]}`", helps)


def strange(path: ast.Expr, env: Env) -> str | None:
    """A path such as `nn.functional.relu` that begins with a name that stands for nothing; None for any other."""
    parts: list[str] = []
    while isinstance(path, ast.Field):
        parts.append(path.name)
        path = path.base
    if not isinstance(path, ast.Name) or env.find(path.id) is not None or path.id in rules.TABLE:
        return None
    return ".".join([path.id, *reversed(parts)])


def apply_head(ctx: Context, head: Head, expr: ast.Expr, env: Env, b: Builder, inp: Bundle) -> Bundle:
    """A named morphism, with its arguments, applied to wires."""
    try:
        return apply_target(ctx, head, expr, env, b, inp)
    except SizeTooLarge as error:
        ctx.report(wrong.LimitExceeded(env.module.span(expr), error.what, error.limit))
        return BAD


def apply_target(ctx: Context, head: Head, expr: ast.Expr, env: Env, b: Builder, inp: Bundle) -> Bundle:
    """What a name stands for, applied to wires. Raises SizeTooLarge."""
    target = aliased(head.target)
    if isinstance(target, (MorphismDef, Closure)):
        if isinstance(target, MorphismDef):
            env.module.used.add(head.name)
            if target.headless:
                return BAD
        if head.name != "over" and any(a.sep != "=" and is_wire(ctx, a.value, env) for a in head.args):
            extra = [a for a in head.args if a.sep != "=" and is_wire(ctx, a.value, env)]
            head.args = [a for a in head.args if a not in extra]
            given = [ctx.wires(a.value, env, b) for a in extra]
            head.way = as_given(env, extra, given, head.way)
            inp = join([*given, inp])
    known = isinstance(target, (MorphismDef, Closure)) or (target is None and head.name in rules.TABLE)
    if inp.bad and known and (head.args or head.plugs):
        absorbed(ctx, replace(head, target=target), b)
    if isinstance(target, MorphismDef) and target.open:
        meant = None if inp.bad else by_kinds(ctx, target, head, inp)
        if meant is None:
            return BAD
        target = meant
    if isinstance(target, MorphismDef):
        if "core" in target.modifiers:
            head.name = target.name  # it may have another: `morphism frozen = stop_gradient`
            return rule_call(ctx, head, expr, b, inp)
        if ctx.library.is_template(target):
            return template(ctx, target, head, b, inp)
        return call(ctx, target, head, b, inp)
    if isinstance(target, Closure):
        return apply_closure(ctx, target, head, b, inp)
    if isinstance(target, BadDef) or target is BAD:
        return BAD
    if target is None:
        if head.name in rules.TABLE:
            return rule_call(ctx, head, expr, b, inp)
        close = alike(head.name, env, MorphismDef, Closure) or near(head.name, rules.TABLE)
        ctx.report(wrong.UnknownName(head.name_span, head.name, "morphism", close))
        strangers(ctx, head, b)
        return BAD
    assert head.span is not None
    if isinstance(target, Bundle):
        target.used = True
        ctx.report(wrong.NotAMorphism(head.span, f"the wire `{head.name}`"))
        return BAD
    ctx.report(wrong.NotAMorphism(head.span, f"`{head.name}`, {sort_of(target)}"))
    return BAD


def by_kinds(ctx: Context, target: MorphismDef, head: Head, inp: Bundle) -> MorphismDef | None:
    """Which of the morphisms that a name may mean is meant by the kinds of some wires; None after a report."""
    assert head.span is not None
    if any(w.bad for w in inp.wires):
        return None
    kinds = tuple(ctx.canon(w.leaf).kind.name for w in inp.wires)
    found = ctx.kinds.choose(target.overloads, kinds, None) or ctx.kinds.readings(target.overloads, kinds)
    if len(found) == 1:
        return found[0].target
    shown = [show_leaf(ctx.canon(w.leaf)) for w in inp.wires]
    listed = [" @ ".join(plain(kind) for kind in o.inputs) for o in found or target.overloads]
    if found:
        reading = dict.fromkeys(plain(k) for o in found for k, was in zip(o.inputs, kinds, strict=True) if k != was)
        helps = tuple(Help(f"say so where it is made: `as[{kind}](…)`") for kind in reading)
    else:
        helps = tuple(Help(f"`{name}` makes of these what it takes") for name in makers(ctx, target, kinds))
    ctx.report(wrong.NoMeaning(head.span, head.name, " @ ".join(shown) or "()", tuple(listed), bool(found), helps))
    return None


def makers(ctx: Context, target: MorphismDef, kinds: tuple[str, ...]) -> list[str]:
    """Other names with several meanings, one of which makes of some kinds those that this one takes."""
    taken = {overload.inputs for overload in target.overloads}
    names: list[str] = []
    for name in ctx.kinds.prelude.prelude.overloads:
        maker = ctx.library_entry(name)
        if not isinstance(maker, MorphismDef) or not maker.open or maker is target:
            continue
        for overload in ctx.kinds.choose(maker.overloads, kinds, None):
            scheme = None if overload.target is None else ctx.library.scheme(overload.target)
            parts = () if scheme is None else scheme.codomain
            if tuple(kind_word(part.kind) for part in parts if isinstance(part, LeafPart)) in taken:
                names.append(name)
    return names


def rule_call(ctx: Context, head: Head, expr: ast.Expr, b: Builder, inp: Bundle) -> Bundle:
    """A core operation, typed by its rule."""
    rule = rules.TABLE.get(head.name)
    assert head.span is not None
    if rule is None:
        ctx.report(wrong.NotAMorphism(head.span, f"`{head.name}`, which has no rule"))
        return BAD
    read = head.name in rules.READ or (head.name in rules.NO_ARGS and head.args)
    if (inp.bad and not read) or any(w.bad for w in inp.wires):
        return BAD
    if head.name not in rules.STRUCTURAL and (trees := next((w for w in inp.wires if w.leaf.kind.form), None)):
        ctx.report(wrong.TreesOnly(head.span, head.name, show_leaf(trees.leaf), False))
        return BAD
    around = ctx.over
    if head.name in rules.STEPS:
        ctx.over = None
    try:
        plugs = read_plugs(ctx, head, b)
        made = Rule(ctx, b, head, inp, head.span, expr)
        if head.name in rules.NO_ARGS:
            made.args((), {})
            if inp.bad:
                return BAD
        start = len(b.boxes)
        out = rule(made)
        if plugs and not out.bad:
            attach(ctx, b.boxes[start:], plugs, head.span, head.name)
        return out
    except Refused:
        return BAD
    finally:
        ctx.over = around


def apply_closure(ctx: Context, closure: Closure, head: Head, b: Builder, inp: Bundle) -> Bundle:
    """A morphism argument or a `box` applied to wires."""
    assert head.span is not None
    closure.uses.append(head.span)
    if inp.bad:
        return BAD
    around, ctx.over = ctx.over, closure.over
    try:
        return use_closure(ctx, closure, head, b, inp)
    finally:
        ctx.over = around


def tensor(ctx: Context, expr: ast.Expr, legs: tuple[ast.Expr, ...], env: Env, b: Builder, inp: Bundle) -> Bundle:
    """Legs side by side, each on its own wires."""
    if inp.bad:
        for leg in legs:
            apply(ctx, leg, env, b, BAD)
        return BAD
    widths = [width(ctx, leg, env) for leg in legs]
    known = sum(w for w in widths if w is not None)
    loose = widths.count(None)
    spare = len(inp.wires) - known
    starved = loose == 1 and spare == 0 and any(takes_some(ctx, leg, env) for leg in legs)
    if (loose == 0 and spare) or spare < 0 or (loose > 1 and spare != loose) or starved:
        ctx.report(wrong.ArityMismatch(env.module.span(expr), known + loose, len(inp.wires), "the legs of `@`"))
        return BAD
    outs: list[Bundle] = []
    place = 0
    with Turned(ctx) as turned:
        for number, (leg, count) in enumerate(zip(legs, widths, strict=True), 1):
            size = count if count is not None else (spare if loose == 1 else 1)
            ctx.way = Leg("@", number)
            outs.append(turned.leg(leg, env, b, Bundle(inp.wires[place : place + size])))
            place += size
    return join(outs)


def takes_some(ctx: Context, leg: ast.Expr, env: Env) -> bool:
    """Whether a leg of any width is meant for one wire at least: `id`, `copy`, `discard`."""
    head = head_of(ctx, leg, env)
    return head is not None and head.name in ("copy", "discard", "id") and env.local(head.name) is None


def template(ctx: Context, definition: MorphismDef, head: Head, b: Builder, inp: Bundle) -> Bundle:
    """A morphism elaborated in place: it takes morphisms, or has no signature."""
    if inp.bad:
        return BAD
    ctx.work.expansions += 1
    assert head.span is not None
    if ctx.work.expansions > EXPANSION_LIMIT:
        if ctx.work.expansions == EXPANSION_LIMIT + 1:
            ctx.report(wrong.InstanceLimit(head.span, definition.name, EXPANSION_LIMIT))
        return BAD
    ctx.depth += 1
    around, ctx.solver.use = ctx.solver.use, ctx.solver.use or head.span
    over = ctx.over
    try:
        if ctx.depth > DEPTH_LIMIT:
            ctx.report(too_deep(ctx, definition, head, DEPTH_LIMIT))
            return BAD
        return expand(ctx, definition, head, b, inp)
    except Refused:
        return BAD
    finally:
        ctx.depth -= 1
        ctx.solver.use = around
        ctx.over = over


def spare(branch: ast.Expr, env: Env) -> None:
    """Wires that the branch not taken reads count as used: another argument would use them."""
    for name in mentioned([branch]):
        found = env.local(name)
        found = found.bundle if isinstance(found, Shadow) else found
        if isinstance(found, Bundle):
            found.used = True
