# SPDX-License-Identifier: Apache-2.0
"""A k8sauthd in server mode on a stage: its folders and key, its life, requests on its api socket."""
import contextlib
import glob
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

from tap import K8SAUTHD, expect, free_port

API = "/run/k8sauth/api"
CONFIG = "/etc/k8sauth/k8sauth.hcl"
STORE = "/var/lib/k8sauth/store.db"


def sh(command):
    subprocess.run(["sh", "-ec", command], check=True, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def set_up(stage):
    """An /etc and a /var/lib that may be changed, the daemon's account, the key of its store."""
    os.chmod(stage, 0o755)
    for name in ("etc", "var/lib"):
        upper = os.path.join(stage, name.replace("/", "-"))
        os.makedirs(upper + "/upper")
        os.makedirs(upper + "/work")
        sh(f"mount -t overlay overlay -o lowerdir=/{name},upperdir={upper}/upper,workdir={upper}/work /{name}")
    sh("rm -rf /etc/k8sauth /var/lib/k8sauth; mkdir -p /etc/k8sauth /var/lib/k8sauth")
    if not any(line.startswith("k8sauth:") for line in open("/etc/passwd")):
        with open("/etc/passwd", "a") as f:
            f.write("k8sauth:x:987:987::/var/lib/k8sauth:/usr/sbin/nologin\n")
        with open("/etc/group", "a") as f:
            f.write("k8sauth:x:987:\n")
    uid = pwd.getpwnam("k8sauth").pw_uid
    credentials = os.path.join(stage, "credentials")
    os.mkdir(credentials, 0o700)
    with open(os.path.join(credentials, "k8sauth.seal"), "wb") as f:
        f.write(os.urandom(32))
    for path in (credentials, os.path.join(credentials, "k8sauth.seal"), "/var/lib/k8sauth"):
        os.chown(path, uid, uid)
    os.chmod("/var/lib/k8sauth", 0o700)
    os.environ["CREDENTIALS_DIRECTORY"] = credentials
    sh(f"""cd {stage}; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=store \
        -addext subjectAltName=IP:127.0.0.1 -keyout tls.key -out tls.crt; chown k8sauth tls.key; chmod 600 tls.key""")
    with open(CONFIG, "w") as f:
        f.write(f'''mode = "server"
seal "systemd-credential" {{ name = "k8sauth.seal" }}
listener "tcp" {{
  address       = "127.0.0.1:{free_port()}"
  tls_cert_file = "{stage}/tls.crt"
  tls_key_file  = "{stage}/tls.key"
}}
''')
    os.chmod(CONFIG, 0o644)


class Connection(http.client.HTTPConnection):
    """HTTP over the api socket."""

    def __init__(self, timeout=30):
        super().__init__("localhost", timeout=timeout)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(API)

    def ask(self, method, path, body=None, token=None):
        """(status, what it said)."""
        headers = {"X-Vault-Token": token} if token else {}
        self.request(method, "/v1/" + path, None if body is None else json.dumps(body), headers)
        reply = self.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if text.strip() else None


def ask(method, path, body=None, token=None):
    with contextlib.closing(Connection()) as connection:
        return connection.ask(method, path, body, token)


class Server:
    def __init__(self, stage):
        self.log_path = os.path.join(stage, "log")
        self.process = None

    def start(self, ready=True):
        """Starts it; the seconds until it serves. With READY false: its exit code and what it said last."""
        begin = time.monotonic()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(API)
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen([K8SAUTHD], stderr=log)
        if not ready:
            code = self.process.wait(timeout=60)
            return code, self.log().splitlines()[-1]
        while True:
            try:
                with contextlib.closing(Connection()) as connection:
                    connection.ask("GET", "sys/seal-status")
                return time.monotonic() - begin
            except (FileNotFoundError, ConnectionError):
                expect(self.process.poll() is None, "it ended:", self.log()[-2000:])
                expect(time.monotonic() < begin + 60, "it does not serve")
                time.sleep(0.001)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=60)
        expect(code == (0 if how == signal.SIGTERM else -how), "exit code", code, self.log()[-2000:])

    def log(self):
        with open(self.log_path) as f:
            return f.read()

    def initialise(self):
        """The first root token."""
        status, reply = ask("PUT", "sys/init", {"recovery_shares": 1, "recovery_threshold": 1})
        expect(status == 200, status, reply)
        return reply["root_token"]

    def forget(self):
        """Ends it and removes its store."""
        if self.process and self.process.poll() is None:
            self.end()
        for path in glob.glob(STORE + "*"):
            os.unlink(path) if not os.path.isdir(path) else shutil.rmtree(path)
