"""facestages: at which stage of a network are identity, affect and expression readable?

The library works on arrays of your own, without the workflow. A layer is an array of n rows, one a
picture; several layers are a mapping of names to arrays. Labels are a DataFrame of n rows.

Pictures, networks, and what the workflow made
    read_stimuli(path)            pictures and labels of a prepared face set
    open_network(name, config)    a network of a config, or a Keras model or torch module of yours
    record(network, images)       outputs of its layers
    read_table(path)              a table, with what its rows and columns are
    to_xarray(path, layer)        a layer of a file, for xarray
    to_rsatoolbox(path, layer)    the same for rsatoolbox
Measures of a layer, or of a pair
    silhouette(X, labels)         mean silhouette
    cka(X, Y)                     debiased centred kernel alignment
    gram_matrix(X)                inner products of the centred rows
    principal_components(G, k)    scores and shares of variance, from inner products
Tables of measures, with intervals over people and null distributions
    score_silhouettes(layers, labels)
    decode(layers, labels)        held-out accuracy or R2
    rsa(layers, labels)           rank correlation with models of identity, expression and affect
    partition(layers, labels)     variance partitioning into identity, affect and category
    subspace_angles(layers, labels)
                                  angles between the subspaces of identity and expression

What these are made from can be had as well: silhouette_samples, silhouette_null, noise_edge,
model_rdms, rank_correlations, debiased_cka, variance_shares, person_correlation, mixed_model_slope,
umap_embedding, permute_label, people_weights, interval, compare_with_control, to_rsatoolbox_rdms.

Each is loaded when it is first used, so that ``import facestages`` takes no time.
"""

from importlib import import_module

__version__ = "0.2.0"

# Modules of the front door, and what each gives.
_PUBLIC = {
    "stimuli": "read_stimuli",
    "networks": "open_network",
    "recording.activations": "record",
    "columns": "read_table",
    "export": "to_xarray to_rsatoolbox",
    "geometry": "gram_matrix principal_components",
    "measures": "silhouette cka score_silhouettes decode rsa partition subspace_angles",
}
# Modules of the parts, and what each gives.
_PARTS = {
    "export": "to_rsatoolbox_rdms",
    "separability": "silhouette_samples silhouette_null",
    "analysis.parallel_analysis": "noise_edge",
    "analysis.rdms": "model_rdms rank_correlations",
    "analysis.cka": "debiased_cka",
    "analysis.shares": "variance_shares",
    "analysis.grouped_regression": "person_correlation mixed_model_slope",
    "analysis.embedding": "umap_embedding",
    "analysis.permutation": "permute_label",
    "analysis.resampling": "people_weights interval",
    "analysis.instances": "compare_with_control",
}
_ADDRESSES = {
    name: module
    for table in (_PUBLIC, _PARTS)
    for module, names in table.items()
    for name in names.split()
}


def __getattr__(name: str):
    if name not in _ADDRESSES:
        from facestages.errors import did_you_mean

        hint = "" if name.startswith("_") else f"; {did_you_mean(name, _ADDRESSES)}"
        raise AttributeError(f"module 'facestages' has no attribute '{name}'{hint}")
    return getattr(import_module(f"facestages.{_ADDRESSES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_ADDRESSES])
