"""Bring what a finished run shows into `docs/reference`: tables, figures and the page of verdicts.

    python benchmarks/reference.py results/paper

Large tables are compressed. `tests/test_reference.py` judges the claims on these tables once more.
"""

import argparse
import gzip
import shutil
from pathlib import Path

TABLES = (
    *("performance", "robustness", "areas", "generalisation", "differences", "forgetting", "components", "table1"),
    *("claims", "claim_parts"),
)
LARGE = 200_000
"""Bytes from which on a table is compressed."""


def copy_table(source: Path, target: Path) -> None:
    """Copy a table, compressed where it is large; the same bytes each time."""
    content = source.read_bytes()
    for suffix in ("", ".gz"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    if len(content) < LARGE:
        target.write_bytes(content)
    else:
        target.with_name(f"{target.name}.gz").write_bytes(gzip.compress(content, mtime=0))


def main() -> None:
    """Copy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="results/NAME")
    parser.add_argument("--to", type=Path, default=Path("docs/reference"))
    arguments = parser.parse_args()
    (arguments.to / "figures").mkdir(parents=True, exist_ok=True)
    (arguments.to / "tables").mkdir(exist_ok=True)
    for name in TABLES:
        source = arguments.run / "tables" / f"{name}.csv"
        if source.exists():
            copy_table(source, arguments.to / "tables" / source.name)
    for figure in sorted((arguments.run / "figures").glob("*.png")):
        shutil.copyfile(figure, arguments.to / "figures" / figure.name)
    page = (arguments.run / "report" / "claims.md").read_text(encoding="utf-8")
    (arguments.to / "verdicts.md").write_text(page.replace("](../figures/", "](figures/"), encoding="utf-8")


if __name__ == "__main__":
    main()
