"""What lacks is said in the figure, or in one line: never an empty axis, never NaN in a title."""

import re

import pytest

PIXELS = {"networks": ["pixels"], "dataset": "own"}


def words_of(workspace, figure):
    """All text of a figure and its caption, as a reader finds it."""
    drawn = workspace.folder / f"results/figures/{figure}.svg"
    words = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", drawn.read_text()))
    words = words.replace("&#x27;", "'") + drawn.with_suffix(".rst").read_text().replace("\\", "")
    assert not re.search(r"\bnan\b", words, re.IGNORECASE), words
    return words


def draw(workspace, figure, **section):
    workspace.config["figures"][figure] = section
    workspace.make(f"results/figures/{figure}.pdf")
    return words_of(workspace, figure)


def test_a_face_set_without_affect(workspace):
    """Eight pictures, fewer than 21, of four people; neither valence nor arousal."""
    assert "the face set has no valence" in draw(workspace, "fig5", **PIXELS)
    words = draw(workspace, "fig6", **PIXELS)
    assert "8" in words and "the face set has no valence" in words
    workspace.config["figures"]["fig8"] = {**PIXELS, "components": 2}
    workspace.make("results/figures/fig8.pdf")
    assert "the face set has no label 'valence'" in words_of(workspace, "fig8")


def test_a_stage_that_the_network_does_not_have(workspace):
    section = {**PIXELS, "stage": "late"}
    workspace.config["networks"]["other"] = workspace.config["networks"]["pixels"] | {
        "stages": {"late": "pixels"},
        "label": "Other",
    }
    section["networks"] = ["pixels", "other"]
    assert "no stage 'late'" in draw(workspace, "fig5", **section)


def test_a_network_without_answers(workspace):
    workspace.config["figures"]["fig7"] = PIXELS
    workspace.refuse_job("results/figures/fig7.pdf", "logs/plot_fig7.log", "Figure 7", "Pixels")


def test_a_umap_of_fewer_pictures_than_neighbours(workspace):
    workspace.config["figures"]["fig2"] = {"dataset": "own", "network": "pixels"}
    workspace.refuse_job(
        "results/figures/fig2.pdf",
        "logs/embed_umap/own/pixels/seed-0.log",
        "needs more pictures than that, not 8",
        "neighbours",
    )


def test_pixels_have_no_gradcam_and_eight_faces_are_a_short_strip(workspace):
    workspace.config["analysis"]["umap"] = {"neighbours": 3}
    words = draw(workspace, "fig2", dataset="own", network="pixels", stages=["early"])
    assert "Grad-CAM" in words and "8" in words


def test_one_person(workspace):
    workspace.add_table("alone", [(f"{n}.png", "one", ("happy", "sad")[n % 2]) for n in range(30)])
    words = draw(workspace, "fig2", dataset="alone", network="pixels")
    assert "one identity only" in words


def test_identity_beside_expression_where_the_design_tells_neither(workspace):
    """No sessions; one picture a person; one expression."""
    workspace.add_table(
        "single", [(f"{n}.png", f"p{n}", ("happy", "sad")[n % 2]) for n in range(9)]
    )
    workspace.add_table("same", [(f"{n}.png", f"p{n % 3}", "happy") for n in range(9)])
    names = ["own", "single", "same"]
    words = draw(workspace, "fig9", datasets=names, networks=["pixels"], components=2)
    assert "one picture of a person cannot be halved" in words
    assert "have no two of 'expression'" in words
    assert "untrained" not in words and "nothing: Pixels" in words


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"fig2": {"dataset": "own", "network": "pixles"}}, "did you mean 'pixels'"),
        ({"fig2": {"dataset": "own", "network": "pixels", "stages": ["late"]}}, "no such stage"),
        ({"fig3": {"dataset": "own", "pixels": "pixels"}}, "figures.fig3.untrained"),
        ({"fig5": {**PIXELS, "reference": "pixels"}}, "nothing of valence and arousal"),
        ({"fig5": {**PIXELS, "ratings": "oasis"}}, "figures.fig5.ratings = 'oasis'"),
        ({"fig6": {**PIXELS, "faces": 0}}, "figures.fig6.faces"),
        ({"fig8": {**PIXELS, "components": 7}}, "figures.fig8.components = '7'"),
        ({"fig9": {"datasets": ["own"], "networks": ["pixels"], "stages": ["early", "late"]}},
         "no such stage"),
        ({"fig11": PIXELS}, "did you mean"),
    ],
)  # fmt: skip
def test_mistakes_in_the_config(workspace, section, said):
    workspace.config["figures"] |= section
    workspace.refuse_config("results/figures/fig4.pdf", said)


def lose(workspace, folder):
    """Name a face set and a network in Figure 4 whose files, in `folder`, are not there."""
    workspace.config["datasets"]["gone"] = {"source": "table", "label": "Gone"} | {
        "table": f"{folder}/faces.csv"
    }
    workspace.config["networks"]["lost"] = {"label": "Lost", "keras": f"{folder}/lost.keras"} | {
        "input": {"size": 48, "channels": 1},
        "stages": dict.fromkeys(("early", "middle", "penultimate", "final"), "x"),
    }
    workspace.config["figures"]["fig4"] |= {"datasets": ["own", "gone"]}
    workspace.config["figures"]["fig4"] |= {"networks": ["pixels", "lost"]}


def test_what_not_everybody_has_is_left_out_and_said(workspace):
    lose(workspace, "resources/licensed")
    result = workspace.run("results/figures/fig4.pdf")
    assert result.returncode == 0, result.stderr
    for line in (
        "datasets.gone.table = 'resources/licensed/faces.csv': no such file or folder",
        "networks.lost.keras = 'resources/licensed/lost.keras': no such file or folder",
    ):
        assert result.stderr.count(f"left out: {line}") == 1
        assert f"LEFT OUT: {line}." in words_of(workspace, "fig4")


@pytest.mark.parametrize("lost", ["datasets", "networks"])
def test_what_the_user_chose_is_not_left_out(workspace, lost):
    lose(workspace, "mine")
    config = workspace.config["figures"]["fig4"]
    config["networks" if lost == "datasets" else "datasets"].pop()
    key = {"datasets": "datasets.gone.table", "networks": "networks.lost.keras"}[lost]
    file = {"datasets": "faces.csv", "networks": "lost.keras"}[lost]
    for target in ("results/figures/fig4.pdf", "all"):
        workspace.refuse_config(target, f"{key} = 'mine/{file}': no such file or folder; correct")


def test_whoever_asks_for_nothing_but_what_lacks_is_told(workspace):
    table = "resources/licensed/faces.csv"
    workspace.config["datasets"]["gone"] = {"source": "table", "label": "Gone", "table": table}
    workspace.config["figures"]["fig6"] = {**PIXELS, "dataset": "gone"}
    workspace.refuse_config("results/figures/fig6.pdf", f"datasets.gone.table = '{table}'")
    workspace.make("all")  # without it
    assert not (workspace.folder / "results/figures/fig6.pdf").exists()
