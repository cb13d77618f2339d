"""What all rules share: the plan, wildcard constraints, digests of code; no rules."""

import atexit
import functools
import inspect
import os
import re
import sys

from facestages import failures, memory, provenance, storage
from facestages.architectures import ARCHITECTURES, ZOOS
from facestages.errors import FacestagesError
from facestages.paths import PATTERNS as PATHS
from facestages.paths import Recording
from facestages.plan import Plan, claims, explorer, tables, targets
from facestages.plan.labels import missing_labels

PLAN = Plan(CONFIG, MANIFEST, cores=lambda: workflow.cores or 4)

# Figures leave out what this machine lacks, and say so. What went wrong stands last, where it is
# read: below Snakemake's own lines.
if workflow.is_main_process:
    atexit.register(failures.repeat_errors, workflow, os.getcwd())
    for line in PLAN.absent.values():
        print(f"left out: {line}", file=sys.stderr)
    for line in missing_labels(PLAN):
        print(f"labels: {line}", file=sys.stderr)

# Where the run's files lie if they lie in a bucket (--default-storage-provider).
BUCKET = getattr(workflow.storage_settings, "default_storage_prefix", None)
if BUCKET:
    copy = workflow.modifier.path_modifier.apply_default_storage("results")
    os.environ[storage.VARIABLE] = os.path.dirname(copy)


def one_of(names):
    """Regular expression that matches these names and nothing else."""
    return "|".join(sorted(map(re.escape, names))) or "(?!)"


# A number has one spelling: a second would be a second name of the same files.
NUMBER = r"0|[1-9]\d*"


wildcard_constraints:
    dataset=one_of(CONFIG.datasets),
    network=one_of(CONFIG.networks),
    asset=one_of(MANIFEST),
    seed=NUMBER,
    shard=NUMBER,
    other=NUMBER,
    subject=r"SN\d{3}",
    ratings=one_of(CONFIG.ratings),
    reference=one_of(CONFIG.references),
    zoo=one_of(ZOOS),
    model=r"\w[\w.-]*",


def ask(question, **settings):
    """A question to the plan, as a function of wildcards for a rule's inputs and params.

    The question's parameters are wildcards, but for those in `settings`. If the plan has no answer,
    the run ends with the plan's one line.
    """
    names = [name for name in inspect.signature(question).parameters if name not in settings]

    @functools.cache
    def find(*values):
        return question(**dict(zip(names, values)), **settings)

    def answer(wildcards):
        try:
            return find(*(value_of(name, wildcards) for name in names))
        except FacestagesError as error:
            end_run(error)

    return answer


def value_of(name, wildcards):
    """A wildcard as the plan takes it: numbers as numbers, a recording whole."""
    if name == "recording":
        return Recording(wildcards.dataset, wildcards.network, int(wildcards.seed))
    value = wildcards.get(name)
    return int(value) if name in ("seed", "shard", "other") else value


def megabytes(foreseen, **settings):
    """Memory of a job: a number, or a question to the plan. Each attempt gets half as much more."""
    asked = ask(foreseen, **settings) if callable(foreseen) else lambda wildcards: foreseen

    def answer(wildcards, attempt):
        # A cluster also counts the two Snakemakes that run beside the script.
        beside = 0 if workflow.local_exec else 350
        return int(asked(wildcards) * (1 + 0.5 * (attempt - 1))) + beside

    return answer


def environment(question):
    """Conda environment that the plan names."""
    named = ask(question)
    return lambda wildcards: f"../../envs/{named(wildcards)}.yaml"


def if_kept(path):
    """Mark activations as temporary unless the config keeps them."""
    return path if PLAN.recordings.are_kept else temp(path)


# Store of `provenance.digest_code`, beside Snakemake's own notes.
DIGESTS = ".snakemake/code_digests.json"


@functools.cache
def code(script):
    """Digest of the code that a script reaches: an edited helper reruns its rules."""
    return provenance.digest_code(workflow.source_path(f"../scripts/{script}.py"), DIGESTS)


@functools.cache
def library_code(*parts):
    """Digest of the code that a file of the library reaches."""
    return provenance.digest_code(provenance.PACKAGE.joinpath(*parts), DIGESTS)


def preparation_code(wildcards):
    """Digest of the code that makes the pictures of a face set, without other sources' readers."""
    reader = f"{PLAN.face_sets.entry(wildcards.dataset)['source']}.py"
    return [code("prepare_stimuli"), library_code("stimuli", reader)]


def reference_code(wildcards):
    """As `preparation_code`, of references."""
    reader = f"{CONFIG.references[wildcards.reference].source}.py"
    return [code("prepare_reference"), library_code("references", reader)]


def label_code(script):
    """As `preparation_code`, of labels."""

    def digests(wildcards):
        reader = f"{PLAN.face_sets.entry(wildcards.dataset)['source']}.py"
        return [code(script), library_code("stimuli", "labels", reader)]

    return digests


def network_code(script):
    """As `code`, with the library's code that builds the network; that of others does not count.

    Of another library, its version counts. A user's own code is given: see `Networks.given`.
    """

    def digests(wildcards):
        entry = CONFIG.networks[wildcards.network]
        built_in = ARCHITECTURES.get(entry.architecture)
        if entry.zoo:
            version = PLAN.networks.zoo_version(entry.zoo[0])
            return [code(script), library_code("networks", "zoos.py"), version]
        if not built_in or not built_in.builder:
            return [code(script)]
        address = built_in.builder.partition(":")[0]
        *folders, module = address.split(".")[1:]
        return [code(script), library_code(*folders, f"{module}.py")]

    return digests


def shipped(name):
    """The param ``given`` of a job that a file or folder of the project decides."""
    return lambda wildcards: [["shipped", [name], PLAN.digest_given("shipped", name)]]


def report_words(wildcards):
    """Template and texts of the reports: an edit makes them anew, a fresh checkout does not."""
    if IS_MODULE or not IS_FOLDER:
        sys.exit(
            "facestages: a module makes no report of its own; 'snakemake --report report.html' of "
            "the workflow that uses it shows these figures and tables too"
        )
    return [*shipped("workflow/report")(wildcards), *shipped("CITATION.cff")(wildcards)]
