"""Where a network's weights come from; what its jobs wait for and are told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from facestages import contents, paths
from facestages.architectures import ARCHITECTURES, layer_widths, select_layers
from facestages.config import Config
from facestages.config.networks import NO_STAGES, Weights
from facestages.errors import FacestagesError
from facestages.paths import Recording
from facestages.plan.given import Given, give

if TYPE_CHECKING:
    from facestages.plan import Plan

_IMAGENET_BYTES = 553 * 10**6  # of VGG16, the only network with such weights

# Units of a user's own network, which is not loaded yet: as many as a wide first layer has.
_UNITS_A_PIXEL, _MOST_UNITS = 64, 2_000_000


def weights_file(config: Config, network: str, seed: int) -> str | None:
    """File of the weights of a network's instance, or the folder that holds the file.

    None where there is none; ``"imagenet"`` for weights that Keras Applications fetches.
    """
    entry = config.networks[network]
    if entry.weights == "train":
        return paths.fill("model", config.pathvars, network=network, seed=seed)
    if isinstance(entry.weights, Weights):
        if entry.weights.path:
            return entry.weights.path
        folder = paths.fill("asset", config.pathvars, asset=entry.weights.asset)
        return f"{folder}/{entry.weights.member}" if entry.weights.member else folder
    return "imagenet" if entry.weights == "imagenet" else entry.keras


def weights_target(config: Config, network: str, seed: int) -> str | None:
    """What to ask Snakemake for to get a network's weights; None if no run makes them."""
    entry = config.networks[network]
    if asset := weights_asset(entry):
        return paths.fill("asset", config.pathvars, asset=asset)
    return weights_file(config, network, seed) if entry.weights == "train" else None


def weights_asset(entry) -> str | None:
    """Asset that holds a network's weights, from its section of the config; or None."""
    return entry.weights.asset if isinstance(entry.weights, Weights) else None


class Networks:
    """Answers about networks."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.config = plan.config

    def weights_file(self, network: str, seed: int = 0) -> str | None:
        """See `plan.networks.weights_file`."""
        return weights_file(self.config, network, seed)

    def asset(self, network: str) -> str | None:
        """Asset that holds a network's weights, or None."""
        return weights_asset(self.config.networks[network])

    def weights_bytes(self, network: str) -> int:
        """Size of a network's weights, as far as it can be foreseen."""
        if asset := self.asset(network):
            return self.plan.manifest[asset]["bytes"]
        path = self.weights_file(network)
        if path == "imagenet":
            return _IMAGENET_BYTES
        return os.path.getsize(path) if path and os.path.isfile(path) else 0

    def inputs(self, network: str, seed: int) -> str | list[str]:
        """What must be made or fetched before a network can be opened."""
        entry = self.config.networks[network]
        if entry.weights == "imagenet":
            return self.plan.path("keras_weights", architecture=entry.architecture)
        return weights_target(self.config, network, seed) or []

    def given(self, recording: Recording, product: str) -> Given:
        """The user's weights and code that a product of a recording is made with."""
        path = self.plan.path(product, recording)
        network = recording.network
        return self._weights_given(network, path) + self._code_given(network, path)

    def _weights_given(self, network: str, product: str) -> Given:
        entry = self.config.networks[network]
        is_own = entry.keras or (isinstance(entry.weights, Weights) and entry.weights.path)
        path = self.weights_file(network)
        return give(self.plan, f"networks.{network}", product, "content", path) if is_own else []

    def _code_given(self, network: str, product: str) -> Given:
        entry, section = self.config.networks[network], f"networks.{network}"
        if not entry.torch:
            return []
        folders = contents.import_folders(entry.torch)
        given = give(self.plan, section, product, "module", entry.torch, *folders)
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
            "imagenet": ("Keras Applications", "ImageNet"),
        }
        if isinstance(entry.weights, str):
            return words[entry.weights]
        if entry.weights or entry.keras:
            return "own file", "not told"
        return ("none", "none") if entry.architecture == "pixels" else words["untrained"]

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
            return min(entry.input.size**2 * _UNITS_A_PIXEL, _MOST_UNITS)
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
        return bool(entry.torch or (known and known.builder))

    def _is_described_by_weights(self, network: str) -> bool:
        entry = self.config.networks[network]
        has_file = entry.architecture and entry.weights
        return bool(entry.keras or (has_file and not self.is_described_by_code(network)))

    def description_inputs(self, network: str) -> str | list[str]:
        """As `inputs`, to tell a network's layers; nothing where code or the config tells them."""
        return self.inputs(network, 0) if self._is_described_by_weights(network) else []

    def description_weights(self, network: str) -> str | None:
        """The file of weights that tells a network's layers, or None."""
        return self.weights_file(network) if self._is_described_by_weights(network) else None

    def description_given(self, network: str) -> Given:
        """As `given`, to tell a network's layers."""
        product = self.plan.path("layers", network=network)
        code = self._code_given(network, product)
        if not self._is_described_by_weights(network):
            return code
        return self._weights_given(network, product) + code

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
        """Conda environment of a network's framework."""
        environments = {"keras": "tensorflow", "torch": "torch", "numpy": "analysis"}
        return environments[self.config.networks[network].framework]

    def training_backend(self, network: str) -> str:
        """Conda environment of the backend that Keras trains with."""
        recipe = self.config.networks[network].training
        return recipe.backend if recipe else "tensorflow"
