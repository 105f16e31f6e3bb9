"""Key maps as text: what is written is read, and what is read is held against both sides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdl.diagnostics.base import Diagnostic
from catdl.source import Source
from catdl.weights.families import families, filled, skeleton
from catdl.weights.fit import Plan, fit
from catdl.weights.held import Form
from catdl.weights.keymap import Line, Piece, read, written

NAMES = st.lists(st.sampled_from(["*", "weight", "c_attn", "0", "12", "X", "_y"]), min_size=1, max_size=4).map(".".join)
CUTS = st.none() | st.tuples(st.integers(0, 10**6), st.integers(0, 10**6))
PIECES = st.builds(Piece, NAMES, st.booleans(), CUTS)
LINES = st.builds(Line, st.none() | NAMES, st.lists(PIECES, min_size=1, max_size=3).map(tuple))


def bare(line: Line) -> tuple[str | None, tuple[Piece, ...]]:
    return line.ours, line.pieces


@given(st.lists(LINES, max_size=5))
def test_what_is_written_is_read(lines: list[Line]) -> None:
    found, mistakes = read(Source("a.map", written(lines)))
    assert mistakes == []
    assert list(map(bare, found)) == list(map(bare, lines))


@given(st.text(st.sampled_from("ab.*^T[]0:1&#<- \n\t")))
def test_any_text_gives_lines_and_mistakes(text: str) -> None:
    lines, mistakes = read(Source("a.map", text))
    assert len(lines) + len(mistakes) == sum(bool(row.partition("#")[0].strip()) for row in text.split("\n"))
    assert all(mistake.code == "E0813" and mistake.parts().message for mistake in mistakes)


FORMS = st.dictionaries(NAMES.filter(lambda name: "*" not in name), st.sampled_from([Form((2,)), Form((3, 2))]))


@given(FORMS)
def test_every_key_is_in_one_family_and_fits_its_pattern_only(forms: dict[str, Form]) -> None:
    folded = families(forms)
    keys = [(key, form) for family in folded for leaf, form in family.leaves for key in family.keys(leaf)]
    assert sorted(keys) == sorted(forms.items(), key=lambda item: item[0])
    patterns = [family.key(leaf) for family in folded for leaf, _ in family.leaves]
    assert len(set(patterns)) == len(patterns)
    text = "".join(f"{pattern} <- {pattern}\n" for pattern in patterns)
    plan, mistakes = checked(text, forms, forms)
    assert mistakes == []
    assert plan.made == {key: (Piece(key),) for key in forms}


def checked(text: str, ours: dict[str, Form], theirs: dict[str, Form]) -> tuple[Plan, list[Diagnostic]]:
    lines, mistakes = read(Source("a.map", text))
    assert mistakes == []
    return fit(lines, "f", ours, "w", theirs)


OURS = {
    **{f"block.{i}.{leaf}": form for i in range(3) for leaf, form in (("qkv", Form((6, 2))), ("up", Form((4, 2))))},
    "scale": Form((5,)),
    "count": Form((), "int"),
}
THEIRS = {
    **{f"h.{i}.{leaf}": Form((2, 2)) for i in range(3) for leaf in "qkv"},
    **{f"h.{i}.up": Form((2, 4)) for i in range(3)},
    "scale": Form((1, 5, 1)),
    "count": Form((1,), "int"),
    "old.0.a": Form((1,)),
    "old.b": Form((1,)),
}


def test_a_whole_map() -> None:
    text = """
block.*.qkv <- h.*.q & h.*.k & h.*.v
block.*.up  <- h.*.up^T                # as GPT-2 keeps it
scale <- scale
count <- count
discard <- old.**
"""
    plan, mistakes = checked(text, OURS, THEIRS)
    assert mistakes == []
    assert plan.made.keys() == OURS.keys()
    assert plan.used == THEIRS.keys()
    assert plan.made["block.2.qkv"] == (Piece("h.2.q"), Piece("h.2.k"), Piece("h.2.v"))
    assert plan.made["block.1.up"] == (Piece("h.1.up", transposed=True),)


def test_one_tensor_for_every_round() -> None:
    plan, mistakes = checked("block.*.up <- h.1.up^T", OURS, THEIRS)
    assert mistakes == []
    assert {pieces[0].pattern for pieces in plan.made.values()} == {"h.1.up"}


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("block.*.down <- h.*.up", "`f` has no key `block.*.down`", "block.*.down"),
        ("scale <- skale", "`w` has no key `skale`", "skale"),
        ("block.*.up <- h.*.up", "`block.0.up` is [4, 2], and what is to stand there [2, 4]", "h.*.up"),
        ("scale <- count", "`scale` holds numbers of the sort float, and `count` int", "count"),
        ("scale <- scale^T", "`scale` is [1, 5, 1]: only a matrix can be transposed", "scale^T"),
        ("count <- count[0:2]", "`count` is [1]: it has no stretch [0:2]", "count[0:2]"),
        ("scale <- h.0.q & h.0.up", "[2, 2], [2, 4] cannot stand one after the other", "h.0.q & h.0.up"),
        ("block.3.up <- h.0.up^T", "`f` has no key `block.3.up`", "block.3.up"),
        ("block.0.up <- h.*.up^T", "`w` has no key `h.*.up`", "h.*.up^T"),
        ("discard <- new.**", "`w` has no key `new.**`", "new.**"),
    ],
)
def test_what_does_not_fit(text: str, message: str, place: str) -> None:
    plan, (mistake,) = checked(text, OURS, THEIRS)
    assert (mistake.code, mistake.parts().message) == ("E0814", message)
    assert mistake.span is not None and mistake.span.text == place
    assert plan.made == {}


def test_a_key_is_given_once() -> None:
    plan, (mistake,) = checked("block.0.up <- h.0.up^T\nblock.*.up <- h.*.up^T", OURS, THEIRS)
    assert mistake.parts().message == "`block.0.up` is given twice"
    assert [label.span.text for label in mistake.parts().labels] == ["block.0.up"]
    assert list(plan.made) == ["block.0.up"]


def test_patterns() -> None:
    assert skeleton("block.11.up.weight") == "block.*.up.weight"
    assert filled("block.*.up.*", ("3", "0")) == "block.3.up.0"
