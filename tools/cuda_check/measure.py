"""Compile a CUDA file for every architecture and read the facts of its kernels."""

import hashlib
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from cuda_check.occupancy import MULTIPROCESSORS
from cuda_check.parse import parse_code, parse_resources, short_name

_SOURCES = {
    "nvcc": "it is part of the CUDA toolkit",
    "nvdisasm": "pip install nvidia-cuda-nvdisasm",
    "c++filt": "it is part of binutils",
}
_FLAGS = ["-std=c++17", "-O3", "-Werror", "all-warnings", "-Xptxas", "-v"]


@dataclass(frozen=True)
class Facts:
    """One kernel on one architecture; sizes in bytes, widths of global accesses in bits."""

    registers: int
    stack: int
    spills: int
    shared: int  # static
    threads: int  # of a block, at most
    fp64: int  # instructions
    loads: tuple[int, ...]
    stores: tuple[int, ...]


Kernels = dict[str, dict[str, Facts]]  # "ssim: mean_kernel<float>" -> "sm_80" -> facts


def measure(root: Path) -> Kernels:
    """Return the facts of all kernels below `root`/csrc/cuda, compiled where a source changed.

    Raises:
        FileNotFoundError: no nvcc, nvdisasm or c++filt; where each comes from.
        RuntimeError: a file does not compile without warnings; the compiler's text.
    """
    sources = sorted((root / "csrc" / "cuda").glob("*.cu"))
    build = root / "build" / "cuda-check"
    build.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=2) as pool:
        parts = list(pool.map(lambda source: _measure_file(source, root, build), sources))
    return {name: facts for part in parts for name, facts in part.items()}


def compiler_version() -> str:
    """Return the release line of nvcc."""
    lines = _run([_tool("nvcc"), "--version"]).splitlines()
    return next(line for line in lines if "release" in line)


def _measure_file(source: Path, root: Path, build: Path) -> Kernels:
    key = _fingerprint(source, root)
    stamp = build / f"{source.stem}.json"
    if stamp.exists():
        stored = json.loads(stamp.read_text())
        if stored["key"] == key:
            return kernels_from_json(stored["kernels"])
    kernels = _compile(source, root, build / source.stem)
    stamp.write_text(json.dumps({"key": key, "kernels": kernels_to_json(kernels)}))
    return kernels


def _fingerprint(source: Path, root: Path) -> str:
    """Return a digest of all that the facts depend on."""
    digest = hashlib.sha256(compiler_version().encode())
    here = sorted(Path(__file__).parent.glob("*.py"))
    for path in [source, *sorted((root / "csrc").rglob("*.h")), *here]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _compile(source: Path, root: Path, folder: Path) -> Kernels:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    targets = [
        f"--generate-code=arch={name.replace('sm', 'compute')},code={name}"
        for name in MULTIPROCESSORS
    ]
    keep = ["--keep", "--keep-dir", str(folder), "-fatbin", "-o", str(folder / "kernels.fatbin")]
    include = ["-I", str(root / "csrc")]
    text = _run([_tool("nvcc"), *_FLAGS, *targets, *include, *keep, str(source)])
    resources = parse_resources(text)
    names = _short_names(sorted({mangled for mangled, _ in resources}))
    kernels: Kernels = {f"{source.stem}: {name}": {} for name in names.values()}
    for architecture in MULTIPROCESSORS:
        cubin = folder / f"{source.stem}.{architecture.replace('sm', 'compute')}.cubin"
        code = parse_code(_run([_tool("nvdisasm"), str(cubin)]))
        for mangled, name in names.items():
            both = asdict(resources[mangled, architecture]) | asdict(code[mangled])
            kernels[f"{source.stem}: {name}"][architecture] = Facts(**both)
    return kernels


def _short_names(mangled: list[str]) -> dict[str, str]:
    """Map mangled names to short ones. Raises: ValueError where two would be the same."""
    lines = _run([_tool("c++filt"), *mangled]).splitlines()
    names = dict(zip(mangled, map(short_name, lines), strict=True))
    if len(set(names.values())) < len(names):
        raise ValueError(f"kernels of one file: expected different names, got {names.values()}")
    return names


def _tool(name: str) -> str:
    packaged = Path(sys.prefix).glob(f"lib/python*/site-packages/nvidia/cu*/bin/{name}")
    path = shutil.which(name) or next(map(str, packaged), None)
    if path is None:
        raise FileNotFoundError(f"{name}: expected on PATH; {_SOURCES[name]}")
    return path


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:1] + command[-1:])}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def kernels_to_json(kernels: Kernels) -> dict[str, dict[str, dict[str, object]]]:
    """Return plain dictionaries."""
    return {
        name: {architecture: asdict(facts) for architecture, facts in by_architecture.items()}
        for name, by_architecture in kernels.items()
    }


def kernels_from_json(stored: dict[str, dict[str, dict[str, object]]]) -> Kernels:
    """Undo `kernels_to_json`."""
    return {
        name: {
            architecture: Facts(
                **{key: tuple(v) if isinstance(v, list) else v for key, v in facts.items()}  # type: ignore[arg-type]
            )
            for architecture, facts in by_architecture.items()
        }
        for name, by_architecture in stored.items()
    }
