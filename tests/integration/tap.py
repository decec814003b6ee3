# SPDX-License-Identifier: Apache-2.0
"""TAP output and what the integration tests share: one function per test, run in order."""
import os
import random
import socket
import subprocess
import sys
import time
import traceback

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("K8SAUTH_BUILD", os.path.join(SOURCE, "build"))
K8SAUTHD = os.path.join(BUILD, "pam_k8sauth/daemon/k8sauthd")
K8SAUTH = os.path.join(BUILD, "pam_k8sauth/cli/k8sauth")

_tests = []


def test(name):
    def add(function):
        _tests.append((name, function))
        return function

    return add


def run():
    """Runs all tests, prints TAP, returns the exit code."""
    bad = 0
    for number, (name, function) in enumerate(_tests, 1):
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Exception:  # whatever it is, it is this test's
            bad += 1
            print(f"not ok {number} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
    print(f"1..{len(_tests)}", flush=True)
    return 1 if bad else 0


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(w) for w in what))


def free_port():
    """Below those that the kernel gives to outgoing connections: nobody gets it by chance before it is used."""
    while True:
        port = random.randrange(16384, 32768)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_for(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what}")


def cli(*args, stdin="", code=0, **env):
    """Runs the command line; its standard output, or with another exit code expected, its standard error."""
    # Address and token of whoever runs the tests are none of ours.
    own = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")} | {"HOME": "/nonexistent"}
    done = subprocess.run([K8SAUTH, *args], input=stdin, capture_output=True, text=True, timeout=60, env=own | env)
    expect(done.returncode == code, args, "exit code", done.returncode, done.stdout, done.stderr)
    return done.stderr if code else done.stdout


def on_stage(*needed):
    """Starts the script again on a stage (namespaces of its own), unless it is there already. Skips where that cannot be."""
    if "STAGE" in os.environ:
        return
    if os.geteuid() != 0:
        print("ok 1 - # SKIP needs root\n1..1")
        sys.exit(0)
    stage = os.path.join(SOURCE, "tests/testbed/stage")
    os.execv(stage, [stage, sys.executable, os.path.abspath(sys.argv[0]), *needed])
