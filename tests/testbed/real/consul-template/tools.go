// SPDX-License-Identifier: Apache-2.0
//go:build tools

// Pins the consul-template that the tests of unchanged clients drive: the version that is inside Vault Agent 1.21.4.
package tools

import _ "github.com/hashicorp/consul-template"
