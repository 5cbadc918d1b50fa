import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from mrirecon.data.compression import has_jpeg_trace


def textured(seed: int, side: int = 128) -> NDArray:
    """Draw an image with detail of every size, uint8."""
    rng = np.random.default_rng(seed)
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side), indexing="ij"))
    spectrum = np.fft.fft2(rng.normal(size=(side, side))) / np.maximum(radius, 0.01)
    image = np.fft.ifft2(spectrum).real
    return np.clip(128 + 40 * image / image.std(), 1, 254).astype(np.uint8)


def through_jpeg(image: NDArray, quality: int) -> NDArray:
    """Compress and decompress."""
    file = io.BytesIO()
    Pillow.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Pillow.open(file))


@pytest.mark.parametrize("quality", [50, 75, 90, 95])
def test_pixels_that_were_jpeg_are_known_after_saving_without_loss(quality: int) -> None:
    images = [through_jpeg(textured(seed), quality) for seed in range(4)]
    assert has_jpeg_trace(images)
    assert has_jpeg_trace([image[::-1].T for image in images])


def test_images_that_never_were_jpeg_show_nothing() -> None:
    rows, cols = np.mgrid[-1:1:128j, -1:1:128j]
    disc = (200 * (np.hypot(rows, cols) < 0.7)).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 255, (128, 128)).astype(np.uint8)
    blank = np.zeros((128, 128))
    for image in (textured(0), 0.37 * textured(1).astype(float), disc, noise, blank, disc[:9, :9]):
        assert not has_jpeg_trace([image, image])
