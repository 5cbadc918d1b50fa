"""Regions of interest beside the whole image: lesions from mask files, and the background.

A mask lies under its region's folder where the slice's file lies under the source of its store,
with the same name or `_mask` behind it: `P/P_7.tif` has `P/P_7.png` or `P/P_7_mask.tif`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from scipy import ndimage
from torch import Tensor

from mrirecon.data import SliceStore
from mrirecon.evaluation.reconstruct import ReconstructedBatch
from mrirecon.evaluation.scores import IMAGE

BACKGROUND, OBJECT = "background", "object"
COMPUTED = (BACKGROUND, OBJECT)
"""Regions that the fully sampled image itself tells: what shows the object, and what does not."""
_OBJECT_FROM = 0.05  # of the volume's maximum; noise of magnitude images lies below
_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Region:
    """A region whose pixels are scored apart.

    Attributes:
        name: in the column `region`.
        folder: of its masks, 0 outside; None for one of `COMPUTED`.
    """

    name: str
    folder: Path | None = None


def parse_regions(texts: Sequence[str]) -> tuple[Region, ...]:
    """Read regions from "background", "object" or "NAME=FOLDER".

    Raises:
        ValueError: neither; or a name twice, or that of the whole image.
        OSError: no such folder.
    """
    regions = []
    for text in texts:
        name, equals, folder = text.partition("=")
        if (not equals and name not in COMPUTED) or name in ("", IMAGE):
            expected = f"{', '.join(COMPUTED)} or NAME=FOLDER, where NAME is not {IMAGE}"
            raise ValueError(f"--region: expected {expected}, got {text!r}")
        if equals and not Path(folder).is_dir():
            raise NotADirectoryError(f"--region: expected a folder of masks, got {folder!r}")
        regions.append(Region(name, Path(folder) if equals else None))
    names = [region.name for region in regions]
    if len(set(names)) < len(names):
        raise ValueError(f"--region: expected each name once, got {', '.join(names)}")
    return tuple(regions)


def find_masks(region: Region, store: SliceStore, split: str) -> dict[tuple[int, int], Path]:
    """Find the mask of each slice of a split by (index of the subject, number of the slice).

    Slices without one are not scored in the region.

    Raises:
        ValueError: the region has masks of no slice; names the first that was looked for.
    """
    folder = region.folder
    found: dict[tuple[int, int], Path] = {}
    if folder is None:
        return found
    sources = [Path(source).resolve() for source in store.provenance.get("sources", [])]
    # Beside the images themselves, what has an image's own name is no mask of it.
    tails = ("_mask",) if folder.resolve() in sources else ("_mask", "")
    looked_for = None
    for row in store.rows_of(split):
        volume, number = int(store.volumes[row]), int(store.numbers[row])
        files = store.subjects[volume].files
        file = folder / files[min(number, len(files) - 1)]
        names = [f"{file.stem}{tail}{suffix}" for tail in tails for suffix in _SUFFIXES]
        looked_for = looked_for or file.with_name(names[0])
        path = next((file.with_name(n) for n in names if file.with_name(n).is_file()), None)
        if path is not None:
            found[volume, number] = path
    if not found:
        raise ValueError(
            f"--region {region.name}: expected masks under {folder}, got none; looked for "
            f"{looked_for} and the like"
        )
    return found


def draw_region(
    region: Region, paths: Mapping[tuple[int, int], Path], batch: ReconstructedBatch
) -> Tensor:
    """Give a region of every slice of a batch: bool, (batch, rows, cols)."""
    keys = zip(batch.volumes, batch.slices, strict=True)
    return torch.stack(
        [
            make_mask(region, target, paths.get(key))
            for target, key in zip(batch.target, keys, strict=True)
        ]
    )


def make_mask(region: Region, target: Tensor, path: Path | None) -> Tensor:
    """Give the region of one slice: bool, (rows, cols), on the target's device.

    Args:
        region: which.
        target: float32, (rows, cols), in [0, 1].
        path: of its mask; None for an empty region, or one of `COMPUTED`.

    Raises:
        ValueError: the mask is damaged or has another size; names the file.
    """
    if region.folder is None:
        inside = torch.from_numpy(_find_object(target.cpu().numpy())).to(target.device)
        return inside if region.name == OBJECT else ~inside
    if path is None:
        return torch.zeros_like(target, dtype=torch.bool)
    mask = _read(path)
    if mask.shape != tuple(target.shape):
        raise ValueError(
            f"{path}: expected the slice's size {tuple(target.shape)}, got {mask.shape}"
        )
    return torch.from_numpy(mask).to(target.device)


def _read(path: Path) -> NDArray[np.bool_]:
    try:
        with Image.open(path) as picture:
            values = np.asarray(picture)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{path}: expected a picture of a mask, got {error}") from error
    return np.asarray(np.atleast_3d(values > 0).any(-1), dtype=bool)


def _find_object(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mark what is brighter than the background, its largest part, with what it encloses."""
    parts, _ = ndimage.label(image > _OBJECT_FROM)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    largest = parts == sizes.argmax() if sizes.max() else np.zeros(image.shape, dtype=bool)
    return np.asarray(ndimage.binary_fill_holes(largest), dtype=bool)
