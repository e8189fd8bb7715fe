"""The data that dagnet carries with it."""

from importlib import resources

import numpy as np

from dagnet.data.dataset import Dataset


def digits() -> Dataset:
    """Return 1,797 real handwritten digits, 8x8 pixels of 0 (paper) to 16 (ink).

    Returns
    -------
    Dataset
        X ``(64, 1797)`` float64, rows of the picture one after the other; labels ``(1797,)``.

    Notes
    -----
    Source: E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine
    Learning Repository (1998), https://doi.org/10.24432/C50P49, licence CC BY 4.0. These are the
    1,797 examples of its test part, as scikit-learn also distributes them. Changed here only in
    the file format: unsigned bytes in a compressed .npz.

    Examples
    --------
    >>> from dagnet import data
    >>> digits = data.digits()
    >>> digits
    <Dataset 'digits': X (64, 1797) float64, 10 classes, pictures 8x8>
    >>> digits.X[:, 0].reshape(digits.picture)[0]
    array([ 0.,  0.,  5., 13.,  9.,  1.,  0.,  0.])
    """
    packed = resources.files("dagnet.data").joinpath("digits.npz")
    with packed.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        pixels, labels = arrays["pixels"], arrays["labels"]
    return Dataset(
        pixels.T.astype(np.float64),
        labels,
        name="digits",
        classes=tuple("0123456789"),
        picture=(8, 8),
    )
