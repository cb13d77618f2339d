"""Files of safetensors: the library's own, and what is refused."""

import json
import struct

import pytest
import torch

from facestages.errors import FacestagesError
from facestages.networks.checkpoints import load_state
from facestages.networks.safetensors_files import read_safetensors


def written(path, header, data=b""):
    """A file of this header, a mapping or raw bytes."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + data)
    return path


def entry(shape, start, stop, kind="F32"):
    return {"dtype": kind, "shape": shape, "data_offsets": [start, stop]}


def test_a_known_file(tmp_path):
    """Written by hand, from the description of the format."""
    header = {
        "__metadata__": {"format": "pt"},
        "b": entry([2], 4, 8, "F16"),
        "a": entry([], 0, 4),
        "none": entry([0, 3], 8, 8, "I64"),
        "whole": entry([1, 2], 8, 24, "I64"),
    }
    data = struct.pack("<f", 0.5) + struct.pack("<ee", 1.5, -2) + struct.pack("<qq", 3, -4)
    read = read_safetensors(written(tmp_path / "net.safetensors", header, data))
    assert list(read) == ["b", "a", "none", "whole"]
    assert float(read["a"]) == 0.5 and read["b"].tolist() == [1.5, -2]
    assert read["whole"].tolist() == [[3, -4]] and read["none"].shape == (0, 3)
    assert read["b"].dtype == torch.float16


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float64])
def test_files_of_the_library(tmp_path, kind):
    library = pytest.importorskip("safetensors.torch")
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)).to(kind)
    state = {f"model.{key}": value for key, value in module.state_dict().items()}
    library.save_file(state, tmp_path / "net.safetensors", {"format": "pt"})
    read = read_safetensors(tmp_path / "net.safetensors")
    assert read.keys() == state.keys()
    assert all(
        torch.equal(read[key], value) and read[key].dtype == value.dtype
        for key, value in state.items()
    )
    other = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    load_state(other, tmp_path / "net.safetensors")
    assert torch.equal(other[0].weight, module[0].weight.float())


def test_a_truncated_file(tmp_path):
    path = written(tmp_path / "net.safetensors", {"a": entry([9], 0, 36)}, bytes(36))
    whole = path.read_bytes()
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FacestagesError, match="is (a )?truncated"):
            load_state(torch.nn.Linear(1, 1), path)


@pytest.mark.parametrize(
    "header, n_bytes, problem",
    [
        ({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, 12, "'b' does not begin where"),
        ({"a": entry([2], 4, 12)}, 12, "'a' does not begin where"),
        ({"a": entry([2], 0, 8)}, 9, "1 bytes belong to no tensor"),
        ({"a": entry([3], 0, 8)}, 8, "another length than its shape"),
        ({"a": entry([2], 0, 8, "F8_E4M3")}, 8, "of the type F8_E4M3"),
        ({"a": entry([-2], 0, 8)}, 8, "is no number"),
        ({"a": entry([True], 0, 4)}, 4, "is no number"),
        ({"a": entry([0, 1 << 64], 0, 0)}, 0, "a tensor of the shape"),
        ({"a": {"dtype": "F32"}}, 0, "its header cannot be read"),
        ({"a": 3}, 0, "its header cannot be read"),
        (b'{"a": ', 0, "its header cannot be read"),
        (b'{"a":' + b"[" * 100_000, 0, "its header cannot be read"),
        (b'{"a": 1, "a": 2}', 0, "a name occurs twice"),
        (b"{" + b" " * 3_000_000 + b"}", 0, "its header has 3 MB"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_refused(tmp_path, header, n_bytes, problem):
    path = written(tmp_path / "net.safetensors", header, bytes(n_bytes))
    with pytest.raises(FacestagesError, match=problem) as caught:
        load_state(torch.nn.Linear(1, 1), path)
    assert len(str(caught.value).splitlines()) == 1
