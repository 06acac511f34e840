"""Compare a GPU with a CPU: whether the numbers agree to rounding, and how much faster it is.

    python benchmarks/gpu.py                # about five minutes of a GPU; docs/gpu.md says what it needs
    python benchmarks/gpu.py --tiny         # a minute, on any machine

- stages: every training stage of the tests' tiny workflow, and its perturbations, on both devices; the largest
  differences, and whether they are within what single precision leaves open;
- steps: milliseconds per training step by networks at once, and memory, beside one core of the CPU;
- batches: perturbed networks per second, by how many run at once;
- block: one block of seeds of T7 at the preset's steps, with its accuracies, and its perturbations with all draws;
- estimate: how long the preset `paper` takes from these, with 30 seeds and 30 draws.

Where there is no GPU, a second run on the CPU takes its place, which computes as a GPU does: networks side by side.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from gpu_report import differences, estimates, report, tolerance

PARTS = ("stages", "steps", "batches", "block")


class Process:
    """A part that runs on one device."""

    def __init__(self, folder: Path, device: str, part: str, *options: object, name: str = "") -> None:
        self.folder = folder / f"{name or part}-{device}"
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, Path(__file__).with_name("gpu_parts.py"), part, self.folder, *options]
        command += ["--vmap"] if device == "vmap" else []
        environment = os.environ | {
            "JAX_PLATFORMS": "cuda" if device == "gpu" else "cpu",
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # several processes share the GPU
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
        }
        self._log = open(self.folder / "log.txt", "w", encoding="utf-8")  # noqa: SIM115 (open until it ends)
        self._process = subprocess.Popen(list(map(str, command)), env=environment, stdout=self._log, stderr=self._log)

    def found(self) -> dict:
        """Wait for it, and return what it wrote.

        Raises:
            RuntimeError: if it failed; with the end of its log.
        """
        status = self._process.wait()
        self._log.close()
        if status:
            log = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"{self.folder.name} failed:\n{log[-3000:]}")
        return json.loads((self.folder / "found.json").read_text(encoding="utf-8"))


def has_gpu() -> bool:
    """Say whether JAX finds a GPU."""
    ask = "import jax; print(jax.default_backend())"
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    return found.stdout.strip() == "gpu"


def measure(folder: Path, tiny: bool, parts: list[str], save: Callable[[dict], None]) -> dict:
    """Run the parts that are asked for; those that are timed on the GPU have it to themselves.

    Args:
        folder: where each part leaves its files.
        tiny: small sizes.
        parts: names of `PARTS`.
        save: called with what was found whenever there is more, so that a time limit takes away the rest alone.
    """
    device = "gpu" if has_gpu() else "vmap"
    found: dict = {"device": device}
    small = ("--units", 12, "--trials", 20, "--test-trials", 20, "--chunk", 2) if tiny else ()
    few, fewer = (("--steps", 4), ("--few",)) if tiny else ((), ())
    seeds = 2 if tiny else 10
    networks, sizes = ((1, 3), (1, 4)) if tiny else ((1, 10, 30, 100, 300), (1, 32, 256))
    if "stages" in parts:
        for process in [Process(folder, where, "stages", *fewer) for where in (device, "cpu")]:
            found[process.folder.name] = process.found()
        found["differences"] = differences(folder / "stages-cpu", folder / f"stages-{device}")
        found["tolerance"] = tolerance(found["stages-cpu"]["units"])
        save(found)
    blocks = []
    if "block" in parts:
        found["plan-cpu"] = Process(folder, "cpu", "plan").found()
    for part, options in (("steps", ("--networks", *networks)), ("batches", ("--batches", *sizes))):
        if part in parts:
            found[f"{part}-cpu"] = Process(folder, "cpu", part, *small).found()
            found[f"{part}-{device}"] = Process(folder, device, part, *small, *options).found()
            save(found)
    if "block" in parts:
        for seed in range(seeds):
            one = ("--first-seed", seed, "--seeds", 1, *few, *(["--perturb"] if seed == 0 else []))
            blocks.append(Process(folder, "cpu", "block", *one, name=f"block{seed}"))
        found[f"block-{device}"] = Process(folder, device, "block", "--seeds", seeds, "--perturb", *few).found()
        found["blocks-cpu"] = [process.found() for process in blocks]
        save(found)
    if {"steps", "batches", "block"} <= {*parts} and device == "gpu" and not tiny:
        found["estimate"] = estimates(found)
        save(found)
    return found


def main() -> None:
    """Measure, print the tables, write everything as JSON, and fail where a difference is too large."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="small sizes: whether it runs, not how fast")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to run (default: everything)")
    parser.add_argument("--folder", type=Path, default=Path("results/gpu"), help="where all its files go")
    parser.add_argument("--output", type=Path, default=Path("results/gpu.json"), help="what was found")
    arguments = parser.parse_args()
    start = time.perf_counter()
    arguments.output.parent.mkdir(parents=True, exist_ok=True)

    def save(found: dict) -> None:
        found["wall_s"] = time.perf_counter() - start
        arguments.output.write_text(json.dumps(found, indent=1), encoding="utf-8")

    found = measure(arguments.folder, arguments.tiny, arguments.parts, save)
    print(report(found))
    print(f"\n{found['wall_s']:.0f} s; all of it: {arguments.output}")
    worst = max(found.get("differences", []), key=lambda row: row["relative"], default=None)
    if worst and worst["relative"] > found["tolerance"]:
        sys.exit(f"{worst['output']}: relative difference {worst['relative']:.1e}; allowed {found['tolerance']:.1e}")


if __name__ == "__main__":
    main()
