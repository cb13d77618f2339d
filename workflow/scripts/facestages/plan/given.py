"""What the user hands in, as jobs are told of it: by its content.

A param ``given`` is a list of ``[kind, arguments, digest]``, one for each file, folder or module of
the user's that a job depends on; kind and arguments are those of `contents.digest_given`. These
files are no inputs of Snakemake, as their times must not count.

Where such a file is not there, the digest is that which the note of the product has. So the product
stays good as long as all else that its job is told is the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from facestages import notes
from facestages.errors import FacestagesError
from facestages.plan.presence import GivenPath, find_problem, given_in, missing_message

if TYPE_CHECKING:
    from facestages.plan import Plan

Given = list[list]


def give(plan: Plan, section: str, product: str, kind: str, *arguments: object) -> Given:
    """An entry of the param ``given``, in a list.

    Parameters
    ----------
    plan : Plan
    section : str
        Section of the config that names the paths among the arguments, e.g. ``datasets.kdef``.
    product : str
        The file that is made from what is given.
    kind : str
    *arguments

    Raises
    ------
    FacestagesError
        If a path is not there, and the product has no note of it, or what is there is refused.
    """
    gone = find_gone(plan, section, arguments)
    if not gone:
        if not section.startswith("networks."):
            require_usable(i for i in given_in(plan.config, section) if i.path in arguments)
        try:
            return [[kind, list(arguments), plan.digest_given(kind, *arguments)]]
        except FacestagesError as error:
            raise FacestagesError(f"config: {section}: {error}") from None
    plan.gone |= {item.address: item for item in gone}
    noted = notes.read(product).get("given", {}).get(notes.digest_key(kind, arguments))
    if noted is None:
        raise FacestagesError(missing_message(gone[0]))
    return [[kind, list(arguments), noted]]


def require_usable(items: Iterable[GivenPath]) -> None:
    """Refuse what is no such file or folder as is wanted, in the doctor's words."""
    for item in items:
        if problem := find_problem(item.path, item.given.wanted):
            raise FacestagesError(f"config: {item.address} = '{item.path}': {problem}")


def find_gone(plan: Plan, section: str, arguments: Sequence[object]) -> list[GivenPath]:
    """The paths of a section that are among some arguments, and are not there."""
    items = given_in(plan.config, section)
    return [item for item in items if item.path in arguments and not os.path.exists(item.path)]
