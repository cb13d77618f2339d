"""Expression labels from coded FACS action units, by versioned rules.

This module imports nothing heavy, as the config checks its rules with `parse_rules` at the start of
every run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.expressions import EXPRESSIONS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: The action units that DISFA codes (Mavadati et al. 2013, doi:10.1109/T-AFFC.2013.4).
DISFA_UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)

#: "au-rule-v1": expression -> rule; of several rules that fit, the first wins. The rules are the
#: prototypes of the FACS investigator's guide (Ekman, Friesen and Hager 2002), without the units
#: that DISFA does not code. The reasons for the order:
#:
#: - Fear has every unit of surprise and of angry, so it must come before both. Surprise comes
#:   before angry: raised brows with AU 4 are not the lowered brows of anger.
#: - Surprise comes before happy: amused surprise is more than a smile with raised brows (AU 5, open
#:   mouth), and a smile alone never fits surprise.
#: - Happy comes before sad and disgust: AU 15 dampens the smile of AU 12, and a laugh may wrinkle
#:   the nose (AU 9), but cheeks and lip corners stay raised.
#: - Disgust comes before angry: AU 9 is a sign of disgust alone, and lowers the brows like AU 4.
#: - Angry comes last, because it is the least certain: AU 7, 23 and 24 are not coded, and other
#:   expressions share AU 4 and 5.
RULES_V1: dict[str, str] = {
    "fear": "1+2+4+5+20+25|26",
    "surprise": "1+2+5+25|26",
    "happy": "6+12",
    "sad": "1+4+15",
    "disgust": "9",
    "angry": "4+5",
}

#: Name of frames without a label in counts; in a face set their label is "".
UNLABELLED = "unlabelled"

_STRONGEST = 5


def parse_rules(
    rules: Mapping[str, str], coded: Collection[int]
) -> dict[str, tuple[tuple[int, ...], ...]]:
    """Check and parse rules.

    Parameters
    ----------
    rules : mapping of str to str
        Expression -> rule, e.g. ``"1+2+5+25|26"``. A rule is terms joined by ``+``, which must all
        hold; a term is action units joined by ``|``, of which one must hold. ``neutral`` has no
        rule.
    coded : collection of int
        The action units that are coded.

    Returns
    -------
    dict of str to tuple of tuple of int
        Expression -> its terms, each the action units of which one must hold.

    Raises
    ------
    FacestagesError
        If an expression is unknown or neutral, a rule is not text, a term is empty or is not action
        units, or a unit is not coded.
    """
    return {expression: _parse_rule(expression, rule, coded) for expression, rule in rules.items()}


def _parse_rule(expression: str, rule: str, coded: Collection[int]) -> tuple[tuple[int, ...], ...]:
    if expression == "neutral":
        raise FacestagesError(
            "rules: 'neutral' takes no rule, it is every action unit at 0. Remove it"
        )
    if expression not in EXPRESSIONS:
        hint = did_you_mean(expression, set(EXPRESSIONS) - {"neutral"})
        raise FacestagesError(f"rules: unknown expression '{shorten(expression)}'; {hint}")
    if not isinstance(rule, str):
        raise FacestagesError(
            f"rules: {expression}: {shorten(rule)} is not text. Write action units in quotes, "
            f"e.g. '6+12'"
        )
    where = f"rules: {expression}: '{shorten(rule)}'"
    return tuple(_parse_term(where, term, coded) for term in rule.split("+"))


def _parse_term(where: str, term: str, coded: Collection[int]) -> tuple[int, ...]:
    units = []
    for text in (part.strip() for part in term.split("|")):
        if not (text.isascii() and text.isdigit() and len(text) < 4):
            problem = f"'{shorten(text)}' is no action unit" if text else "has an empty term"
            raise FacestagesError(
                f"{where}: {problem}. Join numbers of action units by + (all) and | (any), "
                f"e.g. '1+2+5+25|26'"
            )
        if int(text) not in coded:
            raise FacestagesError(
                f"{where}: action unit {text} is not coded. Coded are "
                f"{', '.join(map(str, sorted(coded)))}"
            )
        units.append(int(text))
    return tuple(units)


def label_expressions(
    intensities: pd.DataFrame | np.ndarray,
    units: Sequence[int],
    rules: Mapping[str, str],
    threshold: int,
) -> np.ndarray:
    """Label frames with the expression of their action units.

    Parameters
    ----------
    intensities : array-like, shape (n, n_units)
        FACS intensities, 0 (absent) to 5.
    units : sequence of int, length n_units
        The action unit of each column.
    rules : mapping of str to str
        As for `parse_rules`; of several rules that fit, the first wins.
    threshold : int
        A unit holds at this intensity, 1 to 5, or a higher one.

    Returns
    -------
    numpy.ndarray of str (object), shape (n,)
        ``neutral`` where every unit is 0, at any threshold; ``""`` where not all units are 0 and no
        rule fits.

    Raises
    ------
    FacestagesError
        If the rules or the threshold are not as described.
    ValueError
        If `intensities` does not have one column for each unit.
    """
    import numpy as np

    parsed = parse_rules(rules, units)
    if threshold not in range(1, _STRONGEST + 1):
        raise FacestagesError(
            f"threshold = {threshold!r}: must be an intensity of action units, 1 to {_STRONGEST}"
        )
    values = np.asarray(intensities)
    if values.ndim != 2 or values.shape[1] != len(units):
        raise ValueError(f"intensities of shape {values.shape} for {len(units)} action units")
    column = {unit: number for number, unit in enumerate(units)}
    holds = values >= threshold
    labels = np.full(len(values), "", dtype=object)
    # Backwards, so that earlier rules overwrite later ones.
    for expression, terms in reversed(parsed.items()):
        fits = np.ones(len(values), bool)
        for term in terms:
            fits &= holds[:, [column[unit] for unit in term]].any(axis=1)
        labels[fits] = expression
    labels[(values == 0).all(axis=1)] = "neutral"
    return labels


def count_labels(
    intensities: pd.DataFrame | np.ndarray,
    units: Sequence[int],
    rules: Mapping[str, str],
    thresholds: Sequence[int] = (1, 2, 3),
) -> dict[str, dict[str, int]]:
    """Count the frames of one subject with each label of `label_expressions`, at each threshold.

    Threshold (text, as in JSON) -> expression or ``unlabelled`` -> number of frames.
    """
    counts = {}
    for threshold in thresholds:
        labels = label_expressions(intensities, units, rules, threshold)
        counts[str(threshold)] = {
            name: int((labels == ("" if name == UNLABELLED else name)).sum())
            for name in (*EXPRESSIONS, UNLABELLED)
        }
    return counts


def agreement(a: Sequence[str], b: Sequence[str]) -> dict[str, object]:
    """Agreement of two sources of a label, `a` and `b`, on the pictures that both label.

    Returns
    -------
    dict
        ``n``: pictures with both labels; ``""`` is a missing one. ``percent``: part of them with
        equal labels, None without pictures. ``kappa``: Cohen's (1960,
        doi:10.1177/001316446002000104), None where it is undefined (no pictures, or one label
        alone). ``confusion``: counts by label of `a` and label of `b`.

    Raises
    ------
    ValueError
        If `a` and `b` differ in length.
    """
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x != "" and y != ""]
    labels = {label for pair in pairs for label in pair}
    names = [name for name in EXPRESSIONS if name in labels] + sorted(labels - set(EXPRESSIONS))
    confusion = {name: dict.fromkeys(names, 0) for name in names}
    for x, y in pairs:
        confusion[x][y] += 1
    alike = sum(confusion[name][name] for name in names)
    return {
        "n": len(pairs),
        "percent": 100 * alike / len(pairs) if pairs else None,
        # With one label alone, agreement by chance is complete, and kappa is 0/0.
        "kappa": _kappa(pairs) if len(names) > 1 else None,
        "confusion": confusion,
    }


def _kappa(pairs: list[tuple[str, str]]) -> float:
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(*zip(*pairs, strict=True)))
