"""Random steps from a product of tensors: structure, tensor products of steps, and what joins two tensors."""

from __future__ import annotations

from tests.laws.generate import Gen, Step, chain
from tests.laws.shapes import Ax, Product, Ten, Text
from tests.laws.steps_common import atom, labelled, new_label, replaced


def beside(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """`f @ g`."""
    if not start:
        return None
    texts: list[str] = []
    after: Product = ()
    for t in start:
        f, made = (atom("id"), (t,)) if g.chance(4) else chain(g, (t,), max(fuel - 1, 0), 1)
        texts.append(f.within(2))
        after += made
    return Text(" @ ".join(texts), 2), after


def swapped(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    return (atom("swap"), (start[1], start[0])) if len(start) == 2 else None


def dropped(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    if len(start) < 2:
        return None
    at = g.number(0, len(start) - 1)
    parts = ["discard" if i == at else "id" for i in range(len(start))]
    return Text(" @ ".join(parts), 2), (*start[:at], *start[at + 1 :])


def turned(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    if len(start) < 2:
        return None
    names = [f"x{i}" for i in range(len(start))]
    order = [*names[1:], names[0]]
    if g.chance():
        return Text(f"({', '.join(names)}) => ({', '.join(order)})", 0), (*start[1:], start[0])
    return Text(f"({', '.join(names)}) => ({', '.join([*names, names[0]])})", 0), (*start, start[0])


def joined(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """Arithmetic, stacking and concatenation of two equal types."""
    if len(start) != 2 or start[0] != start[1] or start[0].fin is not None:
        return None
    t = start[0]
    place = labelled(g, t)
    options: list[tuple[Text, Product]] = [
        (
            Text(
                str(
                    g.pick(
                        "(x, y) => x + y",
                        "(x, y) => x * tanh(y)",
                        "(x, y) => maximum(x, y) - y",
                        "(x, y) => where(x > y, x, y)",
                    )
                ),
                0,
            ),
            (t,),
        ),
        (atom(str(g.pick("add", "mul", "sub"))), (t,)),
    ]
    new = Ax(new_label(g), "2")
    options.append((atom(f"stack[{new.label}]"), (Ten((new, *t.axes)),)))
    if place is not None:
        a = t.axes[place]
        after = replaced(t, place, Ax(a.label, f"2 * ({a.size})"))
        if after is not None:
            options.append((atom(f"concat[{a.label}]"), after))
    found: tuple[Text, Product] = g.pick(*options)  # type: ignore[assignment]
    return found


def put_together(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """Concatenation along the one axis in which two types differ."""
    if len(start) != 2 or len(start[0].axes) != len(start[1].axes) or start[0].fin or start[1].fin:
        return None
    apart = [i for i, (a, b) in enumerate(zip(start[0].axes, start[1].axes, strict=True)) if a != b]
    if len(apart) != 1:
        return None
    a, b = start[0].axes[apart[0]], start[1].axes[apart[0]]
    if a.label is None or a.label != b.label:
        return None
    after = replaced(start[0], apart[0], Ax(a.label, f"{a.size} + {b.size}"))
    return None if after is None else (atom(f"concat[{a.label}]"), after)


def multiplied(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """`over` and `contract` align two tensors by label."""
    if len(start) != 2 or not all(t.named and t.fin is None for t in start):
        return None
    x, y = start
    sizes = {a.label: a.size for a in x.axes}
    if any(sizes.get(a.label, a.size) != a.size for a in y.axes):
        return None
    extra = tuple(a for a in y.axes if a.label not in sizes)
    union = (*x.axes, *extra)
    if len(union) > 4:
        return None
    common = [a for a in y.axes if a.label in sizes]
    if common and g.chance():
        gone = common[g.number(0, len(common) - 1)]
        axes = tuple(a for a in union if a != gone)
        return atom(f"contract[{gone.label}]"), (Ten(axes),)
    if not union:
        return Text("(x, y) => x * y", 0), (Ten(()),)
    order = union if g.chance() else tuple(reversed(union))
    rows = ", ".join(str(a.label) for a in order)
    return Text(f"(x, y) => over[{rows}]({g.pick('x + y', 'x * tanh(y) - y', 'y / (2 + x * x)')})", 0), (Ten(order),)


def fan_out(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    if not fuel or not start:
        return None
    (f, x), (h, y) = chain(g, start, fuel - 1, 1), chain(g, start, fuel - 1, 1)
    return Text(f"{f.within(2)} & {h.within(2)}", 2), (*x, *y)


PRODUCT: list[Step] = [beside, joined, swapped, dropped, turned, put_together, multiplied, fan_out]
