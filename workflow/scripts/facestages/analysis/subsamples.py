"""Identity silhouettes on equally many people and pictures, so that face sets can be compared.

A silhouette compares a picture's own group with the nearest other one. The nearest of 69 other
people is nearer than the nearest of 11, so silhouettes fall with the number of people. They depend
on the number of pictures, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from facestages.analysis.distances import Points, plain_space
from facestages.analysis.labels import NO_GEOMETRY, is_labelled, no_label
from facestages.analysis.layers import Geometry, Layer, Rows, tabulate
from facestages.analysis.resampling import FEWEST_PEOPLE
from facestages.analysis.sampling import space_of_part
from facestages.analysis.silhouettes import mean_silhouettes
from facestages.progress import progress

#: By measure: whether pictures, and whether people, are drawn.
MEASURES = {
    "silhouette": (False, False),
    "silhouette_few_pictures": (True, False),
    "silhouette_few_people": (False, True),
    "silhouette_few_of_both": (True, True),
}

_DRAWS = 60


@tabulate(
    *("label", "label_source", "measure", "components", "identity", "pseudo_value"),
    *("n", "people", "note"),
)
def score_subsamples(
    geometry: Geometry, components: int | str, pictures: int | None, people: int | None
) -> Iterator[tuple[Layer, Rows]]:
    """Identity silhouettes of each stage's layer on subsamples of people and pictures.

    Parameters
    ----------
    geometry, stimuli, stages, predictions
        See `analysis.layers.tabulate`.
    components : int or "all"
        Number of principal components; ``all`` is the layer's full space.
    pictures, people : int, optional
        At most so many pictures of each person, and people, are in a subsample; None for all.

    Returns
    -------
    pandas.DataFrame
        Tidy: for each of `MEASURES`, a row a person, whose ``pseudo_value`` is that of
        `subsample_silhouettes`. Its mean over people is the silhouette, and the interval of a mean
        or difference over people follows from its standard deviation. ``n`` and ``people`` are
        the numbers in a subsample. Without a value there is one row, which has a note.
    """
    labelled = np.flatnonzero(is_labelled(geometry.labels, "identity"))
    identities = geometry.labels.get("identity", np.array([]))
    names, person = np.unique(np.asarray(identities)[labelled].astype(str), return_inverse=True)
    row = {"label": "identity", "label_source": geometry.sources.get("identity", "")}
    row["components"] = components
    why = _why_not(labelled, names)
    for name in progress(dict.fromkeys(geometry.stages.values()), "subsamples"):
        layer = next(layer for layer in geometry.layers if layer.name == name)
        note = why or (NO_GEOMETRY if layer.total_variance == 0 else "")
        if note:
            yield layer, [{**row, "measure": measure, "note": note} for measure in MEASURES]
            continue
        space = _space(layer, components, labelled)
        yield (
            layer,
            [
                {**row, "measure": measure, "identity": identity, "pseudo_value": value, **numbers}
                for measure, (values, numbers) in _measure(space, person, pictures, people).items()
                for identity, value in zip(names, values, strict=True)
            ],
        )


def _why_not(labelled: np.ndarray, names: np.ndarray) -> str:
    """Why there is no silhouette without each person in turn; empty if there is."""
    if not len(names):
        return no_label("identity")
    if len(names) < FEWEST_PEOPLE:
        return f"{len(names)} people; each is left out in turn, so three are needed"
    return "no identity has two pictures" if len(names) == len(labelled) else ""


Space = Callable[[np.ndarray], np.ndarray | Points]


def _space(layer: Layer, k: int | str, labelled: np.ndarray) -> Space:
    """A function that gives some pictures' inner products, or points in components of theirs."""
    gram, scores = None, layer.scores[:][labelled]
    if k == "all":
        gram = layer.gram.astype(np.float64)[:][np.ix_(labelled, labelled)]
    return lambda rows: space_of_part(gram, scores, k, rows)


def _measure(space: Space, person: np.ndarray, pictures: int | None, people: int | None) -> dict:
    """By measure, pseudo-values, and the numbers of pictures and people in a subsample."""
    number = int(person.max() + 1)
    if people is not None and people >= number:
        people = None
    if pictures is not None and pictures >= np.bincount(person).max():
        pictures = None
    drawn, measured = {}, {}
    for measure, (few_pictures, few_people) in MEASURES.items():
        limits = pictures if few_pictures else None, people if few_people else None
        if limits not in drawn:
            draws = draw_subsamples(person, *limits)
            numbers = {"n": round(np.mean([*map(len, draws)])), "people": limits[1] or number}
            drawn[limits] = subsample_silhouettes(space, person, draws), numbers
        measured[measure] = drawn[limits]
    return measured


