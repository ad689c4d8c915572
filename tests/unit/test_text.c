/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/text: regex, normalise, translit, country, region.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/text/country.h"
#include "rules/text/normalise.h"
#include "rules/text/regex.h"
#include "rules/text/region.h"
#include "rules/text/translit.h"

static struct arena arena = ARENA_INIT;

#define assert_slice(slice, text) assert_string_equal(arena_memdupz(&arena, (slice).p, (slice).len), text)

static bool search(const char *pattern, struct slice text)
{
	struct err err = ERR_INIT;
	struct regex *regex = regex_compile(slice_of(pattern), &err);
	assert_non_null(regex);
	bool is_match = regex_search(regex, text);
	regex_free(regex);
	return is_match;
}

static void regex_matches_anywhere(void **state)
{
	(void)state;
	assert_true(search("b+", SLICE("abbbc")));
	assert_false(search("^b+$", SLICE("abbbc")));
	assert_true(search("^.$", SLICE("é")));
	assert_true(search("(?i)STRASSE", SLICE("Hauptstrasse 1")));
	assert_true(search("", SLICE_NONE));
	assert_true(search("a\\x00b", (struct slice){"a\0b", 3}));
	assert_true(search("^\\p{Han}+$", SLICE("王伟")));
	regex_free(NULL);
}

static void a_bad_regex_says_why(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_null(regex_compile(SLICE("a(b"), &err));
	assert_int_equal(err.code, ERR_BAD_REGEX);
	assert_string_equal(err.text, "bad regular expression: missing ): a(b");
	assert_null(regex_compile(SLICE("(?<=a)b"), &err));
	assert_null(regex_compile(SLICE("\xff"), &err));
	assert_null(regex_compile(SLICE("((a{1000}){1000}){1000}"), &err));
	char huge[REGEX_PATTERN_BYTES + 1];
	memset(huge, 'a', sizeof huge);
	assert_null(regex_compile((struct slice){huge, sizeof huge}, &err));
	assert_string_equal(err.text, "regular expression of 4097 bytes, the limit is 4096");
}

static void a_hostile_regex_is_linear(void **state)
{
	(void)state;
	size_t len = 1 << 20;
	char *text = malloc(len);
	memset(text, 'a', len);
	assert_false(search("^(a+)+(a|aa)*(.*)*x$", (struct slice){text, len}));
	assert_false(search("(a?){500}a{500}b", (struct slice){text, len / 16}));
	free(text);
}

