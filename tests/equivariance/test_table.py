"""The table: what a hom is accepted for goes with the group in numbers, what it is refused for does not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

import catdl
from catdl.check.scope import DimDef
from catdl.diagnostics.symmetry_errors import SymmetryLost
from catdl.diagnostics.text import render
from catdl.equivariance.kept import symmetries
from catdl.record import replace
from catdl.symmetry.actions import Act, Declared, Group, Matrices, Symmetric, Translations, said
from catdl.types.dtypes import storage
from catdl.types.sizes import Size, evaluate, free_syms
from catdl.types.types import Axis, Leaf, axis_sizes
from catdl.types.types import Word as Merged
from tests.equivariance.cases import DIMS, FOLDS, KEPT, LOST
from tests.symmetry.elements import Element, Word, apply, drawn, word

FREE = 6
BATCH = 2
Case = tuple[str, str, str]


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    """In double precision, also what is made of indices."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def spec(case: Case, word: str) -> catdl.Spec:
    """A case as a hom, or as a morphism of which nothing is demanded."""
    _, signature, body = case
    return catdl.loads(f"{DIMS}{FOLDS if 'fold' in body or 'scan' in body else ''}\n{word} f : {signature} = {body}\n")


def role(found: catdl.Spec, name: str) -> Act:
    """What acts on a dim."""
    dim = found.program.main.defs[name]
    assert isinstance(dim, DimDef) and dim.act is not None
    return dim.act


def asked(found: catdl.Spec, name: str) -> Group | Translations:
    """The group of a dim, or of one of points the translations, for `+ P`."""
    group = role(found, name.removeprefix("+ ")).group
    if name.startswith("+"):
        assert isinstance(group, Matrices)
        return Translations(group.size)
    return sized(group)


def is_lost(case: Case, group: Group | Translations) -> bool:
    """Whether a group is lost, as a hom is refused for it; any other mistake is one of the case."""
    found = spec(case, "hom")
    others = [d for d in found.diagnostics if d.severity == "error" and not isinstance(d, SymmetryLost)]
    assert not others, render(others)
    told = {d.span for d in found.diagnostics if isinstance(d, SymmetryLost)}
    plain = spec(case, "morphism")
    made = symmetries(plain["f"].diagram(), plain.program.role)
    assert bool(told) == any(symmetry.loss is not None for symmetry in made)
    return any(symmetry.loss is not None and said(symmetry.group) == said(group) for symmetry in made)


@pytest.mark.parametrize("case", KEPT, ids=lambda c: f"{c[0]}: {c[2]}")
def test_kept(case: Case) -> None:
    group = asked(spec(case, "morphism"), case[0])
    assert not is_lost(case, group)
    assert error(case) < 1e-9


@pytest.mark.parametrize("case", LOST, ids=lambda c: f"{c[0]}: {c[2]}")
def test_lost(case: Case) -> None:
    group = asked(spec(case, "morphism"), case[0])
    assert is_lost(case, group)
    assert error(case) > 1e-6, "it goes with the group after all"


def error(case: Case) -> float:
    """How far the compiled module is from going with random elements of the group, beside what comes out."""
    found = spec(case, "morphism")
    diagram = found["f"].diagram()
    torch.manual_seed(0)
    module = found["f"].compile().double().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.normal_()
    rng = np.random.default_rng(0)
    group = asked(found, case[0])
    worst = 0.0
    for _ in range(4):
        inputs = [draw(diagram.wires[wire].type) for wire in diagram.inputs]
        match group:
            case Declared():
                element: Element | Word | Tensor = word(rng, group)
            case Translations(size):
                element = torch.from_numpy(rng.normal(size=size))
            case _:
                element = drawn(rng, group)
        moved = [
            act(x, diagram.wires[w].type, found, group, element) for x, w in zip(inputs, diagram.inputs, strict=True)
        ]
        plain, turned = results(module, inputs), results(module, moved)
        for y, z, wire in zip(plain, turned, diagram.outputs, strict=True):
            wanted = act(y, diagram.wires[wire].type, found, group, element)
            apart = (wanted.double() - z.double()).abs().max() / (1 + wanted.double().abs().max())
            worst = max(worst, float(apart))
    return worst


def sized(group: Group) -> Group:
    """A group of so many elements or dimensions, where its size is free."""
    return group if isinstance(group.size, int) else replace(group, size=FREE)


def at(size: Size) -> int:
    """A size with all free dims alike."""
    return evaluate(size, dict.fromkeys(free_syms(size), FREE))


def draw(leaf: Leaf) -> Tensor:
    """A random input; indices lie in their range."""
    shape = (BATCH, *map(at, axis_sizes(leaf)))
    if storage(leaf.kind) == "int":
        assert leaf.kind.size is not None
        return torch.randint(0, at(leaf.kind.size), shape)
    return torch.randn(shape, dtype=torch.float64)


def results(module: torch.nn.Module, inputs: list[Tensor]) -> tuple[Tensor, ...]:
    """The results as a tuple."""
    with torch.no_grad():
        found = module(*inputs)
    return found if isinstance(found, tuple) else (found,)


