/* SPDX-License-Identifier: Apache-2.0 */
/* The barrier: form of records, tampering, swapping, keyring, seal keys. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/text.h"
#include "vault/embedded/barrier.h"
#include "vault/embedded/seal/kind.h"

static struct secret *key_of(char c)
{
	struct secret *key = secret_new(BARRIER_KEY_SIZE);

	memset(secret_reveal(key), c, BARRIER_KEY_SIZE);
	return key;
}

static struct barrier *new_barrier(void)
{
	struct barrier *barrier;

	assert_int_equal(barrier_new(&barrier), 0);
	return barrier;
}

static struct store_blob seal(struct barrier *barrier, const char *path, const char *text)
{
	struct store_blob sealed;

	assert_int_equal(barrier_seal(barrier, path, strlen(path), text, strlen(text), &sealed), 0);
	return sealed;
}

static int unseal(const struct barrier *barrier, const char *path, const struct store_blob *sealed, char *ret)
{
	struct store_blob plain;
	int r = barrier_open(barrier, path, strlen(path), sealed, &plain);

	if (r == 0) {
		assert_int_equal(plain.data[plain.len], 0);
		snprintf(ret, 64, "%s", (char *)plain.data);
		free(plain.data);
	}
	return r;
}

static void test_record_form(void **state)
{
	static const unsigned char head[] = { 0, 0, 0, 1, 2 };
	struct barrier *barrier = new_barrier();
	struct store_blob one = seal(barrier, "a/b", "text"), two = seal(barrier, "a/b", "text");
	struct store_blob empty = seal(barrier, "e", "");
	char text[64];

	(void)state;
	assert_int_equal(one.len, 4 + 4 + 1 + 12 + 16);
	assert_int_equal(one.len, 4 + BARRIER_OVERHEAD);
	assert_memory_equal(one.data, head, sizeof(head)); /* term 1, version 2 */
	assert_memory_not_equal(one.data + 5, two.data + 5, 12);
	assert_null(memmem(one.data, one.len, "text", 4));
	assert_int_equal(unseal(barrier, "a/b", &one, text), 0);
	assert_string_equal(text, "text");
	assert_int_equal(unseal(barrier, "e", &empty, text), 0);
	assert_string_equal(text, "");
	free(one.data);
	free(two.data);
	free(empty.data);
	barrier_free(barrier);
}

/* Every single bit counts, and so do length and place. */
static void test_tampering(void **state)
{
	struct barrier *barrier = new_barrier(), *other = new_barrier();
	struct store_blob sealed = seal(barrier, "a/b", "some text"), cut;
	char text[64];

	(void)state;
	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(unseal(barrier, "a/b", &sealed, text), -EBADMSG);
		sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < sealed.len; len++) {
		cut = (struct store_blob){ .data = sealed.data, .len = len };
		assert_int_equal(unseal(barrier, "a/b", &cut, text), -EBADMSG);
	}
	assert_int_equal(unseal(barrier, "a/c", &sealed, text), -EBADMSG);
	assert_int_equal(unseal(barrier, "a/", &sealed, text), -EBADMSG);
	assert_int_equal(unseal(other, "a/b", &sealed, text), -EBADMSG);
	assert_int_equal(unseal(barrier, "a/b", &sealed, text), 0);
	free(sealed.data);
	barrier_free(barrier);
	barrier_free(other);
}

static void test_too_large(void **state)
{
	struct barrier *barrier = new_barrier();
	struct store_blob sealed;
	char *big = calloc(1, STORE_VALUE_MAX);

	(void)state;
	assert_int_equal(barrier_seal(barrier, "a", 1, big, STORE_VALUE_MAX, &sealed), -E2BIG);
	assert_int_equal(barrier_seal(barrier, "a", 1, big, STORE_VALUE_MAX - BARRIER_OVERHEAD, &sealed), 0);
	free(sealed.data);
	free(big);
	barrier_free(barrier);
}

