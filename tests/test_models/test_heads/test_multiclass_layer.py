import pytest
import torch

from head_cases import gradients_summed_up, rare_classes
from mammography.functional.imbalance_losses import label_gradients
from mammography.models.heads.outcome_layers import build_outcome_layer
from ranks import run_on_ranks

F = torch.nn.functional


def build(classes=3, **options):
    torch.manual_seed(0)
    return build_outcome_layer("grade", 4, "multiclass", classes, **options)


def test_the_first_step_of_the_equalised_softmax_is_the_plain_cross_entropy():
    logits, labels = rare_classes()
    losses, _ = build(loss="equalised").losses(logits, labels)
    torch.testing.assert_close(losses, F.cross_entropy(logits, labels.long(), reduction="none"))


def test_it_sums_up_what_classes_learn_from_and_then_asks_more_of_rare_labels():
    layer, (logits, labels) = build(loss="equalised"), rare_classes()
    layer.losses(logits, labels)
    torch.testing.assert_close(layer.gradients, 1 + label_gradients(logits, labels.long()))
    for _ in range(20):
        layer.losses(logits, labels)
    counts = labels.bincount() if labels.dtype == torch.long else labels.long().bincount()
    assert layer.gradients.argsort().tolist() == counts.argsort().tolist()
    losses, _ = layer.losses(logits, labels)
    plain = F.cross_entropy(logits, labels.long(), reduction="none")
    rare, frequent = labels == counts.argmin(), labels == counts.argmax()
    assert (losses[rare] > plain[rare]).all()
    assert (losses[frequent] < plain[frequent]).all()


def test_evaluation_adds_nothing_and_scores_are_those_of_the_plain_softmax():
    layer, (logits, labels) = build(loss="equalised"), rare_classes()
    layer.losses(logits, labels)
    before = layer.gradients.clone()
    layer.eval().losses(logits, labels)
    assert torch.equal(layer.gradients, before)
    torch.testing.assert_close(layer.scores(logits), logits.softmax(1))


def test_a_resumed_training_goes_on_with_what_was_summed_up():
    layer, (logits, labels) = build(loss="equalised"), rare_classes()
    layer.losses(logits, labels)
    resumed = build(loss="equalised")
    resumed.load_state_dict(layer.state_dict())
    torch.testing.assert_close(
        resumed.losses(logits, labels)[0], layer.losses(logits, labels)[0], rtol=0, atol=0
    )


def test_an_earlier_loss_still_has_its_gradient_after_the_sums_have_moved_on():
    layer, (logits, labels) = build(loss="equalised"), rare_classes()
    logits.requires_grad_()
    first = layer.losses(logits, labels)[0].sum()
    layer.losses(logits, labels)
    first.backward()
    assert logits.grad.isfinite().all()


def test_two_processes_sum_up_what_one_does(tmp_path):
    alone = gradients_summed_up()
    for rank in run_on_ranks(gradients_summed_up, tmp_path):
        torch.testing.assert_close(rank, alone)


def test_averaged_likelihood_of_two_logits_is_the_loss_with_learned_noise():
    layer = build(2, attenuation={"test_samples": 512}).eval()
    outputs, labels = torch.randn(9, 4), torch.arange(9.0) % 2
    scores = layer.scores(outputs)
    torch.testing.assert_close(scores.sum(1), torch.ones(9))
    want = -scores.log().gather(1, labels.long()[:, None])[:, 0]
    torch.testing.assert_close(layer.losses(outputs, labels)[0], want)
    parts = layer.uncertainty(outputs)
    torch.testing.assert_close(parts["variance"], outputs[:, 2:].exp().mean(1))
    torch.testing.assert_close(parts["total"], torch.special.entr(scores).sum(1))


def test_smoothing_holds_with_learned_noise():
    layer = build(attenuation={}, label_smoothing=0.3).eval()
    outputs, labels = torch.randn(9, 6), torch.arange(9.0) % 3
    logs = layer.scores(outputs).log()
    want = -0.7 * logs.gather(1, labels.long()[:, None])[:, 0] - 0.1 * logs.sum(1)
    torch.testing.assert_close(layer.losses(outputs, labels)[0], want)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "focal"}, "loss must be 'cross_entropy' or 'equalised', got 'focal'"),
        ({"tau": 1.0}, "tau must be at least 0, with loss='equalised', got 1.0, 'cross_entropy'"),
        ({"loss": "equalised", "tau": -1}, "tau must be at least 0"),
        ({"loss": "equalised", "attenuation": {}}, "attenuation must go with loss='cross_entropy'"),
        ({"label_smoothing": 1.0}, r"label_smoothing must lie in \[0, 1\), got 1.0"),
    ],
)
def test_what_describes_no_loss_is_refused_with_the_task(options, message):
    with pytest.raises(ValueError, match=f"task grade: {message}"):
        build(**options)
