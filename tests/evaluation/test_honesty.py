"""Networks that cheat or err are caught: real generators, wrapped, scored as any other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from evaluation_cases import CPU, SAMPLING, SPOKES, make_dataset
from torch import Tensor

from mrirecon.classical import Encoding
from mrirecon.data import Measurement, SimulationConfig, simulate
from mrirecon.evaluation import Evaluation, evaluate, find_faults, summarise_checks
from mrirecon.evaluation.checks import ALIGNMENTS, check_images, find_alignment
from mrirecon.metrics import get_protocol
from mrirecon.models import Generator, GeneratorConfig, ReconResNetConfig, Reconstruction
from mrirecon.sampling import SamplingConfig, Undersampling

MILD = SamplingConfig("variable_density", 1.5, 8)  # its zero-filled images look like the target


class Spoilt(Generator):
    """A generator of which every image is spoilt in one way after it was made."""

    def __init__(self, spoil: Callable[[Tensor, Tensor], Tensor]) -> None:
        torch.manual_seed(3)
        network = ReconResNetConfig(width=4, n_blocks=1, residual=True)
        super().__init__(GeneratorConfig(network=network, consistency="after"))
        self._spoil = spoil

    def forward(self, zero_filled: Tensor, *rest: object) -> Reconstruction:
        made = super().forward(zero_filled, *rest)
        given = zero_filled.abs()
        return made._replace(
            network=self._spoil(made.network, given),
            consistent=self._spoil(made.consistent, given),
        )


def score(
    folder: Path, spoil: Callable[[Tensor, Tensor], Tensor], sampling: Undersampling = MILD
) -> Evaluation:
    return evaluate(
        Spoilt(spoil),
        make_dataset(folder),
        sampling,
        seed=5,
        protocol=get_protocol("per_slice"),
        batch_size=4,
        device=CPU,
    )


def kinds(evaluation: Evaluation, method: str) -> set[str]:
    return {fault.kind for fault in find_faults(evaluation) if fault.method == method}


@pytest.mark.parametrize("sampling", [MILD, SPOKES], ids=["mask", "spokes"])
def test_an_honest_network_is_not_accused(tmp_path: Path, sampling: Undersampling) -> None:
    evaluation = score(tmp_path, lambda image, _: 0.98 * image, sampling)
    for method in ("network", "network + data consistency"):
        assert not kinds(evaluation, method) & {"moved", "unchanged", "inconsistent"}
    (fault,) = [f for f in find_faults(evaluation) if f.kind == "simulated"]
    assert "K-space is simulated" in fault.text


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda image, _: image.roll(1, -1), "shifted by a column"),
        (lambda image, _: image.roll(-1, -2), "shifted by a row upwards"),
        (lambda image, _: image.flip(-1), "flipped along columns"),
        (lambda image, _: image.flip((-2, -1)), "turned by 180 degrees"),
    ],
)
def test_a_moved_network_is_caught(
    tmp_path: Path, spoil: Callable[[Tensor, Tensor], Tensor], words: str
) -> None:
    evaluation = score(tmp_path, spoil)
    (fault,) = [
        f
        for f in find_faults(evaluation)
        if (f.kind, f.method) == ("moved", "network + data consistency")
    ]
    assert fault.text.endswith(f"6 of 6 slices are closest to a target that is {words}")
    assert "inconsistent" in kinds(evaluation, "network + data consistency")
    assert "loses" in kinds(evaluation, "network + data consistency")


def test_an_identity_network_is_caught(tmp_path: Path) -> None:
    evaluation = score(tmp_path, lambda _, given: given)
    assert "unchanged" in kinds(evaluation, "network")
    assert "unchanged" not in kinds(evaluation, "zero-filled")


def test_a_result_worse_than_its_input_is_caught(tmp_path: Path) -> None:
    evaluation = score(tmp_path, lambda image, _: 0.5 * image)
    texts = [fault.text for fault in find_faults(evaluation) if fault.kind == "loses"]
    assert any("loses to its own input, zero-filled by PSNR, on 2 of 2" in text for text in texts)


def test_transposition_is_told_from_no_move() -> None:
    target = torch.rand(3, 20, 20, generator=torch.Generator().manual_seed(0))
    image = torch.stack([target[0], target[1].T, 0.9 * target[2]])
    found = [ALIGNMENTS[int(place)] for place in find_alignment(image, target)]
    assert found == ["as it is", "transposed", "as it is"]


def test_a_symmetric_image_is_as_it_is() -> None:
    image = torch.zeros(1, 9, 9)
    image[:, 3:6, 3:6] = 1
    assert int(find_alignment(0.8 * image, image)) == 0


def measure(folder: Path, **simulation: float) -> Measurement:
    raw = next(iter(make_dataset(folder).batches(6)))
    return simulate(raw, SAMPLING, seed=5, simulation=SimulationConfig(**simulation))


def test_the_target_agrees_with_its_measurement_and_its_null_space_part_is_what_is_missing(
    tmp_path: Path,
) -> None:
    measurement = measure(tmp_path)
    target = measurement.target[:, 0]
    checks = check_images(target, target, measurement)
    assert float(checks.residual.max()) < 1e-5  # float32 transforms
    missing = (measurement.target - measurement.zero_filled).abs().square().sum((-3, -2, -1))
    expected = missing / measurement.target.square().sum((-3, -2, -1))
    torch.testing.assert_close(checks.invented.float(), expected, rtol=1e-4, atol=1e-5)


def test_a_zero_filled_image_invents_nothing_and_changes_nothing(tmp_path: Path) -> None:
    measurement = measure(tmp_path)
    encoding = Encoding(measurement.sampled)
    made_up = measurement.zero_filled - encoding.normal(measurement.zero_filled)
    assert float(made_up.abs().max()) < 1e-5
    given = measurement.zero_filled[:, 0].abs()
    assert float(check_images(given, measurement.target[:, 0], measurement).change.max()) == 0


@pytest.mark.parametrize("n_coils", [1, 3])
def test_noise_leaves_a_residual_of_its_size(tmp_path: Path, n_coils: int) -> None:
    noisy = measure(tmp_path, noise_std=0.02, phase=0.3, n_coils=n_coils)
    checks = check_images(noisy.target[:, 0], noisy.target[:, 0], noisy)
    assert float(checks.residual.min()) > 1e-3
    assert float(checks.residual.max()) < 1


def test_checks_are_averaged_over_slices(tmp_path: Path) -> None:
    evaluation = score(tmp_path, lambda image, _: image)
    found = summarise_checks(evaluation)["zero-filled"]
    own = [s for s in evaluation.scores if s.method == "zero-filled"]
    assert found.residual == pytest.approx(sum(s.residual or 0 for s in own) / len(own))
    assert found.alignments == {"as it is": 6}
    spoilt = [replace(s, alignment="transposed") for s in evaluation.scores]
    moved = [f.kind for f in find_faults(replace(evaluation, scores=spoilt))]
    assert moved.count("moved") == len(evaluation.methods)
