"""What the functions say of kinds: correct code passes without ceremony, and a mix-up is told in words that help."""

from __future__ import annotations

import pytest

import catdl
from catdl.diagnostics.text import render
from tests.prelude.function_cases import SIZES, spec

PASSES = """
std : LogVar[T] -> Std[T] = v => exp(0.5 * v)
half : LogVar[T] -> Std[T] = v => exp(v / 2)
var : LogVar[T] -> Var[T] = exp
logstd : LogStd[T] -> Var[T] = s => exp(2 * s)
precision : LogVar[T] -> Positive[T] = v => exp(-v)
inverse : LogVar[T] -> Positive[T] = v => exp(-0.5 * v)
root : Var[T] -> Std[T] = sqrt
power : Var[T] -> Std[T] = v => v ^ 0.5
squared : Std[T] -> Var[T] = square
product : Std[T] -> Var[T] = s => s * s
even : Real[T] -> Positive[T] = x => x ^ 2
quartic : Std[T] -> Positive[T] = s => s ^ 4
literal : Std[T] -> Var[T] = s => s ^ 2
plain : Real[T] -> Std[T] = x => exp(0.5 * x)
softplus : Real[T] -> Std[T] = x => softplus(x) + 1e-6
sample : Real[T] @ Std[T] @ Real[T] -> Real[T] = (m, s, e) => m + s * e
reparameterised : Real[T] @ LogVar[T] @ Real[T] -> Real[T] = (m, v, e) => m + exp(0.5 * v) * e
clamped : Real[T] @ LogVar[T] @ Real[T] -> Real[T] = (m, v, e) => m + exp(0.5 * clamp(-10, 10)(v)) * e
kl : Real[T] @ LogVar[T] -> Real = (m, v) => -0.5 * sum[T](1 + v - m ^ 2 - exp(v))
kl_of_std : Real[T] @ Std[T] -> Real = (m, s) => 0.5 * sum[T](m * m + s * s - 2 * log(s) - 1)
nll : Real[T] @ Var[T] -> Real[T] = (d, v) => 0.5 * (log(v) + d ^ 2 / v)
minus : LogVar[T] -> Real[T] = v => -0.5 * exp(v)
mixture : Var[T] @ Var[T] -> Var[T] = (a, b) => 0.9 * a + 0.1 * b
eps : Var[T] -> Std[T] = v => sqrt(v + 1e-5)
normalised : Real[T, D] -> Real[T, D] = x => over[T, D]((x - mean[D](x)) * rsqrt(var[D](x) + 1e-5))
standardised : Real[T, D] -> Real[T, D] = x => over[T, D]((x - mean[D](x)) / std[D](x))
entropy : Probs[T, C] -> Real[T] = p => -sum[C](p * log(p))
logs : Logits[C] -> Probs[C] = x => log_softmax(x) >> exp
taken : LogProbs[T, C] @ Fin(C)[T] -> Nats[T] = (p, y) => -pick[C](p, y)
gate : Real[T] @ Real[T] -> Real[T] = (x, h) => sigmoid(x) * h + (1 - sigmoid(x)) * x
chance : Logits[T] @ Prob[T] -> Nats = (x, y) => binary_cross_entropy(sigmoid(x), y)
margin : Logits[C] @ Fin(C) -> Logits[C] = (x, y) => x - 0.3 * one_hot[C](y)
residual : Logits[C] @ Probs[C] -> Real[C] = (x, p) => softmax(x) - p
temperature : Logits[C] -> Probs[C] = x => softmax(x / 0.7)
weighted : Real[T, C] @ Logits[C] -> Real[T] = (v, x) => contract[C](v, softmax(x))
ensemble : Logits[C] @ Logits[C] -> Logits[C] = (x, y) => (x + y) / 2
drop : Keep[T] -> Drop[T] = not
keep : Drop[T] -> Keep[T] = not
masks : Keep[T, D] -> Keep[T, D] = m => and(m, over[T, D](real(index[D]) <= real(index[T])))
filled : Real[T] @ Keep[T] -> Real[T] = (x, m) => masked_fill(-1e9)(x, not(m))
counted : Keep[T] -> Real = m => sum[T](real(m))
total : Nats @ Nats -> Nats = (a, b) => a + 0.1 * b
elbo : Real @ Nats -> Real = (a, b) => a + b
confidence : Logits[T, C] -> Positive[T] = x => max[C](softmax(x))
compared : Fin(C)[T] @ Fin(C)[T] -> Real = (a, b) => mean[T](real(a == b))
padding : Fin(C)[T] -> Keep[T] = y => y != 0
"""

REFUSED = """
sqrt gives the Std : Real[T] @ Var[T] @ Real[T] -> Real[T] = (m, v, e) => m + v * e
sqrt gives the Std : Real[T] @ LogVar[T] @ Real[T] -> Real[T] = (m, v, e) => m + exp(v) * e
exp(0.5 * logvar) : Real[T] @ LogVar[T] @ Real[T] -> Real[T] = (m, v, e) => m + v * e
exp gives the Std : Real[T] @ LogStd[T] @ Real[T] -> Real[T] = (m, s, e) => m + s * e
exp(0.5 * logvar) : LogVar[T] -> Real[T] = sqrt
do not add : Var[T] @ Std[T] -> Real[T] = (v, s) => v + s
`Std` : LogVar[T] -> Std[T] = exp
`Var` : LogVar[T] -> Var[T] = v => exp(0.5 * v)
found `Real` : Real[T] -> Std[T] = x => x
probabilities already : Logits[C] -> Probs[C] = softmax >> softmax
probabilities already : Logits[C] -> LogProbs[C] = softmax >> log_softmax
does the softmax itself : Logits[C] @ Fin(C) -> Nats = (x, y) => cross_entropy(softmax(x), y)
nll_loss takes LogProbs : Logits[C] @ Fin(C) -> Nats = (x, y) => cross_entropy(log_softmax(x), y)
these are logits : Logits[C] @ Fin(C) -> Nats = (x, y) => nll_loss(x, y)
log gives the LogProbs : Logits[C] @ Fin(C) -> Nats = (x, y) => nll_loss(softmax(x), y)
these are logits : Logits[T] @ Real[T] -> Nats = binary_cross_entropy
this is a probability : Logits[T] @ Real[T] -> Nats = (x, y) => binary_cross_entropy_with_logits(sigmoid(x), y)
is a logarithm : Probs[C] @ Probs[C] -> Nats = kl_div
log_softmax : Logits[C] -> Real[C] = log
logarithms already : Logits[C] -> Real[C] = log_softmax >> log
`not` turns one : Keep[T] @ Drop[T] -> Keep[T] = and
`Drop` : Real[T] @ Keep[T] -> Real[T] = masked_fill(0)
`Keep` : Drop[T] -> Keep[T] = m => m
real(i) : Fin(C)[T] @ Fin(C)[T] -> Real[T] = (a, b) => a + b
"""


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


@pytest.mark.parametrize("case", _lines(PASSES))
def test_passes(case: str) -> None:
    """Correct code passes."""
    found = catdl.loads(spec(case, SIZES))
    assert not found.diagnostics, render(found.diagnostics)


@pytest.mark.parametrize("case", _lines(REFUSED))
def test_refused(case: str) -> None:
    """A mix-up is refused with the words before the colon."""
    words = case.partition(" : ")[0]
    found = catdl.loads(spec(case, SIZES))
    assert words in " ".join(render(found.diagnostics).split())
