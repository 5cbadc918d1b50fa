"""`python -m wheel_check`: see what the sdist and the wheel in dist/ hold, and use the wheel.

It is installed into a fresh environment, in a folder of its own. Of the environment that runs this
that one sees the packages, as those that the wheel depends on, but not a clone that is installed
there as editable; so nothing is downloaded.
"""

import json
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_TAG = re.compile(r"-py3-none-manylinux_2_\d+_\w+\.whl$")


def sdist_faults(names: list[str], tracked: list[str]) -> list[str]:
    """Name what an sdist lacks of what git holds, and what it holds beside that.

    Args:
        names: paths in the archive, all below one folder.
        tracked: paths of `git ls-files`.
    """
    held = {name.partition("/")[2] for name in names}
    made = ("PKG-INFO", "setup.cfg", "mrirecon_torch.egg-info/")
    strange = {name for name in held - set(tracked) if name and not name.startswith(made)}
    lacks = [f"sdist: lacks {name}" for name in sorted(set(tracked) - held)]
    return [*lacks, *(f"sdist: holds {name}, unknown to git" for name in sorted(strange))]


def wheel_faults(wheel: str, names: list[str], modules: list[str]) -> list[str]:
    """Name what is wrong with a wheel's tag and its files.

    Args:
        wheel: name of the file.
        names: paths in it.
        modules: paths of `git ls-files mrirecon`.
    """
    expected = "py3-none-manylinux_2_XX: any Python, and a C library by its symbols"
    faults = [] if _TAG.search(wheel) else [f"wheel: expected {expected}, got {wheel}"]
    wanted = {*modules, "mrirecon/_native.so"}
    held = {name for name in names if ".dist-info/" not in name and not name.endswith("/")}
    faults += [f"wheel: lacks {name}" for name in sorted(wanted - held)]
    return faults + [f"wheel: holds {name}, unknown to git" for name in sorted(held - wanted)]


def use(wheel: Path, folder: Path) -> None:
    """Install a wheel into a fresh environment in `folder`, and run it there.

    Raises:
        CalledProcessError: a command failed; it has said why.
    """
    venv.create(folder / "env", symlinks=True)
    python = folder / "env" / "bin" / "python"
    paths = {"base": str(folder / "env"), "platbase": str(folder / "env")}
    own = Path(sysconfig.get_path("purelib", "venv", paths))
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(*command: str | Path) -> None:
        subprocess.run(command, cwd=folder, check=True)

    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index")
    run(*pip, "--no-deps", wheel.resolve())
    run(python, Path(__file__).with_name("kernels.py"))
    run(python.with_name("mrirecon"), "info")
    run(python.with_name("mrirecon"), "demo", "--short", "--out", folder / "demo")


def main() -> int:
    """Check what dist/ holds; return the number of faults."""
    dist = _ROOT / "dist"
    (sdist,), (wheel,) = dist.glob("*.tar.gz"), dist.glob("*.whl")
    faults: list[str] = []
    with tarfile.open(sdist) as archive, zipfile.ZipFile(wheel) as package:
        in_sdist = [member.name for member in archive if member.isfile()]
        if (_ROOT / ".git").exists():
            git = subprocess.run(["git", "ls-files"], cwd=_ROOT, capture_output=True, check=True)
            tracked = git.stdout.decode().split()
            modules = [name for name in tracked if name.startswith("mrirecon/")]
            faults += sdist_faults(in_sdist, tracked)
            faults += wheel_faults(wheel.name, package.namelist(), modules)
    with tempfile.TemporaryDirectory() as folder:
        use(wheel, Path(folder))
    sizes = {path.name: f"{path.stat().st_size / 1e6:.1f} MB" for path in (sdist, wheel)}
    print("\n".join([*faults, f"wheel-check: {len(faults)} faults", json.dumps(sizes, indent=1)]))
    return len(faults)


if __name__ == "__main__":
    sys.exit(main())
