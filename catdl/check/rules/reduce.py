"""Rules of reductions, running sums, contraction and einsum."""

from __future__ import annotations

from fractions import Fraction

from catdl import diagnostics as wrong
from catdl.check.builder import Bundle, W
from catdl.check.rules.common import BOOL, REAL, Rule
from catdl.check.rules.rearrange import blame, groups_of_rest, put_together, read, spell, take_apart, written
from catdl.check.rules.shape import one_axis
from catdl.check.scope import MorphismDef
from catdl.check.scores import score
from catdl.check.values import show_value
from catdl.syntax import ast
from catdl.types.ragged import ragged_syms
from catdl.types.types import Anonymous, Axis, Kind, LabelVar, Leaf, Word, label_of, plain, show_axis, show_label

LETTER_LIMIT = 52  # the letters of `torch.einsum`


def reduced_kind(rule: Rule, fn: str, wire: W, gone: list[Axis]) -> Kind:
    """What the result of a reduction means: extremes are elements, the others go by their overloads or to the root.

    The largest along any axis is an element by itself: along another axis than a `Probs` names, too, they do not
    come from one place. A kind that names an axis is kept by an overload while the axis is there: an average of
    `Probs(A)` along another one.
    """
    kind = wire.leaf.kind
    ctx = rule.ctx
    if fn in ("any", "all"):
        return kind if ctx.kinds.root(kind.name) == "Bool" else BOOL
    if fn in ("max", "min", "cummax", "cummin"):
        return rule.element(kind)
    entry = ctx.library_entry(fn)
    best = ctx.kinds.choose(entry.overloads, (kind.name,), None) if isinstance(entry, MorphismDef) else []
    if not best:
        return Kind(ctx.kinds.root(kind.name))
    outputs = best[0].outputs
    if outputs is None:
        raise ctx.refuse(wrong.KindNever(rule.span, fn, (plain(kind.name),), best[0].message))
    made = Kind(outputs[0], axis=kind.axis if ctx.has_axis(outputs[0]) else None)
    for axis in gone:
        made = rule.part(made, axis)
    return made


def reduction(rule: Rule) -> Bundle:
    """`sum[A, B]`, `mean[..]` and the like."""
    given = rule.args(*((("empty",), {"empty": None}) if rule.name in ("max", "min", "mean") else ((), {})))
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    places = rule.places(axes)
    empty = of_nothing(rule, given.get("empty"), [axes[i] for i in places])
    if rule.name in ("max", "min"):
        rule.ctx.filled += [axes[i].size for i in sorted(places) if not ragged_syms(axes[i].size)]
    kind = reduced_kind(rule, rule.name, wire, [axes[i] for i in places])
    leaf = Leaf(kind, tuple(a for i, a in enumerate(axes) if i not in places))
    return rule.out("reduce", [wire], [leaf], fn=rule.name, axes=tuple(sorted(places)), **empty)


def of_nothing(rule: Rule, value: object, axes: list[Axis]) -> dict[str, object]:
    """`max[N](empty = 0)`: what a reduction without unit gives where a sample has no elements along a var axis."""
    if value is None:
        return {}
    if not any(ragged_syms(axis.size) for axis in axes) or not isinstance(value, int | Fraction):
        told = "a number, for an axis whose dim is `var`: others have at least one element"
        raise rule.ctx.refuse(wrong.BadArgument(rule.span, "empty", told, show_value(value), rule.name))
    return {"empty": value}


