"""The part of an ISMRMRD header that places k-space: sizes, fields of view, centre, trajectory.

ISMRM raw data format: Inati et al. 2017, DOI 10.1002/mrm.26089; schema at https://ismrmrd.github.io.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from mrirecon.data.readers.subject import describe_traits

LARGEST_HEADER = 1 << 22
"""Bytes; headers of scanners have some 10,000."""
_NAMESPACE = "{*}"  # some writers leave it out


@dataclass(frozen=True)
class Encoding:
    """One encoding of a header; sizes are (readout, phase, second phase), as (x, y, z)."""

    trajectory: str
    encoded: tuple[int, int, int]
    """Samples, with readout oversampling."""
    encoded_fov: tuple[float, float, float]
    """[mm]."""
    reconstructed: tuple[int, int, int]
    """Pixels of the scanner's own images."""
    reconstructed_fov: tuple[float, float, float]
    """[mm]."""
    phase_limits: tuple[int, int, int]
    """(first, last, centre) line of `kspace_encode_step_1`."""
    second_limits: tuple[int, int, int]
    """The same of `kspace_encode_step_2`, the partitions of 3-D encoding."""
    is_ramp_sampled: bool
    """Whether lines of EPI were also sampled while the gradient rose and fell."""
    patient: str | None
    """Identifier of the person, if the header has one."""

    @property
    def reconstructed_voxel_size(self) -> tuple[float, float, float]:
        """Distance between (slices, rows, cols) [mm] of images of the reconstructed size."""
        x, y, z = (f / n for f, n in zip(self.reconstructed_fov, self.reconstructed, strict=True))
        return z, x, y

    @property
    def pixel_size(self) -> tuple[float, float, float]:
        """Of the encoded resolution, along (rows, cols, depth) [mm]."""
        x, y, z = (fov / n for fov, n in zip(self.encoded_fov, self.encoded, strict=True))
        return x, y, z

    @property
    def image_depth(self) -> int:
        """Slices of the reconstructed field of view of 3-D encoding, as `image_shape`."""
        shown = self.encoded[2] * self.reconstructed_fov[2] / self.encoded_fov[2]
        return max(1, min(self.encoded[2], round(shown)))

    @property
    def image_shape(self) -> tuple[int, int]:
        """(rows, cols) of the reconstructed field of view at the encoded resolution.

        The scanner may show more pixels than it measured; they would be interpolated.
        """
        rows, cols = (
            max(1, min(n, round(n * shown / fov)))
            for n, shown, fov in zip(
                self.encoded, self.reconstructed_fov[:2], self.encoded_fov, strict=False
            )
        )
        return rows, cols


def parse_encoding(path: Path, xml: bytes) -> Encoding:
    """Read the first encoding of a header.

    Args:
        path: named in errors.
        xml: the header.

    Raises:
        ValueError: no XML, or a part is missing or impossible.
    """
    try:
        if len(xml) > LARGEST_HEADER:
            raise ValueError(f"{len(xml)} bytes")
        root = ElementTree.fromstring(xml)
        encoding = _find(root, "encoding")
        encoded, encoded_fov = _space(_find(encoding, "encodedSpace"))
        shown, shown_fov = _space(_find(encoding, "reconSpace"))
        patient = root.findtext(f"{_NAMESPACE}subjectInformation/{_NAMESPACE}patientID")
        return Encoding(
            trajectory=(encoding.findtext(f"{_NAMESPACE}trajectory") or "cartesian").strip(),
            encoded=encoded,
            encoded_fov=encoded_fov,
            reconstructed=shown,
            reconstructed_fov=shown_fov,
            phase_limits=_limits(encoding, "kspace_encoding_step_1", encoded[1]),
            second_limits=_limits(encoding, "kspace_encoding_step_2", encoded[2]),
            is_ramp_sampled=_is_ramp_sampled(encoding),
            patient=patient.strip() if patient and patient.strip() else None,
        )
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        detail = " ".join(str(error).split())
        raise ValueError(f"{path}: expected an ISMRMRD header, got an error: {detail}") from error


def parse_traits(xml: bytes) -> dict[str, str]:
    """Read `Subject.traits` from a header; from a broken one none."""
    try:
        root = ElementTree.fromstring(xml) if len(xml) <= LARGEST_HEADER else None
    except (ElementTree.ParseError, ValueError, LookupError):
        root = None
    if root is None:
        return {}
    system = f"{_NAMESPACE}acquisitionSystemInformation/{_NAMESPACE}"

    def text(place: str) -> str:
        return " ".join((root.findtext(place) or "").split())

    return describe_traits(
        protocol=text(f"{_NAMESPACE}measurementInformation/{_NAMESPACE}protocolName"),
        field_strength=text(f"{system}systemFieldStrength_T"),
        scanner=f"{text(f'{system}systemVendor')} {text(f'{system}systemModel')}",
        institution=text(f"{system}institutionName"),
    )


def _find(element: ElementTree.Element, name: str) -> ElementTree.Element:
    found = element.find(f"{_NAMESPACE}{name}")
    if found is None:
        raise ValueError(f"no {name}")
    return found


def _space(space: ElementTree.Element) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    matrix, fov = _find(space, "matrixSize"), _find(space, "fieldOfView_mm")
    x, y, z = (int(_find(matrix, axis).text or "") for axis in "xyz")
    width, height, depth = (float(_find(fov, axis).text or "") for axis in "xyz")
    sizes = (x, y, z, width, height, depth)
    if not all(math.isfinite(size) and 0 < size < 1e6 for size in sizes):
        raise ValueError(f"sizes and fields of view above 0, got {sizes}")
    return (x, y, z), (width, height, depth)


def _limits(encoding: ElementTree.Element, counter: str, n: int) -> tuple[int, int, int]:
    """Give (first, last, centre) of a counter; without limits all about n // 2."""
    limits = encoding.find(f"{_NAMESPACE}encodingLimits/{_NAMESPACE}{counter}")
    if limits is None:
        return 0, n - 1, n // 2
    first, last, centre = (
        int(_find(limits, name).text or "") for name in ("minimum", "maximum", "center")
    )
    return first, last, centre


def _is_ramp_sampled(encoding: ElementTree.Element) -> bool:
    """Compare the time of sampling with the gradient's plateau, which some writers give [us]."""
    described = encoding.find(f"{_NAMESPACE}trajectoryDescription")
    times = {
        parameter.findtext(f"{_NAMESPACE}name"): float(_find(parameter, "value").text or "")
        for kind in ("userParameterLong", "userParameterDouble")
        for parameter in (() if described is None else described.findall(f"{_NAMESPACE}{kind}"))
    }
    if not {"rampUpTime", "flatTopTime", "acqDelayTime", "numSamples", "dwellTime"} <= set(times):
        return False
    first = times["acqDelayTime"]
    last = first + times["numSamples"] * times["dwellTime"]
    plateau = times["rampUpTime"], times["rampUpTime"] + times["flatTopTime"]
    slack = times["dwellTime"]
    return first < plateau[0] - slack or last > plateau[1] + slack
