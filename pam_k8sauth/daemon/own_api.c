/* SPDX-License-Identifier: Apache-2.0 */
/* Our own API below /v1/k8sauth/ (design.md 4): explaining refusals, and letting a recreated service account in again.
 */
#include <errno.h>

#include "daemon/api.h"
#include "base/text.h"
#include "daemon/http_json.h"

static void explain(const struct api *api, struct http_exchange *exchange, const char *ref)
{
	AUTO_BUF struct buf body = { 0 };
	json_t *data = api->explain ? api->explain(api->explain_arg, ref) : NULL;
	json_t *reply;

	if (!data) {
		http_reply_error(exchange, 404, NULL, NULL);
		return;
	}
	reply = json_pack("{s:o}", "data", data);
	if (reply)
		http_json_encode(reply, &body);
	json_decref(reply);
	if (!reply || body.failed)
		http_reply_error(exchange, 500, NULL, "internal error");
	else
		http_reply(exchange, 200, NULL, &body);
}

static void on_rebound(void *arg, enum account_verdict verdict, const struct account *account, const char *why)
{
	struct http_exchange *exchange = arg;
	AUTO_BUF struct buf nothing = { 0 };

	switch (verdict) {
	case ACCOUNT_OK:
		http_reply(exchange, 204, NULL, &nothing);
		break;
	case ACCOUNT_HELPER_DOWN:
		http_reply_error(exchange, 503, NULL, why);
		break;
	default:
		http_reply_error(exchange, 400, NULL, why);
	}
}

void own_api(const struct api *api, struct http_exchange *exchange, const char *path, enum vault_op op,
    const struct vault_peer *peer)
{
	bool explains = starts_with(path, "explain/"), rebinds = starts_with(path, "accounts/rebind/");

	if (peer->kind != VAULT_PEER_UNIX || peer->uid != 0)
		http_reply_error(exchange, 403, NULL, "permission denied");
	else if (!explains && !rebinds)
		http_reply_error(exchange, 404, NULL, "unsupported path");
	else if (op != (explains ? VAULT_READ : VAULT_UPDATE))
		http_reply_error(exchange, 405, NULL, "unsupported operation");
	else if (explains)
		explain(api, exchange, path + strlen("explain/"));
	else if (!api->accounts)
		http_reply_error(exchange, 404, NULL, NULL);
	else
		accounts_rebind(api->accounts, path + strlen("accounts/rebind/"), on_rebound, exchange);
}
