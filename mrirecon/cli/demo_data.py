"""Real MR images that come with Python packages, so that the demo needs no download of its own.

- MNI ICBM152 2009a symmetric T1 template (Fonov 2011, DOI 10.1016/j.neuroimage.2010.07.033), in
  nilearn: an average of 152 people, 1 mm.
- A sagittal head, 256 x 256, in matplotlib's sample data (s1045.ima.gz): one person.
- An abdomen, 300 x 484, in pydicom's example files (examples_overlay.dcm): one person, unlike
  anything the network was trained on.
"""

import gzip
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl
import nibabel
import numpy as np
import pydicom
from PIL import Image

from mrirecon.data import PrepareConfig, prepare
from mrirecon.files import atomic_path

MNI = Path("datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz")
OVERLAY = Path("data/test_files/examples_overlay.dcm")
TRAIN_SLICES = ((30, 84), (120, 150))
"""Axial slices of the template to train on [mm above its lower edge]; below 30 there is little."""
VALIDATION_SLICES = (87, 90)
TEST_SLICES = (96, 114)
"""The held-out slab; gaps of 3 mm and more keep its neighbours out of training."""


@dataclass(frozen=True)
class DemoSet:
    """A store, which split of it is scored, and what a reader should know about it."""

    store: Path
    split: str
    name: str
    description: str


def prepare_demo_sets(folder: Path) -> list[DemoSet]:
    """Prepare the packaged images; the first set's store is the one to train on.

    Args:
        folder: for image files and stores; what is there already is used again.

    Raises:
        FileNotFoundError: a package with data is not installed.
    """
    stores = {name: folder / f"{name}.h5" for name in ("mni", "head", "abdomen")}
    writers = {"mni": _write_slabs, "head": _write_head, "abdomen": _write_abdomen}
    for name, store in stores.items():
        if not store.exists():
            images = folder / name
            writers[name](images)
            prepare(images, store, None if name == "mni" else PrepareConfig(splits="test"))
    return [
        DemoSet(
            stores["mni"],
            "test",
            "held-out slab",
            f"Axial slices {TEST_SLICES[0]} to {TEST_SLICES[1] - 1} of the MNI ICBM152 T1 "
            "template (1 mm, carried by nilearn). The template is an average of 152 people, "
            "smoother than a scan of one; training used other slices of it, at least 3 mm away.",
        ),
        DemoSet(
            stores["head"],
            "test",
            "sagittal head",
            "One person's head, a sagittal slice of 256 x 256 pixels (matplotlib's sample data). "
            "Another person, another orientation and skull, face and neck, none of which training "
            "showed.",
        ),
        DemoSet(
            stores["abdomen"],
            "test",
            "abdomen",
            "One person's abdomen, an axial slice of 300 x 484 pixels (pydicom's example files): "
            "a part of the body that the network has never seen.",
        ),
    ]


def _package_file(package: str, path: Path) -> Path:
    """Find a file that an installed package carries, without importing the package."""
    spec = find_spec(package)
    folders = (spec.submodule_search_locations if spec else None) or []
    found = [Path(folder) / path for folder in folders if (Path(folder) / path).exists()]
    if not found:
        raise FileNotFoundError(
            f"{package}: expected the installed package to carry {path.name}; "
            'run pip install "mrirecon-torch[demo]"'
        )
    return found[0]


def _write_slabs(folder: Path) -> None:
    """Cut the template into slabs, a NIfTI file each, in folders that name their split."""
    volume = nibabel.load(_package_file("nilearn", MNI))
    slabs = {
        "train": TRAIN_SLICES,
        "val": (VALIDATION_SLICES,),
        "test": (TEST_SLICES,),
    }
    for split, ranges in slabs.items():
        for first, last in ranges:
            name = folder / split / f"mni_{first:03d}_{last - 1:03d}.nii.gz"
            with atomic_path(name) as temporary:
                nibabel.save(volume.slicer[:, :, first:last], temporary)


def _write_head(folder: Path) -> None:
    path = Path(mpl.get_data_path()) / "sample_data" / "s1045.ima.gz"
    with gzip.open(path) as file:
        pixels = np.frombuffer(file.read(), dtype=">u2").reshape(256, 256)
    _write_png(pixels, folder / "head" / "head_1.png")


def _write_abdomen(folder: Path) -> None:
    pixels = pydicom.dcmread(_package_file("pydicom", OVERLAY)).pixel_array
    _write_png(pixels, folder / "abdomen" / "abdomen_1.png")


def _write_png(pixels: np.ndarray, path: Path) -> None:
    with atomic_path(path) as temporary:
        Image.fromarray(pixels.astype(np.uint16)).save(temporary)
