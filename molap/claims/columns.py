"""List the columns of the tables that claims may read, so that a wrong name is refused before any work."""

import ast
import re

METRICS = ("accuracy", "decision_accuracy", "all_correct", "best_constant", "mse", "n_test_trials", "response_mse")
OF_OUTPUTS = re.compile(r"accuracy_output\d+")
"""Columns with one metric per output, in addition to these metrics."""
SWEPT = ("strategy", "source", "n_units", "task", "network_seed", "perturbation")
OVER_DRAWS = ("accuracy", "decision_accuracy", "all_correct", "mse", "relative")
AFTERWARDS = ("average", "right_after", "forgetting", "backward_transfer", "forward_transfer")
COLUMNS: dict[str, tuple[str, ...]] = {
    "performance": ("strategy", "source", "task", "label", "network_seed", *METRICS),
    "robustness": (
        *(*SWEPT, "strength", "n_hit", "n_draws", "best_constant"),
        *(f"{metric}{of}" for metric in OVER_DRAWS for of in ("", "_sd")),
    ),
    "areas": (*SWEPT, "up_to", "area", "relative_area"),
    "generalisation": (
        *("source", "task", "label", "left_out", "n_left_out", "n_absent", "place", "network_seed"),
        *("difference", "to_none", "to_pca", *METRICS),
    ),
    "forgetting": (
        *("strategy", "source", "order", "network_seed"),
        *(f"{metric}_{name}" for metric in ("accuracy", "decision_accuracy") for name in AFTERWARDS),
    ),
    "components": ("source", "component", "correlation", "target_r2"),
    "table1": ("version", "strategy", "overall", "trained", "trained_per_task", "separate_per_trained"),
    "modules": (
        *("fixed", "n_modules", "n_units", "source", "task", "label", "network_seed", *METRICS),
        *("explained_variance", "weights", "trained", "trained_per_task", "updates"),
    ),
}
"""Columns by table."""


def check_columns(table: str, expression: str) -> None:
    """Check that an expression over the columns of a table, or a query of its rows, can be evaluated.

    Raises:
        ValueError: if it is not an expression, or names a column that the table lacks.
    """
    try:
        nodes = ast.walk(ast.parse(expression.strip(), mode="eval"))
    except SyntaxError:
        raise ValueError(f"{expression!r} cannot be read; give an expression over columns") from None
    for name in (node.id for node in nodes if isinstance(node, ast.Name)):
        outputs = "accuracy" in COLUMNS[table] and OF_OUTPUTS.fullmatch(name)
        if name not in COLUMNS[table] and not outputs:
            has = ", ".join(COLUMNS[table])
            raise ValueError(f"the table {table} has no column {name!r} (in {expression!r}); it has {has}")
