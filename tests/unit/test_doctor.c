/* SPDX-License-Identifier: Apache-2.0 */
/* `k8sauth doctor`: what its checks find in a tree of files, and what they do not. sshd, systemd and the daemon are
 * asked in tests/e2e/doctor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/sudoers.h"
#include "doctor_tree.h"

/* --- sudoers --------------------------------------------------------------------------------- */

#define RULE	  "%k8sauth-users ALL = (ALL) ALL\n"
#define SHIPPED	  RULE "Defaults:%k8sauth-users noninteractive_auth, authenticate, pam_acct_mgmt, pam_session\n"
#define INCLUDING "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n"

static void sudoers(const char *text)
{
	tree_file("/etc/sudoers", text);
}

static void test_sudoers_as_shipped(void **state)
{
	(void)state;
	expect(check_sudoers, "");
	sudoers(INCLUDING);
	tree_file("/etc/sudoers.d/k8sauth", SHIPPED);
	tree_file("/etc/sudoers.d/README.off", "Defaults !pam_session\n");
	tree_file("/etc/sudoers.d/k8sauth~", "Defaults !pam_session\n");
	expect(check_sudoers, "");
}

static void test_phases_off(void **state)
{
	(void)state;
	tree_file("/etc/sudoers.d/k8sauth", SHIPPED);
	sudoers("Defaults env_reset,!pam_session\n" INCLUDING);
	expect(check_sudoers, "sudo-pam-off-others /etc/sudoers:1\n");
	sudoers(INCLUDING "# a comment \\\nDefaults env_reset, \\\n\t!pam_acct_mgmt\n");
	expect(check_sudoers, "sudo-pam-off /etc/sudoers:4\n");
	sudoers("Defaults:deploy !pam_session\n" INCLUDING);
	expect(check_sudoers, "sudo-pam-off-others /etc/sudoers:1\n");
	sudoers("Defaults!/usr/bin/id !pam_session\n" INCLUDING);
	expect(check_sudoers, "sudo-pam-off /etc/sudoers:1\n");
	sudoers(INCLUDING "Defaults>root !!pam_session\nDefaults@web-1 ! pam_acct_mgmt\n");
	expect(check_sudoers, "sudo-pam-off /etc/sudoers:4\n");
	sudoers(INCLUDING "User_Alias ADMINS = ann, bob : OPS = ADMINS, k8s_web_deployer\nDefaults:OPS !pam_session\n");
	expect(check_sudoers, "sudo-pam-off /etc/sudoers:4\n");
	sudoers(INCLUDING "User_Alias ADMINS = ann, ! bob\nDefaults:ADMINS , carl !pam_session, !pam_acct_mgmt\n");
	expect(check_sudoers, "sudo-pam-off-others /etc/sudoers:4\n");
	sudoers(INCLUDING "Defaults passprompt=\"no !pam_session, # \", badpass_message = a\\,!pam_session\n");
	expect(check_sudoers, "");
	sudoers(INCLUDING "User_Alias LOOP = LOOP, LOOP, LOOP\nDefaults:LOOP !pam_session\n");
	expect(check_sudoers, "sudo-pam-off /etc/sudoers:4\n");
}

static void test_includes(void **state)
{
	(void)state;
	tree_file("/etc/sudoers.d/zz/deep", "Defaults !pam_session\n");
	tree_file("/etc/with space", "Defaults !pam_acct_mgmt\n");
	sudoers("#include sudoers.d/zz/deep\n");
	expect(check_sudoers, "sudo-pam-off /etc/sudoers.d/zz/deep:1\n");
	sudoers("@include \"/etc/with space\"\n");
	expect(check_sudoers, "sudo-pam-off /etc/with space:1\n");
	sudoers("@include /etc/with\\ space\n#includedir /etc/sudoers.d/zz\n");
	expect(check_sudoers, "sudo-pam-off /etc/with space:1\nsudo-pam-off /etc/sudoers.d/zz/deep:1\n");
	sudoers("# include /etc/with\\ space\n#1000 ALL=ALL\n");
	expect(check_sudoers, "");
	sudoers("@include /etc/sudoers\n@include /etc/not-there\n");
	expect(check_sudoers, "unread /etc/sudoers: too many files, or they include each other\n");
	sudoers("@include /etc/not-there\n");
	expect(check_sudoers, "unread /etc/not-there: No such file or directory\n");
	sudoers("Defaults env_reset\nwhat is this\n");
	expect(check_sudoers, "unread /etc/sudoers:2: no rule\n");
}

