"""Tables of layers of small and large networks, as `networks.listing` writes them."""

import math

import pandas as pd

STAGES = {
    "batchnorm_1": "early",
    "flatten": "middle",
    "dropout_4": "penultimate",
    "out_layer": "final",
}


def table(rows, stages=()):
    """A table of layers from their names, kinds, shapes and parameters."""
    stages = dict(stages)
    return pd.DataFrame(
        {
            "network": "net",
            "layer": name,
            "kind": kind,
            "shape": shape,
            "units": math.prod(map(int, shape.split("x"))),
            "parameters": parameters,
            "network_parameters": 1_234_567,
            "stage": stages.get(name, ""),
            "problem": "",
        }
        for name, kind, shape, parameters in rows
    )


def light():
    """The network of the paper."""
    rows = [("input", "Input", "48x48x1", 0)]
    for block, (side, channels) in enumerate([(48, 64), (24, 128), (12, 256)]):
        for number in (2 * block + 1, 2 * block + 2):
            shape = f"{side}x{side}x{channels}"
            rows.append((f"conv2d_{number}", "Conv2D", shape, 1000))
            rows.append((f"batchnorm_{number}", "BatchNormalization", shape, 100))
        shape = f"{side // 2}x{side // 2}x{channels}"
        rows.append((f"maxpool2d_{block + 1}", "MaxPooling2D", shape, 0))
        rows.append((f"dropout_{block + 1}", "Dropout", shape, 0))
    rows += [("flatten", "Flatten", "9216", 0), ("dense_1", "Dense", "128", 5000)]
    rows += [("batchnorm_7", "BatchNormalization", "128", 10), ("dropout_4", "Dropout", "128", 0)]
    return table([*rows, ("out_layer", "Dense", "3", 387)], STAGES)


def xception():
    """Long names, branches, and as many layers as are drawn one by one."""
    rows = [("input", "Input", "64x64x1", 0), ("conv2d_1", "Conv2D", "62x62x8", 72)]
    for block, side in enumerate((60, 30, 15, 8, 4)):
        shape = f"{side}x{side}x{8 << block}"
        for number in range(2 * block, 2 * block + 2):
            rows.append((f"separable_conv2d_{number}", "SeparableConv2D", shape, 9))
            rows.append((f"batch_normalization_{number}", "BatchNormalization", shape, 9))
            rows.append((f"activation_{number}", "Activation", shape, 0))
            rows.append((f"max_pooling2d_{number}", "MaxPooling2D", shape, 0))
        rows.append((f"add_{block}", "Add", shape, 0))
    rows.append(("global_average_pooling2d_1", "GlobalAveragePooling2D", "7", 0))
    rows.append(("predictions", "Activation", "7", 0))
    stages = ("batch_normalization_1", "add_4", "global_average_pooling2d_1", "predictions")
    return table(rows, zip(stages, STAGES.values(), strict=True))


def modules():
    """A residual network in PyTorch: 300 modules that hold each other."""
    rows = [("input", "Input", "3x224x224", 0), ("conv1", "Conv2d", "64x112x112", 9408)]
    rows += [("bn1", "BatchNorm2d", "64x112x112", 128), ("maxpool", "MaxPool2d", "64x56x56", 0)]
    for stage, (channels, side, blocks) in enumerate([(256, 56, 30), (512, 28, 40)], start=1):
        shape = f"{channels}x{side}x{side}"
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            rows += [
                (f"{name}.conv1", "Conv2d", shape, 10),
                (f"{name}.bn1", "BatchNorm2d", shape, 2),
            ]
            rows += [(f"{name}.relu#1", "ReLU", shape, 0), (name, "BasicBlock", shape, 12)]
        rows.append((f"layer{stage}", "Sequential", shape, 12 * blocks))
    rows += [("avgpool", "AdaptiveAvgPool2d", "512x1x1", 0), ("fc", "Linear", "7", 3591)]
    stages = {"bn1": "early", "layer2.31.bn1": "middle", "avgpool": "penultimate", "fc": "final"}
    return table(
        [*rows, *((f"head.{n}", "Identity", "7", 0) for n in range(300 - len(rows)))], stages
    )
