"""`--deny`: warnings that are errors, for every command that reads a spec."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from catdl.cli import catdl

TWICE = "dim D = 8, Spare = 3\nmorphism f : Real[D] -> Real[D] = linear(D) >> linear\n"


def run(*arguments: str, text: str = TWICE) -> Result:
    return CliRunner().invoke(catdl, [*arguments], input=text, catch_exceptions=False)


def test_warnings_leave_the_exit_status_alone() -> None:
    result = run("check", "-")
    assert result.exit_code == 0
    assert result.stdout.endswith("\n2 warnings in 1 file\n")


@pytest.mark.parametrize(
    ("denied", "summary"),
    [
        (["W0201"], "1 error, 1 warning in 1 file"),
        (["W0201", "W0101"], "2 errors in 1 file"),
        (["all"], "2 errors in 1 file"),
        (["warnings"], "2 errors in 1 file"),
    ],
)
def test_what_is_denied_is_an_error(denied: list[str], summary: str) -> None:
    result = run("check", "-", *[word for code in denied for word in ("--deny", code)])
    assert result.exit_code == 1
    assert result.stdout.endswith(f"\n{summary}\n")
    assert "error[W0201]: " in result.stdout and "`--deny`" in result.stdout


def test_what_is_not_there_cannot_fail() -> None:
    assert run("check", "-", "--deny", "W0301").exit_code == 0
    allowed = f"# catdl: allow W0101, W0201\n\n{TWICE}"
    assert run("check", "-", "--deny", "all", text=allowed).stdout == "no mistakes in 1 file\n"


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_every_format_tells_which_is_which(form: str) -> None:
    result = run("check", "-", "--format", form, "--deny", "W0201")
    assert result.exit_code == 1
    if form == "json":
        found = [(item["code"], item["severity"]) for item in json.loads(result.stdout)["diagnostics"]]
    elif form == "sarif":
        found = [(item["ruleId"], item["level"]) for item in json.loads(result.stdout)["runs"][0]["results"]]
    else:
        found = [("W0101", line[2:9]) for line in result.stdout.splitlines() if "W0101" in line]
        found += [("W0201", line[2:7]) for line in result.stdout.splitlines() if "W0201" in line]
    assert found == [("W0101", "warning"), ("W0201", "error")]


@pytest.mark.parametrize("command", ["compile", "show", "run"])
def test_the_other_commands_warn_and_fail_alike(command: str, tmp_path: Path) -> None:
    rest = {"compile": ["-o", "-"], "show": [], "run": ["f", "-o", str(tmp_path / "y.npy")]}[command]
    if command != "run":
        result = run(command, "-", *rest)
        assert result.exit_code == 0
        assert "warning[W0201]: " in result.stderr
    result = run(command, "-", *rest, "--deny", "W0201")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error[W0201]: " in result.stderr


@pytest.mark.parametrize(("word", "hint"), [("W021", "did you mean `W02"), ("E0401", "explain"), ("x", "explain")])
def test_a_code_that_there_is_not_is_used_wrongly(word: str, hint: str) -> None:
    result = run("check", "-", "--deny", word)
    assert result.exit_code == 2
    assert f"`{word}` is no code of a warning" in result.stderr and hint in " ".join(result.stderr.split())
