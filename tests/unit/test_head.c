/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of a shard: its chain, and metadata that is ours to the letter or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/head.h"

static const struct head HEAD = {.epoch = 7, .seq = 42, .hash = "0123456789abcdef"};

static void metadata_comes_back(void **state)
{
	(void)state;
	static const struct head heads[] = {
		{0, 0, "0000000000000000"},
		{7, 42, "0123456789abcdef"},
		{UINT64_MAX - 1, UINT64_MAX - 1, "ffffffffffffffff"},
	};
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		char text[HEAD_METADATA_BYTES];
		struct err err = ERR_INIT;
		struct head head;
		int32_t count;
		size_t len = head_to_metadata(&heads[i], INT32_MAX, text);
		assert_true(len < HEAD_METADATA_BYTES);
		assert_int_equal(head_from_metadata((struct slice){text, len}, &head, &count, &err), 0);
		assert_true(head_equal(&head, &heads[i]));
		assert_int_equal(count, INT32_MAX);
	}
	char text[HEAD_METADATA_BYTES];
	head_to_metadata(&HEAD, 3, text);
	assert_string_equal(text, "v1;e=7;q=42;h=0123456789abcdef;n=3");
}

static void what_is_not_ours_is_foreign(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"", "v1", "v1;", "v2;e=7;q=42;h=0123456789abcdef;n=3", "v1;e=7;q=42;h=0123456789abcdef", "v1;e=7;q=42;h=0123456789abcdef;n=",
		"v1;e=7;q=42;h=0123456789abcdef;n=0", "v1;e=7;q=42;h=0123456789abcdef;n=-1", "v1;e=7;q=42;h=0123456789abcdef;n=2147483648",
		"v1;e=7;q=42;h=0123456789abcdef;n=3;", "v1;e=7;q=42;h=0123456789abcdef;n=3 ", " v1;e=7;q=42;h=0123456789abcdef;n=3",
		"v1;e=07;q=42;h=0123456789abcdef;n=3", "v1;e=+7;q=42;h=0123456789abcdef;n=3", "v1;e=;q=42;h=0123456789abcdef;n=3",
		"v1;q=42;e=7;h=0123456789abcdef;n=3", "v1;e=7;q=42;h=0123456789ABCDEF;n=3", "v1;e=7;q=42;h=0123456789abcde;n=3",
		"v1;e=7;q=42;h=0123456789abcdef0;n=3", "v1;e=18446744073709551615;q=42;h=0123456789abcdef;n=3",
		"v1;e=18446744073709551616;q=42;h=0123456789abcdef;n=3", "v1;e=7;q=99999999999999999999999;h=0123456789abcdef;n=3",
		"v1;e=7;q=42;h=0123456789abcdeg;n=3", "v1;e=7;q=42;h=0123456789abcdef;n=03", "{\"v\":1}",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct head head = HEAD;
		struct err err = ERR_INIT;
		int32_t count = 5;
		if (head_from_metadata(slice_of(texts[i]), &head, &count, &err) == 0)
			fail_msg("\"%s\" is taken for ours", texts[i]);
		assert_int_equal(err.code, ERR_FOREIGN_METADATA);
		assert_true(head_equal(&head, &HEAD) && count == 5); /* untouched */
	}
}

static void length_and_nul_do_not_help(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct head head;
	int32_t count;
	char text[400];
	memset(text, 'x', sizeof text);
	assert_int_equal(head_from_metadata((struct slice){text, sizeof text}, &head, &count, &err), -1);
	assert_int_equal(head_from_metadata(SLICE("v1;e=7;q=42;h=0123456789abcdef;n=3\0"), &head, &count, &err), -1);
	assert_int_equal(head_from_metadata(SLICE("v1;e=7\0;q=42;h=0123456789abcdef;n=3"), &head, &count, &err), -1);
	assert_int_equal(head_from_metadata(SLICE_NONE, &head, &count, &err), -1);
}

static struct write write_of(const char *key, const char *value)
{
	return (struct write){.key = slice_of(key), .value = slice_of(value), .is_tombstone = value == NULL};
}

static void the_chain_knows_every_byte(void **state)
{
	(void)state;
	const struct write rows[][2] = {
		{write_of("lead/1", "a"), write_of("lead/2", "b")},  {write_of("lead/2", "b"), write_of("lead/1", "a")},
		{write_of("lead/1", "a"), write_of("lead/2", NULL)}, {write_of("lead/1", "a"), write_of("lead/2", "")},
		{write_of("lead/1", ""), write_of("lead/2", "ab")},  {write_of("lead/1a", ""), write_of("lead/2", "b")},
		{write_of("lead/1", "al"), write_of("ead/2", "b")},  {write_of("lead/1", "a"), write_of("lead/2", "t")},
	};
	enum { COUNT = sizeof rows / sizeof *rows };
	struct head heads[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		heads[i] = head_after(&HEAD, rows[i], 2);
		assert_int_equal(heads[i].seq, HEAD.seq + 1);
		assert_int_equal(heads[i].epoch, HEAD.epoch);
		assert_true(head_is_hash(slice_of(heads[i].hash)));
		for (size_t j = 0; j < i; j++)
			assert_false(head_same_state(&heads[i], &heads[j]));
	}
	struct head again = head_after(&HEAD, rows[0], 2);
	assert_true(head_equal(&again, &heads[0]));
}

static void the_chain_follows_its_past_but_not_the_epoch(void **state)
{
	(void)state;
	const struct write write = write_of("lead/1", "a");
	struct head later = HEAD, other = HEAD, claimed = HEAD;
	later.seq++;
	other.hash[0] = 'f';
	claimed.epoch++;
	struct head a = head_after(&HEAD, &write, 1), b = head_after(&later, &write, 1), c = head_after(&other, &write, 1),
	            d = head_after(&claimed, &write, 1), e = head_after(&HEAD, NULL, 0);
	assert_string_not_equal(a.hash, b.hash);
	assert_string_not_equal(a.hash, c.hash);
	assert_true(head_same_state(&a, &d));
	assert_false(head_equal(&a, &d));
	assert_true(head_equal(&e, &HEAD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata_comes_back),
		cmocka_unit_test(what_is_not_ours_is_foreign),
		cmocka_unit_test(length_and_nul_do_not_help),
		cmocka_unit_test(the_chain_knows_every_byte),
		cmocka_unit_test(the_chain_follows_its_past_but_not_the_epoch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
