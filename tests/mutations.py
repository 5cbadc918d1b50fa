"""Whole files of every kind that the readers take, and ways to damage them.

    python tests/mutations.py --count 5000 --kinds dicom mrd

damages each kind so many times, in processes with a memory limit, and prints the seeds whose file
made a reader crash, hang, take too much memory, or fail in other than one line that names the file.
"""

import argparse
import os
import resource
import select
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
from pydicom.uid import RLELossless
from raw_sources import (
    acquisition,
    coil_kspace,
    dicom_slice,
    header,
    save_cfl,
    save_dicom,
    save_fastmri,
    save_mrd,
)
from sources import random_pixels, save_nifti, save_picture

from mrirecon.data import read_source
from mrirecon.data.readers import ArrayOptions

LONGEST = 10
"""Seconds that a reader may take for a small file."""
MOST_MEMORY = 1 << 30
"""Bytes that a reader may take for a small file, beyond what the process had."""
HUGE = (b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"\x00\xff\xff\xff\xff\x00")


def save_compressed_fastmri(path: Path) -> Path:
    """Write k-space in compressed chunks, with a header and a target, as fastMRI does."""
    kspace, image = coil_kspace(0, 3, 16, 12)
    with h5py.File(path, "w") as file:
        file.create_dataset("kspace", data=kspace[None], chunks=True, compression="gzip")
        text = header((16, 12), (8, 12))
        file.create_dataset("ismrmrd_header", data=text, dtype=h5py.string_dtype())
        file.attrs["patient_id"] = "p"
        file.attrs["max"] = image.max()
    return path


def save_small_mrd(path: Path) -> Path:
    """Write a slice of two coils."""
    kspace, _ = coil_kspace(0, 2, 16, 12)
    lines = [acquisition(kspace[..., line], line, z=3) for line in range(12)]
    return save_mrd(path, header((16, 12), (8, 12)), lines)


def save_run_length_dicom(path: Path) -> Path:
    """Write a compressed multi-frame image."""
    pixels = random_pixels(1, (3, 16, 16), "uint16") // 256
    dataset = dicom_slice(pixels, NumberOfFrames=3, SOPInstanceUID="1.2.3.5")
    dataset.compress(RLELossless, generate_instance_uid=False)
    return save_dicom(path, dataset)


def save_plain_dicom(path: Path) -> Path:
    """Write one image, the same each time."""
    return save_dicom(path, dicom_slice(random_pixels(1, (16, 16)), SOPInstanceUID="1.2.3.5"))


def save_npz(path: Path) -> Path:
    """Write k-space in a compressed archive."""
    np.savez_compressed(path, kspace=coil_kspace(0, 1, 16, 12)[0][0])
    return path


def save_npy(path: Path) -> Path:
    """Write k-space as it is."""
    np.save(path, coil_kspace(0, 1, 16, 12)[0][0])
    return path


MAKERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "tiff": ("a.tif", lambda path: save_picture(path, random_pixels(1, (16, 16), "uint16"))),
    "png": ("a.png", lambda path: save_picture(path, random_pixels(1, (16, 16)))),
    "jpeg": ("a.jpg", lambda path: save_picture(path, random_pixels(1, (16, 16)))),
    "nifti": ("a.nii", lambda path: save_nifti(path, random_pixels(1, (6, 7, 8), "int16"))),
    "nifti_gz": ("a.nii.gz", lambda path: save_nifti(path, random_pixels(1, (6, 7, 8), "int16"))),
    "dicom": ("a.dcm", save_plain_dicom),
    "dicom_rle": ("a.dcm", save_run_length_dicom),
    "fastmri": ("a.h5", lambda path: save_fastmri(path, kspace=coil_kspace(0, 2, 16, 12)[0][None])),
    "fastmri_gzip": ("a.h5", save_compressed_fastmri),
    "mrd": ("a.mrd", save_small_mrd),
    "bart": ("a.cfl", lambda path: save_cfl(path, coil_kspace(0, 2, 8, 6)[0], [3, 0, 1])),
    "npy": ("a.npy", save_npy),
    "npz": ("a.npz", save_npz),
}


FOUND = {
    "tiff": [78, 174],  # a warning of Pillow while pages were counted
    "nifti": [0, 164, 175],  # errors of nibabel that are no ValueError
    "dicom": [47],  # an element of odd length, read late by pydicom
    "fastmri_gzip": [1099, 3345, 4838],  # a heap on which HDF5 never returns
    "mrd": [1766, 3453],  # members of a type that overlap, on which HDF5 writes beyond its memory
    "npy": [133],  # a header that Python cannot cut into tokens
}
"""Seeds whose files once made a reader fail otherwise; they are tried before all others."""


