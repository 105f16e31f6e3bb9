"""The verdict does not depend on the order of declarations: random permutations of good specs and of broken ones."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import catdl
from tests.laws.generate import Spec, well_typed
from tests.laws.shapes import DIMS

EXAMPLES = Path(__file__).parents[2] / "examples"
TWICE, CYCLE = "E0102", "E0107"
"""A name declared twice; a cycle of declarations, which is reported at the one that comes first."""
START = re.compile(r"^(?=(?:dim|object|param|morphism|kind|where|from)\b)", re.M)


def pieces(text: str) -> list[str]:
    """The declarations of a file, without comments."""
    bare = re.sub(r"^#.*\n|\s+#.*$", "", text, flags=re.M)
    return [piece.strip("\n") + "\n" for piece in START.split(bare) if piece.strip()]


def verdict(declarations: list[str], order: list[int]) -> list[tuple[int, str, int]]:
    """Declaration, code and line in it of every mistake and warning, sorted, with the declarations in this order."""
    lines: list[tuple[int, int]] = []
    for i in order:
        lines += [(i, k) for k in range(declarations[i].count("\n"))]
    text = "".join(declarations[i] for i in order)
    found = catdl.loads(text).diagnostics
    places = [(0, 0) if d.span is None else lines[text.count("\n", 0, d.span.start)] for d in found]
    seen = sorted((where, d.code, line) for d, (where, line) in zip(found, places, strict=True))
    if any(code == TWICE for _, code, _ in seen):
        return [(0, TWICE, 0)]  # the first of two declarations counts, which is a matter of order
    return [(0, code, 0) if code == CYCLE else (where, code, line) for where, code, line in seen]


def mutate(declarations: list[str], random: random.Random) -> list[str]:
    """One or two small mistakes: a name or a number replaced by another, a word left out."""
    made = list(declarations)
    for _ in range(random.randint(1, 2)):
        at = random.randrange(len(made))
        words = list(re.finditer(r"(?<=[\[( ,=>])(?:[A-Za-z_]\w*|\d+)(?=[\]) ,;+*(\n])", made[at]))
        words = [
            w
            for w in words
            if w.start() and w.group() not in ("morphism", "dim", "param", "object", "if", "then", "else", "for", "in")
        ]
        if not words:
            continue
        word = random.choice(words)
        numbers = ["1", "2", "3", "7"]
        names = ["A", "B", "T", "U", "D", "X", "tanh", "flatten", "missing", "linear", "x", "softmax", "id", "swap"]
        new = random.choice(numbers if word.group().isdigit() else names)
        made[at] = made[at][: word.start()] + new + made[at][word.end() :]
    return made


def shuffled(declarations: list[str], random: random.Random) -> list[int]:
    """Any order, but equations of one name stay as they are: the first that fits counts."""
    heads = [re.match(r"morphism (\w+)\(", d) for d in declarations]
    names = [h.group(1) if h else str(i) for i, h in enumerate(heads)]
    keys = {name: random.random() for name in names}
    return sorted(range(len(declarations)), key=lambda i: (keys[names[i]], i))


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(well_typed(), st.randoms(use_true_random=False))
def test_random_specs(spec: Spec, random: random.Random) -> None:
    """Good ones stay good, with the same warnings; broken ones have the same mistakes."""
    good = pieces(DIMS + "\n".join(spec.decls) + "\n")
    order = shuffled(good, random)
    warned = verdict(good, order)
    assert all(code.startswith("W") for _, code, _ in warned)
    assert warned == verdict(good, list(range(len(good))))
    for _ in range(3):
        bad = mutate(good, random)
        assert verdict(bad, list(range(len(bad)))) == verdict(bad, order), "".join(bad)


@pytest.mark.parametrize("name", ["gpt2", "unet", "gat", "bert", "gcn"])
def test_examples(name: str) -> None:
    """The examples, whole and with mistakes, in several orders."""
    chance = random.Random(name)
    good = pieces((EXAMPLES / f"{name}.cat").read_text())
    for declarations in (good, *(mutate(good, chance) for _ in range(8))):
        wanted = verdict(declarations, list(range(len(declarations))))
        for _ in range(2):
            assert verdict(declarations, shuffled(declarations, chance)) == wanted, "".join(declarations)
