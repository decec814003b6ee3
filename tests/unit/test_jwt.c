/* SPDX-License-Identifier: Apache-2.0 */
/* kube/jwt: form, claims, times, service accounts (kubernetes-auth.md 3.3, 3.4). Signatures: test_jwt_keys.c. */
#include "jwt_fixture.h"

/* A token that nobody signed in earnest. */
static struct secret *token(const char *header, const char *payload)
{
	AUTO_BUF struct buf buf = { 0 };

	add_base64url(&buf, header, strlen(header));
	buf_add_char(&buf, '.');
	add_base64url(&buf, payload, strlen(payload));
	buf_add_str(&buf, ".c2ln");
	return secret_of(&buf);
}

static void test_reads_projected(void **state)
{
	AUTO_SECRET struct secret *secret = token(HEADER, GOOD);
	struct jwt_error error = { 0 };
	struct jwt *jwt = NULL;

	(void)state;
	assert_int_equal(jwt_read(secret, false, &jwt, &error), 0);
	assert_int_equal(jwt->alg, JWT_RS256);
	assert_string_equal(jwt->kid, "k1");
	assert_string_equal(jwt->issuer, "https://k");
	assert_string_equal(jwt->audiences[0], "a");
	assert_string_equal(jwt->audiences[1], "b");
	assert_null(jwt->audiences[2]);
	assert_false(jwt->audience_is_string);
	assert_int_equal(jwt->expires, 1700000600);
	assert_string_equal(jwt->namespace_name, "ns");
	assert_string_equal(jwt->service_account, "sa");
	assert_string_equal(jwt->service_account_uid, "u-1");
	assert_null(jwt->secret_name);
	assert_string_equal(jwt->pod_name, "p-0");
	assert_string_equal(jwt->node_name, "n-1");
	assert_memory_equal(jwt->signed_part, secret_reveal(secret), jwt->signed_len);
	assert_int_equal(secret_reveal(secret)[jwt->signed_len], '.');
	assert_int_equal(jwt->signature_len, 3);
	assert_int_equal(jwt_check(jwt, NOW, "https://k", "b", &error), 0);
	jwt_free(jwt);
}

#define LEGACY                                                                                                      \
	"\"kubernetes.io/serviceaccount/namespace\":\"lns\",\"kubernetes.io/serviceaccount/secret.name\":\"lsec\"," \
	"\"kubernetes.io/serviceaccount/service-account.name\":\"lsa\","                                            \
	"\"kubernetes.io/serviceaccount/service-account.uid\":\"lu\""

static void check_account(const char *payload, const char *namespace_name, const char *name, const char *uid)
{
	AUTO_SECRET struct secret *secret = token(HEADER, payload);
	struct jwt_error error = { 0 };
	struct jwt *jwt = NULL;

	assert_int_equal(jwt_read(secret, false, &jwt, &error), 0);
	assert_int_equal(jwt_check(jwt, NOW, NULL, NULL, &error), 0);
	if (namespace_name)
		assert_string_equal(jwt->namespace_name, namespace_name);
	else
		assert_null(jwt->namespace_name);
	if (name)
		assert_string_equal(jwt->service_account, name);
	else
		assert_null(jwt->service_account);
	if (uid)
		assert_string_equal(jwt->service_account_uid, uid);
	else
		assert_null(jwt->service_account_uid);
	jwt_free(jwt);
}

static void test_reads_accounts(void **state)
{
	(void)state;
	check_account("{" LEGACY "}", "lns", "lsa", "lu");
	check_account("{" LEGACY "," ACCOUNT "}", "ns", "sa", "u-1");
	check_account("{" LEGACY ",\"kubernetes.io\":{\"namespace\":\"ns\"}}", "ns", "lsa", "lu");
	check_account("{" LEGACY ",\"kubernetes.io\":{\"serviceaccount\":{\"name\":\"sa\"}}}", NULL, "sa", NULL);
	check_account("{" LEGACY ",\"kubernetes.io\":null}", "lns", "lsa", "lu");
	check_account("{" LEGACY ",\"kubernetes.io\":{\"namespace\":\"\"}}", "", "lsa", "lu");
	/* An API server never writes these names in another case. */
	check_account(
	    "{\"kubernetes.io\":{\"Namespace\":\"ns\",\"ServiceAccount\":{\"name\":\"sa\"}}}", NULL, NULL, NULL);
	check_account("{}", NULL, NULL, NULL);
}

