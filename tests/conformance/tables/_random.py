# SPDX-License-Identifier: Apache-2.0
"""The seed of the tables that play random requests: fresh at each run, but with CI=true always the same, so that a change is judged by
what it changes. CONFORMANCE_SEED plays one again that an earlier run printed."""
import os
import random

SEED = os.environ.get("CONFORMANCE_SEED") or ("1" if os.environ.get("CI") == "true" else str(random.SystemRandom().randrange(2**32)))
print(f"# CONFORMANCE_SEED={SEED}", flush=True)
