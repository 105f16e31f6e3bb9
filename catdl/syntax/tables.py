"""The grammar as tables: which action a state takes on a token, and how a token looks.

Takes `catdl.lark` and lets lark build the LALR tables; that costs several hundred milliseconds, so the tables are kept
as JSON in the user's cache folder, and while they are there lark is not even imported. A cache that is missing,
damaged, of another grammar or unwritable is passed over in silence. Guarantees a `Tables` that never changes.

    load().actions[load().start]["DIM"]      # the state after `dim`, a number of at least 0
"""

from __future__ import annotations

import json
import os
import re
import sys
import zlib
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from catdl.record import record

_END = "$END"
ACCEPT = 1 << 30
"""The action that ends a declaration; below it: at least 0, go to that state; less, reduce by rule `~action`."""


@record
class Rule:
    """A production. `action` is None if its one symbol is passed on; `shape` holds the places of optional parts."""

    origin: str
    size: int
    action: str | None
    shape: tuple[int, ...] | None  # for each argument of the action its place in the production, -1 for one left out


@record
class Tables:
    """What the lexer and the parser run on."""

    actions: list[dict[str, int]]
    gotos: list[dict[str, int]]
    rules: list[Rule]
    start: int
    pattern: re.Pattern[str]
    words: dict[str, str]
    landings: dict[tuple[int, str, str], int]

    def land(self, below: int, origin: str, kind: str) -> int:
        """The state above `below` after an `origin`, once it is passed on as far up as the next token tells.

        A name alone goes through the dozen levels of precedence; `landings` remembers where each such way ends.
        """
        state = self.gotos[below][origin]
        while True:
            action = self.actions[state].get(kind, 0)
            if action >= 0 or self.rules[~action].action is not None:
                self.landings[below, origin, kind] = state
                return state
            state = self.gotos[below][self.rules[~action].origin]


@cache
def load() -> Tables:
    """The tables, from the cache if it holds them."""
    grammar = grammar_text()
    key = [_own_sum(), list(sys.version_info[:3]), _lark_version(), grammar]
    path = _cache_path(key)
    kept = _read(path, key)
    if kept is not None:
        try:
            return _assemble(kept)
        except (KeyError, IndexError, TypeError, ValueError, re.error):
            pass
    made = _build(grammar)
    _write(path, key, made)
    return _assemble(made)


