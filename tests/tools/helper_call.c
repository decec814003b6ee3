/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks k8sauth-helper from a test script, and prints what it answered: status, message, sessions.
 *     helper_call SOCKET publish FILE [REBIND]
 *     helper_call SOCKET session ID USER UID GID [NAME=CONTENT]...
 *     helper_call SOCKET remove ID
 *     helper_call SOCKET list
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <event2/event.h>

#include "base/safe_open.h"
#include "wire/wire_loop.h"

static int sealed_copy(const char *path)
{
	AUTO_CLOSE int in = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_BUF struct buf image = { 0 };
	int fd = memfd_create("helper_call", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (in < 0 || fd < 0 || read_all(in, 1u << 28, &image) < 0 ||
	    write(fd, image.data, image.len) != (ssize_t)image.len ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -1;
	return fd;
}

static void add_file(struct buf *request, const char *text)
{
	const char *equals = strchr(text, '=');
	AUTO_BUF struct buf item = { 0 };
	size_t len = equals ? (size_t)(equals - text) : strlen(text);
	char head[2] = { (char)(len & 0xff), (char)(len >> 8) };

	buf_add(&item, head, sizeof(head));
	buf_add(&item, text, len);
	buf_add_str(&item, equals ? equals + 1 : "");
	wire_add(request, WIRE_FILE | WIRE_CRITICAL, item.data, item.len);
}

/* The request of the command line; a descriptor to pass, or -1. */
static int make_request(int argc, char **argv, struct buf *request)
{
	const char *verb = argv[2];
	int fd = -1;

	if (streq(verb, "publish") && argc >= 4) {
		wire_begin(request, WIRE_HELPER_PUBLISH);
		wire_add_str(request, WIRE_REBIND, argc > 4 ? argv[4] : NULL);
		fd = sealed_copy(argv[3]);
	} else if (streq(verb, "session") && argc >= 7) {
		wire_begin(request, WIRE_HELPER_SESSION);
		wire_add_str(request, WIRE_SESSION, argv[3]);
		wire_add_str(request, WIRE_USER, argv[4]);
		wire_add_u32(request, WIRE_UID, (uint32_t)strtoul(argv[5], NULL, 10));
		wire_add_u32(request, WIRE_GID, (uint32_t)strtoul(argv[6], NULL, 10));
		for (int i = 7; i < argc; i++)
			add_file(request, argv[i]);
	} else if (streq(verb, "remove") && argc == 4) {
		wire_begin(request, WIRE_HELPER_REMOVE);
		wire_add_str(request, WIRE_SESSION, argv[3]);
	} else {
		wire_begin(request, WIRE_HELPER_LIST);
	}
	return wire_end(request) < 0 ? -1 : fd;
}

static void on_answer(void *arg, int r, const struct wire_frame *reply)
{
	struct wire_item item;
	uint32_t status = 0;
	size_t at = 0;

	if (r < 0) {
		printf("%s\n", strerror(-r));
		return;
	}
	wire_get_u32(reply, WIRE_STATUS, &status);
	printf("%s", wire_status_name(status));
	while (wire_next(reply, &at, &item)) {
		if (item.tag == WIRE_MESSAGE)
			printf(": %.*s", (int)item.len, item.value);
		else if (item.tag == WIRE_SESSION)
			printf(" %.*s", (int)item.len, item.value);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct buf request = BUF_MAX(WIRE_HELPER_MAX);
	int fd;

	if (argc < 3 || !base)
		return 2;
	fd = make_request(argc, argv, &request);
	wire_call_async(base, argv[1], &request, fd, 10000, on_answer, NULL);
	event_base_dispatch(base);
	event_base_free(base);
	if (fd >= 0)
		close(fd);
	return 0;
}
