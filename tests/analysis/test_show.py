"""What `catdl show` says of a morphism.

The files in golden/ are what it prints: `catdl show examples/gpt2.cat gpt2 > tests/analysis/golden/gpt2.txt`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import catdl
from catdl.analysis.show import WIDTH

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"


def lines(text: str, name: str = "f") -> list[str]:
    """The lines of what is shown, without their indentation."""
    return [line.strip() for line in catdl.loads(text)[name].show().splitlines()]


@pytest.mark.parametrize(("example", "name"), [("digits", "mlp"), ("gpt2", "gpt2")])
def test_golden(example: str, name: str) -> None:
    shown = catdl.load(EXAMPLES / f"{example}.cat")[name].show()
    assert shown + "\n" == (HERE / "golden" / f"{example}.txt").read_text("utf-8")


@pytest.mark.parametrize(("example", "name"), [("resnet", "resnet50"), ("unet", "segment"), ("gcn", "gcn")])
def test_lines_fit(example: str, name: str) -> None:
    shown = catdl.load(EXAMPLES / f"{example}.cat")[name].show()
    assert max(map(len, shown.splitlines())) <= WIDTH


def test_a_nameless_result_stays_nameless() -> None:
    text = """
morphism h : Real[U: 4] -> Real[U: 4] = relu
morphism f : Real[4] -> Real[4] = h
"""
    assert lines(text)[0] == "f : Real[4] -> Real[4]"


def test_signature() -> None:
    text = """
dim T, D = 8
morphism f : (x: Real[T, D], mask: Keep[T]) -> Real[T, D] = (x, mask) => over[T, D](where(mask, x, 0))
morphism g : Real[T, D] ~> Real[T, D] = x => x + normal_like(x)
"""
    spec = catdl.loads(text)
    assert spec["f"].signature == "f : (x: Real[T, D: 8], mask: Keep[T]) -> Real[T, D: 8]"
    assert spec["g"].signature == "g : Real[T, D: 8] ~> Real[T, D: 8]"


def test_signs_and_their_places() -> None:
    found = lines("dim D = 8\nmorphism f : Real[D] -> Real[D] = x => repeat(3, y => y - (y >> tanh))(x) + (-x)")
    assert "2:55  y - (y >> tanh)  ×3" in found
    assert "2:78  -x" in found


def test_gradients() -> None:
    found = lines("dim D = 8\nmorphism f : Real[D] -> Real[D] = stop_gradient >> round_ste >> softmax >> log")
    at = found.index("gradients stopped or redirected")
    assert found[at + 1 : at + 4] == ["2:35  stop_gradient", "2:52  round_ste", "orders  none"]


def test_orders() -> None:
    text = """
dim T, D = 8
morphism f : Real[T, D] -> Real[T, D: 12] = x => {
    a, b = x >> split(2)
    concat[D](b, a, tanh(a))
}
"""
    found = lines(text)
    assert "4:17  split(2) gives a, b" in found
    assert "5:5   concat[D] of b, a, tanh" in found


def test_effects_are_those_of_the_arguments_given() -> None:
    text = """
dim T, D = 8
morphism f : Real[T, D] -> Real[T, D] = x => (q = x, k = x, v = x) >> attend >> dropout(0.1)
morphism g : Real[T, D] -> Real[T, D] = x => (q = x, k = x, v = x) >> attend(dropout_p = 0.2)
morphism h : Real[T, D] -> Real[T, D] = x => (q = x, k = x, v = x) >> attend
"""
    spec = catdl.loads(text)
    assert "rand_train, random in training only\n    3:81  dropout(0.1)\n" in spec["f"].show()
    assert "rand_train, random in training only\n    4:71  attend(dropout_p = 0.2)\n" in spec["g"].show()
    assert "effects  none" in spec["h"].show()


def test_ties() -> None:
    text = """
