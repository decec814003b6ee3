/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CA and the token that Kubernetes puts into a pod, for a k8sauthd that runs in one (1.4). They lie on a tmpfs and
 * are a few kilobytes: read where they are needed, by the loop.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/deadline.h"
#include "base/safe_open.h"
#include "vault/embedded/auth_kubernetes/kubernetes.h"

#define LOCAL_FILE_MAX (256 * 1024)

int local_file_refresh(struct local_file *file, bool *ret_changed)
{
	AUTO_BUF struct buf content = { 0 };
	AUTO_CLOSE int fd = -1;
	int64_t now = monotonic_ms();
	int r;

	*ret_changed = false;
	if (file->read_ms && now < file->read_ms + file->ttl_ms)
		return 0;
	/* Not what is stale: a file that cannot be read again is an error. */
	file->read_ms = 0;
	fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	r = read_all(fd, LOCAL_FILE_MAX, &content);
	if (r < 0)
		return r;
	if (buf_add_str(&content, "") < 0)
		return -ENOMEM;
	*ret_changed = !file->content.data || !streq(file->content.data, content.data);
	buf_free(&file->content);
	file->content = content;
	content = (struct buf){ 0 };
	file->read_ms = now;
	return 0;
}

void local_file_error(const struct local_file *file, int r, char *ret, size_t size)
{
	int at = snprintf(ret, size, "open %s: ", file->path);

	snprintf(ret + at, size - (size_t)at, "%s", strerror(-r));
	ret[at] = (char)tolower((unsigned char)ret[at]);
}
