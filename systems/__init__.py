"""Systems: dynamical systems, their reference solutions, and the data sampled from them."""

from systems.base import Flow, Map, Simulated, System
from systems.certificates.certificate import Certificate, Check, certify
from systems.flows.aizawa import Aizawa
from systems.flows.arneodo import Arneodo
from systems.flows.bistable_duffing import BistableDuffing
from systems.flows.bouncing_ball import BouncingBall
from systems.flows.burke_shaw import BurkeShaw
from systems.flows.chen import Chen
from systems.flows.chua import Chua
from systems.flows.colpitts import Colpitts
from systems.flows.constrained_pendulum import ConstrainedPendulum
from systems.flows.dadras import Dadras
from systems.flows.double_pendulum import DoublePendulum
from systems.flows.double_scroll import DoubleScroll
from systems.flows.dysts import Dysts
from systems.flows.family import Family, over
from systems.flows.forced_duffing import ForcedDuffing
from systems.flows.forced_van_der_pol import ForcedVanDerPol
from systems.flows.geometric_brownian_motion import GeometricBrownianMotion
from systems.flows.halvorsen import Halvorsen
from systems.flows.henon_heiles import HenonHeiles
from systems.flows.hindmarsh_rose import HindmarshRose
from systems.flows.hyper_rossler import HyperRossler
from systems.flows.kuramoto_sivashinsky import KuramotoSivashinsky
from systems.flows.lorenz import Lorenz
from systems.flows.lorenz84 import Lorenz84
from systems.flows.lorenz96 import Lorenz96
from systems.flows.lotka_volterra import LotkaVolterra
from systems.flows.lu import Lu
from systems.flows.mackey_glass import MackeyGlass
from systems.flows.nose_hoover import NoseHoover
from systems.flows.rabinovich_fabrikant import RabinovichFabrikant
from systems.flows.random_spirals import RandomSpirals
from systems.flows.rikitake import Rikitake
from systems.flows.robertson import Robertson
from systems.flows.rossler import Rossler
from systems.flows.rucklidge import Rucklidge
from systems.flows.spiral import CubicSpiral, LinearSpiral
from systems.flows.sprott import Sprott
from systems.flows.stochastic_lorenz import StochasticLorenz
from systems.flows.thomas import Thomas
from systems.flows.two_centre import TwoCentre
from systems.flows.van_der_pol import VanDerPol
from systems.hybrid import Hybrid
from systems.images import MNIST, Digits, FashionMNIST, ImageDataset, ImageSampling, ImageSet, sample_images
from systems.lyapunov import Spectrum, flow_spectrum, kaplan_yorke, lyapunov_spectrum
from systems.maps.henon import HenonMap
from systems.maps.ikeda import IkedaMap
from systems.maps.logistic import LogisticMap
from systems.maps.standard import StandardMap
from systems.protocol import Sampling
from systems.recordings.reading import read_trajectories
from systems.recordings.recorded import Recorded
from systems.recordings.recording import RecordedTrajectory, Recording, RecordingNote
from systems.sampling import Dataset, sample
from systems.stochastic import Stochastic
from systems.trajectories import Trajectories

__all__ = [
    "MNIST",
    "Aizawa",
    "Arneodo",
    "BistableDuffing",
    "BouncingBall",
    "BurkeShaw",
    "Certificate",
    "Check",
    "Chen",
    "Chua",
    "Colpitts",
    "ConstrainedPendulum",
    "CubicSpiral",
    "Dadras",
    "Dataset",
    "Digits",
    "DoublePendulum",
    "DoubleScroll",
    "Dysts",
    "Family",
    "FashionMNIST",
    "Flow",
    "ForcedDuffing",
    "ForcedVanDerPol",
    "GeometricBrownianMotion",
    "Halvorsen",
    "HenonHeiles",
    "HenonMap",
    "HindmarshRose",
    "Hybrid",
    "HyperRossler",
    "IkedaMap",
    "ImageDataset",
    "ImageSampling",
    "ImageSet",
    "KuramotoSivashinsky",
    "LinearSpiral",
    "LogisticMap",
    "Lorenz",
    "Lorenz84",
    "Lorenz96",
    "LotkaVolterra",
    "Lu",
    "MackeyGlass",
    "Map",
    "NoseHoover",
    "RabinovichFabrikant",
    "RandomSpirals",
    "Recorded",
    "RecordedTrajectory",
    "Recording",
    "RecordingNote",
    "Rikitake",
    "Robertson",
    "Rossler",
    "Rucklidge",
    "Sampling",
    "Simulated",
    "Spectrum",
    "Sprott",
    "StandardMap",
    "Stochastic",
    "StochasticLorenz",
    "System",
    "Thomas",
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
