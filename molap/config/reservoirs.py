"""The user's own recurrent networks as additional sources: fitted to recordings, or made by another program."""

from pathlib import Path

from pydantic import Field, model_validator

from molap.config.base import ConfigError, Section, UserPath
from molap.config.names import SMALL, why_not_a_name


class ReservoirSettings(Section):
    """Your own recurrent networks, on which heads are trained as on the others (section 5)."""

    files: dict[str, UserPath] = Field(
        {},
        description="Name of the source → file with a recurrent network: `.npz` with `w_rec` (unit, unit; row "
        "receives) and, if there are any, `b_rec` (unit) and `modules` (unit; 1, 2, … or names); `.mat` with the same "
        "variables; a state dict `.pt` of PyTorch's `nn.RNN`; a file that PsychRNN's `save()` writes; a fit of CURBD. "
        "Without `modules`, the modules are `network.n_modules` equal blocks of units.",
    )

    @model_validator(mode="after")
    def _files_hold_networks(self):
        for name, file in self.files.items():
            if reason := why_not_a_name(name, SMALL):
                raise ValueError(f"files: {name!r} is not allowed as a name; {reason}")
            if not Path(file).is_file():
                raise ValueError(f"files.{name}: there is no file {file!r}")
            from molap.networks.own import read_reservoir  # imports NumPy only if there is a file to read

            try:
                read_reservoir(file)
            except ConfigError as error:
                raise ValueError(f"files.{name}: {error}") from None
        return self