static void test_hashes(void **state)
{
	struct barrier *barrier = new_barrier(), *other = new_barrier();
	struct store_key a, b;

	(void)state;
	assert_int_equal(barrier_hash(barrier, "a/b", 3, &a), 0);
	assert_int_equal(barrier_hash(barrier, "a/bc", 3, &b), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(barrier_hash(barrier, "a/c", 3, &b), 0);
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_int_equal(barrier_hash(other, "a/b", 3, &b), 0);
	assert_memory_not_equal(&a, &b, sizeof(a));
	barrier_free(barrier);
	barrier_free(other);
}

static void test_keyring(void **state)
{
	struct secret *wrong AUTO_SECRET = key_of('w'), *root AUTO_SECRET = NULL;
	struct barrier *barrier = new_barrier(), *again;
	struct store_blob sealed = seal(barrier, "a", "kept"), keyring;
	struct store_key one, two;
	char text[64];

	(void)state;
	root = secret_copy(secret_reveal(barrier_root_key(barrier)), BARRIER_KEY_SIZE);
	assert_int_equal(barrier_save(barrier, &keyring), 0);
	assert_int_equal(barrier_hash(barrier, "a", 1, &one), 0);
	barrier_free(barrier);
	assert_int_equal(barrier_load(wrong, keyring.data, keyring.len, &again), -EBADMSG);
	assert_int_equal(barrier_load(root, keyring.data, keyring.len - 1, &again), -EBADMSG);
	assert_int_equal(barrier_load(root, keyring.data, keyring.len, &again), 0);
	assert_int_equal(barrier_hash(again, "a", 1, &two), 0);
	assert_memory_equal(&one, &two, sizeof(one));
	assert_int_equal(unseal(again, "a", &sealed, text), 0);
	assert_string_equal(text, "kept");
	free(sealed.data);
	free(keyring.data);
	barrier_free(again);
}

/* Each record opens with the term that sealed it, and only with that. */
static void test_terms(void **state)
{
	struct barrier *barrier = new_barrier(), *next, *loaded;
	struct store_blob sealed[3], keyring;
	struct barrier_term_info info;
	struct store_key one, two;
	char text[64];

	(void)state;
	assert_int_equal(barrier_hash(barrier, "a", 1, &one), 0);
	for (uint32_t i = 0; i < 3; i++) {
		barrier_term(barrier, &info);
		assert_int_equal(info.term, i + 1);
		assert_int_equal(info.sealed, 0);
		sealed[i] = seal(barrier, "a", "text");
		assert_int_equal(sealed[i].data[3], i + 1);
		barrier_term(barrier, &info);
		assert_int_equal(info.sealed, 1);
		assert_int_equal(barrier_rotated(barrier, &next), 0);
		barrier_free(barrier);
		barrier = next;
	}
	assert_int_equal(barrier_save(barrier, &keyring), 0);
	assert_int_equal(barrier_load(barrier_root_key(barrier), keyring.data, keyring.len, &loaded), 0);
	assert_int_equal(barrier_hash(loaded, "a", 1, &two), 0);
	assert_memory_equal(&one, &two, sizeof(one));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(unseal(loaded, "a", &sealed[i], text), 0);
		assert_string_equal(text, "text");
		sealed[i].data[3] = (uint8_t)(i == 0 ? 2 : 1); /* another term of the keyring */
		assert_int_equal(unseal(loaded, "a", &sealed[i], text), -EBADMSG);
		sealed[i].data[3] = 5; /* none */
		assert_int_equal(unseal(loaded, "a", &sealed[i], text), -EBADMSG);
		sealed[i].data[3] = 0;
		assert_int_equal(unseal(loaded, "a", &sealed[i], text), -EBADMSG);
		free(sealed[i].data);
	}
	free(keyring.data);
	barrier_free(loaded);
	barrier_free(barrier);
}

/* Times of the first form were whole seconds. */
static void test_keyring_seconds(void **state)
{
	struct secret *root AUTO_SECRET = key_of('r');
	struct store_blob sealed;
	struct barrier *barrier;
	struct barrier_term_info info;
	uint8_t plain[81] = { 1, [36] = 1, [40] = 1, [45] = 0x65, [46] = 0x53, [47] = 0xf1, [48] = 0x00 };

	(void)state;
	assert_int_equal(aead_seal(root, 0, "core/keyring", plain, sizeof(plain), &sealed), 0);
	for (int i = 0; i < 2; i++) { /* the second time as it was saved again */
		assert_int_equal(barrier_load(root, sealed.data, sealed.len, &barrier), 0);
		barrier_term(barrier, &info);
		assert_int_equal(info.installed, 1700000000LL * 1000000000);
		free(sealed.data);
		assert_int_equal(barrier_save(barrier, &sealed), 0);
		barrier_free(barrier);
	}
	free(sealed.data);
}

/* A keyring of the right key but of another form. */
static void test_keyring_form(void **state)
{
	struct secret *root AUTO_SECRET = key_of('r');
	struct store_blob sealed;
	struct barrier *barrier;
	uint8_t plain[81] = { 1 };

	(void)state;
	plain[36] = 1; /* one term */
	for (size_t len = 0; len < sizeof(plain); len++) {
		assert_int_equal(aead_seal(root, 0, "core/keyring", plain, len, &sealed), 0);
		assert_int_equal(barrier_load(root, sealed.data, sealed.len, &barrier), -EPROTO);
		free(sealed.data);
	}
	for (int i = 0; i < 2; i++) {
		plain[0] = i == 0 ? 3 : 1;
		plain[36] = i == 0 ? 1 : 2;
		assert_int_equal(aead_seal(root, 0, "core/keyring", plain, sizeof(plain), &sealed), 0);
		assert_int_equal(barrier_load(root, sealed.data, sealed.len, &barrier), -EPROTO);
		free(sealed.data);
	}
}

