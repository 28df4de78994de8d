from itertools import chain

import pytest
from mmengine.dataset import BaseDataset, ConcatDataset

from group_cases import Rows, row
from mammography.engine.samplers import epoch_sampler
from mammography.engine.samplers.contralateral_sampler import ContralateralSampler


def exam(index, left=None, right=None):
    """Two views of each breast of a patient."""
    sides = [(s, label) for s, label in (("L", left), ("R", right)) if label is not None]
    return [row(index, f"p{index}", side, malignant=float(x)) for side, x in sides for _ in "12"]


STUDY = [
    *exam(0, left=1, right=0),  # images 0 to 3
    *exam(1, left=1, right=1),  # 4 to 7
    *exam(2, right=1),  # 8 and 9
    *chain(*(exam(i, left=0, right=0) for i in range(3, 23))),  # 10 to 89
]


def build(epoch=0, rows=STUDY, **settings):
    sampler = ContralateralSampler(Rows(rows), "malignant", seed=0, **settings)
    sampler.set_epoch(epoch)
    return sampler


def test_an_epoch_has_each_cancer_and_its_healthy_breast_once():
    sampler = build()
    assert sorted(sampler) == [0, 1, 2, 3]
    assert len(sampler) == 4


@pytest.mark.parametrize(
    ("settings", "more"),
    [({"bilateral": "keep"}, {4, 5, 6, 7}), ({"one_sided": "keep"}, {8, 9})],
)
def test_cancers_without_a_control_stay_by_choice(settings, more):
    assert set(build(**settings)) == {0, 1, 2, 3} | more


def test_cancer_free_exams_are_drawn_anew_for_each_epoch():
    drawn = [list(build(epoch, cancer_free=2)) for epoch in range(6)]
    others = [set(images) - {0, 1, 2, 3} for images in drawn]
    assert all(len(images) == len(set(images)) == 12 for images in drawn)
    assert all(len(images) == 8 and min(images) >= 10 for images in others)
    assert len(set.union(*others)) > 20
    assert len(build(cancer_free=1000)) == 84  # no more than there are


def test_epochs_shuffle_and_repeat_themselves():
    keep = {"bilateral": "keep", "one_sided": "keep"}
    orders = [list(build(epoch, **keep)) for epoch in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2]) == list(range(10))


@pytest.mark.parametrize("world_size", [2, 3, 7])
def test_processes_share_the_images_and_fill_the_last_round(monkeypatch, world_size):
    parts = []
    for rank in range(world_size):
        monkeypatch.setattr(epoch_sampler, "get_dist_info", lambda r=rank: (r, world_size))
        parts.append(list(build()))
    assert len({len(part) for part in parts}) == 1
    dealt = list(chain(*zip(*parts, strict=True)))
    assert sorted(dealt[:4]) == [0, 1, 2, 3]


class Source(BaseDataset):
    def load_data_list(self):
        label = float(self.ann_file == "ill")
        return [row(0, "p0", "L", malignant=label), row(1, "p0", "R", malignant=0.0)]


def test_patients_of_two_sources_with_one_pseudonym_are_not_one():
    data = ConcatDataset([Source("ill"), Source("healthy")])
    assert sorted(ContralateralSampler(data, "malignant", seed=0)) == [0, 1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bilateral": "both"}, "must be 'drop' or 'keep' .* got 'both', 'drop' and 0"),
        ({"cancer_free": -1}, "cancer_free >= 0, got 'drop', 'drop' and -1"),
        ({"rows": exam(0, left=1)}, "an image of the other, got none among 2 images"),
        ({"rows": [row(0, "p")]}, r"label must be one of the images \(.*\), got 'malignant'"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        build(**settings)
