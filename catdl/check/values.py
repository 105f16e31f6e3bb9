"""Static values: numbers, sizes, axes, words and lists, how they are written, and how large a number may be.

Takes values that evaluation yields; guarantees that a number that is kept has a bounded number of digits.

    Fraction(5, 2)   2.5          (1, "a")   (1, "a")
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeAlias

from catdl.types.sizes import Poly, SizeTooLarge, show
from catdl.types.types import Axis

Value: TypeAlias = "int | Fraction | float | bool | str | Poly | Axis | tuple[Value, ...]"
NUMBER_LIMIT = 1024  # binary digits, as many as a float reaches


def as_number(value: object) -> Any:
    """An axis or a one-dim name read as its size."""
    return value.size if isinstance(value, Axis) else value


def decimal(value: Fraction) -> str:
    """A fraction as it is written: `2.5` where it ends within a few places, else `1/3`."""
    places = next((n for n in range(1, 10) if 10**n % value.denominator == 0), 0)
    if not places:
        return f"{value.numerator}/{value.denominator}"
    whole, rest = divmod(abs(value.numerator) * 10**places // value.denominator, 10**places)
    return f"{'-' if value < 0 else ''}{whole}.{rest:0{places}}"


def show_value(value: object) -> str:
    """A static value as the user would write it."""
    match value:
        case bool():
            return "true" if value else "false"
        case Axis():
            return repr(value)
        case Poly():
            return show(value)
        case Fraction():
            return decimal(value)
        case str():
            return f'"{value}"'
        case tuple():
            return "(" + ", ".join(show_value(v) for v in value) + ")"
        case _:
            return str(value)


def show_list(value: object) -> str:
    """A static list as the user would write it."""
    return f"[{', '.join(map(show_list, value))}]" if isinstance(value, tuple) else show_value(value)


def bits(value: object) -> int:
    """How many binary digits an exact number takes."""
    if isinstance(value, Fraction):
        return max(value.numerator.bit_length(), value.denominator.bit_length())
    return value.bit_length() if isinstance(value, int) else 0


def bounded(value: Any) -> Any:
    """A number, unless an exact one has too many digits. Raises SizeTooLarge."""
    if bits(value) > NUMBER_LIMIT:
        raise too_large()
    return value


def too_large() -> SizeTooLarge:
    """A number of too many digits."""
    return SizeTooLarge("a number", f"2^{NUMBER_LIMIT}")


def lowest(value: Fraction) -> int | Fraction:
    """A fraction, or the whole number that it is."""
    return value.numerator if value.denominator == 1 else value
