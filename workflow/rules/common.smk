"""Paths, wildcard constraints and look-ups; no rules."""

import functools
import os
import re
import sys
from pathlib import Path

from facestages import assets, disfa_files, memory, provenance, sizes
from facestages.doctor import requirements
from facestages.errors import FacestagesError
from facestages.architectures import ARCHITECTURES
from facestages.plan import Planner

# What this machine lacks: figures leave it out, and say so.
ABSENT = requirements.absent(CONFIG)
if workflow.is_main_process:
    for line in ABSENT.values():
        print(f"left out: {line}", file=sys.stderr)


@functools.cache
def people_foreseen(dataset):
    """Numbers of pictures that a face set will have, person by person, as far as can be foreseen."""
    entry = CONFIG.datasets[dataset]
    is_there = entry.source == "disfa" and f"datasets.{dataset}" not in ABSENT
    return sizes.foreseen_pictures(entry, disfa_subjects(dataset) if is_there else None)


@functools.cache
def sampling_step(dataset):
    """Every how many pictures of a person are measured."""
    entry, made = CONFIG.datasets[dataset], Path(CONFIG.results, "stimuli", f"{dataset}.every")
    if entry.source == "table" and not os.path.exists(entry.table) and made.exists():
        # The disk is not mounted: as it was before.
        return int(made.read_text())
    try:
        return sizes.sampling_step(people_foreseen(dataset), CONFIG.analysis.most_pictures)
    except FacestagesError as error:
        sys.exit(f"config: datasets.{dataset}: {error}")


def pictures_measured(dataset):
    """How many pictures of a face set are measured, at most; some where nothing is known."""
    return sizes.sample_size(people_foreseen(dataset), sampling_step(dataset)) or 2000


PLAN = Planner(CONFIG, ABSENT, sampling_step)

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
    subject=r"SN\d{3}",
    ratings=one_of(CONFIG.ratings),
    architecture="vgg16",


# What digests found, kept beside Snakemake's own notes.
DIGESTS = ".snakemake/code_digests.json"


@functools.cache
def code(script):
    """Digest of the code that a script reaches: an edited helper reruns its rules."""
    return provenance.digest_code(workflow.source_path(f"../scripts/{script}.py"), DIGESTS)


@functools.cache
def library_code(*parts):
    """Digest of the code that a file of the library reaches."""
    return provenance.digest_code(provenance.PACKAGE.joinpath(*parts), DIGESTS)


def asset_entry(wildcards):
    """What decides an asset's bytes; a corrected citation fetches nothing anew."""
    entry = MANIFEST[wildcards.asset]
    deciding = ("source", "file", "bytes", "sha256", "members")
    return {key: entry[key] for key in deciding if key in entry}


def dataset_source(wildcards):
    """What a face set is made from: an asset, the frames of its videos, or the user's files."""
    name, entry = wildcards.dataset, CONFIG.datasets[wildcards.dataset]
    if asset := CONFIG.dataset_asset(name):
        return CONFIG.asset_folder(asset)
    if entry.source == "disfa":
        return [f"<results>/frames/{name}/{subject}.h5" for subject in disfa_subjects(name)]
    made = Path(CONFIG.results, "stimuli", f"{name}.h5")
    given = {
        key: value for key in ("path", "table", "norms") if (value := getattr(entry, key, None))
    }
    return [given_path(f"datasets.{name}.{key}", value, made) for key, value in given.items()]


def given_path(key, path, made):
    """A path of the user's; it must be there unless what is made of it is there already."""
    if "{" in path or "}" in path:
        sys.exit(
            f"config: {key} = '{path}': Snakemake allows no braces in a path; rename the folder"
        )
    if not os.path.exists(path) and not made.exists():
        sys.exit(requirements.missing_message(key, path, CONFIG))
    return path


def dataset_detector(wildcards):
    """The face detector, if a face set is cropped."""
    asset = CONFIG.detector_asset(wildcards.dataset)
    return CONFIG.asset_folder(asset) if asset else []


