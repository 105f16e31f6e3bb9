"""The bound on the evidence and the divergence from the prior, of each posterior, beside integrals on a grid.

Five bits are told by a latent of few dimensions through a linear map, so every integral is one over a plane or a
sphere. The bound is measured by samples, as in training, and stands with its standard error; `off` says how many of
these it is from the integral. The divergence is what `kl` computes; behind a flow it is measured, too.

    python benchmarks/posteriors.py [--json] [--check] [--samples N]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

import catdl

OFF, EXACT = 5.0, 1e-9  # at most so many standard errors; a divergence in closed form at most so far from the integral
SPEC = """
dim Z = 2, X = 3, D = 5

morphism look[A] : Real[A] -> Bernoulli[D] = linear
morphism normal : Normal[Z] @ Real[D] ~> Real @ Nats = (mean, std, x) => {
    q = (mean, std)
    z ~ q
    (log_prob(look(z), x), kl(q, standard_normal[Z]))
}
morphism sphere : VonMisesFisher[X] @ Real[D] ~> Real @ Nats = (direction, concentration, x) => {
    q = (direction, concentration)
    z ~ q
    (log_prob(look(z), x), kl(q, uniform_sphere[X]))
}
morphism flow : Normal[Z] @ Real[D] ~> Real @ Nats = (mean, std, x) => {
    q = (mean, std)
    start ~ q
    z, logdets = start >> collect(layers: repeat(4, planar))
    (log_prob(look(z), x), -log_prob(standard_normal[Z], z) - entropy(q) - total(logdets))
}
morphism bend : Real[Z] -> Real[Z] = layers: repeat(4, planar)
"""
MEAN, STD = (0.7, -0.4), (0.6, 0.9)
DIRECTION, CONCENTRATION = (2 / 3, -1 / 3, 2 / 3), 6.0
SEEN = (1.0, 0.0, 0.0, 1.0, 1.0)


def double(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def plane(side: int = 601, reach: float = 9.0) -> tuple[Tensor, Tensor]:
    """Points of a plane, and the area that each stands for."""
    line = torch.linspace(-reach, reach, side, dtype=torch.float64)
    points = torch.cartesian_prod(line, line)
    return points, torch.full((len(points),), (2 * reach / (side - 1)) ** 2, dtype=torch.float64)


def ball(bands: int = 60) -> tuple[Tensor, Tensor]:
    """Points of the unit sphere in space, and the area that each stands for: Gauss's heights, and equal angles."""
    heights, share = (torch.from_numpy(each) for each in np.polynomial.legendre.leggauss(bands))
    angles = torch.arange(2 * bands, dtype=torch.float64) / (2 * bands) * 2 * math.pi
    height, angle = torch.meshgrid(heights, angles, indexing="ij")
    ring = (1 - height * height).sqrt()
    points = torch.stack([ring * angle.cos(), ring * angle.sin(), height], -1).reshape(-1, 3)
    return points, (share[:, None] * math.pi / bands).expand(bands, 2 * bands).reshape(-1)


