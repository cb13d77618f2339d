"""Disks that are full, and files that may not grow."""

import resource
from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest

from facestages import store, tables
from facestages.errors import FacestagesError
from facestages.figures import style

FULL = ("the disk is full", "Free some space and run the same command again")


def fill(folder):
    """Write until nothing more fits."""
    with open(folder / "filler", "wb", buffering=0) as stream, pytest.raises(OSError):
        while True:
            stream.write(bytes(4096))


def limit_file_size():
    """Let no file of the new process grow beyond 64 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))


def many(n):
    """Rows of a table whose pictures take n x 2.3 kB."""
    return [(f"{i}.png", f"person {i % 4}", ("happy", "sad")[i % 2]) for i in range(n)]


# ------------------------------------------------------------------------------- the workflow


def test_full_disk_under_a_face_set(workspace, mount_disk):
    workspace.add_table("big", many(100))
    workspace.config["pathvars"] = {"results": "results/small"}
    mount_disk(workspace.folder / "results" / "small", kilobytes=128)
    target = "results/small/stimuli/big.h5"
    workspace.refuse_job(target, "logs/prepare_stimuli/big.log", f"cannot write {target}", *FULL)


def test_full_disk_under_a_figure(workspace, mount_disk):
    figures = workspace.folder / "results" / "figures"
    for path in figures.iterdir():
        path.unlink()
    mount_disk(figures, kilobytes=40)
    workspace.refuse_job(
        "results/figures/fig4.pdf",
        "logs/plot_fig4.log",
        "cannot write results/figures/fig4.",
        *FULL,
    )


def test_full_disk_under_the_logs_too(workspace, mount_disk):
    workspace.add_table("big", many(100))
    workspace.config["pathvars"] = {"results": "full/results", "logs": "full/logs"}
    mount_disk(workspace.folder / "full", kilobytes=128)
    fill(workspace.folder / "full")
    result = workspace.refuse("full/results/stimuli/big.h5")
    told = "error in prepare_stimuli dataset=big: cannot write full/results/stimuli/big.h5: "
    assert told + ". ".join(FULL) in result.stderr
    assert not (workspace.folder / "full/results/stimuli/big.h5").exists()


def test_too_small_a_disk_is_noticed_before_the_recording(workspace, mount_disk):
    workspace.add_table("big", many(100))
    workspace.make("results/stimuli/big.h5")
    mount_disk(workspace.folder / "results" / "activations" / "big", kilobytes=128)
    workspace.refuse_job(
        "results/activations/big/pixels/seed-0.h5",
        "logs/record_activations/big/pixels/seed-0.log",
        "it needs 0.9 MB and the disk has 0.1 MB free",
        FULL[1],
    )


def test_file_that_may_not_grow(workspace):
    workspace.add_table("big", many(100))
    workspace.refuse_job(
        "results/stimuli/big.h5",
        "logs/prepare_stimuli/big.log",
        "cannot write results/stimuli/big.h5: the file is larger than the disk or 'ulimit -f'",
        before=limit_file_size,
    )


# ------------------------------------------------------------------------------- the writers


def write_hdf5(path):
    with store.create(path, "stimuli") as file:
        store.add_dimension(file, "unit", 10**5)
        store.add_array(file, "values", ("unit",), np.arange(10**5))


def write_csv(path):
    tables.write_table(path, pd.DataFrame({"value": np.arange(10**5)}))


def write_figure(path):
    style.use_style()
    figure = matplotlib.figure.Figure()
    figure.add_subplot().imshow(np.random.default_rng(0).random((200, 200)))
    style.save_figure(figure, {path.suffix[1:]: path})


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (write_hdf5, "x.h5"),
        (write_csv, "x.csv"),
        (write_figure, "x.pdf"),
        (write_figure, "x.svg"),
        (write_figure, "x.png"),
    ],
    ids=["h5", "csv", "pdf", "svg", "png"],
)
@pytest.mark.parametrize("free", [0, 16], ids=["full", "nearly full"])
def test_a_writer_leaves_what_was_there(tmp_path, mount_disk, write, name, free):
    mount_disk(tmp_path / "disk", kilobytes=64)
    path = tmp_path / "disk" / name
    path.write_text("what was there")
    reserve = tmp_path / "disk" / "reserve"
    reserve.write_bytes(bytes(free * 1024))
    fill(tmp_path / "disk")
    reserve.unlink()
    with pytest.raises(FacestagesError) as caught:
        write(path)
    assert str(caught.value) == f"cannot write {path}: {FULL[0]}. {FULL[1]}"
    assert path.read_text() == "what was there"
    assert sorted(item.name for item in path.parent.iterdir()) == ["filler", "other", name]


def test_a_checkpoint_leaves_whole_files_only(tmp_path, mount_disk):
    from facestages.networks.training_state import Checkpoint, TrainingState

    mount_disk(tmp_path / "disk", kilobytes=64)
    model = SimpleNamespace(save=lambda path: path.write_bytes(bytes(40 * 1024)))
    checkpoint = Checkpoint(tmp_path / "disk" / "checkpoint", "fingerprint")
    assert checkpoint.load() is None
    with pytest.raises(FacestagesError, match=f"cannot write .*best-001.keras: {FULL[0]}"):
        checkpoint.save(TrainingState(epoch=1, best_epoch=1), model, improved=True)
    assert [item.name for item in checkpoint.folder.iterdir()] == ["epoch-001.keras"]
