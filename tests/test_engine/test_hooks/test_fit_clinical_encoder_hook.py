from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MMLogger
from torch import nn

from mammography.engine.hooks.fit_clinical_encoder_hook import FitClinicalEncoderHook
from mammography.models.layers.clinical_encoder import ClinicalEncoder


class Rows(list):
    """A data set that counts how often it is asked."""

    asked = 0

    def get_data_info(self, index):
        self.asked += 1
        return {"clinic_vars": {"age_years": self[index]}}


def runner(model, ages):
    loader = SimpleNamespace(dataset=Rows(ages))
    logger = MMLogger.get_instance("fit")
    return SimpleNamespace(model=model, train_dataloader=loader, logger=logger)


def model_with(encoder):
    model = nn.Module()
    model.clinical = encoder
    return model


def test_the_moments_are_those_of_the_training_images():
    encoder = ClinicalEncoder(numbers={"age_years": {}})
    FitClinicalEncoderHook().before_train(runner(model_with(encoder), [40.0, 60.0, None]))
    assert encoder.mean.tolist() == [50]
    assert encoder.std.tolist() == [10]


def test_a_run_that_goes_on_keeps_its_moments():
    encoder = ClinicalEncoder(numbers={"age_years": {}})
    encoder.load_state_dict({"mean": torch.tensor([1.0]), "std": torch.tensor([2.0])})
    run = runner(model_with(encoder), [40.0, 60.0])
    FitClinicalEncoderHook().before_train(run)
    assert (encoder.mean.item(), encoder.std.item()) == (1, 2)
    assert run.train_dataloader.dataset.asked == 0


def test_a_model_without_clinical_variables_is_refused():
    with pytest.raises(ValueError, match="the model must have a part named clinical"):
        FitClinicalEncoderHook().before_train(runner(nn.Linear(1, 1), [1.0]))
