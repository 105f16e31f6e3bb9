"""Files that are no good files: what is asked for is told, and nothing waits for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from catdl.check.work import TEXT_LIMIT
from catdl.driver import load, loads


def codes(path: Path) -> list[str]:
    return [mistake.code for mistake in load(path).diagnostics]


def wrote(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.cat")
    main = wrote(tmp_path / "main.cat", "from pipe import f\n")
    for path, code in ((tmp_path / "pipe.cat", "E0801"), (main, "E0104")):
        done = subprocess.run(
            [sys.executable, "-m", "catdl", "check", str(path)], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 1
        assert code in done.stdout


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/urandom"])
def test_devices(device: str) -> None:
    assert codes(Path(device)) == ["E0801"]


def test_folders_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.cat").mkdir()
    assert codes(tmp_path / "x.cat") == ["E0801"]
    assert codes(tmp_path / "none.cat") == ["E0801"]
    assert codes(tmp_path / "a\0b.cat") == ["E0801"]
    assert codes(tmp_path / ("long" * 2000)) == ["E0801"]
    assert codes(wrote(tmp_path / "main.cat", "from x import f\n")) == ["E0104"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = wrote(tmp_path / "a.cat", "dim D\n")
    path.chmod(0)
    assert codes(path) == ["E0801"]


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.cat").symlink_to("b.cat")
    (tmp_path / "b.cat").symlink_to("a.cat")
    assert codes(tmp_path / "a.cat") == ["E0801"]
    assert codes(wrote(tmp_path / "main.cat", "from a import f\n")) == ["E0104"]


def test_a_folder_in_itself(tmp_path: Path) -> None:
    (tmp_path / "d").symlink_to(".")
    assert codes(wrote(tmp_path / "a.cat", "from d.a import f\nmorphism f : Real[2] -> Real[2] = relu\n"))
    path = wrote(tmp_path / "b.cat", f"from {'d.' * 200}b import f\n")
    assert codes(path)


def test_imports_in_a_circle(tmp_path: Path) -> None:
    assert "E0106" in codes(wrote(tmp_path / "me.cat", "from me import f\n"))
    for i in range(300):
        wrote(tmp_path / f"m{i}.cat", f"from m{(i + 1) % 300} import f\n")
    assert "E0106" in codes(tmp_path / "m0.cat")


def test_imports_in_a_row(tmp_path: Path) -> None:
    for i in range(500):
        wrote(tmp_path / f"r{i}.cat", f"from r{i + 1} import f\n")
    wrote(tmp_path / "r500.cat", "morphism f : Real[2] -> Real[2] = relu\n")
    assert codes(tmp_path / "r0.cat") == []


def test_a_file_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "long.cat"
    with path.open("wb") as file:
        file.truncate(TEXT_LIMIT + 1)
    assert codes(path) == ["E0801"]
    assert "16 777 216 bytes" in load(path).diagnostics[0].parts().message
    assert [d.code for d in loads(" " * (TEXT_LIMIT + 1)).diagnostics] == ["E0806"]


@pytest.mark.parametrize(
    "data", [b"\xff" * 70_000, b"\x00" * 70_000, b"\xef\xbb\xbf" * 9000, b"\r" * 70_000, b"dim D" + b"\r\n" * 9]
)
def test_bytes_that_are_no_text(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.cat"
    path.write_bytes(data)
    assert set(codes(path)) <= {"E0802", "E0806", "E0002"}
