"""An exported program gives the generator's numbers, for any batch size and without its class."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mrirecon.models import Generator, GeneratorConfig, ReconResNetConfig, export_generator
from mrirecon.models import export as export_module
from mrirecon.sampling import TrajectoryConfig, plan_trajectory

SHAPE = (24, 20)
CONFIG = GeneratorConfig(ReconResNetConfig(width=4, n_blocks=1), "inside")


@pytest.mark.parametrize("sampled", [(1, 20), (24, 20)])
def test_a_program_takes_batches_of_any_size(sampled: tuple[int, int], tmp_path: Path) -> None:
    generator, path = Generator(CONFIG).eval(), tmp_path / "model.pt2"
    export_generator(generator, path, shape=SHAPE, sampled=sampled)
    program = torch.export.load(path).module()
    for batch in (1, 3):
        image = torch.rand(batch, 1, *SHAPE, dtype=torch.complex64)
        mask = torch.rand(batch, *sampled) < 0.5
        assert torch.equal(program(image, mask), generator(image, mask).output)


def test_a_program_holds_its_trajectory(tmp_path: Path) -> None:
    generator, path = Generator(CONFIG).eval(), tmp_path / "model.pt2"
    nufft = plan_trajectory(
        TrajectoryConfig(n_readouts=8, n_samples=48), SHAPE, torch.device("cpu")
    )
    export_generator(generator, path, shape=SHAPE, sampled=nufft)
    image = torch.rand(1, 1, *SHAPE, dtype=torch.complex64)
    found = torch.export.load(path).module()(image)
    assert torch.equal(found, generator(image, nufft).output)


def test_a_program_that_differs_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differ(found: Tensor, expected: Tensor) -> None:
        return check(found + 1e-3, expected)

    check = export_module._require_equal
    monkeypatch.setattr(export_module, "_require_equal", differ)
    generator = Generator(replace(CONFIG, consistency="none")).eval()
    with pytest.raises(ValueError, match="program: expected eager execution's numbers, got an"):
        export_generator(generator, tmp_path / "model.pt2", shape=SHAPE, sampled=(1, 20))
    assert list(tmp_path.iterdir()) == []
