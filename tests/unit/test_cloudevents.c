/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers and values of output messages, in both modes, and of rejected records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/cloudevents.h"

static const struct cloudevents_options BINARY = {"/leadrouter/g", "com.example.", ".v1", false};
static const struct cloudevents_options STRUCTURED = {"/leadrouter/g", NULL, NULL, true};

static const struct header TRACE[] = {{SLICE("traceparent"), SLICE("00-ab-cd-01")}};

static struct event assigned(void)
{
	return (struct event){.topic = OUT_ASSIGNMENTS, .id = SLICE("e1"), .type = "lead.assigned", .subject = SLICE("L\"1"),
	                      .cause = SLICE("leads.captured/0/7"), .at_ms = 1700000000042, .has_key = true,
	                      .key = SLICE("L1"), .has_value = true, .value = SLICE("{\"a\":1}"), .headers = TRACE,
	                      .header_count = 1};
}

static void assert_slice(struct slice found, const char *wanted)
{
	assert_int_equal(found.len, strlen(wanted));
	assert_memory_equal(found.p, wanted, found.len);
}

static void assert_header(const struct cloudevents_message *message, size_t at, const char *name, const char *value)
{
	assert_true(at < message->header_count);
	assert_slice(message->headers[at].name, name);
	assert_slice(message->headers[at].value, value);
}

static void binary_mode_puts_attributes_into_headers(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct event event = assigned();
	struct cloudevents_message message;
	cloudevents_message(&BINARY, &event, &arena, &message);
	assert_int_equal(message.header_count, 9);
	assert_header(&message, 0, "ce_specversion", "1.0");
	assert_header(&message, 1, "ce_id", "e1");
	assert_header(&message, 2, "ce_type", "com.example.lead.assigned.v1");
	assert_header(&message, 3, "ce_source", "/leadrouter/g");
	assert_header(&message, 4, "ce_time", "2023-11-14T22:13:20.042Z");
	assert_header(&message, 5, "ce_subject", "L\"1");
	assert_header(&message, 6, "content-type", "application/json");
	assert_header(&message, 7, "lr_cause", "leads.captured/0/7");
	assert_header(&message, 8, "traceparent", "00-ab-cd-01");
	assert_true(message.has_value);
	assert_ptr_equal(message.value.p, event.value.p);
	arena_done(&arena);
}

static void an_event_without_subject_or_data_has_no_such_headers(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct event event = assigned();
	struct cloudevents_message message;
	event.subject = SLICE_NONE;
	event.has_value = false;
	event.header_count = 0;
	cloudevents_message(&BINARY, &event, &arena, &message);
	assert_int_equal(message.header_count, 6);
	assert_header(&message, 5, "lr_cause", "leads.captured/0/7");
	assert_false(message.has_value);
	arena_done(&arena);
}

static void structured_mode_puts_everything_into_the_value(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct event event = assigned();
	struct cloudevents_message message;
	cloudevents_message(&STRUCTURED, &event, &arena, &message);
	assert_int_equal(message.header_count, 3);
	assert_header(&message, 0, "content-type", "application/cloudevents+json; charset=UTF-8");
	assert_header(&message, 1, "lr_cause", "leads.captured/0/7");
	assert_header(&message, 2, "traceparent", "00-ab-cd-01");
	assert_slice(message.value,
	             "{\"specversion\":\"1.0\",\"id\":\"e1\",\"type\":\"lead.assigned\",\"source\":\"/leadrouter/g\","
	             "\"subject\":\"L\\\"1\",\"time\":\"2023-11-14T22:13:20.042Z\",\"datacontenttype\":\"application/json\","
	             "\"data\":{\"a\":1}}");
	arena_done(&arena);
}

static void a_rejected_record_keeps_its_headers_in_front_byte_for_byte(void **state)
{
	(void)state;
	static const struct header ORIGINALS[] = {{SLICE("ce_id"), SLICE("theirs")},
	                                          {SLICE("lr_cause"), SLICE("forged")},
	                                          {SLICE("null"), {NULL, 0}},
	                                          {SLICE("bytes"), SLICE("\x00\xff")}};
	struct arena arena = ARENA_INIT;
	struct event event = {.topic = OUT_REJECTED, .id = SLICE("r1"), .type = "lead.rejected", .cause = SLICE("t/0/1"),
	                      .has_value = true, .value = SLICE("\xff{"), .headers = ORIGINALS, .header_count = 4};
	struct cloudevents_message message;
	cloudevents_message(&STRUCTURED, &event, &arena, &message); /* the mode is not for foreign bytes */
	assert_int_equal(message.header_count, 7);
	assert_memory_equal(message.headers, ORIGINALS, sizeof ORIGINALS);
	assert_header(&message, 4, "lr_id", "r1");
	assert_header(&message, 5, "lr_type", "lead.rejected");
	assert_header(&message, 6, "lr_cause", "t/0/1");
	assert_ptr_equal(message.value.p, event.value.p);
	arena_done(&arena);
}

static void times_are_rfc_3339_in_any_year(void **state)
{
	(void)state;
	char text[CLOUDEVENTS_TIME_BYTES];
	static const struct {
		int64_t at_ms;
		const char *text;
	} CASES[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{1709210096789, "2024-02-29T12:34:56.789Z"},
		{253402300799999, "9999-12-31T23:59:59.999Z"},
		{INT64_MAX, "9999-12-31T23:59:59.999Z"},
		{INT64_MIN, "0000-01-01T00:00:00.000Z"},
		{-30610224000000, "1000-01-01T00:00:00.000Z"},
		{-30610224000001, "0999-12-31T23:59:59.999Z"},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		cloudevents_time(CASES[i].at_ms, text);
		assert_string_equal(text, CASES[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(binary_mode_puts_attributes_into_headers),
		cmocka_unit_test(an_event_without_subject_or_data_has_no_such_headers),
		cmocka_unit_test(structured_mode_puts_everything_into_the_value),
		cmocka_unit_test(a_rejected_record_keeps_its_headers_in_front_byte_for_byte),
		cmocka_unit_test(times_are_rfc_3339_in_any_year),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
