"""How flows are put together: which layers, in which order, of which width."""

import pytest
import torch

from vaeutil import flows

PAIR = ["AffineCoupling", "AffineCoupling"]


def kinds(flow):
    return [type(part).__name__ for part in flow.flows]


def test_couplings_come_in_pairs_with_a_shuffle_between():
    made = flows.coupling(3, 5, (4,))
    assert kinds(made) == [*PAIR, "Permutation", *PAIR, "Permutation", "AffineCoupling"]
    flips = [part.flip for part in made.flows if isinstance(part, flows.AffineCoupling)]
    assert flips == [False, True, False, True, False]


def test_two_coordinates_need_no_shuffle():
    assert kinds(flows.coupling(2, 4, (4,))) == [*PAIR, *PAIR]


def test_the_shuffles_are_the_same_every_time_and_not_all_alike():
    orders = [
        [
            part.order.tolist()
            for part in flows.coupling(12, 5, (4,)).flows
            if hasattr(part, "order")
        ]
        for _ in range(2)
    ]
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[0][1]


def test_autoregressive_layers_take_turns_with_the_reversed_order():
    made = flows.autoregressive(4, 3, (4,))
    assert kinds(made) == ["Autoregressive", "Permutation"] * 2 + ["Autoregressive"]
    assert made.flows[1].order.tolist() == [3, 2, 1, 0]


@pytest.mark.parametrize("dim", [2, 3, 5])
def test_no_hidden_unit_of_an_autoregressive_layer_is_idle(dim):
    """Each is read by a coordinate after those that it sees."""
    layers = flows.Autoregressive(dim, (8, 8)).layers
    assert (layers[0].mask.sum(1) > 0).all()
    assert (layers[-1].mask.sum(0) > 0).all()


def test_one_coordinate_has_nothing_before_it():
    flow = flows.Autoregressive(1, (4,)).double()
    y, log_det = flow(torch.tensor([[-1.0], [2.0]]).double())
    torch.testing.assert_close((y[1] - y[0]) / 3, log_det[:1].exp())
    torch.testing.assert_close(log_det[0], log_det[1])


def test_widths_by_default():
    """Stored flows are built again from their settings; a default is one of these."""
    assert flows.AffineCoupling(4).net[0].out_features == 64
    assert flows.Autoregressive(4).layers[0].linear.out_features == 64
    assert flows.coupling(4, 1).flows[0].net[0].out_features == 64
    assert flows.autoregressive(4, 1).flows[0].layers[0].linear.out_features == 64
