# SPDX-License-Identifier: Apache-2.0
"""The seed of the tables that play random requests; tests/conformance/run sets it."""
import os

SEED = os.environ["CONFORMANCE_SEED"]
