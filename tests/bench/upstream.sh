# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# An API server that answers every TokenReview alike, at once or after a while: sourced by scripts on a stage after clusters.sh.

: "${build:?}" "${cluster_dir:?}"
upstreams=()

# Its one answer fits the token in FILE, as kube-apiserver words it. It goes to $STAGE/answer.
upstream_answer() { # FILE
	token_claims < "$1" | jq -c --rawfile token "$1" '{kind: "TokenReview", apiVersion: "authentication.k8s.io/v1", metadata: {}, spec: {token: ($token | rtrimstr("\n")), audiences: .aud},
		status: {authenticated: true, audiences: .aud, user: {username: .sub, uid: .["kubernetes.io"].serviceaccount.uid,
		groups: ["system:serviceaccounts", "system:serviceaccounts:webapp-ns", "system:authenticated"],
		extra: {"authentication.kubernetes.io/credential-id": ["JTI=" + .jti],
			"authentication.kubernetes.io/node-name": [.["kubernetes.io"].node.name],
			"authentication.kubernetes.io/node-uid": [.["kubernetes.io"].node.uid],
			"authentication.kubernetes.io/pod-name": [.["kubernetes.io"].pod.name],
			"authentication.kubernetes.io/pod-uid": [.["kubernetes.io"].pod.uid]}}}}' > "$STAGE/answer"
}

upstream_start() { # PORT THINK, in microseconds
	"$build/tests/bench/bench_upstream" "$1" "$cluster_dir/server.crt" "$cluster_dir/server.key" "$2" "$STAGE/answer" &
	upstreams+=($!)
	sleep 0.3
}
