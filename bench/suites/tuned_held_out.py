"""Settings are the best of 24 trials of each learner by forecasts of validation data.

Beside them: the error in standard deviations with those of the suite, and with these.
"""
# Written by: python -m bench tune --suite held_out --trials 24 -j 2

from bench.suite import load, tuned

suite = tuned(
    load("held_out"),
    {
        "WindowedRNN[cell=rnn,training.updates=6000]": {"window": 2, "training.updates": 8400},  # 0.02681 -> 0.01611
        "WindowedRNN": {"window": 2, "hidden": 32, "training.updates": 9600},  # 0.02992 -> 0.01623
        "WindowedRNN[cell=lstm,training.updates=1800]": {
            "window": 2,
            "hidden": 32,
            "training.learning_rate": 0.03,
            "training.updates": 6600,
        },  # 0.03825 -> 0.01879
        "NeuralODE": {"training.learning_rate": 0.01},  # 0.01059 -> 0.01003
        "ResNet": {"width": 32, "depth": 3, "training.updates": 12000},  # 0.008157 -> 0.006611
        "RKNet": {"depth": 3, "training.updates": 1900},  # 0.01785 -> 0.01625
        "ODENet": {"activation": "gelu", "training.learning_rate": 0.01},  # 0.02331 -> 0.01874
    },
    how="the best of 24 trials of each learner by forecasts of validation data",
)
