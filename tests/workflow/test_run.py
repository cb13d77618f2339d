"""The whole workflow on the tiny config: every file is there and says what it should."""

import json
import re

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray

from facestages.columns import describe_tables, find_kind
from facestages.stimuli import EXPRESSIONS, read_stimuli
from facestages.text import escape_markdown
from workflow_runner import REPOSITORY


@pytest.mark.parametrize("kind", ["pdf", "svg", "png", "csv"])
def test_figure_is_there(tiny_run, kind):
    assert (tiny_run.folder / f"results/figures/fig4.{kind}").stat().st_size > 1000


@pytest.mark.parametrize("kind", ["pdf", "svg", "png"])
def test_figure_1_is_there(tiny_run, kind):
    assert (tiny_run.folder / f"results/figures/fig1.{kind}").stat().st_size > 1000
    words = (tiny_run.folder / "results/tables/fig1.md").read_text()
    assert "| batchnorm_1 | BatchNormalization | 48x48x64 | 256 | early |" in words


def test_further_layers_are_scored_too(tiny_run):
    table = pd.read_csv(tiny_run.folder / "results/separability/video/nn3/seed-0.csv")
    further = table[table["layer"] == "dense_1"]
    # Numbers of components x measures of both labels, and the variance; three numbers of the
    # spectrum.
    assert further["stage"].isna().all() and len(further) == 3 * (2 * 5 + 1) + 3
    rest = set(table["layer"].dropna()) - set(further["layer"])
    assert rest == set(table.dropna(subset="stage")["layer"])


def test_measures_beside_the_papers(tiny_run):
    results = tiny_run.folder / "results"
    table = pd.read_csv(results / "separability/posed/nn1/seed-0.csv")
    scored = table[table["measure"].str.match("silhouette(?!.*overtaking)")]
    assert scored["value"].notna().all() and (scored["ci_low"] < scored["ci_high"]).all()
    assert set(scored["null"]) == {"within people", "within expressions of a session"}
    table = pd.read_csv(results / "separability/video/nn1/seed-0.csv")
    assert "episodes within people" in set(table["null"])
    decoding = pd.read_csv(results / "decoding/posed/nn1/seed-0.csv")
    assert set(decoding["label"]) == {"identity", "expression", "sex", "valence", "arousal"}
    assert decoding.loc[decoding["label"] == "identity", "held_out"].unique() == ["sessions"]
    correlations = pd.read_csv(results / "rsa/posed/mini_xception/seed-0.csv")
    assert {"identity", "expression", "affect"} == set(correlations["label"])
    similarities = pd.read_csv(results / "cka/posed.csv")
    own = (similarities["network"] == "nn3") & (similarities["other_network"] == "nn3")
    assert (similarities[own]["seed"] != similarities[own]["other_seed"]).any()
    instances = pd.read_csv(results / "instances/posed.csv")
    scored = instances[instances["measure"] == "silhouette_balanced"]
    assert set(scored.loc[scored["network"] == "nn3", "instances"]) == {2}
    beside = instances[instances["control"] == "nn3"]
    # One trained instance; mini-Xception has another architecture.
    assert set(beside["network"]) == {"nn1"} and beside["p_holm"].notna().any()
    assert {"balanced_accuracy", "silhouette_centred"} <= set(beside["measure"])
    assert "early to final" in set(beside["stage"])


def test_pictures_of_equal_luminance(tiny_run):
    results = tiny_run.folder / "results"
    plain, matched = (read_stimuli(results / f"stimuli/{name}.h5") for name in ("video", "matched"))
    assert (np.sort(matched.images[0], axis=None) == np.sort(matched.images[-1], axis=None)).all()
    assert matched.labels["valence"].equals(plain.labels["valence"])
    numbers = pd.read_csv(results / "figures/controls.csv")
    left = numbers[numbers["measure"] == "share_left"]
    assert set(left["dataset"]) == {"matched"} and left["value"].notna().all()
    explained = numbers[numbers["measure"] == "gap_explained"]
    assert set(explained["panel"]) == {"few pictures", "few people", "few of both"}
    assert explained["value"].notna().all() and set(explained["n"]) == {3 + 6}


