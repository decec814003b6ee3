/* SPDX-License-Identifier: Apache-2.0 */
/* module: answers recognised and joined, variables filtered, options read, return codes as the man page says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <security/_pam_types.h>

#include <cmocka.h>

#include "base/text.h"
#include "module/codes.h"
#include "module/credential.h"
#include "module/env.h"
#include "module/options.h"

/* A token of exactly SIZE bytes: header of ALG, signature of SIG bytes, and a payload that fills the rest. */
static char *make_token(const char *alg, size_t sig, size_t size)
{
	char header[64], header64[128], *token = calloc(1, size + 1);
	char sig64[1024], sig_bytes[512] = "";
	size_t payload = 1;

	base64url_encode(sig_bytes, sig, sig64);
	/* No text has a base64url length of 1 mod 4: then the header is a byte longer. */
	for (int kid = 1; payload % 4 == 1; kid *= 10) {
		snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%d\"}", alg, kid);
		base64url_encode(header, strlen(header), header64);
		payload = size - strlen(header64) - strlen(sig64) - 2;
	}
	if (!token)
		abort();
	memset(token, 'A', size);
	memcpy(token, header64, strlen(header64));
	token[strlen(header64)] = '.';
	token[size - strlen(sig64) - 1] = '.';
	memcpy(token + size - strlen(sig64), sig64, strlen(sig64));
	assert_int_equal(strlen(token), size);
	return token;
}

static enum credential_verdict judge(const char *answer, size_t len)
{
	struct credential credential = CREDENTIAL_INIT;
	enum credential_verdict verdict = credential_add(&credential, answer, len);

	buf_free(&credential.text);
	return verdict;
}

