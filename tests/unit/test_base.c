/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/base: the few containers that everything else stands on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/base/hash.h"
#include "rules/base/map.h"
#include "rules/base/strbuf.h"

static const uint64_t SEED[2] = {1, 2};

static void map_survives_removal_of_keys_whose_memory_is_gone(void **state)
{
	(void)state;
	struct map map;
	map_init(&map, SEED);
	char key[16];
	int values[500];
	static char keys[500][16];
	for (int i = 0; i < 500; i++) {
		snprintf(keys[i], sizeof keys[i], "key%d", i);
		assert_null(map_put(&map, slice_of(keys[i]), &values[i]));
	}
	for (int i = 0; i < 500; i += 2) {
		assert_ptr_equal(map_remove(&map, slice_of(keys[i])), &values[i]);
		memset(keys[i], 'x', sizeof keys[i]);
	}
	for (int i = 0; i < 500; i++) {
		snprintf(key, sizeof key, "key%d", i);
		assert_ptr_equal(map_get(&map, slice_of(key)), i % 2 ? &values[i] : NULL);
	}
	assert_int_equal(map.live, 250);
	size_t seen = 0;
	for (size_t at = 0; map_next(&map, &at) != NULL;)
		seen++;
	assert_int_equal(seen, 250);
	map_done(&map);
}

static void map_put_replaces(void **state)
{
	(void)state;
	struct map map;
	map_init(&map, SEED);
	int one, two;
	map_put(&map, SLICE("k"), &one);
	assert_ptr_equal(map_put(&map, SLICE("k"), &two), &one);
	assert_ptr_equal(map_get(&map, SLICE("k")), &two);
	assert_int_equal(map.live, 1);
	map_done(&map);
}

static void sha256_parts_are_framed(void **state)
{
	(void)state;
	uint8_t a[SHA256_BYTES], b[SHA256_BYTES];
	hash_sha256_parts((struct slice[]){SLICE("ab"), SLICE("c")}, 2, a);
	hash_sha256_parts((struct slice[]){SLICE("a"), SLICE("bc")}, 2, b);
	assert_memory_not_equal(a, b, SHA256_BYTES);
}

/* Small and large parts, wherever they meet the gathering buffer; the digest is that of another implementation. */
static void parts_may_come_one_by_one(void **state)
{
	(void)state;
	static char bytes[5000];
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	struct hash_stream *stream = hash_stream_new();
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 31);
	for (size_t i = 0; i < 40; i++)
		hash_stream_part(stream, (struct slice){bytes + i, i * i * i * 7 % 4900});
	hash_stream_finish(stream, digest);
	hash_hex(digest, SHA256_BYTES, hex);
	assert_string_equal(hex, "c0f4f201f331851469aa0b93797e68ba271bfbd6d5a90182c3056803bc16893e");
}

