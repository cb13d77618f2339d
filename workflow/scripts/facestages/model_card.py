"""Weights that come with the project: in half precision, measured again, with a model card.

``python -m facestages.model_card CONFIG NETWORK TRAINED BY FOLDER`` reads the folder TRAINED, in
which a training left one file of weights, ``history.csv`` and ``metrics.json``, as rule
``train_network`` does. It writes ``NETWORK.weights.h5``, ``NETWORK.json``, ``NETWORK.md`` and
``NETWORK.history.csv`` into FOLDER. BY is text for the card: what trained the network.

If TRAINED holds such folders of several instances, ``seed-0``, ``seed-1`` and so on, it writes
``NETWORK.zip`` with ``seed-0.keras`` and so on, a ``NETWORK.seed-0.json`` for each, and one card.
"""

from __future__ import annotations

import json
import sys
import tempfile
import textwrap
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from ml_dtypes import bfloat16

from facestages.accuracy import score_held_out
from facestages.config import Config, load_config
from facestages.config.networks import NetworkEntry
from facestages.files import atomic_path
from facestages.networks import load_network
from facestages.networks.quiet_keras import keras
from facestages.networks.training import measure
from facestages.networks.training_data import describe_test, list_classes, split_training_data
from facestages.stimuli import StimulusSet, read_stimuli
from facestages.tables import markdown_table, read_report
from facestages.text import escape_markdown

_USE = (
    "**Use.** To reproduce the paper and to study what layers represent. Not for judging what "
    "people feel: the labels are what annotators saw in pictures from the web, with known "
    "errors and an uneven choice of people."
)
_LICENCE = (
    "**Licence.** The weights are the project's, MIT. The pictures of FER2013 are not here and "
    "may not be passed on; who uses the weights for more than research should ask whether "
    "the terms of that data allow it."
)


def save_half(model: keras.Model, path: Path) -> None:
    """Write a model's weights as a ``.weights.h5`` file in half precision."""

    def halve(layer):
        return type(layer).from_config({**layer.get_config(), "dtype": "float16"})

    half = keras.models.clone_model(model, clone_function=halve)
    half.set_weights(model.get_weights())
    with atomic_path(path) as partial:
        half.save_weights(partial)


def pack(models: Mapping[str, keras.Model], path: Path) -> None:
    """Write whole models, by name, into a zip archive, their weights rounded to bfloat16.

    Rounded weights stay numbers of 32 bits, so that layers compute with these. They pack to a
    third.
    """
    with (
        atomic_path(path) as partial,
        zipfile.ZipFile(partial, "w", zipfile.ZIP_LZMA) as archive,
        tempfile.TemporaryDirectory() as folder,
    ):
        for name, model in models.items():
            weights = model.get_weights()
            model.set_weights([w.astype(bfloat16).astype(np.float32) for w in weights])
            file = Path(folder, f"{name}.keras")
            model.save(file)
            archive.write(file, file.name)


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
        _USE,
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
        _LICENCE,
    ]
    title = f"# {escape_markdown(entry.label)}: `{name}.weights.h5`"
    return "\n\n".join([title, *map(_wrap, paragraphs)]) + "\n"


def _wrap(paragraph: str) -> str:
    # Tables and code are not wrapped.
    return paragraph.strip() if paragraph[0] in "|`" else textwrap.fill(paragraph, 100)


