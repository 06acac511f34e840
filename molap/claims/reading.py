"""Reading the claims file."""

from functools import cache
from pathlib import Path

import yaml

from molap.claims.model import Claims
from molap.config.base import ConfigError, check
from molap.config.run import RunConfig

OWN = Path(__file__).with_name("claims.yaml")
"""The paper's claims: `config/claims.yaml`, which the package brings along."""
FOLLOWED = ("performance", "robustness", "areas", "generalisation")
"""The tables that are made with a reading switched."""


@cache
def read_claims(file: str | None) -> Claims:
    """Return the claims of a file, or the paper's where there is none.

    Raises:
        ConfigError: if it cannot be read, or holds what is not allowed.
    """
    path = Path(file) if file else OWN
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"claims.file: {str(path)!r} cannot be read: {' '.join(str(error).split())}") from None
    try:
        return check(Claims, values)
    except ConfigError as error:
        raise ConfigError("\n".join(f"{path.name}: {line}" for line in str(error).splitlines())) from None


def followed_claims(c: RunConfig) -> Claims:
    """Return the claims that the attribution follows; DNI is whichever network a run has.

    Raises:
        ConfigError: if there is no claim of that number, or its tables are not made with a reading switched.
    """
    claims = read_claims(c.claims.file)
    numbers = [claim.claim for claim in claims.claims]
    for number in c.attribution.claims:
        if number not in numbers:
            raise ConfigError(
                f"attribution.claims: there is no claim {number}; claims are {', '.join(map(str, numbers))}"
            )
    chosen = tuple(claim for claim in claims.claims if claim.claim in c.attribution.claims)
    for claim in chosen:
        for test in claim.tests:
            if test.table not in FOLLOWED:
                raise ConfigError(
                    f"attribution.claims: {claim.claim} is not allowed; it reads {test.table}, and with a reading "
                    f"switched there are {', '.join(FOLLOWED)}"
                )
    return claims.model_copy(update={"claims": chosen, "series": claims.series | {"dni": "strategy == 'dni'"}})
