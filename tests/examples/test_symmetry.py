"""What the examples of symmetries claim, on the files as they stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import catdl
from catdl.symmetry.actions import ROTATIONS, Act, Group, Matrices
from tests.examples.test_claims import digits
from tests.symmetry.elements import drawn

FOLDER = Path(__file__).parent.parent.parent / "examples"


def compiled(file: str, name: str) -> nn.Module:
    """A network of an example, in float64, with random biases too."""
    torch.manual_seed(0)
    module = catdl.load(FOLDER / f"{file}.cat")[name].compile().double()
    with torch.no_grad():
        for weight in module.parameters():
            if weight.abs().max() == 0:
                weight.normal_()
    return module


def real(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64)


def element(group: Group) -> Tensor:
    """A random element, as a matrix."""
    return torch.from_numpy(np.array(drawn(np.random.default_rng(0), group)(Act(group))))


def close(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", [1, 2, 7, 30])
def test_deep_sets_go_with_their_points(size: int) -> None:
    x, order = real(3, size, 3), torch.randperm(size)
    points, cloud = compiled("deepsets_layers", "points"), compiled("deepsets_layers", "cloud")
    close(points(x[:, order]), points(x)[:, order])
    close(cloud(x[:, order]), cloud(x))
    if size > 1:  # and each point sees the others
        assert not torch.allclose(points(x)[:, 0], points(torch.cat((x[:, :1], real(3, size - 1, 3)), 1))[:, 0])


@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_graph_network_is_blind_to_names(size: int) -> None:
    x, order = real(2, size, size, 4), torch.randperm(size)
    renamed = x[:, order][:, :, order]
    nodes, whole = compiled("graph_network", "nodes"), compiled("graph_network", "whole")
    close(nodes(renamed), nodes(x)[:, order])
    close(whole(renamed), whole(x))


def test_circular_convolutions_are_what_commutes_with_shifts() -> None:
    """Both ways: with the same weights the two morphisms are one map, and no other map commutes with shifts."""
    commuting, convolved = compiled("circulant", "commuting"), compiled("circulant", "convolved")
    weight = commuting.get_parameter("equilinear.weight")  # [12 distances, 5, 3]
    with torch.no_grad():
        convolved.get_parameter("conv1d.weight").copy_(weight.permute(1, 2, 0))
    x = real(4, 12, 3)
    close(convolved(x), commuting(x))
    close(convolved(x.roll(5, 1)), convolved(x).roll(5, 1))
    # Any map whatever, averaged over the shifts, is one that commutes with them: some weights make it.
    turns = torch.stack([torch.eye(12, dtype=torch.float64).roll(k, 0) for k in range(12)])
    average = torch.einsum("tab,bodi,tcd->aoci", turns, real(12, 5, 12, 3), turns) / 12
    with torch.no_grad():
        weight.copy_(torch.stack([average[0, :, k] for k in range(12)]))
    close(commuting(x), torch.einsum("aoci,nci->nao", average, x))


def test_what_is_read_does_not_move_with_the_page() -> None:
    """In float64 for all eight positions of the page; and trained on upright digits it reads turned ones."""
    model, x = compiled("turned_digits", "read"), real(5, 8, 8)
    for page in (x.rot90(turns, (1, 2)) for turns in range(4)):
        close(model(page), model(x))
        close(model(page.flip(2)), model(x))
    assert not torch.allclose(model(x.roll(1, 2)), model(x))
    torch.manual_seed(0)
    image, label = digits()
    turned = image[1400:].rot90(1, (1, 2))
    networks = {
        "read": catdl.load(FOLDER / "turned_digits.cat")["read"].compile(),
        "mlp": catdl.load(FOLDER / "digits.cat")["mlp"].compile(),
    }
    right: dict[str, float] = {}
    for name, network in networks.items():
        steps = torch.optim.AdamW(network.parameters(), lr=5e-3)
        for _ in range(6):
            for batch in torch.randperm(1400).split(64):
                steps.zero_grad()
                nn.functional.cross_entropy(network(image[batch]), label[batch]).backward()
                steps.step()
        with torch.no_grad():
            right[name] = float((network.eval()(turned).argmax(1) == label[1400:]).float().mean())
    assert right["read"] > 0.85 > 0.5 > right["mlp"]


def test_a_regression_of_vectors_does_not_move() -> None:
    model, turn, x = compiled("o5", "regress"), element(Matrices("O", 5)), real(6, 5, 2)
    close(model(turn @ x), model(x))
    assert model(x).std() > 0.01


def test_a_moment_of_inertia_turns_with_its_points() -> None:
    model, turn, order = compiled("inertia", "inertia"), element(Matrices("O", 3)), torch.randperm(5)
    mass, at = real(6, 5), real(6, 5, 3)
    close(model(mass[:, order], at[:, order] @ turn.T), turn @ model(mass, at) @ turn.T)


def test_all_observers_agree_on_scattering() -> None:
    model, boost, x = compiled("scattering", "scattering"), element(Matrices("Lorentz", 4)), real(6, 4, 4) / 4
    close(model(x @ boost.T), model(x))
    assert model(x).std() > 0


@pytest.mark.parametrize("size", [1, 2, 9])
def test_a_jet_is_a_set_that_all_observers_see_alike(size: int) -> None:
    model, boost = compiled("jets", "tag"), element(Matrices("Lorentz", 4))
    x, order = real(3, size, 4), torch.randperm(size)
    close(model(x[:, order] @ boost.T), model(x))
    assert model(x).std() > 0.01


@pytest.mark.parametrize(("name", "better"), [("O(5)", 5), ("inertia", 100), ("Lorentz", 5)])
def test_a_symmetry_saves_data(name: str, better: float) -> None:
    """With a hundred points to learn from, the error is lower by far than that of a perceptron of the same size."""
    from benchmarks.symmetry_tasks import TASKS, compared

    assert compared(TASKS[name], 100, 1, 300)["ratio"] > better


def test_an_energy_stays_and_its_forces_turn() -> None:
    model, turn, order = compiled("energy", "energy"), element(ROTATIONS), torch.randperm(7)
    at = real(2, 7, 3)
    moved = at[:, order] @ turn.T + real(3)

    def forces(points: Tensor) -> tuple[Tensor, Tensor]:
        points = points.clone().requires_grad_()
        energy = model(points)
        return energy, -torch.autograd.grad(energy.sum(), points)[0]

    (before, pulls), (after, turned) = forces(at), forces(moved)
    close(after, before)
    close(turned, pulls[:, order] @ turn.T)
    close(pulls.sum(1), torch.zeros(2, 3, dtype=torch.float64))  # nothing pulls the whole
    assert pulls.abs().max() > 1e-3
