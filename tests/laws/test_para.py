# ruff: noqa: E501  (lines of specs)
"""The laws of parameters on compiled networks: what is plugged in is what the layers use, and nothing else changes.

The other side of each law is the network without plugs, called with weights that torch has changed by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call

import catdl
from catdl import CheckError
from catdl.diagnostics.base import has_errors
from catdl.diagram.params import is_learned, leaves_of
from catdl.diagram.verify import verify
from catdl.torch.build import build
from catdl.types.sizes import evaluate
from catdl.types.types import axis_sizes
from tests.laws.agreement import close, compare, gradients
from tests.laws.generate import Gen, endo, tensor, used
from tests.laws.shapes import DIMS, FREE, LEAST, Ten
from tests.torch.agree import sample

HELPERS = "morphism gate[..S] : Real[..S] -> Real[..S] = w => {\n    param g : Real[..S] ~ constant(2)\n    w * g\n}\nmorphism twist[..S] : Real[..S] -> Real[..S] = w => tanh(w) + w\n"
STEPS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "w => 0.5 * w + 0.1": lambda w: 0.5 * w + 0.1,
    "neg": torch.neg,
    "twist": lambda w: w.tanh() + w,
    "gate": lambda w: 2 * w,
    "frozen": Tensor.detach,
    "w => w": lambda w: w,
    "w => (w >> twist) * w": lambda w: (w.tanh() + w) * w,
    "tanh >> gate": lambda w: 2 * w.tanh(),
    "w => stop_gradient(w) + w": lambda w: w.detach() + w,
    "init(zeros)": lambda w: w,
    'group("some")': lambda w: w,
}


@dataclass
class Plugged:
    """An expression and what is plugged into it."""

    decls: list[str]
    dims: dict[str, int]
    type: Ten
    expr: str
    plugs: list[tuple[str, str, str]]  # pattern, separator, expression
    params: dict[str, str]  # declared for plugs by value

    def text(self, plugs: str) -> str:
        """A file whose root `f` is the expression with that behind it."""
        more = "".join(f"param {name} : {kind} ~ normal(0, 1)\n" for name, kind in self.params.items() if name in plugs)
        body = f"morphism f : {self.type.text} -> {self.type.text} = {self.expr}{plugs}\n"
        return DIMS + HELPERS + "\n".join(self.decls) + "\n" + more + body

    @property
    def braces(self) -> str:
        """The plugs as they are written."""
        return "{" + ", ".join(f"{path}{sep} {expr}" for path, sep, expr in self.plugs) + "}"

    def __repr__(self) -> str:
        return f"{self.dims}\n{self.text(self.braces)}"


def leaves(case: Plugged) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The record of an expression: the path in it of every key of the network, and the shape."""
    spec = catdl.loads(case.text(""))
    assume(not has_errors(spec.diagnostics))
    try:
        spec["f"].source()
    except CheckError:  # `each` over several boxes of which one keeps statistics
        assume(False)
    boxes = [box for box in spec["f"].diagram().boxes if leaves_of(box.op, box.site)]
    if not boxes:
        return {}
    (box,) = boxes
    before = f"{box.site}." if box.site is not None else ""
    learned = [p for p in leaves_of(box.op, box.site) if is_learned(p)]
    return {before + p.path: (p.path, tuple(evaluate(size, {}) for size in axis_sizes(p.type))) for p in learned}


@st.composite
def plugged(draw: Callable[[st.SearchStrategy[object]], object]) -> Plugged:
    """A random network, plugs at random paths of it."""
    g = Gen(draw)
    dims = {name: g.number(LEAST, LEAST + 2) for name in FREE}
    kind = tensor(g, (2, 1, 3))
    inner, form = (
        kind,
        str(
            g.pick(
                "m",
                "repeat(2, m)",
                "iterate(2, m)",
                "map",
                "each",
                "iterate(2, m >> sin)",
                "repeat(2, m >> sin)",
                "repeat(2, iterate(2, m))",
                "iterate(2, repeat(2, m))",
            )
        ),
    )
    lead = kind.axes[0]
    if form in ("map", "each"):
        if lead.label is None or (form == "each" and not lead.fixed):
            form = "m"
        else:
            inner, form = Ten(kind.axes[1:]), f"{form}[{lead.text}]({g.pick('m', 'm >> tanh', 'repeat(2, m)')})"
    body = endo(g, inner, 2)
    g.decls.append(f"morphism m : {inner.text} -> {inner.text} = {body.text}")
    found = Plugged(used(g.decls), dims, kind, form, [], {})
    record = list(leaves(found).values())
    assume(record)
    taken: set[str] = set()
    for _ in range(g.number(1, 3)):
        path = pattern(g, [key for key, _ in record])
        if not all(any(matches(one, key) for key, _ in record) for one in alternatives(path)):
            continue
        mine = {key for key, _ in record if matches(path, key)}
        if mine & taken:
            continue
        shapes = {shape for key, shape in record if key in mine}
        if len(shapes) == 1 and g.chance(4):
            name = g.word("p")
            (shape,) = shapes
            found.params[name] = f"Real[{', '.join(map(str, shape))}]" if shape else "Real"
            taken |= mine
            found.plugs.append((path, " =", str(g.pick(name, f"{name} >> tanh"))))
        else:
            found.plugs.append((path, ":", str(g.pick(*STEPS))))
    assume(found.plugs)
    return found


