"""Tests run as the stages do: one thread, set before NumPy and JAX are loaded. The longest files start first."""

import molap.stages  # noqa: F401

LONGEST = (
    "test_workflow",
    "test_workflow_configurations",
    "test_tracking_store",
    "test_tracking_server",
    "test_tracking_workflow",
)


def pytest_collection_modifyitems(items):
    """Hand the long files out first, so that no worker is left with one at the end."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
