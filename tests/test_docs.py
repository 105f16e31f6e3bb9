"""Runs every code block of the README and of docs/, page by page, from top to bottom, in a folder of its own.

The word after the fence says what a block is:

    cat                   is checked, and must be clean; `# name.cat` as its first line keeps it as that file
    cat continued         the same, together with the cat block before it
    cat error [E0301]     must be refused [with that code]
    cat warning [W0901]   the same, where a warning is what it gets
    python                runs; the blocks of a page share their names
    console               each `$ command` runs and must succeed, and its output must be what stands below it
    console fails         the same, for commands that exit with 1
    text, or nothing      is no code

In an expected output `...` stands for any text, alone on its line for any lines. The folder holds a copy of examples/.
`CATDL_WRITE_DOCS=1 pytest tests/test_docs.py` writes the true outputs into the pages (`make golden` does so, too).
A line that is nothing but a `catdl` command with plain arguments runs in this process, which takes a tenth of the time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from catdl.cli import catdl

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCE = re.compile(r"^```(.*)$")
FILE_NAME = re.compile(r"# ([\w/-]+\.cat)\n")
CODE = re.compile(r"[EW]\d{4}")
IN_PROCESS = re.compile(r"catdl(?: [\w./-]+)+")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the words after the fence, its text, and the number of its first line (from 1)."""

    words: tuple[str, ...]
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Command:
    """One `$ command` of a console block, and what should come out."""

    shell: str
    output: str


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    words: tuple[str, ...] | None = None
    lines: list[str] = []
    start = 0
    for number, line in enumerate(page.splitlines(), 1):
        fence = FENCE.match(line)
        if fence is None:
            lines.append(line)
        elif words is None:
            words, lines, start = tuple(fence[1].split()), [], number + 1
        else:
            yield Block(words, "".join(f"{line}\n" for line in lines), start)
            words = None
    assert words is None, f"the block that starts on line {start} has no end"


def commands(block: Block) -> list[Command]:
    """The commands of a console block, each with the lines below it."""
    before, *parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not before, f"line {block.line}: a console block starts with `$ `"
    return [Command(shell, output) for shell, _, output in (part.partition("\n") for part in parts)]


def matches(expected: str, found: str) -> bool:
    """Whether an output is the expected one, spaces at the ends of lines aside."""
    parts = []
    for line in expected.rstrip().splitlines():
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*")
        else:
            parts.append(".*".join(re.escape(piece) for piece in line.rstrip().split("...")) + r"\n")
    return re.fullmatch("".join(parts), tidy(found)) is not None


def tidy(output: str) -> str:
    """An output without spaces at the ends of lines and empty lines at its end."""
    return "".join(f"{line.rstrip()}\n" for line in output.rstrip().splitlines())


