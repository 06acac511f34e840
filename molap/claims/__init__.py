"""Judge the paper's claims on a run's tables: comparisons, the effect in every network, and verdicts."""