static void test_single_answers(void **state)
{
	static const struct {
		const char *answer;
		size_t len;
		enum credential_verdict verdict;
	} rows[] = {
		{ "", 0, CREDENTIAL_EMPTY },
		{ " \r\n", 3, CREDENTIAL_EMPTY },
		{ "e30.e30.AAAA", 12, CREDENTIAL_COMPLETE },
		{ "e30.e30.AAAA \n", 14, CREDENTIAL_COMPLETE },
		{ " e30.e30.AAAA", 13, CREDENTIAL_OTHER },
		{ "e30.e30.AAA", 11, CREDENTIAL_COMPLETE },
		{ "e30.e30.AAB", 11, CREDENTIAL_OTHER }, /* bits that belong to no byte */
		{ "e30.e30.AB", 10, CREDENTIAL_OTHER },
		{ "e30.e30.A", 9, CREDENTIAL_OTHER },
		{ "e30.e30.", 8, CREDENTIAL_OTHER },
		{ ".e30.AAAA", 9, CREDENTIAL_OTHER },
		{ "e30..AAAA", 9, CREDENTIAL_OTHER },
		{ "e30.e30", 7, CREDENTIAL_OTHER },
		{ "e30.e30.AAAA.AAAA", 17, CREDENTIAL_OTHER },
		{ "e30.e30.AA+A", 12, CREDENTIAL_OTHER },
		{ "e30.e30.AA==", 12, CREDENTIAL_OTHER },
		{ "e30.e30.A\0AA", 12, CREDENTIAL_OTHER },
		{ "$TOKEN", 6, CREDENTIAL_VARIABLE },
		{ "${TOKEN}\n", 9, CREDENTIAL_VARIABLE },
		{ "$TOKENS", 7, CREDENTIAL_OTHER },
		{ "hunter2", 7, CREDENTIAL_OTHER },
		{ "hvs.AAAAAAAAAAAAAAAAAAAAAAAA", 28, CREDENTIAL_COMPLETE }, /* a ticket */
		{ "hvs.AAAAAAAAAAAAAAAAAAAAAAAA\r\n", 30, CREDENTIAL_COMPLETE },
		{ "hvs.CAESIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-_", 95,
		    CREDENTIAL_COMPLETE },
		{ "hvs.AAAAAAAAAAAAAAAAAAAAAAA", 27, CREDENTIAL_OTHER },
		{ "hvs.AAAAAAAAAAAAAAAAAAAAAAAAA", 29, CREDENTIAL_OTHER },
		{ "hvs.AAAAAAAAAAA+AAAAAAAAAAAA", 28, CREDENTIAL_OTHER },
		{ "hvs.AAAAAAAAAAA\0AAAAAAAAAAAA", 28, CREDENTIAL_OTHER },
		{ "hvb.AAAAAAAAAAAAAAAAAAAAAAAA", 28, CREDENTIAL_OTHER },
		{ "\b", 1, CREDENTIAL_JUNK },
		{ "\b\n\r\177INCO", 8, CREDENTIAL_JUNK },
		{ "\b\n\r\177INCORRECT\b\n\r\177INCO", 21, CREDENTIAL_JUNK },
		{ "\b\n\rINCORRECT", 12, CREDENTIAL_OTHER },
		{ "\xff\xfe\x01", 3, CREDENTIAL_OTHER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(judge(rows[i].answer, rows[i].len), rows[i].verdict);
}

static void test_long_answers(void **state)
{
	AUTO_FREE char *token = make_token("RS256", 256, CREDENTIAL_MAX);
	AUTO_FREE char *longer = make_token("RS256", 256, CREDENTIAL_MAX + 1);
	AUTO_FREE char *huge = malloc(1 << 20);

	assert_int_equal(judge(token, CREDENTIAL_MAX), CREDENTIAL_COMPLETE);
	assert_int_equal(judge(longer, CREDENTIAL_MAX + 1), CREDENTIAL_LONG);
	memset(huge, 'a', 1 << 20);
	assert_int_equal(judge(huge, 1 << 20), CREDENTIAL_LONG);
}

/* A cut RSA signature that happens to be as long as that of a smaller key cannot be told from a whole one. */
static bool looks_whole(size_t sig_chars)
{
	size_t bytes = sig_chars * 3 / 4;

	return sig_chars % 4 != 1 && bytes >= 128 && bytes % 64 == 0;
}

/* Every place where a consumer cuts, for tokens of each algorithm, wherever the cut falls. */
static void test_cut_answers(void **state)
{
	static const size_t cuts[] = { 127, 511, 1023, 1024, 2047, 4095 };
	static const struct {
		const char *alg;
		size_t sig;
		bool rsa;
	} algs[] = { { "RS256", 256, true }, { "RS384", 384, true }, { "PS512", 512, true }, { "ES256", 64, false },
		{ "ES384", 96, false }, { "ES512", 132, false } };

	for (size_t i = 0; i < ARRAY_SIZE(cuts) * ARRAY_SIZE(algs) * 1000; i++) {
		size_t cut = cuts[i / 1000 % ARRAY_SIZE(cuts)], more = i % 1000 + 1, size = cut + more;
		size_t alg = i / 1000 / ARRAY_SIZE(cuts), sig_chars = base64url_size(algs[alg].sig) - 1;
		bool whole = algs[alg].rsa && more < sig_chars && looks_whole(sig_chars - more);
		AUTO_FREE char *token = NULL;

		if (size < sig_chars + 80)
			continue;
		token = make_token(algs[alg].alg, algs[alg].sig, size);
		assert_int_equal(judge(token, cut), whole ? CREDENTIAL_COMPLETE : CREDENTIAL_CUT);
		assert_int_equal(judge(token, size), CREDENTIAL_COMPLETE);
	}
}

static void test_whole_at_cut_length(void **state)
{
	AUTO_FREE char *a = make_token("RS256", 256, 1023);
	AUTO_FREE char *b = make_token("ES256", 64, 511);
	AUTO_FREE char *c = make_token("XX999", 33, 1024);
	AUTO_FREE char *d = make_token("RS256", 255, 1024);

	assert_int_equal(judge(a, 1023), CREDENTIAL_COMPLETE);
	assert_int_equal(judge(b, 511), CREDENTIAL_COMPLETE);
	assert_int_equal(judge(c, 1024), CREDENTIAL_COMPLETE);
	assert_int_equal(judge(d, 1024), CREDENTIAL_CUT);
}

/* Adds NUL-terminated answers until one is final. */
static enum credential_verdict judge_parts(const char *const *answers, char *joined, size_t size)
{
	struct credential credential = CREDENTIAL_INIT;
	enum credential_verdict verdict = CREDENTIAL_MORE;

	for (size_t i = 0; verdict == CREDENTIAL_MORE && answers[i]; i++)
		verdict = credential_add(&credential, answers[i], strlen(answers[i]));
	if (joined && credential.text.data)
		snprintf(joined, size, "%s", credential.text.data);
	buf_free(&credential.text);
	return verdict;
}

static void test_parts(void **state)
{
	static const struct {
		const char *answers[4];
		enum credential_verdict verdict;
	} rows[] = {
		{ { "k1:1/1:e30.e30.AAAA" }, CREDENTIAL_COMPLETE },
		{ { "k1:1/3:e3", "k1:2/3:0.e30.A", "k1:3/3:AAA\n" }, CREDENTIAL_COMPLETE },
		{ { "k1:1/3:e3", "k1:2/3:0.e30.A" }, CREDENTIAL_MORE },
		{ { "k1:1/2:e30.e30.", "k1:2/2:AB" }, CREDENTIAL_OTHER },
		{ { "k1:1/2:e30.", "k1:1/2:e30." }, CREDENTIAL_PART_REPEATED },
		{ { "k1:1/3:e30.", "k1:2/3:AAAA", "k1:1/3:e30." }, CREDENTIAL_PART_REPEATED },
		{ { "k1:1/2:e30.", "k1:1/2:e31." }, CREDENTIAL_PART_ORDER },
		{ { "k1:1/3:e30.", "k1:3/3:e30" }, CREDENTIAL_PART_ORDER },
		{ { "k1:1/3:e30.", "k1:2/4:e30" }, CREDENTIAL_PART_ORDER },
		{ { "k1:2/3:e30." }, CREDENTIAL_PART_ORDER },
		{ { "k1:3/2:e30." }, CREDENTIAL_PART_ORDER },
		{ { "k1:1/3:e30.", "e30.e30.AAAA" }, CREDENTIAL_PART_FORM },
		{ { "k1:1/3:e30.", "" }, CREDENTIAL_EMPTY },
		{ { "k1:1/17:e30." }, CREDENTIAL_PART_FORM },
		{ { "k1:0/3:e30." }, CREDENTIAL_PART_FORM },
		{ { "k1:01/3:e30." }, CREDENTIAL_PART_FORM },
		{ { "k1:1/999:e30." }, CREDENTIAL_PART_FORM },
		{ { "k1:1/:e30." }, CREDENTIAL_PART_FORM },
		{ { "k1:/3:e30." }, CREDENTIAL_PART_FORM },
		{ { "k1:1/3:" }, CREDENTIAL_PART_FORM },
		{ { "k1:1/3" }, CREDENTIAL_PART_FORM },
		{ { "k1:" }, CREDENTIAL_PART_FORM },
		{ { "k2:1/1:e30.e30.AAAA" }, CREDENTIAL_OTHER },
	};
	char joined[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(judge_parts(rows[i].answers, NULL, 0), rows[i].verdict);
	judge_parts(rows[1].answers, joined, sizeof(joined));
	assert_string_equal(joined, "e30.e30.AAAA");
}

static void test_part_sizes(void **state)
{
	struct credential credential = CREDENTIAL_INIT;
	char part[CREDENTIAL_PART_MAX + 2];

	memset(part, 'A', sizeof(part));
	memcpy(part, "k1:1/2:", 7);
	assert_int_equal(judge(part, CREDENTIAL_PART_MAX), CREDENTIAL_MORE);
	assert_int_equal(judge(part, CREDENTIAL_PART_MAX + 1), CREDENTIAL_PART_LONG);
	for (int i = 1; i <= 16; i++) {
		AUTO_FREE char *token = make_token("RS256", 256, 15000);
		int n = snprintf(part, sizeof(part), "k1:%d/16:", i);
		size_t at = (size_t)(i - 1) * 940, len = i < 16 ? 940 : 15000 - at;
		enum credential_verdict verdict;

		memcpy(part + n, token + at, len);
		verdict = credential_add(&credential, part, (size_t)n + len);
		assert_int_equal(verdict, i < 16 ? CREDENTIAL_MORE : CREDENTIAL_COMPLETE);
	}
	assert_int_equal(credential.text.len, 15000);
	buf_free(&credential.text);
}

static void test_looks_ours(void **state)
{
	assert_true(credential_looks_ours("e30.e30.AAAA\n", 13));
	assert_true(credential_looks_ours("k1:1/2:e30", 10));
	assert_true(credential_looks_ours("hvs.AAAAAAAAAAAAAAAAAAAAAAAA", 28));
	assert_false(credential_looks_ours("hunter2", 7));
	assert_false(credential_looks_ours("", 0));
	assert_false(credential_looks_ours("a.b", 3));
}

static void test_env_filter(void **state)
{
	static const struct {
		const char *assignment;
		bool allowed, with_list; /* the list: KUBECONFIG,DB_URL */
	} rows[] = {
		{ "VAULT_TOKEN=hvs.x", true, true },
		{ "VAULT_ADDR=", true, true },
		{ "K8SAUTH_DIR=/run/x\nb", true, true },
		{ "KUBECONFIG=/x", false, true },
		{ "DB_URL=x", false, true },
		{ "DB_URL2=x", false, false },
		{ "DB=x", false, false },
		{ "VAULT_SKIP_VERIFY=1", false, false },
		{ "K8SAUTH_HANDLE=x", false, false },
		{ "LD_PRELOAD=/tmp/x", false, false },
		{ "PATH=/tmp", false, false },
		{ "BASH_FUNC_x%%=() { :; }", false, false },
		{ "BASH_ENV=x", false, false },
		{ "SSH_AUTH_SOCK=x", false, false },
		{ "XDG_RUNTIME_DIR=x", false, false },
		{ "HOME=x", false, false },
		{ "PYTHONPATH=x", false, false },
		{ "KRB5CCNAME=x", false, false },
		{ "TERM=x", false, false },
		{ "VAULT_A-B=x", false, false },
		{ "VAULT_%=x", false, false },
		{ "vault_token=x", false, false },
		{ "VAULT_TOKEN", false, false },
		{ "=x", false, false },
		{ "", false, false },
		{ "1VAULT_=x", false, false },
	};
	AUTO_FREE char *big = malloc(ENV_STRING_MAX + 1);
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i].assignment);

		assert_int_equal(env_allowed(rows[i].assignment, len, NULL, &n), rows[i].allowed);
		assert_int_equal(env_allowed(rows[i].assignment, len, "KUBECONFIG,DB_URL", &n), rows[i].with_list);
	}
	/* The list of the line does not beat the compiled one, even if somebody got it past env_list_valid(). */
	assert_false(env_allowed("LD_PRELOAD=x", 12, "LD_PRELOAD", &n));
	assert_int_equal(n, 10);
	assert_false(env_allowed("VAULT_A=\0b", 10, NULL, &n));
	memset(big, 'x', ENV_STRING_MAX + 1);
	memcpy(big, "VAULT_X=", 8);
	assert_true(env_allowed(big, ENV_STRING_MAX, NULL, &n));
	assert_false(env_allowed(big, ENV_STRING_MAX + 1, NULL, &n));
}

