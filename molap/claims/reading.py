"""Read the claims file."""

from pathlib import Path

from molap.claims.model import Claims
from molap.config.base import CachedByFiles, ConfigError, check
from molap.config.run import RunConfig
from molap.config.yaml_file import read_yaml

OWN = Path(__file__).with_name("claims.yaml")
"""The file with the paper's claims, `config/claims.yaml`, which is part of the package."""
FOLLOWED = ("performance", "robustness", "areas", "generalisation")
"""Tables that runs with a switched reading have."""


@CachedByFiles
def read_claims(file: str | None) -> Claims:
    """Return the claims of a file, or the paper's claims if no file is given.

    Raises:
        ConfigError: if the file cannot be read, or contains something that is not allowed.
    """
    path = Path(file) if file else OWN
    try:
        values = read_yaml(path)
    except ConfigError as error:
        raise ConfigError(f"claims.file: {error}") from None
    try:
        return check(Claims, values)
    except ConfigError as error:
        raise ConfigError("\n".join(f"{path.name}: {line}" for line in str(error).splitlines())) from None


def followed_claims(c: RunConfig) -> Claims:
    """Return the claims that the attribution follows; DNI means whichever DNI network a run has.

    Raises:
        ConfigError: if there is no claim with that number, or if runs with a switched reading lack its tables.
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
