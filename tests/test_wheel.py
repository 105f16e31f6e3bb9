"""The wheel stands on its own: built, unpacked away from the repository, it checks and compiles a model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel installs, and nothing of the repository."""
    place = tmp_path_factory.mktemp("wheel")
    tree = place / "tree"
    ignored = shutil.ignore_patterns(".*", "build", "dist", "tests", "__pycache__")
    shutil.copytree(ROOT, tree, ignore=ignored)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(place), str(tree)], check=True
    )
    (wheel,) = place.glob("catdl-*.whl")
    target = place / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), str(wheel)], check=True)
    shutil.copy(ROOT / "examples" / "gpt2.cat", place / "gpt2.cat")
    return place


def run(place: Path, *words: str) -> str:
    """A command of the installed wheel, in its folder, with a fresh cache of grammar tables."""
    environment = {**os.environ, "PYTHONPATH": str(place / "site"), "XDG_CACHE_HOME": str(place / "cache")}
    done = subprocess.run(
        [sys.executable, *words], cwd=place, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_wheel_is_what_runs(installed: Path) -> None:
    found = run(installed, "-c", "import catdl; print(catdl.__file__)").strip()
    assert Path(found).is_relative_to(installed / "site")


def test_it_ships_the_grammar_the_prelude_the_pages_and_the_types(installed: Path) -> None:
    package = installed / "site" / "catdl"
    assert (package / "grammar" / "catdl.lark").read_bytes() == (ROOT / "grammar" / "catdl.lark").read_bytes()
    shipped = {path.name for path in (package / "prelude").glob("*.cat")}
    assert shipped == {path.name for path in (ROOT / "catdl" / "prelude").glob("*.cat")}
    pages = {path.name for path in (package / "errors").iterdir()}
    assert pages == {path.name for path in (ROOT / "docs" / "errors").iterdir()}
    assert run(installed, "-m", "catdl", "explain", "E0401").startswith("E0401: ")
    schema = (package / "diagnostics" / "schema.json").read_bytes()
    assert schema == (ROOT / "docs" / "diagnostics.schema.json").read_bytes()
    assert (package / "py.typed").is_file()


def test_it_checks_and_compiles_gpt2(installed: Path) -> None:
    assert "no mistakes" in run(installed, "-m", "catdl", "check", "gpt2.cat")
    run(installed, "-m", "catdl", "compile", "gpt2.cat", "gpt2", "-o", "gpt2.py")
    source = (installed / "gpt2.py").read_text()
    compile(source, "gpt2.py", "exec")
    assert "class Gpt2(nn.Module)" in source
    assert "import catdl" not in source
