"""The small config through SLURM gives what it gives on one machine, though a node is lost."""

import re
from collections import Counter

import h5py
import numpy as np
import pandas as pd


def results(run, *patterns):
    """Files of a run's results by name."""
    folder = run.folder / "results"
    files = [path for pattern in patterns for path in folder.rglob(pattern)]
    return {str(path.relative_to(folder)): path for path in files if path.is_file()}


def arrays(path):
    """All arrays of an HDF5 file by name."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: item[()]} if hasattr(item, "shape") else {})
        )
    return found


def test_tables_and_figures_are_those_of_the_local_run(local_run, cluster_run):
    run, _ = cluster_run
    kinds = ("*.csv", "*.pdf", "*.svg", "*.png", "*.rst", "claims.html")
    here, there = (results(one, *kinds) for one in (local_run, run))
    assert here.keys() == there.keys() and "figures/fig4.pdf" in here and "claims.csv" in here
    # Its column of seconds differs.
    history = "networks/nn1/seed-0/history.csv"
    unequal = [name for name in here if here[name].read_bytes() != there[name].read_bytes()]
    assert set(unequal) <= {history}
    losses = [pd.read_csv(files[history]).drop(columns="seconds") for files in (here, there)]
    pd.testing.assert_frame_equal(*losses)


def test_arrays_are_those_of_the_local_run(local_run, cluster_run):
    run, _ = cluster_run
    here, there = (results(one, "*.h5") for one in (local_run, run))
    assert here.keys() == there.keys() and "geometry/video/nn1/seed-0.h5" in here
    for name in here:
        expected, found = arrays(here[name]), arrays(there[name])
        assert expected.keys() == found.keys()
        for key in expected:
            np.testing.assert_array_equal(found[key], expected[key], err_msg=f"{name} {key}")


def test_a_lost_node_s_job_ends_on_the_other(slurm, cluster_run):
    run, lost = cluster_run
    first, second = (job for job in slurm.jobs() if job.number == lost.number)
    assert (first.state, first.node) == ("NODE_FAIL", lost.node)
    assert second.state == "COMPLETED" and second.node != lost.node
    # SLURM began it again; Snakemake has used up none of its tries.
    assert "Trying to restart" not in run.log


def test_finished_work_outlives_the_lost_node(slurm, cluster_run):
    run, lost = cluster_run
    submitted = sum(run.slurm_numbers().values(), [])
    ends = Counter(job.number for job in slurm.jobs() if job.number in submitted)
    assert ends == Counter(submitted) + Counter([lost.number])
    (total,) = set(re.findall(r"^ *\S+ \[\d+ of (\d+) done", run.log, re.MULTILINE))
    begun = re.findall(r"^ *\S+ \[\d+ of \d+ done.*?\] (.*)", run.log, re.MULTILINE)
    assert len(begun) == len(set(begun)) == int(total)


def test_no_job_but_the_local_ones_runs_outside_slurm(slurm, cluster_run):
    run, _ = cluster_run
    ended = {job.number for job in slurm.jobs() if job.state == "COMPLETED"}
    numbers = run.slurm_numbers()
    assert set(sum(numbers.values(), [])) <= ended
    assert len(numbers["record_activations"]) == len(numbers["measure_geometry"]) == 3
    # Small jobs go together, and by turns: nodes have one core.
    small = ("scores_", "figures_", "reports_")
    groups = [name for name in numbers if name.startswith(small)]
    # Scores are more than the eight that make a group.
    assert len(groups) == len(small) + 1 and all(len(numbers[name]) == 1 for name in groups)
    others = [name for name in numbers if name not in groups]
    assert not any(name.startswith(("plot_", "score_", "fetch_", "make_report")) for name in others)


def test_nothing_is_left_to_do(submit, cluster_run):
    run, _ = cluster_run
    assert "Nothing to be done" in submit(run.folder, "all", "--dry-run").log
