/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way for plainly written phone numbers against the library, which is the judge: random numbers of every
 * country, most of them near a valid one.
 *
 *     PHONES=5000000 PHONE_SEED=2 build/gcc/unit/test_phone_plan
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <unicode/uloc.h>

#include "rules/text/phone.h"

enum { DEFAULT_PHONES = 60000, TRIES = 60, TEXT_BYTES = 64 };

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static int below(uint64_t *state, int limit)
{
	return (int)(next_random(state) % (uint64_t)limit);
}

static void random_digits(char *text, int count, uint64_t *random)
{
	for (int at = 0; at < count; at++)
		text[at] = (char)('0' + below(random, 10));
	text[count] = '\0';
}

/* A number that is valid in `region`, or at least some digits. */
static void start_number(char text[TEXT_BYTES], const char *region, uint64_t *random)
{
	struct phone phone;
	for (int n = 0; n < TRIES; n++) {
		random_digits(text, 6 + below(random, 7), random);
		if (phone_parse_slowly(slice_of(text), region, &phone) == PHONE_VALID) {
			snprintf(text, TEXT_BYTES, "%s", phone.e164);
			return;
		}
	}
}

static void put_digit_in_front(char text[TEXT_BYTES], char digit, size_t at)
{
	size_t len = strlen(text);
	memmove(text + at + 1, text + at, len - at + 1);
	text[at] = digit;
}

/* Changes a digit, adds one, takes one away, writes a national prefix, or separates. */
static void mutate(char text[TEXT_BYTES], uint64_t *random)
{
	static const char prefixes[] = "0018", separators[] = " -.()";
	size_t len = strlen(text), plus = text[0] == '+';
	size_t at = plus + (size_t)below(random, (int)(len - plus));
	switch (below(random, 8)) {
	case 0:
	case 1:
	case 2:
		text[at] = (char)('0' + below(random, 10));
		break;
	case 3:
		put_digit_in_front(text, (char)('0' + below(random, 10)), at);
		break;
	case 4:
		if (len > plus + 3)
			memmove(text + at, text + at + 1, len - at);
		break;
	case 5:
		put_digit_in_front(text, prefixes[below(random, 4)], plus + (size_t)below(random, plus ? 4 : 1));
		break;
	case 6:
		put_digit_in_front(text, separators[below(random, 5)], at);
		break;
	default:
		if (plus)
			memmove(text, text + 1, len); /* as if at home, country code and all */
	}
}

static void compare(const char *text, const char *region, long *ret_valid)
{
	struct phone ours, judge;
	phone_parse(slice_of(text), region, &ours);
	phone_parse_slowly(slice_of(text), region, &judge);
	bool is_equal = ours.verdict == judge.verdict && strcmp(ours.e164, judge.e164) == 0 && strcmp(ours.key, judge.key) == 0 &&
	                strcmp(ours.region, judge.region) == 0 && strcmp(ours.extension, judge.extension) == 0 &&
	                ours.problem == judge.problem;
	if (!is_equal)
		fail_msg("\"%s\" at home in %s: we say %s %s %s, the library %s %s %s", text, region,
		         phone_verdict_name(ours.verdict), ours.e164, ours.region, phone_verdict_name(judge.verdict), judge.e164,
		         judge.region);
	*ret_valid += ours.verdict == PHONE_VALID;
}

static void one_country(const char *region, long count, uint64_t *random, long *ret_valid)
{
	char start[TEXT_BYTES] = "", text[TEXT_BYTES];
	for (long n = 0; n < count; n++) {
		if (n % 16 == 0)
			start_number(start, region, random);
		snprintf(text, sizeof text, "%s", start);
		for (int changes = below(random, 5); changes > 0; changes--)
			mutate(text, random);
		compare(text, below(random, 8) == 0 ? NULL : region, ret_valid);
	}
}

static long setting(const char *name, long otherwise)
{
	const char *text = getenv(name);
	return text != NULL ? atol(text) : otherwise;
}

static void the_short_way_says_what_the_library_says(void **state)
{
	(void)state;
	const char *const *countries = uloc_getISOCountries();
	long total = setting("PHONES", DEFAULT_PHONES), seed = setting("PHONE_SEED", 1), valid = 0, count = 0;
	uint64_t random = (uint64_t)seed;
	while (countries[count] != NULL)
		count++;
	for (long n = 0; n < count; n++)
		one_country(countries[n], total / count, &random, &valid);
	print_message("%ld numbers of %ld countries, %ld of them valid, seed %ld\n", total / count * count, count, valid, seed);
	assert_true(valid > total / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_short_way_says_what_the_library_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
