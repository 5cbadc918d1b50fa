"""The figure of readouts and waveforms: it draws what it is given, and says what is wrong."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from mrirecon.sampling import CLINICAL_3T, AcquisitionConfig, kooshball, spiral_trajectory
from mrirecon.sampling.waveform_picture import draw_waveforms

SLICE = AcquisitionConfig(repetition_time=50e-3)
SPIRAL = spiral_trajectory(4, 300, (64, 64), dtype=torch.float64).unflatten(0, (4, 300))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Figures that were saved, in order."""
    figures: list[Figure] = []
    save = Figure.savefig

    def keep(self: Figure, *arguments: object, **options: object) -> None:
        figures.append(self)
        save(self, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    return figures


def test_panels_show_readouts_gradients_and_slew_rates(tmp_path: Path, drawn: list[Figure]) -> None:
    draw_waveforms(SPIRAL, (64, 64), SLICE, CLINICAL_3T, tmp_path / "spiral.png", title="spiral")
    with Image.open(tmp_path / "spiral.png") as picture:
        assert picture.width > 2 * picture.height
    kspace, gradient, slew = drawn[0].axes
    assert len(kspace.lines) == 4
    np.testing.assert_allclose(kspace.lines[1].get_xydata(), SPIRAL[1].flip(-1).numpy())
    step = np.diff(SPIRAL[0].numpy(), axis=0) / 0.256 / 10e-6 / 42.577478e6  # [T/m]
    names = [line.get_label() for line in gradient.lines]
    assert names == ["rows", "cols", "vector", "limit"]
    np.testing.assert_allclose(gradient.lines[0].get_ydata(), 1e3 * step[:, 0])
    np.testing.assert_allclose(gradient.lines[2].get_ydata(), 1e3 * np.hypot(*step.T))
    assert set(gradient.lines[3].get_ydata()) == {40}
    change = np.diff(step, axis=0, prepend=0) / 10e-6  # it begins at rest
    np.testing.assert_allclose(slew.lines[1].get_ydata(), change[:, 1])
    assert set(slew.lines[3].get_ydata()) == {150}


@pytest.mark.parametrize(
    ("dwell_time", "verdict"),
    [(40e-6, "clinical_3t can play it"), (2e-6, "gradient of 244 mT/m is 6.11 times the 40 mT/m")],
)
def test_the_title_says_whether_it_can_be_played(
    tmp_path: Path, drawn: list[Figure], dwell_time: float, verdict: str
) -> None:
    acquisition = AcquisitionConfig(repetition_time=50e-3, dwell_time=dwell_time)
    draw_waveforms(SPIRAL, (64, 64), acquisition, CLINICAL_3T, tmp_path / "a.png", title="spiral")
    assert drawn[0].get_suptitle().startswith("spiral: 4 excitations, 0.2 s instead of 3.2 s")
    assert drawn[0].get_suptitle().partition("\n")[2].startswith(verdict)


def test_readouts_of_a_slab_are_drawn_in_three_dimensions(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    coords = kooshball(20, 16, (16, 16, 16), dtype=torch.float64).unflatten(0, (20, 16))
    slab = AcquisitionConfig(n_partitions=16)
    draw_waveforms(coords, (16, 16, 16), slab, CLINICAL_3T, tmp_path / "ball.png", title="ball")
    kspace, gradient, _ = drawn[0].axes
    assert (kspace.name, len(kspace.lines)) == ("3d", 20)
    assert [line.get_label() for line in gradient.lines[:3]] == ["depth", "rows", "cols"]


def test_what_cannot_be_checked_is_not_drawn(tmp_path: Path) -> None:
    lost = SPIRAL * math.nan
    with pytest.raises(ValueError, match=r"^coords: expected finite values, got NaN or infinity$"):
        draw_waveforms(lost, (64, 64), SLICE, CLINICAL_3T, tmp_path / "a.png", title="")
    assert list(tmp_path.iterdir()) == []
