"""facestages: at which stage of a network are identity, affect and expression readable?

The workflow's measures are functions of arrays, and work on arrays of your own. Each is loaded when
it is first used, so that ``import facestages`` takes no time. Of n pictures, `G` is a Gram matrix
(n, n), and `labels` a DataFrame of n rows:

Faces and networks
    read_stimuli(path)                   pictures and labels of a prepared face set
    open_network(name, config, seed)     a network of a config, which records its layers
    to_xarray(path, layer)               a layer in a file of the workflow
    to_rsatoolbox, to_rsatoolbox_rdms    the same for rsatoolbox
Geometry of a layer
    gram_matrix(activations)             G, from activations (n, ...)
    principal_components(G, k)           scores (n, k) and their shares of variance (k,)
    noise_edge(of_units, of_pictures)    parallel analysis: largest eigenvalue of unrelated units
Silhouettes
    silhouette(G, groups)                mean silhouette, of G or of distances
    silhouette_samples(G, groups)        silhouette of each picture (n,)
    silhouette_null(G, groups)           mean silhouettes of permuted labels
Decoding
    decode(G, labels, names, components) held-out accuracy or R2, with interval and null
Representational similarity
    model_rdms(labels)                   what identity, expression and affect predict of distances
    rank_correlations(x, y)              rho_a, its share of the ceiling, Spearman's correlation
    debiased_cka(G, other)               similarity of two layers
Variance and regression
    variance_shares(scores, people, affect, categories)
                                         variance partitioning
    person_correlation(x, y, people)     mean of the correlations within people
    mixed_model_slope(x, y, people)      slope of a mixed model: intercepts and slopes by person
Maps, chance and uncertainty
    umap_embedding(distances)            a map (n, 2)
    permute_label(labels, label)         permutations that respect the design of a face set
    people_weights(people)               bootstrap over people
    interval(resampled, people)          95 % interval of a bootstrap over people
    compare_with_control(values, control)
                                         instances of a network against those of a control
"""

import sys
from importlib import import_module

__version__ = "0.2.0"

# Modules of the front door, and what each gives.
_PUBLIC = {
    "stimuli": "read_stimuli",
    "networks": "open_network",
    "export": "to_xarray to_rsatoolbox to_rsatoolbox_rdms",
    "geometry": "gram_matrix principal_components",
    "separability": "silhouette silhouette_samples silhouette_null",
    "analysis.parallel_analysis": "noise_edge",
    "analysis.decoding": "decode",
    "analysis.rdms": "model_rdms rank_correlations",
    "analysis.cka": "debiased_cka",
    "analysis.shares": "variance_shares",
    "analysis.grouped_regression": "person_correlation mixed_model_slope",
    "analysis.embedding": "umap_embedding",
    "analysis.permutation": "permute_label",
    "analysis.resampling": "people_weights interval",
    "analysis.instances": "compare_with_control",
}
_ADDRESSES = {name: module for module, names in _PUBLIC.items() for name in names.split()}

# Where modules were before they had packages: those that kept their names, and the others.
_MOVED = {
    "analysis": "affect cka decoding embedding extremity folds grouped_regression instances "
    "parallel_analysis partition permutation readouts resampling rsa sampling silhouettes",
    "recording": "accumulation activations attribution predictions",
    "doctor": "requirements",
}
_RENAMED = {
    "check_resources": "doctor.report",
    "networks.catalogue": "architectures",
    "networks.model_card": "model_card",
    "report_page": "report.snakemake_report",
    "run_description": "report.run",
    "sizes": "subsets",
    "stimuli.headmodel": "stimuli.render.head_model",
    "stimuli.recipes": "stimuli.render.acting",
}
_RENAMED |= {name: f"{package}.{name}" for package in _MOVED for name in _MOVED[package].split()}


def __getattr__(name: str):
    if name not in _ADDRESSES:
        raise AttributeError(f"module 'facestages' has no attribute '{name}'")
    return getattr(import_module(f"facestages.{_ADDRESSES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_ADDRESSES])


class _OldAddresses:
    """Answers the import of a module that has moved with its new address."""

    @staticmethod
    def find_spec(name: str, path=None, target=None):
        package, _, module = name.partition(".")
        if package == __name__ and module in _RENAMED:
            raise ImportError(f"{name} has moved: import facestages.{_RENAMED[module]}")


# The last to be asked, so that nothing else takes longer.
sys.meta_path.append(_OldAddresses)
