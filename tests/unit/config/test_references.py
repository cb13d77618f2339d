"""References in the config: what is refused, and in what words."""

from pathlib import Path

import pytest
import yaml

from facestages.config import load_config
from facestages.config.references import SimulatedReference
from refusals import refusal

ROOT = Path(__file__).parents[3]
ABOUT = {"label": "People", "dataset": "posed", "cite": "A lab, 2026"}


def config_with(**references):
    tiny = yaml.safe_load((ROOT / "tests" / "workflow" / "tiny.yaml").read_text())
    del tiny["figures"]["fig10"]
    return tiny | {"references": references}


def load(**section):
    return load_config(config_with(people=section)).references["people"]


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({**ABOUT, "source": "pair"}, ["references.people.source = 'pair'", "mean 'pairs'"]),
        ({**ABOUT, "path": "x"}, ["references.people: the key 'source' is missing"]),
        ({**ABOUT, "source": "pairs"}, ["references.people.path: this key is missing"]),
        (
            {"label": "x", "dataset": "posed", "source": "pairs", "path": "x"},
            ["references.people.cite: this key is missing"],
        ),
        ({**ABOUT, "source": "pairs", "path": "x", "cite": ""}, ["references.people.cite"]),
        (
            {**ABOUT, "source": "pairs", "path": "x", "dataset": "pose"},
            ["references.people.dataset = 'pose': no such face set", "mean 'posed'"],
        ),
        (
            {**ABOUT, "source": "pairs", "path": "x", "similar": True},
            ["references.people: unknown key 'similar'", "did you mean 'similarity'"],
        ),
        ({**ABOUT, "source": "ratings", "path": "x", "scales": []}, ["references.people.scales"]),
        ({"source": "simulated", "dataset": "posed", "raters": 0}, ["people.raters = 0"]),
        ({"source": "simulated", "dataset": "posed", "reliability": 0}, ["people.reliability"]),
        ({"source": "simulated", "dataset": "posed", "pictures": 4}, ["people.pictures = 4"]),
        (
            {**ABOUT, "source": "rdms", "path": "x.npy", "times": [0.0, "b"]},
            ["references.people.times.1 = 'b': input should be a valid number"],
        ),
        (
            {"source": "simulated", "dataset": "posed", "weights": {"afect": 1.0}},
            ["references.people.weights: unknown key 'afect'", "did you mean 'affect'"],
        ),
        (
            {"source": "simulated", "dataset": "posed", "times": {"start": 5, "end": 1}},
            ["references.people.times", "'start', 'end' and 'step'"],
        ),
        (
            {"source": "simulated", "dataset": "posed", "judge": "ratings", "times": {}},
            ["references.people: 'times' goes with 'judge: pairs'"],
        ),
    ],
)
def test_mistake_is_named_in_one_line(section, words):
    line = refusal(load, **section).splitlines()[0]
    assert line.startswith("config: ") and all(word in line for word in words), line


@pytest.mark.parametrize("key", ["label", "cite"])
def test_simulated_observers_are_always_called_so(key):
    """Nothing that a figure shows of them may look like people."""
    section = {"source": "simulated", "dataset": "posed"}
    assert "simulated" in dict(load(**section))[key].lower()
    message = refusal(load, **section, **{key: "20 students"})
    assert "must have the word 'simulated' in it" in message


def test_files_of_each_kind():
    rdms = load(**ABOUT, source="rdms", path="r.npy", conditions="c.csv", times=[0, 10])
    assert rdms.given() == {"path": "r.npy", "conditions": "c.csv"}
    rdms = load(**ABOUT, source="rdms", path="r.npy", times="t.csv")
    assert rdms.given() == {"path": "r.npy", "times": "t.csv"}
    assert load(source="simulated", dataset="posed").given() == {}
    assert load(source="jozwik", dataset="posed", path="main").cite.startswith("Jozwik")


def test_defaults_are_those_of_the_documentation():
    plain = SimulatedReference(source="simulated", dataset="posed")
    assert (plain.raters, plain.reliability, plain.pictures) == (20, 0.5, 100)
    assert (plain.weights.identity, plain.weights.affect, plain.weights.category) == (0.5, 0.3, 0.2)
    times = SimulatedReference(source="simulated", dataset="posed", times={}).times
    assert (times.identity, times.affect, times.category, times.width) == (100, 150, 200, 40)
