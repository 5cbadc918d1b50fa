"""Write fastmri_masks.json: what the fastMRI package draws, as digests.

Needs an environment of its own, since the project does not depend on it:
    python -m venv v && v/bin/pip install torch numpy && v/bin/pip install --no-deps fastmri==0.3.0
    v/bin/python tests/sampling/make_fastmri_masks.py PATH_OF_SUBSAMPLE_PY
where the path is that of fastmri/data/subsample.py; it is loaded by itself, without the package's
other dependencies.
"""

import hashlib
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np

KINDS = {
    "random": "RandomMaskFunc",
    "equispaced": "EquiSpacedMaskFunc",
    "equispaced_fraction": "EquispacedMaskFractionFunc",
    "magic": "MagicMaskFunc",
    "magic_fraction": "MagicMaskFractionFunc",
}
SIZES = (320, 368, 372, 127, 64)  # columns of fastMRI's knees and brains, one odd, one small
SETTINGS = ((4, 0.08), (8, 0.04), (5, 0.1))  # acceleration, centre fraction
N_SEEDS = 100


def main() -> None:
    spec = importlib.util.spec_from_file_location("subsample", sys.argv[1])
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    digests = {}
    for kind, name in KINDS.items():
        for n_cols in SIZES:
            for acceleration, fraction in SETTINGS:
                mask_func = getattr(package, name)([fraction], [acceleration])
                masks = [
                    mask_func((1, n_cols, 2), seed=seed)[0].numpy().ravel() != 0
                    for seed in (*range(N_SEEDS), (1, 2, 3, 4))
                ]
                key = f"{kind} {n_cols} {acceleration} {round(n_cols * fraction)}"
                digests[key] = hashlib.sha256(np.packbits(masks).tobytes()).hexdigest()[:16]
    path = Path(__file__).with_name("fastmri_masks.json")
    path.write_text(json.dumps(digests, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
