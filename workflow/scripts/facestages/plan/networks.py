"""Where a network's weights come from; what its jobs wait for and are told."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from facestages import contents, paths
from facestages.architectures import ARCHITECTURES, ZOOS, layer_widths, select_layers
from facestages.config import Config
from facestages.config.networks import NO_STAGES
from facestages.config.weights import Weights
from facestages.errors import FacestagesError
from facestages.paths import Recording
from facestages.plan.given import Given, give

if TYPE_CHECKING:
    from facestages.plan import Plan

_ZOO_BYTES = 553 * 10**6  # of VGG16, one of the largest in any library

# Units of a network whose layers are not known yet: as many as a wide first layer has.
_UNITS_A_PIXEL, _MOST_UNITS = 64, 2_000_000


def weights_file(config: Config, network: str, seed: int) -> str | None:
    """File of the weights of a network's instance, or the folder that holds the file.

    None where there is none; ``"pretrained"`` for weights that a library fetches.
    """
    entry = config.networks[network]
    if entry.weights == "train":
        return paths.fill("model", config.pathvars, network=network, seed=seed)
    if isinstance(entry.weights, Weights):
        weights = entry.weights.of_seed(seed)
        if weights.path:
            return weights.path
        folder = paths.fill("asset", config.pathvars, asset=weights.asset)
        return f"{folder}/{weights.member}" if weights.member else folder
    if entry.weights == "pretrained":
        return "pretrained"
    return None if entry.code else entry.keras


def weights_target(config: Config, network: str, seed: int) -> str | None:
    """What to ask Snakemake for to get a network's weights; None if no run makes them."""
    entry = config.networks[network]
    if asset := weights_asset(entry):
        return paths.fill("asset", config.pathvars, asset=asset)
    return weights_file(config, network, seed) if entry.weights == "train" else None


def weights_asset(entry) -> str | None:
    """Asset that holds a network's weights, from its section of the config; or None."""
    return entry.weights.asset if isinstance(entry.weights, Weights) else None


def _environment(framework: str, zoo: str | None) -> str:
    if zoo and framework == "torch":
        return "zoo"
    return {"keras": "tensorflow", "torch": "torch", "numpy": "analysis"}[framework]


