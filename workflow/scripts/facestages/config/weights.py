"""Weights of a network from elsewhere, in the config."""

from __future__ import annotations

from pydantic import Field, model_validator

from facestages.config.section import Section, UserPath


class Weights(Section):
    """Weights from elsewhere: an asset of `resources/manifest.yaml`, or a file of one's own."""

    asset: str | None = Field(None, description="Name in the manifest.")
    member: str | None = Field(
        None,
        description="The weights' file inside the asset; needed only if there are several. "
        "`{seed}` in it, or in `path`, is the seed of the instance.",
    )
    path: UserPath | None = Field(
        None,
        description="Instead: a file of Keras, torch or safetensors. `weights: path/to/file` "
        "is short for it.",
    )
    key: str | None = Field(
        None,
        description="Which of several state dicts in a torch file, such as `ema`: the key under "
        "which it lies, or the prefix of its keys. Needed only where several fit.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Weights:
        if (self.asset is None) == (self.path is None):
            raise ValueError("give either 'asset' or 'path'")
        if self.member is not None and self.asset is None:
            raise ValueError("'member' goes with 'asset'")
        return self

    def of_seed(self, seed: int) -> Weights:
        """The weights of one instance: `{seed}` in the file's name is replaced."""
        names = {"path": self.path, "member": self.member}
        filled = {key: name and name.replace("{seed}", str(seed)) for key, name in names.items()}
        return self.model_copy(update=filled)
