"""The page of all figures: letters, notes, caption, inputs and files."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from facestages import tables
from facestages.analysis.labels import CIRCULAR
from facestages.errors import FacestagesError
from facestages.figures import page, style

NAMES = {"nn1": "Net 1", "nn2": "Net 2"}


@pytest.fixture
def drawing():
    figure = Figure(layout="constrained")
    figure.add_subplot().plot([0, 1])
    numbers = pd.DataFrame({"layer": ["conv"], "value": [0.5]})
    return page.finish(
        figure, numbers, "What a_layer shows", ["A figure of a_layer.", "Two."], ["no disk."]
    )


def test_the_caption_ends_with_what_is_left_out_and_stands_beside_the_figure(drawing):
    assert drawing.caption == "A figure of a_layer. Two. LEFT OUT: no disk."
    assert not drawing.figure.texts


@pytest.mark.parametrize("layout", ["constrained", "none"])
def test_a_caption_below_the_figure_hides_nothing(layout):
    style.use_style()
    figure = Figure(figsize=(7, 2), layout=layout)
    axis = figure.add_subplot()
    style.choose_look(caption=True)
    drawing = page.finish(figure, pd.DataFrame(), "Title", ["word " * 60])
    style.choose_look()
    (text,) = figure.texts
    assert " ".join(text.get_text().split()) == drawing.caption.strip()
    assert figure.get_figheight() > 2
    figure.draw_without_rendering()
    assert text.get_window_extent().y0 > 0
    assert text.get_window_extent().y1 < axis.get_tightbbox().y0


def test_files_of_all_forms(drawing, tmp_path):
    forms = {"pdf": "pdf", "svg": "svg", "png": "png", "numbers": "csv", "caption": "rst"}
    output = {form: tmp_path / f"figure.{ending}" for form, ending in forms.items()}
    page.save(drawing, output | {"table": tmp_path / "table.md"})
    assert (tmp_path / "figure.csv").read_text() == "layer,value\nconv,0.5\n"
    title, blank, caption = (tmp_path / "figure.rst").read_text().splitlines()
    assert title == "**What a\\_layer shows.**" and blank == ""
    assert caption == "\\ A figure of a\\_layer. Two. LEFT OUT: no disk."
    assert (tmp_path / "table.md").read_text() == "| layer | value |\n|---|---|\n| conv | 0.5 |\n"
    assert all((tmp_path / f"figure.{form}").stat().st_size for form in ("pdf", "svg", "png"))


def test_inputs_are_paths_or_tables(tmp_path):
    paths = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    for path in paths:
        tables.write_table(path, pd.DataFrame({"network": ["7"]}))
    inputs = {"scores": paths, "stimuli": "x.h5", "ratings": [], "needed": ["y.h5"]}
    read = page.read_inputs(inputs)
    assert set(read) == {"scores", "stimuli"} and read["stimuli"] == "x.h5"
    assert read["scores"]["network"].tolist() == ["7", "7"]


def test_a_figure_is_drawn_by_the_module_of_its_name(tmp_path):
    rows = pd.DataFrame([{"dataset": "a", "rendered": 1, "network": "nn1", "seed": 0, "n": 9,
                          "layer": "x", "other_network": "nn1", "other_seed": 0,
                          "other_layer": "y", "measure": "cka", "value": 0.5}])  # fmt: skip
    tables.write_table(tmp_path / "cka.csv", rows)
    output = {form: tmp_path / f"cka.{form}" for form in ("pdf", "svg", "png")}
    output |= {"numbers": tmp_path / "numbers.csv", "caption": tmp_path / "cka.rst"}
    settings = {"dataset": "Set A", "networks": NAMES}
    page.draw("cka", {"similarities": [str(tmp_path / "cka.csv")]}, settings, output)
    assert "on Set A" in output["caption"].read_text()


def test_letters_do_not_end_at_z():
    letters = list(itertools.islice(page.letters(), 28))
    assert letters[0] == "a" and letters[25:] == ["z", "aa", "ab"]


def test_a_legend_names_what_is_drawn():
    figure, lines = Figure(layout="constrained"), style.line_styles({"nn2": 0})
    page.add_line_legend(figure, NAMES, lines, 1)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Net 2"]


def test_nothing_to_draw_is_an_error():
    page.require_values(pd.DataFrame({"value": [np.nan, 1]}), "Figure 9", "no rows")
    with pytest.raises(FacestagesError, match="Figure 9 has nothing to draw: no rows"):
        page.require_values(pd.DataFrame({"value": [np.nan]}), "Figure 9", "no rows")


def test_notes_of_all_figures():
    assert page.rendered(False) == [] and page.declared(pd.Series(["human"])) == []
    assert page.rendered(True) == ["All faces are RENDERED, not photographs."]
    sources = pd.Series(["human", "rendered: declared position"])
    assert page.declared(sources) == ["Valence and arousal are DECLARED positions, not ratings."]


def test_the_note_of_a_measure_is_recognised_as_circular():
    table = pd.DataFrame(
        {
            "dataset": ["a", "b", "a", "a"],
            "network": ["nn1", "nn1", "nn2", "nn1"],
            "note": [f"few pictures; {CIRCULAR}", CIRCULAR, "", CIRCULAR],
        }
    )
    assert page.circular(table, NAMES) == ["CIRCULAR: Net 1 is scored with its own labels."]
    assert page.circular(table, NAMES, {"a": "Set A", "b": "Set B"}) == [
        "CIRCULAR: Net 1 on Set A is scored with its own labels.",
        "CIRCULAR: Net 1 on Set B is scored with its own labels.",
    ]
    assert page.circular(table[table["network"] == "nn2"], NAMES) == []


def test_seeds_in_the_order_of_the_networks():
    table = pd.DataFrame({"network": ["nn2", "nn1", "nn1"], "seeds": [1, 3, 10], "value": 0.5})
    assert page.count_seeds(table, NAMES) == "Net 1 3 to 10, Net 2 1"
    assert page.count_seeds(table[:1], NAMES) == "Net 2 1"


def test_pictures_by_label_and_of_a_sample():
    scores = pd.DataFrame({"label": ["identity", "expression"], "n": [15, 15]})
    assert page.count_pictures(scores) == "15"
    assert page.count_pictures(scores.assign(n=[15, 9])) == "15 (identity), 9 (expression)"
    sample = scores.assign(pictures_of=60.0, sampled="every 4th of each person")
    assert page.count_pictures(sample) == "15 of 60 (every 4th of each person)"
    assert page.count_pictures(scores.assign(pictures_of=np.nan, sampled="")) == "15"


def test_face_sets_of_different_numbers_of_people():
    labels = ["identity", "expression"] * 2
    scores = pd.DataFrame({"dataset": list("aabb"), "label": labels, "n_groups": [70, 7, 12, 5]})
    (note,) = page.differ_in_people(scores, {"a": "Portraits", "b": "Video"})
    assert note.startswith("People: Portraits 70, Video 12; silhouettes of identity fall")
    assert not page.differ_in_people(scores.assign(n_groups=12), {"a": "A", "b": "B"})
    assert not page.differ_in_people(scores[:2], {"a": "A", "b": "B"})


def test_spaces_in_words():
    assert page.name_space("all") == "full space"
    assert page.name_space(10) == "first 10 principal components"


def test_captions_of_all_figures_in_one_file(drawing, tmp_path):
    for name in ("fig4", "layers"):
        page._write_text(tmp_path / f"{name}.rst", page.caption_text(drawing))
    page.write_captions([tmp_path / "fig4.rst", tmp_path / "layers.rst"], tmp_path / "captions.md")
    text = (tmp_path / "captions.md").read_text()
    lines = text.split("\n\n")
    assert "\n\n## layers\n\n" in text
    assert lines[0] == "## fig4" and lines[1] == "**What a\\_layer shows.**"
    assert lines[2].startswith("A figure of a\\_layer. Two.")
