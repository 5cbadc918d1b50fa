import dataclasses
import math
from pathlib import Path

import pytest
import torch
from evaluation_cases import CPU, SAMPLING, SPOKES, make_dataset, make_generator

from mrirecon.classical import MethodConfig, SenseConfig, TotalVariationConfig, ZeroFilledConfig
from mrirecon.data import Measurement, SimulationConfig, simulate
from mrirecon.evaluation import (
    CLASSICAL_METHODS,
    Example,
    MethodName,
    baselines,
    classical,
    collect_examples,
    evaluate,
    network,
    read_regularisation,
    tune_regularisation,
    write_regularisation,
)
from mrirecon.evaluation.regularisation import _search
from mrirecon.metrics import get_protocol
from mrirecon.sampling import Undersampling

CLASSICAL: dict[MethodName, MethodConfig] = {
    "SENSE": SenseConfig(),
    "total variation": TotalVariationConfig(regularisation=0.003),
}


def measure(folder: Path, sampling: Undersampling, noise_std: float) -> list[Measurement]:
    return [
        simulate(batch, sampling, seed=3, simulation=SimulationConfig(noise_std))
        for batch in make_dataset(folder).batches(4)
    ]


@pytest.mark.parametrize("sampling", [SAMPLING, SPOKES])
def test_tuning_finds_more_regularisation_for_more_noise(
    tmp_path: Path, sampling: Undersampling
) -> None:
    method = TotalVariationConfig(n_iterations=30)
    (tmp_path / "little").mkdir()
    (tmp_path / "much").mkdir()
    little = tune_regularisation(method, measure(tmp_path / "little", sampling, 0.001))
    much = tune_regularisation(method, measure(tmp_path / "much", sampling, 0.1))
    assert little.regularisation < much.regularisation
    for found in (little, much):
        assert found.config == dataclasses.replace(method, regularisation=found.regularisation)
        assert found.psnr == max(psnr for _, psnr in found.trials)
        assert dict(found.trials)[found.regularisation] == found.psnr


@pytest.mark.parametrize("peak", [-3.7, -2.0, -1.2])
def test_the_search_closes_in_on_a_maximum(peak: float) -> None:
    tried: list[float] = []

    def score(x: float) -> float:
        tried.append(x)
        return -abs(x - peak)

    _search(score, math.floor(peak) - 1, math.floor(peak) + 1)
    assert min(abs(x - peak) for x in tried) < 2 * 0.618**6


def test_tuning_needs_a_prior_and_an_image(tmp_path: Path) -> None:
    measurements = measure(tmp_path, SAMPLING, 0.0)
    with pytest.raises(ValueError, match="method: expected one with a regularisation, got ZeroF"):
        tune_regularisation(ZeroFilledConfig(), measurements)
    blank = [dataclasses.replace(m, target=torch.zeros_like(m.target)) for m in measurements]
    for nothing in ([], blank):
        with pytest.raises(ValueError, match="measurements: expected a slice with an image, got n"):
            tune_regularisation(SenseConfig(n_iterations=2), nothing)


def test_files_give_back_what_was_found(tmp_path: Path) -> None:
    tuned = {"tv": tune_regularisation(TotalVariationConfig(n_iterations=3),
                                       measure(tmp_path, SAMPLING, 0.0))}  # fmt: skip
    path = tmp_path / "regularisation.yaml"
    write_regularisation(path, tuned, "six slices")
    expected = TotalVariationConfig(regularisation=tuned["tv"].regularisation)
    assert read_regularisation(path) == {"tv": expected}
    assert "tuned_on: six slices" in path.read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("methods: [", "expected what tune-regularisation writes"),
        ("methods: {tv: 3}", "expected what tune-regularisation writes"),
        ("other: 1", "expected what tune-regularisation writes"),
        ("methods: {grappa: {regularisation: 1}}", "method: expected one of zero-filled"),
        ("methods: {tv: {regularisation: much}}", "tv: expected a number .*, got 'much'"),
        ("methods: {tv: {regularisation: -1}}", "regularisation: expected 0 or more, got -1"),
    ],
)
def test_damaged_files_end_in_one_line_with_their_name(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "regularisation.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"regularisation\.yaml: .*{message}"):
        read_regularisation(path)


@pytest.mark.parametrize("sampling", [SAMPLING, SPOKES])
def test_classical_methods_are_scored_and_shown_beside_the_network(
    tmp_path: Path, sampling: Undersampling
) -> None:
    dataset, generator = make_dataset(tmp_path), make_generator().eval()
    evaluation = evaluate(
        generator,
        dataset,
        sampling,
        seed=3,
        protocol=get_protocol("per_slice"),
        batch_size=4,
        device=CPU,
        classical=CLASSICAL,
    )
    expected = ("data consistency alone", *CLASSICAL, "network", "network + data consistency")
    assert evaluation.methods[1:] == expected
    assert evaluation.classical == CLASSICAL
    assert set(CLASSICAL) < set(CLASSICAL_METHODS.values())
    means = {
        method: sum(s.psnr for s in evaluation.scores if s.method == method)
        for method in evaluation.methods
    }
    assert means["total variation"] > means[evaluation.methods[0]]
    makers = [
        baselines,
        *(classical(name, config) for name, config in CLASSICAL.items()),
        network(generator),
    ]
    examples: list[Example] = collect_examples(
        makers, dataset, evaluation, batch_size=4, device=CPU
    )
    for method in CLASSICAL:
        score = examples[0].scores[method]
        error = (examples[0].images[method] - examples[0].target).double().square().sum()
        assert float(error) == pytest.approx(score.squared_error, rel=1e-3)
