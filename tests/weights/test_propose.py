"""What a proposal rests on, case by case, and that it does not guess."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdl.weights.families import families
from catdl.weights.fit import fit
from catdl.weights.held import Form
from catdl.weights.keymap import Line, Piece
from catdl.weights.names import abbreviates, likeness, words
from catdl.weights.propose import propose


def layer(name: str, outputs: int, inputs: int, turned: bool = False) -> dict[str, Form]:
    shape = (inputs, outputs) if turned else (outputs, inputs)
    return {f"{name}.weight": Form(shape), f"{name}.bias": Form((outputs,))}


def norm(name: str, size: int) -> dict[str, Form]:
    return {f"{name}.weight": Form((size,)), f"{name}.bias": Form((size,))}


def table(*parts: dict[str, Form]) -> dict[str, Form]:
    return {key: form for part in parts for key, form in part.items()}


def found(ours: dict[str, Form], theirs: dict[str, Form]) -> dict[str, str]:
    """The right sides of a whole map by the left ones; it must be whole, and fit."""
    proposal = propose(ours, theirs)
    assert (proposal.open, proposal.missing, proposal.extra) == ((), (), ())
    plan, mistakes = fit(proposal.lines, "f", ours, "w", theirs)
    assert mistakes == [] and plan.made.keys() == ours.keys() and plan.used == theirs.keys()
    return {line.ours or "discard": str(line).partition(" <- ")[2] for line in proposal.lines}


def test_by_shape_whatever_the_names() -> None:
    ours, theirs = table(layer("up", 8, 4), layer("down", 4, 8)), table(layer("down", 8, 4), layer("x.y.2", 4, 8))
    assert found(ours, theirs)["up.weight"] == "down.weight"
    assert found(ours, theirs)["down.bias"] == "x.y.2.bias"


def test_all_rounds_at_once() -> None:
    ours = table(*(layer(f"block.{i}.up", 8, 4) for i in range(12)), layer("head", 8, 4))
    theirs = table(*(layer(f"model.h.{i}.c_fc", 8, 4) for i in range(12)), layer("lm", 8, 4))
    assert found(ours, theirs) == {
        "block.*.up.weight": "model.h.*.c_fc.weight",
        "block.*.up.bias": "model.h.*.c_fc.bias",
        "head.weight": "lm.weight",
        "head.bias": "lm.bias",
    }


def test_by_name_with_abbreviations() -> None:
    ours = table(*(layer(f"attention.{name}", 4, 4) for name in ("query", "key", "value", "out")))
    theirs = table(*(layer(f"attn.{name}_proj", 4, 4) for name in ("k", "o", "q", "v")))
    wanted = {"query": "q", "key": "k", "value": "v", "out": "o"}
    assert found(ours, theirs) == {
        f"attention.{mine}.{leaf}": f"attn.{other}_proj.{leaf}"
        for mine, other in wanted.items()
        for leaf in ("weight", "bias")
    }


def test_by_number() -> None:
    ours = table(norm("layernorm", 4), norm("layernorm_2", 4), norm("layernorm_10", 4))
    theirs = table(norm("ln_9", 4), norm("ln_10", 4), norm("ln_1", 4))
    assert [found(ours, theirs)[f"{name}.bias"] for name in ("layernorm", "layernorm_2", "layernorm_10")] == [
        "ln_1.bias",
        "ln_9.bias",
        "ln_10.bias",
    ]


def test_by_number_where_lists_are_counted_otherwise() -> None:
    ours = table(layer("linear", 4, 8), layer("linear_2", 4, 4), layer("linear_3", 4, 4))
    theirs = table(layer("net.0", 4, 8), layer("net.2", 4, 4), layer("net.4", 4, 4))
    assert found(ours, theirs)["linear_3.weight"] == "net.4.weight"


def test_by_neighbours() -> None:
    ours = table(layer("one.up", 8, 4), norm("one.n", 4), layer("two.up", 6, 4), norm("two.n", 4))
    theirs = table(layer("b.x", 6, 4), norm("b.y", 4), layer("a.x", 8, 4), norm("a.y", 4))
    assert found(ours, theirs)["one.n.weight"] == "a.y.weight"
    assert found(ours, theirs)["two.n.weight"] == "b.y.weight"


def test_what_nothing_tells_is_open() -> None:
    proposal = propose(table(norm("one", 4), norm("two", 4)), table(norm("red", 4), norm("blue", 4)))
    assert proposal.lines == ()
    assert [(sorted(each.ours), sorted(each.theirs)) for each in proposal.open] == [
        ([f"one.{leaf}", f"two.{leaf}"], [f"blue.{leaf}", f"red.{leaf}"]) for leaf in ("bias", "weight")
    ]


def test_what_is_given_decides() -> None:
    ours, theirs = table(norm("one", 4), norm("two", 4)), table(norm("red", 4), norm("blue", 4))
    given_lines = [Line(f"one.{leaf}", (Piece(f"blue.{leaf}"),)) for leaf in ("weight", "bias")]
    plan, _ = fit(given_lines, "f", ours, "w", theirs)
    proposal = propose(ours, theirs, plan)
    assert [str(line) for line in proposal.lines] == ["two.weight <- red.weight", "two.bias <- red.bias"]


def test_a_pattern_does_not_meet_what_is_given() -> None:
    ours = table(*(layer(f"block.{i}.up", 8, 4) for i in range(3)))
    theirs = table(*(layer(f"h.{i}.fc", 8, 4) for i in range(3)))
    lines = [Line(f"block.0.up.{leaf}", (Piece(f"h.2.fc.{leaf}"),)) for leaf in ("weight", "bias")]
    plan, _ = fit(lines, "f", ours, "w", theirs)
    proposal = propose(ours, theirs, plan)
    whole, mistakes = fit([*lines, *proposal.lines], "f", ours, "w", theirs)
    assert mistakes == []
    assert whole.made.keys() == ours.keys()
    assert whole.used == theirs.keys()


@pytest.mark.parametrize("turned", [False, True])
def test_the_biases_tell_which_way_matrices_stand(turned: bool) -> None:
    ours = table(layer("up", 8, 4), layer("out", 4, 4), layer("down", 4, 8))
    theirs = table(layer("c_fc", 8, 4, turned), layer("attn.c_proj", 4, 4), layer("mlp.c_proj", 4, 8, turned))
    mark = "^T" if turned else ""
    assert {left: right for left, right in found(ours, theirs).items() if left.endswith("weight")} == {
        "up.weight": f"c_fc.weight{mark}",
        "out.weight": f"attn.c_proj.weight{mark}",
        "down.weight": f"mlp.c_proj.weight{mark}",
    }


def test_a_square_matrix_is_open_where_the_others_disagree() -> None:
    ours = table(layer("a", 8, 4), layer("b", 4, 4), layer("c", 6, 4))
    theirs = table(layer("x", 8, 4), layer("y", 4, 4), layer("z", 6, 4, turned=True))
    proposal = propose(ours, theirs)
    assert [(each.ours, each.theirs, each.turned) for each in proposal.open] == [(("b.weight",), ("y.weight",), True)]
    assert [str(line) for line in proposal.lines if line.ours == "b.bias"] == ["b.bias <- y.bias"]
    named = table(layer("x", 8, 4), layer("s.z", 4, 4), layer("t.z", 6, 4, turned=True))
    assert found(ours, named)["b.weight"] == "s.z.weight^T"


def test_an_equal_name_does_not_hide_that_a_matrix_is_turned() -> None:
    ours = table(layer("h.c_fc", 8, 4), layer("h.c_proj", 4, 4))
    theirs = table(layer("h.c_fc", 8, 4, turned=True), layer("h.c_proj", 4, 4, turned=True))
    sources = found(ours, theirs)
    assert (sources["h.c_fc.weight"], sources["h.c_proj.weight"]) == ("h.c_fc.weight^T", "h.c_proj.weight^T")


def test_rounds_that_stand_differently_are_no_family() -> None:
    ours = table(*(layer(f"block.{i}", 8, 4) for i in range(2)))
    theirs = table(*(layer(f"h.{i}", 8, 4, turned=bool(i)) for i in range(2)))
    sources = found(ours, theirs)
    assert (sources["block.0.weight"], sources["block.1.weight"]) == ("h.0.weight", "h.1.weight^T")


def test_one_layer_that_holds_three() -> None:
    separate = table(*(layer(f"layer.{i}.self.{name}", 4, 4) for i in range(2) for name in ("key", "query", "value")))
    whole = table(*(layer(f"block.{i}.attention.qkv", 12, 4) for i in range(2)))
    assert found(whole, separate) == {
        f"block.*.attention.qkv.{leaf}": " & ".join(f"layer.*.self.{name}.{leaf}" for name in ("query", "key", "value"))
        for leaf in ("weight", "bias")
    }
    assert found(separate, whole)["layer.*.self.key.bias"] == "block.*.attention.qkv.bias[4:8]"


def test_a_layer_whose_name_does_not_spell_the_order_is_open() -> None:
    separate = table(*(layer(f"self.{name}", 4, 4) for name in ("key", "query", "value")))
    proposal = propose(table(layer("attention.qkv", 12, 4)), table(layer("c_attn", 12, 4)))
    assert proposal.missing == ()
    proposal = propose(separate, table(layer("c_attn", 12, 4)))
    assert proposal.lines == () and len(proposal.missing) == 6 and len(proposal.extra) == 2


def test_sorts_of_numbers_are_not_mixed() -> None:
    proposal = propose({"scale": Form((1, 9))}, {"position_ids": Form((1, 9), "int")})
    assert (proposal.missing, proposal.extra) == (("scale",), ("position_ids",))


def test_axes_of_one_do_not_matter() -> None:
    assert found({"token": Form((9,))}, {"cls_token": Form((1, 1, 9))}) == {"token": "cls_token"}


NAMES = st.lists(st.sampled_from(["a", "b", "0", "1", "2", "up", "qkv", "key"]), min_size=1, max_size=3).map(".".join)
SHAPES = st.lists(st.sampled_from([1, 2, 3]), max_size=2).map(tuple)
TENSORS = st.tuples(NAMES, st.builds(Form, SHAPES, st.sampled_from(["float", "int"]))).map(lambda pair: dict([pair]))
LAYERS = st.builds(layer, NAMES, st.sampled_from([2, 3, 6]), st.sampled_from([2, 3, 6]), st.booleans())
FORMS = st.lists(TENSORS | LAYERS, max_size=8).map(lambda parts: table(*parts))


@given(FORMS, FORMS)
def test_every_tensor_is_somewhere_and_what_is_proposed_fits(ours: dict[str, Form], theirs: dict[str, Form]) -> None:
    proposal = propose(ours, theirs)
    plan, mistakes = fit(proposal.lines, "f", ours, "w", theirs)
    assert mistakes == []
    mine = [*plan.made, *(key for each in proposal.open for key in each.ours), *proposal.missing]
    assert sorted(mine) == sorted(ours)
    used = [piece.pattern for pieces in plan.made.values() for piece in pieces if piece.cut is None]
    assert len(set(used)) == len(used)
    others = {*plan.used, *(key for each in proposal.open for key in each.theirs), *proposal.extra}
    assert others == set(theirs)


@given(FORMS, st.randoms(use_true_random=False))
def test_the_order_of_a_file_does_not_matter(forms: dict[str, Form], draw: random.Random) -> None:
    ours = {f"x.{key}": form for key, form in forms.items()}
    keys = list(forms)
    draw.shuffle(keys)
    first, second = propose(ours, forms), propose(ours, {key: forms[key] for key in keys})
    assert {str(line) for line in first.lines} == {str(line) for line in second.lines}


def test_likeness() -> None:
    assert words("encoder.layer.0.attn.c_proj") == ("encoder", "layer", "attn", "c", "proj")
    assert abbreviates("attn", "attention") and abbreviates("ln", "layernorm")
    assert not abbreviates("norm", "layernorm") and not abbreviates("q", "q")
    assert likeness(("attention", "query"), ("self", "attn", "query")) == 3


def test_many_layers_of_one_shape_take_no_long() -> None:
    ours = table(*(layer(f"a.{i}.x{i}", 4, 4) for i in range(3000)))
    theirs = table(*(layer(f"b.{i}.y{i}", 4, 4) for i in range(3000)))
    assert len(families(ours)) == 3000
    assert len(propose(ours, theirs).lines) == 6000