def test_table_1_has_networks_and_face_sets(tiny_run):
    table = pd.read_csv(tiny_run.folder / "results/tables/table1.csv").set_index("name")
    assert set(table.index) == {"nn1", "nn3", "pixels", "mini_xception", "wild", "posed", "video"}
    held_out = table.loc["nn1"].set_index("measure").loc["held-out accuracy"]
    metrics = tiny_run.folder / "results/networks/nn1/seed-0/metrics.json"
    assert held_out["value"] == pytest.approx(json.loads(metrics.read_text())["accuracy"])
    assert held_out["ci_low"] < held_out["value"] < held_out["ci_high"]
    tested = table.loc["nn3"].set_index("measure").loc["test accuracy"]
    assert (tested["item"], tested["n"], tested["seeds"]) == ("posed", 36, 2)
    people = table.loc["posed"].set_index("measure").loc["people"]
    assert (people["value"], people["paper"]) == (6, 70)
    text = (tiny_run.folder / "results/tables/table1.md").read_text()
    label = escape_markdown("<img src=x onerror=hacked=2>")
    assert f"| {label} | trained here | wild (n = 48) |" in text and "82.32% (FER2013)" in text
    assert (
        "rendered" in text
        and r"\toprule" in (tiny_run.folder / "results/tables/table1.tex").read_text()
    )


def is_told(measure: str, told) -> bool:
    """Whether one of the names of measures, in which ... stands for any text, is this one's."""
    names = (name for names in told for name in names.split(", "))
    return any(
        re.fullmatch(".*".join(map(re.escape, name.split("..."))), measure) for name in names
    )


def test_every_column_and_measure_of_every_table_is_documented(tiny_run):
    kinds = set()
    for path in sorted((tiny_run.folder / "results").rglob("*.csv")):
        kind, table = find_kind(path), pd.read_csv(path)
        told = describe_tables()[kind]
        kinds.add(kind)
        if kind == "figure_numbers":
            assert set(table) <= set(told.columns), path
        else:
            assert list(table) == list(told.columns), path
        if told.measures:
            for measure in table["measure"].unique():
                assert is_told(measure, told.measures), (path, measure)
    assert kinds > {"separability", "separability_people", "decoding", "claims", "history"}


def test_the_notebook_runs_on_results(tiny_run, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tiny_run.folder)
    names = {}
    notebook = json.loads((REPOSITORY / "docs/how-to/own-plot.ipynb").read_text())
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert set(names["chosen"]["label"]) == {"identity", "expression"}
    assert 0 < names["mean_distance"]("expression") < 1.2


def test_layers_are_listed(tiny_run):
    config = {**tiny_run.config, "network": "nn3", "dataset": "posed"}
    result = tiny_run.snakemake("list_layers", config=config)
    assert result.returncode == 0, result.stderr
    assert (
        "nn3: 23 layers, 2,395,075 parameters; on disk for the 84 pictures of posed"
        in result.stdout
    )
    row = next(line for line in result.stdout.splitlines() if line.startswith("batchnorm_1"))
    assert row.split()[-3:] == ["49.5", "MB", "early"]


def test_figure_says_that_its_faces_are_rendered(tiny_run):
    assert "All faces are RENDERED" in (tiny_run.folder / "results/figures/fig4.rst").read_text()


def test_every_stage_of_every_network_is_measured(tiny_run):
    table = pd.read_csv(tiny_run.folder / "results/figures/fig4.csv")
    assert len(table) == 2 * 2 * 4 * 4  # face sets, labels, networks, stages
    assert table["mean"].between(-1, 1).all()
    assert set(table[table.network == "nn3"]["seeds"]) == {2}