static void test_noninteractive(void **state)
{
	(void)state;
	sudoers("ann ALL=ALL\n%#1000 ALL=ALL\n" RULE "Defaults env_reset\n");
	expect(check_sudoers, "sudo-noninteractive /etc/sudoers:2\n");
	sudoers("ann ALL=ALL\n");
	expect(check_sudoers, "");
	sudoers(RULE "Defaults noninteractive_auth\nDefaults:%k8sauth-users !noninteractive_auth\n");
	expect(check_sudoers, "sudo-noninteractive /etc/sudoers:3\n");
	sudoers("k8s_a_b ALL=ALL\nDefaults noninteractive_auth\n");
	expect(check_sudoers, "");
}

static void test_groups(void **state)
{
	(void)state;
	sudoers("Defaults noninteractive_auth\nann ALL=(ALL:ALL) ALL\n%k8sauth-users ALL = (ALL : ) ALL\n");
	expect(check_sudoers, "");
	sudoers("Defaults noninteractive_auth\n%k8sauth-users web = (ann) ALL : ALL = (bob : disk) NOPASSWD: ALL\n");
	expect(check_sudoers, "sudo-groups /etc/sudoers:2\n");
}

static void test_names(void **state)
{
	static const char text[] = "User_Alias OPS = ann, deploy\nOPS ALL=ALL\nOPS, !deploy ALL=ALL\nALL ALL=ALL\n%deploy ALL=ALL\n";
	static const bool named[] = { true, false, false, false };
	struct sudoers file;

	(void)state;
	sudoers_parse("", "/etc/sudoers", text, sizeof(text) - 1, &file);
	assert_int_equal(file.n_rules, ARRAY_SIZE(named));
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		assert_int_equal(sudoers_names(&file, file.rules[i].users, "deploy"), named[i]);
	sudoers_free(&file);
}

/* A failure that jumps over our line is no refusal. */
static void test_jump_over(void **state)
{
	(void)state;
	tree_file("/etc/pam.d/sshd",
	    "auth required pam_k8sauth.so\n"
	    "account [success=ignore default=1] pam_succeed_if.so quiet user ingroup web\n"
	    "account required pam_k8sauth.so\naccount required pam_unix.so\n");
	expect(check_pam, "pam-bypass /etc/pam.d/sshd:2\n");
	tree_file("/etc/pam.d/sshd",
	    "auth [success=1 ignore=ignore default=die] pam_k8sauth.so\nauth requisite pam_deny.so\n"
	    "account [success=ok default=1] pam_localuser.so\naccount sufficient pam_unix.so\n"
	    "account required pam_k8sauth.so\n");
	expect(check_pam, "pam-bypass /etc/pam.d/sshd:4\n");
}

/* --- the gate -------------------------------------------------------------------------------- */

#define GATE_AUTH    "auth sufficient pam_k8sauth.so session\n"
#define GATE_ACCOUNT "account required pam_k8sauth.so require=k8sauth/sudo/{host}:update\n"
#define GATE_SESSION "session required pam_k8sauth.so require=k8sauth/sudo/{host}/{target}:update\n"
#define GATE	     GATE_AUTH GATE_ACCOUNT GATE_SESSION

