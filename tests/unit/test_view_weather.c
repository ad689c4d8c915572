/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon/view and daemon/redis in bad weather: servers that freeze, die, are replicas, evict, refuse users or talk nonsense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "daemon/view_request.h"
#include "tests/unit/view_rig.h"

#define HASH_A "0123456789abcdef"
#define HASH_B "fedcba9876543210"
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct view_head NOTHING = {.state = VIEW_HEAD_MISSING};

/* ---- a server for each test */

static int start(void **state, const char *const *arguments)
{
	static struct view_test test;
	test = (struct view_test){0};
	*state = &test;
	if (rig_has_server())
		test.rig = rig_start(arguments);
	return 0;
}

static int start_server(void **state)
{
	return start(state, NULL);
}

static int start_server_with_saving(void **state)
{
	return start(state, (const char *const[]){"--save", "3600", "1", NULL});
}

static int stop_server(void **state)
{
	struct view_test *t = *state;
	if (t->rig == NULL)
		return 0;
	t_close(t);
	rig_stop(t->rig);
	return 0;
}

static struct view_test *the_test(void **state)
{
	struct view_test *t = *state;
	if (t->rig == NULL)
		skip();
	return t;
}

static void open_up(struct view_test *t, const struct view_options *options)
{
	t_open(t, options);
	rig_wait(t->rig, &t->is_up);
}

static struct view_options short_options(const struct view_test *t)
{
	struct view_options options = t_options(t->rig);
	options.timeout_ms = 100;
	options.redis.command_timeout_ms = options.redis.connect_timeout_ms = 100;
	return options;
}

static struct head fill_head(struct view_test *t)
{
	struct head head = t_head(3, 10, HASH_A);
	assert_int_equal(t_begin(t, NOTHING, 3)->status, VIEW_DONE);
	assert_int_equal(t_finish(t, 0, head, 100)->status, VIEW_DONE);
	return head;
}

/* ---- frozen, killed, away */

static void a_frozen_server_leaves_the_outcome_unknown_and_may_execute_later(void **state)
{
	struct view_test *t = the_test(state);
	struct view_options options = short_options(t);
	open_up(t, &options);
	struct head head = fill_head(t), after = t_head(3, 11, HASH_B);
	struct write writes[] = {t_put("lead/a", "{A}", 5)};
	kill(t->rig->pid, SIGSTOP);
	const struct view_reply *reply = t_apply(t, head, after, 101, writes, 1);
	assert_int_equal(reply->status, VIEW_UNKNOWN);
	assert_false(view_is_up(t->view));
	assert_int_equal(t->why.code, ERR_REDIS_TIMEOUT);
	t->is_up = false;
	kill(t->rig->pid, SIGCONT);
	rig_wait(t->rig, &t->is_up);
	assert_true(view_is_up(t->view));
	/* The lost command was in the server's socket all the time. Whether it ran before this one or not: done, once. */
	assert_int_equal(t_apply(t, head, after, 101, writes, 1)->status, VIEW_DONE);
	reply = t_read(t, NULL, 0, 0, 0);
	assert_true(head_equal(&reply->head.head, &after));
	assert_string_equal(rig_call(t->rig, "HGETALL {lr:7}:lead"), "[a {\"due\":5,A}]");
}

static void requests_while_away_are_answered_unknown_from_the_loop(void **state)
{
	struct view_test *t = the_test(state);
	struct view_options options = short_options(t);
	t_open(t, &options);
	struct view_read_args args = {0};
	view_read(t->view, 7, &args, t_on_reply, t);
	struct view_request *request = view_read(t->view, 7, &args, t_on_reply, t);
	assert_int_equal(t->answers, 0);
	view_cancel(request);
	assert_int_equal(t_wait(t)->status, VIEW_UNKNOWN);
	assert_int_equal(t->answers, 1);
	assert_string_equal(t_dump(t), "");
	assert_int_equal(t->why.code, ERR_REDIS_AWAY);
}

