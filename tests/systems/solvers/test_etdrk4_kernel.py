"""Compiled steps of exponential time differencing, held to the eager ones, which take transforms."""

import pytest
import torch

from systems import KuramotoSivashinsky
from systems.solvers import etdrk4_kernel
from systems.solvers.etdrk4 import ETDRK4, Modes


@pytest.mark.parametrize("precision", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize(("batch", "apart"), [((1,), False), ((17,), True), ((3, 11), False)])
def test_modes_are_those_of_eager_steps_to_rounding(batch: tuple[int, ...], apart: bool, precision: torch.dtype):
    """At one interval for all states, or one for each; of odd and even numbers of modes."""
    generator, step = torch.Generator().manual_seed(0), 0.02
    for modes, grid in (21, 64), (8, 23):
        field = torch.randn(*batch, grid, generator=generator, dtype=torch.float64).to(precision)
        start = torch.fft.rfft(field)[..., :modes]
        wave = 0.3 * torch.arange(modes, dtype=precision)
        steps = step * (1 + torch.rand(*batch, 1, generator=generator)).to(precision) if apart else step
        scheme = ETDRK4.coefficients(wave**2 - wave**4, -0.5j * wave, steps)

        def square(each: Modes, grid: int = grid) -> Modes:
            return torch.fft.rfft(torch.fft.irfft(each, grid).square())[..., : each.shape[-1]]

        expected = start
        for _ in range(5):
            expected = scheme.advance(expected, square)
        found = etdrk4_kernel.steps(start, scheme, 5, grid)
        assert found.shape == start.shape
        assert float((found - expected).abs().max() / expected.abs().max()) < 20 * torch.finfo(precision).eps


def test_derivatives_take_the_eager_way_to_the_same_states():
    system = KuramotoSivashinsky()
    field = torch.randn(2, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        compiled = system.propagate(field, 0.1)
    eager = system.propagate(field.requires_grad_(), 0.1)
    assert eager.requires_grad
    torch.testing.assert_close(compiled, eager.detach(), rtol=1e-12, atol=1e-12)
