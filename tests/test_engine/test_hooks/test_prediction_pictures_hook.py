import cv2
import numpy as np
import pytest
import torch

from mammography.engine.hooks import prediction_pictures_hook
from mammography.engine.hooks.prediction_pictures_hook import PredictionPicturesHook, draw_caption
from samples import sample


def outputs(first=0):
    return [
        sample(i, {"a": 1.0}, {"a": 0.83, "b": [0.2, 0.8]}, sample_idx=i)
        for i in range(first, first + 2)
    ]


def test_the_image_lies_below_the_text():
    image = np.linspace(0, 1, 500 * 600, dtype=np.float32).reshape(500, 600)
    picture = draw_caption(image, ["one", "two"])
    assert picture.shape == (552, 600)
    np.testing.assert_array_equal(picture[52:], np.round(image * 255))
    assert picture[:52].any()
    assert draw_caption(image[:, :50], ["one"]).shape == (530, 400)


def test_every_nth_image_is_written_with_what_was_said(tmp_path, monkeypatch):
    texts = []
    draw = prediction_pictures_hook.draw_caption
    monkeypatch.setattr(
        prediction_pictures_hook, "draw_caption", lambda i, t: texts.append(t) or draw(i, t)
    )
    hook = PredictionPicturesHook(str(tmp_path / "p"), interval=3)
    for first in (0, 2):
        hook.after_test_iter(None, 0, {"inputs": torch.rand(2, 1, 8, 6)}, outputs(first))
    assert sorted(p.name for p in (tmp_path / "p").iterdir()) == ["i0.png", "i3.png"]
    assert texts[0] == ["i0", "a: 0.83 (label 1)", "b: 0.2, 0.8 (not labelled)"]


def test_of_augmented_versions_the_first_is_shown(tmp_path):
    black, white = torch.zeros(2, 1, 8, 6), torch.ones(2, 1, 8, 6)
    PredictionPicturesHook(str(tmp_path)).after_test_iter(
        None, 0, {"inputs": [white, black]}, outputs()
    )
    picture = cv2.imread(str(tmp_path / "i0.png"), cv2.IMREAD_UNCHANGED)
    assert (picture[-8:, :6] == 255).all()


def test_the_interval_must_be_positive():
    with pytest.raises(ValueError, match="interval must be >= 1, got 0"):
        PredictionPicturesHook("p", interval=0)
