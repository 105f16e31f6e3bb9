"""Bases of equivariant linear maps: how many maps, in which time, and how exactly they commute with the group.

Each case is made by a fresh process, once, on one thread, after numpy is loaded: nothing is remembered. Tk is a tensor
of k axes of the group's own vectors. The error is the largest |g B - B g| of ten random elements g, in double
precision, in units of the largest number of g B where that is more than 1.

    python benchmarks/bases.py [--json] [--check]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from catdl.symmetry.actions import Act, Cyclic, Group, Matrices, Symmetric
from catdl.symmetry.ranks import rank

ERROR = 1e-12

# Group, axes of the input and of the result, maps, milliseconds at most.
CASES: dict[str, tuple[Group, int, int, int, float | None]] = {
    "S20 T2 -> T2": (Symmetric("N", 20), 2, 2, 15, 100.0),
    "S10 T2 -> T2": (Symmetric("N", 10), 2, 2, 15, None),
    "Z64 T1 -> T1": (Cyclic("Z", 64), 1, 1, 64, 10.0),
    "SO(3) T2 -> T2": (Matrices("SO", 3), 2, 2, 3, None),
    "SO(3) T3 -> T3": (Matrices("SO", 3), 3, 3, 15, 200.0),
    "O(5) T2 -> T2": (Matrices("O", 5), 2, 2, 3, 300.0),
    "SO+(1,3) T1 -> T1": (Matrices("ProperLorentz", 4), 1, 1, 1, None),
    "SO+(1,3) T1 -> T2": (Matrices("ProperLorentz", 4), 1, 2, 0, None),
    "SO+(1,3) T2 -> T2": (Matrices("ProperLorentz", 4), 2, 2, 4, None),
    "O(1,3) T2 -> T2": (Matrices("Lorentz", 4), 2, 2, 3, None),
}


def measured(name: str) -> dict[str, float]:
    """One case, in this process."""
    import numpy as np

    from catdl.symmetry.bases import basis
    from tests.symmetry.elements import error

    group, ins, outs, _, _ = CASES[name]
    sides = (Act(group),) * outs, (Act(group),) * ins
    start = time.perf_counter()
    maps = basis(group, *sides)
    taken = time.perf_counter() - start
    assert maps.dtype == np.float64 and len(maps) == rank(group, *sides)
    rng = np.random.default_rng(0)
    worst = max(error(rng, group, *sides, maps) for _ in range(10)) if len(maps) else 0.0
    return {"rank": len(maps), "ms": taken * 1e3, "error": worst}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case is not None:
        print(json.dumps(measured(given.case)))
        return 0
    root = Path(__file__).parent.parent
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    figures: dict[str, dict[str, float]] = {}
    for name in CASES:
        command = [sys.executable, __file__, "--case", name]
        done = subprocess.run(
            command, env={**os.environ, **one, "PYTHONPATH": path}, capture_output=True, text=True, check=True
        )
        figures[name] = json.loads(done.stdout)
    missed: list[str] = []
    for name, (_, _, _, maps, limit) in CASES.items():
        found = figures[name]
        if found["rank"] != maps:
            missed.append(f"{name}: {found['rank']:.0f} maps, not {maps}")
        if limit is not None and found["ms"] > limit:
            missed.append(f"{name}: {found['ms']:.1f} ms, at most {limit:.0f}")
        if found["error"] > ERROR:
            missed.append(f"{name}: an error of {found['error']:.1e}, at most {ERROR:.0e}")
    if given.json:
        print(json.dumps({"figures": figures, "missed": missed}, indent=2))
    else:
        for name, found in figures.items():
            print(f"{name:20}{found['rank']:>5.0f} maps{found['ms']:>9.1f} ms     error {found['error']:.1e}")
        print("\n".join(missed))
    return 1 if given.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
