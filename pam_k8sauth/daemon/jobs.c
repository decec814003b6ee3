/* SPDX-License-Identifier: Apache-2.0 */
/* The job thread; see jobs.h. */
#include "daemon/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>

#include "base/macros.h"
#include "base/thread.h"

struct job {
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
	struct job *next;
};

struct jobs {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *queue, *finished;
	bool ending;
	int wake_fd;
	struct event *wake;
};

static void append(struct job **list, struct job *job)
{
	while (*list)
		list = &(*list)->next;
	*list = job;
}

static void *run(void *arg)
{
	struct jobs *jobs = arg;

	pthread_mutex_lock(&jobs->lock);
	for (;;) {
		struct job *job = jobs->queue;

		if (job) {
			jobs->queue = job->next;
			job->next = NULL;
			pthread_mutex_unlock(&jobs->lock);
			job->work(job->arg);
			pthread_mutex_lock(&jobs->lock);
			append(&jobs->finished, job);
			eventfd_write(jobs->wake_fd, 1);
		} else if (jobs->ending) {
			break;
		} else {
			pthread_cond_wait(&jobs->more, &jobs->lock);
		}
	}
	pthread_mutex_unlock(&jobs->lock);
	return NULL;
}

static void finish(struct jobs *jobs)
{
	struct job *job;

	pthread_mutex_lock(&jobs->lock);
	job = TAKE_PTR(jobs->finished);
	pthread_mutex_unlock(&jobs->lock);
	while (job) {
		struct job *next = job->next;

		job->done(job->arg);
		free(job);
		job = next;
	}
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	eventfd_t n;

	(void)what;
	eventfd_read(fd, &n);
	finish(arg);
}

struct jobs *jobs_new(struct event_base *base)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (!jobs)
		return NULL;
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_cond_init(&jobs->more, NULL);
	jobs->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	jobs->wake = jobs->wake_fd < 0 ? NULL : event_new(base, jobs->wake_fd, EV_READ | EV_PERSIST, on_wake, jobs);
	if (jobs->wake && event_add(jobs->wake, NULL) == 0 && thread_start(&jobs->thread, run, jobs) == 0)
		return jobs;
	if (jobs->wake)
		event_free(jobs->wake);
	if (jobs->wake_fd >= 0)
		close(jobs->wake_fd);
	free(jobs);
	return NULL;
}

int jobs_run(struct jobs *jobs, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return -ENOMEM;
	*job = (struct job){ work, done, arg, NULL };
	pthread_mutex_lock(&jobs->lock);
	append(&jobs->queue, job);
	pthread_cond_signal(&jobs->more);
	pthread_mutex_unlock(&jobs->lock);
	return 0;
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	pthread_mutex_lock(&jobs->lock);
	jobs->ending = true;
	pthread_cond_signal(&jobs->more);
	pthread_mutex_unlock(&jobs->lock);
	pthread_join(jobs->thread, NULL);
	finish(jobs);
	while (jobs->queue) { /* what that began */
		struct job *job = jobs->queue;

		jobs->queue = job->next;
		free(job);
	}
	event_free(jobs->wake);
	close(jobs->wake_fd);
	free(jobs);
}
