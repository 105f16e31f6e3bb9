"""Opaque natives, which no core operations define: decompositions, sorts, transforms. For the interpreter only.

Each function takes the native and its tensors (batch axes lead, named axes stand at the end) and gives its outputs.

    opaque(native, [x], run)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

from catdl.diagram.interpret_core import Run, Value
from catdl.diagram.model import Native
from catdl.symmetry.bases import commuting_basis, family_basis
from catdl.symmetry.commuting import told
from catdl.types.types import Axis


def opaque(native: Native, ins: list[Value], run: Run) -> list[Value]:
    """The outputs of an opaque entry."""
    function = TABLE.get(native.entry)
    if function is None:
        raise NotImplementedError(f"the interpreter has no meaning for `{native.entry}`")
    batched = any(value.batched for value in ins)
    tensors = []
    for i, value in enumerate(ins):
        x = value.tensor
        if batched and not value.batched:
            x = x.expand((*run.batch, *x.shape))
        at = None if native.at_in is None else native.at_in[i]
        tensors.append(x if at is None else x.movedim(at, tuple(range(-len(at), 0))))
    made = function(native, *tensors)
    if native.entry in ("values", "equivariants", "commuting"):
        made = made.to(dtype=run.floating, device=run.device)
    outputs = []
    for i, y in enumerate(made if isinstance(made, tuple) else (made,)):
        at = None if native.at_out is None else native.at_out[i]
        outputs.append(Value(y if at is None else y.movedim(tuple(range(-len(at), 0)), at), batched))
    return outputs


def _sort(native: Native, x: Tensor) -> tuple[Tensor, Tensor]:
    values, places = torch.sort(x, dim=-1, descending=bool(native.arg("descending")), stable=True)
    return values, places


def _svd(native: Native, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    u, s, v = torch.linalg.svd(x, full_matrices=False)
    k = _kept(native)
    return u[..., :k], s[..., :k], v[..., :k, :]


def _qr(native: Native, x: Tensor) -> tuple[Tensor, Tensor]:
    q, r = torch.linalg.qr(x)
    k = _kept(native)
    return q[..., :k], r[..., :k, :]


def _kept(native: Native) -> int:
    size = native.arg("K")
    size = size.size if isinstance(size, Axis) else size
    assert isinstance(size, int)
    return size


def _triangular(native: Native, a: Tensor, b: Tensor) -> Tensor:
    solved: Tensor = torch.linalg.solve_triangular(a, b, upper=bool(native.arg("upper")))
    return solved


def _ctc(native: Native, logs: Tensor, labels: Tensor) -> Tensor:
    steps, classes = logs.shape[-2:]
    count = labels.shape[-1]
    flat = logs.reshape(-1, steps, classes).movedim(0, 1)
    blank = native.arg("blank")
    assert isinstance(blank, int)
    each = torch.nn.functional.ctc_loss(
        flat,
        labels.reshape(-1, count),
        torch.full((flat.shape[1],), steps),
        torch.full((flat.shape[1],), count),
        blank=blank,
        reduction="none",
    )
    return each.reshape(logs.shape[:-2])


def _same(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(_: Native, *xs: Tensor) -> Any:
        made = function(*xs)
        return tuple(made) if isinstance(made, tuple) else made

    return call


def _values(native: Native) -> Tensor:
    numbers = native.arg("numbers")
    assert isinstance(numbers, tuple)
    return torch.tensor([float(number) for number in numbers], dtype=torch.float64)  # type: ignore[arg-type]


def _equivariants(native: Native) -> Tensor:
    family, size, outs, ins = (native.arg(name) for name in ("family", "size", "outs", "ins"))
    assert isinstance(family, str) and isinstance(size, int) and isinstance(outs, tuple) and isinstance(ins, tuple)
    sides = (tuple(degree for degree in side if isinstance(degree, int)) for side in (outs, ins))
    return torch.from_numpy(family_basis(family, size, *sides))


def _commuting(native: Native) -> Tensor:
    outs, ins, generators = (cast(Any, native.arg(name)) for name in ("outs", "ins", "generators"))
    return torch.from_numpy(commuting_basis(told(outs, ins, [given[1:] for given in generators])))


TABLE: dict[str, Callable[..., Any]] = {
    "values": _values,
    "equivariants": _equivariants,
    "commuting": _commuting,
    "sort": _sort,
    "svd": _svd,
    "qr": _qr,
    "eigh": _same(torch.linalg.eigh),
    "cholesky": _same(torch.linalg.cholesky),
    "solve": _same(torch.linalg.solve),
    "inv": _same(torch.linalg.inv),
    "pinv": _same(torch.linalg.pinv),
    "det": _same(torch.linalg.det),
    "logdet": _same(torch.logdet),
    "slogdet": _same(torch.linalg.slogdet),
    "solve_triangular": _triangular,
    "complex": _same(torch.complex),
    "real_part": _same(torch.real),
    "imag_part": _same(torch.imag),
    "ctc_loss": _ctc,
    "matrix_exp": _same(torch.linalg.matrix_exp),
}
