# SPDX-License-Identifier: Apache-2.0
"""Arguments, flags and environment: what is refused, and how."""
from cli_lines._line import Line, lines

FILES = {"broken.json": '{"a": 1, x}', "list.json": "[1]", "empty": "", "cut.json": '{"a": "b"', "null.json": "null", "text.json": '"x"'}

LINES = [
    *lines(
        """
        read
        read a b
        read -nope x
        read -format=foo x
        read -format=FOO x
        read -format
        read -field
        read --nope x
        read ---x y
        read -=x y
        write
        write secret/x
        write secret/x noeq
        write secret/x a=@nofile
        write secret/x @nofile
        write secret/x @broken.json
        write secret/x @list.json
        write secret/x @text.json
        write secret/x @cut.json
        write secret/x @empty
        patch
        patch a
        list
        list a b
        list a -foo
        delete
        delete a noeq
        unwrap a b
        status x
        path-help
        path-help a b
        token create x
        token create -ttl=1x
        token create -ttl=x
        token create -ttl=
        token create -ttl=1.5
        token create -ttl=-5
        token create -use-limit=z
        token create -use-limit=99999999999999999999
        token create -metadata=foo
        token create -orphan=maybe
        token create -policy
        token lookup -accessor
        token lookup -accessor a b
        token lookup a b
        token lookup x -y
        token renew a b
        token renew -increment=x
        token revoke
        token revoke -self x
        token revoke -self -accessor
        token revoke -self -mode=path
        token revoke -accessor -mode=orphan x
        token revoke -accessor -mode=path x
        token revoke -mode=nope x
        token revoke x -self
        token revoke a b
        token capabilities
        token capabilities a b c
        token capabilities -accessor a
        token capabilities -accessor a b c
        kv get
        kv get a b
        kv get -version=x secret/q
        kv put
        kv put secret/a
        kv put secret/n @nofile
        kv put secret/n a=@nofile
        kv put secret/n noeq
        kv put -cas=x secret/n a=b
        kv list
        kv list a b
        kv delete
        kv undelete
        kv undelete secret/a
        kv destroy
        kv destroy secret/a
        kv rollback
        kv rollback secret/a
        kv rollback -version=0 secret/a
        kv rollback -version=-1 secret/a
        kv patch
        kv patch secret/a
        kv enable-versioning
        kv metadata get
        kv metadata put
        kv metadata put -max-versions=x secret/a
        kv metadata put -custom-metadata=x secret/a
        kv metadata patch
        kv metadata delete
        kv metadata get -field=x secret/a
        secrets enable
        secrets enable a b
        secrets enable plugin
        secrets enable -default-lease-ttl=x kv
        secrets disable
        secrets list x
        secrets tune
        secrets tune -default-lease-ttl=x secret
        secrets move
        secrets move a
        secrets move a b c
        auth enable
        auth enable plugin
        auth disable
        auth list x
        auth tune
        auth move
        auth help
        policy list x
        policy read
        policy read a b
        policy write
        policy write x
        policy write x nofile
        policy write x y z
        policy delete
        lease lookup
        lease lookup a b
        lease renew
        lease renew a b c
        lease revoke
        lease revoke a b
        lease revoke -force x
        operator init x
        login -no-store -no-print x
        login -method=nope
        login a=@nofile
        """
    ),
    Line("write secret/x a=- b=-", stdin="x"),
    Line("write secret/x - a=-", stdin="{}"),
    Line("write secret/x -", stdin="{x"),
    Line("write secret/x -", stdin=""),
    Line("write secret/x -", stdin='{"a":tru}'),
    Line("write secret/x -", stdin='{"a":1.}'),
    Line("write secret/x -", stdin='{"a":"\x01"}'),
    Line("write secret/x -", stdin='{"a":"\\x"}'),
    Line("write secret/x -", stdin="x"),
    Line("list secret/metadata", env={"VAULT_FORMAT": "xx"}),
    Line("read a", env={"VAULT_MAX_RETRIES": "x"}),
    Line("read a", env={"VAULT_CLIENT_TIMEOUT": "x"}),
    Line("read a", env={"VAULT_SKIP_VERIFY": "x"}),
    Line("read a", env={"VAULT_CACERT": "/nofile"}),
    Line("read a", env={"VAULT_TOKEN": "a\x01b"}),
    *lines("read -header=X-Vault-Foo=b a\nread -header=foo a\nread -wrap-ttl=x a\nread -ca-cert=/nofile a"),
    Line("login", env={}),
    Line("status", env={"VAULT_ADDR": "http://127.0.0.1:1"}),
    Line("read a", env={"VAULT_ADDR": "http://127.0.0.1:1"}),
    Line("write a b=c", env={"VAULT_ADDR": "http://127.0.0.1:1"}),
    Line("delete a", env={"VAULT_ADDR": "http://127.0.0.1:1"}),
    Line("kv get a/b", env={"VAULT_ADDR": "http://127.0.0.1:1"}),
    Line("read a", env={"VAULT_ADDR": "https://127.0.0.1:$PORT"}),
    Line("read a", env={"VAULT_ADDR": "unix:///nosocket"}),
    Line("read a", env={"VAULT_ADDR": "foo"}),
    Line("read -address=http://127.0.0.1:1 a"),
    Line("read -address http://127.0.0.1:1 a"),
    Line("read --address=http://127.0.0.1:1 a"),
    *lines("\n".join(f"{v} -h" for v in ("read", "kv get", "token create", "kv", "kv metadata", "token", "kv metadata put", "login")), shape=True),
    *lines("kv get x -h\nread --help\nread -help", shape=True),
    *lines("kv\nkv nope\nfoo\ntoken\nkv metadata\nsecrets\nlease\n-h\n-foo\n-address=x read", shape=True),
    Line("version", alike=((r".*(auth|Vault v).*", "version"),)),
    Line("-version", alike=((r".*(auth|Vault v).*", "version"),)),
    Line("print token"),
    Line("print token", env={"VAULT_TOKEN": ""}),
]
