# SPDX-License-Identifier: Apache-2.0
"""JSON bodies broken at random places: the same refusal, in the same words. The seed is in the case's title."""
import random
import re

from play import case
from tables._random import SEED

BODIES = 1000
MINIMUM = BODIES
WHOLE = (b'{"a":1,"b":[1.5,-2e3,true,false,null],"c":{"d":"x\\n\\u00e9"}}', b'{"k":"v"}', b'[1,{"a":[]}]', b'{"a":{"b":{"c":[[1],[2]]}}}', b'"text"', b"123",
         b"null", b"true", b' {"n":0.1e-5,"m":-0} ')
LETTERS = b'{}[]",:\\0123456789.eE+-tfnrusalx/ \'\n\t'


def broken(r):
    body = bytearray(r.choice(WHOLE))
    for _ in range(r.choice((1, 1, 1, 2, 3))):
        at, kind = r.randrange(len(body) + 1), r.random()
        if kind < 0.35:
            del body[at : at + 1]
        elif kind < 0.7:
            body[at:at] = bytes([r.choice(LETTERS)])
        elif kind < 0.9:
            body[at : at + 1] = bytes([r.choice(LETTERS)])
        else:
            del body[at:]
    return bytes(body)


def repeats(body):
    """Whether a key may stand twice in it: of several faults ours tells that one last (json-text)."""
    texts = re.findall(rb'"((?:[^"\\]|\\.)*)"?', body)
    return len(set(texts)) < len(texts)


@case(f"seed {SEED}")
def _(s):
    r = random.Random(SEED)
    s.post("sys/mounts/one", {"type": "kv"})
    for _ in range(BODIES):
        body = broken(r)
        while repeats(body):
            body = broken(r)
        s.request("POST", "one/a", body=body)
