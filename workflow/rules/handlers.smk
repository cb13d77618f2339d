"""What is done when a run starts and when it has succeeded; no rules."""

from facestages import run_lock, terminal


def hold_results():
    """Refuse to work in a results folder beside another run; jobs without results may.

    A bucket has no locks.
    """
    if BUCKET or not any(step.output for step in workflow.dag.needrun_jobs()):
        return
    try:
        run_lock.hold(CONFIG.results)
    except FacestagesError as error:
        sys.exit(str(error))


def lift_rate_limit():
    """Lift Snakemake's own limit of 100 jobs a second; one that the user sets stays.

    With a limit, Snakemake 9.27 sets a timer whenever it looks for jobs, and looks again when the
    timer ends. These timers add up: after 200 jobs Snakemake keeps a processor busy by itself.
    """
    limit = getattr(workflow.scheduling_settings, "max_jobs_per_timespan", None)
    if limit is not None and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


def say_where():
    """Name what was asked for, in the very last line, below Snakemake's own."""
    everything = any(step.name == "all" for step in workflow.dag.targetrules)
    pages = [PLAN.path("report"), PLAN.path("explorer")] if everything else []
    asked = [*sorted(map(str, workflow.dag.targetfiles)), *pages]
    made = list(filter(exists, map(storage.path_in_run, asked)))
    places = [f"{BUCKET}/{path}" if BUCKET else path for path in made]
    atexit.register(terminal.say_made, places)
