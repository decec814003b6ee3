/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict HTTP/1.1 request reader, incremental and pure: bytes in, a request or a refusal out (decision 3; RFC 9110,
 * RFC 9112). Stricter than the RFCs where they leave a choice that request smuggling lives on: CRLF only, one
 * Content-Length or chunked and never both, no line folding, no blank before a colon, no chunk extensions or trailers,
 * no control bytes, no repeated header that decides something.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HTTP_HEAD_MAX	(16 * 1024) /* request line and header block, bytes */
#define HTTP_FIELDS_MAX 64
#define HTTP_METHOD_MAX 32
#define HTTP_BODY_MAX	(1024 * 1024) /* default */

struct http_field {
	const char *name, *value; /* NUL-terminated, value without blanks around it */
};

struct http_request {
	const char *method; /* as sent: methods are case-sensitive */
	const char *target; /* as sent: visible ASCII */
	int minor;	    /* HTTP/1.<minor>: 0 or 1 */
	bool keep_alive;    /* the client may send another request on this connection */
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t n_fields;
	struct buf body;
};

enum http_state {
	HTTP_HEAD, /* reading the request line and the header block */
	HTTP_BODY, /* reading the body */
	HTTP_DONE, /* a whole request is there */
	HTTP_BAD,  /* refused: answer `status` and close */
};

struct http_parser {
	enum http_state state;
	struct http_request request; /* method to fields are valid from HTTP_BODY on, the body from HTTP_DONE on */
	int status;		     /* HTTP_BAD: the HTTP status */
	const char *why;	     /* HTTP_BAD: static text, fit for the client */
	bool expect_continue;	     /* the client waits for "100 Continue" before it sends the body */

	struct buf head;
	size_t max_body;
	bool chunked;
	int chunk_step;
	uint64_t left;	   /* bytes of the body or of the chunk that are still to come */
	unsigned n_digits; /* of the chunk size being read */
};

/* Prepares an empty parser; bodies over MAX_BODY bytes are refused with 413. */
void http_parser_init(struct http_parser *parser, size_t max_body);

/*
 * Takes bytes and returns how many it used: all of them, or fewer at the end of a request (the rest is the next
 * request's) or after a refusal. Look at `state` afterwards.
 */
size_t http_parser_feed(struct http_parser *parser, const char *data, size_t len);

/* Wipes what was read and starts over. Also the way to free a parser. */
void http_parser_reset(struct http_parser *parser);

/* The value of the field NAME (any case), NULL if there is none; the first one where a field may repeat. */
const char *http_request_field(const struct http_request *request, const char *name);

/* Whether the comma-separated list in the fields NAME has the token WORD (any case). */
bool http_request_has_token(const struct http_request *request, const char *name, const char *word);
