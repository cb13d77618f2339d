"""Small files that declare much more than they hold, and a process of its own to read each in."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).parents[1]

#: Sets the reader up, takes the memory and the time of one call, and prints what came of it.
_CHILD = """
import json, resource, sys, time
sys.path[:0] = [{scripts!r}]
# Far above what is allowed, so that a failure is measured and the machine goes on.
resource.setrlimit(resource.RLIMIT_AS, (14 << 30, 14 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from facestages.errors import FacestagesError
{setup}
def resident(line):
    with open("/proc/self/status") as status:
        return next(int(row.split()[1]) >> 10 for row in status if row.startswith(line))
open("/proc/self/clear_refs", "w").write("5")
before, start = resident("VmRSS"), time.process_time()
try:
    {call}
    outcome, text = "read", ""
except FacestagesError as error:
    outcome, text = "refused", str(error)
except BaseException as error:
    outcome, text = "traceback", type(error).__name__ + ": " + str(error)[:200]
print(json.dumps([outcome, text, time.process_time() - start, resident("VmHWM") - before]))
"""

#: By kind of file: what is imported beforehand, and the call of its reader.
READERS = {
    "picture": (
        "from facestages.stimuli.pictures import read_picture",
        "read_picture({path!r})",
    ),
    "table": ("from facestages.stimuli.table import list_table", "list_table({path!r})"),
    "fer2013": ("from facestages.stimuli.fer2013 import read_fer2013", "read_fer2013({path!r})"),
    "oasis": ("from facestages.stimuli.ratings import read_oasis", "read_oasis({path!r})"),
    "yaml": ("from facestages.config import load_config", "load_config({path!r})"),
    "keras": (
        "from facestages.networks import load_network; import facestages.networks.keras_backend",
        "load_network('net', keras={path!r}, input=dict(size=8, channels=1))",
    ),
    "weights": (
        "from facestages.networks import load_network; import facestages.networks.keras_backend",
        "load_network('net', architecture='light_cnn', classes=['a', 'b'], weights={path!r})",
    ),
    "torch": (
        "import torch; from facestages.networks.checkpoints import load_state",
        "load_state(torch.nn.Linear(4, 4, bias=False), {path!r})",
    ),
    "video": (
        "from pathlib import Path; from facestages.stimuli.disfa import _check_beforehand, _decode",
        "p = Path({path!r}); _check_beforehand('SN001', p, 3); "
        "[each.read() for each in _decode('SN001', p, {{1: dict(frame=1)}}, 3, {{}})]",
    ),
}


def read(kind: str, path: Path, limit: float = 300) -> tuple[str, str, float, int]:
    """Read a file in a process of its own.

    Returns
    -------
    outcome : str
        ``read``, ``refused`` (a `FacestagesError`), ``traceback`` or ``killed``.
    text : str
        Its message.
    seconds : float
        Of the processors, as other processes may slow this one.
    megabytes : int
        The most memory that the call took beyond what the process had.
    """
    setup, call = READERS[kind]
    scripts = str(ROOT / "workflow" / "scripts")
    code = _CHILD.format(scripts=scripts, setup=setup, call=call.format(path=str(path)))
    try:
        child = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return "killed", f"after {limit:.0f} s", limit, 0
    if child.returncode or not child.stdout.strip():
        return "killed", f"exit {child.returncode}: {child.stderr[-300:]}", 0, 0
    return tuple(json.loads(child.stdout.splitlines()[-1]))


# ------------------------------------------------------------------------------------- pictures


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _zeros(n: int) -> bytes:
    """So many zeros, deflated without ever being in memory."""
    packer, block, packed = zlib.compressobj(9), bytes(1 << 20), []
    for start in range(0, n, len(block)):
        packed.append(packer.compress(block[: n - start]))
    return b"".join([*packed, packer.flush()])


def png(columns: int, rows: int, color: int = 6, depth: int = 8, *more: bytes) -> bytes:
    """A blank PNG; `more` are chunks before its pixels."""
    n_bytes = (columns * {0: 1, 2: 3, 4: 2, 6: 4}[color] * depth + 7) // 8 + 1
    header = struct.pack(">IIBBBBB", columns, rows, depth, color, 0, 0, 0)
    body = [_chunk(b"IHDR", header), *more, _chunk(b"IDAT", _zeros(n_bytes * rows))]
    return b"\x89PNG\r\n\x1a\n" + b"".join([*body, _chunk(b"IEND", b"")])


def png_with_text(kind: bytes) -> bytes:
    """A PNG of one pixel with a text of 600 MB in a compressed chunk."""
    head = b"Comment\0\0" if kind in (b"zTXt", b"iCCP") else b"Comment\0\1\0\0\0"
    return png(1, 1, 0, 8, _chunk(kind, head + _zeros(600 << 20)))


def png_of_texts() -> bytes:
    """A PNG of one pixel with thousands of texts, each just below Pillow's limit for one."""
    text = _chunk(b"zTXt", b"Comment\0\0" + _zeros((1 << 20) - 100))
    return png(1, 1, 0, 8, *[text] * 4000)


def tiff(columns: int, rows: int, *tags: tuple[int, int, int], packed: bytes = b"") -> bytes:
    """A TIFF of 8-bit grey; `tags` (number, type, value) replace or add to the usual ones."""
    entries = {
        256: (4, columns),
        257: (4, rows),
        258: (3, 8),
        259: (3, 8),
        262: (3, 1),
        273: (4, 8),
        277: (3, 1),
        278: (4, rows),
        279: (4, len(packed)),
        **{number: (kind, value) for number, kind, value in tags},
    }
    offset = 8 + len(packed)
    head = b"II*\0" + struct.pack("<I", offset + offset % 2)
    body = struct.pack("<H", len(entries))
    for number, (kind, value) in sorted(entries.items()):
        body += struct.pack("<HHII", number, kind, 1, value)
    return head + packed + b"\0" * (offset % 2) + body + struct.pack("<I", 0)


def tiff_of_tiles() -> bytes:
    """A TIFF of 16 x 16 pixels whose one tile is of 46,000 x 46,000."""
    tile = [(322, 4, 46000), (323, 4, 46000), (324, 4, 8), (325, 4, 100)]
    return tiff(16, 16, *tile, packed=_zeros(100000))


def jpeg_of_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG that refines the same blank picture again and again."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (side, side), 90).save(stream, "JPEG", progressive=True)
    data = stream.getvalue()
    last = data.rindex(b"\xff\xda")
    # The tables of the last scan come before it.
    tables = data.rindex(b"\xff\xc4", 0, last)
    return data[:-2] + data[tables:-2] * scans + b"\xff\xd9"


def gif(columns: int, rows: int) -> bytes:
    """A GIF whose screen is much larger than its picture of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", columns, rows, 0x80, 0, 0) + bytes(6)
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame + b"\x3b"


def pgm(columns: int, rows: int, maximum: int) -> bytes:
    return f"P5 {columns} {rows} {maximum}\n".encode() + bytes(columns * rows)


def avi(side: int, stated: int) -> bytes:
    """Three blank frames of motion JPEG, whose sides the header states as `stated`."""
    from PIL import Image

    def chunk(kind: bytes, data: bytes) -> bytes:
        return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

    stream = io.BytesIO()
    Image.new("RGB", (side, side)).save(stream, "JPEG")
    size = stated, stated
    main = struct.pack("<14I", 50000, 0, 0, 0, 3, 0, 1, 0, *size, 0, 0, 0, 0)
    about = b"vidsMJPG" + struct.pack("<10I4h", 0, 0, 0, 1, 20, 0, 3, 0, 1 << 31, 0, 0, 0, 0, 0)
    form = struct.pack("<IiiHH4s5I", 40, *size, 1, 24, b"MJPG", 0, 0, 0, 0, 0)
    track = chunk(b"LIST", b"strl" + chunk(b"strh", about) + chunk(b"strf", form))
    header = chunk(b"LIST", b"hdrl" + chunk(b"avih", main) + track)
    frames = chunk(b"LIST", b"movi" + chunk(b"00dc", stream.getvalue()) * 3)
    return chunk(b"RIFF", b"AVI " + header + frames)


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"


# --------------------------------------------------------------------------------------- tables


def table_of_columns() -> bytes:
    names = ",".join(f"c{number}" for number in range(120_000))
    return f"path,{names}\n".encode() + b"x.png" + b"," * 120_000


def yaml_of_aliases(merge: bool = False) -> bytes:
    lines = ["a: &a {x0: lol, x1: lol}"]
    for name, last in zip("bcdefghij", "abcdefghi", strict=True):
        items = ", ".join([f"*{last}"] * 9)
        lines.append(
            f"{name}: &{name} {{<<: [{items}]}}" if merge else f"{name}: &{name} [{items}]"
        )
    return "\n".join(lines).encode()


# -------------------------------------------------------------------------------------- networks


def keras_layer(kind: str, name: str, before: str | None, shape: list, **config) -> dict:
    """One layer of a functional model's config; `shape` is that of its input."""
    layer = {
        "module": "keras.layers",
        "class_name": kind,
        "config": {"name": name, "trainable": True, "dtype": "float32", **config},
        "registered_name": None,
        "name": name,
        "inbound_nodes": [],
    }
    if before is not None:
        tensor = {"shape": shape, "dtype": "float32", "keras_history": [before, 0, 0]}
        argument = {"class_name": "__keras_tensor__", "config": tensor}
        layer["inbound_nodes"] = [{"args": [argument], "kwargs": {}}]
    return layer


def keras_config(*layers: dict, side: int = 8) -> dict:
    pixels = keras_layer("InputLayer", "pixels", None, [], batch_shape=[None, side, side, 1])
    config = {
        "name": "net",
        "trainable": True,
        "layers": [pixels, *layers],
        "input_layers": [["pixels", 0, 0]],
        "output_layers": [[layers[-1]["name"], 0, 0]],
    }
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": config,
        "registered_name": "Functional",
    }


def keras_file(config: dict, weights: bytes | None = None, packing: int = 0) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights or hdf5({}))
    return stream.getvalue()


