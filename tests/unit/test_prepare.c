/* SPDX-License-Identifier: Apache-2.0
 *
 * What a record becomes before anything is known: times, envelopes, cleansing, identity keys, lead ids.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/model_fixture.c"

#include "rules/calendar/instant.h"
#include "rules/prepared.h"
#include "rules/state.h"

static const int64_t NOW = 1795424400000;

struct bench {
	struct fixture fixture;
	struct arena arena;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	fixture_init(&bench->fixture);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	fixture_done(&bench->fixture);
	arena_done(&bench->arena);
	free(bench);
	return 0;
}

static struct prepared *prepare_record(struct bench *bench, struct record record)
{
	struct record *kept = arena_alloc(&bench->arena, sizeof *kept);
	*kept = record;
	return rules_prepare(&bench->fixture.model, kept, NOW, &bench->arena);
}

static struct prepared *prepare(struct bench *bench, const char *json)
{
	return prepare_record(bench, fixture_record(RECORD_CAPTURED, 3, json));
}

static void expect_field(const struct prepared *prepared, const char *path, const char *wanted)
{
	struct slice text = rules_field(prepared, path);
	if (!slice_is(text, wanted))
		fail_msg("%s is \"%.*s\", not \"%s\"", path, SLICE_ARG(text), wanted);
}

static const struct change *find_change(const struct prepared *prepared, const char *field)
{
	for (size_t i = 0; i < prepared->changes.count; i++)
		if (strcmp(prepared->changes.items[i].field, field) == 0)
			return &prepared->changes.items[i];
	return NULL;
}

static void times_are_rfc_3339(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-11-21T22:05:15.026Z", 1795298715026},
		{"2026-11-21t22:05:15.0269999z", 1795298715026},
		{"2026-11-21 23:05:15.026+01:00", 1795298715026},
		{"2026-11-21T14:05:15.026-08:00", 1795298715026},
		{"2024-02-29T00:00:00Z", 1709164800000},
		{"2016-12-31T23:59:60Z", 1483228799000},
		{"9999-12-31T23:59:59Z", 253402300799000},
		{"1969-12-31T23:59:59Z", -1},
		{"2023-02-29T00:00:00Z", -1},
		{"2026-11-21", -1},
		{"2026-11-21T22:05:15", -1},
		{"2026-11-21T24:00:00Z", -1},
		{"2026-11-21T22:05:15.Z", -1},
		{"2026-11-21T22:05:15Zx", -1},
		{"2026-11-21T22:05:15+1:00", -1},
		{"", -1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (instant_parse(slice_of(rows[i].text)) != rows[i].ms)
			fail_msg("%s gives %lld", rows[i].text, (long long)instant_parse(slice_of(rows[i].text)));
}

static void fields_are_cleansed_and_each_change_is_noted(void **state)
{
	struct prepared *p = prepare(*state, "{\"source\":\" WEBSITE \",\"intent\":\"High\",\"contact\":{\"name\":\"  Max\\u0007 Muster\","
	                                     "\"email\":\" Max@B\\u00fccher.example \",\"phone\":\"(030) 123-4567 ext. 9\"},"
	                                     "\"location\":{\"country\":\"deutschland\",\"region\":\"bayern\"}}");
	expect_field(p, "source", "web");
	expect_field(p, "intent", "high");
	expect_field(p, "contact.email", "Max@xn--bcher-kva.example");
	expect_field(p, "contact.phone", "+49301234567;ext=9");
	expect_field(p, "location.country", "DE");
	expect_field(p, "location.region", "DE-BY");
	const struct change *name = find_change(p, "contact.name"), *email = find_change(p, "contact.email");
	assert_string_equal(name->what, "cleaned");
	assert_null(memmem(name->to.p, name->to.len, "Muster", 6)); /* masked */
	assert_null(memmem(email->from.p, email->from.len, "Max", 3));
	assert_string_equal(find_change(p, "location.country")->what, "canonical");
	assert_true(slice_is(find_change(p, "location.country")->from, "deutschland"));
}

