# SPDX-License-Identifier: Apache-2.0
"""Random logins: claims with random faults, roles with random demands, API servers with random answers; what is told, what was asked.
Each run takes a fresh seed (_random.py)."""
import json
import random
import time

from fakeapi import REVIEWS, UID, claims, jwt, legacy_claims, review, status
from play import case
from tables._kubernetes import configure, login, mounted, role
from tables._random import SEED

CASES_N, LOGINS = 3, 150
MINIMUM = CASES_N * LOGINS
NOW = int(time.time())
FLAT = "kubernetes.io/serviceaccount/"
# Members of a claim that are no text are claims-not-echoed: here there are none.
NAMES = ["webapp-sa", "webapp-sa", "webapp-sa", "other", "", None, "a.b"]
NAMESPACES = ["webapp-ns", "webapp-ns", "webapp-ns", "other", "", None]
UIDS = [UID, UID, UID, "other", "", None]
# None so near to now that it matters how fast the table is played.
TIMES = [None, 0, NOW - 1000, NOW + 1000, NOW - 5000, NOW + 5000, "5", True, NOW + 1000.5, 2**40, -1]
AUDIENCES = [["vault"], ["vault"], ["vault"], ["a", "vault"], ["a"], [], "vault", "a", None, 5, [5], ["vault", "b"], {}]
ISSUERS = ["https://kubernetes.default.svc.cluster.local", "kubernetes/serviceaccount", "", None, 5, []]
USERS = ["system:serviceaccount:webapp-ns:webapp-sa", "system:serviceaccount:other:webapp-sa", "system:serviceaccount:webapp-ns:other", "admin", "",
         None,
         "system:node:webapp-ns:webapp-sa", "system:serviceaccount:webapp-ns", 5]


def without_none(members):
    return {k: v for k, v in members.items() if v is not None}


def payload_of(rng):
    payload = legacy_claims() if rng.random() < 0.2 else claims()
    for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
        what = rng.randrange(8)
        if what == 0:
            payload["aud"] = rng.choice(AUDIENCES)
        elif what == 1:
            payload[rng.choice(("exp", "nbf", "iat"))] = rng.choice(TIMES)
        elif what == 2:
            payload["iss"] = rng.choice(ISSUERS)
        elif what == 3:
            payload["kubernetes.io"] = without_none({"namespace": rng.choice(NAMESPACES), "serviceaccount": rng.choice((None, {}, without_none(
                {"name": rng.choice(NAMES), "uid": rng.choice(UIDS)})))})
        elif what == 4:
            payload[FLAT + "namespace"] = rng.choice(NAMESPACES)
        elif what == 5:
            payload[FLAT + "service-account.name"] = rng.choice(NAMES)
        elif what == 6:
            payload[FLAT + "service-account.uid"] = rng.choice(UIDS)
        else:
            payload[rng.choice(("sub", "jti", "unknown"))] = rng.choice(("x", 5, None, [], {"a": 1}))
    return {k: v for k, v in payload.items() if v is not None or rng.random() < 0.5}


def answer_of(rng, asked):
    if not isinstance(asked, dict):
        return None
    answer = review(asked)
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        what, verdict = rng.randrange(8), answer["status"]
        if what == 0:
            verdict["authenticated"] = rng.choice((False, None, True, "true", 1))
        elif what == 1:
            verdict["error"] = rng.choice(("", "an error", None, 5))
        elif what == 2:
            verdict["audiences"] = rng.choice((["vault"], ["a"], [], None, "vault", [5], ["a", "vault"]))
        elif what == 3:
            verdict["user"] = rng.choice(({"username": rng.choice(USERS), "uid": rng.choice([*UIDS, 5])}, {}, None, "x", []))
        elif what == 4:
            verdict["user"] = {"username": USERS[0], "uid": UID, "groups": rng.choice(("x", ["x"], None, [5])),
                               "extra": rng.choice(({}, None, {"a": "b"}, {"a": ["b"]}))}
        elif what == 5:
            answer["kind"] = rng.choice(("", "Other", "Status", None))
        elif what == 6:
            answer = status(rng.choice((200, 401, 403)), "a text", rng.choice(("", "Unauthorized")))
            break
        else:
            answer["spec"] = rng.choice(({}, None, {"token": "x"}))
    return rng.choice((201,) * 12 + (200, 202, 203, 206, 207, 300, 400, 401, 403, 404, 429, 500, 503)), answer


def group(number):
    @case(f"random logins, {number + 1} of {CASES_N}")
    def _(session):
        rng = random.Random(f"{SEED}/{number}")
        with mounted(session):
            for n in range(LOGINS):
                if n % 20 == 0:
                    configure(session, issuer=rng.choice(("", ISSUERS[0])), disable_iss_validation=rng.random() < 0.5,
                              token_reviewer_jwt=rng.choice(("reviewer", "reviewer", None)))
                    role(session, "random", audience=rng.choice(("vault", "vault", "", "a")),
                         alias_name_source=rng.choice(("serviceaccount_uid", "serviceaccount_name")),
                         bound_service_account_names=rng.choice(("webapp-sa", "*", "webapp-*,other")),
                         bound_service_account_namespaces=rng.choice(("webapp-ns", "*", "x,web*")))
                answer_rng = random.Random(f"{SEED}/{number}/{n}")
                session.api.answers[REVIEWS] = lambda method, path, asked, rng=answer_rng: answer_of(rng, asked)
                payload = json.dumps(payload_of(rng)).encode()
                login(session, jwt(payload=payload), "random")
                session.note(f"seed {SEED}, {number}/{n}: {payload.decode()}", None)


for n_ in range(CASES_N):
    group(n_)
