"""Which matrices of a file stand the other way round: some layers keep [in, out], where torch keeps [out, in].

Takes forms by key. The file itself tells: the bias beside a matrix has as many numbers as there are outputs. A square
matrix tells nothing; it goes with the layers of its own last name, else with all that tell, if these agree. Where
nothing tells it is as torch keeps it; where they disagree it is `unsure`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from catdl.record import record
from catdl.weights.held import Form


@record
class Turned:
    """The keys of the matrices that are transposed, and of those of which that is not known."""

    keys: frozenset[str]
    unsure: frozenset[str]


def turned(forms: Mapping[str, Form]) -> Turned:
    """What is known of the matrices of a file."""
    told: dict[str, bool] = {}
    square: list[str] = []
    for key, form in forms.items():
        before, dot, _ = key.rpartition(".")
        bias = forms.get(f"{before}{dot}bias")
        if len(form.shape) != 2 or bias is None or len(bias.shape) != 1:
            continue
        first, last = form.shape
        (outputs,) = bias.shape
        if first == last == outputs:
            square.append(key)
        elif outputs in form.shape:
            told[key] = last == outputs
    by_name: dict[str, set[bool]] = {}
    for key, turn in told.items():
        by_name.setdefault(_last(key), set()).add(turn)
    everywhere = set(told.values())
    verdicts = {key: _agreed(by_name.get(_last(key), everywhere)) for key in square}
    unsure = frozenset(key for key, verdict in verdicts.items() if verdict is None)
    return Turned(frozenset(key for key, turn in (*told.items(), *verdicts.items()) if turn), unsure)


def _agreed(verdicts: Iterable[bool]) -> bool | None:
    found = set(verdicts)
    return None if len(found) > 1 else True in found


def _last(key: str) -> str:
    """The name of the layer that a key belongs to."""
    return key.split(".")[-2] if "." in key else ""
