# SPDX-License-Identifier: Apache-2.0
"""What the tables of identity/ share: mounts where everybody may log in, their logins, and how a case cleans up."""
from fakeapi import REVIEWS, jwt, payload_of, review

ENTITY, ALIAS, LOOKUP = "identity/entity", "identity/entity-alias", "identity/lookup/entity"
GROUP = "identity/group"


def review_as_claimed(method, path, asked):
    """The answer for a token of any account: the uid is the one that it claims."""
    account = payload_of(asked["spec"]["token"])["kubernetes.io"]["serviceaccount"]
    name = payload_of(asked["spec"]["token"])["sub"]
    return 201, review(asked, user={"username": name, "uid": account["uid"]})


def mount(s, path="kubernetes", **role):
    """A mount with the role r for everybody. Its accessor."""
    s.api.answers[REVIEWS] = review_as_claimed
    s.post(f"sys/auth/{path}", {"type": "kubernetes"})
    s.post(f"auth/{path}/config", {"kubernetes_host": s.api.host, "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": "reviewer"})
    s.post(f"auth/{path}/role/r", {"bound_service_account_names": "*", "bound_service_account_namespaces": "*", "audience": "vault",
                                            "ttl": "1h"} | role)
    return s.get(f"sys/auth/{path}")["data"]["accessor"]


def login(s, path="kubernetes", **claims):
    """Token and entity of a login."""
    auth = s.post(f"auth/{path}/login", {"role": "r", "jwt": jwt(**claims)}, token=None)["auth"]
    return auth["client_token"], auth["entity_id"]


def account(namespace, name, uid):
    return {"kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}}, "sub": f"system:serviceaccount:{namespace}:{name}"}


def clean(s):
    """Whatever a case left behind, so that lists of the next one have one order."""
    found = s.list(ENTITY + "/id").json.get("data") or {}
    s.records.pop()  # their order is that of random ids
    for identifier in found.get("keys", []):
        s.delete(f"{ENTITY}/id/{identifier}")
    found = s.list(GROUP + "/id").json.get("data") or {}
    s.records.pop()
    for identifier in found.get("keys", []):
        s.delete(f"{GROUP}/id/{identifier}")
    for path in ("kubernetes", "other"):
        s.delete(f"sys/auth/{path}")
