// SPDX-License-Identifier: Apache-2.0
//go:build tools

// Pins the Vault that the tests compare with. Vault is BUSL-licensed: a tool of the tests, never linked, never shipped.
package tools

import (
	_ "github.com/hashicorp/vault"
)
