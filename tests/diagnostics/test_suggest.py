"""Near names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catdl.diagnostics.suggest import distance, near

NAMES = ["linear", "bilinear", "relu", "gelu", "layernorm", "T", "H", "W", "conv"]


def test_near_names() -> None:
    assert near("linera", NAMES) == ("linear",)
    assert near("Linear", NAMES) == ("linear",)
    assert near("reul", NAMES) == ("relu",)
    assert near("elu", NAMES) == ("relu", "gelu")  # as near: in the order given, the user's own before others
    assert near("quantum", NAMES) == ()
    assert near("x" * 10_000, NAMES) == ()


def test_one_letter_is_not_another() -> None:
    assert near("D", NAMES) == ()


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_distance_is_a_distance(left: str, right: str) -> None:
    assert distance(left, right, 20) == distance(right, left, 20)
    assert (distance(left, right, 20) == 0) == (left == right)
    assert distance(left, right, 20) <= max(len(left), len(right))
    assert distance(left, right, 2) in (distance(left, right, 20), 3)
