# SPDX-License-Identifier: Apache-2.0
"""auth/<mount>/login: the request, the token's form, its claims and times."""
import json
import time

from fakeapi import UID, claims, jwt, legacy_claims
from play import case
from tables._kubernetes import configure, login, mounted, role

MINIMUM = 300
LOGIN = "auth/kubernetes/login"
FLAT = "kubernetes.io/serviceaccount/"


def account(**changes):
    """The kubernetes.io member, with changes; None removes one."""
    made = {"namespace": "webapp-ns", "serviceaccount": {"name": "webapp-sa", "uid": UID}} | changes
    return {"kubernetes.io": {k: v for k, v in made.items() if v is not None}}


@case("login: the request")
def _(s):
    with mounted(s):
        role(s)
        for data in ({}, None, {"role": "webapp"}, {"jwt": "x"}, {"role": "", "jwt": "x"}, {"role": "webapp", "jwt": ""},
                     {"role": "none", "jwt": "x"},
                     {"role": " webapp", "jwt": jwt()}, {"role": "webapp ", "jwt": jwt()}, {"role": "WebApp", "jwt": jwt()},
                     {"role": 5, "jwt": jwt()},
                     {"role": None, "jwt": jwt()}, {"role": True, "jwt": jwt()}, {"role": ["webapp"], "jwt": jwt()}, {"role": {"a": 1}, "jwt": jwt()},
                     {"role": "webapp", "jwt": 5}, {"role": "webapp", "jwt": None}, {"role": "webapp", "jwt": True}, {"role": "a..b", "jwt": "x"},
                     {"role": "../config", "jwt": "x"}, {"role": "a/b", "jwt": "x"}, {"role": "", "jwt": ""}, {"role": "\"q\"\n\u00fc", "jwt": "x"},
                     {"role": "x" * 600, "jwt": "x"}, {"role": "webapp", "jwt": jwt(), "unknown": 1, "audience": "vault"},
                     {"ROLE": "webapp", "JWT": jwt()}):
            s.post(LOGIN, data, token=None)
        s.put(LOGIN, {"role": "webapp", "jwt": jwt()}, token=None)
        s.post(LOGIN, {"role": "webapp", "jwt": jwt()})
        s.post(LOGIN, {"role": "webapp", "jwt": jwt()}, token="hvs.nothing")
        s.get(LOGIN, token=None)
        s.get(LOGIN)
        s.delete(LOGIN, token=None)
        s.list(LOGIN, token=None)
        s.patch(LOGIN, {"role": "webapp"}, token=None)
        s.post(LOGIN + "/", {"role": "webapp", "jwt": jwt()}, token=None)
        s.post(LOGIN + "/x", {"role": "webapp", "jwt": jwt()}, token=None)
        s.post("auth/none/login", {"role": "webapp", "jwt": jwt()}, token=None)
        s.post("auth/none/login", {"role": "webapp", "jwt": jwt()})
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        s.request("POST", LOGIN, body=f"role=webapp&jwt={jwt()}".encode(), headers=form, token=None)
        s.request("POST", LOGIN, body=b"role=webapp", headers=form, token=None)
        s.request("POST", LOGIN, body=b"{broken", token=None)
        s.request("POST", LOGIN, body=b"[]", token=None)
        s.request("POST", LOGIN, body=b'{"role": "webapp", "jwt": "x"', token=None)
        s.request("POST", LOGIN, body=json.dumps({"role": "webapp", "jwt": jwt()}).encode(), headers={"Content-Type": "text/plain"}, token=None)
        with s.differs("claims-not-echoed"):
            s.post(LOGIN, {"role": "webapp", "jwt": ["x"]}, token=None)
            s.post(LOGIN, {"role": "webapp", "jwt": {"a": "b"}}, token=None)


