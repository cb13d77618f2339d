"""VGG16 (Simonyan and Zisserman 2015), trained on the photographs of objects of ImageNet."""

from __future__ import annotations

import os

from facestages.errors import FacestagesError
from facestages.networks.quiet_keras import keras

_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels.h5"


def vgg16(n_classes: int = 1000, seed: int = 0, weights: str | None = None) -> keras.Model:
    """Build VGG16 of Keras Applications, with its three dense layers.

    Parameters
    ----------
    n_classes : int
        1000 for the published weights.
    seed : int
        Seed of the initial weights.
    weights : {None, "imagenet"}
        For ``"imagenet"``, Keras takes the published weights from its cache (``~/.keras/models``,
        or ``$KERAS_HOME/models``) or downloads them (553 MB), and checks their hash.

    Returns
    -------
    keras.Model
        Input 224 x 224 x 3 in Caffe's scaling. Layer ``fc2`` has 4,096 units.

    Raises
    ------
    FacestagesError
        If the weights are not in the cache and cannot be downloaded.
    """
    keras.utils.set_random_seed(seed)
    try:
        return keras.applications.VGG16(weights=weights, classes=n_classes)
    except Exception as error:
        if weights is None:
            raise
        home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
        raise FacestagesError(
            f"the ImageNet weights of VGG16 cannot be fetched ({' '.join(str(error).split())}).\n"
            f"Check the connection, put {_FILE} into {home}/models, or give its path as 'weights'"
        ) from error