static void a_killed_server_answers_all_unknown_and_is_found_again(void **state)
{
	struct view_test *t = the_test(state);
	struct view_options options = t_options(t->rig);
	open_up(t, &options);
	fill_head(t);
	struct view_read_args args = {0};
	t->answers = 0;
	kill(t->rig->pid, SIGSTOP);
	for (int i = 0; i < 5; i++)
		view_read(t->view, 7, &args, t_on_reply, t);
	rig_kill(t->rig);
	while (t->answers < 5)
		assert_int_equal(t_wait(t)->status, VIEW_UNKNOWN);
	rig_wait(t->rig, &t->is_down);
	t->is_up = false;
	rig_spawn(t->rig, NULL);
	rig_wait(t->rig, &t->is_up);
	const struct view_reply *reply = t_read(t, NULL, 0, 0, 0);
	assert_int_equal(reply->status, VIEW_DONE);
	assert_int_equal(reply->head.state, VIEW_HEAD_MISSING); /* it kept nothing */
}

static void a_full_pipeline_refuses_and_closing_calls_nobody(void **state)
{
	struct view_test *t = the_test(state);
	struct view_options options = t_options(t->rig);
	open_up(t, &options);
	struct view_read_args args = {0};
	kill(t->rig->pid, SIGSTOP);
	for (int i = 0; i < REDIS_PENDING_MAX; i++)
		view_read(t->view, 7, &args, t_on_reply, t);
	view_read(t->view, 7, &args, t_on_reply, t);
	const struct view_reply *reply = t_wait(t);
	assert_int_equal(reply->status, VIEW_REFUSED);
	assert_int_equal(reply->err.code, ERR_VIEW_LIMIT);
	assert_int_equal(t->answers, 1);
	t_close(t);
	assert_int_equal(t->answers, 1);
	kill(t->rig->pid, SIGCONT);
}

static void start_up_says_that_nobody_listens(void **state)
{
	struct view_test *t = the_test(state);
	struct view_options options = short_options(t);
	struct err err = ERR_INIT;
	options.redis.unix_path = "/nonexistent/redis.sock";
	assert_int_equal(view_check(&options, 50, &err), -1);
	assert_int_equal(err.code, ERR_REDIS_AWAY);
	assert_non_null(strstr(err.text, "/nonexistent/redis.sock"));
}

/* ---- what start-up and the checks refuse */

static enum err_code check(struct view_test *t, const struct view_options *options, const char *word)
{
	struct err err = ERR_INIT;
	if (view_check(options, RIG_DEADLINE_MS, &err) == 0)
		return ERR_NONE;
	if (strstr(err.text, word) == NULL)
		fail_msg("\"%s\" does not name %s", err.text, word);
	(void)t;
	return err.code;
}

static void an_evicting_policy_is_refused_at_start_and_later(void **state)
{
	struct view_test *t = the_test(state);
	struct view_options options = t_options(t->rig);
	options.check_every_ms = 10;
	assert_int_equal(check(t, &options, ""), ERR_NONE);
	open_up(t, &options);
	rig_call(t->rig, "CONFIG SET maxmemory-policy allkeys-lru");
	rig_wait(t->rig, &t->is_down);
	assert_int_equal(t->why.code, ERR_REDIS_POLICY);
	assert_false(view_is_up(t->view));
	const struct view_reply *reply = t_read(t, NULL, 0, 0, 0);
	assert_int_equal(reply->status, VIEW_REFUSED);
	assert_int_equal(reply->err.code, ERR_REDIS_POLICY);
	assert_int_equal(check(t, &options, "maxmemory-policy noeviction"), ERR_REDIS_POLICY);
	t->is_up = false;
	rig_call(t->rig, "CONFIG SET maxmemory-policy noeviction");
	rig_wait(t->rig, &t->is_up);
	assert_int_equal(t_read(t, NULL, 0, 0, 0)->status, VIEW_DONE);
}

static void a_replica_is_refused_and_left(void **state)
{
	struct view_test *t = the_test(state);
	struct view_options options = t_options(t->rig);
	open_up(t, &options);
	struct head head = fill_head(t);
	struct view_stats stats;
	rig_call(t->rig, "REPLICAOF 127.0.0.1 1");
	struct write writes[] = {t_put("lead/a", "{A}", 5)};
	const struct view_reply *reply = t_apply(t, head, t_head(3, 11, HASH_B), 101, writes, 1);
	assert_int_equal(reply->status, VIEW_REFUSED);
	assert_int_equal(reply->err.code, ERR_REDIS_ROLE);
	rig_wait(t->rig, &t->is_down);
	assert_int_equal(t->why.code, ERR_REDIS_ROLE);
	assert_int_equal(check(t, &options, "master"), ERR_REDIS_ROLE);
	view_stats(t->view, &stats);
	assert_true(stats.losses > 0);
	t->is_up = false;
	rig_call(t->rig, "REPLICAOF NO ONE");
	rig_wait(t->rig, &t->is_up);
	assert_int_equal(t_apply(t, head, t_head(3, 11, HASH_B), 101, writes, 1)->status, VIEW_DONE);
}

