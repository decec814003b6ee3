/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to verify for a short time, and questions under way, so that the same ones are asked once. Neither credential
 * nor user is kept: a question is an HMAC under a key that this process made.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/text.h"
#include "session/verify.h"

struct verifier *verifier_new(void)
{
	struct verifier *verifier = calloc(1, sizeof(*verifier));

	if (!verifier)
		return NULL;
	random_bytes(verifier->secret, sizeof(verifier->secret));
	TAILQ_INIT(&verifier->kept[false]);
	TAILQ_INIT(&verifier->kept[true]);
	return verifier;
}

void verifier_free(struct verifier *verifier)
{
	struct verification *verification;

	if (!verifier)
		return;
	for (size_t yes = 0; yes < ARRAY_SIZE(verifier->kept); yes++) {
		while ((verification = TAILQ_FIRST(&verifier->kept[yes])))
			verify_drop(verification);
	}
	wipe(verifier->secret, sizeof(verifier->secret));
	free(verifier);
}

/* With its NUL, so that ("a", "bc") is not ("ab", "c"): no text of a question has one inside. */
static void add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text) + 1);
}

bool verify_key(
    const struct verifier *verifier, const struct verify_question *question, unsigned char ret[static VERIFY_KEY_SIZE])
{
	AUTO_BUF struct buf text = { 0 };
	unsigned len = VERIFY_KEY_SIZE;

	buf_add(&text, &question->caller->uid, sizeof(question->caller->uid));
	add_text(&text, question->caller->user);
	add_text(&text, question->caller->service);
	add_text(&text, question->caller->rhost);
	add_text(&text, question->mount);
	for (char *const *role = question->roles; role && *role; role++)
		add_text(&text, *role);
	add_text(&text, ""); /* no role is named so */
	buf_add(&text, secret_reveal(question->credential), secret_len(question->credential));
	return !text.failed && HMAC(EVP_sha256(), verifier->secret, sizeof(verifier->secret),
				   (const unsigned char *)text.data, text.len, ret, &len) != NULL;
}

static struct verification **chain_of(struct verifier *verifier, const unsigned char *key)
{
	return &verifier->hash[(key[0] | key[1] << 8) % VERIFY_HASH];
}

static void unlist(struct verification *verification)
{
	struct verification **at = chain_of(verification->verifier, verification->key);

	if (!verification->listed)
		return;
	while (*at != verification)
		at = &(*at)->next;
	*at = verification->next;
	verification->listed = false;
}

static void age_out(struct verification *verification)
{
	struct verifier *verifier = verification->verifier;
	bool yes = verification->state == VERIFY_YES;

	if (verification->state == VERIFY_ASKING)
		return;
	TAILQ_REMOVE(&verifier->kept[yes], verification, age);
	verifier->n_kept[yes]--;
}

static void age_in(struct verification *verification)
{
	struct verifier *verifier = verification->verifier;
	bool yes = verification->state == VERIFY_YES;

	TAILQ_INSERT_TAIL(&verifier->kept[yes], verification, age);
	verifier->n_kept[yes]++;
}

void verify_drop(struct verification *verification)
{
	unlist(verification);
	age_out(verification);
	free(verification);
}

struct verification *verify_find(struct verifier *verifier, const unsigned char *key, uint64_t epoch)
{
	struct verification *found = *chain_of(verifier, key);

	while (found && !equal_constant_time(found->key, key, VERIFY_KEY_SIZE))
		found = found->next;
	if (!found)
		return NULL;
	/* Something has changed: who asked before gets an answer of before. */
	if (found->epoch != epoch && found->state == VERIFY_ASKING) {
		unlist(found);
		return NULL;
	}
	if (found->state == VERIFY_ASKING)
		return found;
	if (found->epoch != epoch || monotonic_ms() >= found->until) {
		verify_drop(found);
		return NULL;
	}
	age_out(found);
	age_in(found);
	return found;
}

struct verification *verify_begin(struct verifier *verifier, const unsigned char *key, uint64_t epoch, const char *ref)
{
	struct verification *verification = calloc(1, sizeof(*verification));
	struct verification **chain = chain_of(verifier, key);

	if (!verification)
		return NULL;
	verification->verifier = verifier;
	verification->epoch = epoch;
	memcpy(verification->key, key, VERIFY_KEY_SIZE);
	memcpy(verification->ref, ref, REF_SIZE);
	TAILQ_INIT(&verification->waiters);
	verification->next = *chain;
	*chain = verification;
	verification->listed = true;
	return verification;
}

static size_t known_place(const unsigned char *key)
{
	return (key[2] | (size_t)key[3] << 8) % VERIFY_KNOWN;
}

bool verify_was_yes(const struct verifier *verifier, const unsigned char *key)
{
	size_t at = known_place(key);

	return monotonic_ms() < verifier->known[at].until &&
	       equal_constant_time(verifier->known[at].key, key, VERIFY_KEY_SIZE);
}

void verify_end(struct verification *verification, bool yes, int64_t ms, uint64_t epoch)
{
	struct verifier *verifier = verification->verifier;
	size_t at = known_place(verification->key);

	if (yes) {
		memcpy(verifier->known[at].key, verification->key, VERIFY_KEY_SIZE);
		verifier->known[at].until = monotonic_ms() + VERIFY_KNOWN_MS;
	}
	if (ms <= 0 || !verification->listed || verification->epoch != epoch) {
		verify_drop(verification);
		return;
	}
	verification->state = yes ? VERIFY_YES : VERIFY_NO;
	verification->until = monotonic_ms() + ms;
	age_in(verification);
	while (verifier->n_kept[yes] > VERIFY_KEPT)
		verify_drop(TAILQ_FIRST(&verifier->kept[yes]));
}