def act(
    x: Tensor, leaf: Leaf, found: catdl.Spec, group: Group | Translations, element: Element | Word | Tensor
) -> Tensor:
    """What an element does to a tensor of a type: its matrix along every axis that it moves, and names permuted."""
    if isinstance(element, Tensor):
        for k, axis in enumerate(leaf.axes):
            assert isinstance(axis, Axis)
            dim = found.program.dim(axis.label.rstrip("'")) if isinstance(axis.label, str) else None
            if dim is not None and dim.act is not None and dim.act.point:
                x = x + element.reshape(-1, *(1,) * (len(leaf.axes) - k - 1))
        return x
    if isinstance(element, list):
        assert isinstance(group, Declared)
        return generated(x, leaf, found, group, element)

    def matrix(axis: Axis) -> Tensor | None:
        if isinstance(axis.label, Merged):
            parts = [(matrix(part), at(part.size)) for part in axis.label.axes]
            if all(part is None for part, _ in parts):
                return None
            whole = torch.eye(1, dtype=torch.float64)
            for part, size in parts:
                whole = torch.kron(whole, torch.eye(size, dtype=torch.float64) if part is None else part)
            return whole
        dim = found.program.dim(axis.label.rstrip("'")) if isinstance(axis.label, str) else None
        if dim is None or dim.act is None or sized(dim.act.group) != group or dim.axis.size != axis.size:
            return None
        return torch.from_numpy(np.array(element(dim.act)))

    kind = x.dtype
    for k, axis in enumerate(leaf.axes):
        assert isinstance(axis, Axis)
        turn = matrix(axis)
        if turn is not None:
            place = k - len(leaf.axes)
            x = torch.tensordot(x.double(), turn, ([place], [1])).movedim(-1, place)
    x = x.round().to(kind) if not kind.is_floating_point else x
    size = leaf.kind.size
    if leaf.kind.name == "Fin" and size is not None and isinstance(group, Symmetric) and not isinstance(size, int):
        dim = found.program.dim(next(iter(free_syms(size))))
        if dim is not None and dim.act is not None and sized(dim.act.group) == group:
            x = torch.from_numpy(np.array(element(dim.act))).argmax(0)[x]
    return x


def generated(x: Tensor, leaf: Leaf, found: catdl.Spec, group: Declared, element: Word) -> Tensor:
    """What a product of generators does to a tensor, whose merged axes are split for it."""
    axes: list[Axis] = []
    for axis in leaf.axes:
        assert isinstance(axis, Axis)
        axes += axis.label.axes if isinstance(axis.label, Merged) else [axis]
    acts = []
    for axis in axes:
        name = axis.label if isinstance(axis.label, str) else ""
        dim = found.program.dim(name.rstrip("'"))
        known = dim.act if dim is not None and dim.act is not None and dim.act.group == group else None
        assert known is None or known.place is not None
        acts.append(known and replace(known, place=replace(known.place, twin=name.count("'"))))
    wide = x.reshape(*x.shape[:1], *(at(axis.size) for axis in axes))
    moved = apply(element, group, wide.numpy(), acts)
    return torch.from_numpy(np.ascontiguousarray(moved)).reshape(x.shape)


@pytest.mark.parametrize(("body", "kept"), [
    ("x => x + normal_like(x)", True),
    ("x => { z = normal_like(zeros[N])\n over[N, D](x * z) }", True),
    ("x => { z = normal_like(zeros[N])\n over[N, D](x * z + contract[N](z, weights)) }", False),
])  # fmt: skip
def test_noise_is_moved_in_one_way(body: str, kept: bool) -> None:
    """A draw may be moved with the set, in law, or not at all, but not both."""
    text = "dim N = 5 : set, D = 4\nparam weights : Real[N]\n"
    text = text if "weights" in body else text.partition("param")[0]
    found = catdl.loads(f"{text}hom f : Real[N, D] ~> Real[N, D] = {body}")
    assert any(isinstance(d, SymmetryLost) for d in found.diagnostics) != kept


@pytest.mark.parametrize(("word", "kept"), [("Fin(M)", True), ("Fin(6)", False)])
def test_indices_of_a_set_of_fixed_size_are_renamed_with_it(word: str, kept: bool) -> None:
    """Where they are written as such; another index of as many elements counts something else."""
    text = f"dim M = 6 : set, E : set, D = 4\nhom f : Real[M, D] @ {word}[E] @ Fin(M)[E] -> Real[M, D] = "
    found = catdl.loads(f"{text}(x, s, t) => x + scatter_sum[M](gather[M](x, s), t)")
    assert any(isinstance(d, SymmetryLost) for d in found.diagnostics) != kept
    if not kept:
        return
    module = found["f"].compile()
    x, edges, order = torch.randn(6, 4), torch.randint(0, 6, (2, 9)), torch.randperm(6)
    where = order.argsort()[edges]  # where each end is now
    torch.testing.assert_close(module(x[order], *where), module(x, *edges)[order])