/* RFC 4231, test case 2. */
static void hmac_matches_rfc_4231(void **state)
{
	(void)state;
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	hash_hmac_sha256(SLICE("Jefe"), SLICE("what do ya want for nothing?"), digest);
	hash_hex(digest, SHA256_BYTES, hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* A message over the end of a block, with a key that is used twice. RFC 4231, test case 7: a key longer than a block. */
static void hmac_key_is_ready_for_any_message(void **state)
{
	(void)state;
	uint8_t digest[SHA256_BYTES];
	char key[131], hex[2 * SHA256_BYTES + 1];
	struct hash_hmac_key ready;
	memset(key, 0xaa, sizeof key);
	hash_hmac_key_init(&ready, (struct slice){key, sizeof key});
	for (int again = 0; again < 2; again++) {
		hash_hmac(&ready, SLICE("This is a test using a larger than block-size key and a larger than block-size data. "
		                        "The key needs to be hashed before being used by the HMAC algorithm."), digest);
		hash_hex(digest, SHA256_BYTES, hex);
		assert_string_equal(hex, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
	}
}

static void base64url_matches_rfc_4648(void **state)
{
	(void)state;
	static const char *want[] = {"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"};
	char text[16];
	for (size_t len = 0; len <= 6; len++) {
		hash_base64url((const uint8_t *)"foobar", len, text);
		assert_string_equal(text, want[len]);
	}
}

static void strbuf_grows_and_prints(void **state)
{
	(void)state;
	struct strbuf buf = STRBUF_INIT;
	assert_string_equal(strbuf_text(&buf), "");
	for (int i = 0; i < 1000; i++)
		strbuf_puts(&buf, "abc");
	assert_int_equal(buf.len, 3000);
	strbuf_clear(&buf);
	strbuf_put_int(&buf, INT64_MIN);
	strbuf_printf(&buf, " %d", 7);
	assert_string_equal(strbuf_text(&buf), "-9223372036854775808 7");
	strbuf_done(&buf);
}

static void arena_gives_zeroed_aligned_memory(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	for (size_t size = 0; size < 9000; size += 7) {
		unsigned char *memory = arena_alloc(&arena, size);
		assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(memory[i], 0);
		memset(memory, 0xff, size);
	}
	arena_reset(&arena);
	assert_int_equal(*(unsigned char *)arena_alloc(&arena, 64), 0);
	arena_done(&arena);
	assert_int_equal(arena.total_bytes, 0);
}

static void every_error_code_can_be_looked_up(void **state)
{
	(void)state;
	for (int code = 1; code < ERR_COUNT; code++) {
		assert_int_equal(err_lookup(err_number((enum err_code)code)), code);
		assert_int_equal(err_lookup(err_word((enum err_code)code)), code);
		assert_true(err_sentence((enum err_code)code)[0] != '\0');
		const char *advice = err_advice((enum err_code)code);
		if (strlen(advice) < 60 || advice[strlen(advice) - 1] != '.' || strchr(advice, '\n') != NULL)
			fail_msg("%s needs a paragraph in rules/base/advice.def that says why, and what to do",
			         err_number((enum err_code)code));
	}
	assert_int_equal(err_lookup("LR9999"), ERR_NONE);
}

static void what_a_buffer_in_an_arena_has_not_used_is_free_again(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct strbuf buf = STRBUF_IN(&arena), other = STRBUF_IN(&arena), heap = STRBUF_INIT;
	strbuf_reserve(&buf, 1000);
	strbuf_puts(&buf, "short");
	struct slice kept = strbuf_keep(&buf, &arena);
	assert_string_equal(kept.p, "short");
	char *next = arena_raw(&arena, 16);
	assert_ptr_equal(next, kept.p + 16);
	strbuf_puts(&other, "first");
	char *later = memset(arena_raw(&arena, 16), 'x', 16); /* now it is not the newest any more */
	for (int i = 0; i < 100; i++)
		strbuf_puts(&other, "0123456789");
	kept = strbuf_keep(&other, &arena);
	assert_int_equal(kept.len, 1005);
	assert_memory_equal(kept.p, "first0123456789", 15);
	assert_int_equal(later[15], 'x');
	strbuf_puts(&heap, "copied");
	kept = strbuf_keep(&heap, &arena);
	assert_string_equal(kept.p, "copied");
	assert_null(heap.bytes);
	arena_done(&arena);
}

static void check_decimal(int64_t value)
{
	char ours[DECIMAL_BYTES + 1], theirs[DECIMAL_BYTES + 1];
	*decimal_put(ours, value) = '\0';
	snprintf(theirs, sizeof theirs, "%" PRId64, value);
	assert_string_equal(ours, theirs);
}

static void decimals_are_what_printf_writes(void **state)
{
	(void)state;
	uint64_t power = 1, seed = 7;
	for (int digits = 0; digits < 19; digits++, power *= 10)
		for (int64_t beside = -1; beside <= 1; beside++) {
			check_decimal((int64_t)power + beside);
			check_decimal(-(int64_t)power + beside);
		}
	check_decimal(INT64_MAX);
	check_decimal(INT64_MIN);
	for (int i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		check_decimal((int64_t)(seed >> i % 64));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_buffer_in_an_arena_has_not_used_is_free_again),
		cmocka_unit_test(decimals_are_what_printf_writes),
		cmocka_unit_test(map_survives_removal_of_keys_whose_memory_is_gone),
		cmocka_unit_test(map_put_replaces),
		cmocka_unit_test(sha256_parts_are_framed),
		cmocka_unit_test(parts_may_come_one_by_one),
		cmocka_unit_test(hmac_matches_rfc_4231),
		cmocka_unit_test(hmac_key_is_ready_for_any_message),
		cmocka_unit_test(base64url_matches_rfc_4648),
		cmocka_unit_test(strbuf_grows_and_prints),
		cmocka_unit_test(arena_gives_zeroed_aligned_memory),
		cmocka_unit_test(every_error_code_can_be_looked_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
