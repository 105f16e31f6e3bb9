"""Terms as formulas, for those who read a proof.

shown(term)      'Σ j<A (w[i, j] · x[j])'
"""

from __future__ import annotations

from fractions import Fraction

from catdl.laws.algebra import Used, shape
from catdl.laws.terms import FIRST_DRAW, FIRST_FREE, Term

LETTERS = "ijklmnopqrst"
BOUND = "abcdefgh"
"""Indices that are about to be bound."""

LONG = 100
"""How many characters of a formula are shown."""

DEEP = 8
SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "div": "/", "mod": "%"}


Names = dict[int, str]
"""What indices are called, by their names."""


def told(used: Used) -> tuple[str, str]:
    """What a law was used on, and what came of it."""
    return used.text.format(*map(shown, used.terms)), shown(used.after) if used.after is not None else ""


def shown(term: Term) -> str:
    """A formula, cut where it is long."""
    text = _shown(term, DEEP, {name: letter(name) for name in term.free})
    return text if len(text) <= LONG else f"{text[: LONG - 1]}…"


def letter(name: int) -> str:
    """An index of a result as one writes it, or one that is about to be bound, or a draw."""
    if name >= FIRST_DRAW:
        return f"{name - FIRST_DRAW + 1}"
    if name >= FIRST_FREE:
        return BOUND[name % len(BOUND)]
    return LETTERS[name] if name < len(LETTERS) else f"i{name}"


def _shown(term: Term, deep: int, names: Names) -> str:
    """A term as deep as it is looked into; what it binds is called as nothing around it is."""
    if deep == 0:
        return "…"
    if term.bound:
        unused = [each for each in LETTERS if each not in names.values()]
        names = {**names, **dict(zip(term.bound, [*unused, *map(letter, term.bound)], strict=False))}
    args = [_shown(arg, deep - 1, names) for arg in term.args[:LONG]]
    match term.op, term.data:
        case "index", int(name):
            return names[name]
        case (("const" | "truth" | "size"), said):
            return str(said)
        case "in" | "param", str(name):
            return f"{name.rpartition('::')[2]}[{', '.join(args)}]" if args else name.rpartition("::")[2]
        case "poly", tuple(coefs):
            return _sum(list(zip(coefs, args, strict=False)))
        case "mono", _:
            powers, sizes = shape(term)
            factors = [_power(text, power) for text, power in zip(args, powers, strict=False)]
            product = " · ".join(factors) or "1"
            return f"Σ {_over(term.bound, sizes, names)} ({product})" if sizes else product
        case "red", (str(name), tuple(sizes)):
            return f"{name} {_over(term.bound, sizes, names)} ({args[0]})"
        case "lambda", _:
            return f"({', '.join(names[name] for name in term.bound)} => {args[0]})"
        case "fn", str(name) if name in SIGNS:
            return f"({args[0]} {SIGNS[name]} {args[1]})"
        case "moved", (start, step):
            return f"{start} + {step} · {args[0]}"
        case (("at" | "place"), _):
            return args[0]
        case "drawn", int(number):
            return f"{number + 1}"
        case "draw", str(dist):
            return f"{dist}_{args[0]}[{', '.join(args[1:])}]" if args[1:] else f"{dist}_{args[0]}"
        case "apply", (str(target), *_):
            return f"{target.lstrip('?').rstrip('~')}({', '.join(args)})"
        case "fn", name:
            return f"{'stop_gradient' if name == 'stop' else name}({', '.join(args)})"
        case _:
            return f"{term.op}({', '.join(args)})"


def _over(bound: tuple[int, ...], sizes: tuple[str, ...], names: Names) -> str:
    return ", ".join(f"{names[name]}<{str(size).rpartition('::')[2]}" for name, size in zip(bound, sizes, strict=True))


def _power(text: str, power: int) -> str:
    wrapped = f"({text})" if " " in text and power != 1 else text
    return wrapped if power == 1 else f"{wrapped}^{power}"


def _sum(parts: list[tuple[Fraction, str]]) -> str:
    out = ""
    for coef, text in parts:
        sign = " - " if coef < 0 else " + "
        size = abs(coef)
        body = str(size) if text == "1" else text if size == 1 else f"{size} · {text}"
        out += sign + body if out else body if coef > 0 else f"-{body}"
    return out or "0"
