"""How large the benchmarks are."""

from __future__ import annotations

from typing import NamedTuple


class Sizes(NamedTuple):
    """Numbers of pictures, unless it says otherwise."""

    recording: int
    #: To choose the fastest runtime and batch.
    probe: int
    repeats: int
    #: By torch network.
    torch: dict[str, int]
    pca: int
    gram: int
    #: Rows and columns of the product that gives the machine's rate.
    product: int
    #: All silhouettes of one layer, and their permutations.
    battery: int
    battery_permutations: int
    permutations: int
    figure4: tuple[int, int]
    growth_recording: tuple[int, ...]
    growth_recording_width: int
    #: The second within 1.2 x the memory of the first.
    memory: tuple[int, int]
    growth_geometry: tuple[int, ...]
    growth_geometry_units: int
    growth_width: tuple[int, ...]
    growth_width_n: int


FULL = Sizes(
    recording=2000,
    probe=256,
    repeats=5,
    torch={"resmasknet": 48, "emofan": 48, "efficientnet_lite0": 192},
    pca=2000,
    gram=5700,
    product=4096,
    battery=5700,
    battery_permutations=1000,
    permutations=100,
    figure4=(5700, 980),
    growth_recording=(500, 1000, 2000, 4000),
    growth_recording_width=500,
    memory=(2000, 20_000),
    growth_geometry=(700, 1400, 2800, 5600),
    growth_geometry_units=18_432,
    growth_width=(18_432, 36_864, 73_728, 147_456),
    growth_width_n=2000,
)

#: To try the benchmarks themselves; their ratios mean nothing.
QUICK = Sizes(
    recording=128,
    probe=64,
    repeats=1,
    torch={"resmasknet": 4, "emofan": 4, "efficientnet_lite0": 8},
    pca=160,
    gram=200,
    product=512,
    battery=160,
    battery_permutations=20,
    permutations=3,
    figure4=(200, 120),
    growth_recording=(32, 64, 128, 256),
    growth_recording_width=32,
    memory=(64, 640),
    growth_geometry=(60, 90, 130, 200),
    growth_geometry_units=18_432,
    growth_width=(18_432, 36_864, 73_728, 147_456),
    growth_width_n=160,
)
