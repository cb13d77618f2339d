"""Small files that declare much: none takes a gigabyte or twenty seconds of its reader."""

import zipfile

import pytest

import hostile_files as hostile

DEFLATED = zipfile.ZIP_DEFLATED
HUGE, CHUNKS = (50_000, 10_000), {"chunks": (100, 100)}
CONV = "layers/conv2d/vars/"


def keras(kind, *, side=8, **config):
    shape = [None, side, side, 1]
    flat = hostile.keras_layer("Flatten", "flat", "pixels", shape)
    before, shape = ("flat", [None, side * side]) if kind == "Dense" else ("pixels", shape)
    layer = hostile.keras_layer(kind, "out", before, shape, **config)
    layers = [flat, layer] if kind == "Dense" else [layer]
    return lambda: hostile.keras_file(hostile.keras_config(*layers, side=side))


def keras_weights(arrays):
    return lambda: hostile.keras_file(hostile.DENSE, hostile.hdf5(arrays))


def deep_layers():
    layers, before = [], "pixels"
    for number in range(20_000):
        layers.append(hostile.keras_layer("ReLU", f"r{number}", before, hostile.FLAT))
        before = f"r{number}"
    return hostile.keras_file(hostile.keras_config(*layers), packing=DEFLATED)


def packed_weights():
    weights = hostile.hdf5_of_zeros(hostile.KERNEL, 1 << 30, hostile.BIAS)
    return hostile.keras_file(hostile.DENSE, weights, DEFLATED)


def spaces():
    config = {**hostile.DENSE, "more": [0] * 24_000_000}
    return hostile.keras_file(config, packing=DEFLATED)


