# SPDX-License-Identifier: Apache-2.0
"""Every metric stands in the table of docs/metrics.md with its kind and labels, and no other. TAP."""
import re
import sys
from pathlib import Path

root = Path(sys.argv[1])
entry = re.compile(r'=\s*\{ "(\w+)",\s*(?:NULL|"[\w.]+"),\s*METRIC_(\w+),\s*\{ ([^}]*) \}')
made = {name: (kind.lower(), tuple(re.findall(r'"(\w+)"', labels)))
        for name, kind, labels in entry.findall((root / "pam_k8sauth/base/metrics_table.c").read_text())}
row = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]*)\|", re.M)
told = {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in row.findall((root / "docs/metrics.md").read_text())}
bad = 0
for number, name in enumerate(sorted(made.keys() | told.keys()), 1):
    good = made.get(name) == told.get(name)
    bad += not good
    print(f"{'ok' if good else 'not ok'} {number} - {name}{'' if good else f': made {made.get(name)}, told {told.get(name)}'}")
print(f"1..{len(made.keys() | told.keys())}")
sys.exit(bad > 0 or not made)
