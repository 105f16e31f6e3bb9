"""Two types under each other: what differs is marked, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdl.diagnostics.contrast import contrast

CASES = [
    # (expected, found, what is marked on each side)
    ("Real[T, D: 768]", "Real[T, D: 64]", ["768"], ["64"]),
    ("Real[Head: 12]", "Real[Layer: 12]", ["Head"], ["Layer"]),
    ("Real[A: 2]", "Real[B: 3]", ["A", "2"], ["B", "3"]),
    ("Real[N, 1]", "Real[N]", ["1"], []),
    ("Real[T, D: 8]", "Real[B, T, D: 8]", [], ["B"]),
    ("Real[C: 2, H, W]", "Real[C: 2, H: 2 * (H // 2), W]", ["H"], ["2 * (H // 2)"]),
    ("Real[(H W): 56]", "Real[(W H): 56]", ["(H W)"], ["(W H)"]),
    ("Real[_, D: _, E: 4]", "Real[T, D: 3, F: 4]", ["E"], ["F"]),
    ("Logits[T]", "Probs(T)[T]", ["Logits"], ["Probs(T)"]),
    ("Real[10]", "Fin(50257)[T, U]", ["Real", "10"], ["Fin(50257)", "T, U"]),
]


@pytest.mark.parametrize(("expected", "found", "left", "right"), CASES)
def test_only_what_differs(expected: str, found: str, left: list[str], right: list[str]) -> None:
    shown = contrast(expected, found)
    assert shown is not None
    assert [expected[a:b] for a, b in shown.expected_marks] == left
    assert [found[a:b] for a, b in shown.found_marks] == right


def test_nothing_to_look_for() -> None:
    assert contrast("Real[T]", "Real[T]") is None
    assert contrast("Real", "Real[T]") is None
    assert contrast("Real[T]", f"Real[{'T' * 500}]") is None


@given(st.text("RA[](), :*1", max_size=20), st.text("RA[](), :*1", max_size=20))
def test_marks_lie_in_the_text_and_apart(expected: str, found: str) -> None:
    shown = contrast(expected, found)
    if shown is None:
        return
    for text, marks in ((expected, shown.expected_marks), (found, shown.found_marks)):
        at = 0
        for start, end in marks:
            assert at <= start <= end <= len(text)
            at = end
