"""A process of its own that imports the guarded libraries one by one and multiplies two matrices: the doctor's hands.

`python -m benchsuite.libraries STEP...` says what it begins and what came of it, a line each, so that whoever asked
knows at which step it died.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

MARK = "benchsuite-libraries:"
"""Libraries greet on stdout as well."""
NF4 = (
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
)  # fmt: skip
"""The sixteen values of NormalFloat4, as the QLoRA paper has them."""
SIZE, BLOCK = 128, 64


def said(error: BaseException) -> str:
    """An error's class and the first line of its message."""
    return f"{type(error).__name__}: {error}".strip().splitlines()[0][:300]


def imported(name: str) -> str | None:
    """The version that a module states, imported."""
    version = getattr(importlib.import_module(name), "__version__", None)
    return None if version is None else str(version)


def torch_build() -> dict[str, Any]:
    """What torch was built for; asked without touching a device."""
    import torch

    flags = getattr(torch._C, "_cuda_getArchFlags", lambda: None)() if torch.version.cuda else None
    return {"version": torch.__version__, "cuda": torch.version.cuda or "", "arches": (flags or "").split()}


def on_gpu() -> None:
    """One tensor on the GPU; raises what torch raises."""
    import torch

    torch.zeros(1, device="cuda").sum().item()


def native() -> str:
    """Why bitsandbytes' native library did not load; empty where it did. Importing it hides that."""
    import torch
    from bitsandbytes import cextension

    found = getattr(cextension, "lib", None)
    if found is None:
        return "bitsandbytes holds none"
    # Asked for any attribute at all, this class answers with a function that raises.
    problem = str(vars(found).get("error_msg", "")).strip()
    if not problem and torch.cuda.is_available() and not found.compiled_with_cuda:
        problem = "only its CPU library was loaded, beside a GPU that torch can use"
    return problem.partition("\n")[0][:300]


def product(device: str) -> float:
    """How far an nf4 product is off, over the largest right value.

    Weights are drawn from nf4's own values with a scale of 1 in every block, so that quantising them loses nothing;
    inputs are small whole numbers: the right answer is known without bitsandbytes.
    """
    import torch
    from bitsandbytes import functional, matmul_4bit

    generator = torch.Generator().manual_seed(0)
    weights = torch.tensor(NF4)[torch.randint(0, len(NF4), (SIZE, SIZE), generator=generator)]
    weights.view(-1, BLOCK)[:, 0] = 1.0
    inputs = torch.randint(-2, 3, (8, SIZE), generator=generator).float()
    right = inputs @ weights.t()
    half = torch.float16 if device == "cuda" else torch.float32
    packed, state = functional.quantize_4bit(weights.to(device, half), blocksize=BLOCK, quant_type="nf4")
    with torch.no_grad():
        got = matmul_4bit(inputs.to(device, half), packed.t(), quant_state=state).float().cpu()
    return float((got - right).abs().max() / right.abs().max())


STEPS: Mapping[str, Callable[[], Any]] = {
    "torch-build": torch_build,
    "gpu": on_gpu,
    "native": native,
    "product-cpu": lambda: product("cpu"),
    "product-cuda": lambda: product("cuda"),
}
"""Besides "import:NAME"."""


def take(step: str) -> Any:
    """The answer of one step."""
    name = step.removeprefix("import:")
    return imported(name) if name != step else STEPS[step]()


def _say(**line: Any) -> None:
    print(MARK + json.dumps(line), flush=True)  # noqa: T201 - that is how it answers


def main(steps: list[str]) -> None:
    """Take every step; an error ends that step alone."""
    for step in steps:
        _say(begin=step)
        try:
            answer = take(step)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a broken library raises is the answer
            _say(end=step, problem=said(error))
        else:
            _say(end=step, answer=answer)


if __name__ == "__main__":
    main(sys.argv[1:])
