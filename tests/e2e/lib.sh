# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For end-to-end tests: TAP, and one machine with the stand-in API server on a stage. Source it first: it builds, then runs the script
# again on a stage. A test is a function; `t NAME FUNCTION` runs it and prints ok or not ok with what it printed.
set -uo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ -z "${STAGE:-}" ]; then
	destdir=$(mktemp -d)
	trap 'rm -rf --one-file-system "$destdir"' EXIT
	"$tests/testbed/build" "$destdir" >&2 || exit 1
	tree=$("$tests/testbed/machine/image") || exit 1
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
	for ((i = 0; i < 20; i++)); do
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

# The site of the demo: machine, cluster, role, secrets; $user and $STAGE/token may log in.
e2e_site() {
	machine_prepare web-1 "$tree" "$destdir" > "$STAGE/site.log" 2>&1 && site_configure && machine_boot web-1 && site_known_host &&
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
