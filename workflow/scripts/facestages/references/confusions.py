"""What people answer when they name expressions."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from facestages.errors import FacestagesError, shorten
from facestages.references.contents import Confusions
from facestages.references.judgements import read_judgements
from facestages.references.pictures import Pictures
from facestages.rows import require_number

logger = logging.getLogger(__name__)


def read(entry: Mapping, pictures: Pictures) -> Confusions:
    """Read a CSV table with the columns expression and answer, and perhaps count and rater.

    Without counts, each row is one answer. Counts of the same expression, answer and rater are
    added. Any word is an expression or an answer; the log names expressions that no picture has.

    Raises
    ------
    FacestagesError
        Naming the row where a count is no number, or negative, or a word is missing; or if no
        expression is one of the face set.
    """
    path, counts = entry["path"], {}
    known = ("expression", "answer", "count", "rater")
    for place, row in read_judgements(path, entry["columns"], known, known[:2]):
        number = require_number(place, "count", row["count"]) if "count" in row else 1.0
        if not number >= 0:
            raise FacestagesError(f"{place}: count is '{row['count']}', not a count. Correct it")
        for column in known[:2]:
            if not row[column]:
                raise FacestagesError(f"{place}: {column} is empty. Fill it in, or remove the row")
        key = (row["expression"], row["answer"], row.get("rater", ""))
        counts[key] = counts.get(key, 0.0) + number
    expressions, answers, raters = (
        list(dict.fromkeys(words)) for words in zip(*counts, strict=True)
    )
    _check_expressions(path, expressions, pictures)
    # The same words stand in the same order in both, and other answers last.
    answers = [*(word for word in expressions if word in answers), *answers]
    answers = list(dict.fromkeys(answers))
    count = np.zeros((len(raters), len(expressions), len(answers)))
    for (expression, answer, rater), number in counts.items():
        place = raters.index(rater), expressions.index(expression), answers.index(answer)
        count[place] += number
    if not count.sum():
        raise FacestagesError(f"{path}: all counts are 0. Correct them")
    logger.info("%s: %g answers to %d expressions", path, count.sum(), len(expressions))
    told_apart = raters != [""]
    return Confusions(
        expressions,
        answers,
        count.sum(axis=0),
        [name or "?" for name in raters] if told_apart else [],
        count if told_apart else None,
    )


def _check_expressions(path: str, expressions: list[str], pictures: Pictures) -> None:
    have = set(pictures.labels["expression"]) if "expression" in pictures.labels else set()
    unknown = [word for word in expressions if word not in have]
    if not unknown:
        return
    problem = (
        f"{path}: {len(unknown)} of {len(expressions)} expressions are not in face set "
        f"{pictures.dataset}, such as '{shorten(unknown[0])}'; it has "
        f"{shorten(', '.join(sorted(filter(None, have))) or 'none', 100)}"
    )
    if len(unknown) == len(expressions):
        raise FacestagesError(f"{problem}. Use the same words in both")
    logger.warning("%s", problem)
