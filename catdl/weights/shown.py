"""The keys of a morphism, and a key map, as text and as JSON.

Takes what `held` and `diff` give. Guarantees: deterministic text; the text of a whole map is one that `keymap` reads,
and what is open, missing or left over stands in it as comments that a reader can turn into lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from textwrap import wrap

from catdl.diagnostics.base import WIDTH
from catdl.weights.diff import Diff
from catdl.weights.families import families
from catdl.weights.held import Form, Held
from catdl.weights.keymap import ARROW, DISCARD, Line, written


def keys(name: str, tensors: Sequence[Held], foreign: Sequence[str]) -> str:
    """One line for each key, or for those that differ in the number of a round only."""
    rows = [
        (family.key(leaf), str(list(form.shape)), _notes(form, notes, len(family.numbers)))
        for family in families({tensor.key: (tensor.form, _flags(tensor)) for tensor in tensors})
        for leaf, (form, notes) in family.leaves
    ]
    count = sum(prod(tensor.shape) for tensor in tensors if not tensor.buffer)
    first = max((len(key) for key, _, _ in rows), default=0)
    second = max((len(shape) for _, shape, _ in rows), default=0)
    lines = [f"{name}: {_counted(len(tensors), 'tensor')}, {_counted(count, 'parameter')}"]
    lines += [f"  {key:<{first}}  {shape:<{second}}  {notes}".rstrip() for key, shape, notes in rows]
    lines += [f"  and those of {other}, which only running it tells" for other in foreign]
    return "".join(f"{line}\n" for line in lines)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _flags(tensor: Held) -> tuple[str, ...]:
    flags = (
        "buffer" if tensor.buffer else "",
        "frozen" if tensor.frozen else "",
        f"group {tensor.group}" if tensor.group else "",
        f"tied: {tensor.tied}" if tensor.tied else "",
    )
    return tuple([flag for flag in flags if flag])


def _notes(form: Form, flags: Iterable[str], times: int) -> str:
    sort = () if form.stored == "float" else (form.stored,)
    return ", ".join([*([f"×{times}"] if times > 1 else []), *sort, *flags])


def keys_json(name: str, tensors: Sequence[Held], foreign: Sequence[str]) -> str:
    """Every key with all that is known of it."""
    return _json(
        {
            "name": name,
            "keys": [
                {
                    "key": tensor.key,
                    "shape": tensor.shape,
                    "dtype": tensor.stored,
                    "buffer": tensor.buffer,
                    "frozen": tensor.frozen,
                    "group": tensor.group or None,
                    "tied": tensor.tied or None,
                }
                for tensor in tensors
            ],
            "foreign": list(foreign),
        }
    )


def diff(found: Diff, ours: Mapping[str, Form], theirs: Mapping[str, Form]) -> str:
    """The map, then as comments what it leaves open."""
    return written(found.lines) + "".join(f"# {line}\n" for line in _left(found, ours, theirs))


def _left(found: Diff, ours: Mapping[str, Form], theirs: Mapping[str, Form]) -> Iterator[str]:
    if found.open:
        yield "not decided: nothing tells which"
    for each in found.open:
        for key, note in _folded(each.ours, ours):
            yield f"{key} {ARROW} ?  {note}"
        choice = [key for key, _ in _folded(each.theirs, theirs)]
        choice += [f"{key}^T" for key in choice if each.turned]
        yield from _filled(f"one of {', '.join(choice)}")
    if found.missing:
        yield "missing: nothing in the file fits"
    for key, note in _folded(found.missing, ours):
        yield f"{key} {ARROW} ?  {note}"
    if found.extra:
        yield "left over: nothing is made of it"
    for key, note in _folded(found.extra, theirs):
        yield f"{DISCARD} {ARROW} {key}  # {note}"


def _filled(text: str) -> list[str]:
    """Text on as many lines as it needs; a key is not broken."""
    return wrap(
        text,
        WIDTH,
        initial_indent="    ",
        subsequent_indent="        ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _folded(keys: Iterable[str], forms: Mapping[str, Form]) -> Iterator[tuple[str, str]]:
    for family in families({key: forms[key] for key in keys}):
        for leaf, form in family.leaves:
            times = len(family.numbers)
            yield family.key(leaf), f"{f'{times} of ' if times > 1 else ''}{list(form.shape)}"


def diff_json(name: str, found: Diff) -> str:
    """The map line by line, and what it leaves open."""
    return _json(
        {
            "name": name,
            "map": [_line(line) for line in found.lines],
            "open": [{"ours": each.ours, "theirs": each.theirs} for each in found.open],
            "missing": found.missing,
            "extra": found.extra,
        }
    )


def _line(line: Line) -> dict[str, object]:
    return {
        "ours": line.ours,
        "theirs": [{"key": piece.pattern, "transposed": piece.transposed, "cut": piece.cut} for piece in line.pieces],
        "why": line.why or None,
    }


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
