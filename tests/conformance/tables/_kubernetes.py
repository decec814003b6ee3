# SPDX-License-Identifier: Apache-2.0
"""What the tables of the Kubernetes auth method share: a mount for a case, a role, a login."""
import contextlib

from fakeapi import jwt


def configure(s, path="kubernetes", **config):
    """Writes a configuration that works, with changes; None leaves a field out."""
    fields = {"kubernetes_host": s.api.host, "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": "reviewer"} | config
    return s.post(f"auth/{path}/config", {k: v for k, v in fields.items() if v is not None})


@contextlib.contextmanager
def mounted(s, path="kubernetes", tune=None, **config):
    """A configured mount for the time of a case."""
    s.post(f"sys/auth/{path}", {"type": "kubernetes"} | ({"config": tune} if tune else {}))
    try:
        configure(s, path, **config)
        yield
    finally:
        s.delete(f"sys/auth/{path}")


def role(s, name="webapp", path="kubernetes", **fields):
    """Writes a role, with changes; None leaves a field out."""
    made = {"bound_service_account_names": "webapp-sa", "bound_service_account_namespaces": "webapp-ns", "token_policies": "webapp-policy",
            "audience": "vault"} | fields
    return s.post(f"auth/{path}/role/{name}", {k: v for k, v in made.items() if v is not None})


def login(s, token=None, role="webapp", path="kubernetes"):
    return s.post(f"auth/{path}/login", {"role": role, "jwt": jwt() if token is None else token}, token=None)
