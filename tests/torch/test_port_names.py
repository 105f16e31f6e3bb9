"""What is written under the names of ports goes to these ports, in whatever order it is written."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import catdl
from catdl.check.builder import Builder, Bundle
from catdl.check.ports import in_order
from catdl.types.types import Kind, Leaf

SPEC = """
dim T : time, N = 3, H = 4
object Cell = (h: Real[H], c: Real[H])
functor List(X) = () + Real[H] @ X
functor Stream(X) = Real[H] @ X
functor Ending(X) = () + Real[H] @ X
functor Tree(X) = Real[H] + X @ X
functor Moore(X) = Real[H] @ (Real[H] -> X)

algebra listed : List(Cell) -> Cell = [ zeros | (a, s) => (c = s.c + 1, h = s.h + 0 * a) ]
morphism folded : Real[T, H] -> Cell = fold[T](listed)
morphism scanned : Real[T, H] -> Real[T, H] @ Real[T, H] = scan[T](listed) >> ((h, c) => (h, c))
morphism begun : Cell @ Real[T, H] -> Cell = fold[T]([
    s => (c = s.c, h = s.h) | (a, s) => (c = s.c + 1, h = s.h + 0 * a)
])
algebra tree : Tree(Cell) -> Cell = [ (a => (c = 0 * a + 1, h = 0 * a)) | (l, r) => (h = l.h + r.h, c = l.c + r.c) ]
morphism climbed : mu(Tree) -> Cell = fold(tree)
coalgebra stream : Cell -> Stream(Cell) = s => (s.h, (c = s.c + 1, h = s.h))
morphism streamed : Cell -> Real[N, H] = unfold[N](stream)
morphism inline : Cell -> Real[N, H] = unfold[N](s => (s.h, (c = s.c + 1, h = s.h)))
coalgebra ending : Cell -> Ending(Cell) = s => either(sum[H](s.c) > 100, (), (s.h, (c = s.c + 1, h = s.h)))
morphism ended : Cell -> Real[N, H] @ Keep[N] = unfold[N](ending)
morphism mealy_ : Cell @ Real[T, H] -> Real[T, H] @ Cell =
    mealy[T]((s, a) => (s.h, (c = s.c + 1, h = s.h + 0 * a)), last = true)
coalgebra moore_ : Cell -> Moore(Cell) = s => (s.h, a => (c = s.c + 1, h = s.h + 0 * a))
morphism shown : Cell @ Real[T, H] -> Real[T, H] = moore[T](moore_)
morphism stepped : Cell @ Real[H] -> Real[H] @ Cell = moore_
morphism inside : Cell -> Real[H] @ Cell @ Cell = s => (s.h, (c = s.c + 1, h = s.h), (c = s.c + 2, h = s.h))
morphism cases : Cell -> Cell = s =>
    either(sum[H](s.h) > 0, s.h, s.c) >> [ (h => (c = 0 * h + 1, h = 0 * h)) | (c => (h = 0 * c, c = 0 * c + 1)) ]
"""

H, C, X = torch.zeros(4), torch.zeros(4), torch.randn(3, 4)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("folded", (X,), [0, 3]),
        ("scanned", (X,), [[0, 0, 0], [1, 2, 3]]),
        ("begun", (H, C, X), [0, 3]),
        ("climbed", None, [0, 2]),
        ("streamed", (H, C), [[0, 0, 0]]),
        ("inline", (H, C), [[0, 0, 0]]),
        ("ended", (H, C), [[0, 0, 0], [1, 1, 1]]),
        ("mealy_", (H, C, X), [[0, 0, 0], 0, 3]),
        ("shown", (H, C, X), [[0, 0, 0]]),
        ("stepped", (H, C, X[0]), [0, 0, 1]),
        ("inside", (H, C), [0, 0, 1, 0, 2]),
        ("cases", (H, C), [0, 1]),
        ("cases", (H + 1, C), [0, 1]),
    ],
)
def test_names_decide(name: str, given: Any, expected: list[Any]) -> None:
    spec = catdl.loads(SPEC)[name]
    out = spec.compile()(*(given if given is not None else [spec.trees([(torch.ones(4), torch.ones(4))])]))
    results = [each.float() for each in (out if isinstance(out, tuple) else (out,))]
    first = [each[..., 0] if each.shape[-1:] == (4,) else each for each in results]
    assert [each.reshape(-1).tolist() if each.numel() > 1 else each.item() for each in first] == expected


@pytest.mark.parametrize(
    ("given", "declared", "order"),
    [
        (("c", "h"), ("h", "c"), [1, 0]),
        ((None, "c", "h", None), (None, "h", "c", None), [0, 2, 1, 3]),
        (("c", "h", "h", "c"), ("h", "c", "h", "c"), [1, 0, 2, 3]),
        (("z", "x", "y"), ("x", "y", "z"), [1, 2, 0]),
        (("h", "d"), ("h", "c"), [0, 1]),  # other names: places decide, as for objects that name their ports otherwise
        (("c", None), (None, "c"), [0, 1]),
    ],
)
def test_record_by_record(given: tuple[str | None, ...], declared: tuple[str | None, ...], order: list[int]) -> None:
    b = Builder("test")
    wires = [b.input(Leaf(Kind("Real"), ()), None, False) for _ in given]
    assert in_order(Bundle(wires, given), declared).wires == [wires[k] for k in order]
