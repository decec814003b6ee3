# SPDX-License-Identifier: Apache-2.0
"""Reads the ids of the differences that docs/compatibility.md lists. A row of its tables starts with the id in backquotes; a
section may say in a comment which run checks it (`<!-- checked by: cli -->`), else the tables of requests do."""
import os
import re

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/compatibility.md")


def rows(checked_by):
    """(id, second cell) of all rows that the run CHECKED_BY ("requests", "cli", ...) has to show."""
    by = "requests"
    with open(FILE, encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                by = "requests"
            elif found := re.match(r"<!-- checked by: (\S+) -->", line):
                by = found[1]
            elif (found := re.match(r"\| `([a-z0-9-]+)` \|([^|]*)", line)) and by == checked_by:
                yield found[1], found[2]


def listed(checked_by):
    """The ids of these rows."""
    ids = set()
    for identifier, _ in rows(checked_by):
        if identifier in ids:
            raise ValueError(f"docs/compatibility.md lists {identifier} twice")
        ids.add(identifier)
    return ids
