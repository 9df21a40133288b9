"""Systems: dynamical systems, their reference solutions, and the data sampled from them."""

from systems.base import Flow, Simulated, System
from systems.certificates.certificate import Certificate, Check, certify
from systems.flows.bouncing_ball import BouncingBall
from systems.flows.constrained_pendulum import ConstrainedPendulum
from systems.flows.double_pendulum import DoublePendulum
from systems.flows.double_scroll import DoubleScroll
from systems.flows.dysts import Dysts
from systems.flows.family import Family, over
from systems.flows.geometric_brownian_motion import GeometricBrownianMotion
from systems.flows.henon_heiles import HenonHeiles
from systems.flows.kuramoto_sivashinsky import KuramotoSivashinsky
from systems.flows.lorenz import Lorenz
from systems.flows.lorenz96 import Lorenz96
from systems.flows.lotka_volterra import LotkaVolterra
from systems.flows.mackey_glass import MackeyGlass
from systems.flows.random_spirals import RandomSpirals
from systems.flows.robertson import Robertson
from systems.flows.rossler import Rossler
from systems.flows.spiral import CubicSpiral, LinearSpiral
from systems.flows.stochastic_lorenz import StochasticLorenz
from systems.flows.two_centre import TwoCentre
from systems.flows.van_der_pol import VanDerPol
from systems.hybrid import Hybrid
from systems.images import MNIST, Digits, FashionMNIST, ImageDataset, ImageSampling, ImageSet, sample_images
from systems.lyapunov import Spectrum, flow_spectrum, kaplan_yorke, lyapunov_spectrum
from systems.protocol import Sampling
from systems.recordings.reading import read_trajectories
from systems.recordings.recorded import Recorded
from systems.recordings.recording import RecordedTrajectory, Recording, RecordingNote
from systems.sampling import Dataset, sample
from systems.stochastic import Stochastic
from systems.trajectories import Trajectories

__all__ = [
    "MNIST",
    "BouncingBall",
    "Certificate",
    "Check",
    "ConstrainedPendulum",
    "CubicSpiral",
    "Dataset",
    "Digits",
    "DoublePendulum",
    "DoubleScroll",
    "Dysts",
    "Family",
    "FashionMNIST",
    "Flow",
    "GeometricBrownianMotion",
    "HenonHeiles",
    "Hybrid",
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
    "RecordingNote",
    "Robertson",
    "Rossler",
    "Sampling",
    "Simulated",
    "Spectrum",
    "Stochastic",
    "StochasticLorenz",
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
