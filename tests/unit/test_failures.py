"""The errors of a run's jobs, from the logs that they left."""

from types import SimpleNamespace

import pytest

from facestages.failures import last_error, repeat_errors

START = "10:00:00 INFO prepare_stimuli dataset=own\n"
ERROR = "own/faces.csv: row 1: 'sex' is empty.\nFill it in"


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (f"{START}10:00:01 ERROR {ERROR}\n", ERROR),
        (f"{START}10:00:01 ERROR unexpected error\nTraceback\n10:00:01 ERROR KeyError: 'a'\n",
         "KeyError: 'a'"),
        (f"{START}10:00:01 ERROR early\n10:00:02 INFO done\n", "its log "),
        (START, "its log "),
        ("of another workflow", ""),
        ("", ""),
        (None, ""),
    ],
)  # fmt: skip
def test_the_last_error_of_a_log(tmp_path, log, said):
    path = tmp_path / "log"
    if log is not None:
        path.write_text(log)
    error = last_error(path)
    assert error.startswith(said) and bool(error) == bool(said)


def job(rule, log, **wildcards):
    return SimpleNamespace(
        rule=SimpleNamespace(name=rule), log=[log], wildcards_dict=wildcards, is_group=lambda: False
    )


def test_each_failed_job_has_its_line(tmp_path, capsys):
    for name, problem in (("a", "no disk"), ("b", "no network")):
        (tmp_path / name).write_text(f"{START}10:00:01 ERROR {problem}\n")
    jobs = [job("draw", "b"), job("measure", "a", dataset="own", seed="0")]
    group = SimpleNamespace(jobs=jobs[:1], is_group=lambda: True)
    scheduler = SimpleNamespace(failed=[jobs[1], group])
    repeat_errors(SimpleNamespace(scheduler=scheduler), tmp_path)
    lines = ["error in draw: no network", "error in measure dataset=own seed=0: no disk"]
    assert capsys.readouterr().err.splitlines() == lines


def test_a_run_that_never_began_has_none(tmp_path, capsys):
    repeat_errors(SimpleNamespace(scheduler=None), tmp_path)
    assert capsys.readouterr().err == ""
