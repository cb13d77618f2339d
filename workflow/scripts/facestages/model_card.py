"""Weights that come with the project: in half precision, measured again, with a model card.

``python -m facestages.model_card CONFIG NETWORK SEED COMMIT FOLDER`` reads the outputs of
rule ``train_network`` for one network, and writes ``NETWORK.weights.h5``, ``NETWORK.json``,
``NETWORK.md`` and ``NETWORK.history.csv`` into the folder.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from facestages.accuracy import mean_accuracy
from facestages.config import Config, load_config
from facestages.config.networks import NetworkEntry
from facestages.files import atomic_path
from facestages.networks import load_network, open_network
from facestages.networks.inputs import resize_images
from facestages.networks.quiet_keras import keras
from facestages.networks.training import evaluate, predict
from facestages.networks.training_data import class_shares, split_training_data
from facestages.plan.networks import weights_file
from facestages.stimuli import StimulusSet, read_stimuli
from facestages.tables import markdown_table, read_report
from facestages.text import escape_markdown


def save_half(model: keras.Model, path: Path) -> None:
    """Write a model's weights as a ``.weights.h5`` file in half precision."""

    def halve(layer):
        return type(layer).from_config({**layer.get_config(), "dtype": "float16"})

    half = keras.models.clone_model(model, clone_function=halve)
    half.set_weights(model.get_weights())
    with atomic_path(path) as partial:
        half.save_weights(partial)


def measure(network, entry: NetworkEntry, stimuli: StimulusSet) -> dict:
    """What `training.evaluate` returns for a network on the test part of its training data."""
    classes = entry.output_classes
    rows = split_training_data(stimuli.labels, classes, entry.training)["test"]
    targets = np.array([classes.index(name) for name in stimuli.labels["expression"].iloc[rows]])
    images = resize_images(stimuli.images[rows], network.input.shape)
    return evaluate(predict(network.model, images, network.input.scaling), targets, classes)


def model_card(name: str, entry: NetworkEntry, label: str, report: Mapping) -> str:
    """Write the model card in Markdown.

    Parameters
    ----------
    name : str
        The network's name.
    entry : NetworkEntry
        Its section of the config.
    label : str
        Name of the training data.
    report : mapping
        The metrics of `train_network`, with the accuracy of the weights in half precision.
    """
    classes, training = report["classes"], entry.training
    interval = mean_accuracy([report["accuracy"]], report["n"])
    recipe = training.model_dump(exclude={"dataset", "splits", "holdout"})
    splits = training.splits
    f1 = pd.DataFrame(
        {
            "class": classes,
            "share of the training data": [f"{report['shares'][c]:.1%}" for c in classes],
            "F1": [f"{report['f1'][c]:.3f}" for c in classes],
        }
    )
    confusion = pd.DataFrame(report["confusion"], columns=classes)
    confusion.insert(0, "true \\ answer", classes)
    low, high = interval["ci_low"], interval["ci_high"]
    paragraphs = [
        f"A classifier of facial expressions in grey pictures of 48x48 pixels: "
        f"{', '.join(classes)}. The architecture is the light CNN of the paper "
        f"(`networks.light_cnn`, {report['parameters']:,} parameters); the weights are "
        f"in half precision.",
        "**Use.** To reproduce the paper and to study what layers represent. Not for judging what "
        "people feel: the labels are what annotators saw in pictures from the web, with known "
        "errors and an uneven choice of people.",
        f"**Data.** {escape_markdown(label)}: split {', '.join(splits.train)} to train "
        f"({report['n_train']:,} pictures of these classes), "
        f"{', '.join(splits.validation)} to choose the epoch, "
        f"{', '.join(splits.test)} for the figures below ({report['n']:,} pictures, which neither "
        f"trained the network nor chose the epoch). Duplicates across the splits are left as they "
        f"come.",
        f"**Accuracy.** {report['accuracy']:.2%} (95 % interval {low:.1%} to {high:.1%}, Wilson); "
        f"balanced over classes {report['balanced_accuracy']:.2%}. Before the rounding to half "
        f"precision: {report['accuracy_float32']:.2%}. One seed ({report['seed']}) was trained; "
        f"its best epoch by validation was {report['best_epoch']} of {report['epochs']}, see "
        f"`{name}.history.csv`.",
        markdown_table(f1),
        markdown_table(confusion),
        f"**Training.** `config/fer2013.yaml` with the code of commit {report['commit']}, "
        f"{report['versions']}:",
        f"```json\n{json.dumps(recipe, indent=1)}\n```",
        "It is not the published recipe (up to 100 epochs, batches of 32 at rate 0.001, halved on "
        "plateaus, rotation 15 degrees, shift, shear and zoom 0.15), which wants an accelerator: "
        "this one takes an hour or two on two processor cores.",
        "**Licence.** The weights are the project's, MIT. The pictures of FER2013 are not here and "
        "may not be passed on; who uses the weights for more than research should ask whether "
        "the terms of that data allow it.",
    ]
    title = f"# {escape_markdown(entry.label)}: `{name}.weights.h5`"
    return "\n\n".join([title, *map(_wrap, paragraphs)]) + "\n"


def _wrap(paragraph: str) -> str:
    # Tables and code are not wrapped.
    return paragraph.strip() if paragraph[0] in "|`" else textwrap.fill(paragraph, 100)


def main(config: Config, name: str, seed: int, commit: str, folder: Path) -> None:
    """Write the weights, the metrics and the card of one trained network."""
    entry = config.networks[name]
    trained = open_network(name, config, seed)
    data = entry.training.dataset
    stimuli = read_stimuli(f"{config.results}/stimuli/{data}.h5")
    path = folder / f"{name}.weights.h5"
    save_half(trained.model, path)
    half = load_network(name, **entry.source, weights=path)
    trained_folder = Path(weights_file(config, name, seed)).parent
    report = read_report(trained_folder / "metrics.json")
    label = config.datasets[data].label
    train = split_training_data(stimuli.labels, entry.output_classes, entry.training)["train"]
    report |= {
        "dataset": label,
        "shares": class_shares(stimuli.labels["expression"].iloc[train], entry.output_classes),
        "accuracy_float32": measure(trained, entry, stimuli)["accuracy"],
        **measure(half, entry, stimuli),
        "commit": commit,
    }
    for suffix, text in (
        (".json", json.dumps(report, indent=2) + "\n"),
        (".md", model_card(name, entry, label, report)),
        (".history.csv", (trained_folder / "history.csv").read_text(encoding="utf-8")),
    ):
        with atomic_path(folder / f"{name}{suffix}") as partial:
            partial.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(load_config(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4], Path(sys.argv[5]))
