"""What is known of systems: published exponents and periods, and digests of committed data."""

from dataclasses import dataclass
from math import pi, sqrt

from systems.base import Simulated, System
from systems.flows.double_pendulum import DoublePendulum
from systems.flows.henon_heiles import HenonHeiles
from systems.flows.kuramoto_sivashinsky import KuramotoSivashinsky
from systems.flows.lorenz import Lorenz
from systems.flows.lorenz96 import Lorenz96
from systems.flows.lotka_volterra import LotkaVolterra
from systems.flows.mackey_glass import MackeyGlass
from systems.flows.rossler import Rossler
from systems.flows.spiral import TURN, CubicSpiral, LinearSpiral
from systems.flows.two_centre import REST, TwoCentre
from systems.flows.two_centre import TURN as TURN_AT_REST
from systems.flows.van_der_pol import VanDerPol


@dataclass(frozen=True)
class Chaos:
    """What is known of an attractor, and the runs that measure it; times in timescales."""

    leading: tuple[float, float, str]  # exponent, its tolerance, its source
    dimension: tuple[float, float, str] | None  # Kaplan-Yorke's, likewise
    states: int = 100
    warm_up: float = 6.0
    time: float = 6.0


@dataclass(frozen=True)
class Orbit:
    """What is known of a period: that of the upward crossings of `level` by a state variable, the first by default."""

    period: float
    start: tuple[float, ...]
    source: str
    channel: int = 0
    level: float = 0.0
    settle: int = 0  # timescales before the first crossing counts
    accuracy: float = 1e-5  # relative


SPROTT = "Sprott 2003"
TWO_CODES = "two codes"
EDSON = "Edson 2019"
FARMER = "Farmer 1982"
LONG_RUNS = "200 long runs"
CHAOTIC: dict[Simulated, Chaos] = {
    Lorenz(): Chaos((0.9056, 0.005, SPROTT), (2.062, 0.005, SPROTT), states=1000, time=15.0),
    Rossler(): Chaos((0.0714, 0.003, SPROTT), (2.013, 0.005, SPROTT), states=400, time=30.0),
    Lorenz96(): Chaos((1.17, 0.05, LONG_RUNS), None, states=400, time=15.0),
    Lorenz96(sites=40): Chaos((1.68, 0.03, TWO_CODES), (27.0, 0.5, TWO_CODES), states=100, warm_up=10.0, time=30.0),
    KuramotoSivashinsky(): Chaos((0.047, 0.004, EDSON), (4.2, 0.15, EDSON), states=24, time=10.0),
    MackeyGlass(): Chaos((0.00514, 0.00015, LONG_RUNS), (2.13, 0.03, FARMER), states=200, time=30.0),
}
ORBITS: dict[Simulated, Orbit] = {
    LinearSpiral(): Orbit(2 * pi, (1.0, 0.0), "closed form", accuracy=1e-9),
    CubicSpiral(): Orbit(TURN, (2.0, 0.0), "first turn", channel=1),  # later ones are slower and slower
    TwoCentre(): Orbit(TURN_AT_REST, (REST + 1e-3, 0.0), "linearised", level=REST, accuracy=1e-5),
    HenonHeiles(): Orbit(2 * pi, (1e-3, 0.0, 0.0, 0.0), "linearised", accuracy=1e-6),
    DoublePendulum(): Orbit(DoublePendulum().timescale, (1e-3, 1e-3 * sqrt(2), 0, 0), "linearised", accuracy=1e-6),
    LotkaVolterra(): Orbit(2 * pi / sqrt(4.5), (3.0, 1.5001), "linearised", level=3.0, accuracy=1e-6),
    **{
        VanDerPol(mu): Orbit(period, (2.0, 0.0), TWO_CODES, settle=8)
        for mu, period in ((1.0, 6.66329), (5.0, 11.6122), (100.0, 162.837), (1000.0, 1614.401))
    },
}
# Robertson's reactions have no period: nothing comes back.
DIGESTS = {
    "CubicSpiral": "0b32241950d3",
    "DoublePendulum": "1f4a3ed69e88",
    "Family": "58cd613a2e86",
    "HenonHeiles": "3023dc24a3c7",
    "KuramotoSivashinsky": "09b79bab9220",
    "LinearSpiral": "a0a1fd4a0e3e",
    "Lorenz": "2cfae2495670",
    "Lorenz96": "3062aad96eab",
    "LotkaVolterra": "fb0ed1c26be1",
    "MackeyGlass": "2ed5cd10cc19",
    "RandomSpirals": "efe1ba8d8979",
    "Robertson": "3eb8536b3c15",
    "Rossler": "6e8ddab8f61b",
    "TwoCentre": "a1cc4ed38fa7",
    "VanDerPol": "5525b9d0b9f9",
}


def certified(kind: type[System]) -> list[System]:
    """The system of a class at its default parameters, then those at others of which something is known."""
    return list(dict.fromkeys([kind(), *(one for one in (*CHAOTIC, *ORBITS) if type(one) is kind)]))
