/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An audit device: a thread of its own that hashes and writes, so that no device ever stops the loop, nor another
 * device (decision 1). The loop hands drafts over, several at once; the thread makes lines of them, writes them at
 * once, and gives back which of them arrived. They share one queue each way and nothing else.
 */
#pragma once

#include <pthread.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/text.h"
#include "vault/embedded/audit/draft.h"
#include "vault/embedded/audit/sink.h"

#define DEVICE_QUEUE_MAX (16 * 1024 * 1024) /* bytes of drafts that wait for one device */

struct audit_device;

/* A draft on its way to all devices. The loop's. */
struct audit_item {
	struct buf draft;
	unsigned pending; /* devices that have not given it back, and are waited for */
	unsigned held;	  /* devices that may still read it */
	bool answered;
	int r;
	void (*done)(void *arg, int r); /* NULL: nobody waits */
	void *arg;
};

/* An item on its way to one device. */
struct audit_task {
	STAILQ_ENTRY(audit_task) link;
	TAILQ_ENTRY(audit_task) given; /* the loop's list of what the device has */
	struct audit_item *item;
	struct audit_device *device;
	size_t end; /* of its lines in what is written; 0: there are none */
	int r;
	bool given_up; /* the loop did not wait longer */
};
STAILQ_HEAD(audit_tasks, audit_task);

/* What all devices give back. */
struct audit_results {
	pthread_mutex_t lock;
	struct audit_tasks done;
	unsigned ended; /* threads that ended since the loop looked */
	int wake_fd;
};

struct audit_device {
	/* The loop's. */
	char *path; /* "file/" */
	char *type, *description;
	json_t *options;
	char salt[UUID_SIZE];
	bool local;
	EVP_MAC_CTX *mac; /* for sys/audit-hash */
	TAILQ_HEAD(, audit_task) given;
	struct audit_tasks turn; /* of this turn of the loop */
	size_t given_bytes;
	int64_t since_ms; /* when the device last gave something back, or got the oldest that it has */
	bool stuck;	  /* it gave nothing back in time: it gets nothing until it does */
	bool failing;	  /* the last write did: the journal knows */
	int64_t told_ms;  /* when it was last told so; monotonic */
	STAILQ_ENTRY(audit_device) ending;

	/* Shared, under LOCK. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct audit_tasks queue;
	bool reopen, stop;
	char why[SINK_WHY_SIZE]; /* of the last failure */

	/* The thread's. */
	pthread_t thread;
	bool started, ended; /* ENDED under the results' lock */
	struct audit_form form;
	struct sink *sink;
	struct audit_results *results;
};

/* What a device is made from. */
struct audit_settings {
	const char *path, *type, *description;
	json_t *options; /* an object of strings */
	bool local;
	const char *salt; /* NULL: a new one */
};

/*
 * Reads the options. 0 with *RET, not started yet, -ENOMEM, or -EINVAL with Vault's text in WHY.
 */
int audit_device_new(const struct audit_settings *settings, struct audit_results *results, struct audit_device **ret,
    char why[static SINK_WHY_SIZE]) NODISCARD;
/* Starts its thread. 0 or a negative errno. */
int audit_device_start(struct audit_device *device) NODISCARD;
/* One that has not started, or whose thread has ended. */
void audit_device_free(struct audit_device *device);

/* Whether DEVICE may get so many bytes more. */
bool audit_device_takes(const struct audit_device *device, size_t len);
/* Adds a task for ITEM to DEVICE's turn. 0 or -ENOMEM. */
int audit_device_give(struct audit_device *device, struct audit_item *item) NODISCARD;
/* Hands over what was given in this turn. */
void audit_device_flush(struct audit_device *device);
/* Closes what it writes to, so that the next write opens it anew. */
void audit_device_reopen(struct audit_device *device);
/* Its thread ends after what it has; it counts in the results then. */
void audit_device_stop(struct audit_device *device);
/* Waits for the end of its thread, at most TIMEOUT_MS. False: it hangs, and must be left alone. */
bool audit_device_join(struct audit_device *device, int timeout_ms);
