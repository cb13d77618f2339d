"""Gram matrices accumulated while recording are those of the recorded layers."""

import pytest

from blurs import LAYERS, Blurs, assert_same, geometry
from facestages.errors import FacestagesError
from facestages.recording import accumulation
from facestages.recording.accumulation import accumulate_gram, plan_parts


@pytest.mark.parametrize("rows_held", [70, 30, 10])
def test_accumulated_while_recording(tmp_path, faces, expected, monkeypatch, rows_held):
    """Whether all rows fit into the memory allowed, or only some."""
    widths = {"wide": 8 * 8 * 300, "narrow": 8}
    # Rows of pictures that are shown again take memory where there are such.
    again = 0 if rows_held == 70 else 25
    fixed = 4 * 70 * 70 + 4 * (2 * 10 + again) * widths["wide"]
    monkeypatch.setattr(accumulation, "_LEAST_ROWS", 10)
    monkeypatch.setattr(accumulation, "_ROWS_AT_ONCE", 25)
    monkeypatch.setattr(accumulation, "resident_bytes", lambda: 0)
    allowed = fixed + 4 * widths["wide"] * rows_held + (4 * 8 * 70 if rows_held == 70 else 0)
    network = Blurs()
    accumulate_gram(
        network, tmp_path / "faces.h5", LAYERS, tmp_path / "gram.h5", {"seed": 0}, allowed / 1e6
    )
    # Two batches to warm up, a pass for all layers; where the wide one does not fit, its parts.
    shown = {70: 20 + 70, 30: 20 + 70 + (70 + 40 + 10), 10: 20 + 70 + sum(range(10, 71, 10))}
    repeated = 2 + 1 + 1
    assert sum(network.batches) == repeated + shown[rows_held]
    assert_same(geometry(tmp_path, tmp_path / "gram.h5", "geometry.h5"), expected)


def test_memory_too_small_for_a_layer_is_said(tmp_path, faces):
    with pytest.raises(FacestagesError, match="layer wide of 19,200 units: .* MB short.*mem_mb"):
        accumulate_gram(
            Blurs(), tmp_path / "faces.h5", LAYERS, tmp_path / "gram.h5", {"seed": 0}, 1
        )
    assert not (tmp_path / "gram.h5").exists()


def test_narrow_layers_are_held_together_and_wide_ones_in_parts():
    n, widths = 1000, {"wide": 10**6, "middle": 10**5, "narrow": 10}
    room = 4 * n * n + 4 * (64 + 256) * 10**6
    parts = plan_parts(widths, n, room + 500 * 10**6, on_the_way=64)
    assert [(part.layers, part.rows) for part in parts] == [
        (["narrow", "middle"], 1000),
        (["wide"], 125),
    ]
