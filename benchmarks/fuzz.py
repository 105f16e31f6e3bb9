"""It cannot be made to crash: commands on texts that nobody would write, under limits of time and memory.

Texts are made in five ways: slips in tokens and lines of every `.cat` text of the tree, damaged bytes, derivations of
the grammar, calls of prelude entries with arguments of all sorts, and families that grow (deep nesting, huge numbers,
repetition, recursion, thousands of things of one sort), each up to 64 KiB. Wanted: an exit status of 0 or 1, no
traceback, at most 2 seconds of the processor and 1 GiB of memory for a check. What is accepted is shown and compiled
as well, for some of the cases. A failure is tried again by a fresh process and told with as little of its text as
shows it.

    python benchmarks/fuzz.py [--n 100000] [--seed 0] [--start 0] [--no-families] [--jobs 1] [--json] [--check]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from itertools import chain
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the generators stand with the tests

from tests.fuzz.cases import generated, grown_families
from tests.fuzz.pool import Result, minimised, run_all

SHOWN = 2_000  # characters of a text
STRIDE = 5_000  # texts from one word of how far it is to the next


def row(found: Result, times: int) -> dict[str, Any]:
    text = found.case.text.decode("utf-8", "backslashreplace")
    return {
        "what": found.signature,
        "times": times,
        "case": found.case.name,
        "text": text if len(text) <= SHOWN else text[:SHOWN] + "…",
        "trace": found.trace,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000, help="generated texts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="the first of the generated texts, to go on from there")
    parser.add_argument("--no-families", action="store_true", help="generated texts alone")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 when anything fails")
    options = parser.parse_args()
    start = time.monotonic()
    families = () if options.no_families else grown_families()
    kinds: dict[str, dict[str, float]] = {}
    failures: dict[str, list[Result]] = {}
    slowest: tuple[float, str] = (0.0, "")
    cases = chain(families, generated(options.seed, options.start, options.n))
    for number, found in enumerate(run_all(cases, options.jobs), 1):
        if number % STRIDE == 0:
            told = f"{number} texts in {time.monotonic() - start:.0f} s, {len(failures)} kinds of failure"
            print(told, file=sys.stderr, flush=True)
        kind = "families" if "," in found.case.name else found.case.name.split()[0]
        mine = kinds.setdefault(kind, {"cases": 0, "accepted": 0, "refused": 0, "failed": 0, "seconds": 0.0})
        mine["cases"] += 1
        mine["seconds"] += found.seconds
        if found.status != "ok":
            mine["failed"] += 1
            if found.signature not in failures:
                print(f"{found.signature} ({found.case.name})", file=sys.stderr, flush=True)
            failures.setdefault(found.signature, []).append(found)
        else:
            mine["refused" if found.code else "accepted"] += 1
            slowest = max(slowest, (found.seconds, found.case.name))
    rows = [row(minimised(found[0]), len(found)) for found in failures.values()]
    total = int(sum(kind["cases"] for kind in kinds.values()))
    told = f"{total} texts, {len(rows)} kinds of failure; the slowest check took {slowest[0]:.2f} s ({slowest[1]})"
    if options.json:
        figures = {"kinds": kinds, "failures": rows, "slowest": slowest, "seconds": time.monotonic() - start}
        print(json.dumps(figures | {"wanted": [{"met": not rows, "text": told}]}, indent=2))
    else:
        print(f"{'':10} {'cases':>8} {'accepted':>9} {'refused':>8} {'failed':>7} {'ms each':>8}")
        for kind, mine in kinds.items():
            each = 1000 * mine["seconds"] / mine["cases"]
            counts = f"{mine['cases']:8} {mine['accepted']:9} {mine['refused']:8} {mine['failed']:7}"
            print(f"{kind:10} {counts} {each:8.2f}")
        for failure in rows:
            print(f"\n{failure['what']}, {failure['times']} times\n{failure['text']}\n{failure['trace']}")
    if options.check:
        print("met:   " if not rows else "MISSED:", told, file=sys.stderr)
        sys.exit(bool(rows))


if __name__ == "__main__":
    main()
