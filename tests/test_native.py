import platform
import subprocess
import sys

import pytest

from mrirecon import native


def test_the_best_level_is_in_use_and_each_can_be_chosen() -> None:
    levels = native.simd_levels()
    assert levels[0] == "baseline"
    assert native.simd_level() == levels[-1]
    for level in levels:
        native.set_simd_level(level)
        assert native.simd_level() == level


def test_an_unknown_level_is_refused_and_changes_nothing() -> None:
    before = native.simd_level()
    with pytest.raises(ValueError, match=r"level: expected one of .* got 'mmx'"):
        native.set_simd_level("mmx")  # type: ignore[arg-type]
    assert native.simd_level() == before


def test_build_facts_are_text() -> None:
    assert native.compiler()
    assert all(name[:2].isdigit() for name in native.cuda_architectures())


def test_kept_memory_is_not_mapped_anew() -> None:
    """Counts page faults of a loop that fills and frees 32 MiB, in a process of its own."""
    script = (
        "import resource, torch; from mrirecon import native\n"
        "print(native.keep_freed_memory())\n"
        "def fill(): [torch.ones(2**21) for _ in range(4)]\n"
        "for _ in range(9): fill()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(20): fill()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)\n"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    told, faults = ended.stdout.split()
    assert told == str(platform.libc_ver()[0] == "glibc")
    if told == "True":
        assert int(faults) < 20 * 32 * 2**20 // 4096 // 100
