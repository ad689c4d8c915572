/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests as they come over the wire: whole, byte by byte, and as attackers write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/http_parse.h"

enum { HEADER_MAX = 256, BODY_MAX = 32 };

static enum http_parse parse(const char *text, struct http_parsed *ret)
{
	return http_parse(slice_of(text), HEADER_MAX, BODY_MAX, true, ret);
}

static void whole_requests(void **state)
{
	(void)state;
	struct http_parsed parsed;
	assert_int_equal(parse("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", &parsed), HTTP_PARSE_DONE);
	assert_true(slice_is(parsed.target, "/metrics"));
	assert_false(parsed.is_post);
	assert_int_equal(parsed.body.len, 0);
	assert_int_equal(parse("GET /a?b=c HTTP/1.0\n\n", &parsed), HTTP_PARSE_DONE);
	assert_true(slice_is(parsed.target, "/a?b=c"));
	assert_int_equal(parse("POST /reload HTTP/1.1\r\ncontent-length:  3\r\n\r\nabcdef", &parsed), HTTP_PARSE_DONE);
	assert_true(parsed.is_post);
	assert_true(slice_is(parsed.body, "abc"));
	assert_int_equal(parse("POST / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", &parsed), HTTP_PARSE_DONE);
}

static void every_prefix_waits_for_more(void **state)
{
	(void)state;
	static const char text[] = "POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";
	struct http_parsed parsed;
	for (size_t len = 0; len < sizeof text - 1; len++) {
		char *copy = malloc(len + 1); /* exact, so that a sanitizer sees a read behind its end */
		memcpy(copy, text, len);
		if (http_parse((struct slice){copy, len}, HEADER_MAX, BODY_MAX, true, &parsed) != HTTP_PARSE_MORE)
			fail_msg("%zu bytes are not waited for", len);
		free(copy);
	}
	assert_int_equal(parse(text, &parsed), HTTP_PARSE_DONE);
}

static void bad_requests_have_their_status(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int status;
	} rows[] = {
		{"\r\n", 400},
		{"GET\r\n", 400},
		{"GET /\r\n", 400},
		{"GET / \r\n", 400},
		{"GET  / HTTP/1.1\r\n", 400},
		{"GET / HTTP/1.1 x\r\n", 505},
		{"GET / HTTP/2.0\r\n", 505},
		{"GET / HTTPS/1.1\r\n", 400},
		{"GET / http/1.1\r\n", 400},
		{"GET * HTTP/1.1\r\n", 400},
		{"GET http://x/ HTTP/1.1\r\n", 400},
		{" GET / HTTP/1.1\r\n", 400},
		{"get / HTTP/1.1\r\n", 405},
		{"PUT / HTTP/1.1\r\n", 405},
		{"HEAD / HTTP/1.1\r\n", 405},
		{"CONNECT / HTTP/1.1\r\n", 405},
		{"GET / HTTP/1.1\r\nno colon\r\n", 400},
		{"GET / HTTP/1.1\r\nA: b\r\n folded\r\n", 400},
		{"GET / HTTP/1.1\r\n\tfolded\r\n", 400},
		{"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", 501},
		{"GET / HTTP/1.1\r\nTRANSFER-ENCODING:chunked\r\n", 501},
		{"POST / HTTP/1.1\r\nContent-Length: -1\r\n", 400},
		{"POST / HTTP/1.1\r\nContent-Length: +1\r\n", 400},
		{"POST / HTTP/1.1\r\nContent-Length: 0x1\r\n", 400},
		{"POST / HTTP/1.1\r\nContent-Length: 1 \r\n", 400},
		{"POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n", 400},
		{"POST / HTTP/1.1\r\nContent-Length:\r\n", 400},
		{"POST / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n", 400},
		{"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n", 400},
		{"POST / HTTP/1.1\r\nContent-Length: 33\r\n\r\n", 413},
		{"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 413},
	};
	struct http_parsed parsed;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum http_parse result = parse(rows[i].text, &parsed);
		if (result != HTTP_PARSE_BAD || parsed.status != rows[i].status)
			fail_msg("%s: result %d, status %d instead of %d", rows[i].text, (int)result, parsed.status, rows[i].status);
	}
	assert_int_equal(http_parse(SLICE("POST / HTTP/1.1\r\n"), HEADER_MAX, BODY_MAX, false, &parsed), HTTP_PARSE_BAD);
	assert_int_equal(parsed.status, 405);
	assert_int_equal(http_parse(SLICE("GET / HTTP/1.1\r\nA: \0b\r\n"), HEADER_MAX, BODY_MAX, true, &parsed), HTTP_PARSE_BAD);
	assert_int_equal(parsed.status, 400);
}

/* The limit holds with and without a line end in sight, and to the byte. */
static void headers_are_bounded(void **state)
{
	(void)state;
	char text[HEADER_MAX + 2];
	struct http_parsed parsed;
	memset(text, 'x', sizeof text);
	memcpy(text, "GET /", 5);
	assert_int_equal(http_parse((struct slice){text, HEADER_MAX}, HEADER_MAX, BODY_MAX, true, &parsed), HTTP_PARSE_MORE);
	assert_int_equal(http_parse((struct slice){text, HEADER_MAX + 1}, HEADER_MAX, BODY_MAX, true, &parsed), HTTP_PARSE_BAD);
	assert_int_equal(parsed.status, 431);
	memset(text, 'x', sizeof text);
	memcpy(text, "GET / HTTP/1.1\nA:", 17);
	memcpy(text + HEADER_MAX - 2, "\n\n", 2);
	assert_int_equal(http_parse((struct slice){text, HEADER_MAX}, HEADER_MAX, BODY_MAX, true, &parsed), HTTP_PARSE_DONE);
	memcpy(text + HEADER_MAX - 2, "x\n\n", 3);
	assert_int_equal(http_parse((struct slice){text, HEADER_MAX + 1}, HEADER_MAX, BODY_MAX, true, &parsed), HTTP_PARSE_BAD);
	assert_int_equal(parsed.status, 431);
}

static void expect_decoded(const char *raw, bool plus_is_space, const char *wanted)
{
	char text[64];
	bool is_good = http_decode(slice_of(raw), plus_is_space, text);
	if (is_good != (wanted != NULL) || (wanted != NULL && strcmp(text, wanted) != 0))
		fail_msg("%s is decoded to %s instead of %s", raw, is_good ? text : "nothing", wanted ? wanted : "nothing");
}

static void escapes(void **state)
{
	(void)state;
	expect_decoded("", false, "");
	expect_decoded("/show/lead", false, "/show/lead");
	expect_decoded("a%20b+c", false, "a b+c");
	expect_decoded("a%20b+c", true, "a b c");
	expect_decoded("%e4%BD%a0", false, "\xe4\xbd\xa0");
	expect_decoded("%252F", false, "%2F"); /* once */
	static const char *const bad[] = {"%", "%4", "%zz", "%4g", "%-1", "% 1", "a%00b", "%0a", "%1F", "%7f", "a\tb"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect_decoded(bad[i], true, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_requests),
		cmocka_unit_test(every_prefix_waits_for_more),
		cmocka_unit_test(bad_requests_have_their_status),
		cmocka_unit_test(headers_are_bounded),
		cmocka_unit_test(escapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
