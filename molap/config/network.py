"""Settings of the networks."""

from typing import Literal

from pydantic import Field, model_validator

from molap.config.base import Section

LARGEST_N_UNITS = 5000
"""Number of units of the largest network that can be configured."""
ReadoutInit = Literal["n_units", "n_outputs", "n_units_squared", "zero"]
RecurrentInit = Literal["normal", "orthogonal"]


class InitSettings(Section):
    """Set how a network's weights are drawn (A.2.3)."""

    readout_init: ReadoutInit = Field(
        "zero",
        description="Variance of the initial readout weights: 1/N_out (`n_outputs`, text), 1/(N + 1) (`n_units`, "
        "released code), 1/N² (`n_units_squared`), or 0 (`zero`: all outputs start at zero). `paper` departs from the "
        "text and starts at zero, because no strategy learns a memory task with the text's variance, and most separate "
        "networks stay on a plateau with the code's (docs/decisions.md).",
    )
    biases: bool = Field(
        False,
        description="Give the network recurrent and readout biases and a trained initial state "
        "(released code). Text: none, h0 = 0.",
    )
    keys: Literal["independent", "shared"] = Field(
        "independent",
        description="`shared`: the initial state is drawn with the key of W_in (released code), so with one input it "
        "equals the input weights.",
    )


class SeparateSettings(Section):
    """The separately trained networks (one per task, all weights trained)."""

    n_units: int = Field(100, ge=2, le=LARGEST_N_UNITS, description="Units of each separate network.")
    gain: float = Field(1.5, gt=0, le=10, description="Gain g of their initial recurrent weights.")


class NetworkSettings(InitSettings):
    """The modular network (section 3.1, A.2)."""

    n_units: int = Field(
        100, ge=2, le=LARGEST_N_UNITS, description="Number of units N in the modular network. Table 2: 20–300."
    )
    n_modules: int = Field(
        2,
        ge=1,
        le=20,
        description="Number of modules, which must divide n_units. Module m is trained on latent primitive m.",
    )
    gain: float = Field(1.5, gt=0, le=10, description="Gain g: W_rec is drawn from N(0, g²/N). Table 2: 1.1–1.8.")
    recurrent_init: RecurrentInit = Field(
        "normal",
        description="How W_rec is drawn in modular, separate and shared networks: entries from N(0, g²/N) (`normal`, "
        "text), or g times a random `orthogonal` matrix (Saxe et al. 2014).",
    )
    inter_module: Literal["random", "zero"] = Field(
        "random",
        description="Weights between modules: `random` and frozen (released code; Fig 3C needs them), or "
        "`zero` (the text's modules “not directly” connected).",
    )
    state_noise: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Standard deviation of the noise η in Eq. 1, added to every unit at every step.",
    )

    @model_validator(mode="after")
    def _modules_divide_units(self):
        if self.n_units % self.n_modules:
            raise ValueError(
                f"n_modules: {self.n_modules} is not allowed; n_units = {self.n_units} must be a multiple of it"
            )
        return self