static void versions_are_compared_as_numbers(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	static const char *const fine[] = {"6.2.0", "7.0.15", "10.0.0"}, *const old[] = {"6.0.20", "5.9.9", "x", ""};
	char info[200];
	for (size_t i = 0; i < COUNT(fine); i++) {
		snprintf(info, sizeof info, "redis_version:%s\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n", fine[i]);
		assert_int_equal(view_check_info(slice_of(info), &err), 0);
	}
	for (size_t i = 0; i < COUNT(old); i++) {
		snprintf(info, sizeof info, "redis_version:%s\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n", old[i]);
		assert_int_equal(view_check_info(slice_of(info), &err), -1);
		assert_int_equal(err.code, ERR_REDIS_VERSION);
	}
	assert_int_equal(view_check_info(SLICE("redis_version:7.0.0\nrole:master"), &err), -1);
	assert_int_equal(err.code, ERR_REDIS_POLICY);
}

static const char *write_file(struct view_test *t, const char *name, const char *text, char ret_path[128])
{
	snprintf(ret_path, 128, "%s/%s", t->rig->folder, name);
	FILE *file = fopen(ret_path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return ret_path;
}

static void users_and_passwords_come_from_options_and_file(void **state)
{
	struct view_test *t = the_test(state);
	struct view_options options = t_options(t->rig);
	char good[128], bad[128], empty[128];
	write_file(t, "good", "s3cret word\nsecond line\n", good);
	write_file(t, "bad", "wrong", bad);
	write_file(t, "empty", "\n", empty);
	struct slice user[] = {SLICE("ACL"), SLICE("SETUSER"), SLICE("d"), SLICE("on"), SLICE(">s3cret word"), SLICE("~*"),
	                       SLICE("+@all")};
	assert_string_equal(rig_call_slices(t->rig, user, COUNT(user)), "OK");
	options.redis.user = "d";
	options.redis.password_file = good;
	assert_int_equal(check(t, &options, ""), ERR_NONE);
	options.redis.password_file = bad;
	assert_int_equal(check(t, &options, "WRONGPASS"), ERR_REDIS_AUTH);
	options.redis.password_file = empty;
	assert_int_equal(check(t, &options, "empty"), ERR_REDIS_AUTH);
	options.redis.password_file = "/nonexistent/password";
	assert_int_equal(check(t, &options, "/nonexistent/password"), ERR_REDIS_AUTH);
	rig_call(t->rig, "ACL SETUSER default off");
	options.redis.user = options.redis.password_file = NULL;
	assert_int_equal(check(t, &options, "NOAUTH"), ERR_REDIS_AUTH);
}

static void another_database_is_selected(void **state)
{
	struct view_test *t = the_test(state);
	struct view_options options = t_options(t->rig);
	options.redis.database = 3;
	open_up(t, &options);
	fill_head(t);
	assert_string_equal(rig_call(t->rig, "EXISTS {lr:7}:head"), "0");
	rig_call(t->rig, "SELECT 3");
	assert_string_equal(rig_call(t->rig, "EXISTS {lr:7}:head"), "1");
	options.redis.database = 99;
	assert_int_equal(check(t, &options, "database"), ERR_REDIS_AUTH);
}

static void a_missing_permission_is_named_before_anything_is_written(void **state)
{
	static const char *const commands[] = {"HSET", "HDEL", "ZADD", "ZREM", "UNLINK", "HMGET", "HGETALL",
	                                       "HKEYS", "TYPE", "ZRANGEBYLEX", "ZREVRANGEBYLEX", "evalsha", "info", "time", "script"};
	struct view_test *t = the_test(state);
	struct view_options options = t_options(t->rig);
	char path[128];
	options.redis.user = "d";
	options.redis.password_file = write_file(t, "password", "pw\n", path);
	for (size_t i = 0; i < COUNT(commands); i++) {
		rig_call(t->rig, "ACL SETUSER d reset on >pw ~{lr:* +@all -%s", commands[i]);
		assert_int_equal(check(t, &options, commands[i]), ERR_REDIS_PERMISSION);
	}
	rig_call(t->rig, "ACL SETUSER d reset on >pw ~other:* +@all");
	assert_int_equal(check(t, &options, "NOPERM"), ERR_REDIS_PERMISSION);
	assert_string_equal(rig_call(t->rig, "DBSIZE"), "0");
}

/* ---- errors of the server */

static void a_busy_server_refuses(void **state)
{
	struct view_test *t = the_test(state);
	struct view_options options = t_options(t->rig);
	open_up(t, &options);
	rig_call(t->rig, "CONFIG SET lua-time-limit 1");
	struct slice forever[] = {SLICE("EVAL"), SLICE("while true do end"), SLICE("0")};
	struct redis_command *command = redis_command_new(forever, 3);
	t->rig->is_answered = false;
	assert_int_equal(redis_send(t->rig->admin, command, RIG_DEADLINE_MS, rig_on_answer, t->rig), 0);
	redis_command_unref(command);
	const struct view_reply *reply;
	do {
		reply = t_read(t, NULL, 0, 0, 0); /* the first may still come before the endless script */
	} while (reply->status == VIEW_DONE);
	assert_int_equal(reply->status, VIEW_REFUSED);
	assert_non_null(strstr(reply->err.text, "BUSY"));
	assert_true(view_is_up(t->view));
	char kill_script[160];
	snprintf(kill_script, sizeof kill_script, "redis-cli -s %s SCRIPT KILL >/dev/null", t->rig->socket);
	assert_int_equal(system(kill_script), 0);
	rig_wait(t->rig, &t->rig->is_answered);
	assert_int_equal(t_read(t, NULL, 0, 0, 0)->status, VIEW_DONE);
}

static void a_server_that_cannot_save_refuses_writes(void **state)
{
	struct view_test *t = the_test(state);
	struct view_options options = t_options(t->rig);
	char path[128];
	open_up(t, &options);
	struct head head = fill_head(t);
	snprintf(path, sizeof path, "%s/dump.rdb", t->rig->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_non_null(strstr(rig_call(t->rig, "SAVE"), "ERR"));
	rig_call(t->rig, "BGSAVE");
	while (strstr(rig_call(t->rig, "INFO persistence"), "rdb_last_bgsave_status:err") == NULL)
		continue;
	struct write writes[] = {t_put("lead/a", "{A}", 5)};
	const struct view_reply *reply = t_apply(t, head, t_head(3, 11, HASH_B), 101, writes, 1);
	assert_int_equal(reply->status, VIEW_REFUSED);
	assert_non_null(strstr(reply->err.text, "MISCONF"));
	assert_string_equal(rig_call(t->rig, "HLEN {lr:7}:lead"), "0");
	assert_int_equal(t_read(t, NULL, 0, 0, 0)->status, VIEW_DONE);
}

static void errors_say_what_to_do_and_whether_anything_was_written(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum view_status reading, writing;
		enum err_code code;
	} cases[] = {
		{"MOVED 3999 127.0.0.1:6381", VIEW_REFUSED, VIEW_REFUSED, ERR_REDIS_CLUSTER},
		{"ASK 3999 127.0.0.1:6381", VIEW_REFUSED, VIEW_REFUSED, ERR_REDIS_CLUSTER},
		{"CLUSTERDOWN Hash slot not served", VIEW_REFUSED, VIEW_REFUSED, ERR_REDIS_CLUSTER},
		{"LOADING Redis is loading the dataset in memory", VIEW_REFUSED, VIEW_REFUSED, ERR_REDIS_REFUSED},
		{"OOM command not allowed when used memory > 'maxmemory'.", VIEW_REFUSED, VIEW_REFUSED, ERR_REDIS_MEMORY},
		{"@user_script: 120: -OOM command not allowed when used memory > 'maxmemory'.", VIEW_REFUSED, VIEW_REFUSED, ERR_REDIS_MEMORY},
		{"NOREPLICAS Not enough good replicas to write.", VIEW_REFUSED, VIEW_REFUSED, ERR_REDIS_REFUSED},
		{"WRONGTYPE Operation against a key", VIEW_BROKEN, VIEW_BROKEN, ERR_VIEW_FOREIGN},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = ERR_INIT;
		assert_int_equal(view_explain_error(slice_of(cases[i].text), false, &err), cases[i].reading);
		assert_int_equal(view_explain_error(slice_of(cases[i].text), true, &err), cases[i].writing);
		assert_int_equal(err.code, cases[i].code);
	}
	struct err err = ERR_INIT;
	assert_int_equal(view_explain_error(SLICE("ERR user_script:9: attempt"), false, &err), VIEW_REFUSED);
	assert_int_equal(view_explain_error(SLICE("ERR user_script:9: attempt"), true, &err), VIEW_UNKNOWN);
	assert_int_equal(view_explain_error(SLICE("ASKING"), true, &err), VIEW_UNKNOWN);
	assert_int_equal(view_explain_error(SLICE_NONE, true, &err), VIEW_UNKNOWN);
}

/* ---- servers that are none */

struct fake {
	struct view_test *t;
	int listener;
	struct loop_watch *watch;
	const char *text;
	char path[100];
	int accepted[8], count;
};

static void on_accept(void *ctx)
{
	struct fake *fake = ctx;
	int fd = accept(fake->listener, NULL, NULL);
	assert_true(fd >= 0 && fake->count < 8);
	assert_int_equal(write(fd, fake->text, strlen(fake->text)), strlen(fake->text));
	fake->accepted[fake->count++] = fd;
}

static void fake_start(struct fake *fake, struct view_test *t, const char *text)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	*fake = (struct fake){.t = t, .text = text, .listener = socket(AF_UNIX, SOCK_STREAM, 0)};
	snprintf(fake->path, sizeof fake->path, "%s/fake", t->rig->folder);
	snprintf(at.sun_path, sizeof at.sun_path, "%s", fake->path);
	unlink(fake->path);
	assert_int_equal(bind(fake->listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fake->listener, 8), 0);
	fake->watch = loop_watch_readable(t->rig->loop, fake->listener, on_accept, fake);
}

