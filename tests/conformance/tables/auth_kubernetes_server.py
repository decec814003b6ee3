# SPDX-License-Identifier: Apache-2.0
"""The Kubernetes auth method and API servers as they are met: names, certificates and versions of TLS, protocols, odd ways to answer."""
import contextlib
import datetime
import ipaddress
import json
import os
import socket
import ssl
import tempfile

from tables._kubernetes import configure, login, mounted, role
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives import hashes, serialization
from fakeapi import PEM, REVIEWS, STATE, FakeApi, pem, raw, review
from play import case
from standin.tokens import load_key

MINIMUM = 60
NAMES = (x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.IPAddress(ipaddress.ip_address("::1")), x509.DNSName("localhost"))
DAY = datetime.timedelta(days=1)


def serving(key=None, chain=(), alpn=(), **certificate):
    """A context for a server, with a certificate of the intermediate authority; its own chain behind it is PEM text."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "server")
        with open(path, "wb") as file:
            file.write(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
            file.write(made(key, **certificate).public_bytes(PEM))
            file.write("".join(chain).encode())
        context.load_cert_chain(path)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def made(key, subject="kube-apiserver", names=NAMES, begins=-DAY, ends=DAY, usage=None, signer=("intermediate.crt", "intermediate.key")):
    """A certificate for KEY, signed by SIGNER, or by itself for None."""
    now = datetime.datetime.utcnow()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    issuer, issuer_key = name, key
    if signer:
        issuer = x509.load_pem_x509_certificate(pem(signer[0]).encode()).subject
        issuer_key = load_key(f"{STATE.name}/{signer[1]}", None)
    builder = x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number(), now + begins, now + ends)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256() if not isinstance(issuer_key, ed25519.Ed25519PrivateKey) else None)


@contextlib.contextmanager
def server(s, context, address="127.0.0.1", name=None, ca=None, **answers):
    """An API server of its own, which the mount is configured for; what it is asked is compared like what the other one is."""
    with FakeApi(address, context) as api:
        api.answers = {REVIEWS: answer for answer in answers.values()}
        api.requests = s.api.requests
        s.normaliser.hosts[f":{api.port}"] = ":<port>"
        configure(s, kubernetes_host=f"https://{name or address}:{api.port}", kubernetes_ca_cert=ca or s.api.ca)
        yield api


INNER = pem("intermediate.crt")


@case("server: names in its certificate")
def _(s):
    with mounted(s):
        role(s)
        for name, names in (("127.0.0.1", NAMES), ("localhost", NAMES), ("LocalHost", NAMES), ("localhost.", NAMES), ("127.0.0.1", NAMES[2:]),
                            ("localhost", NAMES[:1]), ("localhost", ()), ("localhost", [x509.DNSName("*.localhost")]),
                            ("localhost", [x509.DNSName("*")]), ("localhost", [x509.DNSName("LOCALHOST")])):
            with server(s, serving(chain=[INNER], names=names, subject="localhost"), name=name):
                login(s)


@case("server: its certificate's times, use, and issuer")
def _(s):
    with mounted(s):
        role(s)
        own = ec.generate_private_key(ec.SECP256R1())
        for certificate in ({"begins": -2 * DAY, "ends": -DAY}, {"begins": DAY, "ends": 2 * DAY}, {"usage": x509.ExtendedKeyUsageOID.SERVER_AUTH},
                            {"usage": x509.ExtendedKeyUsageOID.CLIENT_AUTH}, {"signer": None}):
            with server(s, serving(key=own, chain=[INNER], **certificate)):
                login(s)
        for ca in (INNER, pem("ca.crt"), pem("other-ca.crt") + INNER, INNER + pem("ca.crt")):
            with server(s, serving(), ca=ca):  # does not send the intermediate
                login(s)
        context = serving(key=own, signer=None)
        with server(s, context, ca=made(own, signer=None).public_bytes(PEM).decode()):  # the certificate is its own anchor
            login(s)


@case("server: kinds of keys")
def _(s):
    with mounted(s):
        role(s)
        for key in (rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 3072), ec.generate_private_key(ec.SECP384R1()),
                    ec.generate_private_key(ec.SECP521R1()), ed25519.Ed25519PrivateKey.generate()):
            with server(s, serving(key=key, chain=[INNER])):
                login(s)


@case("server: versions of TLS, and a certificate that it asks for")
def _(s):
    with mounted(s):
        role(s)
        for low, high in ((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2), (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
                          (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1)):
            context = serving(chain=[INNER])
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version, context.maximum_version = low, high
            with server(s, context):
                login(s)
        for mode in (ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED):
            context = serving(chain=[INNER])
            context.load_verify_locations(cadata=s.api.ca)
            context.verify_mode = mode
            with server(s, context):
                login(s)


@case("server: one that must be told its name (SNI)")
def _(s):
    seen = []

    def choose(_, name, __):
        seen.append(name)
        return None if name else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    with mounted(s):
        role(s)
        for name in ("localhost", "127.0.0.1"):
            context = serving(chain=[INNER])
            context.sni_callback = choose
            with server(s, context, name=name):
                login(s)
            s.note(f"names asked for with {name}", sorted({str(n) for n in seen}))
            seen.clear()


@case("server: IPv6")
def _(s):
    with mounted(s):
        role(s)
        for name in ("[::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]"):
            with server(s, serving(chain=[INNER]), address="::1", name=name):
                login(s)


# That one which speaks both is spoken to over HTTP/1.1 here is what the guide's run with a real one shows.
@case("server: HTTP/1.1 by agreement, and one that speaks HTTP/2 whatever was agreed")
def _(s):
    frame = bytes.fromhex("000000040000000000")  # SETTINGS
    with mounted(s):
        role(s)
        with server(s, serving(chain=[INNER], alpn=["http/1.1"])):
            login(s)
        for alpn in ((), ("h2",)):
            with server(s, serving(chain=[INNER], alpn=alpn), answer=raw(frame)):
                login(s)


def chunked(asked, end=b"\r\n"):
    text = json.dumps(review(asked)).encode()
    half = len(text) // 2
    parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (text[:half], text[half:]))
    return b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + parts + b"0\r\n" + end


@case("server: ways to send an answer")
def _(s):
    text = b'{"status": {"authenticated": false}}'
    with mounted(s):
        role(s)
        for answer in (lambda _, __, asked: raw(chunked(asked)), lambda _, __, asked: raw(chunked(asked, b"Trailer: x\r\n\r\n")),
                       lambda _, __, asked: raw(b"HTTP/1.1 100 Continue\r\n\r\n" + chunked(asked)),
                       lambda _, __, asked: raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + chunked(asked)),
                       lambda _, __, asked: raw(b"HTTP/1.0 201 Created\r\n\r\n" + json.dumps(review(asked)).encode()),
                       lambda _, __, asked: raw(b"HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n" + json.dumps(review(asked)).encode()),
                       lambda _, __, asked: raw(chunked(asked)[:-40]), raw(b"HTTP/1.1 201\r\nContent-Length: 36\r\n\r\n" + text),
                       raw(b"\r\n"), raw(b"HTTP/9.9 201 Created\r\n\r\n"), raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
                       raw(b"HTTP/1.1 201 Created\r\nContent-Type: text/html\r\nContent-Length: 36\r\n\r\n" + text),
                       raw(b"HTTP/1.1 201 Created\r\n" + b"X: " + b"y" * 70000 + b"\r\nContent-Length: 36\r\n\r\n" + text)):
            with server(s, serving(chain=[INNER]), answer=answer):
                login(s)


@case("server: a user name in its address")
def _(s):
    with mounted(s):
        role(s)
        for user in ("user@", "user:password@"):
            configure(s, kubernetes_host=f"https://{user}127.0.0.1:{s.api.port}")
            with s.differs("host-with-user"):
                login(s)


@case("server: plain HTTP where TLS is expected, and nobody there")
def _(s):
    with mounted(s):
        role(s)
        with FakeApi("127.0.0.1", None) as api:
            api.requests = s.api.requests
            s.normaliser.hosts[f":{api.port}"] = ":<port>"
            configure(s, kubernetes_host=f"https://127.0.0.1:{api.port}")
            login(s)
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            s.normaliser.hosts[f":{closed.getsockname()[1]}"] = ":<port>"
            configure(s, kubernetes_host=f"https://127.0.0.1:{closed.getsockname()[1]}")
            login(s)
        configure(s, kubernetes_host="https://no-such-host.invalid")
        login(s)
