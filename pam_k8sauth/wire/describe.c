/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in words, without their secrets; see wire.h. */
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>

#include "wire/tags.h"
#include "wire/wire.h"

static const struct wire_tag_info tags[] = {
	[WIRE_STATUS] = { "status", WIRE_KIND_U32 },
	[WIRE_REF] = { "ref", WIRE_KIND_TEXT },
	[WIRE_MESSAGE] = { "message", WIRE_KIND_TEXT },
	[WIRE_CREDENTIAL] = { "credential", WIRE_KIND_SECRET },
	[WIRE_USER] = { "user", WIRE_KIND_TEXT },
	[WIRE_SERVICE] = { "service", WIRE_KIND_TEXT },
	[WIRE_ROLE] = { "role", WIRE_KIND_TEXT },
	[WIRE_TTY] = { "tty", WIRE_KIND_TEXT },
	[WIRE_RHOST] = { "rhost", WIRE_KIND_TEXT },
	[WIRE_RUSER] = { "ruser", WIRE_KIND_TEXT },
	[WIRE_HANDLE] = { "handle", WIRE_KIND_SECRET_TEXT },
	[WIRE_SESSION] = { "session", WIRE_KIND_TEXT },
	[WIRE_ENV] = { "env", WIRE_KIND_ENV, true },
	[WIRE_UID] = { "uid", WIRE_KIND_U32 },
	[WIRE_GID] = { "gid", WIRE_KIND_U32 },
	[WIRE_GECOS] = { "gecos", WIRE_KIND_TEXT },
	[WIRE_HOME] = { "home", WIRE_KIND_TEXT },
	[WIRE_SHELL] = { "shell", WIRE_KIND_TEXT },
	[WIRE_GROUP] = { "group", WIRE_KIND_U32, true },
	[WIRE_FILE] = { "file", WIRE_KIND_FILE, true },
	[WIRE_REBIND] = { "rebind", WIRE_KIND_TEXT },
	[WIRE_PATH] = { "path", WIRE_KIND_TEXT },
	[WIRE_CAPABILITY] = { "capability", WIRE_KIND_TEXT },
	[WIRE_KEYS] = { "keys", WIRE_KIND_U32 },
	[WIRE_TARGET] = { "target", WIRE_KIND_TEXT },
	[WIRE_KEEP] = { "keep", WIRE_KIND_TEXT, true },
	[WIRE_SIGNAL] = { "signal", WIRE_KIND_U32 },
	[WIRE_AUDIT_SESSION] = { "audit-session", WIRE_KIND_U32 },
	[WIRE_PID] = { "pid", WIRE_KIND_U32, true },
	[WIRE_COUNT] = { "count", WIRE_KIND_U32 },
};
_Static_assert(ARRAY_SIZE(tags) <= 64, "wire_parse marks the tags that it has seen in 64 bits");

const struct wire_tag_info *wire_tag_info(uint16_t tag)
{
	return tag < ARRAY_SIZE(tags) && tags[tag].name ? &tags[tag] : NULL;
}

static const char *type_name(uint8_t type)
{
	switch (type & (uint8_t)~WIRE_REPLY) {
	case WIRE_LOGIN:
		return "login";
	case WIRE_OPEN:
		return "open";
	case WIRE_CHECK:
		return "check";
	case WIRE_VERIFY:
		return "verify";
	case WIRE_CLOSE:
		return "close";
	case WIRE_LOOKUP:
		return "lookup";
	case WIRE_ACCOUNT:
		return "account";
	case WIRE_HELPER_PUBLISH:
		return "helper-publish";
	case WIRE_HELPER_SESSION:
		return "helper-session";
	case WIRE_HELPER_REMOVE:
		return "helper-remove";
	case WIRE_HELPER_LIST:
		return "helper-list";
	case WIRE_HELPER_UPDATE:
		return "helper-update";
	case WIRE_HELPER_ROTATE:
		return "helper-rotate";
	case WIRE_HELPER_SIGNAL:
		return "helper-signal";
	}
	return "unknown";
}

const char *wire_status_name(uint32_t status)
{
	static const char *const names[] = { "ok", "refused", "unavailable", "not ours", "not found", "denied",
		"protocol", "internal", "limit" };

	return status < ARRAY_SIZE(names) ? names[status] : "unknown";
}

/* A text that is being filled, with room for the mark that says that it was cut. */
struct line {
	char *text;
	size_t size, len;
	bool cut;
};

static void line_add(struct line *line, const char *format, ...) PRINTF_LIKE(2, 3);

static void line_add(struct line *line, const char *format, ...)
{
	char piece[128];
	va_list args;
	size_t len;

	va_start(args, format);
	vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	len = strlen(piece);
	if (line->cut || len >= line->size - line->len) {
		line->cut = true;
		return;
	}
	memcpy(line->text + line->len, piece, len + 1);
	line->len += len;
}

/* Values come from the network: whatever could forge a line, a field or a terminal sequence is shown as \xNN. */
static void line_add_escaped(struct line *line, const char *text, size_t len)
{
	for (size_t i = 0; i < len && !line->cut; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c >= 0x7f || c == '\\')
			line_add(line, "\\x%02x", c);
		else
			line_add(line, "%c", c);
	}
}

static void describe_item(struct line *line, const struct wire_tag_info *info, const struct wire_item *item)
{
	uint32_t number = 0;
	uint16_t name_len;
	const char *equals;

	line_add(line, " %s=", info->name);
	switch (info->kind) {
	case WIRE_KIND_U32:
		memcpy(&number, item->value, sizeof(number));
		if (item->tag == WIRE_STATUS)
			line_add(line, "(%s)", wire_status_name(le32toh(number)));
		else
			line_add(line, "%u", le32toh(number));
		return;
	case WIRE_KIND_TEXT:
		line_add_escaped(line, item->value, item->len);
		return;
	case WIRE_KIND_ENV:
		equals = memchr(item->value, '=', item->len);
		if (equals)
			line_add_escaped(line, item->value, (size_t)(equals - item->value));
		break;
	case WIRE_KIND_FILE:
		memcpy(&name_len, item->value, sizeof(name_len));
		line_add_escaped(line, item->value + sizeof(name_len), le16toh(name_len));
		break;
	case WIRE_KIND_SECRET:
	case WIRE_KIND_SECRET_TEXT:
		break;
	}
	line_add(line, "(%u bytes)", item->len);
}

void wire_describe(const struct wire_frame *frame, char *ret, size_t size)
{
	static const char mark[] = "...";
	struct line line = { .text = ret, .size = size > sizeof(mark) ? size - (sizeof(mark) - 1) : size };
	struct wire_item item;

	if (size == 0)
		return;
	*ret = '\0';
	line_add(&line, "%s%s", type_name(frame->type), frame->type & WIRE_REPLY ? "-reply" : "");
	for (size_t at = 0; wire_next(frame, &at, &item);) {
		const struct wire_tag_info *info = wire_tag_info(item.tag);

		if (info)
			describe_item(&line, info, &item);
		else
			line_add(&line, " item-%u=(%u bytes)", item.tag, item.len);
	}
	if (line.cut && size > sizeof(mark))
		memcpy(ret + line.len, mark, sizeof(mark));
}
