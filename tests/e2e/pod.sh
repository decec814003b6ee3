# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A pod on the stage, beside the machine, for tests of its SSH clients: what is mounted where docs/ssh.md says, the name web-1, and the
# snippets of that page, word for word. Source it after lib.sh.

pod=$STAGE/pod
mounted=/var/run/secrets/machines
page=$(dirname "$tests")/docs/ssh.md

# The fenced block of the page that follows the comment <!-- NAME -->.
snippet() { # NAME
	awk -v mark="<!-- $1 -->" '$0 == mark {found = 1; next} found && /^```/ {if (inside) exit; inside = 1; next} inside' "$page" > "$STAGE/snippet"
	[ -s "$STAGE/snippet" ] || { echo "docs/ssh.md has no snippet $1" >&2; return 1; }
	cat "$STAGE/snippet"
}

pod_start() {
	local name
	mkdir -p "$pod" "$mounted"
	cp "$STAGE/token" "$mounted/token"
	# As ssh-keyscan writes it: dbclient takes a comment for a part of the key.
	awk '{print "web-1", $2, $3}' "$STAGE/known_hosts" > "$mounted/known_hosts"
	{ cat /etc/hosts; echo '127.0.0.1 web-1'; } > "$STAGE/hosts"
	mount --bind "$STAGE/hosts" /etc/hosts
	for name in ssh_config ansible.cfg inventory paramiko asyncssh environment; do
		snippet "$name" > "$pod/$name"
	done
	PATH=$destdir/usr/bin:$PATH
	# shellcheck source=/dev/null
	. "$pod/environment"
	export XDG_CACHE_HOME=${XDG_CACHE_HOME:-$HOME/.cache} # the testbed's
	# Nothing of the person who runs the tests: programs that go by HOME find an empty one.
	export HOME=$pod
	unset SSH_AUTH_SOCK DISPLAY
	cd "$pod"
}
pod_token() { cp "$1" "$mounted/token"; } # FILE

# A token of FROM to TO bytes: an audience more fills it up.
sized_token() { # FROM TO FILE
	local short pad options=(--audience k8sauth:prod --alg ES256)
	short=$(cluster_ctl token webapp-ns webapp-sa "${options[@]}" --audience x | tr -d '\n' | wc -c)
	pad=$((($1 - short) * 3 / 4 + 3))
	cluster_ctl token webapp-ns webapp-sa "${options[@]}" --audience "$(head -c "$pad" /dev/zero | tr '\0' x)" | tr -d '\n' > "$3"
	[ "$(wc -c < "$3")" -ge "$1" ] && [ "$(wc -c < "$3")" -le "$2" ]
}
