"""One look for all figures: apart without colour, a colour in one place, the same bytes twice."""

import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from facestages.figures import style


def test_lines_differ_without_colour():
    looks = {(str(line["marker"]), str(line["linestyle"])) for line in style.LINES}
    assert len(looks) == len(style.LINES)


def test_a_network_has_one_look_and_a_control_is_grey():
    lines = style.line_styles({"nn1": 0, "nn9": len(style.LINES), "nn3": "untrained"})
    assert lines["nn1"] == lines["nn9"] == style.LINES[0]
    assert lines["nn3"]["color"] == style.DARK and lines["nn3"]["markerfacecolor"] == "white"


def test_controls_of_one_kind_differ():
    lines = style.line_styles({"nn3": "untrained", "nn1": 0, "nn3_7": "untrained"})
    assert lines["nn3"] == style.CONTROLS["untrained"] and lines["nn1"] == style.LINES[0]
    assert lines["nn3_7"]["marker"] != lines["nn3"]["marker"]
    assert lines["nn3_7"]["color"] not in style.COLORS.values()


def test_points_of_many_values_differ():
    looks = style.point_styles([f"person {number}" for number in range(60)])
    assert len({(look["color"], look["marker"]) for look in looks.values()}) == 60
    assert style.point_styles(["happy"]) == {"happy": style.EXPRESSIONS["happy"]}


def test_a_colour_stands_in_one_place():
    colors = "|".join(style.COLORS.values())
    for path in Path(style.__file__).parent.glob("*.py"):
        times = len(re.findall(colors, path.read_text(), re.IGNORECASE))
        assert times == (len(style.COLORS) if path.name == "style.py" else 0), path.name


def test_the_theme_has_the_palette_and_the_type():
    style.use_style()
    colors = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert [mpl.colors.to_hex(color).upper() for color in colors] == [*style.COLORS.values()]
    assert mpl.rcParams["font.size"] == 7 and not mpl.rcParams["axes.spines.top"]


@pytest.fixture
def chosen():
    """Choose a look, and take it back afterwards."""
    yield style.choose_look
    style.choose_look()
    style.use_style()


def test_the_first_font_at_hand_is_used(chosen):
    chosen(fonts=["No such font", "DejaVu Serif", "DejaVu Sans"])
    style.use_style()
    assert mpl.rcParams["font.family"] == ["DejaVu Serif", "DejaVu Sans", "sans-serif"]


def test_a_network_has_the_colour_of_the_config(chosen):
    chosen(colors={"nn1": "#123456"})
    lines = style.line_styles({"nn1": 0, "nn2": 1})
    assert lines == {"nn1": style.LINES[0] | {"color": "#123456"}, "nn2": style.LINES[1]}


def test_width_and_talk(chosen):
    figure = Figure(figsize=(style.PAGE_WIDTH, 4))
    text = figure.text(0.5, 0.5, "text", fontsize=10)
    (line,) = figure.add_subplot().plot([0, 1], linewidth=1)
    chosen(width=90)
    style.fit(figure)
    assert figure.get_size_inches() == pytest.approx([style.PAGE_WIDTH / 2, 2])
    assert text.get_fontsize() == 10
    chosen(talk=True)
    style.fit(figure)
    assert text.get_fontsize() > 10 and line.get_linewidth() > 1


def test_a_missing_panel_says_why_and_has_no_axis():
    axis = Figure().add_subplot()
    style.say_missing(axis, "the face set has no label 'sex'", columns=20)
    assert not axis.axison
    assert axis.texts[0].get_text() == "the face set has no\nlabel 'sex'"


def test_zero_is_marked_behind_all_else():
    axis = Figure().add_subplot()
    style.mark_zero(axis)
    style.mark_zero(axis, 0.5, vertical=True)
    level, upright = axis.get_lines()
    assert set(level.get_ydata()) == {0} and set(upright.get_xdata()) == {0.5}
    assert level.get_zorder() == 0


@pytest.mark.parametrize("kind", ["pdf", "svg", "png"])
def test_the_same_bytes_twice(kind, tmp_path):
    style.use_style()
    for run in "ab":
        figure = Figure()
        axis = figure.add_subplot()
        style.fill_band(axis, [0, 1], [0, 1], [1, 2], style.COLORS["blue"])
        style.write_inside(axis, "text")
        style.save_figure(figure, {kind: tmp_path / run})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_names_are_drawn_as_they_are(tmp_path):
    style.use_style()
    figure = Figure()
    figure.suptitle("$x_{$ \\frac <b> & ж")
    figure.text(0.5, 0.5, "a layer\x00\x1b[31m")
    style.save_figure(figure, {"svg": tmp_path / "figure.svg"})
    words = "".join(ElementTree.parse(tmp_path / "figure.svg").getroot().itertext())
    assert "$x_{$ \\frac <b> & ж" in words and "a layer\\x00\\x1b[31m" in words
