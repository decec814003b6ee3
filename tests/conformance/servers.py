# SPDX-License-Identifier: Apache-2.0
"""Starts and stops the two servers, real Vault and k8sauthd: in development mode, or fresh and sealed, from a configuration."""
import http.client
import os
import ssl
import subprocess
import tempfile
import time

from tap import K8SAUTHD, SOURCE, free_port

TOKEN = "root"


def vault_binary():
    build = os.path.join(SOURCE, "tests/testbed/real/build")
    return subprocess.run([build, "vault"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Server:
    """One server on a free port of the loopback; its output is kept for whoever asks what it logged. Where COMMAND does not say otherwise
    it is one for development."""

    def __init__(self, name, command, home, port=None, ca=None):
        self.name, self.port, self.home, self.token, self.ca = name, port or free_port(), home, TOKEN, ca
        if not port:
            command = [*command, f"-dev-root-token-id={TOKEN}", f"-dev-listen-address=127.0.0.1:{self.port}"]
        self.log = open(os.path.join(home, name + ".log"), "w+", encoding="utf-8", errors="replace")
        # Proxies and tokens of whoever runs the tests are none of ours.
        env = {"HOME": home, "PATH": os.environ["PATH"]} | {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, cwd=home)
        self.wait()

    def address(self):
        return f"{'https' if self.ca else 'http'}://127.0.0.1:{self.port}"

    def connect(self):
        if not self.ca:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=ssl.create_default_context(cafile=self.ca))

    def wait(self):
        for _ in range(600):
            try:
                connection = self.connect()
                connection.request("GET", "/v1/sys/health?sealedcode=200&uninitcode=200")
                if connection.getresponse().status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"{self.name} does not start: {self.logged()[-2000:]}")

    def logged(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        """Its exit code: not 0 as well where a sanitizer found something."""
        self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Servers:
    """Both servers, fresh."""

    def stop_others(self):
        """Servers besides the two."""

    def __enter__(self):
        self.home = tempfile.TemporaryDirectory()
        self.vault = Server("vault", [vault_binary(), "server", "-dev", "-dev-no-store-token"], self.home.name)
        try:
            self.ours = Server("k8sauthd", [K8SAUTHD, "-dev"], self.home.name)
        except BaseException:
            self.vault.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop_others()
        self.vault.stop()
        code, log = self.ours.stop(), self.ours.logged()
        self.home.cleanup()
        if code:
            raise RuntimeError(f"k8sauthd ended with {code}: {log[-4000:]}")


VAULT_CONFIG = """
storage "inmem" {}
listener "tcp" { address = "127.0.0.1:%d" tls_disable = true }
disable_mlock = true
api_addr = "http://127.0.0.1:%d"
"""
CONFIG = """
mode = "server"
listener "tcp" { address = "127.0.0.1:%d" tls_cert_file = "/etc/k8sauth/tls.crt" tls_key_file = "/etc/k8sauth/tls.key" }
"""


class SealedServers(Servers):
    """Both servers as an operator starts them: from a file, not initialised, sealed by key shares. SEALS are the texts of seal blocks."""

    seals = "", ""

    def prepare(self, home):
        """What a seal needs besides."""

    def __enter__(self):
        self.home = tempfile.TemporaryDirectory()
        home = self.home.name
        ports = free_port(), free_port()
        self.prepare(home)
        for name, text in (("vault.hcl", VAULT_CONFIG % (ports[0], ports[0]) + self.seals[0]), ("k8sauth.hcl", CONFIG % ports[1] + self.seals[1])):
            with open(os.path.join(home, name), "w", encoding="utf-8") as file:
                file.write(text)
        self.vault = Server("vault", [vault_binary(), "server", "-config=" + home + "/vault.hcl"], home, ports[0])
        staged = os.path.join(SOURCE, "tests/testbed/staged")
        try:
            self.ours = Server("k8sauthd", [staged, home, home + "/k8sauth.hcl", K8SAUTHD], home, ports[1], home + "/ca.crt")
        except BaseException:
            self.vault.stop()
            raise
        return self


class TransitServers(SealedServers):
    """The same, each sealed by a key of its own in a third server: a Vault with a transit mount."""

    def __enter__(self):
        self.keys_home = tempfile.TemporaryDirectory()
        self.keys = Server("keys", [vault_binary(), "server", "-dev", "-dev-no-store-token"], self.keys_home.name)
        for path in ("sys/mounts/transit", "transit/keys/vault", "transit/keys/k8sauthd"):
            connection = self.keys.connect()
            connection.request("POST", "/v1/" + path, '{"type":"transit"}' if "mounts" in path else "{}", {"X-Vault-Token": TOKEN})
            connection.getresponse()
        self.seals = [f'seal "transit" {{ address = "{self.keys.address()}" {how} mount_path = "transit" key_name = "{name}" }}'
                      for how, name in (('token = "root" disable_renewal = "true"', "vault"), ('token_file = "/etc/k8sauth/token"', "k8sauthd"))]
        return super().__enter__()

    def prepare(self, home):
        with open(os.path.join(home, "token"), "w", encoding="utf-8") as file:
            file.write(TOKEN + "\n")

    def stop_others(self):
        self.keys.stop()
        self.keys_home.cleanup()
