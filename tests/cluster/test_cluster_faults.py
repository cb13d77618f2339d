"""Jobs that SLURM ends, that no node can take, or whose files the disk cannot take."""

import resource
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from slurm_cluster import ask, wait_until

GEOMETRY = "results/geometry/video/pixels/seed-0.h5"
RECORDED = "results/activations/video/pixels/seed-0.h5"


@pytest.fixture
def unrecorded(cluster_run, tmp_path):
    """A copy of the finished run that lacks what pixels say."""
    run, _ = cluster_run
    folder = shutil.copytree(run.folder, tmp_path / "run", symlinks=True)
    for path in (GEOMETRY, RECORDED):
        (folder / path).unlink()
    return folder


def test_a_killed_job_is_tried_again_with_more_memory(slurm, submit, unrecorded):
    # Too little in the first try for a Python that computes.
    limit = "measure_geometry:mem_mb=100 * 20 ** (attempt - 1)"
    run = submit(unrecorded, GEOMETRY, "--set-resources", limit)
    jobs = {job.number: job for job in slurm.jobs()}
    first, second = (jobs[number] for number in run.slurm_numbers()["measure_geometry"])
    assert (first.megabytes, first.state) == (100, "FAILED")
    assert (second.megabytes, second.state) == (2000, "COMPLETED")
    assert "exceeded memory limit" in run.log and run.log.count("Trying to restart") == 1
    assert (unrecorded / GEOMETRY).exists()
    # What was finished before stays.
    assert len(run.slurm_numbers()["record_activations"]) == 1


def test_a_cancelled_job_asks_for_more_memory_when_it_is_tried_again(slurm, submit, unrecorded):
    """As every job does by its own rule."""
    with ThreadPoolExecutor() as pool:
        future = pool.submit(submit, unrecorded, RECORDED)
        found = wait_until(lambda: future.done() or slurm.running("record_activations", 0))
        ask("scancel", found[0])
        run = future.result()
    jobs = {job.number: job for job in slurm.jobs()}
    first, second = (jobs[number] for number in run.slurm_numbers()["record_activations"])
    assert (first.state, second.state) == ("CANCELLED", "COMPLETED")
    assert second.megabytes > first.megabytes


def test_a_job_that_fits_no_node_is_refused_before_it_starts(slurm, submit, unrecorded):
    limit = "record_activations:mem_mb=10**6"
    run = submit(unrecorded, RECORDED, "--set-resources", limit, "--retries", "0", status=1)
    assert "Requested node configuration is not available" in run.log
    assert not run.slurm_numbers() and (unrecorded / "results/figures/fig4.pdf").exists()


def test_a_full_disk_is_told_in_one_line(submit, unrecorded):
    """SLURM hands the submitter's limits on to jobs: here of 256 kB a file."""
    run = submit(unrecorded, RECORDED, "--retries", "0", status=1, before=limit_file_size)
    (line,) = {line for line in run.log.splitlines() if "ERROR" in line}
    assert f"cannot write {RECORDED}" in line and "larger than the disk or 'ulimit -f'" in line
    assert not list((unrecorded / "results/activations/video").glob("pixels/*"))
    assert (unrecorded / "results/figures/fig4.pdf").exists()


def limit_file_size():
    """Let no file of the new process grow beyond 256 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))
