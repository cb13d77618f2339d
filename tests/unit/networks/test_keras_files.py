"""Files of Keras: what is whole is read, whoever wrote it; what is not is named."""

import json
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest

import hostile_files as hostile
import keras_2_files as keras_2
from facestages.errors import FacestagesError
from facestages.networks.keras_files import load_keras, load_weights
from refusals import refusal


@pytest.fixture
def model():
    pixels = keras.Input((8, 8, 1))
    return keras.Model(pixels, keras.layers.Dense(2, name="out")(pixels))


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_whole_models_are_read(tmp_path, model, name):
    model.save(tmp_path / name)
    loaded = load_keras(tmp_path / name)
    for before, after in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_weights_that_were_packed_are_read(tmp_path, model):
    model.save_weights(tmp_path / "net.weights.h5")
    with h5py.File(tmp_path / "net.weights.h5", "r+") as file:
        kernel = file[hostile.KERNEL][:]
        del file[hostile.KERNEL]
        file.create_dataset(hostile.KERNEL, data=kernel, compression="gzip")
    model.set_weights([np.zeros((1, 2)), np.zeros(2)])
    load_weights(model, tmp_path / "net.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], kernel)


def test_layers_are_counted_before_they_are_made(tmp_path):
    flat = hostile.keras_layer("Flatten", "flat", "pixels", [None, 48, 48, 1])
    dense = hostile.keras_layer("Dense", "out", "flat", [None, 2304], units=2_000_000)
    path = tmp_path / "net.keras"
    path.write_bytes(hostile.keras_file(hostile.keras_config(flat, dense, side=48)))
    add_weight = keras.Layer.add_weight
    with pytest.raises(FacestagesError, match="its weights would take 18,432 MB of memory"):
        load_keras(path)
    assert keras.Layer.add_weight is add_weight


@pytest.mark.parametrize("kind", ["external", "virtual", "link"])
def test_weights_that_lie_elsewhere(tmp_path, model, kind):
    path = tmp_path / "net.weights.h5"
    model.save_weights(tmp_path / "other.weights.h5")
    with h5py.File(path, "w") as file:
        if kind == "external":
            file.create_dataset(hostile.KERNEL, (1, 2), "f4", external=[("/etc/passwd", 0, 8)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((1, 2), "f4")
            layout[:] = h5py.VirtualSource("other.weights.h5", hostile.KERNEL, (1, 2))
            file.create_virtual_dataset(hostile.KERNEL, layout)
        else:
            file[hostile.KERNEL] = h5py.ExternalLink("other.weights.h5", hostile.KERNEL)
    with pytest.raises(FacestagesError, match=f"'{hostile.KERNEL}' lies in another file"):
        load_weights(model, path)


def plain():
    layers = keras.layers
    inputs = x = keras.Input((16, 16, 3))
    x = layers.RandomFlip()(x)
    x = layers.Conv2D(4, 3, name="conv1_conv", use_bias=False)(x)
    x = layers.BatchNormalization(name="conv1_bn")(x)
    x = layers.Add()([x, layers.DepthwiseConv2D(3, padding="same")(x)])
    x = layers.GlobalAveragePooling2D()(layers.SeparableConv2D(4, 3)(x))
    return keras.Model(inputs, layers.Dense(3, name="out")(x))


def recurrent():
    layers = keras.layers
    inputs = x = keras.Input((8, 8, 1))
    return keras.Model(inputs, layers.GRU(3)(layers.Reshape((8, 8))(x)))


def nested(frozen=False):
    """Transfer learning: a model inside, all or in part frozen, with layers of equal shapes."""
    layers = keras.layers
    kinds = [layers.Conv2D, layers.BatchNormalization] * 2
    inside = [kind(*(8, 3)[: 2 * (kind is layers.Conv2D)]) for kind in kinds]
    inside[0].trainable = inside[1].trainable = not frozen
    base = keras.Sequential([keras.Input((16, 16, 3)), *inside], name="base")
    inputs = keras.Input((16, 16, 3))
    x = base(layers.Rescaling(2.0, -1.0)(inputs), training=False)
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("build", [plain, recurrent, nested, lambda: nested(frozen=True)])
def test_files_of_keras_2_give_what_they_gave(tmp_path, build, suffix):
    rng, path = np.random.default_rng(0), tmp_path / f"net.{suffix}"
    model = build()
    model.set_weights([rng.uniform(0.1, 0.5, each.shape) for each in model.get_weights()])
    keras_2.save(model, path)
    if suffix == "h5":
        keras_2.edit(path, lambda d: json.loads(json.dumps(d).replace("conv1_", "conv1/")))
    with pytest.raises((TypeError, ValueError)):
        keras.models.load_model(path, compile=False)
    pictures = rng.uniform(0, 1, (2, *model.input_shape[1:])).astype(np.float32)
    np.testing.assert_allclose(
        load_keras(path)(pictures, training=False),
        model(pictures, training=False),
        rtol=1e-5,
        atol=1e-6,
    )


def test_a_sequential_model_of_early_keras(tmp_path):
    """Its description is a list, and its first layer says what it takes."""

    def as_list(description):
        _, *layers = description["config"]["layers"]
        layers[0]["config"]["batch_input_shape"] = [None, 8, 8, 1]
        return {"class_name": "Sequential", "config": layers}

    layers = [keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3), keras.layers.Flatten()]
    model = keras.Sequential(layers)
    model.save(tmp_path / "net.h5")
    keras_2.edit(tmp_path / "net.h5", as_list)
    loaded = load_keras(tmp_path / "net.h5")
    assert loaded.input_shape == (None, 8, 8, 1)
    pictures = np.random.default_rng(0).uniform(0, 1, (2, 8, 8, 1)).astype(np.float32)
    np.testing.assert_allclose(loaded(pictures), model(pictures), rtol=1e-5)


def test_operations_outside_layers(tmp_path):
    """``x / 127.5 - 1``, as Keras 2 kept it before networks of Keras Applications, and ReLU."""
    layers = keras.layers
    steps = [layers.Rescaling(2 / 255), layers.Rescaling(1.0, -1.0), layers.ReLU()]
    inputs = x = keras.Input((8, 8, 1))
    for step in steps:
        x = step(x)
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))
    keras_2.save(model, tmp_path / "net.h5")
    operations = [("math.truediv", 127.5), ("math.subtract", 1.0), ("nn.relu", None)]

    def as_operations(description):
        for layer, (function, number) in zip(
            description["config"]["layers"][1:], operations, strict=False
        ):
            name = layer["config"]["name"]
            config = {"name": name, "trainable": True, "dtype": "float32", "function": function}
            [[link]] = layer["inbound_nodes"]
            link[3] = {"y": number, "name": None}
            layer.update(class_name="TFOpLambda", config=config, inbound_nodes=[link])
        return description

    keras_2.edit(tmp_path / "net.h5", as_operations)
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 1)).astype(np.float32)
    loaded = load_keras(tmp_path / "net.h5")
    np.testing.assert_allclose(loaded(pictures), model(pictures), rtol=1e-5, atol=1e-6)


