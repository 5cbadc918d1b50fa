"""Ways to damage whole files of every kind that the readers take.

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
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from whole_files import MAKERS

from mrirecon.data import read_source
from mrirecon.data.kspace_file import KSPACE_SUFFIXES, read_kspace
from mrirecon.data.readers import ArrayOptions

LONGEST = 10
"""Seconds that a reader may take for a small file."""
MOST_MEMORY = 1 << 30
"""Bytes that a reader may take for a small file, beyond what the process had."""
HUGE = (b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"\x00\xff\xff\xff\xff\x00")


FOUND = {
    "tiff": [78, 174],  # a warning of Pillow while pages were counted
    "nifti": [0, 164, 175],  # errors of nibabel that are no ValueError
    "dicom": [47, 2383],  # an element of odd length, read late by pydicom; a line feed in a code
    "fastmri_gzip": [1099, 3345, 4838, 3427],  # a heap on which HDF5 never returns, far chunks
    "mrd": [1766, 3453],  # members of a type that overlap, on which HDF5 writes beyond its memory
    "mrd_slab": [1635],  # a length of a text for which HDF5 takes a gigabyte
    "mrd_epi": [1565, 3768],  # lengths of lines for which HDF5 takes gigabytes
    "npy": [133, 175],  # a header that Python cannot cut into tokens
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
    if path.suffix in KSPACE_SUFFIXES:
        read_kspace(path, contents, coords_unit="pixel")
    for subject in read_source(path, arrays=contents).subjects:
        if "trajectory" in subject.origin:  # makes no images
            continue
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
