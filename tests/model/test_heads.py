"""Each head's formula, against a computation written out."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="model tests need the extra 'train'")

from novelink.model.heads import Classifier, Coreference  # noqa: E402 (after the skip)
from novelink.model.pair_model import coreference_labels, upper_pairs  # noqa: E402


def test_classifier_is_softmax_of_w_v_plus_b():
    torch.manual_seed(0)
    head = Classifier(5, 4)
    head.linear.bias.data.normal_()
    head.requires_grad_(requires_grad=False)
    vectors = torch.randn(3, 5)
    given = head(vectors).softmax(-1)
    for row in range(3):
        raised = [
            float(
                torch.exp(
                    sum(head.linear.weight[k, j] * vectors[row, j] for j in range(5))
                    + head.linear.bias[k]
                )
            )
            for k in range(4)
        ]
        for k in range(4):
            assert float(given[row, k]) == pytest.approx(raised[k] / sum(raised), rel=1e-5)


def test_coreference_is_m_i_a_m_j_plus_b_for_every_two_mentions():
    """A is h × 2 × h, and the bias has one value a class."""
    torch.manual_seed(0)
    head = Coreference(4)
    head.weight.data.normal_()
    head.bias.data.normal_()
    head.requires_grad_(requires_grad=False)
    mentions = torch.randn(2, 3, 4)
    given = head(mentions)
    assert given.shape == (2, 3, 3, 2)
    for sample in range(2):
        for i in range(3):
            for j in range(3):
                for label in range(2):
                    wanted = float(head.bias[label]) + sum(
                        float(mentions[sample, i, a] * head.weight[a, label, b])
                        * float(mentions[sample, j, b])
                        for a in range(4)
                        for b in range(4)
                    )
                    assert float(given[sample, i, j, label]) == pytest.approx(wanted, abs=1e-4)


def test_coreference_rows_are_every_two_mentions_once():
    square = torch.arange(2 * 3 * 3).reshape(2, 3, 3)
    assert upper_pairs(square).tolist() == [1, 2, 5, 10, 11, 14]


def test_mentions_corefer_where_they_share_an_id():
    """Owners: first, second, both, padding; labels of 01 02 03 12 13 23."""
    labels = coreference_labels(torch.tensor([[1, 2, 3, 0], [1, 1, 2, 2]]))
    assert labels.tolist() == [0, 1, -100, 1, -100, -100, 1, 0, 0, 0, 0, 1]


def test_dropout_is_off_when_predicting():
    torch.manual_seed(0)
    vectors = torch.randn(4, 8)
    for head in (Classifier(8, 3, dropout=0.5), Coreference(8, dropout=0.5)):
        inputs = vectors if isinstance(head, Classifier) else vectors.unsqueeze(0)
        assert not torch.equal(head.train()(inputs), head(inputs))
        assert torch.equal(head.eval()(inputs), head(inputs))
