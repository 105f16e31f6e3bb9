"""`emit` and `collect`: values that leave a network beside its result, under the names of the boxes that they leave."""

from __future__ import annotations

import pytest
import torch

import catdl
from catdl.diagnostics import has_errors
from catdl.diagram.model import Call
from catdl.diagram.verify import verify
from tests.torch.agree import agree

FILE = """
dim D = 6, Class = 3, Expert = 2
morphism stat : Real[D] -> Real[D] = x => {
    emit size = mean[..](x * x)
    x >> linear >> tanh
}
morphism net : Real[D] -> Real[Class] = hidden: linear(5) >> relu >> out: linear
"""

CASES = {
    "a call": ("stat", ["stat.size"]),
    "two calls": ("stat >> stat", ["stat.size", "stat_2.size"]),
    "a named one": ("first: stat >> tanh", ["first.size"]),
    "a repeat": ("repeat(3, stat)", ["stat.0.size", "stat.1.size", "stat.2.size"]),
    "a repeat of more": ("some: repeat(2, stat >> tanh)", ["some.0.stat.size", "some.1.stat.size"]),
    "an iterate": ("again: iterate(2, tied stat)", ["again.0.size", "again.1.size"]),
    "an iterate without a name": ("iterate(2, tied stat)", ["0.stat.size", "1.stat.size"]),
    "the body itself": ("(x => {\n    emit mine = mean[..](x)\n    2 * x\n})", ["mine"]),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_collected(name: str) -> None:
    body, names = CASES[name]
    text = f"morphism f : Real[D] -> Real[D] = {body}\nmorphism g : Real[D] -> Real[D] @ Real = x => {{\n"
    text += "    y, extra = x >> collect(f)\n    (y, total(extra))\n}\n"
    spec = catdl.loads(FILE + text)
    diagram = spec["g"].diagram()
    verify(diagram)
    model = agree(diagram)
    (inner,) = (box.op.callee for box in diagram.boxes if isinstance(box.op, Call))
    assert list(inner.codomain_names[1:]) == names
    assert set(model.state_dict()) == {f"f.{key}" for key in spec["f"].compile().state_dict()}


def test_axes_of_map_and_each() -> None:
    text = """
morphism f : Real[Expert, D] -> Real[Expert, D] @ Real[Expert] @ Real[Expert] = x => {
    y, extra = x >> collect(map[Expert](stat) >> each[Expert](fresh stat))
    (y, extra.stat.size, extra.stat_2.size)
}
"""
    agree(catdl.loads(FILE + text)["f"].diagram())


def test_what_nobody_collects_is_not_computed() -> None:
    source = catdl.loads(FILE + "morphism f : Real[D] -> Real[D] = stat >> repeat(2, stat)\n")["f"].source()
    assert "mean" not in source


def test_the_divergence_of_bayesian_weights() -> None:
    text = """
morphism f : Real[D] ~> Real[Class] @ Nats = x => {
    y, extra = x >> collect(net{**: bayesian(-2)})
    (y, total(extra))
}
"""
    spec = catdl.loads(FILE + text)
    assert "~>" in spec["f"].signature
    model = spec["f"].compile().double()
    _, kl = model(torch.randn(4, 6, dtype=torch.float64))
    state = model.state_dict()
    wanted = torch.zeros(())
    for key, mean in state.items():
        if not key.endswith("rho"):
            number = "_2" if key.endswith("bias") else ""
            rho = state[f"{key.rpartition('.')[0]}.bayesian{number}.rho"]
            normal = torch.distributions.Normal(mean, torch.nn.functional.softplus(rho))
            wanted = wanted + torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum()
    torch.testing.assert_close(kl, wanted.expand(4))
    kl.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("x => {\n    y, e = x >> collect(net)\n    (y, total(e))\n}", "E0208", "nothing is emitted in `net`"),
        ("x => {\n    emit a = x\n    emit a = x\n    (x >> net, mean[..](x))\n}", "E0102", "`a`"),
        ("x => {\n    emit a = (x, x)\n    (x >> net, mean[..](x))\n}", "E0505", "what is emitted as `a`"),
        (
            "x => {\n    s = 2 * x\n    y, e = x >> collect(z => z + s)\n    (y >> net, total(e))\n}",
            "E0208",
            "`s` is a wire",
        ),
    ],
)
def test_what_is_refused(body: str, code: str, words: str) -> None:
    spec = catdl.loads(FILE + f"morphism f : Real[D] -> Real[Class] @ Real = {body}\n")
    errors = [d for d in spec.diagnostics if d.severity == "error"]
    assert [d.code for d in errors] == [code]
    assert words in errors[0].parts().message


def test_emit_is_a_name_elsewhere() -> None:
    text = "dim D = 2\nmorphism emit : Real[D] -> Real[D] = relu\nmorphism f : Real[D] -> Real[D] = emit >> tanh\n"
    assert not catdl.loads(text).diagnostics


def test_what_an_argument_emits_is_known_where_it_is_given() -> None:
    text = """
morphism measured(f : Real[D] -> Real[D]) : Real[D] -> Real[D] @ Real = x => {
    y, extra = x >> collect(f >> tanh)
    (y, total(extra))
}
morphism f : Real[D] -> Real[D] @ Real = measured(stat)
"""
    spec = catdl.loads(FILE + text)
    assert not has_errors(spec.diagnostics)
    agree(spec["f"].diagram())
    wrong = catdl.loads(f"{FILE}{text}morphism g : Real[D] -> Real[D] @ Real = measured(relu)\n").diagnostics
    assert [d.code for d in wrong if d.severity == "error"] == ["E0208"]


def test_a_law_about_any_morphism_cannot_collect_it() -> None:
    text = """
law both(f : Real[D] -> Real[D]) : Real[D] -> Real[D] @ Real = (x => {
    y, extra = x >> collect(f)
    (y, total(extra))
}) == (x => (f(x), sum[..](x)))
"""
    (found,) = (d for d in catdl.loads(FILE + text).diagnostics if d.severity == "error")
    assert found.code == "E0208"
    assert "cannot be collected" in found.parts().message
