"""Say what the run does not contain, so that the article leaves no gap unexplained."""

from collections.abc import Collection, Mapping, Sequence

from molap.config.tasks import TASK_LABELS
from molap.report.article.words import breakable, listed, runs_of

KINDS = {
    "molap-cca": "MoLaP pre-trained by CCA",
    "molap-pca": "MoLaP pre-trained by PCA",
    "molap-none": "random reservoirs",
    "dni-rule": "DNI with a rule input",
}
"""Kinds of networks that the claims compare, and that a configuration can leave out."""
STUDIES = {
    "modules": "the number of modules (``snakemake modules``)",
    "baselines": "the baselines of DNI (``snakemake baselines``)",
    "attribution": "the attribution of effects to readings (``snakemake attribution``)",
}
"""Study with its own target → what it is about."""


def not_run(values: Mapping, tables: Collection[str], kinds: Sequence[str], claims: str) -> list[list[dict[str, str]]]:
    """Return a sentence for each thing that the run lacks compared with the preset at several network seeds.

    Args:
        values: the configuration.
        tables: the names of the tables that the run has.
        kinds: the kinds of networks in the table of performance, `molap-cca` and so on.
        claims: the numbers of the claims that were not run, as text.
    """
    found = []
    missing = [label for name, label in TASK_LABELS.items() if name not in values["tasks"]["names"]]
    own = [name for name in values["tasks"]["names"] if name not in TASK_LABELS]
    if missing:
        found.append(f"Of the paper's tasks, the run lacks {listed(missing)}.")
    if own:
        found.append(f"These tasks are not in the paper: {listed(map(breakable, own))}.")
    without = [name for kind, name in KINDS.items() if kind not in kinds]
    if without:
        found.append(f"The run has no networks of these kinds: {listed(without)}.")
    if "areas" not in tables:
        found.append("No network was perturbed.")
    if "generalisation" not in tables:
        found.append("No task was left out of the corpus.")
    if values["seeds"]["networks"] == 1:
        found.append(
            "There is one network seed. It says nothing about how much networks vary, and no claim about networks has "
            "a verdict."
        )
    studies = [about for study, about in STUDIES.items() if study not in tables]
    if studies:
        found.append(f"These studies were not run: {listed(studies)}.")
    if claims:
        found.append(f"Claims that depend on what is missing were not tested: {claims}.")
    return [runs_of(sentence) for sentence in found]
