/* SPDX-License-Identifier: Apache-2.0
 *
 * The small server on real sockets, driven by a real loop, and the text of the metrics that it gives (stats.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/http.h"
#include "daemon/stats.h"
#include "rules/base/mem.h"

struct bench {
	struct loop *loop;
	struct http *http;
	struct http_request *waiting; /* kept unanswered for "/later" */
	size_t calls;
	char answer[8192];
};

static void stop(void *ctx)
{
	loop_stop(ctx);
}

/* Lets the loop work off what is there. */
static void turn(struct bench *bench)
{
	struct loop_timer *timer = loop_timer_new(bench->loop, stop, bench->loop);
	loop_timer_start(timer, 10);
	loop_run(bench->loop);
	loop_timer_free(timer);
}

static void on_request(void *ctx, struct http_request *take_request, const struct http_call *call)
{
	struct bench *bench = ctx;
	bench->calls++;
	if (strcmp(call->path, "/later") == 0) {
		bench->waiting = take_request;
		return;
	}
	char text[256], *id = http_query_get(call, "id");
	snprintf(text, sizeof text, "%s %s %s %.*s", call->is_post ? "POST" : "GET", call->path, id ? id : "-", SLICE_ARG(call->body));
	free(id);
	http_answer_text(take_request, 200, text);
}

static int setup(void **state)
{
	struct bench *bench = xcalloc(1, sizeof *bench);
	struct err err = ERR_INIT;
	bench->loop = loop_new();
	bench->http = http_new(bench->loop, "127.0.0.1:0", true, on_request, bench, &err);
	if (bench->http == NULL)
		fail_msg("%s", err.text);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	http_free(bench->http);
	loop_free(bench->loop);
	free(bench);
	return 0;
}

static int dial(const struct bench *bench)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(bench->http))};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

/* Everything up to the end of the connection; NULL while it is open. */
static const char *receive(struct bench *bench, int fd)
{
	size_t at = 0;
	for (int i = 0; i < 200; i++) {
		turn(bench);
		ssize_t got = recv(fd, bench->answer + at, sizeof bench->answer - at - 1, MSG_DONTWAIT);
		if (got > 0)
			at += (size_t)got;
		bench->answer[at] = '\0';
		if (got == 0)
			return bench->answer;
	}
	return NULL;
}

static const char *ask(struct bench *bench, const char *request)
{
	int fd = dial(bench);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	const char *answer = receive(bench, fd);
	close(fd);
	assert_non_null(answer);
	return answer;
}

static void expect(struct bench *bench, const char *request, const char *status, const char *body)
{
	const char *answer = ask(bench, request);
	if (strncmp(answer, status, strlen(status)) != 0 || strstr(answer, body) == NULL)
		fail_msg("%s\n%s", request, answer);
}

static void requests_are_answered_and_closed(void **state)
{
	struct bench *bench = *state;
	expect(bench, "GET /a%20b?x=1&id=L%2F1+2 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", "GET /a b L/1 2 ");
	expect(bench, "POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 200 OK\r\n", "POST /x - hi");
	expect(bench, "GET /?idx=1&id HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n", "Connection: close\r\n");
	expect(bench, "GET /?id=%zz HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n", "GET / - ");
	expect(bench, "GET /%00 HTTP/1.1\r\n\r\n", "HTTP/1.1 400", "bad escape");
	expect(bench, "PUT / HTTP/1.1\r\n\r\n", "HTTP/1.1 405", "");
	expect(bench, "GET / HTTP/1.1\r\n\r\nGET /second HTTP/1.1\r\n\r\n", "HTTP/1.1 200", "GET / - ");
	assert_int_equal(bench->calls, 5); /* no pipelining */
}

static int64_t cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A connection that cannot be accepted keeps the socket readable: the loop must not run in circles over it. */
static void without_descriptors_it_rests(void **state)
{
	struct bench *bench = *state;
	static const char request[] = "GET /x HTTP/1.1\r\n\r\n";
	int fd = dial(bench);
	send(fd, request, sizeof request - 1, MSG_NOSIGNAL);
	struct rlimit normal, none;
	getrlimit(RLIMIT_NOFILE, &normal);
	none = (struct rlimit){(rlim_t)fd + 1, normal.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
	int64_t before = cpu_ms();
	for (int i = 0; i < 15; i++)
		turn(bench); /* ten ms each */
	int64_t used = cpu_ms() - before;
	setrlimit(RLIMIT_NOFILE, &normal);
	assert_int_equal(bench->calls, 0);
	assert_true(used < 75);
	assert_non_null(strstr(receive(bench, fd), "GET /x")); /* and comes back */
	close(fd);
}

static void an_answer_may_come_later_or_to_nobody(void **state)
{
	struct bench *bench = *state;
	static const char request[] = "GET /later HTTP/1.1\r\n\r\n";
	int fd = dial(bench);
	send(fd, request, sizeof request - 1, MSG_NOSIGNAL);
	while (bench->waiting == NULL)
		turn(bench);
	http_answer_text(bench->waiting, 503, "at last");
	assert_non_null(strstr(receive(bench, fd), "at last"));
	close(fd);
	bench->waiting = NULL;
	fd = dial(bench);
	send(fd, request, sizeof request - 1, MSG_NOSIGNAL);
	while (bench->waiting == NULL)
		turn(bench);
	close(fd); /* the asker has gone */
	turn(bench);
	http_answer_text(bench->waiting, 200, "nobody listens");
	turn(bench);
	fd = dial(bench); /* and one that is still open when the server goes: teardown */
	send(fd, request, sizeof request - 1, MSG_NOSIGNAL);
	turn(bench);
	close(fd);
}

static void connections_are_bounded(void **state)
{
	struct bench *bench = *state;
	int fds[HTTP_CONNECTIONS_MAX + 5];
	char byte;
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX + 5; i++) {
		fds[i] = dial(bench);
		turn(bench);
	}
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX + 5; i++) {
		ssize_t got = recv(fds[i], &byte, 1, MSG_DONTWAIT);
		assert_int_equal(got, i < HTTP_CONNECTIONS_MAX ? -1 : 0);
		close(fds[i]);
	}
	turn(bench);
	expect(bench, "GET /x HTTP/1.1\r\n\r\n", "HTTP/1.1 200", "GET /x");
}

