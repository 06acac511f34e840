"""Which weights each phase may change, and how many they are."""

import jax.numpy as jnp
import numpy as np
import pytest

from molap.networks.masks import (
    all_weights,
    count_all,
    count_trained,
    head_weights,
    module_units,
    pretraining_block,
    pretraining_weights,
)
from molap.networks.rnn import Params

OPTIONAL = ("b_rec", "b_out", "h0")


def network(n_units: int = 12, n_inputs: int = 1, n_outputs: int = 1, biases: bool = False) -> Params:
    params = Params(jnp.ones((n_units, n_inputs)), jnp.ones((n_units, n_units)), jnp.ones((n_outputs, n_units)))
    if biases:
        params = params._replace(b_rec=jnp.ones(n_units), b_out=jnp.ones(n_outputs), h0=jnp.ones(n_units))
    return params


@pytest.mark.parametrize(("n_units", "n_modules"), [(12, 1), (12, 2), (12, 3), (100, 2), (150, 3)])
def test_modules_divide_the_units_in_order(n_units, n_modules):
    units = [np.arange(n_units)[module_units(n_units, n_modules, m)] for m in range(1, n_modules + 1)]
    assert np.array_equal(np.concatenate(units), np.arange(n_units))
    assert {len(block) for block in units} == {n_units // n_modules}


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("n_modules", [1, 2, 3, 4])
def test_pretraining_trains_the_modules_own_block(n_modules, biases):
    size = 12 // n_modules
    for module in range(1, n_modules + 1):
        trainable = pretraining_weights(network(biases=biases), n_modules, module)
        expected = np.zeros((12, 12), bool)
        for i in range(size * (module - 1), size * module):
            for j in range(size * (module - 1), size * module):
                expected[i, j] = True
        assert np.array_equal(trainable.w_rec, expected)
        assert trainable.w_rec.sum() == size**2
        assert trainable.w_in is True and trainable.w_out is True


@pytest.mark.parametrize(("n_modules", "module"), [(1, 1), (2, 1), (2, 2), (3, 2), (4, 4)])
@pytest.mark.parametrize("input_weights", ["column", "released"])
def test_the_block_is_where_pretraining_trains_w_rec(n_modules, module, input_weights):
    """The released code trains a column besides, from the second module on: there is no such block."""
    trained = pretraining_weights(network(), n_modules, module, input_weights).w_rec
    block = pretraining_block(12, n_modules, module, input_weights)
    assert (block is None) == (input_weights == "released" and module > 1)
    if block is not None:
        expected = np.zeros((12, 12), bool)
        expected[block, block] = True
        assert np.array_equal(trained, expected)


def test_blocks_of_different_modules_are_disjoint():
    masks = [pretraining_weights(network(), 3, module).w_rec for module in (1, 2, 3)]
    assert np.sum(masks, axis=0).max() == 1


def test_pretraining_trains_biases_as_the_released_code():
    trainable = pretraining_weights(network(biases=True), 2, 1)
    assert trainable.b_rec is False and trainable.b_out is True and trainable.h0 is True


def test_released_input_row_is_right_for_the_first_module():
    released = pretraining_weights(network(), 3, 1, "released")
    column = pretraining_weights(network(), 3, 1, "column")
    assert released.w_in is True
    assert np.array_equal(released.w_rec, column.w_rec)


@pytest.mark.parametrize("module", [2, 3])
def test_released_input_row_is_off_by_one_for_later_modules(module):
    """Row m − 1 of (input; recurrent) weights: with one input, what unit m − 2 sends to all units."""
    released = pretraining_weights(network(), 3, module, "released")
    column = pretraining_weights(network(), 3, module, "column")
    assert released.w_in is False
    extra = released.w_rec & ~column.w_rec
    assert set(map(tuple, np.argwhere(extra))) == {(receiver, module - 2) for receiver in range(12)}
    assert np.all(released.w_rec[column.w_rec])


def test_heads_train_input_and_readout_only():
    assert head_weights(network()) == Params(w_in=True, w_rec=False, w_out=True)


def test_heads_with_biases_train_the_output_bias_and_the_initial_state_too():
    expected = Params(w_in=True, w_rec=False, w_out=True, b_rec=False, b_out=True, h0=True)
    assert head_weights(network(biases=True)) == expected


def test_all_weights_are_those_that_exist():
    assert all_weights(network()) == Params(w_in=True, w_rec=True, w_out=True)
    assert all_weights(network(biases=True)) == Params(*[True] * 6)


def test_masks_never_name_an_absent_weight():
    for trainable in (pretraining_weights(network(), 2, 2), head_weights(network()), all_weights(network())):
        assert all(getattr(trainable, name) is None for name in OPTIONAL)


def test_counts_of_table_1s_network():
    params = network(100)
    assert count_all(params) == 10_200
    assert count_trained(params, all_weights(params)) == 10_200
    assert count_trained(params, pretraining_weights(params, 2, 1)) == 2_500 + 100 + 100
    assert count_trained(params, pretraining_weights(params, 2, 2)) == 2_500 + 100 + 100
    assert count_trained(params, head_weights(params)) == 200


def test_counts_of_task_networks():
    """T1–T4 have 3 inputs and 3 outputs; T7–T9 have 3 inputs and 2 outputs."""
    params = network(100, 3, 3)
    assert (count_all(params), count_trained(params, head_weights(params))) == (10_600, 600)
    params = network(100, 3, 2)
    assert (count_all(params), count_trained(params, head_weights(params))) == (10_500, 500)


def test_counts_of_the_released_network():
    """150 units in 3 modules, with biases and an initial state."""
    params = network(150, biases=True)
    assert count_all(params) == 150 + 150**2 + 150 + 150 + 1 + 150
    # h0, output bias and readout; then the block, and the input column or what stands in its place.
    for module in (1, 2, 3):
        trainable = pretraining_weights(params, 3, module, "released")
        assert count_trained(params, trainable) == 150 + 1 + 150 + 50**2 + 150
    assert count_trained(params, head_weights(params)) == 150 + 150 + 1 + 150
