/* SPDX-License-Identifier: Apache-2.0 */
/* TLS of the listeners: what a handshake agrees on, whose certificates are taken, and how new files come into use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/macros.h"
#include "base/metrics.h"
#include "daemon/certificates.h"

/* The job thread: a job waits until run_job(). */
static struct {
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
} waiting[4];
static unsigned n_waiting;

int jobs_run(struct jobs *jobs, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	(void)jobs;
	assert_true(n_waiting < ARRAY_SIZE(waiting));
	waiting[n_waiting].work = work;
	waiting[n_waiting].done = done;
	waiting[n_waiting++].arg = arg;
	return 0;
}

/* --- certificates */

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

static char dir[] = "/tmp/k8sauth-certificates-XXXXXX", cert_file[64], key_file[64], ca_file[64];
static struct identity root, middle, client, server, rsa_server;

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* Signed by ISSUER; NULL: by itself. KEY is taken over. */
static struct identity identity_new(const char *name, EVP_PKEY *key, const struct identity *issuer, bool authority)
{
	struct identity it = { .key = key, .certificate = X509_new() };
	X509_NAME *subject = X509_get_subject_name(it.certificate);

	X509_set_version(it.certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(it.certificate), (long)(name[0]));
	X509_gmtime_adj(X509_getm_notBefore(it.certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(it.certificate), 3600);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(it.certificate, issuer ? X509_get_subject_name(issuer->certificate) : subject);
	X509_set_pubkey(it.certificate, key);
	add_extension(it.certificate, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
	assert_true(X509_sign(it.certificate, issuer ? issuer->key : key, EVP_sha256()) > 0);
	return it;
}

static void identity_free(struct identity *it)
{
	X509_free(it->certificate);
	EVP_PKEY_free(it->key);
}

static void write_server(const struct identity *it)
{
	FILE *file = fopen(cert_file, "we");

	assert_int_equal(PEM_write_X509(file, it->certificate), 1);
	fclose(file);
	file = fopen(key_file, "we");
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	assert_int_equal(PEM_write_PrivateKey(file, it->key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
}

static void write_authority(const struct identity *it)
{
	FILE *file = fopen(ca_file, "we");

	assert_int_equal(PEM_write_X509(file, it->certificate), 1);
	fclose(file);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(cert_file, sizeof(cert_file), "%s/crt", dir);
	snprintf(key_file, sizeof(key_file), "%s/key", dir);
	snprintf(ca_file, sizeof(ca_file), "%s/ca", dir);
	root = identity_new("root", EVP_EC_gen("P-256"), NULL, true);
	middle = identity_new("middle", EVP_EC_gen("P-256"), &root, true);
	client = identity_new("client", EVP_EC_gen("P-256"), &middle, false);
	server = identity_new("server", EVP_EC_gen("P-256"), NULL, false);
	rsa_server = identity_new("2048", EVP_RSA_gen(2048), NULL, false);
	return 0;
}

static int teardown(void **state)
{
	struct identity *all[] = { &root, &middle, &client, &server, &rsa_server };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		identity_free(all[i]);
	unlink(cert_file);
	unlink(key_file);
	unlink(ca_file);
	metrics_free();
	return rmdir(dir);
}

/* --- handshakes */

/* What a client has to say. */
struct hello {
	const char *ciphers; /* of TLS 1.2, which is then all that it speaks */
	const unsigned char *protocols;
	const struct identity *certificate;
};

/* Both sides by turns, until each is done or one refuses. *RET_PROTOCOL ("" for none) is what ALPN chose. */
static bool shake(SSL_CTX *ctx, const struct hello *hello, char ret_protocol[static 16])
{
	SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
	SSL *sides[2] = { SSL_new(ctx), SSL_new(client_ctx) };
	BIO *here, *there;
	const unsigned char *protocol;
	unsigned len;
	bool good;
	char byte;

	assert_int_equal(BIO_new_bio_pair(&here, 0, &there, 0), 1);
	SSL_set_bio(sides[0], here, here);
	SSL_set_bio(sides[1], there, there);
	SSL_set_accept_state(sides[0]);
	SSL_set_connect_state(sides[1]);
	if (hello->ciphers) {
		SSL_set_max_proto_version(sides[1], TLS1_2_VERSION);
		assert_int_equal(SSL_set_cipher_list(sides[1], hello->ciphers), 1);
	}
	if (hello->protocols)
		SSL_set_alpn_protos(sides[1], hello->protocols, (unsigned)strlen((const char *)hello->protocols));
	if (hello->certificate) {
		assert_int_equal(SSL_use_certificate(sides[1], hello->certificate->certificate), 1);
		assert_int_equal(SSL_use_PrivateKey(sides[1], hello->certificate->key), 1);
	}
	for (int i = 0; i < 20; i++)
		SSL_do_handshake(sides[i % 2]);
	/* In TLS 1.3 the client is done before the server has looked at its certificate. */
	(void)SSL_read(sides[1], &byte, 1);
	good = SSL_is_init_finished(sides[0]) && SSL_get_error(sides[1], -1) == SSL_ERROR_WANT_READ;
	SSL_get0_alpn_selected(sides[1], &protocol, &len);
	snprintf(ret_protocol, 16, "%.*s", (int)len, (const char *)protocol);
	for (int i = 0; i < 2; i++)
		SSL_free(sides[i]);
	SSL_CTX_free(client_ctx);
	return good;
}

static SSL_CTX *load(bool with_authority)
{
	const struct listener_config listener = { .tls_cert_file = cert_file,
		.tls_key_file = key_file,
		.tls_client_ca_file = with_authority ? ca_file : NULL,
		.tls_require_client = with_authority };
	char why[256] = "";
	SSL_CTX *ctx = NULL;

	if (tls_load(&listener, &ctx, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	return ctx;
}

#define H2     "\x02h2"
#define HTTP11 "\x08http/1.1"
#define HTTP10 "\x08http/1.0"

static void test_protocols(void **state)
{
	static const struct {
		const char *offered, *chosen; /* NULL: refused */
	} cases[] = {
		{ NULL, "" },
		{ H2 HTTP11, "http/1.1" },
		{ HTTP11, "http/1.1" },
		{ HTTP10, "http/1.0" },
		{ H2, NULL },
		{ "\x04imap", NULL },
	};
	SSL_CTX *ctx;

	(void)state;
	write_server(&server);
	ctx = load(false);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct hello hello = { .protocols = (const unsigned char *)cases[i].offered };
		char protocol[16];

		assert_int_equal(shake(ctx, &hello, protocol), cases[i].chosen != NULL);
		if (cases[i].chosen)
			assert_string_equal(protocol, cases[i].chosen);
	}
	SSL_CTX_free(ctx);
}

static void test_ciphers(void **state)
{
	static const struct {
		const char *ciphers;
		bool good;
	} cases[] = {
		{ "ECDHE-RSA-AES128-GCM-SHA256", true },
		{ "ECDHE-RSA-CHACHA20-POLY1305", true },
		{ "ECDHE-RSA-AES256-SHA", true },
		{ "AES128-GCM-SHA256", false }, /* no forward secrecy */
		{ "ECDHE-RSA-AES128-SHA256", false },
		{ NULL, true },
	};
	SSL_CTX *ctx;

	(void)state;
	write_server(&rsa_server);
	ctx = load(false);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char protocol[16];

		if (shake(ctx, &(struct hello){ .ciphers = cases[i].ciphers }, protocol) != cases[i].good)
			fail_msg("%s", cases[i].ciphers ? cases[i].ciphers : "TLS 1.3");
	}
	SSL_CTX_free(ctx);
}

/* The client shows no chain: the file has who signed it, who is nobody's root. */
static void test_client_authorities(void **state)
{
	const struct identity *shown[] = { &client, &server, NULL };
	SSL_CTX *ctx;

	(void)state;
	write_server(&server);
	write_authority(&middle);
	ctx = load(true);
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		char protocol[16];

		assert_int_equal(shake(ctx, &(struct hello){ .certificate = shown[i] }, protocol), shown[i] == &client);
	}
	SSL_CTX_free(ctx);
}

/* --- new files */

static void run_job(void)
{
	assert_true(n_waiting > 0);
	n_waiting--;
	waiting[n_waiting].work(waiting[n_waiting].arg);
	waiting[n_waiting].done(waiting[n_waiting].arg);
}

static const X509 *shown_by(const struct certificates *certificates)
{
	return SSL_CTX_get0_certificate(*certificates_at(certificates, 0));
}

static void test_reload(void **state)
{
	char address[] = "a:1";
	struct listener_config listener = { .address = address, .tls_cert_file = cert_file, .tls_key_file = key_file };
	const struct daemon_config config = { .listeners = &listener, .n_listeners = 1 };
	struct certificates *certificates;
	char why[256];
	unsigned last;

	(void)state;
	write_server(&server);
	assert_int_equal(certificates_new(&config, NULL, &certificates, why, sizeof(why)), 0);
	assert_int_equal(X509_cmp(shown_by(certificates), server.certificate), 0);

	/* A key of somebody else's: the old one stays. */
	write_server(&rsa_server);
	assert_int_equal(truncate(key_file, 0), 0);
	certificates_reload(certificates);
	run_job();
	assert_int_equal(n_waiting, 0);
	assert_int_equal(X509_cmp(shown_by(certificates), server.certificate), 0);

	/* Asked once more while the files have just been read: they are read once more. */
	write_server(&server);
	certificates_reload(certificates);
	last = n_waiting - 1;
	waiting[last].work(waiting[last].arg);
	write_server(&rsa_server);
	certificates_reload(certificates);
	certificates_reload(certificates);
	assert_int_equal(n_waiting, 1);
	n_waiting = 0;
	waiting[last].done(waiting[last].arg);
	run_job();
	assert_int_equal(n_waiting, 0);
	assert_int_equal(X509_cmp(shown_by(certificates), rsa_server.certificate), 0);
	certificates_free(certificates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_ciphers),
		cmocka_unit_test(test_client_authorities),
		cmocka_unit_test(test_reload),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
