"""Texts: reading long ones of every shape, also those that nobody would write, and telling the mistakes in them.

The tests count the steps that Python takes, which show nothing of what one call does inside C: a pattern that goes back
over blanks, the lines of a text counted from its beginning for every mistake. Here it is timed: a text of each shape,
read and its mistakes rendered, and one ten times as long. Seconds of the processor, medians of interleaved runs.

    python benchmarks/texts.py [--count 2000] [--runs 5] [--json] [--check]
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable

from catdl.diagnostics.text import render
from catdl.source import Source
from catdl.syntax.parser import parse

TIMES = 10
LIMIT = 2.0  # time per character of the long text over that of the short one; 10 where it grows with the square
SLACK = 0.02  # seconds that are too short to compare
HEAD = "morphism m : A -> B = "
SHAPES: dict[str, Callable[[int], str]] = {
    "steps": lambda n: HEAD + " >> ".join(["relu"] * n),
    "lines": lambda n: HEAD + "\n    >> ".join(["relu"] * n),
    "calls": lambda n: HEAD + " >> ".join(["f(1)"] * n),
    "declarations": lambda n: "\n".join(f"dim A{i}" for i in range(n)),
    "statements": lambda n: HEAD + "{\n" + "x = y\n" * n + "x\n}",
    "comments": lambda n: "# c\n" * 9 * n + "dim A\n" + "## d\n" * 9 * n + "dim B",
    "blanks": lambda n: HEAD + "f" + " " * 99 * n,
    "blank lines": lambda n: HEAD + "f" + " \n" * 99 * n + "dim A",
    "mistakes": lambda n: "\n".join(["morphism f : A -> B = x >> >> y"] * (n // 10)),
    "mistakes on one line": lambda n: HEAD + "\t宽 § >> " * (n // 10),
    "broken statements": lambda n: HEAD + "{\n" + "x = = y\n" * (n // 10) + "x\n}",
    "stray brackets": lambda n: HEAD + "f" + ")" * n,
    "open brackets": lambda n: HEAD + "f" + "(" * n,
    "open braces": lambda n: "morphism m = {\n" * (n // 10),
}


def seconds(text: str) -> float:
    """Seconds of the processor to read a text and to tell its mistakes."""
    gc.collect()
    start = time.process_time()
    _, found = parse(Source("m.cat", text))
    render(found)
    return time.process_time() - start


def measure(count: int, runs: int) -> dict[str, tuple[float, float]]:
    """For every shape the medians of the short text and of the long one."""
    out: dict[str, tuple[float, float]] = {}
    for name, make in SHAPES.items():
        short, long = make(count), make(TIMES * count)
        seconds(make(100))
        pairs = [(seconds(short), seconds(long)) for _ in range(runs)]
        out[name] = (statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 when a wanted figure is missed")
    options = parser.parse_args()
    rows = measure(options.count, options.runs)
    growth = {name: long / short / TIMES for name, (short, long) in rows.items()}
    if options.json:
        print(json.dumps({name: {"short": a, "long": b, "growth": growth[name]} for name, (a, b) in rows.items()}))
    else:
        print(f"{'shape':22} {'short s':>9} {'long s':>9} {'growth':>7}")
        for name, (short, long) in rows.items():
            print(f"{name:22} {short:9.4f} {long:9.4f} {growth[name]:7.2f}")
    if options.check:
        missed = [name for name, (_, long) in rows.items() if long > SLACK and growth[name] > LIMIT]
        for name in missed:
            text = f"{name}: time per character grows by {growth[name]:.2f}, at most {LIMIT} is wanted"
            print("MISSED:", text, file=sys.stderr)
        if not missed:
            print(f"met:    {TIMES} times the text takes at most {TIMES * LIMIT:.0f} times as long", file=sys.stderr)
        sys.exit(bool(missed))


if __name__ == "__main__":
    main()