static void test_options(void **state)
{
	static const struct {
		const char *argument;
		const char *wrong;
	} rows[] = {
		{ "role=ssh", NULL },
		{ "role=other", "is given twice" },
		{ "role", "needs a value" },
		{ "role=", "needs a value" },
		{ "env=KUBECONFIG,DB_URL", NULL },
		{ "keys=deny", "must have the value allow" },
		{ "keys", "must have the value allow" },
		{ "keys=allow", NULL },
		{ "debug", NULL },
		{ "debug", "is given twice" },
		{ "debug=1", "takes no value" },
		{ "debu", "is unknown" },
		{ "debugs", "is unknown" },
		{ "", "is unknown" },
		{ "=x", "is unknown" },
		{ "prompt=Token: ", NULL },
		{ "try_first_pass", NULL },
		{ "use_first_pass", NULL },
		{ "local", NULL },
		{ "socket=/tmp/x", "is unknown" },
		{ "session", NULL },
		{ "session", "is given twice" },
		{ "session=1", "takes no value" },
		{ "require", "needs a value" },
		{ "require=k8sauth/sudo/{host}:update", NULL },
		{ "require=k8sauth/sudo/{host}:update", "is given twice" },
		{ "verify", NULL },
		{ "verify", "is given twice" },
		{ "verify=1", "takes no value" },
		{ "token_file", "needs a value" },
		{ "token_file=/x", NULL },
		{ "token_file=/y", "is given twice" },
	};
	static const char *const bad_env[] = { "env=PATH", "env=A,,B", "env=A,", "env=A B", "env=A=b",
		"env=KUBECONFIG,LD_PRELOAD", "env=VAULT_SKIP_VERIFY", "env=1A" };
	static const char *const bad_require[] = { "require=k8sauth/sudo", "require=:update", "require=/a:update",
		"require=a:", "require=a:Update", "require=a:update,read", "require=a:deny", "require=a:root" };
	struct options options = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad_require); i++) {
		struct options fresh = { 0 };

		assert_string_equal(option_parse(&fresh, bad_require[i]),
		    "must be PATH:CAPABILITY, such as k8sauth/sudo/{host}:update");
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *wrong = option_parse(&options, rows[i].argument);

		if (rows[i].wrong)
			assert_string_equal(wrong, rows[i].wrong);
		else
			assert_null(wrong);
	}
	assert_string_equal(options.role, "ssh");
	assert_string_equal(options.env, "KUBECONFIG,DB_URL");
	assert_string_equal(options.prompt, "Token: ");
	assert_string_equal(options.token_file, "/x");
	assert_true(options.verify && options.keys && options.debug && options.local && options.try_first_pass);
	for (size_t i = 0; i < ARRAY_SIZE(bad_env); i++) {
		struct options fresh = { 0 };

		assert_string_equal(
		    option_parse(&fresh, bad_env[i]), "names a variable that is never set, or no variable");
	}
}

