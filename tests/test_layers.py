"""Imports of the package point one way, so that any layer can be read without those above it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "mrirecon"

# From the bottom to the top; modules in one entry may import each other.
LAYERS = [
    {"version", "files", "native"},
    {"ops"},
    {"fourier"},
    {"nufft"},
    {"sampling"},
    {"metrics"},
    {"data"},
    {"classical"},
    {"models"},
    {"losses"},
    {"training"},
    {"evaluation"},
    {"report"},
    {"config"},
    {"tuning"},
    {"bench"},
    {"cli"},
]
HEIGHT = {name: height for height, layer in enumerate(LAYERS) for name in layer}
REFERENCE_IMPORTS = {"torch", "math", "collections", "typing"}
SOURCES = sorted(PACKAGE.rglob("*.py"))


def layer_of(path: Path) -> str:
    """The first part of the module's name below the package: data for data/readers/nifti.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def faults(source: str, layer: str) -> list[str]:
    """Every import in `source`, a module of `layer`, that breaks a rule, with its line."""
    tree = ast.parse(source)
    found = []
    inner = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        reasons = [_direction_fault(name, layer) for name in _modules(node)]
        reasons.append("import inside a function" if node in inner else "")
        starred = any(alias.name == "*" for alias in node.names)
        reasons.append("star import" if starred else "")
        found += [f"line {node.lineno}: {reason}" for reason in reasons if reason]
    return found


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Full names of what a statement imports; `from mrirecon import ops` imports mrirecon.ops."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = "." * node.level + (node.module or "")
    if module in ("mrirecon", "."):
        return [f"{module.rstrip('.')}.{alias.name}" for alias in node.names]
    return [module]


def _direction_fault(name: str, layer: str) -> str:
    if name.startswith("."):
        return f"relative import {name}"
    package, _, rest = name.partition(".")
    if package != "mrirecon":
        foreign = layer == "reference" and package not in REFERENCE_IMPORTS
        return f"reference imports {name}, which is not torch" if foreign else ""
    imported = rest.partition(".")[0]
    if imported == layer:
        return ""
    if "reference" in (imported, layer) and layer != "bench":
        return f"{layer} imports {imported}; reference is for tests and benchmarks"
    height = -1 if imported == "reference" else HEIGHT.get(imported, len(LAYERS))
    if height > HEIGHT[layer]:  # the root, as "", is above all
        return f"{layer} imports {imported or 'the package root'}, which is above it"
    return ""


def test_every_module_has_a_layer() -> None:
    names = {layer_of(path) for path in SOURCES} - {"__init__", "__main__"}
    assert names - {"reference"} <= HEIGHT.keys()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down_and_stand_at_the_top(path: Path) -> None:
    layer = layer_of(path)
    if layer in ("__init__", "__main__"):  # the root itself: the version, or the command
        layer = "cli"
    assert faults(path.read_text(encoding="utf-8"), layer) == []


@pytest.mark.parametrize(
    ("layer", "source", "reason"),
    [
        ("ops", "import mrirecon.fourier", "ops imports fourier, which is above it"),
        ("ops", "from mrirecon import data", "ops imports data, which is above it"),
        ("data", "from mrirecon.cli.demo import demo", "data imports cli, which is above it"),
        ("data", "import mrirecon", "data imports the package root, which"),
        ("data", "from .store import SliceStore", "relative import .store"),
        ("data", "from mrirecon.ops import *", "star import"),
        ("data", "def f():\n    import torch", "import inside a function"),
        ("data", "class A:\n    async def f(self):\n        import torch", "inside a function"),
        ("data", "import mrirecon.reference.ssim", "reference is for tests and benchmarks"),
        ("reference", "from mrirecon import ops", "reference is for tests and benchmarks"),
        ("reference", "import numpy", "reference imports numpy, which is not torch"),
    ],
)
def test_a_forbidden_import_is_found(layer: str, source: str, reason: str) -> None:
    (fault,) = faults(source, layer)
    assert reason in fault


def test_allowed_imports_are_allowed() -> None:
    source = "import torch\nfrom mrirecon import ops\nfrom mrirecon.data.store import SliceStore"
    assert faults(source, "data") == []
