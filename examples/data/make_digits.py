"""Writes digits.npz from the copy of the UCI test set that scikit-learn ships (`pip install scikit-learn`).

python examples/data/make_digits.py
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

OUTPUT = Path(__file__).with_name("digits.npz")


def main() -> None:
    """Keeps the images and labels as they are, in bytes: every pixel is a whole number from 0 to 16."""
    digits = load_digits()
    image, label = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    assert np.array_equal(image, digits.images)
    np.savez_compressed(OUTPUT, image=image, label=label)
    print(f"{OUTPUT}: {len(image)} images, {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