static void test_gate(void **state)
{
	(void)state;
	expect(check_gate, "");
	tree_file("/etc/pam.d/sudo", "@include common-auth\n");
	tree_file("/etc/pam.d/common-auth", "auth required pam_unix.so\n");
	tree_file("/etc/pam.d/sudo-i", "auth required pam_unix.so\n");
	expect(check_gate, "sudo-no-gate /etc/pam.d/sudo\n");
	tree_file("/etc/pam.d/sudo", GATE);
	expect(check_gate, "sudo-gate /etc/pam.d/sudo-i\n");
	tree_file("/etc/pam.d/sudo-i", GATE);
	expect(check_gate, "");
	tree_file("/etc/pam.d/sudo", GATE_AUTH GATE_ACCOUNT);
	expect(check_gate, "sudo-gate /etc/pam.d/sudo\n");
	tree_file("/etc/pam.d/sudo", GATE_AUTH "account sufficient pam_k8sauth.so require=a:update\n" GATE_SESSION);
	expect(check_gate, "sudo-gate /etc/pam.d/sudo:2\n");
	tree_file("/etc/pam.d/sudo", GATE_AUTH GATE_ACCOUNT "session optional pam_k8sauth.so require=a:update\n");
	expect(check_gate, "sudo-gate /etc/pam.d/sudo:3\n");
	tree_file("/etc/pam.d/sudo", GATE_AUTH GATE_ACCOUNT
	    "session [success=ok default=die] /usr/lib/security/pam_k8sauth.so debug require=a:update\n");
	expect(check_gate, "");
}

static void test_gate_elsewhere(void **state)
{
	(void)state;
	tree_file("/etc/pam.d/sudo", GATE);
	tree_file("/etc/pam.d/sudo-i", GATE);
	tree_file("/etc/pam.d/su", "auth required pam_unix.so\n");
	sudoers(RULE "Defaults pam_service=su\n");
	expect(check_gate, "sudo-gate /etc/pam.d/su\n");
	sudoers(RULE "Defaults pam_login_service=su\nDefaults:ann pam_service=su\n");
	expect(check_gate, "sudo-gate /etc/pam.d/su\n");
	sudoers(RULE "Defaults:%k8sauth-users pam_askpass_service=su\n");
	expect(check_gate, "sudo-gate /etc/pam.d/su\n");
	sudoers("Defaults pam_service=su\n" RULE "Defaults:%k8sauth-users pam_service=sudo\n");
	expect(check_gate, "");
}

/* --- stacks ---------------------------------------------------------------------------------- */

#define AUTH	"auth [success=done ignore=ignore default=die] pam_k8sauth.so\n"
#define ACCOUNT "account required pam_k8sauth.so\n"
#define LOGIN	"session required pam_loginuid.so\nsession required pam_k8sauth.so\n"
#define UNIX                                                                                             \
	"auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required " \
	"pam_permit.so\n"

static void sshd(const char *text, const char *findings)
{
	tree_file("/etc/pam.d/sshd", text);
	expect(check_pam, findings);
}

static void test_stack_as_shipped(void **state)
{
	(void)state;
	expect(check_pam, "");
	tree_file("/etc/pam.d/common-auth", UNIX);
	tree_file("/etc/pam.d/su", "auth sufficient pam_rootok.so\n@include common-auth\n");
	tree_file("/etc/pam.d/sudo", GATE);
	sshd(AUTH "@include common-auth\n" ACCOUNT LOGIN "session required pam_env.so user_readenv=1\n", "");
}

