# SPDX-License-Identifier: Apache-2.0
"""auth/<mount>/config: fields, defaults, refusals, and what a login makes of them."""
import base64

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519


from fakeapi import EC_KEYS, KEY, REVIEWS, expired_ca, jwt, pem, review, signature
from play import case
from standin.tokens import b64
from tables._kubernetes import configure, login, mounted, role

MINIMUM = 150
CONFIG = "auth/kubernetes/config"
ED = ed25519.Ed25519PrivateKey.generate()
OTHER = ec.generate_private_key(ec.SECP256R1())


def public(key, form=serialization.PublicFormat.SubjectPublicKeyInfo):
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def private(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def block(kind, content):
    return f"-----BEGIN {kind}-----\n{base64.b64encode(content).decode()}\n-----END {kind}-----\n"


@case("config: nothing there, verbs, paths")
def _(s):
    s.post("sys/auth/kubernetes", {"type": "kubernetes"})
    s.get(CONFIG)
    s.get(CONFIG, token=None)
    s.post(CONFIG, {"kubernetes_host": "https://k"}, token=None)
    s.post(CONFIG, {"kubernetes_host": "https://k"}, token="hvs.nothing")
    s.delete(CONFIG)
    s.list(CONFIG)
    s.patch(CONFIG, {"kubernetes_host": "https://k"})
    s.get(CONFIG + "/")
    s.post(CONFIG + "/", {"kubernetes_host": "https://k"})
    s.get("auth/kubernetes/configs")
    s.get("auth/kubernetes/")
    s.get("auth/kubernetes")
    s.post("auth/kubernetes/other", {})
    s.list("auth/kubernetes/role")
    login(s)
    role(s)
    login(s)
    s.delete("sys/auth/kubernetes")
    login(s)


@case("config: defaults, and a write that replaces all of it")
def _(s):
    with mounted(s):
        s.get(CONFIG)
        configure(s, issuer="https://issuer", disable_iss_validation=False, disable_local_ca_jwt=True, pem_keys=[public(KEY)])
        s.get(CONFIG)
        s.put(CONFIG, {"kubernetes_host": "https://k", "kubernetes_ca_cert": s.api.ca})
        s.get(CONFIG)
        s.post(CONFIG, {"kubernetes_host": "https://k"})
        s.post(CONFIG, {"kubernetes_host": "https://k", "disable_local_ca_jwt": True})
        s.get(CONFIG)
        configure(s, nobody_knows="this", issuer="a")
        s.get(CONFIG)
        configure(s, kubernetes_host="")
        s.get(CONFIG)
        s.post(CONFIG, {})
        s.post(CONFIG)
        s.post(CONFIG, {"kubernetes_ca_cert": "no PEM", "pem_keys": "no key"})
        configure(s, kubernetes_ca_cert="no PEM", pem_keys="no key")
        configure(s, pem_keys="no key")
        s.get(CONFIG)


@case("config: types of the fields")
def _(s):
    with mounted(s):
        for value in (True, "true", "T", 1, "0", 0, "", None, "maybe", 2, 1.5, [], ["true"], {}):
            configure(s, disable_local_ca_jwt=True)
            s.post(CONFIG, {"kubernetes_host": "https://k", "kubernetes_ca_cert": s.api.ca, "disable_iss_validation": value})
            s.get(CONFIG)
        for value in (5, 1.5, True, None, "  https://k  ", ["https://k"], {"a": 1}):
            s.post(CONFIG, {"kubernetes_host": value, "kubernetes_ca_cert": s.api.ca})
            s.get(CONFIG)
            s.post(CONFIG, {"kubernetes_host": "https://k", "kubernetes_ca_cert": s.api.ca, "issuer": value})
            s.get(CONFIG)
        for field in ("kubernetes_ca_cert", "pem_keys", "issuer", "disable_local_ca_jwt", "use_annotations_as_alias_metadata"):
            for value in (7, None, ["x"], {"a": "b"}):
                s.post(CONFIG, {"kubernetes_host": "https://k", "kubernetes_ca_cert": s.api.ca, field: value})
        for value in (7, True, None):
            s.post(CONFIG, {"kubernetes_host": "https://k", "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": value})
            s.get(CONFIG)
        with s.differs("claims-not-echoed"):
            configure(s, token_reviewer_jwt=["x"])
            configure(s, token_reviewer_jwt={"a": "b"})


@case("config: texts of a CA")
def _(s):
    with mounted(s):
        role(s)
        ca, inner, other = s.api.ca, pem("intermediate.crt"), pem("other-ca.crt")
        lines = ca.strip().split("\n")
        unreadable = block("CERTIFICATE", b"no certificate")
        texts = [
            ca, ca.strip(), "\n\n  " + ca + "\n ", ca.replace("\n", "\r\n"), "# the CA\nsubject: testbed\n" + ca + "\n# end\n",
            ca + inner, other + ca, ca + other, other + inner + ca, other, inner, expired_ca() + ca, ca + expired_ca(),
            expired_ca(OTHER) + ca, ca + expired_ca(OTHER), expired_ca(), public(KEY) + ca, ca + private(KEY),
            "\n".join([lines[0], "".join(lines[1:-1]), lines[-1]]), ca + "garbage", ca + "-----BEGIN CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n" + ca,
            unreadable + ca, ca + unreadable, ca.replace("\n", "\r"), base64.b64encode(ca.encode()).decode(), ca.replace("\n", "\\n"),
            ca.replace("\n", " "), ca.replace("\n", ""), "garbage", " ", ca[:-20], "\n".join(lines[:1] + ["!" + lines[1]] + lines[2:]),
            "\n".join(" " + line for line in lines), "\n".join(line + " " for line in lines),
            "\n".join("\t" + line for line in lines[1:-1]).join([lines[0] + "\n", "\n" + lines[-1]]),
            "\ufeff" + ca, lines[0] + "\n" + "\n\n".join(lines[1:-1]) + "\n" + lines[-1], ca.replace("=\n", "\n"), ca + ca,
            ca.replace("END CERTIFICATE", "END OTHER"), lines[0] + "\n" + ca, ca.replace("-----", "----"), ca.lower(),
            ca + "\n-----END CERTIFICATE-----\n",
        ]
        for text in texts:
            fresh(s)
            configure(s, kubernetes_ca_cert=text)
            login(s)
        s.get(CONFIG)
        with s.differs("ca-without-certificate"):
            for text in (private(KEY), unreadable, public(KEY), ca.replace("CERTIFICATE", "X509 CERTIFICATE"),
                         ca.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
                         lines[0] + "\nProc-Type: x\n\n" + "\n".join(lines[1:]) + "\n"):
                configure(s, kubernetes_ca_cert=text)


def fresh(s):
    """From now on the API server ends each connection, so that every login meets the configuration of its time."""
    s.api.answers[REVIEWS] = lambda method, path, asked: (201, review(asked), {"Connection": "close"})


@case("config: keys that verify tokens")
def _(s):
    certificate = x509.load_pem_x509_certificate(s.api.ca.encode())
    texts = [
        [public(KEY)], public(KEY), [public(EC_KEYS["ES256"]), public(EC_KEYS["ES384"]), public(EC_KEYS["ES512"])],
        public(KEY) + "," + public(EC_KEYS["ES256"]), [s.api.ca], [public(ED)], [public(KEY), public(ED)], ["garbage"], "garbage", [""], "",
        [], ",", None, [private(KEY)], [public(KEY, serialization.PublicFormat.PKCS1)], [block("PUBLIC KEY", b"no key")],
        [block("CERTIFICATE", b"no certificate")], [block("PUBLIC KEY", b"")], [public(KEY) + "garbage"], [public(KEY) + public(ED)],
        ["# comment\n" + public(KEY)], [public(KEY).replace("\n", "\r\n")], [public(KEY).replace("PUBLIC KEY", "ANYTHING")],
        [public(KEY).replace("\n", "\\n")], ["  " + public(KEY) + "\n\n"],
        [block("PUBLIC KEY", certificate.public_bytes(serialization.Encoding.DER))],
    ]
    with mounted(s):
        for keys in texts:
            s.post(CONFIG, {"kubernetes_host": "https://k", "kubernetes_ca_cert": s.api.ca, "pem_keys": keys})
            s.get(CONFIG)


@case("config: logins with keys")
def _(s):
    keys = [public(KEY)] + [public(key) for key in EC_KEYS.values()]
    algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
    with mounted(s, pem_keys=keys):
        role(s)
        for alg in algorithms:
            login(s, jwt(alg=alg))
        good = jwt()
        head, payload, sign = good.split(".")
        for text in (good + "\n", good + "\r\n", " " + good, good + " ", f"{head}=.{payload}==.{sign}=", head + "\n." + payload + "." + sign,
                     f"{head}. {payload}.{sign}", good[:-1], good + "A", good[:-8], head + "." + payload + ".", head + "." + payload,
                     good + ".", "." + good, head + "." + payload + "." + sign[:-4] + "AAAA", good + "="):
            login(s, text)
        login(s, jwt(header={"alg": "RS256", "crit": ["unknown"], "unknown": 1}))
        login(s, jwt(header={"alg": "RS256", "crit": ["b64"], "b64": False}))
        login(s, jwt(header={"alg": "RS256", "kid": 5}))
        login(s, jwt(header={"alg": "RS256", "typ": "none", "cty": 5, "x5t": "x", "jku": "https://x"}))
        with s.differs("jwt-header-keys"):
            login(s, jwt(header={"alg": "RS256", "x5c": ["x"]}))
            login(s, jwt(header={"alg": "RS256", "jwk": {"kty": "oct"}}))
        login(s, jwt(key=OTHER, alg="ES256"))
        for alg in ("none", "HS256", "RS1", "EdDSA", "rs256", "", None, 5):
            login(s, jwt(header={"alg": alg}))
        configure(s, pem_keys=[public(OTHER)])
        login(s)
        configure(s, pem_keys=[public(OTHER), public(KEY)])
        login(s)
        login(s, jwt(alg="ES256", key=OTHER))
        login(s, jwt(alg="PS256", header={"alg": "RS256"}))
        # An ES key counts for its own curve's algorithm only.
        with s.differs("jwt-limits"):
            head, payload, _ = jwt(alg="ES384").split(".")
            numbers = signature("ES384", OTHER, f"{head}.{payload}".encode())
            login(s, f"{head}.{payload}." + b64(b"".join(bytes(16) + n for n in (numbers[:32], numbers[32:]))))


@case("config: the issuer")
def _(s):
    with mounted(s):
        role(s)
        issuers = ["https://kubernetes.default.svc.cluster.local", "https://kubernetes.default.svc.cluster.local/", "kubernetes/serviceaccount",
                   "", " ", 'a "quoted" one', "ünïcode", "a\\b", "HTTPS://KUBERNETES.DEFAULT.SVC.CLUSTER.LOCAL", " https://a", "a,b"]
        for issuer in issuers:
            configure(s, issuer=issuer, disable_iss_validation=False)
            for claim in (issuer, "https://kubernetes.default.svc.cluster.local", None):
                login(s, jwt(iss=claim))
        s.get(CONFIG)
        configure(s, issuer="other")
        login(s)
        configure(s, issuer="other", disable_iss_validation=True)
        login(s)
        configure(s, issuer="", disable_iss_validation=False)
        login(s, jwt(iss="kubernetes/serviceaccount"))
        login(s, jwt(iss="anything"))


@case("config: forms of the API server's address")
def _(s):
    with mounted(s):
        role(s)
        port = s.api.port
        for host in (s.api.host, s.api.host + "/", s.api.host + "//", s.api.host + "/k8s/clusters/c-1", s.api.host + "/k8s/clusters/c-1/",
                     f"HTTPS://127.0.0.1:{port}", f"https://localhost:{port}", f"https://LOCALHOST:{port}", f"127.0.0.1:{port}",
                     "kubernetes.default.svc",
                     f"http://127.0.0.1:{port}", f"https://127.0.0.1:{port}?a=b", "https://127.0.0.1:1", "ftp://127.0.0.1",
                     f" https://127.0.0.1:{port}", f"https://127.0.0.1:{port} ", f"https://[127.0.0.1:{port}", f"https://127.0.0.1:{port}/#x",
                     "https://[::1]:1", "https://", "https://127.0.0.1:999999", "/"):
            configure(s, kubernetes_host=host)
            login(s)
        s.get(CONFIG)


@case("config: whose token reviews")
def _(s):
    with mounted(s):
        role(s)
        fresh(s)
        for reviewer in ("reviewer", "  reviewer  ", "reviewer\n", "", None, jwt()):
            configure(s, token_reviewer_jwt=reviewer)
            s.get(CONFIG)
            login(s)
        for reviewer in ("two words", "a\nb", "a\tb", "ünïcode", "a\x7fb", '"quoted"'):
            configure(s, token_reviewer_jwt=reviewer)
            login(s)
        configure(s, token_reviewer_jwt="reviewer", disable_local_ca_jwt=True)
        login(s)
        configure(s, token_reviewer_jwt=None, disable_local_ca_jwt=True)
        login(s)
        configure(s, token_reviewer_jwt=None, kubernetes_ca_cert=None, disable_local_ca_jwt=True)
        login(s)


@case("config: several mounts are apart")
def _(s):
    with mounted(s), mounted(s, "clusters/prod", token_reviewer_jwt="other-reviewer"), mounted(s, "wrong-ca", kubernetes_ca_cert=pem("other-ca.crt")):
        role(s, audience="vault")
        role(s, path="clusters/prod", token_policies="prod", alias_name_source="serviceaccount_name")
        role(s, path="wrong-ca")
        for path in ("kubernetes", "clusters/prod", "wrong-ca", "clusters", "none"):
            reply = login(s, path=path)
            if reply.status == 200:
                s.get("auth/token/lookup-self", token=reply["auth"]["client_token"])
        s.delete("auth/kubernetes/role/webapp")
        login(s)
        login(s, path="clusters/prod")
        s.list("auth/clusters/prod/role")
        s.get("auth/clusters/prod/config")
        s.list("auth/kubernetes/role")


@case("config: a new one, and kept-alive connections")
def _(s):
    with mounted(s):
        role(s)
        login(s)
        login(s)
        s.note("connections of two logins", len(s.api.connections))
        configure(s)
        login(s)
        with s.differs("api-server-connections"):
            s.note("connections after a new configuration", len(s.api.connections))
            # Vault goes on over the connection that it made under the old CA.
            configure_wrong(s)
            login(s)


def configure_wrong(s):
    """The answer is 204 on both sides, and none that differs."""
    wanted, s.wanted = s.wanted, []
    configure(s, kubernetes_ca_cert=pem("other-ca.crt"))
    s.wanted = wanted
