/* SPDX-License-Identifier: Apache-2.0 */
/* Claims: types, times, audience, service account (kubernetes-auth.md 3.3, 3.4); see jwt.h and jwt_claims.h. */
#include "kube/jwt_claims.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/json_go.h"

#define LEEWAY	  60  /* clocks may differ by this */
#define FILLED_IN 150 /* the life of a token that leaves out exp or nbf */

static const char *const registered[] = { "iss", "sub", "aud", "exp", "nbf", "iat", "jti" };

/*
 * Go's decoders match member names without regard to case (and take U+017F for an s), so that "AUD" beside "aud" could
 * mean one thing to us and another one to a Go program: refused.
 */
static bool folds_to(const char *name, const char *claim)
{
	while (*name && *claim) {
		if (strncmp(name, "\u017f", 2) == 0 && *claim == 's')
			name += 2;
		else if (strncasecmp(name, claim, 1) == 0)
			name++;
		else
			return false;
		claim++;
	}
	return *name == *claim;
}

static int check_folding(json_t *claims, struct jwt_error *ret_error)
{
	const char *name;
	json_t *value;

	json_object_foreach(claims, name, value)
	{
		for (size_t i = 0; i < ARRAY_SIZE(registered); i++) {
			if (streq(name, registered[i]) || !folds_to(name, registered[i]))
				continue;
			ret_error->status = 0;
			jwt_set_error(ret_error, 403, "permission denied",
			    "ambiguous claim: a member collides with registered claim \"%s\" under case folding",
			    registered[i]);
			return -EINVAL;
		}
	}
	return 0;
}

/* The types that Go decodes JSON into, as mapstructure names them. */
static const char *go_type(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "map[string]interface {}";
	case JSON_ARRAY:
		return "[]interface {}";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "float64";
	case JSON_TRUE:
	case JSON_FALSE:
		return "bool";
	case JSON_NULL:
		break;
	}
	return "nil";
}

/* Copies a string claim. Absent and null: stays NULL. */
static int copy_string(const json_t *value, char **ret)
{
	if (!json_is_string(value))
		return 0;
	*ret = strdup(json_string_value(value));
	return *ret ? 0 : -ENOMEM;
}

/* --- registered claims */

/* As Go converts a float: what int64 cannot hold is long ago. */
static void read_time(struct jwt *jwt, const json_t *value, int64_t *ret)
{
	double number = json_number_value(value);

	if (!value)
		return;
	if (json_is_number(value))
		*ret = number >= -0x1p63 && number < 0x1p63 ? (int64_t)number : INT64_MIN;
	else if (!json_is_null(value))
		jwt_set_error(&jwt->claims_error, 403,
		    "go-jose/go-jose/jwt: expected number value to unmarshal NumericDate",
		    "a time claim is not a number");
}

