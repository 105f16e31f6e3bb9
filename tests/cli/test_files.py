"""Output files are written whole or not at all, and never over an input."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catdl.cli.files import refuse_output, write_whole
from catdl.diagnostics import OutputIsInput, OutputUnwritable


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "m.cat"
    path.write_text("dim D = 8\n")
    return path


def test_new_file(tmp_path: Path, spec: Path) -> None:
    out = tmp_path / "out.py"
    assert write_whole(str(out), b"x = 1\n", [str(spec)]) is None
    assert out.read_bytes() == b"x = 1\n"
    mask = os.umask(0)
    os.umask(mask)
    assert out.stat().st_mode & 0o777 == 0o666 & ~mask
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.cat", "out.py"]


def test_old_file_keeps_its_mode_and_a_link_its_target(tmp_path: Path) -> None:
    out, link = tmp_path / "out.py", tmp_path / "link.py"
    out.write_text("old")
    out.chmod(0o640)
    link.symlink_to(out)
    assert write_whole(str(link), b"new") is None
    assert link.is_symlink()
    assert out.read_bytes() == b"new"
    assert out.stat().st_mode & 0o777 == 0o640


def test_never_over_an_input(tmp_path: Path, spec: Path) -> None:
    symbolic, hard = tmp_path / "a.py", tmp_path / "b.py"
    symbolic.symlink_to(spec)
    hard.hardlink_to(spec)
    (tmp_path / "sub").mkdir()
    for path in (spec, symbolic, hard, tmp_path / "sub" / ".." / "m.cat"):
        assert isinstance(write_whole(str(path), b"x", [str(spec)]), OutputIsInput)
    assert spec.read_text() == "dim D = 8\n"


@pytest.mark.parametrize("name", [".", "none/out.py", "m.cat/out.py", "x" * 300, "a\0b"])
def test_what_cannot_be_written(tmp_path: Path, spec: Path, name: str) -> None:
    assert isinstance(write_whole(str(tmp_path / name), b"x", []), OutputUnwritable)
    assert [path.name for path in tmp_path.iterdir()] == ["m.cat"]
    assert spec.read_text() == "dim D = 8\n"


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.py"
    out.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    failed = write_whole(str(out), b"new")
    assert isinstance(failed, OutputUnwritable)
    assert failed.reason == "no space left on device"
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.py"]


def test_devices_are_written_to() -> None:
    assert write_whole(os.devnull, b"x") is None
    assert not Path(os.devnull).is_file()


def test_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert refuse_output("-", ["-"]) is None
    assert write_whole("-", b"x = 1\n", ["-"]) is None
    assert capfdbinary.readouterr().out == b"x = 1\n"
