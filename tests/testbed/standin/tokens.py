# SPDX-License-Identifier: Apache-2.0
"""Keys, certificates and service account tokens of the stand-in, as kube-apiserver 1.36 makes and judges them."""
import base64
import datetime
import hashlib
import ipaddress
import json
import os
import uuid

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from .objects import ApiError

ISSUER = "https://kubernetes.default.svc.cluster.local"
LEGACY_ISSUER = "kubernetes/serviceaccount"
LEEWAY = 60
FLAT = "kubernetes.io/serviceaccount/"
PEM = serialization.Encoding.PEM


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    if not set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def write_private(path, data):
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


def load_key(path, make):
    """The private key at PATH, made at the first start."""
    if not os.path.exists(path):
        write_private(path, make().private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    with open(path, "rb") as file:
        return serialization.load_pem_private_key(file.read(), None)


def certificate(subject, key, issuer, issuer_key, ca, names=(), days=30):
    start = datetime.datetime.utcnow() - datetime.timedelta(days=1)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    builder = x509.CertificateBuilder(issuer.subject if issuer else name, name, key.public_key(), x509.random_serial_number(),
                                      start, start + datetime.timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256())


def make_certificates(state, addresses):
    """ca.crt, intermediate.crt (it signed the server's), server.crt (with the intermediate), and other-ca.crt, which signed nothing."""
    if os.path.exists(os.path.join(state, "server.crt")):
        return

    def put(name, *certificates):
        with open(os.path.join(state, name), "wb") as file:
            file.write(b"".join(c.public_bytes(PEM) for c in certificates))

    def new_key(name):
        return load_key(os.path.join(state, name), lambda: ec.generate_private_key(ec.SECP256R1()))

    ca_key, inner_key, server_key = new_key("ca.key"), new_key("intermediate.key"), new_key("server.key")
    other_key = ec.generate_private_key(ec.SECP256R1())
    ca = certificate("testbed-ca", ca_key, None, None, True)
    inner = certificate("testbed-intermediate", inner_key, ca, ca_key, True)
    names = [x509.IPAddress(ipaddress.ip_address(a)) for a in addresses]
    names += [x509.DNSName("localhost"), x509.DNSName("kubernetes.default.svc")]
    put("other-ca.crt", certificate("testbed-other-ca", other_key, None, None, True))
    put("ca.crt", ca)
    put("intermediate.crt", inner)
    put("server.crt", certificate("kube-apiserver", server_key, inner, inner_key, False, names), inner)


class Refused(Exception):
    """Why a token does not authenticate; the text goes into the aggregate of status.error."""


class Tokens:
    def __init__(self, state, objects):
        self.objects = objects
        self.keys = {
            "RS256": load_key(os.path.join(state, "sa.key"), lambda: rsa.generate_private_key(65537, 2048)),
            "ES256": load_key(os.path.join(state, "sa-ec.key"), lambda: ec.generate_private_key(ec.SECP256R1())),
        }
        self.ids = {}
        for alg, key in self.keys.items():
            der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
            self.ids[b64(hashlib.sha256(der).digest())] = alg
        with open(os.path.join(state, "ca.crt"), encoding="ascii") as file:
            self.ca = file.read()
        objects.fill_secret = self.fill_secret

    # --- making

    def sign(self, claims, alg="RS256"):
        kid = next(kid for kid, a in self.ids.items() if a == alg)
        parts = [json.dumps(part, separators=(",", ":"), sort_keys=True).encode() for part in ({"alg": alg, "kid": kid}, claims)]
        text = ".".join(b64(part) for part in parts)
        key = self.keys[alg]
        if alg == "RS256":
            signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        else:
            r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return text + "." + b64(signature)

    def fill_secret(self, secret, account):
        meta = secret["metadata"]
        claims = {"iss": LEGACY_ISSUER, "sub": f"system:serviceaccount:{meta['namespace']}:{account['metadata']['name']}",
                  FLAT + "namespace": meta["namespace"], FLAT + "secret.name": meta["name"],
                  FLAT + "service-account.name": account["metadata"]["name"], FLAT + "service-account.uid": account["metadata"]["uid"]}
        return {"token": self.sign(claims), "namespace": meta["namespace"], "ca.crt": self.ca}

    def bound(self, namespace, account, ref):
        """The kubernetes.io members for a boundObjectRef."""
        kind, name = ref.get("kind"), ref.get("name")
        resource = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}.get(kind)
        if not resource:
            raise ApiError(400, "BadRequest", f"cannot bind token for serviceaccount {account!r} to object of type {kind}")
        thing = self.objects.get(resource, None if resource == "nodes" else namespace, name)
        if ref.get("uid") not in (None, "", thing["metadata"]["uid"]):
            raise ApiError(409, "Conflict", f"Operation cannot be fulfilled on {kind} \"{name}\": the UID in the bound object reference "
                           f"({ref['uid']}) does not match the UID in record. The object might have been deleted and then recreated",
                           name=name, kind=kind)
        members = {kind.lower(): {"name": name, "uid": thing["metadata"]["uid"]}}
        if kind == "Pod":
            spec = thing.get("spec") or {}
            if spec.get("serviceAccountName", "default") != account:
                raise ApiError(400, "BadRequest", f'cannot bind token for serviceaccount "{account}" to pod running with '
                               f'different serviceaccount name.')
            node = spec.get("nodeName")
            if node:
                found = self.objects.find("nodes", None, node)
                members["node"] = {"name": node, **({"uid": found["metadata"]["uid"]} if found else {})}
        return members

    def request(self, namespace, name, body, admin, alg="RS256"):
        """TokenRequest: the object with its status filled in."""
        account = self.objects.get("serviceaccounts", namespace, name)
        spec = dict(body.get("spec") or {})
        spec["audiences"] = spec.get("audiences") or [ISSUER]
        seconds = spec["expirationSeconds"] = int(spec.get("expirationSeconds") or 3600)
        if seconds < 600 and not admin:
            raise ApiError(422, "Invalid", f'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: '
                           f"{seconds}: may not specify a duration less than 10 minutes", group="authentication.k8s.io", kind="TokenRequest")
        ref = spec.get("boundObjectRef")
        now = int(self.objects.now())
        kube = {"namespace": namespace, "serviceaccount": {"name": name, "uid": account["metadata"]["uid"]}}
        if ref:
            kube.update(self.bound(namespace, name, ref))
        claims = {"aud": spec["audiences"], "exp": now + seconds, "iat": now, "nbf": now, "iss": ISSUER, "jti": str(uuid.uuid4()),
                  "kubernetes.io": kube, "sub": f"system:serviceaccount:{namespace}:{name}"}
        if seconds < 0:
            claims["iat"] = claims["nbf"] = now + 2 * seconds
        expires = datetime.datetime.utcfromtimestamp(claims["exp"]).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
                "metadata": {"name": name, "namespace": namespace, "creationTimestamp": self.objects.timestamp()},
                "spec": spec, "status": {"token": self.sign(claims, alg), "expirationTimestamp": expires}}

    def jwks(self):
        keys = []
        for kid, alg in self.ids.items():
            numbers = self.keys[alg].public_key().public_numbers()
            key = {"use": "sig", "kid": kid, "alg": alg}
            if alg == "RS256":
                key.update(kty="RSA", n=b64(numbers.n.to_bytes(256, "big")), e=b64(numbers.e.to_bytes(3, "big")))
            else:
                key.update(kty="EC", crv="P-256", x=b64(numbers.x.to_bytes(32, "big")), y=b64(numbers.y.to_bytes(32, "big")))
            keys.append(key)
        return {"keys": keys}

    # --- judging

    def verified(self, token):
        """The claims of a token of ours; None if another authenticator would have to know it."""
        try:
            head, payload, signature = token.split(".")
            claims = json.loads(unb64(payload))
            issuer = claims.get("iss")
        except (ValueError, AttributeError, UnicodeDecodeError):
            return None
        if issuer not in (ISSUER, LEGACY_ISSUER):
            return None
        try:
            header = json.loads(unb64(head))
            alg, kid, raw = header["alg"], header.get("kid"), unb64(signature)
        except (ValueError, KeyError, TypeError):
            return None
        if kid is not None and kid not in self.ids:
            raise Refused("invalid signature, no keys found")
        text = f"{head}.{payload}".encode()
        for known in [self.ids[kid]] if kid else list(self.keys):
            if known == alg and self.signature_ok(alg, text, raw):
                return claims
        raise Refused("go-jose/go-jose: error in cryptographic primitive")

    def signature_ok(self, alg, text, raw):
        key = self.keys[alg].public_key()
        try:
            if alg == "RS256":
                key.verify(raw, text, padding.PKCS1v15(), hashes.SHA256())
            elif len(raw) != 64:
                return False
            else:
                der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
                key.verify(der, text, ec.ECDSA(hashes.SHA256()))
            return True
        except InvalidSignature:
            return False

    def authenticate(self, token, audiences):
        """(user, audiences) of a service account token, None if it is none, Refused otherwise."""
        claims = self.verified(token)
        if claims is None:
            return None
        wanted = audiences or [ISSUER]
        own = claims.get("aud") or [ISSUER]
        shared = [a for a in wanted if a in own]
        if not shared:
            quoted = [" ".join(json.dumps(a) for a in each) for each in (own, wanted)]
            raise Refused(f"token audiences [{quoted[0]}] is invalid for the target audiences [{quoted[1]}]")
        return (self.legacy(token, claims) if claims["iss"] == LEGACY_ISSUER else self.projected(claims)), shared

    def account(self, namespace, name, uid):
        account = self.objects.find("serviceaccounts", namespace, name)
        if not account:
            raise Refused(f'serviceaccounts "{name}" not found')
        if account["metadata"]["uid"] != uid:
            raise Refused(f"service account UID ({account['metadata']['uid']}) does not match claim ({uid})")
        user = f"system:serviceaccount:{namespace}:{name}"
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
        return {"username": user, "uid": uid, "groups": groups}

    def legacy(self, token, claims):
        namespace, secret_name = claims.get(FLAT + "namespace"), claims.get(FLAT + "secret.name")
        secret = self.objects.find("secrets", namespace, secret_name)
        if not secret or base64.b64decode((secret.get("data") or {}).get("token", "")).decode() != token:
            raise Refused("service account token has been invalidated")
        return self.account(namespace, claims.get(FLAT + "service-account.name"), claims.get(FLAT + "service-account.uid"))

    def projected(self, claims):
        now = self.objects.now()
        if claims.get("exp", now) < now - LEEWAY:
            raise Refused("service account token has expired")
        if claims.get("nbf", 0) > now + LEEWAY:
            raise Refused("service account token is not valid yet")
        if claims.get("iat", 0) > now + LEEWAY:
            raise Refused("service account token is issued in the future")
        kube = claims.get("kubernetes.io")
        if kube is None:
            raise Refused("resource name may not be empty")
        namespace = kube["namespace"]
        user = self.account(namespace, kube["serviceaccount"]["name"], kube["serviceaccount"]["uid"])
        extra = {}
        for kind, resource in (("secret", "secrets"), ("pod", "pods"), ("node", "nodes")):
            ref = kube.get(kind)
            if not ref:
                continue
            if kind != "node" or "pod" not in kube:
                self.check_bound(kind, resource, None if kind == "node" else namespace, ref)
            if kind != "secret":
                for member in ("name", "uid"):
                    if member in ref:
                        extra[f"authentication.kubernetes.io/{kind}-{member}"] = [ref[member]]
        if "jti" in claims:
            extra["authentication.kubernetes.io/credential-id"] = ["JTI=" + claims["jti"]]
        return {**user, "extra": extra} if extra else user

    def check_bound(self, kind, resource, namespace, ref):
        thing = self.objects.find(resource, namespace, ref["name"])
        if not thing:
            raise Refused("service account token has been invalidated")
        if thing["metadata"]["uid"] != ref["uid"]:
            raise Refused(f"{kind} UID ({thing['metadata']['uid']}) does not match service account {kind} ref claim ({ref['uid']})")