dim T, D = 8
param w : Real[D, D] ~ normal(0, 1)
morphism inner : Real[T, D] -> Real[T, D] = x => {
    box tied same = linear(D)
    (x >> same >> same >> linear(bias = false){weight = w})
}
morphism f : Real[T, D] -> Real[T, D] = repeat(3, inner) >> iterate(5, linear >> relu)
"""
    shown = catdl.loads(text)["f"].show()
    tied = shown[shown.index("\ntied\n") + 1 : shown.index("\n\nwhat")].splitlines()
    assert tied == [
        "tied",
        "  w",
        "    6:27  linear(bias = false){weight = w}  ×3",
        "  linear  (iterate, 5 rounds)",
        "    8:61  iterate(5, linear >> relu)",
        "  inner.*.same",
        "    5:21  linear(D)  ×6",
    ]


def test_one_wire_for_several_leaves_of_a_box_is_tied() -> None:
    text = """
dim D = 8
morphism pair : Real[D] -> Real[D] = a: linear(D) >> tanh >> b: linear(D)
param w : Real[D, D]
morphism same : Real[D] -> Real[D] = pair{*.weight = w}
morphism rounds : Real[D] -> Real[D] = repeat(3, linear(D) >> tanh){**.weight = w}
morphism once : Real[D] -> Real[D] = pair{a.weight = w}
"""
    spec = catdl.loads(text)
    tied = {name: spec[name].show().partition("\ntied")[2].partition("\n\n")[0].split() for name in spec.names}
    assert tied["same"] == ["w", "5:38", "pair{*.weight", "=", "w}", "×2"]
    assert tied["rounds"][-1] == "×3"
    assert tied["once"] == ["nothing"]


def test_weights_that_are_plugged_in_are_tied_where_they_stand() -> None:
    """Not under the names that the plugged morphism has for them, which may be those of others here."""
    text = """
morphism g : Real[4] -> Real[4] = linear >> relu
morphism f : Real[4] -> Real[4] = loop: iterate(3, tied g) >> linear
param w : weights(f)
morphism twice : Real[4] -> Real[4] = f{w} >> relu >> f{w} >> relu >> linear
morphism both : Real[4] -> Real[4] = f{w} >> relu >> f
"""
    spec = catdl.loads(text)
    tied = {name: spec[name].show().partition("\ntied\n")[2].partition("\n\n")[0].splitlines() for name in spec.names}
    assert tied["twice"] == ["  w  (4 parameters)", "    5:39, 5:55  f{w}  ×2"]
    assert tied["both"] == ["  f.loop  (iterate, 3 rounds)", "    3:35  loop: iterate(3, tied g)  ×2"]


def test_numbered_lists_are_folded() -> None:
    text = """
dim D = 8
morphism block : Real[D] -> Real[D] = repeat(2, linear >> relu) >> linear(bias = false)
morphism f : Real[D] -> Real[D] = outer: repeat(3, block) >> linear(bias = false)
"""
    shown = catdl.loads(text)["f"].show()
    keys = [line.rsplit("  ", 1)[0].rstrip() for line in shown[: shown.index("FLOPs")].splitlines()[3:] if line]
    assert keys == [
        "  outer.0 … outer.2  ×3",
        "    .repeat.0 … repeat.1  ×2",
        "      .linear.weight          Real[D: 8, D: 8]",
        "      .linear.bias            Real[D: 8]",
        "    .linear.weight            Real[D: 8, D: 8]",
        "  linear.weight               Real[D: 8, D: 8]",
    ]


def test_static_branches_and_arguments() -> None:
    text = """
dim D = 8
morphism step(n) = if n == 1 then tanh else linear(D)
morphism down(0) = id
morphism down(n) = step(n) >> down(n - 1)
morphism f : Real[D] -> Real[D] = down(3)
"""
    found = lines(text)
    at = found.index("static branches")
    assert found[at + 1 : at + 3] == ["3:23  n == 1 is false  ×2", "3:23  n == 1 is true"]
    assert "down(n = 2)  at 5:31" in found
    assert "step(n = 1)  at 5:20" in found


def test_long_lists_are_cut() -> None:
    body = " >> ".join(f"(x{i} => x{i} - x{i} * x{i})" for i in range(60))
    found = lines(f"dim D = 8\nmorphism f : Real[D] -> Real[D] = {body}")
    assert "… 20 more" in found


def test_what_is_held_still_is_tied_as_it_was() -> None:
    text = """
