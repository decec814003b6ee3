/* SPDX-License-Identifier: Apache-2.0 */
/* Kubernetes object names, checked before they reach a URL or become an identity. */
#pragma once

#include <stdbool.h>

#define KUBE_NAMESPACE_MAX 63
#define KUBE_NAME_MAX	   253

/* A DNS label (RFC 1123): [a-z0-9-], no '-' at its ends, at most 63 bytes. */
bool kube_namespace_valid(const char *name);
/* A DNS subdomain: such labels joined by dots, at most 253 bytes. */
bool kube_name_valid(const char *name);
