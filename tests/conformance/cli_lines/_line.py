# SPDX-License-Identifier: Apache-2.0
"""One command line of a scene."""
from dataclasses import dataclass, field


@dataclass
class Line:
    text: str  # without the program; $NAME is what an earlier line saved, $API the Kubernetes API server's address
    stdin: str = ""
    env: dict = field(default_factory=dict)  # "" takes a variable away; $PORT is the server's
    save: str = ""  # keeps standard output under this name
    shape: bool = False  # compare only which streams have something, and the exit code
    pty: bool = False  # on a terminal
    differs: str = ""  # id of the difference in docs/compatibility.md
    alike: tuple = ()  # (pattern, replacement) for what cannot be equal
    vaults: str = ""  # what `vault` is given instead
    only: str = ""  # the kind of server


def lines(text, **options):
    """One Line per line of TEXT."""
    return [Line(part.strip(), **options) for part in text.strip().splitlines() if part.strip()]
