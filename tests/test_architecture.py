"""The rules of the house that a machine can hold: who imports whom, what loads late, how long a file may be."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import catdl

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "catdl"

# A module may import from its own stage and from those before it. `catdl` itself, the public face, is `__init__`.
STAGES = (
    "record",
    "source",
    "atomic",
    "collection",
    "diagnostics",
    "syntax",
    "types",
    "data",
    "symmetry",
    "prelude",
    "diagram",
    "equivariance",
    "causal",
    "check",
    "repair",
    "lint",
    "analysis",
    "weights",
    "laws",
    "rewrite",
    "torch",
    "learn",
    "draw",
    "driver",
    "__init__",
    "cli",
    "__main__",
)
SLOW = {"torch", "numpy"}
LONGEST = 500


def modules() -> list[Path]:
    """Every module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def shown(path: Path) -> str:
    """A path as a test's name."""
    return path.relative_to(ROOT).as_posix()


def stage_of(path: Path) -> str:
    """The stage a module belongs to: the first step of its path inside the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_stages(path: Path) -> Iterator[tuple[int, str]]:
    """Line and stage of every import from inside catdl, also of those inside functions."""
    package = ("catdl", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found = [tuple(alias.name.split(".")) for alias in names]
            case ast.ImportFrom(module=module, names=names, level=level):
                base = package[: len(package) - level + 1] if level else ()
                base += tuple(module.split(".")) if module else ()
                found = [(*base, alias.name) for alias in names]
            case _:
                continue
        for target in found:
            if target[0] == "catdl":
                stage = target[1] if len(target) > 1 and is_stage(target[1]) else "__init__"
                yield node.lineno, stage


def is_stage(name: str) -> bool:
    """Whether `catdl.name` is a module, not something that `catdl` exports."""
    return (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()


@pytest.mark.parametrize("path", modules(), ids=shown)
def test_imports_run_upward(path: Path) -> None:
    stage = stage_of(path)
    assert stage in STAGES, f"{shown(path)} belongs to no stage; give `{stage}` a place in STAGES"
    later = STAGES[STAGES.index(stage) + 1 :]
    wrong = [f"{shown(path)}:{line} imports {found}" for line, found in imported_stages(path) if found in later]
    assert not wrong, f"`{stage}` comes before what it imports:\n" + "\n".join(wrong)


def loaded_after(program: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded when `program` has run."""
    script = f"import json, sys\n{program}\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert result.returncode == 0, result.stderr
    return {name.partition(".")[0] for name in json.loads(result.stdout.splitlines()[-1])}


def test_importing_catdl_is_light() -> None:
    assert not loaded_after("import catdl") & (SLOW | {"networkx", "click"})


def test_checking_loads_neither_torch_nor_numpy() -> None:
    program = """
from catdl.cli import main
sys.argv = ["catdl", "check", "examples/gpt2.cat"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
    assert not loaded_after(program) & SLOW


def test_listing_keys_loads_neither_torch_nor_numpy() -> None:
    program = """
from catdl.cli import main
sys.argv = ["catdl", "keys", "examples/gpt2.cat", "gpt2"]
sys.stdout = sys.stderr
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
sys.stdout = sys.__stdout__
"""
    assert not loaded_after(program) & SLOW


@pytest.mark.parametrize(
    "path",
    [path for folder in ("catdl", "tests", "examples", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))],
    ids=shown,
)
def test_no_file_is_too_long(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{lines} lines; a file has one subject and at most {LONGEST} lines"


def test_the_public_names_are_there() -> None:
    assert {"load", "loads"} <= set(catdl.__all__)
    assert len(set(catdl.__all__)) == len(catdl.__all__)
    for name in catdl.__all__:
        assert getattr(catdl, name).__doc__, f"catdl.{name} has no docstring"


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()
