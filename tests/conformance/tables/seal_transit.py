# SPDX-License-Identifier: Apache-2.0
"""Sealed by the transit mount of another Vault: init with recovery keys, what these may do, seal and unseal."""
from play import case
from tables._seal import KEYS, bring, hide, status, unseal

SEALED, MINIMUM = "transit", 90
ZERO = "00" * 33


def complete(s, reply):
    if reply.status == 200 and reply.json.get("complete"):
        hide(s, reply, "keys", "keys_base64")
    return reply


@case("initialise: what is refused")
def _(s):
    status(s)
    s.get("sys/health", token=None)
    for body in ({}, {"secret_shares": 5, "secret_threshold": 3}, {"secret_shares": 5, "secret_threshold": 3, "recovery_shares": 5, "recovery_threshold": 3},
                 {"recovery_shares": 5}, {"recovery_shares": 3, "recovery_threshold": 1}, {"recovery_shares": 5, "recovery_threshold": 6},
                 {"recovery_shares": 0, "recovery_threshold": 0}, {"stored_shares": 1}, {"recovery_shares": 300, "recovery_threshold": 3},
                 {"recovery_shares": -1, "recovery_threshold": 3}, {"secret_threshold": 3}, {"recovery_shares": "x"}):
        s.put("sys/init", body, token=None)
    unseal(s, {"key": ZERO})
    unseal(s, {"reset": True})


@case("initialise, and what is there then")
def _(s):
    reply = s.put("sys/init", {"recovery_shares": 3, "recovery_threshold": 2}, token=None)
    hide(s, reply, "recovery_keys", "recovery_keys_base64")
    KEYS[s.name], s.server.token = reply["recovery_keys"], reply["root_token"]
    s.until(lambda: s.get("sys/health").status == 200)
    status(s)
    s.get("sys/health", token=None)
    s.get("auth/token/lookup-self")
    unseal(s, {"key": KEYS[s.name][0]})
    unseal(s, {"reset": True})
    for path in ("rekey/init", "rekey/verify", "rekey-recovery-key/init", "rekey-recovery-key/verify", "generate-root/attempt"):
        s.get(f"sys/{path}")


@case("the root key is replaced")
def _(s):
    keys = KEYS[s.name]
    s.post("cubbyhole/a", {"b": "c"})
    for body in ({"require_verification": True}, {"secret_shares": 1, "secret_threshold": 1, "require_verification": True}, {"backup": True}):
        s.put("sys/rekey/init", body)
    nonce = s.put("sys/rekey/init", {"secret_shares": 3, "secret_threshold": 2})["nonce"]
    s.get("sys/rekey/init")
    bring(s, "sys/rekey/update", nonce, [ZERO, keys[0]])
    bring(s, "sys/rekey/update", nonce, ["00" * 20, keys[0]])
    bring(s, "sys/rekey/update", nonce, [keys[0], keys[0], keys[2]])
    s.get("sys/rekey/init")
    s.get("cubbyhole/a")


@case("the recovery key is replaced")
def _(s):
    keys = KEYS[s.name]
    for body in ({}, {"secret_shares": 3, "secret_threshold": 1}, {"secret_shares": 3, "secret_threshold": 4}, {"secret_shares": 300, "secret_threshold": 4}):
        s.put("sys/rekey-recovery-key/init", body)
    s.put("sys/rekey-recovery-key/update", {"key": ZERO, "nonce": "x"})
    for verify in (False, True):
        nonce = s.put("sys/rekey-recovery-key/init", {"secret_shares": 3, "secret_threshold": 2, "require_verification": verify})["nonce"]
        s.get("sys/rekey-recovery-key/init")
        bring(s, "sys/rekey-recovery-key/update", nonce, [ZERO, keys[0]])
        bring(s, "sys/rekey-recovery-key/update", nonce, ["00" * 20, keys[0], "00" * 34])
        reply = complete(s, bring(s, "sys/rekey-recovery-key/update", nonce, [keys[0], keys[1]]))
        keys = KEYS[s.name] = reply["keys"]
        if verify:
            s.get("sys/rekey-recovery-key/verify")
            bring(s, "sys/rekey-recovery-key/verify", reply["verification_nonce"], keys[:2])
        s.get("sys/rekey-recovery-key/init")
    nonce = s.put("sys/rekey-recovery-key/init", {"secret_shares": 3, "secret_threshold": 2})["nonce"]
    s.delete("sys/rekey-recovery-key/init", body=b'{"nonce":"%s"}' % nonce.encode())


@case("a root token")
def _(s):
    keys = KEYS[s.name]
    nonce = s.put("sys/generate-root/attempt", {"otp": "a" * 28})["nonce"]
    for two in ((ZERO, keys[0]), ("00" * 20, keys[0])):
        bring(s, "sys/generate-root/update", nonce, two)
    reply = bring(s, "sys/generate-root/update", nonce, keys[1:])
    for member in ("encoded_token", "encoded_root_token"):
        s.records[-1][1]["body"][member] = len(reply[member])
    s.get("sys/generate-root/attempt")


@case("seal, and unseal with recovery keys")
def _(s):
    keys = KEYS[s.name]
    s.put("sys/seal")
    status(s)
    s.get("sys/mounts")
    s.get("sys/rekey/init")
    for shares in ((keys[0], ZERO), ("00" * 20, keys[0]), ("01" * 20, "02" * 20), (keys[0], keys[0], keys[2])):
        for key in shares:
            unseal(s, {"key": key})
    s.until(lambda: s.get("sys/health").status == 200)
    status(s)
    s.get("cubbyhole/a")