static void odd_values_are_kept_dropped_or_mapped(void **state)
{
	struct prepared *p = prepare(*state, "{\"source\":\"smoke signals\",\"intent\":\"maybe\",\"colour\":1,\"a@b\":2,\"contact\":"
	                                     "{\"email\":\"no address\",\"phone\":\"call me\",\"wechat\":\"wx\"},\"location\":{\"country\":\"Atlantis\"}}");
	assert_true(rules_is_lead(p));
	expect_field(p, "source", "other");
	expect_field(p, "intent", "");
	expect_field(p, "contact.email", "");
	expect_field(p, "contact.phone", "call me");
	expect_field(p, "location.country", "Atlantis");
	assert_string_equal(find_change(p, "source")->what, "unknown_to_other");
	assert_string_equal(find_change(p, "intent")->what, "dropped_unknown_intent");
	assert_string_equal(find_change(p, "contact.email")->what, "dropped_bad_email");
	assert_string_equal(find_change(p, "contact.phone")->what, "kept_unparsable_phone");
	assert_string_equal(find_change(p, "colour")->what, "ignored_unknown_field");
	assert_non_null(find_change(p, "?"));
	assert_null(find_change(p, "a@b"));
	struct slice keys[RULES_WANTS_MAX];
	assert_int_equal(rules_wants(p, keys), 1); /* no identity: nothing that could match */
}

static void contact_data_in_any_field_is_masked(void **state)
{
	struct prepared *p = prepare(*state, "{\"source\":\"from max@example.com\",\"contact\":{\"wechat\":\"a\"}}");
	const struct change *source = find_change(p, "source");
	assert_null(memmem(source->from.p, source->from.len, "max@", 4));
}

static void required_fields_are_required(void **state)
{
	struct bench *bench = *state;
	bench->fixture.model.require_phone = bench->fixture.model.require_company = true;
	struct prepared *p = prepare(bench, "{\"contact\":{\"email\":\"a@b.de\"}}");
	assert_int_equal(p->err.code, ERR_MISSING_FIELD);
	assert_string_equal(p->err.where, "contact.phone");
	p = prepare(bench, "{\"contact\":{\"phone\":\"030 1234567\"}}");
	assert_string_equal(p->err.where, "company.name");
	p = prepare(bench, "{\"contact\":{\"phone\":\"030 1234567\"},\"company\":{\"name\":\"A\"}}");
	assert_true(rules_is_lead(p));
}

static void keys_are_equal_for_one_person_and_hide_it(void **state)
{
	struct bench *bench = *state;
	struct slice one[RULES_WANTS_MAX], two[RULES_WANTS_MAX];
	struct prepared *p =
		prepare(bench, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"Max@Example.com\",\"phone\":\"030/1234567\"}}");
	assert_int_equal(rules_wants(p, one), 4);
	p = prepare(bench, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"max@example.COM\",\"phone\":\"+49 30 1234567\"}}");
	assert_int_equal(rules_wants(p, two), 4);
	assert_true(slice_is(one[0], "lead/L1"));
	assert_true(slice_equal(one[2], two[2]) && slice_equal(one[3], two[3]));
	assert_true(slice_has_prefix(one[2], SLICE("ident/k1.1.e.")) && slice_has_prefix(one[3], SLICE("ident/k1.1.p.")));
	assert_true(slice_has_prefix(one[1], SLICE("ident/k1.1.l.")) && !slice_equal(one[1], two[1])); /* of the lead ids */
	assert_int_equal(one[2].len, strlen("ident/k1.1.e.") + 15);
	model_set_secret(&bench->fixture.model, SLICE("another secret of sixteen bytes"));
	p = prepare(bench, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"max@example.com\"}}");
	rules_wants(p, two);
	assert_false(slice_equal(one[2], two[2]));
}

