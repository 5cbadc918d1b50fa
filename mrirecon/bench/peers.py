"""The packages that are compared: how each is found, and its version."""

import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from mrirecon.bench.case import OURS


@dataclass(frozen=True)
class Peer:
    """A package: the name it is imported by, and the name it is installed by."""

    module: str
    distribution: str


PEERS = {
    OURS: Peer("mrirecon", "mrirecon-torch"),
    "PyTorch": Peer("torch", "torch"),
    "torch.compile": Peer("torch", "torch"),
    "NumPy": Peer("numpy", "numpy"),
    "SciPy": Peer("scipy", "scipy"),
    "cupy": Peer("cupy", "cupy-cuda13x"),
    "scikit-image": Peer("skimage", "scikit-image"),
    "torchmetrics": Peer("torchmetrics", "torchmetrics"),
    "pytorch-msssim": Peer("pytorch_msssim", "pytorch-msssim"),
    "piqa": Peer("piqa", "piqa"),
    "FINUFFT": Peer("finufft", "finufft"),
    "cuFINUFFT": Peer("cufinufft", "cufinufft"),
    "pytorch-finufft": Peer("pytorch_finufft", "pytorch-finufft"),
    "ducc0": Peer("ducc0", "ducc0"),
    "FFTW": Peer("pyfftw", "pyfftw"),
    "torchkbnufft": Peer("torchkbnufft", "torchkbnufft"),
    "mri-nufft": Peer("mrinufft", "mri-nufft"),
    "SigPy": Peer("sigpy", "sigpy"),
    "fastMRI's formulas": Peer("numpy", "numpy"),  # written out: its package asks for Lightning
    "BART": Peer("", ""),  # a program
}


def peer_of(way: str) -> str:
    """Return the peer whose way it is: "PyTorch" for "PyTorch: shifts folded"."""
    return way.partition(": ")[0]


def is_installed(peer: str) -> bool:
    """Return whether a peer can be used here.

    Raises:
        KeyError: no peer has this name.
    """
    if peer == "BART":
        return shutil.which("bart") is not None
    return importlib.util.find_spec(PEERS[peer].module) is not None


@cache
def version_of(peer: str) -> str:
    """Return a peer's version, or nothing where it is not installed."""
    if peer == "BART":
        return _version_of_bart()
    try:
        return version(PEERS[peer].distribution)
    except PackageNotFoundError:
        return ""


def _version_of_bart() -> str:
    bart = shutil.which("bart")
    if bart is None:
        return ""
    done = subprocess.run([bart, "version"], capture_output=True, text=True, check=False)
    return done.stdout.strip().removeprefix("v")
