"""Settings of the attribution: which readings are switched, one at a time, and for which claims."""

from typing import Any

from pydantic import Field, field_validator

from molap.config.base import Section
from molap.config.names import ATTRIBUTES, LETTERS, OURS, why_not_a_name

BEFORE: dict[str, dict[str, Any]] = {
    "network": {"readout_init": "n_units"},
    "pretraining": {"recurrent_rate": 1.0},
    "heads": {"n_steps": 2000},
    "separate": {"learning_rate": 3e-3, "recurrent_rate": 1.0, "n_steps": 2000},
    "dni": {"recurrent_rate": 1.0, "n_steps": 2000},
}
"""The training settings used before the search (docs/decisions.md), with which many networks stayed on a plateau."""

SWITCHES: dict[str, dict[str, dict[str, Any]]] = {
    "criterion": {"evaluation": {"criterion": "relative", "fixation_tolerance": 0.15}},
    "anti": {"tasks": {"anti": "released"}},
    "alignment": {"corpus": {"alignment": "independent"}},
    "noise": {"tasks": {"input_noise": 0.02, "noise_onset": 10}},
    "rescaling": {"tasks": {"rescaling": "batch"}},
    "frozen_batch": {"optimiser": {"batches": "frozen"}},
    "adam": {"optimiser": {"decay": "constant", "clip_norm": None, "adam_count": "stage"}},
    "biases": {"network": {"biases": True, "keys": "shared"}},
    "module2_input": {"pretraining": {"input_weights": "released"}},
    "pca": {"primitives": {"pca": "joint"}},
    "inter_module": {"perturbations": {"inter_module_as": "whole"}},
    "silencing": {"perturbations": {"silencing": "recurrence"}},
    "dni_input": {"dni": {"kinds": ["dni-norule"]}},
    "dni_order": {"dni": {"projection": "gradient", "counter": "one_too_high", "state": "lagged"}},
    "dni_rate": {"dni": {"learning_rate": 1e-3}},
    "left_out": {"generalisation": {"single": "kept"}},
    "equal_size": {"dni": {"n_units": 100}},
    "readout": {"network": BEFORE["network"]},
    "recurrent_rate": {phase: {"recurrent_rate": 1.0} for phase in ("pretraining", "separate", "dni")},
    "steps": {phase: {"n_steps": 2000} for phase in ("heads", "separate", "dni")},
    "protocol": BEFORE,
}
"""Readings of the released code, one at a time; for `alignment`, which the presets share, the other reading. With
`equal_size`, DNI has as many units as the other networks. With `protocol`, networks are trained as before the
search, and with `readout`, `recurrent_rate` and `steps` in one respect of it alone."""


class AttributionSettings(Section):
    """Switches of one reading at a time, and the claims whose effects are followed (`snakemake attribution`).

    Only the task of Fig 3 is perturbed, and tasks are left out singly, for CCA.
    """

    switches: dict[str, dict[str, dict[str, Any]]] = Field(
        SWITCHES,
        description="Name → keys that the switch changes; by default, the readings in which the released code differs.",
    )
    claims: tuple[int, ...] = Field(
        (1, 3, 10, 11, 12, 13, 17), description="Numbers of the claims whose effects are followed."
    )
    networks: int = Field(
        1,
        ge=1,
        le=10_000,
        description="Number of network seeds, from seeds.first on; enough to make whole jobs (seeds.per_job).",
    )

    @field_validator("switches")
    @classmethod
    def _names_are_folders(cls, switches: dict) -> dict:
        for name in switches:
            if reason := why_not_a_name(name, LETTERS, (OURS | ATTRIBUTES) - SWITCHES.keys()):
                raise ValueError(f"{name!r} is not allowed as a name; {reason}")
        return switches
