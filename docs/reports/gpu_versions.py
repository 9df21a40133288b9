"""What a GPU report is made with, as JSON: `python docs/reports/gpu_versions.py cuda`."""

import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import torch

WANTED = (
    "numpy", "scipy", "pandas", "pydantic", "typer", "jaxtyping", "beartype", "torchdiffeq", "torchvision", "triton",
    "scikit-learn", "scikit-posthocs", "seaborn", "jinja2", "safetensors", "filelock", "psutil", "pytest",
    "nvidia-ml-py", "jax", "diffrax",
)  # fmt: skip
MODULES = {"scikit-learn": "sklearn", "scikit-posthocs": "scikit_posthocs", "nvidia-ml-py": "pynvml"}


def found(package: str) -> str | None:
    """The version of a package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown" if find_spec(MODULES.get(package, package)) else None


def device(name: str) -> dict[str, object]:
    """What is known of the device. Raises RuntimeError where there is none."""
    if name != "cuda":
        return {"name": name}
    about = torch.cuda.get_device_properties(0)
    free, total = torch.cuda.mem_get_info()
    return {"name": about.name, "processors": about.multi_processor_count, "bytes": total, "free": free}


print(  # noqa: T201
    json.dumps(
        {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "device": device(sys.argv[1]),
            "packages": {package: found(package) for package in WANTED},
        },
        indent=1,
    )
)
