"""What only the sizes of an input can break is told at entry, in the spec's words."""

from __future__ import annotations

import re

import pytest
import torch

import catdl
from tests.torch.agree import agree

DIMS = "dim T\ndim H\ndim W\ndim C = 3\n"


@pytest.mark.parametrize(
    ("text", "shape", "words"),
    [
        ("Real[T] -> Real[K: 5] @ Fin(T)[K: 5] = topk[T](K: 5)", (4,), "T must be at least 5, got T=4"),
        ('Real[T] -> Real[T: T + 10] = pad[T](5, 5, mode = "reflect")', (5,), "T must be at least 6, got T=5"),
        ("Real[T] -> Real[T: 2 * T - 6] = pad[T](T - 6, 0)", (4,), "T must be at least 6, got T=4"),
        ("Real[T] -> Real = max[T]", (0,), "T must be at least 1, got T=0"),
        ("Real[T] -> Real = min[T]", (0,), "T must be at least 1, got T=0"),
        ("Real[T] -> Fin(T) = argmax[T]", (0,), "T must be at least 1, got T=0"),
        ("Real[C, H, W] -> Real[C, H: H // 4, W: W // 4] = maxpool(4)", (3, 4, 3), "W must be at least 4, got W=3"),
        ("Real[C, H, W] -> Real[C, H: H // 2, W: W // 2] = avgpool(2)", (3, 1, 3), "H must be at least 2, got H=1"),
        ("Real[C, T] -> Real[C: 8, T: T - 8] = conv1d(8, 5, dilation = 2)", (3, 8), "T must be at least 9, got T=8"),
    ],
)
def test_limits_are_told(text: str, shape: tuple[int, ...], words: str) -> None:
    model = catdl.loads(f"{DIMS}morphism f : {text}\n")["f"].compile()
    with pytest.raises(ValueError, match=f"^f: {words}$"):
        model(torch.zeros(2, *shape))
    model(torch.zeros(2, *(n + 5 if n != 3 or k else n for k, n in enumerate(shape))))


STATED = [
    ("S == 2 * T", (4, 8), (4, 1), "S must be 2 * T, got S=1, T=4"),
    ("T == 6", (6, 1), (5, 1), "T must be 6, got T=5"),
    ("6 == T", (6, 1), (5, 1), "T must be 6, got T=5"),
    ("T // 2 == S", (5, 2), (5, 5), "T // 2 must be S, got S=5, T=5"),
    ("T | S", (4, 8), (4, 6), "T must divide S, got S=6, T=4"),
    ("T | S", (4, 8), (0, 4), "T must divide S, got S=4, T=0"),
    ("4 | T", (4, 1), (6, 1), "4 must divide T, got T=6"),
    ("S >= T + 2", (4, 6), (4, 5), "S must be at least T + 2, got S=5, T=4"),
    ("T < S", (3, 4), (4, 4), "T must be less than S, got S=4, T=4"),
    ("T < 100", (99, 1), (100, 1), "T must be less than 100, got T=100"),
    ("S - T > 2", (1, 4), (2, 4), "S - T must be more than 2, got S=4, T=2"),
    ("4 <= T", (4, 1), (3, 1), "T must be at least 4, got T=3"),
]


@pytest.mark.parametrize("own", [True, False], ids=["signature", "file"])
@pytest.mark.parametrize(("fact", "good", "bad", "words"), STATED, ids=[f"{s[0]}-{s[2]}" for s in STATED])
def test_what_where_states_is_checked_at_entry(
    fact: str, good: tuple[int, int], bad: tuple[int, int], words: str, own: bool
) -> None:
    """In the words of the spec, be it stated of one morphism or of the file."""
    signature = "morphism f : Real[T] @ Real[S] -> Real[T] @ Real[S]"
    text = f"{signature} where {fact} = id" if own else f"where {fact}\n{signature} = id"
    model = catdl.loads(f"dim T, S\n{text}\n")["f"].compile()
    model(*(torch.zeros(n) for n in good))
    with pytest.raises(ValueError, match=f"^{re.escape(f'f: {words}')}$"):
        model(*(torch.zeros(n) for n in bad))


def test_an_equation_keeps_torch_from_broadcasting() -> None:
    text = """
dim T, S, D = 4
where S == 2 * T
morphism up : Real[T, D] @ Real[S, D] -> Real[S, D] = (x, y) => {
  z = (x, x) >> concat[T] >> rename[T -> S]
  y + z
}
"""
    model = catdl.loads(text)["up"].compile()
    assert model(torch.zeros(4, 4), torch.zeros(8, 4)).shape == (8, 4)
    with pytest.raises(ValueError, match=r"got S=1, T=4$"):
        model(torch.zeros(4, 4), torch.zeros(1, 4))


