/* SPDX-License-Identifier: Apache-2.0 */
/* k8sauth.hcl: every refusal, with its line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "config_texts.h"
#include "daemon/config.h"

static const struct {
	const char *text, *why;
} refused[] = {
	/* not built yet, by name */
	{ "\nmode = \"agent\"\n", "f:2: mode \"agent\" is not built yet" },
	{ C "remote { address = \"https://v\" }\n", "f:2: remote is not built yet" },
	{ C "consumer \"db\" { }\n", "f:2: a consumer needs the uid" },
	{ C "consumer { uid = \"a\" }\n", "f:2: write consumer \"NAME\" { }" },
	{ C "consumer \"db\" {\nuid = \"root\" }\n", "f:2: a program of root needs no consumer block" },
	{ C "consumer \"db\" { uid = \"0\" }\n", "f:2: a program of root needs no consumer block" },
	{ C "consumer \"db\" { uid = \"a b\" }\n", "f:2: uid must be a name of /etc/passwd" },
	{ C "consumer \"db\" { uid = 26 }\n", "f:2: uid must be" },
	{ C "consumer \"db\" { uid = \"4294967296\" }\n",
	    "f:2: uid must be a name of /etc/passwd, or a number" },
	{ C "consumer \"db\" { uid = \"99999999999999999999\" }\n", "f:2: uid must be a name" },
	{ C "consumer \"db\" { uid = \"a\" unit = \"db\" }\n",
	    "f:2: unit needs its type: write \"db.service\"" },
	{ C "consumer \"db\" { uid = \"a\" unit = \"[ab].service\" }\n", "f:2: unit must be a systemd unit" },
	{ C "consumer \"db\" { uid = \"a\" users = \"k8s_[ab]\" }\n", "f:2: users must be a Unix name" },
	{ C "consumer \"db\" { uid = \"a\" }\nconsumer \"db\" { uid = \"b\" }\n",
	    "f:3: consumer \"db\" stands twice" },
	{ C "consumer \"db\" { uid = \"a\"\nkeys = \"allow\" }\n",
	    "f:3: keys is not known in a consumer block" },
	{ C "audit \"file\" { }\n", "f:2: audit is not known: devices are enabled at the running server" },
	{ "seal \"awskms\" { }\n", "f:1: seal \"awskms\" is not known: there are \"shamir\", \"systemd-cred" },
	{ "seal \"static\" {\nkey_file = \"/k\" }\n", "f:2: key_file is not known in seal \"static\"" },
	{ "seal \"static\" { }\n", "f:1: seal \"static\" needs current_key_file" },
	{ "seal \"static\" {\ncurrent_key_file = \"k\" }\n", "f:2: current_key_file must be an absolute path" },
	{ "seal \"static\" { current_key_file = \"/k\" }\n", "f:1: seal \"static\" needs current_key_id" },
	{ "seal \"shamir\" {\ndisabled = true }\n", "f:1: this seal is disabled: another block says" },
	{ "seal \"shamir\" { disabled = 7 }\n", "f:1: " },
	{ "seal \"shamir\" { }\nseal \"shamir\" { disabled = true }\n", "f:2: a store moves from one type of seal to another" },
	{ "seal \"shamir\" { disabled = true }\nseal \"shamir\" { disabled = true }\n", "f:2: seal stands twice" },
	{ "seal \"shamir\" { name = \"a\" }\n", "f:1: name is not known in seal \"shamir\"" },
	{ "seal \"shamir\" {\nname { } }\n", "f:2: name is not known" },
	{ "seal \"systemd-credential\" {\nname { } }\n", "f:2: write name = VALUE" },
	{ "seal \"shamir\" \"b\" { }\n", "f:1: write seal \"NAME\" { }" },
	{ "storage \"raft\" { }\n", "f:1: storage \"raft\" is not known: the store is one file, use storage" },
	{ "listener \"unix\" { }\n", "f:1: listener \"unix\" is not known: use listener \"tcp\"" },
	{ L "\n tls_require_and_verify_client_cert = true }\n",
	    "f:1: tls_require_and_verify_client_cert needs tls_client_ca_file" },
	{ L "\n tls_min_version = \"tls11\" }\n",
	    "f:2: tls_min_version must be one of \"tls12\", \"tls13\"" },
	{ L "\n telemetry = true }\n", "f:2: write telemetry { }" },
	{ L "\n telemetry \"x\" { } }\n", "f:2: write telemetry { }" },
	{ L "\n telemetry { disable_hostname = true } }\n", "f:2: disable_hostname is not known in a telemetry" },
	{ L "\n tls_disable = true }\n", "f:1: tls_disable: tokens never cross a network in the clear" },
	{ L "tls_disable = 1 }\n", "f:1: tls_disable: tokens never cross a network in the clear" },
	{ L "tls_require_and_verify_client_cert = \"yes\" }\n", "f:1: tls_require_and_verify_client_cert must be true" },
	{ L "}\n" L "}\n", "f:2: address a:1 is that of another listener too" },
	/* Vault's words: what to do about them; slips of the hand: what was meant */
	{ "ui = true\n", "f:1: ui is not known: there is no web interface: take this line out" },
	{ "\napi_addr = \"https://a\"\n", "f:2: api_addr is not known: nobody is sent elsewhere" },
	{ "max_lease_ttl = \"1h\"\n", "f:1: max_lease_ttl is not known: 768h is the system's, a mount has its own" },
	{ "telemetry { }\n", "f:1: telemetry is not known: sys/metrics needs no setting" },
	{ L "\n cluster_address = \"a:2\" }\n", "f:2: cluster_address is not known in a listener block: there is one server" },
	{ L "\n max_request_size = 5 }\n", "f:2: max_request_size is not known in a listener block: it stands at the top" },
	{ "seal \"transit\" {\ntoken = \"x\" }\n", "f:2: token is not known in seal \"transit\": write token_file" },
	{ "listner \"tcp\" { }\n", "f:1: listner is not known: did you mean listener?" },
	{ "storage \"sqlite\" {\npth = \"/x\" }\n", "f:2: pth is not known in a storage block: did you mean path?" },
	{ "nonsense = 1\n", "f:1: nonsense is not known: there are mode, host, " },
	{ "seal \"shamir\" { key = 1 }\n", "f:1: key is not known in seal \"shamir\", which has no settings" },
	{ "export \"db\" { path = \"database/creds/x\"\n at = \"never\" }\n",
	    "f:2: at must be one of \"login\", \"use\"" },
	{ "export \"policy\" { at = \"use\" }\n", "f:1: export \"policy\" takes its paths from the policies of "
						  "the token: it may have services only" },
	{ "export \"db\" { path = \"a\"\n at = \"use\"\n field = \"k\"\n variable = \"A\" }\n",
	    "f:1: variable is set at login: with at = \"use\" there is none" },
	{ "\nexport_interval = \"4s\"\n", "f:2: export_interval must be a time like \"5m\", from 5s to 24h" },
	{ "export_interval = \"25h\"\n", "f:1: export_interval must be" },
	{ "export_interval = \"soon\"\n", "f:1: export_interval must be" },
	{ "export_interval = -1\n", "f:1: export_interval must be" },
	{ "export_interval = true\n", "f:1: export_interval must be" },
	{ "service \"sshd\" { export_values = true }\n", "f:1: export_values is not known in a service block" },
	{ "service \"sshd\" {\n\non_session_end = \"kill\" }\n",
	    "f:3: on_session_end must be one of \"none\", \"kill-session\", \"kill-user\"" },
	{ "cluster \"kubernetes\" { audience = \"a\"\nrecheck = \"4s\" }\n",
	    "f:2: recheck must be a time like \"5m\", from 5s to 24h" },
	/* unknown */
	{ C "\n\nsevice \"sshd\" { }\n", "f:4: sevice is not known" },
	{ "mode = \"all\"\n", "f:1: mode must be one of \"both\", \"agent\", \"server\"" },
	{ "storage \"mysql\" { }\n", "f:1: storage \"mysql\" is not known: the store is one file" },
	{ "storage \"sqlite\" { file = \"/x\" }\n", "f:1: file is not known in a storage block" },
	{ "service \"sshd\" { role = \"x\" }\n", "f:1: role is not known in a service block" },
	{ "service \"sshd\" { keys = \"maybe\" }\n", "f:1: keys must be one of \"deny\", \"allow\"" },
	{ "log_level = \"loud\"\n", "f:1: log_level must be one of" },
	/* forms and types */
	{ "mode {\n}\n", "f:1: write mode = VALUE" },
	{ "cluster = \"x\"\n", "f:1: cluster is a block" },
	{ "cluster { audience = \"a\" }\n", "f:1: write cluster \"NAME\" { }" },
	{ "cluster \"a\" \"b\" { audience = \"a\" }\n", "f:1: write cluster \"NAME\" { }" },
	{ "service \"sshd\" { roles = \"ssh\" }\n", "f:1: roles must be a list of strings" },
	{ "service \"sshd\" { roles = [] }\n", "f:1: roles must be a list of strings" },
	{ "service \"sshd\" { roles = [\"a\",\n1] }\n", "f:2: roles must hold non-empty strings only" },
	{ "service \"sshd\" { export_token = \"yes\" }\n", "f:1: export_token must be true or false" },
	{ "service \"sshd\" { export_token { } }\n", "f:1: write export_token = VALUE" },
	{ "cluster \"kubernetes\" { audience = 5 }\n", "f:1: audience must be a string" },
	{ "cluster \"kubernetes\" { audience = \"\" }\n", "f:1: audience is empty" },
	{ "cluster \"kubernetes\" { audience = \"a\\nb\" }\n", "f:1: audience is empty or has control bytes" },
	{ "max_request_size = \"1\"\n", "f:1: max_request_size must be a number" },
	{ "max_request_size = 5\n", "f:1: max_request_size must be a number" },
	{ "cluster \"kubernetes\" { audience = \n", "f:" },
	{ "\n{\"mode\": \"both\"}", "f:1: write HCL, not JSON" },
	{ "mode = 'both'\n", "f:1: " },
	/* twice */
	{ C C, "f:2: cluster \"kubernetes\" stands twice" },
	{ "service \"a\" { }\nservice \"a\" { }\n", "f:2: service \"a\" stands twice" },
	{ "export \"policy\" { }\nexport \"policy\" { }\n", "f:2: export \"policy\" stands twice" },
	{ "storage \"sqlite\" { }\nstorage \"sqlite\" { }\n", "f:2: storage stands twice, first at line 1" },
	{ "seal \"systemd-credential\" { }\nseal \"systemd-credential\" { }\n", "f:2: seal stands twice" },
	{ "host = \"a\"\nhost = \"b\"\n", "f:" },
	/* a server: it has no logins through PAM */
	{ S L "}\n" C, "f: mode \"server\" has no logins through PAM: take the cluster blocks out" },
	{ S L "}\nservice \"sshd\" { }\n", "f: mode \"server\" has no logins through PAM: take the service" },
	{ S L "}\nexport \"policy\" { }\n", "f: mode \"server\" has no logins through PAM: take the export" },
	{ S, "f: mode \"server\" needs a listener" },
	/* sense */
	{ "cluster \"kubernetes\" { }\n", "f:1: a cluster needs an audience of its own" },
	{ "cluster \"a\" { audience = \"a\" unix_prefix = \"k9s_\" }\n", "f:1: unix_prefix must be k8s" },
	{ "cluster \"a\" { audience = \"a\" unix_prefix = \"k8stoolong_\" }\n", "f:1: unix_prefix must be" },
	{ C "cluster \"b\" { audience = \"b\" }\n",
	    "f:2: cluster \"kubernetes\" has the unix_prefix k8s_ too" },
	{ "cluster \"/kubernetes\" { audience = \"a\" }\n", "f:1: the label of a cluster is the mount" },
	{ "host = \"Web_1\"\n", "f:1: host must be of a-z" },
	{ "host = \"a/b\"\n", "f:1: host must be of a-z" },
	{ "vault_addr = \"http://vault:8200\"\n", "f:1: vault_addr goes to sessions" },
	{ "vault_cacert = \"ca.pem\"\n", "f:1: vault_cacert must be an absolute path" },
	{ "storage \"sqlite\" { path = \"store.db\" }\n", "f:1: the path of the storage must be absolute" },
	{ "seal \"systemd-credential\" { name = \"/etc/key\" }\n", "f:1: name is the name of a systemd cred" },
	{ "listener \"tcp\" { address = \"0.0.0.0:8200\" }\n", "f:1: a listener needs address, tls_cert_file" },
	{ "listener \"tcp\" { address = \"a\" tls_cert_file = \"/c\" tls_key_file = \"/k\" }\n",
	    "f:1: address must be HOST:PORT" },
	{ "export \"x\" { }\n", "f:1: an export needs a path" },
	{ "export \"x\" { path = \"/secret/a\" }\n", "f:1: an export needs a path" },
	{ "export \"x\" { path = \"secret/{pod}\" }\n", "f:1: path: only {namespace}" },
	{ "export \"x\" { path = \"secret/}\" }\n", "f:1: path: only {namespace}" },
	{ "export \"x\" { path = \"a/b\" file = \"../x\" }\n", "f:1: file must be a name" },
	{ "export \"x\" { path = \"a/b\" field = \"f\" variable = \"A-B\" }\n",
	    "f:1: variable must be a name" },
	{ "export \"x\" { path = \"a/b\" variable = \"A\" }\n", "f:1: variable holds one value" },
	{ "export \"policy\" { path = \"a/b\" }\n",
	    "f:1: export \"policy\" takes its paths from the policies" },
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct daemon_config *config;
		char why[512] = "";

		if (config_parse(refused[i].text, strlen(refused[i].text), "f", &config, why, sizeof(why)) != -EINVAL)
			fail_msg("%s is not refused", refused[i].text);
		if (strncmp(why, refused[i].why, strlen(refused[i].why)) != 0)
			fail_msg("%s: %s instead of %s", refused[i].text, why, refused[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
