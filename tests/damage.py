"""Damaged and odd files, made by hypothesis, and what every reader must make of them."""

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from facestages.errors import FacestagesError

#: Examples of each test in CI; FACESTAGES_FUZZ times as many elsewhere.
TIMES = int(os.environ.get("FACESTAGES_FUZZ", "1"))

# Numbers of headers that lie: nothing, all bits, the largest with a sign, one too many.
_NUMBERS = [
    b"\0\0",
    b"\xff\xff",
    b"\0\0\0\0",
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\xff" * 8,
    b"\1\0",
]
# What a text editor, a spreadsheet or another program leaves.
_PIECES = [
    b"\0",
    b"\r",
    b"\n",
    b'"',
    b",",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"nan",
    b"-1e999",
    b"\xe4",
]


def fuzz(examples: int):
    """Settings of a test with so many examples, the same in every run."""
    return settings(
        max_examples=examples * TIMES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def damaged(draw, whole: bytes, most: int = 3) -> bytes:
    """Change a file in up to `most` places: bytes changed, lost, doubled or added."""
    data = whole
    for _ in range(draw(st.integers(1, most))):
        start = draw(st.integers(0, max(len(data) - 1, 0)))
        end = min(len(data), start + draw(st.sampled_from([1, 1, 2, 4, 8, 64, 1000])))
        kind = draw(st.sampled_from(["flip", "number", "lose", "double", "add", "cut"]))
        if kind == "flip":
            new = bytes(byte ^ draw(st.integers(1, 255)) for byte in data[start : start + 1])
            data = data[:start] + new + data[start + 1 :]
        elif kind == "number":
            new = draw(st.sampled_from(_NUMBERS))
            data = data[:start] + new + data[start + len(new) :]
        elif kind == "lose":
            data = data[:start] + data[end:]
        elif kind == "double":
            data = data[:end] + data[start:]
        elif kind == "add":
            data = data[:start] + draw(st.sampled_from(_PIECES)) + data[start:]
        else:
            data = data[:start]
    return data


#: Cells of a table as people and programs write them.
CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "NaN", "NA", "inf", "-0", "1e400", "1_0", "٣", "0x1", "1,5", "=1+1", "..", "a/b"]
    ),
    st.text(max_size=12),
    st.text("0123456789.-e", max_size=8),
    st.just("x" * 5000),
)

#: Values of a YAML file.
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.just("x" * 999),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def altered(draw, content: object) -> object:
    """Replace, remove or add one thing somewhere in keys, values and lists."""
    if not content or not isinstance(content, (dict, list)) or draw(st.integers(0, 9)) == 0:
        return draw(VALUES)
    keys = list(content) if isinstance(content, dict) else list(range(len(content)))
    key = draw(st.sampled_from(keys))
    changed = content.copy()
    kind = draw(st.sampled_from(["inside", "inside", "inside", "inside", "remove", "add"]))
    if kind == "inside":
        changed[key] = draw(altered(content[key]))
    elif kind == "remove":
        del changed[key]
    elif isinstance(content, dict):
        changed[draw(st.text(max_size=6))] = draw(VALUES)
    else:
        changed.append(draw(VALUES))
    return changed


def sound(path, read, *args, **options):
    """Read a file: what it gives, or None where it is refused in one or two short lines."""
    try:
        return read(*args, **options)
    except FacestagesError as error:
        message = str(error).replace(str(path), "FILE")
        assert 1 <= len(message.splitlines()) <= 2, message
        assert len(message) <= 410, message
        return None