class Networks:
    """Answers about networks."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.config = plan.config

    def weights_file(self, network: str, seed: int | None = None) -> str | None:
        """See `plan.networks.weights_file`; of the first seed if none is given."""
        if seed is None:
            seed = self.config.networks[network].seeds[0]
        return weights_file(self.config, network, seed)

    def asset(self, network: str) -> str | None:
        """Asset that holds a network's weights, or None."""
        return weights_asset(self.config.networks[network])

    def weights_bytes(self, network: str) -> int:
        """Size of a network's weights, as far as it can be foreseen."""
        if asset := self.asset(network):
            return self.plan.manifest[asset]["bytes"]
        path = self.weights_file(network)
        if path and os.path.isfile(path):
            return os.path.getsize(path)
        return _ZOO_BYTES if self.config.networks[network].zoo else 0

    def inputs(self, network: str, seed: int) -> str | list[str]:
        """What must be made or fetched before a network can be opened."""
        if self.config.networks[network].weights == "pretrained":
            return self.fetched(network)
        return weights_target(self.config, network, seed) or []

    def fetched(self, network: str) -> str:
        """The file that says which weights a library has fetched into its cache for a network."""
        zoo, model = self.config.networks[network].zoo
        return self.plan.path("zoo_weights", zoo=zoo, model=model)

    def given(self, recording: Recording, product: str) -> Given:
        """The user's weights and code that a product of a recording is made with."""
        path = self.plan.path(product, recording)
        network = recording.network
        given = self._weights_given(network, path, recording.seed)
        return given + self._code_given(network, path)

    def _weights_given(self, network: str, product: str, seed: int) -> Given:
        entry = self.config.networks[network]
        is_file = entry.keras and not entry.code
        is_own = is_file or (isinstance(entry.weights, Weights) and entry.weights.path)
        path = self.weights_file(network, seed)
        return give(self.plan, f"networks.{network}", product, "content", path) if is_own else []

    def _code_given(self, network: str, product: str) -> Given:
        entry, section = self.config.networks[network], f"networks.{network}"
        if not entry.code:
            return []
        folders = contents.import_folders(entry.code)
        given = give(self.plan, section, product, "module", entry.code, *folders)
        for path in entry.files:
            given += give(self.plan, section, product, "content", path)
        return given

    def weights_in_words(self, network: str) -> tuple[str, str]:
        """Where a network's weights come from, and what they were trained on."""
        entry = self.config.networks[network]
        if asset := self.asset(network):
            return f"asset {asset}", self.plan.manifest[asset].get("trained_on", "not told")
        words = {
            "train": ("trained here", entry.training and entry.training.dataset),
            "untrained": ("untrained", "none"),
        }
        if entry.weights == "pretrained":
            kind, model = entry.zoo
            # timm has several sets of weights for a network, named after what they saw.
            saw = ZOOS[kind].trained_on or model.partition(".")[2] or "not told"
            return f"{ZOOS[kind].title}, pretrained", saw
        if isinstance(entry.weights, str):
            return words[entry.weights]
        if entry.weights or entry.keras:
            return "own code" if entry.code and not entry.weights else "own file", "not told"
        return ("none", "none") if entry.architecture == "pixels" else words["untrained"]

    def task(self, network: str) -> tuple[str, ...] | None:
        """What a network was trained to tell, identity first: ``("identity", "expression")``.

        Nothing if it was not trained, or on shuffled labels, and of pixels; None if it is not known
        of weights that the user gives.
        """
        entry = self.config.networks[network]
        if entry.task is not None:
            return _identity_first(entry.task)
        if entry.kind != "trained" or entry.architecture == "pixels":
            return ()
        if entry.weights == "train":
            return _identity_first(entry.training.label)
        if asset := self.asset(network):
            task = self.plan.manifest.get(asset, {}).get("task", ())
            return _identity_first(task) or None
        is_pretrained = entry.weights == "pretrained"
        is_of_imagenet = is_pretrained and ZOOS[entry.zoo[0]].trained_on == "ImageNet"
        return ("objects",) if is_of_imagenet else None

    def task_in_words(self, network: str) -> str:
        """``"identity and expression"``; of a control its kind, and ``"not told"`` if unknown."""
        task, entry = self.task(network), self.config.networks[network]
        if task == ():
            return "nothing" if entry.architecture == "pixels" else entry.kind
        return " and ".join(task) if task else "not told"

    def stages(self, network: str) -> dict[str, str]:
        """Layer of each stage."""
        stages = self.config.networks[network].stages
        return {} if stages == NO_STAGES else stages

    def recorded_layers(self, network: str) -> list[str]:
        """Names and globs of the layers that are recorded."""
        entry = self.config.networks[network]
        return [*entry.stages.values(), *entry.layers]

    def recorded_units(self, network: str) -> int:
        """Sum of the units of a network's recorded layers, as far as it can be foreseen."""
        entry = self.config.networks[network]
        if entry.architecture is None:
            return min(entry.input_spec.pixels * _UNITS_A_PIXEL, _MOST_UNITS)
        widths = layer_widths(entry.architecture)
        return sum(widths[name] for name in select_layers(widths, self.recorded_layers(network)))

    def last_stage(self, network: str) -> str:
        """Layer of the last stage, the network's output."""
        return list(self.config.networks[network].stages.values())[-1]

    def mapped_stage(self, network: str) -> str:
        """Stage that Figure 3 maps: the penultimate, or the only one that the network has."""
        stages = self.config.networks[network].stages
        return "penultimate" if "penultimate" in stages else list(stages)[-1]

    def mapped_stages(self, network: str) -> list[str] | None:
        """Stages that UMAP maps for figures; None, for all, if no figure shows the network."""
        fig2, fig3 = self.config.figures.fig2, self.config.figures.fig3
        wanted = list(fig2.stages) if fig2 and network == fig2.network else []
        if fig3 and network in fig3.roles.values():
            wanted.append(self.mapped_stage(network))
        return list(dict.fromkeys(wanted)) or None

    def is_described_by_code(self, network: str) -> bool:
        """Whether a network's layers are known without its weights."""
        entry = self.config.networks[network]
        known = ARCHITECTURES.get(entry.architecture)
        return bool(entry.code or entry.zoo or (known and known.builder))

    def _is_described_by_weights(self, network: str) -> bool:
        entry = self.config.networks[network]
        has_file = entry.architecture and entry.weights
        is_file = entry.keras and not entry.code
        return bool(is_file or (has_file and not self.is_described_by_code(network)))

    def description_inputs(self, network: str) -> str | list[str]:
        """As `inputs`, to tell a network's layers; nothing where code or the config tells them."""
        seed = self.config.networks[network].seeds[0]
        return self.inputs(network, seed) if self._is_described_by_weights(network) else []

    def description_weights(self, network: str) -> str | None:
        """The file of weights that tells a network's layers, or None."""
        return self.weights_file(network) if self._is_described_by_weights(network) else None

    def description_given(self, network: str) -> Given:
        """As `given`, to tell a network's layers."""
        product = self.plan.path("layers", network=network)
        code = self._code_given(network, product)
        if not self._is_described_by_weights(network):
            return code
        return self._weights_given(network, product, self.config.networks[network].seeds[0]) + code

    def listed_layers(self) -> str:
        """The table that `list_layers` prints."""
        if self.config.network is None:
            names = ", ".join(self.config.networks)
            raise FacestagesError(
                f"config: network: this key is missing: --config network=NAME, one of {names}"
            )
        return self.plan.path("layers", network=self.config.network)

    def training_data(self, network: str, product: str) -> str:
        """Pictures or labels (``"stimuli"``, ``"labels"``) that a network is trained on."""
        entry = self.config.networks[network]
        if entry.weights != "train":
            raise FacestagesError(
                f"config: networks.{network} is not trained; for that it needs "
                f"'weights: train' and a section 'training'"
            )
        return self.plan.path(product, dataset=entry.training.dataset)

    def training_recipe(self, network: str) -> dict:
        """How a network is trained; nothing where it is not."""
        recipe = self.config.networks[network].training
        return recipe.model_dump() if recipe else {}

    def training_checkpoint(self, network: str, seed: int) -> str:
        """Folder of an unfinished training, outside the outputs, which Snakemake may delete."""
        return self.plan.path("checkpoint", network=network, seed=seed)

    def framework(self, network: str) -> str:
        """Conda environment of a network's framework, or of its library."""
        entry = self.config.networks[network]
        return _environment(entry.framework, entry.zoo and entry.zoo[0])

    def zoo_framework(self, zoo: str) -> str:
        """As `framework`, of a key of `ZOOS`."""
        return _environment(ZOOS[zoo].framework, zoo)

    def zoo_version(self, zoo: str) -> str | None:
        """Package and version of a library, such as ``timm 1.0.31``; None if it is not here."""
        package = ZOOS[zoo].package
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return f"{package} {importlib.metadata.version(package)}"
        return None

    def training_backend(self, network: str) -> str:
        """Conda environment of the backend that Keras trains with."""
        recipe = self.config.networks[network].training
        return recipe.backend if recipe else "tensorflow"


def _identity_first(labels: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(labels, key=lambda label: label != "identity"))
