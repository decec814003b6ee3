/* SPDX-License-Identifier: Apache-2.0 */
/* See kubelet.h. */
#include "kubelet.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/macros.h"

#define FOLDER "/run/pod"
#define DATA   FOLDER "/..2026_11_26_06_37_15.1"

static bool link_to(const char *target, const char *path)
{
	return symlink(target, path) == 0 || errno == EEXIST;
}

bool kubelet_write(const char *text)
{
	AUTO_CLOSE int fd = -1;

	if (!text)
		return unlink(DATA "/token") == 0 || errno == ENOENT;
	if ((mkdir(FOLDER, 0755) < 0 && errno != EEXIST) || chmod(FOLDER, 01777) < 0 ||
	    (mkdir(DATA, 0755) < 0 && errno != EEXIST) || !link_to("..2026_11_26_06_37_15.1", FOLDER "/..data") ||
	    !link_to("..data/token", FOLDER "/token"))
		return false;
	fd = open(DATA "/token", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}
