"""An algebra that leaves dims to its use is the algebra with these dims in their places: the same keys and numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import catdl

SPEC = """
dim T : time, N = 5, A = 3, H = 4, Word = 7
functor Words[E](X) = () + Real[E] @ X
functor Expr[V](X) = Fin(V) + X @ X
functor Stream[O](X) = Real[O] @ X
functor Machine[I, O](X) = (Real[I] -> Real[O] @ X)

algebra elman[E, S] : Words[E](Real[S]) -> Real[S] = [ zeros | (a, h) => tanh((a >> linear) + (h >> hidden: linear)) ]
algebra elman_ : Words[A](Real[H]) -> Real[H] = [ zeros | (a, h) => tanh((a >> linear) + (h >> hidden: linear)) ]
algebra read[V, S] : Expr[V](Real[S]) -> Real[S] = [ embed | (l, r) => tanh((l >> linear) + r) ]
algebra read_ : Expr[Word](Real[H]) -> Real[H] = [ embed | (l, r) => tanh((l >> linear) + r) ]
coalgebra draw[O, S] : Real[S] -> Stream[O](Real[S]) = s => (s >> linear, s >> next: linear >> tanh)
coalgebra draw_ : Real[H] -> Stream[A](Real[H]) = s => (s >> linear, s >> next: linear >> tanh)
coalgebra step[I, O, S] : Real[S] -> Machine[I, O](Real[S]) = (s, x) => (x >> linear, tanh(s + (x >> next: linear)))
coalgebra step_ : Real[H] -> Machine[A, H](Real[H]) = (s, x) => (x >> linear, tanh(s + (x >> next: linear)))

morphism scanned : Real[T, A] -> Real[T, H] = scan[T](elman)
morphism scanned_ : Real[T, A] -> Real[T, H] = elman: scan[T](elman_)
morphism folded : mu(Expr[Word]) -> Real[H] = fold(read)
morphism folded_ : mu(Expr[Word]) -> Real[H] = read: fold(read_)
morphism unfolded : Real[H] -> Real[N, A] = unfold[N](draw)
morphism unfolded_ : Real[H] -> Real[N, A] = unfold[N](draw: draw_)
morphism run : Real[H] @ Real[T, A] -> Real[T, H] = mealy[T](step[A, H])
morphism run_ : Real[H] @ Real[T, A] -> Real[T, H] = mealy[T](step: step_)
"""

INPUTS: dict[str, Callable[[], tuple[Any, ...]]] = {
    "scanned": lambda: (torch.randn(2, 6, 3, dtype=torch.float64),),
    "folded": lambda: (((1, (2, 3)), 4),),
    "unfolded": lambda: (torch.randn(2, 4, dtype=torch.float64),),
    "run": lambda: (torch.randn(2, 4, dtype=torch.float64), torch.randn(2, 6, 3, dtype=torch.float64)),
}


@pytest.mark.parametrize("name", INPUTS)
def test_it_is_the_one_with_its_dims_in_place(name: str) -> None:
    spec = catdl.loads(SPEC)
    opened, closed = (spec[each].compile().double() for each in (name, f"{name}_"))
    assert list(opened.state_dict()) == list(closed.state_dict())
    closed.load_state_dict(opened.state_dict())
    given = INPUTS[name]()
    if name == "folded":
        assert torch.equal(opened(spec[name].trees(given)), closed(spec[f"{name}_"].trees(given)))
    else:
        assert torch.equal(opened(*given), closed(*given))
