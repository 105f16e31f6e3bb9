"""Texts as samples: no byte is lost, each has its next, and what cannot be cut is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import catdl
from catdl.driver import CheckError
from catdl.learn.samples import Samples

TEXT = "one wolf is no pack.\n\nwhere it is green, it has rained.\nas the ö, so the ü.\n".encode()

SPEC = """
dim T : {role}, Fixed = 7, Byte = 256, D = 4
morphism net : Fin(Byte)[{axis}] -> Logits[{axis}, Byte] = embed(D) >> linear
learner l {{
    data      = text("a.txt", {cut}input = text, target = next)
    model     = net
    loss      = cross_entropy
    optimizer = adam
    stop      = epochs(1)
}}
"""


def samples(folder: Path, cut: str = "", role: str = "time", axis: str = "T", text: bytes = TEXT) -> Samples:
    (folder / "a.txt").write_bytes(text)
    (folder / "a.cat").write_text(SPEC.format(cut=cut, role=role, axis=axis), encoding="utf-8")
    spec = catdl.load(folder / "a.cat")
    if any(d.code.startswith("E") for d in spec.diagnostics):
        raise CheckError(spec.diagnostics)
    return spec.learner("l").run().data.learn


def rows(found: Samples, index: list[int]) -> list[tuple[bytes, bytes]]:
    here, following = found.take(torch.tensor(index)).inputs
    assert isinstance(here, torch.Tensor) and isinstance(following, torch.Tensor)
    return [(bytes(a), bytes(b)) for a, b in zip(here.tolist(), following.tolist(), strict=True)]


@pytest.mark.parametrize(("cut", "axis", "window", "every"), [
    ("window = 10, ", "T", 10, 10), ("window = 10, every = 3, ", "T", 10, 3), ("", "Fixed", 7, 7),
    ("every = 1, ", "Fixed", 7, 1), (f"window = {len(TEXT) - 1}, ", "T", len(TEXT) - 1, 1),
])  # fmt: skip
def test_every_byte_is_in_a_window_and_has_its_next(
    tmp_path: Path, cut: str, axis: str, window: int, every: int
) -> None:
    found = samples(tmp_path, cut, axis=axis)
    last = len(TEXT) - 1 - window
    starts = [*range(0, last, every), last]
    assert found.lazy and found.count == len(starts)
    assert rows(found, list(range(found.count))) == [
        (TEXT[k : k + window], TEXT[k + 1 : k + 1 + window]) for k in starts
    ]
    assert rows(found, [found.count - 1, 0])[1] == (TEXT[:window], TEXT[1 : window + 1])


def test_lines_are_samples_of_different_size(tmp_path: Path) -> None:
    found = samples(tmp_path, role="var")
    lines = [line for line in TEXT.split(b"\n") if line]
    assert found.count == 3
    batch = found.take(torch.tensor([2, 0]))
    assert batch.offsets["T"].tolist() == [0, len(lines[2]), len(lines[2]) + len(lines[0])]
    here, following = batch.inputs
    assert isinstance(here, torch.Tensor) and isinstance(following, torch.Tensor)
    assert bytes(here.tolist()) == lines[2] + lines[0]
    assert bytes(following.tolist()) == lines[2][1:] + b"\n" + lines[0][1:] + b"\n"


@pytest.mark.parametrize(
    ("cut", "axis", "text", "words"),
    [
        ("", "T", TEXT, "needs `window`"),
        ("window = 0, ", "T", TEXT, "whole number of bytes"),
        ("window = 9, ", "Fixed", TEXT, "has 9 along axis 1"),
        ("window = 9, ", "T", TEXT[:9], "it has 9 bytes"),
        ("window = 9, ", "T", b"", "it has 0 bytes"),
    ],
)
def test_what_cannot_be_cut_is_told(tmp_path: Path, cut: str, axis: str, text: bytes, words: str) -> None:
    with pytest.raises(CheckError, match=words):
        samples(tmp_path, cut, axis=axis, text=text)


def test_a_text_that_is_not_there_or_has_no_lines_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="no lines"):
        samples(tmp_path, role="var", text=b"\n\n")
    (tmp_path / "a.txt").unlink()
    with pytest.raises(CheckError, match="no such file"):
        catdl.load(tmp_path / "a.cat").learner("l").run()
