"""Rules of the operations written as einops patterns."""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import Bundle, W
from catdl.check.emit import core
from catdl.check.patterns import Pattern, PatternError, parse_pattern
from catdl.check.rules.common import Rule
from catdl.check.solver import Blame
from catdl.syntax import ast
from catdl.types.sizes import Poly, Size, exact_div, free_vars, mul
from catdl.types.types import Axis, LabelVar, Leaf, Word, label_of, show_axis, show_leaf


def rearrange(rule: Rule) -> Bundle:
    """`rearrange("t (h d) -> h t d", h = 12)`."""
    pattern, sizes = read(rule, 1)
    wire = rule.wires(1)[0]
    letters, wire, groups = take_apart(rule, wire, pattern.inputs[0], sizes, pattern)
    flat = [letter for group in groups for letter in group]
    wanted = [letter for group in pattern.output for letter in (groups_of_rest(groups) if group == ("…",) else group)]
    missing = [x for x in flat if x not in wanted]
    for letter in missing:
        if pattern.numbers.get(letter) != 1:
            shown = written(letter, sizes)
            why = f"`{shown}` stands on the left only: `rearrange` keeps every axis; `reduce` drops some"
            raise rule.ctx.refuse(wrong.BadPattern(rule.span, why))
        wire = dropped(rule, wire, flat.index(letter))
        flat.remove(letter)
    return put_together(rule, wire, letters, flat, pattern, sizes, groups)


def dropped(rule: Rule, wire: W, place: int) -> W:
    """A wire without an axis of size 1."""
    axes = rule.axes(wire)
    leaf = Leaf(rule.part(wire.leaf.kind, axes[place]), (*axes[:place], *axes[place + 1 :]))
    return core(rule.ctx, rule.b, "drop", [wire], [leaf], rule.span, axis=place).wires[0]


