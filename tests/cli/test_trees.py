"""`catdl run` on trees: s-expressions and JSON, and what is no tree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from catdl.cli import catdl

SPEC = """dim H = 4
functor Expr(X) = Fin(10) + Fin(3) @ X @ X
algebra read : Expr(Real[H]) -> Real[H] = [
    embed(H)
  | ((op, left, right) => left + right * (op >> embed(H)))
]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "m.cat").write_text(SPEC)
    (tmp_path / "words.json").write_text('["+", "-", "*"]')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(data: str, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(catdl, ["run", "m.cat", "read", "--input", data, "-o", "y.npy", *more])
    return result.exit_code, result.output


def test_text_and_json_are_one(folder: Path) -> None:
    (folder / "a.sexp").write_text("(+ 1 (* 2 3))\n7")
    (folder / "a.json").write_text('[["+", 1, ["*", 2, 3]], 7]')
    (folder / "b.json").write_text('{"tree": [[0, 1, [2, 2, 3]], 7]}')
    found = []
    for name in ("a.sexp", "a.json", "b.json"):
        assert run(name, "--words", "words.json") == (0, "")
        found.append(np.load("y.npy"))
    assert found[0].shape == (2, 4)
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(+ 1 (* 2 30))", "tree 0, node 1.1: 30 is no Fin(10)"),
        ("(+ 1", "a bracket is never closed"),
        ("(% 1 2)", "no number is known for the word `%`"),
        ("(1 2)", "a node with 2 parts is none of Expr(X) = Fin(10) + Fin(3) @ X @ X"),
    ],
)
def test_what_is_no_tree_is_told(folder: Path, text: str, said: str) -> None:
    (folder / "a.sexp").write_text(text)
    code, output = run("a.sexp", "--words", "words.json")
    assert code == 1
    assert said in " ".join(output.split())


def test_an_array_holds_no_trees(folder: Path) -> None:
    np.save("x.npy", np.zeros((2, 3)))
    code, output = run("x.npy")
    assert code == 1
    assert "an array holds no trees of Expr(X)" in " ".join(output.split())


def test_words_are_read(folder: Path) -> None:
    (folder / "a.sexp").write_text("(+ 1 2)")
    (folder / "bad.json").write_text("[1, 2]")
    code, output = run("a.sexp", "--words", "bad.json")
    assert code == 1
    assert "words are" in output
