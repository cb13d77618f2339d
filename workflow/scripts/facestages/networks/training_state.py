"""State of a training between two epochs: its learning rate, and its copy on disk."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

from facestages import provenance
from facestages.config.training import Training
from facestages.errors import FacestagesError
from facestages.files import atomic_path, remove
from facestages.networks.quiet_keras import keras

logger = logging.getLogger(__name__)

# The gain in accuracy that Keras' ReduceLROnPlateau counts by default, as in the published recipe.
_PLATEAU_MINIMUM_GAIN = 1e-4

# Folder of this process's training. No other process has this name, on any machine.
_OWN = f"training-{secrets.token_hex(4)}"


@dataclass
class TrainingState:
    """What a training needs, beside its model, to go on after an epoch."""

    epoch: int = 0
    rate: float = 0.0
    best_accuracy: float = -1.0
    best_epoch: int = 0
    plateau_best: float = -1.0
    plateau_wait: int = 0
    history: list[dict] = field(default_factory=list)

    def stopped(self, training: Training) -> bool:
        """Whether training is over."""
        patience = training.stopping_patience
        waited = self.epoch - self.best_epoch
        return self.epoch >= training.epochs or (patience is not None and waited >= patience)

    def end_epoch(self, accuracy: float, training: Training) -> bool:
        """Record an epoch's validation accuracy; return whether it is the best so far."""
        self.epoch += 1
        if accuracy > self.plateau_best + _PLATEAU_MINIMUM_GAIN:
            self.plateau_best, self.plateau_wait = accuracy, 0
        else:
            self.plateau_wait += 1
            if training.schedule == "plateau" and self.plateau_wait >= training.plateau_patience:
                self.rate = max(self.rate / 2, training.minimum_rate)
                self.plateau_wait = 0
        improved = accuracy > self.best_accuracy + training.minimum_gain
        if improved:
            self.best_accuracy, self.best_epoch = accuracy, self.epoch
        return improved


def learning_rate(training: Training, steps: int) -> float | keras.optimizers.schedules.CosineDecay:
    """The rate of an optimizer, in epochs of so many steps.

    Of the plateau schedule a number, which `TrainingState.rate` replaces between epochs. Otherwise
    a linear rise to the rate, and half a cosine from there to the least rate.
    """
    rate = training.learning_rate
    if training.schedule == "plateau":
        return rate
    warmup = round(training.warmup_epochs * steps)
    rise = {"warmup_target": rate, "warmup_steps": warmup} if warmup else {}
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=rate / (warmup + 1),
        decay_steps=max(training.epochs * steps - warmup, 1),
        alpha=training.minimum_rate / rate,
        **rise,
    )


class Checkpoint:
    """A training's state and model on disk, in a folder of this process alone.

    The folder is none of the rule's outputs, since Snakemake deletes those before a job. The
    training that began last takes over what earlier ones left; one that still works ends with its
    epoch.

    Parameters
    ----------
    place : path-like
        Folder of all trainings of the network and seed.
    fingerprint : str
        Digest of all that the training depends on. A checkpoint with another one is not used.
    """

    def __init__(self, place, fingerprint: str) -> None:
        self.folder = Path(place, _OWN)
        self.fingerprint = fingerprint

    def load(self) -> tuple[TrainingState, keras.Model] | None:
        """State and compiled model after the last complete epoch; None without a usable one."""
        state = self._take_over()
        if state is None:
            return None
        try:
            return state, keras.models.load_model(self._model(state.epoch), safe_mode=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("%s cannot be used, training begins anew: %s", self.folder, error)
            return None

    def _take_over(self) -> TrainingState | None:
        """Make the longest usable training this process's own, and remove all others."""
        place = self.folder.parent
        place.mkdir(parents=True, exist_ok=True)
        states = {folder: self._read(folder) for folder in place.iterdir()}
        usable = [folder for folder, state in states.items() if state]
        best = max(usable, key=lambda folder: states[folder].epoch, default=None)
        for folder in states:
            if folder != best:
                remove(folder)
        if best:
            # A training that still works there no longer finds its folder.
            os.rename(best, self.folder)
            return states[best]
        self.folder.mkdir()
        return None

    def _read(self, folder: Path) -> TrainingState | None:
        """The state that an earlier training left in `folder`, if it can go on as this one."""
        try:
            saved = json.loads((folder / "state.json").read_text())
            if saved["digest"] != self._digest(saved["state"]):
                logger.info("%s is of another training, or damaged, and is not used", folder)
                return None
            state = TrainingState(**saved["state"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("%s cannot be used: %s", folder, error)
            return None
        return state if (folder / self.best(state).name).exists() else None

    def _digest(self, state: dict) -> str:
        return provenance.digest([self.fingerprint, state])

    def save(self, state: TrainingState, model: keras.Model, improved: bool) -> None:
        """Save an epoch. The state file is renamed last, so that it never names a missing model.

        Raises
        ------
        FacestagesError
            If another training has taken over, or the disk is full.
        """
        if not self.folder.is_dir():
            raise FacestagesError(
                f"{self.folder.parent}: another run trains this network now. Two runs share this "
                f"folder, or a job of an earlier run still works: let one end, then run the same "
                f"command again"
            )
        with atomic_path(self._model(state.epoch)) as partial:
            model.save(partial)
        if improved:
            with atomic_path(self.best(state)) as partial:
                shutil.copyfile(self._model(state.epoch), partial)
        with atomic_path(self.folder / "state.json") as partial:
            saved = {"digest": self._digest(asdict(state)), "state": asdict(state)}
            partial.write_text(json.dumps(saved))
        keep = {self._model(state.epoch), self.best(state)}
        for path in set(self.folder.glob("*.keras")) - keep:
            path.unlink(missing_ok=True)

    def best(self, state: TrainingState) -> Path:
        """Path of the best epoch's model."""
        return self.folder / f"best-{state.best_epoch:03d}.keras"

    def _model(self, epoch: int) -> Path:
        return self.folder / f"epoch-{epoch:03d}.keras"


def remove_checkpoint(place: str | os.PathLike) -> None:
    """Remove this process's training from a folder of `Checkpoint`, and the folder if it is empty.

    Another training that has begun meanwhile stays.
    """
    remove(Path(place, _OWN))
    with contextlib.suppress(OSError):
        os.rmdir(place)