def by_pattern(rule: Rule) -> Bundle:
    """`reduce("c (h 2) (w 2) -> c h w", "max")`."""
    pattern, sizes = read(rule, 2)
    texts = [a.value for a in rule.head.args if a.sep != "=" and isinstance(a.value, ast.Text)]
    fn = texts[1].value if len(texts) > 1 else "mean"
    if fn not in ("sum", "mean", "max", "min", "prod", "any", "all"):
        raise rule.ctx.refuse(
            wrong.BadArgument(rule.span, "fn", "sum, mean, max, min, prod, any or all", f'"{fn}"', "reduce")
        )
    wire = rule.wires(1)[0]
    letters, wire, groups = take_apart(rule, wire, pattern.inputs[0], sizes, pattern)
    flat = [letter for group in groups for letter in group]
    wanted = {letter for group in pattern.output for letter in group}
    if "…" in wanted:
        wanted |= set(groups_of_rest(groups))
    drop = [i for i, x in enumerate(flat) if x not in wanted]
    if drop:
        if fn in ("max", "min"):
            rule.ctx.filled += [letters[flat[i]].size for i in drop if not ragged_syms(letters[flat[i]].size)]
        kept = tuple(letters[x] for x in flat if x in wanted)
        leaf = Leaf(reduced_kind(rule, fn, wire, [letters[flat[i]] for i in drop]), kept)
        wire = rule.out("reduce", [wire], [leaf], fn=fn, axes=tuple(drop)).wires[0]
        flat = [x for x in flat if x in wanted]
    return put_together(rule, wire, letters, flat, pattern, sizes, groups)


def argmax(rule: Rule) -> Bundle:
    """`argmax[A]`, `argmin[A]`: the place of the extreme, in Fin(A)."""
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    place = one_axis(rule, axes)
    if not ragged_syms(axes[place].size):
        rule.ctx.filled.append(axes[place].size)
    leaf = Leaf(Kind("Fin", axes[place].size), tuple(a for i, a in enumerate(axes) if i != place))
    return rule.out("argmax", [wire], [leaf], fn=rule.name, axis=place)


def scan(rule: Rule) -> Bundle:
    """`cumsum[A]` and the like."""
    args = rule.args(("reverse",), {"reverse": False})
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    place = one_axis(rule, axes)
    kind = reduced_kind(rule, rule.name, wire, [])
    return rule.out("scan", [wire], [Leaf(kind, tuple(axes))], fn=rule.name, axis=place, reverse=bool(args["reverse"]))


def contract(rule: Rule) -> Bundle:
    """`contract[I](x, w)`: aligned by label, summed over the listed axes."""
    ctx = rule.ctx
    wires = rule.all_wires()
    lists = [rule.axes(w) for w in wires]
    flat: list[Axis] = []
    letters: list[list[int]] = []
    for axes in lists:
        places: list[int] = []
        for axis in axes:
            label = label_of(axis.label)
            found = next((i for i, a in enumerate(flat) if same(label_of(a.label), label) and i not in places), None)
            if found is None:
                flat.append(axis)
                found = len(flat) - 1
            else:
                ctx.solver.same_size(
                    axis.size, flat[found].size, blame(rule, f"the axis `{show_label(label)}` of `contract`")
                )
            places.append(found)
        letters.append(places)
    if not rule.items():
        raise ctx.refuse(wrong.NeedsAxes(rule.span, "contract", "contract[D]", tuple(show_axis(a) for a in flat)))
    drop = set(rule.places(flat))
    for place in drop:
        alone(
            rule, wires, flat[place], [axes for axes, places in zip(lists, letters, strict=True) if place not in places]
        )
    out = [i for i in range(len(flat)) if i not in drop]
    leaf = Leaf(product_kind(rule, wires), tuple(flat[i] for i in out))
    few_letters(rule, len({x for p in letters for x in p}))
    made = rule.out("contract", wires, [leaf], ins=tuple(tuple(p) for p in letters), out=tuple(out))
    return score(ctx, rule.b, made, wires, tuple(flat[i] for i in sorted(drop)))


def few_letters(rule: Rule, count: int) -> None:
    """Einsum has a letter for each axis. Raises Refused."""
    if count > LETTER_LIMIT:
        raise rule.ctx.refuse(
            wrong.LimitExceeded(rule.span, "the number of axes that meet in a contraction", LETTER_LIMIT)
        )


