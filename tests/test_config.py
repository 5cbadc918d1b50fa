from pathlib import Path

import pytest
import yaml

from mrirecon.config import RunConfig, config_to_yaml, load_config, parse_config, save_config
from mrirecon.models import UNetConfig, UnrolledConfig
from mrirecon.sampling import MixtureConfig, SamplingConfig, SpiralDesign, TrajectoryConfig


def test_a_saved_configuration_reads_back_the_same(tmp_path: Path) -> None:
    config = parse_config(
        {"store": "s.h5", "sampling": {"strategy": "radial"}, "training": {"steps": 7}}, name="x"
    )
    save_config(config, tmp_path / "config.yaml")
    assert load_config(tmp_path / "config.yaml") == config


def test_a_trajectory_takes_the_place_of_a_mask() -> None:
    on_grid = load_config(None, ["store=s.h5"])
    off_grid = load_config(None, ["store=s.h5", "trajectory.n_readouts=30"])
    assert on_grid.undersampling == on_grid.sampling
    assert off_grid.undersampling == TrajectoryConfig(n_readouts=30)
    designed = load_config(
        None, ["store=s.h5", "trajectory.kind=spiral", "trajectory.design.edge_spacing=3"]
    )
    assert designed.undersampling == TrajectoryConfig("spiral", design=SpiralDesign(edge_spacing=3))
    for config in (off_grid, designed):
        assert parse_config(yaml.safe_load(config_to_yaml(config)), name="x") == config


def test_a_mixture_takes_the_place_of_one_sampling() -> None:
    patterns = "[{acceleration: 4}, {strategy: random_2d, acceleration: 8}]"
    config = load_config(
        None, ["store=s.h5", f"mixture.sampling={patterns}", "mixture.weights=[2, 1]"]
    )
    expected = (SamplingConfig(acceleration=4), SamplingConfig("random_2d", acceleration=8))
    assert config.undersampling == MixtureConfig(expected, weights=(2.0, 1.0))
    assert parse_config(yaml.safe_load(config_to_yaml(config)), name="x") == config


def test_yaml_holds_every_key_with_its_default() -> None:
    values = yaml.safe_load(config_to_yaml(RunConfig(store=Path("s.h5"))))
    assert values["generator"]["network"]["width"] == 64
    assert values["training"]["losses"]["adversarial_kind"] == "hinge"


def test_the_kind_of_a_network_decides_its_keys() -> None:
    chosen = ["generator.network.kind=unrolled", "generator.network.refinement.kind=unet"]
    config = load_config(None, ["store=s.h5", *chosen, "generator.network.refinement.width=8"])
    assert config.generator.network == UnrolledConfig(refinement=UNetConfig(width=8))
    assert parse_config(yaml.safe_load(config_to_yaml(config)), name="x") == config


def test_overrides_apply_in_order_and_keep_their_type(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("store: s.h5\ntraining:\n  steps: 5\n  batch_size: 3\n")
    config = load_config(path, ["training.steps=6", "training.steps=8", "sampling.axis=rows"])
    assert (config.training.steps, config.training.batch_size) == (8, 3)
    assert config.sampling.axis == "rows"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "run: missing key store"),
        ({"store": "s", "sampling": {"strateggy": 1}}, "unknown key sampling.strateggy (did you"),
        (
            {"store": "s", "x": 1},
            "unknown key x (known: discriminator, generator, mixture, sampling",
        ),
        ({"store": "s", "training": {"steps": 0}}, "training.steps: expected 1 or more, got 0"),
        ({"store": "s", "training": 3}, "run: training"),
        (
            {"store": "s", "trajectory": {"spokes": 3}},
            "trajectory.spokes (known: design, first_angle, ",
        ),
        (
            {"store": "s", "trajectory": {"design": {"edge_spacin": 3}}},
            "unknown key trajectory.design.edge_spacin (did you mean edge_spacing?)",
        ),
        (
            {"store": "s", "trajectory": {"kind": "spiral", "design": {"edge_spacing": 0.5}}},
            "trajectory.design.edge_spacing: expected at least centre_spacing = 1, got 0.5",
        ),
        ({"store": "s", "trajectory": {"n_readouts": 0}}, "trajectory.n_readouts: expected 1 or"),
        (
            {"store": "s", "trajectory": {}, "sampling": {"strategy": "random"}},
            "trajectory: expected none beside a sampling on the grid, got both",
        ),
        (
            {"store": "s", "mixture": {"sampling": [{}, {"axis": "z"}]}},
            "mixture.sampling.axis: Input should be 'cols' or 'rows', got 'z'",
        ),
        (
            {"store": "s", "mixture": {"sampling": [{"axs": "rows"}, {}]}},
            "unknown key mixture.sampling.axs (did you mean axis?)",
        ),
        ({"store": "s", "mixture": {"sampling": [{}]}}, "mixture.sampling: expected two patterns"),
        (
            {"store": "s", "mixture": {"sampling": [{}, {}]}, "trajectory": {}},
            "mixture: expected none beside a trajectory, got both",
        ),
        (
            {"store": "s", "training": {"noise_std": 0.1}},
            "unknown key training.noise_std, which is training.simulation.noise_std now",
        ),
        (
            {"store": "s", "sampling": {"density": "gaussian"}},
            "unknown key sampling.density, which is sampling.strategy now",
        ),
        ({"store": "s", "a": 1, "training": {"steps": 0}}, "; "),
        (
            {"store": "s", "generator": {"network": {"kind": "unet", "n_blocks": 3}}},
            "unknown key generator.network.n_blocks (known: ",
        ),
        (
            {"store": "s", "generator": {"network": {"kind": "resnet"}}},
            "generator.network.kind: expected 'reconresnet', 'unet', ",
        ),
        (
            {
                "store": "s",
                "generator": {"network": {"kind": "unrolled", "refinement": {"widht": 3}}},
            },
            "unknown key generator.network.refinement.widht (did you mean width?)",
        ),
        (
            {"store": "s", "generator": {"network": {"kind": "unrolled", "n_cascades": 0}}},
            "generator.network.n_cascades: expected at least 1, got 0",
        ),
    ],
)
def test_each_problem_names_its_key(values: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_config(values, name="run")
    assert text in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_mapping_is_named(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("- a\n- b\n")
    with pytest.raises(ValueError, match=r"list.yaml: expected keys and values, got list"):
        load_config(path)
    with pytest.raises(FileNotFoundError):
        load_config(tmp_path / "none.yaml")