# What changes no picture: names in figures, and labels that are joined later.
LATER = {"label", "paper", "expression_from", "predicted_by", "shards"}


def dataset_entry(wildcards):
    """What the config says of a face set, as far as it decides the face set's file."""
    entry = CONFIG.datasets[wildcards.dataset].model_dump(exclude=LATER)
    if entry["source"] == "disfa":
        # The rest has decided the frames, which come as files.
        return {"source": "frames", "size": entry["size"], "crop": entry["crop"]}
    return entry


def preparation_code(wildcards):
    """Digest of the code that makes a face set; readers of other sources do not count."""
    reader = f"{dataset_entry(wildcards)['source']}.py"
    return [code("prepare_stimuli"), library_code("stimuli", reader)]


def frames_entry(wildcards):
    """What the config says of the frames of one video."""
    entry = CONFIG.datasets[wildcards.dataset].model_dump(exclude=LATER | {"subjects", "source"})
    if entry["crop"]:
        # These are done to all frames together.
        entry["crop"] = {key: entry["crop"][key] for key in ("margin", "failures")}
    return entry


def files_read_before(dataset):
    """File that holds what `dataset_files` said when a face set was made."""
    return Path(CONFIG.results, "stimuli", f"{dataset}.files")


def dataset_files(wildcards):
    """Digest of the names, sizes and times of a user's files; of videos, who was chosen.

    Where they are gone (a disk that is not mounted, say), that of the files last read, so that
    what was made from them stays good.
    """
    entry = CONFIG.datasets[wildcards.dataset]
    if CONFIG.dataset_asset(wildcards.dataset):
        return ""
    if entry.source == "disfa":
        return f"{entry.subjects}: {' '.join(disfa_subjects(wildcards.dataset))}"
    read_before = files_read_before(wildcards.dataset)
    if not os.path.exists(entry.pictures) and read_before.exists():
        return read_before.read_text()
    if entry.source == "table":
        return provenance.digest_listed_files(entry.table, entry.pictures)
    return provenance.digest_files(entry.pictures)


def preparation_threads(wildcards):
    """All cores given: pictures are read and cropped one a core."""
    return workflow.cores or 4


@functools.cache
def disfa_subjects(dataset):
    """The people of a DISFA face set: as listed, or those whose videos are there."""
    entry = CONFIG.datasets[dataset]
    read_before = files_read_before(dataset)
    for key in ("path", "subject_list"):
        path = getattr(entry, key)
        if path and not os.path.exists(given_path(f"datasets.{dataset}.{key}", path, read_before)):
            # The disk is not mounted: whoever was chosen before, if nothing else is wanted now.
            wanted, _, people = read_before.read_text().partition(": ")
            if wanted != str(entry.subjects):
                sys.exit(requirements.missing_message(f"datasets.{dataset}.{key}", path, CONFIG))
            return people.split()
    try:
        return disfa_files.choose_subjects(
            entry.path, entry.camera, entry.subjects, entry.subject_list
        )
    except FacestagesError as error:
        sys.exit(f"config: datasets.{dataset}: {error}")


