"""Systems: dynamical systems, their reference solutions, and the data sampled from them."""

from systems.base import Flow, System
from systems.lorenz import Lorenz
from systems.lorenz96 import Lorenz96
from systems.lotka_volterra import LotkaVolterra
from systems.rossler import Rossler
from systems.sampling import Sampling, sample
from systems.spiral import CubicSpiral, LinearSpiral
from systems.trajectories import Dataset, Trajectories
from systems.van_der_pol import VanDerPol

__all__ = [
    "CubicSpiral",
    "Dataset",
    "Flow",
    "LinearSpiral",
    "Lorenz",
    "Lorenz96",
    "LotkaVolterra",
    "Rossler",
    "Sampling",
    "System",
    "Trajectories",
    "VanDerPol",
    "sample",
]
