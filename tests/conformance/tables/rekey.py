# SPDX-License-Identifier: Apache-2.0
"""sys/rekey and sys/generate-root with key shares: one case after the other, on the same two servers."""
import base64

from play import case
from tables._seal import KEYS, bring, hide, initialise, unseal

SEALED, MINIMUM = "shares", 220
PATHS = ("rekey/init", "rekey/verify", "generate-root/attempt", "rekey/backup", "rekey/recovery-key-backup")


def complete(s, reply):
    if reply.status == 200 and reply.json.get("complete"):
        hide(s, reply, "keys", "keys_base64")
    return reply


def unhide(s, reply, otp):
    """The root token of a reply, whose text is random."""
    text = reply["encoded_root_token"]
    body = s.records[-1][1]["body"]
    body["encoded_root_token"] = body["encoded_token"] = len(text)
    hidden = base64.b64decode(text + "=" * (-len(text) % 4))
    return bytes(a ^ b for a, b in zip(hidden, otp.encode())).decode()


def begin(s, path, body):
    """Begins; an OTP that the server makes is random."""
    reply = s.put(path, body)
    if reply.status == 200 and reply.json.get("otp"):
        s.records[-1][1]["body"]["otp"] = len(reply["otp"])
    return reply


@case("not active: nobody may")
def _(s):
    for path in PATHS:
        s.get(f"sys/{path}", token=None)
        s.put(f"sys/{path}", {}, token=None)
        s.delete(f"sys/{path}", token=None)
    for path in ("rekey/update", "generate-root/update", "rekey-recovery-key/update", "rekey-recovery-key/init"):
        s.put(f"sys/{path}", {"key": "00" * 33, "nonce": "x"}, token=None)
    initialise(s, {"secret_shares": 5, "secret_threshold": 3})


@case("who may")
def _(s):
    s.put("sys/policies/acl/some", {"policy": 'path "sys/rekey/*" { capabilities = ["read", "update", "delete"] }\n'
                                              'path "sys/generate-root/*" { capabilities = ["read", "update", "delete"] }'})
    some = s.post("auth/token/create", {"policies": ["some"]})["auth"]["client_token"]
    for token in (None, some, "bad"):
        with s.differs("rekey-authenticated"):
            s.get("sys/rekey/init", token=token)
            s.get("sys/generate-root/attempt", token=token)
            s.put("sys/rekey/update", {"key": "00" * 33, "nonce": "x"}, token=token)
            s.put("sys/generate-root/update", {"key": "00" * 33, "nonce": "x"}, token=token)
            s.delete("sys/generate-root/attempt", token=token)
    s.get("sys/rekey/backup", token=None)
    s.get("sys/rekey/backup", token=some)
    for path in PATHS:
        s.get(f"sys/{path}")
    s.delete("sys/rekey/backup")


@case("no recovery key with shares")
def _(s):
    for path in ("init", "verify"):
        s.get(f"sys/rekey-recovery-key/{path}")
        s.delete(f"sys/rekey-recovery-key/{path}")
    s.put("sys/rekey-recovery-key/init", {"secret_shares": 1, "secret_threshold": 1})
    s.put("sys/rekey-recovery-key/update", {"key": "00" * 33, "nonce": "x"})


@case("rekey: what is refused")
def _(s):
    for body in ({}, {"secret_shares": 3}, {"secret_threshold": 3}, {"secret_shares": 3, "secret_threshold": 4}, {"secret_shares": 3, "secret_threshold": 1},
                 {"secret_shares": 256, "secret_threshold": 3}, {"secret_shares": 3, "secret_threshold": 2, "backup": True},
                 {"secret_shares": "x", "secret_threshold": 2}, {"secret_shares": 3, "secret_threshold": "2"}, {"secret_shares": -1, "secret_threshold": -1},
                 {"secret_shares": 3, "secret_threshold": 2, "backup": "yes"}, {"secret_shares": 3, "secret_threshold": 2, "require_verification": 1}):
        s.put("sys/rekey/init", body)
    with s.differs("pgp-keys"):
        s.put("sys/rekey/init", {"secret_shares": 2, "secret_threshold": 2, "pgp_keys": ["a"]})
    s.put("sys/rekey/init")
    s.put("sys/rekey/update", {"key": "00" * 33, "nonce": "x"})
    s.put("sys/rekey/verify", {"key": "00" * 33, "nonce": "x"})
    s.delete("sys/rekey/verify")
    s.delete("sys/rekey/init")
    s.delete("sys/rekey/init", body=b'{"nonce":"x"}')
    s.list("sys/rekey/init")
    s.get("sys/rekey/init")


