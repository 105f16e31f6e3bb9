"""What stands in the braces of `f{…}`: wires by value, morphisms by name, found by path or pattern.

Takes plugs as they are written. What is wires is evaluated where it is written, outside of anything that runs many
times with one record of weights, so it is drawn once. What is a morphism is elaborated for each leaf that its path
matches, once the types of the leaves are known, and acts where the leaf is used.

    gpt2{**: frozen, block.*.attention.qkv.weight: w => w + low_rank(8)}
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from catdl import diagnostics as wrong
from catdl.check import table as rules
from catdl.check.builder import BAD, Builder, Bundle, PBox, Plugged, Source_, Start, W
from catdl.check.context import Context, Head
from catdl.check.facts import demand, settle_bounds
from catdl.check.forms import is_wire, nested_wire, width
from catdl.check.inner import settle
from catdl.check.names import bound_names, mentioned
from catdl.check.scope import Env, MorphismDef, ParamDef
from catdl.check.sources import initialiser
from catdl.check.static import Refused
from catdl.check.traits import core_effects
from catdl.diagnostics.base import Diagnostic
from catdl.diagnostics.suggest import near
from catdl.diagram.changes import Change
from catdl.diagram.model import Box, Diagram, Init, Parameter
from catdl.diagram.params import owner
from catdl.record import replace
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import ANONYMOUS, Axis, Label, Leaf, label_of, show_leaf, walk_axes


class Steps(Protocol):
    """How a morphism in a plug becomes a diagram from a leaf, or from nothing, to a leaf."""

    def step(self, ctx: Context, plug: Plugged, leaf: Leaf) -> Diagram:
        """The diagram. Raises Refused, and Missing for an instance that must be made first."""

    def start(self, ctx: Context, init: Start, span: Span, leaf: Leaf) -> Init:
        """An initialiser, closed. Raises Refused."""


def read_plugs(ctx: Context, head: Head, b: Builder) -> list[Plugged]:
    """The plugs of a call, those that are wires evaluated. Raises Refused."""
    out: list[Plugged] = []
    strange = [arg.value for arg in head.plugs if stands_for_nothing(arg.value, head.env)]
    for value in strange:
        ctx.wires(value, head.env, b)
    if strange:
        raise Refused
    for arg in head.plugs:
        span = head.env.module.span(arg.value)
        if by_value(ctx, arg.value, head.env) and not says_how(arg.value, head.env):
            bundle = ctx.wires(arg.value, head.env, home(arg.value, head.env, b))
            if bundle.bad:
                raise Refused
            taken = Bundle([b.take(wire) for wire in bundle.wires], bundle.names)
            out.append(Plugged(span, path_span(arg, head.env), arg.name, taken, arg.value, head.env))
            continue
        for name in mentioned([arg.value]):
            if isinstance(found := head.env.local(name), Bundle):
                found.used = True
        effects = plug_effects(ctx, arg.value, head.env)
        b.effects |= effects
        drawn = "rand" in effects
        out.append(Plugged(span, path_span(arg, head.env), arg.name, None, arg.value, head.env, drawn))
    return out


def stands_for_nothing(expr: ast.Expr, env: Env) -> bool:
    """Whether an expression is a name that nothing is called by."""
    return (
        isinstance(expr, ast.Name)
        and expr.id not in rules.TABLE
        and expr.id not in ("true", "false")
        and env.find(expr.id) is None
    )


def told(ctx: Context, plug: ast.Arg, env: Env, b: Builder) -> None:
    """Report what is wrong with a plug whatever it is plugged into."""
    value = plug.value
    if says_how(value, env):
        assert isinstance(value, ast.Call)
        for arg in value.args:
            if stands_for_nothing(arg.value, env):
                ctx.apply(arg.value, env, b, BAD)
    elif stands_for_nothing(value, env) or by_value(ctx, value, env):
        ctx.wires(value, env, b)
    else:
        ctx.apply(value, env, b, BAD)


def plugged_twice(plug: Plugged, path: str) -> Diagnostic:
    """What to say of a second plug into one parameter."""
    message = f"`{path}` is plugged already: nothing of it is left"
    return wrong.BadValue(plug.path_span, message, "plugged a second time")


def path_span(arg: ast.Arg, env: Env) -> Span:
    """The path of a plug, without what is plugged in."""
    whole = env.module.span(arg)
    text = whole.source.text[arg.start : arg.value.start].rstrip().removesuffix(arg.sep or "\0").rstrip()
    return Span(whole.source, arg.start, arg.start + len(text)) if arg.name is not None else whole


def by_value(ctx: Context, expr: ast.Expr, env: Env) -> bool:
    """Whether a plug is wires."""
    return is_wire(ctx, expr, env)


def home(expr: ast.Expr, env: Env, b: Builder) -> Builder:
    """The diagram in which a plug is evaluated: outside of what runs many times, if it reads nothing made inside."""
    used = {
        wire.builder
        for name in mentioned([expr])
        if isinstance(found := env.local(name), Bundle)
        for wire in found.wires
    }
    best, at = b, b
    while at.parent is not None and at not in used:
        if at.folded:
            best = at.parent
        at = at.parent
    return best


def plug_effects(ctx: Context, expr: ast.Expr, env: Env) -> frozenset[str]:
    """The effects of a morphism in a plug, from the names that it mentions."""
    effects: frozenset[str] = frozenset()
    for name in mentioned([expr]):
        found = env.find(name)
        if isinstance(found, MorphismDef) and "core" not in found.modifiers:
            effects |= ctx.library.traits(found)[1]
        elif found is None or isinstance(found, MorphismDef):
            effects |= core_effects(name, False)
    return effects


def attach(ctx: Context, made: list[PBox], plugs: list[Plugged], span: Span, name: str) -> None:
    """Give plugs to the one box that an expression has made, beside the parameters that it reads. Raises Refused."""
    made = [box for box in made if not isinstance(box.op, Source_)]
    if len(made) != 1:
        raise ctx.refuse(
            wrong.BadValue(
                span, f"`{name}` has no record of its own to plug into; give it a name first: `part: {name}`"
            )
        )
    made[0].pending = [*made[0].pending, *plugs]


def pattern(path: str) -> Callable[[str], bool]:
    """A path with `*` (one segment), `**` (any number) and `{a,b}` as a test of keys.

    A path of a record stands for all that is in it. Time is that of the pattern times that of the key, stars or not.
    """
    parts: list[frozenset[str] | None] = []  # the names that a segment may be, None for any
    loops: set[int] = set()  # the parts before which any number of segments may stand
    for segment in re.findall(r"\{[^}]*\}|[^.]+", path):
        if segment == "**":
            loops.add(len(parts))
        elif segment == "*":
            parts.append(None)
        elif segment.startswith("{"):
            parts.append(frozenset(name.strip() for name in segment[1:-1].split(",")))
        else:
            parts.append(frozenset((segment,)))

    def test(key: str) -> bool:
        reached = {0}
        for segment in key.split("."):
            if len(parts) in reached:
                return True
            reached = {place for place in reached if place in loops} | {
                place + 1 for place in reached if (names := parts[place]) is None or segment in names
            }
        return len(parts) in reached

    return test


def matching(plug: Plugged, leaves: tuple[Parameter, ...]) -> list[Parameter]:
    """The leaves that a plug is for."""
    if plug.path is None:
        return list(leaves)
    fits = pattern(plug.path)
    return [leaf for leaf in leaves if fits(leaf.path)]


def matched(ctx: Context, plug: Plugged, leaves: tuple[Parameter, ...], held: int) -> list[Parameter]:
    """The leaves that a plug is for. Raises Refused when there are none, nor any `held` still that it is for."""
    found = matching(plug, leaves)
    if not found and not held and not leaves:
        raise ctx.refuse(wrong.BadValue(plug.span, "what this is plugged into has no parameters"))
    if not found and not held:
        paths = tuple(leaf.path for leaf in leaves)
        raise ctx.refuse(
            wrong.ParamNotFound(plug.path_span, plug.path or "", paths, near(plug.path, paths) if plug.path else ())
        )
    for one in alternatives(plug.path or "") if not held else ():
        fits = pattern(one)
        if not any(fits(leaf.path) for leaf in leaves):
            paths = tuple(leaf.path for leaf in leaves)
            raise ctx.refuse(wrong.ParamNotFound(plug.path_span, one, paths, near(one, paths)))
    return found


def alternatives(path: str) -> list[str]:
    """A pattern with each of its alternatives by itself: each was meant to match something."""
    return [
        f"{path[: group.start()]}{name.strip()}{path[group.end() :]}"
        for group in re.finditer(r"\{([^}]*)\}", path)
        for name in group[1].split(",")
    ]


def holds_still(ctx: Context, plug: Plugged) -> bool:
    """Whether a plug is `frozen`, which is said of declared parameters as well as of leaves."""
    return (
        isinstance(plug.expr, ast.Name)
        and plug.expr.id in ("frozen", "stop_gradient")
        and plug.env.find(plug.expr.id) is ctx.library.entry(plug.expr.id)
    )


def resolve_plugs(
    ctx: Context,
    box: PBox,
    at: Box,
    leaves: tuple[Parameter, ...],
    steps: Steps,
    held: dict[tuple[str, str], Parameter],
    leads: dict[str, int],
) -> tuple[dict[str, W], dict[str, Change]]:
    """What the plugs of a box do to the leaves of its operation: wires by path, changes by path. Raises Refused.

    Of the declared parameters in it those that are to be held still stay in `held`. `leads`: how many axes of `each`
    lead a leaf; a wire is for all indices, a morphism acts inside, at every index.
    """
    wires: dict[str, W] = {}
    changes: dict[str, Change] = {}
    declared = tuple(held.values())
    held.clear()
    for plug in box.pending:
        frozen = matching(plug, declared) if holds_still(ctx, plug) else []
        held |= {(p.home, p.path): p for p in frozen}
        found = matched(ctx, plug, leaves, len(frozen))
        if plug.value is not None:
            for leaf, wire in zip(found, spread(ctx, plug, plug.value, found), strict=True):
                if leaf.path in wires:
                    raise ctx.refuse(plugged_twice(plug, leaf.path))
                fits(ctx, plug, leaf, wire, owner(at, leaf.path) or box.span)
                changes.pop(leaf.path, None)
                wires[leaf.path] = wire
            continue
        made: dict[Leaf, Diagram] = {}  # leaves of one type share it, so that rounds changed alike stay alike
        for leaf in found:
            if leaf.path in wires:
                raise ctx.refuse(plugged_twice(plug, leaf.path))
            now = changes.get(leaf.path, Change())
            inner = Leaf(leaf.type.kind, leaf.type.axes[leads.get(leaf.path, 0) :])
            if says_how(plug.expr, plug.env):
                changes[leaf.path] = kept_as(ctx, plug, inner, now, steps)
                continue
            step = made.get(inner)
            if step is None:
                step = made[inner] = steps.step(ctx, plug, inner)
            if not now.steps and is_stop(step):
                changes[leaf.path] = replace(now, frozen=True)
            else:
                still = now.frozen or (not now.steps and holds_leaf_still(step))
                changes[leaf.path] = replace(now, steps=(*now.steps, step), frozen=still)
    return wires, changes


def spread(ctx: Context, plug: Plugged, value: Bundle, leaves: list[Parameter]) -> list[W]:
    """The wire for each leaf: by name from a record, one for all, or one for each. Raises Refused."""
    names = value.names or ()
    short = relative(plug.path, [leaf.path for leaf in leaves])
    if len(value.wires) > 1 and all(names) and names:
        if list(names) != short:
            raise ctx.refuse(wrong.RecordMismatch(plug.span, tuple(short), tuple(map(str, names))))
        return list(value.wires)
    if len(value.wires) == 1 and (plug.path is not None or len(leaves) == 1):
        return value.wires * len(leaves)
    if len(value.wires) == 1:
        shown = " and ".join(f"`{name}`" for name in short) if len(short) < 5 else f"{len(short)} of them"
        words = f"there is not one parameter here but {shown}; say which: `{{… = {plug.span.text}}}`"
        raise ctx.refuse(wrong.BadValue(plug.span, words))
    if len(value.wires) != len(leaves):
        raise ctx.refuse(wrong.ArityMismatch(plug.span, len(leaves), len(value.wires), "a plugged record"))
    return list(value.wires)


def relative(path: str | None, keys: list[str]) -> list[str]:
    """Keys below a path."""
    if path is None or "*" in path or "{" in path:
        return keys
    return [key.removeprefix(f"{path}.") for key in keys]


def fits(ctx: Context, plug: Plugged, leaf: Parameter, wire: W, owner: Span | None) -> None:
    """A plugged wire has the type of the leaf. Raises Refused."""
    quiet = ctx.quiet()
    if not quiet.port(wire, open_labels(quiet, leaf.type), plug.span):
        shown = show_leaf(leaf.type), show_leaf(wire.leaf)
        why = ctx.sized(wire, leaf.type)
        raise ctx.refuse(wrong.ParamTypeMismatch(plug.span, leaf.path, *shown, owner, declaration(plug), why=why))


def declaration(plug: Plugged) -> Span | None:
    """Where a plug that is nothing but a declared parameter is declared."""
    found = plug.env.find(plug.expr.id) if isinstance(plug.expr, ast.Name) else None
    return found.span if isinstance(found, ParamDef) else None


def open_labels(ctx: Context, leaf: Leaf) -> Leaf:
    """A leaf's type in which axes without a name of the user's, and a label that stands twice, may be any label."""
    axes = [a for a in walk_axes(leaf.axes) if isinstance(a, Axis)]
    labels = [label_of(a.label) for a in axes]
    return Leaf(
        leaf.kind,
        tuple(
            Axis(ctx.solver.label(), a.size) if is_open(label) or labels.count(label) > 1 else a
            for a, label in zip(axes, labels, strict=True)
        ),
    )


def is_open(label: Label) -> bool:
    """Whether an axis of a weight is called nothing that a user could write: `::KH` is a layer's own word."""
    return label is ANONYMOUS or (isinstance(label, str) and label.startswith("::"))


