"""`contract` as torch: a matrix product where it is one, `torch.einsum` otherwise.

contract(c, ((0, 1), (2, 1)), (0, 2))     "torch.einsum('...ij,kj->...ik', x, w)"
"""

from __future__ import annotations

from catdl.torch.context import Context

_LETTERS = "ijklmnopqrstuvwxyzabcdefghIJKLMNOPQRSTUVWXYZABCDEFGH"


def contract(c: Context, ins: tuple[tuple[int, ...], ...], out: tuple[int, ...]) -> str:
    """The expression of a contraction."""
    product = _matmul(c, ins, out)
    if product is not None:
        return product
    names: dict[int, str] = {}
    for letter in (*(i for letters in ins for i in letters), *out):
        if letter not in names:
            if len(names) == len(_LETTERS):
                raise AssertionError("a contraction has more than 52 letters")
            names[letter] = _LETTERS[len(names)]
    terms = []
    for value, letters in zip(c.inputs, ins, strict=True):
        terms.append(("..." if value.batched else "") + "".join(names[i] for i in letters))
    result = ("..." if c.any_batched else "") + "".join(names[i] for i in out)
    return f'torch.einsum("{",".join(terms)}->{result}", {c.xs()})'


def _matmul(c: Context, ins: tuple[tuple[int, ...], ...], out: tuple[int, ...]) -> str | None:
    if len(ins) != 2:
        return None
    a, b = ins
    batched = c.batched(1)
    if not batched and len(b) == 2 and len(a) >= 1 and len(set(a)) == len(a):
        # x[.., k] w[o, k] and x[.., k] w[k, o], with a matrix that is the same for every index
        for k, o, transposed in ((b[1], b[0], True), (b[0], b[1], False)):
            if a[-1] == k and o not in a and k != o and out == (*a[:-1], o):
                return f"F.linear({c.x(0)}, {c.x(1)})" if transposed else f"{c.x(0)} @ {c.x(1)}"
    if len(a) >= 2 and len(a) == len(b) and a[:-2] == b[:-2] and len({*a, *b}) == len(a) + 1:
        if a[-1] == b[-2] and out == (*a[:-1], b[-1]):
            return f"{c.x(0)} @ {c.x(1)}"
        if a[-1] == b[-1] and out == (*a[:-1], b[-2]):
            return f"{c.x(0)} @ {c.x(1)}.mT"
    return None