static void refused(struct secret *secret, bool loose, const char *reason)
{
	struct jwt_error error = { 0 };
	struct jwt *jwt = NULL;

	assert_int_equal(jwt_read(secret, loose, &jwt, &error), -EINVAL);
	assert_null(jwt);
	assert_int_equal(error.status, 403);
	assert_string_equal(error.text, "permission denied");
	if (!strstr(error.reason, reason))
		fail_msg("\"%s\" is not in \"%s\"", reason, error.reason);
}

static void refused_text(const char *text, size_t len, bool loose, const char *reason)
{
	AUTO_SECRET struct secret *secret = secret_copy(text, len);

	refused(secret, loose, reason);
}

static void test_refuses_form(void **state)
{
	static const struct {
		const char *text, *reason;
	} bad[] = {
		{ "", "three parts" },
		{ "abc", "three parts" },
		{ "a.b", "three parts" },
		{ "a.b.c.d", "three parts" },
		{ "$TOKEN", "three parts" },
		{ "..", "first part" },
		{ "e30.e30.", "algorithm" },
		{ "eyJhbGciOiJSUzI1NiJ9..", "second part" },
		{ "eyJhbGciOiJSUzI1NiJ9.e30.A", "signature" },
		{ "eyJhbGciOiJSUzI1NiJ9.e30.AA==", "signature" },
		{ "eyJhbGciOiJSUzI1NiJ9.e30.AA ", "signature" },
		{ " eyJhbGciOiJSUzI1NiJ9.e30.AA", "first part" },
		{ "eyJhbGciOiJSUzI1NiJ9.e31.AA", "second part" },
		{ "eyJhbGciOiJSUzI1NiJ9.W10.AA", "second part" },
		{ "{\"payload\":\"e30\",\"protected\":\"eyJhbGciOiJSUzI1NiJ9\",\"signature\":\"AA\"}", "three parts" },
	};
	AUTO_SECRET struct secret *big = secret_new(16385);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused_text(bad[i].text, strlen(bad[i].text), false, bad[i].reason);
	memset(secret_reveal(big), 'a', 16385);
	refused(big, false, "16384");
	refused_text("eyJhbGciOiJSUzI1NiJ9.e30.A\0A", 28, false, "signature");
	refused_text("eyJhbGciOiJSUzI1NiJ9.e30.A\0A", 28, true, "signature");
}

