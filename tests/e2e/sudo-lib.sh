# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the end-to-end tests of the gate: a machine with our sudo files, policies, and commands that a session runs. Source it first.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

with_sudo() {
	local root
	root=$(machine_root web-1)
	cp "$root/usr/share/doc/k8sauth/pam.d/sudo" "$root/usr/share/doc/k8sauth/pam.d/sudo-i" "$root/etc/pam.d/"
	chroot "$root" usermod -aG sudo local
	# What the drop-in must take back for its group; the local user has Debian's defaults.
	sed -i '/^Defaults.*env_reset/a Defaults !authenticate, !pam_acct_mgmt, !pam_session, pam_service=su, pam_login_service=su-l' "$root/etc/sudoers"
	echo 'Defaults:local authenticate, pam_acct_mgmt, pam_session, pam_service=sudo, pam_login_service=sudo-i' >> "$root/etc/sudoers"
	chroot "$root" visudo -cq
}

grant() { # PATH...
	local path
	{
		cat "$STAGE/policy"
		for path; do echo "path \"$path\" { capabilities = [\"update\"] }"; done
	} > "$STAGE/policy-sudo"
	k8sauth policy write webapp-policy - < "$STAGE/policy-sudo" > /dev/null
}

user_runs() { # COMMAND
	pod_ssh "$user" "$STAGE/token" "$1" > "$STAGE/out" 2> "$STAGE/err" && return 0
	cat "$STAGE/err"
	return 1
}
allowed() { # COMMAND OUTPUT
	user_runs "$1" || return 1
	expect_output "$STAGE/out" "$2"
}
refused() { # COMMAND
	if user_runs "$1; code=\$?; echo \"code \$code\"; exit \$code"; then
		echo "not refused: $1"
		return 1
	fi
	expect_output "$STAGE/out" '^code 1$' # sudo's own, not ssh's
}

# A session that runs COMMANDS, each when it is told to; `next` waits for its answer.
start_steps() { # COMMAND...
	local script='' command
	for command; do script+="$command < /dev/null > /dev/null 2>&1; echo \"step \$?\"; read -r _; "; done
	rm -f "$STAGE/go" "$STAGE/steps"
	mkfifo "$STAGE/go" "$STAGE/steps"
	pod_ssh "$user" "$STAGE/token" "$script" < "$STAGE/go" > "$STAGE/steps" 2> "$STAGE/steps.err" &
	steps_client=$!
	exec 8> "$STAGE/go" 9< "$STAGE/steps"
}
step() { # EXPECTED-CODE
	local line
	read -r -t 60 line <&9 || { cat "$STAGE/steps.err"; return 1; }
	[ "$line" = "step $1" ] || { echo "the session says '$line', not 'step $1'"; return 1; }
}
next() { echo >&8; }
end_steps() {
	exec 8>&- 9<&-
	wait "$steps_client" || true
}
