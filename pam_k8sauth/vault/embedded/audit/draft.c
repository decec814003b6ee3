/* SPDX-License-Identifier: Apache-2.0 */
/* Drafts of entries, and the lines that a device makes of them; see draft.h. */
#include "vault/embedded/audit/draft.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/json_go.h"
#include "base/text.h"

enum part_kind {
	PART_LITERAL = 'l',
	PART_SECRET = 's',
	PART_HASHED = 'h',
	PART_ACCESSOR = 'a',
	PART_NUMBER = 'n',
	PART_LIST = 'L', /* bytes: the count as text, a NUL, the parts of the list itself */
};

struct part {
	char kind;
	uint32_t len;
} __attribute__((packed));

#define DRAFT_SIZE 4096 /* of two entries, mostly */

/* --- writing */

struct audit_draft draft_new(void)
{
	struct audit_draft draft = { 0 };

	buf_reserve(&draft.buf, DRAFT_SIZE - 1);
	return draft;
}

/* The part at AT reaches to the end. */
static void set_length(struct audit_draft *draft, size_t at)
{
	uint32_t len = (uint32_t)(draft->buf.len - at - sizeof(struct part));

	if (!draft->buf.failed)
		memcpy(draft->buf.data + at + offsetof(struct part, len), &len, sizeof(len));
}

void draft_end(struct audit_draft *draft)
{
	if (draft->run)
		set_length(draft, draft->run - 1);
	draft->run = 0;
}

static size_t add_part(struct audit_draft *draft, enum part_kind kind, const void *data, size_t len)
{
	struct part part = { .kind = (char)kind, .len = (uint32_t)len };
	size_t at;

	draft_end(draft);
	at = draft->buf.len;
	buf_add(&draft->buf, &part, sizeof(part));
	buf_add(&draft->buf, data, len);
	return at;
}

static void open_literal(struct audit_draft *draft)
{
	if (!draft->run)
		draft->run = add_part(draft, PART_LITERAL, "", 0) + 1;
}

void draft_literal(struct audit_draft *draft, const char *text, size_t len)
{
	open_literal(draft);
	buf_add(&draft->buf, text, len);
}

void draft_str(struct audit_draft *draft, const char *text)
{
	draft_literal(draft, text, strlen(text));
}

void draft_key(struct audit_draft *draft, const char *name, bool first)
{
	size_t len = strlen(name);
	char *to;

	open_literal(draft);
	if (buf_reserve(&draft->buf, len + 4) < 0)
		return;
	to = draft->buf.data + draft->buf.len;
	if (!first)
		*to++ = ',';
	*to++ = '"';
	to = mempcpy(to, name, len);
	*to++ = '"';
	*to++ = ':';
	*to = '\0';
	draft->buf.len = (size_t)(to - draft->buf.data);
}

size_t draft_mark(struct audit_draft *draft)
{
	draft_end(draft);
	return draft->buf.len;
}

void draft_repeat(struct audit_draft *draft, size_t from, size_t to)
{
	draft_end(draft);
	if (buf_reserve(&draft->buf, to - from) == 0)
		buf_add(&draft->buf, draft->buf.data + from, to - from);
}

void draft_clear(struct audit_draft *draft, const char *text, size_t len)
{
	open_literal(draft);
	json_go_string(text, len, &draft->buf);
}

void draft_secret(struct audit_draft *draft, const char *text, size_t len)
{
	add_part(draft, PART_SECRET, text, len);
}

void draft_hashed(struct audit_draft *draft, const char *text, size_t len)
{
	add_part(draft, PART_HASHED, text, len);
}

void draft_accessor(struct audit_draft *draft, const char *text)
{
	add_part(draft, PART_ACCESSOR, text, strlen(text));
}

void draft_number(struct audit_draft *draft, const char *text)
{
	add_part(draft, PART_NUMBER, text, strlen(text));
}

size_t draft_begin_list(struct audit_draft *draft, size_t count)
{
	size_t mark = add_part(draft, PART_LIST, "", 0);

	buf_printf(&draft->buf, "%zu", count);
	buf_add_char(&draft->buf, '\0');
	return mark;
}

void draft_end_list(struct audit_draft *draft, size_t mark)
{
	draft_end(draft);
	set_length(draft, mark);
}

/* --- hashing */

EVP_MAC_CTX *audit_mac_new(const char *salt)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac);
	if (ctx && EVP_MAC_init(ctx, (const unsigned char *)salt, strlen(salt), params))
		return ctx;
	EVP_MAC_CTX_free(ctx);
	return NULL;
}

int audit_hash(EVP_MAC_CTX *mac, const char *text, size_t len, char ret[static AUDIT_HASH_LEN + 1])
{
	unsigned char bytes[32];
	size_t bytes_len;

	/* Without a key it goes back to the state after the last key. */
	if (!EVP_MAC_init(mac, NULL, 0, NULL) || !EVP_MAC_update(mac, (const unsigned char *)text, len) ||
	    !EVP_MAC_final(mac, bytes, &bytes_len, sizeof(bytes)) || bytes_len != sizeof(bytes))
		return -EIO;
	memcpy(ret, AUDIT_HASH_PREFIX, sizeof(AUDIT_HASH_PREFIX));
	hex_encode(bytes, sizeof(bytes), ret + sizeof(AUDIT_HASH_PREFIX) - 1);
	return 0;
}

/* --- lines */

static int add_hash(const char *text, size_t len, const struct audit_form *form, struct buf *ret)
{
	char hash[AUDIT_HASH_LEN + 3];
	int r = audit_hash(form->mac, text, len, hash + 1);

	if (r < 0)
		return r;
	hash[0] = hash[AUDIT_HASH_LEN + 1] = '"';
	return buf_add(ret, hash, AUDIT_HASH_LEN + 2);
}

static int render_part(char kind, const char *data, size_t len, const struct audit_form *form, struct buf *ret)
{
	size_t count_len;

	switch (kind) {
	case PART_LITERAL:
		return buf_add(ret, data, len);
	case PART_SECRET:
		break;
	case PART_HASHED:
		return add_hash(data, len, form, ret);
	case PART_ACCESSOR:
		if (form->clear_accessors)
			json_go_string(data, len, ret);
		if (form->clear_accessors)
			return 0;
		break;
	case PART_NUMBER:
		if (form->log_raw)
			return buf_add(ret, data, len);
		break;
	case PART_LIST:
		count_len = strnlen(data, len);
		if (form->elide_lists)
			return buf_add(ret, data, count_len);
		return draft_render(data + count_len + 1, len - count_len - 1, form, ret);
	default:
		return -EIO;
	}
	if (!form->log_raw)
		return add_hash(data, len, form, ret);
	json_go_string(data, len, ret);
	return 0;
}

int draft_render(const char *draft, size_t len, const struct audit_form *form, struct buf *ret)
{
	for (size_t at = 0; at < len;) {
		struct part part;
		int r;

		memcpy(&part, draft + at, sizeof(part));
		at += sizeof(part);
		r = render_part(part.kind, draft + at, part.len, form, ret);
		if (r < 0)
			return r;
		at += part.len;
	}
	return ret->failed ? -ENOMEM : 0;
}