static void gmail_dots_count_unless_told_otherwise(void **state)
{
	struct bench *bench = *state;
	struct slice one[RULES_WANTS_MAX], two[RULES_WANTS_MAX];
	static const char dots[] = "{\"contact\":{\"email\":\"m.a.x@gmail.com\"}}", none[] = "{\"contact\":{\"email\":\"max@gmail.com\"}}";
	rules_wants(prepare(bench, dots), one);
	rules_wants(prepare(bench, none), two);
	assert_false(slice_equal(one[1], two[1]));
	bench->fixture.model.match_gmail_dots = true;
	struct prepared *p = prepare(bench, dots);
	rules_wants(p, one);
	rules_wants(prepare(bench, none), two);
	assert_true(slice_equal(one[1], two[1]));
	expect_field(p, "contact.email", "m.a.x@gmail.com"); /* the address itself stays */
}

static void a_missing_lead_id_is_derived(void **state)
{
	struct bench *bench = *state;
	struct record record = fixture_record(RECORD_CAPTURED, 3, "{\"contact\":{\"wechat\":\"a\"}}");
	struct slice first = prepare_record(bench, record)->lead.lead_id;
	assert_true(state_is_lead_id(first));
	assert_true(slice_equal(first, prepare_record(bench, record)->lead.lead_id));
	record.offset++;
	assert_false(slice_equal(first, prepare_record(bench, record)->lead.lead_id));
	record.value = SLICE("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"lead.captured\",\"data\":"
	                     "{\"contact\":{\"wechat\":\"a\"}}}");
	first = prepare_record(bench, record)->lead.lead_id;
	record.offset++; /* the same event at another place is the same lead */
	assert_true(slice_equal(first, prepare_record(bench, record)->lead.lead_id));
}

static void a_lead_id_must_not_be_the_phone_number(void **state)
{
	static const struct {
		const char *lead_id, *phone;
		bool is_taken;
	} rows[] = {
		{"51234567890", "+49 30 1234567", true}, /* numbers of a CRM */
		{"1234567", "+49 30 7654321", true},
		{"4567", "+49 30 1234567", true}, /* too short to be a number */
		{"301234567", "(030) 123-4567", false},
		{"0301234567", "+49301234567", false},
		{"0049-30-1234567", "030 1234567", false},
		{"49301234567", "030 1234567 ext. 9", false},
		{"web:2026-49301234567", "030 1234567", false},
		{"9991234567", "+999 1234567", false}, /* no number of any plan, yet the same */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char json[200];
		snprintf(json, sizeof json, "{\"lead_id\":\"%s\",\"contact\":{\"phone\":\"%s\"}}", rows[i].lead_id, rows[i].phone);
		struct prepared *p = prepare(*state, json);
		if ((p->kind == PREPARED_LEAD) != rows[i].is_taken)
			fail_msg("%s with phone %s: kind %d", rows[i].lead_id, rows[i].phone, (int)p->kind);
		if (!rows[i].is_taken)
			assert_int_equal(p->err.code, ERR_BAD_LEAD_ID);
	}
}

