"""Named tensors of a training state, and the safetensors files that hold them."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from mrirecon.training.state import TrainingState

_ADAM_MOMENTS = ("exp_avg", "exp_avg_sq")


def model_tensors(state: TrainingState) -> dict[str, Tensor]:
    """Return all weights and buffers: generator.*, average.* and discriminator.*."""
    networks: dict[str, nn.Module] = {"generator": state.generator, "average": state.average}
    if state.discriminator is not None:
        networks["discriminator"] = state.discriminator
    return {
        f"{owner}.{name}": tensor
        for owner, network in networks.items()
        for name, tensor in network.state_dict().items()
    }


def optimizer_tensors(state: TrainingState) -> dict[str, Tensor]:
    """Return what Adam remembers of each parameter: OWNER.PARAMETER.STATE."""
    return {
        f"{owner}.{name}.{key}": tensor
        for owner, network, optimizer in _players(state)
        for name, parameter in _learning(network)
        for key, tensor in optimizer.state[parameter].items()
    }


def set_model_tensors(state: TrainingState, tensors: dict[str, Tensor], path: Path) -> None:
    """Copy weights and buffers into the networks.

    Raises:
        ValueError: a name or a shape differs; names `path` and the tensor.
    """
    current = model_tensors(state)
    check_tensors(path, tensors, current)
    with torch.no_grad():
        for name, tensor in current.items():
            tensor.copy_(tensors[name])


def set_optimizer_tensors(state: TrainingState, tensors: dict[str, Tensor], path: Path) -> None:
    """Copy what Adam remembers into the optimisers; one that has no tensors took no step yet.

    Args:
        state: changed in place.
        tensors: as `optimizer_tensors` gives them.
        path: the file they are from.

    Raises:
        ValueError: a name or a shape differs; names `path` and the tensor.
    """
    stepped = {name.partition(".")[0] for name in tensors}
    players = [player for player in _players(state) if player[0] in stepped]
    expected: dict[str, Tensor] = {}
    for owner, network, _ in players:
        for name, parameter in _learning(network):
            expected |= {f"{owner}.{name}.{key}": parameter for key in _ADAM_MOMENTS}
            expected[f"{owner}.{name}.step"] = torch.empty(())
    check_tensors(path, tensors, expected)
    for _, _, optimizer in _players(state):
        optimizer.state.clear()
    for owner, network, optimizer in players:
        for name, parameter in _learning(network):
            # The moments keep the parameter's memory order, as the fused Adam expects.
            moments = {
                key: torch.empty_like(parameter).copy_(tensors[f"{owner}.{name}.{key}"]).detach()
                for key in _ADAM_MOMENTS
            }
            step = tensors[f"{owner}.{name}.step"].to(parameter.device)
            optimizer.state[parameter] = {"step": step, **moments}


def _learning(network: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Return the parameters that are not frozen, with their names."""
    return [(name, p) for name, p in network.named_parameters() if p.requires_grad]


def _players(state: TrainingState) -> list[tuple[str, nn.Module, Optimizer]]:
    players: list[tuple[str, nn.Module, Optimizer]] = [
        ("generator", state.generator, state.generator_optimizer)
    ]
    if state.discriminator is not None and state.discriminator_optimizer is not None:
        players.append(("discriminator", state.discriminator, state.discriminator_optimizer))
    return players


def check_tensors(path: Path, got: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Compare names and shapes.

    Raises:
        ValueError: names `path` and the first tensor that differs.
    """
    for name, tensor in expected.items():
        if name not in got:
            raise ValueError(f"{path}: expected a tensor {name}, got none")
        if got[name].shape != tensor.shape:
            raise ValueError(
                f"{path}: {name}: expected shape {tuple(tensor.shape)}, "
                f"got {tuple(got[name].shape)}"
            )
    for name in got:
        if name not in expected:
            raise ValueError(f"{path}: expected no tensor {name}, got one")


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors to a safetensors file.

    Raises:
        OSError: the file cannot be written, for instance on a full disk.
    """
    try:
        save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, path)
    except SafetensorError as error:
        raise OSError(f"{path}: cannot be written: {error}") from error


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file to the CPU.

    Raises:
        FileNotFoundError: no such file.
        ValueError: damaged or of another format.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a file of tensors, found none")
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path}: expected an undamaged safetensors file, got: {error}") from error
    return tensors