@case("login: forms of a token")
def _(s):
    with mounted(s):
        role(s)
        good = jwt()
        head, payload, sign = good.split(".")
        for text in ("x", "a.b.c", "..", ".", "...", good, good + "\n", good + "\r\n", good + "\r", good + "\n\n", good + " ", " " + good,
                     "\n" + good,
                     good + "\t", good[:-1], good[1:], good + "A", good + "=", head + "=." + payload + "." + sign, good + ".", good + ".x",
                     "." + good,
                     head + "." + payload, head + "." + payload + ".", head + ".." + sign, "." + payload + "." + sign,
                     head + "." + payload[:-1] + "." + sign, head[:-1] + "." + payload + "." + sign,
                     head + "." + payload + "." + sign[:20] + "\n" + sign[20:],
                     head + "\n." + payload + "." + sign, head + "." + payload + "." + sign[:20] + "+/" + sign[22:],
                     head + "." + payload + "." + sign[:20] + " " + sign[20:],
                     head + "." + payload + ".AAAA", head + "." + payload + ".A", "Bearer " + good, f'"{good}"',
                     json.dumps({"payload": payload, "protected": head, "signature": sign})):
            login(s, text)
        for alg in ("none", "None", "HS256", "EdDSA", "rs256", "RS256 ", "", None, 5, ["RS256"], "ES256K", "RSA-OAEP"):
            login(s, jwt(header={"alg": alg}))
        for header in ({}, {"kid": "k"}, {"alg": "RS256", "crit": ["x"]}, {"alg": "RS256", "crit": ["b64"], "b64": False},
                       {"alg": "RS256", "b64": False},
                       {"alg": "RS256", "kid": None}, {"alg": "RS256", "typ": 5}, {"alg": "RS256", "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
                       {"alg": "RS256", "zip": "DEF"}, {"alg": "RS256", "x5u": "https://x"}, {"ALG": "RS256"}, [], "x", 5, None):
            login(s, jwt(header={"alg": "RS256"} if header is None else header))
        for header in (b"x", b"", b"null", b'{"alg":"RS256"} x', b'{"alg":"RS256","alg":"none"}', b'{"alg":"none","alg":"RS256"}',
                       b' {"alg":"RS256"} ', b'\xef\xbb\xbf{"alg":"RS256"}'):
            login(s, jwt(header=header))
        for alg in ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "RS384", "RS512"):
            login(s, jwt(alg=alg))
        for raw in (b"x", b"", b"[]", b'"x"', b"5", b"{}", b"{", b"{} x", b'{"exp":1e400}', b"{'a':1}", json.dumps(claims()).encode() + b"\n",
                    json.dumps(claims()).encode() + b"{}"):
            login(s, jwt(payload=raw))
        with s.differs("jwt-limits", at="body.errors*"):
            login(s, jwt(payload=b"null"))
        with s.differs("jwt-limits"):
            login(s, jwt(payload=json.dumps(claims()).encode().replace(b"webapp-0", b"webapp-\xff")))
            # The last character of 256 bytes of signature has four bits to spare.
            digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            login(s, good[:-1] + digits[digits.index(good[-1]) + 1])


@case("login: a token longer than any real one")
def _(s):
    with mounted(s):
        role(s)
        for size in (4000, 8000):
            login(s, jwt(padding="x" * size))
        with s.differs("jwt-limits"):
            login(s, jwt(padding="x" * 12500))


@case("login: claims that are not what they should be")
def _(s):
    wrong = (5, 1.5, True, None, "x", [], ["x"], {}, {"a": "b"})
    with mounted(s):
        role(s)
        for claim in ("iss", "sub", "jti"):
            for value in wrong:
                login(s, jwt(payload=claims() | {claim: value}))
        for claim in ("exp", "nbf", "iat"):
            for value in ("x", True, [], {}, None, str(int(time.time()) + 600)):
                login(s, jwt(payload=claims() | {claim: value}))
        for value in ("vault", "other", [], ["other"], ["other", "vault"], [f"a{n}" for n in range(500)], [f"a{n}" for n in range(499)] + ["vault"],
                      "", [""], None, 5, [5], ["vault", 5], [None], {"vault": True}, ["Vault"], ["vault/"], [" vault"], [["vault"]]):
            login(s, jwt(payload=claims() | {"aud": value}))
        login(s, jwt(aud=None))
        for claim in ("unknown", "kubernetes.io/serviceaccount/other"):
            for value in wrong:
                login(s, jwt(**{claim: value if value is not None else []}))


