# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One set of commands for both servers that speak Vault's API, real Vault in development mode and k8sauthd in server mode, both
# with TLS and an authority of their own: sourced by scripts on a stage. `server` is vault or k8sauthd; $vault and
# $K8SAUTH_BUILD say where they are. State lies in $STAGE/server.

: "${vault:?the binary of real Vault}" "${K8SAUTH_BUILD:?the folder of our build}"
server_dir=$STAGE/server
server_port=8200
server_env=() # more of the server's environment: NAME=VALUE
server_fresh= # yes: not initialised, with key shares, as an operator finds it; and real Vault in server mode too

# An /etc and a /var/lib that k8sauthd may have as on a machine of its own; they end with the stage.
server_stage() {
	local name upper
	chmod 0755 "$STAGE"
	for name in etc var/lib; do
		upper=$STAGE/${name/\//-}
		mkdir -p "$upper/upper" "$upper/work"
		mount -t overlay overlay -o "lowerdir=/$name,upperdir=$upper/upper,workdir=$upper/work" "/$name"
	done
	grep -q '^k8sauth:' /etc/passwd || echo 'k8sauth:x:987:987::/var/lib/k8sauth:/usr/sbin/nologin' >> /etc/passwd
	grep -q '^k8sauth:' /etc/group || echo 'k8sauth:x:987:' >> /etc/group
}

# An authority, and a certificate for 127.0.0.1 whose key is the daemon's alone.
server_certificate() {
	(
		cd "$server_dir"
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=server-ca \
			-addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.crt
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server -keyout tls.key -out tls.csr
		openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
			-extfile <(echo subjectAltName=IP:127.0.0.1) -out tls.crt
		chown k8sauth: tls.key
		chmod 0600 tls.key
	) 2> /dev/null
}

# systemd hands the daemon its seal key in a folder; here the folder is made by hand.
server_k8sauthd() {
	rm -rf /etc/k8sauth /var/lib/k8sauth
	mkdir -p /etc/k8sauth "$server_dir/credentials"
	server_certificate
	head -c 32 /dev/urandom > "$server_dir/credentials/k8sauth.seal"
	chmod 0400 "$server_dir/credentials/k8sauth.seal"
	chmod 0755 "$server_dir"
	chown -R k8sauth: "$server_dir/credentials"
	cat > /etc/k8sauth/k8sauth.hcl << EOF
mode = "server"
$([ -n "$server_fresh" ] || echo 'seal "systemd-credential" { }')
listener "tcp" {
  address       = "127.0.0.1:$server_port"
  tls_cert_file = "$server_dir/tls.crt"
  tls_key_file  = "$server_dir/tls.key"
}
EOF
	server_launch "CREDENTIALS_DIRECTORY=$server_dir/credentials" "$K8SAUTH_BUILD/pam_k8sauth/daemon/k8sauthd"
}

server_vault_fresh() {
	server_certificate
	cat > "$server_dir/vault.hcl" << EOF
disable_mlock = true
api_addr = "https://127.0.0.1:$server_port"
storage "inmem" { }
listener "tcp" {
  address       = "127.0.0.1:$server_port"
  tls_cert_file = "$server_dir/tls.crt"
  tls_key_file  = "$server_dir/tls.key"
}
EOF
	server_launch "$vault" server -config="$server_dir/vault.hcl"
}

server_vault() {
	server_launch "$vault" server -dev-tls -dev-tls-cert-dir="$server_dir" -dev-root-token-id=root -dev-no-store-token \
		-dev-listen-address="127.0.0.1:$server_port"
}

server_launch() { # [NAME=VALUE] COMMAND...
	env -u VAULT_ADDR -u VAULT_TOKEN HOME="$server_dir" "${server_env[@]}" "$@" > "$server_dir/log" 2>&1 < /dev/null &
	server_pid=$!
	disown
}

# Starts $server afresh, and sets VAULT_ADDR, VAULT_CACERT and VAULT_TOKEN (root's). It has secret/ as KV version 2. With
# server_fresh there is neither yet.
server_start() {
	local i
	rm -rf "$server_dir"
	mkdir "$server_dir"
	export VAULT_ADDR=https://127.0.0.1:$server_port VAULT_CACERT=$server_dir/ca.crt VAULT_TOKEN=root
	[ "$server$server_fresh" != vault ] || VAULT_CACERT=$server_dir/vault-ca.pem
	[ -z "$server_fresh" ] || unset VAULT_TOKEN
	if [ "$server$server_fresh" = vaultyes ]; then server_vault_fresh; else "server_$server"; fi
	for ((i = 0; i < 300; i++)); do
		[ "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$VAULT_CACERT" "$VAULT_ADDR/v1/sys/init")" = 200 ] && break
		kill -0 "$server_pid" 2> /dev/null || break
		sleep 0.1
	done
	if ! kill -0 "$server_pid" 2> /dev/null || [ "$i" -ge 300 ]; then
		echo "testbed: $server does not start:" >&2
		tail -20 "$server_dir/log" >&2
		return 1
	fi
	[ "$server$server_fresh" = k8sauthd ] || return 0
	VAULT_TOKEN=$("$vault" operator init -format=json | jq -r .root_token)
	"$vault" secrets enable -path=secret kv-v2 > /dev/null
	# The token that development mode has, made as it is made there: what was written by it says the same of both.
	VAULT_TOKEN=$("$vault" token create -id=root -orphan -policy=root -field=token)
}

server_stop() {
	kill "$server_pid"
	while kill -0 "$server_pid" 2> /dev/null; do sleep 0.05; done
}