/* Options that do not go together. */
static void test_conflicts(void **state)
{
	static const struct {
		const char *arguments[3];
		bool conflict;
	} rows[] = {
		{ { "verify", "role=db" }, false },
		{ { "verify", "token_file=/x" }, false },
		{ { "token_file=/x", "role=db", "local" }, false },
		{ { "session", "require=a:update" }, false },
		{ { "verify", "session" }, true },
		{ { "verify", "require=a:update" }, true },
		{ { "token_file=/x", "session" }, true },
		{ { "token_file=/x", "require=a:update" }, true },
		{ { "token_file=/x", "prompt=x" }, true },
		{ { "token_file=/x", "try_first_pass" }, true },
		{ { "token_file=/x", "use_first_pass" }, true },
	};
	struct options relative = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct options options = { 0 };

		for (size_t k = 0; k < 3 && rows[i].arguments[k]; k++)
			assert_null(option_parse(&options, rows[i].arguments[k]));
		assert_int_equal(options_conflict(&options) != NULL, rows[i].conflict);
	}
	assert_string_equal(option_parse(&relative, "token_file=token"), "must be an absolute path");
}

/* Rules that must hold whatever the table says in detail. */
static void test_codes(void **state)
{
	for (enum phase phase = 0; phase < N_PHASES; phase++) {
		assert_int_equal(module_code(phase, SITUATION_NOT_OURS), PAM_IGNORE);
		for (enum situation situation = 0; situation < N_SITUATIONS; situation++) {
			int code = module_code(phase, situation);

			if (situation != SITUATION_DONE && situation != SITUATION_NOTHING)
				assert_int_not_equal(code, PAM_SUCCESS);
			if (situation != SITUATION_NOT_OURS)
				assert_int_not_equal(code, PAM_IGNORE);
			if (phase != PHASE_CLOSE) /* sudo goes on after it */
				assert_int_not_equal(code, PAM_SESSION_ERR);
			/* What faillock counts must be a refusal, never an outage or a mistake in the line. */
			if (code == PAM_AUTH_ERR)
				assert_true(situation == SITUATION_REFUSED || situation == SITUATION_BAD_CREDENTIAL);
		}
	}
	assert_int_equal(module_code(PHASE_AUTH, SITUATION_NOTHING), PAM_SYSTEM_ERR);
	assert_int_equal(module_code(PHASE_AUTH, SITUATION_OUTAGE), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(module_code(PHASE_OPEN, SITUATION_REFUSED), PAM_PERM_DENIED);
	assert_string_equal(phase_name(PHASE_OPEN), "open_session");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single_answers),
		cmocka_unit_test(test_long_answers),
		cmocka_unit_test(test_cut_answers),
		cmocka_unit_test(test_whole_at_cut_length),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_part_sizes),
		cmocka_unit_test(test_looks_ours),
		cmocka_unit_test(test_env_filter),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
