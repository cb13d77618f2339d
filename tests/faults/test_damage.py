"""Damaged artefacts: each is read as before, or refused in one line."""

import hashlib
import json
import os
import subprocess
import sys

import pandas as pd
import pytest

import damages
from blurs import LAYERS, Blurs, geometry, record_blurs, write_blurs_faces
from facestages import notes, tables
from facestages.recording.accumulation import accumulate_gram
from facestages.recording.shards import join_shards
from looks import explain, write_looks_faces


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory):
    """A file of each kind, as the steps of a run write it."""
    folder = tmp_path_factory.mktemp("artefacts")
    write_blurs_faces(folder / "faces.h5")
    recorded = record_blurs(folder)
    join_shards([recorded], folder / "faces.h5", folder / "joined.h5")
    accumulate_gram(Blurs(), folder / "faces.h5", LAYERS, folder / "gram.h5", {"seed": 0}, 10_000)
    geometry(folder, recorded, "geometry.h5")
    write_looks_faces(folder / "looks.h5")
    explain(folder / "looks.h5")
    table = folder / "table.csv"
    tables.write_table(table, pd.DataFrame({"layer": list("abcdef") * 20, "value": range(120)}))
    digest = hashlib.sha256(table.read_bytes()).hexdigest()
    notes.beside(table).write_text(json.dumps({"sha256": digest}))
    return folder


def test_damages_are_refused_or_harmless(artefacts):
    files = sorted(path for path in artefacts.iterdir() if path.suffix in (".h5", ".csv"))
    program = [sys.executable, damages.__file__, "0", *files]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TIMES": "1"}
    result = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    outcomes = damages.summary(result.stdout.splitlines())
    assert sum(outcomes.values()) == len(files) * len(damages.WAYS)
    assert {outcome for _, outcome in outcomes} <= {"detected", "harmless"}, outcomes
