"""Small pieces of English that the mistakes share.

Takes strings already shown; guarantees one line unless it says otherwise.

    article("object")                # "an object"
    listed(("T", "D"), "or")         # "`T` or `D`"
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from catdl.diagnostics.base import Edit, Help
from catdl.source import Span

_ADVERBIAL = re.compile(r"(in|at|as|on|for|from|of|to|into|between|where|when|while|along|after|before|inside)\b")
_MANY = 12


def article(noun: str) -> str:
    """The noun with `a` or `an`, unless it has one."""
    if noun.startswith(("a ", "an ")):
        return noun
    return f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"


def ticked(text: str) -> str:
    """A piece of the language in a sentence."""
    return f"`{text}`"


def listed(items: Sequence[str], word: str = "and", most: int = _MANY) -> str:
    """The items in ticks, with `word` before the last; past `most` of them the rest is counted."""
    shown = [ticked(item) for item in items[:most]]
    if len(items) > most:
        return f"{', '.join(shown)} {word} {len(items) - most} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {word} {shown[-1]}"


def counted(count: int, noun: str) -> str:
    """`1 input`, `2 inputs`, `no input`."""
    if count == 0:
        return f"no {noun}"
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def placed(context: str) -> str:
    """A context as the tail of a sentence: `, as the argument mask of attend`; empty when there is none."""
    if not context:
        return ""
    return f", {context}" if _ADVERBIAL.match(context) else f", in {context}"


def did_you_mean(span: Span, suggestions: Sequence[str], most: int = 3) -> tuple[Help, ...]:
    """A help for each near name, with the edit that puts it there."""
    return tuple(Help(f"did you mean `{name}`?", (Edit(span, name),)) for name in suggestions[:most])
