"""What the emulator cannot show: streams, graphs, devices. All of it needs a GPU."""

import pytest
import torch

from mrirecon import ops

pytestmark = pytest.mark.requires_cuda

KSPACE = (4, 2, 33, 40)


def test_gradients_are_those_of_the_cpu() -> None:
    operands = [torch.randn(KSPACE, dtype=torch.complex64) for _ in range(2)]
    mask = torch.rand(40) < 0.4
    results = []
    for device in ("cpu", "cuda"):
        prediction, measured = (x.to(device).requires_grad_() for x in operands)
        consistent = ops.enforce_consistency(prediction, measured, mask.to(device))
        similarity = ops.ssim(consistent.abs(), measured.abs(), data_range=4.0, window="uniform")
        grads = torch.autograd.grad(similarity.sum(), (prediction, measured))
        results.append([similarity.cpu(), *(grad.cpu() for grad in grads)])
    for on_cpu, on_gpu in zip(*results, strict=True):
        torch.testing.assert_close(on_gpu, on_cpu, rtol=1e-4, atol=1e-6)


def test_operators_are_captured_in_a_graph_and_use_its_stream() -> None:
    kspace = torch.randn(KSPACE, dtype=torch.complex64, device="cuda")
    mask = torch.rand(40, device="cuda") < 0.4
    ops.apply_mask(kspace, mask)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = ops.apply_mask(kspace, mask)
    kspace.copy_(torch.randn(KSPACE, dtype=torch.complex64))
    graph.replay()
    assert torch.equal(out, kspace * mask)


def test_operands_on_two_devices_are_refused() -> None:
    kspace = torch.randn(KSPACE, dtype=torch.complex64, device="cuda")
    with pytest.raises(ValueError, match="mask: expected"):
        ops.apply_mask(kspace, torch.ones(40, dtype=torch.bool))
