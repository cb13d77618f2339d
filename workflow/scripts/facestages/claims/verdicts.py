"""The rules by which numbers become verdicts.

A claim has *decisive* checks, which are stated before any number is known, and further ones. Each
check of a number is met, contradicted or open. It is

- met, if the whole 95 % interval is as expected;
- contradicted, if the whole interval is not, although it is widened for the number of comparisons
  among which a counterexample was looked for;
- open otherwise, and always where a number has no interval.

A claim about every network and face set *holds* if all decisive numbers are met, which needs no
correction (Berger 1982, doi:10.1080/00401706.1982.10487790: the intersection-union test), and
*holds in part* if further checks contradict it. It *fails* if one decisive number contradicts it.
Otherwise it is *undecided*: the run neither shows it nor refutes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from facestages.claims.numbers import Number, widen

HOLDS, IN_PART, UNDECIDED, FAILS = "holds", "holds in part", "undecided", "fails"
NOT_TESTABLE = "not testable here"
#: All verdicts, from the best to none.
VERDICTS = (HOLDS, IN_PART, UNDECIDED, FAILS, NOT_TESTABLE)

#: Level of p-values.
LEVEL = 0.05


def compare(number: Number, check: Mapping, tried: int = 1, among: int = 1) -> bool | None:
    """Whether a number is as a check expects: met (True), contradicted (False) or open (None).

    Parameters
    ----------
    number : Number
    check : mapping
        Its keys ``expect``, ``bound``, ``within``, ``p`` and ``exact``, described in
        ``resources/claims.yaml``.
    tried : int
        Number of ways to meet the claim, of which the best one counts.
    among : int
        Number of decisive numbers, each of which may contradict the claim.
    """
    bound, value = float(check["bound"]), number.value
    if check["expect"] == "near":
        within = float(check["within"])
        lowest, highest = bound - within, bound + within
    else:
        lowest, highest = (bound, math.inf) if check["expect"] == "above" else (-math.inf, bound)
    if check.get("exact"):
        return lowest <= value <= highest
    if "p" in check:
        if lowest < value < highest:
            return True if number.p * tried < LEVEL else None
        return False if number.p * among < LEVEL and not check.get("size") else None
    low, high = widen(number, tried)
    if low > lowest and high < highest:
        return True
    low, high = widen(number, among)
    return False if high < lowest or low > highest else None


def judge(decisive: Sequence[bool | None], further: Sequence[bool | None] = ()) -> str:
    """The verdict from what `compare` says of each number."""
    if not decisive:
        return NOT_TESTABLE
    if any(one is False for one in decisive):
        return FAILS
    if any(one is None for one in decisive):
        return UNDECIDED
    return IN_PART if any(one is False for one in further) else HOLDS
