"""Masks: the scores are masked, not the weights that a softmax has made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catdl.repair.case import Case, Group, one
from catdl.repair.tree import bare
from catdl.syntax import ast

HIDDEN = "-1e9"
"""What a score is where a mask hides it: its weight is nothing."""


def after_softmax(case: Case) -> Iterator[Group]:
    """E0401: weights times a mask do not add up to one; the mask belongs before the softmax."""
    node = case.node
    if not isinstance(node, ast.Chain) or node.operators != ("*",):
        return
    for weights, mask in (node.operands, node.operands[::-1]):
        keep = mask
        if isinstance(mask, ast.Call) and case.text(mask.function) == "real" and len(mask.args) == 1:
            keep = mask.args[0].value
        said = "mask the scores, before the softmax, and the weights add up to one"
        if isinstance(weights, ast.Call) and len(weights.args) == 1 and is_softmax(case, weights.function):
            scores = case.text(weights.args[0].value)
            text = f"{case.text(weights.function)}(where({case.text(keep)}, {scores}, {HIDDEN}))"
            yield one(said, case.swap(node, text))
        if isinstance(weights, ast.Seq) and is_softmax(case, weights.steps[-1]):
            scores = case.module.source.text[weights.start : weights.steps[-2].end]
            text = f"(where({case.text(keep)}, {scores}, {HIDDEN}) >> {case.text(weights.steps[-1])})"
            yield one(said, case.swap(node, text))


def is_softmax(case: Case, node: Any) -> bool:
    """Whether a step is a softmax, along whatever axis."""
    node = bare(node)
    return case.text(node.base if isinstance(node, ast.Index) else node) == "softmax"
