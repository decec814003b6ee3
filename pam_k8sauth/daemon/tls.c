/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of the TLS listeners; see tls.h. */
#include "daemon/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <sys/stat.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <k8sauth/limits.h>

#include "base/safe_open.h"

#define PEM_MAX (256 * 1024)
/* Of TLS 1.2: those with forward secrecy that Go's servers have as well. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES+SHA1"

static int read_pem(const char *path, mode_t forbidden, struct buf *ret, char *why, size_t why_size)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0 && !S_ISREG(st.st_mode)) {
		snprintf(why, why_size, "%s is not a regular file", path);
		return -EINVAL;
	}
	if (r == 0 && (st.st_mode & forbidden)) {
		snprintf(why, why_size, "%s has mode %04o: the key may not be open to others (chmod o= %s)", path,
		    st.st_mode & 07777, path);
		return -EPERM;
	}
	if (r == 0)
		r = read_all(fd, PEM_MAX, ret);
	if (r == -EACCES)
		snprintf(why, why_size,
		    "%s: the user " K8SAUTH_USER " cannot read it; let it (chgrp " K8SAUTH_USER " %s && chmod g=r %s), and "
		    "let it enter the folders above",
		    path, path, path);
	else if (r < 0)
		snprintf(why, why_size, "%s: %s", path, strerror(-r));
	return r;
}

/* Says what OpenSSL has against PATH. */
static int refuse(const char *path, const char *what, char *why, size_t why_size)
{
	char text[160] = "";
	unsigned long error = ERR_peek_last_error();

	if (error)
		ERR_error_string_n(error, text, sizeof(text));
	ERR_clear_error();
	snprintf(why, why_size, "%s: %s%s%s", path, what, error ? ": " : "", text);
	return -EINVAL;
}

/* An encrypted key would need a prompt: there is nobody to ask. */
static int no_password(char *ret, int size, int rwflag, void *arg)
{
	(void)ret;
	(void)size;
	(void)rwflag;
	(void)arg;
	return 0;
}

static int use_key(SSL_CTX *ctx, const char *path, char *why, size_t why_size)
{
	AUTO_BUF struct buf pem = { 0 };
	EVP_PKEY *key;
	BIO *bio;
	int r = read_pem(path, S_IRWXO, &pem, why, why_size);

	if (r < 0)
		return r;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
	BIO_free(bio);
	if (!key)
		return refuse(path, "not an unencrypted private key in PEM form", why, why_size);
	r = SSL_CTX_use_PrivateKey(ctx, key);
	EVP_PKEY_free(key);
	return r == 1 ? 0 : refuse(path, "the key does not belong to the certificate", why, why_size);
}

/* Hands each certificate of PATH to USE, with its place from 0 on; USE returns 1 for one that it took. */
static int each_certificate(SSL_CTX *ctx, const char *path, int (*use)(SSL_CTX *ctx, X509 *certificate, int place),
    char *why, size_t why_size)
{
	AUTO_BUF struct buf pem = { 0 };
	X509 *certificate;
	BIO *bio;
	int n = 0, r = read_pem(path, 0, &pem, why, why_size);

	if (r < 0)
		return r;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	if (!bio)
		return -ENOMEM;
	while (r == 0 && (certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL))) {
		r = use(ctx, certificate, n++) == 1 ? 0 : -EINVAL;
		X509_free(certificate);
	}
	BIO_free(bio);
	if (r < 0 || n == 0)
		return refuse(path, "no certificate in PEM form that can be used", why, why_size);
	ERR_clear_error(); /* the end of the file is an error to PEM_read_bio_X509 */
	return 0;
}

/* The server's own, and then those that lead to its authority. */
static int use_own(SSL_CTX *ctx, X509 *certificate, int place)
{
	return place == 0 ? SSL_CTX_use_certificate(ctx, certificate) : (int)SSL_CTX_add1_chain_cert(ctx, certificate);
}

static int use_authority(SSL_CTX *ctx, X509 *certificate, int place)
{
	(void)place;
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate) == 1 &&
	       SSL_CTX_add_client_CA(ctx, certificate) == 1;
}

/* Clients may show a certificate, and must where the listener says so; what is shown must be good. */
static int use_client_ca(SSL_CTX *ctx, const struct listener_config *listener, char *why, size_t why_size)
{
	const char *path = listener->tls_client_ca_file;
	int r = path ? each_certificate(ctx, path, use_authority, why, why_size) : 0;

	if (r < 0 || !path)
		return r;
	/* As in Go, whatever the file has is an authority that is trusted, be it an intermediate one. */
	X509_STORE_set_flags(SSL_CTX_get_cert_store(ctx), X509_V_FLAG_PARTIAL_CHAIN);
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | (listener->tls_require_client ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
	/* A session that is taken up again must not be of a client whom another listener would not have let in. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	return 0;
}

/* A client that means to speak something else (ALPN) is told so in the handshake. */
static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len, const unsigned char *offered,
    unsigned len, void *arg)
{
	static const unsigned char ours[] = { "\x08http/1.1\x08http/1.0" };
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof(ours) - 1, offered, len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int load(const struct listener_config *listener, SSL_CTX **ret, char *why, size_t why_size)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int r;

	if (!ctx) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	SSL_CTX_set_min_proto_version(ctx, listener->tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	if (SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1) {
		SSL_CTX_free(ctx);
		snprintf(why, why_size, "OpenSSL has none of the ciphers " CIPHERS);
		return -ENOTSUP;
	}
	r = each_certificate(ctx, listener->tls_cert_file, use_own, why, why_size);
	if (r == 0)
		r = use_key(ctx, listener->tls_key_file, why, why_size);
	if (r == 0)
		r = use_client_ca(ctx, listener, why, why_size);
	if (r < 0) {
		SSL_CTX_free(ctx);
		return r;
	}
	*ret = ctx;
	return 0;
}

int tls_load(const struct listener_config *listener, SSL_CTX **ret, char *why, size_t why_size)
{
	char reason[400] = "";
	int r = load(listener, ret, reason, sizeof(reason));

	if (r < 0 && *reason)
		snprintf(why, why_size, "%s%s%s", listener->where ? listener->where : "", listener->where ? ": " : "", reason);
	return r;
}

int64_t tls_expiry(SSL_CTX *ctx)
{
	const X509 *certificate = SSL_CTX_get0_certificate(ctx);
	struct tm tm;

	if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) != 1)
		return 0;
	return timegm(&tm);
}
