/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of the TLS listeners. */
#pragma once

#include <stddef.h>
#include <openssl/ssl.h>

#include "base/macros.h"

/*
 * A server context for TLS 1.2 and newer from the PEM files CERT_FILE (the certificate, then its chain) and KEY_FILE
 * (not encrypted, and not readable by others). 0 and *RET (the caller's: SSL_CTX_free), or a negative errno with WHY.
 * Touches nothing else: fit for the job thread.
 */
int tls_load(const char *cert_file, const char *key_file, SSL_CTX **ret, char *why, size_t why_size) NODISCARD;
