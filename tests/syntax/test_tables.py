"""The tables' cache: used when whole, passed over in silence when not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from catdl.syntax import tables


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tables.load.cache_clear()
    yield tmp_path / "catdl"
    tables.load.cache_clear()


def same(one: tables.Tables, two: tables.Tables) -> bool:
    return (one.actions, one.gotos, one.rules, one.start, one.words) == (
        two.actions,
        two.gotos,
        two.rules,
        two.start,
        two.words,
    )


def again() -> tables.Tables:
    tables.load.cache_clear()
    return tables.load()


def forbid_building(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(grammar: str) -> dict[str, object]:
        raise AssertionError("the tables were built again")

    monkeypatch.setattr(tables, "_build", build)


def test_written_once_and_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = again()
    (path,) = folder.iterdir()
    assert path.suffix == ".json"
    forbid_building(monkeypatch)
    assert same(built, again())


@pytest.mark.parametrize(
    "damage",
    [b"", b"\x00\xff", b"zz\n{}", b"00000000\n{}", b"a3\n[]"],
    ids=["empty", "binary", "no-number", "wrong-sum", "short"],
)
def test_a_damaged_cache_is_made_anew(folder: Path, damage: bytes) -> None:
    built = again()
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage)
    assert same(built, again())
    assert path.read_bytes() == whole


def test_half_a_cache_is_made_anew(folder: Path) -> None:
    built = again()
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert same(built, again())


def test_another_grammar_has_another_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again()
    text = tables.grammar_text()
    monkeypatch.setattr(tables, "grammar_text", lambda: text + "// more\n")
    again()
    assert len(list(folder.iterdir())) == 2


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert again().actions
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    assert again().actions
    tables.load.cache_clear()


def test_a_warm_start_loads_neither_lark_nor_the_mistakes(folder: Path) -> None:
    again()
    program = (
        "import sys; from catdl.source import Source; from catdl.syntax.parser import parse; "
        "parse(Source('m.cat', 'dim T')); "
        "print([name for name in sys.modules if name in ('lark', 'catdl.diagnostics.syntax_errors', 'tempfile')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))
    assert done.stdout == "[]\n", done.stderr