static void test_bypass_in_auth(void **state)
{
	(void)state;
	tree_file("/etc/pam.d/common-auth", UNIX);
	tree_file("/etc/pam.d/ldap", "auth sufficient pam_ldap.so\n");
	sshd("auth sufficient pam_ldap.so\n" AUTH ACCOUNT LOGIN, "pam-bypass /etc/pam.d/sshd:1\n");
	sshd("auth [success=1 default=ignore] pam_ldap.so\n" AUTH ACCOUNT LOGIN, "pam-bypass /etc/pam.d/sshd:1\n");
	sshd("@include ldap\n" AUTH ACCOUNT LOGIN, "pam-bypass /etc/pam.d/ldap:1\n");
	sshd("auth include ldap\n" AUTH ACCOUNT LOGIN, "pam-bypass /etc/pam.d/ldap:1\n");
	/* A jump that lands in front of ours, and `done` that ends only its substack. */
	sshd("@include common-auth\n" AUTH ACCOUNT LOGIN, "");
	sshd("auth substack ldap\n" AUTH ACCOUNT LOGIN, "");
	/* A substack is one line to a jump, and what is jumped over with it. */
	sshd("auth [success=2 default=ignore] pam_ldap.so\nauth substack common-auth\n" AUTH ACCOUNT LOGIN,
	    "pam-bypass /etc/pam.d/sshd:1\n");
	sshd("auth [success=1 default=ignore] pam_ldap.so\nauth substack common-auth\n" AUTH ACCOUNT LOGIN, "");
	tree_file("/etc/pam.d/common-ours", "auth sufficient pam_ldap.so\n" AUTH);
	sshd("auth substack common-ours\n" ACCOUNT LOGIN, "pam-bypass /etc/pam.d/common-ours:1\n");
	sshd("auth required pam_ldap.so\nauth [default=ignore] pam_x.so\nauth \\\n requisite pam_y.so # done\n" AUTH
		 ACCOUNT LOGIN,
	    "");
}

static void test_bypass_elsewhere(void **state)
{
	(void)state;
	sshd(AUTH "account sufficient pam_localuser.so\n" ACCOUNT LOGIN, "pam-bypass /etc/pam.d/sshd:2\n");
	sshd(AUTH
	    "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\n"
	    "account required pam_permit.so\n" ACCOUNT LOGIN,
	    "");
	sshd(AUTH ACCOUNT "session sufficient pam_x.so\n" LOGIN, "pam-bypass /etc/pam.d/sshd:3\n");
	/* The gate is not for our own users alone: a local account's expired password must not end the phase. */
	tree_file("/etc/pam.d/sudo", "account [success=ok new_authtok_reqd=done default=bad] pam_unix.so\n" GATE);
	sshd(AUTH ACCOUNT LOGIN, "pam-bypass /etc/pam.d/sudo:1\n");
}

static void test_controls(void **state)
{
	(void)state;
	sshd(AUTH "account optional pam_k8sauth.so\n" LOGIN, "pam-control /etc/pam.d/sshd:2\n");
	sshd(AUTH "account [success=ok default = ignore] pam_k8sauth.so\n" LOGIN, "pam-control /etc/pam.d/sshd:2\n");
	sshd(AUTH "account [success=done ignore=ignore default=die] pam_k8sauth.so\n" LOGIN, "");
	sshd(AUTH "account [perm_denied=ignore default=die] pam_k8sauth.so\n" LOGIN, "pam-control /etc/pam.d/sshd:2\n");
	sshd(AUTH LOGIN, "pam-account /etc/pam.d/sshd:1\n");
}

static void test_session_order(void **state)
{
	(void)state;
	sshd(AUTH ACCOUNT "session required pam_env.so user_readenv=1\n" LOGIN, "pam-env /etc/pam.d/sshd:3\n");
	sshd(AUTH ACCOUNT "session required pam_env.so user_readenv=0\nsession required pam_env.so\n" LOGIN, "");
	sshd("auth required pam_env.so user_readenv=1\n" AUTH ACCOUNT LOGIN, "pam-env /etc/pam.d/sshd:1\n");
	sshd(AUTH ACCOUNT "session required pam_k8sauth.so\n", "pam-loginuid /etc/pam.d/sshd:3\n");
	sshd(AUTH ACCOUNT "session required pam_k8sauth.so\nsession required pam_loginuid.so\n",
	    "pam-loginuid /etc/pam.d/sshd:4\n");
	sshd(AUTH "auth optional pam_exec.so a\n" ACCOUNT LOGIN "session optional pam_exec.so b\n", "");
	sshd("auth required pam_k8sauth.so\nauth optional pam_exec.so a\n" ACCOUNT "account optional pam_exec.so b\n"
	     "session optional pam_exec.so c\n" LOGIN,
	    "pam-exec /etc/pam.d/sshd:2\npam-exec /etc/pam.d/sshd:4\npam-exec /etc/pam.d/sshd:5\n");
}

