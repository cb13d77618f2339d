"""What a run finds, in sentences that are made from the numbers of its claims."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from facestages.claims.verdicts import FAILS, HOLDS, IN_PART, NOT_TESTABLE, UNDECIDED

# First halves of sentences.
_LEADS = {
    HOLDS: "This run finds that",
    IN_PART: "This run finds, with exceptions, that",
    UNDECIDED: "This run leaves undecided whether",
    FAILS: "This run contradicts the claim that",
}
# How many claims are told one by one.
_TOLD = 6
# More numbers than these are told by the lowest and the highest.
_LISTED = 3

_NUMBER = r"[-\N{MINUS SIGN}]?\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?"
_INTERVAL = rf" (?:\[{_NUMBER}, {_NUMBER}\]|\(p = {_NUMBER}\))"
# A number that an interval or a p-value follows, and before it what it is of.
_MEASURED = re.compile(rf"(?P<of>.*?)(?P<number>(?P<value>{_NUMBER})(?:{_INTERVAL})+)(?:, |$)")
# How an answer names the numbers that are not as expected.
_OUTCOME = re.compile(r"(?:^|, )(no|open) in ")
_OUTCOMES = {"yes": "", "no": "against the claim", "open": "open"}
# Where the numbers of a check end; a label may hold a semicolon.
_END = re.compile(rf"( {_NUMBER}(?:{_INTERVAL})*| numbers\)| more)(?=; )")
_COUNT = re.compile(r" \((\d+) numbers\)$")
_BOUND = re.compile(r" (?:above|below|within|exactly) ")
_MINUS = re.compile(r"(?<![\w.)-])-(?=\d+\.\d|\d\.?\d*e|\d+ to )")


class Check(NamedTuple):
    """A decisive check of a claim, in words."""

    #: What the number is.
    what: str
    #: What was expected of it, ``"above 0"``.
    expected: str
    #: The numbers with their intervals.
    numbers: str
    #: Which of them are as expected, as the column ``why`` of the claims says it.
    answer: str


class Finding(NamedTuple):
    """What is found of a claim."""

    claim: str
    verdict: str
    sentence: str
    #: The numbers that decide, where face sets differ, and what it was judged on.
    numbers: str


def decisive_checks(row: Mapping[str, str]) -> list[Check]:
    """The decisive checks of a row of `claims.judge_claims`."""
    rules = row["rule"].split("; ") if row["rule"] else []
    whats = [_what(rule, row["ours"]) for rule in rules]
    return [
        Check(
            what,
            _with_minus(rule[len(what) + 1 :]),
            _with_minus(_after(what, row["ours"])),
            _after(rule, row["why"]),
        )
        for rule, what in zip(rules, whats, strict=True)
    ]


def _what(rule: str, ours: str) -> str:
    """What a rule bounds: its words before the bound, by which the numbers are named."""
    ends = [found.start() for found in _BOUND.finditer(rule)]
    named = (rule[:end] for end in ends if f"{rule[:end]}: " in ours)
    return next(named, rule[: ends[0]] if ends else rule)


def _after(name: str, text: str) -> str:
    """What a text of parts says after a name and its colon, until its numbers end."""
    _, _, rest = f"; {text}".partition(f"; {name}:")
    end = _END.search(rest)
    return rest[: end.end() if end else None].strip()


def answer_in_words(answer: str, most: int = _LISTED) -> str:
    """Which numbers are as expected, and so many of those that are not; empty if all are."""
    if answer.startswith(("yes, ", "no, ", "open, ")):
        return _OUTCOMES[answer.partition(",")[0]]
    met, *others = _OUTCOME.split(answer)
    number, _, of = met.removeprefix("yes in ").partition(" of ")
    if not number and len(others) == 2:
        return _OUTCOMES[others[0]]
    parts = [f"{number} of {of} as expected"] * (number != of)
    for outcome, names in zip(others[::2], others[1::2], strict=True):
        parts.append(f"{_OUTCOMES[outcome]}: {_shorten(names, most)}")
    return _with_minus("; ".join(parts))


def _shorten(names: str, most: int) -> str:
    """The first of a list of names, and how many more there are."""
    listed, left = names, 0
    if names.endswith(" more"):
        listed, _, more = names.removesuffix(" more").rpartition(" and ")
        left = int(more)
    kept = listed.split(" / ")
    left += len(kept[most:])
    return ", ".join(kept[:most]) + (f" and {left} more" if left else "")


def _with_minus(text: str) -> str:
    return _MINUS.sub("\N{MINUS SIGN}", text)


def list_numbers(numbers: str) -> list[tuple[str, str]]:
    """Numbers in words as pairs: of what, and the number with its interval."""
    found = [(one["of"].strip(), one["number"]) for one in _MEASURED.finditer(numbers)]
    return found or [("", numbers)]


def shorten_numbers(numbers: str, most: int = _LISTED) -> str:
    """Numbers in words; of more than so many the lowest and the highest."""
    found = [one["value"] for one in _MEASURED.finditer(numbers)]
    if len(found) <= most:
        return numbers
    low, high = (choose(found, key=_as_number) for choose in (min, max))
    ends = low if low == high else f"{low} to {high}"
    return f"{ends} ({len(found)} numbers)"


def _as_number(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))


def tell_findings(claims: pd.DataFrame, topics: Mapping[str, str]) -> list[Finding]:
    """Sentences about the claims that the run tests, those of `topics` first, at most six.

    Parameters
    ----------
    claims : pandas.DataFrame
        The table of `claims.judge_claims`.
    topics : mapping of str to str
        What a claim says, as the second half of a sentence: ``workflow/report/findings.yaml``.
        Other claims are quoted.
    """
    whole = claims[(claims["dataset"] == "") & (claims["verdict"] != NOT_TESTABLE)]
    rows = {row["id"]: row for row in whole.to_dict("records")}
    order = [name for name in topics if name in rows]
    order += [name for name in rows if name not in topics]
    return [_tell(rows[name], topics.get(name)) for name in order[:_TOLD]]


def count_verdicts(claims: pd.DataFrame) -> str:
    """The sentence on how many claims hold."""
    verdicts = Counter(claims.loc[claims["dataset"] == "", "verdict"])
    tested, untested = verdicts.total() - verdicts[NOT_TESTABLE], verdicts[NOT_TESTABLE]
    if not tested:
        return f"None of the {untested} claims can be tested with these networks and faces."
    parts = [f"{verdicts[HOLDS]} hold"]
    parts += [f"{verdicts[IN_PART]} hold in part"] * (IN_PART in verdicts)
    parts += [f"{verdicts[UNDECIDED]} are undecided", f"{verdicts[FAILS]} fail"]
    text = f"Of {tested} claims that this run can test, {', '.join(parts[:-1])} and {parts[-1]}"
    return f"{text}; {untested} more cannot be tested here." if untested else f"{text}."


def _tell(row: Mapping[str, str], says: str | None) -> Finding:
    quoted = f"“{row['claim']}”"
    checks = decisive_checks(row)
    # What is not as expected decides, where something is.
    deciding = [check for check in checks if answer_in_words(check.answer)] or checks
    parts = [*map(_in_words, deciding)]
    if met := len(checks) - len(deciding):
        parts.append(f"all else that decides is as expected ({met} of {len(checks)} checks)")
    numbers = f"{'; '.join(parts)}."
    return Finding(
        row["id"],
        row["verdict"],
        f"{_LEADS[row['verdict']]} {says or quoted}.",
        " ".join([numbers[:1].upper() + numbers[1:], *_differences(row), *_hedges(row)]),
    )


def _in_words(check: Check) -> str:
    numbers, answer = shorten_numbers(check.numbers), answer_in_words(check.answer, 2)
    if " of " in answer:
        # It says how many there are.
        numbers = _COUNT.sub("", numbers)
    elif not answer:
        numbers = _COUNT.sub(r" (all \1 numbers as expected)", numbers)
    text = f"{check.what}, expected {check.expected}: {numbers}"
    return f"{text} ({answer})" if answer else text


def _differences(row: Mapping[str, str]) -> Iterator[str]:
    if row["agreement"].startswith("the face sets differ"):
        yield f"{row['agreement'][:1].upper()}{row['agreement'][1:]}."


def _hedges(row: Mapping[str, str]) -> Iterator[str]:
    words = tags(row)
    if words:
        yield f"Judged on {', '.join(words)}."


def tags(row: Mapping[str, str]) -> list[str]:
    """What a verdict rests on: kinds of faces, declared labels, a circular comparison."""
    words = []
    if row["faces"]:
        words.append(row["faces"].replace("rendered", "RENDERED faces"))
    if "valence and arousal are declared" in row["why"]:
        words.append("DECLARED valence and arousal")
    if "CIRCULAR" in row["why"]:
        words.append("a CIRCULAR comparison")
    return words
