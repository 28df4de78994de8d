import math

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from mammography.models.layers.clinical_encoder import ClinicalEncoder

AGES = [50.0, None, 61.0, 45.0, 70.0, math.nan]


def sample(labels=None, **told):
    made = DataSample(metainfo={"clinic_vars": told})
    made.set_field(labels or {}, "gt_targets", dtype=dict)
    return made


def rows(ages=AGES):
    return [{"clinic_vars": {"age_years": age}} for age in ages]


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    made = ClinicalEncoder(numbers={"age_years": {}}, categories={"implant": [0, 1]})
    made.fit(rows())
    return made.eval()


def test_numbers_are_what_scikit_learn_makes_of_them(encoder):
    """Standardised by the known values; a missing one stands at their mean and is flagged."""
    ages = np.array([[math.nan if age is None else age] for age in AGES])
    scaler = StandardScaler().fit(ages)  # disregards NaN
    scaled = SimpleImputer(strategy="constant", fill_value=0.0).fit_transform(
        scaler.transform(ages)
    )
    found = encoder([sample(age_years=age) for age in AGES])[:, :2].detach().numpy()
    assert np.allclose(found[:, :1], scaled, atol=1e-6)
    assert found[:, 1].tolist() == [0, 1, 0, 0, 0, 1]


def test_missing_another_value_and_known_values_are_states_of_their_own(encoder):
    told = [sample(), sample(implant=7), sample(implant=0), sample(implant=1)]
    vectors = encoder(told)[:, 2:]
    assert len({tuple(vector.tolist()) for vector in vectors}) == 4


@pytest.mark.parametrize("value", [1, 1.0, True, "1", " 1 "])
def test_a_category_is_the_same_however_a_file_spells_it(encoder, value):
    assert torch.equal(encoder([sample(implant=value)]), encoder([sample(implant=1)]))


def test_a_variable_may_be_a_label_or_said_of_the_image():
    encoder = ClinicalEncoder(categories={"density": [0, 1, 2, 3], "manufacturer": ["alpha"]})
    labelled = sample({"density": 2.0})
    labelled.set_metainfo({"manufacturer": "alpha"})
    assert torch.equal(encoder([labelled]), encoder([sample(density=2, manufacturer="alpha")]))
    assert not torch.equal(encoder([labelled]), encoder([sample({"density": 2.0})]))


def test_what_was_fitted_travels_in_the_checkpoint(encoder):
    other = ClinicalEncoder(numbers={"age_years": {}}, categories={"implant": [0, 1]}).eval()
    other.load_state_dict(encoder.state_dict())
    assert torch.equal(other([sample(age_years=44)]), encoder([sample(age_years=44)]))


def test_what_is_fitted_is_not_fitted_again(encoder):
    before = encoder.mean.clone()
    encoder.fit(rows([1.0, 2.0]))
    assert torch.equal(encoder.mean, before)


def test_hidden_values_of_training_look_like_missing_ones():
    told = {"age_years": {"mean": 50, "std": 10}}
    encoder = ClinicalEncoder(told, {"implant": [0, 1]}, drop_rate=0.5)
    torch.manual_seed(0)
    vectors = encoder([sample(age_years=60, implant=1)] * 2000)
    missing = encoder.eval()([sample()])[0]
    of_age, of_implant = (
        (vectors[:, part] == missing[part]).all(1).float().mean().item()
        for part in (slice(0, 2), slice(2, None))
    )
    # Four standard deviations of a share of 2,000.
    assert of_age == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / 2000))
    assert of_implant == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / 2000))
    assert not torch.equal(encoder([sample(age_years=60, implant=1)])[0], missing)


def test_gradients_reach_the_categories_and_not_the_moments(encoder):
    encoder([sample(age_years=50, implant=1)]).sum().backward()
    assert encoder.embeddings[0].weight.grad[3].abs().sum() > 0
    assert {name for name, _ in encoder.named_parameters()} == {"embeddings.0.weight"}


def test_a_number_that_was_never_fitted_is_refused():
    encoder = ClinicalEncoder(numbers={"age_years": {}})
    with pytest.raises(ValueError, match=r"age_years must have a mean .*FitClinicalEncoderHook"):
        encoder([sample(age_years=50)])


def test_a_variable_without_two_values_in_training_is_refused():
    encoder = ClinicalEncoder(numbers={"age_years": {}})
    with pytest.raises(ValueError, match=r"age_years must have two different values .* \[50.0\]"):
        encoder.fit(rows([50.0, None, 50.0]))


def test_a_word_where_a_number_must_be_is_refused(encoder):
    with pytest.raises(ValueError, match="age_years must be a number, got 'old'"):
        encoder([sample(age_years="old")])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "there must be a variable"),
        ({"numbers": {"a": {}}, "categories": {"a": [0]}}, "either a number or a category, got a"),
        ({"numbers": {"a": {"mean": 1}}}, "numbers.a must give mean and std > 0"),
        ({"numbers": {"a": {"mean": 1, "std": 0}}}, "numbers.a must give mean and std > 0"),
        ({"numbers": {"a": {}}, "drop_rate": 1.0}, r"drop_rate must lie in \[0, 1\), got 1.0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ClinicalEncoder(**settings)
