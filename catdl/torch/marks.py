"""What stands in written statements for what is known only later: other units, and keywords that torch has by default.

A unit is written before it is known which class stands for it and which numbers this class takes; so its callers write
marks, which `family.py` replaces. A keyword whose number is torch's own default is left out in the end, unless the
number comes from a parameter.

    called(7, ["x"])                   "⟨name of 7⟩(x⟨numbers of 7⟩)"
    usual("stride", "1", "1")          "⟨, stride=1, left out where it is 1⟩"
"""

from __future__ import annotations

import re

NAME, MORE, MAKER, STOP, KEYWORD, DEFAULT, END = "\x01\x02\x03\x04\x05\x06\x07"
_UNIT = f"[{NAME}{MORE}{MAKER}]" + r"\d+" + STOP
UNIT = re.compile(f"({_UNIT})")
_MADE = re.compile(rf"{NAME}(\d+){STOP}\({MORE}\1{STOP}\)")
_KEYWORD = re.compile(f"{KEYWORD}(, ?[a-z_]+=)([^{KEYWORD}{END}]*){DEFAULT}([^{END}]*){END}")


def name(unit: int) -> str:
    """The name of the class or function that stands for a unit."""
    return f"{NAME}{unit}{STOP}"


def called(unit: int, arguments: list[str]) -> str:
    """A call of a function, or the making of an object: after the arguments come the numbers that the unit takes."""
    return f"{name(unit)}({', '.join(arguments)}{numbers(unit)})"


def numbers(unit: int) -> str:
    """The numbers that a unit takes, after other arguments or none."""
    return f"{MORE}{unit}{STOP}"


def made_by(constructor: str) -> str:
    """What makes an object when called: a class itself where it takes no numbers, else a function."""
    found = _MADE.fullmatch(constructor)
    return f"{MAKER}{found[1]}{STOP}" if found else f"lambda: {constructor}"


def usual(keyword: str, value: str, default: str) -> str:
    """`, keyword=value`, left out where the value is the default."""
    return f"{KEYWORD}, {keyword}={value}{DEFAULT}{default}{END}"


def settled(text: str) -> str:
    """The text with every keyword written or left out."""
    if KEYWORD not in text:
        return text
    return _KEYWORD.sub(lambda found: "" if found[2] == found[3] else found[1] + found[2], text)
