/* SPDX-License-Identifier: Apache-2.0 */
/* k8sauth.hcl: what the shortest and the longest file say, who may write it, the command line. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/safe_open.h"
#include "daemon/args.h"
#include "daemon/config.h"
#include "config_texts.h"

static void test_short_file(void **state)
{
	static const char text[] = "cluster \"kubernetes\" { audience = \"k8sauth:prod\" }\n";
	struct daemon_config *config;
	char why[512] = "", host[256];

	(void)state;
	assert_int_equal(config_parse(text, strlen(text), "f", &config, why, sizeof(why)), 0);
	assert_int_equal(config->mode, MODE_BOTH);
	assert_string_equal(config->store_path, "/var/lib/k8sauth/store.db");
	assert_string_equal(config->seal.kind->type, "systemd-credential");
	assert_string_equal(seal_config_value(&config->seal, "name"), "k8sauth.seal");
	assert_int_equal(config->n_listeners, 0);
	assert_int_equal(config->max_body, 1024 * 1024);
	assert_int_equal(config->log_level, LOG_INFO);
	assert_string_equal(config->session.vault_addr, "unix:///run/k8sauth/api");
	assert_null(config->session.vault_cacert);
	assert_int_equal(config->session.n_clusters, 1);
	assert_string_equal(config->session.clusters[0].mount, "kubernetes");
	assert_string_equal(config->session.clusters[0].unix_prefix, "k8s_");
	assert_string_equal(config->session.clusters[0].audience, "k8sauth:prod");
	assert_null(config->session.clusters[0].api_audiences);
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	assert_int_equal(strlen(config->session.host), strcspn(host, "."));
	config_free(config);
}

static void test_long_file(void **state)
{
	static const char text[] =
	    "mode = \"both\"\n"
	    "host = \"web-1\"\n"
	    "log_level = \"debug\"\n"
	    "max_request_size = 65536\n"
	    "vault_cacert = \"/etc/ssl/ca.pem\"\n"
	    "storage \"sqlite\" { path = \"/srv/k8sauth/store.db\" }\n"
	    "seal \"systemd-credential\" { name = \"other.seal\" }\n"
	    "listener \"tcp\" { address = \"0.0.0.0:8200\"  tls_cert_file = \"/c\"  tls_key_file = \"/k\" }\n"
	    "cluster \"kubernetes\" { audience = \"a\" api_audiences = [\"x\", \"y\"] }\n"
	    "cluster \"prod/two\" { unix_prefix = \"k8sprod_\" allow_no_audience = true allow_api_audience = true }\n"
	    "service \"sshd\" { roles = [\"ssh-admin\", \"ssh\"]  export_token = true  keys = \"allow\" }\n"
	    "service \"login\" { keys = \"deny\" }\n"
	    "consumer \"postgresql\" { uid = \"postgres\" unit = \"postgresql@*.service\" roles = [\"db\"] "
	    "users = \"k8s_*\" }\n"
	    "consumer \"apache2\" { uid = \"33\" }\n"
	    "export \"policy\" { services = [\"sshd\"] }\n"
	    "export \"db\" { path = \"secret/data/{namespace}/{service_account}/{host}/{user}\" field = \"password\"\n"
	    "  file = \"db-password\" variable = \"K8SAUTH_DB_PASSWORD\" }\n";
	struct daemon_config *config;
	char why[512] = "";

	(void)state;
	if (config_parse(text, strlen(text), "f", &config, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_int_equal(config->log_level, LOG_DEBUG);
	assert_int_equal(config->max_body, 65536);
	assert_string_equal(config->store_path, "/srv/k8sauth/store.db");
	assert_string_equal(seal_config_value(&config->seal, "name"), "other.seal");
	assert_string_equal(config->listeners[0].tls_key_file, "/k");
	assert_string_equal(config->session.vault_addr, "https://web-1:8200");
	assert_string_equal(config->session.vault_cacert, "/etc/ssl/ca.pem");
	assert_string_equal(config->session.clusters[0].api_audiences[1], "y");
	assert_null(config->session.clusters[0].api_audiences[2]);
	assert_true(config->session.clusters[1].allow_no_audience && config->session.clusters[1].allow_api_audience);
	assert_string_equal(config->session.services[0].roles[0], "ssh-admin");
	assert_true(config->session.services[0].export_token && config->session.services[0].keys_allow);
	assert_false(config->session.services[1].keys_allow);
	assert_null(config->session.services[1].roles);
	assert_int_equal(config->session.n_consumers, 2);
	assert_string_equal(config->session.consumers[0].service, "postgresql");
	assert_string_equal(config->session.consumers[0].uid, "postgres");
	assert_string_equal(config->session.consumers[0].unit, "postgresql@*.service");
	assert_string_equal(config->session.consumers[0].users, "k8s_*");
	assert_string_equal(config->session.consumers[0].roles[0], "db");
	assert_string_equal(config->session.consumers[1].uid, "33");
	assert_null(config->session.consumers[1].unit);
	assert_null(config->session.consumers[1].roles);
	assert_true(config->session.exports[0].policy);
	assert_string_equal(config->session.exports[0].services[0], "sshd");
	assert_false(config->session.exports[1].policy);
	assert_string_equal(config->session.exports[1].variable, "K8SAUTH_DB_PASSWORD");
	config_free(config);
}

static void test_listener(void **state)
{
	static const char text[] = L
	    "tls_client_ca_file = \"/ca\" tls_require_and_verify_client_cert = true tls_min_version = \"tls13\"\n"
	    "telemetry { unauthenticated_metrics_access = true } }\n"
	    "listener \"tcp\" { address = \"a:2\" tls_cert_file = \"/c\" tls_key_file = \"/k\" }\n";
	struct daemon_config *config;
	char why[512] = "";

	(void)state;
	if (config_parse(text, strlen(text), "f", &config, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_string_equal(config->listeners[0].tls_client_ca_file, "/ca");
	assert_true(config->listeners[0].tls_require_client && config->listeners[0].tls13);
	assert_true(config->listeners[0].open_metrics);
	assert_null(config->listeners[1].tls_client_ca_file);
	assert_false(config->listeners[1].tls_require_client || config->listeners[1].tls13 ||
		     config->listeners[1].open_metrics);
	config_free(config);
}

/* What sys/config/state/sanitized tells: of a transit seal neither its token's file nor anything else. */
static void test_show(void **state)
{
	static const char text[] =
	    "mode = \"server\"\nlog_level = \"debug\"\nmax_request_size = 4096\n"
	    "seal \"transit\" { address = \"https://keys:8200\" token_file = \"/etc/t\" mount_path = \"transit\" key_name = \"k\" }\n"
	    "listener \"tcp\" { address = \"0.0.0.0:8200\" tls_cert_file = \"/a.crt\" tls_key_file = \"/a.key\" "
	    "tls_client_ca_file = \"/ca.crt\" tls_min_version = \"tls13\" }\n";
	struct daemon_config *config = NULL;
	json_auto_t *shown = NULL, *wanted = NULL;
	char why[512] = "";

	(void)state;
	if (config_parse(text, strlen(text), "f", &config, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	shown = config_show(config);
	wanted = json_loads(
	    "{\"api_addr\":\"\",\"cluster_name\":\"\",\"default_lease_ttl\":2764800,\"enable_ui\":false,\"log_level\":\"debug\","
	    "\"max_lease_ttl\":2764800,\"max_request_size\":4096,\"raw_storage_endpoint\":false,"
	    "\"listeners\":[{\"type\":\"tcp\",\"config\":{\"address\":\"0.0.0.0:8200\",\"tls_cert_file\":\"/a.crt\","
	    "\"tls_key_file\":\"/a.key\",\"tls_client_ca_file\":\"/ca.crt\",\"tls_min_version\":\"tls13\","
	    "\"tls_require_and_verify_client_cert\":false,\"telemetry\":{\"unauthenticated_metrics_access\":false}}}],"
	    "\"seals\":[{\"disabled\":false,\"name\":\"transit\",\"type\":\"transit\"}],"
	    "\"storage\":{\"path\":\"/var/lib/k8sauth/store.db\",\"type\":\"sqlite\"}}",
	    0, NULL);
	assert_non_null(wanted);
	assert_true(json_equal(shown, wanted));
	config_free(config);
}

static void test_server(void **state)
{
	static const char text[] = S L "}\n";
	struct daemon_config *config;
	char why[512] = "";

	(void)state;
	if (config_parse(text, strlen(text), "f", &config, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_int_equal(config->mode, MODE_SERVER);
	assert_string_equal(config->seal.kind->type, "systemd-credential");
	assert_string_equal(seal_config_value(&config->seal, "name"), "k8sauth.seal");
	config_free(config);
}

/* The block of the seal that a store moves away from stands beside the new one. */
static void test_old_seal(void **state)
{
	static const char text[] = S L "}\nseal \"shamir\" { disabled = true }\n";
	struct daemon_config *config;
	char why[512] = "";

	(void)state;
	if (config_parse(text, strlen(text), "f", &config, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_string_equal(config->seal.kind->type, "systemd-credential");
	assert_string_equal(config->old_seal.kind->type, "shamir");
	config_free(config);
}

/* Without a word about it, a server is sealed as Vault is. */
static void test_server_seal(void **state)
{
	static const char text[] = "mode = \"server\"\n" L "}\n";
	struct daemon_config *config;
	char why[512] = "";

	(void)state;
	if (config_parse(text, strlen(text), "f", &config, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_string_equal(config->seal.kind->type, "shamir");
	config_free(config);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *address;
		bool good;
	} cases[] = { { "0.0.0.0:8200", true }, { ":8200", true }, { "[::]:8200", true }, { "vault.example:1", true },
		{ "a:65535", true }, { "a:65536", false }, { "a:0", false }, { "a:", false }, { "a:https", false },
		{ "::1:8200", false }, { "[::1]", false }, { "a:82000000000000000000", false }, { "a", false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct daemon_config *config;
		char why[512] = "", text[256];

		snprintf(text, sizeof(text), "listener \"tcp\" { address = \"%s\" tls_cert_file = \"/c\" tls_key_file = \"/k\" }",
		    cases[i].address);
		assert_int_equal(config_parse(text, strlen(text), "f", &config, why, sizeof(why)), cases[i].good ? 0 : -EINVAL);
		if (cases[i].good)
			config_free(config);
		else
			assert_non_null(strstr(why, "f:1: address must be HOST:PORT"));
	}
}

/* Words and forms that Vault takes as well are taken. */
static void test_as_vault(void **state)
{
	static const char text[] = S "log_level = \"WARN\"\n" L
	    "tls_disable = \"false\" tls_client_ca_file = \"/ca\" tls_require_and_verify_client_cert = \"true\"\n"
	    "telemetry { unauthenticated_metrics_access = 1 } }\n";
	struct daemon_config *config;
	char why[512] = "";

	(void)state;
	if (config_parse(text, strlen(text), "f", &config, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_int_equal(config->log_level, LOG_WARNING);
	assert_true(config->listeners[0].tls_require_client && config->listeners[0].open_metrics);
	config_free(config);
}

/* Who brings a file of Vault's is told all of what has to change, not one line each time. */
static void test_all_faults(void **state)
{
	static const char text[] = "ui = true\nmode = \"server\"\nstorage \"raft\" { }\nlistener \"tcp\" {\n"
				   "  cluster_address = \"a:1\"\n  tls_disable = \"maybe\"\n}\nseal \"transit\" {\n token = \"x\"\n"
				   "  namespac = \"y\"\n}\n";
	static const char *const starts[] = { "f:1: ui ", "f:3: storage ", "f:5: cluster_address ", "f:6: tls_disable ", "f:9: token ",
		"f:10: namespac " };
	struct daemon_config *config;
	char why[CONFIG_WHY_SIZE] = "", tight[64] = "", *line = why;

	(void)state;
	assert_int_equal(config_parse(text, strlen(text), "f", &config, why, sizeof(why)), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		if (!line || strncmp(line, starts[i], strlen(starts[i])) != 0)
			fail_msg("%s is not told in its turn: %s", starts[i], why);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	assert_null(line);
	/* Little room: the first ones, and no byte too many. */
	assert_int_equal(config_parse(text, strlen(text), "f", &config, tight, sizeof(tight)), -EINVAL);
	assert_int_equal(strncmp(tight, why, sizeof(tight) - 1), 0);
}

/* A file that others could have written is not read: /tmp is everybody's. */
static void test_owner(void **state)
{
	char dir[] = "/tmp/k8sauth-config-XXXXXX", path[64], why[512] = "";
	struct daemon_config *config;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/k8sauth.hcl", dir);
	file = fopen(path, "we");
	fputs(C, file);
	fclose(file);
	assert_int_equal(config_load(path, &config, why, sizeof(why)), -EPERM);
	assert_non_null(strstr(why, "/tmp is writable by group or others"));
	assert_int_equal(config_load("/nonexistent/k8sauth.hcl", &config, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "/nonexistent"));
	unlink(path);
	rmdir(dir);
}

static int parse(struct daemon_args *args, const char *a, const char *b)
{
	char first[64], second[64], name[] = "k8sauthd";
	char *argv[] = { name, first, second, NULL };

	snprintf(first, sizeof(first), "%s", a);
	snprintf(second, sizeof(second), "%s", b ? b : "");
	return args_parse(b ? 3 : 2, argv, args);
}

static void test_args(void **state)
{
	static const char *const bad[][2] = { { "-config", NULL }, { "config", NULL }, { "-", NULL },
		{ "-nonsense", NULL }, { "-dev-root-token-id=x", NULL }, { "-dev=1", NULL }, { "-configs=x", NULL },
		{ "-dev", "x" }, { "server", "-dev" } };
	struct daemon_args args;

	(void)state;
	assert_int_equal(parse(&args, "--debug", NULL), 0);
	assert_true(args.debug && !args.dev && args.action == DAEMON_RUN);
	assert_string_equal(args.config, "/etc/k8sauth/k8sauth.hcl");
	assert_int_equal(parse(&args, "-dev", "--dev-listen-address=127.0.0.1:1"), 0);
	assert_true(args.dev && !args.dev_root_token);
	assert_int_equal(parse(&args, "--dev", "-dev-root-token-id=root"), 0);
	assert_string_equal(args.dev_listen ? args.dev_listen : "", "127.0.0.1:8200");
	assert_int_equal(parse(&args, "--check-config", "-debug"), 0);
	assert_int_equal(args.action, DAEMON_CHECK);
	assert_int_equal(parse(&args, "-version", NULL), 0);
	assert_int_equal(args.action, DAEMON_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(&args, bad[i][0], bad[i][1]), -EINVAL);
}

/* The file that gets installed says nothing that is refused. */
static void test_shipped_file(void **state)
{
	struct daemon_config *config;
	AUTO_BUF struct buf text = { 0 };
	AUTO_CLOSE int fd = -1;
	char why[512] = "", path[512];

	(void)state;
	snprintf(path, sizeof(path), "%s/../../etc/k8sauth/k8sauth.hcl", getenv("TESTBED"));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read_all(fd, CONFIG_SIZE_MAX, &text), 0);
	if (config_parse(text.data, text.len, "k8sauth.hcl", &config, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_true(config->session.services[0].export_token);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_file),
		cmocka_unit_test(test_long_file),
		cmocka_unit_test(test_listener),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_server_seal),
		cmocka_unit_test(test_old_seal),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_as_vault),
		cmocka_unit_test(test_all_faults),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_shipped_file),
		cmocka_unit_test(test_args),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
