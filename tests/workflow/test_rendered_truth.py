"""The default posed set, judged by what never saw a render."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from facestages.architectures import InputSpec
from facestages.networks import open_network
from facestages.networks.inputs import resize_images
from facestages.stimuli import EXPRESSIONS, read_stimuli
from workflow_runner import REPOSITORY, link_downloads, run_snakemake

CONFIG = REPOSITORY / "config" / "config.yaml"


@pytest.fixture(scope="module")
def posed(tmp_path_factory):
    """The set as the default run makes it, and the folder that holds it and the assets."""
    folder = tmp_path_factory.mktemp("posed")
    link_downloads(folder)
    for target in ("results/stimuli/posed.h5", "resources/assets/mini_xception"):
        result = run_snakemake(folder, CONFIG, target)
        assert result.returncode == 0, result.stderr
    return folder, read_stimuli(folder / "results/stimuli/posed.h5")


def test_design(posed):
    labels = posed[1].labels
    assert len(labels) == 980
    counts = labels.groupby(["identity", "expression", "session"]).size()
    assert len(counts) == 70 * 7 * 2 and set(counts) == {1}
    assert labels.groupby("sex")["identity"].nunique().to_dict() == {"female": 35, "male": 35}


def test_a_network_of_photographs_reads_the_expressions(posed, monkeypatch):
    folder, stimuli = posed
    monkeypatch.chdir(folder)  # paths in the config are relative
    network = open_network("mini_xception", CONFIG)
    answers = network.record(stimuli.images, ["predictions"])["predictions"].argmax(axis=1)
    right = np.array(EXPRESSIONS)[answers] == stimuli.labels["expression"].to_numpy()
    print(f"mini-Xception: {right.mean():.1%} of {len(right)}")
    assert right.mean() >= 0.6  # chance is 14.3 %


def test_pixels_do_not_solve_identity_across_sessions(posed):
    stimuli = posed[1]
    pixels = resize_images(stimuli.images, InputSpec(48, 1)).reshape(980, -1).astype(float)
    people = stimuli.labels["identity"].to_numpy()
    first = (stimuli.labels["session"] == "A").to_numpy()
    nearest = KNeighborsClassifier(1).fit(pixels[first], people[first])
    right = (nearest.predict(pixels[~first]) == people[~first]).mean()
    print(f"1-nearest neighbour, session A to B: {right:.1%}")
    assert right < 0.5  # chance is 1.4 %