def extraction_threads(wildcards):
    """The cores shared out among the videos that are yet to be decoded, side by side."""
    frames = Path(CONFIG.results, "frames", wildcards.dataset)
    waiting = [s for s in disfa_subjects(wildcards.dataset) if not (frames / f"{s}.h5").exists()]
    return max(1, (workflow.cores or 4) // max(1, len(waiting)))


def video_digest(wildcards):
    """Digest of a person's sex and video and label files, as `dataset_files`."""
    entry = CONFIG.datasets[wildcards.dataset]
    made = Path(CONFIG.results, "frames", wildcards.dataset, f"{wildcards.subject}.files")
    paths = [path for path in (entry.path, entry.subject_list) if path]
    if made.exists() and not all(map(os.path.exists, paths)):
        return made.read_text()
    try:
        files = disfa_files.subject_files(entry.path, wildcards.subject, entry.camera)
        sexes = disfa_files.read_subject_list(entry.subject_list) if entry.subject_list else {}
    except FacestagesError as error:
        sys.exit(f"config: datasets.{wildcards.dataset}: {error}")
    stats = provenance.digest_stats(entry.path, files)
    return provenance.digest([stats, sexes.get(wildcards.subject, "")])


def label_predictions(wildcards):
    """Predictions that take the place of a face set's expression label, or nothing."""
    return PLAN.label_predictions(wildcards.dataset)


def described_stimuli(wildcards):
    """The pictures that a report compares with predictions."""
    return PLAN.described(wildcards.dataset)


def sheet_predictions(wildcards):
    """Labels that the contact sheet shows instead of a face set's own; a sample has too few."""
    is_sample = PLAN.described(wildcards.dataset) != PLAN.whole(wildcards.dataset)
    return [] if is_sample else PLAN.label_predictions(wildcards.dataset)


def report_predictions(wildcards):
    """Predictions that the report compares with the face set's own labels."""
    name = wildcards.dataset
    return [
        PLAN.path("predictions", PLAN.first(name, network), "csv")
        for network in CONFIG.datasets[name].predictors
        if f"networks.{network}" not in ABSENT
    ]


def ratings_file(wildcards):
    """The user's file of human ratings."""
    name, entry = wildcards.ratings, CONFIG.ratings[wildcards.ratings]
    made = Path(CONFIG.results, "ratings", f"{name}.csv")
    return given_path(f"ratings.{name}.path", entry.path, made)


def training_data(wildcards):
    entry = CONFIG.networks[wildcards.network]
    if entry.weights != "train":
        sys.exit(
            f"config: networks.{wildcards.network} is not trained; for that it needs "
            f"'weights: train' and a section 'training'"
        )
    return f"<results>/stimuli/{entry.training.dataset}.h5"


def network_source(wildcards):
    return CONFIG.networks[wildcards.network].source


def network_code(script):
    """As `code`, with the digest of the code that builds the network, also a user's own beside the
    run; other networks do not count."""

    def digests(wildcards):
        entry = CONFIG.networks[wildcards.network]
        known = ARCHITECTURES.get(entry.architecture)
        builder = entry.torch or (known and known.builder)
        if not builder:
            return [code(script)]
        address = builder.partition(":")[0]
        if not known:
            return [code(script), provenance.digest_own_code(address, ".")]
        *folders, module = address.split(".")[1:]
        return [code(script), library_code(*folders, f"{module}.py")]

    return digests


def network_environment(wildcards):
    """Conda environment of a network's framework."""
    framework = CONFIG.networks[wildcards.network].framework
    name = {"keras": "tensorflow", "torch": "torch", "numpy": "analysis"}[framework]
    return f"../../envs/{name}.yaml"


def training_environment(wildcards):
    """Conda environment of what Keras computes with."""
    recipe = CONFIG.networks[wildcards.network].training
    backend = recipe.backend if recipe else "tensorflow"
    return f"../../envs/{backend}.yaml"


def training_recipe(wildcards):
    recipe = CONFIG.networks[wildcards.network].training
    return recipe.model_dump() if recipe else {}


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


def network_inputs(wildcards, product="geometry", suffix="h5"):
    """What must be there before a network can be opened."""
    entry = CONFIG.networks[wildcards.network]
    asset = CONFIG.network_asset(wildcards.network)
    if asset:
        return CONFIG.asset_folder(asset)
    weights = network_weights(wildcards)
    if weights == "imagenet":
        return f"<resources>/keras/{entry.architecture}.fetched"
    if weights is None or entry.weights == "train":
        return weights or []
    key = "keras" if entry.keras else "weights.path"
    seed = f"seed-{wildcards.seed}.{suffix}"
    made = Path(CONFIG.results, product, wildcards.dataset, wildcards.network, seed)
    return given_path(f"networks.{wildcards.network}.{key}", weights, made)


def predictor_inputs(wildcards):
    """As `network_inputs`, for a network that predicts."""
    return network_inputs(wildcards, "predictions", "csv")


def explainer_inputs(wildcards):
    """As `network_inputs`, for a network whose answers are explained."""
    return network_inputs(wildcards, "attribution", "h5")


def network_stages(wildcards):
    return CONFIG.networks[wildcards.network].stages


def layers_recorded(wildcards):
    """Names and globs of the layers that are recorded."""
    entry = CONFIG.networks[wildcards.network]
    return [*entry.stages.values(), *entry.layers]


def description_inputs(wildcards):
    """What must be there before a network's layers can be told: the file that alone says them."""
    entry = CONFIG.networks[wildcards.network]
    if entry.keras:
        made = Path(CONFIG.results, "layers", f"{wildcards.network}.csv")
        return given_path(f"networks.{wildcards.network}.keras", entry.keras, made)
    if entry.architecture and entry.weights and not ARCHITECTURES[entry.architecture].builder:
        if asset := CONFIG.network_asset(wildcards.network):
            return CONFIG.asset_folder(asset)
        made = Path(CONFIG.results, "layers", f"{wildcards.network}.csv")
        weights = CONFIG.weights_file(wildcards.network, 0)
        return given_path(f"networks.{wildcards.network}.weights.path", weights, made)
    return []


def description_weights(wildcards):
    """That file, or None where the code that builds the network says them."""
    return CONFIG.weights_file(wildcards.network, 0) if description_inputs(wildcards) else None


def listed_layers(wildcards):
    """The table that `list_layers` prints."""
    if CONFIG.network is None:
        names = ", ".join(CONFIG.networks)
        sys.exit(f"config: network: this key is missing: --config network=NAME, one of {names}")
    return f"<results>/layers/{CONFIG.network}.csv"


def listed_dataset():
    """The face set that `list_layers` gives sizes for."""
    return CONFIG.dataset or CONFIG.figures.fig4.datasets[0]


def components_kept(wildcards):
    """Principal components that any later step asks for; figures show two."""
    return max([2, *(k for k in CONFIG.analysis.components if k != "all")])


def required(section, key):
    """A section of the config that a target needs."""
    if section is None:
        sys.exit(f"config: {key}: this key is missing; config/README.md explains every key")
    return section


def figure_files(figure):
    """Input function of a figure: its named files."""

    def files(wildcards):
        required(getattr(CONFIG.figures, figure), f"figures.{figure}")
        return getattr(PLAN, figure)().files

    return files


def figure_words(figure):
    """Function of a rule's params: what the figure's drawing is told beside its files."""
    return lambda wildcards: getattr(PLAN, figure)().said


def gradcam_files(wildcards):
    """Where the networks look, a table each."""
    required(CONFIG.figures.fig2, "figures.fig2")
    return [PLAN.path("attribution", one, "csv") for one in PLAN.attributions()]


def gradcam_labels():
    """Names in figures of those networks."""
    names = [one.split("/")[1] for one in PLAN.attributions()]
    return {name: CONFIG.networks[name].label for name in names}


def claim_plan():
    """What the claims are judged by."""
    return PLAN.claims(filter(is_drawable, CONFIG.uses))


def claim_files(wildcards):
    """All tables that claims are judged by."""
    return [path for paths in claim_plan().files.values() for path in paths]


def affect_predictions(wildcards):
    """Predictions that give valence and arousal, where a figure takes a network's; or nothing."""
    figures = [CONFIG.figures.fig5, CONFIG.figures.fig6, CONFIG.figures.fig7]
    of_set = [figure for figure in figures if figure and figure.dataset == wildcards.dataset]
    name = of_set[0].reference if of_set else None
    if name is None or f"networks.{name}" in ABSENT:
        return []
    return PLAN.path("predictions", PLAN.first(wildcards.dataset, name), "csv")


def compared_geometry(wildcards):
    """Geometry of all networks and seeds that Figure 4 shows on a face set."""
    return [PLAN.path("geometry", one, "h5") for one in PLAN.compared(wildcards.dataset)]


def partition_components(wildcards):
    """Numbers of principal components whose variance is partitioned."""
    fig8 = CONFIG.figures.fig8
    return [fig8.components] if fig8 else [10]


def mapped_stages(wildcards):
    """Stages that are mapped by UMAP; None for all."""
    return PLAN.mapped_stages(wildcards.network)


def crop_margin(wildcards):
    """Margin of a face set's crop by the eyes; None where it was not cropped."""
    crop = getattr(CONFIG.datasets[wildcards.dataset], "crop", None)
    return crop.margin if crop else None


def fig1_layers(wildcards):
    """The table of layers that Figure 1 is drawn from."""
    return f"<results>/layers/{required(CONFIG.figures.fig1, 'figures.fig1').network}.csv"


def fig1_label():
    """Name of the network that Figure 1 draws."""
    return CONFIG.figures.fig1 and CONFIG.networks[CONFIG.figures.fig1.network].label


def weights_in_words(name):
    """Where a network's weights come from, and what they were trained on."""
    entry, asset = CONFIG.networks[name], CONFIG.network_asset(name)
    if asset:
        return f"asset {asset}", MANIFEST[asset].get("trained_on", "not told")
    words = {
        "train": ("trained here", entry.training and entry.training.dataset),
        "untrained": ("untrained", "none"),
        "imagenet": ("Keras Applications", "ImageNet"),
    }
    if isinstance(entry.weights, str):
        return words[entry.weights]
    if entry.weights or entry.keras:
        return "own file", "not told"
    return ("none", "none") if entry.architecture == "pixels" else words["untrained"]


def table1_networks():
    """What Table 1 says of each network, and the files where the rest stands."""
    if CONFIG.tables.table1 is None:
        return {}
    names = PLAN.present("networks", CONFIG.tables.table1.networks)
    return {name: table1_network(name) for name in names}


def table1_network(name):
    """One network's part of `table1_networks`."""
    entry, test = CONFIG.networks[name], table1_test_name()
    asset = MANIFEST.get(CONFIG.network_asset(name), {})
    reports, predictions = [], []
    if entry.weights == "train":
        folder = f"{CONFIG.results}/networks/{name}"
        reports = [f"{folder}/seed-{seed}/metrics.json" for seed in entry.seeds]
    elif "metrics" in asset:
        reports = [str(assets.RESOURCES / asset["metrics"])]
    if test and entry.output_classes and entry.weights != "train":
        folder = f"{CONFIG.results}/predictions/{test}/{name}"
        predictions = [f"{folder}/seed-{seed}.csv" for seed in entry.seeds]
    weights, trained_on = weights_in_words(name)
    return {
        "label": entry.label,
        "classes": entry.output_classes,
        "seeds": entry.seeds,
        "paper": entry.paper,
        "weights": weights,
        "trained_on": trained_on,
        "layers": f"{CONFIG.results}/layers/{name}.csv",
        "reports": reports,
        "predictions": predictions,
    }


def table1_datasets():
    """What Table 1 says of each face set, and its file."""
    names = PLAN.present("datasets", CONFIG.tables.table1.datasets) if CONFIG.tables.table1 else []
    entries = {name: CONFIG.datasets[name] for name in names}
    return {
        name: {
            "label": entry.label,
            "paper": entry.paper,
            "stimuli": PLAN.described(name),
        }
        for name, entry in entries.items()
    }


def table1_test_name():
    """The face set of Table 1's test; None if there is none, or it is not at hand."""
    name = CONFIG.tables.table1.test if CONFIG.tables.table1 else None
    return name if f"datasets.{name}" not in ABSENT else None


def table1_test():
    """The face set of Table 1's test, and its file; None without a test."""
    name = table1_test_name()
    if name is None:
        return None
    label = CONFIG.datasets[name].label
    return {"name": name, "label": label, "stimuli": PLAN.stimuli(name)}


def table1_left_out():
    """Lines that say what Table 1 does without."""
    uses = CONFIG.uses.get("tables.table1")
    kinds = {"networks": uses.networks, "datasets": uses.datasets} if uses else {}
    return [line for kind, names in kinds.items() for line in PLAN.left_out(kind, names).values()]


def table1_files(wildcards):
    """All files that Table 1 is made from."""
    required(CONFIG.tables.table1, "tables.table1")
    for entry in table1_networks().values():
        yield from [entry["layers"], *entry["reports"], *entry["predictions"]]
    yield from (entry["stimuli"] for entry in table1_datasets().values())
    if test := table1_test():
        yield test["stimuli"]


def is_drawable(name):
    """Whether there is something to draw: a face set and a network, of each that is asked for."""
    uses = CONFIG.uses[name]
    if name == "figures.fig1" and requirements.described_by_code(CONFIG, *uses.networks):
        return True
    kinds = {"datasets": uses.datasets, "networks": uses.networks}
    return all(
        len(PLAN.left_out(kind, names)) < len(names) for kind, names in kinds.items() if names
    )


def figures_wanted():
    """Figures and tables that the config has a section for, and that can be made."""
    kinds = {"figures": "pdf", "tables": "csv"}
    parts = [name.split(".") for name in CONFIG.uses if is_drawable(name)]
    made = [f"<results>/{folder}/{target}.{kinds[folder]}" for folder, target in parts]
    if "figures.fig2" in CONFIG.uses and is_drawable("figures.fig2"):
        made.append("<results>/tables/gradcam.csv")
    return [*made, "<results>/claims.html"]


def tables_wanted():
    """What is measured of Figure 4's networks beside the paper's measures."""
    fig4 = CONFIG.figures.fig4
    if not is_drawable("figures.fig4"):
        return []
    datasets = PLAN.present("datasets", fig4.datasets)
    return [
        *PLAN.instances(),
        *(f"<results>/cka/{dataset}.csv" for dataset in datasets),
        *(
            PLAN.path(product, one, "csv")
            for dataset in datasets
            for one in PLAN.compared(dataset)
            for product in ("decoding", "rsa")
        ),
    ]


def instances_files(wildcards):
    """Tables of all instances of a face set's networks."""
    return PLAN.instances_of(wildcards.dataset).files


def reports_wanted():
    """Reports of all face sets, and tables of all ratings, that are at hand."""
    datasets = [name for name in CONFIG.datasets if f"datasets.{name}" not in ABSENT]
    ratings = [name for name in CONFIG.ratings if f"ratings.{name}" not in ABSENT]
    return [
        *(f"<results>/stimuli/{name}.report.md" for name in datasets),
        *(f"<results>/ratings/{name}.csv" for name in ratings),
    ]


def report_targets():
    """All that the report shows: of a figure also its caption, which old results may lack."""
    figures = figures_wanted()
    captioned = [name for name in figures if name.endswith(".pdf") and "fig1" not in name]
    captions = [name.replace(".pdf", ".rst") for name in captioned]
    return [*figures, *captions, *reports_wanted(), "<results>/run.html"]


def report_wanted():
    """The report, unless another workflow, which uses this one as a module, has its own."""
    return [] if IS_MODULE else ["<results>/report.html"]


def report_words(wildcards):
    """The report's own words."""
    if IS_MODULE or not IS_FOLDER:
        sys.exit(
            "facestages: a module makes no report of its own; 'snakemake --report report.html' of "
            "the workflow that uses it shows these figures and tables too"
        )
    return sorted(map(str, WORKFLOW.glob("report/*.rst")))


def run_stimuli():
    """All face sets that are at hand."""
    return [PLAN.described(name) for name in CONFIG.datasets if f"datasets.{name}" not in ABSENT]


def run_geometry():
    """Measurements of the networks that figures show, whose files know the weights."""
    found = []
    for name, uses in CONFIG.uses.items():
        if name.startswith("figures.") and uses.datasets and is_drawable(name):
            names = (PLAN.present(kind, getattr(uses, kind)) for kind in ("datasets", "networks"))
            found += [PLAN.path("geometry", one, "h5") for one in PLAN.every_seed(*names)]
    return list(dict.fromkeys(found))


def measured_stimuli(wildcards):
    """The face set, or its sample where it is too large to be measured as a whole."""
    return PLAN.stimuli(wildcards.dataset)


def whole_sets():
    """Face sets that are recorded by one job."""
    return [name for name, entry in CONFIG.datasets.items() if entry.shards == 1]


def sharded_sets():
    """Face sets that are recorded shard by shard."""
    return [name for name, entry in CONFIG.datasets.items() if entry.shards > 1]


def shards(wildcards):
    """Number of shards of a face set."""
    return CONFIG.datasets[wildcards.dataset].shards


def is_joint(dataset):
    """Whether something is done to all frames of a video set together."""
    crop = CONFIG.datasets[dataset].crop
    return bool(crop) and (crop.histogram, crop.mask) != ("none", "none")


def has_shards_of_videos(dataset):
    """Whether a shard depends on the videos of its own people alone."""
    return CONFIG.datasets[dataset].source == "disfa" and not is_joint(dataset)


def shard_sources(wildcards):
    """What a shard is taken from: the frames of its people, or the face set."""
    name = wildcards.dataset
    if not has_shards_of_videos(name):
        return [PLAN.stimuli(name)]
    own = [
        subject
        for subject in disfa_subjects(name)
        if sizes.shard_of(subject, shards(wildcards)) == int(wildcards.shard)
    ]
    return [f"<results>/frames/{name}/{subject}.h5" for subject in own]


def shard_step(wildcards):
    """Every how many pictures of a person a shard takes from its sources."""
    return sampling_step(wildcards.dataset) if has_shards_of_videos(wildcards.dataset) else 1


def recorded(wildcards, folder):
    """Start of the path of a file that belongs to a recording."""
    return f"<results>/{folder}/{wildcards.dataset}/{wildcards.network}/seed-{wildcards.seed}"


def activation_shards(wildcards):
    """The shards of a recording."""
    numbers = range(shards(wildcards))
    return [f"{recorded(wildcards, 'activations')}/shard-{shard}.h5" for shard in numbers]


def geometry_sources(wildcards):
    """What the geometry is measured from: activations, or Gram matrices, whole or in blocks."""
    numbers = range(shards(wildcards))
    if len(numbers) > 1:
        start = recorded(wildcards, "grams")
        return [f"{start}/{shard}x{other}.h5" for shard in numbers for other in numbers[shard:]]
    kept = CONFIG.analysis.activations == "keep"
    return f"{recorded(wildcards, 'activations' if kept else 'grams')}.h5"


def joined_activations(wildcards):
    """The shards as one file, where activations are kept; nothing reads it but the user."""
    is_wanted = shards(wildcards) > 1 and CONFIG.analysis.activations == "keep"
    return f"{recorded(wildcards, 'activations')}.h5" if is_wanted else []


@functools.cache
def recording_jobs():
    """How many jobs record, all together."""
    return sum(
        CONFIG.datasets[dataset].shards * len(CONFIG.networks[network].seeds)
        for dataset, network in PLAN.recordings()
    )


def forward_threads(wildcards):
    """The cores shared out among the recordings: passes on one core each beat one on several."""
    return max(1, (workflow.cores or 4) // max(1, recording_jobs()))


def geometry_threads(wildcards):
    return max(1, (workflow.cores or 4) // 2)


def more_at_each_attempt(megabytes):
    """Memory for a job's attempts: half as much again at each."""

    def asked(wildcards, attempt):
        # A cluster counts the two Snakemakes beside the script too.
        beside = 0 if workflow.local_exec else 350
        foreseen = megabytes(wildcards) if callable(megabytes) else megabytes
        return int(foreseen * (1 + 0.5 * (attempt - 1))) + beside

    return asked


def network_mb(wildcards, passes=None):
    """Memory of a network, and of the pictures that are in it at once."""
    entry, weights = CONFIG.networks[wildcards.network], weights_bytes(wildcards.network)
    passes = forward_threads(wildcards) if passes is None else passes
    return memory.forward(entry.framework, entry.input_spec.size, weights, passes)


def weights_bytes(network):
    """Size of a network's weights, as far as it can be foreseen."""
    if asset := CONFIG.network_asset(network):
        return MANIFEST[asset]["bytes"]
    path = CONFIG.weights_file(network, 0)
    if path == "imagenet":
        return 553 * 10**6  # VGG16, the only one
    return os.path.getsize(path) if path and os.path.isfile(path) else 0


@more_at_each_attempt
def forward_mb(wildcards):
    return network_mb(wildcards)


@more_at_each_attempt
def gradient_mb(wildcards):
    """What the forward pass made is kept until the backward pass."""
    return network_mb(wildcards, passes=3)


@more_at_each_attempt
def preparation_mb(wildcards):
    """Some pictures at a time; rendering and FER2013's one large file take more."""
    return {"rendered": 410, "fer2013": 340}.get(CONFIG.datasets[wildcards.dataset].source, 210)


@more_at_each_attempt
def fig7_mb(wildcards):
    return 190 + 160 * len(required(CONFIG.figures.fig7, "figures.fig7").networks)


@more_at_each_attempt
def training_mb(wildcards):
    entry = CONFIG.networks[wildcards.network]
    return memory.training(entry.input_spec.size, entry.training.batch_size)


@more_at_each_attempt
def description_mb(wildcards):
    return network_mb(wildcards, passes=0)


@more_at_each_attempt
def recording_mb(wildcards):
    units = CONFIG.recorded_units(wildcards.network)
    return network_mb(wildcards) + memory.recording(units, forward_threads(wildcards))


@more_at_each_attempt
def accumulation_mb(wildcards):
    units, n = CONFIG.recorded_units(wildcards.network), pictures_measured(wildcards.dataset)
    return network_mb(wildcards) + memory.accumulation(units, n, forward_threads(wildcards))


@more_at_each_attempt
def geometry_mb(wildcards):
    is_read = shards(wildcards) == 1 and CONFIG.analysis.activations == "keep"
    units = CONFIG.recorded_units(wildcards.network) if is_read else 0
    return memory.geometry(pictures_measured(wildcards.dataset), units)


@more_at_each_attempt
def multiplication_mb(wildcards):
    # Some shards are larger than others.
    n = int(1.25 * pictures_measured(wildcards.dataset) / shards(wildcards))
    return memory.multiplication(n, within=wildcards.shard == wildcards.other)


@more_at_each_attempt
def separability_mb(wildcards):
    return memory.separability(pictures_measured(wildcards.dataset), CONFIG.analysis.permutations)


@more_at_each_attempt
def decoding_mb(wildcards):
    return memory.decoding(pictures_measured(wildcards.dataset), CONFIG.analysis.permutations)


@more_at_each_attempt
def correlation_mb(wildcards):
    return memory.correlation(pictures_measured(wildcards.dataset))


@more_at_each_attempt
def comparison_mb(wildcards):
    return memory.comparison(pictures_measured(wildcards.dataset))


@more_at_each_attempt
def regression_mb(wildcards):
    return memory.regression(pictures_measured(wildcards.dataset))


@more_at_each_attempt
def partition_mb(wildcards):
    return memory.partition(pictures_measured(wildcards.dataset))


@more_at_each_attempt
def embedding_mb(wildcards):
    return memory.embedding(pictures_measured(wildcards.dataset))


def prediction_minutes(wildcards):
    """Runtime of a pass over a face set: generous, at a picture a second."""
    return 60 + pictures_measured(wildcards.dataset) // 60


def forward_minutes(wildcards):
    """As `prediction_minutes`, of a shard."""
    return 60 + pictures_measured(wildcards.dataset) // 60 // shards(wildcards)


def if_kept(path):
    """Mark activations as temporary unless the config keeps them."""
    return path if CONFIG.analysis.activations == "keep" else temp(path)