def log_normal(points: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return (-0.5 * ((points - mean) / std) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def bits(model: nn.Module, points: Tensor) -> Tensor:
    """log p(x | z) at points."""
    state = model.state_dict()
    odds = points @ state["look.linear.weight"].T + state["look.linear.bias"]
    return nn.functional.logsigmoid(torch.where(double(*SEEN) > 0, odds, -odds)).sum(-1)


def integrals(model: nn.Module, points: Tensor, area: Tensor, q: Tensor, p: Tensor) -> tuple[float, float, float]:
    """Bound, divergence and evidence of densities q and p over points."""
    mass, told = area * q.exp(), bits(model, points)
    apart = (mass * (q - p)).sum()
    evidence = torch.logsumexp(told + p + area.log(), 0)
    return ((mass * told).sum() - apart).item(), apart.item(), evidence.item()


def of_normal(model: nn.Module) -> tuple[float, float, float]:
    points, area = plane()
    prior = log_normal(points, double(0, 0), double(1, 1))
    return integrals(model, points, area, log_normal(points, double(*MEAN), double(*STD)), prior)


def of_sphere(model: nn.Module) -> tuple[float, float, float]:
    points, area = ball()
    pull = CONCENTRATION * (points @ double(*DIRECTION))
    level = torch.logsumexp(pull + area.log(), 0)  # so that the density sums up to one
    return integrals(model, points, area, pull - level, torch.full_like(pull, -math.log(4 * math.pi)))


def of_flow(model: nn.Module) -> tuple[float, float, float]:
    """Over the plane in which the flow starts; the Jacobian is that of autograd, not the emitted one."""
    bend = catdl.loads(SPEC)["bend"].compile().double()
    bend.load_state_dict({k.split(".", 1)[1]: v for k, v in model.state_dict().items() if "layers" in k})
    start, area = plane()
    start.requires_grad_()
    end = bend(start)
    rows = [torch.autograd.grad(end[:, k].sum(), start, retain_graph=k == 0)[0] for k in range(2)]
    grow = torch.linalg.det(torch.stack(rows, 1)).abs().log()
    start, end = start.detach(), end.detach()
    q = log_normal(start, double(*MEAN), double(*STD)) - grow
    p = log_normal(end, double(0, 0), double(1, 1))
    mass = area * (q + grow).exp()  # of the start; the flow carries it to the end
    bound = (mass * (bits(model, end) - q + p)).sum().item()
    evidence = of_normal(model)[2]
    return bound, (mass * (q - p)).sum().item(), evidence


Integrate = Callable[[nn.Module], tuple[float, float, float]]
POSTERIORS: dict[str, tuple[Integrate, tuple[Tensor, ...], bool]] = {
    "normal": (of_normal, (double(*MEAN), double(*STD)), True),
    "sphere": (of_sphere, (double(*DIRECTION), double(CONCENTRATION)[0]), True),
    "flow": (of_flow, (double(*MEAN), double(*STD)), False),
}


def measured(name: str, samples: int) -> dict[str, float]:
    """One posterior by samples, and by integrals."""
    integrate, parameters, _ = POSTERIORS[name]
    torch.manual_seed(0)
    model = catdl.loads(SPEC)[name].compile().double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 1)
        given = [p.expand(samples, *p.shape) for p in (*parameters, double(*SEEN))]
        told, apart = model(*given)
    bound, divergence, evidence = integrate(model)
    drawn = told - apart
    error = (drawn.std() / math.sqrt(samples)).item()
    apart_error = (apart.std() / math.sqrt(samples)).item()
    return {
        "evidence": evidence,
        "bound": drawn.mean().item(),
        "error": error,
        "bound by integral": bound,
        "off": (drawn.mean().item() - bound) / error,
        "divergence": apart.mean().item(),
        "divergence error": apart_error,
        "divergence by integral": divergence,
    }


def faults(name: str, found: dict[str, float]) -> list[str]:
    """What was promised and is not so."""
    out: list[str] = []
    apart = abs(found["divergence"] - found["divergence by integral"])
    if abs(found["off"]) > OFF:
        out.append(f"{name}: the bound is {found['off']:.1f} standard errors from the integral")
    if apart > (EXACT if POSTERIORS[name][2] else OFF * found["divergence error"]):
        out.append(f"{name}: the divergence is {apart:.2g} from the integral")
    if found["bound by integral"] > found["evidence"]:
        out.append(f"{name}: a bound above the evidence")
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true", help="exit 1 when a figure misses its promise")
    parser.add_argument("--samples", type=int, default=200_000)
    args = parser.parse_args()
    found = {name: measured(name, args.samples) for name in POSTERIORS}
    if args.json:
        print(json.dumps(found, indent=2))
    else:
        print(f"{'':8}{'evidence':>10}{'bound':>20}{'integral':>10}{'off':>6}{'divergence':>12}{'integral':>12}")
        for name, row in found.items():
            bound = f"{row['bound']:.4f} ± {row['error']:.4f}"
            print(
                f"{name:8}{row['evidence']:10.4f}{bound:>20}{row['bound by integral']:10.4f}{row['off']:6.1f}"
                f"{row['divergence']:12.6f}{row['divergence by integral']:12.6f}"
            )
    wrong = [fault for name, row in found.items() for fault in faults(name, row)]
    for fault in wrong if args.check else ():
        print(fault, file=sys.stderr)
    return 1 if wrong and args.check else 0


if __name__ == "__main__":
    sys.exit(main())
