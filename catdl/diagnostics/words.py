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
_TOKEN = re.compile(r"\w+'*|\s+|.")
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


def contrast(expected: str, found: str) -> str:
    """Both sides under each other, what differs marked; nothing if they have no word in common."""
    from difflib import SequenceMatcher  # only a mistake pays for it

    left, right = _TOKEN.findall(expected), _TOKEN.findall(found)
    if len(left) < 4 or len(right) < 4 or len(left) + len(right) > 400:
        return ""
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    same = {token for start, _, size in matcher.get_matching_blocks() for token in left[start : start + size]}
    if expected == found or not any(token[0].isalnum() for token in same):
        return ""
    marks: tuple[list[str], list[str]] = ([], [])
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        mark = " " if tag == "equal" else "~"
        marks[0].append(mark * len("".join(left[start:end])))
        marks[1].append(mark * len("".join(right[other_start:other_end])))
    lines = []
    for word, text, mark_list in (("expected ", expected, marks[0]), ("found    ", found, marks[1])):
        lines.append(word + text)
        under = "".join(mark_list).rstrip()
        if under:
            lines.append(" " * len(word) + under)
    return "\n".join(lines)


def table(title: str, rows: Sequence[tuple[str, str]], most: int = _MANY) -> str:
    """Two columns under a title; of a long table the last rows, which are the ones near the mistake."""
    shown = rows[-most:]
    wide = max((len(left) for left, _ in shown), default=0)
    lines = [f"  {left.ljust(wide)}  {right}".rstrip() for left, right in shown]
    if len(rows) > most:
        lines.insert(0, f"  … {len(rows) - most} more before these")
    return "\n".join([title, *lines])