def test_a_name_that_says_another_format(tmp_path, model):
    for written, named in (("net.h5", "a.keras"), ("net.keras", "b.h5"), ("net.h5", "c.model")):
        model.save(tmp_path / written)
        shutil.copy(tmp_path / written, tmp_path / named)
        for before, after in zip(
            model.get_weights(), load_keras(tmp_path / named).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("name", ["net.keras", "net.h5", "net.weights.h5", "old.h5"])
def test_weights_for_a_model_that_code_builds(tmp_path, model, name):
    """Of a whole model, or alone; Keras 2 wrote weights alone as it did whole models."""
    if name == "old.h5":
        model.save(tmp_path / "net.h5")
        name = "old.weights.h5"
        with h5py.File(tmp_path / "net.h5") as old, h5py.File(tmp_path / name, "w") as new:
            for key in old["model_weights"]:
                old.copy(f"model_weights/{key}", new)
            new.attrs.update(old["model_weights"].attrs)
    else:
        save = model.save_weights if "weights" in name else model.save
        save(tmp_path / name)
    kernel = model.get_weights()[0]
    model.set_weights([np.zeros((1, 2)), np.zeros(2)])
    load_weights(model, tmp_path / name)
    np.testing.assert_array_equal(model.get_weights()[0], kernel)


@pytest.mark.parametrize("name", ["net.keras", "net.h5", "net.weights.h5"])
def test_weights_of_more_layers_than_the_model_has(tmp_path, name):
    """Keras loads the first ones without a word."""

    def build(n):
        chain = [keras.layers.Dense(3) for _ in range(n)]
        return keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5), *chain])

    two = build(2)
    (two.save_weights if "weights" in name else two.save)(tmp_path / name)
    load_weights(build(2), tmp_path / name)
    assert "these are not the weights of" in refusal(load_weights, build(1), tmp_path / name)


