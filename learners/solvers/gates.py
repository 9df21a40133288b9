"""Recurrent cells, unit by unit: what one row of gates makes of a hidden state, and the gradients of that; compiled.

Loops are short, since those over many arrays are not turned into vectors. `given` is what the inputs give to the gates,
and `gates` what the hidden state does; on the way back, they become the gradients of these. `pulled` is the gradient of
the hidden state, and becomes the part of that of the state `before` that does not come by way of the gates.
"""

from learners.solvers.arithmetic import ONE, ZERO, compiled, sigmoid, tangent


@compiled
def read_elman(h, given, gates, hidden):
    for j in range(hidden):
        h[j] = tangent(given[j] + gates[j])


@compiled
def read_gru(h, before, given, gates, inner, bias, hidden):
    reset, update, new, given_new = gates, gates[hidden:], gates[2 * hidden :], given[2 * hidden :]
    for j in range(2 * hidden):
        gates[j] = sigmoid(given[j] + gates[j])
    for j in range(hidden):
        inner[j] = new[j] + bias[j]
    for j in range(hidden):
        new[j] = tangent(given_new[j] + reset[j] * inner[j])
    for j in range(hidden):
        h[j] = new[j] + update[j] * (before[j] - new[j])


@compiled
def read_lstm(h, before, given, gates, cell, squashed, hidden):
    enter, forget, new, out = gates, gates[hidden:], gates[2 * hidden :], gates[3 * hidden :]
    given_new, given_out = given[2 * hidden :], given[3 * hidden :]
    for j in range(2 * hidden):
        gates[j] = sigmoid(given[j] + gates[j])
    for j in range(hidden):
        new[j] = tangent(given_new[j] + new[j])
    for j in range(hidden):
        out[j] = sigmoid(given_out[j] + out[j])
    for j in range(hidden):
        cell[j] = forget[j] * before[j] + enter[j] * new[j]
    for j in range(hidden):
        squashed[j] = tangent(cell[j])
    for j in range(hidden):
        h[j] = out[j] * squashed[j]


@compiled
def pull_elman(h, given, gates, pulled, hidden):
    for j in range(hidden):
        given[j] = pulled[j] * (ONE - h[j] * h[j])
    gates[:hidden] = given[:hidden]
    pulled[:hidden] = ZERO


@compiled
def pull_gru(before, given, gates, inner, bias, pulled, hidden):
    reset, update, new = gates, gates[hidden:], gates[2 * hidden :]
    given_update, given_new = given[hidden:], given[2 * hidden :]
    for j in range(hidden):
        given_new[j] = pulled[j] * (ONE - update[j]) * (ONE - new[j] * new[j])
    for j in range(hidden):
        given_update[j] = pulled[j] * (before[j] - new[j]) * update[j] * (ONE - update[j])
    for j in range(hidden):
        given[j] = given_new[j] * inner[j] * reset[j] * (ONE - reset[j])
    for j in range(hidden):
        new[j] = given_new[j] * reset[j]
    for j in range(hidden):
        bias[j] += new[j]
    for j in range(hidden):
        pulled[j] *= update[j]
    gates[: 2 * hidden] = given[: 2 * hidden]


@compiled
def pull_lstm(before, given, gates, squashed, carried, pulled, hidden):
    enter, forget, new, out = gates, gates[hidden:], gates[2 * hidden :], gates[3 * hidden :]
    given_forget, given_new, given_out = given[hidden:], given[2 * hidden :], given[3 * hidden :]
    for j in range(hidden):
        carried[j] += pulled[j] * out[j] * (ONE - squashed[j] * squashed[j])
    for j in range(hidden):
        given_out[j] = pulled[j] * squashed[j] * out[j] * (ONE - out[j])
    for j in range(hidden):
        given[j] = carried[j] * new[j] * enter[j] * (ONE - enter[j])
    for j in range(hidden):
        given_new[j] = carried[j] * enter[j] * (ONE - new[j] * new[j])
    for j in range(hidden):
        given_forget[j] = carried[j] * before[j] * forget[j] * (ONE - forget[j])
    for j in range(hidden):
        carried[j] *= forget[j]
    gates[: 4 * hidden] = given[: 4 * hidden]
    pulled[:hidden] = ZERO
