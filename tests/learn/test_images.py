"""Folders of images: classes in the order of their names, size and channels as the spec says, or the file is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import catdl
from catdl.driver import CheckError

Image = pytest.importorskip("PIL.Image")

SPEC = """
dim H = 4, W = 6, Class = 2
morphism seen : Real[PORT] -> Logits[Class] = flatten >> linear
learner pets {
    data      = images("pets", input = image / 255, target = label)
    model     = seen
    loss      = cross_entropy
    optimizer = adamw(lr = 0.01)
    stop      = epochs(1)
}
"""
DRAW = np.random.default_rng(0)
COLOUR = {f"{name}/{k}.png": DRAW.integers(0, 256, (4, 6, 3), np.uint8) for name in ("dog", "cat") for k in range(20)}


def write(folder: Path, arrays: dict[str, Any]) -> None:
    for name, array in arrays.items():
        path = folder / "pets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(array, bytes):
            path.write_bytes(array)
        else:
            (array if isinstance(array, Image.Image) else Image.fromarray(array)).save(path)


def learner(folder: Path, port: str = "C: 3, H, W") -> Any:
    (folder / "spec.cat").write_text(SPEC.replace("PORT", port))
    spec = catdl.load(folder / "spec.cat")
    assert spec.diagnostics == [], [d.parts().message for d in spec.diagnostics]
    return spec.learner("pets")


def test_images_are_what_was_written(tmp_path: Path) -> None:
    write(tmp_path, COLOUR)
    samples = learner(tmp_path).run().data.learn
    assert samples.count == 40 and samples.lazy
    files = sorted(COLOUR, key=lambda name: (name.partition("/")[0], name))
    images, labels = samples.take(torch.arange(40)).inputs
    assert labels.tolist() == [0] * 20 + [1] * 20  # cat comes before dog
    for name, image in zip(files, images, strict=True):
        torch.testing.assert_close(image, torch.from_numpy(COLOUR[name]).permute(2, 0, 1) / 255)


@pytest.mark.parametrize("port", ["H, W", "C: 1, H, W"])
def test_grey_images(tmp_path: Path, port: str) -> None:
    grey = {name: array[..., 0] for name, array in COLOUR.items()}
    grey["cat/0.png"] = Image.fromarray(grey["cat/0.png"] > 99)  # black and white is grey, too
    write(tmp_path, grey)
    images, _ = learner(tmp_path, port).run().data.learn.take(torch.tensor([1, 0])).inputs
    assert images.shape == (2, *([1] if "C" in port else []), 4, 6)
    torch.testing.assert_close(images[0].squeeze(0), torch.from_numpy(grey["cat/1.png"]) / 255)
    assert set(images[1].unique().tolist()) <= {0.0, 1.0}


def test_colours_by_number_are_colours(tmp_path: Path) -> None:
    write(tmp_path, COLOUR | {"cat/0.png": Image.fromarray(COLOUR["cat/0.png"]).quantize(8)})
    (image,) = learner(tmp_path).run().data.learn.take(torch.tensor([0])).inputs[:1]
    assert image.shape == (1, 3, 4, 6)


@pytest.mark.parametrize(
    ("changes", "port", "words"),
    [
        (
            {"dog/7.png": COLOUR["dog/7.png"][:3]},
            "C: 3, H, W",
            "dog/7.png has 3×3×6, and `input` is `Real[C: 3,",
        ),
        ({"dog/7.png": COLOUR["dog/7.png"][..., 0]}, "C: 3, H, W", "dog/7.png is grey, and `input` is"),
        ({}, "H, W", "cat/0.png is in colours, and `input` is `Real[H: 4, W: 6]`"),
        ({"cat/19.png": b"no image"}, "C: 3, H, W", "cat/19.png: it is no whole image"),
        ({"fish/0.png": COLOUR["cat/0.png"]}, "C: 3, H, W", "there are 3 folders, and `target` is `Fin(2)`"),
        ({"0.png": COLOUR["cat/0.png"]}, "C: 3, H, W", "0.png is in the folder of no class"),
    ],
)
def test_what_does_not_fit_is_told_with_its_file(
    tmp_path: Path, changes: dict[str, Any], port: str, words: str
) -> None:
    write(tmp_path, COLOUR | changes)
    with pytest.raises(CheckError, match=re.escape(words)):
        learner(tmp_path, port).fit()


def test_folders_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="there is no such folder"):
        learner(tmp_path).run()
    write(tmp_path, COLOUR)
    (tmp_path / "pets" / "cat").rename(tmp_path / "pets" / ".cat")
    (tmp_path / "pets" / "bird").mkdir()
    with pytest.raises(CheckError, match="there are no images in bird"):
        learner(tmp_path).run()


def test_columns_of_images_are_two(tmp_path: Path) -> None:
    (tmp_path / "spec.cat").write_text(SPEC.replace("PORT", "C: 3, H, W").replace("= label", "= labels"))
    (mistake,) = catdl.load(tmp_path / "spec.cat").diagnostics
    assert "`labels` is no column of images" in mistake.parts().message


def test_the_classes_of_other_folders_are_the_same(tmp_path: Path) -> None:
    write(tmp_path, COLOUR)
    (tmp_path / "pets").rename(tmp_path / "train")
    write(tmp_path, {name.replace("cat", "eel"): array for name, array in COLOUR.items()})
    text = SPEC.replace("PORT", "C: 3, H, W").replace('"pets"', '"train"')
    other = '    validate  = images("pets", input = image / 255, target = label)\n    model'
    (tmp_path / "spec.cat").write_text(text.replace("    model", other))
    with pytest.raises(CheckError, match=re.escape("its classes are dog, eel, and those of train are cat, dog")):
        catdl.load(tmp_path / "spec.cat").learner("pets").run()
