/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publications: the next index is sealed into a memfd and handed to the helper, which checks it and puts it in place.
 * One is under way at a time; what is claimed meanwhile goes into the next one.
 */
#include "accounts/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/log.h"
#include "wire/wire_loop.h"

#define RETRY_SECONDS 30 /* after a failure, where nobody's login brings it up sooner */

static void on_timer(evutil_socket_t fd, short events, void *arg);

/* Whether the index is not known to say what accounts.conf says. */
static bool unpublished(const struct accounts *accounts)
{
	return accounts->published_number != accounts->conf_number;
}

static void arm(struct accounts *accounts, int seconds)
{
	struct timeval delay = { .tv_sec = seconds };

	if (!accounts->timer)
		accounts->timer = evtimer_new(accounts->base, on_timer, accounts);
	if (!accounts->timer || evtimer_add(accounts->timer, &delay) < 0)
		log_error("accounts: out of memory: a publication has to wait for the next login");
}

void publish_soon(struct accounts *accounts)
{
	if (!accounts->publishing)
		arm(accounts, 0);
}

/* --- answers -------------------------------------------------------------------------------------------------- */

/* What a claim was told before it waited holds for what was published, or is told anew. */
static void answer(struct accounts *accounts, const struct claim *claim)
{
	struct account account = { 0 };
	struct index_user user;
	char why[512];

	if (claim->rebind) {
		claim->done(claim->arg, ACCOUNT_OK, NULL, NULL);
		return;
	}
	if (!accounts_refresh(accounts, why, sizeof(why))) {
		claim->done(claim->arg, ACCOUNT_INDEX_BROKEN, NULL, why);
		return;
	}
	if (index_user_by_name(&accounts->map, claim->name, &user) < 0 || !streq(user.identity, claim->identity) ||
	    !streq(user.service_account_uid, claim->service_account_uid)) {
		claim->done(claim->arg, ACCOUNT_INDEX_BROKEN, NULL,
		    "the published index does not hold the account; see the journal of k8sauth-helper");
		return;
	}
	if (user.uid != claim->uid) {
		snprintf(why, sizeof(why), "the uid of %s is %u from now on, not %u any more: log in again",
		    claim->name, user.uid, claim->uid);
		claim->done(claim->arg, ACCOUNT_MOVED, NULL, why);
		return;
	}
	accounts_fill(&user, &account);
	claim->done(claim->arg, ACCOUNT_OK, &account, NULL);
}

/* Answers everybody of the publication that ended. A callback may claim again. */
static void answer_all(struct accounts *accounts, enum account_verdict verdict, const char *why)
{
	struct claim *claim, *claims = TAKE_PTR(accounts->in_flight);

	while ((claim = claims)) {
		claims = claim->next;
		if (verdict == ACCOUNT_OK)
			answer(accounts, claim);
		else
			claim->done(claim->arg, verdict, NULL, why);
		free(claim);
	}
	if (accounts->waiting)
		publish_soon(accounts);
}

static void on_published(void *arg, int r, const struct wire_frame *reply)
{
	struct accounts *accounts = arg;
	uint32_t status = WIRE_STATUS_INTERNAL;
	AUTO_FREE char *message = NULL;
	char why[512];

	accounts->publishing = false;
	if (accounts->freed) {
		accounts_free(accounts);
		return;
	}
	if (r == 0 && !wire_get_u32(reply, WIRE_STATUS, &status))
		r = -EPROTO;
	if (r == 0 && status == WIRE_STATUS_OK) {
		accounts->published_number = accounts->sent_number;
		answer_all(accounts, ACCOUNT_OK, NULL);
	} else {
		if (r == 0)
			message = wire_get_str(reply, WIRE_MESSAGE);
		snprintf(why, sizeof(why), "k8sauth-helper did not publish the account index: %s",
		    message ? message
		    : r < 0 ? strerror(-r)
			    : wire_status_name(status));
		log_error("accounts: %s", why);
		accounts->published_number = 0; /* a record that was copied may be what it refuses */
		answer_all(accounts, ACCOUNT_HELPER_DOWN, why);
	}
	if (!accounts->waiting && unpublished(accounts))
		arm(accounts, RETRY_SECONDS);
}

