# SPDX-License-Identifier: Apache-2.0
"""What the tables share whose servers start sealed."""
KEYS = {}  # of each server


def hide(s, reply, *members):
    """Keys are random: how many there are, and how long, is compared."""
    for member in members:
        s.records[-1][1]["body"][member] = [len(key) for key in reply[member]]


def own(s, reply):
    """The store's kind and the date of the build are each server's own."""
    if reply.status == 200:
        for member in ("build_date", "storage_type"):
            s.records[-1][1]["body"].pop(member)
    return reply


def status(s):
    own(s, s.get("sys/seal-status", token=None))
    s.get("sys/seal-backend-status", token=None)


def unseal(s, body):
    """The answer is the status, unless it is refused."""
    return own(s, s.put("sys/unseal", body, token=None))


def initialise(s, body):
    """Initialises, and unseals where that takes shares. Nothing of it is recorded."""
    reply = s.put("sys/init", body, token=None)
    KEYS[s.name], s.server.token = reply["keys"] or reply["recovery_keys"], reply["root_token"]
    for key in reply["keys"][: body.get("secret_threshold", 0)]:
        s.put("sys/unseal", {"key": key}, token=None)
    s.records.clear()


def bring(s, path, nonce, keys):
    """One share after the other; the last answer."""
    for key in keys:
        reply = s.put(path, {"key": key, "nonce": nonce})
    return reply
