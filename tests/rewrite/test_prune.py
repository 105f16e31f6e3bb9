"""What no caller reads of a fold is not given; keys stay, and so do results."""

from __future__ import annotations

import torch

import catdl
from catdl.diagram.verify import verify
from catdl.rewrite.prune import pruned
from tests.torch.agree import agree

TEXT = """
dim T : time, A = 3, H = 4
object Cell = (h: Real[H], c: Real[H])
functor Steps(X) = () + Real[A] @ X
algebra lstm : Steps(Cell) -> Cell = [ zeros | (x, s) => {
    i, f, g, o = ((x >> linear(4 * H)) + (s.h >> linear(4 * H, bias = false))) >> split(4)
    c = sigmoid(f) * s.c + sigmoid(i) * tanh(g)
    (h = sigmoid(o) * tanh(c), c = c)
} ]
morphism hidden : Real[T, A] -> Real[T, H] = scan[T](lstm) >> ((h, _) => h)
morphism both : Real[T, A] -> Real[T, H] @ Real[T, H] = scan[T](lstm)
"""


def test_an_unread_state_is_not_given() -> None:
    spec = catdl.loads(TEXT)
    spec.sound()
    diagram = spec["hidden"].diagram()
    (made,), applied = pruned([diagram])
    verify(made)
    assert [a.rewrite for a in applied] == ["prune"]
    assert "fused_lstm" in spec["hidden"].source()
    agree(diagram, {"T": 5, "<string>::T": 5})


def test_what_is_read_stays() -> None:
    spec = catdl.loads(TEXT)
    spec.sound()
    diagram = spec["both"].diagram()
    assert pruned([diagram]) == ([diagram], [])


def test_what_another_root_reads_stays() -> None:
    spec = catdl.loads(TEXT)
    spec.sound()
    model = spec["both"].compile().double()
    other = spec["hidden"].compile().double()
    other.load_state_dict(model.state_dict())
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    assert torch.allclose(model(x)[0], other(x), atol=1e-12)


def test_operations_that_nothing_reads_go_and_so_does_what_a_fold_gives_them() -> None:
    text = f"{TEXT}morphism first : Real[T, A] -> Real[T: T + 1, H] = scan0[T](lstm) >> ((h, _) => h)"
    printed = catdl.loads(text)["first"].source()
    assert "fused_lstm" in printed and ".append" not in printed
