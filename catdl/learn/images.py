"""Folders of images: a folder for each class, in the order of their names, with its .png and .jpg files.

Takes the path of a folder; needs Pillow. Guarantees images with the size and the channels that the spec says, numbers
from 0 to 255 with the channels first, or a mistake that names the file. Nothing is scaled, cut or converted.

    images(plan.data, Path("pets"), torch.float32)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from catdl import diagnostics as wrong
from catdl.diagram.learner import Column, Data
from catdl.learn.items import Items, read_items
from catdl.learn.refuse import Refused
from catdl.learn.samples import Samples
from catdl.learn.tables import Array
from catdl.record import replace
from catdl.types.types import Leaf, axis_sizes, show_leaf

ENDINGS = (".png", ".jpg", ".jpeg")
_CHANNELS = {1: "L", 3: "RGB", 4: "RGBA"}
_WORDS = {"L": "grey", "RGB": "in colours", "RGBA": "in colours with transparency", "LA": "grey with transparency"}
_CODED = {"1": "L", "P": "RGB"}  # other ways to write the same: black and white, and colours by number


def images(data: Data, folder: Path, dtype: torch.dtype) -> Samples:
    """The images of a folder, with the numbers of their classes where these are asked for. Raises Refused."""
    try:
        from PIL import Image
    except ImportError:
        raise unfit(data, None, "to read images, `pip install pillow`") from None
    labelled = [column for column in data.columns if column.source == "label"]
    files, labels, classes = found(data, folder, labelled)

    def get(number: int, columns: tuple[Column, ...]) -> list[Array]:
        return [np.asarray(labels[number]) if c.source == "label" else picture(c, files[number]) for c in columns]

    def picture(column: Column, path: Path) -> Array:
        name = path.relative_to(folder).as_posix()
        try:
            with Image.open(path) as image:
                mode = _CODED.get(image.mode, image.mode)
                if image.mode == "P" and "transparency" in image.info:
                    mode = "RGBA"
                wanted = modes(column.type)
                if mode not in wanted:
                    shown = f"{name} is {_WORDS.get(mode, f'of mode {mode}')}, and `{column.port}` is"
                    raise unfit(data, column, f"{shown} `{show_leaf(column.type)}`")
                array = np.asarray(image.convert(mode))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "it is no whole image"
            raise unfit(data, column, f"{name}: {reason}") from None
        planes = array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)
        return planes if len(axis_sizes(column.type)) == 3 else planes[0]

    items = Items(len(files), get, lambda k: files[k].relative_to(folder).as_posix())
    return replace(read_items(data, items, dtype), classes=classes)


def found(data: Data, folder: Path, labelled: list[Column]) -> tuple[list[Path], list[int], tuple[str, ...]]:
    """The files, the class of each, and the names of the classes. Raises Refused."""
    if not folder.is_dir():
        raise unfit(data, None, "there is no such folder")
    if not labelled:
        files = below(folder)
        return files, [0] * len(files), ()
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    loose = next((path.name for path in sorted(folder.iterdir()) if path.suffix.lower() in ENDINGS), None)
    if loose is not None:
        raise unfit(data, labelled[0], f"{loose} is in the folder of no class")
    size = labelled[0].type.kind.size
    if isinstance(size, int) and size != len(classes):
        shown = ", ".join(path.name for path in classes[:8]) + (", …" if len(classes) > 8 else "")
        told = f"there are {len(classes)} folders, and `{labelled[0].port}` is `{show_leaf(labelled[0].type)}`"
        raise unfit(data, labelled[0], told, f"the folders: {shown}" if classes else "")
    files, labels = [], []
    for number, place in enumerate(classes):
        inside = below(place)
        if not inside:
            raise unfit(data, labelled[0], f"there are no images in {place.name}")
        files += inside
        labels += [number] * len(inside)
    return files, labels, tuple(path.name for path in classes)


def below(folder: Path) -> list[Path]:
    """The images below a folder, in the order of their paths."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())


def modes(leaf: Leaf) -> tuple[str, ...]:
    """What images a type is the type of: those without an axis of channels are grey."""
    sizes = axis_sizes(leaf)
    if len(sizes) < 3:
        return ("L",)
    first = sizes[0]
    return (_CHANNELS.get(first, ""),) if isinstance(first, int) else tuple(_CHANNELS.values())


def unfit(data: Data, column: Column | None, reason: str, help_: str = "") -> Refused:
    """Images that are not what the spec says."""
    return Refused(wrong.DataUnfit(column.span if column is not None else data.span, data.place, reason, help_))
