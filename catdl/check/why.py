"""Why a type was expected and how the other one came about: the explanations of a mismatch.

Loaded when the first mismatch is told, for a clean check never needs it. Takes the blame of a broken equation and the
diagram so far; guarantees work that does not grow with the length of the diagram.

    expected `Real[1050]`, found `Real[(C H W): 1568]`, in the input of `classify`, step 5 of `>>`
"""

from __future__ import annotations

from collections.abc import Iterator

from catdl import diagnostics as wrong
from catdl.check.builder import Builder, Bundle, Inner, PBox, Use, W
from catdl.check.context import Context
from catdl.check.origins import HOPS, Place, axes_of, derivations, entered, one_line, written_bound, written_sizes
from catdl.check.scope import DimDef
from catdl.check.solver import Blame
from catdl.check.ways import Given, Leg, Port, Step, Way, number_of
from catdl.diagnostics import base
from catdl.diagnostics.base import NO_WHY, Derivation, Diagnostic, Edit, Help, Label, Steps, Why
from catdl.source import Span
from catdl.types.sizes import Size, normal, show
from catdl.types.types import Axis, Leaf, Object, label_of, show_kind, show_object, walk_axes

_FEW = 3  # types along a composition: fewer are seen at a glance
_SIDES = 3  # sizes whose derivation is told, of each side


def explain(ctx: Context, blame: Blame, found: Size | None = None) -> Why:
    """What to say of a broken equation beyond the two sides; `found` is the size at fault where no type is."""
    why = sides(ctx, blame, found)
    use = blame.use
    if use is None or (use.source is blame.span.source and use.start <= blame.span.start and blame.span.end <= use.end):
        return why
    return Why((*why.labels, Label(use, "unfolded for this use")), why.derivations, why.steps)


def sides(ctx: Context, blame: Blame, found: Size | None) -> Why:
    """Where the two sides of a broken equation come from."""
    wire = blame.wire
    port = blame.port
    steps = along(port.way, port.number) if port is not None else along(blame.way, number_of(blame.way))
    if wire is None:
        return Why(steps=steps)
    labels = []
    if steps is None and (label := source_label(wire, blame.span)) is not None:
        labels.append(label)
    other = blame.against
    if other is not None and other.where is not None and blame.origin is None:
        labels.append(Label(other.where, f"`{show_object(Object((other.leaf,), (None,)))}` comes from here"))
    if blame.expected is None:
        return Why(tuple(labels), () if found is None else first(ctx, sized(wire, found)), steps)
    derived = [*first(ctx, differing(wire, blame.expected))]
    if other is not None:
        derived += first(ctx, differing(other, wire.leaf))
    derived += declared(ctx, blame, wire.leaf)
    return Why(tuple(labels), tuple(dict.fromkeys(derived)), steps)


def namesakes(ctx: Context, blame: Blame, why: Why) -> Diagnostic | None:
    """Two types that read alike: the dims of one name that they differ in, and how one of them goes."""
    if blame.expected is None or blame.found is None:
        return None
    for mine, theirs in zip(walk_axes(blame.found.axes), walk_axes(blame.expected.axes), strict=False):
        labels = [label_of(a.label) if isinstance(a, Axis) else None for a in (theirs, mine)]
        expected, found = (ctx.library.dim(x) if isinstance(x, str) else None for x in labels)
        if expected is not None and found is not None and expected is not found:
            return wrong.DimsOfOneName(
                blame.span,
                expected.name,
                file_name(expected.span),
                file_name(found.span),
                blame.context,
                expected.span,
                found.span,
                (one_dim(blame.span, expected, found),),
                why,
            )
    return None


def one_dim(at: Span, expected: DimDef, found: DimDef) -> Help:
    """Declare a dim in one file and import it in the other: in the one that is read, if it declares one of them."""
    here, other = (found, expected) if expected.span.source is not at.source else (expected, found)
    module = file_name(other.span).removesuffix(".cat")
    line = f"from {module} import {other.name}"
    message = f"declare it in one file, and import it in the other: `{line}`"
    source = here.span.source
    start = source.text.rfind("\n", 0, here.span.start) + 1
    end = source.text.find("\n", here.span.end)
    before, after = source.text[start : here.span.start], source.text[here.span.end : end if end >= 0 else None]
    alone = before.strip() == "dim" and (not after.strip() or after.lstrip().startswith("#"))
    if not alone or source is not at.source:
        return Help(message)
    return Help(message, (Edit(Span(source, start, here.span.end), line),))


def file_name(span: Span) -> str:
    """The name of the file that a stretch lies in."""
    return span.source.path.replace("\\", "/").rpartition("/")[2]


