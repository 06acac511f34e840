"""Judge the paper's claims on tables: what is compared, the effect in every network, and the verdict."""