FLAT = [None, 8, 8, 1]
DENSE = keras_config(keras_layer("Dense", "out", "pixels", FLAT, units=2))
#: Where Keras keeps the weights of that layer.
KERNEL, BIAS = "layers/dense/vars/0", "layers/dense/vars/1"


def hdf5(arrays: dict[str, tuple], **attributes) -> bytes:
    """An HDF5 file of arrays that are declared and never written: path to shape and options."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_group("vars")
        for path, (shape, options) in arrays.items():
            file.create_dataset(path, shape, np.float32, **options)
        file.attrs.update(attributes)
    return stream.getvalue()


def hdf5_of_zeros(path: str, n: int, beside: str) -> bytes:
    """An HDF5 file of one packed array of `n` zeros, and a small array `beside` it."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_group("vars")
        options = {"chunks": (1 << 24,), "compression": "gzip", "compression_opts": 9}
        array = file.create_dataset(path, (n,), np.float32, **options)
        packed = zlib.compress(bytes(1 << 26), 9)
        file[beside] = np.zeros(2, np.float32)
        for start in range(0, n, 1 << 24):
            array.id.write_direct_chunk((start,), packed)
    return stream.getvalue()


def torch_file(
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    stored: int,
    packing: int = 0,
    before: bytes = b"",
) -> bytes:
    """A zip of PyTorch with the tensor ``weight`` over so many stored numbers.

    Written by hand, since neither PyTorch nor pickle would.
    """

    def number(value: int) -> bytes:
        return b"\x8a\x08" + struct.pack("<q", value)

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(number, values)) + b"t"

    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu")
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(stored) + b"tQ"
    tensor += number(0) + numbers(shape) + numbers(strides) + b"\x89"
    tensor += b"ccollections\nOrderedDict\n)RtR"
    pickled = b"\x80\x02}" + before + text("weight") + tensor + b"s."
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        archive.writestr("net/data.pkl", pickled)
        archive.writestr("net/byteorder", "little")
        with archive.open("net/data/0", "w", force_zip64=True) as member:
            for start in range(0, 4 * stored, 1 << 24):
                member.write(bytes(min(1 << 24, 4 * stored - start)))
        archive.writestr("net/version", "3\n")
    return stream.getvalue()


def lists(n: int) -> bytes:
    """Opcodes that put `n` lists beside the weights of a PyTorch file."""
    return b"X\x04\0\0\0more](" + b"]" * n + b"es"
