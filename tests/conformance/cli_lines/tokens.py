# SPDX-License-Identifier: Apache-2.0
"""Tokens, logins, leases, wrapping."""
from cli_lines._line import Line, lines

NO_TOKEN = {"VAULT_TOKEN": ""}

LINES = [
    *lines(
        """
        token lookup
        token lookup -format=json
        token lookup -format=yaml
        token lookup -field=policies
        token lookup -field=ttl
        token lookup -field=nope
        token lookup nope
        token lookup -accessor nope
        token renew
        token renew -accessor
        token renew nope
        token renew -accessor nope
        token revoke nope
        token revoke -accessor nope
        token revoke -mode=orphan nope
        token revoke -mode=path nope
        token capabilities sys/mounts
        token capabilities -format=json sys/mounts
        token capabilities -format=yaml sys/mounts
        token capabilities nope sys/mounts
        token create -policy=default -ttl=1h
        token create -format=json -metadata=a=b -period=1h
        token create -format=yaml -policy=default -metadata=a=b -metadata=c=d
        token create -type=batch -policy=default
        token create -type=nope
        token create -use-limit=-1
        token create -use-limit=2 -policy=default
        token create -orphan -no-default-policy -policy=p -display-name=dn
        token create -explicit-max-ttl=1h -renewable=false -policy=default
        token create -id=custom-id -policy=default
        token lookup custom-id
        token create -id=custom-id -policy=default
        token revoke custom-id
        token lookup custom-id
        token create -role=nope
        token create -field=token_policies
        token create -field=token_duration
        token create -field=nope
        token create -format=pretty
        token create -format=raw
        token create -ttl=5d
        token create -policy=root -ttl=1000000h
        """
    ),
    Line("token create -field=token -policy=default -ttl=1h", save="T", alike=((".*", "token"),)),
    Line("token lookup $T", alike=((r"\b35\d\ds?|59m5\ds|1h\b|3600", "<about an hour>"),)),
    Line("token create -field=token_accessor -policy=default -ttl=1h", save="A", alike=((".*", "accessor"),)),
    Line("token lookup -accessor $A", alike=((r"59m5\ds|1h\b", "<hour>"),)),
    Line("token lookup", env={"VAULT_TOKEN": "$T"}, alike=((r"59m5\ds|1h\b", "<hour>"),)),
    Line("token renew $T", alike=((r"59m5\ds|1h\b", "<hour>"),)),
    Line("token renew -increment=2h -format=json $T", alike=((r"\b(7200|719\d|3600|359\d)\b", "<seconds>"),)),
    Line("token renew", env={"VAULT_TOKEN": "$T"}, alike=((r"1h59m5\ds|59m5\ds|[12]h\b", "<hours>"),)),
    Line("token renew -accessor -increment=30m $A", alike=((r"29m5\ds|30m\b", "<half>"),)),
    Line("token capabilities $T sys/mounts"),
    Line("token capabilities $T auth/token/lookup-self"),
    Line("token capabilities -accessor $A cubbyhole/x"),
    Line("token capabilities -format=json cubbyhole/x", env={"VAULT_TOKEN": "$T"}),
    Line("read sys/mounts", env={"VAULT_TOKEN": "$T"}),
    Line("kv get secret/x", env={"VAULT_TOKEN": "$T"}),
    Line("secrets list", env={"VAULT_TOKEN": "$T"}),
    Line("auth list", env={"VAULT_TOKEN": "$T"}),
    Line("policy list", env={"VAULT_TOKEN": "$T"}),
    Line("policy read default", env={"VAULT_TOKEN": "$T"}),
    Line("token create", env={"VAULT_TOKEN": "$T"}),
    Line("list secret/metadata", env={"VAULT_TOKEN": "$T"}),
    Line("delete secret/data/x", env={"VAULT_TOKEN": "$T"}),
    Line("token revoke -accessor $A"),
    Line("token lookup -accessor $A"),
    Line("token revoke -self", env={"VAULT_TOKEN": "$T"}),
    Line("token lookup", env={"VAULT_TOKEN": "$T"}),
    Line("token revoke -self", env={"VAULT_TOKEN": "$T"}),
    *lines(
        """
        login xyz
        login root
        login -no-store root
        login -token-only root
        login -field=policies root
        login -field=token root
        login -field=nope root
        login -no-print root
        login -format=json root
        login -format=yaml root
        login token=root
        login -method=token root
        login -method=token token=root
        """
    ),
    *lines("login root\nlogin -no-store root\nlogin -token-only root\nlogin -no-print root\nlogin nope", env=NO_TOKEN),
    Line("login -", stdin="root\n", env=NO_TOKEN),
    Line("login -", stdin="", env=NO_TOKEN),
    Line("login token=-", stdin="root", env=NO_TOKEN),
    Line("login", env=NO_TOKEN),
    Line("login root", env=NO_TOKEN, pty=True),
    Line("print token", env=NO_TOKEN),
    Line("token lookup", env=NO_TOKEN),
    *lines(
        """
        lease lookup nope
        lease lookup -format=json nope
        lease renew nope
        lease renew nope 60
        lease revoke nope
        lease revoke -sync nope
        lease revoke -prefix nope
        lease revoke -prefix -sync nope
        lease revoke -force -prefix nope
        lease revoke -force -prefix -sync nope
        """
    ),
    *lines("unwrap\nunwrap nope"),
    Line("read -wrap-ttl=60 sys/mounts"),
    Line("read -format=json -wrap-ttl=60 sys/mounts"),
    Line("read -format=yaml -wrap-ttl=60 sys/mounts"),
    Line("kv put secret/wrapped a=b"),
    Line("kv get -wrap-ttl=1m secret/wrapped"),
    Line("kv put -wrap-ttl=1m secret/wrapped a=b"),
    Line("kv list -wrap-ttl=1m secret"),
    Line("kv metadata get -wrap-ttl=1m secret/wrapped"),
    Line("token create -wrap-ttl=1m"),
    Line("read -field=wrapping_token_ttl -wrap-ttl=60 sys/mounts"),
    Line("read -field=wrapping_token_creation_path -wrap-ttl=60 sys/mounts"),
    Line("read -field=nope -wrap-ttl=60 sys/mounts"),
    Line("read -field=wrapping_token_creation_path -wrap-ttl=500ms sys/mounts"),
    Line("read -field=wrapping_token_creation_path -wrap-ttl=1us sys/mounts"),
    Line("read -wrap-ttl=-5 sys/mounts"),
    *lines("kv put secret/gone a=b\nkv delete secret/gone"),
    Line("read -field=wrapping_token -wrap-ttl=60 secret/data/gone", save="G", alike=((".*", "token"),)),
    *lines("unwrap $G\nunwrap $G"),
    Line("kv get -field=wrapping_token -wrap-ttl=60 secret/gone"),
    Line("read -field=wrapping_token -wrap-ttl=60 secret/data/gone", save="G", alike=((".*", "token"),)),
    *lines("unwrap -format=json $G\nunwrap -format=json $G"),
    Line("read -wrap-ttl=-1ms sys/mounts"),
    Line("read -field=wrapping_token_creation_path sys/mounts", env={"VAULT_WRAP_TTL": "500ms"}),
    Line("read sys/mounts", env={"VAULT_WRAP_TTL": "-5s"}),
    Line("read -wrap-ttl=0 sys/policies/acl/default"),
    Line("kv get -field=wrapping_token -wrap-ttl=1m secret/wrapped"),
    Line("read -field=wrapping_token -wrap-ttl=60 secret/data/wrapped", save="W", alike=((".*", "token"),)),
    Line("unwrap $W"),
    Line("unwrap $W"),
    Line("read -field=wrapping_token secret/data/wrapped", env={"VAULT_WRAP_TTL": "60"}, save="W", alike=((".*", "token"),)),
    Line("unwrap -format=json", env={"VAULT_TOKEN": "$W"}),
    Line("write -wrap-ttl=60 -f auth/token/create"),
    Line("write -format=json sys/wrapping/wrap a=b"),
]
