// SPDX-License-Identifier: Apache-2.0
//go:build tools

// Pins the etcd that the real control plane of the tests runs on.
package tools

import _ "go.etcd.io/etcd/server/v3"