def draw_subsamples(
    person: np.ndarray, pictures: int | None, people: int | None, seed: int = 0
) -> list[np.ndarray]:
    """Rows of each subsample; without limits, one that has them all.

    All people are drawn equally often, or once more, so that chance favours none.

    Parameters
    ----------
    person : numpy.ndarray of int, shape (n,)
        Person of each picture, numbered from 0.
    pictures, people : int, optional
        Largest number of pictures of a person, and number of people.
    seed : int
    """
    if pictures is None and people is None:
        return [np.arange(len(person))]
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(person == one) for one in range(person.max() + 1)]
    times, draws = np.zeros(len(members), int), []
    for _ in range(_DRAWS):
        order = rng.permutation(len(members))
        chosen = order[np.argsort(times[order], kind="stable")][:people]
        times[chosen] += 1
        rows = [rng.permutation(members[one])[:pictures] for one in chosen]
        draws.append(np.sort(np.concatenate(rows)))
    return draws


def subsample_silhouettes(
    space: Space, person: np.ndarray, draws: Sequence[np.ndarray]
) -> np.ndarray:
    """Pseudo-values (P,) of the mean silhouette of subsamples, whose mean it is.

    In a subsample of m people, ``(m - 1) (mean_q v_-q - v_-p)`` is what person p adds to the mean,
    with v_-p the silhouette without p; components are sought anew each time. Over the subsamples
    that hold p it is averaged and multiplied by ``m (P - 1) / ((m - 1) P)``, because the others are
    P people of whom m are drawn. To first order this is m times the projection of the silhouette of
    m people on one of them, so that its standard deviation over people, divided by ``sqrt(P)``, is
    the standard error of the mean over subsamples (Hoeffding 1948, doi:10.1214/aoms/1177730196).
    """
    number = person.max() + 1
    values, sums, times = [], np.zeros(number), np.zeros(number)
    for rows in draws:
        shown = person[rows]
        drawn = np.unique(shown)
        values.append(_silhouette(space, rows, shown))
        kept = [shown != one for one in drawn]
        without = np.array([_silhouette(space, rows[some], shown[some]) for some in kept])
        sums[drawn] += (len(drawn) - 1) * (without.mean() - without)
        times[drawn] += 1
    m = len(drawn)
    added = sums / np.maximum(times, 1) * m * (number - 1) / ((m - 1) * number)
    return np.mean(values) + added - added.mean()


def _silhouette(space: Space, rows: np.ndarray, person: np.ndarray) -> float:
    labels = np.unique(person, return_inverse=True)[1].astype(np.int32)
    return float(mean_silhouettes(plain_space(space(rows)), labels[None])["silhouette"][0])


class GapExplained(NamedTuple):
    """What part of a difference between face sets equal numbers explain, with its interval."""

    value: float
    low: float
    high: float
    note: str


def explain_gap(one: np.ndarray, other: np.ndarray) -> GapExplained:
    """``1 - (other_e - one_e) / (other - one)``: e is on equal numbers, else as the sets are.

    The interval (95 %) is Fieller's (1954, doi:10.1111/j.2517-6161.1954.tb00159.x) of a ratio, from
    the pseudo-values of people, who are the same on equal numbers and else. It has Student's t of
    as many degrees of freedom as Welch's test has. It has no bounds if the sets may not differ.

    Parameters
    ----------
    one, other : numpy.ndarray, shape (P, 2) and (Q, 2)
        Pseudo-values of the people of two face sets: as the set is, and on equal numbers.
    """
    gap, rest = other.mean(axis=0) - one.mean(axis=0)
    if gap == 0:
        return GapExplained(np.nan, np.nan, np.nan, "the face sets do not differ")
    left = rest / gap
    parts = [np.cov(values.T) / len(values) for values in (one, other)]
    of_gap, shared, of_rest = (sum(part[i] for part in parts) for i in ((0, 0), (0, 1), (1, 1)))
    # Variance of rest - left gap, by face set.
    errors = [part[1, 1] - 2 * left * part[0, 1] + left**2 * part[0, 0] for part in parts]
    freedom = [len(values) - 1 for values in (one, other)]
    squares = sum(error**2 / degrees for error, degrees in zip(errors, freedom, strict=True))
    degrees = sum(errors) ** 2 / squares if squares else sum(freedom)
    t = stdtrit(degrees, 0.975) ** 2
    a, b, c = gap**2 - t * of_gap, gap * rest - t * shared, rest**2 - t * of_rest
    if a <= 0:
        return GapExplained(1 - left, np.nan, np.nan, "no interval, as the sets may not differ")
    reach = math.sqrt(max(b**2 - a * c, 0))
    return GapExplained(1 - left, 1 - (b + reach) / a, 1 - (b - reach) / a, "")
