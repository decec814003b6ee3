/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job thread: pure functions that are too slow for the loop, or that read files (decision 1). They share nothing
 * with the loop but their argument.
 */
#pragma once

#include <event2/event.h>

struct jobs;

/* Starts the thread, with every signal blocked. NULL on failure. */
struct jobs *jobs_new(struct event_base *base);

/*
 * Runs WORK(ARG) in the thread, one job after the other, then DONE(ARG) on the loop. 0, or -ENOMEM (nothing was
 * called).
 */
int jobs_run(struct jobs *jobs, void (*work)(void *arg), void (*done)(void *arg), void *arg);

/* Waits for the jobs that are queued, calls their DONE, ends the thread. */
void jobs_free(struct jobs *jobs);
