/* SPDX-License-Identifier: Apache-2.0 */
/* See pem.h. */
#include "kube/pem.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define BEGIN  "-----BEGIN "
#define END    "\n-----END "
#define DASHES "-----"

struct line {
	const char *text, *next; /* NEXT: the line after it */
	size_t len;		 /* without what blanks and CR are at its end */
};

static struct line line_at(const char *text, const char *end)
{
	const char *newline = memchr(text, '\n', (size_t)(end - text));
	struct line line = { .text = text, .next = newline ? newline + 1 : end };

	line.len = (size_t)((newline ? newline : end) - text);
	while (line.len > 0 && strchr(" \t\r", text[line.len - 1]))
		line.len--;
	return line;
}

/* The last BEGIN that starts a line between FROM and END; NULL. Those before it have no end of their own. */
static const char *last_begin(const char *from, const char *end)
{
	const char *found = NULL, *begin = from;

	while ((begin = memmem(begin, (size_t)(end - begin), BEGIN, strlen(BEGIN)))) {
		found = begin;
		begin += strlen(BEGIN);
	}
	return found && (found == from || found[-1] == '\n') ? found : NULL;
}

static int decode(const char *text, size_t len, struct pem *pem)
{
	AUTO_BUF struct buf digits = { 0 };
	ssize_t n;

	for (size_t i = 0; i < len; i++) {
		if (!strchr(" \t\r\n", text[i]))
			buf_add_char(&digits, text[i]);
	}
	pem->der = malloc(digits.len + 1);
	if (digits.failed || !pem->der)
		return -ENOMEM;
	n = base64_decode(digits.data ? digits.data : "", digits.len, pem->der);
	pem->len = n < 0 ? 0 : (size_t)n;
	return n < 0 ? 0 : 1;
}

/* The block whose END is at END, the newline before it. 1, 0 where it is none, -ENOMEM. */
static int read_block(const char *from, const char *end, struct pem *pem)
{
	const char *begin = last_begin(from, end);
	const char *all = end + strlen(end);
	struct line line;
	int r;

	if (!begin)
		return 0;
	line = line_at(begin + strlen(BEGIN), all);
	if (line.len < strlen(DASHES) || strncmp(line.text + line.len - strlen(DASHES), DASHES, strlen(DASHES)) != 0)
		return 0;
	*pem = (struct pem){ .type = line.text, .type_len = line.len - strlen(DASHES) };
	/* The type once more, and nothing else behind it. */
	if (line_at(end + strlen(END), all).len != line.len || strncmp(end + strlen(END), line.text, line.len) != 0)
		return 0;
	for (const char *at = line.next; at < end; at = line.next) {
		line = line_at(at, end);
		if (!memchr(line.text, ':', line.len)) {
			r = decode(at, (size_t)(end - at), pem);
			if (r <= 0)
				pem_free(pem);
			return r;
		}
		pem->headers = true;
	}
	if (pem->headers)
		return 0;
	return decode("", 0, pem);
}

int pem_next(const char **at, struct pem *ret)
{
	const char *from = *at, *end;

	while ((end = strstr(from, END))) {
		struct pem pem;
		int r = read_block(from, end, &pem);

		from = end + strlen(END);
		if (r == 0)
			continue;
		if (r > 0) {
			*ret = pem;
			*at = line_at(from, from + strlen(from)).next;
		}
		return r;
	}
	return 0;
}

void pem_free(struct pem *pem)
{
	/* It may have been a private key. */
	if (pem->der)
		explicit_bzero(pem->der, pem->len);
	free(pem->der);
	pem->der = NULL;
}

/* False without memory. */
static bool add_certificate(BIO *bio, const struct pem *pem)
{
	const unsigned char *at = pem->der;
	X509 *certificate;
	bool ok = true;

	if (pem->headers || pem->type_len != strlen("CERTIFICATE") ||
	    strncmp(pem->type, "CERTIFICATE", pem->type_len) != 0)
		return true;
	certificate = d2i_X509(NULL, &at, (long)pem->len);
	if (certificate && at == pem->der + pem->len)
		ok = PEM_write_bio_X509(bio, certificate) == 1;
	X509_free(certificate);
	return ok;
}

char *pem_certificates(const char *text)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct pem pem;
	char *data, *copy = NULL;
	int r = bio ? 1 : -ENOMEM;
	long len;

	while (r > 0 && (r = pem_next(&text, &pem)) > 0) {
		if (!add_certificate(bio, &pem))
			r = -ENOMEM;
		pem_free(&pem);
	}
	if (r == 0) {
		len = BIO_get_mem_data(bio, &data);
		copy = strndup(len > 0 ? data : "", (size_t)len);
	}
	BIO_free(bio);
	ERR_clear_error();
	return copy;
}
