/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of the vault command that are not here, and what does their work: who types them knows Vault, not us. */
#include "base/macros.h"
#include "base/text.h"
#include "cli/cli.h"

static const struct {
	const char *verb, *instead;
} elsewhere[] = {
	{ "server", "The server is k8sauthd: systemctl start k8sauthd; k8sauthd -dev to try things. See k8sauthd(8)." },
	{ "agent", "Vault's own agent works with k8sauthd: vault agent -config=FILE." },
	{ "proxy", "Vault's own proxy works with k8sauthd: vault proxy -config=FILE." },
	{ "monitor", "The log is in the journal: journalctl -f -u k8sauthd; more of it: log_level in k8sauth.hcl(5)." },
	{ "debug", "k8sauth doctor looks at this machine; sys/metrics tells numbers, and journalctl -u k8sauthd the log." },
	{ "events", "k8sauthd has no events: an audit device tells what happens (k8sauth audit enable)." },
	{ "namespace", "k8sauthd has no namespaces, as Vault's community edition." },
	{ "plugin", "k8sauthd has no plugins: its engines are built in. k8sauth read sys/plugins/catalog lists them." },
	{ "pki", "k8sauthd has no pki engine." },
	{ "transit", "k8sauthd has no transit engine." },
	{ "transform", "k8sauthd has no transform engine." },
	{ "hcp", "k8sauthd is on this machine: VAULT_ADDR says where." },
	{ "ssh", "A service account opens an SSH session with its own token: see k8sauth-askpass(1)." },
	{ "version-history", "k8sauth list sys/version-history tells which versions the server had." },
	{ "auth login", "k8sauth login logs in." },
	{ "operator diagnose", "k8sauthd -check-config checks the configuration, k8sauth doctor the machine." },
	{ "operator members", "There is one server: k8sauthd has no cluster. k8sauth status tells how it is." },
	{ "operator raft", "There is one server: k8sauthd has no cluster. For snapshots: k8sauth operator backup." },
	{ "operator step-down", "There is one server: k8sauthd has no cluster, and nobody to step down for." },
	{ "operator migrate", "k8sauthd has one kind of storage. To another machine: k8sauth operator backup, then restore." },
	{ "operator usage", "k8sauthd counts no clients. sys/metrics has numbers." },
	{ "operator utilization", "k8sauthd counts no clients. sys/metrics has numbers." },
	{ "operator import", "k8sauthd imports from nowhere." },
};

const char *verb_elsewhere(const char *words)
{
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		if (streq(elsewhere[i].verb, words))
			return elsewhere[i].instead;
	}
	return NULL;
}
