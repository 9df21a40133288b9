"""Certificates: they pass for the systems as they are, and fail for systems that are not what they claim."""

from dataclasses import dataclass
from math import nan, pi

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import systems
from bench.catalogue.components import components
from bench.doctor.examination import certifiable
from systems import (
    Certificate,
    Check,
    Dysts,
    LinearSpiral,
    Lorenz,
    Lorenz96,
    LotkaVolterra,
    RandomSpirals,
    Simulated,
    VanDerPol,
    certify,
)
from systems.certificates import certificate
from systems.certificates.certificate import certified, digest, period
from systems.lyapunov import Spectrum, flow_spectrum, leading_exponent
from systems.published import Orbit
from tests.support.problems import Explosion, HarmonicOscillator, ShearedCycle, every_system, one_of_a_kind


def committed(name: str) -> str | None:
    """The digest that is committed with a system at its default parameters."""
    return getattr(systems, name).published[0].digest


def lines(certificate: Certificate) -> dict[str, Check]:
    return {check.name: check for check in certificate.checks}


@dataclass(frozen=True)
class Leaking(HarmonicOscillator):
    """An oscillator that loses the energy that it claims to keep."""

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        return super().velocity(t, x) - 1e-6 * x

    def invariant(self, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        return x[..., 1] ** 2 + (self.omega * x[..., 0]) ** 2


@dataclass(frozen=True)
class Pretending(ShearedCycle):
    """A limit cycle that is told in Lyapunov times, of which it has none."""

    contraction: float = 1.0

    timescale_name = "Lyapunov time"


@dataclass(frozen=True)
class Hasty(Lorenz):
    """A chaotic system whose Lyapunov time is stated too short by a tenth."""

    @property
    def timescale(self) -> float:
        return 0.9 * super().timescale


@pytest.mark.parametrize(
    ("value", "expected", "tolerance", "kind", "passed"),
    [
        (1.1, 1.0, 0.2, "about", True),
        (1.3, 1.0, 0.2, "about", False),
        (0.7, 1.0, 0.2, "about", False),
        (nan, 1.0, 0.2, "about", False),
        (13.0, 12.0, 0.0, "at least", True),
        (11.9, 12.0, 0.0, "at least", False),
        (nan, 12.0, 0.0, "at least", False),
        ("abc", "abc", 0.0, "about", True),
        ("abc", "abd", 0.0, "about", False),
    ],
)
def test_a_check_passes_within_its_tolerance_only(value, expected, tolerance, kind, passed):
    check = Check("x", value, expected, tolerance, "theory", kind)
    assert check.passed is passed
    assert Certificate("X", (check,)).passed is passed


def test_an_oscillator_is_held_to_its_period_its_solution_and_its_data():
    certificate = certify(VanDerPol())
    assert certificate.passed
    assert certificate.system == "VanDerPol"
    assert list(lines(certificate)) == [
        "error within one timescale",
        "valid ground-truth time",
        "period",
        "digest of the first batch",
    ]
    assert lines(certificate)["period"].value == pytest.approx(6.66329, rel=1e-5)


def test_a_conservative_system_is_held_to_its_invariant():
    certificate = certify(LotkaVolterra())
    assert certificate.passed
    drift = lines(certificate)["drift of the invariant"].value
    assert isinstance(drift, float)
    assert 0 < drift < 1e-9


def test_a_system_that_leaks_energy_fails():
    certificate = certify(Leaking())
    assert [check.name for check in certificate.checks if not check.passed] == ["drift of the invariant"]


def test_a_lyapunov_time_is_held_to_the_exponent_that_is_measured():
    check = lines(certify(Pretending()))["timescale x exponent"]
    assert check.value == pytest.approx(0.0, abs=0.02)
    assert not check.passed


@pytest.mark.slow
def test_a_lyapunov_time_that_is_too_short_fails():
    assert [check.name for check in certify(Hasty()).checks if not check.passed] == ["timescale x exponent"]


def test_a_system_without_a_finite_solution_fails_and_says_why():
    certificate = certify(Explosion())
    assert not certificate.passed
    assert "no finite solution" in certificate.checks[0].source


@pytest.mark.parametrize("mu", [1.0, 5.0])
def test_the_period_of_an_oscillator_is_right_to_five_digits(mu):
    expected = {1.0: 6.66329, 5.0: 11.6122}[mu]
    assert period(VanDerPol(mu), Orbit(expected, (2.0, 0.0), "", settle=8)) == pytest.approx(expected, rel=1e-5)


def test_the_period_is_that_of_a_harmonic_oscillator_to_nine_digits():
    flow = HarmonicOscillator(omega=2 * pi)
    assert period(flow, Orbit(1.0, (1.0, 0.0), "")) == pytest.approx(1.0, rel=1e-9)


def test_an_orbit_that_never_crosses_has_no_period():
    assert np.isinf(period(HarmonicOscillator(omega=2 * pi), Orbit(1.0, (1.0, 0.0), "", level=5.0)))


def test_a_system_that_is_only_observed_is_held_to_the_digest_of_its_data():
    certificate = certify(RandomSpirals())
    assert certificate.passed
    assert [check.name for check in certificate.checks] == ["digest of the first batch"]


def test_every_system_that_the_doctor_examines_has_a_committed_digest():
    assert [name for name in certifiable(components("systems")) if committed(name) is None] == []


@pytest.mark.parametrize("system", one_of_a_kind(every_system()), ids=lambda system: type(system).__name__)
def test_the_data_of_a_system_have_the_committed_digest(system: Simulated):
    if not isinstance(system, Dysts):  # which are somebody else's
        assert digest(system) == committed(type(system).__name__)


def test_what_is_only_observed_has_the_committed_digest():
    assert digest(RandomSpirals()) == committed("RandomSpirals")


@pytest.mark.slow
def test_lorenz_is_held_to_its_published_spectrum():
    certificate = certify(Lorenz())
    assert certificate.passed
    found = lines(certificate)
    assert found["largest Lyapunov exponent"].tolerance == 0.005
    assert found["timescale x exponent"].value == pytest.approx(1.0, abs=0.005)
    assert found["largest Lyapunov exponent"].value == pytest.approx(0.9056, abs=0.005)
    assert found["Kaplan-Yorke dimension"].value == pytest.approx(2.062, abs=0.005)
    assert found["sum of the exponents"].expected == pytest.approx(-41 / 3)
    assert found["valid ground-truth time"].value == pytest.approx(23, abs=3)


def test_the_ground_truth_lasts_until_the_last_sample_at_which_solutions_agree(monkeypatch: pytest.MonkeyPatch):
    times, solution = 0.2 * np.arange(100), np.ones((4, 100, 2)) * np.sin(np.arange(100))[:, None]
    for first, last in ((60, 59), (0, 0), (100, 99)):
        finer = solution.copy()
        finer[:, first:] += 10
        monkeypatch.setattr(certificate, "_pair", lambda *_, finer=finer: (times, solution, finer))
        (check,) = certificate._ground_truth(LinearSpiral(), 0)
        assert check.value == pytest.approx(times[last])


@pytest.mark.slow
def test_other_parameters_are_held_to_theory_alone():
    found = lines(certify(Lorenz(rho=35.0)))
    assert "largest Lyapunov exponent" not in found
    assert "digest of the first batch" not in found
    assert found["exponent along the flow"].passed
    assert found["sum of the exponents"].passed


@pytest.mark.slow
def test_an_attractor_without_chaos_has_no_exponent_along_the_flow():
    assert "exponent along the flow" not in lines(certify(Lorenz(rho=10.0)))


def test_another_seed_is_held_to_no_digest():
    certificate = certify(LinearSpiral(), seed=1)
    assert certificate.passed
    assert "digest of the first batch" not in lines(certificate)


def test_a_digest_tells_a_change_of_the_eighth_digit_of_a_parameter():
    assert digest(VanDerPol(1.00000001)) != digest(VanDerPol())


def test_what_exponents_share_with_the_one_along_the_flow_is_taken_out():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=400)
    runs = np.stack([0.9 - 2 * noise, noise, np.full(400, -14.0)], axis=1)
    assert leading_exponent(Spectrum(runs, complete=True)) == pytest.approx(0.9, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("system", every_system(), ids=lambda system: type(system).__name__)
def test_every_system_is_certified(system):
    certificate = certify(system)
    assert [check for check in certificate.checks if not check.passed] == []


def test_classes_are_certified_at_every_parameter_of_which_something_is_known():
    assert certified(Lorenz96) == [Lorenz96(sites=sites) for sites in (10, 5, 6, 7, 8, 9, 40)]
    assert [system.mu for system in certified(VanDerPol) if isinstance(system, VanDerPol)] == [1.0, 5.0, 100.0, 1000.0]
    assert certified(LinearSpiral) == [LinearSpiral()]


@pytest.mark.slow
def test_the_lyapunov_time_of_a_small_ring_is_the_one_that_is_measured():
    ring = Lorenz96(sites=5)
    states = torch.from_numpy(ring.initial_states(100, np.random.default_rng(0)))
    found = flow_spectrum(ring, states, 30 * ring.timescale, warm_up=6 * ring.timescale).per(ring.timescale)
    assert found.exponents[:2] == pytest.approx([1.0, 0.0], abs=0.05)
    assert ring.timescale == pytest.approx(1 / 0.46705)
    assert (ring.timescale_name, Lorenz96(sites=11).timescale_name) == ("Lyapunov time", "timescale")


@pytest.mark.slow
@pytest.mark.parametrize(("sites", "exponent"), [(5, 0.472), (6, 0.957), (7, 1.261), (8, 1.599), (9, 1.228)])
def test_small_rings_have_the_exponents_of_long_runs(sites: int, exponent: float):
    certificate = certify(Lorenz96(sites=sites))
    assert lines(certificate)["largest Lyapunov exponent"].value == pytest.approx(exponent, abs=0.03)
    assert abs(float(lines(certificate)["exponent along the flow"].value)) < 0.08 * exponent
    assert certificate.passed


@pytest.mark.slow
@pytest.mark.parametrize("system", [Lorenz96(sites=40), VanDerPol(5.0)], ids=repr)
def test_systems_at_other_parameters_are_certified(system):
    certificate = certify(system)
    assert "valid ground-truth time" in lines(certificate)
    assert [check for check in certificate.checks if not check.passed] == []


@pytest.mark.slow
@pytest.mark.parametrize(("mu", "expected"), [(100.0, 162.837), (1000.0, 1614.401)])
def test_the_period_of_a_stiff_oscillator_is_right_to_five_digits(mu, expected):
    check = lines(certify(VanDerPol(mu)))["period"]
    assert check.value == pytest.approx(expected, rel=1e-5)
