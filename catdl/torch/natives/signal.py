"""Complex numbers and Fourier transforms (signal.cat)."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering


def _pointwise(function: str) -> Lowering:
    return Lowering(lambda c: f"{function}({c.xs()})", takes_dim=True)


def _along(function: str) -> Lowering:
    """A transform along the axis that the signature names."""

    def call(c: Context) -> str:
        dim = c.dim()
        return f"torch.fft.{function}({c.x()})" if dim == -1 else f"torch.fft.{function}({c.x()}, dim={dim})"

    return Lowering(call, takes_dim=True)


def _window(c: Context) -> str:
    return f"torch.hann_window({c.out_axis(-1)}, dtype={c.scope.dtype()}{c.scope.device()})"


TABLE: dict[str, Lowering] = {
    "complex": _pointwise("torch.complex"),
    "real_part": _pointwise("torch.real"),
    "imag_part": _pointwise("torch.imag"),
    "conj": Lowering(lambda c: f"{c.x()}.conj()", takes_dim=True),
    "magnitude": Lowering(lambda c: f"{c.x()}.abs()", takes_dim=True),
    "angle": _pointwise("torch.angle"),
    "polar": _pointwise("torch.polar"),
    "fft": _along("fft"),
    "ifft": _along("ifft"),
    "rfft": _along("rfft"),
    "irfft": Lowering(lambda c: f"torch.fft.irfft({c.x()}, n={c.size('N')})"),
    "hann_window": Lowering(_window),
}
