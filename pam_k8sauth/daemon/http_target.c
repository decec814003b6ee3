/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets, queries and forms; see http_target.h. */
#include "daemon/http_target.h"

#include <errno.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

/* Percent-decodes LEN bytes; '+' is a blank in queries. The caller frees *RET (buf_free). */
static int decode(const char *text, size_t len, bool plus, struct buf *ret)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			int high, low;

			if (len - i < 3)
				return -EBADMSG;
			high = hex_digit(text[i + 1]);
			low = hex_digit(text[i + 2]);
			if (high < 0 || low < 0)
				return -EBADMSG;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (buf_add_char(ret, c) < 0)
			return -ENOMEM;
	}
	return buf_add(ret, "", 0);
}

/*
 * Removes "//", "/./" and "/../" from the still encoded path of LEN bytes at TEXT, as Go's path cleaning does; a
 * trailing slash stays. *RET is NULL where there was nothing to clean.
 */
static int clean(const char *text, size_t len, char **ret)
{
	AUTO_BUF struct buf out = { 0 };
	size_t i = 0;

	while (i < len) {
		size_t start = i + 1, end = start;

		while (end < len && text[end] != '/')
			end++;
		i = end;
		if (end == start || (end - start == 1 && text[start] == '.'))
			continue;
		if (end - start == 2 && memcmp(text + start, "..", 2) == 0) {
			while (out.len > 0 && out.data[--out.len] != '/')
				;
			continue;
		}
		if (buf_add_char(&out, '/') < 0 || buf_add(&out, text + start, end - start) < 0)
			return -ENOMEM;
	}
	if ((out.len == 0 || text[len - 1] == '/') && buf_add_char(&out, '/') < 0)
		return -ENOMEM;
	if (out.len == len && memcmp(out.data, text, len) == 0) {
		*ret = NULL;
		return 0;
	}
	*ret = buf_take(&out);
	return *ret ? 0 : -ENOMEM;
}

/* Moves *TARGET from an absolute form to its path. */
static int skip_authority(const char **target)
{
	const char *at = *target;

	if (strncasecmp(at, "http://", 7) == 0)
		at += 7;
	else if (strncasecmp(at, "https://", 8) == 0)
		at += 8;
	else
		return -EBADMSG;
	at += strcspn(at, "/?#");
	*target = at;
	return 0;
}

/* The first segment decides what serves the rest: nobody else may see another one there. */
static bool has_slash_in_first(const char *target, size_t len)
{
	const char *end = memchr(target + 1, '/', len - 1);

	for (const char *at = target; at < (end ? end : target + len); at++)
		if (strncasecmp(at, "%2f", 3) == 0)
			return true;
	return false;
}

int http_target_parse(const char *target, struct http_target *ret, const char **ret_why)
{
	AUTO_BUF struct buf path = { 0 };
	struct http_target result = { 0 };
	size_t len;
	int r;

	if (*target != '/' && skip_authority(&target) < 0) {
		*ret_why = "the request target must be a path";
		return -EBADMSG;
	}
	if (strchr(target, '#')) {
		*ret_why = "fragment in the request target";
		return -EBADMSG;
	}
	len = strcspn(target, "?");
	result.query = target[len] ? target + len + 1 : "";
	if (len == 0) {
		target = "/";
		len = 1;
	}
	r = decode(target, len, false, &path);
	*ret_why = "malformed request path";
	if (r == 0 && memchr(path.data, '\0', path.len)) {
		*ret_why = NULL;
		r = -EBADMSG;
	} else if (r == 0 && (!utf8_valid(path.data, path.len) || has_slash_in_first(target, len))) {
		r = -EBADMSG;
	} else if (r == 0 && !utf8_printable(path.data)) {
		*ret_why = NULL;
		r = -EBADMSG;
	}
	if (r < 0)
		return r;
	r = clean(target, len, &result.redirect);
	if (r < 0)
		return r;
	result.path = buf_take(&path);
	if (!result.path) {
		free(result.redirect);
		return -ENOMEM;
	}
	*ret = result;
	return 0;
}

void http_target_free(struct http_target *target)
{
	free(target->path);
	free(target->redirect);
	*target = (struct http_target){ 0 };
}

/* Adds VALUE (taken over) under NAME to what is there already. */
static int add_value(json_t *object, const char *name, json_t *value)
{
	json_t *old = json_object_get(object, name);

	if (!value)
		return -EBADMSG;
	if (!old)
		return json_object_set_new(object, name, value) < 0 ? -ENOMEM : 0;
	if (json_is_string(old)) {
		json_t *list = json_pack("[O]", old);

		if (!list || json_object_set_new(object, name, list) < 0) {
			json_decref(value);
			return -ENOMEM;
		}
		old = list;
	}
	return json_array_append_new(old, value) < 0 ? -ENOMEM : 0;
}

/* Lists become one text each, with commas. */
static int join_values(json_t *object)
{
	const char *name;
	json_t *value, *element;
	size_t i;

	json_object_foreach(object, name, value)
	{
		AUTO_BUF struct buf joined = { 0 };

		if (!json_is_array(value))
			continue;
		json_array_foreach(value, i, element)
		{
			if (i > 0)
				buf_add_char(&joined, ',');
			buf_add(&joined, json_string_value(element), json_string_length(element));
		}
		if (joined.failed || json_object_set_new(object, name, json_stringn(joined.data, joined.len)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_pair(json_t *object, const char *text, size_t len)
{
	AUTO_BUF struct buf name = { 0 };
	AUTO_BUF struct buf value = { 0 };
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : len;
	int r;

	r = decode(text, name_len, true, &name);
	if (r == 0)
		r = equals ? decode(equals + 1, len - name_len - 1, true, &value) : buf_add(&value, "", 0);
	if (r < 0)
		return r;
	if (memchr(name.data, '\0', name.len) || memchr(value.data, '\0', value.len) ||
	    !utf8_valid(name.data, name.len))
		return -EBADMSG;
	return add_value(object, name.data, json_stringn(value.data, value.len));
}

int http_query_parse(const char *text, size_t len, bool form, json_t **ret)
{
	json_t *object = json_object();
	unsigned pairs = 0;
	int r = object ? 0 : -ENOMEM;

	while (r == 0 && len > 0) {
		const char *end = memchr(text, '&', len);
		size_t take = end ? (size_t)(end - text) : len;
		bool semicolon = memchr(text, ';', take) != NULL;

		/* Once another '&': Go refuses forms with it, and drops such pairs of a query. */
		if (semicolon && form)
			r = -EBADMSG;
		else if (semicolon)
			r = 0;
		else if (take > 0 && form && ++pairs > HTTP_FORM_PAIRS_MAX)
			r = -E2BIG;
		else if (take > 0)
			r = add_pair(object, text, take);
		text += take + (end ? 1 : 0);
		len -= take + (end ? 1 : 0);
	}
	if (r == 0 && form)
		r = join_values(object);
	if (r < 0) {
		json_decref(object);
		return r;
	}
	*ret = object;
	return 0;
}
