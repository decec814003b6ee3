# SPDX-License-Identifier: Apache-2.0
"""read, write, patch, list, delete, unwrap, path-help, status; formats."""
from cli_lines._line import Line, lines

FILES = {"policy.json": '{"policy": "path \\"a\\" {\\n  capabilities = [\\"read\\"]\\n}\\n"}', "data.json": '{"data": {"a": [1, {"b": null}], "t": "two\\nlines\\n", "e": "", "yes": "yes", "num": "12", "date": "2024-01-02"}}'}

LINES = [
    *lines(
        r"""
        status
        status -format=json
        status -format=yaml
        status -format=raw
        read sys/health -format=raw
        read -format=raw sys/nothing
        read secret/none
        read -format=json secret/none
        read -format=yaml secret/none
        read secret/data/none
        read nomount/x
        write nomount/x a=b
        list nomount/x
        delete nomount/x
        patch nomount/x a=b
        write secret/data/w @data.json
        read secret/data/w
        read -format=json secret/data/w
        read -format=yaml secret/data/w
        read -format=pretty secret/data/w
        read -field=data secret/data/w
        read -field=metadata secret/data/w
        read -format=json -field=data secret/data/w
        read -format=yaml -field=data secret/data/w
        read -field=nope secret/data/w
        read -field=request_id secret/data/w
        read -field=lease_id secret/data/w
        read -field=lease_duration secret/data/w
        read -field=renewable secret/data/w
        read -field=mount_type secret/data/w
        read -field=refresh_interval secret/data/w
        read secret/data/w version=1
        read secret/data/w version=9
        read secret/data/w foo=bar
        read secret/data/w -format=yaml
        read /secret/data/w/
        read secret//data/w
        read secret/./data/w
        read secret/x/../data/w
        write secret/data/w data=x
        write -field=version secret/data/w @data.json
        write -format=json secret/data/w @data.json
        write -format=yaml secret/data/w @data.json
        write secret/w a=b
        write -force secret/data/w
        write -f secret/data/w
        patch secret/data/w @data.json
        patch -force secret/data/w
        list secret/metadata
        list secret/metadata/
        list -format=json secret/metadata
        list -format=yaml secret/metadata
        list -format=pretty secret/metadata
        list -format=raw secret/metadata
        list -detailed secret/metadata
        list -detailed -format=json secret/metadata
        list secret/nope
        list -format=json secret/nope
        list secret/metadata/none
        list sys/mounts
        list -format=json sys/mounts
        list sys/policies/acl
        list -format=json sys/policies/acl
        delete secret/data/w
        read secret/data/w
        delete secret/foo
        delete -format=json secret/data/w
        delete sys/policies/acl/none
        delete sys/mounts/none
        write cubbyhole/x a=1 b=2
        read cubbyhole/x
        read -format=json cubbyhole/x
        read -field=a cubbyhole/x
        read cubbyhole/none
        read -format=json cubbyhole/none
        list cubbyhole
        delete cubbyhole/x
        list cubbyhole/
        write -format=json cubbyhole/x a=1
        write sys/policies/acl/x @policy.json
        write sys/policies/acl/x policy=
        read sys/policies/acl/x
        read -field=policy sys/policies/acl/x
        write sys/policies/acl/bad policy=x
        read sys/policy/x
        write sys/capabilities-self path=a
        write sys/capabilities-self path=a path=b
        write -format=json sys/capabilities-self paths=a paths=b
        read auth/token/lookup-self
        write auth/token/lookup token=nope
        write auth/token/lookup x
        write auth/kubernetes/login role=x jwt=y
        auth enable kubernetes
        write auth/kubernetes/login role=x jwt=y
        read auth/kubernetes/config
        write auth/kubernetes/config kubernetes_host=https://127.0.0.1:1 disable_local_ca_jwt=true
        read auth/kubernetes/config
        write auth/kubernetes/role/r bound_service_account_names=a bound_service_account_namespaces=b policies=p ttl=1h audiences=x
        read auth/kubernetes/role/r
        read -format=json auth/kubernetes/role/r
        read -format=yaml auth/kubernetes/role/r
        list auth/kubernetes/role
        delete auth/kubernetes/role/r
        list auth/kubernetes/role
        path-help nope/x
        read -namespace=foo secret/data/none
        read -ns=foo secret/data/none
        read -output-curl-string secret/x
        read -output-curl-string -header=a=b -policy-override secret/x
        write -output-curl-string a/b "x=it's"
        write -output-curl-string a/b @data.json
        patch -output-curl-string a/b x=y
        list -output-curl-string a/b
        delete -output-curl-string a/b x=y
        status -output-curl-string
        kv get -output-curl-string secret/a
        kv put -output-curl-string -cas=0 secret/a a=1
        kv patch -output-curl-string -remove-data=x secret/a a=1
        kv metadata put -output-curl-string -max-versions=3 -custom-metadata=a=b -cas-required=false -delete-version-after=1h secret/a
        kv metadata patch -output-curl-string -remove-custom-metadata=z secret/a
        kv destroy -output-curl-string -versions=1,2 -versions=3 secret/a
        token create -output-curl-string
        token create -output-curl-string -policy=a -policy=b,c -ttl=90 -period=2h -explicit-max-ttl=1h -orphan -no-default-policy -use-limit=3 -display-name=dn -metadata=k=v -id=ii -type=batch -renewable=false -entity-alias=ea
        token create -output-curl-string -role=r -ttl=5d
        token renew -output-curl-string -increment=30m
        token renew -output-curl-string -increment=30m tok
        token renew -output-curl-string -i=30m -accessor acc
        token revoke -output-curl-string -mode=orphan a
        token revoke -output-curl-string -mode=path a
        token revoke -output-curl-string -accessor a
        token revoke -output-curl-string -self
        token lookup -output-curl-string -accessor a
        token capabilities -output-curl-string t p
        token capabilities -output-curl-string -accessor t p
        secrets enable -output-curl-string kv
        secrets enable -output-curl-string -path=/x/y/ -description=d -default-lease-ttl=1h -max-lease-ttl=2h -options=version=2 -version=2 -local -seal-wrap -force-no-cache -external-entropy-access -audit-non-hmac-request-keys=a,b -audit-non-hmac-response-keys=c -listing-visibility=unauth -passthrough-request-headers=H -allowed-response-headers=R -allowed-managed-keys=m -plugin-version=v1 kv
        secrets enable -output-curl-string -plugin-name=foo plugin
        auth enable -output-curl-string -path=k2 -description=d -token-type=batch -max-lease-ttl=5m kubernetes
        auth tune -output-curl-string -token-type=batch -description= -default-lease-ttl=10m kubernetes
        secrets tune -output-curl-string -description=x -options=version=2 -max-lease-ttl=1h -listing-visibility=unauth secret/
        secrets tune -output-curl-string secret
        kv enable-versioning -output-curl-string secret
        policy read -output-curl-string P
        policy list -output-curl-string
        policy delete -output-curl-string P
        lease lookup -output-curl-string l/x
        lease renew -output-curl-string -increment=5m l/x
        lease revoke -output-curl-string -sync l/x
        lease revoke -output-curl-string -prefix l/x
        lease revoke -output-curl-string -prefix -force l/x
        path-help -output-curl-string sys/mounts
        unwrap -output-curl-string
        unwrap -output-curl-string tt
        operator init -output-curl-string
        secrets move -output-curl-string a b
        read -output-policy secret/x
        list -output-policy secret/x/
        write -output-policy a/b x=y
        write -output-policy sys/auth/x a=b
        patch -output-policy sys/auth/x a=b
        delete -output-policy sys/auth/x
        read -output-policy sys/raw/x
        read -output-policy auth/token/accessors
        read -output-policy sys/audit
        write -output-policy sys/seal x=y
        read -output-policy sys/leases/lookup/a/b
        list -output-policy sys/leases/lookup/a/b
        read -output-policy pki/root
        delete -output-policy pki/root
        write -output-policy sys/remount a=b
        read -output-policy identity/oidc/x
        read -output-policy sys/config/cors
        read -output-policy sys/mounts/x
        write -output-policy sys/rotate a=b
        status -output-policy
        kv get -output-policy secret/a
        """
    ),
    Line("token capabilities -output-curl-string p", differs="cli-token-in-body"),
    Line("read -output-curl-string secret/x a=b 'c=d e'", differs="cli-curl-quoting"),
    Line("read -output-curl-string 'secret/x;id'", differs="cli-curl-quoting"),
    Line("read -output-curl-string 'secret/x$HOME'", differs="cli-curl-quoting"),
    Line("read -output-curl-string '-header=a=$(id)\"`' secret/x", differs="cli-curl-quoting"),
    Line("read -output-curl-string 'secret/x?y=*'"),
    *lines("read -output-curl-string\nwrite -output-policy a"),
    Line("read -output-curl-string secret/x", env={"VAULT_TOKEN": "", "VAULT_NAMESPACE": "n"}),
    Line("read secret/data/none", env={"VAULT_TOKEN": ""}),
    Line("read secret/data/none", env={"VAULT_TOKEN": "bad"}),
    Line("list sys/policies/acl", env={"VAULT_FORMAT": "json"}),
    Line("list sys/policies/acl", pty=True),
    Line("read secret/none", pty=True),
    Line("status", pty=True),
]