def groups_of_rest(groups: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The letters that `…` stood for."""
    return tuple(letter for group in groups for letter in group if letter.startswith("…"))


def read(rule: Rule, texts: int) -> tuple[Pattern, dict[str, Size]]:
    """The pattern and the sizes of letters given by name. Raises Refused."""
    ctx, env = rule.ctx, rule.head.env
    sizes: dict[str, Size] = {}
    text: ast.Text | None = None
    given = 0
    names: list[tuple[str, ast.Arg]] = []
    for arg in rule.head.args:
        if arg.sep == "=" and arg.name is not None:
            sizes[arg.name] = ctx.statics.size(arg.value, env)
            names.append((arg.name, arg))
        elif isinstance(arg.value, ast.Text):
            text = text or arg.value
            given += 1
        else:
            raise ctx.refuse(
                wrong.BadArgument(env.module.span(arg), "pattern", "a text in quotes", "something else", rule.name)
            )
    if text is None or given > texts:
        raise ctx.refuse(wrong.MissingArgument(rule.span, "pattern", rule.name))
    try:
        pattern = parse_pattern(text.value)
    except PatternError as error:
        raise ctx.refuse(wrong.BadPattern(env.module.span(text), str(error))) from None
    used = {x for side in (*pattern.inputs, pattern.output) for group in side for x in group}
    for name, arg in names:
        if name not in used:
            raise ctx.refuse(wrong.UnusedArgument(env.module.span(arg), name, rule.name))
    return pattern, {**sizes, **pattern.numbers}


def take_apart(
    rule: Rule, wire: W, groups: tuple[tuple[str, ...], ...], sizes: dict[str, Size], pattern: Pattern
) -> tuple[dict[str, Axis], W, list[tuple[str, ...]]]:
    """Split merged axes so that every letter is an axis; gives letters, the wire, and the groups with `…` spelt out."""
    ctx = rule.ctx
    axes = rule.axes(wire)
    expanded = spell(rule, wire, axes, groups)
    letters: dict[str, Axis] = {}
    place = 0
    for axis, group in zip(axes, expanded, strict=True):
        if len(group) == 1:
            letter = group[0]
            if letter in sizes:
                ctx.solver.same_size(
                    axis.size, sizes[letter], blame(rule, f"`{written(letter, sizes)}` of the pattern")
                )
            letters[letter] = axis
            place += 1
            continue
        if not group:
            ctx.solver.same_size(axis.size, 1, blame(rule, "`()` of the pattern"))
            wire = dropped(rule, wire, place)
            continue
        parts = split_axis(rule, axis, group, sizes)
        letters.update(zip(group, parts, strict=True))
        before = rule.axes(wire)
        leaf = Leaf(wire.leaf.kind, (*before[:place], *parts, *before[place + 1 :]))
        wire = core(
            ctx, rule.b, "split_axis", [wire], [leaf], rule.span, axis=place, sizes=tuple(p.size for p in parts)
        ).wires[0]
        place += len(group)
    return letters, wire, expanded


def spell(rule: Rule, wire: W, axes: list[Axis], groups: tuple[tuple[str, ...], ...]) -> list[tuple[str, ...]]:
    """The groups of one operand, one for each axis. Raises Refused."""
    if ("…",) in groups:
        spare = len(axes) - (len(groups) - 1)
        if spare >= 0:
            out: list[tuple[str, ...]] = []
            for group in groups:
                out += [(f"…{i}",) for i in range(spare)] if group == ("…",) else [group]
            return out
    elif len(groups) == len(axes):
        return list(groups)
    shown = " ".join("(" + " ".join(g) + ")" if len(g) != 1 else g[0] for g in groups)
    raise rule.ctx.refuse(
        wrong.BadPattern(
            rule.span,
            f"the pattern reads {len(groups)} axes, `{shown}`; the input is {show_leaf(wire.leaf)}, {len(axes)} axes",
        )
    )


def split_axis(rule: Rule, axis: Axis, group: tuple[str, ...], sizes: dict[str, Size]) -> list[Axis]:
    """The parts of a merged axis: the word's own axes, or new labels whose sizes multiply to it. Raises Refused."""
    ctx = rule.ctx
    label = label_of(axis.label)
    if isinstance(label, Word) and len(label.axes) == len(group):
        for letter, part in zip(group, label.axes, strict=True):
            if letter in sizes:
                if isinstance(part.size, int) and isinstance(sizes[letter], int) and part.size != sizes[letter]:
                    shown = "(" + " ".join(written(x, sizes) for x in group) + ")"
                    if letter == written(letter, sizes):
                        shown += f" with {letter} = {sizes[letter]}"
                    raise ctx.refuse(wrong.MergedMismatch(rule.span, shown, show_axis(axis)))
                ctx.solver.same_size(
                    part.size, sizes[letter], blame(rule, f"`{written(letter, sizes)}` of the pattern")
                )
        return list(label.axes)
    unknown = [x for x in group if x not in sizes]
    known: Size = 1
    for x in group:
        if x in sizes:
            known = mul(known, sizes[x])
    found = dict(sizes)
    if len(unknown) == 1:
        quotient = exact_div(axis.size, known) if not _open(axis.size) else None
        if quotient is None:
            if not _open(axis.size):
                why = ctx.explain(blame(rule, ""), axis.size)
                raise ctx.refuse(
                    wrong.NotDivisible(
                        rule.span, show_axis(axis), str(known), "", why, parts_of="does not come out even"
                    )
                )
            fresh = ctx.solver.size(rule.span, f"the size `{unknown[0]}` of the pattern")
            ctx.solver.same_size(axis.size, mul(fresh, known), blame(rule, "the merged axis"))
            quotient = fresh
        elif isinstance(quotient, Poly):
            ctx.solver.obligations.append((quotient, blame(rule, "the merged axis")))
        found[unknown[0]] = quotient
    elif unknown:
        for x in unknown:
            found[x] = ctx.solver.size(rule.span, f"the size `{x}` of the pattern")
        total: Size = known
        for x in unknown:
            total = mul(total, found[x])
        ctx.solver.same_size(axis.size, total, blame(rule, "the merged axis"))
    else:
        ctx.solver.same_size(axis.size, known, blame(rule, "the merged axis"))
    return [Axis(letter_label(rule, x), found[x]) for x in group]


def _open(size: Size) -> bool:
    return isinstance(size, Poly) and bool(free_vars(size))


def letter_label(rule: Rule, letter: str) -> LabelVar | str:
    """The label of an axis that a pattern makes: that of the dim given as its size (`h = Head`), else open."""
    for arg in rule.head.args:
        if arg.name == letter and isinstance(arg.value, ast.Name):
            axis = rule.head.env.find(arg.value.id)
            axis = getattr(axis, "axis", axis)
            if isinstance(axis, Axis) and isinstance(axis.label, str):
                return axis.label
    return rule.ctx.solver.label()


def written(letter: str, sizes: dict[str, Size]) -> str:
    """A letter as the pattern has it: one that stands for a number is that number."""
    return f"{sizes[letter]}" if letter.startswith("#") else letter


def blame(rule: Rule, context: str) -> Blame:
    """What to say when a size in a rule does not fit."""
    return Blame(rule.span, None, None, context, wire=rule.inp.wires[0] if rule.inp.wires else None, way=rule.head.way)


def put_together(
    rule: Rule,
    wire: W,
    letters: dict[str, Axis],
    flat: list[str],
    pattern: Pattern,
    sizes: dict[str, Size],
    groups: list[tuple[str, ...]],
) -> Bundle:
    """Permute, repeat and merge to the right side of the pattern. Raises Refused."""
    ctx = rule.ctx
    output: list[tuple[str, ...]] = []
    for group in pattern.output:
        output += [(x,) for x in groups_of_rest(groups)] if group == ("…",) else [group]
    order = [x for group in output for x in group]
    for letter in order:
        if letter not in letters and letter not in sizes:
            raise ctx.refuse(
                wrong.BadPattern(rule.span, f"`{letter}` stands on the right only; give its size: `{letter} = …`")
            )
    old = [x for x in order if x in flat]
    if old != flat:
        leaf = Leaf(wire.leaf.kind, tuple(letters[x] for x in old))
        wire = core(ctx, rule.b, "permute", [wire], [leaf], rule.span, perm=tuple(flat.index(x) for x in old)).wires[0]
    for place, letter in enumerate(order):
        if letter not in letters:
            letters[letter] = Axis(letter_label(rule, letter), sizes[letter])
            before = rule.axes(wire)
            leaf = Leaf(wire.leaf.kind, (*before[:place], letters[letter], *before[place:]))
            wire = core(ctx, rule.b, "expand", [wire], [leaf], rule.span, position=place, size=sizes[letter]).wires[0]
    for place, group in enumerate(output):
        if len(group) == 0:
            before = rule.axes(wire)
            leaf = Leaf(wire.leaf.kind, (*before[:place], Axis(ctx.solver.label(), 1), *before[place:]))
            wire = core(ctx, rule.b, "expand", [wire], [leaf], rule.span, position=place, size=1).wires[0]
        elif len(group) > 1:
            wire = merge(rule, wire, place, len(group))
    return Bundle([wire])


def merge(rule: Rule, wire: W, place: int, count: int) -> W:
    """Merge neighbours into a word."""
    axes = rule.axes(wire)
    parts = axes[place : place + count]
    size: Size = 1
    for part in parts:
        size = mul(size, part.size)
    axis = Axis(Word(tuple(parts)), size)
    leaf = Leaf(wire.leaf.kind, (*axes[:place], axis, *axes[place + count :]))
    return core(rule.ctx, rule.b, "merge_axes", [wire], [leaf], rule.span, axis=place, count=count).wires[0]