#: By name: kind of reader, ending, how the file is made.
BOMBS = {
    "png of 178 Mpx": ("picture", ".png", lambda: hostile.png(13300, 13300)),
    "png of 16 bits": ("picture", ".png", lambda: hostile.png(7000, 7000, 0, 16)),
    "png at the limit": ("picture", ".png", lambda: hostile.png(7000, 7000)),
    "png of 2 Gpx": ("picture", ".png", lambda: hostile.png(60000, 40000, 0, 1)),
    "png with zTXt": ("picture", ".png", lambda: hostile.png_with_text(b"zTXt")),
    "png with iTXt": ("picture", ".png", lambda: hostile.png_with_text(b"iTXt")),
    "png with iCCP": ("picture", ".png", lambda: hostile.png_with_text(b"iCCP")),
    "png of 4000 texts": ("picture", ".png", hostile.png_of_texts),
    "tiff of one tile": ("picture", ".tif", hostile.tiff_of_tiles),
    "tiff of 170 Mpx": ("picture", ".tif", lambda: hostile.tiff(13000, 13000, packed=b"x\xda")),
    "tiff in float": (
        "picture",
        ".tif",
        lambda: hostile.tiff(
            13000, 13000, (258, 3, 32), (339, 3, 3), packed=hostile._zeros(4 * 13000**2)
        ),
    ),
    "jpeg of 3000 scans": ("picture", ".jpg", lambda: hostile.jpeg_of_scans(7000, 3000)),
    "jpeg of 90 scans": ("picture", ".jpg", lambda: hostile.jpeg_of_scans(7000, 90)),
    "gif with a large screen": ("picture", ".gif", lambda: hostile.gif(13000, 13000)),
    "pgm of odd depth": ("picture", ".pgm", lambda: hostile.pgm(7000, 7000, 100)),
    "video of 225 Mpx": ("video", ".avi", lambda: hostile.avi(15000, 15000)),
    "video whose header lies": ("video", ".avi", lambda: hostile.avi(15000, 64)),
    "picture called video": ("video", ".avi", lambda: hostile.png(7000, 7000)),
    "eps called png": ("picture", ".png", lambda: hostile.EPS),
    "table of 120,000 columns": ("table", ".csv", hostile.table_of_columns),
    "table of a million rows": (
        "table",
        ".csv",
        lambda: b"path\n" + b"".join(b"%d\n" % n for n in range(1_000_000)),
    ),
    "table at the limit": (
        "table",
        ".csv",
        lambda: (
            b"path,identity,expression,sex,age,a,b,c,d,e,f,g,h,i,j,k\n"
            + b"".join(
                b"%d.png,p%d,happy,female,23,1,2,3,x,y,1,2,3,4,5,6\n" % (n, n % 99)
                for n in range(249_999)
            )
        ),
    ),
    "table of one line": ("table", ".csv", lambda: b"path" + b"," * (1 << 25)),
    "fer2013 of one line": (
        "fer2013",
        ".csv",
        lambda: b"emotion,pixels,Usage\n" + b"," * (1 << 25),
    ),
    "oasis of one line": ("oasis", ".csv", lambda: b"Theme" + b",1" * 3_000_000),
    "yaml of aliases": ("yaml", ".yaml", hostile.yaml_of_aliases),
    "yaml of merged keys": ("yaml", ".yaml", lambda: hostile.yaml_of_aliases(merge=True)),
    "yaml of brackets": ("yaml", ".yaml", lambda: b"a: " + b"[" * 100_000),
    "yaml at the limit": ("yaml", ".yaml", lambda: b"a: [" + b"1, " * 160_000 + b"1]"),
    "yaml of 6 MB": ("yaml", ".yaml", lambda: b"a: [" + b"1, " * 2_000_000 + b"1]"),
    "keras dense of 200,000 units": ("keras", ".keras", keras("Dense", side=48, units=200_000)),
    "keras dense of 2 G units": ("keras", ".keras", keras("Dense", units=2_000_000_000)),
    "keras embedding": (
        "keras",
        ".keras",
        keras("Embedding", input_dim=1 << 20, output_dim=1 << 12),
    ),
    "keras upsampling": ("keras", ".keras", keras("UpSampling2D", size=[4000, 4000])),
    "keras padding": ("keras", ".keras", keras("ZeroPadding2D", padding=[[9999] * 2] * 2)),
    "keras of 20,000 layers": ("keras", ".keras", deep_layers),
    "keras of a long config": ("keras", ".keras", spaces),
    "keras weights of 4 GB in a zip": ("keras", ".keras", packed_weights),
    "keras weights never written": (
        "keras",
        ".keras",
        keras_weights({hostile.KERNEL: (HUGE, CHUNKS), hostile.BIAS: ((2,), {})}),
    ),
    "keras weights in another file": (
        "keras",
        ".keras",
        keras_weights({hostile.KERNEL: ((1, 2), {"external": [("/etc/passwd", 0, 8)]})}),
    ),
    "h5 weights never written": (
        "weights",
        ".weights.h5",
        lambda: hostile.hdf5({CONV + "0": (HUGE, CHUNKS), CONV + "1": ((64,), {})}),
    ),
    "h5 weights of packed zeros": (
        "weights",
        ".weights.h5",
        lambda: hostile.hdf5_of_zeros(CONV + "0", 1 << 29, CONV + "1"),
    ),
    "torch zip of zeros": (
        "torch",
        ".pth",
        lambda: hostile.torch_file((1 << 28,), (1,), 1 << 28, DEFLATED),
    ),
    "torch stride of zero": (
        "torch",
        ".pth",
        lambda: hostile.torch_file((100_000,) * 2, (0, 0), 1),
    ),
    "torch of 8 M lists": (
        "torch",
        ".pth",
        lambda: hostile.torch_file((4, 4), (4, 1), 16, 0, hostile.lists(8_000_000)),
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_cannot_fill_memory(tmp_path, name):
    kind, suffix, make = BOMBS[name]
    path = tmp_path / f"bomb{suffix}"
    path.write_bytes(make())
    outcome, text, seconds, megabytes = hostile.read(kind, path)
    assert outcome in ("read", "refused"), text
    assert len(text.splitlines()) <= 2
    assert seconds < 20 and megabytes < 1000, f"{seconds:.1f} s, {megabytes} MB"
