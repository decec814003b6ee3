# SPDX-License-Identifier: Apache-2.0
"""Makes two answers comparable: ids, times, tokens and versions become placeholders, numbered by first appearance within a case and
server. A Pairing says which of them stand for each other, so that "the same id as before" is compared too; seconds that run down may
differ by a few."""
import json
import re

PATTERNS = [
    ("jwt", re.compile(r"\beyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")),
    ("token", re.compile(r"\b(?:hvs|hvb|hvr)\.[A-Za-z0-9_-]{20,}|\bs\.[A-Za-z0-9]{24}\b")),
    ("uuid", re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")),
    ("hash", re.compile(r"\bh?[0-9a-f]{64}\b")),
    ("accessor", re.compile(r"(?<![A-Za-z0-9_-])(?=[A-Za-z0-9]*[A-Z])(?=[A-Za-z0-9]*[a-z])[A-Za-z0-9]{24}(?![A-Za-z0-9_-])")),
    ("hex", re.compile(r"(?:(?<=_)|(?<=vault-cluster-))[0-9a-f]{8}\b")),
]
# An accessor may happen to be letters alone.
ACCESSOR_KEYS, ACCESSOR = {"accessor", "mount_accessor"}, re.compile(r"[A-Za-z0-9]{24}")
TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
# What is left of a limit some seconds later, in Go's words: "767h59m58s".
LEFT = re.compile(r"\b(?:(\d+)h)?(?:(\d+)m)?5[6-9]s\b")
# The same of a limit of 20 seconds past the minute, as one of the tables has it.
LEFT_20 = re.compile(r'(effective max_ttl of "(?:\d+h)?(?:\d+m)?)1[6-9]s')
VERSION = re.compile(r"\bv?\d+\.\d+\.\d+(?:-\d+)?\+(?:builtin(?:\.vault)?|k8sauth\.[0-9A-Za-z.]*)|\b1\.21\.4(?:\+k8sauth\.[0-9A-Za-z.]*)?")
TIME_KEYS = {"creation_time", "issue_time", "expire_time", "last_renewal_time", "server_time_utc"}
SECONDS_KEYS = {"ttl", "lease_duration", "creation_ttl", "explicit_max_ttl"}
SECONDS_SLACK = 3
# Whether a renewal is capped by what a second ago was its whole life depends on the fractions of two clocks.
CAPPED = re.compile(r'TTL of "([0-9hms.]+)" exceeded the effective max_ttl of "([0-9hms.]+)"; TTL value is capped accordingly')
DURATION = re.compile(r"([0-9.]+)([hms])")


class Normaliser:
    """One per case and server: ids are numbered in the order in which they appear."""

    def __init__(self, hosts):
        self.hosts, self.seen = hosts, {}

    def text(self, text):
        for host, name in self.hosts.items():
            text = text.replace(host, name)
        text = VERSION.sub("<version>", TIME.sub("<time>", text))
        text = LEFT_20.sub(r"\g<1>20s", text)
        text = LEFT.sub(lambda left: whole_minutes(int(left[1] or 0) * 60 + int(left[2] or 0) + 1), text)
        for kind, pattern in PATTERNS:
            text = pattern.sub(lambda found, kind=kind: self.placeholder(kind, found[0]), text)
        return text

    def placeholder(self, kind, value):
        number = self.seen.setdefault(kind, {})
        return f"<{kind}-{number.setdefault(value, len(number) + 1)}>"

    def value(self, value, key=""):
        if isinstance(value, dict):
            return {self.text(k): self.value(v, k) for k, v in value.items()}
        if isinstance(value, list):
            kept = [v for v in value if not just_capped(v)] if key == "warnings" else value
            return [self.value(v, key) for v in kept] if kept or not value else None
        if isinstance(value, str) and value.startswith('{"request_id"'):
            return self.value(json.loads(value), key)  # a wrapped answer, as text
        if isinstance(value, str):
            if key == "request_id" and value:
                return "<request id>"
            return self.placeholder("accessor", value) if key in ACCESSOR_KEYS and ACCESSOR.fullmatch(value) else self.text(value)
        if key in TIME_KEYS and isinstance(value, int) and value > 1_000_000_000:
            return "<unix time>"
        return value


def whole_minutes(minutes):
    """As Vault's texts have it: "768h", "1h30m", "5m"."""
    hours, rest = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{rest}m" if rest or not hours else "")


def just_capped(warning):
    found = CAPPED.fullmatch(warning)
    lives = [sum(float(n) * {"h": 3600, "m": 60, "s": 1}[unit] for n, unit in DURATION.findall(text)) for text in found.groups()] if found else ()
    return bool(lives) and abs(lives[0] - lives[1]) <= SECONDS_SLACK


PLACEHOLDER = re.compile(r"<([a-z]+)-\d+>")


class Pairing:
    """Which of our placeholders stands where which of Vault's does: those that first met keep to each other for the whole case."""

    def __init__(self):
        self.ours_of, self.vaults_of = {}, {}

    def same(self, vault, ours):
        """Whether the texts are equal but for the numbers of placeholders that stand for each other."""
        if PLACEHOLDER.sub(r"<\1>", vault) != PLACEHOLDER.sub(r"<\1>", ours):
            return False
        pairs = [(a[0], b[0]) for a, b in zip(PLACEHOLDER.finditer(vault), PLACEHOLDER.finditer(ours))]
        return all(self.ours_of.setdefault(a, b) == b and self.vaults_of.setdefault(b, a) == a for a, b in pairs)

    def as_vaults(self, vault, ours):
        """OURS (an object) under Vault's keys."""
        left = [key for key in vault if key not in ours]
        renamed = {}
        for key, value in ours.items():
            match = key if key in vault else next((other for other in left if self.same(other, key)), key)
            renamed[match] = value
        return renamed


def kind(value):
    return type(value).__name__ if value is not None else "null"


def compare(vault, ours, pairing, path=""):
    """The differences of two normalised values, as (path, what Vault says, what we say)."""
    if isinstance(vault, dict) and isinstance(ours, dict):
        ours = pairing.as_vaults(vault, ours)
        for key in sorted(vault.keys() | ours.keys()):
            below = f"{path}.{key}" if path else key
            if key not in ours or key not in vault:
                yield below, vault.get(key, "(no such key)"), ours.get(key, "(no such key)")
            else:
                yield from compare(vault[key], ours[key], pairing, below)
    elif isinstance(vault, list) and isinstance(ours, list) and len(vault) == len(ours):
        for number, (a, b) in enumerate(zip(vault, ours)):
            yield from compare(a, b, pairing, f"{path}[{number}]")
    elif isinstance(vault, str) and isinstance(ours, str):
        if not pairing.same(vault, ours):  # equal texts are asked for, too: what they have stands for each other from here on
            yield path, vault, ours
    elif kind(vault) != kind(ours) or vault != ours and not slack(path, vault, ours):
        yield path, vault, ours


def slack(path, vault, ours):
    return path.rsplit(".", 1)[-1] in SECONDS_KEYS and isinstance(vault, int) and abs(vault - ours) <= SECONDS_SLACK
