"""Every architecture of ``keras.applications``, each in a process of its own, which gives its memory back."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

NAMES = (
    *("ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge"),
    *("DenseNet121", "DenseNet169", "DenseNet201"),
    *(f"EfficientNetB{size}" for size in range(8)),
    *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    *("InceptionResNetV2", "InceptionV3", "MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small"),
    *("NASNetLarge", "NASNetMobile", "ResNet50", "ResNet50V2", "ResNet101", "ResNet101V2", "ResNet152", "ResNet152V2"),
    *("VGG16", "VGG19", "Xception"),
)
SIDE = {"InceptionResNetV2": 75, "InceptionV3": 75, "Xception": 71}
ULPS = 512.0  # of float32, of the largest output: hundreds of layers add up


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_application_is_the_same_and_is_turned_once(name: str) -> None:
    done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_no_application_is_missing() -> None:
    import keras

    assert set(NAMES) == {name for name in dir(keras.applications) if name[0].isupper()}


def _build(name: str) -> Any:
    import keras

    keras.utils.set_random_seed(0)
    side = SIDE.get(name, 64)
    options: dict[str, Any] = {"weights": None, "input_shape": (side, side, 3), "classes": 10}
    model = getattr(keras.applications, name)(**options, classifier_activation=None)
    generator = np.random.default_rng(0)
    for weight in model.weights:  # as new, statistics are zeros and ones, and would hide a mistake
        if "moving_variance" in weight.path:
            weight.assign(generator.uniform(0.8, 1.2, weight.shape))
        elif "gamma" in weight.path:  # below one, so that hundreds of layers don't let the values grow out of bounds
            weight.assign(generator.uniform(0.3, 0.7, weight.shape))
        elif weight.ndim == 1 and "seed" not in weight.path:
            weight.assign(generator.uniform(-0.1, 0.1, weight.shape))
    return model


def _judge(name: str) -> None:
    from agreement import converted

    model = converted(lambda: None, model=_build(name))
    assert model.operators["Transpose"] <= 1, model.operators
    side = SIDE.get(name, 64)
    for batch in (1, 3):
        images = np.random.default_rng(batch).uniform(0, 255, (batch, side, side, 3)).astype(np.float32)
        model.assert_agrees(images, ulps=ULPS)


if __name__ == "__main__":
    _judge(sys.argv[1])
