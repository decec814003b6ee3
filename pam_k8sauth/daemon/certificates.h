/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS listeners' certificates while the daemon runs: loaded at start, replaced on SIGHUP by the job thread. */
#pragma once

#include "daemon/config.h"
#include "daemon/jobs.h"
#include "daemon/tls.h"

struct certificates;

/* Loads those of every listener. 0, or a negative errno with WHY. CONFIG and JOBS outlive the certificates. */
int certificates_new(const struct daemon_config *config, struct jobs *jobs, struct certificates **ret, char *why,
    size_t why_size) NODISCARD;

/* Where the context of listener I stands, for http_server_listen. */
SSL_CTX *const *certificates_at(const struct certificates *certificates, size_t i);

/* Sets METRIC_CERTIFICATE of each listener. */
void certificates_set_metrics(const struct certificates *certificates);

/* Reads the files again; a listener whose files are bad keeps its old certificate, and the log says so. */
void certificates_reload(struct certificates *certificates);

/* After jobs_free: no job may be under way. */
void certificates_free(struct certificates *certificates);
