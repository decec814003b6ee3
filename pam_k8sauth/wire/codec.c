/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the wire protocol: building, checked reading; see wire.h. */
#include "wire/wire.h"

#include <endian.h>
#include <errno.h>

#include "base/text.h"
#include "wire/tags.h"

#define HEADER_LEN 8 /* length, version, type, zero */
#define LENGTH_LEN 4
#define ITEM_LEN   8

static uint16_t get_u16(const char *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

static uint32_t get_u32(const char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static void add_u16(struct buf *buf, uint16_t value)
{
	value = htole16(value);
	buf_add(buf, &value, sizeof(value));
}

static void add_u32(struct buf *buf, uint32_t value)
{
	value = htole32(value);
	buf_add(buf, &value, sizeof(value));
}

void wire_begin(struct buf *buf, uint8_t type)
{
	add_u32(buf, 0);
	buf_add_char(buf, WIRE_VERSION);
	buf_add_char(buf, (char)type);
	add_u16(buf, 0);
}

void wire_add(struct buf *buf, uint16_t tag, const void *value, size_t len)
{
	if (len > UINT32_MAX) {
		buf->failed = true;
		return;
	}
	add_u16(buf, tag);
	add_u16(buf, 0);
	add_u32(buf, (uint32_t)len);
	buf_add(buf, value, len);
}

void wire_add_str(struct buf *buf, uint16_t tag, const char *text)
{
	if (text)
		wire_add(buf, tag, text, strlen(text));
}

void wire_add_u32(struct buf *buf, uint16_t tag, uint32_t value)
{
	value = htole32(value);
	wire_add(buf, tag, &value, sizeof(value));
}

void wire_add_secret(struct buf *buf, uint16_t tag, const struct secret *secret)
{
	wire_add(buf, tag, secret_reveal(secret), secret_len(secret));
}

int wire_end(struct buf *buf)
{
	uint32_t len;

	/* A failed append leaves what was there: past the maximum or no memory, told apart by who sets one. */
	if (buf->failed)
		return buf->max ? -EMSGSIZE : -ENOMEM;
	if (buf->len - LENGTH_LEN > UINT32_MAX)
		return -EMSGSIZE;
	len = htole32((uint32_t)(buf->len - LENGTH_LEN));
	memcpy(buf->data, &len, sizeof(len));
	return 0;
}

ssize_t wire_frame_len(const char *data, size_t len, size_t max)
{
	uint32_t rest;

	if (len < LENGTH_LEN)
		return 0;
	rest = get_u32(data);
	if (rest < HEADER_LEN - LENGTH_LEN || max < LENGTH_LEN || rest > max - LENGTH_LEN)
		return -EMSGSIZE;
	return (ssize_t)rest + LENGTH_LEN;
}

static bool file_well_formed(const struct wire_item *item)
{
	size_t name;

	if (item->len < sizeof(uint16_t))
		return false;
	name = get_u16(item->value);
	return name > 0 && name <= item->len - sizeof(uint16_t) && utf8_valid(item->value + sizeof(uint16_t), name);
}

static bool value_well_formed(enum wire_kind kind, const struct wire_item *item)
{
	switch (kind) {
	case WIRE_KIND_U32:
		return item->len == sizeof(uint32_t);
	case WIRE_KIND_TEXT:
	case WIRE_KIND_SECRET_TEXT:
	case WIRE_KIND_ENV:
		return utf8_valid(item->value, item->len);
	case WIRE_KIND_FILE:
		return file_well_formed(item);
	case WIRE_KIND_SECRET:
		return true;
	}
	return false;
}

/* The next item's bytes; false at the end and where the frame is cut. */
static bool next_raw(const char *data, size_t len, size_t at, struct wire_item *ret, bool *ret_critical)
{
	uint32_t size;

	if (len - at < ITEM_LEN)
		return false;
	size = get_u32(data + at + 4);
	if (size > len - at - ITEM_LEN)
		return false;
	*ret_critical = get_u16(data + at) & WIRE_CRITICAL;
	*ret = (struct wire_item){
		.tag = get_u16(data + at) & (uint16_t)~WIRE_CRITICAL,
		.value = data + at + ITEM_LEN,
		.len = size,
	};
	return true;
}

static const char *check_item(uint8_t type, const struct wire_item *item, bool critical, uint64_t *seen)
{
	const struct wire_tag_info *info = wire_tag_info(item->tag);

	if (!info)
		return critical ? "unknown critical item" : NULL;
	if (!value_well_formed(info->kind, item))
		return "malformed item value";
	if (*seen & UINT64_C(1) << item->tag && !info->repeats &&
	    !(item->tag == WIRE_SESSION && type == (WIRE_HELPER_LIST | WIRE_REPLY)))
		return "item given twice";
	*seen |= UINT64_C(1) << item->tag;
	return NULL;
}

static const char *check_items(const char *data, size_t len)
{
	uint64_t seen = 0;
	unsigned items = 0;

	for (size_t at = HEADER_LEN; at < len;) {
		struct wire_item item;
		const char *why;
		bool critical;

		if (!next_raw(data, len, at, &item, &critical))
			return "item runs past the end of the frame";
		if (get_u16(data + at + 2) != 0)
			return "reserved field is not zero";
		if (++items > WIRE_ITEMS_MAX)
			return "too many items";
		why = check_item((uint8_t)data[5], &item, critical, &seen);
		if (why)
			return why;
		at += ITEM_LEN + item.len;
	}
	return NULL;
}

int wire_parse(const char *data, size_t len, struct wire_frame *ret, const char **ret_why)
{
	const char *why = NULL;

	if (len < HEADER_LEN || get_u32(data) != len - LENGTH_LEN)
		why = "length field does not match the frame";
	else if ((uint8_t)data[4] != WIRE_VERSION)
		why = "unknown protocol version";
	else if (get_u16(data + 6) != 0)
		why = "reserved field is not zero";
	else
		why = check_items(data, len);
	if (why) {
		*ret_why = why;
		return -EPROTO;
	}
	*ret = (struct wire_frame){ .type = (uint8_t)data[5], .data = data, .len = len };
	return 0;
}

bool wire_next(const struct wire_frame *frame, size_t *at, struct wire_item *ret)
{
	bool critical;

	if (*at < HEADER_LEN)
		*at = HEADER_LEN;
	if (*at >= frame->len || !next_raw(frame->data, frame->len, *at, ret, &critical))
		return false;
	*at += ITEM_LEN + ret->len;
	return true;
}

bool wire_get(const struct wire_frame *frame, uint16_t tag, struct wire_item *ret)
{
	struct wire_item item;

	for (size_t at = 0; wire_next(frame, &at, &item);) {
		if (item.tag == tag) {
			*ret = item;
			return true;
		}
	}
	return false;
}

bool wire_get_u32(const struct wire_frame *frame, uint16_t tag, uint32_t *ret)
{
	struct wire_item item;

	if (!wire_get(frame, tag, &item) || item.len != sizeof(uint32_t))
		return false;
	*ret = get_u32(item.value);
	return true;
}

char *wire_get_str(const struct wire_frame *frame, uint16_t tag)
{
	struct wire_item item;

	return wire_get(frame, tag, &item) ? strndup(item.value, item.len) : NULL;
}

struct secret *wire_get_secret(const struct wire_frame *frame, uint16_t tag)
{
	struct wire_item item;

	return wire_get(frame, tag, &item) ? secret_copy(item.value, item.len) : NULL;
}