def alone(rule: Rule, wires: list[W], axis: Axis, others: list[list[Axis]]) -> None:
    """A summed axis that one operand alone has, while an axis of another one has no name yet. Raises Refused."""
    if len(others) != len(wires) - 1:
        return
    for axes in others:
        for other in axes:
            if isinstance(label_of(other.label), LabelVar) and other.size == axis.size:
                names = tuple(show_axis(a) for a in axes)
                raise rule.ctx.refuse(wrong.AxisNotFound(rule.span, show_label(axis.label), names, "contract"))


def product_kind(rule: Rule, wires: list[W]) -> Kind:
    """What a sum of products is: a real number, or a complex one where a factor is."""
    roots = [rule.ctx.kinds.root(w.leaf.kind.name) for w in wires]
    return Kind("Complex") if "Complex" in roots else REAL


def same(left: object, right: object) -> bool:
    """Whether two labels name one axis."""
    return left is right or (left == right and not isinstance(left, (Anonymous, LabelVar)))


def einsum(rule: Rule) -> Bundle:
    """`einsum("t i, o i -> t o")` on as many wires as the pattern has operands."""
    ctx = rule.ctx
    pattern, sizes = read(rule, 1)
    wires = rule.wires(len(pattern.inputs))
    found: dict[str, Axis] = {}
    numbers: dict[str, int] = {}
    ins: list[tuple[int, ...]] = []
    for wire, groups in zip(wires, pattern.inputs, strict=True):
        axes = rule.axes(wire)
        spelt = spell(rule, wire, axes, groups)
        places: list[int] = []
        for axis, group in zip(axes, spelt, strict=True):
            if len(group) != 1:
                raise ctx.refuse(wrong.BadPattern(rule.span, "`einsum` splits no axis; put a `rearrange` before it"))
            letter = group[0]
            if letter in sizes:
                ctx.solver.same_size(
                    axis.size, sizes[letter], blame(rule, f"`{written(letter, sizes)}` of the pattern")
                )
            if letter in found:
                before, now = label_of(found[letter].label), label_of(axis.label)
                if isinstance(before, str) and isinstance(now, str) and before != now:
                    both = f"`{show_axis(found[letter])}` and `{show_axis(axis)}`"
                    message, label = f"`{letter}` stands for two different axes, {both}", "one letter is one axis"
                    raise ctx.refuse(wrong.BadPattern(rule.span, message, label))
                ctx.solver.same_size(
                    axis.size, found[letter].size, blame(rule, f"`{written(letter, sizes)}` of the pattern")
                )
                if isinstance(before, (LabelVar, Anonymous)) and isinstance(now, (str, Word)):
                    found[letter] = axis
            else:
                found[letter] = axis
                numbers[letter] = len(numbers)
            places.append(numbers[letter])
        ins.append(tuple(places))
    out: list[str] = []
    for group in pattern.output:
        if group == ("…",):
            out += [x for x in found if x.startswith("…")]
        elif len(group) == 1:
            out.append(group[0])
        else:
            raise ctx.refuse(wrong.BadPattern(rule.span, "`einsum` merges no axes; put a `rearrange` after it"))
    for letter in out:
        if letter not in found:
            raise ctx.refuse(wrong.BadPattern(rule.span, f"`{written(letter, sizes)}` stands on the right only"))
    leaf = Leaf(product_kind(rule, wires), tuple(found[x] for x in out))
    few_letters(rule, len(numbers))
    made = rule.out("contract", wires, [leaf], ins=tuple(ins), out=tuple(numbers[x] for x in out))
    return score(rule.ctx, rule.b, made, wires, tuple(axis for x, axis in found.items() if x not in out))


def across(rule: Rule) -> Bundle:
    """`across_mean[C](x)`: over the batch and every axis but C; the result is the same for the whole batch."""
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    keep = rule.places(axes) if rule.items() else []
    leaf = Leaf(Kind(rule.ctx.kinds.root(wire.leaf.kind.name)), tuple(axes[i] for i in keep))
    bundle = rule.out("across", [wire], [leaf], fn=rule.name.removeprefix("across_"), keep=tuple(keep))
    bundle.wires[0].constant = True
    rule.b.effects.add("across")
    return bundle
