# SPDX-License-Identifier: Apache-2.0
"""Every step at which a login, a session, a verify or a gate can be refused stands in the table of k8sauth(1), and no other. TAP."""
import re
import sys
from pathlib import Path

root = Path(sys.argv[1])
calls = re.compile(r"\b(login_refuse|session_refuse|call_refuse|refuse|dry_refuse|gate_refuse)\((?!\s*(?:const|struct) )([^;]*?);", re.S)
word = re.compile(r'(?<=[\s?:,(])"([a-z]+)"(?=\s*[,:)])')
found = {}
for path in sorted([*root.glob("pam_k8sauth/session/[!d]*.c"), *root.glob("pam_k8sauth/vault/embedded/auth_kubernetes/login*.c"),
                    *(root / "pam_k8sauth/vault/embedded" / name for name in ("router.c", "calls.c", "auth_kubernetes/annotations.c"))]):
    text = re.sub(r'"(\\.|[^"\\])*"', lambda m: m.group().replace(";", ","), path.read_text())
    for name, arguments in calls.findall(text):
        words = word.findall(arguments)
        if name == "session_refuse":
            words = words[1:]  # the first one says what was refused
        for step in words[:1]:
            found.setdefault(step, path.name)
page = (root / "docs/k8sauth.1.in").read_text()
table = page[page.index(".SH REFUSALS"):]
table = table[:table.index("\n.SH ", 4)]
told = set(re.findall(r"^\.B ([a-z]+)$", table, re.M))
number = 0
bad = 0
for step in sorted(told | set(found)):
    number += 1
    good = step in told and step in found
    bad += not good
    where = f"in {found[step]}" if step in found else "is in the page only"
    print(f"{'ok' if good else 'not ok'} {number} - step {step} {where}{'' if step in told else ', and not in the page'}")
print(f"1..{number}")
sys.exit(bad > 0)
