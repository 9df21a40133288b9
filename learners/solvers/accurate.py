"""How many steps a fixed-step solver needs for its errors to stay below those of single precision."""

import torch

from learners.base import Unsuitable
from systems import Dataset, Flow
from systems.configuration import label

JUDGED_STATES = 4096
MOST_SUBSTEPS = 1024
SINGLE = torch.finfo(torch.float32).eps


def accurate_substeps(flow: Flow, dataset: Dataset, accuracy: float = SINGLE) -> int:
    """Steps within one sampling step, a power of two, that leave an error below `accuracy`.

    Judged in float64 on training states: halving the steps again changes them, root mean square in standard deviations,
    by less. Raises Unsuitable where 1,024 steps do not.
    """
    states = dataset.train.states.flatten(0, 1)
    states = states[:: -(-len(states) // JUDGED_STATES)]
    coarse, count = flow.accurate_steps(states, dataset.step, 1), 1
    while count < MOST_SUBSTEPS:
        fine = flow.accurate_steps(states, dataset.step, 2 * count)
        if ((fine - coarse) / dataset.std).square().mean().sqrt() < max(accuracy, SINGLE):
            break
        coarse, count = fine, 2 * count
    else:
        raise Unsuitable(
            f"{label(flow)} is too stiff for explicit steps: {MOST_SUBSTEPS} of them a sample err by more than "
            f"{accuracy:.1g} standard deviations"
        )
    return count
