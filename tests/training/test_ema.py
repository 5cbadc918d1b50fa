"""The moving average against the recurrence written out."""

import copy

import pytest
import torch
from torch import nn

from mrirecon.training.ema import update_average


def test_average_follows_its_recurrence() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = copy.deepcopy(model)
    expected = model.weight.item()
    for step in range(40):
        nn.init.constant_(model.weight, step % 3)
        decay = min(0.7, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * (step % 3)
        update_average(average, model, decay=0.7, step=step)
        assert average.weight.item() == pytest.approx(expected, rel=1e-5)


def test_average_copies_buffers() -> None:
    model = nn.BatchNorm1d(2)
    average = copy.deepcopy(model)
    model(torch.rand(8, 2))
    update_average(average, model, decay=0.9, step=100)
    assert torch.equal(average.running_mean, model.running_mean)
    assert average.num_batches_tracked == 1
