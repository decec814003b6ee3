# SPDX-License-Identifier: Apache-2.0
"""The real `vault kv` against both servers: what it prints, and its exit codes."""
import os
import subprocess
import tempfile

from play import Reply, case
from servers import TOKEN, vault_binary

MINIMUM = 90
VAULT = vault_binary()


def vault(s, *words, stdin=""):
    """Runs `vault WORDS`; the exit code and everything printed count as the answer."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run([VAULT, *words], input=stdin, text=True, timeout=60, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={"HOME": home, "PATH": os.environ["PATH"], "VAULT_ADDR": f"http://127.0.0.1:{s.server.port}", "VAULT_TOKEN": TOKEN,
                                   "VAULT_MAX_RETRIES": "0", "VAULT_CLI_NO_COLOR": "1"})
    # Columns are as wide as what stands in them, and ids and times are not equally long.
    printed = "\n".join(" ".join(line.split()) for line in done.stdout.splitlines() if set(line) - set("= -"))
    return s.record("vault " + " ".join(words), Reply(done.returncode, {}, printed.encode()))


def kv(s, *words, **more):
    return vault(s, "kv", *words, **more)


@case("put, get, list")
def _(s):
    kv(s, "put", "secret/app/db", "user=u", "password=p=q")
    kv(s, "put", "-mount=secret", "app/db", "user=v")
    kv(s, "put", "secret/app/file", "text=@-", stdin="x")
    kv(s, "put", "secret/app/stdin", "-", stdin='{"a":{"b":[1,2.5,true,null]},"n":12345678901234567890}')
    kv(s, "put", "secret/app/value", "v=-", stdin="from stdin\n")
    kv(s, "put", "secret/app/none")
    for path in ("app/db", "app/stdin", "app/value", "app/none", "absent"):
        kv(s, "get", f"secret/{path}")
        kv(s, "get", "-format=json", f"secret/{path}")
        kv(s, "get", "-mount=secret", path)
    kv(s, "get", "-field=user", "secret/app/db")
    kv(s, "get", "-field=nothing", "secret/app/db")
    kv(s, "get", "-version=1", "secret/app/db")
    kv(s, "get", "-version=9", "secret/app/db")
    kv(s, "get", "-version=x", "secret/app/db")
    kv(s, "get", "-format=yaml", "secret/app/db")
    for path in ("secret", "secret/", "secret/app", "secret/app/", "secret/none", "nowhere", "nowhere/x"):
        kv(s, "list", path)
    kv(s, "list", "-mount=secret", "app")
    kv(s, "list", "-format=json", "secret/app")
    kv(s, "get", "nowhere/x")
    kv(s, "put", "nowhere/x", "a=b")


@case("check-and-set, patch, rollback")
def _(s):
    kv(s, "put", "-cas=0", "secret/cas", "a=1")
    kv(s, "put", "-cas=0", "secret/cas", "a=2")
    kv(s, "put", "-cas=1", "secret/cas", "a=2", "b=1")
    kv(s, "patch", "secret/cas", "a=3")
    kv(s, "patch", "-method=rw", "secret/cas", "a=4")
    kv(s, "patch", "-method=patch", "-cas=9", "secret/cas", "a=5")
    kv(s, "patch", "-remove-data=b", "secret/cas")
    kv(s, "patch", "secret/absent", "a=1")
    kv(s, "get", "secret/cas")
    kv(s, "rollback", "-version=2", "secret/cas")
    kv(s, "get", "secret/cas")
    kv(s, "rollback", "-version=99", "secret/cas")
    kv(s, "rollback", "secret/cas")


@case("delete, undelete, destroy")
def _(s):
    for n in range(3):
        kv(s, "put", "secret/del", f"n={n}")
    kv(s, "delete", "secret/del")
    kv(s, "get", "secret/del")
    kv(s, "get", "-format=json", "secret/del")
    kv(s, "undelete", "-versions=3", "secret/del")
    kv(s, "get", "secret/del")
    kv(s, "delete", "-versions=1,2", "secret/del")
    kv(s, "get", "-version=2", "secret/del")
    kv(s, "destroy", "-versions=1", "secret/del")
    kv(s, "get", "-version=1", "secret/del")
    kv(s, "metadata", "get", "secret/del")
    kv(s, "undelete", "secret/del")
    kv(s, "destroy", "secret/del")
    kv(s, "delete", "secret/absent")
    kv(s, "undelete", "-versions=1", "secret/absent")
    kv(s, "rollback", "-version=1", "secret/del")


@case("metadata")
def _(s):
    kv(s, "metadata", "put", "-max-versions=3", "-delete-version-after=3h25m19s", "-cas-required=false", "-custom-metadata=a=b", "-custom-metadata=c=d", "secret/meta")
    kv(s, "metadata", "get", "secret/meta")
    kv(s, "put", "secret/meta", "x=1")
    kv(s, "get", "secret/meta")
    kv(s, "metadata", "patch", "-custom-metadata=a=e", "-max-versions=5", "secret/meta")
    kv(s, "metadata", "patch", "-remove-custom-metadata=c", "secret/meta")
    kv(s, "metadata", "get", "-format=json", "secret/meta")
    kv(s, "metadata", "get", "secret/absent")
    kv(s, "metadata", "put", "-custom-metadata=a=", "secret/meta")
    kv(s, "metadata", "delete", "secret/meta")
    kv(s, "metadata", "get", "secret/meta")
    kv(s, "get", "secret/meta")
    kv(s, "metadata", "delete", "secret/meta")


@case("version 1, and its upgrade")
def _(s):
    vault(s, "secrets", "enable", "-path=old", "kv")
    kv(s, "put", "old/a", "x=1")
    kv(s, "put", "old/b/c", "x=1", "ttl=1h")
    kv(s, "get", "old/a")
    kv(s, "get", "-format=json", "old/b/c")
    kv(s, "list", "old")
    kv(s, "patch", "old/a", "y=2")
    kv(s, "get", "-version=1", "old/a")
    kv(s, "metadata", "get", "old/a")
    kv(s, "undelete", "-versions=1", "old/a")
    kv(s, "delete", "old/b/c")
    kv(s, "get", "old/b/c")
    kv(s, "enable-versioning", "old")
    s.wait_for("old/metadata")
    kv(s, "get", "old/a")
    kv(s, "put", "old/a", "x=2")
    kv(s, "metadata", "get", "old/a")
    kv(s, "list", "old/")
    kv(s, "enable-versioning", "old")
    kv(s, "enable-versioning", "nowhere")
    vault(s, "secrets", "enable", "-version=2", "-path=new", "kv")
    s.wait_for("new/metadata")
    kv(s, "put", "new/a", "x=1")
    vault(s, "secrets", "disable", "new")
    kv(s, "get", "new/a")


@case("plain verbs on secrets")
def _(s):
    vault(s, "write", "secret/data/w", "-", stdin='{"data":{"a":"b"}}')
    vault(s, "read", "secret/data/w")
    vault(s, "read", "-format=json", "secret/data/w")
    vault(s, "list", "secret/metadata")
    vault(s, "read", "secret/w")
    vault(s, "write", "secret/w", "a=b")
    vault(s, "delete", "secret/data/w")
    vault(s, "read", "secret/data/w")
    vault(s, "patch", "secret/data/w", "data=x")
    vault(s, "write", "cubbyhole/x", "a=b")
    vault(s, "read", "cubbyhole/x")
    vault(s, "list", "cubbyhole")
    vault(s, "delete", "cubbyhole/x")
    vault(s, "read", "cubbyhole/x")
    vault(s, "write", "-f", "cubbyhole/x")
