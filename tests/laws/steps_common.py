"""What the random steps share: small texts, and random places and labels of a tensor."""

from __future__ import annotations

from tests.laws.generate import Gen
from tests.laws.shapes import Ax, Product, Ten, Text, seq


def atom(text: str) -> Text:
    return Text(text, 3)


def last(start: Product) -> Ax | None:
    return start[0].axes[-1] if start[0].axes else None


def same(text: str, start: Product) -> tuple[Text, Product]:
    return atom(text), start


def replaced(t: Ten, at: int, *new: Ax) -> Product | None:
    axes = (*t.axes[:at], *new, *t.axes[at + 1 :])
    labels = [a.label for a in axes if a.label is not None]
    return (Ten(axes),) if len(set(labels)) == len(labels) else None


def labelled(g: Gen, t: Ten, fixed: bool = False) -> int | None:
    """The place of a random axis with a label."""
    places = [i for i, a in enumerate(t.axes) if a.label is not None and (a.fixed or not fixed)]
    if not places:
        return None
    found = g.pick(*places)
    assert isinstance(found, int)
    return found


def more_than_one(f: Text) -> Text:
    """A body that is not a single layer."""
    return f if f.level < 3 else seq([f, atom("tanh")])


def new_label(g: Gen) -> str:
    return g.word("P")