static void utf8_is_checked(void **state)
{
	(void)state;
	assert_true(text_is_utf8(SLICE("plain, é, 王, 😀")));
	assert_true(text_is_utf8(SLICE_NONE));
	assert_true(text_is_utf8((struct slice){"a\0b", 3}));
	static const char *const bad[] = {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe7\x8e", "a\x80", "\xf0\x9f\x98"};
	for (size_t n = 0; n < sizeof bad / sizeof *bad; n++)
		assert_false(text_is_utf8(slice_of(bad[n])));
}

static void trim_takes_every_white_space(void **state)
{
	(void)state;
	assert_slice(text_trim(SLICE(" \t a b \r\n")), "a b");
	assert_slice(text_trim(SLICE("\u00a0\u3000\u200b\ufeff王 伟\u2060\u2028")), "王 伟");
	assert_slice(text_trim(SLICE("\u200b \u200b")), "");
	assert_slice(text_trim(SLICE("\xff x \xff")), "\xff x \xff");
	assert_slice(text_trim(SLICE_NONE), "");
}

static void clean_makes_equal_things_equal(void **state)
{
	(void)state;
	static const struct {
		const char *text, *clean;
	} cases[] = {
		{"plain", "plain"}, {"", ""}, {"  a   b  ", "a b"}, {"a\u3000\tb", "a b"}, {"e\u0301", "é"},
		{"Zo\u00ebl", "Zoël"}, {"Zoe\u0308l", "Zoël"}, {"in\u200bvisible\u00ad", "invisible"}, {"\u202eevil\u202c", "evil"},
		{"bell\a", "bell"}, {"क्\u200dष", "क्\u200dष"}, {"a\u200db", "ab"}, {"می\u200cخواهم", "می\u200cخواهم"},
		{"e\u0301\u200d\u0301", "é\u0301"}, {"α\u200b\u0301\u200dβ", "ά\u200dβ"},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++)
		assert_slice(text_clean(&arena, slice_of(cases[n].text)), cases[n].clean);
	struct slice same = SLICE("Zoël");
	assert_ptr_equal(text_clean(&arena, same).p, same.p);
}

/* Letters, marks that become one with them, joiners and what is invisible, in any order. */
static void clean_twice_is_clean_once(void **state)
{
	(void)state;
	static const char *const parts[] = {"e", "A", "α", "か", "क", "ᄀ", "ᅡ", "ᆨ", "\u0301", "\u0323", "\u3099", "\u094d", "\u093c", "\u200d",
	                                    "\u200c", "\u200b", "\u00ad", "\x1d", " ", "\u3000", "\u2126", "\u212b", "\u037e", "\ufe0f", "❤", "😀"};
	uint32_t random = 1;
	for (int n = 0; n < 200000; n++) {
		char text[64] = "";
		for (size_t len = 1 + n % 8; len > 0; len--) {
			random = random * 1664525 + 1013904223;
			strcat(text, parts[(random >> 16) % (sizeof parts / sizeof *parts)]);
		}
		struct slice clean = text_clean(&arena, slice_of(text)), again = text_clean(&arena, clean);
		if (!slice_equal(again, clean))
			fail_msg("%s: %.*s, then %.*s", text, SLICE_ARG(clean), SLICE_ARG(again));
		arena_reset(&arena);
	}
}

static size_t put_code(char *to, uint32_t c)
{
	if (c < 0x80)
		return to[0] = (char)c, 1;
	if (c < 0x800)
		return to[0] = (char)(0xC0 | c >> 6), to[1] = (char)(0x80 | (c & 0x3F)), 2;
	return to[0] = (char)(0xE0 | c >> 12), to[1] = (char)(0x80 | (c >> 6 & 0x3F)), to[2] = (char)(0x80 | (c & 0x3F)), 3;
}

static bool stays(const char *text, size_t len)
{
	return slice_equal(text_clean(&arena, (struct slice){text, len}), (struct slice){text, len});
}

/* What leaves without ICU must be what ICU leaves alone: a Georgian letter on either side sends it the long way. */
static void clean_knows_what_needs_nothing(void **state)
{
	(void)state;
	static const char georgian[] = "\u10d0";
	uint32_t random = 1, unchanged = 0;
	for (uint32_t c = 0x80; c < 0xFFFE; c++) {
		char text[16];
		random = random * 1664525 + 1013904223;
		uint32_t beside = c / 0x100 * 0x100 + (random >> 24); /* marks stand near their letters */
		if ((c >= 0xD800 && c < 0xE000) || (beside >= 0xD800 && beside < 0xE000) || beside > 0xFFFD)
			continue;
		size_t len = 3, pair = put_code(text + len, c);
		pair += put_code(text + len + pair, beside);
		memcpy(text, georgian, 3);
		memcpy(text + len + pair, georgian, 3);
		if (!stays(text + len, pair))
			continue;
		unchanged++;
		if (!stays(text, len + pair + 3))
			fail_msg("U+%04X U+%04X", c, beside);
		arena_reset(&arena);
	}
	assert_true(unchanged > 40000);
}

static void fold_and_key(void **state)
{
	(void)state;
	assert_slice(text_fold(&arena, SLICE("HELLO World")), "hello world");
	assert_slice(text_fold(&arena, SLICE("STRAẞE Straße ＡＢＣ")), "strasse strasse abc");
	assert_slice(text_fold(&arena, SLICE("ΣΊΣΥΦΟΣ")), "σίσυφοσ");
	assert_slice(text_key(&arena, SLICE("Île-de-France")), "iledefrance");
	assert_slice(text_key(&arena, SLICE("ŁÓDŹ")), "lodz");
	assert_slice(text_key(&arena, SLICE("Hawaiʻi")), "hawaii");
	assert_slice(text_key(&arena, SLICE("Ærø")), "aero");
	assert_slice(text_key(&arena, SLICE("!?")), "");
	assert_false(slice_equal(text_key(&arena, SLICE("か")), text_key(&arena, SLICE("が"))));
	assert_false(slice_equal(text_key(&arena, SLICE("दिल्ली")), text_key(&arena, SLICE("दल्ल"))));
}

static void truncation_keeps_code_points_whole(void **state)
{
	(void)state;
	assert_slice(text_truncate(SLICE("aé王😀"), 100), "aé王😀");
	static const char *const by_bytes[] = {"", "a", "a", "aé", "aé", "aé", "aé王", "aé王", "aé王", "aé王", "aé王😀"};
	for (size_t max = 0; max <= 10; max++)
		assert_slice(text_truncate(SLICE("aé王😀"), max), by_bytes[max]);
	assert_int_equal(text_length(SLICE("aé王😀")), 4);
	assert_int_equal(text_length(SLICE("a\xff\xff")), 3);
}

static void names_become_ascii(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct translit *translit = translit_new(&err);
	assert_non_null(translit);
	static const struct {
		const char *name, *ascii;
	} cases[] = {
		{"Łukasz", "lukasz"}, {"ŁUKASZ Żółć", "lukasz zolc"}, {"Иван Петров", "ivan petrov"}, {"王伟", "wang wei"},
		{"O’Brien", "obrien"}, {"Jean-Luc", "jean luc"}, {"Æsir", "aesir"}, {"Straße", "strasse"}, {"", ""},
		{"in\u200bvisible", "invisible"}, {"Γιώργος", "giorgos"}, {"  Åsa\u00a0Öberg ", "asa oberg"}, {"김철수", "gimcheolsu"},
		{"さくら", "sakura"}, {"...", ""},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++)
		assert_slice(translit_ascii(translit, &arena, slice_of(cases[n].name)), cases[n].ascii);
	translit_free(translit);
	translit_free(NULL);
}

static void a_long_name_is_bounded(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct translit *translit = translit_new(&err);
	char *name = calloc(1, 300001);
	for (int n = 0; n < 100000; n++)
		memcpy(name + 3 * n, "뷁", 3);
	struct slice ascii = translit_ascii(translit, &arena, slice_of(name));
	assert_true(ascii.len > 0 && ascii.len < 10 * TRANSLIT_INPUT_BYTES);
	free(name);
	translit_free(translit);
}

static void countries_in_many_spellings(void **state)
{
	(void)state;
	struct country_table *table = country_table_new(&arena);
	static const struct {
		const char *text, *alpha2;
	} cases[] = {
		{"de", "DE"}, {"DEU", "DE"}, {" GERMANY ", "DE"}, {"Deutschland", "DE"}, {"uk", "GB"}, {"U.S.A.", "US"},
		{"United States", "US"}, {"中国", "CN"}, {"china", "CN"}, {"日本", "JP"}, {"Россия", "RU"}, {"Österreich", "AT"},
		{"osterreich", "AT"}, {"Côte d’Ivoire", "CI"}, {"Cote d'Ivoire", "CI"}, {"South Korea", "KR"}, {"대한민국", "KR"},
		{"Trinidad and Tobago", "TT"}, {"Saint Lucia", "LC"}, {"St Lucia", "LC"}, {"México", "MX"}, {"Polska", "PL"},
		{"Türkiye", "TR"}, {"Hong Kong", "HK"}, {"España", "ES"}, {"Brasil", "BR"}, {"भारत", "IN"}, {"Schweiz", "CH"},
		{"Suisse", "CH"}, {"Georgia", "GE"}, {"UAE", "AE"}, {"Congo", "CG"}, {"Bosnia & Herzegovina", "BA"},
		{"Bosnia and Herzegovina", "BA"}, {"مصر", "EG"}, {"Việt Nam", "VN"},
		{"Republic of South Africa", "ZA"}, {"The Kingdom of the Netherlands", "NL"}, {"Republic of the Congo", "CG"},
		{"Democratic Republic of the Congo", "CD"}, {"Republic of Korea", "KR"}, {"Federal Republic of Germany", "DE"},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
		const char *alpha2 = country_lookup(table, slice_of(cases[n].text));
		if (alpha2 == NULL)
			fail_msg("%s is not found", cases[n].text);
		assert_string_equal(alpha2, cases[n].alpha2);
	}
	static const char *const unknown[] = {"", "XX", "ZZ", "Atlantis", "?", "001", "EU", "und", "The", "Republic of",
	                                     "State of Georgia"};
	for (size_t n = 0; n < sizeof unknown / sizeof *unknown; n++)
		assert_null(country_lookup(table, slice_of(unknown[n])));
	country_table_done(table);
}

static struct region_table *sample_regions(void)
{
	static const struct {
		const char *country, *code, *name;
	} rows[] = {
		{"US", "US-CA", "California"}, {"US", "NY", "New York"}, {"ES", "ES-NC", "Navarra, Comunidad Foral de"},
		{"ES", "ES-NC", "Nafarroako Foru Komunitatea"}, {"ES", "ES-C", "A Coruña [La Coruña]"}, {"ES", "ES-M", "Madrid"},
		{"ES", "ES-MD", "Madrid, Comunidad de"}, {"FR", "FR-IDF", "Île-de-France"}, {"CN", "CN-GD", "Guangdong Sheng"},
		{"CN", "CN-BJ", "Beijing Shi"}, {"CN", "CN-SX", "Shanxi Sheng"}, {"CN", "CN-SN", "Shaanxi Sheng"}, {"AA", "AA-01", "Twin, North"}, {"KR", "KR-11", "Seoul-teukbyeolsi"},
		{"AA", "AA-02", "Twin, South"},
	};
	struct region_table *table = region_table_new(&arena);
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++)
		assert_int_equal(region_table_add(table, slice_of(rows[n].country), slice_of(rows[n].code), slice_of(rows[n].name)), 0);
	return table;
}

