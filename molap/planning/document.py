"""`molap document`: write the reference pages that are made from the code.

`config/README.md` comes from the configuration's own types, `results/README.md` from the list of outputs.
"""

import typing
from collections.abc import Iterable
from pathlib import Path

import click

from molap.config.base import Section
from molap.config.run import RunConfig
from molap.jobs.command import Refused, refusing, run
from molap.planning.outputs import OUTPUTS

CONFIG_HEAD = """# Configuration

A configuration file states only what differs from the preset `paper`. The defaults below *are* that preset.

```sh
snakemake --cores all                                        # config/paper.yaml
snakemake --cores all --configfile config/quick.yaml         # the tour
snakemake --cores all --configfile config/released.yaml      # the authors' code, defects included
snakemake --cores all --configfile config/reference.yaml     # twenty networks of each kind (Figs 2 to 4)
snakemake --cores all --configfile config/yang19.yaml        # twenty tasks of neurogym (docs/yang19.md)
snakemake --cores all --configfile mine.yaml                 # your own, with a `name` of its own
```

Outputs go to `results/<name>/`, so several configurations can exist side by side. MoLaP refuses an unknown key, a wrong
type or a value out of range before anything runs, and names the field, the value and what is allowed.

`molap document` generates this page.
"""

GRIDS = """A grid holds lists of values, and every combination of them is a candidate. A field that you leave out has
one value, its default here, whatever the run itself trains with. Each candidate trains `tune.networks` networks of
every kind.

Candidates of a grid that differ only in numbers are trained side by side in one program. Candidates that differ in
`n_steps`, `batch_size`, `decay` or `batches` are trained one group after the other.

```yaml
tune:
  grids:
    - readout_init: [n_units, zero]        # grid1: 2 × 2 = 4 candidates of 500 steps
      recurrent_rate: [1, 0.1]
      n_steps: [500]
    - learning_rate: [0.01]                # grid2: 2 × 2 = 4 further ones
      recurrent_rate: [0.03]
      clip_norm: [0.1, null]               # null: no clipping
      n_steps: [1000, 2000]
```

The name of a candidate lists its values, for example `zero, rate 0.01, W_rec × 0.03, clip none, 1000`. These are the
initial readout, the learning rate (`own` if each phase keeps its own), the factor on the learning rate of W_rec,
clipping, and the number of steps. Values of the other fields follow if they differ from the defaults.

`tune_choice.csv` ranks the candidates of every kind, and those of all kinds together. The order is fewest networks that
failed (stayed below the best constant output), then highest mean accuracy, rounded to 0.1 points, then fewest steps.
"""
BELOW = {("tune", "grids"): GRIDS}
"""Text placed before the table of a list's sections, by section and key."""

RESULTS_HEAD = """# Results

The workflow writes everything that it makes to this folder, under the name of the configuration (`paper`, `quick`, …).
Git ignores it.

The paths in the table below use these placeholders:

- `{run}` is the name of the configuration, or a run inside it:
  - `<name>/without/<tasks>` for modules pre-trained without some tasks;
  - `<name>/modules/<size>` for other numbers of modules;
  - `<name>/baselines` for the networks that DNI is compared with.
- `{block}` is a block of network seeds: `s0`, or `s0-3` for several trained together.
- `{grid}` is a grid of the search: `grid1`, `grid2`, … in the order of `tune.grids`.
- `{kind}` is `separate`, `molap-` and the source, or `dni-`, `sequential-` or `joint-` and `rule` or `norule`.

Outputs that do not differ from those of the main run are only in the main run's folder, and so are all networks that
learn every task.

Open arrays (`.npz`) with `numpy.load` and tables (`.csv`) with `pandas.read_csv`. Every figure comes as `.png`, `.svg`
and `.pdf`. Arrays hold a text `provenance` with the settings, source digest and package versions that made them.

Next to every output is a record, `….record.json`. It holds the stage, settings, metrics, curves (loss and MSE at every
step), inputs and outputs, start and end, wall and CPU time, peak memory, versions, source digest and git commit. If a
job failed or was killed, `….attempt.json` records it.

Logs are in `{run}/logs/`, compiled programs in `.cache/`, and MLflow's database and artifacts in `mlflow/`.

`molap document` generates this page.

| output | contents |
|---|---|
"""


