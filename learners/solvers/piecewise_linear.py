"""Compiled gradients of piecewise-linear networks along sequences that correct their states.

States are `[units, batch]`, so that the innermost loops run over the batch, however few units there are.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import types

from learners.solvers import arithmetic
from learners.solvers.arithmetic import OPTIONS, ZERO, F, compiled
from systems.solvers.compiling import cached, digest

FORMS = ("shallow", "dendritic", "almost-linear")  # which functions know by their places


class Weights(NamedTuple):
    """Of all replicas, or of one: `[seed, ...]` or without the first axis."""

    diagonal: Any  # [units]
    weight: Any  # [features, units]
    bias: Any  # [units]
    first: Any  # of phi: weights [units, features], slopes [thresholds, 1], or least values [1, units]
    second: Any  # of phi: biases [1, features], thresholds [thresholds, units], or nothing
    start: Any  # [channels, units beside them]
    beginning: Any  # [units beside the channels]


@compiled
def _add_product(out, weights, x):
    """out += weights^T x, four rows at a time."""
    whole = len(x) // 4 * 4
    for j in range(len(out)):
        total = out[j]
        for k in range(0, whole, 4):
            first, second, third, fourth = weights[k, j], weights[k + 1, j], weights[k + 2, j], weights[k + 3, j]
            one, two, three, four = x[k], x[k + 1], x[k + 2], x[k + 3]
            for i in range(len(total)):
                total[i] += first * one[i] + second * two[i] + third * three[i] + fourth * four[i]
        for k in range(whole, len(x)):
            first = weights[k, j]
            one = x[k]
            for i in range(len(total)):
                total[i] += first * one[i]


@compiled
def _add_outer(out, x, y):
    """out += x y^T, four columns at a time."""
    whole = len(y) // 4 * 4
    for k in range(len(x)):
        left = x[k]
        for j in range(0, whole, 4):
            first, second, third, fourth = ZERO, ZERO, ZERO, ZERO
            one, two, three, four = y[j], y[j + 1], y[j + 2], y[j + 3]
            for i in range(len(left)):
                first += left[i] * one[i]
                second += left[i] * two[i]
                third += left[i] * three[i]
                fourth += left[i] * four[i]
            out[k, j] += first
            out[k, j + 1] += second
            out[k, j + 2] += third
            out[k, j + 3] += fourth
        for j in range(whole, len(y)):
            first = ZERO
            one = y[j]
            for i in range(len(left)):
                first += left[i] * one[i]
            out[k, j] += first


@compiled
def _fill_features(form, own, z, inputs, features):
    """phi(z), and what goes into the layer of a shallow network."""
    features[:] = ZERO
    if form == 0:
        inputs[:] = ZERO
        _add_product(inputs, own.first, z)
        for unit in range(len(features)):
            value = features[unit]
            given = inputs[unit]
            bias = own.second[0, unit]
            for i in range(len(value)):
                value[i] = max(given[i] + bias, ZERO) - max(given[i], ZERO)
    elif form == 1:
        for base in range(len(own.first)):
            slope = own.first[base, 0]
            for unit in range(len(z)):
                value = features[unit]
                given = z[unit]
                threshold = own.second[base, unit]
                for i in range(len(value)):
                    value[i] += slope * (max(given[i] - threshold, ZERO) - max(given[i], ZERO))
    else:
        for unit in range(len(z)):
            value = features[unit]
            given = z[unit]
            least = own.first[0, unit]
            for i in range(len(value)):
                value[i] = max(given[i], least)


@compiled
def _pull_features(form, own, gradient, z, inputs, pulled, back):
    """From the gradients of phi, `pulled`, to those of its weights, and of z, which are added to `back`."""
    if form == 0:
        for unit in range(len(pulled)):
            slope = pulled[unit]
            given = inputs[unit]
            bias = own.second[0, unit]
            total = ZERO
            for i in range(len(slope)):
                shifted = slope[i] * F(given[i] + bias > ZERO)
                total += shifted
                slope[i] = shifted - slope[i] * F(given[i] > ZERO)
            gradient.second[0, unit] += total
        _add_outer(gradient.first, z, pulled)
        _add_product(back, own.first.T, pulled)
    elif form == 1:
        for base in range(len(own.first)):
            slope = own.first[base, 0]
            for unit in range(len(z)):
                given = z[unit]
                above = pulled[unit]
                to = back[unit]
                threshold = own.second[base, unit]
                of_slope, of_threshold = ZERO, ZERO
                for i in range(len(given)):
                    beyond = above[i] * F(given[i] > threshold)
                    of_slope += above[i] * (max(given[i] - threshold, ZERO) - max(given[i], ZERO))
                    of_threshold -= beyond
                    to[i] += slope * (beyond - above[i] * F(given[i] > ZERO))
                gradient.first[base, 0] += of_slope
                gradient.second[base, unit] += slope * of_threshold
    else:
        for unit in range(len(z)):
            given = z[unit]
            above = pulled[unit]
            to = back[unit]
            least = own.first[0, unit]
            for i in range(len(given)):
                to[i] += above[i] * F(given[i] > least)


@compiled
def _advance(form, own, z, inputs, features, out):
    """out = A z + W phi(z) + h."""
    _fill_features(form, own, z, inputs, features)
    for unit in range(len(z)):
        value = out[unit]
        given = z[unit]
        memory = own.diagonal[unit]
        bias = own.bias[unit]
        for i in range(len(value)):
            value[i] = memory * given[i] + bias
    _add_product(out, own.weight, features)


@compiled
def _pull_back(form, own, gradient, z, inputs, features, pulled, ahead, back):
    """From the gradients of a step's result, `ahead`, to those of the weights and of its state, `back`."""
    for unit in range(len(z)):
        above = ahead[unit]
        given = z[unit]
        to = back[unit]
        memory = own.diagonal[unit]
        of_memory = ZERO
        of_bias = ZERO
        for i in range(len(above)):
            of_memory += above[i] * given[i]
            of_bias += above[i]
            to[i] = memory * above[i]
        gradient.diagonal[unit] += of_memory
        gradient.bias[unit] += of_bias
    _add_outer(gradient.weight, features, ahead)
    pulled[:] = ZERO
    _add_product(pulled, own.weight.T, ahead)
    _pull_features(form, own, gradient, z, inputs, pulled, back)