static void fake_stop(struct fake *fake)
{
	loop_watch_free(fake->watch);
	close(fake->listener);
	for (int i = 0; i < fake->count; i++)
		close(fake->accepted[i]);
}

#define TEN_OKS "+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n"

static void what_is_not_redis_is_given_up(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
	} cases[] = {
		{"HTTP/1.1 400 Bad Request\r\n\r\n", ERR_REDIS_REPLY},
		{TEN_OKS "+OK\r\n", ERR_REDIS_REPLY},         /* to each of the eleven questions */
		{TEN_OKS TEN_OKS, ERR_REDIS_REPLY},           /* and more than was asked for */
		{"*100000000\r\n", ERR_REDIS_REPLY},          /* never that many */
		{"$-7\r\n", ERR_REDIS_REPLY},
		{"+still talk", ERR_REDIS_TIMEOUT},           /* and never ends the line */
	};
	struct view_test *t = the_test(state);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake fake;
		fake_start(&fake, t, cases[i].text);
		struct view_options options = short_options(t);
		options.redis.unix_path = fake.path;
		options.redis.retry_first_ms = options.redis.retry_max_ms = 60000;
		t_open(t, &options);
		rig_wait(t->rig, &t->is_down);
		assert_int_equal(t->why.code, cases[i].code);
		t_close(t);
		fake_stop(&fake);
	}
}

