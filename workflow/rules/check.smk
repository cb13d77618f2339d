"""Before anything runs: which results would be made otherwise today, whatever their age."""

import dataclasses

from snakemake.iocontainers import Wildcards

from facestages import contents, notes
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


def told(step, wildcards, values):
    """Digest of all that a job is told, which the notes of its outputs must have."""
    inputs, *_ = step.expand_input(wildcards)
    return notes.digest_job(wildcards, values, {path: made(path) for path in map(str, inputs)})


def is_good(path, now):
    """Whether a result was made as it would be today; of a folder, whether it is as it was."""
    if made(path) != now:
        return False
    # Files are compared with their notes by the jobs that read them.
    return not os.path.isdir(path) or notes.read(path)["sha256"] == contents.digest_content(path)


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
        wildcards = dict(wildcards.items())
        if not workflow.is_main_process or tuple(wildcards.items()) in checked:
            return []
        checked.add(tuple(wildcards.items()))
        values = params(step, wildcards) if "given" in step.params.keys() else {}
        results = [path for path in map(str, step.expand_output(wildcards)[0]) if os.path.exists(path)]
        if not results:
            return []
        values = values or params(step, wildcards)
        now = told(step, wildcards, values)
        good = all(is_good(path, now) for path in results)
        for item in PLAN.gone_of(values.get("given", [])):
            if not good:
                sys.exit(missing_message(item))
            say_used(item.problem)
        # Where the params differ from those that Snakemake noted, it gives that as its reason.
        noted = Told(results, list(values.values()))
        if not good and not workflow.persistence.params_changed(noted):
            workflow.dag.forcefiles.update(results)
        return []

    return force


for step in workflow.rules:
    if step.output and step.name not in FOREIGN:
        step.set_input(check(step))
