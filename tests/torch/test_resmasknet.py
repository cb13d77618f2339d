"""ResMaskNet against what is known of the published network."""

import numpy as np
import pytest
import torch
from PIL import Image

from facestages.errors import FacestagesError
from facestages.networks import load_network
from facestages.networks.checkpoints import load_state
from facestages.networks.resmasknet import MaskingBlock, ResMaskNet
from official_networks import (
    filled_with_own_number,
    official_checkpoint,
    official_shapes,
    output_shapes,
    overwritten_outputs,
    shapes_of,
    shared_key,
    synthetic_faces,
    with_synthetic_weights,
)


def published():
    """Of the published size, without memory."""
    with torch.device("meta"):
        return ResMaskNet()


@pytest.fixture(scope="module")
def small():
    return with_synthetic_weights(ResMaskNet(width=8), gain=1.5)


def test_keys_shapes_and_their_order():
    assert list(shapes_of(published()).items()) == list(official_shapes("resmasknet").items())


def test_number_of_parameters():
    assert sum(parameter.numel() for parameter in published().parameters()) == 137_796_423


def test_shortcuts_of_the_masks_have_two_names():
    module = published()
    state = module.state_dict(keep_vars=True)
    twice = [key for key in state if shared_key(key) != key]
    assert len(twice) == (8 + 6 + 4 + 2) * 6
    assert all(state[key] is state[shared_key(key)] for key in twice)
    assert module.mask4.conv2.downsample is module.mask4.downsample2


def test_official_checkpoint_loads(tmp_path):
    torch.save(official_checkpoint(official_shapes("resmasknet")), tmp_path / "rmn.pth")
    module = published()
    load_state(module, tmp_path / "rmn.pth")
    assert filled_with_own_number(module)


def test_answers_of_the_published_code():
    module = with_synthetic_weights(published(), gain=1.5)
    with torch.inference_mode():
        logits = module(synthetic_faces(1, 224))
    # What the authors' package rmn 3.3.0 answers with the same weights and picture.
    official = [-0.489174, -0.463392, 1.822537, 0.071300, 0.053218, -1.683557, -0.737091]
    torch.testing.assert_close(logits[0], torch.tensor(official), rtol=0, atol=2e-5)


def test_shapes_of_the_stages():
    expected = {
        "relu": (64, 112, 112),
        "maxpool": (64, 56, 56),
        "layer1": (64, 56, 56),
        "mask1": (64, 56, 56),
        "layer2": (128, 28, 28),
        "mask2": (128, 28, 28),
        "layer3": (256, 14, 14),
        "mask3": (256, 14, 14),
        "layer4": (512, 7, 7),
        "mask4": (512, 7, 7),
        "mask4.conv2.downsample": (512, 7, 7),
        "fc.0": (512,),
        "fc.1": (7,),
    }
    x = torch.empty(2, 3, 224, 224, device="meta")
    assert output_shapes(published(), x, list(expected)) == expected


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_mask_is_a_softmax_over_channels(depth):
    mask = with_synthetic_weights(MaskingBlock(6, depth), gain=1.5)
    x = torch.rand(2, 6, 16, 24, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        weights = mask(x)
    assert weights.shape == x.shape
    assert (weights > 0).all() and weights.std() > 0.01
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2, 16, 24))


def test_width_scales_every_number_of_channels(small):
    wide = official_shapes("resmasknet")
    for key, shape in shapes_of(small).items():
        fixed = (3, 7) if key in ("conv1.weight", "fc.1.weight", "fc.1.bias") else ()
        kernel = wide[key][2:]
        channels = [side if side in fixed else side // 8 for side in wide[key][:2]]
        assert shape == (*channels, *kernel), key


def test_number_of_classes():
    assert ResMaskNet(n_classes=3, width=2)(torch.rand(2, 3, 32, 32)).shape == (2, 3)


def test_pictures_do_not_depend_on_their_batch(small):
    x = synthetic_faces(3, 64)
    with torch.inference_mode():
        together = small(x)
        torch.testing.assert_close(small(x[1:2])[0], together[1], rtol=1e-4, atol=1e-5)
        assert torch.equal(small(x), together)
    assert together.std(dim=0).min() > 1e-4


def test_no_output_is_overwritten(small):
    assert overwritten_outputs(small, synthetic_faces(1, 64)) == []


@pytest.mark.parametrize("shape", [(1, 1, 224, 224), (1, 3, 225, 224), (1, 3, 48, 48), (3, 64, 64)])
def test_another_input_is_refused(small, shape):
    with pytest.raises(FacestagesError, match="ResMaskNet takes .* multiples of 32"):
        small(torch.zeros(shape))


def test_colour_is_taken_from_its_pictures():
    network = load_network("rmn", architecture="resmasknet", width=8)
    colour = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
    grey = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in colour])
    shown, of_grey = (network.record(images, ["layer1"])["layer1"] for images in (colour, grey))
    np.testing.assert_array_equal(shown, of_grey)
    assert shown.std() > 0
