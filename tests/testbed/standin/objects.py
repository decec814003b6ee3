# SPDX-License-Identifier: Apache-2.0
"""What the stand-in cluster holds: namespaces, service accounts, pods, nodes, secrets, role bindings, kept in the state folder."""
import base64
import datetime
import json
import os
import threading
import time
import uuid

NAMESPACED = {"serviceaccounts": "ServiceAccount", "pods": "Pod", "secrets": "Secret"}
CLUSTER = {"namespaces": "Namespace", "nodes": "Node", "clusterrolebindings": "ClusterRoleBinding"}
KINDS = {**NAMESPACED, **CLUSTER}


class ApiError(Exception):
    """An answer that is a Status object."""

    def __init__(self, code, reason, message, **details):
        super().__init__(message)
        self.code = code
        self.body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
                     "reason": reason, **({"details": details} if details else {}), "code": code}


def not_found(resource, name):
    return ApiError(404, "NotFound", f'{resource} "{name}" not found', name=name, kind=resource)


class Objects:
    def __init__(self, state):
        self.path = os.path.join(state, "objects.json")
        self.lock = threading.RLock()
        self.offset = 0  # seconds that this cluster's clock is ahead of the real one
        self.fill_secret = None  # set by the tokens: the token controller's work
        try:
            with open(self.path, encoding="utf-8") as file:
                self.kinds = json.load(file)
        except FileNotFoundError:
            self.kinds = {resource: {} for resource in KINDS}
            for name in ("default", "kube-system"):
                self.create("namespaces", None, {"metadata": {"name": name}})

    def now(self):
        return time.time() + self.offset

    def timestamp(self):
        return datetime.datetime.utcfromtimestamp(self.now()).strftime("%Y-%m-%dT%H:%M:%SZ")

    def save(self):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.kinds, file)
        os.rename(self.path + ".new", self.path)

    @staticmethod
    def key(namespace, name):
        return f"{namespace}/{name}" if namespace else name

    def find(self, resource, namespace, name):
        return self.kinds[resource].get(self.key(namespace, name))

    def get(self, resource, namespace, name):
        found = self.find(resource, namespace, name)
        if found is None:
            raise not_found(resource, name)
        return found

    def list(self, resource, namespace):
        return [o for o in list(self.kinds[resource].values()) if namespace in (None, o["metadata"].get("namespace"))]

    def create(self, resource, namespace, body):
        with self.lock:
            meta = dict(body.get("metadata") or {})
            name = meta.get("name")
            if not name:
                raise ApiError(422, "Invalid", f'{KINDS[resource]} "" is invalid: metadata.name: Required value: name or '
                               "generateName is required", kind=KINDS[resource])
            if namespace and not self.find("namespaces", None, namespace):
                raise not_found("namespaces", namespace)
            if self.find(resource, namespace, name):
                raise ApiError(409, "AlreadyExists", f'{resource} "{name}" already exists', name=name, kind=resource)
            meta.update(uid=str(uuid.uuid4()), creationTimestamp=self.timestamp(), resourceVersion="1")
            if namespace:
                meta["namespace"] = namespace
            if resource == "namespaces":
                meta["labels"] = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": name}
            group = "rbac.authorization.k8s.io/v1" if resource == "clusterrolebindings" else "v1"
            made = {**body, "apiVersion": group, "kind": KINDS[resource], "metadata": meta}
            if resource == "secrets" and made.get("type") == "kubernetes.io/service-account-token":
                self.token_secret(made)
            self.kinds[resource][self.key(namespace, name)] = made
            if resource == "namespaces":
                self.create("serviceaccounts", name, {"metadata": {"name": "default"}})
            self.save()
            return made

    def token_secret(self, secret):
        meta = secret["metadata"]
        account = self.get("serviceaccounts", meta["namespace"], (meta.get("annotations") or {}).get("kubernetes.io/service-account.name"))
        meta["annotations"]["kubernetes.io/service-account.uid"] = account["metadata"]["uid"]
        secret["data"] = {name: base64.b64encode(value.encode()).decode() for name, value in self.fill_secret(secret, account).items()}

    def delete(self, resource, namespace, name):
        with self.lock:
            gone = self.get(resource, namespace, name)
            del self.kinds[resource][self.key(namespace, name)]
            if resource == "namespaces":
                for inner in NAMESPACED:
                    for key in [k for k in self.kinds[inner] if k.startswith(name + "/")]:
                        del self.kinds[inner][key]
            self.save()
            return gone
