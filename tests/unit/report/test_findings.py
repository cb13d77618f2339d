"""Sentences and cards from the table of claims."""

import pandas as pd
import pytest
import yaml

from facestages.assets import shipped
from facestages.claims import judge_claims
from facestages.claims.verdicts import FAILS, HOLDS, IN_PART, NOT_TESTABLE, UNDECIDED
from facestages.report import findings
from facestages.yaml_files import read_yaml

LABELS = ("Net (A; B); C, D", "-1 ; no in X", "Third", "Fourth", "Fifth", "Sixth", "Seventh")
NETWORKS = {
    f"n{number}": {"label": label, "paper": None, "kinds": ["expressions"], "roles": []}
    for number, label in enumerate(LABELS)
}
DATASETS = {
    "video": {"label": "Video", "paper": None, "rendered": True, "of_paper": False},
    "orl": {"label": "ORL", "paper": None, "rendered": False, "of_paper": False},
}
CHECK = {
    "table": "scores",
    "select": {"stage": "early"},
    "each": ["network"],
    "expect": "above",
    "bound": 0,
    "say": "separability less chance, above all",
}


@pytest.fixture
def judge(tmp_path):
    """One claim on numbers with intervals, one a network, and on those of a second check."""

    def run(numbers, *, dataset="video", more=()):
        rows = [
            {"dataset": dataset, "network": f"n{i}", "stage": stage, "value": value}
            | {"ci_low": value - 0.1, "ci_high": value + 0.1}
            for stage, values in (("early", numbers), ("final", more))
            for i, value in enumerate(values)
        ]
        pd.DataFrame(rows).to_csv(tmp_path / "scores.csv", index=False)
        claim = dict.fromkeys(("where", "claim", "reported", "because"), "words")
        checks = [CHECK] + [{**CHECK, "select": {"stage": "final"}, "say": "accuracy"}] * bool(more)
        entry = {"id": "X1", **claim, "decisive": checks, "further": [CHECK]}
        (tmp_path / "claims.yaml").write_text(yaml.safe_dump({"claims": [entry]}))
        files = {"scores": [str(tmp_path / "scores.csv")]}
        return judge_claims(tmp_path / "claims.yaml", files, NETWORKS, DATASETS, {})

    return run


def overall(table):
    return table.iloc[0].to_dict()


def test_a_number_is_told_with_its_interval(judge):
    (check,) = findings.decisive_checks(overall(judge([0.5])))
    assert check.what == CHECK["say"] and check.expected == "above 0"
    assert check.numbers == "Net (A; B); C, D 0.5 [0.4, 0.6]"
    assert findings.answer_in_words(check.answer) == ""


@pytest.mark.parametrize("value, words", [(0.05, "open"), (-0.5, "against the claim")])
def test_one_number_that_is_not_as_expected(judge, value, words):
    (check,) = findings.decisive_checks(overall(judge([value])))
    assert findings.answer_in_words(check.answer) == words
    assert "-" not in check.numbers


def test_all_numbers_of_few_networks_are_listed(judge):
    (check,) = findings.decisive_checks(overall(judge([0.5, -0.25, 0.05])))
    assert findings.list_numbers(check.numbers) == [
        ("Net (A; B); C, D", "0.5 [0.4, 0.6]"),
        ("-1 ; no in X", "−0.25 [−0.35, −0.15]"),
        ("Third", "0.05 [−0.05, 0.15]"),
    ]


def test_what_is_not_as_expected_is_named(judge):
    (check,) = findings.decisive_checks(overall(judge([0.5, 0.6, 0.05, -0.5])))
    assert findings.answer_in_words(check.answer) == (
        "2 of 4 as expected; against the claim: Fourth −0.5 [−0.6, −0.4]; "
        "open: Third 0.05 [−0.05, 0.15]"
    )


def test_of_many_that_are_not_as_expected_the_first_are_named(judge):
    (check,) = findings.decisive_checks(overall(judge([0.5] + [0.05] * 6)))
    words = findings.answer_in_words(check.answer, 2)
    assert words.startswith("1 of 7 as expected; open: -1 ; no in X 0.05 [−0.05, 0.15], Third ")
    assert words.endswith("and 4 more")
    assert check.numbers == "0.05 to 0.5 (7 numbers)"


@pytest.mark.parametrize(
    "note", ["valence and arousal are declared", "x: CIRCULAR", "FURTHER: y: no, 2"]
)
@pytest.mark.parametrize(
    "answer", ["no, 0.5 [0.4, 0.6]", "yes in 2 of 2", "open in A 0.5 / B 1 [0, 2]"]
)
def test_what_follows_a_check_is_not_its_answer(note, answer):
    row = {
        "rule": "a above 0",
        "ours": "a: A 0.5, B 1 [0, 2]",
        "why": f"a above 0: {answer}; {note}",
    }
    assert findings.decisive_checks(row)[0].answer == answer


def test_a_name_within_another_is_not_taken_for_it():
    row = {"rule": "balanced accuracy above 0; accuracy above 1", "why": ""}
    row["ours"] = "balanced accuracy: 0.5 [0.4, 0.6]; accuracy: A 2 [1, 3], B 4 [3, 5]"
    numbers = [check.numbers for check in findings.decisive_checks(row)]
    assert numbers == ["0.5 [0.4, 0.6]", "A 2 [1, 3], B 4 [3, 5]"]


