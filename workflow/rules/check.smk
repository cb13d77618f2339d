"""Before anything runs: which results would be made otherwise today, whatever their age."""

import dataclasses

from snakemake.iocontainers import Wildcards

from facestages import notes
from facestages.plan.presence import missing_message


@functools.cache
def made(path):
    """What a file was made with, by its note; of one that is not there, what its job is told."""
    if os.path.exists(path):
        return notes.read(path).get("made")
    for step in workflow.dag.output_index.match_producers(path):
        wildcards = step.get_wildcards(path)
        return told(step, wildcards, params(step, wildcards))


def params(step, wildcards):
    """Params of a job, by name."""
    asked = Wildcards(fromdict=wildcards)
    return {k: value(asked) if callable(value) else value for k, value in step.params.items()}


def inputs(step, wildcards):
    """Input files of a job; Snakemake's own way to them takes twice as long."""
    asked = Wildcards(fromdict=wildcards)
    for item in step.input:
        # Snakemake wraps what it marks, such as `unpack`.
        inner = getattr(item, "_file", item)
        question = getattr(inner, "callable", inner)
        found = question(asked) if callable(question) else item.apply_wildcards(wildcards)
        yield from flat(found.values() if isinstance(found, dict) else [found])


def flat(found):
    for item in found:
        yield from [str(item)] if isinstance(item, str) else flat(item)


def told(step, wildcards, values):
    """Digest of all that a job is told, which the notes of its outputs must have."""
    files = {path: made(path) for path in inputs(step, wildcards)}
    return notes.digest_job(wildcards, values, files)


def is_good(path, now):
    """Whether a result was made as it would be today; of a folder, whether it is as it was."""
    if made(path) != now or not os.path.isdir(path):
        # Files are compared with their notes by the jobs that read them.
        return made(path) == now
    return notes.read(path).get("sha256") == PLAN.digest_given("content", path)


@functools.cache
def is_current(path):
    """Whether nothing from which a file is made would be made anew before it."""
    for step in workflow.dag.output_index.match_producers(path):
        wildcards = step.get_wildcards(path)
        values = params(step, wildcards)
        if os.path.exists(path) and not is_good(path, told(step, wildcards, values)):
            return False
        return all(map(is_current, inputs(step, wildcards)))
    return True


@dataclasses.dataclass(eq=False)
class Told:
    """What Snakemake compares of a job with its own notes."""

    output: list
    non_derived_params: list


@functools.cache
def say_used(line):
    print(f"not there: {line}; results made from it are used", file=sys.stderr)


def check(step):
    """An input function that gives no file: it forces a job whose results are not good.

    Snakemake's own notes may be lost, and know nothing of a result that was put back from a copy.
    """
    checked = set()

    def force(wildcards):
        values = dict(wildcards.items())
        if workflow.is_main_process and tuple(values.items()) not in checked:
            checked.add(tuple(values.items()))
            try:
                force_if_stale(step, values)
            except Exception as error:
                # Snakemake would take the results as they are.
                sys.exit(f"facestages: {step}: {type(error).__name__}: {error}")
        return []

    return force


def force_if_stale(step, wildcards):
    outputs = (item.apply_wildcards(wildcards) for item in step.output)
    results = [path for path in outputs if os.path.exists(path)]
    # What lies in a bucket has no notes beside it: there Snakemake's own count.
    if BUCKET or not results:
        if "given" in step.params.keys():
            # It ends the run if something is missing.
            params(step, wildcards)
        return
    values = params(step, wildcards)
    now = told(step, wildcards, values)
    good = all(is_good(str(path), now) for path in results)
    for item in PLAN.gone_of(values.get("given", [])):
        if not all(is_current(str(path)) for path in results):
            end_run(missing_message(item))
        say_used(item.problem)
    # Where the params differ from those that Snakemake noted, it gives that as its reason.
    if not good and not workflow.persistence.params_changed(Told(results, list(values.values()))):
        workflow.dag.forcefiles.update(results)


for step in workflow.rules:
    if step.output and step.name not in FOREIGN:
        step.set_input(check(step))
