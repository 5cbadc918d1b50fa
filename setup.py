"""Build the native library with CMake; everything else is declared in pyproject.toml.

Environment: MRIRECON_CUDA (AUTO, ON or OFF) and MRIRECON_CUDA_ARCHITECTURES (as CMake takes them).
"""

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent


class CMakeBuild(build_ext):
    """Configure and build CMakeLists.txt, then put `_native.so` where setuptools wants it."""

    def get_ext_filename(self, fullname: str) -> str:
        """Name the library without a Python version, since it serves every one."""
        return str(Path(*fullname.split("."))) + ".so"

    def build_extension(self, ext: Extension) -> None:
        """Build the one extension, reusing build/cmake where it exists."""
        build = ROOT / "build" / "cmake"
        options = [f"-DPython3_EXECUTABLE={sys.executable}"]
        for name, default in (("MRIRECON_CUDA", "AUTO"), ("MRIRECON_CUDA_ARCHITECTURES", "")):
            options.append(f"-D{name}={os.environ.get(name, default)}")
        # cmake and ninja of the environment that builds come first; pip does not put it on PATH.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        cmake = shutil.which("cmake", path=path)
        if cmake is None:
            raise FileNotFoundError("cmake: expected on PATH or beside python; pip install cmake")
        run = partial(subprocess.run, check=True, env={**os.environ, "PATH": path})
        run([cmake, "-S", ROOT, "-B", build, "-G", "Ninja", *options])
        run([cmake, "--build", build, "--target", "_native"])
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(build / "_native.so", target)


class StableWheel(bdist_wheel):
    """Tag the wheel for every Python 3: the library binds to torch's stable ABI, not to Python."""

    def get_tag(self) -> tuple[str, str, str]:
        """Replace the Python and ABI part of the usual tag."""
        return ("py3", "none", super().get_tag()[2])


setup(
    ext_modules=[Extension("mrirecon._native", sources=[])],
    cmdclass={"build_ext": CMakeBuild, "bdist_wheel": StableWheel},
)
