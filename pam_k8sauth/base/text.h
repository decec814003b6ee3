/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings and random text, strict and without allocation where the size is known. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/macros.h"

struct buf;

/* Fills DATA from getrandom(2); aborts the process if the kernel refuses, since nothing secret may be guessable. */
void random_bytes(void *data, size_t len);

/* LEN characters of [0-9A-Za-z], uniformly, and a NUL. RET has LEN + 1 bytes. */
void random_base62(char *ret, size_t len);

/* A random UUID in its usual form, lower-case (RFC 9562, version 4). */
#define UUID_SIZE 37
void random_uuid(char ret[static UUID_SIZE]);

/* The value of a hex digit of either case, or -1. */
int hex_digit(char c);
/* Lower-case hex; RET has 2 * LEN + 1 bytes. */
void hex_encode(const void *data, size_t len, char *ret);
/* The number of bytes, or -EINVAL (odd length, other characters, more than SIZE bytes). */
ssize_t hex_decode(const char *text, size_t len, void *ret, size_t size);

/* Base64url without padding (RFC 4648 section 5). RET has base64url_size(LEN) bytes, NUL included. */
#define base64url_size(len) (((len)*4 + 2) / 3 + 1)
void base64url_encode(const void *data, size_t len, char *ret);
/*
 * Strict: no padding, no white space, no unused bits set, no length of 1 mod 4. RET holds at least LEN * 3 / 4 bytes.
 * The number of bytes, or -EINVAL.
 */
ssize_t base64url_decode(const char *text, size_t len, void *ret);

/* Standard base64 with padding (RFC 4648 section 4), strict as above. RET has base64_size(LEN) bytes, NUL included. */
#define base64_size(len) (((len) + 2) / 3 * 4 + 1)
void base64_encode(const void *data, size_t len, char *ret);
ssize_t base64_decode(const char *text, size_t len, void *ret);

/* Lower-case RFC 4648 base32 without padding of LEN bytes; RET has (LEN * 8 + 4) / 5 + 1 bytes. */
void base32_encode(const void *data, size_t len, char *ret);

/* Whether TEXT is valid UTF-8 without NUL bytes (RFC 3629: no surrogates, no overlong forms). */
bool utf8_valid(const char *text, size_t len);

/* Appends TEXT with U+FFFD for each byte that is no part of UTF-8, as Go writes it into JSON. Errors stick in RET. */
void utf8_mend(const char *text, size_t len, struct buf *ret);

/*
 * Whether TEXT (UTF-8) has only what people can see: neither control nor format characters, nor blanks other than the
 * plain one, as Go's unicode.IsPrint.
 */
bool utf8_printable(const char *text);

/* A copy of the NULL-terminated LIST, for strings_free; NULL without memory. */
char **strings_copy(const char *const *list) NODISCARD;
/* Frees a NULL-terminated list and its strings; NULL is fine. */
void strings_free(char **list);

/*
 * Whether the LEN bytes at TEXT have the form of a service token of Vault (1.10 and newer), as response-wrapping tokens
 * are: `hvs.` and base64url characters, 28 bytes in all or, signed, 95.
 */
bool is_service_token(const char *text, size_t len);

/* Whether TEXT starts with PREFIX. */
bool starts_with(const char *text, const char *prefix);
bool ends_with(const char *text, const char *suffix);

/* The number of letters to insert, drop or change between A and B (Levenshtein); 65 where one has more than 64. */
size_t text_distance(const char *a, const char *b);

/*
 * Vault's duration: bare seconds ("90"), Go units (ns us ms s m h, several, fractions) and
 * "<n>d". RET in seconds, fractions cut off. -EINVAL on anything else (vault-core.md 1.2).
 */
int duration_parse(const char *text, long long *ret_seconds);
/* The same in nanoseconds, with Vault's error text, such as `time: missing unit in duration "1.5"`. */
#define DURATION_ERROR_SIZE 384
int duration_parse_ns(const char *text, long long *ret_ns, char *ret_error, size_t size);
/* Go's Duration.String() of whole seconds: "1h0m0s", "1m30s", "0s". RET has at least 32 bytes. */
void duration_format(long long seconds, char *ret, size_t size);
