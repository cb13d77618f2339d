"""Whether verdicts on claims are right, in planted worlds whose truth is known.

``python -m bench.worlds [--draws N] [--first SEED] [--out PATH] [world ...]`` prints, for each
world and claim, how often each verdict was given and how often it was right. A world says what each
stage of a trained network, of an untrained one and of the pixels carries. Two face sets are drawn
from it, measured as a run measures them, and judged.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

import numpy as np
import pandas as pd

from facestages import store, tables
from facestages.analysis.affect import regress_affect
from facestages.analysis.decoding import decode_labels
from facestages.analysis.geometry import measure_geometry
from facestages.analysis.instances import compare_instances
from facestages.analysis.multiverse import compare_choices
from facestages.analysis.partition import partition_variance
from facestages.analysis.separability import score_separability
from facestages.claims import judge_claims
from facestages.claims.verdicts import FAILS, HOLDS, NOT_TESTABLE, UNDECIDED
from facestages.stimuli import StimulusSet, read_labels, write_stimuli

CLAIMS = Path(__file__).parents[1] / "resources" / "claims.yaml"
STAGES = ("early", "middle", "penultimate", "final")

# Valence and arousal of each expression.
_PLACES = {
    "angry": (-0.6, 0.7),
    "disgust": (-0.7, 0.3),
    "fear": (-0.5, 0.8),
    "happy": (0.9, 0.4),
    "neutral": (0.0, -0.3),
    "sad": (-0.7, -0.5),
    "surprise": (0.2, 0.8),
}
_UNITS, _COMPONENTS, _PERMUTATIONS, _RESAMPLES = 60, (2, 10, 50, "all"), 99, 200
_PEOPLE = {"video": 12, "posed": 16}
_SEEDS = {"trained": (0,), "untrained": (0, 1), "pixels": (0,)}

RIGHT = (HOLDS,)
#: Verdicts on a claim that is not true, or whose effect is 0.
WRONG = (FAILS, UNDECIDED, NOT_TESTABLE)


class Layer(NamedTuple):
    """Sizes of what a layer carries, beside noise of size 1."""

    identity: float = 0.0
    affect: float = 0.0
    category: float = 0.0


class World(NamedTuple):
    """What each stage carries, and which verdicts are right."""

    trained: tuple[Layer, ...]
    #: The same at each stage.
    untrained: Layer
    pixels: Layer
    right: Mapping[str, tuple[str, ...]]
    #: Whether the last stage is a random projection of the one before it to seven units.
    has_bottleneck: bool = False
    #: How far valence and arousal of one picture are from their expression's.
    scatter: float = 0.0


_PERSON, _NOTHING = Layer(identity=1.5), Layer()
_AS_CLAIMED = (Layer(1.5, 0.1), Layer(0.7, 0.8, 0.1), Layer(0.0, 2.5, 0.3), Layer(0.0, 1.0, 2.5))
_UNTRAINED_HOLDS = dict.fromkeys(("F3.c", "D2"), RIGHT)
_PIXELS_HOLD = dict.fromkeys(("F3.a", "F3.b", "D3"), RIGHT)

#: By name.
WORLDS = {
    "as claimed": World(
        _AS_CLAIMED,
        _PERSON,
        _PERSON,
        _UNTRAINED_HOLDS
        | _PIXELS_HOLD
        | dict.fromkeys(("F2.a", "F2.b", "F2.c", "F4.a", "F4.b", "F5.b", "F6", "D1"), RIGHT),
    ),
    "as claimed, own ratings": World(
        _AS_CLAIMED,
        _PERSON,
        _PERSON,
        dict.fromkeys(("F4.a", "F4.b", "F5.b"), RIGHT),
        scatter=0.5,
    ),
    "identity alone": World(
        (_PERSON,) * 4,
        _PERSON,
        _PERSON,
        _UNTRAINED_HOLDS
        | _PIXELS_HOLD
        | dict.fromkeys(("F2.a", "F2.b"), RIGHT)
        | dict.fromkeys(("F2.c", "F4.a", "F4.b", "F5.b", "D1"), WRONG),
    ),
    "category alone": World(
        (Layer(category=1.5),) * 4,
        Layer(category=1.5),
        Layer(category=1.5),
        {"F2.c": RIGHT}
        | dict.fromkeys(
            ("F2.a", "F2.b", "F3.a", "F3.b", "F3.c", "F4.a", "F4.b", "F5.b", "D1", "D2", "D3"),
            WRONG,
        ),
    ),
    "affect alone": World(
        (Layer(affect=2.0),) * 4,
        Layer(affect=2.0),
        Layer(affect=2.0),
        {"F2.c": RIGHT, "F5.b": RIGHT}
        | dict.fromkeys(("F2.a", "F2.b", "F3.a", "F4.a", "F4.b", "D1", "D2", "D3"), WRONG),
    ),
    "category before affect": World(
        (Layer(1.5), Layer(1.0, 0.0, 1.5), Layer(0.3, 0.0, 2.0), Layer(0.0, 2.0, 2.0)),
        _PERSON,
        _PERSON,
        {"D1": WRONG, "F4.a": RIGHT, "F4.b": RIGHT},
    ),
    "bottleneck": World(
        (_PERSON,) * 4,
        _PERSON,
        _PERSON,
        dict.fromkeys(("F4.a", "F4.b", "F2.c", "D1"), WRONG),
        has_bottleneck=True,
    ),
    "noise": World(
        (_NOTHING,) * 4,
        _NOTHING,
        _NOTHING,
        {"F2.c": RIGHT}
        | dict.fromkeys(
            ("F2.a", "F2.b", "F3.a", "F3.b", "F3.c", "F4.a", "F4.b", "F5.b", "D1", "D2", "D3"),
            WRONG,
        ),
    ),
}

_NETWORKS = {
    "trained": {
        "label": "Trained",
        "paper": "NN1",
        "kinds": ["expressions", "figure4"],
        "roles": [],
    },
    "untrained": {
        "label": "Untrained",
        "paper": "NN3",
        "kinds": ["untrained", "figure4"],
        "roles": ["untrained"],
    },
    "pixels": {"label": "Pixels", "paper": None, "kinds": [], "roles": ["pixels"]},
}
_KINDS = {name: {"kind": name, "architecture": "planted"} for name in ("trained", "untrained")}
_DATASETS = {
    "video": {"label": "Video", "paper": "DISFA", "rendered": True, "of_paper": False},
    "posed": {"label": "Posed", "paper": "KDEF", "rendered": True, "of_paper": False},
}


def draw_faces(rng: np.random.Generator, people: int, scatter: float) -> pd.DataFrame:
    """Labels of posed faces: each person shows each expression in two sessions."""
    rows = [
        {
            "stimulus_id": f"p{person:02d}-{expression}-{session}",
            "identity": f"p{person:02d}",
            "expression": expression,
            "session": f"s{session}",
            **dict(zip(("valence", "arousal"), place, strict=True)),
        }
        for person in range(people)
        for expression, place in _PLACES.items()
        for session in range(2)
    ]
    labels = pd.DataFrame(rows)
    affect = ["valence", "arousal"]
    labels[affect] *= rng.uniform(0.8, 1.2, (len(labels), 1))
    labels[affect] += scatter * rng.normal(size=(len(labels), 2))
    return labels


def draw_layer(rng: np.random.Generator, labels: pd.DataFrame, layer: Layer) -> np.ndarray:
    """Points (n, units) of one layer; valence, arousal and categories have own directions."""
    directions = np.linalg.qr(rng.normal(size=(_UNITS, 2 + len(_PLACES))))[0].T
    points = rng.normal(size=(len(labels), _UNITS)) / np.sqrt(_UNITS)
    person, category = (pd.factorize(labels[name])[0] for name in ("identity", "expression"))
    of_people = rng.normal(size=(person.max() + 1, _UNITS)) / np.sqrt(_UNITS)
    points += layer.identity * of_people[person]
    # Valence has the larger share.
    points += layer.affect * labels[["valence", "arousal"]].to_numpy() * (1, 0.6) @ directions[:2]
    return points + layer.category * directions[2:][category]


def write_geometry(
    path: Path, stimuli: Path, network: str, seed: int, layers: Mapping[str, np.ndarray]
) -> None:
    """The geometry of layers of points."""
    facts, _, about = read_labels(stimuli)
    notes = {"dataset": about["dataset"], "network": network, "seed": seed}
    notes["stimuli_digest"] = about["stimuli_digest"]
    activations = path.with_suffix(".activations.h5")
    with store.create(activations, "activations", **notes) as file:
        for name, points in layers.items():
            group = file.create_group(name)
            group.attrs["layer_shape"] = points.shape[1:]
            store.add_dimension(group, "stimulus_id", facts["stimulus_id"])
            store.add_dimension(group, "unit", points.shape[1])
            axes = ("stimulus_id", "unit")
            store.add_array(group, "activation", axes, points.astype(np.float32))
    measure_geometry(activations, stimuli, max(k for k in _COMPONENTS if k != "all"), path)


def measure_world(world: World, seed: int, folder: Path) -> dict[str, list[str]]:
    """Files of each table that claims are judged by, from one draw of a world."""
    rng = np.random.default_rng(seed)
    files: dict[str, list[str]] = {}

    def write(name: str, key: str, table: pd.DataFrame) -> str:
        path = str(folder / f"{name}-{key}.csv")
        tables.write_table(path, table)
        files.setdefault(name, []).append(path)
        return path

    for dataset, people in _PEOPLE.items():
        labels = draw_faces(rng, people, world.scatter)
        stimuli = folder / f"{dataset}.h5"
        images = np.zeros((len(labels), 2, 2), np.uint8)
        sources = dict.fromkeys(labels.columns.drop("stimulus_id"), "posed")
        write_stimuli(stimuli, StimulusSet(images, labels, sources), dataset)
        compared: dict[str, list[str]] = {
            name: [] for name in ("separability", "separability_people", "decoding")
        }
        for network, instance, layers in _instances(rng, world, labels):
            key = f"{dataset}-{network}-{instance}"
            geometry, of_people = folder / f"{key}.h5", str(folder / f"people-{key}.csv")
            write_geometry(geometry, stimuli, network, instance, layers)
            common = (geometry, stimuli, {name: name for name in layers})
            scores = score_separability(
                *common, ["identity", "expression"], _COMPONENTS, _PERMUTATIONS, people=of_people
            )
            scores = write("separability", key, scores)
            files.setdefault("separability_people", []).append(of_people)
            if network == "pixels":
                continue
            decoded = decode_labels(*common, ["identity"], (10, 50), _PERMUTATIONS, _RESAMPLES)
            decoded = write("decoding", key, decoded)
            for path, paths in zip((scores, of_people, decoded), compared.values(), strict=True):
                paths.append(path)
            write("partition", key, partition_variance(*common, (10,), _RESAMPLES))
            if (dataset, network) == ("posed", "trained"):
                # Regressions take longest, and claims need them of this layer alone.
                stage, alone = "penultimate", folder / "penultimate.h5"
                write_geometry(alone, stimuli, network, instance, {stage: layers[stage]})
                write("affect", key, regress_affect(alone, stimuli, {stage: stage}))
        write("multiverse", dataset, compare_choices(*compared.values()))
        measured = [*compared["separability"], *compared["decoding"]]
        write("instances", dataset, compare_instances(measured, _KINDS))
    return files


def _instances(
    rng: np.random.Generator, world: World, labels: pd.DataFrame
) -> Iterator[tuple[str, int, dict[str, np.ndarray]]]:
    for network, seeds in _SEEDS.items():
        for seed in seeds:
            if network == "pixels":
                yield network, seed, {"early": draw_layer(rng, labels, world.pixels)}
                continue
            carried = world.trained if network == "trained" else (world.untrained,) * len(STAGES)
            layers = {
                stage: draw_layer(rng, labels, layer)
                for stage, layer in zip(STAGES, carried, strict=True)
            }
            if world.has_bottleneck:
                layers["final"] = layers["penultimate"] @ rng.normal(size=(_UNITS, 7))
            yield network, seed, layers


def judge_world(world: World, seed: int) -> pd.Series:
    """The verdict on each claim in one draw of a world, by claim."""
    with tempfile.TemporaryDirectory() as folder:
        files = measure_world(world, seed, Path(folder))
        table = judge_claims(CLAIMS, files, _NETWORKS, _DATASETS, {})
    return table[table["dataset"] == ""].set_index("id")["verdict"]


def tabulate_world(world: World, draws: int, first: int = 0) -> pd.DataFrame:
    """How often each verdict of a world is right, by claim: ``claim, verdicts, right``."""
    judged = pd.DataFrame([judge_world(world, first + draw) for draw in range(draws)])
    return pd.DataFrame(
        {
            "claim": claim,
            "verdicts": ", ".join(f"{v} {n}" for v, n in Counter(judged[claim]).most_common()),
            "right": judged[claim].isin(right).mean(),
        }
        for claim, right in world.right.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("worlds", nargs="*", help=", ".join(WORLDS))
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="seed of the first draw")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    parts = []
    for name in given.worlds or WORLDS:
        parts.append(tabulate_world(WORLDS[name], given.draws, given.first).assign(world=name))
        print(parts[-1].to_string(), flush=True)
    if given.out:
        given.out.write_text(tables.markdown_table(pd.concat(parts)))


if __name__ == "__main__":
    main()
