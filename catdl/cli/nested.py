"""Trees in files for `catdl run`: JSON, or s-expressions as text.

trees.json   [["+", 1, 2], 3], or an object that holds every input by port, arrays as lists
trees.sexp   (+ 1 2) 3
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from catdl import diagnostics as wrong
from catdl.cli.files import reason
from catdl.diagnostics.base import Diagnostic

ENDINGS = (".json", ".sexp")


def read(path: str) -> dict[str, Any] | Diagnostic:
    """What a file holds by port, that of the only port under ""."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        return wrong.FileUnreadable(path, reason(error))
    except UnicodeDecodeError:
        return wrong.FileUnreadable(path, "it is not UTF-8")
    try:
        held = json.loads(text) if path.endswith(".json") else _expressions(text)
    except RecursionError:
        return wrong.FileUnreadable(path, "it nests too deep for JSON; s-expressions may be as deep as they like")
    except ValueError as error:
        return wrong.FileUnreadable(path, f"it is no {'JSON' if path.endswith('.json') else 's-expression'}: {error}")
    return held if isinstance(held, dict) else {"": held}


def _expressions(text: str) -> list[Any]:
    from catdl.data.nested import sexpr

    return sexpr(text)


def words(path: str) -> dict[str, int] | Diagnostic:
    """The number of each word: a JSON object of them, or a list in order."""
    held = read(path)
    if not isinstance(held, dict):
        return held
    listed = held.get("")
    if isinstance(listed, list) and all(isinstance(word, str) for word in listed):
        return {word: k for k, word in enumerate(listed)}
    if all(isinstance(number, int) for number in held.values()):
        return held
    return wrong.FileUnreadable(path, 'words are `["+", "*"]` or `{"+": 0, "*": 1}`')