def test_names_left_out_already_count():
    answer = "yes in 1 of 9, no in A 1 [0, 2] / B 2 [1, 3] / C 3 [2, 4] and 5 more"
    words = findings.answer_in_words(answer, 2)
    assert words == "1 of 9 as expected; against the claim: A 1 [0, 2], B 2 [1, 3] and 6 more"


def test_two_checks_keep_their_numbers_apart(judge):
    first, second = findings.decisive_checks(overall(judge([0.5, 0.6], more=[0.7, -0.7])))
    assert findings.shorten_numbers(first.numbers, 1) == "0.5 to 0.6 (2 numbers)"
    assert [number for _, number in findings.list_numbers(second.numbers)] == [
        "0.7 [0.6, 0.8]",
        "−0.7 [−0.8, −0.6]",
    ]
    assert findings.answer_in_words(first.answer) == ""
    assert findings.answer_in_words(second.answer).startswith("1 of 2 as expected; against")


@pytest.mark.parametrize(
    "text, short",
    [
        ("A 0.5 [0.4, 0.6], B −1.5 [−2, −1], C 2e-05 [1e-05, 3e-05]", "−1.5 to 0.5 (3 numbers)"),
        ("A 0.9 (p = 0.002), B 0.9 (p = 0.1)", "0.9 (2 numbers)"),
        ("A 0.3 [0.1, 0.4] (p = 0.36), B 1,200 [1,100, 1,300]", "0.3 to 1,200 (2 numbers)"),
        ("0.1 to 0.8 (11 numbers)", "0.1 to 0.8 (11 numbers)"),
        ("NN1 2,395,075", "NN1 2,395,075"),
    ],
)
def test_many_numbers_are_told_by_the_ends(text, short):
    assert findings.shorten_numbers(text, 1) == short


def test_a_sentence_says_what_decides_and_on_which_faces(judge):
    (told,) = findings.tell_findings(judge([0.5, 0.6], more=[0.05, 0.8]), {"X1": "it is so"})
    assert told.sentence == "This run leaves undecided whether it is so."
    assert told.numbers == (
        "Accuracy, expected above 0: Net (A; B); C, D 0.05 [−0.05, 0.15], "
        "-1 ; no in X 0.8 [0.7, 0.9] "
        "(1 of 2 as expected; open: Net (A; B); C, D 0.05 [−0.05, 0.15]); "
        "all else that decides is as expected (1 of 2 checks). Judged on RENDERED faces."
    )


def test_a_claim_without_words_of_its_own_is_quoted(judge):
    (told,) = findings.tell_findings(judge([0.5], dataset="orl"), {})
    assert told.sentence == "This run finds that “words”."
    assert told.numbers.endswith("0.5 [0.4, 0.6]. Judged on photographs.")


def claims(*verdicts):
    texts = ("dataset", "ours", "rule", "why", "faces", "agreement", "claim")
    rows = [{"id": f"X{i}", "verdict": one} for i, one in enumerate(verdicts)]
    return pd.DataFrame(rows).assign(**dict.fromkeys(texts, ""))


def test_the_topics_come_first_and_nothing_untestable():
    table = claims(HOLDS, NOT_TESTABLE, FAILS, UNDECIDED, IN_PART, HOLDS, HOLDS, HOLDS)
    told = findings.tell_findings(table, {"X3": "a", "X1": "b", "X2": "c"})
    assert [one.claim for one in told] == ["X3", "X2", "X0", "X4", "X5", "X6"]


def test_verdicts_are_counted_over_all_face_sets():
    table = claims(HOLDS, HOLDS, IN_PART, FAILS, NOT_TESTABLE)
    table = pd.concat([table, table.assign(dataset="video")])
    assert findings.count_verdicts(table) == (
        "Of 4 claims that this run can test, 2 hold, 1 hold in part, 0 are undecided and 1 fail; "
        "1 more cannot be tested here."
    )
    nothing = findings.count_verdicts(claims(NOT_TESTABLE, NOT_TESTABLE))
    assert nothing == "None of the 2 claims can be tested with these networks and faces."


@pytest.mark.parametrize(
    "faces, why, words",
    [
        ("photographs and rendered", "", ["photographs and RENDERED faces"]),
        ("", "valence and arousal are declared, not rated", ["DECLARED valence and arousal"]),
        ("photographs", "CIRCULAR: own", ["photographs", "a CIRCULAR comparison"]),
    ],
)
def test_what_a_verdict_rests_on(faces, why, words):
    assert findings.tags({"faces": faces, "why": why}) == words


def test_every_topic_is_a_claim():
    topics = read_yaml(shipped("workflow/report/findings.yaml"))
    names = [entry["id"] for entry in read_yaml(shipped("resources/claims.yaml"))["claims"]]
    assert set(topics) <= set(names) and len(topics) >= 6
    # Second halves of sentences.
    assert all(says[0].islower() and not says.endswith(".") for says in topics.values())
