"""Files of the user's: there, absent, or spent; and where to get what is missing."""

import re
from pathlib import Path

import pytest
import yaml
from docs.pages.gated import REFERENCE_SETS

from facestages.assets import read_manifest
from facestages.config import load_config
from facestages.errors import FacestagesError
from facestages.plan import Plan, presence
from facestages.plan.presence import GivenPath, missing_message, read_gated
from facestages.plan.sources import SOURCES

ROOT = Path(__file__).parents[3]
MANIFEST = read_manifest(ROOT / "resources" / "manifest.yaml")
GATED = read_gated()
ORL = {"source": "orl"}
KDEF = GivenPath("datasets.kdef", "path", "KDEF", SOURCES["kdef"].given["path"])
OFFERED_KDEF = {"source": "kdef", "path": "resources/licensed/KDEF", "crop": None}
STAGES = dict.fromkeys(("early", "middle", "penultimate", "final"), "pixels")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Relative paths start in an empty folder."""
    monkeypatch.chdir(tmp_path)


def make_config(datasets, networks=None):
    networks = {"pixels": {"label": "P", "architecture": "pixels", "stages": STAGES}} | (
        networks or {}
    )
    figures = {"fig4": {"datasets": [next(iter(datasets))], "networks": ["pixels"]}}
    whole = {"datasets": datasets, "networks": networks, "figures": figures}
    return load_config(whole, MANIFEST)


def absent_of(config):
    return Plan(config).absent


def write(path, content=b"x"):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


# ------------------------------------------------------------------------------- shipped files


def test_gated_list_has_what_the_config_can_name():
    # docs/how-to/people-and-brains.md shows the others.
    assert {"fer2013", "kdef", "disfa", "oasis", "kdef_pt", *REFERENCE_SETS} == set(GATED)
    for entry in GATED.values():
        assert re.fullmatch(r"https://\S+", entry["address"])
        for sha256 in entry.get("sha256", {}).values():
            assert re.fullmatch("[0-9a-f]{64}", sha256)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"adress": "x"}, "'kdef': unknown key 'adress'; did you mean 'address'?"),
        ({"licence": None}, "'kdef': 'licence' must be there, and be text"),
    ],
)
def test_gated_list_with_a_mistake_is_refused(change, said):
    Path("gated.yaml").write_text(yaml.safe_dump({"kdef": GATED["kdef"] | change}))
    with pytest.raises(FacestagesError, match=re.escape(said)):
        read_gated("gated.yaml")


# ------------------------------------------------------------------------------- a missing path


def test_message_says_where_a_gated_thing_is_to_be_had():
    message = missing_message(KDEF).splitlines()
    assert message[0] == (
        "config: datasets.kdef.path = 'KDEF': no such file or folder; correct the path."
    )
    assert message[1].startswith("KDEF is to be had at https://kdef.se; ")
    assert "snakemake check_resources" in message[1] and len(message) == 2


def test_message_on_own_files_is_one_line():
    table = GivenPath("datasets.own", "table", "t.csv", SOURCES["table"].given["table"])
    assert missing_message(table) == (
        "config: datasets.own.table = 't.csv': no such file or folder; correct the path."
    )


def test_message_does_without_the_gated_list(monkeypatch):
    monkeypatch.setattr(presence.read_gated, "__defaults__", (Path("gone.yaml"),))
    message = missing_message(KDEF)
    assert message.endswith("no such file or folder; correct the path.")


# ------------------------------------------------------------------------------- what is left out


def own_network(**more):
    return {"label": "Own", "keras": "own.keras", "input": {"size": 8, "channels": 1}} | {
        "stages": STAGES,
        **more,
    }


def test_what_is_there_is_not_absent():
    write("kdef/AF01AFS.JPG")
    write("own.keras")
    kdef = {"source": "kdef", "path": "kdef", "crop": None}
    assert absent_of(make_config({"kdef": kdef}, {"own": own_network()})) == {}


def test_a_path_to_nothing_is_absent_and_named():
    assert absent_of(make_config({"kdef": OFFERED_KDEF}, {"own": own_network()})) == {
        "datasets.kdef": "datasets.kdef.path = 'resources/licensed/KDEF': no such file or folder",
        "networks.own": "networks.own.keras = 'own.keras': no such file or folder",
    }


@pytest.mark.parametrize(
    ("path", "is_absent"),
    [
        *(("resources/licensed/KDEF", True), ("./resources//licensed/x/KDEF", True)),
        *(
            ("data/KDEF", False),
            ("resources/licensed_KDEF", False),
            ("/resources/licensed/K", False),
        ),
    ],
)
def test_what_a_figure_names_is_absent_only_where_the_shipped_configs_look(path, is_absent):
    """A mistyped path of the user's stops the run; its figure would lack what was asked for."""
    config = make_config({"kdef": {**OFFERED_KDEF, "path": path}})
    assert ("datasets.kdef" in absent_of(config)) is is_absent