def first(ctx: Context, places: list[Place]) -> tuple[Derivation, ...]:
    """The derivation of the first of some sizes that has one: the others differ for the same reason."""
    return next((found for place in places if (found := derivations(ctx, [place]))), ())


def derived(ctx: Context, wire: W, expected: Leaf) -> Why:
    """How the sizes of a wire came about that differ from those expected, and nothing else."""
    return Why((), first(ctx, differing(wire, expected)))


def travelled(way: Way | None) -> Why:
    """The types on the way to a place, and nothing else."""
    return Why(steps=along(way, number_of(way)))


def meeting(ctx: Context, wires: list[W], span: Span) -> Why:
    """Where wires that must not meet got their kinds; a root kind is nobody's doing."""
    told = [w for w in wires if w.literal is None and ctx.kinds.root(w.leaf.kind.name) != w.leaf.kind.name]
    spans: dict[Span, str] = {}
    for wire in told:
        where, box = kind_source(wire)
        if where is not None:
            spans.setdefault(where, f"`{show_kind(wire.leaf.kind)}` from here")
        if box is not None and (inner := kind_within(ctx, box, wire.leaf.kind.name)) is not None:
            spans.setdefault(inner, f"`{box.segment}` has it from here")
    return Why(tuple(Label(at, text) for at, text in spans.items() if at != span))


def kinds(wire: W, span: Span, way: Way | None, told: Span | None = None) -> Why:
    """Where a wire got its kind, and the types on the way from there."""
    where = kind_span(wire)
    if where == span:
        return NO_WHY
    labels: tuple[Label, ...] = ()
    if where is not None and where not in (span, told):
        labels = (Label(where, f"`{show_kind(wire.leaf.kind)}` from here"),)
    return Why(labels, (), along(way, number_of(way)))


def place_words(port: Port) -> str:
    """A place that takes wires, as the tail of a sentence."""
    what = f"the input of `{port.callee}`"
    way = port.way
    if isinstance(way, Given):
        at = part_of(way, port.index)
        if at is not None and len(way.parts) > 1:
            what = f"argument {at + 1} of `{port.callee}`"
        way = way.rest if at is None else None
    if port.name is not None:
        what = f"the input `{port.name}` of `{port.callee}`"
    elif port.count > 1 and not isinstance(port.way, Given):
        what = f"input {port.index + 1} of `{port.callee}`"
    match way:
        case Step() if len(way.steps) > 2 or (not way.wired and len(way.steps) > 1):
            return f"{what}, step {port.number} of `{way.sign}`"
        case Leg(sign, number):
            return f"{what}, leg {number} of `{sign}`"
        case _:
            return what


def given_span(port: Port) -> Span | None:
    """Where the argument is written that a place takes, if it is one."""
    if not isinstance(port.way, Given):
        return None
    at = part_of(port.way, port.index)
    return None if at is None else port.way.parts[at][0]


def part_of(way: Given, index: int) -> int | None:
    """Which argument a wire belongs to."""
    for at, (_, count) in enumerate(way.parts):
        if index < count:
            return at
        index -= count
    return None


def along(way: object, number: int) -> Steps | None:
    """The types along a composition up to a step; None where there are few, or it has gone on since."""
    while isinstance(way, Given):
        way = way.rest
    if not isinstance(way, Step) or way.number != number or way.first is None:
        return None
    rows = [base.Step("the input", type_words(way.first))] if not way.wired else []
    done = number - 1
    near = steps_of(way)
    skipped = done - len(near)
    if way.wired and skipped:
        rows = [base.Step(step_words(way, 0), type_words(way.first))]
        skipped -= 1
    last = way.last
    while last is not None:  # the last step in its own steps
        inside = steps_of(last)
        before = last.number - 1 - len(inside)
        if before:
            skipped, near = skipped + len(near) - 1 + before, inside
        else:
            near = [*near[:-1], *inside]
        last = last.last
    if len(rows) + len(near) < _FEW or any(b.bad for b in way.recent):
        return None
    return Steps(tuple(rows), tuple(near), skipped)


def steps_of(way: Step) -> list[base.Step]:
    """The last steps of a composition, with their types."""
    first = way.number - 1 - len(way.recent)
    return [base.Step(step_words(way, first + i), type_words(b)) for i, b in enumerate(way.recent)]


def step_words(way: Step, at: int) -> str:
    """A step as it is written, on one line."""
    return one_line(way.env.module.span(way.steps[at]))


def type_words(bundle: Bundle) -> str:
    """What a bundle is, in types."""
    return show_object(Object(tuple(w.leaf for w in bundle.wires), bundle.names or (None,) * len(bundle.wires)))