def pattern(g: Gen, keys: list[str]) -> str:
    """A path of a leaf in which some segments stand for more."""
    segments = str(g.pick(*keys)).split(".")
    if g.chance(6):
        return "**"
    if len(segments) > 1 and g.chance(4):
        segments = ["**", segments[-1]]
    for k in range(len(segments)):
        if segments[k] != "**" and g.chance(4):
            others = sorted({key.split(".")[k] for key in keys if key.count(".") >= k})
            segments[k] = str(g.pick("*", "{" + ",".join(others) + "}"))
    return ".".join(segments[: g.number(1, len(segments))] if g.chance(4) else segments)


def alternatives(path: str) -> list[str]:
    """The paths that take one name of one `{…}`; each must be for something."""
    parts = path.split(".")
    return [
        ".".join([*parts[:k], name, *parts[k + 1 :]])
        for k, part in enumerate(parts)
        if part.startswith("{")
        for name in part.strip("{}").split(",")
    ]


def matches(path: str, key: str) -> bool:
    """Whether a path is for a key, by taking both apart from the left."""

    def at(parts: list[str], names: list[str]) -> bool:
        if not parts:
            return True  # what is below a record is of it
        if parts[0] == "**":
            return any(at(parts[1:], names[k:]) for k in range(len(names) + (len(parts) == 1)))
        if not names:
            return False
        options = parts[0].strip("{}").split(",") if parts[0].startswith("{") else [parts[0]]
        return (parts[0] == "*" or names[0] in options) and at(parts[1:], names[1:])

    found = at(path.split("."), key.split("."))
    if found and path.startswith("**.") and path.count(".") == 1:
        return True
    return found


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # torch has no rule for attention under vmap
@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(plugged())
def test_plugging_is_precomposition(case: Plugged) -> None:
    """f{path: e} is f at the weights that e makes of its own, in values and in gradients of all."""
    torch.manual_seed(0)
    bare, full = catdl.loads(case.text("")), catdl.loads(case.text(case.braces))
    bare.sound()
    full.sound()
    verify(full["f"].diagram())
    plain, model = build(bare["f"].diagram()).double().eval(), build(full["f"].diagram()).double().eval()
    paths = {key: path for key, (path, _) in leaves(case).items()}
    own = {key: p for key, p in model.named_parameters() if not re.search(r"(^|\.)gate(_\d+)?\.g$", key)}
    with torch.no_grad():
        for p in own.values():
            p.normal_(0, 0.5)
    weights: dict[str, Tensor] = {}
    for key, start in plain.named_parameters():
        if key not in paths:
            still = any(expr == "frozen" and matches(path, key) for path, _, expr in case.plugs)
            weights[key] = own[key].detach() if still else own[key]
            continue
        value: Tensor | None = own.get(key)
        for path, sep, expr in case.plugs:
            if not matches(path, paths[key]):
                continue
            if sep == " =":
                value = own[expr.split()[0]]
                value = value.tanh() if "tanh" in expr else value
            elif value is not None:  # else what is made of it is forgotten further on
                value = STEPS[expr](value)
        assert value is not None, key
        assert value.shape == start.shape
        weights[key] = value
    named = {f"<string>::{name}": size for name, size in case.dims.items()} | case.dims
    diagram = full["f"].diagram()
    inputs = [sample(diagram.wires[w].type, (3,), named).requires_grad_() for w in diagram.inputs]
    found, wanted = model(*inputs), functional_call(plain, weights, tuple(inputs))
    close(found, wanted)
    traced = [*inputs, *(p for p in own.values() if p.requires_grad)]
    for a, b in zip(gradients((found,), traced), gradients((wanted,), traced), strict=True):
        close(a, b)
    compare(diagram, case.dims, model, False)


DIM = "dim A = 3\nmorphism f : Real[A] -> Real[A] = linear(8) >> tanh >> linear\n"


def network(body: str, decls: str = "", arrow: str = "->") -> nn.Module:
    """A compiled network of Real[A] in float64."""
    spec = catdl.loads(f"{DIM}{decls}morphism law : Real[A] {arrow} Real[A] = {body}\n")
    spec.sound()
    return spec["law"].compile().double()


def real(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64)


def test_sharing_is_the_copy_reparameterisation() -> None:
    """The gradient of a shared parameter is the sum of those of its copies."""
    torch.manual_seed(0)
    shared, copies = network("f{w} >> tanh >> f{w}", "param w : weights(f)\n"), network("x: f >> tanh >> y: f")
    state = {key.removeprefix("w."): value for key, value in shared.state_dict().items()}
    copies.load_state_dict({f"{name}.{key}": value for name in "xy" for key, value in state.items()})
    x = real(5, 3)
    one, two = shared(x), copies(x)
    torch.testing.assert_close(one, two, rtol=0, atol=1e-12)
    for y in (one, two):
        y.square().sum().backward()
    for key in state:
        parts = [copies.get_parameter(f"{name}.{key}").grad for name in "xy"]
        whole = shared.get_parameter(f"w.{key}").grad
        assert whole is not None and parts[0] is not None and parts[1] is not None
        assert not torch.allclose(parts[0], parts[1])
        torch.testing.assert_close(whole, parts[0] + parts[1], rtol=0, atol=1e-12)


