# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For end-to-end tests: TAP, and one machine with the stand-in API server on a stage. Source it first: it builds, then runs the script
# again on a stage, on Debian 12, or Debian 13 with RELEASE=trixie; `machine_image` names another machine of the release. A test is a
# function; `t NAME FUNCTION` runs it and prints ok or not ok with what it printed.
set -uo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ -z "${STAGE:-}" ]; then
	destdir=$(mktemp -d)
	trap 'rm -rf --one-file-system "$destdir"' EXIT
	export RELEASE=${RELEASE:-bookworm}
	"$tests/testbed/build" "$destdir" "$RELEASE" >&2 || exit 1
	tree=$("$tests/testbed/machine/image" "${machine_image:-$RELEASE}") || exit 1
	export destdir tree
	"$tests/testbed/stage" "$0" "$@"
	exit $?
fi

export cluster=stand-in
: "${destdir:?}" "${tree:?}"
# shellcheck source=../testbed/site.sh
. "$tests/testbed/site.sh"

tap_count=0 tap_failed=0
t() { # NAME FUNCTION [ARGUMENTS...]
	local name=$1 out code
	shift
	tap_count=$((tap_count + 1))
	mark_journal
	out=$STAGE/tap-output
	# Not inside the `if`: there bash would ignore -e, and a test would only be as good as its last command.
	(set -e; "$@") > "$out" 2>&1
	code=$?
	if [ $code -eq 0 ]; then
		echo "ok $tap_count - $name"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $name"
		sed 's/^/#   /' "$out"
		echo '#   journal:'
		journal_since_mark | tail -20 | sed 's/^/#   /'
	fi
}

tap_end() {
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ]
}

# For use inside a test: each says what was expected when it fails.
expect_journal() { # EXTENDED-REGEX
	local i
	for ((i = 0; i < 100; i++)); do
		journal_since_mark > "$STAGE/journal"
		grep -qE "$1" "$STAGE/journal" && return 0
		sleep 0.1
	done
	echo "the journal does not say /$1/"
	return 1
}
expect_output() { # FILE EXTENDED-REGEX
	grep -qE "$2" "$1" && return 0
	echo "expected /$2/ in:"
	cat "$1"
	return 1
}

# A session in the background: sets session_client, session_token and session_dir.
open_session() {
	rm -f "$STAGE/hold"
	mkfifo "$STAGE/hold"
	# shellcheck disable=SC2016
	pod_ssh "$user" "$STAGE/token" 'echo "$VAULT_TOKEN $K8SAUTH_DIR"; read -r _ || true' < "$STAGE/hold" > "$STAGE/session" 2> "$STAGE/session.err" &
	session_client=$!
	exec 8> "$STAGE/hold"
	for _ in $(seq 300); do
		read -r session_token session_dir < "$STAGE/session" && return 0
		sleep 0.1
	done
	echo 'no session:'
	cat "$STAGE/session.err"
	return 1
}
end_session() {
	exec 8>&-
	wait "$session_client" || true
}

token_works() {
	VAULT_TOKEN=$1 VAULT_ADDR=unix:///run/k8sauth/api machine_run k8sauth token lookup > "$STAGE/lookup" 2>&1 && return 0
	cat "$STAGE/lookup"
	return 1
}
files_there() { machine_run test -e "$session_dir/token" || { echo "$session_dir/token is missing"; return 1; }; }

# Waits until both token and files are gone.
all_gone() { # SECONDS
	local i
	for ((i = 0; i < $1 * 5; i++)); do
		if ! token_works "$session_token" > "$STAGE/gone" 2>&1 && ! machine_run test -e "$session_dir"; then
			return 0
		fi
		sleep 0.2
	done
	machine_run test -e "$session_dir" && echo "$session_dir is still there"
	token_works "$session_token" && echo 'the token still works'
	return 1
}

# systemd starts a killed daemon again after two seconds.
daemon_active() {
	local i
	for ((i = 0; i < 300; i++)); do
		sleep 0.1
		machine_run systemctl -q is-active k8sauthd.service && return 0
	done
	machine_run systemctl status k8sauthd.service
}

# The site of the demo: machine, cluster, role, secrets; $user and $STAGE/token may log in. PREPARE runs before the machine boots.
e2e_site() { # [PREPARE [NSPAWN-OPTIONS...]]
	machine_prepare web-1 "$tree" "$destdir" > "$STAGE/site.log" 2>&1 && site_configure && "${1:-true}" && machine_boot web-1 "${@:2}" && site_known_host &&
		cluster_start && cluster_reviewer && cluster_workload webapp-ns webapp-sa webapp-0 && site_vault >> "$STAGE/site.log" 2>&1 ||
		{
			echo "Bail out! the site did not come up"
			cat "$STAGE/site.log" >&2
			[ -z "${machine_pid:-}" ] || machine_run journalctl -b --no-pager -n 40 >&2
			exit 1
		}
	export user=k8s_webapp-ns_webapp-sa
	cluster_token webapp-ns webapp-sa webapp-0 k8sauth:prod > "$STAGE/token"
	trap 'cluster_stop; machine_down web-1' EXIT
}