def damage(whole: bytes, rng: np.random.Generator) -> bytes:
    """Change bytes in one of six ways; half of the changes hit the first 2 KiB."""
    damaged = bytearray(whole)
    reach = len(whole) if rng.random() < 0.5 else min(len(whole), 2048)
    place = int(rng.integers(reach))
    kind = int(rng.integers(6))
    if kind == 0:
        return bytes(damaged[:place])
    if kind == 1:  # flip bits
        for position in rng.integers(reach, size=int(rng.integers(1, 20))):
            damaged[position] ^= 1 << int(rng.integers(8))
    elif kind == 2:  # numbers become huge
        value = HUGE[int(rng.integers(len(HUGE)))]
        damaged[place : place + len(value)] = value
    elif kind == 3:  # a block of zeros
        size = int(rng.integers(1, 64))
        damaged[place : place + size] = bytes(len(damaged[place : place + size]))
    elif kind == 4:  # a block twice
        damaged[place:place] = damaged[place : place + int(rng.integers(1, 300))]
    else:  # a byte of chance
        damaged[place] = int(rng.integers(256))
    return bytes(damaged)


def damaged_source(kind: str, folder: Path, seed: int) -> Path:
    """Write a whole file of a kind and damage it, or one of its two files."""
    name, make = MAKERS[kind]
    path = make(folder / name)
    rng = np.random.default_rng(seed)
    target = path.with_suffix(".hdr") if kind == "bart" and rng.random() < 0.5 else path
    target.write_bytes(damage(target.read_bytes(), rng))
    return path


def read_all(path: Path) -> None:
    """Ask for everything that a reader gives.

    Raises:
        ValueError: as a reader does for a damaged file.
    """
    contents = ArrayOptions("kspace") if path.suffix in (".npy", ".npz", ".cfl") else None
    for subject in read_source(path, arrays=contents).subjects:
        subject.headers()
        subject.read_slices()
        assert subject.origin
        assert subject.voxel_size is None or len(subject.voxel_size) == 3
        assert all(isinstance(note, str) for note in subject.notes)


def fault_of(path: Path) -> str | None:
    """Read a damaged file and tell what is wrong with how that ended; None if nothing is."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read_all(path)
    except ValueError as error:
        text = str(error)
        if "\n" in text or str(path.with_suffix("")) not in text:
            return f"no line that names the file: {text!r}"
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        return f"{type(error).__name__}: {error} at {frames[-1].filename}:{frames[-1].lineno}"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    return f"took {grown >> 20} MiB" if grown > MOST_MEMORY else None


def _run(kind: str, seeds: Sequence[int], faults: int) -> None:
    """Try seeds in this process, writing each seed before it is tried and each fault after."""
    limit = 8 << 30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            os.write(faults, f"{seed}\n".encode())
            found = fault_of(damaged_source(kind, Path(folder), seed))
            if found is not None:
                os.write(faults, f"{seed} {' '.join(found.split())}\n".encode())


def _try_in_child(kind: str, seeds: Sequence[int]) -> tuple[list[str], int]:
    """Try seeds in a child process, which may crash or hang.

    Returns:
        Faults, and the last seed that was tried.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _run(kind, seeds, writing)
        os._exit(0)
    os.close(writing)
    text, end = "", ""
    while select.select([reading], [], [], LONGEST)[0]:
        part = os.read(reading, 1 << 16).decode()
        if not part:
            break
        text += part
    else:  # no alarm reaches a library that never returns
        os.kill(child, signal.SIGKILL)
        end = f"took more than {LONGEST} s"
    os.close(reading)
    _, status = os.waitpid(child, 0)
    lines = text.splitlines()
    found = [line for line in lines if " " in line]
    last = int(lines[-1].split(" ")[0])
    if status != 0:
        found.append(f"{last} {end or f'the process ended with status {status}'}")
    return found, last


def _try_kind(kind: str, seeds: Sequence[int]) -> list[str]:
    """Try seeds, and go on behind one that crashes."""
    found: list[str] = []
    left = list(seeds)
    while left:
        faults, last = _try_in_child(kind, left[:250])
        found += faults
        left = left[left.index(last) + 1 :]
    return found


def main() -> None:
    """Damage files of each kind and print what went wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", default=list(MAKERS))
    options = parser.parse_args()
    for kind in options.kinds:
        seeds = [*FOUND.get(kind, ()), *range(options.first, options.first + options.count)]
        found = _try_kind(kind, list(dict.fromkeys(seeds)))
        lines = "".join(f"\n    seed {line}" for line in found)
        sys.stdout.write(f"{kind}: {len(seeds)} files, {len(found)} faults{lines}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
