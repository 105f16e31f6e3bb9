"""Random steps from a tensor of indices: `INDEX`."""

from __future__ import annotations

from tests.laws.generate import Gen, Step, axis
from tests.laws.shapes import Ax, Product, Ten, Text
from tests.laws.steps_common import atom, new_label


def embedded(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    new = axis(g, t.labels, free=False)
    return atom(f"embed({new.text})"), (Ten((*t.axes, new)),)


def table(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    assert t.fin is not None
    w, n = g.word("w"), new_label(g)
    g.decls.append(f"param {w} : Real[{n}: {t.fin}, {n}x: 2] ~ normal(0, 1)")
    return Text(f"i => gather[{n}]({w}, i)", 0), (Ten((*t.axes, Ax(f"{n}x", "2"))),)


def read(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    return atom("real"), (Ten(start[0].axes),)


def hot(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    assert t.fin is not None
    n = new_label(g)
    return Text(f"one_hot[{n}: {t.fin}] >> tanh", 1), (Ten((*t.axes, Ax(n, t.fin))),)


def still(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    return atom("id"), start


INDEX: list[Step] = [embedded, table, read, hot, still]