static void envelopes_come_in_three_forms(void **state)
{
	static const char data[] = "{\"contact\":{\"wechat\":\"a\"}}";
	static const char structured[] = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"a.b.lead.captured\","
	                                 "\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\","
	                                 "\"data\":{\"contact\":{\"wechat\":\"a\"}}}";
	static const char parent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
#define H(name, value) {{name, sizeof name - 1}, {value, sizeof value - 1}}
	static const struct {
		struct header headers[6];
		size_t count;
		const char *value;
		enum err_code code;
	} rows[] = {
		{{{{NULL, 0}, {NULL, 0}}}, 0, data, ERR_NONE},
		{{H("Content-Type", "application/json; charset=utf-8")}, 1, data, ERR_NONE},
		{{H("content-type", "text/plain")}, 1, data, ERR_CONTENT_TYPE},
		{{H("content-type", "application/cloudevents+json")}, 1, structured, ERR_NONE},
		{{H("CONTENT-TYPE", "APPLICATION/CLOUDEVENTS")}, 1, structured, ERR_NONE},
		{{H("content-type", "application/cloudevents-batch+json")}, 1, "[]", ERR_CONTENT_TYPE},
		{{H("content-type", "application/cloudevents+json")}, 1, data, ERR_BAD_CLOUDEVENT},
		{{H("ce_specversion", "1.0"), H("ce_id", "1"), H("ce_source", "s"), H("ce_type", "lead.captured"),
	          H("content-type", "application/vnd.x+json"), H("ce_traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")},
	         6, data, ERR_NONE},
		{{H("CE_SpecVersion", "1.0"), H("ce_id", "1"), H("ce_source", "s"), H("ce_type", "lead.captured")}, 4, data, ERR_NONE},
		{{H("ce_specversion", "1.0"), H("ce_id", ""), H("ce_source", "s"), H("ce_type", "lead.captured")}, 4, data,
	         ERR_BAD_CLOUDEVENT},
		{{H("ce_specversion", "2.0"), H("ce_id", "1"), H("ce_source", "s"), H("ce_type", "lead.captured")}, 4, data,
	         ERR_BAD_CLOUDEVENT},
		{{H("ce_specversion", "1.0"), H("ce_id", "1"), H("ce_source", "s"), H("ce_type", "lead.lost")}, 4, data,
	         ERR_UNKNOWN_TYPE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct record record = fixture_record(RECORD_CAPTURED, 0, rows[i].value);
		record.headers = rows[i].headers;
		record.header_count = rows[i].count;
		struct prepared *p = prepare_record(*state, record);
		if (p->err.code != rows[i].code)
			fail_msg("row %zu: %s (%s)", i, err_word(p->err.code), p->err.text);
		if (i == 3 || i == 7)
			assert_true(slice_is(p->envelope.traceparent, parent));
	}
}

static void too_much_is_refused(void **state)
{
	struct bench *bench = *state;
	struct header headers[RULES_HEADERS_MAX + 1];
	for (size_t i = 0; i <= RULES_HEADERS_MAX; i++)
		headers[i] = (struct header){SLICE("x"), SLICE("y")};
	struct record record = fixture_record(RECORD_CAPTURED, 0, "{\"contact\":{\"wechat\":\"a\"}}");
	record.headers = headers;
	record.header_count = RULES_HEADERS_MAX + 1;
	assert_int_equal(prepare_record(bench, record)->err.code, ERR_TOO_MANY_HEADERS);
	record.header_count = 0;
	char *large = malloc(RULES_RECORD_BYTES_MAX + 1);
	memset(large, ' ', RULES_RECORD_BYTES_MAX + 1);
	record.value = (struct slice){large, RULES_RECORD_BYTES_MAX + 1};
	assert_int_equal(prepare_record(bench, record)->err.code, ERR_RECORD_TOO_LARGE);
	free(large);
	char long_name[400];
	snprintf(long_name, sizeof long_name, "{\"contact\":{\"name\":\"%0201d\",\"wechat\":\"a\"}}", 7);
	struct prepared *p = prepare(bench, long_name);
	assert_int_equal(p->err.code, ERR_FIELD_TOO_LONG);
	assert_string_equal(p->err.where, "contact.name");
	record.has_value = false;
	assert_int_equal(prepare_record(bench, record)->err.code, ERR_RECORD_EMPTY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(times_are_rfc_3339),
		TEST(fields_are_cleansed_and_each_change_is_noted),
		TEST(odd_values_are_kept_dropped_or_mapped),
		TEST(contact_data_in_any_field_is_masked),
		TEST(required_fields_are_required),
		TEST(keys_are_equal_for_one_person_and_hide_it),
		TEST(gmail_dots_count_unless_told_otherwise),
		TEST(a_missing_lead_id_is_derived),
		TEST(a_lead_id_must_not_be_the_phone_number),
		TEST(envelopes_come_in_three_forms),
		TEST(too_much_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
