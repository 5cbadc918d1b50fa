"""Load the native library and say what it was built with and what it uses."""

import ctypes
from pathlib import Path
from typing import Literal, get_args

import torch

SimdLevel = Literal["baseline", "avx2", "avx512"]
_LEVELS: tuple[SimdLevel, ...] = get_args(SimdLevel)
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of options in malloc.h
_LARGEST_KEPT = 32 * 2**20  # bytes; the most that glibc takes
_MOST_KEPT = 2**31 - 1  # bytes at the end of the heap; the largest int
_PATH = Path(__file__).with_name("_native.so")


def _load() -> ctypes.CDLL:
    if not _PATH.exists():
        raise ImportError(
            f"{_PATH}: the native library is not built; "
            "run `pip install --no-build-isolation -e .` in the source folder"
        )
    torch.ops.load_library(_PATH)
    library = ctypes.CDLL(str(_PATH))
    library.mrirecon_cuda_architectures.restype = ctypes.c_char_p
    library.mrirecon_compiler.restype = ctypes.c_char_p
    return library


_library = _load()


def simd_level() -> SimdLevel:
    """Return the instruction set the CPU kernels use."""
    return _LEVELS[_library.mrirecon_simd_level()]


def set_simd_level(level: SimdLevel) -> None:
    """Make the CPU kernels use another instruction set, for tests and comparisons.

    Args:
        level: "baseline", "avx2" or "avx512".

    Raises:
        ValueError: no such level, or this processor lacks it.
    """
    if level not in _LEVELS or not _library.mrirecon_set_simd_level(_LEVELS.index(level)):
        raise ValueError(f"level: expected one of {simd_levels()}, got {level!r}")


def simd_levels() -> list[SimdLevel]:
    """Return the instruction sets that this build and this processor have, in rising order."""
    in_use = _library.mrirecon_simd_level()
    usable = [index for index in range(len(_LEVELS)) if _library.mrirecon_set_simd_level(index)]
    _library.mrirecon_set_simd_level(in_use)
    return [_LEVELS[index] for index in usable]


def keep_freed_memory() -> bool:
    """Make the C library keep freed memory for the next tensor, instead of returning it at once.

    Work on batches allocates and frees the same megabytes again and again. glibc gives them back
    to the system each time, which has to map and clear every page anew: that takes longer than
    most kernels here. It concerns the whole process, so a program decides on it, not a library;
    the commands of `mrirecon` do. What stays is what was in use at once, up to 32 MiB a tensor;
    larger ones are returned as before.

    Returns:
        Whether the C library can be told; only glibc can.
    """
    try:
        tell = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    # mallopt(3): the first also ends glibc's own adjustment of both limits.
    return bool(tell(_MMAP_THRESHOLD, _LARGEST_KEPT)) and bool(tell(_TRIM_THRESHOLD, _MOST_KEPT))


def cuda_architectures() -> list[str]:
    """Return the architectures the CUDA kernels are compiled for; empty in a CPU build."""
    return str(_library.mrirecon_cuda_architectures().decode()).split()


def compiler() -> str:
    """Return the version text of the C++ compiler that built the library."""
    return str(_library.mrirecon_compiler().decode())