/* A port that was free a moment ago. */
static unsigned free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static void names_and_addresses_are_reached_over_tcp(void **state)
{
	struct view_test *t = the_test(state);
	unsigned port = free_port();
	assert_string_equal(rig_call(t->rig, "CONFIG SET port %u", port), "OK");
	static const char *const hosts[] = {"127.0.0.1", "localhost"};
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct view_options options = t_options(t->rig);
		options.redis.unix_path = NULL;
		options.redis.host = hosts[i];
		options.redis.port = (uint16_t)port;
		open_up(t, &options);
		assert_int_equal(t_read(t, NULL, 0, 0, 0)->status, VIEW_DONE);
		t_close(t);
	}
	struct view_options options = t_options(t->rig);
	options.redis.unix_path = NULL;
	options.redis.host = "no such host.invalid";
	t_open(t, &options);
	rig_wait(t->rig, &t->is_down);
	assert_int_equal(t->why.code, ERR_REDIS_AWAY);
	assert_non_null(strstr(t->why.text, "cannot be resolved"));
	t_close(t);
	t_open(t, &options); /* and once more, closed with the question under way */
}

/* ---- the codec */

static void replies_come_whole_however_the_bytes_are_cut(void **state)
{
	(void)state;
	const struct slice bytes = SLICE("*3\r\n$3\r\na\0b\r\n:-7\r\n*2\r\n$-1\r\n-ERR no\r\n+OK\r\n");
	for (size_t step = 1; step <= bytes.len; step++) {
		struct redis_reader *reader = redis_reader_new();
		struct strbuf got = STRBUF_INIT;
		for (size_t at = 0; at < bytes.len; at += step) {
			size_t len = bytes.len - at < step ? bytes.len - at : step;
			const struct redis_reply *reply;
			assert_int_equal(redis_reader_feed(reader, bytes.p + at, len, NULL), 0);
			while (redis_reader_next(reader, &reply, NULL) == 1)
				rig_render(&got, reply);
		}
		assert_int_equal(got.len, strlen("[a.b -7 [(nil) ERR no]]OK"));
		assert_memory_equal(got.bytes, "[a\0b -7 [(nil) ERR no]]OK", got.len);
		strbuf_done(&got);
		redis_reader_free(reader);
	}
}

