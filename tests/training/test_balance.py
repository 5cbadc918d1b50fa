"""The monitor of discriminator and generator, and a collapse that it has to see."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import small_run as script
from small_run import CONFIG
from torch import nn

from mrirecon.data import AugmentationConfig
from mrirecon.losses import LossConfig
from mrirecon.models import PatchDiscriminator, PatchDiscriminatorConfig
from mrirecon.training import read_records
from mrirecon.training.balance import WINDOW, BalanceMonitor


def warnings(
    monitor: BalanceMonitor, shares: list[float], gaps: list[float] | None = None
) -> list[str]:
    said = [
        monitor.update({"separation": share, "logit_real": 0.1 + gap, "logit_fake": 0.1})
        for share, gap in zip(shares, gaps or [0.2] * len(shares), strict=True)
    ]
    return [warning for warning in said if warning is not None]


def test_an_even_game_is_not_warned_of() -> None:
    assert warnings(BalanceMonitor("hinge"), [0.4, 0.9] * WINDOW) == []


def test_a_blind_discriminator_is_warned_of_once() -> None:
    monitor = BalanceMonitor("hinge")
    assert warnings(monitor, [0.5] * (WINDOW - 1)) == []
    (warning,) = warnings(monitor, [0.5] * WINDOW)
    assert "50 % of the images were told apart" in warning
    assert "the discriminator guesses" in warning
    assert "\n" not in warning


@pytest.mark.parametrize(
    ("kind", "gap", "is_lost"),
    [
        ("hinge", 0.7, False),
        ("hinge", 0.9, True),
        ("least-squares", 0.3, False),
        ("least-squares", 0.5, True),
        ("wasserstein", 1e6, False),
    ],
)
def test_a_sure_discriminator_is_warned_of(kind: Any, gap: float, is_lost: bool) -> None:
    said = warnings(BalanceMonitor(kind), [1.0] * WINDOW, [gap] * WINDOW)
    assert [("so sure" in warning) for warning in said] == [True] * is_lost


def test_a_game_lost_again_is_warned_of_again() -> None:
    shares = [0.5] * WINDOW + [0.8] * WINDOW + [0.5] * WINDOW
    assert len(warnings(BalanceMonitor("hinge"), shares)) == 2


def test_records_of_a_stopped_run_count() -> None:
    record = {"separation": 0.5, "logit_real": 0.0, "logit_fake": 0.0}
    monitor = BalanceMonitor("hinge", [*[record] * (WINDOW - 1), {"validation.ssim": 0.9}])
    assert len(warnings(monitor, [0.5])) == 1


def test_a_provoked_collapse_is_written_to_the_log_and_told(
    store: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A discriminator whose weights are all 0 says the same of every image, and never learns."""

    def dead(config: PatchDiscriminatorConfig) -> PatchDiscriminator:
        judge = PatchDiscriminator(replace(config, spectral_norm=False))
        for parameter in judge.parameters():
            nn.init.zeros_(parameter)
        return judge

    monkeypatch.setattr(script, "PatchDiscriminator", dead)
    config = replace(
        CONFIG,
        steps=WINDOW + 2,
        losses=LossConfig(ssim=0.0),
        augmentation=AugmentationConfig(),
        validate_every=1000,
        checkpoint_every=1000,
    )
    script.small_run(store, tmp_path / "run", config)
    said = [r for r in read_records(tmp_path / "run" / "metrics.jsonl") if "warning" in r]
    assert [record["step"] for record in said] == [WINDOW]
    assert "the discriminator guesses" in said[0]["warning"]
    assert f"step {WINDOW}: over" in capsys.readouterr().err
