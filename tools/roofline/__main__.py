"""`python -m roofline`: count what plain PyTorch moves, and write docs/roofline.md."""

import json
import sys
from pathlib import Path

import torch

from roofline.counting import plain_bytes
from roofline.model import Line, read_lines
from roofline.page import page

_HERE = Path(__file__).parent
_STORED = _HERE / "plain.json"
_PAGE = _HERE.parents[1] / "docs" / "roofline.md"


def all_lines() -> list[Line]:
    """Return every kernel at its workloads in both precisions."""
    path = _HERE / "kernels.toml"
    return [
        line for dtype in (torch.complex64, torch.complex128) for line in read_lines(path, dtype)
    ]


def stored_page() -> str:
    """Return the page with the stored counts, which depend on torch's version."""
    stored = json.loads(_STORED.read_text())
    return page(all_lines(), stored["bytes"], stored["torch"])


def main() -> int:
    """Write counts and page; return 0."""
    counts = {line.key: plain_bytes(line) for line in all_lines()}
    version = torch.__version__.split("+")[0]
    _STORED.write_text(json.dumps({"torch": version, "bytes": counts}, indent=1) + "\n")
    _PAGE.write_text(stored_page())
    print(f"roofline: {_PAGE.relative_to(_HERE.parents[1])}, {len(counts)} counts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