static void regions_in_many_spellings(void **state)
{
	(void)state;
	struct region_table *table = sample_regions();
	static const struct {
		const char *country, *text, *code;
	} cases[] = {
		{"US", "California", "US-CA"}, {"US", "CA", "US-CA"}, {"US", "us-ca", "US-CA"}, {"US", " CALIFORNIA ", "US-CA"},
		{"US", "ca", "US-CA"}, {"US", "newyork", "US-NY"}, {"", "US-NY", "US-NY"}, {"ES", "Navarra", "ES-NC"},
		{"ES", "Comunidad Foral de Navarra", "ES-NC"}, {"ES", "Nafarroako Foru Komunitatea", "ES-NC"}, {"ES", "La Coruna", "ES-C"},
		{"ES", "Madrid", "ES-M"}, {"ES", "Comunidad de Madrid", "ES-MD"}, {"FR", "ile de france", "FR-IDF"},
		{"CN", "Guangdong", "CN-GD"}, {"CN", "广东", "CN-GD"}, {"CN", "广东省", "CN-GD"}, {"CN", "廣東省", "CN-GD"},
		{"CN", "北京市", "CN-BJ"}, {"CN", "陕西省", "CN-SN"}, {"CN", "山西", "CN-SX"}, {"AA", "North Twin", "AA-01"},
		{"KR", "Seoul", "KR-11"},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
		const char *code = region_lookup(table, slice_of(cases[n].country), slice_of(cases[n].text));
		if (code == NULL)
			fail_msg("%s is not found", cases[n].text);
		assert_string_equal(code, cases[n].code);
	}
	assert_null(region_lookup(table, SLICE("AA"), SLICE("Twin"))); /* ambiguous */
	assert_null(region_lookup(table, SLICE("US"), SLICE("Bavaria")));
	assert_null(region_lookup(table, SLICE("DE"), SLICE("US-CA")));
	assert_null(region_lookup(table, SLICE_NONE, SLICE("California")));
	assert_null(region_lookup(table, SLICE("US"), SLICE("US-ZZ")));
	assert_string_equal(region_name(table, SLICE("ES-NC")), "Navarra, Comunidad Foral de");
	assert_int_equal(region_table_count(table), 14);
	region_table_done(table);
}

