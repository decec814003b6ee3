# SPDX-License-Identifier: Apache-2.0
"""What an operator does with a running server in a year, as far as no other scene has it: leases and mounts at a distance, upgrade of a
mount, entities, quotas, and the environment of the command."""
from cli_lines._line import Line, lines

FILES = {"ops.hcl": 'path "sys/*" {\n  capabilities = ["read", "list", "sudo"]\n}\n'}

LINES = [
    *lines(
        """
        policy write ops ops.hcl
        policy write Ops ops.hcl
        policy read OPS
        policy read -format=yaml ops
        policy list -format=yaml
        policy delete ops2
        secrets enable -path=team -description=first -version=1 kv
        kv put team/a x=1 y=@ops.hcl
        kv get -format=yaml team/a
        kv get -field=y team/a
        kv put -format=json team/a x=2
        kv metadata get team/a
        kv rollback -version=1 team/a
        kv undelete -versions=1 team/a
        kv destroy -versions=1 team/a
        kv patch team/a z=1
        kv delete -versions=1 team/a
        kv list team/none
        kv list -format=json team/none
        kv list -format=yaml team
        kv enable-versioning nowhere
        secrets move team crew
        kv get crew/a
        kv get team/a
        secrets tune -default-lease-ttl=10s crew
        secrets tune -default-lease-ttl=never crew
        secrets disable crew
        secrets disable crew
        kv get crew/a
        token create -role=none
        write auth/token/roles/job allowed_policies=ops orphan=true renewable=false token_period=1h
        read auth/token/roles/job
        list auth/token/roles
        list -format=yaml auth/token/roles
        delete auth/token/roles/job
        read auth/token/roles/job
        list auth/token/roles
        write identity/entity name=web metadata=team=red policies=ops
        read -field=name identity/entity/name/web
        read -format=json -field=metadata identity/entity/name/web
        list identity/entity/name
        delete identity/entity/name/web
        read identity/entity/name/web
        write sys/quotas/rate-limit/all rate=1000
        read sys/quotas/rate-limit/all
        list sys/quotas/rate-limit
        delete sys/quotas/rate-limit/all
        list sys/quotas/rate-limit
        list sys/leases/lookup/auth
        list sys/leases/lookup/none
        lease lookup none
        lease renew none
        lease revoke none
        lease revoke -prefix none/
        lease revoke -force none/
        lease revoke -force -prefix none/
        lease revoke -sync -prefix none/
        lease revoke -sync /none/
        lease revoke -output-curl-string -prefix /none/
        lease lookup -output-curl-string /none/
        lease renew -output-curl-string /none/
        lease lookup /none/
        read sys/config/state/sanitized
        read sys/internal/counters/activity
        read sys/seal-status
        read sys/key-status
        read sys/config/cors
        read sys/config/ui/headers
        read sys/replication/status
        read -field=ha_enabled sys/leader
        read sys/capabilities-self
        write sys/capabilities-self path=secret/data/a
        write sys/capabilities-self paths=secret/data/a paths=sys/seal
        write -field=keys sys/capabilities-self path=a
        write sys/tools/random/8 format=hex x
        write -f sys/tools/random/8x
        write -f sys/renew/none
        read sys/raw/core
        delete sys/audit/none
        read cubbyhole/none
        write cubbyhole/mine a=b
        read cubbyhole/mine
        list cubbyhole
        delete cubbyhole/mine
        operator key-status x
        operator seal x
        """
    ),
    *[
        Line(text, env=env)
        for text, env in (
            ("kv list secret", {"VAULT_NAMESPACE": "root"}),
            ("kv list secret", {"VAULT_NAMESPACE": "/"}),
            ("kv put secret/n a=b", {"VAULT_NAMESPACE": "team/"}),
            ("kv get secret/n", {"VAULT_NAMESPACE": "team"}),
            ("read -ns=team secret/data/n", {}),
            ("read -namespace=a/b sys/mounts/secret", {}),
            ("secrets list", {"VAULT_NAMESPACE": "a"}),
            ("token lookup -field=path", {"VAULT_NAMESPACE": "a"}),
            ("kv get -field=a secret/n", {"VAULT_FORMAT": "json"}),
            ("kv get secret/n", {"VAULT_FORMAT": "YAML"}),
            ("kv get secret/n", {"VAULT_FORMAT": "nope"}),
            ("token lookup -field=path", {"VAULT_FORMAT": "table"}),
            ("kv list secret", {"VAULT_MAX_RETRIES": "x"}),
            ("kv list secret", {"VAULT_MAX_RETRIES": "-1"}),
            ("kv list secret", {"VAULT_MAX_RETRIES": "0"}),
            ("kv list secret", {"VAULT_CLIENT_TIMEOUT": "5"}),
            ("kv list secret", {"VAULT_CLIENT_TIMEOUT": "5s"}),
            ("kv list secret", {"VAULT_CLIENT_TIMEOUT": "x"}),
            ("kv list secret", {"VAULT_SKIP_VERIFY": "maybe"}),
            ("kv list secret", {"VAULT_SKIP_VERIFY": "T"}),
            ("kv list secret", {"VAULT_CACERT": "/nonexistent/ca.pem"}),
            ("kv list secret", {"VAULT_CAPATH": "/nonexistent"}),
            ("kv list secret", {"VAULT_CLIENT_CERT": "/nonexistent/c.pem"}),
            ("kv list secret", {"VAULT_CLIENT_CERT": "/nonexistent/c.pem", "VAULT_CLIENT_KEY": "/nonexistent/k.pem"}),
            ("kv list secret", {"VAULT_CLIENT_KEY": "/nonexistent/k.pem"}),
            ("kv list secret", {"VAULT_CLIENT_CERT": "ca.pem", "VAULT_CLIENT_KEY": "/nonexistent/k.pem"}),
            ("kv list secret", {"VAULT_CLIENT_CERT": "ops.hcl", "VAULT_CLIENT_KEY": "ops.hcl"}),
            ("kv list secret", {"VAULT_CACERT": "ops.hcl"}),
            ("kv list secret", {"VAULT_CACERT": "ca.pem", "VAULT_CAPATH": "/nonexistent"}),
            ("kv list -ca-path=/nonexistent secret", {}),
            ("kv list -client-cert=/nonexistent/c.pem secret", {}),
            ("kv list -client-cert=/nonexistent/c.pem -client-key=/nonexistent/k.pem secret", {}),
            ("kv list -ca-cert=ops.hcl secret", {}),
            ("kv list secret", {"VAULT_RATE_LIMIT": "10"}),
            ("kv list secret", {"VAULT_DISABLE_REDIRECTS": "true"}),
            ("kv list secret", {"VAULT_TOKEN": "hvs.none"}),
            ("kv list secret", {"VAULT_TOKEN": "with blank"}),
            ("kv list secret", {"VAULT_TOKEN": ""}),
            ("print token", {"VAULT_TOKEN": "hvs.mine"}),
            ("kv get -field=a secret/n", {"VAULT_WRAP_TTL": "0"}),
            ("kv get -field=a secret/n", {"VAULT_WRAP_TTL": "x"}),
            ("kv get -field=wrapping_token_ttl secret/n", {"VAULT_WRAP_TTL": "5m"}),
        )
    ],
]