def change_last(**changes):
    def change(description):
        last = description["config"]["layers"][-1]
        last.update({**changes, "config": {**last["config"], **changes.get("config", {})}})
        return description

    return change


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (
            change_last(class_name="Attend", module="mine", registered_name="faces>Attend"),
            "layer 'out' is of the class Attend, whose code is not in the file. Build the model",
        ),
        (change_last(class_name="Lambda"), "layer 'out' is a Lambda, and code"),
        (change_last(class_name="TFOpLambda"), "'out' is an operation outside layers, which only"),
        (
            change_last(config={"future": 3}),
            "Unrecognized keyword arguments passed to Dense: {'future': 3}. Save the whole model",
        ),
    ],
)
def test_the_cause_is_named(tmp_path, model, change, cause, suffix):
    path = tmp_path / f"net.{suffix}"
    model.save(path)
    keras_2.edit(path, change, "2.13.1")
    message = refusal(load_keras, path)
    assert f"{path}: Keras {keras.__version__} cannot load it, written by Keras 2.13.1: " in message
    assert cause in message
    assert len(message) < 400


@keras.saving.register_keras_serializable("mine")
def twofold(x):
    return 2 * x


@keras.saving.register_keras_serializable("mine")
class Fives(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return keras.ops.full(shape, 5.0)


@keras.saving.register_keras_serializable("mine")
class Subclass(keras.Model):
    def call(self, x):
        return x


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("name", ["twofold", "Fives", "Subclass"])
def test_code_beside_layers_is_named(tmp_path, name, suffix, monkeypatch):
    if name == "Subclass" and suffix == "h5":
        return  # Keras writes no such file.
    options = {"activation": twofold} if name == "twofold" else {"kernel_initializer": Fives()}
    pixels = keras.Input((8, 8, 1))
    model = keras.Model(pixels, keras.layers.Dense(2, **options)(pixels))
    if name == "Subclass":
        model = Subclass()
        model(np.zeros((1, 8, 8, 1)))
    path = tmp_path / f"net.{suffix}"
    model.save(path)
    monkeypatch.delitem(keras.saving.get_custom_objects(), f"mine>{name}")
    message = refusal(load_keras, path)
    assert f"{name}, whose code is not" in message or f"'{name}' is code of its au" in message
    assert "not in the file. Build the model with a function of yours" in message


def test_a_file_whose_end_is_missing(tmp_path, model):
    path = tmp_path / "net.h5"
    model.save(path)
    path.write_bytes(path.read_bytes()[:-500])
    for load in (load_keras, lambda path: load_weights(model, path)):
        assert refusal(load, path) == f"{path}: is truncated. Fetch it again"


def write_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nets/net.keras", "")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("net.keras", b"", "empty"),
        ("net.keras", b"PK\x03\x04 and so on", "a zip archive without its end"),
        ("net.keras", write_zip, "a zip archive of nets/net.keras: unpack it first"),
        ("net.safetensors", b"\x08\0\0\0\0\0\0\0{", "a file of safetensors: name its module under"),
        ("saved_model.pb", b"\x08\x01\x12\x99", "a graph of TensorFlow. Save the whole model"),
        ("net.json", b'{"class_name": "Functional"}', "a text in JSON, which has no weights. Save"),
    ],
)
def test_other_kinds_are_named(tmp_path, name, content, kind):
    path = tmp_path / name
    content(path) if callable(content) else path.write_bytes(content)
    assert f"{path}: is no file of Keras, but {kind}" in refusal(load_keras, path)


def test_folders_and_weights_alone(tmp_path, model):
    assert "is a folder, not a file" in refusal(load_keras, tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    assert "is a SavedModel of TensorFlow" in refusal(load_keras, tmp_path)
    assert "its layers are lost" in refusal(load_keras, tmp_path)
    (tmp_path / "keras_metadata.pb").write_bytes(b"")
    assert f"tf_keras.models.load_model('{tmp_path.name}')" in refusal(load_keras, tmp_path)
    model.save_weights(tmp_path / "net.weights.h5")
    message = refusal(load_keras, tmp_path / "net.weights.h5")
    assert "holds weights and no layers. Build the model with a function of yours" in message
