"""Verdicts on laws: what must be proved, what must not be, and what refutes the rest."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import catdl
from catdl.cli import catdl as command
from catdl.laws.trial import Held, Refuted
from catdl.laws.verdict import Open, Proved, Verdict

HEAD = """
dim N, M, A = 3, B = 4, C = 5, S = 6
where 2 | N
param w : Real[B, A]
param v : Real[C, B]
param b : Real[B]
morphism f : Real[A] -> Real[B] = linear(bias = false){weight = w}
morphism g : Real[B] -> Real[C] = linear(bias = false){weight = v}
morphism affine : Real[A] -> Real[B] = linear{weight = w, bias = b}
param u : Real[B, A, K: 3]
morphism conv : Real[A, S] -> Real[B, S] = conv1d(B, 3, padding = 1, bias = false){weight = u}
"""

PROVED = """
(f : Real[A] -> Real[A], g : Real[A] -> Real[B]) : map[N](f) >> map[N](g) == map[N](f >> g)
: Real[N, A] -> Real[N, A] = map[N](id) == id
(f : Real -> Real) : map[N](map[M](f)) == map[N, M](f)
(f : Real[A] -> Real[B]) : map[N](f) >> rename[N -> N'] == rename[N -> N'] >> map[N'](f)
[X, Y](f : X -> Y) : f >> copy == copy >> (f @ f)
[X, Y](f : X -> Y) : f >> discard == discard
[X, Y, Z, V](f : X -> Y, g : Z -> V) : f @ g == (f @ id) >> (id @ g)
[X, Y](f : X -> X, g : Y -> Y) : swap >> (g @ f) >> swap == f @ g
[X](f : X -> X) : iterate(3, f) == f >> f >> f
: Real[A] @ Real[A] -> Real[B] = ((x, y) => f(x + y)) == ((x, y) => f(x) + f(y))
: Real[A] -> Real[B] = (x => f(3 * x)) == (x => 3 * f(x))
: Real[A] @ Real[A] -> Real[B] = ((x, y) => affine(x) - affine(y)) == ((x, y) => f(x - y))
: Real[N, A] -> Real[B] = map[N](f) >> mean[N] == mean[N] >> f
: Real[N, A] -> Real[B] = map[N](affine) >> mean[N] == mean[N] >> affine
: Real[N, A] -> Real[B] = map[N](f) >> sum[N] == sum[N] >> f
: Real[A] -> Real[C] = f >> g == (x => einsum("c b, b a, a -> c", v, w, x))
: Real[N, M] -> Real = sum[N] >> sum[M] == sum[M] >> sum[N]
: Real[N, M] -> Real = max[N] >> max[M] == max[N, M]
: Real[N, M] -> Real = mean[N] >> mean[M] == mean[N, M]
: Real[A] -> Real[A] = expand[N] >> mean[N] == id
: Real[A] -> Real[A] = expand[N] >> max[N] == id
: Real[A, B] -> Real[B, A] = rearrange("a b -> (a b)") >> rearrange("(a b) -> b a", a = A) == rearrange("a b -> b a")
: Real[A, B] -> Real[A, B] = rearrange("a b -> b a") >> relu >> rearrange("b a -> a b") == relu
: Real[A] -> Real[A] = softmax == (x => softmax(x + 3))
: Real[A] -> Real[A] = layernorm(affine = false) == (x => layernorm(x + 1, affine = false))
: Real[A] @ Real[A] -> Real[A] = ((x, y) => (x + y) * (x - y)) == ((x, y) => x * x - y * y)
: Real[A] @ Real[A] -> Real[A] = ((x, y) => maximum(x, y)) == ((x, y) => maximum(y, x))
: Real[A] -> Real[A] = relu >> relu == relu
: Real[A] -> Real[A] = (x => log(exp(x))) == id
: Real[A] @ Real[A] -> Real[A] = ((x, y) => exp(x + y)) == ((x, y) => exp(x) * exp(y))
: Fin(N)[M] @ Real[N, A] -> Real[M, A] = ((i, x) => relu(gather[N](x, i))) == ((i, x) => gather[N](relu(x), i))
: Real[A] -> Real[A] = split(1) == id
: Real[S] -> Real = sum[S] == (x => sum[S](reverse[S](reverse[S](x))))
"""

MONOTONE = """
: Real[N] -> Real = map[N](relu) >> max[N] == max[N] >> relu
: Real[N, A] -> Real[A] = map[N](relu) >> max[N] == max[N] >> relu
: Real[N, A] -> Real[A] = map[N](neg) >> max[N] == min[N] >> neg
: Real[N, A] -> Real[A] = map[N](x => 3 * tanh(x) - 1) >> max[N] == max[N] >> (x => 3 * tanh(x) - 1)
: Real[N, A] -> Real[A] = map[N](x => 1 - 2 * x) >> min[N] == max[N] >> (x => 1 - 2 * x)
: Real[N, A] @ Real[A] -> Real[A] = ((x, y) => max[N](over[N, A](x + y))) == ((x, y) => max[N](x) + y)
: Real[N, A] @ Real[N, A] -> Real[A] = ((x, y) => max[N](maximum(x, y))) == ((x, y) => maximum(max[N](x), max[N](y)))
: Real[N, A] -> Real[A] = map[N](x => minimum(x, 2)) >> max[N] == max[N] >> (x => minimum(x, 2))
"""

PARTS = """
: Real[A] -> Real[A] = tanh >> neg == neg >> tanh
: Real[A] @ Real[A] -> Real[A] = ((x, y) => sin(x - y)) == ((x, y) => -sin(y - x))
: Real[A] -> Real[A] = abs == neg >> abs
: Real[A] -> Real[A] = neg >> sigmoid == (x => 1 - sigmoid(x))
: Real[A] -> Real[A] = neg >> gelu == (x => gelu(x) - x)
: Real[A] -> Real[A] = (x => stop_gradient(1 - 2 * x)) == (x => 1 - 2 * stop_gradient(x))
"""

REDUCED = """
: Real[S] -> Real = sum[S] == reverse[S] >> sum[S]
: Real[N, A] -> Real[A] = max[N] == reverse[N] >> max[N]
: Real[N, A] -> Real = flatten >> sum[(N, A)] == sum[N, A]
: Real[N, A, B] -> Real = flatten >> max[(N, A, B)] == max[N, A, B]
: Real[N, A, B] -> Real[A] = rearrange("n a b -> a (n b)") >> sum[(N, B)] == sum[N, B]
: Real[N] -> Real = logsumexp[N] == (x => log(sum[N](exp(x))))
: Real[N] -> Real = (x => logsumexp[N](x + 2)) == (x => logsumexp[N](x) + 2)
: Real[N, M] -> Real = logsumexp[N] >> logsumexp[M] == logsumexp[N, M]
: Real[N] -> Real[N] = log_softmax >> exp == softmax
"""

LINEAR = """
: Real[A, S] @ Real[A, S] -> Real[B, S] = ((x, y) => conv(x + y)) == ((x, y) => conv(x) + conv(y))
: Real[A, S] @ Real -> Real[B, S] = ((x, y) => conv(over[A, S](x * y))) == ((x, y) => over[B, S](conv(x) * y))
: Real[N, A, S] -> Real[B, S] = map[N](conv) >> mean[N] == mean[N] >> conv
: Real[N] -> Real[N] = cumsum[N] >> neg == neg >> cumsum[N]
: Real[N] @ Real[N] -> Real[N] = ((x, y) => cumsum[N](3 * x - y)) == ((x, y) => 3 * cumsum[N](x) - cumsum[N](y))
: Real[N, A] -> Real[N, B] = cumsum[N] >> map[N](f) == map[N](f) >> cumsum[N]
"""

CHOICE = """
: Real[A] -> Real[A] = (x => where(x > 0, exp(x), exp(x))) == exp
: Real[A] -> Real[A] = (x => if_training(x + x, 2 * x)) == (x => 2 * x)
"""

DRAWN = """
: Real[A] ~> Real[A] = (x => x + normal_like(x) - uniform_like(x)) == (x => -uniform_like(x) + normal_like(x) + x)
: Real[A] ~> Real[A] @ Real[A] = (x => (normal_like(x), normal_like(x))) == (x => { a = normal_like(x)
  b = normal_like(x)
  (b, a) })
: Real[A] ~> Real[A] = (x => normal_like(x) * uniform_like(x) + exp(uniform_like(x))) == (x => { u = uniform_like(x)
  v = uniform_like(x)
  exp(u) + v * normal_like(x) })
[X, Y](r : X ~> Y) : copy >> (r @ r) == (r & r)
[X, Y](r : X ~> Y) : r >> discard == discard
"""

LARGE = """
: Real[A] -> Real[A] = iterate(400, tied (tanh >> square)) == iterate(2, tied iterate(200, tied (tanh >> square)))
(h : Real[A] -> Real[A]) : Real[A] -> Real[A] = repeat(2000, h) == repeat(1000, h) >> repeat(1000, h)
"""

HELD = """
: Real[A] -> Real[A] = softplus == (x => log(1 + exp(x)))
: Real[N] -> Real = map[N](x => x ^ 3) >> max[N] == max[N] >> (x => x ^ 3)
"""

REFUTED = """
(f : Real -> Real) : map[N](f) >> max[N] == max[N] >> f
(f : Real -> Real) : map[N](f) >> mean[N] == mean[N] >> f
(f : Real[A] -> Real[A], g : Real[A] -> Real[A]) : f >> g == g >> f
: Real[A] -> Real[A] = id == stop_gradient
: Real[A] -> Real[A] = relu == gelu
: Real[A] -> Real[A] = layernorm(affine = false) == (x => layernorm(2 * x + 1, affine = false))
: Real[N, A] -> Real[A] = sum[N] == mean[N]
: Real[A] @ Real[A] -> Real[B] = ((x, y) => affine(x + y)) == ((x, y) => affine(x) + affine(y))
: Real[A] -> Real[A] = (x => exp(x + 0.001)) == exp
: Real[A, A'] -> Real[A, A'] = rearrange("a b -> b a") >> rename[A -> A', A' -> A] == id
: Real[A] @ Real[A] -> Real[A] = id @ discard == discard @ id
: Real[A] -> Real[A] = (x => minimum(x, 5)) == id
: Real[S] -> Real[S: 8] = (x => pad[S](x + 1, 1, 1)) == (x => pad[S](x, 1, 1) + 1)
: Real[S] -> Real[S: 8] = (x => pad[S](2 * x, 1, 1, value = 1)) == (x => 2 * pad[S](x, 1, 1, value = 1))
: Real[S] @ Real -> Real[S: 8] = ((x, y) => pad[S](over[S](x / y), 1, 1)) == ((x, y) => over[S: 8](pad[S](x, 1, 1) / y))
: Real[S] -> Real[S] = (x => cumprod[S](2 * x)) == (x => 2 * cumprod[S](x))
"""

NOWHERE = """
: Real[A] -> Real[A] = (x => 1 / x - 1 / x) == (x => 0 * x)
: Real[A] -> Real[A] = (x => log(x) - log(x)) == (x => 0 * x)
: Real[A] -> Real[A] = (x => 0 * log(x)) == (x => 0 * x)
: Real[A] -> Real[A] = (x => exp(0 * log(x))) == (x => 0 * x + 1)
: Real[N, A] -> Real[A] = (x => max[N](exp(x) + 0 / x)) == (x => exp(max[N](x)))
: Complex[A] -> Complex[A] = (x => log(exp(x))) == id
: Complex[A] -> Complex[A] = (x => log(exp(x) * x)) == (x => x + log(x))
"""

TRAINING = """
: Real[A] -> Real[A] = (x => if_training(x, 2 * x)) == (x => 2 * x)
: Real[A] -> Real[A] = (x => if_training(x, 2 * x)) == (x => if_training(3 * x, 2 * x))
: Real[A] -> Real[A] = dropout(0.5) == relu
"""

OPEN = """
(r : Real ~> Real) : r >> copy == copy >> (r @ r)
: Real[N, A] ~> Real[A] = map[N](x => x + normal_like(x)) >> sum[N] == (x => { y = sum[N](x)
  y + (normal_like(y) >> expand[N] >> sum[N]) })
: Real[A] -> Real[A] = dropout(0.5) == dropout(0.1)
: Real[A] -> Real[A] = dropout(0.5) == id
: Real[A] -> Real[A] @ Real[A] = dropout(0.5) >> copy == (dropout(0.5) & dropout(0.5))
: Real[N] ~> Real = (x => { a = map[N](normal_like)(x)
  sum[N](a) * sum[N](a) }) == (x => sum[N](map[N](normal_like)(x)) * sum[N](map[N](normal_like)(x)))
: Real[A] ~> Real[A] = (x => normal_like(x) - uniform_like(x)) == (x => uniform_like(x) - normal_like(x))
"""


def verdict(law: str) -> Verdict:
    text = f"{HEAD}law it{law if law[0] in '([' else f' {law}'}\n"
    spec = catdl.loads(text)
    assert not [d for d in spec.diagnostics if d.severity == "error"], str(catdl.CheckError(spec.diagnostics))
    return spec.laws(40)["it"]


def lines(text: str) -> list[str]:
    return [law for law in re.split(r"\n(?! )", text.strip()) if law]


@pytest.mark.parametrize(
    "law", [law for text in (PROVED, MONOTONE, PARTS, REDUCED, LINEAR, CHOICE, DRAWN, LARGE) for law in lines(text)]
)
def test_proved(law: str) -> None:
    assert isinstance(verdict(law), Proved)


@pytest.mark.parametrize("law", lines(HELD))
def test_held(law: str) -> None:
    assert isinstance(verdict(law), Held)


@pytest.mark.parametrize("law", [law for text in (REFUTED, NOWHERE, TRAINING) for law in lines(text)])
def test_refuted(law: str) -> None:
    assert isinstance(verdict(law), Refuted)


@pytest.mark.parametrize("law", lines(OPEN))
def test_open(law: str) -> None:
    assert isinstance(verdict(law), Open)


def test_a_counterexample_is_small() -> None:
    found = verdict("(f : Real -> Real) : map[N](f) >> max[N] == max[N] >> f")
    assert found == Refuted("f = neg, x = [0, 1]", "0", "-1", "values")


def test_a_proof_names_what_it_took() -> None:
    found = verdict("(f : Real -> Real) : map[N](f) >> map[N](f) == map[N](f >> f)")
    assert isinstance(found, Proved) and found.laws == ("map keeps composition (functoriality)",)


def test_a_proof_tells_its_steps() -> None:
    found = verdict(": Real[N] -> Real = (x => max[N](-2 * x)) == (x => -2 * min[N](x))")
    assert isinstance(found, Proved)
    assert [(step.law, step.before, step.after) for step in found.steps] == [
        ("the max of negatives is the negative of the min", "max -2 · x[b]", "-2 · min i<N (x[i])")
    ]
    assert found.form == ("-2 · min i<N (x[i])",)


@pytest.mark.parametrize("law", [
    ": Real[M] -> Real = max[M](empty = 0) == max[M](empty = 5)",
    ": Real -> Real = expand[M] >> mean[M](empty = 0) == id",
    ": Bool -> Bool = expand[M] >> any[M] == id",
    ": Bool -> Bool = expand[M] >> all[M] == id",
    ": Real[L] @ Real[M] -> Real[L] = ((x, y) => x * max[M](y, empty = 0)) == ((x, y) => x * max[M](y, empty = 7))",
])  # fmt: skip
def test_samples_without_elements_are_tried(law: str) -> None:
    (found,) = catdl.loads(f"dim M : var, L : var\nlaw it{law}").laws(40).values()
    assert isinstance(found, Refuted)


def test_what_differs_in_training_alone_says_so() -> None:
    found = verdict(": Real[A] -> Real[A] = (x => if_training(x, 2 * x)) == (x => 2 * x)")
    assert isinstance(found, Refuted) and found.where.endswith("in training")


def test_modules_of_others_are_not_run() -> None:
    """No trial says anything of them, and one of other arguments is another, as is each that stands by itself."""
    text = """
dim A = 3
extern morphism e(k : count) : Real[A] -> Real[A] = python("package:Part", k = k)
morphism two : Real[A] -> Real[A] = x => e(1)(x) - e(1)(x)
law same : Real[A] -> Real[A] = (x => (x + 0) >> p: e(1)) == (x => x >> p: e(1))
law arguments : Real[A] -> Real[A] = (x => (x + 0) >> p: e(1)) == (x => x >> p: e(2))
law weights : Real[A] -> Real[A] = two == (x => 0 * x)
"""
    found = catdl.loads(text).laws(4)
    assert isinstance(found["same"], Proved)
    assert isinstance(found["arguments"], Open) and isinstance(found["weights"], Open)


def test_proved_laws_are_lemmas() -> None:
    """Of what is proved a following law may use any instance, in a network that is too large for its arithmetic."""
    text = """
dim N, A = 4
param w : Real[A, A]
morphism f : Real[N, A] -> Real[N, A] = linear(bias = false){weight = w}
morphism shifted : Real[N, A] -> Real[N, A] = x => softmax(x + 3)
law no_shift : Real[N, A] -> Real[N, A] = shifted == softmax
law pooled : Real[N, A] -> Real[A] = map[N](relu) >> max[N] == max[N] >> relu
law deep : Real[N, A] -> Real[A] =
    iterate(60, tied (f >> shifted)) >> map[N](relu) >> max[N] == iterate(60, tied (f >> softmax)) >> max[N] >> relu
law other : Real[N, A] -> Real[A] =
    f >> shifted >> map[N](tanh) >> max[N] == f >> softmax >> max[N] >> relu
"""
    found = catdl.loads(text).laws(4)
    assert isinstance(found["deep"], Proved) and found["deep"].laws == ("the law `no_shift`", "the law `pooled`")
    assert not isinstance(found["other"], Proved)


def test_a_lemma_gives_no_value_where_there_is_none() -> None:
    """A morphism that a law speaks of may be one without a value somewhere, so no law takes it for a number."""
    text = """
dim A = 3
law every(f : Real[A] -> Real[A]) : Real[A] -> Real[A] = (x => f(x) - f(x)) == (x => 0 * x)
law logs : Real[A] -> Real[A] = (x => log(x) - log(x)) == (x => 0 * x)
law kept(f : Real[A] -> Real[A]) : Real[A] -> Real[A] = (x => f(x) + 0 * f(x)) == f
"""
    found = catdl.loads(text).laws(8)
    assert not isinstance(found["every"], Proved) and isinstance(found["logs"], Refuted)
    assert isinstance(found["kept"], Proved)


def test_a_lemma_takes_no_place_in_a_body_for_its_own() -> None:
    """A lemma that makes a map, in a map: what it captures stays that of the map around."""
    text = """
dim N, M, A = 4
law grown : Real[N, A] @ Real[A] -> Real[N, A] = ((x, y) => map[N](a => a + y - y + 0 * y)(x)) == ((x, _) => x)
law inside : Real[M, N, A] @ Real[M, A] -> Real[M, N, A] =
    ((x, y) => map[M]((a, b) => map[N](c => c * b)(a))(x, y)) ==
    ((x, y) => map[M]((a, b) => map[N](c => c * c + 0 * b)(a))(x, y))
"""
    found = catdl.loads(text).laws(8)
    assert isinstance(found["inside"], Refuted)


def test_a_penalty_is_the_mean_of_the_squared_differences() -> None:
    text = """
dim A = 3
morphism net : Real[A] -> Real[A] = linear(8) >> tanh >> linear
param w : weights(net)
law odd : Real[A] -> Real[A] = neg >> net{w} == net{w} >> neg
morphism plain : Real[A] -> Real[A] = net{w}
morphism penalty : Real[A] -> Real = law_loss(odd)
"""
    spec = catdl.loads(text)
    plain, penalty = spec["plain"].compile().double(), spec["penalty"].compile().double()
    penalty.load_state_dict(plain.state_dict())
    x = torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(penalty(x), (plain(-x) + plain(x)).square().mean(-1))


def test_the_command_gives_verdicts_to_programs(tmp_path: Path) -> None:
    path = tmp_path / "laws.cat"
    path.write_text(
        "dim N\nlaw a : Real[N] -> Real[N] = relu >> relu == relu\nlaw b : Real[N] -> Real[N] = relu == abs\n"
    )
    result = CliRunner().invoke(command, ["laws", str(path), "--json", "--trials", "5"], catch_exceptions=False)
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert {name: verdict["verdict"] for name, verdict in found.items()} == {"a": "proved", "b": "refuted"}
