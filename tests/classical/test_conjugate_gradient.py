import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mrirecon.classical import conjugate_gradient

DTYPES = [torch.float32, torch.float64, torch.complex64, torch.complex128]
N = 12


def make(dtype: torch.dtype, batch: int = 3) -> tuple[Tensor, Tensor]:
    """Hermitian matrices with eigenvalues 1 to 10, and right-hand sides of shape (batch, 3, 4)."""
    basis = torch.linalg.qr(torch.randn(batch, N, N, dtype=dtype)).Q
    matrix = basis * torch.linspace(1, 10, N).to(dtype) @ basis.mH
    return matrix, torch.randn(batch, 3, 4, dtype=dtype)


def apply(matrix: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: (matrix @ x.reshape(len(x), N, 1)).reshape(x.shape)


def exact(matrix: Tensor, b: Tensor) -> Tensor:
    return torch.linalg.solve(matrix, b.reshape(len(b), N, 1)).reshape(b.shape)


def norms(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x, dim=(1, 2))


@pytest.mark.parametrize("dtype", DTYPES)
def test_solves_each_problem_of_a_batch(dtype: torch.dtype) -> None:
    matrix, b = make(dtype)
    solution = conjugate_gradient(apply(matrix), b, n_iterations=2 * N, tolerance=0.0)
    assert solution.residuals.dtype == dtype.to_real()
    # Rounding of a residual, 50 eps sqrt(n), over the least eigenvalue, 1.
    bound = 50 * torch.finfo(dtype).eps * math.sqrt(N) * norms(b).max().item()
    torch.testing.assert_close(solution.x, exact(matrix, b), rtol=0, atol=bound)


def test_ends_after_as_many_steps_as_there_are_eigenvalues() -> None:
    basis = torch.linalg.qr(torch.randn(1, N, N, dtype=torch.complex128)).Q
    eigenvalues = torch.tensor([1.0, 4.0, 9.0] * (N // 3)).to(basis.dtype)
    operator = apply(basis * eigenvalues @ basis.mH)
    b = torch.randn(1, 3, 4, dtype=torch.complex128)
    solution = conjugate_gradient(operator, b, n_iterations=50, tolerance=1e-10)
    assert solution.residuals.shape == (4, 1)
    assert solution.residuals[2] > 1e-3


def test_residuals_are_those_of_the_solution() -> None:
    matrix, b = make(torch.complex128)
    for n_steps in (1, 3, 6):
        x, residuals = conjugate_gradient(apply(matrix), b, n_iterations=n_steps, tolerance=0.0)
        assert residuals.shape == (n_steps + 1, 3)
        torch.testing.assert_close(residuals[0], torch.ones(3, dtype=torch.float64))
        torch.testing.assert_close(residuals[-1], norms(b - apply(matrix)(x)) / norms(b))


def test_an_element_is_solved_alike_alone_and_in_a_batch() -> None:
    matrix, b = make(torch.complex128)
    matrix[1] = 0.02 * matrix[1] + torch.eye(N)  # done after 4 steps, while the others go on
    together = conjugate_gradient(apply(matrix), b, n_iterations=8, tolerance=1e-6)
    for i in range(3):
        alone = conjugate_gradient(
            apply(matrix[i : i + 1]), b[i : i + 1], n_iterations=8, tolerance=1e-6
        )
        torch.testing.assert_close(together.x[i : i + 1], alone.x)
        n_steps = len(alone.residuals)
        torch.testing.assert_close(together.residuals[:n_steps, i : i + 1], alone.residuals)
        assert torch.all(together.residuals[n_steps:, i] == together.residuals[n_steps - 1, i])


def test_stops_when_every_element_is_below_the_tolerance() -> None:
    matrix, b = make(torch.float64)
    n_calls = 0

    def counted(x: Tensor) -> Tensor:
        nonlocal n_calls
        n_calls += 1
        return apply(matrix)(x)

    residuals = conjugate_gradient(counted, b, n_iterations=100, tolerance=1e-3).residuals
    assert n_calls == len(residuals) - 1 < N
    assert residuals[-1].max() <= 1e-3 < residuals[-2].max()


def test_a_singular_operator_is_solved_in_its_range() -> None:
    matrix, b = make(torch.complex128)
    projector = torch.eye(N, dtype=torch.complex128)
    projector[: N // 2] = 0
    singular = apply(projector @ matrix @ projector)
    x, residuals = conjugate_gradient(
        singular, apply(projector)(b), n_iterations=N, tolerance=1e-12
    )
    assert residuals[-1].max() <= 1e-12
    assert torch.all(x.reshape(3, N)[:, : N // 2] == 0)
    outside = conjugate_gradient(singular, b - apply(projector)(b), n_iterations=3, tolerance=0.0)
    assert torch.all(outside.x == 0)  # no curvature along it


def test_zero_stays_zero_and_nan_stays_in_its_own_element() -> None:
    matrix, b = make(torch.complex64)
    b[0], b[1, 0, 0] = 0, math.nan
    x, residuals = conjugate_gradient(apply(matrix), b, n_iterations=4, tolerance=1e-12)
    assert torch.all(x[0] == 0)
    assert torch.all(residuals[:, 0] == 0)
    assert x[1].isnan().any()
    assert residuals[-1, 1].isnan()
    assert x[2].isfinite().all()
    alone = conjugate_gradient(apply(matrix[1:2]), b[1:2], n_iterations=4, tolerance=0.5)
    assert alone.x.isnan().any()


def test_an_empty_batch_gives_an_empty_solution() -> None:
    b = torch.zeros(0, 3, 4, dtype=torch.complex64)
    x, residuals = conjugate_gradient(lambda x: x, b, n_iterations=3, tolerance=0.1)
    assert x.shape == b.shape
    assert residuals.shape == (1, 0)


@pytest.mark.parametrize("n_done", [0, 1])
def test_gradients_are_those_of_the_exact_solution(n_done: int) -> None:
    """Also beside an element that is done at once, where quotients would be 0 / 0."""
    matrix, b = make(torch.complex128, batch=2)
    b[:n_done] = 0
    root = torch.linalg.cholesky(matrix).requires_grad_()
    leaves = [root, b.requires_grad_()]
    target = torch.randn_like(b)

    def by_iteration(matrix: Tensor, b: Tensor) -> Tensor:
        return conjugate_gradient(apply(matrix), b, n_iterations=N, tolerance=1e-14).x

    def gradients(solve: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, ...]:
        x = solve(root @ root.mH, b)  # stays Hermitian, as conjugate gradients need it
        return torch.autograd.grad((x - target).abs().square()[n_done:].sum(), leaves)

    for result, expected in zip(gradients(by_iteration), gradients(exact), strict=True):
        # rounding grows with the condition, 10, in each of 12 differentiated steps
        torch.testing.assert_close(result[n_done:], expected[n_done:], rtol=0, atol=1e-9)
        assert result.isfinite().all()


def test_compiles_without_a_graph_break() -> None:
    matrix, b = make(torch.float64)

    def solve(b: Tensor) -> Tensor:
        return conjugate_gradient(apply(matrix), b, n_iterations=3, tolerance=0.0).x

    compiled = torch.compile(solve, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(b), solve(b))


B = torch.ones(2, 3)


@pytest.mark.parametrize(
    ("b", "n_iterations", "tolerance", "text"),
    [
        (B.int(), 3, 0.0, "right_hand_side: expected a real or complex float, got torch.int32"),
        (B[0], 3, 0.0, "right_hand_side: expected (batch, ...), got (3,)"),
        (B, 0, 0.0, "n_iterations: expected 1 or more, got 0"),
        (B, 3, -1e-3, "tolerance: expected at least 0 and below 1, got -0.001"),
        (B, 3, math.nan, "tolerance: expected at least 0 and below 1, got nan"),
    ],
)
def test_rejects_wrong_arguments_by_name(
    b: Tensor, n_iterations: int, tolerance: float, text: str
) -> None:
    with pytest.raises(ValueError) as error:
        conjugate_gradient(lambda x: x, b, n_iterations=n_iterations, tolerance=tolerance)
    assert str(error.value) == text


def test_rejects_an_operator_that_changes_the_shape() -> None:
    with pytest.raises(ValueError, match=r"normal: expected \(2, 3\) back, got \(3,\)"):
        conjugate_gradient(lambda x: x[0], B, n_iterations=3, tolerance=0.0)
