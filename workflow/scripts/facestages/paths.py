"""Where each product of a run lies: one table, for the rules, the plan and the doctor.

Snakemake imports this module at the start of every run, so nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

_RECORDING = "{dataset}/{network}/seed-{seed}"

#: By product: its file or folder, with wildcards in braces and path variables in angles.
PATTERNS = {
    "asset": "<resources>/assets/{asset}",
    "zoo_weights": "<resources>/zoos/{zoo}/{model}.json",
    # Face sets, ratings and references.
    "frames": "<results>/frames/{dataset}/{subject}.h5",
    "stimuli": "<results>/stimuli/{dataset}.h5",
    "labels": "<results>/stimuli/{dataset}.labels.h5",
    "sample": "<results>/stimuli/{dataset}.sample.h5",
    "stimuli_shard": "<results>/stimuli/{dataset}/shard-{shard}.h5",
    "stimuli_report": "<results>/stimuli/{dataset}.report.json",
    "stimuli_report_page": "<results>/stimuli/{dataset}.report.md",
    "contact_sheet": "<results>/stimuli/{dataset}.sheet.png",
    "ratings": "<results>/ratings/{ratings}.csv",
    "reference_raters": "<results>/references/{reference}.csv",
    "reference_networks": "<results>/references/{reference}.networks.csv",
    "reference_layers": "<results>/references/{reference}/{network}/seed-{seed}.csv",
    "reference": "<results>/references/{reference}.h5",
    # Networks.
    "model": "<results>/networks/{network}/seed-{seed}/model.keras",
    "history": "<results>/networks/{network}/seed-{seed}/history.csv",
    "metrics": "<results>/networks/{network}/seed-{seed}/metrics.json",
    "checkpoint": "<results>/checkpoints/{network}/seed-{seed}",
    "layers": "<results>/layers/{network}.csv",
    # What a network answers and records, face set by face set.
    "predictions": f"<results>/predictions/{_RECORDING}.csv",
    "activations": f"<results>/activations/{_RECORDING}.h5",
    "activations_shard": f"<results>/activations/{_RECORDING}/shard-{{shard}}.h5",
    "grams": f"<results>/grams/{_RECORDING}.h5",
    "grams_block": f"<results>/grams/{_RECORDING}/{{shard}}x{{other}}.h5",
    "attribution": f"<results>/attribution/{_RECORDING}.h5",
    "attribution_shares": f"<results>/attribution/{_RECORDING}.csv",
    # What is measured on a recording.
    "geometry": f"<results>/geometry/{_RECORDING}.h5",
    "separability": f"<results>/separability/{_RECORDING}.csv",
    "separability_people": f"<results>/separability/{_RECORDING}.people.csv",
    "subsamples": f"<results>/subsamples/{_RECORDING}.csv",
    "embedding": f"<results>/embeddings/{_RECORDING}.h5",
    "embedding_scores": f"<results>/embeddings/{_RECORDING}.csv",
    "affect": f"<results>/affect/{_RECORDING}.csv",
    "partition": f"<results>/partition/{_RECORDING}.csv",
    "decoding": f"<results>/decoding/{_RECORDING}.csv",
    "rsa": f"<results>/rsa/{_RECORDING}.csv",
    "subspaces": f"<results>/subspaces/{_RECORDING}.csv",
    "subspaces_people": f"<results>/subspaces/{_RECORDING}.people.csv",
    "cka": "<results>/cka/{dataset}.csv",
    "instances": "<results>/instances/{dataset}.csv",
    "multiverse": "<results>/multiverse/{dataset}.csv",
    # Figures, tables, pages.
    "figure": "<results>/figures/{figure}.pdf",
    "figure_svg": "<results>/figures/{figure}.svg",
    "figure_png": "<results>/figures/{figure}.png",
    "figure_numbers": "<results>/figures/{figure}.csv",
    "figure_caption": "<results>/figures/{figure}.rst",
    "captions": "<results>/figures/captions.md",
    "fig1_table": "<results>/tables/fig1.md",
    "table": "<results>/tables/{table}.csv",
    "table_page": "<results>/tables/{table}.html",
    "claims": "<results>/claims.csv",
    "claims_page": "<results>/claims.html",
    "explorer": "<results>/explorer.html",
    "report": "<results>/report.html",
    "snakemake_report": "<results>/snakemake-report.html",
}


class Recording(NamedTuple):
    """One instance of a network on one face set; most products are made of one recording."""

    dataset: str
    network: str
    seed: int


def fill(product: str, pathvars: Mapping[str, str], **wildcards: object) -> str:
    """File or folder of a product, a key of `PATTERNS`: ``results/geometry/posed/nn2/seed-0.h5``.

    `pathvars` are the config's path variables; a variable without a value stands for its own name.
    """
    path = PATTERNS[product].format(**wildcards)
    for name in ("results", "resources"):
        path = path.replace(f"<{name}>", pathvars.get(name, name), 1)
    return path
