import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catdl.torch.equivariants import Equivariants
from catdl.torch.reparameterised import Reparameterised


class Equilinear(nn.Module):
    """equilinear : Real[N: 5, A: 4] -> Real[N: 5, B: 6]."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(1, 6))
        self.weight = nn.Parameter(torch.empty(2, 6, 4))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.zeros_(self.bias)
        nn.init.normal_(self.weight, 0.0, 0.45643546458763845)

    def forward(self, x: Tensor) -> Tensor:
        w = self.weight[0]  # [6, 4]
        y = F.linear(x, w)  # [..., N=5, 6]
        w = self.weight[1]  # [6, 4]
        mean = x.mean(-2)  # [..., A=4]
        y_2 = F.linear(mean, w)  # [..., 6]
        x = self.bias[0]  # [6]
        y = y + y_2[..., None, :]  # [..., N=5, 6]
        y = y + x  # [..., N=5, B=6]
        return y


class Points(nn.Module):
    """points : Real[N: 5, A: 4] -> Real[N: 5, B: 6]."""

    def __init__(self) -> None:
        super().__init__()
        self.equilinear = Equilinear()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.equilinear(x)  # [..., N=5, B=6]
        return y


class Equilinear2(Reparameterised):
    """equilinear : Real[N: 5, X: 3, B: 6] -> Real[N: 5, X: 3, B: 6]."""

    _sources = ("weight",)
    _leaves = ("",)

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(2, 6, 6))
        self.equivariants = Equivariants("O", 3, 1, 1)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.normal_(self.weight, 0.0, 0.37267799624996495)

    def _make(self) -> tuple[Tensor, ...]:
        """Make weights of parameters alone."""
        x: Tensor = self.weight.unflatten(-3, (2, 1))  # [2, 1, 6, 6]
        basis: Tensor = self.equivariants()  # [1, 3, 3]
        x = torch.einsum("ijkl,jmn->imknl", x, basis)  # [2, 3, 6, 3, 6]
        x = x.flatten(-4, -3)  # [2, 18, 3, 6]
        w = x.flatten(-2)  # [2, 18, 18]
        return (w,)

    def forward(self, x: Tensor) -> Tensor:
        (w,) = self._made()  # [2, 18, 18]
        x = x.flatten(-2)  # [..., N=5, 18]
        w_2 = w[0]  # [18, 18]
        y = F.linear(x, w_2)  # [..., N=5, 18]
        w = w[1]  # [18, 18]
        mean = x.mean(-2)  # [..., 18]
        y_2 = F.linear(mean, w)  # [..., 18]
        y = y + y_2[..., None, :]  # [..., N=5, 18]
        x = y.unflatten(-1, (3, 6))  # [..., N=5, X=3, B=6]
        return x


class Vectors(nn.Module):
    """vectors : Real[N: 5, X: 3, B: 6] -> Real[N: 5, X: 3, B: 6]."""

    def __init__(self) -> None:
        super().__init__()
        self.equilinear = Equilinear2()

    def forward(self, x: Tensor) -> Tensor:
        x = self.equilinear(x)  # [..., N=5, X=3, B=6]
        return x


class Equilinear3(Reparameterised):
    """equilinear : Real[Z: 8, A: 4] -> Real[Z: 8, A: 4]."""

    _sources = ("weight",)
    _leaves = ("",)

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(8, 4, 4))
        self.bias = nn.Parameter(torch.empty(1, 4))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.normal_(self.weight, 0.0, 0.1767766952966369)
        nn.init.zeros_(self.bias)

    def _make(self) -> tuple[Tensor, ...]:
        """Make weights of parameters alone."""
        x = torch.arange(8, device=self.weight.device)  # [8]
        x = x - x[..., None]  # [8, 8]
        x = x % 8  # [8, 8]
        x = self.weight[x]  # [8, 8, 4, 4]
        x = x.permute(0, 2, 1, 3)  # [8, 4, 8, 4]
        x = x.flatten(-4, -3)  # [32, 8, 4]
        w = x.flatten(-2)  # [32, 32]
        return (w,)

    def forward(self, x: Tensor) -> Tensor:
        (w,) = self._made()  # [32, 32]
        y: Tensor = self.bias.squeeze(-2)  # [4]
        y = y.unsqueeze(-2).expand(8, -1)  # [8, 4]
        b = y.flatten(-2)  # [32]
        x = x.flatten(-2)  # [..., 32]
        y = F.linear(x, w, b)  # [..., 32]
        x = y.unflatten(-1, (8, 4))  # [..., Z=8, A=4]
        return x


class Ring(nn.Module):
    """ring : Real[Z: 8, A: 4] -> Real[Z: 8, A: 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.equilinear = Equilinear3()

    def forward(self, x: Tensor) -> Tensor:
        x = self.equilinear(x)  # [..., Z=8, A=4]
        return x


class Equilinear4(nn.Module):
    """equilinear : Real[Long: 256, A: 4] -> Real[Long: 256, A: 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(1, 4))
        self.weight = nn.Parameter(torch.empty(256, 4, 4))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.zeros_(self.bias)
        nn.init.normal_(self.weight, 0.0, 0.03125)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.bias.squeeze(-2)  # [4]
        y = y.unsqueeze(-2).expand(256, -1)  # [256, 4]
        b = y.flatten(-2)  # [1024]
        precise = torch.promote_types(x.dtype, torch.float32)
        waves = torch.fft.rfft(x.to(precise), dim=-2)
        filters = torch.fft.rfft(self.weight.to(precise), dim=-3).conj()
        mixed = torch.einsum("...fi,...foi->...fo", waves, filters)
        y = torch.fft.irfft(mixed, n=256, dim=-2).to(x.dtype)  # [..., Long=256, 4]
        x = y.flatten(-2)  # [..., 1024]
        y = x + b  # [..., 1024]
        x = y.unflatten(-1, (256, 4))  # [..., Long=256, A=4]
        return x


class Signal(nn.Module):
    """signal : Real[Long: 256, A: 4] -> Real[Long: 256, A: 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.equilinear = Equilinear4()

    def forward(self, x: Tensor) -> Tensor:
        x = self.equilinear(x)  # [..., Long=256, A=4]
        return x


class Main(Reparameterised):
    """main : Real[N: 5, A: 4] @ Real[N: 5, X: 3, B: 6] @ Real[Z: 8, A: 4] @ Real[Long: 256, A: 4]
    -> Real[N: 5, B: 6] @ Real[N: 5, X: 3, B: 6] @ Real[Z: 8, A: 4] @ Real[Long: 256, A: 4].
    """

    def __init__(self) -> None:
        super().__init__()
        self.points = Points()
        self.vectors = Vectors()
        self.ring = Ring()
        self.signal = Signal()

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        z: Tensor,
        u: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if x.shape[-2:] != (5, 4) or not x.is_floating_point():
            raise ValueError(
                f"main: input x must be Real[..., N=5, A=4], got {tuple(x.shape)} in {x.dtype}"
            )
        if y.shape[-3:] != (5, 3, 6) or not y.is_floating_point():
            raise ValueError(
                f"main: input y must be Real[..., N=5, X=3, B=6], got {tuple(y.shape)} in {y.dtype}"
            )
        if z.shape[-2:] != (8, 4) or not z.is_floating_point():
            raise ValueError(
                f"main: input z must be Real[..., Z=8, A=4], got {tuple(z.shape)} in {z.dtype}"
            )
        if u.shape[-2:] != (256, 4) or not u.is_floating_point():
            raise ValueError(
                f"main: input u must be Real[..., Long=256, A=4], got {tuple(u.shape)} in {u.dtype}"
            )
        if y.shape[:-3] != x.shape[:-2]:
            raise ValueError(
                "main: inputs x and y must have the same leading batch axes, "
                f"got {tuple(x.shape)} and {tuple(y.shape)}"
            )
        if z.shape[:-2] != x.shape[:-2]:
            raise ValueError(
                "main: inputs x and z must have the same leading batch axes, "
                f"got {tuple(x.shape)} and {tuple(z.shape)}"
            )
        if u.shape[:-2] != x.shape[:-2]:
            raise ValueError(
                "main: inputs x and u must have the same leading batch axes, "
                f"got {tuple(x.shape)} and {tuple(u.shape)}"
            )
        x = self.points(x)  # [..., N=5, B=6]
        y = self.vectors(y)  # [..., N=5, X=3, B=6]
        z = self.ring(z)  # [..., Z=8, A=4]
        u = self.signal(u)  # [..., Long=256, A=4]
        return x, y, z, u