@case("rekey: begun, given up, texts that are no keys")
def _(s):
    keys = KEYS[s.name]
    nonce = s.put("sys/rekey/init", {"secret_shares": 3, "secret_threshold": 2, "stored_shares": 1})["nonce"]
    s.put("sys/rekey/init", {"secret_shares": 3, "secret_threshold": 2})
    s.get("sys/rekey/init")
    s.get("sys/rekey/verify")
    s.put("sys/rekey/verify", {"key": keys[0], "nonce": nonce})
    for body in ({}, {"key": keys[0]}, {"key": keys[0], "nonce": "bad"}, {"key": "zz", "nonce": nonce}, {"key": "00", "nonce": nonce},
                 {"key": "00" * 34, "nonce": nonce}, {"key": base64.b64encode(b"a" * 15).decode(), "nonce": nonce}, {"key": 5, "nonce": nonce},
                 {"key": "", "nonce": nonce}, {"nonce": nonce}, {"key": "00" * 34, "nonce": "bad"}):
        s.put("sys/rekey/update", body)
    bring(s, "sys/rekey/update", nonce, [keys[0], keys[0], base64.b64encode(bytes.fromhex(keys[1])).decode()])
    s.get("sys/rekey/init")
    s.delete("sys/rekey/init")
    s.delete("sys/rekey/init", body=b'{"nonce":"x"}')
    s.delete("sys/rekey/init", body=b'{"nonce":"%s"}' % nonce.encode())
    s.get("sys/rekey/init")


@case("rekey: shares that do not fit")
def _(s):
    keys = KEYS[s.name]
    nonce = s.put("sys/rekey/init", {"secret_shares": 3, "secret_threshold": 2})["nonce"]
    for three in ((keys[0], keys[1], "00" * 33), (keys[0], keys[1], "00" * 32), ("00" * 33, "01" * 32 + "00", keys[1]),
                  ("00" * 20, "00" * 19 + "01", "00" * 19 + "02"), ("00" * 17, "00" * 16 + "01", "00" * 16 + "02"), ("00" * 32, "00" * 31 + "01", "00" * 31 + "02")):
        bring(s, "sys/rekey/update", nonce, three)
    s.get("sys/rekey/init")
    s.delete("sys/rekey/init", body=b'{"nonce":"%s"}' % nonce.encode())


@case("rekey: a new key, at once")
def _(s):
    keys = KEYS[s.name]
    s.post("cubbyhole/a", {"b": "c"})
    nonce = s.put("sys/rekey/init", {"secret_shares": 3, "secret_threshold": 2})["nonce"]
    KEYS[s.name] = complete(s, bring(s, "sys/rekey/update", nonce, keys[:3]))["keys"]
    s.get("sys/rekey/init")
    s.get("cubbyhole/a")
    s.put("sys/seal")
    for key in keys[:2]:
        unseal(s, {"key": key})
    unseal(s, {"key": KEYS[s.name][0]})
    unseal(s, {"key": KEYS[s.name][2]})
    s.get("cubbyhole/a")
    s.put("sys/rotate")
    s.put("sys/seal")
    for key in KEYS[s.name][:2]:
        unseal(s, {"key": key})
    s.get("cubbyhole/a")


@case("rekey: a new key, when its shares were shown")
def _(s):
    keys = KEYS[s.name]
    nonce = s.put("sys/rekey/init", {"secret_shares": 3, "secret_threshold": 2, "require_verification": True})["nonce"]
    s.get("sys/rekey/verify")
    reply = complete(s, bring(s, "sys/rekey/update", nonce, keys[:2]))
    new, verification = reply["keys"], reply["verification_nonce"]
    s.get("sys/rekey/init")
    s.get("sys/rekey/verify")
    s.put("sys/rekey/update", {"key": keys[0], "nonce": nonce})
    s.put("sys/rekey/init", {"secret_shares": 3, "secret_threshold": 2})
    for body in ({}, {"key": new[0], "nonce": "bad"}, {"key": "zz", "nonce": verification}, {"key": "00", "nonce": verification},
                 {"key": "00" * 34, "nonce": verification}, {"key": new[0]}):
        s.put("sys/rekey/verify", body)
    bring(s, "sys/rekey/verify", verification, [new[0], new[0]])
    s.get("sys/rekey/verify")
    verification = s.delete("sys/rekey/verify")["nonce"]
    for wrong in ([keys[0], keys[1]], ["00" * 33, new[0]], ["00" * 32, new[0]]):
        bring(s, "sys/rekey/verify", verification, wrong)
        verification = s.get("sys/rekey/verify")["nonce"]
    # Until then the old ones count.
    s.put("sys/generate-root/attempt", {"otp": "a" * 28})
    s.delete("sys/generate-root/attempt")
    bring(s, "sys/rekey/verify", verification, new[:2])
    s.get("sys/rekey/verify")
    s.get("sys/rekey/init")
    s.put("sys/rekey/verify", {"key": new[0], "nonce": verification})
    KEYS[s.name] = new
    s.put("sys/seal")
    for key in keys[:2] + new[1:]:
        unseal(s, {"key": key})
    s.get("cubbyhole/a")
    nonce = s.put("sys/rekey/init", {"secret_shares": 2, "secret_threshold": 2, "require_verification": True})["nonce"]
    complete(s, bring(s, "sys/rekey/update", nonce, new[:2]))
    s.delete("sys/rekey/init", body=b'{"nonce":"%s"}' % nonce.encode())
    s.get("sys/rekey/init")
    s.get("sys/rekey/verify")