static void test_refuses_json(void **state)
{
	static const struct {
		const char *header, *payload, *reason;
	} bad[] = {
		{ "{\"alg\":\"none\"}", GOOD, "algorithm" },
		{ "{\"alg\":\"HS256\"}", GOOD, "algorithm" },
		{ "{\"alg\":\"rs256\"}", GOOD, "algorithm" },
		{ "{\"alg\":\"EdDSA\"}", GOOD, "algorithm" },
		{ "{\"Alg\":\"RS256\"}", GOOD, "algorithm" },
		{ "{\"alg\":[\"RS256\"]}", GOOD, "algorithm" },
		{ "{\"alg\":\"RS256\",\"alg\":\"RS256\"}", GOOD, "first part" },
		{ "{\"alg\":\"RS256\"} x", GOOD, "first part" },
		{ "{\"alg\":\"RS256\",\"kid\":5}", GOOD, "key id" },
		{ HEADER, "{\"iss\":\"a\",\"iss\":\"a\"}", "second part" },
		{ HEADER, "{\"x\":{\"y\":1,\"y\":2}}", "second part" },
		{ HEADER, "{\"x\":\"a\\u0000b\"}", "second part" },
		{ HEADER, "{\"x\":\"\xc0\xaf\"}", "second part" },
		{ HEADER, "{\"x\":\"\\ud800\"}", "second part" },
		{ HEADER, "{\"exp\":9223372036854775808}", "second part" },
		{ HEADER, "{\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", "second part" },
		{ HEADER, "{\"AUD\":[\"a\"]}", "\"aud\"" },
		{ HEADER, "{\"aud\":[\"b\"],\"Aud\":[\"a\"]}", "\"aud\"" },
		{ HEADER, "{\"\u017fub\":\"x\"}", "\"sub\"" },
		{ HEADER, "{\"i\\u017fs\":\"x\"}", "\"iss\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO_SECRET struct secret *secret = token(bad[i].header, bad[i].payload);

		refused(secret, false, bad[i].reason);
	}
}

static void accepted(const char *text, bool loose)
{
	AUTO_SECRET struct secret *secret = secret_copy(text, strlen(text));
	struct jwt_error error = { 0 };
	struct jwt *jwt = NULL;

	assert_int_equal(jwt_read(secret, loose, &jwt, &error), 0);
	assert_string_equal(jwt->signed_part, "eyJhbGciOiJSUzI1NiJ9.e30");
	assert_int_equal(jwt->signature_len, 1);
	jwt_free(jwt);
}

static void test_tolerates(void **state)
{
	(void)state;
	accepted("eyJhbGciOiJSUzI1NiJ9.e30.AA", false);
	accepted("eyJhbGciOiJSUzI1NiJ9.e30.AA\n", false);
	accepted("eyJhbGciOiJSUzI1NiJ9.e30.AA\r\n", false);
	accepted("\neyJhbGciOiJSUzI1NiJ9\r.e3\n0.AA\n\n", false);
	refused_text("eyJhbGciOiJSUzI1NiJ9.e30.AA ", 28, false, "signature");
	accepted(" eyJhbGciOiJSUzI1NiJ9.e30.AA \n", true);
	accepted("eyJhbGciOiJS UzI1NiJ9.\te30=.AA==\n\n", true);
}

struct claims_case {
	const char *payload, *issuer, *audience;
	int status; /* 0: passes */
	const char *text;
};

static void check_claims(const struct claims_case *c)
{
	AUTO_SECRET struct secret *secret = token(HEADER, c->payload);
	struct jwt_error error = { 0 };
	struct jwt *jwt = NULL;
	int r;

	assert_int_equal(jwt_read(secret, false, &jwt, &error), 0);
	r = jwt_check(jwt, NOW, c->issuer, c->audience, &error);
	if (r != (c->status ? -EINVAL : 0))
		fail_msg("%s: %d, %s", c->payload, r, error.text);
	assert_int_equal(error.status, c->status);
	if (c->status)
		assert_string_equal(error.text, c->text);
	jwt_free(jwt);
}

#define NUMBER	       "go-jose/go-jose/jwt: expected number value to unmarshal NumericDate"
#define AUDIENCE       "go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience"
#define STRING	       "json: cannot unmarshal %s into Go struct field Claims.%s of type string"
#define NOT_YET	       "invalid not before (nbf) claim: token not yet valid"
#define EXPIRED	       "invalid expiration time (exp) claim: token is expired"
#define FUTURE	       "invalid issued at (iat) claim: token issued in the future"
#define WRONG_AUDIENCE "invalid audience (aud) claim: audience claim does not match any expected audience"

static void test_claim_types(void **state)
{
	static const struct claims_case cases[] = {
		{ "{\"exp\":\"5\"}", NULL, NULL, 403, NUMBER },
		{ "{\"nbf\":true}", NULL, NULL, 403, NUMBER },
		{ "{\"iat\":[]}", NULL, NULL, 403, NUMBER },
		{ "{\"iat\":null,\"exp\":null,\"nbf\":null}", NULL, NULL, 0, NULL },
		{ "{\"aud\":null}", NULL, NULL, 403, AUDIENCE },
		{ "{\"aud\":5}", NULL, NULL, 403, AUDIENCE },
		{ "{\"aud\":{}}", NULL, NULL, 403, AUDIENCE },
		{ "{\"aud\":[\"a\",5]}", NULL, NULL, 403, AUDIENCE },
		{ "{\"aud\":[]}", NULL, NULL, 0, NULL },
		{ "{\"iss\":5}", NULL, NULL, 403,
		    "json: cannot unmarshal number into Go struct field Claims.iss of type string" },
		{ "{\"sub\":{}}", NULL, NULL, 403,
		    "json: cannot unmarshal object into Go struct field Claims.sub of type string" },
		{ "{\"jti\":false}", NULL, NULL, 403,
		    "json: cannot unmarshal bool into Go struct field Claims.jti of type string" },
		{ "{\"iss\":null}", NULL, NULL, 0, NULL },
		/* the first one by name, and text that is none last */
		{ "{\"exp\":\"x\",\"aud\":5}", NULL, NULL, 403, AUDIENCE },
		{ "{\"sub\":[],\"aud\":5,\"exp\":\"x\"}", NULL, NULL, 403, AUDIENCE },
		{ "{\"sub\":5,\"jti\":[]}", NULL, NULL, 403,
		    "json: cannot unmarshal array into Go struct field Claims.jti of type string" },
		/* types, then issuer, audience, times, and the account last */
		{ "{\"iss\":\"x\",\"exp\":\"x\"}", "https://k", "a", 403, NUMBER },
		{ "{\"iss\":\"x\",\"exp\":1,\"aud\":\"b\"}", "https://k", "a", 403, "invalid issuer (iss) claim" },
		{ "{\"exp\":1}", "https://k", "a", 403, "invalid issuer (iss) claim" },
		{ "{\"iss\":\"https://k\",\"exp\":1,\"aud\":\"b\"}", "https://k", "a", 403, WRONG_AUDIENCE },
		{ "{\"exp\":1,\"aud\":\"b\"}", "", "b", 403, EXPIRED },
		{ "{\"aud\":\"b\"}", NULL, "b", 500,
		    "1 error(s) decoding:\n\n* 'aud': source data must be an array or slice, got string" },
		{ "{\"aud\":[\"A\",\"a/\",\" a\"]}", NULL, "a", 403, WRONG_AUDIENCE },
		{ "{}", NULL, "a", 403, WRONG_AUDIENCE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_claims(&cases[i]);
}

static void test_account_types(void **state)
{
	static const struct claims_case cases[] = {
		{ "{\"kubernetes.io\":\"x\"}", NULL, NULL, 500,
		    "1 error(s) decoding:\n\n* 'kubernetes.io' expected a map, got 'string'" },
		{ "{\"kubernetes.io\":[]}", NULL, NULL, 500,
		    "1 error(s) decoding:\n\n* 'kubernetes.io' expected a map, got 'slice'" },
		{ "{\"kubernetes.io\":{\"namespace\":5}}", NULL, NULL, 500,
		    "1 error(s) decoding:\n\n* 'kubernetes.io.namespace' expected type 'string', got unconvertible "
		    "type 'float64'" },
		{ "{\"kubernetes.io\":{\"serviceaccount\":{\"uid\":true}}}", NULL, NULL, 500,
		    "1 error(s) decoding:\n\n* 'kubernetes.io.serviceaccount.uid' expected type 'string', got "
		    "unconvertible type 'bool'" },
		{ "{\"kubernetes.io\":{\"pod\":{\"name\":[]}}}", NULL, NULL, 500,
		    "1 error(s) decoding:\n\n* 'kubernetes.io.pod.name' expected type 'string', got unconvertible type "
		    "'[]interface {}'" },
		{ "{\"kubernetes.io/serviceaccount/namespace\":{}}", NULL, NULL, 500,
		    "1 error(s) decoding:\n\n* 'kubernetes.io/serviceaccount/namespace' expected type 'string', got "
		    "unconvertible type "
		    "'map[string]interface {}'" },
		{ "{\"kubernetes.io\":{\"node\":5,\"secret\":5,\"warnafter\":\"x\"}}", NULL, NULL, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_claims(&cases[i]);
}

static void test_times(void **state)
{
	static const struct claims_case cases[] = {
		/* boundaries are inclusive: 60 s of leeway */
		{ "{\"exp\":1699999940,\"iat\":1}", NULL, NULL, 0, NULL },
		{ "{\"exp\":1699999939,\"iat\":1}", NULL, NULL, 403, EXPIRED },
		{ "{\"exp\":1700000600,\"nbf\":1700000060}", NULL, NULL, 0, NULL },
		{ "{\"exp\":1700000600,\"nbf\":1700000061}", NULL, NULL, 403, NOT_YET },
		{ "{\"exp\":1700000600,\"nbf\":1,\"iat\":1700000060}", NULL, NULL, 0, NULL },
		{ "{\"exp\":1700000600,\"nbf\":1,\"iat\":1700000061}", NULL, NULL, 403, FUTURE },
		{ "{\"exp\":1699999939.9,\"iat\":1}", NULL, NULL, 403, EXPIRED },
		{ "{\"exp\":1699999940.9,\"iat\":1}", NULL, NULL, 0, NULL },
		/* nbf, then exp, then iat */
		{ "{\"exp\":1,\"nbf\":1800000000,\"iat\":1800000000}", NULL, NULL, 403, NOT_YET },
		{ "{\"exp\":1,\"nbf\":1,\"iat\":1800000000}", NULL, NULL, 403, EXPIRED },
		/* what is missing is filled in by 150 s */
		{ "{\"exp\":1700000210}", NULL, NULL, 0, NULL },
		{ "{\"exp\":1700000211}", NULL, NULL, 403, NOT_YET },
		{ "{\"iat\":1699999790}", NULL, NULL, 0, NULL },
		{ "{\"iat\":1699999789}", NULL, NULL, 403, EXPIRED },
		{ "{\"nbf\":1699999790,\"iat\":5}", NULL, NULL, 0, NULL },
		{ "{\"nbf\":1699999789,\"iat\":5}", NULL, NULL, 403, EXPIRED },
		/* tokens of a Secret have none */
		{ "{\"exp\":0,\"nbf\":0,\"iat\":0}", NULL, NULL, 0, NULL },
		/* far away; what int64 cannot hold is long ago */
		{ "{\"exp\":9223372036854775807,\"iat\":1}", NULL, NULL, 403, EXPIRED },
		{ "{\"exp\":1e300,\"iat\":1}", NULL, NULL, 403, EXPIRED },
		{ "{\"exp\":-1e300,\"iat\":1}", NULL, NULL, 403, EXPIRED },
		{ "{\"exp\":9e18,\"iat\":1}", NULL, NULL, 0, NULL },
		{ "{\"exp\":-9223372036854775808}", NULL, NULL, 403, EXPIRED },
		{ "{\"iat\":9e18}", NULL, NULL, 403, NOT_YET },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_claims(&cases[i]);
}

static void test_unsigned(void **state)
{
	static const char text[] = "eyJhbGciOiJSUzI1NiJ9.e30.";
	AUTO_SECRET struct secret *secret = secret_copy(text, strlen(text));
	struct jwt_error error = { 0 };
	struct jwt *jwt = NULL;

	(void)state;
	assert_int_equal(jwt_read(secret, false, &jwt, &error), 0);
	assert_int_equal(jwt_check(jwt, NOW, NULL, NULL, &error), -EINVAL);
	assert_string_equal(error.text, "invalid algorithm (alg) header parameter: token must be signed");
	jwt_free(jwt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_projected),
		cmocka_unit_test(test_reads_accounts),
		cmocka_unit_test(test_refuses_form),
		cmocka_unit_test(test_refuses_json),
		cmocka_unit_test(test_tolerates),
		cmocka_unit_test(test_claim_types),
		cmocka_unit_test(test_account_types),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_unsigned),
	};

	return cmocka_run_group_tests_name("jwt", tests, NULL, NULL);
}