static void limits_on_replies_hold(void **state)
{
	(void)state;
	const struct redis_reply *reply;
	struct err err = ERR_INIT;
	struct redis_reader *reader = redis_reader_new();
	for (int i = 0; i < REDIS_REPLY_DEPTH_MAX; i++)
		redis_reader_feed(reader, "*1\r\n", 4, NULL);
	redis_reader_feed(reader, ":1\r\n", 4, NULL);
	assert_int_equal(redis_reader_next(reader, &reply, &err), 1);
	for (int i = 0; i <= REDIS_REPLY_DEPTH_MAX; i++)
		redis_reader_feed(reader, "*1\r\n", 4, NULL);
	assert_int_equal(redis_reader_next(reader, &reply, &err), -1);
	assert_non_null(strstr(err.text, "levels"));
	redis_reader_free(reader);
	reader = redis_reader_new();
	static const char many[] = "*2\r\n*1000000\r\n";
	redis_reader_feed(reader, many, strlen(many), NULL);
	assert_int_equal(redis_reader_next(reader, &reply, &err), 0);
	for (int i = 0; i < 1000000; i++)
		assert_int_equal(redis_reader_feed(reader, ":1\r\n", 4, &err), 0);
	assert_int_equal(redis_reader_next(reader, &reply, &err), 0);
	redis_reader_feed(reader, "*1000000\r\n", 10, NULL);
	assert_int_equal(redis_reader_next(reader, &reply, &err), -1);
	assert_non_null(strstr(err.text, "limit"));
	redis_reader_free(reader);
	reader = redis_reader_new();
	static char block[1024 * 1024];
	int result = redis_reader_feed(reader, "$4000000000\r\n", 13, &err);
	size_t fed = 0;
	while (result == 0 && fed <= REDIS_REPLY_BYTES_MAX) {
		result = redis_reader_feed(reader, block, sizeof block, &err);
		result = result == 0 ? redis_reader_next(reader, &reply, &err) : result;
		fed += sizeof block;
	}
	assert_int_equal(result, -1);
	redis_reader_free(reader);
}

static void commands_beyond_the_limit_are_none(void **state)
{
	(void)state;
	struct slice args[] = {SLICE("SET"), SLICE("k"), {(const char *)state, REDIS_COMMAND_BYTES_MAX}};
	assert_null(redis_command_new(args, 3));
}

#define TEST(function)      cmocka_unit_test_setup_teardown(function, start_server, stop_server)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_frozen_server_leaves_the_outcome_unknown_and_may_execute_later),
		TEST(requests_while_away_are_answered_unknown_from_the_loop),
		TEST(a_killed_server_answers_all_unknown_and_is_found_again),
		TEST(a_full_pipeline_refuses_and_closing_calls_nobody),
		TEST(start_up_says_that_nobody_listens),
		TEST(an_evicting_policy_is_refused_at_start_and_later),
		TEST(a_replica_is_refused_and_left),
		cmocka_unit_test(versions_are_compared_as_numbers),
		TEST(users_and_passwords_come_from_options_and_file),
		TEST(another_database_is_selected),
		TEST(a_missing_permission_is_named_before_anything_is_written),
		TEST(a_busy_server_refuses),
		cmocka_unit_test_setup_teardown(a_server_that_cannot_save_refuses_writes, start_server_with_saving, stop_server),
		cmocka_unit_test(errors_say_what_to_do_and_whether_anything_was_written),
		TEST(what_is_not_redis_is_given_up),
		TEST(names_and_addresses_are_reached_over_tcp),
		cmocka_unit_test(replies_come_whole_however_the_bytes_are_cut),
		cmocka_unit_test(limits_on_replies_hold),
		cmocka_unit_test(commands_beyond_the_limit_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