@case("generate-root: what is refused")
def _(s):
    keys = KEYS[s.name]
    s.get("sys/generate-root/attempt")
    s.put("sys/generate-root/update", {"key": keys[0], "nonce": "x"})
    for body in ({"otp": "short"}, {"otp": "a" * 29}, {"otp": 5}):
        s.put("sys/generate-root/attempt", body)
    with s.differs("pgp-keys"):
        for key in ("abc", 5):
            s.put("sys/generate-root/attempt", {"pgp_key": key})
    nonce = begin(s, "sys/generate-root/attempt", {"otp": ""})["nonce"]
    begin(s, "sys/generate-root/attempt", None)
    begin(s, "sys/generate-root/attempt", {})
    s.get("sys/generate-root/attempt")
    for body in ({}, {"key": keys[0]}, {"key": "zz", "nonce": nonce}, {"key": keys[0], "nonce": "bad"}, {"key": "00", "nonce": nonce},
                 {"key": "00" * 34, "nonce": nonce}, {"nonce": nonce}, {"key": 5, "nonce": nonce}):
        s.put("sys/generate-root/update", body)
    bring(s, "sys/generate-root/update", nonce, [keys[0], keys[0]])
    s.get("sys/generate-root/attempt")
    bring(s, "sys/generate-root/update", nonce, ["00" * 33])
    s.get("sys/generate-root/attempt")
    for two in ((keys[0], "00" * 32), ("00" * 33, "01" * 32 + "00"), ("00" * 20, "00" * 19 + "01"), ("00" * 17, "00" * 16 + "01"),
                ("00" * 32, "00" * 31 + "01")):
        bring(s, "sys/generate-root/update", nonce, two)
    s.delete("sys/generate-root/attempt")
    s.delete("sys/generate-root/attempt")
    s.get("sys/generate-root/attempt")
    s.put("sys/generate-root/update")
    s.list("sys/generate-root/attempt")


@case("generate-root: a token")
def _(s):
    keys = KEYS[s.name]
    for body in (None, {}, {"otp": "b" * 28}):
        reply = begin(s, "sys/generate-root/attempt", body)
        otp = reply["otp"] or "b" * 28
        reply = bring(s, "sys/generate-root/update", reply["nonce"], [keys[1], base64.b64encode(bytes.fromhex(keys[2])).decode()])
        token = unhide(s, reply, otp)
        s.get("auth/token/lookup-self", token=token)
        s.get("sys/generate-root/attempt")
        s.put("sys/generate-root/update", {"key": keys[0], "nonce": reply["nonce"]})
        s.post("auth/token/revoke-self", token=token)


@case("one share alone; what sealing ends")
def _(s):
    nonce = s.put("sys/rekey/init", {"secret_shares": 1, "secret_threshold": 1})["nonce"]
    key = KEYS[s.name] = complete(s, bring(s, "sys/rekey/update", nonce, KEYS[s.name][:2]))["keys"]
    s.put("sys/seal")
    for text in ("00" * 32, "00" * 33, "00" * 20, key[0]):
        unseal(s, {"key": text})
    nonce = begin(s, "sys/generate-root/attempt", {})["nonce"]
    bring(s, "sys/generate-root/update", nonce, ["00" * 32, "00" * 20, "00" * 33])
    nonce = s.put("sys/rekey/init", {"secret_shares": 1, "secret_threshold": 1})["nonce"]
    bring(s, "sys/rekey/update", nonce, ["00" * 32, "00" * 20])
    s.put("sys/seal")
    s.get("sys/rekey/init")
    s.get("sys/generate-root/attempt")
    unseal(s, {"key": key[0]})
    s.get("sys/rekey/init")
    s.get("sys/generate-root/attempt")
