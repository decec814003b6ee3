# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For end-to-end tests that play the same commands against real Vault and against k8sauthd in server mode and compare what a person
# sees. Source it first: it builds, then runs the script again on a stage. There, `play DAY` runs the function DAY once per server:
#
#   step [-x CODE] [-d ID] TITLE << 'EOF'    commands, run in the script's own shell; their output, errors and exit code (0, or CODE)
#                                            are kept and compared, and no command but the last may fail; -d: it differs, as docs/compatibility.md says under ID
#   explained REGEX                          what k8sauthd logged during the last step says so
#   off TITLE...                             a step of the original that waits for something that is not built yet
#
# and `compare NAME` prints the TAP; the differences are those of the section of docs/compatibility.md that NAME checks.
set -uo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ -z "${STAGE:-}" ]; then
	"$tests/testbed/packages" >&2 || exit 1
	if [ -z "${K8SAUTH_BUILD:-}" ]; then
		destdir=$(mktemp -d)
		trap 'rm -rf --one-file-system "$destdir"' EXIT
		"$tests/testbed/build" "$destdir" >&2 || exit 1
		K8SAUTH_BUILD=$(dirname "$tests")/build
	fi
	KUBEBUILDER_ASSETS=$("$tests/testbed/real/build") && VAULT_BIN=$("$tests/testbed/real/build" vault) || exit 1
	export K8SAUTH_BUILD KUBEBUILDER_ASSETS VAULT_BIN
	[ "$(type -t before_stage)" != function ] || before_stage || exit 1
	"$tests/testbed/stage" "$0" "$@"
	exit $?
fi

# What the caller's environment says about servers, tokens and proxies is none of ours.
for name in $(compgen -e | grep -iE '^VAULT_|^KUBECONFIG$|_PROXY$'); do
	[ "$name" = VAULT_BIN ] || unset "$name"
done
export cluster=real vault=$VAULT_BIN
# shellcheck source=../testbed/clusters.sh
. "$tests/testbed/clusters.sh"
# shellcheck source=../testbed/servers.sh
. "$tests/testbed/servers.sh"
server_stage
mkdir "$STAGE/bin" "$STAGE/home" "$STAGE/transcripts"
ln -s "$VAULT_BIN" "$STAGE/bin/vault"
ln -s "$KUBEBUILDER_ASSETS/kubectl" "$STAGE/bin/kubectl"
export PATH=$STAGE/bin:$PATH HOME=$STAGE/home
cd "$HOME" || exit 1
steps_off=()

step() { # [-x CODE] [-d ID] TITLE
	local commands wanted=0 differs='' at
	while [ "${1:0:1}" = - ]; do
		case $1 in
		-x) wanted=$2 ;;
		-d) differs=$2 ;;
		esac
		shift 2
	done
	commands=$(cat)
	step_number=$((step_number + 1))
	at=$STAGE/transcripts/$server/$(printf %03d "$step_number")
	step_at=$at
	step_log=$(stat -c %s "$server_dir/log")
	step_failures=0
	set -E
	trap 'step_failures=$((step_failures + 1))' ERR
	eval "$commands" > "$at.out" 2> "$at.err" < /dev/null
	echo $? > "$at.code"
	trap - ERR
	set +E
	echo "$step_failures" > "$at.failures"
	echo "$wanted" > "$at.wanted"
	echo "$differs" > "$at.differs"
	echo "$1" > "$at.title"
	echo "$commands" > "$at.commands"
}

# The daemon writes what it logs before it answers.
explained() { # EXTENDED-REGEX
	[ "$server" = k8sauthd ] || return 0
	tail -c "+$((step_log + 1))" "$server_dir/log" > "$step_at.log"
	echo "$1" > "$step_at.explained"
}

off() { # TITLE...
	[ "$server" = k8sauthd ] && steps_off+=("$@")
	return 0
}

# Runs the day against both servers, each fresh, with PREPARE before and TIDY after each. Never as part of an `||`: there bash does
# not see commands that fail.
play() { # DAY [PREPARE [TIDY]]
	for server in vault k8sauthd; do
		echo "# $1 against $server"
		step_number=0
		mkdir -p "$STAGE/transcripts/$server"
		if ! "${2:-true}" || ! server_start; then
			echo "Bail out! $server did not come up"
			exit 1
		fi
		"$1"
		server_stop
		"${3:-true}"
	done
}

compare() { # NAME
	"$tests/e2e/bin/transcripts" "$STAGE/transcripts" "$1"
	local code=$? title
	echo "# ${#steps_off[@]} steps are off until what they need is built"
	for title in "${steps_off[@]}"; do
		echo "# off: $title"
	done
	return $code
}
