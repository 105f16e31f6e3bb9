"""The curves of a run: what its log says, drawn over the epochs.

Takes the rows of log.jsonl; needs matplotlib, and gives the bytes of a picture, the same for the same log.

    drawn(rows("runs/digits/log.jsonl"), "digits", "svg")
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from catdl.learn.stopping import better

Rows: TypeAlias = Sequence[dict[str, Any]]

FORMATS = ("svg", "png", "pdf")
_BESIDE = ("epoch", "step", "seconds")  # what is no curve
_WIDTH = 3  # panels side by side


def rows(path: Path) -> Rows:
    """The epochs of a log; what was cut off at its end is left out. Raises OSError."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            break
        found.append(row)
    return found


def panels(log: Rows) -> dict[str, tuple[str, ...]]:
    """What is drawn together, by title: the losses, then every metric, then the learning rate where it changes."""
    names = list(dict.fromkeys(name for row in log for name in row if name not in _BESIDE))
    losses = tuple(name for name in ("learned", "loss") if name in names)
    if all(row.get("learned") == row.get("loss") for row in log):
        losses = losses[1:]  # no other data are looked at
    metrics = [name for name in names if name not in ("learned", "loss", "rate")]
    steady = len({row.get("rate") for row in log}) < 2
    return {
        **({"loss": losses} if losses else {}),
        **{name: (name,) for name in metrics},
        **({} if steady else {"learning rate": ("rate",)}),
    }


def drawn(log: Rows, title: str, form: str) -> bytes:
    """A picture with a panel for the losses and one for each metric; the best epoch of each is marked.

    Raises ImportError where there is no matplotlib.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    shown = panels(log)
    width = min(_WIDTH, len(shown))
    height = math.ceil(len(shown) / width)
    style: dict[Any, Any] = {
        "svg.hashsalt": "catdl",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 9,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(4.2 * width, 3 * height), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title)
        for place, (name, curves) in enumerate(shown.items()):
            axes = figure.add_subplot(height, width, place + 1)
            axes.set_title(name)
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
            for number, curve in enumerate(curves):
                points = [(row["epoch"], row[curve]) for row in log if row.get(curve) is not None]
                label = {"learned": "while learning", "loss": "looked at"}.get(curve, curve) if curves[1:] else curve
                mark = "o" if len(points) == 1 else None
                axes.plot(*zip(*points, strict=True), color=f"C{number}", label=label, linewidth=1.5, marker=mark)
                if curve not in ("learned", "rate"):
                    epoch, value = best(points, curve)
                    text = f"{value:.4g}, epoch {epoch}"
                    axes.plot([epoch], [value], "o", color=f"C{number}", markersize=4, label=text)
            if positive(log, curves):
                axes.set_yscale("log")
            if name != "learning rate":
                axes.legend(frameon=False, fontsize=8)
        file = io.BytesIO()
        figure.savefig(file, format=form, dpi=150, metadata=_undated(form))
    return file.getvalue()


def best(points: Sequence[tuple[int, float]], curve: str) -> tuple[int, float]:
    """The epoch at which a measure was best, the first of several."""
    found = points[0]
    for point in points[1:]:
        if better(curve, point[1], found[1]):
            found = point
    return found


def positive(log: Rows, curves: Sequence[str]) -> bool:
    """Whether losses span so many sizes that their logarithms show more."""
    if "loss" not in curves and "learned" not in curves:
        return False
    values = [row[curve] for row in log for curve in curves if row.get(curve) is not None]
    return bool(min(values) > 0 and max(values) / min(values) > 20)


def _undated(form: str) -> dict[str, Any]:
    return {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form, {})
