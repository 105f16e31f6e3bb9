# ruff: noqa: E501  (lines of specs)
"""Random steps written with wires: blocks, boxes, capture by boxes, `repeat`, `map` and lambdas."""

from __future__ import annotations

from tests.laws.generate import Gen, Step, chain, endo
from tests.laws.shapes import Product, Ten, Text
from tests.laws.steps_common import atom


def block(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """`(x, y) => { z = x >> f … }`."""
    if not start:
        return None
    wires: dict[str, Ten] = {}
    for t in start:
        wires[g.word("x")] = t
    head = ", ".join(wires)
    unused = dict(wires)
    lines: list[str] = []
    for _ in range(g.number(1, 3)):
        name = str(g.pick(*wires))
        unused.pop(name, None)
        f, made = chain(g, (wires[name],), fuel - 1, 1)
        new = {g.word("y"): t for t in made}
        lines.append(f"{', '.join(new)} = {name} >> {f.within(1)}")
        wires |= new
        unused |= new
    results = list(unused)[:3]
    lines += [f"{extra} >> discard" for extra in list(unused)[3:]]
    if not results:
        results = [next(iter(wires))]
    lines.append(results[0] if len(results) == 1 else f"({', '.join(results)})")
    inner = "\n    ".join(lines)
    return Text(f"({head}) => {{\n    {inner}\n}}", 0), tuple(wires[r] for r in results)


def captured(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """A wire from outside in a box, a repeat, a map or an inner lambda."""
    if len(start) != 1 or start[0].fin is not None:
        return None
    t = start[0]
    f = endo(g, t, fuel - 1)
    h = endo(g, t, fuel - 1)
    x, y, z = g.word("x"), g.word("y"), g.word("z")
    inner = f"({z} => ({z} + {y}) >> {h.within(1)})"
    uses = [
        f"{x} >> {inner}",
        f"{x} >> repeat(2, {inner})",
        f"{x} >> iterate(2, tied {inner})",
        f"{x} >> {g.helper('residual')}({inner[1:-1]})",
    ]
    if t.axes and t.axes[0].label is not None:
        row = Ten(t.axes[1:])
        over = endo(g, row, fuel - 1)
        pooled = f"mean[{t.axes[0].label}]({y})"
        uses.append(
            f"{{\n        {y}m = {pooled}\n        {x} >> map[{t.axes[0].text}](tied ({z} => ({z} * {y}m) >> {over.within(1)})) }}"
        )
    last = str(g.pick(*uses))
    if g.chance(3):
        box = f"    box fresh b{z} = {z} => ({z} - {y}) >> {h.within(1)}\n    {x} >> b{z} >> b{z}\n"
        return Text(f"{x} => {{\n    {y} = {x} >> {f.within(1)}\n{box}}}", 0), start
    return Text(f"{x} => {{\n    {y} = {x} >> {f.within(1)}\n    {last}\n}}", 0), start


def called(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """A morphism of its own, used once or twice."""
    f, after = chain(g, start, fuel - 1, g.number(1, 2))
    name = g.word("m")
    from tests.laws.shapes import show

    g.decls.append(f"morphism {name} : {show(start)} -> {show(after)} = {f.text}")
    if len(start) == 1 and g.chance():
        return Text(f"x => (x >> {name}, {name}(x))", 0), after + after
    return atom(name), after


WIRED: list[Step] = [block, captured, called]
