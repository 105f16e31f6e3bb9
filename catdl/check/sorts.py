"""Sorts of static arguments that are values: what each lets through, and how it is called in messages.

`count`, a choice `["half", "interleaved"]`, a list of so many `list(count, 2)`, and choices of these
`[count, list(count, 2)]`; `scale(D)`, a number that scales what is summed over D (see `scores.py`);
`fill(K)`, a value of the kind K (see `fills.py`);
`order(T, U)`, a flag under which T and U are taken in one order (see `places.py`).

    fits(choice, 3)      whether 3 is a value of that sort
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from catdl.syntax import ast
from catdl.types.sizes import Poly


def _number(value: object) -> bool:
    return isinstance(value, (int, float, Fraction, Poly)) and not isinstance(value, bool)


def _integer(value: object) -> bool:
    return isinstance(value, (int, Poly)) and not isinstance(value, bool)


def _at_least(low: int) -> Callable[[object], bool]:
    return lambda value: _integer(value) and (isinstance(value, Poly) or value >= low)  # type: ignore[operator]


def _amount(value: object) -> bool:
    return _number(value) and not isinstance(value, Poly) and value >= 0  # type: ignore[operator]


def _chance(value: object) -> bool:
    return _amount(value) and value <= 1  # type: ignore[operator]


VALUES: dict[str, tuple[Callable[[object], bool], str]] = {
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "text": (lambda value: isinstance(value, str), "a text in quotes"),
    "list": (lambda value: isinstance(value, tuple), "a list"),
    "number": (_number, "a number"),
    "integer": (_integer, "a whole number"),
    "whole": (_at_least(0), "a whole number from 0"),
    "count": (_at_least(1), "a whole number from 1"),
    "amount": (_amount, "a number from 0"),
    "chance": (_chance, "a number from 0 to 1"),
}
NAMES = ("axis", "size", *VALUES)


def is_value(sort: ast.Expr | None) -> bool:
    """Whether a sort is one of values, and not of axes, sizes or morphisms."""
    match sort:
        case ast.Name(id):
            return id in VALUES
        case ast.List():
            return True
        case ast.Call(ast.Name("list" | "scale" | "order" | "fill"), _):
            return True
        case _:
            return False


def fits(sort: ast.Expr, value: object) -> bool:
    """Whether a value is of a sort."""
    match sort:
        case ast.Text(text):
            return value == text
        case ast.Name(id):
            return id not in VALUES or VALUES[id][0](value)
        case ast.List(choices):
            return any(fits(choice, value) for choice in choices)
        case ast.Call(ast.Name("scale"), _):
            return _number(value)
        case ast.Call(ast.Name("fill"), _):
            return _number(value) or isinstance(value, bool)
        case ast.Call(ast.Name("order"), _):
            return isinstance(value, bool)
        case ast.Call(_, (element, ast.Arg(value=ast.Number(length)))):
            return isinstance(value, tuple) and len(value) == length and all(fits(element.value, v) for v in value)
        case _:
            return True


def phrase(sort: ast.Expr) -> str:
    """A sort in words."""
    match sort:
        case ast.Text(text):
            return f'"{text}"'
        case ast.Name(id):
            return VALUES[id][1] if id in VALUES else id
        case ast.Call(ast.Name("scale" | "fill"), _):
            return "a number"
        case ast.Call(ast.Name("order"), _):
            return VALUES["bool"][1]
        case ast.List(choices):
            words = [phrase(choice) for choice in choices]
            for i in range(1, len(words)):
                match choices[i - 1], choices[i]:
                    case ast.Name(one), ast.Call(
                        _, (ast.Arg(value=ast.Name(many)), ast.Arg(value=ast.Number(length)))
                    ) if one == many:
                        words[i] = "a list of one" if length == 1 else f"a list of {length} such"
            return ", ".join(words[:-1]) + f" or {words[-1]}" if len(words) > 1 else words[0]
        case ast.Call(_, (element, ast.Arg(value=ast.Number(length)))):
            return f"a list of {length}, each {phrase(element.value)}"
        case _:
            return "of another sort"


def names(sort: ast.Expr | None) -> Iterator[ast.Name]:
    """The names of sorts that a sort mentions."""
    stack = [sort]
    while stack:
        match stack.pop():
            case ast.Name() as name:
                yield name
            case ast.List(choices):
                stack += choices
            case ast.Call(ast.Name("list"), args):
                stack += [arg.value for arg in args[:1]]
            case _:
                pass
