/* SPDX-License-Identifier: Apache-2.0 */
/* What the backend says of a ticket and of the token in it; see session_fakes.h. */
#include "session_fakes.h"

#include <stdio.h>

#include "base/text.h"

static struct vault_response *laid_over(json_t *under, const char *text)
{
	json_t *over = fake_json(text);

	json_object_update(under, over);
	json_decref(over);
	return fake_response(under);
}

struct vault_response *fake_ticket_answer(struct vault_request *request)
{
	struct vault_response *response;
	char token[64];

	if (streq(request->path, "sys/wrapping/lookup")) {
		assert_null(request->token);
		assert_string_equal(json_string_value(json_object_get(request->data, "token")), FAKE_TICKET);
		if (world.ticket.lookup_status)
			return fake_status(world.ticket.lookup_status);
		return fake_response(json_pack("{s:s}", "creation_path", world.ticket.path));
	}
	if (streq(request->path, "sys/wrapping/unwrap")) {
		assert_string_equal(secret_reveal(request->token), FAKE_TICKET);
		if (world.ticket.unwrap_status)
			return fake_status(world.ticket.unwrap_status);
		snprintf(token, sizeof(token), FAKE_TOKEN "%u", ++world.tokens);
		response = laid_over(json_pack("{s:{s:s, s:{s:s}}}", "auth", "client_token", token, "metadata",
					 "service_account_name", "liar"),
		    world.ticket.holds);
		response->body = TAKE_PTR(response->data);
		return response;
	}
	if (streq(request->path, "auth/token/lookup-self"))
		return laid_over(json_pack("{s:s, s:s, s:s, s:[s], s:i, s:I, s:b, s:{s:s, s:s, s:s, s:s}}", "path",
				     "auth/kubernetes/login", "accessor", "accessor-1", "type", "service", "policies",
				     "default", "num_uses", 0, "ttl", (json_int_t)world.lease, "renewable", 1, "meta",
				     "role", "web", "service_account_name", "app", "service_account_namespace", "web",
				     "service_account_uid", "uid-1"),
		    world.ticket.record);
	if (streq(request->path, "auth/kubernetes/role/web") && request->op == VAULT_READ)
		return fake_response(json_pack("{s:s}", "audience", world.ticket.audience));
	return NULL;
}