def source_label(wire: W, span: Span) -> Label | None:
    """Where a wire comes from that is not made right before the place at fault."""
    where = wire.where
    if where is None or where.source != span.source or (where.start < span.end and span.start < where.end):
        return None
    if wire.name is None and where.line == span.line:
        return None
    if wire.name:
        return Label(where, f"`{wire.name}` comes from here")
    return Label(where, "it comes from here" if wire.builder.maker(wire) else "this is what enters")


def differing(wire: W, expected: Leaf) -> list[Place]:
    """The axes of a wire whose sizes are not those of the expected type."""
    mine, theirs = axes_of(wire), walk_axes(expected.axes)
    if mine is None:
        return []
    found = []
    for at, axis in enumerate(mine):
        if len(mine) == len(theirs):
            other = theirs[at]
            agrees = isinstance(other, Axis) and normal(other.size) == normal(axis.size)
        else:
            agrees = any(isinstance(o, Axis) and label_of(o.label) == label_of(axis.label) for o in theirs)
        if not agrees:
            found.append((wire, at))
    return found[:_SIDES]


def sized(wire: W, size: Size) -> list[Place]:
    """The axes of a wire that have a size."""
    return [(wire, at) for at, axis in enumerate(axes_of(wire) or ()) if normal(axis.size) == normal(size)][:_SIDES]


def declared(ctx: Context, blame: Blame, found: Leaf) -> list[Derivation]:
    """How expected sizes were declared, where that took arithmetic: a dim's, or one that a signature computes."""
    expected = blame.expected
    assert expected is not None
    out = []
    theirs = {normal(a.size) for a in walk_axes(found.axes) if isinstance(a, Axis)}
    sums = written_sizes(blame.origin) if blame.origin is not None else []
    axes = walk_axes(expected.axes)
    bounds = () if blame.wire is None else tuple(written_bounds(blame.wire.builder))
    for place, axis in enumerate(axes):
        if not isinstance(axis, Axis) or not isinstance(normal(axis.size), int) or normal(axis.size) in theirs:
            continue  # a size that is a formula says itself how it is made
        size, label = show(normal(axis.size)), label_of(axis.label)
        dim = ctx.library.dim(label) if isinstance(label, str) else None
        if dim is not None and dim.formula is not None and normal(dim.axis.size) == normal(axis.size):
            out.append(Derivation(size, dim.formula, f"dim {dim.name}", dim.span))
        elif blame.origin is not None and len(sums) == len(axes) and sums[place] and sums[place] != size:
            out.append(Derivation(size, sums[place], one_line(blame.origin), blame.origin))
        else:
            out += [
                Derivation(size, text, one_line(at), at) for bound, text, at in bounds if bound == normal(axis.size)
            ]
    return out


def written_bounds(b: Builder) -> Iterator[tuple[Size, str, Span]]:
    """The bounds of the indices that enter, as the signature computes them: `Fin(V + 2)`."""
    while b.parent is not None:
        b = b.parent
    for wire in b.inputs:
        size = wire.leaf.kind.size
        if size is not None and wire.where is not None and (text := written_bound(wire.where)):
            yield normal(size), text, wire.where


def kind_span(wire: W) -> Span | None:
    """Where a wire got its kind."""
    return kind_source(wire)[0]


def kind_within(ctx: Context, box: PBox, kind: str) -> Span | None:
    """Where a morphism of the user's own that a box uses got the kind of what it yields, if not from its inputs."""
    if not isinstance(box.op, Use) or not box.op.definition.module.name or len(box.outputs) != 1:
        return None
    diagram = ctx.library.closed(box.op.definition)
    if diagram is None:
        return None
    makers = {output: made for made in diagram.boxes for output in made.outputs}
    made = makers.get(diagram.outputs[0])
    for _ in range(HOPS):
        if made is None:
            return None
        kept = next((i for i in made.inputs if diagram.wires[i].type.kind.name == kind), None)
        if kept is None:
            return made.span
        made = makers.get(kept)
    return None


def kind_source(wire: W) -> tuple[Span | None, PBox | None]:
    """The place and the box where a wire got its kind: the first on the way back whose input means something else."""
    for _ in range(HOPS):
        box = wire.builder.maker(wire)
        if box is None:
            outer = entered(wire)
            if outer is None:
                return wire.where, None
            wire = outer[0]
            continue
        if isinstance(box.op, Inner) and box.op.builder.outputs:
            inner = box.op.builder.outputs[box.outputs.index(wire)]
            if inner.leaf.kind.name != wire.leaf.kind.name:
                return box.span, box
            wire = inner
            continue
        kept = next((w for w in box.inputs if w.leaf.kind.name == wire.leaf.kind.name), None)
        if kept is None:
            return box.span, box
        wire = kept
    return wire.where, None
