"""The three designs of rendered face sets, and single portraits.

Every picture depends on the seed and on its own number alone, so its bytes are the same for any
number of threads.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from facestages.errors import FacestagesError, did_you_mean
from facestages.expressions import EXPRESSIONS
from facestages.progress import progress
from facestages.stimuli import StimulusSet
from facestages.stimuli.render.acting import act, describe_performance, perform
from facestages.stimuli.render.camera import (
    View,
    draw_drift,
    find_pupils,
    move_head,
    studio_view,
    take_picture,
    wild_view,
)
from facestages.stimuli.render.head_model import SEXES, Head
from facestages.stimuli.render.identity import Identity, Person, grow, restyle, sample_identity

# The second number of every random seed, so that the designs share no faces.
_WILD, _POSED, _VIDEO, _PORTRAIT = 1, 2, 3, 4

# Who acts what, the picture, and regions of the face.
_Picture = tuple[dict[str, object], np.ndarray, np.ndarray]


def render_wild(
    head: Head,
    *,
    people: int,
    images: int,
    size: int = 48,
    seed: int,
    expressions: Sequence[str] = EXPRESSIONS,
    threads: int = 1,
) -> StimulusSet:
    """Draw many people under all sorts of conditions, as in FER2013.

    Parameters
    ----------
    head : Head
    people, images : int
        Number of people, and number of all pictures together.
    size : int
        Rows and columns of a picture.
    seed : int
        The same seed gives the same bytes.
    expressions : sequence of str
        Some of `EXPRESSIONS`; their numbers of pictures differ by one at most.
    threads : int
        Number of people drawn at the same time. The result does not depend on it.

    Returns
    -------
    StimulusSet
        In the order of the people. Its labels are who acts what: ``identity``, ``sex`` and what
        `acting.describe_performance` gives. `stimuli.labels.rendered` says what that means.

    Raises
    ------
    FacestagesError
        If an argument is not valid.
    """
    _require_common(size, seed, threads)
    _require_count("people", people, 1)
    _require_count("images", images, people)
    if not len(expressions):
        raise FacestagesError("expressions is empty: name at least one expression")
    for name in expressions:
        _require_known("expression", name, EXPRESSIONS)
    bounds = np.linspace(0, images, people + 1).astype(int)

    def draw(number: int) -> list[_Picture]:
        rng = np.random.default_rng([seed, _WILD, number])
        person = grow(head, sample_identity(head, rng))
        pictures = []
        for index in range(bounds[number], bounds[number + 1]):
            rng = np.random.default_rng([seed, _WILD, number, index])
            expression = expressions[index % len(expressions)]
            intensity = float(rng.uniform(0.6, 1.1)) if expression != "neutral" else 0.0
            coefficients = act(head, person, expression, intensity, rng, 0.12)
            view = wild_view(person.identity.appearance, rng)
            row = {"stimulus_id": f"wild/{index:06d}", "identity": f"W{number + 1:05d}"}
            row |= {"sex": person.identity.sex}
            row |= describe_performance(expression, intensity, coefficients)
            pictures.append((row, *take_picture(head, person, coefficients, view, size, rng)))
        return pictures

    return _draw_people(draw, [(number,) for number in range(people)], "wild", seed, threads)


def render_posed(
    head: Head,
    *,
    people: int = 70,
    sessions: int = 2,
    size: int = 192,
    seed: int,
    threads: int = 1,
) -> StimulusSet:
    """Draw half women and half men who pose every expression in every session, as in KDEF.

    Parameters
    ----------
    head : Head
    people : int
        Women ``F01, F02, ...`` and men ``M01, M02, ...``; of an odd number, one woman more.
    sessions : int
        A, B, ...: days that differ in hair, light and background, and a little in pose.
    size, seed, threads
        As in `render_wild`.

    Returns
    -------
    StimulusSet
        Of ``people * sessions * 7`` pictures.

    Raises
    ------
    FacestagesError
        If an argument is not valid.
    """
    _require_common(size, seed, threads)
    _require_count("people", people, 1)
    _require_count("sessions", sessions, 1, 26)

    def draw(sex: int, number: int) -> list[_Picture]:
        name = f"{'FM'[sex]}{number + 1:02d}"
        rng = np.random.default_rng([seed, _POSED, sex, number])
        identity = sample_identity(head, rng, SEXES[sex])
        pictures = []
        for session in range(sessions):
            rng = np.random.default_rng([seed, _POSED, sex, number, session])
            person, studio = _arrive(head, identity, rng)
            for expression in EXPRESSIONS:
                intensity, coefficients, view = _sit(head, person, studio, expression, rng)
                letter = chr(ord("A") + session)
                row = {"stimulus_id": f"posed/{name}{letter}-{expression}", "identity": name}
                row |= {"sex": SEXES[sex], "session": letter}
                row |= describe_performance(expression, intensity, coefficients)
                pictures.append((row, *take_picture(head, person, coefficients, view, size, rng)))
        return pictures

    women = (people + 1) // 2
    return _draw_people(draw, _list_people(women, people - women), "posed", seed, threads)


def render_video(
    head: Head,
    *,
    women: int = 12,
    men: int = 15,
    frames_per_person: int = 81,
    size: int = 128,
    seed: int,
    threads: int = 1,
) -> StimulusSet:
    """Draw one video of each person, with a camera and a light for each, as in DISFA.

    Expressions other than neutral come in an order that differs between people. Each rises
    smoothly from neutral to its apex and falls back, while the head drifts a little.

    Parameters
    ----------
    head : Head
    women, men : int
        ``F01, F02, ...`` and ``M01, M02, ...``.
    frames_per_person : int
    size, seed, threads
        As in `render_wild`.

    Returns
    -------
    StimulusSet
        ``frame`` counts from 0. Shapes are always those of the moment.

    Raises
    ------
    FacestagesError
        If an argument is not valid.
    """
    _require_common(size, seed, threads)
    _require_count("women", women, 0)
    _require_count("men", men, 0)
    _require_count("women + men", women + men, 1)
    _require_count("frames_per_person", frames_per_person, 1)

    def draw(sex: int, number: int) -> list[_Picture]:
        name = f"{'FM'[sex]}{number + 1:02d}"
        rng = np.random.default_rng([seed, _VIDEO, sex, number])
        person = grow(head, sample_identity(head, rng, SEXES[sex]))
        studio = studio_view(person.identity.appearance, rng)
        drift = draw_drift(frames_per_person, rng)
        pictures = []
        performance = perform(head, person, frames_per_person, rng)
        for frame, (current, intensity, coefficients) in enumerate(performance):
            view = studio._replace(
                yaw=studio.yaw + drift[0, frame],
                pitch=studio.pitch + drift[1, frame],
                roll=studio.roll + 0.6 * drift[2, frame],
                shift_x=studio.shift_x + 0.2 * drift[3, frame],
            )
            row = {"stimulus_id": f"video/{name}-{frame:04d}", "identity": name}
            row |= {"sex": SEXES[sex], "frame": frame}
            row |= describe_performance(current, intensity, coefficients)
            pictures.append((row, *take_picture(head, person, coefficients, view, size, rng)))
        return pictures

    return _draw_people(draw, _list_people(women, men), "video", seed, threads)


def render_portrait(
    head: Head,
    *,
    sex: str,
    seed: int,
    expression: str,
    session: int = 0,
    size: int = 562,
    zoom: float = 0.7,
    yaw: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one posed picture with room around the face, to be cropped as KDEF, and find its eyes.

    Parameters
    ----------
    head : Head
    sex : {'female', 'male'}
    seed : int
        With `sex` it names the person; the same arguments give the same bytes.
    expression : str
    session : int
        0, 1, ...: another day, as in `render_posed`.
    size : int
        Rows and columns of the picture.
    zoom : float
        Size of the face; 1 is the tight crop of `render_posed`.
    yaw : float
        Turn of the head to the side, radians.

    Returns
    -------
    picture : numpy.ndarray of uint8, shape (size, size)
    eyes : numpy.ndarray of float64, shape (2, 2)
        Column and row of the two pupils in pixels, whole numbers at the pixels' centres. The eye
        at the left of the picture comes first.

    Raises
    ------
    FacestagesError
        If an argument is not valid.
    """
    _require_common(size, seed, threads=1)
    _require_count("session", session, 0)
    if not 0.0 < zoom <= 2.0:
        raise FacestagesError(f"zoom must be a number above 0 and at most 2, not {zoom!r}")
    _require_known("sex", sex, SEXES)
    _require_known("expression", expression, EXPRESSIONS)
    numbers = [seed, _PORTRAIT, SEXES.index(sex)]
    # Seeds that differ by trailing zeros alone give the same random numbers.
    identity = sample_identity(head, np.random.default_rng([*numbers, 1]), sex)
    person, studio = _arrive(head, identity, np.random.default_rng([*numbers, 2, session]))
    rng = np.random.default_rng([*numbers, 3, session, EXPRESSIONS.index(expression)])
    _, coefficients, view = _sit(head, person, studio, expression, rng)
    view = view._replace(zoom=view.zoom * zoom, yaw=view.yaw + yaw)
    picture, _ = take_picture(head, person, coefficients, view, size, rng)
    return picture, find_pupils(head, person, coefficients, view, size)