def grammar_text() -> str:
    """The grammar: beside the package in a wheel, in the repository in an editable install."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "grammar" / "catdl.lark"
    path = shipped if shipped.exists() else package.parent / "grammar" / "catdl.lark"
    return path.read_text(encoding="utf-8")


def _own_sum() -> int:
    """A sum of this file: what it makes of the grammar changes with it."""
    try:
        return zlib.crc32(Path(__file__).read_bytes())
    except OSError:
        return 0


def _lark_version() -> str:
    """lark's version without importing it, which would cost more than all the rest."""
    spec = find_spec("lark")
    if spec is None or spec.origin is None:
        return ""
    try:
        found = re.search(r'__version__[^"=]*=\s*"([^"]*)"', Path(spec.origin).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return found.group(1) if found else ""


def _cache_path(key: list[object]) -> Path | None:
    """Where the tables are kept; None if there is no home folder to keep them in."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    except RuntimeError:
        return None
    return folder / "catdl" / f"tables-{zlib.crc32(json.dumps(key).encode()):08x}.json"


def _read(path: Path | None, key: list[object]) -> dict[str, Any] | None:
    """The kept tables if they are whole and made for this very key."""
    if path is None:
        return None
    try:
        check, _, body = path.read_bytes().partition(b"\n")
        if int(check, 16) != zlib.crc32(body):
            return None
        kept = json.loads(body)
        return kept["tables"] if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _write(path: Path | None, key: list[object], made: dict[str, Any]) -> None:
    """Keep the tables, whole or not at all."""
    if path is None:
        return
    body = json.dumps({"key": key, "tables": made}, separators=(",", ":")).encode()
    from tempfile import mkstemp  # it imports much, and only the first run writes

    name = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "wb") as file:
            file.write(b"%08x\n" % zlib.crc32(body) + body)
        os.replace(name, path)
    except OSError:
        if name is not None:
            Path(name).unlink(missing_ok=True)


def _assemble(kept: dict[str, Any]) -> Tables:
    """The tables from their JSON form, in which equal rows are written once."""
    rows: list[dict[str, int]] = kept["rows"]
    return Tables(
        [rows[index] for index in kept["actions"]],
        [rows[index] for index in kept["gotos"]],
        [Rule(origin, size, action, tuple(shape) if shape else None) for origin, size, action, shape in kept["rules"]],
        kept["start"],
        re.compile(kept["pattern"]),
        kept["words"],
        {},
    )


def _build(grammar: str) -> dict[str, Any]:
    """Let lark compile the grammar and take the tables out of what it would serialise."""
    from lark import Lark
    from lark.grammar import Rule as LarkRule
    from lark.lexer import TerminalDef

    compiled = Lark(grammar, parser="lalr", start=["start", "decl"], keep_all_tokens=True, maybe_placeholders=True)
    data, memo = compiled.memo_serialize([TerminalDef, LarkRule])
    table = data["parser"]["parser"]
    order = [str(entry["@"]) for entry in data["rules"]]
    places = {number: place for place, number in enumerate(order)}
    memo = {str(number): entry for number, entry in memo.items()}
    states: dict[str, dict[str, tuple[int, Any]]] = {
        str(state): {
            table["tokens"][symbol]: entry
            for symbol, entry in sorted(entries.items(), key=lambda item: table["tokens"][item[0]])
        }
        for state, entries in table["states"].items()
    }
    numbers = _numbered(states, str(table["start_states"]["decl"]))
    rows: dict[str, int] = {}

    def row(entries: dict[str, int]) -> int:
        return rows.setdefault(json.dumps(entries), len(rows))

    actions, gotos = [], []
    for state in numbers:
        act: dict[str, int] = {}
        go: dict[str, int] = {}
        for name, (kind, target) in states[state].items():
            if kind == 1:
                act[name] = ~places[str(target["@"])]
            else:
                (act if _is_terminal(name) else go)[name] = numbers[str(target)]
        if state == str(table["end_states"]["decl"]):
            act[_END] = ACCEPT
        actions.append(row(act))
        gotos.append(row(go))
    pattern, words = _lexicon(compiled.terminals, compiled.ignore_tokens)
    return {
        "rows": [json.loads(text) for text in rows],
        "actions": actions,
        "gotos": gotos,
        "rules": [_rule(memo[number]) for number in order],
        "start": 0,
        "pattern": pattern,
        "words": words,
    }


def _is_terminal(name: str) -> bool:
    return name == _END or name.isupper()


def _numbered(states: dict[str, dict[str, tuple[int, Any]]], start: str) -> dict[str, int]:
    """The states that can be reached, numbered as they are met: lark's own numbers differ from run to run."""
    numbers = {start: 0}
    waiting = [start]
    for state in waiting:
        for kind, target in states[state].values():
            if kind == 0 and str(target) not in numbers:
                numbers[str(target)] = len(numbers)
                waiting.append(str(target))
    return numbers


def _rule(entry: dict[str, Any]) -> tuple[str, int, str | None, list[int] | None]:
    """A production as origin, size, action and the places of its arguments."""
    size, options = len(entry["expansion"]), entry["options"]
    origin = entry["origin"]["name"]
    action = entry["alias"] or (None if size == 1 and options["expand1"] else origin)
    left_out = options["empty_indices"] or ()
    if not any(left_out):
        return origin, size, action, None
    places = iter(range(size))
    return origin, size, action, [-1 if empty else next(places) for empty in left_out]


def _lexicon(terminals: Iterable[Any], ignored: list[str]) -> tuple[str, dict[str, str]]:
    """One pattern for all tokens, tried in lark's own order, and the words that are not names.

    Blanks and comments before a token belong to its match, so that there is one match per token. What no terminal
    begins is an UNREADABLE character; a text without its closing quote is UNCLOSED; the end of the text is a STOP.
    """
    by_name = {terminal.name: terminal.pattern.to_regexp() for terminal in terminals}
    name_pattern = re.compile(by_name["NAME"])
    words: dict[str, str] = {}
    signs: list[Any] = []
    for terminal in terminals:
        if terminal.pattern.type == "str" and name_pattern.fullmatch(terminal.pattern.value):
            words[terminal.pattern.value] = terminal.name
        elif terminal.name not in ignored:
            signs.append(terminal)
    signs.sort(key=lambda sign: (-sign.priority, -sign.pattern.max_width, -len(sign.pattern.value), sign.name))
    skipped = "|".join(by_name[name] for name in ignored)
    choices = [f"(?P<{sign.name}>{sign.pattern.to_regexp()})" for sign in signs]
    choices += [r"(?P<STOP>\Z)", r'(?P<UNCLOSED>"(?:[^"\\\r\n]|\\[^\r\n])*\\?)', r"(?P<UNREADABLE>(?s:.))"]
    return f"(?>{skipped})*+(?:{'|'.join(choices)})", words
