"""Judge the paper's claims on tables: the comparisons, the effect in every network, and the verdict."""
