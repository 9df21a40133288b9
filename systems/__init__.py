"""Systems: dynamical systems, their reference solutions, and the data sampled from them."""

from systems.base import Flow, Simulated, System
from systems.certificate import Certificate, Check, certify
from systems.double_pendulum import DoublePendulum
from systems.dysts import Dysts
from systems.family import Family, over
from systems.henon_heiles import HenonHeiles
from systems.images import MNIST, Digits, FashionMNIST, ImageDataset, ImageSampling, ImageSet, sample_images
from systems.kuramoto_sivashinsky import KuramotoSivashinsky
from systems.lorenz import Lorenz
from systems.lorenz96 import Lorenz96
from systems.lotka_volterra import LotkaVolterra
from systems.lyapunov import Spectrum, flow_spectrum, kaplan_yorke, lyapunov_spectrum
from systems.mackey_glass import MackeyGlass
from systems.protocol import Sampling
from systems.random_spirals import RandomSpirals
from systems.reading import RecordedTrajectory, Recording, read_trajectories
from systems.recorded import Recorded
from systems.robertson import Robertson
from systems.rossler import Rossler
from systems.sampling import sample
from systems.spiral import CubicSpiral, LinearSpiral
from systems.trajectories import Dataset, Trajectories
from systems.two_centre import TwoCentre
from systems.van_der_pol import VanDerPol

__all__ = [
    "MNIST",
    "Certificate",
    "Check",
    "CubicSpiral",
    "Dataset",
    "Digits",
    "DoublePendulum",
    "Dysts",
    "Family",
    "FashionMNIST",
    "Flow",
    "HenonHeiles",
    "ImageDataset",
    "ImageSampling",
    "ImageSet",
    "KuramotoSivashinsky",
    "LinearSpiral",
    "Lorenz",
    "Lorenz96",
    "LotkaVolterra",
    "MackeyGlass",
    "RandomSpirals",
    "Recorded",
    "RecordedTrajectory",
    "Recording",
    "Robertson",
    "Rossler",
    "Sampling",
    "Simulated",
    "Spectrum",
    "System",
    "Trajectories",
    "TwoCentre",
    "VanDerPol",
    "certify",
    "flow_spectrum",
    "kaplan_yorke",
    "lyapunov_spectrum",
    "over",
    "read_trajectories",
    "sample",
    "sample_images",
]
