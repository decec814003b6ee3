# SPDX-License-Identifier: Apache-2.0
"""The stand-in's API: who asks, what it may, and the answers of kube-apiserver 1.36 to the few resources that we need."""
import json

from .objects import CLUSTER, NAMESPACED, ApiError
from .tokens import ISSUER, Refused

REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
OPEN = ("/readyz", "/healthz", "/livez", "/version")
# What the cluster roles that tests bind may do; everything else is cluster-admin's.
ROLES = {
    "system:auth-delegator": {("create", "tokenreviews")},
    "view": {(verb, resource) for verb in ("get", "list") for resource in ("namespaces", "serviceaccounts", "pods")},
}


ANONYMOUS = {"username": "system:anonymous", "groups": ["system:unauthenticated"]}


def unauthorized():
    return ApiError(401, "Unauthorized", "Unauthorized")


class Api:
    def __init__(self, objects, tokens, admin_token):
        self.objects = objects
        self.tokens = tokens
        self.admin_token = admin_token

    # --- who, and whether

    def authenticate(self, token, audiences=None):
        """What the whole chain says of a token: (user, audiences, error)."""
        if token == self.admin_token:
            return {"username": "admin", "groups": ["system:masters", "system:authenticated"]}, [ISSUER], ""
        try:
            found = self.tokens.authenticate(token, audiences)
        except Refused as refusal:
            return None, None, f"[invalid bearer token, {refusal}]"
        except (KeyError, TypeError, AttributeError):
            found = None
        if found is None:
            return None, None, "invalid bearer token"
        return (*found, "")

    def caller(self, bearer):
        if not bearer:
            return ANONYMOUS
        user, _, _ = self.authenticate(bearer)
        if user is None:
            raise unauthorized()
        return user

    def may(self, user, verb, resource):
        if "system:masters" in user["groups"]:
            return True
        for binding in self.objects.list("clusterrolebindings", None):
            for subject in binding.get("subjects") or []:
                name = subject.get("name")
                if subject.get("kind") == "ServiceAccount":
                    match = user["username"] == f"system:serviceaccount:{subject.get('namespace')}:{name}"
                else:
                    match = name == user["username"] or subject.get("kind") == "Group" and name in user["groups"]
                role = (binding.get("roleRef") or {}).get("name")
                if match and (role == "cluster-admin" or (verb, resource) in ROLES.get(role, ())):
                    return True
        return False

    def demand(self, user, verb, resource, group="", namespace=None, name=None):
        if self.may(user, verb, resource):
            return
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        full = f"{resource}.{group}" if group else resource
        named = f' "{name}"' if name else ""
        text = f'{full}{named} is forbidden: User "{user["username"]}" cannot {verb} resource "{resource}" in API group "{group}" {where}'
        raise ApiError(403, "Forbidden", text, **({"name": name} if name else {}), **({"group": group} if group else {}), kind=resource)

    # --- requests

    def handle(self, method, path, bearer, body, note):
        """(status, object or text). NOTE collects what the request log shows."""
        user = self.caller(bearer)
        note["user"] = user["username"]
        if path in OPEN:
            return 200, {"major": "1", "minor": "36", "gitVersion": "v1.36.3-standin"} if path == "/version" else "ok"
        if path == REVIEWS or path.startswith("/apis/authentication.k8s.io/v1/namespaces/"):
            return self.review(method, path, user, body, note)
        if path == "/.well-known/openid-configuration":
            return 200, {"issuer": ISSUER, "jwks_uri": ISSUER + "/openid/v1/jwks", "response_types_supported": ["id_token"],
                         "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": list(self.tokens.keys)}
        if path == "/openid/v1/jwks":
            return 200, self.tokens.jwks()
        return self.resource(method, path, user, body)

    def resource(self, method, path, user, body):
        group, prefix = "", "/api/v1/"
        parts = path[len(prefix):].split("/") if path.startswith(prefix) else []
        if path == BINDINGS or path.startswith(BINDINGS + "/"):
            group, parts = "rbac.authorization.k8s.io", ["clusterrolebindings", *path[len(BINDINGS) + 1:].split("/")]
            parts = [part for part in parts if part]
        namespace = name = sub = None
        if len(parts) >= 3 and parts[0] == "namespaces" and parts[2] in NAMESPACED:
            _, namespace, resource, *rest = parts
            name, sub = (rest + [None, None])[:2]
        elif parts and parts[0] in CLUSTER and len(parts) <= 2:
            resource, name = (parts + [None])[:2]
        elif len(parts) == 1 and parts[0] in NAMESPACED:
            resource = parts[0]
        else:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        verb = {"GET": "get" if name else "list", "POST": "create", "DELETE": "delete"}.get(method)
        if not verb or (verb == "create") != (name is None or sub == "token") and verb != "list":
            raise ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        self.demand(user, verb, f"{resource}/{sub}" if sub else resource, group, name if resource == "namespaces" else namespace, name)
        if sub == "token":
            return 201, self.tokens.request(namespace, name, body, "admin" in body, body.get("alg", "RS256"))
        if verb == "create":
            return 201, self.objects.create(resource, namespace, body)
        if verb == "list":
            return 200, {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": self.objects.list(resource, namespace)}
        if verb == "get":
            return 200, self.objects.get(resource, namespace, name)
        return 200, self.objects.delete(resource, namespace, name)

    def review(self, method, path, user, body, note):
        if method != "POST":
            raise ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        self.demand(user, "create", "tokenreviews", "authentication.k8s.io")
        if path != REVIEWS:
            namespace = path.split("/")[5]
            raise ApiError(400, "BadRequest", f"namespace is not allowed on this type: {namespace}")
        spec = body.get("spec") or {}
        token = spec.get("token") or ""
        audiences = spec.get("audiences")
        if not token:
            raise ApiError(400, "BadRequest", "token is required for TokenReview in authentication")
        note["audiences"] = audiences
        # A real API server takes blanks for no credential at all, which is authenticated, too.
        who, accepted, error = self.authenticate(token.strip(), audiences) if token.strip() else (ANONYMOUS, [ISSUER], "")
        status = {"user": {}, "error": error} if who is None else {"authenticated": True, "user": who, "audiences": accepted}
        note["error"] = error
        return 201, {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {"creationTimestamp": None},
                     "spec": spec, "status": status}


def parse(body):
    """A request's JSON object."""
    if not body:
        return {}
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise ApiError(400, "BadRequest", f"the object provided is unrecognized (must be of type JSON): {error}") from None
    if not isinstance(parsed, dict):
        raise ApiError(400, "BadRequest", "the object provided is unrecognized")
    return parsed
