"""The config: the one source of defaults, checks, JSON schema and documentation.

Snakemake reads the config at the start of every run and of every cluster job, so nothing heavy is
imported here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, ValidationError, model_validator

from facestages.config.analysis import Analysis
from facestages.config.explorer import Explorer
from facestages.config.face_sets import FaceSetEntry, Oasis
from facestages.config.figure import Figure, Uses
from facestages.config.figures import Figures, Tables
from facestages.config.mistakes import describe, read_texts
from facestages.config.networks import NetworkEntry
from facestages.config.references import ReferenceEntry
from facestages.config.section import Name, Section, UserPath, check_name, check_once, mistake
from facestages.config.style import Style
from facestages.config.weights import Weights
from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.yaml_files import read_yaml

__all__ = ["Config", "load_config"]

# Characters of a message, which may quote any value of the config.
_LONGEST = 400
_PATHVARS = ("results", "resources", "logs", "benchmarks")


class Config(Section):
    """The whole config."""

    datasets: dict[Name, FaceSetEntry] = Field(min_length=1, description="Face sets by name.")
    networks: dict[Name, NetworkEntry] = Field(min_length=1, description="Networks by name.")
    ratings: dict[Name, Oasis] = Field({}, description="Human ratings of other pictures, by name.")
    references: dict[Name, ReferenceEntry] = Field(
        {},
        description="What people say of these faces, and recordings of their brains, by name.",
    )
    analysis: Analysis = Field(Analysis(), description="What is measured.")
    figures: Figures = Field(description="What the figures show.")
    tables: Tables = Field(Tables(), description="What the tables show.")
    explore: Explorer | None = Field(
        Explorer(), description="What the explorer shows; null makes none."
    )
    style: Style = Field(Style(), description="How all figures look.")
    network: str | None = Field(
        None, description="For `snakemake list_layers`: the network whose layers are printed."
    )
    dataset: str | None = Field(
        None, description="For `snakemake list_layers`: the face set that sizes are given for."
    )
    assets: dict[str, UserPath] = Field(
        {}, description="Local file of an asset, used instead of a download."
    )
    pathvars: dict[str, UserPath] = Field(
        {},
        description="Snakemake's path variables, e.g. `results: results/paper`. The results of "
        "`mine.yaml` go to `results/mine` if this does not say otherwise.",
    )

    @model_validator(mode="before")
    @classmethod
    def _singular_or_plural(cls, data: Any) -> Any:
        for key in ("network", "dataset"):
            if isinstance(data, Mapping) and isinstance(data.get(key), Mapping):
                raise mistake("key", f"{key}: is one name; did you mean '{key}s'?")
        return data

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        for name, network in self.networks.items():
            if network.training is not None:
                where = f"networks.{name}.training.dataset"
                check_name(where, network.training.dataset, "face set", self.datasets)
        for name, face_set in self.datasets.items():
            self._check_predictors(name, face_set)
        for name, reference in self.references.items():
            where = f"references.{name}.dataset"
            check_name(where, reference.dataset, "face set", self.datasets)
        check_once("networks: label", [network.short_label for network in self.networks.values()])
        if self.network is not None:
            check_name("network", self.network, "network", self.networks)
        if self.dataset is not None:
            check_name("dataset", self.dataset, "face set", self.datasets)
        for name in self.style.colors:
            check_name("style.colors", name, "network", self.networks)
        check_once("analysis.labels", self.analysis.labels)
        check_once("analysis.components", self.analysis.components)
        check_once("analysis.decoding.labels", self.analysis.decoding.labels)
        for where, section in self.drawings() if self.network is None else ():
            section.check(where, self)
        if self.explore is not None and self.network is None:
            self.explore.check(self)
        for key in self.pathvars:
            if key not in _PATHVARS:
                hint = did_you_mean(key, _PATHVARS)
                raise mistake("key", f"pathvars: unknown key '{key}': {hint}")
        return self

    def _check_predictors(self, name: str, face_set: FaceSetEntry) -> None:
        """Refuse networks, to label a face set, that do not exist or name no expressions."""
        for network in face_set.predictors:
            key = "expression_from" if network == face_set.expression_from else "predicted_by"
            where = f"datasets.{name}.{key}"
            check_name(where, network, "network", self.networks)
            if self.networks[network].output_classes is None:
                raise mistake("key", f"{where} = '{network}': give that network the key 'classes'")

    def drawings(self) -> Iterator[tuple[str, Figure]]:
        """Each figure and table that has a section: ``figures.NAME`` or ``tables.NAME``."""
        for folder, sections in (("figures", self.figures), ("tables", self.tables)):
            for name, section in sections:
                if isinstance(section, Figure):
                    yield f"{folder}.{name}", section

    def drawing(self, where: str) -> Figure:
        """The section of a figure or table, e.g. ``figures.fig4``.

        Raises
        ------
        FacestagesError
            If the config has none.
        """
        section = dict(self.drawings()).get(where)
        if section is None:
            raise FacestagesError(
                f"config: {where}: this key is missing; config/README.md explains every key"
            )
        return section

    @property
    def uses(self) -> dict[str, Uses]:
        """What each figure and table is made from; Figure 1 takes no face set."""
        return {where: section.uses() for where, section in self.drawings()}

    @property
    def results(self) -> str:
        """Folder of the results."""
        return self.pathvars.get("results", "results")

    @property
    def resources(self) -> str:
        """Folder of the resources."""
        return self.pathvars.get("resources", "resources")


def load_config(
    config: Mapping[str, Any] | str | os.PathLike,
    manifest: Mapping[str, Mapping[str, Any]] | None = None,
) -> Config:
    """Check a config: what Snakemake read, or a YAML file.

    With a `manifest`, as `assets.read_manifest` gives it, the assets that the config names must be
    in it, and a network's classes must be those of its weights.

    Raises
    ------
    FacestagesError
        If the file cannot be read; else one line for each mistake: key, value, what is allowed,
        the nearest match.
    """
    if not isinstance(config, Mapping):
        config = read_yaml(config)
    try:
        # The list of layers is there to mend what is wrong with the layers in the config.
        context = {"is_listing": isinstance(config, Mapping) and bool(config.get("network"))}
        try:
            checked = Config.model_validate(config, context=context)
        except ValidationError as error:
            config = read_texts(error, config)
            checked = Config.model_validate(config, context=context)
    except ValidationError as error:
        lines = dict.fromkeys(shorten(line, _LONGEST) for line in describe(error, config, Config))
        raise FacestagesError("\n".join(lines)) from None
    if manifest is not None:
        _check_assets(checked, manifest)
    return checked


def _check_assets(config: Config, manifest: Mapping[str, Mapping[str, Any]]) -> None:
    named = {f"assets.{name}": name for name in config.assets}
    weights = {
        name: network.weights.asset
        for name, network in config.networks.items()
        if isinstance(network.weights, Weights) and network.weights.asset
    }
    named |= {f"networks.{name}.weights.asset": asset for name, asset in weights.items()}
    for key, asset in named.items():
        if asset not in manifest:
            hint = did_you_mean(asset, manifest)
            raise FacestagesError(f"config: {key} = '{asset}': no such asset; {hint}")
    for name, asset in weights.items():
        given = config.networks[name].output_classes
        classes = manifest[asset].get("classes", given)
        if classes != given:
            raise FacestagesError(
                f"config: networks.{name}.classes: the weights '{asset}' answer in the order "
                f"[{', '.join(classes)}]; give the key 'classes' so"
            )
