"""What the commands say of files and of what is asked of them, word for word.

cases/NAME.sh is run beside copies of cases/files and must exit with 1; NAME.err is all that it prints. What the check
says of a spec stands in tests/check. `make golden` writes the reports anew.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.test_docs import Runner

CASES = Path(__file__).parent / "cases"
COMMANDS = sorted(CASES.glob("*.sh"))


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_command(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update_golden: bool) -> None:
    folder = tmp_path / "here"
    shutil.copytree(CASES / "files", folder)
    monkeypatch.chdir(folder)
    status, output = Runner(path.stem, folder).shell(path.read_text(encoding="utf-8").strip())
    assert status == 1, output
    golden = path.with_suffix(".err")
    if update_golden:
        golden.write_text(output, encoding="utf-8")
    assert golden.exists(), "no report yet: `make golden` writes it"
    assert output == golden.read_text(encoding="utf-8")


def test_orphans() -> None:
    assert {path.stem for path in CASES.glob("*.err")} == {path.stem for path in COMMANDS}