static void only_loopback_and_unix_sockets(void **state)
{
	static const char *const bad[] = {"0.0.0.0:9464", "0.0.0.0:0", "[::]:0", "8.8.8.8:80", "192.168.0.1:80", "localhost:80", "",
	                                  "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "9464", "[::ffff:127.0.0.1]:0",
	                                  "unix:/nonexistent/x"};
	struct bench *bench = *state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err err = ERR_INIT;
		if (http_new(bench->loop, bad[i], false, on_request, bench, &err) != NULL)
			fail_msg("%s is taken", bad[i]);
		assert_int_equal(err.code, ERR_LISTEN);
	}
	char path[64], listen_text[80];
	struct stat status;
	struct err err = ERR_INIT;
	snprintf(path, sizeof path, "/tmp/lr-http-%d", (int)getpid());
	snprintf(listen_text, sizeof listen_text, "unix:%s", path);
	for (int again = 0; again < 2; again++) { /* an old socket is replaced */
		struct http *http = http_new(bench->loop, listen_text, false, on_request, bench, &err);
		assert_non_null(http);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_mode & 0777, 0660);
		http_free(http);
	}
	assert_int_not_equal(stat(path, &status), 0);
}

/* ---- stats */

static void expect_line(const struct stats *stats, const char *wanted)
{
	struct strbuf out = STRBUF_INIT;
	stats_print(stats, &out);
	if (strstr(strbuf_text(&out), wanted) == NULL)
		fail_msg("no %s in\n%s", wanted, strbuf_text(&out));
	strbuf_done(&out);
}

static void counters_gauges_and_histograms(void **state)
{
	(void)state;
	struct stats *stats = stats_new();
	const struct slice odd = SLICE("a\"b\\c\nd\te"), none = SLICE_NONE;
	expect_line(stats, "\nleadrouter_messages_consumed_total 0\n");
	stats_count(stats, STATS_MESSAGES, NULL, 3);
	stats_count(stats, STATS_MESSAGES, NULL, 4);
	expect_line(stats, "\nleadrouter_messages_consumed_total 7\n");
	stats_count(stats, STATS_REJECTED, &odd, 1);
	stats_count(stats, STATS_REJECTED, &none, 1);
	expect_line(stats, "\nleadrouter_rejected_total{code=\"a\\\"b\\\\c\\nd?e\"} 1\n");
	expect_line(stats, "\nleadrouter_rejected_total{code=\"\"} 1\n");
	assert_int_equal(stats_counter_value(stats, STATS_REJECTED, &odd), 1);
	assert_int_equal(stats_counter_value(stats, STATS_ALARMS, &odd), 0);
	stats_set(stats, STATS_NEXT_DUE, &odd, 1795298715.026);
	expect_line(stats, "\"} 1795298715.026\n");
	stats_clear(stats, STATS_NEXT_DUE);
	stats_set(stats, STATS_VIEW_UP, NULL, 1);
	expect_line(stats, "\nleadrouter_view_up 1\n");
	stats_observe(stats, STATS_BATCH_RECORDS, 1);
	stats_observe(stats, STATS_BATCH_RECORDS, 1.5);
	stats_observe(stats, STATS_BATCH_RECORDS, 5000);
	expect_line(stats, "\nleadrouter_batch_records_bucket{le=\"1\"} 1\nleadrouter_batch_records_bucket{le=\"2\"} 2\n");
	expect_line(stats, "_bucket{le=\"1000\"} 2\nleadrouter_batch_records_bucket{le=\"+Inf\"} 3\nleadrouter_batch_records_sum 5002.5\n"
	                   "leadrouter_batch_records_count 3\n");
	stats_free(stats);
	stats_free(NULL);
}

static void series_are_bounded(void **state)
{
	(void)state;
	struct stats *stats = stats_new();
	for (int i = 0; i < STATS_SERIES_MAX + 50; i++) {
		char text[16];
		snprintf(text, sizeof text, "c%d", i);
		const struct slice label = slice_of(text);
		stats_count(stats, STATS_REJECTED, &label, 1);
	}
	struct strbuf out = STRBUF_INIT;
	stats_print(stats, &out);
	assert_non_null(strstr(strbuf_text(&out), "leadrouter_stats_series_dropped_total 50\n"));
	strbuf_done(&out);
	stats_free(stats);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_are_answered_and_closed),
		TEST(without_descriptors_it_rests),
		TEST(an_answer_may_come_later_or_to_nobody),
		TEST(connections_are_bounded),
		TEST(only_loopback_and_unix_sockets),
		cmocka_unit_test(counters_gauges_and_histograms),
		cmocka_unit_test(series_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