static void test_wrapping(void **state)
{
	struct secret *key AUTO_SECRET = key_of('k'), *wrong AUTO_SECRET = key_of('w'), *root AUTO_SECRET = key_of('r');
	struct secret *back AUTO_SECRET = NULL;
	struct store_blob wrapped;

	(void)state;
	assert_int_equal(seal_key_wrap(key, root, &wrapped), 0);
	assert_int_equal(seal_key_unwrap(wrong, &wrapped, &back), -EBADMSG);
	assert_int_equal(seal_key_unwrap(key, &wrapped, &back), 0);
	assert_int_equal(secret_len(back), secret_len(root));
	assert_memory_equal(secret_reveal(back), secret_reveal(root), secret_len(root));
	free(wrapped.data);
}

static char dir[64];

static void put_credential(const void *data, size_t len)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/seal", dir);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

/* 0 where what the credential NAME wraps is what the key of bytes C opens, or why not. */
static int wrap_by(const char *name, char c)
{
	struct secret *key AUTO_SECRET = key_of(c), *root AUTO_SECRET = key_of('r'), *back AUTO_SECRET = NULL;
	char *copy AUTO_FREE = strdup(name);
	struct seal_config config = { .kind = seal_settings_of("systemd-credential"), .values = { copy } };
	char why[512] = "";
	struct seal_op op = { 0 };
	void *seal;
	int r;

	assert_int_equal(seal_credential.open(NULL, &config, &seal, why, sizeof(why)), 0);
	seal_op_begin(&op, NULL, NULL);
	seal_credential.wrap(seal, root, &op);
	r = op.r;
	if (r == 0)
		assert_int_equal(seal_key_unwrap(key, &op.wrapped, &back), 0);
	else
		assert_true(*op.why);
	seal_op_end(&op);
	seal_credential.close(seal);
	return r;
}

static void test_credential(void **state)
{
	static const char *const refused[] = { "", "short", "0123456789012345678901234567890123",
		"61616161616161616161616161616161616161616161616161616161616161zz",
		"6161616161616161616161616161616161616161616161616161616161616161ff",
		"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYW==", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh" };
	char raw[BARRIER_KEY_SIZE], hex[65], base64[base64_size(BARRIER_KEY_SIZE)], text[128];

	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(wrap_by("seal", 'a'), -ENOENT);
	strcpy(dir, "/tmp/test_barrier.XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_int_equal(wrap_by("seal", 'a'), -ENOENT);
	assert_int_equal(wrap_by("../seal", 'a'), -EINVAL);
	assert_int_equal(wrap_by("", 'a'), -EINVAL);
	assert_int_equal(wrap_by(".", 'a'), -EINVAL);

	memset(raw, 'a', sizeof(raw));
	put_credential(raw, sizeof(raw));
	assert_int_equal(wrap_by("seal", 'a'), 0);
	hex_encode(raw, sizeof(raw), hex);
	snprintf(text, sizeof(text), "%s\n", hex);
	put_credential(text, strlen(text));
	assert_int_equal(wrap_by("seal", 'a'), 0);
	base64_encode(raw, sizeof(raw), base64);
	snprintf(text, sizeof(text), "%s \r\n", base64);
	put_credential(text, strlen(text));
	assert_int_equal(wrap_by("seal", 'a'), 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		put_credential(refused[i], strlen(refused[i]));
		assert_int_equal(wrap_by("seal", 'a'), -EINVAL);
	}
	/* 32 bytes and an end of line are not 32 bytes. */
	snprintf(text, sizeof(text), "%.32s\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	put_credential(text, strlen(text));
	assert_int_equal(wrap_by("seal", 'a'), -EINVAL);
	snprintf(text, sizeof(text), "%s/seal", dir);
	assert_int_equal(unlink(text), 0);
	assert_int_equal(symlink("/etc/passwd", text), 0);
	assert_int_equal(wrap_by("seal", 'a'), -ELOOP);
	assert_int_equal(unlink(text), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_form),
		cmocka_unit_test(test_tampering),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_keyring),
		cmocka_unit_test(test_keyring_form),
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_keyring_seconds),
		cmocka_unit_test(test_wrapping),
		cmocka_unit_test(test_credential),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
