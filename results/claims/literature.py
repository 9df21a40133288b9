"""Every claim of the literature that a suite of this package puts to the test."""

from results.claims.depth import DEPTH_CLAIMS
from results.claims.dynamics import DYNAMICS_CLAIMS
from results.claims.equations import EQUATION_CLAIMS
from results.claims.observation import OBSERVATION_CLAIMS

_EVERY = (*EQUATION_CLAIMS, *DYNAMICS_CLAIMS, *OBSERVATION_CLAIMS, *DEPTH_CLAIMS)
CLAIMS = tuple(sorted(_EVERY, key=lambda claim: claim.name))