dim D = 8
param w : Real[D, D] ~ normal(0, 1)
morphism g : Real[D] -> Real[D] = linear(bias = false){weight = w} >> linear(bias = false){weight = w}
morphism f : Real[D] -> Real[D] = g{**: frozen}
"""
    found = lines(text)
    at = found.index("tied")
    assert found[at + 1 : at + 3] == ["w", "4:35, 4:71  linear(bias = false){weight = w}  ×2"]


def test_what_is_frozen_and_what_is_shared_as_a_record() -> None:
    text = """
dim D = 4
morphism code : Real[D] -> Real[D] = linear(6) >> relu >> linear
param w : weights(code)
morphism f : Real[D] @ Real[D] -> Real[D] = (x, y) => (x >> code{w}) - (y >> code{w})
morphism g : Real[D] -> Real[D] = code{linear: frozen}
"""
    spec = catdl.loads(text)
    shown = spec["f"].show()
    assert "tied\n  w  (4 parameters)\n    5:61, 5:78  code{w}  ×2\n" in shown
    assert "parameters" in shown and " 58\n" in shown  # once, though it is used twice
    shown = spec["g"].show()
    assert "code.linear.weight    Real[6, D: 4], frozen" in shown
    assert "  30 of them are frozen, 28 are trained\n" in shown


def test_what_an_iterate_is_given_is_read_in_every_round() -> None:
    text = (
        "dim D = 4\nparam w : Real[D, D]\nmorphism f : Real[D] -> Real[D] = iterate(3, linear(D)){linear.weight = w}\n"
    )
    shown = catdl.loads(text)["f"].show()
    assert "  w\n    3:35  iterate(3, linear(D)){linear.weight = w}  ×3\n" in shown


def test_parts_of_groups_that_are_kept() -> None:
    text = """
dim H = 24 : grid, C = 4, I = 8, J = 8, P = 3 : point(O)
group D4 on (I, J) where turn ^ 4 == id = (turn = (J, -I), flip = (I, -J))
morphism f : Real[C, H] -> Real[C, H: 12] = conv1d(C, 3, padding = 1, stride = 2) >> conv1d(C, 3, padding = 1)
morphism g : Real[C, I, J] -> Real[C] = maxpool([2, 1]) >> max[I, J]
morphism h : Real[C, P] -> Real[P] = x => sum[C](x) / 4
"""
    assert "goes with the shifts of the grid `H` by multiples of 2, up to 2 places from the border" in lines(text, "f")
    assert "goes with `flip` of `D4`" in lines(text, "g")
    assert any(line.startswith("loses `D4` at") for line in lines(text, "g"))
    assert "goes with the translations of space in 3 dimensions" in lines(text, "h")


def test_symmetries_and_where_they_are_lost() -> None:
    text = """
dim N : set, Z = 8 : cycle, X = 3 : vector(O), A = 4
morphism f : Real[N, X, A] -> Real[N, X, A] = x => x + relu(x)
morphism g : Real[A, Z] -> Real[A] = maxpool1d(2) >> mean[Z]
morphism h : Real[A] -> Real[A] = relu
"""
    found = lines(text)
    assert "goes with the permutations of `N`" in found
    assert "loses `O` in 3 dimensions at 3:56 by `relu`, which acts on each component by itself" in found
    found = lines(text, "g")
    assert "goes with the shifts of `Z` by multiples of 2" in found
    assert any(line.startswith("loses the shifts of `Z` at 4:38 by `maxpool1d`") for line in found)
    assert "symmetries" not in lines(text, "h")
