"""Compare what the parts of `benchmarks/gpu.py` found, and lay it out as tables."""

from pathlib import Path

import numpy as np
import pandas as pd

from molap.config.tasks import N_STEPS

ROUNDING = 2.0**-24
"""Relative error of one operation in single precision."""
SEEDS = 30
"""Network seeds of the estimate."""
IMPORTS_S = 2.0
"""Seconds that a job takes to import what it needs."""


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


def estimates(found: dict) -> list[dict]:
    """Estimate the whole preset on the GPU, and on one core beside it."""
    cpu, rows = found["blocks-cpu"][0], []
    for name, scale in (("gpu", 1), ("cpu", SEEDS)):
        part = found[f"steps-{name}"]["rows"]
        n = SEEDS if name == "gpu" else 1
        at = {(row["units"], row["trained"]): row["ms_per_step"] * scale for row in part if row["networks"] == n}
        block = found["block-gpu"] if name == "gpu" else cpu
        n_steps = found["plan-cpu"]["jobs"]["module"][1]
        speed = block["perturbation"]["per_second"]
        rates = {row["units"]: row["networks_per_second"] for row in found[f"batches-{name}"]["rows"]}
        each = estimate(
            found["plan-cpu"],
            {"start_s": IMPORTS_S + float(np.median([row["compilation_s"] for row in part]))},
            at,
            1e3 * block["seconds"]["module"][-1] / n_steps * scale,
            {"small": speed, "large": speed * rates[200] / rates[100]},
            SEEDS,
        )
        rows += [{"on": "one core" if name == "cpu" else name} | row for row in each]
    return rows


def table(rows: list[dict] | pd.DataFrame, form: str = "{:.1f}") -> str:
    """Lay out rows as text."""
    return pd.DataFrame(rows).to_string(index=False, float_format=form.format)


def stage_of(file: Path) -> str:
    """Name a stage, and the kind of its networks, by the folders of its output; blocks of seeds are left out."""
    return " ".join(part for part in file.parts[2:-1] if not part.startswith("s0"))


def report(found: dict) -> str:
    """Lay out what was found: a table for each part that was run."""
    device, sections = found["device"], []
    if "differences" in found:
        rows = pd.DataFrame(found["differences"])
        rows["stage"] = [stage_of(Path(file)) for file in rows.output]
        worst = rows.groupby("stage", as_index=False)[["relative", "largest", "accuracy_points"]].max()
        title = f"Differences of {device} and CPU, relative: at most {rows.relative.max():.1e}, "
        sections.append(f"{title}allowed {found['tolerance']:.1e}\n{table(worst, '{:.1e}')}")
    if f"steps-{device}" in found:
        core = {(row["units"], row["trained"]): row["ms_per_step"] for row in found["steps-cpu"]["rows"]}
        parts = {name: found[f"steps-{name}"] for name in ("cpu", device)}
        rows = pd.DataFrame([{"on": name} | row for name, part in parts.items() for row in part["rows"]])
        rows["networks_steps_per_s"] = 1e3 * rows.networks / rows.ms_per_step
        one = np.array([core[pair] for pair in zip(rows.units, rows.trained, strict=True)])
        rows["times_a_core"] = rows.networks_steps_per_s * one / 1e3
        lines = [f"{name}: {part['device']}, jax {part['jax']}, {part['cores']} cores" for name, part in parts.items()]
        sections.append("\n".join([*lines, "A training step", table(rows)]))
    if f"batches-{device}" in found:
        rows = [{"on": name} | row for name in ("cpu", device) for row in found[f"batches-{name}"]["rows"]]
        sections.append("Perturbed networks, outputs alone\n" + table(rows))
    if "blocks-cpu" in found:
        sections.append(_block(found[f"block-{device}"], found["blocks-cpu"], device))
    if "estimate" in found:
        sections.append(f"The preset `paper`, {SEEDS} seeds, 30 draws\n" + table(found["estimate"]))
    return "\n\n".join(sections)


def _block(own: dict, cpu: list[dict], device: str) -> str:
    lines = ["T7, accuracy by network seed (%)"]
    for kind, values in own["accuracies"].items():
        lines += [f"{kind:10} {device:4} " + " ".join(f"{v:5.1f}" for v in values)]
        lines += [f"{'':10} cpu  " + " ".join(f"{part['accuracies'][kind][0]:5.1f}" for part in cpu)]
    for stage, seconds in own["seconds"].items():
        beside = sum(cpu[0]["seconds"][stage])
        lines.append(f"{stage:12} {sum(seconds):7.1f} s for all seeds on {device}, {beside:7.1f} s for one on a core")
    here, core = (round(part["perturbation"]["per_second"]) for part in (own, cpu[0]))
    lines.append(f"perturbed networks per second, with all metrics: {here} on {device}, {core} on a core")
    return "\n".join(lines)
