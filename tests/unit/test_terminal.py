"""What a run says: a line a job, an estimate of the time left, and last where its results are."""

import logging
from types import SimpleNamespace

import pytest
from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

from facestages.terminal import TimeLeft, _Lines, describe_time, say_made, shorten_log


class Clock:
    """A clock that is set."""

    now = 0.0

    def __call__(self):
        return self.now


def jobs(benchmark=None, **numbers):
    return [
        SimpleNamespace(rule=SimpleNamespace(name=rule), benchmark=benchmark)
        for rule, number in numbers.items()
        for _ in range(number)
    ]


def run(time_left, clock, number, rule, seconds):
    time_left.begin(number, rule)
    clock.now += seconds
    time_left.end(number)


def test_one_job_after_the_other():
    clock = Clock()
    left = TimeLeft(jobs(record=5, score=2), clock)
    for number in range(3):
        assert left.estimate() is None
        run(left, clock, number, "record", 10)
    # Two of the rule, and two of a rule that is not known yet and counts as the mean.
    assert left.estimate() == pytest.approx(40)
    run(left, clock, 3, "score", 100)
    assert left.estimate() == pytest.approx(2 * 10 + 100)


def test_jobs_side_by_side_count_half():
    clock = Clock()
    left = TimeLeft(jobs(record=8), clock)
    for pair in range(2):
        left.begin(2 * pair, "record")
        left.begin(2 * pair + 1, "record")
        clock.now += 10
        left.end(2 * pair)
        left.end(2 * pair + 1)
    assert left.estimate() == pytest.approx(20)
    left.begin(4, "record")
    left.begin(5, "record")
    clock.now += 4
    assert left.estimate() == pytest.approx(16)


def test_nothing_is_said_where_most_is_unknown():
    clock = Clock()
    left = TimeLeft(jobs(record=3, score=20), clock)
    for number in range(3):
        run(left, clock, number, "record", 1)
    assert left.estimate() is None


def test_earlier_runs_tell_of_rules_that_have_not_run(tmp_path):
    clock, benchmark = Clock(), tmp_path / "score.tsv"
    benchmark.write_text("s\th:m:s\n50.0\t0:00:50\n")
    left = TimeLeft([*jobs(record=3), *jobs(benchmark, score=20)], clock)
    for number in range(3):
        run(left, clock, number, "record", 1)
    assert left.estimate() == pytest.approx(1000)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "10 s"), (42, "40 s"), (100, "2 min"), (3600, "60 min"), (4200, "70 min"),
     (2 * 3600 + 240, "2 h 4 min")],
)  # fmt: skip
def test_durations_in_words(seconds, words):
    assert describe_time(seconds) == words


def record(event, text="", **told):
    entry = logging.LogRecord("snakemake", logging.INFO, "", 0, text, None, None)
    entry.__dict__ |= {"event": event, **told}
    return entry


def test_one_line_a_job():
    lines = _Lines(DefaultFormatter(), jobs(record=2), is_local=True)
    begin = record(LogEvent.JOB_INFO, jobid=1, rule_name="record", rule_msg="Layers of nn2")
    assert lines.filter(begin)
    assert lines.format(begin).endswith(" [0 of 2 done] Layers of nn2")
    assert not lines.filter(record(LogEvent.JOB_FINISHED, job_id=1))
    assert not lines.filter(record(LogEvent.PROGRESS, done=1, total=2))
    assert not lines.filter(record(LogEvent.JOB_STARTED, "Execute 2 jobs..."))
    other = record(LogEvent.JOB_INFO, jobid=2, rule_name="record", rule_msg=None)
    assert lines.format(other).endswith(" [1 of 2 done] record")
    problem = record(None, "MissingInputException")
    assert lines.filter(problem) and lines.format(problem) == "MissingInputException"


@pytest.mark.parametrize("is_local", [True, False])
def test_a_failed_job_has_one_line_here_and_all_that_is_known_on_a_cluster(is_local):
    lines = _Lines(DefaultFormatter(), jobs(record=1), is_local)
    failed = record(
        LogEvent.JOB_ERROR, jobid=1, rule_name="record", rule_msg="Layers of nn2", log=["logs/a"],
        msg="", input=[], output=["a.h5"], conda_env=None, shellcmd=None,
        aux={"external_jobid": "4711"},
    )  # fmt: skip
    assert lines.filter(failed)
    told = lines.format(failed)
    if is_local:
        assert told.endswith(" failed: Layers of nn2 (log: logs/a)") and "\n" not in told
    else:
        assert "external_jobid: 4711" in told
    of_script = record(LogEvent.ERROR, "RuleException:\nCalledProcessError in file a.smk, line 9:")
    assert lines.filter(of_script) is not is_local
    assert lines.filter(record(LogEvent.ERROR, "MissingOutputException in rule record"))


@pytest.mark.parametrize("verbose", [False, True])
def test_the_terminal_alone_is_short(verbose):
    logger = logging.getLogger("snakemake.logging")
    terminal, file = logging.NullHandler(), logging.NullHandler()
    terminal.name, file.name = "DefaultStreamHandler", "DefaultLogFileHandler"
    for handler in (terminal, file):
        handler.setFormatter(DefaultFormatter())
        logger.addHandler(handler)
    try:
        dag = SimpleNamespace(needrun_jobs=lambda: jobs(record=1))
        settings = SimpleNamespace(verbose=verbose)
        shorten_log(SimpleNamespace(dag=dag, output_settings=settings, local_exec=True))
    finally:
        logger.removeHandler(terminal)
        logger.removeHandler(file)
    assert isinstance(terminal.formatter, DefaultFormatter) == verbose
    assert isinstance(file.formatter, DefaultFormatter)


def test_the_last_line_names_what_was_made(capsys):
    say_made([])
    assert capsys.readouterr().err == ""
    say_made(["results/figures/fig4.pdf", "results/report.html"])
    assert capsys.readouterr().err == "Made: results/figures/fig4.pdf, results/report.html\n"
