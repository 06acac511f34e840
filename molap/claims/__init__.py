"""The paper's claims: what is compared, the effect in every network, and the verdict."""
