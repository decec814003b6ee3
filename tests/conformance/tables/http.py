# SPDX-License-Identifier: Apache-2.0
"""The HTTP side of the API, whatever the engine: methods, queries, bodies, headers, paths, and how errors look."""
from play import case

MINIMUM = 400
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PATCH = {"Content-Type": "application/merge-patch+json"}


def setup(s):
    s.post("sys/mounts/one", {"type": "kv"})
    s.post("one/a", {"x": 1})
    s.post("one/d/b", {"x": 1})
    s.post("secret/data/a", {"data": {"x": 1}})


def limited(s):
    """A token that may do things below one/."""
    s.put("sys/policies/acl/one", {"policy": 'path "one/*" { capabilities = ["create", "read", "update", "delete", "list"] }'})
    return s.post("auth/token/create", {"policies": ["one"], "no_parent": True})["auth"]["client_token"]


@case("methods")
def _(s):
    setup(s)
    for method in ("GET", "LIST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "SCAN", "TRACE", "get", "list", "FOO", "COPY", "PROPFIND"):
        for path in ("one/a", "secret/data/a", "sys/capabilities-self", "sys/policies/acl/none", "auth/token/lookup-self", "nowhere/a", "sys/nothing"):
            s.request(method, path)
        for who in (None, "s.unknown"):
            s.request(method, "one/m", token=who)
            s.request(method, "secret/data/m", token=who)
            s.request(method, "nowhere/m", token=who)
        s.request(method, "auth/token/none", token=None)


@case("methods: paths that need no token")
def _(s):
    for method in ("GET", "LIST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "SCAN", "FOO"):
        for path in ("sys/leader", "sys/init", "sys/health", "sys/seal-status"):
            if path == "sys/init" and method in ("PUT", "POST") or path in ("sys/health", "sys/seal-status") and method == "GET":
                continue
            s.request(method, path, token=None)
    s.get("sys/health", token=None)
    with s.differs("version", at="body.build_date"):
        s.get("sys/seal-status", token=None)


@case("init over TCP")
def _(s):
    with s.differs("init-over-tcp"):
        s.request("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token=None)


@case("lists by query")
def _(s):
    setup(s)
    for value in ("true", "1", "t", "T", "TRUE", "True", "false", "0", "f", "F", "FALSE", "False", "yes", "2", "", "tRuE", "true&list=false", "false&list=true", "%74rue", "true%20", "true&after=x"):
        s.get(f"one/?list={value}")
        s.get(f"one/d?list={value}")
    s.get("one?list=true")
    s.get("one/d?list")
    s.get("one/d?LIST=true")
    s.get("one/d?scan=true")
    s.get("one/d?list=true&scan=true")
    s.request("LIST", "one/d?list=true")
    s.request("LIST", "one/d?list=x")
    s.request("LIST", "one/d?list=false")
    s.request("POST", "one/q?list=true", {"x": 1})
    s.request("DELETE", "one/q?list=true")
    s.request("HEAD", "one/d?list=true")
    s.request("POST", "one/q?x=1")
    s.request("POST", "one/q?x=1", {"y": 2})
    s.get("one/q")
    s.get("secret/metadata?list=true")
    s.get("secret/metadata/?list=true")
    s.get("sys/policies/acl?list=true")
    s.get("sys/policies/acl/?list=true")
    s.get("auth/token/lookup-self?list=true")


@case("queries")
def _(s):
    setup(s)
    for query in ("version=1", "version=1&version=1", "version=1&foo=2&bar=3", "=", "=x", "&", "&&", "a&b", "a=b=c", "%41=b", "a+b=c+d", "version=%31", "a;b=c", "version=1;a=b"):
        s.get(f"secret/data/a?{query}")
    with s.differs("dot-segments"):
        for query in ("a=%", "%zz=1", "a=%4"):
            s.get(f"secret/data/a?{query}")
    s.get("secret/data/a?")
    s.get("secret/data/a??version=1")
    s.get("secret/data/a?version=1?")
    s.delete("secret/data/none?foo=1")
    s.get("secret/data/a?%E2%82%AC=%E2%82%AC")


@case("JSON bodies")
def _(s):
    for body in (b"", b" ", b"\n", b"null", b" null ", b"{}", b" {} ", b"\t{}\r\n", b"{} ", b"{}x", b"{}{}", b"{} {}", b"[]", b"[1]", b"5", b'"x"', b"true", b"false", b"nul", b"nulll", b"x", b"{", b"}", b'{"', b'{"a', b'{"a"',
                 b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{"a":1 "b":2}', b'{"a" 1}', b'{"a":}', b'{,}', b'{"a":1,,"b":2}', b"{a:1}", b"{'a':1}", b'{"a":01}', b'{"a":1.}', b'{"a":.5}', b'{"a":+1}', b'{"a":-}', b'{"a":1e}',
                 b'{"a":0x1}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":tru}', b'{"a":True}', b'{"a":"x}', b'{"a":"\\x"}', b'{"a":"\\u12"}', b'{"a":"\\u12zz"}', b'{"a":"\x01"}', b'{"a":"\n"}', b'{"a":1,"a":2}', b'{"a":1,"A":2}',
                 b'{"a":{"b":1,"b":2}}', b'{"a":[1,2}', b'{"a":[1,2', b'{"a":[1,]}', b'{"a":[,1]}', b'{"a":[1 2]}', b'{1:2}', b'{null:1}', b'{"a":1}//x', b'/* x */{"a":1}', b"\xef\xbb\xbf{}", b'\xff\xfe{}', b"\x01{}",
                 b'{"a":"\\ud83d\\ude00"}', b'{"\\u0061":1,"b":2}', b"<xml/>", b"a=b", b"---\na: b\n"):
        s.request("POST", "one/j", body=body)
        s.get("one/j")


@case("JSON bodies: what means something else to others")
def _(s):
    with s.differs("json-text", at=["status", "body*"]):
        for body in (b'{"a":"\\u0000"}', b'{"a\\u0000":1}', b'{"a":"\xff"}', b'{"a":"\\ud800x"}', b'{"a":1}\x00', b"{\"a\":1,\"a\":2"):
            s.request("POST", "one/t", body=body)
    s.delete("one/t")


@case("JSON bodies: depth")
def _(s):
    for depth in (50, 98, 99, 100, 101, 400):
        s.request("POST", "one/n", body=b'{"a":' + b"[" * depth + b"]" * depth + b"}")
        s.request("POST", "one/n", body=b'{"a":' * depth + b"1" + b"}" * depth)
    s.request("POST", "one/n", body=b"[" * 200)


@case("JSON bodies on other paths")
def _(s):
    setup(s)
    for body in (b"{", b"x", b"[]", b'{"a":1}x', b"null", b""):
        s.request("POST", "sys/mounts/j", body=body)
        s.request("POST", "sys/policies/acl/j", body=body)
        s.request("PUT", "auth/token/create", body=body, token="s.unknown")
        s.request("POST", "nowhere/j", body=body)
        s.request("POST", "sys/capabilities-self", body=body)
        s.request("DELETE", "one/none", body=body)
        s.request("GET", "one/a", body=body)
        s.request("LIST", "one/d", body=body)
    for body in (b"{", b"[]", b"x"):
        s.request("POST", "one/x", body=body, token=None)


@case("content types and forms")
def _(s):
    for kind in ("application/json", "text/plain", "application/xml", "garbage", "", "application/json; charset=utf-16", "multipart/form-data", ";"):
        s.request("POST", "one/f", body=b'{"a":1}', headers={"Content-Type": kind})
        s.get("one/f")
    for body in (b"a=b", b"a=b&c=d", b"a=b&a=c", b"a", b"a=", b"=b", b"", b"&", b"a+b=c+d", b"a=%41", b"a=%", b"a=%zz", b"%zz=a", b"a;b=c", b'{"a":1}', b"[1]", b' {"a":1}', b"a=b\n", b"a=b=c", b"a=%E2%82%AC", b"A=1&a=2"):
        s.request("POST", "one/form", body=body, headers=FORM)
        s.get("one/form")
        s.delete("one/form")
    s.request("PUT", "one/form", body=b"a=b", headers=FORM)
    s.request("POST", "one/form", body=b"a=c", headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
    s.get("one/form")
    s.request("POST", "one/form", body=b"a=d", headers={"Content-Type": "Application/X-WWW-Form-Urlencoded"})
    s.get("one/form")
    s.request("POST", "sys/policies/acl/form", body=b"policy=path+%22x%22+%7B+capabilities+%3D+%5B%22read%22%5D+%7D", headers=FORM)
    s.get("sys/policies/acl/form")
    s.request("POST", "secret/data/form", body=b"data=x", headers=FORM)
    s.request("POST", "one/form?q=1", body=b"a=e", headers=FORM)
    s.get("one/form")
    s.request("DELETE", "one/form", body=b"a=b", headers=FORM)
    s.request("PATCH", "secret/data/a", body=b"data=x", headers=FORM)


@case("framing")
def _(s):
    s.post("one/a", {"x": 1})
    s.raw(b"GET /v1/one/a HTTP/1.1\r\nHost: x\r\nX-Vault-Token: root\r\n\r\n")
    s.raw(b"GET /v1/one/a HTTP/1.1\r\nHost:\r\nX-Vault-Token: root\r\n\r\n")
    s.raw(b"GET /v1/one/a HTTP/1.0\r\nX-Vault-Token: root\r\n\r\n")
    s.raw(b"GET /v1/one/a HTTP/1.0\r\nHost: x\r\nX-Vault-Token: root\r\nConnection: close\r\n\r\n")
    s.raw(b"POST /v1/one/c HTTP/1.0\r\nX-Vault-Token: root\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
    for chunks in (b"7\r\n{\"a\":1}\r\n0\r\n\r\n", b"1\r\n{\r\n6\r\n\"a\":2}\r\n0\r\n\r\n", b"0\r\n\r\n", b"0007\r\n{\"a\":3}\r\n00\r\n\r\n", b"7\r\n{\"a\":4}\r\n0\r\n\r\n"):
        s.raw(b"POST /v1/one/c HTTP/1.1\r\nHost: x\r\nX-Vault-Token: root\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        s.get("one/c")
    s.raw(b"GET http://x/v1/one/a HTTP/1.1\r\nHost: x\r\nX-Vault-Token: root\r\n\r\n")
    s.raw(b"GET /v1/one/a?list=false HTTP/1.1\r\nhost: x\r\nx-VAULT-token: root\r\n\r\n")


@case("framing: broken requests")
def _(s):
    with s.differs("http-smuggling"):
        for request in (b"GET /v1/one/a HTTP/1.1\r\nX-Vault-Token: root\r\n\r\n", b"GET /v1/one/a HTTP/2.0\r\nHost: x\r\n\r\n", b"GET /v1/one/a HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n",
                        b"POST /v1/one/c HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", b"GET  /v1/one/a HTTP/1.1\r\nHost: x\r\n\r\n", b"G@T /v1/one/a HTTP/1.1\r\nHost: x\r\n\r\n"):
            s.raw(request)


def refused(s, reply):
    """By us, whatever Vault does."""
    if s.name == "k8sauthd" and not 400 <= reply.status < 600:
        raise AssertionError(f"accepted with {reply.status}")


@case("framing: what lenient servers accept")
def _(s):
    post = b"POST /v1/one/two HTTP/1.1\r\nHost: x\r\nX-Vault-Token: root\r\n"
    with s.differs("http-smuggling"):
        for rest in (b"Content-Length: 7\r\nContent-Length: 7\r\n\r\n{\"a\":1}", b"Content-Length: 7\r\nContent-Length: 8\r\n\r\n{\"a\":1}",
                     b"Content-Length: 7, 7\r\n\r\n{\"a\":1}", b"Content-Length: +7\r\n\r\n{\"a\":1}", b"Content-Length: 0x7\r\n\r\n{\"a\":1}",
                     b"Content-Length: -7\r\n\r\n{\"a\":1}", b"Content-Length : 7\r\n\r\n{\"a\":1}",
                     b"Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n0\r\n\r\n",
                     b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"Transfer-Encoding: gzip\r\n\r\n", b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
                     b"Transfer-Encoding: xchunked\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nx\r\n", b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", b"Transfer-Encoding: chunked\r\n\r\n7\n{\"a\":1}\r\n0\r\n\r\n",
                     b": x\r\n\r\n", b"X-A: b\r\n c\r\n\r\n", b" X-A: b\r\n\r\n", b"X-A\r\n\r\n", b"X-A: b\x00c\r\n\r\n", b"X-A: b\x01c\r\n\r\n", b"X-A: b\x7fc\r\n\r\n", b"X-A: b\rc\r\n\r\n"):
            refused(s, s.raw(post + rest))
        for request in (b"L\x01ST /v1/one HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /v1/one/a\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /v1/one/\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n",
                        b"GET /v1/one/a HTTP/1.1\r\nHost: x\r\nX-Vault-Token: ro\x00ot\r\n\r\n", b"GET /v1/one/a\r\n\r\n", b"GET /v1/one/a HTTP/1.1 x\r\nHost: x\r\n\r\n", b"get\r\n\r\n",
                        b"GET v1/one/a HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\nGET /v1/one/a HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /v1/one/a HTTP/1.1\nHost: x\n\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            refused(s, s.raw(request))


@case("framing: what two servers may read in two ways")
def _(s):
    start = b"POST /v1/one/two HTTP/1.1\r\nHost: x\r\nX-Vault-Token: root\r\n"
    with s.differs("http-framing"):
        s.raw(start + b"Transfer-Encoding: chunked\r\n\r\n7;x=y\r\n{\"a\":1}\r\n0\r\n\r\n")
        s.raw(start + b"Transfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n0\r\nX-Vault-Token: x\r\n\r\n")
        s.raw(start + b"X-Vault-Token: root\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
        s.raw(start + b"Content-Type: text/plain\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
    s.delete("one/two")


@case("what is too large")
def _(s):
    with s.differs("http-limits", at=["status", "body*"]):
        s.request("POST", "one/large", body=b'{"a":"' + b"x" * 1_000_000 + b'","b":"' + b"x" * 100_000 + b'"}')
        s.get("one/a", headers={f"X-Header-{n}": "x" for n in range(70)})
        s.get("one/a", headers={"X-Header": "x" * 20_000})
    s.delete("one/large")
    with s.differs("path-limits", at=["status", "body*"]):
        s.get("one/" + "a/" * 200 + "a")
        s.get("one/" + "a" * 5000)


@case("headers")
def _(s):
    s.post("one/a", {"x": 1})
    for headers in ({"X-Vault-Request": "true"}, {"X-Vault-Request": "false"}, {"X-Vault-Request": "x"}, {"X-Vault-Request": ""}, {"X-Vault-Namespace": "ns1"}, {"X-Vault-Namespace": "root"}, {"X-Vault-Namespace": "/"},
                    {"X-Vault-Namespace": ""}, {"X-Vault-Namespace": "a/b/"}, {"X-Vault-Policy-Override": "true"}, {"X-Vault-Policy-Override": "false"}, {"X-Vault-Policy-Override": "x"}, {"X-Vault-Policy-Override": ""},
                    {"X-Vault-Forward": "active-node"}, {"X-Vault-Forward": "x"}, {"X-Vault-Forward": ""}, {"X-Vault-No-Request-Forwarding": "true"}, {"X-Vault-MFA": "x"}, {"X-Vault-MFA": "a:b"}, {"X-Vault-Inconsistent": "forward-active-node"},
                    {"X-Vault-Inconsistent": "x"}, {"X-Vault-Index": "x"}, {"X-Vault-Wrap-TTL": ""}, {"X-Vault-Wrap-TTL": "0"}, {"X-Vault-Wrap-TTL": "x"}, {"X-Vault-Wrap-TTL": "-1"}, {"X-Vault-Wrap-TTL": "1.5"}, {"X-Vault-Wrap-TTL": "5x"},
                    {"X-Vault-Wrap-Format": "jwt"}, {"Accept": "text/html"}, {"Accept-Encoding": "gzip"}, {"Origin": "http://x"}, {"If-None-Match": "*"}, {"Range": "bytes=0-1"}, {"User-Agent": ""}, {"Cookie": "a=b"}, {"X-Forwarded-For": "1.2.3.4"},
                    {"X-HTTP-Method-Override": "DELETE"}, {"Upgrade-Insecure-Requests": "1"}):
        s.get("one/a", headers=headers)
        s.get("one/none", headers=headers, token=None)
    for headers in ({"X-Vault-Namespace": "ns1"}, {"X-Vault-Forward": "x"}, {"X-Vault-Wrap-TTL": "x"}):
        s.get("sys/leader", headers=headers, token=None)
    s.request("FOO", "one/a", headers={"X-Vault-Namespace": "ns1"})
    s.post("one/b", {"x": 1}, headers={"X-Vault-Namespace": "ns1"})


@case("tokens in headers")
def _(s):
    for value in ("root", " root", "root ", "\troot\t", "r oot", "", "ROOT", "x" * 300, "s." + "a" * 24, "hvs." + "a" * 24, "hvs.x", "root\u00e9"):
        s.get("one/a", token=None, headers={"X-Vault-Token": value})
    for value in ("Bearer root", "bearer root", "BEARER root", "Bearer  root", "Bearer root ", "Bearer", "Bearer ", "Bearerroot", "Basic cm9vdA==", "root", "", "Bearer\troot", "Token root", "Bearer x"):
        s.get("one/a", token=None, headers={"Authorization": value})
    s.get("one/a", token="root", headers={"Authorization": "Bearer x"})
    s.get("one/a", token="x", headers={"Authorization": "Bearer root"})
    s.get("one/a", token="", headers={"Authorization": "Bearer root"})
    s.get("one/a?token=root", token=None)
    s.get("one/a", token=None, headers={"Cookie": "token=root"})
    s.get("auth/token/lookup-self", token=None, headers={"Authorization": "Bearer root"})


@case("paths")
def _(s):
    s.post("one/p/a", {"x": 1})
    for path in ("/v1/one//p/a", "/v1//one/p/a", "//v1/one/p/a", "/v1/one/./p/a", "/v1/one/x/../p/a", "/v1/../v1/one/p/a", "/v1/one/p/a/", "/v1/one/p/a//", "/v1/one/p/.", "/v1/one/p/..", "/v1/one/p/../", "/v1/./", "/v1/..", "/..", "/.", "/../v1/one/p/a",
                 "/v1/one/p/a?x=//", "/v1//one/p/a?x=1&y=2", "/v1/one/p//?list=true", "/v1/one/%70/a", "/v1/one%2Fp/a", "/v1/one/p%2Fa", "/%76%31/one/p/a", "/v1/one/p/a%2F", "/v1/one/p/a%3F",
                 "/v1/one/p/a%23", "/v1/one/p/a;b", "/v1/one/p/a+b", "/v1/one/p/a%20b", "/v1/one/p/a:b", "/v1/one/p/~", "/v1/One/p/a", "/v1/one/P/a", "/v1/one/p/..a", "/v1/one/p/...", "/v1/ONE/p/a"):
        s.request("GET", path)
    for path in ("/v1/one/..", "/v1/one/..?x=1", "/v1/one/../sys", "/v1/one/../sys/../sys/x"):
        s.request("GET", path)
        s.request("POST", path, {"x": 1})
    s.request("GET", "/v1/one//p?x=\"><y>'&z")
    with s.differs("redirects"):
        s.request("GET", "/v1/one//p/a%20b")
        s.request("GET", "/v1/one//p/\\a\"<b>")
        s.request("GET", "/v1/one//p/*")
        s.request("GET", "/v1/sys/./health?help=1")
        s.request("GET", "/v1/one//p?list=x")
    for path in ("/v1/one//p/a", "/v1/one/x/../p/b", "/v1/one/p/a/"):
        s.request("POST", path, {"x": 1})
        s.request("LIST", path)
        s.request("DELETE", path)
        s.request("HEAD", path)
        s.request("OPTIONS", path)
        s.request("GET", path, token=None)
    with s.differs("reply-headers", at="headers.*"):
        for path in ("/v1/one/p/%7F", "/v1/one/p/%01", "/v1/one/p/a%0A", "/v1/one/p/%00", "/v1/one/p/%C2%85", "/v1/one/p/%E2%80%8B", "/v1/one/p/%C2%A0", "/v1/one/p/%EF%BB%BF", "/v1/%01", "/v1/sys/%0Aseal-status"):
            s.request("GET", path)
            s.request("POST", path, {"x": 1})
    for path in ("/v1/one/p/%E2%82%AC", "/v1/one/p/%F0%9F%98%80"):
        s.request("GET", path)
        s.request("POST", path, {"x": 1})
    s.list("one/p")
    for path in ("/v1", "/v1/", "/v1?x=1", "/v1/?list=true", "/v1/sys", "/v1/sys/", "/v1/auth", "/v1/auth/", "/v1/auth/token", "/v1/auth/token/", "/v1/one", "/v1/secret", "/v1/secret/", "/v1/identity", "/v1/cubbyhole"):
        for method in ("GET", "LIST", "POST", "DELETE"):
            s.request(method, path)
        s.request("GET", path, token=None)


@case("paths: odd parts behind an encoding")
def _(s):
    with s.differs("path-limits"):
        for path in ("/v1/one/p/%2Fa", "/v1/one/p%2F%2Fa", "/v1%2Fone/p/a", "/v1/one/p/%FFa"):
            s.request("GET", path)
    with s.differs("dot-segments", at=["status", "body*"]):
        for path in ("/v1/one/p/%2e%2e/b", "/v1/one/p/%2e", "/v1/one/%2e%2e"):
            s.request("POST", path, {"x": 1})


@case("paths outside of the API")
def _(s):
    with s.differs("no-ui"):
        outside(s)


def outside(s):
    for path in ("/v2/x", "/v", "/V1/one/a", "/v1x", "/favicon.ico", "/index.html", "/robots.txt", "/v11/sys/health", "/metrics"):
        s.request("GET", path)
        s.request("GET", path, token=None)
        s.request("POST", path, {"x": 1})


@case("writing to a path that ends in a slash")
def _(s):
    for path in ("one/a/", "secret/data/a/", "sys/mounts/x/", "sys/policies/acl/x/", "auth/token/create/", "sys/capabilities-self/", "nowhere/x/", "one/", "auth/kubernetes/login/"):
        for method in ("POST", "PUT"):
            s.request(method, path, {"x": 1})
        s.request("PATCH", path, body=b"{}", headers=PATCH)
        s.request("POST", path, {"x": 1}, token=None)


@case("methods: who may")
def _(s):
    token = limited(s)
    for method in ("GET", "LIST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "SCAN", "FOO"):
        for path in ("one/m", "secret/data/m", "nowhere/m", "sys/mounts", "sys/nothing"):
            s.request(method, path, token=token)


@case("who is refused, and how")
def _(s):
    token = limited(s)
    for who in (token, None, "s.unknown", "hvs.unknown"):
        for path in ("one/a", "one/none", "secret/data/a", "secret/none", "sys/mounts", "sys/nothing", "nowhere/x", "auth/token/lookup-self", "auth/nowhere/login", "auth/token/nothing", "sys/internal/ui/mounts/one"):
            for method in ("GET", "LIST", "POST", "DELETE"):
                s.request(method, path, token=who)
            s.request("PATCH", path, body=b"{}", headers=PATCH, token=who)
            s.request("PATCH", path, body=b"{}", token=who)