def test_rendered_faces_carry_their_truth(tiny_run):
    stimuli = read_stimuli(tiny_run.folder / "results/stimuli/posed.h5")
    assert len(stimuli) == 6 * 7 * 2
    assert set(stimuli.labels["expression"]) == set(EXPRESSIONS)
    assert stimuli.attributes["rendered"] == 1
    assert all(source.startswith("rendered") for source in stimuli.sources.values())


def test_training_left_history_and_metrics_and_no_checkpoint(tiny_run):
    folder = tiny_run.folder / "results/networks/nn1/seed-0"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["classes"] == ["happy", "sad", "neutral"]
    assert metrics["parameters"] == 2_395_075
    assert len(pd.read_csv(folder / "history.csv")) == metrics["epochs"] == 1
    assert not (tiny_run.folder / "results/checkpoints/nn1/seed-0").exists()


def test_nothing_is_written_elsewhere(tiny_run):
    made = {"results", "logs", "benchmarks", ".snakemake", "config.yaml"}
    given = {"Snakefile", "CITATION.cff", "workflow", "profiles", "envs", "resources"}
    assert {path.name for path in tiny_run.folder.iterdir()} == made | given


def test_files_name_what_they_were_made_from(tiny_run):
    results = tiny_run.folder / "results"
    digest = read_stimuli(results / "stimuli/video.h5").digest
    for kind in ("activations", "geometry"):
        with h5py.File(results / kind / "video/nn3/seed-1.h5") as file:
            assert file.attrs["stimuli_digest"] == digest
            assert (file.attrs["network"], file.attrs["seed"]) == ("nn3", 1)
            recorded = ["batchnorm_1", "dense_1", "dropout_4", "flatten", "out_layer"]
            assert sorted(file) == recorded


def test_xarray_opens_the_geometry(tiny_run):
    path = tiny_run.folder / "results/geometry/posed/nn1/seed-0.h5"
    with xarray.open_dataset(path, group="flatten", engine="h5netcdf") as data:
        assert data["gram"].dims == ("stimulus_id", "other_stimulus")
        assert data["score"].dims == ("stimulus_id", "component")
        assert "identity" not in data
        ids = list(data["stimulus_id"].values)
    with xarray.open_dataset(
        tiny_run.folder / "results/stimuli/posed.labels.h5", engine="h5netcdf"
    ) as labels:
        assert labels["identity"].dims == ("stimulus_id",)
        assert list(labels["stimulus_id"].values) == ids


def test_every_job_left_a_log_and_a_benchmark(tiny_run):
    for kind, ending in (("logs", "log"), ("benchmarks", "tsv")):
        files = (tiny_run.folder / kind).rglob(f"*.{ending}")
        found = {part for path in files for part in (*path.parts, path.stem)}
        assert {"prepare_stimuli", "posed", "video", "nn1", "nn3", "mini_xception"} <= found
        assert (tiny_run.folder / kind / f"plot_fig4.{ending}").exists()


@pytest.mark.parametrize(
    "name", [*map("fig{}".format, range(2, 11)), "layers", "multiverse", "cka", "controls"]
)
def test_every_figure_has_its_forms_numbers_and_caption(tiny_run, name):
    for kind in ("pdf", "svg", "png", "csv", "rst"):
        assert (tiny_run.folder / f"results/figures/{name}.{kind}").stat().st_size > 100
    caption = (tiny_run.folder / f"results/figures/{name}.rst").read_text()
    assert "RENDERED" in caption and not re.search(r"\bnan\b", caption, re.I)


def test_what_is_not_at_hand_is_said_in_the_figure(tiny_run):
    line = "ratings.oasis.path = 'oasis.csv': no such file or folder"
    assert f"left out: {line}" in tiny_run.log
    caption = (tiny_run.folder / "results/figures/fig5.rst").read_text()
    assert "ratings.oasis.path" in caption.replace("\\", "")


