/* SPDX-License-Identifier: Apache-2.0 */
/* A token in a file, as kubelet projects it: links that are replaced, in a folder that others may write. */
#pragma once

#include <stdbool.h>

/* Makes /run/pod/token hold TEXT; NULL: removes it. False with errno. */
bool kubelet_write(const char *text);