@case("login: audiences of a role, odd characters")
def _(s):
    with mounted(s):
        for audience in ("vault", "https://kubernetes.default.svc", "https://kubernetes.default.svc/", 'a "quoted" one', "with blanks", " vault ",
                         "ünïcode",
                         "a,b", "a\\b", "a\nb", "<a>&b", "a\u2028b", "x" * 300, " "):
            role(s, audience=audience)
            s.get("auth/kubernetes/role/webapp")
            for own in (audience, audience + "/", audience.strip()):
                login(s, jwt(aud=["first", own]))
        role(s, audience="")
        for own in (["vault"], ["a", "b"], [], None, [f"a{n}" for n in range(500)], ['a "quoted" one', "<&>", "\u2028", "\u00fc"]):
            login(s, jwt(aud=own))
        login(s, jwt(payload=legacy_claims()))
        role(s)
        login(s, jwt(payload=legacy_claims()))


@case("login: times")
def _(s):
    now = int(time.time())
    with mounted(s):
        role(s)
        for exp in (now + 600, now - 40, now - 100, 0, 1, -1, 2**31 - 1, 2**31, 2**32, 2**53, now + 600.5, now - 100.5, 1e12, 1e15, None):
            login(s, jwt(exp=exp))
        for nbf in (now + 40, now + 100, 0, -5, None, now + 100.5, 2**31, 2**53):
            login(s, jwt(nbf=nbf))
        for iat in (now + 40, now + 100, 0, -5, None, 2**31, 2**53):
            login(s, jwt(iat=iat))
        for times in ({}, {"exp": now + 100}, {"exp": now + 300}, {"exp": now - 100}, {"iat": now}, {"iat": now - 300}, {"nbf": now},
                      {"nbf": now - 300},
                      {"iat": now, "nbf": now - 300}, {"iat": now - 300, "nbf": now}, {"iat": now + 100, "exp": now + 500},
                      {"exp": 0, "iat": 0, "nbf": 0},
                      {"nbf": now + 100, "exp": now - 100, "iat": now + 100}, {"exp": now - 100, "iat": now + 100},
                      {"nbf": now - 500, "exp": now + 500}):
            login(s, jwt(**({"exp": None, "nbf": None, "iat": None} | times)))
        for raw in (b"1E10", b"17e8", b"99999999999", b"9223372036854775807", b"9999999999.999999", b"1e18", b"9e18", b"1e19", b"1e300", b"-1e300"):
            for claim in ("exp", "nbf", "iat"):
                login(s, jwt(payload=json.dumps(claims(**{claim: "HERE"})).encode().replace(b'"HERE"', raw)))
        with s.differs("jwt-limits"):
            login(s, jwt(payload=json.dumps(claims(exp="EXP")).encode().replace(b'"EXP"', b"9223372036854775808")))


@case("login: claims of the service account")
def _(s):
    with mounted(s):
        role(s)
        for changes in ({}, {"namespace": None}, {"namespace": ""}, {"namespace": "other"}, {"serviceaccount": None}, {"serviceaccount": {}},
                        {"serviceaccount": {"name": "webapp-sa"}}, {"serviceaccount": {"uid": UID}},
                        {"serviceaccount": {"name": "webapp-sa", "uid": ""}},
                        {"serviceaccount": {"name": "", "uid": UID}}, {"serviceaccount": {"name": "other", "uid": UID}}, {"pod": {}},
                        {"pod": {"name": "p"}},
                        {"node": {"name": "n", "uid": "u"}}, {"node": 5}, {"secret": {"name": "s", "uid": "u"}}, {"secret": 5}, {"warnafter": 5},
                        {"unknown": {"deep": [1]}}):
            login(s, jwt(**account(**changes)))
        login(s, jwt(**{"kubernetes.io": {}}))
        login(s, jwt(payload=claims() | {"kubernetes.io": None}))
        login(s, jwt(**{"kubernetes.io": None}))
        role(s, audience="")
        login(s, jwt(payload=legacy_claims()))
        login(s, jwt(payload=legacy_claims(**{FLAT + "secret.name": None})))
        login(s, jwt(payload=legacy_claims(**{FLAT + "namespace": None})))
        login(s, jwt(payload=legacy_claims(**{FLAT + "service-account.name": None})))
        login(s, jwt(payload=legacy_claims(**{FLAT + "service-account.uid": None})))
        login(s, jwt(payload=legacy_claims(**{FLAT + "service-account.uid": ""})))
        for changes in ({}, {"serviceaccount": None}, {"serviceaccount": {}}, {"namespace": "other"}, {"namespace": None}):
            login(s, jwt(payload=legacy_claims() | account(**changes)))
        login(s, jwt(payload=legacy_claims(name="other") | account()))


