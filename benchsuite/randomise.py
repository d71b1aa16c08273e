"""`python -m benchsuite.randomise SHAPE OUT SEED`: a checkpoint without a head, weights drawn under a seed.

What a pretrained checkpoint would hold, in float32 safetensors, with the shape's own tokenizer files.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path


def main(shape: str, out: str, seed: str) -> None:
    """Build beside `out` and move into place, so that two runs at once never see half a checkpoint."""
    from transformers import AutoConfig, AutoModel, set_seed

    set_seed(int(seed))
    model = AutoModel.from_config(AutoConfig.from_pretrained(shape))
    target = Path(out)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        built = Path(work) / "model"
        model.save_pretrained(built, safe_serialization=True)
        for file in Path(shape).iterdir():
            if file.is_file() and file.suffix in (".json", ".txt", ".model"):
                shutil.copy(file, built / file.name)
        try:
            os.rename(built, target)
        except OSError:
            if not (target / "model.safetensors").is_file():
                raise


if __name__ == "__main__":
    main(*sys.argv[1:])
