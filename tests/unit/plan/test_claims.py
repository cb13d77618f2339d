"""What claims are judged by."""

from facestages.plan.claims import plan_claims


def test_claims_come_from_what_can_be_drawn(default, plan):
    everything = plan_claims(plan(default)).world
    assert all(everything["files"].values()) and not everything["absent"]
    some = plan_claims(plan(default), ["figures.fig4"]).world
    tables = [name for name, files in some["files"].items() if files]
    assert tables == ["separability", "separability_people", "decoding", "instances"]
    assert some["absent"]["fig5"] == "figures.fig5 cannot be drawn here"


def test_claims_know_what_networks_were_trained_to_tell(default, plan):
    networks = plan_claims(plan(default)).world["networks"]
    kinds = {name: set(entry["kinds"]) for name, entry in networks.items()}
    assert {"expressions", "trained on expression", "trained on faces"} <= kinds["mini_xception"]
    assert {"trained on identity", "trained on faces"} <= kinds["hse_mobilenet"]
    assert "trained on objects" in kinds["efficientnet_lite0"]
    assert {"trained on identity and expression", "trained on faces"} <= kinds["twin_both"]
    assert not any(kind.startswith("trained") for kind in kinds["nn3"] | kinds["pixels"])


def test_every_table_of_a_claim_is_an_input(default, plan):
    files, world = plan_claims(plan(default))
    assert sorted(files) == sorted(path for paths in world["files"].values() for path in paths)


def test_claims_know_kinds_of_networks_and_what_the_paper_had(paper, plan):
    world = plan_claims(plan(paper, {"networks.resmasknet": "no ResMaskNet"}), []).world
    assert world["networks"]["nn1"]["kinds"][0] == "expressions"
    assert world["networks"]["nn3"]["kinds"] == ["untrained", "figure4"]
    assert world["networks"]["nn3"]["roles"] == ["untrained"]
    assert world["networks"]["vgg16"]["roles"] == ["objects"]
    assert world["absent"]["RMN"] == "no ResMaskNet"
    assert not world["datasets"]["kdef"]["rendered"]