def says_how(expr: ast.Expr, env: Env) -> bool:
    """Whether a plug is `init(…)` or `group("…")`: how a leaf is kept, not what it becomes."""
    match expr:
        case ast.Call(ast.Name("init" | "group" as name), (ast.Arg(None, "", _),)):
            return env.find(name) is None
        case _:
            return False


def kept_as(ctx: Context, plug: Plugged, leaf: Leaf, now: Change, steps: Steps) -> Change:
    """A change, with what a plug says of how the leaf is kept. Raises Missing and Refused."""
    assert isinstance(plug.expr, ast.Call) and isinstance(plug.expr.function, ast.Name)
    value = plug.expr.args[0].value
    if plug.expr.function.id == "init":
        return replace(now, init=steps.start(ctx, initialiser(ctx, value, plug.env), plug.span, leaf))
    if not isinstance(value, ast.Text):
        raise ctx.refuse(wrong.BadValue(plug.span, 'a group has a name: `group("no_decay")`'))
    return replace(now, group=value.value)


def is_stop(step: Diagram) -> bool:
    """Whether a step is `frozen`: the same forward, and no gradient."""
    return len(step.boxes) == 1 and stops(step.boxes[0]) and step.boxes[0].outputs == step.outputs


def holds_leaf_still(step: Diagram) -> bool:
    """Whether a step reads the leaf through `frozen` alone: `w => frozen(w) + low_rank(8)`."""
    readers = [box for box in step.boxes if any(w in step.inputs for w in (*box.inputs, *(w for _, w in box.plugs)))]
    return all(map(stops, readers)) and not set(step.inputs) & set(step.outputs) and bool(step.inputs)


