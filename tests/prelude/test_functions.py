"""Every function of the prelude: its native lowering against its definition, at random inputs and sizes."""

from __future__ import annotations

import random

import pytest

import catdl
from tests.prelude.compare import agree
from tests.prelude.function_cases import CASES, SIZES, spec

# torch computes the slope of hardsigmoid with a sixth in single precision.
ROUGH = {"hardsigmoid": 1e-7}
# What holds at its own sizes only: K the smaller side of a matrix, more rows than columns, a short text.
FIXED = {
    "qr",
    "svd",
    "cholesky",
    "eigh",
    "pinv",
    "ctc_loss",
    "glu",
    "geglu",
    "reglu",
    "swiglu",
    "topk",
    "cross",
    "values",
}


def name_of(case: str) -> str:
    """The entry that a case is about."""
    return case.partition(" : ")[0]


@pytest.mark.parametrize("case", CASES)
def test_native_is_its_definition(case: str) -> None:
    """In evaluation mode, where nothing is random."""
    found = catdl.loads(spec(case, SIZES))
    found.sound()
    agree(found["f"].diagram(), tolerance=ROUGH.get(name_of(case), 1e-10))


@pytest.mark.parametrize("seed", range(10))
def test_at_other_sizes(seed: int) -> None:
    """The definitions hold for any sizes: some of the cases at random ones."""
    chance = random.Random(seed)
    for case in chance.sample([case for case in CASES if name_of(case) not in FIXED], 5):
        sizes = {name: chance.randint(2, 8) for name in SIZES}
        found = catdl.loads(spec(case, sizes))
        found.sound()
        agree(found["f"].diagram(), batches=((2,),), tolerance=ROUGH.get(name_of(case), 1e-10))


def test_free_sizes() -> None:
    """Sizes that are read from the input give the same."""
    for case in CASES:
        if name_of(case) in ("softmax", "cross_entropy", "var", "one_hot", "causal_mask", "segment_softmax", "rfft"):
            found = catdl.loads(spec(case, SIZES).replace(" = 5", "").replace(" = 4", "").replace(" = 9", ""))
            found.sound()
            agree(found["f"].diagram(), dims={"T": 3, "D": 5, "E": 7})
