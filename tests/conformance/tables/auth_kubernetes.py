# SPDX-License-Identifier: Apache-2.0
"""The Kubernetes auth method: configuration, roles, logins; what the API server was asked is compared too."""
from fakeapi import jwt
from play import case

MINIMUM = 8


def mount(s, path="kubernetes", **config):
    s.post(f"sys/auth/{path}", {"type": "kubernetes"})
    s.post(f"auth/{path}/config", {"kubernetes_host": s.api.host, "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": "reviewer"} | config)


@case("login: a token of a role's account")
def _(s):
    mount(s)
    s.post("auth/kubernetes/role/webapp", {"bound_service_account_names": "webapp-sa", "bound_service_account_namespaces": "webapp-ns",
                                           "policies": "webapp-policy", "audience": "vault", "ttl": "1h"})
    token = s.post("auth/kubernetes/login", {"role": "webapp", "jwt": jwt()}, token=None)["auth"]["client_token"]
    s.get("auth/token/lookup-self", token=token)
    s.post("auth/kubernetes/login", {"role": "webapp", "jwt": jwt(namespace="other")}, token=None)
    s.post("auth/kubernetes/login", {"role": "other", "jwt": jwt()}, token=None)
    s.delete("sys/auth/kubernetes")
