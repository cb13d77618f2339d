"""The paper's light CNN (NN1, NN2, NN3), as in G. Sharma's notebook of 2020."""

from __future__ import annotations

from facestages.networks.quiet_keras import keras


def light_cnn(n_classes: int, seed: int = 0) -> keras.Model:
    """Build the untrained light CNN.

    Three blocks of two convolutions, one dense layer, softmax. Input 48 x 48 x 1, values 0 to 1.

    Parameters
    ----------
    n_classes : int
        Number of output classes; 3 for NN1 and NN3, 7 for NN2.
    seed : int
        Seed of the initial weights and of dropout.

    Returns
    -------
    keras.Model
        With 3 classes it has 2,395,075 parameters.
    """
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((48, 48, 1), name="input")
    x = inputs
    for block, (filters, kernel, rate) in enumerate([(64, 5, 0.4), (128, 3, 0.4), (256, 3, 0.5)]):
        for conv in (2 * block + 1, 2 * block + 2):
            x = keras.layers.Conv2D(
                filters,
                kernel,
                padding="same",
                activation="elu",
                kernel_initializer="he_normal",
                name=f"conv2d_{conv}",
            )(x)
            x = keras.layers.BatchNormalization(name=f"batchnorm_{conv}")(x)
        x = keras.layers.MaxPooling2D(2, name=f"maxpool2d_{block + 1}")(x)
        x = keras.layers.Dropout(rate, name=f"dropout_{block + 1}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(128, activation="elu", kernel_initializer="he_normal", name="dense_1")(x)
    x = keras.layers.BatchNormalization(name="batchnorm_7")(x)
    x = keras.layers.Dropout(0.6, name="dropout_4")(x)
    # In float32 even if the rest is in mixed precision, in which probabilities would lose digits.
    outputs = keras.layers.Dense(
        n_classes, activation="softmax", dtype="float32", name="out_layer"
    )(x)
    return keras.Model(inputs, outputs, name="light_cnn")
