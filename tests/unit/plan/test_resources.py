"""Threads, minutes and memory of jobs."""

from facestages import memory
from facestages.paths import Recording


def test_cores_are_shared_out(default, tiny, plan):
    assert plan(default, cores=lambda: 8).resources.forward_threads() == 1
    jobs = plan(default).recordings.jobs
    assert plan(default, cores=lambda: 2 * jobs).resources.forward_threads() == 2
    assert plan(tiny, cores=lambda: 8).resources.training_threads() == 8
    assert plan(default, cores=lambda: 8).resources.geometry_threads() == 4


def test_memory_grows_with_what_a_job_holds(default, plan):
    costs = plan(default).resources
    assert costs.accumulation("posed", "nn2") > costs.recording("nn2") > costs.description("nn2")
    measured = costs.measure("posed", function=memory.separability)
    assert measured == memory.separability(980, default.analysis.permutations)
    assert costs.geometry(Recording("posed", "nn2", 0)) == memory.geometry(980)
    assert costs.multiplication("posed", 0, 1) > costs.multiplication("posed", 0, 0)


def test_a_pass_has_an_hour_and_a_second_a_picture(default, plan):
    assert plan(default).resources.prediction_minutes("posed") == 60 + 980 // 60


def test_preparation_costs_what_its_kind_costs(default, paper, plan):
    assert plan(default).resources.preparation("posed") == 410
    assert plan(paper).resources.preparation("fer2013") == 340
