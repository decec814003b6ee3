/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of the TLS listeners. */
#pragma once

#include <stddef.h>
#include <openssl/ssl.h>

#include "base/macros.h"
#include "daemon/config.h"

/*
 * A server context from the PEM files of LISTENER: the certificate, then its chain; its key (not encrypted, and not
 * readable by others); the authorities of clients. 0 and *RET (the caller's: SSL_CTX_free), or a negative errno with
 * WHY. Touches nothing else: fit for the job thread.
 */
int tls_load(const struct listener_config *listener, SSL_CTX **ret, char *why, size_t why_size) NODISCARD;

/* When the certificate of CTX ends, unix time; 0 if it does not tell. */
int64_t tls_expiry(SSL_CTX *ctx);
