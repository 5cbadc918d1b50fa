"""What an sdist and a wheel are refused for."""

from wheel_check.__main__ import sdist_faults, wheel_faults

TRACKED = ["Makefile", "csrc/ssim.h", "mrirecon/ops/ssim.py"]
WHEEL = "mrirecon_torch-0.1.0-py3-none-manylinux_2_34_x86_64.whl"
IN_WHEEL = [
    "mrirecon/",
    "mrirecon/_native.so",
    "mrirecon/ops/ssim.py",
    "mrirecon_torch-0.1.0.dist-info/RECORD",
]


def in_sdist(*names: str) -> list[str]:
    return [f"mrirecon_torch-0.1.0/{name}" for name in ("PKG-INFO", "setup.cfg", *names)]


def test_an_sdist_that_holds_what_git_holds_has_no_fault() -> None:
    assert sdist_faults(in_sdist(*TRACKED, "mrirecon_torch.egg-info/PKG-INFO"), TRACKED) == []


def test_an_sdist_without_a_header_or_with_a_built_library_is_refused() -> None:
    names = in_sdist("Makefile", "mrirecon/ops/ssim.py", "mrirecon/_native.so")
    assert sdist_faults(names, TRACKED) == [
        "sdist: lacks csrc/ssim.h",
        "sdist: holds mrirecon/_native.so, unknown to git",
    ]


def test_a_wheel_of_the_package_and_its_library_has_no_fault() -> None:
    assert wheel_faults(WHEEL, IN_WHEEL, ["mrirecon/ops/ssim.py"]) == []


def test_a_wheel_for_one_python_or_of_an_unknown_c_library_is_refused() -> None:
    for tag in ("py3-none-linux_x86_64", "cp311-cp311-manylinux_2_34_x86_64"):
        (fault,) = wheel_faults(
            f"mrirecon_torch-0.1.0-{tag}.whl", IN_WHEEL, ["mrirecon/ops/ssim.py"]
        )
        assert fault.startswith("wheel: expected py3-none-manylinux")
        assert tag in fault


def test_a_wheel_without_its_library_or_with_tests_is_refused() -> None:
    names = ["mrirecon/ops/ssim.py", "tests/test_ssim.py"]
    assert wheel_faults(WHEEL, names, ["mrirecon/ops/ssim.py"]) == [
        "wheel: lacks mrirecon/_native.so",
        "wheel: holds tests/test_ssim.py, unknown to git",
    ]