def test_sharing_halves_the_parameters() -> None:
    count = {body: sum(p.numel() for p in network(body, "param w : weights(f)\n" * ("w" in body)).parameters()) for body in ("f{w} >> f{w}", "f >> f")}  # fmt: skip
    assert 2 * count["f{w} >> f{w}"] == count["f >> f"]


@pytest.mark.parametrize("form", ["f", "repeat(3, f)", "iterate(3, f)", "repeat(2, iterate(2, f))"])
@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("", "{**: w => w}"),
        ("{**: tanh >> sin}", "{**: tanh, **: sin}"),
        ("{**: w => sin(0.5 * w)}", "{**: w => 0.5 * w, **: sin}"),
        ("{**.weight: tanh, **.bias: sin}", "{**.bias: sin, **.weight: tanh}"),
    ],
)
def test_reparameterising_composes(form: str, one: str, two: str) -> None:
    """Along the identity it changes nothing, along a composite it is done twice."""
    torch.manual_seed(0)
    left, right = network(form + one), network(form + two)
    assert {k: v.shape for k, v in left.state_dict().items()} == {k: v.shape for k, v in right.state_dict().items()}
    right.load_state_dict(left.state_dict())
    x = real(5, 3).requires_grad_()
    traced = [x, *left.parameters()], [x, *(right.get_parameter(key) for key, _ in left.named_parameters())]
    for a, b in zip(gradients((left(x),), traced[0]), gradients((right(x),), traced[1]), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
    torch.testing.assert_close(left(x), right(x), rtol=0, atol=1e-12)


BOTH = "param a : Real[A, A'] ~ normal(0, 1)\nparam b : Real[A, A'] ~ normal(0, 1)\n"
DRAWN = "draw(a, softplus(b))"
DRAW = BOTH + "morphism draw[..S] : Real[..S] @ Std[..S] ~> Real[..S] = (mu, std) => mu + std * normal_like(mu)\n"


@pytest.mark.parametrize(
    ("body", "draws"),
    [
        (f"iterate(3, linear(A){{weight = {DRAWN}}})", 1),
        (f"iterate(3, linear(A){{weight: () => {DRAWN}}})", 1),
        (f"repeat(3, linear(A){{weight = {DRAWN}}})", 3),
        (f"repeat(3, linear(A)){{**.weight = {DRAWN}}}", 1),
        (f"repeat(3, linear(A)){{**.weight: () => {DRAWN}}}", 3),
        (f"repeat(3, linear(A){{weight: () => {DRAWN}}})", 3),
        (f"x => {{\n    s = {DRAWN}\n    x >> linear(A){{weight = s}} >> linear(A){{weight = s}}\n}}", 1),
    ],
)
def test_what_is_plugged_into_a_fold_is_drawn_once(body: str, draws: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one record serves many rounds; what is written inside of rounds with their own is drawn in each."""
    model = network(body, DRAW, "~>")
    found: list[Tensor] = []
    plain = torch.randn_like

    def counted(x: Tensor) -> Tensor:
        found.append(plain(x))
        return found[-1]

    monkeypatch.setattr(torch, "randn_like", counted)
    model(real(5, 3))
    assert len(found) == draws


TWICE = "morphism tied_twice(tied g : Real[A] -> Real[A]) : Real[A] -> Real[A] = g >> tanh >> g\nmorphism fresh_twice(fresh g : Real[A] -> Real[A]) : Real[A] -> Real[A] = g >> tanh >> g\n"


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        ("tied_twice(f)", "f{w} >> tanh >> f{w}"),
        ("iterate(2, tied (f >> tanh))", "f{w} >> tanh >> f{w} >> tanh"),
        ("fresh_twice(f)", "f >> tanh >> f"),
        ("repeat(2, fresh (f >> tanh))", "f >> tanh >> f >> tanh"),
    ],
)
def test_tied_is_copying_and_fresh_is_the_product(body: str, meaning: str) -> None:
    """`tied` is Δ on the parameter object, `fresh` the tensor product: the same parameters in order, the same map."""
    torch.manual_seed(0)
    one = network(body, TWICE.splitlines(True)[body.startswith("fresh")] if "twice" in body else "")
    two = network(meaning, "param w : weights(f)\n" if "w" in meaning else "")
    assert [p.shape for p in one.parameters()] == [p.shape for p in two.parameters()]
    with torch.no_grad():
        for p, q in zip(one.parameters(), two.parameters(), strict=True):
            q.copy_(p)
    x = real(5, 3)
    torch.testing.assert_close(one(x), two(x), rtol=0, atol=1e-12)
    for a, b in zip(gradients((one(x),), [*one.parameters()]), gradients((two(x),), [*two.parameters()]), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