def config_page() -> str:
    """Return the page that documents every configuration key."""
    parts = [CONFIG_HEAD]
    own = [name for name, field in RunConfig.model_fields.items() if not _is_section(field.annotation)]
    parts.append(_table("top level", RunConfig, own))
    for name, field in RunConfig.model_fields.items():
        if _is_section(field.annotation):
            parts.append(_table(f"`{name}`", field.annotation, list(field.annotation.model_fields)))
            for key, part in field.annotation.model_fields.items():
                if section := _listed_section(part.annotation):
                    parts.append(f"### `{name}.{key}`\n\n{BELOW[name, key]}\n{_rows(section, section.model_fields)}")
    return "\n".join(parts)


def _table(title: str, section: type[Section], names: list[str]) -> str:
    about = "" if section is RunConfig else (section.__doc__ or "").splitlines()[0] + "\n\n"
    return f"## {title}\n\n{about}{_rows(section, names)}"


def _rows(section: type[Section], names: Iterable[str]) -> str:
    rows = []
    for name in names:
        field = section.model_fields[name]
        rows.append(f"| `{name}` | {_allowed(field)} | `{_default(field)}` | {field.description} |")
    return "| key | allowed | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def _is_section(annotation: object) -> typing.TypeGuard[type[Section]]:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _listed_section(annotation: object) -> type[Section] | None:
    """Return the section type that a field lists, or None if it lists none."""
    listed = typing.get_args(annotation)[0] if typing.get_origin(annotation) is tuple else None
    return listed if _is_section(listed) else None


def _allowed(field) -> str:
    return _type_name(field.annotation) + _limits(field)


def _limits(field) -> str:
    limits = []
    for limit in getattr(field, "metadata", ()):
        for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<")):
            if hasattr(limit, attribute):
                limits.append(f"{sign} {getattr(limit, attribute):g}")
    return f" {', '.join(limits)}" if limits else ""


def _type_name(annotation: object) -> str:
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if typing.get_origin(annotation) is dict:
        return " → ".join(map(_type_name, arguments))
    if typing.get_origin(annotation) is tuple:
        return f"list of {_type_name(arguments[0])}"
    if hasattr(annotation, "__metadata__"):  # Annotated: a type and its limits
        return _type_name(arguments[0]) + "".join(map(_limits, annotation.__metadata__))
    if arguments:
        return " or ".join(_type_name(argument) for argument in arguments)
    if _is_section(annotation):
        return "sections (below)"
    if annotation is typing.Any:
        return "value"
    names: dict[object, str] = {float: "number", int: "integer", str: "text", bool: "true, false", type(None): "null"}
    return names[annotation]


def _default(field) -> str:
    value = field.default
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_item, value)) + "]"
    if isinstance(value, dict) and value:
        return "{" + ", ".join(f"{name}: …" for name in value) + "}"
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _item(value: object) -> str:
    """Return an item of a list as text; for a section, the values that differ from its defaults."""
    if isinstance(value, Section):
        stated = value.model_dump(exclude_defaults=True)
        return "{" + ", ".join(f"{name}: {_item(item)}" for name, item in stated.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_item, value)) + "]"
    return "null" if value is None else str(value)


def results_page() -> str:
    """Return the page that lists every output and its contents."""
    return RESULTS_HEAD + "".join(f"| `{o.template}` | {o.contents} |\n" for o in OUTPUTS.values())


PAGES = {"config/README.md": config_page, "results/README.md": results_page}


@click.command("document")
@click.option("--check", is_flag=True, help="Write nothing; fail where a page is out of date.")
@refusing(OSError)
def main(check: bool) -> None:
    """Write the reference pages that are made from the code."""
    for path, page in PAGES.items():
        if check and Path(path).read_text(encoding="utf-8") != page():
            raise Refused(f"{path} is out of date; run `molap document`")
        if not check:
            Path(path).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    run(main)