def stops(box: Box) -> bool:
    """Whether no gradient goes back through a box, which is `frozen`."""
    return getattr(box.op, "name", getattr(box.op, "entry", "")) in ("stop", "frozen")


def reads_no_wire(ctx: Context, expr: ast.Expr, env: Env, span: Span) -> None:
    """A morphism that is made apart from the body around it reads no wire of that body. Raises Refused."""
    for name in sorted(mentioned([expr]) - bound_names([expr])):
        found = env.local(name)
        if isinstance(found, Bundle) and found.wires:
            words = f"`{name}` is a wire of this body: a morphism here reads parameters and constants"
            raise ctx.refuse(wrong.BadValue(span, words))


def elaborate_step(ctx: Context, plug: Plugged, leaf: Leaf) -> Builder:
    """A morphism in a plug applied to a leaf, or from nothing to its type; unknowns solved. Raises Refused."""
    b = Builder(plug.path or "plug")
    shown = open_labels(ctx, leaf)
    reads_no_wire(ctx, plug.expr, plug.env, plug.span)
    if is_wire(ctx, plug.expr, plug.env) or nested_wire(ctx, plug.expr, plug.env):
        out = ctx.wires(plug.expr, plug.env, b)
    else:
        inp = Bundle([] if width(ctx, plug.expr, plug.env) == 0 else [b.input(shown, "w", True, plug.span)])
        out = ctx.apply(plug.expr, plug.env, b, inp)
    if out.bad:
        raise Refused
    if len(out.wires) != 1:
        raise ctx.refuse(wrong.ArityMismatch(plug.span, 1, len(out.wires), "a plugged parameter"))
    wire = b.take(out.wires[0])
    if not ctx.port(wire, shown, plug.span, "the parameter that this is plugged into"):
        raise Refused
    for fact, scope, blame in ctx.demands:
        demand(ctx, fact, scope, blame)
    ctx.solver.conclude(broken=False)
    b.bounds = settle_bounds(ctx)
    b.outputs = [wire]
    b.out_names = (None,)
    settle(ctx, b)
    return b