static int read_audience(struct jwt *jwt, const json_t *value)
{
	size_t n = json_is_array(value) ? json_array_size(value) : 1;
	char **list;

	if (!value)
		return 0;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	jwt->audiences = list;
	jwt->audience_is_string = json_is_string(value);
	for (size_t i = 0; i < n; i++) {
		const json_t *element = json_is_array(value) ? json_array_get(value, i) : value;

		if (!json_is_string(element)) {
			jwt_set_error(&jwt->claims_error, 403,
			    "go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience",
			    "the audience claim is not a string or an array of strings");
			return 0;
		}
		if (copy_string(element, &list[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void check_string_claim(struct jwt *jwt, const char *name)
{
	const json_t *value = json_object_get(jwt->claims, name);
	char text[128];

	if (!value || json_is_string(value) || json_is_null(value))
		return;
	snprintf(text, sizeof(text), "json: cannot unmarshal %s into Go struct field Claims.%s of type string",
	    json_go_kind(value), name);
	jwt_set_error(&jwt->claims_error, 403, text, "claim \"%s\" is not a string", name);
}

/* Go reads the members sorted. The first wrong one is told; text that is none does not stop its reader: it comes last.
 */
static int read_registered(struct jwt *jwt)
{
	int r = read_audience(jwt, json_object_get(jwt->claims, "aud"));

	read_time(jwt, json_object_get(jwt->claims, "exp"), &jwt->expires);
	read_time(jwt, json_object_get(jwt->claims, "iat"), &jwt->issued_at);
	read_time(jwt, json_object_get(jwt->claims, "nbf"), &jwt->not_before);
	if (r == 0)
		r = copy_string(json_object_get(jwt->claims, "iss"), &jwt->issuer);
	check_string_claim(jwt, "iss");
	check_string_claim(jwt, "jti");
	check_string_claim(jwt, "sub");
	return r;
}

/* --- service account claims */

static int wrong_account(struct jwt *jwt, const char *claim, const char *problem)
{
	char text[256];

	snprintf(text, sizeof(text), "1 error(s) decoding:\n\n* '%s'%s", claim, problem);
	jwt_set_error(&jwt->account_error, 500, text, "claim \"%s\" has the wrong type", claim);
	return 0;
}

/* OBJECT's member NAME, called CLAIM in errors. */
static int account_string(struct jwt *jwt, const json_t *object, const char *name, const char *claim, char **ret)
{
	const json_t *value = json_object_get(object, name);
	char problem[128];

	if (!value || json_is_null(value))
		return 0;
	if (json_is_string(value))
		return copy_string(value, ret);
	snprintf(problem, sizeof(problem), " expected type 'string', got unconvertible type '%s'", go_type(value));
	return wrong_account(jwt, claim, problem);
}

/* A member object; NULL where it is absent, null or (reported) something else. */
static const json_t *account_object(struct jwt *jwt, const json_t *object, const char *name, const char *claim)
{
	const json_t *value = json_object_get(object, name);
	char problem[128];

	if (!value || json_is_null(value) || json_is_object(value))
		return json_is_object(value) ? value : NULL;
	snprintf(problem, sizeof(problem), " expected a map, got '%s'",
	    json_is_array(value)    ? "slice"
	    : json_is_number(value) ? "float64"
				    : json_go_kind(value));
	wrong_account(jwt, claim, problem);
	return NULL;
}

/* Tokens of a Secret: flat claims. */
static int read_legacy(struct jwt *jwt)
{
	static const char prefix[] = "kubernetes.io/serviceaccount/";
	const struct {
		const char *name;
		char **ret;
	} claims[] = {
		{ "namespace", &jwt->namespace_name },
		{ "secret.name", &jwt->secret_name },
		{ "service-account.name", &jwt->service_account },
		{ "service-account.uid", &jwt->service_account_uid },
	};
	char claim[64];
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(claims); i++) {
		snprintf(claim, sizeof(claim), "%s%s", prefix, claims[i].name);
		r = account_string(jwt, jwt->claims, claim, claim, claims[i].ret);
	}
	return r;
}

/* What the kubernetes.io object says wins over a flat claim, even if it is absent there. */
static int override_string(struct jwt *jwt, const json_t *object, const char *name, const char *claim, char **ret)
{
	free(*ret);
	*ret = NULL;
	return account_string(jwt, object, name, claim, ret);
}

static int read_projected(struct jwt *jwt)
{
	const json_t *kube = account_object(jwt, jwt->claims, "kubernetes.io", "kubernetes.io");
	const json_t *account, *pod;
	int r;

	if (!kube)
		return 0;
	r = override_string(jwt, kube, "namespace", "kubernetes.io.namespace", &jwt->namespace_name);
	pod = account_object(jwt, kube, "pod", "kubernetes.io.pod");
	if (r == 0)
		r = account_string(jwt, pod, "name", "kubernetes.io.pod.name", &jwt->pod_name);
	account = account_object(jwt, kube, "serviceaccount", "kubernetes.io.serviceaccount");
	if (r == 0 && account)
		r = override_string(jwt, account, "name", "kubernetes.io.serviceaccount.name", &jwt->service_account);
	if (r == 0 && account)
		r = override_string(jwt, account, "uid", "kubernetes.io.serviceaccount.uid", &jwt->service_account_uid);
	/* Vault does not look at the node: no error for it. */
	if (r == 0)
		r = copy_string(json_object_get(json_object_get(kube, "node"), "name"), &jwt->node_name);
	return r;
}

int jwt_read_claims(struct jwt *jwt, struct jwt_error *ret_error)
{
	int r = check_folding(jwt->claims, ret_error);

	if (r == 0)
		r = read_registered(jwt);
	if (r == 0 && jwt->audience_is_string)
		r = wrong_account(jwt, "aud", ": source data must be an array or slice, got string");
	if (r == 0)
		r = read_legacy(jwt);
	if (r == 0)
		r = read_projected(jwt);
	return r;
}

/* --- the check */

static int64_t saturating_add(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return b > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}

/* How far A is behind B. */
static long long seconds_between(int64_t a, int64_t b)
{
	int64_t difference;

	return __builtin_sub_overflow(b, a, &difference) ? INT64_MAX : difference;
}

static bool has_audience(const struct jwt *jwt, const char *audience)
{
	for (char **own = jwt->audiences; own && *own; own++) {
		if (streq(*own, audience))
			return true;
	}
	return false;
}

static void check_times(const struct jwt *jwt, int64_t now, struct jwt_error *error)
{
	int64_t expires = jwt->expires, not_before = jwt->not_before, issued_at = jwt->issued_at;

	/* Tokens of a Secret have no times; their end is the Secret's. */
	if (!expires && !not_before && !issued_at)
		return;
	if (!expires)
		expires = saturating_add(issued_at > not_before ? issued_at : not_before, FILLED_IN);
	if (!not_before)
		not_before = issued_at ? issued_at : saturating_add(expires, -FILLED_IN);
	if (not_before > saturating_add(now, LEEWAY))
		jwt_set_error(error, 403, "invalid not before (nbf) claim: token not yet valid",
		    "the token is not valid yet: check the clocks (%lld s apart)", seconds_between(now, not_before));
	if (expires < saturating_add(now, -LEEWAY))
		jwt_set_error(error, 403, "invalid expiration time (exp) claim: token is expired",
		    "the token expired %lld s ago", seconds_between(expires, now));
	if (issued_at > saturating_add(now, LEEWAY))
		jwt_set_error(error, 403, "invalid issued at (iat) claim: token issued in the future",
		    "the token was issued in the future: check the clocks (%lld s apart)",
		    seconds_between(now, issued_at));
}

int jwt_check(const struct jwt *jwt, int64_t now, const char *issuer, const char *audience, struct jwt_error *ret_error)
{
	struct jwt_error error = { 0 };

	if (jwt->signature_len == 0)
		jwt_set_error(&error, 403, "invalid algorithm (alg) header parameter: token must be signed",
		    "the token is not signed");
	if (jwt->claims_error.status)
		jwt_set_error(&error, jwt->claims_error.status, jwt->claims_error.text, "%s", jwt->claims_error.reason);
	if (issuer && *issuer && !(jwt->issuer && streq(jwt->issuer, issuer)))
		jwt_set_error(
		    &error, 403, "invalid issuer (iss) claim", "the token's issuer is not the configured one");
	if (!error.status && audience && *audience && !has_audience(jwt, audience)) {
		error.audience = true;
		jwt_set_error(&error, 403,
		    "invalid audience (aud) claim: audience claim does not match any expected audience",
		    "the token's audience is not the role's \"%s\": make it with that audience", audience);
	}
	check_times(jwt, now, &error);
	if (jwt->account_error.status)
		jwt_set_error(
		    &error, jwt->account_error.status, jwt->account_error.text, "%s", jwt->account_error.reason);
	if (!error.status)
		return 0;
	*ret_error = error;
	return -EINVAL;
}
