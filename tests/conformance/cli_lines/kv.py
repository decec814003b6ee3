# SPDX-License-Identifier: Apache-2.0
"""Key-value secrets, both versions."""
from cli_lines._line import Line, lines

FILES = {"secret.json": '{"n": 1.50, "big": 12345678901234567890, "b": true, "l": [1, "x", null], "m": {"z": 1, "a": "<&>"}, "nil": null}', "value": "from a file\n",
         "odd.json": r'''{"a10": 1e3, "a2": 1e21, "minus": -0, "ü": "\u2028", "esc": "x\u001b[31mred\u001b[0m\u001bcy", "emoji": "\ud83d\ude00", "bom": "\ufeff",
            "merge": "<<", "nbsp": "\u00a0x\u3000", "long": "word word word word word word word word word word word word word word word word word word word word",
            "cr": "a\r\nb", "num": "1e3", "big": 123456789012345678901234567890, "small": 0.000001, "real": 1234567.5, "lines": ["two\nlines\n\n", " lead", "trail "]}'''}

LINES = [
    *lines(
        r"""
        kv put secret/a a=1 'b=x<y>&'
        kv get secret/a
        kv get -field=a secret/a
        kv get -field=zz secret/a
        kv get -format=json secret/a
        kv get -format=yaml secret/a
        kv get -format=pretty secret/a
        kv get -format=raw secret/a
        kv get -format=json -field=b secret/a
        kv get -field=data secret/a
        kv get -field=metadata secret/a
        kv get -field=lease_id secret/a
        kv get -field=lease_duration secret/a
        kv get -field=request_id secret/a
        kv get /secret/a/
        kv get secret/none
        kv get -format=json secret/none
        kv get -field=a secret/none
        kv get nomount/x
        kv get secret
        kv get -mount=secret a
        kv get -mount=secret/ a
        kv get -mount=nomount a
        kv get -version=1 secret/a
        kv get -version=77 secret/a
        kv get secret/a -version=1
        kv get secret/a -format=json
        kv put secret/a a=1 -cas=3
        kv put -cas=99 secret/a x=1
        kv put -cas=0 secret/new x=1
        kv put -cas=0 secret/new x=2
        kv put -format=json secret/yy a=1
        kv put -format=yaml secret/yy a=1
        kv put -field=version secret/yy a=1
        kv put secret/types @secret.json
        kv get secret/types
        kv get -format=json secret/types
        kv get -format=yaml secret/types
        kv get -field=n secret/types
        kv get -field=m secret/types
        kv get -field=l secret/types
        kv get -field=nil secret/types
        kv get -field=big secret/types
        kv put secret/f 'v=@value' 'w=\@value' 'x=a=b' 'e='
        kv get secret/f
        kv get -field=v secret/f
        kv get -field=e secret/f
        kv get -format=yaml secret/f
        kv put secret/list k=1 k=2 k=3
        kv get secret/list
        kv put secret/x/y a=1
        kv get secret/x/y
        kv list secret
        kv list secret/
        kv list secret/x
        kv list secret/none
        kv list -format=json secret
        kv list -format=yaml secret
        kv list -format=json secret/none
        kv list -mount=secret
        kv list -mount=secret x
        kv list nomount
        kv put 'secret/with blank' a=1
        kv get 'secret/with blank'
        kv put 'secret/per%cent' a=1
        kv get 'secret/per%cent'
        kv put 'secret/ünicode' 'ü=ä'
        kv get 'secret/ünicode'
        kv get -format=json 'secret/ünicode'
        kv put secret/dur ttl=3600 lease_duration=90 my_ttl=1h x_period=5
        kv get secret/dur
        kv metadata get secret/a
        kv metadata get -format=json secret/a
        kv metadata get -format=yaml secret/a
        kv metadata get secret/none
        kv metadata get nomount/a
        kv metadata put -max-versions=3 -custom-metadata=a=b -custom-metadata=c=d -cas-required -delete-version-after=1h secret/m
        kv metadata get secret/m
        kv metadata put secret/m
        kv metadata patch -remove-custom-metadata=a secret/m
        kv metadata patch -max-versions=5 -cas-required=false secret/m
        kv metadata patch secret/m
        kv metadata patch secret/none
        kv metadata get secret/m
        kv metadata put -delete-version-after=-1s secret/m
        kv patch secret/a c=1
        kv get secret/a
        kv patch -cas=99 secret/a c=1
        kv patch -method=patch secret/a d=1
        kv patch -method=rw secret/a e=1
        kv patch -method=foo secret/a a=1
        kv patch -method=rw secret/none a=1
        kv patch -method=patch secret/none a=1
        kv patch secret/none c=1
        kv patch -remove-data=a secret/a
        kv patch -remove-data=b secret/a z=9
        kv patch -method=rw -remove-data=z secret/a y=9
        kv patch -format=json secret/a y=8
        kv patch -field=version secret/a y=8
        kv get secret/a
        kv delete secret/a
        kv get secret/a
        kv get -format=json secret/a
        kv get -field=a secret/a
        kv patch -method=rw secret/a a=1
        kv patch secret/a a=1
        kv undelete -versions=1 secret/a
        kv undelete -versions=99 secret/a
        kv rollback -version=1 secret/a
        kv rollback -version=99 secret/a
        kv rollback -format=json -version=1 secret/a
        kv delete -versions=1,2 secret/a
        kv delete -versions=1 -versions=2 secret/a
        kv rollback -version=1 secret/a
        kv destroy -versions=1 secret/a
        kv rollback -version=1 secret/a
        kv get -version=1 secret/a
        kv destroy -versions=x secret/a
        kv delete secret/none
        kv delete nomount/x
        kv metadata delete secret/a
        kv metadata delete secret/q
        kv metadata get secret/a
        kv get secret/a
        secrets enable -version=1 -path=k1 kv
        kv put k1/a b=c
        kv put k1/types @secret.json
        kv put k1/odd @odd.json
        kv get k1/odd
        kv get -format=json k1/odd
        kv get -format=yaml k1/odd
        kv get -field=esc k1/odd
        kv get -field=real k1/odd
        kv get -format=yaml -field=lines k1/odd
        kv get k1/types
        kv get -format=json k1/types
        kv get -format=yaml k1/types
        kv get k1/a
        kv get -mount=k1 a
        kv get -field=b k1/a
        kv get -format=json k1/a
        kv get k1/none
        kv list k1
        kv list k1/none
        kv list -mount=k1
        kv patch k1/a b=c
        kv undelete -versions=1 k1/a
        kv destroy -versions=1 k1/a
        kv rollback -version=1 k1/a
        kv metadata get k1/a
        kv metadata put k1/a
        kv metadata patch k1/a
        kv metadata delete k1/a
        kv delete -versions=1 k1/a
        kv delete k1/a
        kv get k1/a
        kv enable-versioning k1
        kv enable-versioning nope
        """
    ),
    Line("kv put secret/stdin -", stdin='{"a": "b"}'),
    Line("kv put secret/stdin a=-", stdin="secret"),
    Line("kv get secret/stdin"),
    Line("kv get -field=a secret/stdin", pty=True),
    Line("kv get secret/none", pty=True),
    Line("kv get secret/stdin", pty=True),
    Line("kv get -field=a secret/stdin", pty=True, env={"NO_COLOR": "1"}),
    Line("kv get -field=a secret/stdin", pty=True, env={"VAULT_CLI_NO_COLOR": "1"}),
    Line("kv get secret/stdin", env={"VAULT_FORMAT": "json"}),
    Line("kv get -format=table secret/stdin", env={"VAULT_FORMAT": "json"}),
]
