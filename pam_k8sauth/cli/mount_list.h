/* SPDX-License-Identifier: Apache-2.0 */
/* Listings of mounts. */
#pragma once

#include "cli/cli.h"

/* Prints MOUNTS (path to description) as `secrets list` or `auth list` does. An exit code. */
int mount_list_print(const struct cli *cli, const struct value *mounts, bool auth);
