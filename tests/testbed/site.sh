# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One machine (web-1), one cluster, one pod that may log in: what the demo narrates and the e2e tests start from.
# Sourced on a stage by scripts that set `cluster`, `destdir` and `tree`.

# shellcheck source=clusters.sh
. "$(dirname "${BASH_SOURCE[0]}")/clusters.sh"
# shellcheck source=machine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/machine/lib.sh"
: "${destdir:?}" "${tree:?}"
export destdir

# k8sauth on the machine, as its administrator.
k8sauth() { VAULT_TOKEN=$root_token VAULT_ADDR=unix:///run/k8sauth/api machine_run k8sauth "$@"; }

# The pod's side.
pod_ssh() { "$testbed/pod-ssh" "$@"; }

# What sshd and we say. Not by unit: journald does not know the unit of a line whose process is gone already.
journal_of_ours() { # JOURNALCTL-OPTIONS...
	machine_run journalctl -b -o cat --no-pager "$@" SYSLOG_IDENTIFIER=sshd SYSLOG_IDENTIFIER=sshd-session \
		SYSLOG_IDENTIFIER=sshd-auth SYSLOG_IDENTIFIER=k8sauthd SYSLOG_IDENTIFIER=k8sauth-helper + UNIT=k8sauthd.service + UNIT=k8sauth-helper.service
}
# The mark is a line of ours: with another one, --after-cursor would skip the first line that matches.
mark_journal() { journal_mark=$(journal_of_ours -n 1 --show-cursor | sed -n 's/^-- cursor: //p'); }
journal_since_mark() {
	journal_of_ours ${journal_mark:+--after-cursor="$journal_mark"} |
		grep -vE '^(Connection|Received disconnect|Disconnected|Server listening)|Failed to kill control group' || true
}

# The whole configuration of the machine: everything else is a default.
site_configure() { # [MACHINE]
	cat > "$(machine_root "${1:-web-1}")/etc/k8sauth/k8sauth.hcl" << 'EOF'
# The whole configuration of this machine: everything else is a default.
mode = "both"
host = "web-1"

cluster "kubernetes" {
  unix_prefix = "k8s_"
  audience    = "k8sauth:prod"
}

service "sshd" {
  export_token = true
}

export "policy" { services = ["sshd"] }
EOF
}

site_known_host() {
	machine_run sh -c 'cat /etc/ssh/ssh_host_*_key.pub' | sed 's/^/127.0.0.1 /' > "$STAGE/known_hosts"
}

# The administrator: policy, role, secrets. Prints what a person would see; sets root_token.
site_vault() {
	machine_run k8sauth operator init -format=json > "$STAGE/init.json"
	root_token=$(jq -r .root_token "$STAGE/init.json")
	machine_put "$cluster_dir/reviewer.jwt" /root/reviewer.jwt
	machine_put "$cluster_dir/ca.crt" /root/ca.crt
	k8sauth secrets enable -path=secret kv-v2
	k8sauth auth enable kubernetes
	k8sauth write auth/kubernetes/config kubernetes_host="https://127.0.0.1:$cluster_port" kubernetes_ca_cert=@/root/ca.crt \
		token_reviewer_jwt=@/root/reviewer.jwt
	cat > "$STAGE/policy" << 'EOF'
path "secret/data/webapp/*"     { capabilities = ["read"] }
path "secret/metadata/webapp/*" { capabilities = ["read", "list"] }
EOF
	k8sauth policy write webapp-policy - < "$STAGE/policy"
	k8sauth write auth/kubernetes/role/webapp bound_service_account_names=webapp-sa bound_service_account_namespaces=webapp-ns \
		token_policies=webapp-policy audience=k8sauth:prod token_ttl=1h token_max_ttl=4h
	printf '{"username": "webapp", "password": "s3cr3t-%s"}' "$RANDOM" | k8sauth kv put -mount=secret webapp/db - > /dev/null
	printf '{"key": "api-%s"}' "$RANDOM" | k8sauth kv put -mount=secret webapp/api - > /dev/null
	printf '{"password": "not-for-webapp"}' | k8sauth kv put -mount=secret payroll/db - > /dev/null
}