static void test_console(void **state)
{
	(void)state;
	tree_file("/etc/pam.d/common-auth", AUTH UNIX);
	tree_file("/etc/pam.d/common-account", ACCOUNT);
	tree_file("/etc/pam.d/su", "@include common-auth\n@include common-account\nsession required pam_k8sauth.so\n");
	tree_file("/etc/pam.d/login", "@include common-auth\n@include common-account\n");
	tree_file("/etc/pam.d/gdm-password", "@include common-auth\n@include common-account\n");
	expect(check_pam, "console /etc/pam.d/gdm-password\nconsole /etc/pam.d/login\n");
}

static void test_stack_unread(void **state)
{
	(void)state;
	sshd(AUTH ACCOUNT LOGIN "@include not-there\n", "unread /etc/pam.d/not-there: No such file or directory\n");
	tree_file("/etc/pam.d/sshd", "@include sshd\n" AUTH ACCOUNT LOGIN);
	expect(check_pam, "unread /etc/pam.d/sshd: too many files, or they include each other\n");
	sshd(AUTH ACCOUNT LOGIN "authentication required pam_unix.so\n",
	    "unread /etc/pam.d/sshd:5: neither auth, account, password nor session\n");
	sshd(AUTH ACCOUNT LOGIN "-session optional pam_systemd.so\npassword required\nauth required\n",
	    "unread /etc/pam.d/sshd:7: a line without a module\n");
}

/* --- names ----------------------------------------------------------------------------------- */

static void nsswitch(const char *text, const char *findings)
{
	tree_file("/etc/nsswitch.conf", text);
	expect(check_nss, findings);
}

static void test_nsswitch(void **state)
{
	(void)state;
	expect(check_nss, "nss /etc/nsswitch.conf: passwd\nnss /etc/nsswitch.conf: group\n");
	nsswitch("passwd: files systemd k8sauth\n group:\tfiles [SUCCESS=merge] systemd k8sauth\n", "");
	nsswitch("passwd: files\ngroup: files k8sauth\n", "nss /etc/nsswitch.conf:1\n");
	nsswitch("passwd: files k8sauth\ngroup: files # k8sauth\n", "nss /etc/nsswitch.conf:2\n");
	nsswitch("passwd: files [NOTFOUND=return] k8sauth\ngroup: files k8sauth\n", "nss /etc/nsswitch.conf:1\n");
	nsswitch("passwd: files [!UNAVAIL=return] k8sauth\ngroup: files k8sauth\n", "nss /etc/nsswitch.conf:1\n");
	nsswitch("passwd: files [!notfound=return success=continue] k8sauth [notfound=return] x\ngroup: k8sauth\n", "");
	nsswitch("passwd: k8sauth\ngroup: k8sauth\ninitgroups: files\npasswd: files\n",
	    "nss /etc/nsswitch.conf:4\nnss /etc/nsswitch.conf:3\n");
	nsswitch("passwd: k8sauth2\ngroup: [k8sauth\n", "nss /etc/nsswitch.conf:1\nnss /etc/nsswitch.conf:2\n");
}

/* --- files ----------------------------------------------------------------------------------- */

static void mounts(const char *options, const char *findings)
{
	char line[256];

	snprintf(line, sizeof(line), "proc /proc proc rw 0 0\ntmpfs /run/k8sauth/sessions %s 0 0\n", options);
	tree_file("/proc/self/mounts", line);
	expect(check_sessions, findings);
}

