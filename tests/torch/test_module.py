"""The running module as torch sees it: copies, pickles, moves, meta, tracebacks, text."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
import traceback
from typing import Any

import pytest
import torch
from torch import nn

import catdl
from catdl.diagram import model as d
from catdl.diagram.model import Diagram, Init
from catdl.torch.build import build, source
from catdl.torch.runtime import Each
from tests.diagram.by_hand import Hand, ax, linear, real, relu

D = ax("D", 4)


def network() -> Diagram:
    expert = Hand("expert")
    inner = expert.done(relu(expert, linear(expert, expert.input(real(D), "x"), D)))
    h = Hand("net")
    x = h.input(real(D), "x")
    w = h.declared("tied", real(D, D), Init("normal", (0, 0.02)))
    x = linear(h, x, D, "first", plugs=(("weight", w),))
    (x,) = h.box(d.Repeat(2, inner, "fresh", 0), (x,), real(D), site="expert")
    wide = h.core("expand", (x,), real(ax("E", 3), D), position=0, size=3)
    (y,) = h.box(d.Each(ax("E", 3), inner, 0), (wide,), real(ax("E", 3), D), site="each")
    y = h.core("reduce", (y,), real(D), fn="sum", axes=(0,))
    y = linear(h, y, D, "last", bias=False, plugs=(("weight", w),))
    return h.done(y)


def test_copies_and_pickles() -> None:
    model, x = build(network()), torch.randn(5, 4)
    wanted = model(x)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(other(x), wanted)
        assert list(other.state_dict()) == list(model.state_dict())
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.zero_()
        assert float(other(x).detach().abs().sum()) == 0
    torch.testing.assert_close(model(x), wanted)


def test_a_pickle_is_read_in_another_process(tmp_path: Any) -> None:
    model, x = build(network()), torch.randn(5, 4)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps((model, x, model(x))))
    code = (
        "import pickle, sys, torch; m, x, y = pickle.load(open(sys.argv[1], 'rb')); torch.testing.assert_close(m(x), y)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "model.pickle")], check=True)


def test_torch_save_and_state_dict() -> None:
    model, other = build(network()), build(network())
    other.load_state_dict(model.state_dict())
    x = torch.randn(2, 4)
    torch.testing.assert_close(model(x), other(x))
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    buffer.seek(0)
    assert list(torch.load(buffer)) == list(model.state_dict())


def test_to_and_meta() -> None:
    diagram = network()
    model = build(diagram).to(torch.float64)
    assert model(torch.randn(2, 4, dtype=torch.float64)).dtype == torch.float64
    with torch.device("meta"):
        empty = build(diagram)
    assert all(p.is_meta for p in empty.parameters())
    empty = empty.to_empty(device="cpu")
    for module in empty.modules():
        reset: Any = getattr(module, "reset_parameters", None)
        if reset is not None:
            reset()
    assert all(bool(torch.isfinite(p).all()) for p in empty.parameters())
    assert float(empty.get_parameter("tied").detach().std()) < 0.1
    assert list(empty.state_dict()) == list(model.state_dict())


def test_train_reaches_every_index() -> None:
    each = Each(lambda: nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)), 3)
    each.eval()
    x = torch.randn(2, 3, 4)
    torch.testing.assert_close(each(x, in_dims=(-2,), out_dims=-2), each(x, in_dims=(-2,), out_dims=-2))
    each.train()
    assert not torch.equal(each(x, in_dims=(-2,), out_dims=-2), each(x, in_dims=(-2,), out_dims=-2))
    assert list(each.state_dict()) == ["0.weight", "0.bias"]


def test_each_starts_every_slice_by_itself() -> None:
    each = Each(lambda: nn.Linear(4, 4), 40)
    weight = each.get_parameter("weight").data
    weight.zero_()
    each.reset_parameters()
    assert 0.4 < float(weight.abs().max()) <= 0.5


def test_tracebacks_show_the_text() -> None:
    h = Hand("net")
    model = build(h.done(linear(h, h.input(real(D), "x"), D)))
    try:
        model(torch.zeros(4, dtype=torch.float64))
    except RuntimeError as error:
        shown = "".join(traceback.format_exception(error))
    assert "x = self.linear(x)" in shown or "= self.linear(x)" in shown


def test_the_text_is_the_same_each_time_and_compiles_alone() -> None:
    text = source(network())
    assert text == source(network())
    scope: dict[str, object] = {"__name__": "alone"}
    exec(compile(text, "alone.py", "exec"), scope)
    assert "Net" in scope


def test_compile_and_export() -> None:
    model, x = build(network()).eval(), torch.randn(5, 4)
    exported = torch.export.export(model, (x,))
    torch.testing.assert_close(exported.module()(x), model(x))


def test_names_that_python_or_torch_have_taken() -> None:
    h = Hand("class")
    x = h.input(real(D), "lambda")
    x = linear(h, x, D, "type")
    x = linear(h, x, D, "in")
    x = linear(h, x, D, "forward")
    w = h.local("data", real(D))
    g = h.declared("training", real(D))
    x = h.point("mul", (h.point("mul", (x, w), real(D)), g), real(D))
    model = build(h.done(x))
    assert "in.weight" in model.state_dict()
    assert "type.bias" in model.state_dict()
    assert model(torch.zeros(3, 4)).shape == (3, 4)


@pytest.mark.parametrize("name", ["false_", "true_", "none_", "class_"])
def test_no_class_has_the_name_of_a_keyword(name: str) -> None:
    spec = catdl.loads(
        f"dim D = 3\nmorphism {name} : Real[D] -> Real[D] = linear\nmorphism net : Real[D] -> Real[D] = {name}\n"
    )
    for each in (name, "net"):
        assert spec[each].compile()(torch.ones(2, 3)).shape == (2, 3)
