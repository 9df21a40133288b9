"""The transformer: causal, one program for all seeds, and the attention of the papers."""

import pytest
import torch

from learners import Budget, Training, Transformer
from learners.networks.stacked import replica
from learners.streams import stream
from learners.transformer import AttentionMap, Block, StackedNorm
from systems import LinearSpiral, Lorenz, Sampling, sample

SAMPLING = Sampling(
    step=0.02, trajectories=8, samples=100, valid=2, test=4, context=8, horizon=1.0, climate=1, climate_horizon=1.0
)


@pytest.fixture
def stack() -> AttentionMap:
    return AttentionMap(Transformer(width=8), torch.ones(3), [stream(seed, "weights") for seed in (0, 1)])


def test_a_position_does_not_see_those_after_it(stack: AttentionMap):
    window = torch.randn(2, 5, 4, 3, generator=stream(0, "test"))
    changed = window.clone()
    changed[:, :, 3] += 1.0
    torch.testing.assert_close(stack.every(changed)[:, :, :3], stack.every(window)[:, :, :3])
    assert not torch.allclose(stack.every(changed)[:, :, 3], stack.every(window)[:, :, 3])


def test_replicas_do_not_mix(stack: AttentionMap):
    window = torch.randn(2, 5, 4, 3, generator=stream(0, "test"))
    for index in (0, 1):
        alone = replica(stack, index)(window[index : index + 1])
        torch.testing.assert_close(alone, stack(window)[index : index + 1])


def test_attention_is_that_of_torch():
    block = Block(8, 2, [stream(0, "weights")])
    plain = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        plain.in_proj_weight.copy_(block.project.weight[0].T)
        plain.in_proj_bias.copy_(block.project.bias[0, 0])
        plain.out_proj.weight.copy_(block.merge.weight[0].T)
        plain.out_proj.bias.copy_(block.merge.bias[0, 0])
    x = torch.randn(5, 4, 8, generator=stream(0, "test"))
    mask = torch.nn.Transformer.generate_square_subsequent_mask(4)
    expected, _ = plain(x, x, x, attn_mask=mask, need_weights=False)
    torch.testing.assert_close(block.attend(x.unsqueeze(0)).squeeze(0), expected)


def test_the_norm_is_that_of_torch():
    x = torch.randn(1, 5, 4, 8, generator=stream(0, "test"))
    torch.testing.assert_close(StackedNorm(8, [stream(0, "weights")])(x), torch.nn.LayerNorm(8)(x))


@pytest.mark.slow
def test_a_short_training_forecasts_a_turn_of_the_spiral():
    dataset = sample(LinearSpiral(), SAMPLING, 0)
    (predictor,) = Transformer(training=Training(updates=300, learning_rate=5e-3)).fit_replicas(dataset, Budget(), [0])
    states = predictor.forecast(dataset.test.between(0, 8), dataset.test.times[0, 8:]).states
    error = ((states[:, -1] - dataset.test.states[:, -1]) / dataset.std).square().mean().sqrt().item()
    assert error < 0.1
    assert predictor.log.nfe_forward == 1


def test_a_width_that_its_heads_cannot_share_is_refused():
    with pytest.raises(ValueError, match="width=10 must be a multiple of heads=3"):
        Transformer(width=10, heads=3)


def test_a_window_longer_than_the_context_is_refused():
    with pytest.raises(ValueError, match=r"window=9 needs as many samples before a forecast, but Sampling.context=8"):
        Transformer(window=9).fit_replicas(sample(Lorenz(), SAMPLING, 0), Budget(), [0])