/* --- sending -------------------------------------------------------------------------------------------------- */

static int seal(const struct buf *image)
{
	AUTO_CLOSE int fd = memfd_create("k8sauth-accounts", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	for (size_t at = 0; at < image->len;) {
		ssize_t n = write(fd, image->data + at, image->len - at);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int send_image(struct accounts *accounts, const struct buf *image, const char *rebind)
{
	AUTO_BUF struct buf request = BUF_MAX(WIRE_HELPER_MAX);
	AUTO_CLOSE int fd = seal(image);
	int r;

	if (fd < 0)
		return fd;
	wire_begin(&request, WIRE_HELPER_PUBLISH);
	wire_add_str(&request, WIRE_REBIND | WIRE_CRITICAL, rebind);
	r = wire_end(&request);
	if (r < 0)
		return r;
	accounts->publishing = true;
	accounts->sent_number = accounts->conf_number;
	wire_call_async(accounts->base, accounts->helper_socket, &request, fd, HELPER_CALL_MS, on_published, accounts);
	return 0;
}

/* Moves what waits into this publication: everything, but one rebinding only, since the request names one. */
static const char *board(struct accounts *accounts)
{
	struct claim **from = &accounts->waiting, **to = &accounts->in_flight;
	const char *rebind = NULL;

	while (*from) {
		struct claim *claim = *from;

		if (claim->rebind && rebind) {
			from = &claim->next;
			continue;
		}
		if (claim->rebind)
			rebind = claim->name;
		*from = claim->next;
		claim->next = NULL;
		*to = claim;
		to = &claim->next;
	}
	return rebind;
}

static bool same_as_published(const struct accounts *accounts, const struct buf *image)
{
	const size_t head = sizeof(struct idmap_header);
	uint32_t from, to;

	index_range(&accounts->map, &from, &to);
	return accounts->map.data && accounts->map.size == image->len && from == accounts->conf->from &&
	       to == accounts->conf->to &&
	       memcmp(accounts->map.data + head, image->data + head, image->len - head) == 0;
}

static void on_timer(evutil_socket_t fd, short events, void *arg)
{
	struct accounts *accounts = arg;
	AUTO_BUF struct buf image = { 0 };
	const char *rebind;
	char why[512] = "";
	int r;

	if (accounts->publishing)
		return;
	if (!accounts_refresh(accounts, why, sizeof(why))) {
		accounts->in_flight = TAKE_PTR(accounts->waiting);
		answer_all(accounts, ACCOUNT_INDEX_BROKEN, why);
		return;
	}
	if (!accounts->waiting && !unpublished(accounts))
		return;
	rebind = board(accounts);
	r = image_build(accounts, accounts->in_flight, unpublished(accounts), &image, why, sizeof(why));
	if (r == 0 && same_as_published(accounts, &image)) {
		accounts->published_number = accounts->conf_number;
		answer_all(accounts, ACCOUNT_OK, NULL);
		return;
	}
	if (r == 0)
		r = send_image(accounts, &image, rebind);
	if (r == 0)
		return;
	if (*why == '\0')
		snprintf(why, sizeof(why), "the account index cannot be handed to the helper: %s", strerror(-r));
	log_error("accounts: %s", why);
	answer_all(accounts, ACCOUNT_INDEX_BROKEN, why);
}

static void free_claims(struct claim *claim)
{
	while (claim) {
		struct claim *next = claim->next;

		free(claim);
		claim = next;
	}
}

void publish_free(struct accounts *accounts)
{
	free_claims(TAKE_PTR(accounts->waiting));
	free_claims(TAKE_PTR(accounts->in_flight));
	if (accounts->timer)
		event_free(TAKE_PTR(accounts->timer));
}