static void malformed_region_rows_are_refused(void **state)
{
	(void)state;
	struct region_table *table = region_table_new(&arena);
	assert_int_equal(region_table_add(table, SLICE("usa"), SLICE("US-CA"), SLICE("x")), -1);
	assert_int_equal(region_table_add(table, SLICE("US"), SLICE("US-"), SLICE("x")), -1);
	assert_int_equal(region_table_add(table, SLICE("US"), SLICE("US-CALI"), SLICE("x")), -1);
	assert_int_equal(region_table_add(table, SLICE("US"), SLICE("US-CA"), SLICE(" ")), -1);
	assert_int_equal(region_table_add(table, SLICE("US"), SLICE("US-CA"), SLICE("\xff")), -1);
	assert_int_equal(region_table_count(table), 0);
	region_table_done(table);
}

static int free_arena(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regex_matches_anywhere),
		cmocka_unit_test(a_bad_regex_says_why),
		cmocka_unit_test(a_hostile_regex_is_linear),
		cmocka_unit_test(utf8_is_checked),
		cmocka_unit_test(trim_takes_every_white_space),
		cmocka_unit_test(clean_makes_equal_things_equal),
		cmocka_unit_test(clean_twice_is_clean_once),
		cmocka_unit_test(clean_knows_what_needs_nothing),
		cmocka_unit_test(fold_and_key),
		cmocka_unit_test(truncation_keeps_code_points_whole),
		cmocka_unit_test(names_become_ascii),
		cmocka_unit_test(a_long_name_is_bounded),
		cmocka_unit_test(countries_in_many_spellings),
		cmocka_unit_test(regions_in_many_spellings),
		cmocka_unit_test(malformed_region_rows_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, free_arena);
}
