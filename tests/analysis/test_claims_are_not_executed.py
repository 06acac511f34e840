"""A claims file comes from anywhere: its expressions may compare and compute, and nothing else."""

import pandas as pd
import pytest

from molap.claims.effects import _evaluate
from molap.config.base import ConfigError

TABLE = pd.DataFrame({"accuracy": [1.0, 2.0], "task": ["a", "b"]})


@pytest.mark.parametrize(
    "expression",
    [
        "accuracy.to_csv('{file}')",
        "@pd.io.common.os.system('touch {file}')",
        "accuracy.map(@print)",
        "@table.to_pickle('{file}')",
        "__import__('os').system('touch {file}')",
        "accuracy.__class__",
        "[accuracy for accuracy in [1]]",
        "(lambda: 1)()",
        "accuracy = 3",
        "f'{{accuracy}}'",
        "accuracy\0",
        "",
        "(" * 500,
    ],
)
def test_nothing_in_an_expression_is_executed(tmp_path, expression):
    file = tmp_path / "written"
    with pytest.raises(ConfigError, match=r"^claims: ") as refused:
        _evaluate(TABLE, expression.format(file=file), "performance")
    assert not file.exists() and "\n" not in str(refused.value)


def test_what_claims_need_is_allowed():
    assert _evaluate(TABLE, "100 * (accuracy - 1)", "x").tolist() == [0, 100]
    assert _evaluate(TABLE, "task in ['a'] and 0 < accuracy < 2 or not accuracy > -1", "x").tolist() == [True, False]
