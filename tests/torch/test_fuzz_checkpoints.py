"""Files of PyTorch, damaged by hypothesis: a state, or one or two lines of what is wrong."""

import io
import json
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from damage import damaged, fuzz, sound
from facestages.networks.checkpoints import load_state

pytestmark = pytest.mark.filterwarnings("ignore")


def saved(content: object, **options) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, **options)
    return stream.getvalue()


STATE = torch.nn.Linear(4, 3).state_dict()
HEADER = json.dumps(
    {
        "weight": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]},
        "bias": {"dtype": "F32", "shape": [3], "data_offsets": [48, 60]},
    }
).encode()
SAFE = struct.pack("<Q", len(HEADER)) + HEADER + bytes(60)
FILES = [
    saved(STATE),
    saved({"net": STATE, "epoch": 3, "losses": [0.5, 0.25]}),
    saved(STATE, _use_new_zipfile_serialization=False),
    SAFE,
]


def check(path):
    module = torch.nn.Linear(4, 3)
    sound(path, load_state, module, path)
    assert module(torch.zeros(1, 4)).shape == (1, 3)


@fuzz(200)
@given(content=st.sampled_from(FILES).flatmap(damaged))
def test_bytes(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "net.pth"
    path.write_bytes(content)
    check(path)


KINDS = [torch.float32, torch.float16, torch.bfloat16, torch.complex64, torch.int8, torch.bool]


@st.composite
def tensors(draw) -> torch.Tensor:
    """A tensor of some kind and form, most of them of the module's shapes."""
    shape = draw(st.sampled_from([(3, 4), (3,), (4, 3), (), (0,), (3, 4, 1)]))
    tensor = torch.zeros(shape, dtype=draw(st.sampled_from(KINDS)))
    form = draw(st.sampled_from(["", "", "sparse", "csr", "meta", "nested", "quantised", "views"]))
    if form == "sparse":
        return tensor.to_sparse() if tensor.ndim else tensor
    if form == "csr":
        return tensor.to_sparse_csr() if tensor.ndim == 2 and tensor.numel() else tensor
    if form == "meta":
        return tensor.to("meta")
    if form == "nested":
        return torch.nested.nested_tensor([torch.zeros(4), torch.zeros(3)])
    if form == "quantised":
        return torch.quantize_per_tensor(torch.zeros(shape), 0.1, 0, torch.qint8)
    return tensor.expand(3, 4) if form == "views" and shape == (3, 4) else tensor


THINGS = st.one_of(
    tensors(),
    tensors(),
    tensors(),
    tensors(),
    st.integers(),
    st.text(max_size=4),
    st.none(),
    st.lists(tensors()),
)


@fuzz(150)
@given(
    state=st.dictionaries(
        st.one_of(
            st.sampled_from(["weight", "bias", "module.weight", "net"]), st.text(), st.integers()
        ),
        THINGS,
        max_size=3,
    ),
    wrapped=st.booleans(),
)
def test_contents(tmp_path_factory, state, wrapped):
    path = tmp_path_factory.getbasetemp() / "net.pth"
    torch.save({"state_dict": state} if wrapped else state, path)
    check(path)
