"""Scale: checking and compiling 10^2 to 10^5 boxes, beside lark's bare parse of the same text and beside DisCoPy.

Three shapes: a chain in one expression (`relu >> relu >> ...`), a chain over declarations (`m1 = m0 >> relu`, ...), a
tensor (`relu @ relu @ ...` on `Real[D]^N`). Times are seconds of the processor, of one process, medians of interleaved
runs. `check` is all of it: text to diagrams. `lark` is `Lark.parse` with its own LALR parser and contextual lexer on
the same grammar (whose NL token is all the layout these texts have), tables made beforehand; it builds lark's tree,
without positions. `source` is the PyTorch text of the checked diagram. DisCoPy composes `f >> f >> ...`, box by box, as
long as a run may be expected to end within a minute.

    python benchmarks/scale.py [--sizes 100,1000,10000,100000] [--runs 3] [--shapes chain,...] [--json] [--check]
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from lark import Lark

import catdl
from catdl.syntax.tables import grammar_text

GROWTH_LIMIT = 1.3  # time per box at the largest size, over that at 1000
PARSE_LIMIT = 3.0  # the whole check over lark's bare parse
FROM = 1_000
PATIENCE = 60.0  # seconds that a run of DisCoPy may be expected to take


def chain(count: int) -> str:
    return "dim D = 8\nmorphism last : Real[D] -> Real[D] = " + " >> ".join(["relu"] * count) + "\n"


def declarations(count: int) -> str:
    lines = ["dim D = 8", "morphism m0 : Real[D] -> Real[D] = relu"]
    lines += [f"morphism m{i} : Real[D] -> Real[D] = m{i - 1} >> relu" for i in range(1, count - 1)]
    lines.append(f"morphism last : Real[D] -> Real[D] = m{count - 2} >> relu")
    return "\n".join(lines) + "\n"


def tensor(count: int) -> str:
    return f"dim D = 8\nmorphism last : Real[D]^{count} -> Real[D]^{count} = " + " @ ".join(["relu"] * count) + "\n"


SHAPES: dict[str, Callable[[int], str]] = {"chain": chain, "declarations": declarations, "tensor": tensor}


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the processor that some work takes, and what it makes; what earlier work left is cleared first."""
    gc.collect()
    start = time.process_time()
    made = work()
    return time.process_time() - start, made


def ours(text: str) -> tuple[float, float]:
    """Seconds to check a text, and to print the source of its last morphism."""
    check, spec = seconds(lambda: catdl.loads(text))
    assert not spec.diagnostics, spec.diagnostics[0]
    return check, seconds(lambda: spec["last"].source())[0]


def composed(count: int) -> float | None:
    """Seconds that DisCoPy takes to compose boxes in a row; None where it is not installed."""
    try:
        from discopy.monoidal import Box, Ty
    except ImportError:
        return None
    box = Box("f", Ty("x"), Ty("x"))

    def work() -> object:
        diagram = box
        for _ in range(count - 1):
            diagram = diagram >> box
        return diagram

    return seconds(work)[0]


def measure(shapes: list[str], sizes: list[int], runs: int) -> list[dict[str, Any]]:
    """Medians for every shape and size; small sizes are run more often."""
    lark = Lark(grammar_text(), parser="lalr", start="start")
    rows: list[dict[str, Any]] = []
    for shape in shapes:
        catdl.loads(SHAPES[shape](10))["last"].source()
        lark.parse(SHAPES[shape](10))
        found: dict[int, list[tuple[float, float, float]]] = {size: [] for size in sizes}
        for turn in range(runs * 5):
            for size in sizes:
                if turn >= runs and size > FROM:
                    continue
                text = SHAPES[shape](size)
                parse, check_source = seconds(lambda text=text: lark.parse(text))[0], ours(text)  # type: ignore[misc]
                found[size].append((parse, *check_source))
        for size, triples in found.items():
            parse, check, source = (statistics.median(column) for column in zip(*triples, strict=True))
            row = {"shape": shape, "boxes": size, "lark": parse, "check": check, "source": source}
            rows.append(row | {"check_per_box": check / size, "check_over_lark": check / parse})
    return rows


def beside(sizes: list[int]) -> dict[int, float | None]:
    """What DisCoPy takes for a chain; None from where it would take too long. Its time grows with the square."""
    out: dict[int, float | None] = {}
    last: tuple[int, float] | None = None
    for size in sizes:
        expected = last[1] * (size / last[0]) ** 2 if last is not None else 0.0
        taken = composed(size) if expected <= PATIENCE else None
        last = (size, taken if taken is not None else expected)
        out[size] = taken
    return out


def verdicts(rows: list[dict[str, Any]]) -> list[tuple[bool, str]]:
    """Each figure that is wanted: whether it is met, and in words."""
    out: list[tuple[bool, str]] = []
    for shape in dict.fromkeys(row["shape"] for row in rows):
        mine = {row["boxes"]: row for row in rows if row["shape"] == shape}
        most = max(mine)
        if FROM in mine and most > FROM:
            growth = mine[most]["check_per_box"] / mine[FROM]["check_per_box"]
            text = (
                f"{shape}: time per box at {most} is {growth:.2f} of that at {FROM}, at most {GROWTH_LIMIT} is wanted"
            )
            out.append((growth <= GROWTH_LIMIT, text))
        size, worst = max(((size, row["check_over_lark"]) for size, row in mine.items()), key=lambda pair: pair[1])
        text = f"{shape}: the check takes at most {worst:.2f} of lark's parse (at {size}), {PARSE_LIMIT} is wanted"
        out.append((worst <= PARSE_LIMIT, text))
    return out


def show(rows: list[dict[str, Any]], discopy: dict[int, float | None]) -> None:
    heads = f"{'check s':>9} {'us/box':>8} {'lark s':>9} {'/ lark':>7} {'source s':>9} {'discopy s':>10}"
    print(f"{'shape':13} {'boxes':>7} {heads}")
    for row in rows:
        other = ""
        if row["shape"] == "chain" and discopy:
            taken = discopy[row["boxes"]]
            other = "too long" if taken is None else f"{taken:.3f}"
        check = f"{row['check']:9.4f} {row['check_per_box'] * 1e6:8.1f}"
        lark = f"{row['lark']:9.4f} {row['check_over_lark']:7.2f}"
        print(f"{row['shape']:13} {row['boxes']:7} {check} {lark} {row['source']:9.4f} {other:>10}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100,1000,10000,100000")
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument(
        "--runs", type=int, default=3, help="of the larger sizes; small ones are run five times as often"
    )
    parser.add_argument("--no-discopy", action="store_true")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 when a wanted figure is missed")
    options = parser.parse_args()
    sizes = sorted({int(size) for size in options.sizes.split(",")})
    rows = measure(options.shapes.split(","), sizes, options.runs)
    discopy = {} if options.no_discopy else beside(sizes)
    told = verdicts(rows)
    if options.json:
        wanted = [{"met": met, "text": text} for met, text in told]
        print(json.dumps({"rows": rows, "discopy": discopy, "wanted": wanted}, indent=2))
    else:
        show(rows, discopy)
    if options.check:
        for met, text in told:
            print("met:   " if met else "MISSED:", text, file=sys.stderr)
        sys.exit(not all(met for met, _ in told))


if __name__ == "__main__":
    main()
