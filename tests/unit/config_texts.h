/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of k8sauth.hcl for its tests: a cluster, the start of a listener, a server. */
#pragma once

#define C "cluster \"kubernetes\" { audience = \"a\" }\n"
#define L "listener \"tcp\" { address = \"a:1\" tls_cert_file = \"/c\" tls_key_file = \"/k\" "
#define S "mode = \"server\"\nseal \"systemd-credential\" { }\n"
