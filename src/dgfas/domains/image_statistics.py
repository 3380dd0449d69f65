"""Colour and sharpness of a frame: the style of images where no pretrained network is at hand."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

#: Block names and widths of `colour_and_sharpness`, for Style.
BLOCKS = (("colour/mean", 5), ("colour/std", 5), ("sharpness", 2))


def colour_and_sharpness(images: Float[ndarray, "b 6 s s"]) -> Float[ndarray, "b 12"]:
    """Return 12 statistics of six-channel images (RGB, HSV) in [0, 1].

    Mean and standard deviation of R, G, B, S and V (hue is an angle and left out), and log10 of the Laplacian's
    variance of the grey image at full and at half size.
    """
    colours = images[:, [0, 1, 2, 4, 5]]
    grey = images[:, :3].mean(axis=1)
    half = (grey[:, ::2, ::2] + grey[:, 1::2, ::2] + grey[:, ::2, 1::2] + grey[:, 1::2, 1::2]) / 4
    return np.concatenate(
        [
            colours.mean(axis=(2, 3)),
            colours.std(axis=(2, 3)),
            np.stack([_sharpness(grey), _sharpness(half)], axis=1),
        ],
        axis=1,
    )


def _sharpness(grey: Float[ndarray, "b s s"]) -> Float[ndarray, " b"]:
    laplacian = (
        grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * grey[:, 1:-1, 1:-1]
    )
    return np.log10(laplacian.var(axis=(1, 2)) + 1e-6)
