"""Paths, wildcard constraints and look-ups; no rules."""

import re
import sys
from pathlib import Path

WORKFLOW = Path(str(workflow.current_basedir)).parent
sys.path.insert(0, str(WORKFLOW / "scripts"))

from facestages import assets, provenance
from facestages.config import load_config
from facestages.errors import FacestagesError

try:
    MANIFEST = assets.read_manifest(WORKFLOW.parent / "resources" / "manifest.yaml")
    CONFIG = load_config(config, MANIFEST)
except FacestagesError as error:
    sys.exit(str(error))


# Verified archives, kept so that a later run never asks the network.
DOWNLOADS = CONFIG.asset_folder("downloads")


def one_of(names):
    """Regular expression that matches these names and nothing else."""
    return "|".join(sorted(map(re.escape, names))) or "(?!)"


wildcard_constraints:
    dataset=one_of(CONFIG.datasets),
    network=one_of(CONFIG.networks),
    asset=one_of(MANIFEST),
    seed=r"\d+",


def code(script):
    """Digest of the code that a script reaches: an edited helper reruns its rules."""
    return provenance.digest_code(WORKFLOW / "scripts" / f"{script}.py")


def asset_entry(wildcards):
    """What decides an asset's bytes; a corrected citation fetches nothing anew."""
    entry = MANIFEST[wildcards.asset]
    deciding = ("source", "file", "bytes", "sha256", "members")
    return {key: entry[key] for key in deciding if key in entry}


def dataset_source(wildcards):
    """What a face set is made from: the head model, or the user's files."""
    entry = CONFIG.datasets[wildcards.dataset]
    if entry.source == "rendered":
        return CONFIG.asset_folder("headmodel")
    key = "path" if entry.source == "fer2013" else "table"
    made = Path(CONFIG.results, "stimuli", f"{wildcards.dataset}.h5")
    return given_path(f"datasets.{wildcards.dataset}.{key}", getattr(entry, key), made)


def given_path(key, path, made):
    """A path of the user's; it must be there unless what is made of it is there already."""
    if not Path(path).exists() and not made.exists():
        sys.exit(f"config: {key} = '{path}': no such file or folder; correct the path")
    return path


def dataset_entry(wildcards):
    """What the config says of a face set, less its name in figures, which changes no picture."""
    return CONFIG.datasets[wildcards.dataset].model_dump(exclude={"label"})


def dataset_files(wildcards):
    """Digest of the names, sizes and times of a user's files.

    Where they are gone (a disk that is not mounted, say), that of the files last read, so that
    what was made from them stays good.
    """
    entry = CONFIG.datasets[wildcards.dataset]
    if entry.source == "rendered":
        return ""
    read_before = Path(CONFIG.results, "stimuli", f"{wildcards.dataset}.files")
    if not Path(entry.pictures).exists() and read_before.exists():
        return read_before.read_text()
    if entry.source == "table":
        return provenance.digest_listed_files(entry.table, entry.pictures)
    return provenance.digest_files(entry.pictures)


def training_data(wildcards):
    entry = CONFIG.networks[wildcards.network]
    return f"<results>/stimuli/{entry.training.dataset}.h5"


def network_source(wildcards):
    return CONFIG.networks[wildcards.network].source


def network_environment(wildcards):
    """Conda environment of a network's framework."""
    framework = CONFIG.networks[wildcards.network].framework
    name = {"keras": "tensorflow", "torch": "torch", "numpy": "analysis"}[framework]
    return str(WORKFLOW.parent / "envs" / f"{name}.yaml")


def training_recipe(wildcards):
    return CONFIG.networks[wildcards.network].training.model_dump()


def training_threads(wildcards):
    """The cores shared out among the trainings: two on one core each beat one on two."""
    trained = [entry for entry in CONFIG.networks.values() if entry.weights == "train"]
    instances = sum(len(entry.seeds) for entry in trained)
    return max(1, (workflow.cores or 4) // instances)


def training_checkpoint(wildcards):
    """Folder of an unfinished training, outside the outputs, which Snakemake may delete."""
    return f"{CONFIG.results}/checkpoints/{wildcards.network}/seed-{wildcards.seed}"


def network_weights(wildcards):
    """File of a network's weights, or None."""
    return CONFIG.weights_file(wildcards.network, int(wildcards.seed))


def network_inputs(wildcards):
    """What must be there before a network can be opened."""
    entry = CONFIG.networks[wildcards.network]
    asset = CONFIG.network_asset(wildcards.network)
    if asset:
        return CONFIG.asset_folder(asset)
    weights = network_weights(wildcards)
    if weights is None or entry.weights == "train":
        return weights or []
    key = "keras" if entry.keras else "weights.path"
    made = Path(CONFIG.results, "geometry", wildcards.dataset, wildcards.network)
    return given_path(f"networks.{wildcards.network}.{key}", weights, made)


def network_stages(wildcards):
    return CONFIG.networks[wildcards.network].stages


def components_kept(wildcards):
    """Principal components that any later step asks for."""
    return max((k for k in CONFIG.analysis.components if k != "all"), default=2)


def scores_of(datasets, networks):
    """Separability tables of every seed of these networks on these face sets."""
    return [
        f"<results>/separability/{dataset}/{network}/seed-{seed}.csv"
        for dataset in datasets
        for network in networks
        for seed in CONFIG.networks[network].seeds
    ]


def recording_mb(wildcards):
    """Memory of a recording: the framework, and 256 rows of all layers, twice."""
    return 1500 + CONFIG.recorded_units(wildcards.network) * 256 * 4 * 2 // 10**6


def if_kept(path):
    """Mark activations as temporary unless the config keeps them."""
    return path if CONFIG.analysis.activations == "keep" else temp(path)
