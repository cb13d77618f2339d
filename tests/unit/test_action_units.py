"""Expressions from action units: what each rule says, which wins, and how two sources agree."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facestages.action_units import (
    DISFA_UNITS,
    RULES_V1,
    agreement,
    count_labels,
    label_expressions,
    parse_rules,
)
from facestages.errors import FacestagesError
from facestages.expressions import EXPRESSIONS

LIBRARY = Path(__file__).parents[2] / "workflow" / "scripts"


def frames(*active):
    """One frame for each dict of unit -> intensity; the other units are 0."""
    return pd.DataFrame([[row.get(unit, 0) for unit in DISFA_UNITS] for row in active])


def label(units, threshold=1, rules=RULES_V1):
    return label_expressions(frames(units), DISFA_UNITS, rules, threshold)[0]


def all_at(level, *units):
    return dict.fromkeys(units, level)


def refusal(rules, coded=DISFA_UNITS):
    with pytest.raises(FacestagesError) as caught:
        parse_rules(rules, coded)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


# ------------------------------------------------------------------------------- labels


@pytest.mark.parametrize(
    "units, expression",
    [
        ((6, 12), "happy"),
        ((1, 4, 15), "sad"),
        ((1, 2, 5, 25), "surprise"),
        ((1, 2, 5, 26), "surprise"),
        ((1, 2, 5, 25, 26), "surprise"),
        ((1, 2, 4, 5, 20, 25), "fear"),
        ((1, 2, 4, 5, 20, 26), "fear"),
        ((9,), "disgust"),
        ((9, 15, 17), "disgust"),
        ((4, 5), "angry"),
        ((), "neutral"),
    ],
)
@pytest.mark.parametrize("threshold", [1, 2, 3])
def test_prototypes(units, expression, threshold):
    assert label(all_at(threshold, *units), threshold) == expression


@pytest.mark.parametrize("rule", RULES_V1)
def test_every_term_is_needed(rule):
    terms = parse_rules(RULES_V1, DISFA_UNITS)[rule]
    for left_out in terms:
        units = [unit for term in terms if term != left_out for unit in term]
        assert label(all_at(3, *units)) != rule


@pytest.mark.parametrize(
    "units, expression",
    [
        ((1, 2, 4, 5, 20, 25), "fear"),  # Also fits surprise and angry.
        ((1, 2, 4, 5, 25), "surprise"),  # Also fits angry.
        ((1, 2, 5, 6, 12, 25), "surprise"),  # Also fits happy.
        ((1, 4, 6, 12, 15), "happy"),  # Also fits sad.
        ((6, 9, 12), "happy"),  # Also fits disgust.
        ((1, 4, 9, 15), "sad"),  # Also fits disgust.
        ((4, 5, 9), "disgust"),  # Also fits angry.
    ],
)
def test_precedence(units, expression):
    assert label(all_at(2, *units)) == expression


def test_the_first_rule_wins():
    units = all_at(1, 6, 9, 12)
    assert label(units, rules={"happy": "6+12", "disgust": "9"}) == "happy"
    assert label(units, rules={"disgust": "9", "happy": "6+12"}) == "disgust"


def test_no_rule_hides_a_later_one():
    names = list(RULES_V1)
    parsed = parse_rules(RULES_V1, DISFA_UNITS)
    for name in names:
        smallest = all_at(1, *(term[0] for term in parsed[name]))
        assert label(smallest) == name


def test_threshold():
    assert label({6: 2, 12: 1}, 1) == "happy"
    assert label({6: 2, 12: 1}, 2) == ""
    assert label({17: 1}, 1) == "", "a coded unit without a rule is not neutral"
    assert label({17: 1}, 5) == "", "neutral is every unit at 0, whatever the threshold"
    assert label({}, 5) == "neutral"
    for wrong in (0, 6, 1.5, "1"):
        with pytest.raises(FacestagesError, match=r"threshold = .*1 to 5"):
            label({}, wrong)


def label_in_words(row):
    held = {unit for unit, value in zip(DISFA_UNITS, row, strict=True) if value >= 1}
    mouth_open = bool({25, 26} & held)
    if not held:
        return "neutral"
    if {1, 2, 4, 5, 20} <= held and mouth_open:
        return "fear"
    if {1, 2, 5} <= held and mouth_open:
        return "surprise"
    if {6, 12} <= held:
        return "happy"
    if {1, 4, 15} <= held:
        return "sad"
    if 9 in held:
        return "disgust"
    return "angry" if {4, 5} <= held else ""


def test_many_frames_against_one_by_one():
    random = np.random.default_rng(0)
    values = random.integers(1, 6, (2000, 12)) * (random.random((2000, 12)) < 0.5)
    values[:10] = 0
    labels = label_expressions(values, DISFA_UNITS, RULES_V1, 1)
    assert labels.dtype == object and labels.shape == (2000,)
    assert list(labels) == list(map(label_in_words, values))
    assert set(labels) == {*EXPRESSIONS, ""}


def test_units_are_found_by_number():
    values = np.array([[0, 1, 1]])
    assert label_expressions(values, (25, 12, 6), {"happy": "6+12"}, 1)[0] == "happy"
    with pytest.raises(ValueError, match=r"\(1, 3\) for 2 action units"):
        label_expressions(values, (6, 12), {"happy": "6+12"}, 1)


def test_counts():
    values = frames({6: 1, 12: 1}, {6: 3, 12: 2}, {}, {}, {17: 5})
    counts = count_labels(values, DISFA_UNITS, RULES_V1)
    assert counts == json.loads(json.dumps(counts)), "plain values only"
    assert [counts[t]["happy"] for t in "123"] == [2, 1, 0]
    assert [counts[t]["neutral"] for t in "123"] == [2, 2, 2]
    assert [counts[t]["unlabelled"] for t in "123"] == [1, 2, 3]
    assert set(counts["1"]) == {*EXPRESSIONS, "unlabelled"}
    assert all(sum(row.values()) == 5 for row in counts.values())


# ------------------------------------------------------------------------------- rules


def test_parse_rules():
    parsed = parse_rules({"fear": "1 + 2+25 | 26", "disgust": "9"}, DISFA_UNITS)
    assert parsed == {"fear": ((1,), (2,), (25, 26)), "disgust": ((9,),)}
    assert list(parsed) == ["fear", "disgust"]
    assert list(parse_rules(RULES_V1, DISFA_UNITS)) == list(RULES_V1)


@pytest.mark.parametrize(
    "rules, parts",
    [
        ({"hapy": "6+12"}, ["'hapy'", "did you mean 'happy'", "Allowed: angry"]),
        ({"neutral": "6"}, ["'neutral' takes no rule", "Remove it"]),
        ({"disgust": 9}, ["disgust", "9 is not text", "in quotes"]),
        ({"happy": "6+13"}, ["happy", "'6+13'", "13 is not coded", "1, 2, 4, 5, 6"]),
        ({"happy": "6++12"}, ["happy", "'6++12'", "empty term", "+ (all)"]),
        ({"happy": ""}, ["happy", "empty term"]),
        ({"happy": "6+12|"}, ["happy", "empty term", "| (any)"]),
        ({"happy": "AU6+12"}, ["happy", "'AU6' is no action unit"]),
        ({"happy": "6-12"}, ["happy", "'6-12' is no action unit"]),
        ({"happy": "6²"}, ["happy", "'6²' is no action unit"]),
    ],
)
def test_rules_that_are_refused(rules, parts):
    message = refusal(rules)
    assert all(part in message for part in parts), message


def test_module_itself_needs_nothing_heavy():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from facestages import action_units as module\n"
        "module.parse_rules(module.RULES_V1, module.DISFA_UNITS)\n"
        "print({'numpy', 'pandas', 'sklearn'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(LIBRARY)], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"


# ------------------------------------------------------------------------------- agreement


def test_agreement_known_answer():
    # 20 and 15 alike of 50, 5 and 10 not: kappa 0.4.
    a = ["happy"] * 25 + ["sad"] * 25
    b = ["happy"] * 20 + ["sad"] * 5 + ["happy"] * 10 + ["sad"] * 15
    result = agreement(a + ["", "happy", ""], b + ["sad", "", ""])
    assert result["n"] == 50
    assert result["percent"] == 70
    assert result["kappa"] == pytest.approx(0.4)
    assert result["confusion"] == {
        "happy": {"happy": 20, "sad": 5},
        "sad": {"happy": 10, "sad": 15},
    }
    assert result == json.loads(json.dumps(result)), "plain values only"


def test_agreement_of_arrays():
    a = np.array(["happy", "fear", ""], dtype=object)
    result = agreement(a, pd.Series(["happy", "happy", "sad"]))
    assert (result["n"], result["percent"], result["kappa"]) == (2, 50, 0)
    assert list(result["confusion"]) == ["fear", "happy"], "in the order of EXPRESSIONS"


@pytest.mark.filterwarnings("error")
def test_agreement_where_there_is_none():
    empty = {"n": 0, "percent": None, "kappa": None, "confusion": {}}
    assert agreement([], []) == empty
    assert agreement(["happy", ""], ["", "sad"]) == empty
    one_label = agreement(["happy", "happy"], ["happy", "happy"])
    assert (one_label["n"], one_label["percent"], one_label["kappa"]) == (2, 100, None)
    apart = agreement(["happy", "happy"], ["sad", "sad"])
    assert (apart["percent"], apart["kappa"]) == (0, 0)
    with pytest.raises(ValueError):
        agreement(["happy"], [])
