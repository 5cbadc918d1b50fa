"""Laws that linear operators obey, stated once. Each asserts; none returns a verdict."""

from collections.abc import Callable

import torch
from torch import Tensor

Operator = Callable[[Tensor], Tensor]


def rounding(x: Tensor) -> float:
    """Return the bound on a rounding error of a sum over `x`: 50 eps sqrt(n)."""
    return 50 * torch.finfo(x.dtype).eps * max(1, x.numel()) ** 0.5


def assert_linear(operator: Operator, x: Tensor, y: Tensor) -> None:
    """A(a x + b y) = a A(x) + b A(y)."""
    a, b = 1.5 - 0.5j, -0.75
    torch.testing.assert_close(
        operator(a * x + b * y), a * operator(x) + b * operator(y), rtol=0, atol=rounding(x)
    )


def assert_adjoint(operator: Operator, adjoint: Operator, x: Tensor, y: Tensor) -> None:
    """<A x, y> = <x, A* y>, with x of A's domain and y of its range."""
    left, right = (
        torch.vdot(y.flatten(), operator(x).flatten()),
        torch.vdot(adjoint(y).flatten(), x.flatten()),
    )
    scale = float(torch.linalg.norm(x.flatten()) * torch.linalg.norm(y.flatten()))
    assert abs(left - right) <= rounding(x) * max(scale, 1.0)


def assert_gradient_is_adjoint(operator: Operator, adjoint: Operator, x: Tensor, y: Tensor) -> None:
    """The gradient of Re <y, A x> in x is A* y."""
    x = x.detach().requires_grad_()
    torch.vdot(operator(x).flatten(), y.flatten()).real.backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, adjoint(y), rtol=0, atol=rounding(y))


def assert_same_for_any_number_of_threads(compute: Callable[[], Tensor]) -> None:
    """The result has the same bits with one thread and with several."""
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append(compute())
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(results[0], other) for other in results[1:])