@case("login: claims of the service account of a wrong type")
def _(s):
    with mounted(s):
        role(s)
        wrong = (5, True, ["x"], {"a": "b"})
        for value in (5, True, "x", ["x"], []):
            login(s, jwt(**{"kubernetes.io": value}))
            login(s, jwt(**account(serviceaccount=value)))
            login(s, jwt(**account(pod=value)))
        with s.differs("claims-not-echoed"):
            for value in wrong:
                login(s, jwt(**account(namespace=value)))
                login(s, jwt(**account(serviceaccount={"name": value, "uid": UID})))
                login(s, jwt(**account(serviceaccount={"name": "webapp-sa", "uid": value})))
                login(s, jwt(**account(pod={"name": value})))
                login(s, jwt(**{FLAT + "namespace": value}))
                login(s, jwt(**{FLAT + "secret.name": value}))
            # Of several wrong ones the first one is told.
            login(s, jwt(**account(namespace=5, serviceaccount={"name": 5, "uid": 5})))
        for value in (None,):
            login(s, jwt(**{"kubernetes.io": {"namespace": value, "serviceaccount": {"name": "webapp-sa", "uid": UID}}}))
            login(s, jwt(**account(serviceaccount={"name": "webapp-sa", "uid": value})))


@case("login: members twice, and in another case")
def _(s):
    good = json.dumps(claims())
    with mounted(s):
        role(s)
        login(s, jwt(payload=(good[:-1] + ', "aud": ["vault"]}').encode()))
        login(s, jwt(payload=(good[:-1] + ', "a": {"b": 1, "b": 2}}').encode()))
        login(s, jwt(payload=(good[:-1] + ', "\\u0061ud": ["vault"]}').encode()))
        with s.differs("jwt-strict"):
            login(s, jwt(AUD=["vault"]))
            login(s, jwt(aud=["other"], Aud=["vault"]))
            login(s, jwt(**{"i\u017fs": "x"}))
        with s.differs("jwt-limits"):
            login(s, jwt(**{"kubernetes.io": {"Namespace": "webapp-ns", "ServiceAccount": {"Name": "webapp-sa", "UID": UID}}}))
            login(s, jwt(deep=json.loads("[" * 20 + "]" * 20)))
            login(s, jwt(nul="a\0b"))
            login(s, jwt(big=2**70))


@case("login: in which order it is judged")
def _(s):
    expired = int(time.time()) - 1000
    with mounted(s):
        role(s, bound_service_account_namespaces="other-ns")
        role(s, "networks", token_bound_cidrs="10.0.0.0/8")
        role(s, "named", bound_service_account_names="other")
        for name in ("webapp", "networks", "named", "none", ""):
            login(s, "garbage", name)
            login(s, jwt(aud=["other"], exp=expired), name)
            login(s, jwt(exp=expired), name)
            login(s, jwt(exp=expired, aud="vault"), name)
            login(s, jwt(aud="vault"), name)
            login(s, jwt(payload={"aud": ["vault"]}), name)
            login(s, jwt(), name)
        configure(s, issuer="other", disable_iss_validation=False)
        for name in ("webapp", "networks"):
            login(s, jwt(aud=["other"], exp=expired), name)
            login(s, jwt(iss="other", aud=["other"], exp=expired), name)
            login(s, jwt(iss="other", exp=expired), name)
            login(s, jwt(iss=5, exp="x", aud=5), name)
            login(s, jwt(payload={"sub": 5, "jti": [], "exp": "x", "aud": 5}), name)
            login(s, jwt(payload={"sub": 5, "jti": []}), name)
            login(s, jwt(payload={"nbf": "x", "sub": 5, "iat": []}), name)
