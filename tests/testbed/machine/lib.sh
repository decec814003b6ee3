# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Throw-away Debian machines for tests: sourced by scripts that run on a stage (tests/testbed/stage).
#     machine_prepare NAME TREE DESTDIR   a copy of TREE by overlay with what `meson install` put into DESTDIR, set up as the package would
#     machine_boot NAME [OPTIONS...]      boots it (OPTIONS are systemd-nspawn's) and waits until systemd is done; sets machine_pid
#     machine_run COMMAND...              runs COMMAND in it as root
#     machine_put FILE PATH               copies a file into it, as root's
#     machine_root NAME                   its file tree, seen from outside
#     machine_down NAME                   powers it off

machine_root() { echo "$STAGE/$1/root"; }

machine_prepare() { # NAME TREE DESTDIR
	local dir=$STAGE/$1 root
	root=$(machine_root "$1")
	mkdir -p "$dir/upper" "$dir/work" "$root"
	mount -t overlay overlay -o "lowerdir=$2,upperdir=$dir/upper,workdir=$dir/work" "$root"
	cp -a "$3/." "$root/"
	chmod 0755 "$root" # cp gave it the mode of DESTDIR itself
	echo "$1" > "$root/etc/hostname"
	# What a package's installation does.
	systemd-sysusers --root="$root"
	sed -i -E 's/^(passwd|group|shadow):( *)(.*)$/\1:\2\3 k8sauth/' "$root/etc/nsswitch.conf"
	cp "$root/usr/share/doc/k8sauth/pam.d/sshd" "$root/etc/pam.d/sshd"
	systemctl --root="$root" -q enable k8sauthd.service k8sauth-pam.socket k8sauth-api.socket k8sauth-helper.socket
	chroot "$root" /sbin/ldconfig
	chroot "$root" pam-auth-update --package --enable mkhomedir
	# Root and an ordinary user with passwords: they must never notice us.
	chroot "$root" useradd -m -s /bin/bash local
	printf 'root:root-password\nlocal:local-password\n' | chroot "$root" chpasswd
	echo 'PermitRootLogin yes' > "$root/etc/ssh/sshd_config.d/root.conf"
	# OpenSSH 9.8 and later refuse an address for a while after failed logins: a test has many from one.
	grep -q VERSION_CODENAME=bookworm "$root/etc/os-release" ||
		echo 'PerSourcePenaltyExemptList 127.0.0.0/8' > "$root/etc/ssh/sshd_config.d/penalties.conf"
}

machine_boot() { # NAME [OPTIONS...]
	local root nspawn state=
	root=$(machine_root "$1")
	systemd-nspawn -q -D "$root" --register=no --keep-unit --machine="$1" "${@:2}" -b > "$STAGE/$1/console" 2>&1 < /dev/null &
	nspawn=$!
	machine_nspawn=$nspawn
	for _ in $(seq 300); do
		machine_pid=$(pgrep -P "$nspawn" | head -1) && [ -n "$machine_pid" ] &&
			state=$(machine_run systemctl is-system-running 2> /dev/null) && break
		[ "$state" = degraded ] && break
		sleep 0.1
	done
	case $state in
	running) return 0 ;;
	degraded)
		machine_run systemctl --failed --no-pager --no-legend >&2
		return 1
		;;
	*)
		echo "machine $1 did not boot (state: ${state:-none}); the end of its console:" >&2
		tail -5 "$STAGE/$1/console" >&2
		return 1
		;;
	esac
}

machine_run() { nsenter -t "$machine_pid" -a -- "$@"; }

# From inside, so that the file is root's also in a user namespace.
machine_put() { machine_run tee "$2" < "$1" > /dev/null; } # FILE PATH

machine_down() { # NAME
	[ -n "${machine_pid:-}" ] || return 0
	machine_run systemctl poweroff 2> /dev/null || true
	wait "$machine_nspawn" 2> /dev/null || true
	machine_pid=
}
