"""What the columns of tables are, and the tables that know it."""

import pandas as pd
import pytest

from facestages.columns import describe_tables, find_kind, read_table
from facestages.errors import FacestagesError
from facestages.tables import write_table


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("results/separability/posed/nn2/seed-0.csv", "separability"),
        ("/data/out/separability/a.b/nn2/seed-0.people.csv", "separability_people"),
        ("results/mine/tables/table1.csv", "table1"),
        ("results/figures/fig4.csv", "figure_numbers"),
        ("claims.csv", "claims"),
        ("results/tables/other.csv", None),
        ("results/separability/posed.csv", None),
        ("faces.csv", None),
    ],
)
def test_the_kind_of_a_table_follows_from_its_place(path, kind):
    assert find_kind(path) == kind


def test_every_column_is_told_in_a_sentence():
    for name, table in describe_tables().items():
        for text in (*table.columns.values(), *table.measures.values()):
            assert text.endswith(".") and text[0] == text[0].upper() or text[0].islower(), (
                name,
                text,
            )


def test_a_table_knows_its_columns(tmp_path):
    path = tmp_path / "cka" / "posed.csv"
    path.parent.mkdir()
    write_table(path, pd.DataFrame({"network": ["nn2"], "value": [0.5], "extra": [1]}))
    table = read_table(path)
    assert table["value"].tolist() == [0.5]
    assert table.attrs["columns"]["network"] == "Name of the network in the config."
    assert "extra" not in table.attrs["columns"]
    assert "cka_debiased" in table.attrs["measures"]
    with pytest.raises(FacestagesError, match="no such file"):
        read_table(tmp_path / "none.csv")
