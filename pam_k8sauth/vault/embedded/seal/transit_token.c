/* SPDX-License-Identifier: Apache-2.0 */
/* The token of the seal "transit": renewed as long as the other Vault lets it; see transit.h. */
#include <errno.h>
#include <stdio.h>
#include <jansson.h>

#include "base/log.h"
#include "vault/embedded/seal/transit.h"

#define AGAIN_FIRST_S 10
#define AGAIN_MAX_S   300
#define LATER_S	      3600 /* at the latest: the file may have another token by then */
#define SOON_S	      2

struct transit_token {
	struct event_base *base;
	const struct seal_config *config;
	char *url;
	struct event *timer;
	struct https_call *call; /* under way; NULL */
	long long ttl;		 /* that the last renewal gave, in seconds; 0: none yet */
	unsigned failures;	 /* one after the other */
	bool ending;		 /* it is said that no renewal brings more */
};

static void wait_for(struct transit_token *token, long long seconds)
{
	const struct timeval in = { .tv_sec = seconds < SOON_S ? SOON_S : seconds > LATER_S ? LATER_S : seconds };

	if (event_add(token->timer, &in) < 0)
		log_error("no memory to renew the token of seal \"transit\": restart k8sauthd before it ends");
}

static const char *file_of(const struct transit_token *token)
{
	return seal_config_value(token->config, "token_file");
}

static void note_failure(struct transit_token *token, const char *why)
{
	long long seconds = AGAIN_FIRST_S;

	if (token->failures == 0)
		log_warning("the token in %s cannot be renewed: %s; when it ends, seal \"transit\" cannot unseal at the "
			    "next start",
		    file_of(token), why);
	for (unsigned i = 0; i < token->failures && seconds < AGAIN_MAX_S; i++)
		seconds *= 2;
	token->failures++;
	wait_for(token, seconds < AGAIN_MAX_S ? seconds : AGAIN_MAX_S);
}

/* TTL: what it has left now; 0 where it does not end. */
static void note_success(struct transit_token *token, long long ttl)
{
	if (token->failures)
		log_notice("the token in %s is renewed again", file_of(token));
	token->failures = 0;
	if (!ttl || ttl >= token->ttl)
		token->ending = false;
	else if (!token->ending) {
		token->ending = true;
		log_warning("the token in %s ends in %lld s, whatever is renewed: put another one there before", file_of(token),
		    ttl);
	}
	token->ttl = ttl;
	wait_for(token, ttl ? ttl * 2 / 3 : LATER_S);
}

static void on_renewed(void *arg, int status, const char *answer, size_t len, const char *error)
{
	struct transit_token *token = arg;
	json_auto_t *json = status == 200 ? json_loadb(answer, len, 0, NULL) : NULL;
	const json_t *auth = json_object_get(json, "auth");
	char why[512];

	if (json_is_object(auth)) {
		note_success(token, json_integer_value(json_object_get(auth, "lease_duration")));
	} else {
		transit_tell(why, sizeof(why), token->url, status, answer, len, error);
		note_failure(token, why);
	}
	https_call_free(token->call);
	token->call = NULL;
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct transit_token *token = arg;
	struct buf body AUTO_BUF = { 0 };
	char why[512] = "no memory";
	int r;

	buf_printf(&body, "{}");
	if (!body.failed)
		token->call = transit_post(
		    token->base, token->config, token->url, &body, on_renewed, token, &r, why, sizeof(why));
	if (!token->call)
		note_failure(token, why);
}

struct transit_token *transit_token_keep(
    struct event_base *base, const struct seal_config *config, const char *address)
{
	struct transit_token *token = calloc(1, sizeof(*token));
	const struct timeval now = { 0 };

	if (!token)
		return NULL;
	token->base = base;
	token->config = config;
	if (asprintf(&token->url, "%sauth/token/renew-self", address) < 0)
		token->url = NULL;
	token->timer = evtimer_new(base, on_time, token);
	if (token->url && token->timer && event_add(token->timer, &now) == 0)
		return token;
	transit_token_free(token);
	return NULL;
}

void transit_token_free(struct transit_token *token)
{
	if (!token)
		return;
	https_call_free(token->call);
	if (token->timer)
		event_free(token->timer);
	free(token->url);
	free(token);
}