@pytest.mark.parametrize("needed_for", ["figure", "reference", "labels", "training", "table"])
def test_no_network_or_face_set_that_a_figure_needs_is_left_out(needed_for):
    lost = {"source": "table", "label": "Lost", "table": "lost.csv"}
    emofan = {"label": "E", "architecture": "emofan", "weights": {"path": "mine/emofan.pth"}}
    emofan |= {"stages": {"penultimate": "maxpool"}}
    trained = {"label": "T", "architecture": "light_cnn", "classes": ["happy", "sad"]}
    trained |= {"weights": "train", "training": {"dataset": "lost"}}
    trained |= {"stages": dict.fromkeys(STAGES, "flatten")}
    datasets, networks = {"orl": ORL, "lost": lost}, {"emofan": emofan, "trained": trained}
    fig4 = {"datasets": ["orl"], "networks": ["pixels"]}
    figures, tables, needed = {"fig4": fig4}, {}, "datasets.lost"
    if needed_for == "figure":
        fig4["datasets"] = ["orl", "lost"]
    elif needed_for == "training":
        fig4["networks"] = ["pixels", "trained"]
    elif needed_for == "table":
        tables = {"table1": {"networks": ["pixels"], "datasets": ["orl"], "test": "lost"}}
    else:
        needed = "networks.emofan"
        if needed_for == "reference":
            fig5 = {"dataset": "orl", "networks": ["pixels"], "reference": "emofan"}
            figures["fig5"] = fig5
        else:
            datasets["orl"] = {**ORL, "expression_from": "emofan"}
    pixels = {"label": "P", "architecture": "pixels", "stages": STAGES}
    config = {"datasets": datasets, "networks": networks | {"pixels": pixels}}
    absent = absent_of(load_config({**config, "figures": figures, "tables": tables}))
    assert needed not in absent
    # The same things that nothing needs are left out.
    unused = {"fig4": {"datasets": ["orl"], "networks": ["pixels"]}}
    datasets["orl"] = ORL
    config = load_config({**config, "figures": unused})
    assert {"datasets.lost", "networks.emofan"} <= absent_of(config).keys()


def test_what_has_been_made_of_it_does():
    kdef = OFFERED_KDEF
    write("results/stimuli/kdef.h5")
    assert list(absent_of(make_config({"kdef": kdef}))) == ["datasets.kdef"]
    write("results/stimuli/kdef.labels.h5")
    assert absent_of(make_config({"kdef": kdef})) == {}


def test_a_network_that_is_still_needed_is_absent_though_some_is_made():
    lost = own_network(keras="resources/licensed/own.keras", classes=["happy", "sad"])
    config = make_config({"orl": ORL}, {"own": lost})
    figures = {
        "fig4": {"datasets": ["orl"], "networks": ["own"]},
        "fig7": {"dataset": "orl", "networks": ["own"]},
    }
    config = load_config(config.model_dump(exclude_unset=True) | {"figures": figures}, MANIFEST)
    write("results/geometry/orl/own/seed-0.h5")
    assert "networks.own" in absent_of(config)
    write("results/predictions/orl/own/seed-0.csv")
    assert absent_of(config) == {}


def test_what_is_trained_on_or_labelled_by_what_is_absent_is_absent_too():
    wild = {"source": "fer2013", "path": "resources/licensed/fer2013.csv"}
    trained = {"label": "T", "architecture": "light_cnn", "classes": ["happy", "sad"]} | {
        "weights": "train",
        "training": {"dataset": "wild"},
        "stages": {"early": "batchnorm_1", "final": "out_layer"},
    }
    faces = {**ORL, "expression_from": "t"}
    found = absent_of(make_config({"orl": faces, "wild": wild}, {"t": trained}))
    line = "datasets.wild.path = 'resources/licensed/fer2013.csv': no such file or folder"
    assert found["networks.t"] == f"networks.t is trained on {line}"
    assert found["datasets.orl"] == (
        f"datasets.orl is labelled by a network, networks.t is trained on {line}"
    )
    write("results/networks/t/seed-0/model.keras")
    assert absent_of(make_config({"orl": faces, "wild": wild}, {"t": trained})).keys() == {
        "datasets.wild"
    }


# -------------------------------------------------------------------------- weights that npm has


def test_without_npm_a_network_is_absent_unless_its_file_is_there(tmp_path, monkeypatch):
    entry = load_config(ROOT / "config" / "config.yaml", MANIFEST).networks["hse_mobilenet"]
    networks = {"knows": entry.model_dump(exclude_unset=True)}
    config = make_config({"orl": ORL}, networks)
    monkeypatch.setattr(presence.shutil, "which", lambda name: "/usr/bin/npm")
    assert not Plan(config, MANIFEST).absent
    monkeypatch.setattr(presence.shutil, "which", lambda name: None)
    assert "npm, which is not installed" in Plan(config, MANIFEST).absent["networks.knows"]
    write(f"resources/assets/downloads/{MANIFEST['hse_mobilenet']['file']}")
    assert not Plan(config, MANIFEST).absent


def test_a_network_that_knows_people_names_no_expressions():
    plan = Plan(load_config(ROOT / "config" / "config.yaml", MANIFEST), MANIFEST, absent={})
    assert not plan.answers("hse_mobilenet") and plan.answers("nn2")
