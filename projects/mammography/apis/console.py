"""Keep the console for what the user has to read."""

import io
import warnings
from contextlib import redirect_stdout
from importlib import import_module

# Third parties about themselves, by what they say: nothing that a user could act on.
_NOISE = (
    "Fail to import ``MultiScaleDeformableAttention``",
    "'pin_memory' argument is set as true but no accelerator",
    "Detected call of `(lr_)?scheduler.step\\(\\)` before `optimizer.step\\(\\)`",
    "The epoch parameter in `scheduler.step\\(\\)`",
    "Setting (OMP|MKL)_NUM_THREADS environment variable",
    ".*torch.jit.*is deprecated",
)
_PRINTED = ("Could not import OneDL",)


def import_plugin() -> None:
    """Register every component of the package, without the remarks of third parties."""
    for message in _NOISE:
        warnings.filterwarnings("ignore", message=message)
    printed = io.StringIO()
    with redirect_stdout(printed):
        import_module("mammography.plugin")
        # MMPreTrain imports its own parts when the first of them is built.
        import_module("mmpretrain.datasets")
    kept = [line for line in printed.getvalue().splitlines() if line not in _PRINTED]
    if kept:
        print("\n".join(kept))  # noqa: T201 (not ours to swallow)