static void test_sessions_mount(void **state)
{
	static const char at[] = "sessions-mount /run/k8sauth/sessions\n";

	(void)state;
	mounts("tmpfs rw,nosuid,nodev,noexec,size=65536k", "");
	mounts("tmpfs rw,nosuid,nodev,noexecutable", at);
	mounts("ext4 rw,nosuid,nodev,noexec", at);
	tree_file("/proc/self/mounts", "proc /proc proc rw 0 0\n");
	expect(check_sessions, at);
}

static void mode(const char *path, mode_t mode)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "%s%s", tree, path);
	assert_int_equal(chmod(whole, mode), 0);
}

static void test_modes(void **state)
{
	(void)state;
	tree_file("/etc/k8sauth/k8sauth.hcl", "mode = \"both\"\n");
	tree_file("/etc/k8sauth/seal.key", "key");
	mode("/etc/k8sauth/seal.key", 0600);
	expect(check_files, "");
	mode("/etc/k8sauth/seal.key", 0640);
	mode("/etc/k8sauth", 0775);
	expect(check_files, "file-mode /etc/k8sauth\nfile-mode /etc/k8sauth/seal.key\n");
	expect(check_index, "index /var/lib/k8sauth-index/accounts\n");
	tree_file("/var/lib/k8sauth-index/accounts", "no index");
	expect(check_index, "index /var/lib/k8sauth-index/accounts\n");
}

static void test_server(void **state)
{
	struct doctor doctor = { .root = tree };

	(void)state;
	assert_false(server_only(&doctor));
	tree_file("/etc/k8sauth/k8sauth.hcl", "host = \"a\"\nmode = \"server\"\n");
	assert_true(server_only(&doctor));
	tree_file("/etc/k8sauth/k8sauth.hcl", "mode = {");
	assert_false(server_only(&doctor));
}

/* What opens the store: a file on its own disk is a finding, people and another Vault are none. */
static void test_seal(void **state)
{
	(void)state;
	tree_file("/var/lib/k8sauth/store.db", "");
	tree_file("/keys/a", "key");
	tree_file("/etc/k8sauth/k8sauth.hcl", "mode = \"server\"\n");
	expect(check_seal, "");
	tree_file("/etc/k8sauth/k8sauth.hcl", "seal \"shamir\" {\n}\n");
	expect(check_seal, "");
	tree_file("/etc/k8sauth/k8sauth.hcl", "seal \"transit\" {\n\ttoken_file = \"/keys/a\"\n}\n");
	expect(check_seal, "");
	tree_file("/etc/k8sauth/k8sauth.hcl", "seal \"static\" {\n\tcurrent_key_file = \"/keys/a\"\n}\n");
	expect(check_seal, "seal-file /keys/a\n");
	tree_file("/etc/k8sauth/k8sauth.hcl",
	    "seal \"static\" {\n\tcurrent_key_file = \"/keys/a\"\n\tdisabled = true\n}\nseal \"shamir\" {\n}\n");
	expect(check_seal, "");
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TREE(test_sudoers_as_shipped),
		IN_TREE(test_phases_off),
		IN_TREE(test_includes),
		IN_TREE(test_noninteractive),
		IN_TREE(test_groups),
		IN_TREE(test_names),
		IN_TREE(test_jump_over),
		IN_TREE(test_gate),
		IN_TREE(test_gate_elsewhere),
		IN_TREE(test_stack_as_shipped),
		IN_TREE(test_bypass_in_auth),
		IN_TREE(test_bypass_elsewhere),
		IN_TREE(test_controls),
		IN_TREE(test_session_order),
		IN_TREE(test_console),
		IN_TREE(test_stack_unread),
		IN_TREE(test_nsswitch),
		IN_TREE(test_sessions_mount),
		IN_TREE(test_modes),
		IN_TREE(test_server),
		IN_TREE(test_seal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
