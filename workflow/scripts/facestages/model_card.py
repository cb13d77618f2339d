"""Weights that come with the project: in half precision, measured again, with a model card.

``python -m facestages.model_card CONFIG NETWORK TRAINED BY FOLDER`` reads the folder TRAINED, in
which a training left one file of weights, ``history.csv`` and ``metrics.json``, as rule
``train_network`` does. It writes ``NETWORK.weights.h5``, ``NETWORK.json``, ``NETWORK.md`` and
``NETWORK.history.csv`` into FOLDER. BY is text for the card: what trained the network.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from facestages.accuracy import score_held_out
from facestages.config import Config, load_config
from facestages.config.networks import NetworkEntry
from facestages.files import atomic_path
from facestages.networks import load_network
from facestages.networks.inputs import resize_images
from facestages.networks.quiet_keras import keras
from facestages.networks.training import evaluate, predict
from facestages.networks.training_data import class_shares, describe_test, split_training_data
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


def measure(network, entry: NetworkEntry, stimuli: StimulusSet, part: str) -> dict:
    """What `training.evaluate` returns for a network on ``validation`` or ``test`` pictures."""
    classes = entry.output_classes
    rows = split_training_data(stimuli.labels, classes, entry.training)[part]
    targets = np.array([classes.index(name) for name in stimuli.labels["expression"].iloc[rows]])
    images = resize_images(stimuli.images[rows], network.input)
    return evaluate(predict(network.model, images, network.input.scaling), targets, classes)


def model_card(name: str, entry: NetworkEntry, report: Mapping) -> str:
    """Write the model card in Markdown.

    Parameters
    ----------
    name : str
        The network's name.
    entry : NetworkEntry
        Its section of the config.
    report : mapping
        What `main` writes as ``NETWORK.json``.
    """
    classes, splits, validation = report["classes"], entry.training.splits, report["validation"]
    tested = score_held_out([report])
    low, high = tested.accuracy["ci_low"], tested.accuracy["ci_high"]
    by_class = pd.DataFrame(
        {
            "class": classes,
            "share of the training data": [f"{report['shares'][c]:.1%}" for c in classes],
            "recall": [f"{tested.recall[c]:.3f}" for c in classes],
            "F1": [f"{report['f1'][c]:.3f}" for c in classes],
        }
    )
    confusion = pd.DataFrame(report["confusion"], columns=classes)
    confusion.insert(0, "true \\ answer", classes)
    chosen_on, tested_on = ", ".join(splits.validation), ", ".join(splits.test)
    paragraphs = [
        f"A classifier of facial expressions in grey pictures of 48x48 pixels: "
        f"{', '.join(classes)}. The architecture is the light CNN of the paper "
        f"(`networks.light_cnn`, {report['parameters']:,} parameters); the weights are "
        f"in half precision.",
        "**Use.** To reproduce the paper and to study what layers represent. Not for judging what "
        "people feel: the labels are what annotators saw in pictures from the web, with known "
        "errors and an uneven choice of people.",
        f"**Data.** {escape_markdown(report['dataset'])}: split {', '.join(splits.train)} to train "
        f"({report['n_train']:,} pictures of these classes), {chosen_on} to choose the epoch "
        f"({validation['n']:,}), {tested_on} for the figures below ({report['n']:,} pictures, "
        f"which neither trained the network nor chose the epoch). Duplicates across the splits are "
        f"left as they come.",
        f"**Accuracy.** {report['accuracy']:.2%} (95 % interval {low:.1%} to {high:.1%}, Wilson); "
        f"balanced over classes {tested.balanced['value']:.2%}. Chance is {1 / len(classes):.1%}, "
        f"and the most frequent class alone would give {tested.majority:.1%}. On {chosen_on} it is "
        f"{validation['accuracy']:.2%}. All of it was measured with the weights in half precision. "
        f"One seed ({report['seed']}) was trained; its best epoch by validation was "
        f"{report['best_epoch']} of {report['epochs']}, see `{name}.history.csv`.",
        markdown_table(by_class),
        markdown_table(confusion),
        f"**Training.** {report['trained_by']} The settings:",
        f"```json\n{json.dumps(report['training'], indent=1)}\n```",
        "It is not the published recipe (up to 100 epochs, batches of 32 at rate 0.001, halved on "
        "plateaus, rotation 15 degrees, shift, shear and zoom 0.15).",
        "**Licence.** The weights are the project's, MIT. The pictures of FER2013 are not here and "
        "may not be passed on; who uses the weights for more than research should ask whether "
        "the terms of that data allow it.",
    ]
    title = f"# {escape_markdown(entry.label)}: `{name}.weights.h5`"
    return "\n\n".join([title, *map(_wrap, paragraphs)]) + "\n"


def _wrap(paragraph: str) -> str:
    # Tables and code are not wrapped.
    return paragraph.strip() if paragraph[0] in "|`" else textwrap.fill(paragraph, 100)


def main(config: Config, name: str, trained: Path, trained_by: str, folder: Path) -> None:
    """Write the weights, the metrics and the card of one trained network.

    The ``metrics.json`` of the folder `trained` has ``seed``, ``epochs`` and ``best_epoch``, and
    ``training``, the settings, where these are not the config's.
    """
    entry, path = config.networks[name], folder / f"{name}.weights.h5"
    training, classes = entry.training, list(entry.output_classes)
    stimuli = read_stimuli(f"{config.results}/stimuli/{training.dataset}.h5")
    save_half(load_network(name, **entry.source, weights=trained).model, path)
    half = load_network(name, **entry.source, weights=path)
    train = split_training_data(stimuli.labels, classes, training)["train"]
    report = {
        "network": name,
        "training": training.model_dump(exclude={"dataset", "splits", "holdout"}),
        **read_report(trained / "metrics.json"),
        "trained_by": trained_by,
        "classes": classes,
        "dataset": config.datasets[training.dataset].label,
        "test_part": describe_test(training),
        "n_train": len(train),
        "shares": class_shares(stimuli.labels["expression"].iloc[train], classes),
        "parameters": half.model.count_params(),
        "validation": measure(half, entry, stimuli, "validation"),
        **measure(half, entry, stimuli, "test"),
    }
    for suffix, text in (
        (".json", json.dumps(report, indent=2) + "\n"),
        (".md", model_card(name, entry, report)),
        (".history.csv", (trained / "history.csv").read_text(encoding="utf-8")),
    ):
        with atomic_path(folder / f"{name}{suffix}") as partial:
            partial.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(load_config(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4], Path(sys.argv[5]))
