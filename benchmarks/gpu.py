"""What a GPU gives: a CPU's numbers to rounding, and how much faster, as one table and one file.

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
from pathlib import Path

import numpy as np
import pandas as pd

ROUNDING = 2.0**-24
"""Relative error of one operation in single precision."""
N_STEPS = 110
"""Steps of a trial."""
SEEDS = 30
"""Network seeds of the estimate."""


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
            "PYTHONPATH": str(Path(__file__).parents[1]),
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


def tolerance(n_units: int) -> float:
    """Return the relative difference that single precision leaves open, T N 2⁻²⁴.

    A sum of N products is off by up to N 2⁻²⁴ of its terms' size, and a trial's T steps add up.
    """
    return N_STEPS * n_units * ROUNDING


def differences(one: Path, other: Path) -> list[dict]:
    """Compare the outputs of two devices, file by file.

    Of arrays: ‖a − b‖ / ‖a‖ and the largest |a − b|, the worst over the file's arrays. Of tables: the same for the
    mean squared error, and the largest difference in accuracy, in percent points.
    """
    rows = []
    for file in sorted(path for path in one.rglob("*") if path.suffix in (".npz", ".csv")):
        if file.name.endswith(".cells.npz"):
            continue
        pair = [read(file), read(other / file.relative_to(one))]
        accuracy = [values.pop("accuracy", np.zeros(1)) for values in pair]
        relative, largest = 0.0, 0.0
        for name, values in pair[0].items():
            difference = values - pair[1][name]
            size = np.linalg.norm(values)
            relative = max(
                relative, float(np.linalg.norm(difference) / size) if size else float(np.abs(difference).max())
            )
            largest = max(largest, float(np.abs(difference).max()))
        row = {"output": str(file.relative_to(one)), "relative": relative, "largest": largest}
        rows.append(row | {"accuracy_points": float(np.abs(accuracy[0] - accuracy[1]).max())})
    return rows


def read(file: Path) -> dict[str, np.ndarray]:
    """Return what is compared of a file, by name, in double precision."""
    if file.suffix == ".csv":
        table = pd.read_csv(file)
        return {name: table[name].to_numpy(np.float64) for name in ("mse", "accuracy")}
    with np.load(file) as arrays:
        return {name: np.asarray(arrays[name], np.float64) for name in arrays if arrays[name].dtype.kind == "f"}


def estimate(plan: dict, device: dict, ms: dict, module_ms: float, per_second: dict, seeds: int) -> list[dict]:
    """Say how long each stage of the preset takes with `seeds` networks of each kind in a job.

    Args:
        plan: jobs and steps by stage, and perturbed networks, for one seed.
        device: seconds that a job takes to start and to compile.
        ms: milliseconds per step by (units, trained) with that many networks.
        module_ms: milliseconds per step of pre-training.
        per_second: perturbed networks per second, `small` and `large`.
        seeds: network seeds.
    """
    each = {"head": ms[100, "heads"], "separate": ms[100, "all weights"], "module": module_ms}
    rows = []
    for stage, (n_jobs, n_steps) in plan["jobs"].items():
        seconds = n_jobs * (n_steps * each.get(stage, ms[200, "all weights"]) / 1e3 + device["start_s"])
        rows.append({"stage": stage, "jobs": n_jobs, "minutes": seconds / 60})
    perturbing = sum(seeds * n / per_second[size] for size, n in plan["perturbed"].items())
    rows.append({"stage": "perturbation", "jobs": None, "minutes": perturbing / 60})
    rows.append({"stage": "all", "jobs": None, "minutes": sum(row["minutes"] for row in rows)})
    return rows


def measure(folder: Path, tiny: bool) -> dict:
    """Run all parts; those that are timed on the GPU have it to themselves."""
    device = "gpu" if has_gpu() else "vmap"
    small = ("--units", 12, "--trials", 20, "--test-trials", 20, "--chunk", 2) if tiny else ()
    few = ("--steps", 4) if tiny else ()
    seeds = 2 if tiny else 10
    networks, sizes = ((1, 3), (1, 4)) if tiny else ((1, 10, 30, 100, 300), (1, 32, 256))

    def start(where, part, *options, name=""):
        return Process(folder, where, part, *options, *(small if part in ("steps", "batches") else ()), name=name)

    running = [start(device, "stages"), start("cpu", "stages"), start("cpu", "plan")]
    found = {f"{process.folder.name}": process.found() for process in running}
    for part, options in (("steps", ()), ("batches", ("--batches", 1))):
        found[f"{part}-cpu"] = start("cpu", part, *options).found()
    blocks = []
    for seed in range(seeds):
        one = ("--first-seed", seed, "--seeds", 1, *few, *(["--perturb"] if seed == 0 else []))
        blocks.append(start("cpu", "block", *one, name=f"block{seed}"))
    found[f"block-{device}"] = start(device, "block", "--seeds", seeds, "--perturb", *few).found()
    found[f"steps-{device}"] = start(device, "steps", "--networks", *networks).found()
    found[f"batches-{device}"] = start(device, "batches", "--batches", *sizes).found()
    found["blocks-cpu"] = [process.found() for process in blocks]
    found["differences"] = differences(folder / "stages-cpu", folder / f"stages-{device}")
    found["tolerance"] = tolerance(found["stages-cpu"]["units"])
    return found | {"device": device}


def report(found: dict) -> str:
    """Lay out what was found as one table per part."""
    device = found["device"]
    parts = {"cpu": found["steps-cpu"], device: found[f"steps-{device}"]}
    lines = [f"{name}: {part['device']}, jax {part['jax']}, {part['cores']} cores" for name, part in parts.items()]
    rows = pd.DataFrame(found["differences"])
    rows["stage"] = [
        " ".join(part for part in Path(file).parts[2:-1] if not part.startswith("s0")) for file in rows.output
    ]
    lines += ["", f"Differences, relative: at most {rows.relative.max():.1e}, allowed {found['tolerance']:.1e}"]
    lines += [
        rows.groupby("stage")[["relative", "largest", "accuracy_points"]].max().to_string(float_format="{:.1e}".format)
    ]
    core = {(row["units"], row["trained"]): row["ms_per_step"] for row in parts["cpu"]["rows"]}
    steps = pd.DataFrame([{"device": name} | row for name, part in parts.items() for row in part["rows"]])
    steps["networks_steps_per_s"] = 1e3 * steps.networks / steps.ms_per_step
    steps["times_a_core"] = steps.networks_steps_per_s * [core[pair] / 1e3 for pair in zip(steps.units, steps.trained)]
    lines += ["", "A training step", steps.to_string(index=False, float_format="{:.1f}".format)]
    batches = [{"device": name} | row for name in ("cpu", device) for row in found[f"batches-{name}"]["rows"]]
    lines += [
        "",
        "Perturbed networks, outputs alone",
        pd.DataFrame(batches).to_string(index=False, float_format="{:.1f}".format),
    ]
    own, cpu = found[f"block-{device}"], found["blocks-cpu"]
    lines += ["", "T7, accuracy by network seed (%)"]
    for kind, values in own["accuracies"].items():
        lines += [f"{kind:10} {device:4} " + " ".join(f"{v:5.1f}" for v in values)]
        lines += [f"{'':10} cpu  " + " ".join(f"{part['accuracies'][kind][0]:5.1f}" for part in cpu)]
    lines += [f"seconds on {device}: {own['seconds']}", f"seconds of seed 0 on one core: {cpu[0]['seconds']}"]
    lines += [f"a whole sweep: {own['perturbation']} on {device}, {cpu[0]['perturbation']} on one core"]
    lines += [
        "",
        f"paper, {SEEDS} seeds, 30 draws",
        pd.DataFrame(found["estimate"]).to_string(index=False, float_format="{:.1f}".format),
    ]
    return "\n".join(lines)


def estimates(found: dict, tiny: bool) -> list[dict]:
    """Estimate the whole preset on this device, and on one core beside it."""
    device, cpu, rows = found["device"], found["blocks-cpu"][0], []
    for name in (device, "cpu"):
        part = found[f"steps-{name}"]["rows"]
        n = SEEDS if any(row["networks"] == SEEDS for row in part) else max(row["networks"] for row in part)
        scale = {"gpu": 1, "vmap": SEEDS / n, "cpu": SEEDS}[name]
        at = {(row["units"], row["trained"]): row["ms_per_step"] * scale for row in part if row["networks"] == n}
        if tiny:
            at = {
                (units, trained): next(iter(at.values()))
                for units in (100, 200)
                for trained in ("heads", "all weights")
            }
        block = found[f"block-{device}"] if name == device else cpu
        n_seeds = len(block["accuracies"]["separate"])
        steps = found["plan-cpu"]["jobs"]["module"][1]
        module_ms = 1e3 * block["seconds"]["module"][-1] / steps * (1 if name == "gpu" else SEEDS / n_seeds)
        speed = block["perturbation"]["per_second"]
        rates = {row["units"]: row["networks_per_second"] for row in found[f"batches-{name}"]["rows"]}
        large = speed * rates.get(200, 1) / rates.get(100, 1)
        start = {"start_s": 2 + float(np.median([row["compilation_s"] for row in part]))}
        each = estimate(found["plan-cpu"], start, at, module_ms, {"small": speed, "large": large}, SEEDS)
        rows += [{"on": "one core" if name == "cpu" else name} | row for row in each]
    return rows


def main() -> None:
    """Measure, print the tables, write everything as JSON, and fail where a difference is too large."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="small sizes: whether it runs, not how fast")
    parser.add_argument("--folder", type=Path, default=Path("results/gpu"), help="where all its files go")
    parser.add_argument("--output", type=Path, default=Path("results/gpu.json"), help="what was found")
    arguments = parser.parse_args()
    start = time.perf_counter()
    found = measure(arguments.folder, arguments.tiny)
    found["estimate"] = estimates(found, arguments.tiny)
    found["wall_s"] = time.perf_counter() - start
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(report(found))
    print(f"\n{found['wall_s']:.0f} s; all of it: {arguments.output}")
    worst = max(found["differences"], key=lambda row: row["relative"])
    if worst["relative"] > found["tolerance"]:
        sys.exit(f"{worst['output']}: relative difference {worst['relative']:.1e}; allowed {found['tolerance']:.1e}")


if __name__ == "__main__":
    main()
