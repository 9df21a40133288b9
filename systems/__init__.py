"""Systems: dynamical systems, their reference solutions, and the data sampled from them."""

from systems.base import Flow, System
from systems.certificate import Certificate, Check, certify
from systems.double_pendulum import DoublePendulum
from systems.henon_heiles import HenonHeiles
from systems.kuramoto_sivashinsky import KuramotoSivashinsky
from systems.lorenz import Lorenz
from systems.lorenz96 import Lorenz96
from systems.lotka_volterra import LotkaVolterra
from systems.lyapunov import Spectrum, flow_spectrum, kaplan_yorke, lyapunov_spectrum
from systems.recorded import RecordedTrajectory, Recording, read_trajectories
from systems.robertson import Robertson
from systems.rossler import Rossler
from systems.sampling import Sampling, sample
from systems.spiral import CubicSpiral, LinearSpiral
from systems.trajectories import Dataset, Trajectories
from systems.two_centre import TwoCentre
from systems.van_der_pol import VanDerPol

__all__ = [
    "Certificate",
    "Check",
    "CubicSpiral",
    "Dataset",
    "DoublePendulum",
    "Flow",
    "HenonHeiles",
    "KuramotoSivashinsky",
    "LinearSpiral",
    "Lorenz",
    "Lorenz96",
    "LotkaVolterra",
    "RecordedTrajectory",
    "Recording",
    "Robertson",
    "Rossler",
    "Sampling",
    "Spectrum",
    "System",
    "Trajectories",
    "TwoCentre",
    "VanDerPol",
    "certify",
    "flow_spectrum",
    "kaplan_yorke",
    "lyapunov_spectrum",
    "read_trajectories",
    "sample",
]
