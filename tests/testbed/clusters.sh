# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One set of commands for both clusters, the stand-in API server and the real control plane: sourced by scripts on a stage.
# Set `cluster` to stand-in or real first. There may be several side by side, each with an authority of its own: the functions
# are about the one that cluster_use named last, at first about `cluster` on port 6443. State lies in $STAGE/NAME.

: "${cluster:?stand-in or real}"
cluster_dir=$STAGE/cluster
cluster_port=6443
testbed=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

cluster_use() { # NAME PORT
	cluster_dir=$STAGE/$1
	cluster_port=$2
}

cluster_ctl() { "$testbed/apiserver" ctl --state "$cluster_dir" "$@"; }
cluster_kubectl() { "$testbed/real/control-plane" kubectl "$cluster_dir" "$@"; }

cluster_start() {
	mkdir -p "$cluster_dir"
	if [ "$cluster" = real ]; then
		"$testbed/real/control-plane" start "$cluster_dir" "$cluster_port"
		return
	fi
	"$testbed/apiserver" --state "$cluster_dir" --port "$cluster_port" > "$cluster_dir/log" 2>&1 < /dev/null &
	echo $! > "$cluster_dir/pids"
	disown # bash would report its end
	for _ in $(seq 600); do
		curl -sf --cacert "$cluster_dir/ca.crt" "https://127.0.0.1:$cluster_port/readyz" > /dev/null && return
		sleep 0.1
	done
	cat "$cluster_dir/log" >&2
	return 1
}

cluster_stop() {
	"$testbed/real/control-plane" stop "$cluster_dir"
}

# Namespace, service account and a running pod of it.
cluster_workload() { # NAMESPACE SERVICE-ACCOUNT POD
	if [ "$cluster" = stand-in ]; then
		cluster_ctl create-sa "$1" "$2"
		cluster_ctl create-pod "$1" "$3" --sa "$2" --node node-1
		return
	fi
	cluster_kubectl create namespace "$1" > /dev/null
	cluster_kubectl create serviceaccount "$2" -n "$1" > /dev/null
	cluster_kubectl get node node-1 > /dev/null 2>&1 || cluster_kubectl create -f - > /dev/null << 'EOF'
{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}}
EOF
	cluster_kubectl create -f - > /dev/null << EOF
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "$3", "namespace": "$1"},
 "spec": {"serviceAccountName": "$2", "nodeName": "node-1", "containers": [{"name": "app", "image": "none"}]}}
EOF
}

# A token bound to the pod (and so to its node), on standard output.
cluster_token() { # NAMESPACE SERVICE-ACCOUNT POD AUDIENCE
	if [ "$cluster" = stand-in ]; then
		cluster_ctl token "$1" "$2" --audience "$4" --duration 600 --pod "$3"
	else
		cluster_kubectl create token "$2" -n "$1" --audience "$4" --duration 600s --bound-object-kind Pod --bound-object-name "$3"
	fi
}

# The reviewer as every Vault guide sets it up: a service account with system:auth-delegator and a long-lived Secret.
# Puts its token into $cluster_dir/reviewer.jwt.
cluster_reviewer() {
	if [ "$cluster" = stand-in ]; then
		cluster_ctl create-reviewer vault vault-auth > "$cluster_dir/reviewer.jwt"
		return
	fi
	cluster_kubectl create namespace vault > /dev/null
	cluster_kubectl create serviceaccount vault-auth -n vault > /dev/null
	cluster_kubectl create -f - > /dev/null << 'EOF'
{"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
 "metadata": {"name": "vault-auth-token", "namespace": "vault", "annotations": {"kubernetes.io/service-account.name": "vault-auth"}}}
EOF
	cluster_kubectl create clusterrolebinding vault-tokenreview-binding --clusterrole=system:auth-delegator \
		--serviceaccount=vault:vault-auth > /dev/null
	local token=
	for _ in $(seq 600); do
		token=$(cluster_kubectl get secret vault-auth-token -n vault -o 'jsonpath={.data.token}')
		[ -n "$token" ] && break
		sleep 0.1
	done
	base64 -d <<< "$token" > "$cluster_dir/reviewer.jwt"
}

# The claims of a token as JSON: for showing, nothing is checked.
token_claims() {
	cut -d. -f2 | tr '_-' '/+' | awk '{while (length($0) % 4) $0 = $0 "="; print}' | base64 -d
}

# The same token with times in the past, signed by the cluster's own key (which the testbed holds).
cluster_expired_token() { # TOKEN
	local key=$cluster_dir/sa.key header payload now
	now=$(date +%s)
	header=$(cut -d. -f1 <<< "$1")
	payload=$(token_claims <<< "$1" | jq -cj ".iat = $now - 7200 | .nbf = $now - 7200 | .exp = $now - 3600" | base64url)
	printf '%s.%s.%s' "$header" "$payload" "$(printf '%s.%s' "$header" "$payload" | openssl dgst -sha256 -sign "$key" -binary | base64url)"
}

base64url() { base64 -w0 | tr '/+' '_-' | tr -d '='; }
