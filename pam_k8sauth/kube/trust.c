/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a call to an API server trusts: the configured authorities alone, and the server's name as Go matches it. */
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "kube/transport.h"

/* The host of URL as a certificate names it: without brackets and without the root's dot. NULL where there is none. */
static char *host_of(const char *url)
{
	CURLU *parts = curl_url();
	char *host = NULL, *name = NULL;
	size_t len;

	if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
		len = strlen(host);
		if (len > 2 && *host == '[' && host[len - 1] == ']')
			name = strndup(host + 1, len - 2);
		else
			name = strndup(host, len > 1 && host[len - 1] == '.' ? len - 1 : len);
	}
	curl_free(host);
	curl_url_cleanup(parts);
	return name;
}

/*
 * curl itself takes the common name where a certificate has no alternative names, and Go does not: whoever may have a
 * certificate with a common name of his choice is not thereby the API server.
 */
static CURLcode on_ssl_context(CURL *curl, void *context, void *arg)
{
	const struct kube_server *server = arg;
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
	char *host = host_of(server->host);
	bool set;

	(void)curl;
	/* A connection that is kept does not keep what it carried last: OpenSSL gives back its buffers, wiped. */
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	set = host && (X509_VERIFY_PARAM_set1_ip_asc(param, host) || X509_VERIFY_PARAM_set1_host(param, host, 0));
	free(host);
	return set ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

void kube_set_trust(CURL *curl, const struct kube_server *server)
{
	struct curl_blob ca;

	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_ssl_context);
	curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, server);
	if (!server->ca_pem)
		return;
	/* The bundle alone: without the next two lines the system's folder of certificates would be trusted beside it.
	   An intermediate is accepted as an anchor by default (CURLSSLOPT_NO_PARTIALCHAIN is not set). */
	curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	ca.data = server->ca_pem;
	ca.len = strlen(server->ca_pem);
	ca.flags = CURL_BLOB_NOCOPY;
	curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
}
