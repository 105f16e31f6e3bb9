"""Random networks along var dims, on random sizes: a batch is its samples, whatever the compiler does with it.

A network is a chain of steps, each from a type to a type; every type has the elements of N, of E, or one for each
sample. What a step may not do is not written, so every spec must be clean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import catdl
from tests.torch.test_ragged import compare

HEAD = """
dim N : var, E : var, D = 3, Head = 2, P
functor Words(X) = () + Real[D] @ X
algebra elman : Words(Real[D]) -> Real[D] = [ zeros | (a, h) => tanh((a >> linear) + (h >> linear)) ]
algebra other : Words(Real[D]) -> Real[D] = [ zeros | (a, h) => sin((a >> linear) + h) ]
"""

NODES, EDGES, SAMPLE = "Real[N, D]", "Real[E, D]", "Real[D]"


@dataclass(frozen=True)
class Step:
    """What becomes of `x`; `s` and `t` are the ends of the edges, `y` what each sample has."""

    before: str
    after: str
    text: str


def both(text: str, *more: str) -> list[Step]:
    """A step along N, and the same along E."""
    return [
        Step(f"Real[{dim}, D]", (more[0] if more else "Real[N, D]").replace("N", dim), text.replace("#", dim))
        for dim in "NE"
    ]


STEPS = [
    *both("x >> linear(D) >> tanh"),
    *both("x >> layernorm"),
    *both("x >> linear(8) >> relu >> linear(D)"),
    *both("over[#, D](x - mean[#](x))"),
    *both("over[#, D](x * sigmoid(max[#](x)))"),
    *both("x + (x >> softmax[#])"),
    *both("0.1 * x + 0.1 * (x >> log_softmax[#])"),
    *both("0.1 * (x >> cumsum[#])"),
    *both("x >> reverse[#]"),
    *both("over[#, D](x + y)"),
    *both("x >> map[#](tied linear(D))"),
    *both("x >> map[#](e => tanh(e + y))"),
    *both("(q = x >> linear(D), k = x, v = x) >> attend"),
    *both("(q = x, k = x >> linear(D), v = x) >> attend(causal = true)"),
    *both("x >> scan[#](elman)"),
    *both("x >> scan[#](other, reverse = true)"),
    *both("x + 0.1 * over[#, D](x * (1 + sum[..](ones[#])))"),
    *both("x + (x >> repeat(2, fresh (linear >> softmax[#])))"),
    *both("x * 0.1 + expand[#](y)"),
    *both("x >> sum[#]", SAMPLE),
    *both("x >> mean[#](empty = 1)", SAMPLE),
    *both("x >> min[#](empty = 0)", SAMPLE),
    *both("logsumexp[#](x) >> tanh", SAMPLE),
    *both("x >> prod[#]", SAMPLE),
    *both("x >> fold[#](elman)", SAMPLE),
    *both("contract[#](x >> linear(H: 1) >> squeeze[H] >> softmax[#], x)", SAMPLE),
    Step(NODES, EDGES, "gather[N](x, s)"),
    Step(NODES, EDGES, "gather[N](x, t) - gather[N](x, s)"),
    Step(EDGES, NODES, "scatter_sum[N](x, t)"),
    Step(EDGES, NODES, "scatter_mean[N](x, s)"),
    Step(EDGES, NODES, "scatter_max[N](x, t)"),
    Step(EDGES, EDGES, "x - segment_softmax[N](x, t)"),
    Step(NODES, NODES, "x + propagate(x, s, t)"),
    Step(SAMPLE, SAMPLE, "x >> linear(D) >> tanh"),
    Step(SAMPLE, SAMPLE, "x + y"),
    Step(SAMPLE, NODES, "expand[N](x)"),
    Step(SAMPLE, EDGES, "expand[E](x)"),
]


@st.composite
def networks(draw: st.DrawFn) -> str:
    """A spec with one network."""
    at = NODES
    lines = []
    for _ in range(draw(st.integers(1, 6))):
        step = draw(st.sampled_from([step for step in STEPS if step.before == at]))
        lines.append(f"    x = {step.text}")
        at = step.after
    read = re.findall(r"\b[sty]\b", "\n".join(lines))
    rest = [f"    {name} >> discard" for name in "sty" if name not in read]
    ports = f"(x: {NODES}, s: Fin(N)[E], t: Fin(N)[E], y: Real[D])"
    body = "\n".join([*rest, *rename(lines), f"    x{len(lines)}"])
    return f"{HEAD}morphism net : {ports} -> {at} = (x0, s, t, y) => {{\n{body}\n}}\n"


def rename(lines: list[str]) -> list[str]:
    """Every step has a name of its own, since a wire is bound once."""
    return [re.sub(r"\bx\b", f"x{k}", line).replace(f"x{k} =", f"x{k + 1} =", 1) for k, line in enumerate(lines)]


@st.composite
def sizes(draw: st.DrawFn) -> dict[str, tuple[int, ...]]:
    """Sizes of the samples; a sample without nodes has no edges."""
    nodes = draw(st.lists(st.integers(0, 4), min_size=1, max_size=5))
    edges = [draw(st.integers(0, 5)) if n else 0 for n in nodes]
    return {"N": tuple(nodes), "E": tuple(edges)}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks(), sizes())
def test_a_batch_is_its_samples(text: str, found: dict[str, tuple[int, ...]]) -> None:
    spec = catdl.loads(text)
    wrong = [(d.code, d.parts().message) for d in spec.diagnostics if d.severity == "error"]
    assert not wrong, (wrong, text)
    diagram = spec["net"].diagram()
    compare(diagram, found)
    if (other := spec["net"].rewritten()) is not diagram:
        compare(other, found, meaning=diagram)