def test_a_call_proves_that_one_dim_divides_another() -> None:
    head = "dim T, S\nmorphism g[A, B] : Real[A] @ Real[B] -> Real[A] @ Real[B] where A | B = id\n"

    def codes(domain: str, fact: str = "") -> list[str]:
        text = f"{head}morphism f : {domain} -> {domain}{fact} = g"
        return [found.code for found in catdl.loads(text).diagnostics if found.severity == "error"]

    assert codes("Real[T] @ Real[S]") == ["E0207"]
    assert codes("Real[A: 4] @ Real[B: 6]") == ["E0207"]
    assert codes("Real[A: 3] @ Real[B: 6]") == []
    assert codes("Real[T] @ Real[S]", " where T | S") == []
    assert codes("Real[T] @ Real[S: 3 * T]") == []


def test_what_holds_always_is_not_checked() -> None:
    """A padded convolution fits an image of one pixel, and so does the next one."""
    two = "conv(8, 3, stride = 2, padding = 1) >> conv(4, 3, stride = 2, padding = 1)"
    text = f"Real[C, H, W] -> Real[C: 4, H: (H + 3) // 4, W: (W + 3) // 4] = {two}"
    assert "at least" not in catdl.loads(f"{DIMS}morphism f : {text}\n")["f"].source()
    half = "Real[C, H, W] -> Real[C, H: H // 2, W: W // 2] = maxpool(2)"
    source = catdl.loads(f"{DIMS}morphism f : {half}\n")["f"].source()
    assert source.count("must be at least") == 2


@pytest.mark.parametrize("n", [1, 2, 5, -1, -2, -5])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_shift_past_the_end(n: int, size: int) -> None:
    model = catdl.loads(f"{DIMS}morphism f : Real[T, C] -> Real[T, C] = shift[T]({n})\n")["f"].compile()
    x = torch.randn(2, size, 3)
    wanted = torch.zeros_like(x)
    for t in range(size):
        if 0 <= t - n < size:
            wanted[:, t] = x[:, t - n]
    torch.testing.assert_close(model(x), wanted)


def test_a_spec_in_python() -> None:
    spec = catdl.loads("dim D = 3\nmorphism f : Real[D] -> Real[D] = relu\n")
    assert list(spec) == ["f"]
    assert "f" in spec
    assert "g" not in spec
    with pytest.raises(TypeError, match="found bytes"):
        catdl.loads(b"dim D = 3")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="names of packages"):
        spec["f"].compile(allow="torch")
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", catdl.__version__)


@pytest.mark.parametrize(
    "text", ["morphism f : Real[D] -> Real = relu\n", "dim D\nmorphism f : Real[D] -> Real = relu\n"]
)
def test_a_mistake_as_text_is_its_report(text: str) -> None:
    found = catdl.loads(f"{text}morphism f : Real[D] -> Real = relu\n").diagnostics
    assert found
    for mistake in found:
        assert str(mistake).startswith(f"{mistake.severity}[{mistake.code}]: ")
    assert "\n".join(map(str, found)) in str(catdl.CheckError(found))


def test_short_reprs() -> None:
    spec = catdl.loads("dim D = 3\nmorphism f : Real[D] -> Real[D] = relu\n", path="a.cat")
    assert repr(spec) == "<catdl.Spec a.cat: f>"
    assert repr(spec["f"]) == "<f : Real[D: 3] -> Real[D: 3]>"
    wrong = catdl.loads("morphism f : Real[D] -> Real = relu\n", path="b.cat")
    assert repr(wrong) == "<catdl.Spec b.cat: with mistakes>"


@pytest.mark.parametrize(
    ("signature", "param", "shape"),
    [
        ("Real[C] @ Fin(C)[N] -> Real[N] = (x, i) => gather[C](x, i)", "", (3,)),
        ("Real[A, C, B] @ Fin(C)[N] -> Real[A, N, B] = (x, i) => gather[C](x, i)", "", (2, 3, 4)),
        ("Real[C, B] @ Fin(C)[N] -> Real[N, B] = (x, i) => map[N](j => gather[C](x, j))(i)", "", (3, 4)),
        ("Fin(C)[N] -> Real[N] = i => gather[C](w, i)", "Real[C]", None),
        ("Fin(C)[N] -> Real[A, N] = i => gather[C](w, i)", "Real[A, C]", None),
        ("Fin(C)[N] -> Real[A, B, N] = i => gather[C](w, i)", "Real[A, B, C]", None),
        ("Fin(C)[N] -> Real[N, A, B] = i => gather[C](w, i)", "Real[C, A, B]", None),
    ],
)
def test_an_index_that_is_none_is_refused(signature: str, param: str, shape: tuple[int, ...] | None) -> None:
    declared = f"param w : {param} ~ normal(0, 1)\n" if param else ""
    found = catdl.loads(f"dim A = 2, B = 4, C = 3, N = 5\n{declared}morphism f : {signature}\n")["f"]
    model = agree(found.diagram()).float()
    given = () if shape is None else (torch.randn(2, *shape),)
    for wrong in (3, 7, -1):
        index = torch.tensor([[0, 1, 2, 0, 1], [0, 1, 2, wrong, 1]])
        with pytest.raises((RuntimeError, IndexError), match="out of"):
            model(*given, index)
