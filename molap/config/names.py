"""The words that no task, label, network, switch or run may have as its name, since something reads them otherwise."""

import re
from collections.abc import Set

MISREAD = frozenset(
    word.lower()
    for word in (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
        *("NULL", "NaN", "None", "nil", "~"),
        *("true", "false", "yes", "no", "on", "off", "y", "n"),
    )
)
"""Pandas reads these words as missing values, or pandas or YAML as truth values, in small letters or large."""
OURS = frozenset(
    {"all", "cca", "pca", "none", "rule", "norule", "separate", "molap", "dni", "sequential", "joint", "reservoir"}
)
"""Tables and paths use these words for the mean over tasks, for strategies and for sources."""
ATTRIBUTES = frozenset({*dir(list), *dir(dict)})
"""Snakemake's lists of named files and pandas' tables have methods of these names."""
FORMS = re.compile(r"module\d+|(checkpoints|validation|testset|record)_.*|(temp_)?size(_.*)?|order\d+|s\d+(-\d+)?")
"""Names that files, inputs of rules or Snakemake's resources are given here."""
FOLDERS = frozenset({"mlflow", "readme.md"})
"""The folder `results/` holds these beside the runs."""
LONGEST = 64
"""Characters of a name; a file system takes 255 bytes, and names are joined."""
SMALL, LETTERS, FOLDER = r"[a-z][a-z0-9_]*", r"[A-Za-z0-9_]+", r"[A-Za-z0-9][A-Za-z0-9_.-]*"
"""Forms of the names of tasks and networks, of switches, and of runs."""
ALLOWED = {
    SMALL: "small letters, digits and '_', a letter first",
    LETTERS: "letters, digits and '_'",
    FOLDER: "letters, digits, '.', '_' and '-', a letter or digit first",
}


def why_not_a_name(name: object, form: str | None, taken: Set[str] = OURS | ATTRIBUTES) -> str | None:
    """Return why something cannot be a name, in words that follow “NAME is not allowed as a name; ”; None if it can.

    Args:
        name: what is to be a name.
        form: a regular expression, one of those above; None for a label, which may be any text in one line.
        taken: the words that are taken besides those that are misread everywhere.
    """
    if not isinstance(name, str):
        return "text is needed"
    if form is not None and not re.fullmatch(form, name):
        return f"use {ALLOWED[form]}"
    if len(name) > LONGEST:
        return f"it has {len(name)} characters, {LONGEST} are allowed"
    if name.lower() in MISREAD or _is_number(name):
        return "tables or YAML read it as a number, a truth value or a missing one"
    if name.lower() in taken or (form == SMALL and FORMS.fullmatch(name)):
        return "it has another meaning in tables, files or Snakemake"
    return None


def _is_number(text: str) -> bool:
    if text[:1].isdigit():
        text = text.replace("_", "")  # YAML also takes 0_ and 1__0 for numbers
    try:
        float(text)
    except ValueError:
        return bool(re.fullmatch(r"[-+]?0[xob][0-9a-fA-F_]+", text))
    return True
