"""The NUFFT at the benchmarks' workloads, against a transform in double on the CPU."""

from collections.abc import Callable
from functools import partial

from nufft_workloads import Workload, workloads
from torch import Tensor

from gpu_check.cases import Case, Way, is_installed
from gpu_check.peers import CuFinufft, TorchKbNufft
from mrirecon.nufft import Nufft, density_compensation

_ACCURACY = 1e-3
_CHOSEN = ("batch", "maps", "kooshball")


def make_nufft_cases(device: str, chosen: tuple[str, ...] = _CHOSEN) -> list[Case]:
    """Return cases of forward, adjoint, normal and density for workloads of the benchmarks."""
    works = {work.case: work for work in workloads()}
    return [case for name in chosen for case in cases_of(works[name], device)]


def cases_of(work: Workload, device: str) -> list[Case]:
    """Return the cases of one workload, whose samples are the same for all images."""
    sizes = {"forward": work.kspace, "adjoint": work.image, "normal": work.image}  # of results
    cases = [
        Case(
            name=f"nufft {direction}, {work.name}",
            ways=_ways(work, direction, operand, device),
            expected=partial(work.exact, direction),
            n_bytes=operand.nbytes + sizes[direction].nbytes,
            tolerance=3 * _ACCURACY,  # both directions in turn have about twice the error of one
        )
        for direction, operand in work.operands().items()
    ]
    return [*cases, _density_case(work, device)]


def _ways(
    work: Workload, direction: str, operand: Tensor, device: str
) -> dict[str, Callable[[], Way] | None]:
    def moved() -> tuple[Tensor, tuple[int, ...], Tensor | None]:
        maps = work.coil_maps
        return work.coords.float().to(device), work.shape, None if maps is None else maps.to(device)

    def ours() -> Way:
        coords, shape, maps = moved()
        op = Nufft(coords, shape, _ACCURACY, n_images=work.n_images)
        directions: dict[str, Callable[..., Tensor]] = {
            "forward": op.__call__,
            "adjoint": op.adjoint,
            "normal": op.normal,
        }
        apply = directions[direction]
        on_device = operand.to(device)
        return Way(lambda: apply(on_device, maps))

    def peer(make: Callable[..., TorchKbNufft | CuFinufft]) -> Way:
        transform, on_device = make(*moved()), operand.to(device)
        apply: Callable[[Tensor], Tensor] = getattr(transform, direction)
        scale = transform.scale ** (2 if direction == "normal" else 1)
        return Way(lambda: apply(on_device), scale)

    cufinufft = partial(CuFinufft, n_images=work.n_images, accuracy=_ACCURACY)
    return {
        "mrirecon": ours,
        "torchkbnufft": partial(peer, TorchKbNufft) if is_installed("torchkbnufft") else None,
        "cufinufft": partial(peer, cufinufft) if is_installed("cufinufft") else None,
    }


def _density_case(work: Workload, device: str) -> Case:
    """Return the case of the density, which no peer computes with this scale."""
    coords = work.coords.float()
    on_device = coords.to(device)
    return Case(
        name=f"density, {work.name}",
        ways={"mrirecon": lambda: Way(lambda: density_compensation(on_device, work.shape))},
        expected=lambda: density_compensation(coords.double(), work.shape),
        n_bytes=coords.nbytes + coords.nbytes // len(work.shape),
        tolerance=10 * _ACCURACY,  # of ten iterations
    )
