# SPDX-License-Identifier: Apache-2.0
"""login -method=kubernetes, which is our own: it does and prints what `vault write auth/kubernetes/login` does."""
from cli_lines._line import Line, lines

# What `login` says before the token.
WORDS = ((r"(?s)^Success! You are now authenticated.*automatically use this token\.\n\n", ""),)
WRITE = "write auth/kubernetes/login role=webapp jwt=@jwt"
NO_TOKEN = {"VAULT_TOKEN": ""}

LINES = [
    *lines(
        """
        auth enable kubernetes
        auth enable -path=k2 kubernetes
        write auth/kubernetes/config kubernetes_host=$API kubernetes_ca_cert=@ca.pem token_reviewer_jwt=reviewer
        write auth/k2/config kubernetes_host=$API kubernetes_ca_cert=@ca.pem token_reviewer_jwt=reviewer
        write auth/kubernetes/role/webapp bound_service_account_names=webapp-sa bound_service_account_namespaces=webapp-ns policies=webapp audience=vault ttl=1h
        write auth/k2/role/webapp bound_service_account_names=other bound_service_account_namespaces=webapp-ns policies=webapp audience=vault ttl=1h
        write auth/kubernetes/login role=webapp jwt=@jwt
        """,
        alike=((r"127\.0\.0\.1:\d+", "API"),),
    ),
    Line("login -method=kubernetes role=webapp jwt=@jwt", vaults=WRITE, alike=WORDS, env=NO_TOKEN),
    Line("token lookup -format=json", env=NO_TOKEN, differs="cli-login-kubernetes"),
    Line("login -method=kubernetes -path=kubernetes/ -format=json role=webapp jwt=@jwt", vaults=WRITE.replace("write", "write -format=json"), env=NO_TOKEN, alike=((r"<uuid-\d+>", "<uuid>"),)),
    Line("login -method=kubernetes -token-only role=webapp jwt=@jwt", vaults=WRITE.replace("write", "write -field=token"), env=NO_TOKEN),
    Line("login -method=kubernetes -field=token_policies role=webapp jwt=@jwt", vaults=WRITE.replace("write", "write -field=token_policies"), env=NO_TOKEN),
    Line("login -method=kubernetes -no-store -field=policies role=webapp jwt=@jwt", vaults=WRITE.replace("write", "write -field=policies"), env=NO_TOKEN, alike=((r"(?s)^The token was not.*request to Vault\.\n\n", ""),)),
    Line("login -method=kubernetes role=webapp jwt=-", vaults=WRITE.replace("@jwt", "-"), stdin="no.jwt", env=NO_TOKEN, alike=((r"Error (authenticating|writing data to auth/kubernetes/login):", "Error:"),)),
    Line("login -method=kubernetes -path=k2 role=webapp jwt=@jwt", vaults="write auth/k2/login role=webapp jwt=@jwt", env=NO_TOKEN, alike=((r"Error (authenticating|writing data to auth/k2/login):", "Error:"),)),
    Line("login -method=kubernetes role=nope jwt=@jwt", vaults="write auth/kubernetes/login role=nope jwt=@jwt", env=NO_TOKEN, alike=((r"Error (authenticating|writing data to auth/kubernetes/login):", "Error:"),)),
]