class Runner:
    """Runs the blocks of one page in `folder`; `outputs` collects what the commands of each block printed."""

    def __init__(self, page: str, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.names: dict[str, object] = {"__name__": "__page__"}
        self.cat = ""
        self.count = 0
        self.outputs: dict[int, str] = {}
        tools = folder.parent / f"{folder.name}-bin"
        tools.mkdir()
        for name, arguments in (("python", '"$@"'), ("catdl", "-c 'from catdl.cli import main; main()' \"$@\"")):
            (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}\n')
            (tools / name).chmod(0o755)
        path = os.pathsep.join([str(tools), os.environ["PATH"]])
        self.environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "100"}

    def run(self, block: Block) -> None:
        """Dispatches on the first word."""
        match block.words:
            case () | ("text",):
                pass
            case ("cat",):
                self.check(block, block.text)
            case ("cat", "continued"):
                self.check(block, self.cat + block.text)
            case ("cat", "error" | "warning" as word):
                self.check(block, block.text, word)
            case ("cat", "error" | "warning" as word, code) if CODE.fullmatch(code):
                self.check(block, block.text, word, code)
            case ("python",):
                exec(compile("\n" * (block.line - 1) + block.text, self.page, "exec"), self.names)
            case ("console",):
                self.console(block, status=0)
            case ("console", "fails"):
                self.console(block, status=1)
            case _:
                pytest.fail(f"{self.page}:{block.line}: no block is called `{' '.join(block.words)}`")

    def check(self, block: Block, text: str, word: str = "no mistakes", code: str = "") -> None:
        """Writes a spec down and has `catdl check` look at it: `word` is what it must say, of that code."""
        self.count += 1
        self.cat = text
        named = FILE_NAME.match(text)
        name = named[1] if named else f"block{self.count}.cat"
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")
        status, output = self.shell(f"catdl check {name}")
        assert status == int(word == "error"), f"{self.page}:{block.line}: `catdl check` exits with {status}\n{output}"
        told = f"{word}[{code}]" if code else word
        assert told in output, f"{self.page}:{block.line}: no {told} in\n{output}"

    def console(self, block: Block, status: int) -> None:
        """Runs the commands and compares what they print."""
        lines = []
        for command in commands(block):
            found, output = self.shell(command.shell)
            assert found == status, f"{self.page}:{block.line}: `{command.shell}` exits with {found}\n{output}"
            same = matches(command.output, output)
            if not same and "CATDL_WRITE_DOCS" not in os.environ:
                pytest.fail(f"{self.page}:{block.line}: `{command.shell}` prints\n{output}")
            lines.append(f"$ {command.shell}\n{command.output if same else tidy(output)}")
        self.outputs[block.line] = "".join(lines)

    def shell(self, command: str) -> tuple[int, str]:
        """Exit status, and standard output and error together."""
        if IN_PROCESS.fullmatch(command):
            done = CliRunner().invoke(catdl, command.split()[1:], catch_exceptions=False)
            return done.exit_code, done.output
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        return result.returncode, result.stdout


def rewritten(page: str, found: list[Block], outputs: dict[int, str]) -> str:
    """The page with the outputs of its console blocks put in."""
    lines = page.splitlines(keepends=True)
    for block in reversed(found):
        if block.line in outputs:
            size = len(block.text.splitlines())
            lines[block.line - 1 : block.line - 1 + size] = [outputs[block.line]]
    return "".join(lines)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    shutil.copytree(ROOT / "examples", folder / "examples")
    monkeypatch.chdir(folder)
    page = path.read_text(encoding="utf-8")
    found = list(blocks(page))
    runner = Runner(str(path.relative_to(ROOT)), folder)
    for block in found:
        runner.run(block)
    if "CATDL_WRITE_DOCS" in os.environ:
        path.write_text(rewritten(page, found, runner.outputs), encoding="utf-8")


PAGE = """\
```console
$ echo one; echo two
one
...
$ echo it took 12 ms
it took ... ms
```

```python
x = 1
```

```python
assert x == 1
```

```console fails
$ echo no; exit 1
yes
```
"""


def test_a_page_is_cut_into_blocks() -> None:
    found = list(blocks(PAGE))
    assert [(block.words, block.line) for block in found] == [
        (("console",), 2),
        (("python",), 10),
        (("python",), 14),
        (("console", "fails"), 18),
    ]
    assert commands(found[0]) == [
        Command("echo one; echo two", "one\n...\n"),
        Command("echo it took 12 ms", "it took ... ms\n"),
    ]


def test_a_wrong_output_fails_and_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    monkeypatch.delenv("CATDL_WRITE_DOCS", raising=False)
    *good, bad = list(blocks(PAGE))
    runner = Runner("page", folder)
    for block in good:
        runner.run(block)
    with pytest.raises(pytest.fail.Exception, match="prints\nno"):
        runner.run(bad)
    monkeypatch.setenv("CATDL_WRITE_DOCS", "1")
    runner.run(bad)
    assert rewritten(PAGE, [*good, bad], runner.outputs) == PAGE.replace("yes", "no")


def test_an_unknown_block_fails(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="no block is called `ruby`"):
        Runner("page", tmp_path).run(Block(("ruby",), "", 1))


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        ("a\nb\n", "a  \nb\n\n", True),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nd\n", True),
        ("took ... ms\n", "took 3 ms\n", True),
        ("took ... ms\n", "took 3 s\n", False),
        ("", "a\n", False),
        ("a\n", "", False),
    ],
)
def test_outputs_match(expected: str, found: str, same: bool) -> None:
    assert matches(expected, found) is same