def _arrive(head: Head, identity: Identity, rng: np.random.Generator) -> tuple[Person, View]:
    """Return the person as of one session, and the studio of that session."""
    today = dataclasses.replace(identity, appearance=restyle(identity.appearance, rng))
    return grow(head, today), studio_view(today.appearance, rng)


def _sit(
    head: Head, person: Person, studio: View, expression: str, rng: np.random.Generator
) -> tuple[float, dict[str, float], View]:
    """Return intensity, coefficients and view of one picture of a session."""
    intensity = float(rng.uniform(0.85, 1.1)) if expression != "neutral" else 0.0
    coefficients = act(head, person, expression, intensity, rng, 0.08)
    return intensity, coefficients, move_head(studio, rng, 0.03)


def _list_people(women: int, men: int) -> list[tuple[int, int]]:
    """Sex, as an index of `SEXES`, and number of each person."""
    return [(sex, number) for sex, count in enumerate((women, men)) for number in range(count)]


def _draw_people(
    draw: Callable[..., list[_Picture]],
    people: Sequence[tuple[int, ...]],
    design: str,
    seed: int,
    threads: int,
) -> StimulusSet:
    """Draw the pictures of each person, in threads, and join them in the order of `people`."""
    with ThreadPoolExecutor(threads) as pool:
        drawn = pool.map(lambda person: draw(*person), people)
        pictures = [p for some in progress(drawn, f"render {design}", len(people)) for p in some]
    rows, images, regions = zip(*pictures, strict=True)
    labels = pd.DataFrame(rows)
    sources = dict.fromkeys(labels.columns.drop("stimulus_id"), "rendered")
    attributes = {"rendered": 1, "design": design, "seed": seed}
    return StimulusSet(np.stack(images), labels, sources, attributes, regions=np.stack(regions))


def _require_known(argument: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        hint = did_you_mean(value, allowed)
        raise FacestagesError(f"{argument} '{value}' is not known: {hint}")


def _require_count(name: str, value: object, least: int, most: int | None = None) -> None:
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):
        limits = f"from {least} to {most}" if most is not None else f"of at least {least}"
        raise FacestagesError(f"{name} must be a whole number {limits}, not {value!r}")


def _require_common(size: int, seed: int, threads: int) -> None:
    _require_count("size", size, 16, 1024)
    _require_count("seed", seed, 0)
    _require_count("threads", threads, 1)
