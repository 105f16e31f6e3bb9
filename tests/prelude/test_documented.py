"""Every entry of the prelude says what it is, the shapes it goes from and to, and where it is from."""

from __future__ import annotations

import re

import pytest

from catdl.check.scope import MorphismDef
from tests.prelude.test_functions_prelude import PRELUDE, SCOPE

BRACKETS = r"\[[^\[\]]*\]"
TYPE = rf"(?:\(\)|[A-Z]\w*(?:\([^()]*\))?(?:{BRACKETS})?)"
PRODUCT = rf"(?:{TYPE}(?: @ {TYPE})*|\(\w+: {TYPE}(?:, \w+\??: {TYPE})*\))"
SHAPES = re.compile(rf"{PRODUCT} [-~]> {PRODUCT}")
"""`Real[.., T, D] @ Fin(N)[E] -> Real[N]`: two products of types around an arrow, with the axes of at least one."""

SOURCE = re.compile(
    r"\btorch(?:vision|metrics)?\.\w|\bF\.\w|\bnn\.\w|arXiv:\d{4}\.\d|\b(?:19|20)\d\d\b|docs/core\.md|\b(?:einops|flax|transformers)\b"
)
"""Torch's own, a paper, or the core operation."""

ENTRIES = [name for name in PRELUDE.entries if isinstance(SCOPE.find(name), MorphismDef)]


def entry(name: str) -> MorphismDef:
    found = SCOPE.find(name)
    assert isinstance(found, MorphismDef)
    return found


def shapes(doc: str) -> list[str]:
    """The shapes that a documentation states."""
    return [found[0] for found in SHAPES.finditer(doc) if "[" in found[0]]


@pytest.mark.parametrize("name", ENTRIES)
def test_says_what_from_what_to_what_and_from_where(name: str) -> None:
    """Another name for an entry, and a function of numbers, say what they are: they have no signature."""
    head = entry(name).head
    assert head.doc
    words = SOURCE.sub("", SHAPES.sub("", head.doc))
    assert re.search(r"\w", words), "says what it is"
    if head.signature is None and not head.modifiers:
        return
    assert shapes(head.doc), head.doc
    assert SOURCE.search(head.doc), head.doc


def test_what_shapes_are() -> None:
    assert shapes("The sum.  Real[.., A] @ Fin(A)[..] -> Real[..].  torch.sum.") == [
        "Real[.., A] @ Fin(A)[..] -> Real[..]"
    ]
    assert shapes("(q: Real[T, D], k: Real[U, D]) -> Real[T, U]") == ["(q: Real[T, D], k: Real[U, D]) -> Real[T, U]"]
    assert shapes("() -> Keep[Q, K]") == ["() -> Keep[Q, K]"]
    for none in ("max(x, 0)", "Real -> Real", "a[i] -> b", "x -> [N]", "`f[A -> B]`"):
        assert not shapes(none)
