"""Several processes that train one model, each on its own part of every batch.

Gradients are averaged between the backward pass and the optimiser's step, so that the processes
take the step that one process with the whole batch would take. `torchrun` starts them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor
from torch.optim import Optimizer

_TIMEOUT = timedelta(hours=2)  # the others wait while the first one validates


@dataclass(frozen=True)
class Ranks:
    """The processes of a run, seen from one of them.

    Attributes:
        rank: number of this one.
        world_size: how many there are.
        device: where this one computes.
    """

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this process writes logs and checkpoints, and validates."""
        return self.rank == 0

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their mean over the processes, in one exchange for each dtype."""
        if self.world_size == 1:
            return
        groups: defaultdict[torch.dtype, list[Tensor]] = defaultdict(list)
        for tensor in tensors:
            groups[tensor.dtype].append(tensor)
        for group in groups.values():
            flat = torch.cat([tensor.flatten() for tensor in group])
            dist.all_reduce(flat)
            flat /= self.world_size
            parts = flat.split([tensor.numel() for tensor in group])
            for tensor, part in zip(group, parts, strict=True):
                tensor.copy_(part.view_as(tensor))

    def average_gradients(self, optimizer: Optimizer) -> None:
        """Average the gradients of an optimiser's parameters over the processes.

        A parameter that no process used has no gradient on any; one that only some used, which
        no network here has, would leave the others waiting.
        """
        if self.world_size > 1:
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            self.average([p.grad for p in parameters if p.grad is not None])

    def from_first(self, *flags: bool) -> tuple[bool, ...]:
        """Give every process the first one's flags."""
        if self.world_size == 1:
            return flags
        shared = torch.tensor(flags, dtype=torch.uint8, device=self.device)
        dist.broadcast(shared, src=0)
        return tuple(bool(flag) for flag in shared.tolist())

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set on any process."""
        if self.world_size == 1:
            return flag
        shared = torch.tensor(flag, dtype=torch.uint8, device=self.device)
        dist.all_reduce(shared, op=dist.ReduceOp.MAX)
        return bool(shared)

    def least(self, number: int) -> int:
        """Return the smallest of the processes' numbers."""
        if self.world_size == 1:
            return number
        shared = torch.tensor(number, device=self.device)
        dist.all_reduce(shared, op=dist.ReduceOp.MIN)
        return int(shared)


def alone(device: torch.device) -> Ranks:
    """Return the ranks of a run of one process."""
    return Ranks(0, 1, device)


@contextmanager
def joined_ranks(device: torch.device) -> Iterator[Ranks]:
    """Join the processes that `torchrun` started; a process started otherwise is alone.

    Args:
        device: cpu, or cuda, of which each process takes the GPU of its number on its machine.

    Yields:
        The ranks, with this process's own device.
    """
    if not dist.is_torchelastic_launched():
        yield alone(device)
        return
    if device.type == "cuda":
        device = torch.device("cuda", dist.get_node_local_rank())
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_TIMEOUT)
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()
