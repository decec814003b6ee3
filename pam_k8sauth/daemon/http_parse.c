/* SPDX-License-Identifier: Apache-2.0 */
/* Strict HTTP/1.1 request reader; see http_parse.h. */
#include "daemon/http_parse.h"

#include <errno.h>
#include <strings.h>

#include "base/secret.h"
#include "base/text.h"

/* Fields that decide something: a second one could be read by somebody else than us. */
static const char *const single_fields[] = {
	"Host",
	"Content-Length",
	"Transfer-Encoding",
	"Content-Type",
	"Content-Encoding",
	"Expect",
	"Authorization",
	"X-Vault-Token",
	"X-Vault-Namespace",
	"X-Vault-Wrap-TTL",
};

enum chunk_step {
	CHUNK_SIZE,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_END_CR,
	CHUNK_END_LF,
};

static int bad(struct http_parser *parser, int status, const char *why)
{
	parser->state = HTTP_BAD;
	parser->status = status;
	parser->why = why;
	return -EBADMSG;
}

void http_parser_init(struct http_parser *parser, size_t max_body)
{
	*parser = (struct http_parser){
		.head = BUF_MAX(HTTP_HEAD_MAX),
		.request.body = BUF_MAX(max_body),
		.max_body = max_body,
	};
}

void http_parser_reset(struct http_parser *parser)
{
	size_t max_body = parser->max_body;

	buf_free(&parser->head);
	buf_free(&parser->request.body);
	http_parser_init(parser, max_body);
}

/* RFC 9110 5.6.2. */
static bool is_token_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++) {
		if (!is_token_char((unsigned char)*text))
			return false;
	}
	return true;
}

const char *http_request_field(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_fields; i++) {
		if (strcasecmp(request->fields[i].name, name) == 0)
			return request->fields[i].value;
	}
	return NULL;
}

bool http_request_has_token(const struct http_request *request, const char *name, const char *word)
{
	for (size_t i = 0; i < request->n_fields; i++) {
		const char *at = request->fields[i].value;

		if (strcasecmp(request->fields[i].name, name) != 0)
			continue;
		while (*at) {
			size_t len;

			at += strspn(at, ", \t");
			len = strcspn(at, ", \t");
			if (len == strlen(word) && strncasecmp(at, word, len) == 0)
				return true;
			at += len;
		}
	}
	return false;
}

static int parse_request_line(struct http_parser *parser, char *line)
{
	struct http_request *request = &parser->request;
	char *target = strchr(line, ' ');
	char *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version)
		return bad(parser, 400, "malformed request line");
	*target++ = '\0';
	*version++ = '\0';
	if (!is_token(line) || strlen(line) > HTTP_METHOD_MAX)
		return bad(parser, 400, "malformed method");
	if (!*target)
		return bad(parser, 400, "malformed request line");
	for (const char *c = target; *c; c++) {
		if (*c <= ' ' || *c > '~')
			return bad(parser, 400, "unencoded byte in the request target");
	}
	if (streq(version, "HTTP/1.1"))
		request->minor = 1;
	else if (streq(version, "HTTP/1.0"))
		request->minor = 0;
	else if (strncmp(version, "HTTP/", 5) == 0 && !strchr(version, ' '))
		return bad(parser, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	else
		return bad(parser, 400, "malformed request line");
	request->method = line;
	request->target = target;
	return 0;
}

static int parse_field(struct http_parser *parser, char *line)
{
	struct http_request *request = &parser->request;
	char *value = strchr(line, ':');
	size_t len;

	if (*line == ' ' || *line == '\t')
		return bad(parser, 400, "folded header line");
	if (!value)
		return bad(parser, 400, "header line without a colon");
	*value++ = '\0';
	if (!is_token(line))
		return bad(parser, 400, "malformed header name");
	if (request->n_fields == HTTP_FIELDS_MAX)
		return bad(parser, 431, "too many header fields");
	value += strspn(value, " \t");
	len = strlen(value);
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		value[--len] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(single_fields); i++) {
		if (strcasecmp(line, single_fields[i]) == 0 && http_request_field(request, line))
			return bad(parser, 400, "repeated header field");
	}
	request->fields[request->n_fields++] = (struct http_field){ line, value };
	return 0;
}

/* Content-Length: 1 to 15 digits (RFC 9110 8.6), nothing else. */
static int parse_length(struct http_parser *parser, const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || strspn(text, "0123456789") != len)
		return bad(parser, 400, "malformed Content-Length");
	if (len > 15)
		return bad(parser, 413, "http: request body too large");
	parser->left = strtoull(text, NULL, 10);
	if (parser->left > parser->max_body)
		return bad(parser, 413, "http: request body too large");
	return 0;
}

/* How long the body is: RFC 9112 6.3, without its lenient cases. */
static int parse_framing(struct http_parser *parser)
{
	const struct http_request *request = &parser->request;
	const char *length = http_request_field(request, "Content-Length");
	const char *coding = http_request_field(request, "Transfer-Encoding");
	const char *expect = http_request_field(request, "Expect");

	if (coding && length)
		return bad(parser, 400, "both Content-Length and Transfer-Encoding");
	if (coding && request->minor == 0)
		return bad(parser, 400, "Transfer-Encoding in HTTP/1.0");
	if (coding && strcasecmp(coding, "chunked") != 0)
		return bad(parser, 501, "only the transfer coding chunked is known here");
	if (length && parse_length(parser, length) < 0)
		return -EBADMSG;
	if (http_request_field(request, "Content-Encoding"))
		return bad(parser, 415, "encoded bodies are not accepted");
	parser->chunked = coding != NULL;
	if (expect && strcasecmp(expect, "100-continue") != 0)
		return bad(parser, 417, "only Expect: 100-continue is known here");
	parser->expect_continue = expect && request->minor == 1 && (parser->chunked || parser->left > 0);
	return 0;
}

