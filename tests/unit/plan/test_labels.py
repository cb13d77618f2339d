"""Labels that face sets lack are told before a run, with what is blank."""

from facestages.plan.labels import missing_labels

ONE = {"dataset": "mine", "networks": ["p"]}


def test_labels_that_are_missing_are_told_with_what_is_blank(plan_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert missing_labels(plan_of("fig5", ONE, "path,identity,expression,valence")) == [
        "datasets.mine has no arousal, so parts are blank of figures.fig5 (regressions and the "
        "reference)"
    ]
    lines = missing_labels(plan_of("fig8", ONE, "path,identity"))
    assert lines == [
        "datasets.mine has no expression, so parts are blank of figures.fig4, figures.fig8",
        "datasets.mine has no valence and no arousal, so parts are blank of figures.fig8 (shares "
        "of valence-arousal)",
    ]
    full = "path,identity,expression,valence,arousal"
    assert missing_labels(plan_of("fig6", ONE, full)) == []


def test_norms_and_references_give_valence_and_arousal(default, paper, plan):
    assert missing_labels(plan(default)) == []
    # KDEF's pictures have none of their own; Figure 5 takes EmoFAN's.
    lines = missing_labels(plan(paper))
    assert len(lines) == 1 and "kdef has no valence and no arousal" in lines[0]
    assert "fig8" in lines[0] and "fig5" not in lines[0]
    (line,) = missing_labels(plan(paper, {"networks.emofan": "no EmoFAN"}))
    assert all(f"figures.{name} (" in line for name in ("fig5", "fig6", "fig8"))
    kdef = paper.datasets["kdef"].model_copy(update={"norms": "norms.csv"})
    with_norms = paper.model_copy(update={"datasets": {**paper.datasets, "kdef": kdef}})
    assert missing_labels(plan(with_norms)) == []
