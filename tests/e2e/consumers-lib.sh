# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests of the daemons of docs/consumers.md, configured by the files that are installed: sourced instead of lib.sh. A daemon is a
# function `NAME CREDENTIAL-FILE` that succeeds if it let $user in; what its client saw is in $STAGE/out.
export machine_image=consumers
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
doc=/usr/share/doc/k8sauth

# All of it: each daemon's program says what the module has to say.
journal_of_ours() { machine_run journalctl -b -o cat --no-pager "$@"; } # JOURNALCTL-OPTIONS...

# Before the machine boots: PAM service files as they are installed, and consumer blocks.
consumers_prepare() { # PAM-SERVICE...
	local root service
	root=$(machine_root web-1)
	for service; do
		cp "$root$doc/pam.d/$service" "$root/etc/pam.d/$service"
	done
	cat "$root$doc/consumers/consumers.hcl" >> "$root/etc/k8sauth/k8sauth.hcl"
}

# A file of the size, of one letter: the module gets as far as to say how long it is, if it is asked.
sized() { head -c "$1" /dev/zero | tr '\0' a > "$STAGE/sized"; } # BYTES
ticket() { # [TTL]
	k8sauth write -wrap-ttl="${1:-60s}" -field=wrapping_token auth/kubernetes/login role=webapp "jwt=$(cat "$STAGE/token")" > "$STAGE/ticket"
}
tokens() { k8sauth list -format=json auth/token/accessors | jq length; }
reviews() { cluster_ctl requests | jq '[.requests[] | select(.path | endswith("/tokenreviews"))] | length'; }
forget() { machine_run systemctl reload k8sauthd.service; }

make_credentials() {
	local token
	token=$(cat "$STAGE/token")
	cluster_expired_token "$token" > "$STAGE/expired"
	printf '%s.%s%s\n' "${token%.*}" AAAA "$(sed 's/.*\.....//' <<< "$token")" > "$STAGE/wrong"
	printf 'hunter2' > "$STAGE/password"
	printf 'hvs.%s' "$(head -c 200 /dev/urandom | base64 -w0 | tr -d '+/=' | cut -c1-24)" > "$STAGE/forged" # a ticket by its form
}

accepts() { # DAEMON CREDENTIAL-FILE
	"$1" "$2" && return 0
	echo "$1 refused:"
	tail -20 "$STAGE/out"
	return 1
}
refuses() { # DAEMON CREDENTIAL-FILE [JOURNAL-REGEX]
	if "$1" "$2"; then
		echo "$1 let $user in:"
		cat "$STAGE/out"
		return 1
	fi
	[ -z "${3:-}" ] || expect_journal "$3"
}
right_ticket() { # DAEMON
	ticket
	accepts "$1" "$STAGE/ticket"
}
expired_ticket() { # DAEMON
	ticket 1s
	for _ in $(seq 100); do
		k8sauth write sys/wrapping/lookup "token=$(cat "$STAGE/ticket")" > /dev/null 2>&1 || break
		sleep 0.1
	done
	refuses "$1" "$STAGE/ticket" 'refused at'
}
# The table of pam_k8sauth(8): what is one byte too long never gets to the module, or not whole.
limit() { # DAEMON BYTES
	sized "$2"
	refuses "$1" "$STAGE/sized" "an answer of $2 bytes|cut at $2 bytes"
	sized $(($2 + 1))
	refuses "$1" "$STAGE/sized"
	machine_run journalctl --sync
	! journal_since_mark | grep -E "(an answer of|cut at) $(($2 + 1)) bytes"
}
daemon_down() { # DAEMON CREDENTIAL-FILE
	machine_run systemctl stop k8sauthd.service k8sauth-pam.socket 2> /dev/null
	trap 'machine_run systemctl start k8sauth-pam.socket k8sauthd.service' EXIT
	refuses "$1" "$2" 'k8sauthd is not reachable at /run/k8sauth/pam'
}
nothing_minted() { # COMMAND...
	local before
	before=$(tokens)
	"$@"
	[ "$(tokens)" = "$before" ] || { echo "$(tokens) tokens instead of $before"; return 1; }
}

# Everything that a daemon is asked which takes tokens whole.
takes_tokens() { # DAEMON LIMIT
	t "$1: a token" nothing_minted accepts "$1" "$STAGE/token"
	t "$1: a wrong token" refuses "$1" "$STAGE/wrong" 'refused at'
	t "$1: an expired token" refuses "$1" "$STAGE/expired" 'expired'
	t "$1: at most $2 bytes" limit "$1" "$2"
	t "$1: k8sauthd is down" daemon_down "$1" "$STAGE/token"
	t "$1: and up again" accepts "$1" "$STAGE/token"
}
# And one that has no room for more than a ticket.
takes_tickets() { # DAEMON LIMIT [JOURNAL-REGEX-OF-A-TOKEN]
	t "$1: a ticket" right_ticket "$1"
	t "$1: the ticket again, when it is not remembered any more" used_ticket "$1"
	t "$1: a wrong password" refuses "$1" "$STAGE/password" 'no service account token'
	t "$1: a wrong ticket" refuses "$1" "$STAGE/forged" 'ALARM: a ticket of'
	t "$1: an expired ticket" expired_ticket "$1"
	t "$1: a token is too long" refuses "$1" "$STAGE/token" "${3:-}"
	t "$1: at most $2 bytes" limit "$1" "$2"
	ticket
	t "$1: k8sauthd is down" daemon_down "$1" "$STAGE/ticket"
	t "$1: and up again" accepts "$1" "$STAGE/ticket"
}
used_ticket() { # DAEMON
	forget
	refuses "$1" "$STAGE/ticket" 'ALARM: a ticket of'
}