/* Host: what a URI authority may hold (RFC 3986 3.2.2), possibly empty; HTTP/1.1 demands the field. */
static int check_host(struct http_parser *parser)
{
	const char *host = http_request_field(&parser->request, "Host");

	if (!host)
		return parser->request.minor == 0 ? 0 : bad(parser, 400, "missing required Host header");
	for (; *host; host++) {
		if (*host <= ' ' || *host > '~' || strchr("\"#/<>?@\\^`{|}", *host))
			return bad(parser, 400, "malformed Host header");
	}
	return 0;
}

/* The head is whole: ends in an empty line, every line in CRLF, no control bytes but tabs. */
static int parse_head(struct http_parser *parser)
{
	char *line = parser->head.data;
	bool first = true;

	for (;;) {
		char *end = strstr(line, "\r\n");

		if (!end || end == line)
			break;
		*end = '\0';
		if ((first ? parse_request_line(parser, line) : parse_field(parser, line)) < 0)
			return -EBADMSG;
		first = false;
		line = end + 2;
	}
	if (first)
		return bad(parser, 400, "empty line before the request");
	if (check_host(parser) < 0 || parse_framing(parser) < 0)
		return -EBADMSG;
	parser->request.keep_alive = parser->request.minor == 1 &&
				     !http_request_has_token(&parser->request, "Connection", "close");
	parser->state = parser->chunked || parser->left > 0 ? HTTP_BODY : HTTP_DONE;
	return 0;
}

/* One byte of the head: what is wrong is refused at once, not when the head is whole. */
static int check_head_byte(struct http_parser *parser, unsigned char c)
{
	const struct buf *head = &parser->head;
	bool after_cr = head->len > 0 && head->data[head->len - 1] == '\r';

	if (c == '\n' && !after_cr)
		return bad(parser, 400, "line ends in LF without CR");
	if (c != '\n' && after_cr)
		return bad(parser, 400, "CR without LF");
	if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
		return bad(parser, 400, "control byte in the request");
	return 0;
}

static size_t feed_head(struct http_parser *parser, const char *data, size_t len)
{
	struct buf *head = &parser->head;

	for (size_t i = 0; i < len; i++) {
		int r;

		if (check_head_byte(parser, (unsigned char)data[i]) < 0)
			return i;
		r = buf_add_char(head, data[i]);
		if (r < 0) {
			bad(parser, r == -EMSGSIZE ? 431 : 503,
			    r == -EMSGSIZE ? "request head too large" : "out of memory");
			return i;
		}
		if (data[i] == '\n' &&
		    (head->len == 2 || (head->len >= 4 && memcmp(head->data + head->len - 4, "\r\n\r\n", 4) == 0))) {
			(void)parse_head(parser);
			return i + 1;
		}
	}
	return len;
}

static size_t feed_plain(struct http_parser *parser, const char *data, size_t len)
{
	size_t take = len < parser->left ? len : (size_t)parser->left;

	if (buf_add(&parser->request.body, data, take) < 0)
		bad(parser, 503, "out of memory");
	parser->left -= take;
	return take;
}

static int chunk_size_byte(struct http_parser *parser, char c)
{
	int digit = hex_digit(c);

	if (digit >= 0 && parser->n_digits < 8) {
		parser->left = parser->left << 4 | (unsigned)digit;
		parser->n_digits++;
		return 0;
	}
	if (c != '\r' || parser->n_digits == 0)
		return bad(parser, 400, "malformed chunk size");
	if (parser->left > parser->max_body - parser->request.body.len)
		return bad(parser, 413, "http: request body too large");
	parser->n_digits = 0;
	parser->chunk_step = CHUNK_SIZE_LF;
	return 0;
}

/* The byte that a step of the chunked framing demands, and the step after it. */
static int chunk_fixed_byte(struct http_parser *parser, char c)
{
	bool wants_cr = parser->chunk_step == CHUNK_DATA_CR || parser->chunk_step == CHUNK_END_CR;

	if (c != (wants_cr ? '\r' : '\n'))
		return bad(parser, 400, "malformed chunk");
	switch (parser->chunk_step) {
	case CHUNK_SIZE_LF:
		parser->chunk_step = parser->left > 0 ? CHUNK_DATA : CHUNK_END_CR;
		break;
	case CHUNK_DATA_LF:
		parser->chunk_step = CHUNK_SIZE;
		break;
	case CHUNK_END_LF:
		parser->state = HTTP_DONE;
		break;
	default:
		parser->chunk_step++;
	}
	return 0;
}

static size_t feed_chunked(struct http_parser *parser, const char *data, size_t len)
{
	size_t used = 0;

	while (used < len && parser->state == HTTP_BODY) {
		if (parser->chunk_step == CHUNK_DATA) {
			used += feed_plain(parser, data + used, len - used);
			if (parser->left == 0)
				parser->chunk_step = CHUNK_DATA_CR;
			continue;
		}
		if ((parser->chunk_step == CHUNK_SIZE ? chunk_size_byte(parser, data[used])
						      : chunk_fixed_byte(parser, data[used])) < 0)
			return used;
		used++;
	}
	return used;
}

size_t http_parser_feed(struct http_parser *parser, const char *data, size_t len)
{
	size_t used = 0;

	if (parser->state == HTTP_HEAD)
		used = feed_head(parser, data, len);
	if (parser->state != HTTP_BODY || used == len)
		return used;
	if (parser->chunked)
		return used + feed_chunked(parser, data + used, len - used);
	used += feed_plain(parser, data + used, len - used);
	if (parser->left == 0 && parser->state == HTTP_BODY)
		parser->state = HTTP_DONE;
	return used;
}
