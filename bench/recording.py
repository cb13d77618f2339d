"""Recording to files, compared with the bare forward pass and with the loop a user would write.

The bare pass computes the last layer only, for pictures that were prepared before, with the best of
several runtimes and batch sizes. No time includes compiling.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench import calls
from bench.faces import face_set
from bench.measure import Bench, Measurement, Outcome, fastest, measurement, run, timed

PART = "recording"
BATCHES = (8, 16, 32, 64, 128)

#: Pictures of the face set that is recorded first, to compile everything.
WARM = 40


class Runtime(NamedTuple):
    """How a Keras model is run. All of them are installed with the project."""

    backend: str = "tensorflow"
    xla: bool = False
    #: Whether each thread has a batch of its own, instead of all threads one batch.
    side_by_side: bool = False


RUNTIMES = {
    "TensorFlow": Runtime(),
    "TensorFlow side by side": Runtime(side_by_side=True),
    "TensorFlow XLA": Runtime(xla=True),
    "torch": Runtime("torch"),
}

#: Layers of the torch networks, one for each stage.
TORCH_STAGES = {
    "resmasknet": ["maxpool", "mask4.conv2.downsample", "fc.0", "fc.1"],
    "emofan": ["maxpool", "emo_net_2.7", "emo_fc_2.2", "emo_fc_2.3"],
    "efficientnet_lite0": ["_blocks.0", "_blocks.15", "_dropout", "_fc"],
}
TORCH_SIZES = {"resmasknet": 224, "emofan": 256, "efficientnet_lite0": 224}


def measure(bench: Bench) -> Iterator[Measurement | Outcome]:
    """All rows of this part."""
    yield from _measure_nn1(bench)
    for architecture in TORCH_STAGES:
        yield from _measure_torch(bench, architecture)


def _measure_nn1(bench: Bench) -> Iterator[Measurement | Outcome]:
    probe, n = face_set(bench, bench.sizes.probe), bench.sizes.recording
    stimuli, units = face_set(bench, n), sum(calls.UNITS.values())
    rates = {}
    for runtime in RUNTIMES:
        timing = run(bench, probe_keras, _environment(bench, runtime), stimuli=probe, name=runtime)
        rates[runtime] = max((rate, int(batch)) for batch, rate in timing["rates"].items())
        rate, batch = rates[runtime]
        what = f"NN1 bare forward pass, {runtime}, pictures a second"
        yield Outcome(PART, what, rate, note=f"batches of {batch}, the best of {BATCHES}")
    runtime = max(rates, key=rates.get)
    batch, bare, recorded = rates[runtime][1], [], []
    out = bench.folder / "recorded.h5"
    nn1_arguments = {"stimuli": stimuli, "out": out, "warm": face_set(bench, WARM)}
    for _ in range(bench.sizes.repeats):
        environment = _environment(bench, runtime)
        arguments = {"stimuli": stimuli, "name": runtime, "batch": batch}
        bare.append(run(bench, forward_keras, environment, **arguments))
        environment = calls.recording_environment(bench.threads)
        recorded.append(run(bench, record_nn1, environment, **nn1_arguments))
    size = out.stat().st_size
    out.unlink()
    plain = run(bench, write_file, out=out, size=size)
    loop = run(bench, predict_layers, stimuli=stimuli)
    bare, recorded = fastest(bare), fastest(recorded)
    note = f"{runtime}, batches of {batch}; best of {bench.sizes.repeats}"
    yield measurement(PART, "NN1 bare forward pass", n, units, bare, note)
    note = f"{size / 1e9:.2f} GB; best of {bench.sizes.repeats}"
    yield measurement(PART, "NN1 recording of 4 stages", n, units, recorded, note)
    yield measurement(PART, "a file as large, written and flushed", n, units, plain)
    note = "all kept in memory"
    yield measurement(PART, "NN1 keras.Model(...).predict a layer", n, units, loop, note)
    yield Outcome(
        PART,
        "NN1 recording / bare forward pass",
        recorded["seconds"] / bare["seconds"],
        "<= 1.15",
        "files included",
    )
    yield Outcome(
        PART, "NN1 predict a layer / recording", loop["seconds"] / recorded["seconds"], ">= 2.5"
    )


def _measure_torch(bench: Bench, architecture: str) -> Iterator[Measurement | Outcome]:
    n = bench.sizes.torch[architecture]
    stimuli, warm = (face_set(bench, size, TORCH_SIZES[architecture]) for size in (n, 4))
    out = bench.folder / "recorded.h5"
    bare = run(bench, forward_torch, stimuli=stimuli, architecture=architecture)
    environment = calls.recording_environment(bench.threads)
    arguments = {"stimuli": stimuli, "architecture": architecture, "out": out, "warm": warm}
    timing = run(bench, record_torch, environment, **arguments)
    out.unlink()
    units = timing["units"]
    yield measurement(PART, f"{architecture} bare forward pass", n, units, bare, bare["note"])
    yield measurement(PART, f"{architecture} recording of 4 stages", n, units, timing)
    yield Outcome(
        PART, f"{architecture} recording / bare forward pass", timing["seconds"] / bare["seconds"]
    )


def _environment(bench: Bench, name: str) -> dict[str, str]:
    runtime = RUNTIMES[name]
    threads = calls.recording_environment(bench.threads) if runtime.side_by_side else {}
    return {**threads, "KERAS_BACKEND": runtime.backend}


def seconds(function: Callable, batches: Sequence, at_once: int = 1) -> float:
    """Time of a function over all batches, one after the other or several at once."""
    with ThreadPoolExecutor(at_once) as pool:
        begin = time.perf_counter()
        for _ in pool.map(function, batches):
            pass
        return time.perf_counter() - begin


def split(pictures: np.ndarray, batch: int) -> list[np.ndarray]:
    return [pictures[first : first + batch] for first in range(0, len(pictures), batch)]


def compiled(model, runtime: Runtime) -> Callable[[np.ndarray], object]:
    """The forward pass of a Keras model, as a function of a batch."""
    if runtime.backend == "torch":
        return model.predict_on_batch
    import tensorflow as tf

    function = tf.function(
        lambda batch: model(batch, training=False),
        input_signature=None if runtime.xla else [tf.TensorSpec((None, *model.input_shape[1:]))],
        jit_compile=runtime.xla,
    )
    return lambda batch: function(tf.constant(batch)).numpy()


def probe_keras(stimuli: str, name: str) -> dict:
    """Pictures a second of NN1's last layer, by batch size."""
    network, runtime = calls.load_nn1(), RUNTIMES[name]
    forward, at_once = compiled(network.model, runtime), _at_once(runtime)
    pictures, rates = calls.prepared(stimuli, network.input), {}
    for batch in BATCHES:
        whole = split(pictures[: len(pictures) // batch * batch], batch)
        if len(whole) >= at_once:
            forward(whole[0])
            best = min(seconds(forward, whole, at_once) for _ in range(2))
            rates[batch] = len(whole) * batch / best
    return {"rates": rates}


def _at_once(runtime: Runtime) -> int:
    return calls.threads() if runtime.side_by_side else 1


def forward_keras(stimuli: str, name: str, batch: int) -> dict:
    """Compute NN1's last layer for every picture."""
    network, runtime = calls.load_nn1(), RUNTIMES[name]
    forward = compiled(network.model, runtime)
    parts = split(calls.prepared(stimuli, network.input), batch)
    for part in {len(part): part for part in parts}.values():
        forward(part)
    with timed() as timing:
        seconds(forward, parts, _at_once(runtime))
    return timing


def record_nn1(stimuli: str, out: str, warm: str, layers: list[str] | None = None) -> dict:
    """Record NN1, after a smaller face set that compiles everything."""
    layers = layers or list(calls.UNITS)
    network = calls.load_nn1()
    calls.record(network, warm, layers, Path(out).with_suffix(".warm.h5"))
    os.remove(Path(out).with_suffix(".warm.h5"))
    with timed() as timing:
        calls.record(network, stimuli, layers, out)
    return timing


def write_file(out: str, size: int) -> dict:
    """Write and flush a file of so many bytes, which is the least time a recording can take."""
    piece = os.urandom(1 << 19)
    with timed() as timing, open(out, "wb", buffering=0) as file:
        for _ in range(size // len(piece)):
            file.write(piece)
        os.fsync(file.fileno())
    os.remove(out)
    return timing


def predict_layers(stimuli: str) -> dict:
    """Do what a user would write: a model and a `predict` for each layer, all in memory."""
    import keras

    network = calls.load_nn1()
    pictures = calls.prepared(stimuli, network.input)
    models = {
        layer: keras.Model(network.model.inputs, network.model.get_layer(layer).output)
        for layer in calls.UNITS
    }
    for model in models.values():
        # Compiles for whole batches of 32 and for the last one.
        model.predict(pictures[: min(len(pictures), 32 + len(pictures) % 32)], verbose=0)
    with timed() as timing:
        kept = {layer: model.predict(pictures, verbose=0) for layer, model in models.items()}
    assert sum(len(values) for values in kept.values()) == len(kept) * len(pictures)
    return timing


def forward_torch(stimuli: str, architecture: str) -> dict:
    """Run a torch module's forward pass in the fastest of the ways in `_ways`."""
    import torch

    module, spec = calls.torch_module(architecture)
    pictures = torch.from_numpy(
        np.ascontiguousarray(calls.prepared(stimuli, spec).transpose(0, 3, 1, 2))
    )

    each = calls.threads()

    def forward(batch):
        # The number is that of the calling thread alone.
        torch.set_num_threads(each)
        with torch.inference_mode():
            return module(batch)

    def prepare(layout: str, at_once: int, batch: int) -> list:
        nonlocal each
        each = calls.threads() // at_once
        format = getattr(torch, layout)
        module.to(memory_format=format)
        parts = list(pictures.contiguous(memory_format=format).split(batch))
        forward(parts[0])
        return parts

    rates = {}
    for way in _ways(calls.threads()):
        parts = prepare(*way)[: 8 // way[2]]
        rates[way] = sum(map(len, parts)) / seconds(forward, parts, way[1])
    layout, at_once, batch = best = max(rates, key=rates.get)
    parts = prepare(*best)
    with timed() as timing:
        seconds(forward, parts, at_once)
    note = f"{layout}, batches of {batch}, {at_once} at once: the best of {len(rates)} ways"
    return {**timing, "note": note}


def _ways(threads: int) -> list[tuple[str, int, int]]:
    """Memory layout, batches at once (all threads for one, or one for each), size of a batch."""
    layouts = ("contiguous_format", "channels_last")
    return [
        (layout, at_once, batch)
        for layout in layouts
        for at_once in sorted({1, threads})
        for batch in (1, 4)
    ]


def record_torch(stimuli: str, architecture: str, out: str, warm: str) -> dict:
    """Record four layers of a torch network."""
    network, layers = calls.load_untrained(architecture), TORCH_STAGES[architecture]
    calls.record(network, warm, layers, out)
    with timed() as timing:
        calls.record(network, stimuli, layers, out)
    units = sum(int(np.prod(network.layers[layer])) for layer in layers)
    return {**timing, "units": units}
