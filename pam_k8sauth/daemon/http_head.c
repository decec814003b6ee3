/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a reply; see http_head.h. */
#include "daemon/http_head.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static const char *status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
		{ 200, "OK" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 307, "Temporary Redirect" },
		{ 400, "Bad Request" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 412, "Precondition Failed" },
		{ 413, "Request Entity Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 472, "" }, /* Vault's own, without a text */
		{ 473, "" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return "";
}

int http_head_add(
    struct evbuffer *out, int status, const char *type, const char *headers, size_t len, bool close)
{
	char date[64], length[48] = "";
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (status != 204)
		snprintf(length, sizeof(length), "Content-Length: %zu\r\n", len);
	return evbuffer_add_printf(out,
		   "HTTP/1.1 %d %s\r\nCache-Control: no-store\r\n%s%s%s"
		   "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\nDate: %s\r\n%s%s%s\r\n",
		   status, status_text(status), type ? "Content-Type: " : "", type ? type : "", type ? "\r\n" : "",
		   date, length, headers ? headers : "", close ? "Connection: close\r\n" : "") < 0
		   ? -ENOMEM
		   : 0;
}
