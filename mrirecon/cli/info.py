"""`mrirecon info`: what is installed, what was built, what is in use."""

import json
import platform
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from mrirecon import native
from mrirecon.version import __version__


def collect() -> dict[str, Any]:
    """Return versions, build and hardware facts; every value fits into JSON."""
    devices = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "mrirecon": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torch_cuda": torch.version.cuda,
        "cuda_architectures": native.cuda_architectures(),
        "cuda_devices": devices,
        "simd": native.simd_level(),
        "simd_available": native.simd_levels(),
        "threads": torch.get_num_threads(),
        "compiler": native.compiler(),
    }


def info(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show versions, the CUDA architectures compiled in, the SIMD level in use, and threads."""
    facts = collect()
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    labels = {
        "torch_cuda": "CUDA of torch",
        "cuda_architectures": "CUDA compiled in for",
        "cuda_devices": "CUDA devices",
        "simd": "SIMD level in use",
        "simd_available": "SIMD levels here",
    }
    table = Table(show_header=False, box=None)
    for key, value in facts.items():
        text = ", ".join(value) if isinstance(value, list) else value
        table.add_row(f"[bold]{labels.get(key, key)}", str(text or "none"))
    Console().print(table)
