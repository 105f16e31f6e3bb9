"""Writes facts.txt, a small text about a small world: `python make_facts.py`. No chance is in it but that of a seed."""

from __future__ import annotations

import random
from pathlib import Path

SIZE = 24_000
KINDS = {
    "bird": ("robin", "heron", "swift", "wren", "crane"),
    "fish": ("trout", "carp", "eel", "perch", "salmon"),
    "beast": ("otter", "badger", "hare", "fox", "stag"),
    "tree": ("oak", "birch", "willow", "alder", "pine"),
}
DOES = {"bird": "sings", "fish": "swims", "beast": "runs", "tree": "grows"}
WHERE = {"bird": "in the air", "fish": "in the river", "beast": "in the wood", "tree": "on the hill"}
SAYINGS = (
    "still water hides the {fish}.",
    "who waits for the {bird} hears the {bird}.",
    "one {tree} makes no wood.",
    "the {beast} that looks back is caught.",
    "even an old {tree} was once a seed.",
    "the {fish} does not thank the river.",
    "where the {tree} fell, the {beast} walks around it.",
    "a {bird} in the rain is a {bird} all the same.",
)


def sentence(draw: random.Random) -> str:
    """A fact that is true in this world, or a saying."""
    kind = draw.choice(list(KINDS))
    name = draw.choice(KINDS[kind])
    other = draw.choice(list(KINDS))
    forms = (
        f"the {name} is a {kind}, and a {kind} {DOES[kind]} {WHERE[kind]}.",
        f"if it {DOES[kind]}, it is a {kind}; the {name} {DOES[kind]}.",
        f"the {name} and the {draw.choice(KINDS[other])} " + ("are alike." if kind == other else "are not alike."),
        f"look for the {name} {WHERE[kind]}.",
    )
    if draw.random() < 0.25:
        chosen = {kind: draw.choice(names) for kind, names in KINDS.items()}
        return draw.choice(SAYINGS).format(**chosen)
    return draw.choice(forms)


def main() -> None:
    """Write sentences, one in a line, until there are enough."""
    draw = random.Random(0)
    lines: list[str] = []
    while sum(map(len, lines)) < SIZE:
        lines.append(sentence(draw) + "\n")
    Path(__file__).with_name("facts.txt").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
