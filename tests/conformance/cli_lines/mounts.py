# SPDX-License-Identifier: Apache-2.0
"""secrets, auth, policy, operator."""
from cli_lines._line import Line, lines

FILES = {"p.hcl": 'path "secret/*" {\n  capabilities = ["read"]\n}\n', "bad.hcl": "path {", "empty.hcl": ""}

LINES = [
    *lines(
        """
        secrets list
        secrets list -detailed
        secrets list -format=json
        secrets list -format=yaml
        secrets list -detailed -format=json
        secrets list -format=raw
        auth list
        auth list -detailed
        auth list -format=json
        auth list -format=yaml
        secrets enable -path=k1 -description='some text' -version=1 kv
        secrets enable -path=k1 kv
        secrets enable -path=k1/below kv
        secrets enable -path=k2/ kv-v2
        secrets enable -path=/a/b/ -default-lease-ttl=1h -max-lease-ttl=2h kv
        secrets enable -path=sys kv
        secrets enable -path=k9 -version=9 kv
        secrets enable nope
        secrets enable -path=x nope
        secrets enable -path=local -local -listing-visibility=unauth -audit-non-hmac-request-keys=a -passthrough-request-headers=X-H kv
        secrets list
        secrets list -detailed
        secrets list -format=json
        secrets list -detailed -format=yaml
        secrets tune -default-lease-ttl=1h secret
        secrets tune -description=changed secret/
        secrets tune -listing-visibility=unauth secret
        secrets tune -max-lease-ttl=30m secret
        secrets tune -options=version=1 k2
        secrets tune -version=2 k1
        secrets tune nope
        secrets tune secret
        secrets list -detailed
        secrets disable k2
        secrets disable k2
        secrets disable sys
        secrets disable a/b/
        secrets move nope other
        secrets move secret secret
        secrets move sys x
        auth enable kubernetes
        auth enable kubernetes
        auth enable -path=k2 -description=d -token-type=batch -max-lease-ttl=5m kubernetes
        auth enable -path=k3 -token-type=nope kubernetes
        auth enable nope
        auth list
        auth list -detailed
        auth list -format=json
        auth list -detailed -format=json
        auth tune -default-lease-ttl=10m -token-type=service kubernetes
        auth tune -description= kubernetes
        auth tune -listing-visibility=unauth kubernetes/
        auth tune -listing-visibility=nope kubernetes/
        auth tune nope
        auth list -detailed
        auth move nope other
        auth help nope
        auth help -
        auth disable kubernetes
        auth disable kubernetes
        auth disable k2
        auth disable token
        auth list
        policy list
        policy list -format=json
        policy list -format=yaml
        policy list -format=raw
        policy read nope
        policy read root
        policy write p p.hcl
        policy write P2 p.hcl
        policy write p bad.hcl
        policy write p empty.hcl
        policy write root p.hcl
        policy write response-wrapping p.hcl
        policy write p /nonexistent/file
        policy write p .
        policy read p
        policy read P
        policy read -format=json p
        policy read -format=yaml p
        policy read -format=pretty p
        policy list
        policy delete p
        policy delete p
        policy delete root
        policy delete default
        policy delete p2
        policy list
        operator init
        operator init -key-shares=1 -key-threshold=1
        operator init -status
        operator init -status -format=json
        operator init -status -format=yaml
        """
    ),
    Line("policy write stdin -", stdin='path "x" { capabilities = ["list"] }'),
    Line("policy read stdin"),
    Line("policy write stdin -", stdin=""),
    Line("secrets move local moved"),
    Line("secrets list"),
    Line("auth help token", shape=True),
]
