"""What BIDS tells beside a NIfTI file: the contrast in its name, and the scanner in a JSON file.

Brain imaging data structure: Gorgolewski et al. 2016, DOI 10.1038/sdata.2016.44.
"""

import json
from pathlib import Path
from typing import Any

from mrirecon.data.readers.subject import describe_traits

_LARGEST_SIDECAR = 1 << 20  # bytes; those of converters have some 3,000


def read_bids_traits(file: Path, bare: str) -> dict[str, str]:
    """Read `Subject.traits` from the name and the JSON file of the same name, if there is one.

    Args:
        file: the NIfTI file.
        bare: its name without suffixes; that of `sub-01_T1w` ends in the contrast.
    """
    told = _read_sidecar(file.with_name(f"{bare}.json"))
    contrast = bare.rpartition("_")[2] if bare.startswith("sub-") and "_" in bare else None
    maker, model = told.get("Manufacturer"), told.get("ManufacturersModelName")
    return describe_traits(
        protocol=contrast or told.get("ProtocolName") or told.get("SeriesDescription"),
        field_strength=told.get("MagneticFieldStrength"),
        scanner=f"{maker or ''} {model or ''}",
        institution=told.get("InstitutionName"),
    )


def _read_sidecar(path: Path) -> dict[str, Any]:
    try:
        if path.is_symlink() or path.stat().st_size > _LARGEST_SIDECAR:
            return {}
        told = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
