"""The space of layouts that is searched and priced: five models, ten devices, twelve sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.layout import QuestionTable
from planner.run import default_batch_tokens

MODELS = ("llama3-8b", "llama3-70b", "llama-3.1-405b", "deepseek-v3", "K-EXAONE-236B-A23B")
DEVICES = (
    "a100", "h100", "h200", "b200", "gb200_nvl72", "mi300x", "mi355x", "gaudi3", "tpu_v5p",
    "trainium2",
)  # fmt: skip
SIZES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)


def questions(
    models: Any, devices: Any, usual: Any, sizes: tuple[int, ...], *,
    seq_len: int = 4096, factor: float = 1.0,
) -> QuestionTable:  # fmt: skip
    """Every model on every device at every size, on its usual stack and `factor` its batch."""
    batch = np.maximum(default_batch_tokens(models) * factor / seq_len, 1)
    cells = [
        (model, device, usual[device], seq_len, int(batch[model]), size, 0, 0)
        for model in range(len(models.names))
        for device in range(len(devices.names))
        for size in sizes
    ]
    return QuestionTable(*np.array(cells, dtype=np.int64).T.copy())
