"""Linear algebra (linalg.cat): a matrix stands on the two last axes."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering


def _call(function: str) -> Lowering:
    """A function of all inputs, with the matrices on their last axes."""
    return Lowering(lambda c: f"{function}({c.xs()})")


def _slogdet(c: Context) -> tuple[str, ...]:
    result = c.let(f"torch.linalg.slogdet({c.x()})")
    return f"{result}.sign", f"{result}.logabsdet"


def _full(c: Context) -> bool:
    """Whether K is known to be the smaller of the two sizes of the matrix."""
    rows, columns, kept = c.fixed(0, -2), c.fixed(0, -1), c.size("K")
    return rows is not None and columns is not None and kept == str(min(rows, columns))


def _qr(c: Context) -> str | tuple[str, ...]:
    text = f"torch.linalg.qr({c.x()})"
    if _full(c):
        return text
    result, k = c.let(text), c.size("K")
    return f"{result}.Q[..., :{k}]", f"{result}.R[..., :{k}, :]"


def _svd(c: Context) -> str | tuple[str, ...]:
    text = f"torch.linalg.svd({c.x()}, full_matrices=False)"
    if _full(c):
        return text
    result, k = c.let(text), c.size("K")
    return f"{result}.U[..., :{k}]", f"{result}.S[..., :{k}]", f"{result}.Vh[..., :{k}, :]"


def _cosine(c: Context) -> str:
    eps = "" if c.number("eps") == 1e-8 else f", eps={c.size('eps')}"
    return f"F.cosine_similarity({c.xs()}, dim=-1{eps})"


def _cdist(c: Context) -> str:
    order = "" if c.number("p") == 2 else f", p={c.size('p')}"
    return f"torch.cdist({c.xs()}{order})"


def _solve_triangular(c: Context) -> str:
    return f"torch.linalg.solve_triangular({c.xs()}, upper={c.flag('upper')})"


TABLE: dict[str, Lowering] = {
    "matmul": Lowering(lambda c: f"{c.x(0)} @ {c.x(1)}", mixed=True),
    "dot": _call("torch.linalg.vecdot"),
    "cosine_similarity": Lowering(_cosine),
    "diagonal": Lowering(lambda c: f"{c.x()}.diagonal(dim1=-2, dim2=-1)"),
    "diag": Lowering(lambda c: f"torch.diag_embed({c.x()})"),
    "trace": Lowering(lambda c: f"{c.x()}.diagonal(dim1=-2, dim2=-1).sum(-1)"),
    "cross": _call("torch.linalg.cross"),
    "cdist": Lowering(_cdist),
    "solve": _call("torch.linalg.solve"),
    "solve_triangular": Lowering(_solve_triangular),
    "inv": _call("torch.linalg.inv"),
    "pinv": _call("torch.linalg.pinv"),
    "det": _call("torch.linalg.det"),
    "logdet": _call("torch.logdet"),
    "slogdet": Lowering(_slogdet),
    "cholesky": _call("torch.linalg.cholesky"),
    "qr": Lowering(_qr),
    "svd": Lowering(_svd),
    "eigh": _call("torch.linalg.eigh"),
    "matrix_exp": _call("torch.linalg.matrix_exp"),
}