def instances_card(
    name: str, entry: NetworkEntry, reports: Sequence[Mapping], is_rendered: bool
) -> str:
    """As `model_card`, of several instances, which learned people, expressions, or both.

    `is_rendered` says whether the pictures are rendered.
    """
    first, rows = reports[0], []
    for report in reports:
        row = {
            "seed": report["seed"],
            "best epoch": f"{report['best_epoch']} of {report['epochs']}",
        }
        if "accuracy" in report:
            row["expressions right"] = f"{report['accuracy']:.1%}"
            row |= {
                f"recall, {name}": f"{recall:.2f}"
                for name, recall in score_held_out([report]).recall.items()
            }
        if "identity" in report:
            row["people right"] = f"{report['identity']['accuracy']:.1%}"
        if "verification" in report:
            ends = "{auc:.3f} [{ci_low:.3f}, {ci_high:.3f}]"
            row["AUC, strangers"] = ends.format(**report["verification"])
        rows.append(row)
    words, chances = [], []
    if "classes" in first:
        words.append(f"expressions ({', '.join(first['classes'])})")
        chances.append(1 / len(first["classes"]))
    if "identity" in first:
        words.append(f"people ({first['identity']['people']})")
        chances.append(1 / first["identity"]["people"])
    tested = first.get("n", first.get("identity", {}).get("n"))
    kind = "rendered pictures" if is_rendered else "pictures"
    paragraphs = [
        f"{len(reports)} instances of one network that learned to tell {' and '.join(words)} in "
        f"grey pictures of 48x48 pixels. The architecture is the light CNN of the paper "
        f"(`networks.light_cnn`, {first['parameters']:,} parameters); the weights are rounded to "
        f"bfloat16.",
        f"**Data.** {escape_markdown(first['dataset'])}: {first['n_train']:,} {kind} to train, "
        f"{tested:,} to test: {first['test_part']}.",
        f"**Accuracy.** Measured with the rounded weights. Chance is "
        f"{' and '.join(f'{chance:.1%}' for chance in chances)}.",
        markdown_table(pd.DataFrame(rows)),
        f"**Training.** {first['trained_by']} The settings of the first instance (the others "
        f"differ in their number of epochs at most):",
        f"```json\n{json.dumps(first['training'], indent=1)}\n```",
    ]
    if "verification" in first:
        number = first["verification"]["people"]
        paragraphs[2] += (
            f" Strangers are {number} people who did not train. The AUC is the chance that two "
            f"pictures of one of them have a larger cosine, in the layer before the output, than "
            f"pictures of two; its interval is over people."
        )
    if is_rendered:
        paragraphs += [
            "**Use.** To compare what layers represent after training on different labels. The "
            "network knows rendered faces alone, and is no use for photographs.",
            "**Licence.** The weights are the project's, MIT; the pictures come from CC0 data.",
        ]
    else:
        paragraphs += [_USE, _LICENCE]
    title = f"# {escape_markdown(entry.label)}: `{name}.zip`"
    return "\n\n".join([title, *map(_wrap, paragraphs)]) + "\n"


def main(config: Config, name: str, trained: Path, trained_by: str, folder: Path) -> None:
    """Write the weights, the metrics and the card of a trained network.

    A ``metrics.json`` of the folder `trained` has ``seed``, ``epochs`` and ``best_epoch``, and
    ``training``, the settings, where these are not the config's.
    """
    entry = config.networks[name]
    stimuli = read_stimuli(f"{config.results}/stimuli/{entry.training.dataset}.h5")
    dataset = config.datasets[entry.training.dataset]
    seeds = {run.name: run for run in sorted(trained.glob("seed-*"))}
    if seeds:
        models = {
            seed: load_network(name, **entry.source, weights=run).model
            for seed, run in seeds.items()
        }
        pack(models, folder / f"{name}.zip")
        # Packing has rounded the weights.
        reports = [
            describe(entry, models[seed], stimuli, dataset.label, run, trained_by)
            for seed, run in seeds.items()
        ]
        texts = {
            f".{seed}.json": json.dumps({"network": name, **report}, indent=2) + "\n"
            for seed, report in zip(seeds, reports, strict=True)
        }
        texts[".md"] = instances_card(name, entry, reports, dataset.source == "rendered")
    else:
        path = folder / f"{name}.weights.h5"
        save_half(load_network(name, **entry.source, weights=trained).model, path)
        half = load_network(name, **entry.source, weights=path)
        report = describe(entry, half.model, stimuli, dataset.label, trained, trained_by)
        texts = {
            ".json": json.dumps({"network": name, **report}, indent=2) + "\n",
            ".md": model_card(name, entry, report),
            ".history.csv": (trained / "history.csv").read_text(encoding="utf-8"),
        }
    for suffix, text in texts.items():
        with atomic_path(folder / f"{name}{suffix}") as partial:
            partial.write_text(text, encoding="utf-8")


def describe(
    entry: NetworkEntry,
    model: keras.Model,
    stimuli: StimulusSet,
    dataset: str,
    trained: Path,
    trained_by: str,
) -> dict:
    """What a card and Table 1 tell of one instance: how it was trained, and its accuracy."""
    training = entry.training
    parts = split_training_data(stimuli.labels, entry.classes, training)
    classes = list_classes(stimuli.labels, parts, entry.classes, training)
    measured = (model, entry.input_spec, stimuli, parts, classes)
    return {
        "training": training.model_dump(exclude={"dataset", "splits", "holdout"}),
        **read_report(trained / "metrics.json"),
        "trained_by": trained_by,
        "label": list(classes),
        "dataset": dataset,
        "test_part": describe_test(training),
        "n_train": len(parts["train"]),
        "parameters": model.count_params(),
        "validation": measure(*measured, part="validation"),
        **measure(*measured),
    }


if __name__ == "__main__":
    main(load_config(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4], Path(sys.argv[5]))
