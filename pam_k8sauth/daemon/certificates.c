/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of a running daemon; see certificates.h. */
#include "daemon/certificates.h"

#include <errno.h>

#include "base/log.h"
#include "base/metrics.h"

struct entry {
	const struct listener_config *listener;
	struct jobs *jobs;
	SSL_CTX *current;
	bool again; /* asked for once more while the job may have read the files already */
	/* The job's; the loop reads them when it is done. */
	bool loading;
	SSL_CTX *fresh;
	char why[512];
};

struct certificates {
	size_t n;
	struct entry entries[];
};

int certificates_new(
    const struct daemon_config *config, struct jobs *jobs, struct certificates **ret, char *why, size_t why_size)
{
	struct certificates *certificates = calloc(
	    1, sizeof(*certificates) + config->n_listeners * sizeof(certificates->entries[0]));

	if (!certificates)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_listeners; i++) {
		struct entry *entry = &certificates->entries[i];
		int r;

		entry->listener = &config->listeners[i];
		entry->jobs = jobs;
		r = tls_load(entry->listener, &entry->current, why, why_size);
		if (r < 0) {
			certificates_free(certificates);
			return r;
		}
		certificates->n++;
	}
	*ret = certificates;
	return 0;
}

SSL_CTX *const *certificates_at(const struct certificates *certificates, size_t i)
{
	return &certificates->entries[i].current;
}

static void load(void *arg)
{
	struct entry *entry = arg;

	if (tls_load(entry->listener, &entry->fresh, entry->why, sizeof(entry->why)) < 0)
		entry->fresh = NULL;
}

static void loaded(void *arg);

static void start(struct entry *entry)
{
	entry->again = false;
	entry->loading = jobs_run(entry->jobs, load, loaded, entry) == 0;
	if (!entry->loading)
		log_error("%s keeps its old certificate: out of memory", entry->listener->address);
}

static void loaded(void *arg)
{
	struct entry *entry = arg;

	entry->loading = false;
	if (entry->fresh) {
		/* Connections hold a reference to theirs. */
		SSL_CTX_free(entry->current);
		entry->current = TAKE_PTR(entry->fresh);
		log_notice("%s has a new certificate from %s", entry->listener->address, entry->listener->tls_cert_file);
	} else {
		log_error("%s keeps its old certificate: %s", entry->listener->address, entry->why);
	}
	if (entry->again)
		start(entry);
}

void certificates_set_metrics(const struct certificates *certificates)
{
	for (size_t i = 0; i < certificates->n; i++)
		metric_set_number(METRIC_CERTIFICATE, METRIC_LABELS(certificates->entries[i].listener->address),
		    tls_expiry(certificates->entries[i].current));
}

void certificates_reload(struct certificates *certificates)
{
	for (size_t i = 0; i < certificates->n; i++) {
		struct entry *entry = &certificates->entries[i];

		entry->again = entry->loading;
		if (!entry->loading)
			start(entry);
	}
}

void certificates_free(struct certificates *certificates)
{
	if (!certificates)
		return;
	for (size_t i = 0; i < certificates->n; i++)
		SSL_CTX_free(certificates->entries[i].current);
	free(certificates);
}