def test_claims_are_judged_by_the_tables_of_the_run(tiny_run):
    claims = pd.read_csv(tiny_run.folder / "results/claims.csv", keep_default_na=False)
    on_sets, claims = claims[claims["dataset"] != ""], claims[claims["dataset"] == ""]
    claims = claims.set_index("id")
    verdicts = {"holds", "holds in part", "undecided", "fails", "not testable here"}
    assert set(claims["verdict"]) <= verdicts and (claims["why"] != "").all()
    tested = claims[claims["verdict"] != "not testable here"]
    assert {"F2.a", "F3.a", "F3.c", "F4.a", "F4.b", "F6", "D2", "D3"} <= set(tested.index)
    faces = tested.loc[tested.index.difference(["F1"]), "faces"]
    assert set(faces) == {"rendered"}  # NN1 was trained and tested on renders, too
    assert claims["why"]["F3.a"].endswith("judged on rendered faces")
    assert claims["why"]["T1.4"] == "the config has no RMN"
    assert set(on_sets.loc[on_sets["id"] == "F4.a", "dataset"]) == {"video", "posed"}
    # The decisive number of a claim is that of its table.
    scores = pd.read_csv(tiny_run.folder / "results/separability/video/nn1/seed-0.csv")
    measured = ("early", "identity", "silhouette_centred", "all")
    row = scores.set_index(["stage", "label", "measure", "components"]).loc[[measured]].iloc[0]
    assert float(claims["value"]["F2.a"]) == pytest.approx(row["value"] - row["null_mean"])
    assert "PAPER'S MEASURE: identity silhouette on the map above 0" in claims["why"]["F2.a"]
    assert claims["as_published"]["F2.a"] in verdicts and claims["as_published"]["F1"] == ""


def test_gradcam_has_controls(tiny_run):
    table = pd.read_csv(tiny_run.folder / "results/tables/gradcam.csv")
    assert set(table["network"]) == {"nn1", "nn3", "mini_xception"}
    measures = set(table["measure"])
    assert {"enrichment_mouth", "randomised_enrichment_mouth"} <= measures
    assert "randomisation_similarity" in measures


def test_figure_9_compares_what_networks_were_trained_to_tell(tiny_run):
    results = tiny_run.folder / "results"
    numbers = pd.read_csv(results / "figures/fig9.csv")
    tasks = dict(zip(numbers["network"], numbers["task"], strict=True))
    assert tasks == {"nn1": "expression", "nn3": "untrained", "mini_xception": "expression"}
    read_out = numbers[numbers["panel"] == "identity read out"]
    assert read_out[["value", "null"]].notna().all().all() and len(read_out) == 3 * 4
    table = pd.read_csv(results / "subspaces/posed/nn3/seed-0.csv")
    assert "dense_1" not in set(table["layer"]) and table["stage"].notna().all()
    instances = pd.read_csv(results / "instances/posed.csv")
    beside = instances[(instances["measure"] == "accuracy") & (instances["control"] == "nn3")]
    assert set(beside["network"]) == {"nn1"} and set(beside["label"]) == {"identity", "expression"}
    claims = pd.read_csv(results / "claims.csv").set_index("id")["verdict"]
    assert {"S1", "S2", "S3", "S4"} <= set(claims.index)


def test_figure_10_sets_layers_beside_simulated_observers(tiny_run):
    results = tiny_run.folder / "results"
    numbers = pd.read_csv(results / "figures/fig10.csv")
    assert set(numbers["simulated"]) == {1} and set(numbers["raters"]) == {4}
    shares = numbers[numbers["measure"] == "share_of_ceiling"]
    table = pd.read_csv(results / "references/observers/mini_xception/seed-0.csv")
    measured = table[table["measure"] == "share_of_ceiling"]
    assert shares["value"].tolist() == pytest.approx(measured["value"].tolist())
    weights = numbers[(numbers["measure"] == "weight") & numbers["network"].isna()]
    assert weights["value"].sum() == pytest.approx(1)
    assert "SIMULATED observers, no people" in (results / "figures/fig10.svg").read_text()
