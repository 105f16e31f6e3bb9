"""Specs and what the checker says of them, word for word.

    cases/NAME.cat   wrong on purpose: `# error[E0302]` ends each line at fault, NAME.err is the report
    good/NAME.cat    checks without a word; its morphism `main` is compiled and run on random inputs
    ../bugs          bugs that real models shipped with: NN-name.cat refused, NN-name.fixed.cat clean;
                     NAME.control.cat is correct though people took it for a bug

`pytest tests/check --update-golden` writes the reports anew; the marks in the specs stay what they are, so that an
error which has moved to another line fails all the same.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from catdl.diagnostics.text import render
from catdl.diagram.model import Wire
from catdl.driver import Spec, loads
from catdl.types.dtypes import storage
from catdl.types.sizes import evaluate, free_syms
from catdl.types.types import Leaf, axis_sizes

HERE = Path(__file__).parent
CASES = HERE / "cases"
GOOD = HERE / "good"
MODULES = HERE / "modules"
BUGS = HERE.parent / "bugs"

WRONG = sorted([*CASES.glob("*.cat"), *(p for p in BUGS.glob("*.cat") if len(p.suffixes) == 1)])
CLEAN = sorted([*GOOD.glob("*.cat"), *BUGS.glob("*.*.cat")])
MARK = re.compile(r"(?:error|warning)\[([EW]\d{4})\]")


def checked(path: Path, text: str | None = None) -> Spec:
    """A spec, its imports taken from `modules/`; its path is shown without the folder."""
    return loads(path.read_text(encoding="utf-8") if text is None else text, path=path.name, search=[MODULES])


def report(spec: Spec) -> str:
    """The report, without the folder of the modules."""
    return render(spec.diagnostics).replace(f"{MODULES}/", "")


def marks(text: str) -> list[tuple[int, str]]:
    """The line and code of every mark: they stand in the comment at the end of the line at fault."""
    return [
        (number, code)
        for number, line in enumerate(text.splitlines(), 1)
        for code in MARK.findall(line.rpartition("#")[2])
        if "#" in line
    ]


def found(spec: Spec) -> list[tuple[int, str]]:
    """The line and code of every mistake in the file itself."""
    here = spec.paths[0]
    return [
        (d.span.source.position(d.span.start)[0], d.code)
        for d in spec.diagnostics
        if d.span is not None and d.span.source.path == here
    ]


@pytest.mark.parametrize("path", WRONG, ids=lambda p: p.stem)
def test_wrong(path: Path, update_golden: bool) -> None:
    text = path.read_text(encoding="utf-8")
    spec = checked(path)
    assert spec.diagnostics, "nothing is wrong with it"
    assert sorted(found(spec)) == sorted(marks(text)), "\n" + report(spec)
    golden = path.with_suffix(".err")
    if update_golden:
        golden.write_text(report(spec), encoding="utf-8")
    assert golden.exists(), "no report yet: --update-golden writes it"
    assert report(spec) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", CLEAN, ids=lambda p: p.name)
def test_good(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    spec = checked(path)
    assert not spec.diagnostics, "\n" + report(spec)
    if "main" in spec.names:
        run(spec, text)


def test_orphans() -> None:
    """Every report belongs to a spec, and every corrected bug to a bug."""
    folders = (CASES, BUGS)
    reports = {p for folder in folders for p in folder.glob("*.err")}
    assert reports <= {p.with_suffix(".err") for p in WRONG}
    fixed = {p.name.removesuffix(".fixed.cat") for p in BUGS.glob("*.fixed.cat")}
    assert fixed == {p.stem for p in WRONG if p.parent == BUGS}


def test_table() -> None:
    """The table of the bugs has a row for each, with the codes that it is refused with."""
    table = (BUGS / "README.md").read_text(encoding="utf-8")
    rows = {
        int(number): codes for number, codes in re.findall(r"^\| (\d+) \|.*\|([^|]*)\|[^|]*\|$", table, re.MULTILINE)
    }
    for path in WRONG:
        if path.parent == BUGS:
            codes = {code for _, code in marks(path.read_text(encoding="utf-8"))}
            assert set(rows.pop(int(path.stem[:2])).split()) == codes
    assert set(rows.values()) <= {" - "}, "rows without a spec"


def free_sizes(leaves: list[Leaf], text: str) -> dict[str, int]:
    """A size for every free dim: from the `# input: [2, 3]` of each input, else a multiple of 8 of its own."""
    given = [json.loads(shape) for shape in re.findall(r"^# input: (\[.*\])$", text, re.MULTILINE)]
    dims: dict[str, int] = {}
    for leaf, shape in zip(leaves, given, strict=False):
        for size, value in zip(axis_sizes(leaf), shape, strict=True):
            names = free_syms(size)
            if len(names) == 1 and evaluate(size, dict.fromkeys(names, value)) == value:
                dims[next(iter(names))] = value
    for leaf in leaves:
        for size in axis_sizes(leaf):
            for name in sorted(free_syms(size)):
                dims.setdefault(name, 8 * (len(dims) + 1))
    return dims


def run(spec: Spec, text: str) -> None:
    """Run `main` on a batch of two; what comes out has the shapes of its type."""
    import torch

    diagram = spec["main"].diagram()
    ins, outs = ([diagram.wires[i] for i in side] for side in (diagram.inputs, diagram.outputs))
    dims = free_sizes([w.type for w in (*ins, *outs)], text)

    def shape(wire: Wire) -> tuple[int, ...]:
        inner = tuple(evaluate(size, dims) for size in axis_sizes(wire.type))
        return inner if wire.constant else (2, *inner)

    def sample(wire: Wire) -> torch.Tensor:
        match storage(wire.type.kind):
            case "int":
                assert wire.type.kind.size is not None
                return torch.randint(0, evaluate(wire.type.kind.size, dims), shape(wire))
            case "bool":
                return torch.rand(shape(wire)) < 0.5
            case _:
                return torch.randn(shape(wire))

    torch.manual_seed(0)
    result = spec["main"].compile()(*(sample(wire) for wire in ins))
    results = result if isinstance(result, tuple) else (result,)
    assert [tuple(r.shape) for r in results] == [shape(wire) for wire in outs]
