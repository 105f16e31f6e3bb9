"""Random steps from one tensor of reals that change its type: `TENSOR`."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.laws.generate import Gen, Step, axis, chain, endo
from tests.laws.shapes import Ax, Product, Ten, Text
from tests.laws.steps_common import atom, labelled, last, new_label, replaced


def linear(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    if not t.axes:
        return None
    place = len(t.axes) - 1
    on = ""
    if g.chance(3):
        found = labelled(g, t, fixed=True)
        if found is not None:
            place, on = found, f"[{t.axes[found].label}]"
    if not t.axes[place].fixed:
        return None
    new = axis(g, tuple(label for label in t.labels if label != t.axes[place].label), free=False)
    after = replaced(t, place, new)
    return None if after is None else (atom(f"linear{on}({new.text})"), after)


def onto(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    a = last(start)
    if a is None or not a.fixed or a.label is None:
        return None
    x = axis(g, start[0].labels, free=False)
    y = axis(g, (*start[0].labels, x.label or ""), free=False)
    if x.label is None or y.label is None:
        return None
    after = replaced(start[0], len(start[0].axes) - 1, x, y)
    return None if after is None else (atom(f"linear_onto[{a.label}, {x.text}, {y.text}]"), after)


def reduction(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    place = labelled(g, t)
    if place is None:
        return None
    fn = str(g.pick("mean", "sum", "max", "min", "logsumexp", "norm_inf", "var"))
    if fn == "var":
        tail = f"(correction = {g.number(0, 1)})"
        if t.axes[place].least < 2:
            return None
    else:
        tail = ""
    if g.chance(4) and t.named:
        return Text(f"{fn}[..]{tail} >> tanh", 1), (Ten(()),)
    two = place + 1 < len(t.axes) and t.axes[place + 1].label is not None and g.chance(3)
    named = f"{t.axes[place].label}" + (f", {t.axes[place + 1].label}" if two else "")
    axes = (*t.axes[:place], *t.axes[place + (2 if two else 1) :])
    return Text(f"{fn}[{named}]{tail} >> tanh", 1), (Ten(axes),)


def rearranged(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    if not t.axes or len(t.axes) > 4:
        return None
    letters = "abcde"[: len(t.axes)]
    before: list[str] = list(letters)
    pieces: list[tuple[str, Ax]] = list(zip(letters, t.axes, strict=True))
    extra = ""
    # A merged axis is a word: it comes apart into what it was merged from, and into nothing else.
    plain = [i for i, a in enumerate(t.axes) if a.fixed and "(" not in a.size]
    places = [i for i in plain if any(t.axes[i].least % k == 0 for k in (2, 3))]
    if places and g.chance():
        at = int(g.pick(*places))  # type: ignore[call-overload]
        n = t.axes[at].least
        k = 2 if n % 2 == 0 else 3
        before[at] = "(p q)"
        extra = f", p = {k}" if g.chance() else f", q = {n // k}"
        pieces[at : at + 1] = [("p", Ax(None, str(k))), ("q", Ax(None, str(n // k)))]
    order = list(g.draw(st.permutations(pieces)))  # type: ignore[call-overload]
    after = [piece[0] for piece in order]
    axes = [piece[1] for piece in order]
    if len(order) > 1 and g.chance(3):
        at = g.number(0, len(order) - 2)
        after[at : at + 2] = [f"({after[at]} {after[at + 1]})"]
        axes[at : at + 2] = [Ax(None, f"({axes[at].size}) * ({axes[at + 1].size})")]
    return atom(f'rearrange("{" ".join(before)} -> {" ".join(after)}"{extra})'), (Ten(tuple(axes)),)


def permuted(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    if len(t.axes) < 2 or not t.named:
        return None
    axes = (*t.axes[1:], t.axes[0]) if g.chance() else tuple(reversed(t.axes))
    return atom(f"permute[{', '.join(str(a.label) for a in axes)}]"), (Ten(axes),)


def flattened(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    if len(t.axes) < 2:
        return None
    if g.chance() or not t.named:
        return atom("flatten"), (Ten((Ax(None, " * ".join(f"({a.size})" for a in t.axes)),)),)
    at = g.number(0, len(t.axes) - 2)
    x, y = t.axes[at : at + 2]
    size = f"({x.size}) * ({y.size})"
    if g.chance():
        name = new_label(g)
        return (
            Text(f"flatten[{x.label}, {y.label}] >> rename[({x.label}, {y.label}) -> {name}]", 1),
            (Ten((*t.axes[:at], Ax(name, size), *t.axes[at + 2 :])),),
        )
    return atom(f"flatten[{x.label}, {y.label}]"), (Ten((*t.axes[:at], Ax(None, size), *t.axes[at + 2 :])),)


def unflattened(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    place = labelled(g, t)
    if place is None:
        return None
    a = t.axes[place]
    if a.size == "2 * U":
        x, y = Ax(new_label(g), "2"), Ax(new_label(g), "U")
    elif a.fixed and a.least % 2 == 0:
        x, y = Ax(new_label(g), f"{a.least // 2}"), Ax(new_label(g), "2")
    else:
        return None
    after = replaced(t, place, x, y)
    return None if after is None else (atom(f"unflatten[{a.label}]({x.text}, {y.text})"), after)


def renamed(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    place = labelled(g, start[0])
    if place is None:
        return None
    a = start[0].axes[place]
    new = Ax(new_label(g), a.size)
    after = replaced(start[0], place, new)
    return None if after is None else (atom(f"rename[{a.label} -> {new.label}]"), after)


def spread(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    if len(t.axes) > 2:
        return None
    new = axis(g, t.labels, free=False)
    if new.label is None:
        new = Ax(new_label(g), new.size)
    if new.least == 1 and g.chance():
        return None
    return atom(f"expand[{new.text}]"), (Ten((new, *t.axes)),)


def cut(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """Slices, pads and windows of a named axis."""
    t = start[0]
    place = labelled(g, t)
    if place is None:
        return None
    a = t.axes[place]
    n = f"({a.size})"
    label = a.label
    options: list[tuple[str, tuple[Ax, ...]]] = [
        (f"pad[{label}](1, 2)", (Ax(label, f"{a.size} + 3"),)),
        (f"pad[{label}](0, 1, value = 0.5)", (Ax(label, f"{a.size} + 1"),)),
    ]
    if a.least >= 3:
        options += [
            (f"slice[{label}](0, 2)", (Ax(label, "2"),)),
            (f"slice[{label}](1, {a.size})", (Ax(label, f"{a.size} - 1"),)),
            (f"slice[{label}](0, {a.size}, step = 2)", (Ax(label, f"({a.size} + 1) // 2"),)),
            (
                f'pad[{label}](1, 1, mode = "{g.pick("circular", "replicate", "reflect")}")',
                (Ax(label, f"{a.size} + 2"),),
            ),
            (f"maxpool1d[{label}](2)", (Ax(label, f"{n} // 2"),)),
            (f"avgpool1d[{label}](3, stride = 2, padding = 1)", (Ax(label, f"({a.size} - 1) // 2 + 1"),)),
            (f"maxpool1d[{label}](2, stride = 1)", (Ax(label, f"{a.size} - 1"),)),
        ]
        window = Ax(new_label(g), "2")
        options.append((f"window[{label}]({window.text}, stride = 1)", (Ax(label, f"{a.size} - 1"), window)))
        options.append((f"window[{label}]({window.text}, stride = 2)", (Ax(label, f"({a.size} - 2) // 2 + 1"), window)))
    text, new = options[g.number(0, len(options) - 1)]
    after = replaced(t, place, *new)
    return None if after is None else (atom(text), after)


def conv(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    if len(t.axes) < 2 or not t.axes[-2].fixed or t.axes[-1].label is None or t.axes[-1].least < 3:
        return None
    c, n = t.axes[-2], t.axes[-1]
    if not g.slides(n):
        return None
    out = axis(g, t.labels, free=False)
    if out.label is not None and c.label is not None:
        out = Ax(c.label, str(out.least))
    if out.label is None:
        out = Ax(c.label, out.size)
    groups = g.pick(*[k for k in (1, 2, 3) if c.least % k == 0 and out.least % k == 0])
    made: tuple[str, str] = g.pick(  # type: ignore[assignment]
        (f"conv1d({out.size}, 3, padding = 1, groups = {groups})", n.size),
        (f"conv1d({out.size}, 2, stride = 2, bias = false, groups = {groups})", f"({n.size} - 2) // 2 + 1"),
        (f"conv1d({out.size}, 2, dilation = 2)", f"{n.size} - 2"),
        (f"conv_transpose1d({out.size}, 2, stride = 2, groups = {groups})", f"2 * ({n.size})"),
    )
    after = replaced(
        Ten((*t.axes[:-1], Ax(n.label, made[1]))), len(t.axes) - 2, Ax(c.label, out.size) if out.label else out
    )
    return None if after is None else (atom(made[0]), after)


def image(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    if len(t.axes) != 3 or not t.axes[0].fixed or any(a.label is None or a.least < 3 for a in t.axes[1:]):
        return None
    c, h, w = t.axes
    if not g.slides(h, w):
        return None
    out = g.number(1, 3)
    made: tuple[str, int | None, str, str] = g.pick(  # type: ignore[assignment]
        (f"conv2d({out}, 3, padding = 1)", out, h.size, w.size),
        ("maxpool2d(2)", None, f"({h.size}) // 2", f"({w.size}) // 2"),
        ("avgpool2d(2, stride = 1)", None, f"{h.size} - 1", f"{w.size} - 1"),
        (f"conv2d({out}, [2, 1], stride = [1, 2])", out, f"{h.size} - 1", f"({w.size} - 1) // 2 + 1"),
    )
    text, channels, height, width = made
    first = c if channels is None else Ax(c.label, str(channels))
    return atom(text), (Ten((first, Ax(h.label, height), Ax(w.label, width))),)


def named_sum(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """einsum and contract with a declared parameter."""
    t = start[0]
    place = labelled(g, t, fixed=True)
    if place is None:
        return None
    a = t.axes[place]
    w = g.word("w")
    new = Ax(new_label(g), str(g.number(1, 3)))
    g.decls.append(f"param {w} : Real[{new.text}, {a.text}] ~ normal(0, 1)")
    if g.chance():
        axes = (*t.axes[:place], *t.axes[place + 1 :], new)
        return Text(f"x => contract[{a.label}](x, {w})", 0), (Ten(axes),)
    letters = "abcde"[: len(t.axes)]
    out = letters.replace(letters[place], "o")
    after = replaced(t, place, Ax(None, new.size))
    pattern = f"{' '.join(letters)}, o {letters[place]} -> {' '.join(out)}"
    return None if after is None else (Text(f'x => einsum("{pattern}")(x, {w})', 0), after)


def doubled(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """Concatenation and stacking of a tensor with what was made of it."""
    t = start[0]
    f = endo(g, t, max(fuel - 1, 0))
    place = labelled(g, t)
    if place is None or g.chance(3):
        new = Ax(new_label(g), "2")
        return Text(f"x => (x, x >> {f.within(1)}) >> stack[{new.label}]", 0), (Ten((new, *t.axes)),)
    a = t.axes[place]
    after = replaced(t, place, Ax(a.label, f"2 * ({a.size})"))
    return None if after is None else (Text(f"x => concat[{a.label}](x >> {f.within(1)}, x)", 0), after)


def halved(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """Cutting an axis into a product."""
    t = start[0]
    place = labelled(g, t, fixed=True)
    if place is None or t.axes[place].least < 2:
        return None
    a = t.axes[place]
    n = a.least
    if n % 2 == 0 and g.chance():
        part = replaced(t, place, Ax(a.label, str(n // 2)))
        return None if part is None else (atom(f"split[{a.label}](2)"), part * 2)
    one, two = replaced(t, place, Ax(a.label, "1")), replaced(t, place, Ax(a.label, str(n - 1)))
    return None if one is None or two is None else (atom(f"split[{a.label}]([1, {n - 1}])"), one + two)


def fan(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    if not fuel:
        return atom("copy"), (*start, *start)
    (f, x), (h, y) = chain(g, start, fuel - 1, g.number(1, 2)), chain(g, start, fuel - 1, 1)
    return Text(f"{f.within(2)} & {h.within(2)}", 2), (*x, *y)


def highest(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """The place of the largest element, and what is made of an index."""
    t = start[0]
    place = labelled(g, t)
    if place is None or not t.axes[place].fixed:
        return None
    axes = (*t.axes[:place], *t.axes[place + 1 :])
    return atom(f"argmax[{t.axes[place].label}]"), (Ten(axes, t.axes[place].size),)


def squeezed(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    for i, a in enumerate(start[0].axes):
        if a.label is not None and a.size == "1":
            return atom(f"squeeze[{a.label}]"), (Ten((*start[0].axes[:i], *start[0].axes[i + 1 :])),)
    return None


TENSOR: list[Step] = [
    linear, onto, reduction, rearranged, permuted, flattened, unflattened, renamed, spread, cut, conv, image, named_sum,
    doubled, halved, fan, highest, squeezed,
]  # fmt: skip
