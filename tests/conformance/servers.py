# SPDX-License-Identifier: Apache-2.0
"""Starts and stops the two servers in development mode: real Vault, and k8sauthd."""
import os
import subprocess
import tempfile
import time
import urllib.request

from tap import K8SAUTHD, SOURCE, free_port

TOKEN = "root"


def vault_binary():
    build = os.path.join(SOURCE, "tests/testbed/real/build")
    return subprocess.run([build, "vault"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Server:
    """One development server on a free port of the loopback; its output is kept for whoever asks what it logged."""

    def __init__(self, name, command, home):
        self.name, self.port = name, free_port()
        self.log = open(os.path.join(home, name + ".log"), "w+", encoding="utf-8", errors="replace")
        # Proxies and tokens of whoever runs the tests are none of ours.
        env = {"HOME": home, "PATH": os.environ["PATH"]} | {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        self.process = subprocess.Popen([*command, f"-dev-root-token-id={TOKEN}", f"-dev-listen-address=127.0.0.1:{self.port}"],
                                        stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, cwd=home)
        self.wait()

    def wait(self):
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/sys/health", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except OSError:
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
        self.vault.stop()
        code, log = self.ours.stop(), self.ours.logged()
        self.home.cleanup()
        if code:
            raise RuntimeError(f"k8sauthd ended with {code}: {log[-4000:]}")