@compiled
def _differentiate_replica(form, interval, forcing, samples, own, gradient):
    """The sum of squared errors on samples `[time, channels, batch]`; the gradients of their mean are added."""
    steps = len(samples) - 1
    dim, batch = samples[0].shape
    units = len(own.diagonal)
    states, features = np.empty((steps, units, batch), F), np.empty((steps, len(own.weight), batch), F)
    inputs = np.empty((steps, len(own.weight) if form == 0 else 0, batch), F)
    errors = np.empty((steps, dim, batch), F)
    out = np.empty((units, batch), F)
    loss = 0.0
    scale = F(2)
    scale /= F(steps * dim * batch)
    states[0, :dim] = samples[0]
    for unit in range(units - dim):
        states[0, dim + unit] = own.beginning[unit]
    _add_product(states[0, dim:], own.start, samples[0])
    for step in range(steps):
        _advance(form, own, states[step], inputs[step], features[step], out)
        errors[step] = out[:dim] - samples[step + 1]
        for unit in range(dim):
            for i in range(batch):
                loss += errors[step, unit, i] ** 2
        if step + 1 < steps:
            states[step + 1] = out
            if (step + 1) % interval == 0:
                states[step + 1, :dim] -= forcing * errors[step]
    ahead = np.zeros((units, batch), F)
    back = np.empty((units, batch), F)
    pulled = np.empty(features[0].shape, F)
    for step in range(steps - 1, -1, -1):
        ahead[:dim] += scale * errors[step]
        _pull_back(form, own, gradient, states[step], inputs[step], features[step], pulled, ahead, back)
        ahead[:] = back
        if step % interval == 0:
            ahead[:dim] *= F(1) - forcing
    _add_outer(gradient.start, samples[0], back[dim:])
    for unit in range(units - dim):
        gradient.beginning[unit] += back[dim + unit].sum()
    return loss


@compiled
def _replica(weights, seed):
    return Weights(
        weights.diagonal[seed],
        weights.weight[seed],
        weights.bias[seed],
        weights.first[seed],
        weights.second[seed],
        weights.start[seed],
        weights.beginning[seed],
    )


def _entry(sources: str) -> Any:
    """The function `differentiate_forced`, which numba files under what it closes over."""

    def differentiate_forced(form, interval, forcing, segments, weights, gradients, losses):
        """Fill in the losses of all replicas and add to their gradients; returns the bytes that one of them takes."""
        _ = sources
        _, batch, length, dim = segments.shape
        for seed in range(len(segments)):
            own, gradient = _replica(weights, seed), _replica(gradients, seed)
            samples = np.ascontiguousarray(segments[seed].transpose(1, 2, 0))
            loss = _differentiate_replica(form, interval, forcing, samples, own, gradient)
            losses[seed] = loss / ((length - 1) * dim * batch)
        units, features = weights.diagonal.shape[1], weights.weight.shape[1]
        return 4 * batch * length * (units + features * (2 if form == 0 else 1) + 2 * dim)

    return differentiate_forced


_flat, _square = types.float32[:, ::1], types.float32[:, :, ::1]
_weights = types.NamedTuple((_flat, _square, _flat, _square, _square, _square, _flat), Weights)
differentiate_forced = cached(
    _entry(digest(__file__, arithmetic.__file__)),
    types.int64(
        types.int64, types.int64, types.float32, types.float32[:, :, :, ::1], _weights, _weights, types.float32[::1]
    ),
    **OPTIONS,
)
