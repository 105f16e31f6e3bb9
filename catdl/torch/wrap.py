"""Long lines broken as `ruff format` would break them.

wrap("x = f(aaa, bbb)", 4, 12)     x = f(⏎    aaa,⏎    bbb,⏎)
"""

from __future__ import annotations

WIDTH = 100

_OPEN = {"(": ")", "[": "]", "{": "}"}


def wrap(line: str, indent: int, comment: str = "") -> list[str]:
    """A statement at an indent, with its comment behind it, or before it where the line would be too long."""
    pad = " " * indent
    text = pad + line
    note = f"  # {comment}" if comment else ""
    if len(text) + len(note) <= WIDTH:
        return [text + note]
    head = [f"{pad}# {comment}"] if comment and len(pad) + len(comment) + 2 <= WIDTH else []
    if len(text) <= WIDTH:
        return [*head, text]
    return [*head, *_broken(line, indent)]


def _broken(line: str, indent: int) -> list[str]:
    pad = " " * indent
    if len(line) + indent <= WIDTH:
        return [pad + line]
    span = _brackets(line)
    if span is None:
        return [pad + line]
    start, end = span
    inner = line[start + 1 : end]
    if not inner.strip():
        return [pad + line]
    head, tail = pad + line[: start + 1], pad + line[end:]
    items = _split(inner)
    if len(items) > 1 and len(inner) + indent + 4 <= WIDTH and not inner.rstrip().endswith(","):
        return [head, f"{pad}    {inner.strip()}", tail]
    lines = [head]
    comma = "," if len(items) > 1 else ""
    for item in items:
        broken = _broken(item, indent + 4)
        broken[-1] += comma
        lines += broken
    return [*lines, tail]


def _brackets(line: str) -> tuple[int, int] | None:
    """The last outermost pair that holds something."""
    found: tuple[int, int] | None = None
    depth, start, quote = 0, 0, ""
    for i, ch in enumerate(line):
        if quote:
            quote = "" if ch == quote else quote
        elif ch in "\"'":
            quote = ch
        elif ch in _OPEN:
            start = i if depth == 0 else start
            depth += 1
        elif ch in ")]}":
            depth -= 1
            if depth == 0 and i > start + 1 and (found is None or i - start >= found[1] - found[0] or i - start > 20):
                found = (start, i)
    return found


def _split(text: str) -> list[str]:
    """The items between commas outside of brackets and strings."""
    items: list[str] = []
    depth, start, quote = 0, 0, ""
    for i, ch in enumerate(text):
        if quote:
            quote = "" if ch == quote else quote
        elif ch in "\"'":
            quote = ch
        elif ch in _OPEN:
            depth += 1
        elif ch in ")]}":
            depth -= 1
        elif ch == "," and depth == 0:
            items.append(text[start:i].strip())
            start = i + 1
    last = text[start:].strip()
    return [*items, last] if last else items
