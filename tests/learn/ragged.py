"""Samples that differ in size, in every form that files have, and learners on them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

import catdl
from catdl.driver import Trainable

TEXT = """
dim N : var set, E : var, A = 3, Class = 4
object Graph = (x: Real[N, A], source: Fin(N)[E], goal: Fin(N)[E])

morphism layer : Real[N, A] @ Fin(N)[E] @ Fin(N)[E] -> Real[N, A] = (x, source, goal) =>
    (x + propagate(x, source, goal)) >> linear >> tanh
morphism nodes : Graph -> Logits[N, Class] = (x, source, goal) => layer(x, source, goal) >> linear
morphism graphs : Graph -> Logits[Class] = (x, source, goal) => layer(x, source, goal) >> sum[N] >> linear
morphism each : Logits[N, Class] @ Fin(Class)[N] -> Mean = map[N](cross_entropy) >> mean_of
morphism right : Logits[N, Class] @ Fin(Class)[N] -> Mean = (x, label) => mean_of(real(argmax[Class](x) == label))

learner whole {
    data      = table("FILE", x = x, source = source, goal = goal, target = y SIZES)
    model     = graphs
    loss      = cross_entropy
    metrics   = [accuracy]
    optimizer = sgd(lr = 0.05, momentum = 0.9)
    stop      = epochs(2)
    batch     = 7
    precision = "float64"
}
learner parts {
    data      = table("FILE", x = x, source = source, goal = goal, target = z SIZES)
    model     = nodes
    loss      = each
    metrics   = [right]
    optimizer = sgd(lr = 0.05, momentum = 0.9)
    stop      = epochs(2)
    batch     = 7
    precision = "float64"
}
"""

COUNT = 23
Sample = dict[str, Any]


def samples() -> list[Sample]:
    """Graphs of 1 to 6 nodes, with as many edges as chance says, one with none."""
    draw = np.random.default_rng(0)
    found = []
    for k in range(COUNT):
        n = int(draw.integers(1, 7))
        e = 0 if k == 4 else int(draw.integers(1, 9))
        source, goal = draw.integers(0, n, (2, e))
        x, z = draw.normal(size=(n, 3)), draw.integers(0, 4, n)
        found.append({"x": x, "source": source, "goal": goal, "y": int(draw.integers(0, 4)), "z": z})
    return found


def packed(found: list[Sample], counted: bool = False) -> dict[str, np.ndarray[Any, Any]]:
    """All elements one after the other; with `counted` indices count through the file."""
    starts = np.cumsum([0, *(len(s["x"]) for s in found)])[:-1] if counted else np.zeros(len(found), int)
    moved = [{**s, "source": s["source"] + b, "goal": s["goal"] + b} for s, b in zip(found, starts, strict=True)]
    columns = {name: np.concatenate([s[name] for s in moved]) for name in ("x", "source", "goal", "z")}
    return {**columns, "y": np.array([s["y"] for s in found])}


def padded(found: list[Sample]) -> dict[str, np.ndarray[Any, Any]]:
    """A row for each sample, filled up with what no sample holds."""
    out = {"y": np.array([s["y"] for s in found])}
    for name in ("x", "source", "goal", "z"):
        rows = [np.asarray(s[name]) for s in found]
        array = np.full((len(rows), max(map(len, rows)) + 2, *rows[0].shape[1:]), 99, rows[0].dtype)
        for k, row in enumerate(rows):
            array[k, : len(row)] = row
        out[name] = array
    return out


def lengths(found: list[Sample]) -> dict[str, np.ndarray[Any, Any]]:
    """How many nodes and edges there are."""
    return {"nodes": np.array([len(s["x"]) for s in found]), "edges": np.array([len(s["source"]) for s in found])}


def learner(folder: Path, name: str, file: str, sizes: str = "", **settings: str) -> Trainable:
    """A learner of the spec on a file."""
    path = folder / "ragged.cat"
    path.write_text(TEXT.replace("FILE", file).replace(" SIZES", sizes), encoding="utf-8")
    spec = catdl.load(path)
    assert spec.diagnostics == [], [d.parts().message for d in spec.diagnostics]
    found = spec.learner(name)
    for field, value in settings.items():
        found = found.with_setting(field, None, value)
    return found


NAMED = ", N = nodes, E = edges"


def write(folder: Path, form: str) -> tuple[str, str]:
    """Write the samples in one form; the name of the file and what the spec says of sizes."""
    found = samples()
    many = lengths(found)
    starts = {name: np.cumsum([0, *values]) for name, values in many.items()}
    match form:
        case "lengths":
            columns, sizes = {**packed(found), **many}, NAMED
        case "offsets":
            columns, sizes = {**packed(found), **starts}, NAMED
        case "by name":
            columns, sizes = {**packed(found), "N": starts["nodes"], "E": many["edges"]}, ""
        case "counted":
            columns, sizes = {**packed(found, counted=True), **many}, NAMED
        case "padded":
            columns, sizes = {**padded(found), **many}, NAMED
        case "masks":
            wide = padded(found)
            masks = {
                "nodes": np.arange(wide["x"].shape[1]) < many["nodes"][:, None],
                "edges": np.arange(wide["source"].shape[1]) < many["edges"][:, None],
            }
            columns, sizes = {**wide, **masks}, NAMED
        case "mixed":  # nodes in rows of their own, edges one after the other
            flat = packed(found)
            columns = {**padded(found), "source": flat["source"], "goal": flat["goal"], **many}
            sizes = NAMED
        case "safetensors" | "safetensors, padded":
            columns = {**(padded if "padded" in form else packed)(found), **many}
            save_file(columns, folder / "graphs.safetensors")
            return "graphs.safetensors", NAMED
        case "parquet":
            lists(folder / "graphs.parquet", found)
            return "graphs.parquet", ""
        case _:
            raise ValueError(form)
    np.savez(folder / "graphs.npz", **columns)  # type: ignore[arg-type]
    return "graphs.npz", sizes


def lists(path: Path, found: list[Sample], change: Mapping[str, Any] | None = None) -> None:
    """A file of lists."""
    import pyarrow as pa  # type: ignore[import-not-found,import-untyped,unused-ignore]
    import pyarrow.parquet as pq  # type: ignore[import-not-found,import-untyped,unused-ignore]

    columns = {name: [np.asarray(s[name]).tolist() for s in found] for name in found[0]}
    pq.write_table(pa.table({**columns, **(change or {})}), path)
