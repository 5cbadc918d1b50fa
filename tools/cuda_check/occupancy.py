"""Occupancy of a multiprocessor by a kernel, from its registers and shared memory.

Source: CUDA C++ programming guide, technical specifications per compute capability; the granules
are those of NVIDIA's `cuda_occupancy.h`.
"""

from dataclasses import dataclass

_KIB = 1024
_REGISTERS, _PARTITIONS = 65536, 4  # of a multiprocessor; a warp's registers are in one partition
_REGISTER_GRANULE = 256  # of a warp


@dataclass(frozen=True)
class Multiprocessor:
    """What one multiprocessor of an architecture holds."""

    warps: int
    blocks: int
    shared_bytes: int
    reserved_shared_bytes: int  # of each block, by the system
    shared_granule: int


MULTIPROCESSORS = {
    "sm_75": Multiprocessor(32, 16, 64 * _KIB, 0, 256),
    "sm_80": Multiprocessor(64, 32, 164 * _KIB, _KIB, 128),
    "sm_90": Multiprocessor(64, 32, 228 * _KIB, _KIB, 128),
    "sm_100": Multiprocessor(64, 32, 228 * _KIB, _KIB, 128),
    "sm_120": Multiprocessor(48, 24, 100 * _KIB, _KIB, 128),
}


def occupancy(architecture: str, *, threads: int, registers: int, shared_bytes: int) -> float:
    """Return the share of a multiprocessor's warps that blocks of this kernel can fill.

    Args:
        architecture: a key of MULTIPROCESSORS.
        threads: of a block, 1 to 1024.
        registers: of a thread.
        shared_bytes: of a block, static and dynamic.
    """
    holds = MULTIPROCESSORS[architecture]
    warps = -(-threads // 32)
    shared = _round_up(shared_bytes + holds.reserved_shared_bytes, holds.shared_granule)
    of_warp = _round_up(registers * 32, _REGISTER_GRANULE)
    by_registers = _REGISTERS // _PARTITIONS // of_warp * _PARTITIONS // warps
    by_shared = holds.shared_bytes // shared if shared else holds.blocks
    blocks = min(holds.blocks, holds.warps // warps, by_registers, by_shared)
    return blocks * warps / holds.warps


def _round_up(size: int, granule: int) -> int:
    return -(-size // granule) * granule
