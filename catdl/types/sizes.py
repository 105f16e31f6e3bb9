"""The sizes of axes, all of it: the one module that other stages import.

Takes nothing.  Guarantees: sizes are immutable values in normal form (`int` or `Poly`); equality of sizes is true
equality for all values of the dims, and a decision that cannot be made says so.

    poly, ring    polynomials                      floors      exact quotients, floors
    rebuild       substitution, unknowns, values   facts       `where 16 | H`
    residues      zero everywhere?                 decide      equality, wholeness
    quotient      floors that use facts            solve_size  one step of inference
    show_size     text, and Python expressions

Example: `equal(add(floordiv(h, 2), floordiv(add(h, 1), 2)), h)` is PROVED for `h = sym("H")`.
"""

from __future__ import annotations

from catdl.types.decide import PROVED, UNDECIDED, Outcome, Verdict, Witness, equal, is_integral
from catdl.types.facts import NO_FACTS, Bound, Facts, not_negative
from catdl.types.floors import exact_div
from catdl.types.poly import (
    Floor,
    Mono,
    Poly,
    Size,
    SizeDividesByZero,
    SizeError,
    SizeTooLarge,
    SizeVar,
    Sym,
    sym,
    var,
)
from catdl.types.quotient import floordiv
from catdl.types.rebuild import evaluate, free_syms, free_vars, normal, substitute
from catdl.types.ring import add, added, mul, neg, power, sub
from catdl.types.show_size import short, show, to_python
from catdl.types.solve_size import DONE, Contradiction, Done, Solution, Step, Wait, solve

__all__ = [
    # values
    "Size",
    "Poly",
    "Mono",
    "Sym",
    "SizeVar",
    "Floor",
    "sym",
    "var",
    "SizeError",
    "SizeTooLarge",
    "SizeDividesByZero",
    # arithmetic
    "add",
    "added",
    "sub",
    "mul",
    "neg",
    "power",
    "exact_div",
    "floordiv",
    "normal",
    "substitute",
    "evaluate",
    "free_vars",
    "free_syms",
    # decisions
    "Facts",
    "NO_FACTS",
    "Bound",
    "not_negative",
    "Verdict",
    "Outcome",
    "Witness",
    "PROVED",
    "UNDECIDED",
    "equal",
    "is_integral",
    # inference
    "solve",
    "Step",
    "Solution",
    "Contradiction",
    "Wait",
    "Done",
    "DONE",
    # text
    "show",
    "short",
    "to_python",
]
