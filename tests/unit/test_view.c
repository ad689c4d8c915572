/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon/view over a real redis-server: what each script answers and what it leaves behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/view_rig.h"

#define HASH_A "0123456789abcdef"
#define HASH_B "fedcba9876543210"
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct view_head NOTHING = {.state = VIEW_HEAD_MISSING};

/* ---- one server for all, emptied for each */

static int start_server(void **state)
{
	static struct view_test test;
	test = (struct view_test){0};
	*state = &test;
	if (rig_has_server())
		test.rig = rig_start(NULL);
	return 0;
}

/* The user of config/redis-acl.example, with the password that stands in it. */
static int start_server_with_acl(void **state)
{
	static struct view_test test;
	test = (struct view_test){0};
	*state = &test;
	if (!rig_has_server())
		return 0;
	char *example = realpath("config/redis-acl.example", NULL); /* the server changes its folder first */
	test.rig = rig_start((const char *const[]){"--include", example, NULL});
	free(example);
	test.user = "leadrouter";
	test.password_file = test.password_path;
	snprintf(test.password_path, sizeof test.password_path, "%s/password", test.rig->folder);
	FILE *file = fopen(test.password_path, "w");
	if (file == NULL || fputs("CHANGE-ME-DAEMON\n", file) < 0 || fclose(file) != 0)
		return -1;
	return 0;
}

static int stop_server(void **state)
{
	struct view_test *t = *state;
	if (t->rig != NULL)
		rig_stop(t->rig);
	return 0;
}

static int open_view(void **state)
{
	struct view_test *t = *state;
	if (t->rig == NULL)
		return 0;
	rig_call(t->rig, "FLUSHALL");
	struct view_options options = t_options(t->rig);
	options.redis.user = t->user;
	options.redis.password_file = t->password_file;
	t_open(t, &options);
	rig_wait(t->rig, &t->is_up);
	return 0;
}

static int close_view(void **state)
{
	struct view_test *t = *state;
	if (t->rig != NULL)
		t_close(t);
	return 0;
}

static struct view_test *the_test(void **state)
{
	struct view_test *t = *state;
	if (t->rig == NULL)
		skip();
	return t;
}

/* An empty view at head (3, 10, A), position 100. */
static struct head fill_head(struct view_test *t)
{
	struct head head = t_head(3, 10, HASH_A);
	assert_int_equal(t_begin(t, NOTHING, 3)->status, VIEW_DONE);
	assert_int_equal(t_finish(t, 0, head, 100)->status, VIEW_DONE);
	return head;
}

#define assert_call(t, want, ...) assert_string_equal(rig_call((t)->rig, __VA_ARGS__), want)

static void assert_value(const struct view_reply *reply, size_t index, const char *key, const char *value)
{
	assert_true(index < reply->value_count);
	const struct view_value *got = &reply->values[index];
	assert_string_equal(got->key.p, key);
	assert_int_equal(got->is_found, value != NULL);
	if (value != NULL)
		assert_string_equal(got->value.p, value);
}

/* "a 50 b 60", in order of ids. */
static const char *timers_of(struct view_test *t)
{
	static char timers[512];
	char id[64], due[32];
	size_t len = 0;
	timers[0] = '\0';
	for (const char *line = strstr(t_dump(t), "due "); line != NULL; line = strstr(line + 1, "\ndue ")) {
		assert_int_equal(sscanf(line + (*line == '\n'), "due %63s %31s", id, due), 2);
		len += (size_t)snprintf(timers + len, sizeof timers - len, "%s%s %s", len ? " " : "", id, due);
	}
	return timers;
}

static void assert_dump(struct view_test *t, const char *want)
{
	char got[2048];
	int len = snprintf(got, sizeof got, "%s", rig_call(t->rig, "HMGET {lr:7}:head s e q h pos c fmt"));
	len += snprintf(got + len, sizeof got - (size_t)len, " %s", rig_call(t->rig, "HGETALL {lr:7}:lead"));
	len += snprintf(got + len, sizeof got - (size_t)len, " %s", rig_call(t->rig, "HGETALL {lr:7}:ident"));
	len += snprintf(got + len, sizeof got - (size_t)len, " %s", rig_call(t->rig, "HGETALL {lr:7}:ring"));
	snprintf(got + len, sizeof got - (size_t)len, " [%s]", timers_of(t));
	assert_string_equal(got, want);
}

/* ---- reading */

static void read_of_nothing_says_missing(void **state)
{
	struct view_test *t = the_test(state);
	const char *keys[] = {"lead/a", "ident/k1.1.e.x"};
	const struct view_reply *reply = t_read(t, keys, COUNT(keys), 1000, 10);
	assert_int_equal(reply->status, VIEW_DONE);
	assert_int_equal(reply->head.state, VIEW_HEAD_MISSING);
}

static void read_returns_head_values_and_what_they_lead_to(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t), after = t_head(3, 11, HASH_B);
	struct write writes[] = {
		t_put("lead/a", "{\"a\":1}", 5000), t_put("lead/b", "{\"b\":1}", 4000),    t_put("lead/c", "{\"c\":1}", 9000),
		t_put("lead/d", "{\"d\":1}", 0),    t_put("ident/k1.1.e.x", "1700 a", 0), t_put("ident/k1.1.p.y", "1701 d", 0),
		t_put("ident/k1.1.p.z", "1702 d", 0), t_put("ident/k1.1.p.odd", "nonsense", 0),
	};
	assert_int_equal(t_apply(t, head, after, 108, writes, COUNT(writes))->status, VIEW_DONE);
	const char *keys[] = {"ident/k1.1.p.y", "lead/a", "ident/k1.1.e.x", "lead/none",
	                      "ident/k1.1.p.z", "ident/none", "ident/k1.1.p.odd"};
	const struct view_reply *reply = t_read(t, keys, COUNT(keys), 5000, 10);
	assert_int_equal(reply->status, VIEW_DONE);
	assert_int_equal(reply->head.state, VIEW_HEAD_NORMAL);
	assert_true(head_equal(&reply->head.head, &after));
	assert_int_equal(reply->head.pos, 108);
	assert_int_equal(reply->value_count, 9);
	assert_value(reply, 0, "ident/k1.1.p.y", "1701 d");
	assert_value(reply, 1, "lead/a", "{\"a\":1}");
	assert_value(reply, 2, "ident/k1.1.e.x", "1700 a");
	assert_value(reply, 3, "lead/none", NULL);
	assert_value(reply, 4, "ident/k1.1.p.z", "1702 d");
	assert_value(reply, 5, "ident/none", NULL);
	assert_value(reply, 6, "ident/k1.1.p.odd", "nonsense");
	assert_value(reply, 7, "lead/d", "{\"d\":1}"); /* by two identities, once */
	assert_value(reply, 8, "lead/b", "{\"b\":1}"); /* due; lead/a is due too, but was asked for */
	assert_int_equal(reply->due_count, 2);
	assert_string_equal(reply->due[0].p, "b");
	assert_string_equal(reply->due[1].p, "a");
	assert_int_equal(reply->next_due_ms, 9000);
}

/* A lead brings the one that it may be merged with, however it was come to; that one brings no third. */
static void a_lead_brings_the_one_beside_it(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t);
	struct write writes[] = {
		t_put("lead/a", "{\"contest\":\"b\"}", 0),     t_put("lead/b", "{\"contest\":\"c\"}", 0),
		t_put("lead/c", "{}", 0),                         t_put("lead/d", "{\"contest\":\"e\",\"x\":1}", 10),
		t_put("lead/e", "{}", 0),                         t_put("lead/f", "{\"t\":\"\\\"contest\\\":\\\"c\"}", 0),
		t_put("lead/g", "{\"contest\":\"gone\"}", 0), t_put("ident/i", "1 g", 0),
	};
	t_apply(t, head, t_head(3, 11, HASH_B), 101, writes, COUNT(writes));
	const char *keys[] = {"lead/a", "lead/f", "ident/i"};
	const struct view_reply *reply = t_read(t, keys, COUNT(keys), 20, 10);
	assert_int_equal(reply->value_count, 8);
	assert_value(reply, 3, "lead/g", "{\"contest\":\"gone\"}");
	assert_value(reply, 4, "lead/d", "{\"contest\":\"e\",\"x\":1}");
	assert_value(reply, 5, "lead/b", "{\"contest\":\"c\"}");
	assert_value(reply, 6, "lead/gone", NULL);
	assert_value(reply, 7, "lead/e", "{}");
}

static void timers_come_earliest_first_and_the_rest_is_announced(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t);
	struct write writes[] = {t_put("lead/a", "{A}", 30), t_put("lead/b", "{B}", 10), t_put("lead/c", "{C}", 1763762715026)};
	t_apply(t, head, t_head(3, 11, HASH_B), 101, writes, COUNT(writes));
	const struct view_reply *reply = t_read(t, NULL, 0, 2000000000000, 1);
	assert_int_equal(reply->due_count, 1);
	assert_string_equal(reply->due[0].p, "b");
	assert_int_equal(reply->next_due_ms, 30); /* due as well, but beyond the limit */
	reply = t_read(t, NULL, 0, 30, 8);
	assert_int_equal(reply->due_count, 2);
	assert_int_equal(reply->next_due_ms, 1763762715026);
	reply = t_read(t, NULL, 0, 2000000000000, 8);
	assert_int_equal(reply->due_count, 3);
	assert_int_equal(reply->next_due_ms, 0);
	reply = t_read(t, NULL, 0, 0, 8);
	assert_int_equal(reply->due_count, 0);
	assert_int_equal(reply->next_due_ms, 10);
}

static void bytes_come_back_as_they_went(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t);
	const struct slice id = SLICE("lead/\0 {\r\n\xff%"), name = SLICE("ident/\r\n\0*3"), odd = SLICE("7 \0 {\r\n\xff%");
	struct write writes[] = {{.key = id, .value = SLICE("{\0\r\n$-1\r\n\xfe"), .due_ms = 5},
	                         {.key = name, .value = odd},
	                         {.key = SLICE("ident/empty"), .value = SLICE("")}};
	assert_int_equal(t_apply(t, head, t_head(3, 11, HASH_B), 101, writes, 3)->status, VIEW_DONE);
	struct slice keys[] = {name, SLICE("ident/empty")};
	struct view_read_args args = {.keys = keys, .key_count = 2, .due_until_ms = 5, .due_limit = 1};
	view_read(t->view, 7, &args, t_on_reply, t);
	const struct view_reply *reply = t_wait(t);
	assert_int_equal(reply->value_count, 3);
	assert_true(slice_equal(reply->values[0].value, odd));
	assert_true(reply->values[1].is_found && reply->values[1].value.len == 0);
	assert_true(slice_equal(reply->values[2].key, id));
	assert_true(slice_equal(reply->values[2].value, writes[0].value));
	assert_int_equal(reply->due_count, 1);
	assert_int_equal(reply->due[0].len, id.len - 5);
}

static void memory_is_read_with_the_head(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t);
	struct write writes[] = {t_put("ring/sales", "[1]", 0), t_put("lead/x", "X", 0), t_put("mem/rep/ana", "{\"due\":70,M}", 70)};
	t_apply(t, head, t_head(3, 11, HASH_B), 101, writes, 3);
	view_read_memory(t->view, 7, t_on_reply, t);
	const struct view_reply *reply = t_wait(t);
	assert_int_equal(reply->status, VIEW_DONE);
	assert_int_equal(reply->head.head.seq, 11);
	assert_int_equal(reply->value_count, 2);
	assert_value(reply, 0, "ring/sales", "[1]");
	assert_value(reply, 1, "mem/rep/ana", "{\"due\":70,M}");
	reply = t_read(t, NULL, 0, 100, 5); /* a memory key that is due is named as a whole and brings no value */
	assert_int_equal(reply->due_count, 1);
	assert_true(slice_is(reply->due[0], "mem/rep/ana"));
	assert_int_equal(reply->value_count, 0);
}

/* Counts how often each of leads 0…count-1 is named; steps go on until the cursor is 0 again. */
static void walk_all(struct view_test *t, unsigned char *seen, size_t count, struct head *head)
{
	struct view_read_args args = {.is_walk = true, .walk_count = 50};
	size_t steps = 0;
	do {
		view_read(t->view, 7, &args, t_on_reply, t);
		const struct view_reply *reply = t_wait(t);
		assert_int_equal(reply->status, VIEW_DONE);
		assert_true(reply->walked_count <= reply->value_count);
		for (size_t i = 0; i < reply->walked_count; i++) {
			size_t lead = (size_t)atoi(reply->walked[i].p + 1);
			if (lead < count)
				seen[lead] = 1;
		}
		args.walk_cursor = reply->walk_next;
		/* others come and go meanwhile */
		char key[32];
		snprintf(key, sizeof key, "lead/x%zu", steps % 40 + 5000);
		struct write write[] = {steps % 3 ? t_put(key, "X", 0) : t_delete(key)};
		struct head after = *head;
		after.seq++;
		assert_int_equal(t_apply(t, *head, after, 100, write, 1)->status, VIEW_DONE);
		*head = after;
	} while (args.walk_cursor != 0 && ++steps < 1000);
	assert_true(steps > 10 && steps < 1000);
}

static void a_walk_sees_every_lead_that_stays(void **state)
{
	enum { LEADS = 3000 };
	struct view_test *t = the_test(state);
	struct head head = fill_head(t), after = head;
	static struct write writes[LEADS];
	static char keys[LEADS][16];
	for (size_t i = 0; i < LEADS; i++) {
		snprintf(keys[i], sizeof keys[i], "lead/l%zu", i);
		writes[i] = t_put(keys[i], "V", 0);
	}
	after.seq++;
	assert_int_equal(t_apply(t, head, after, 99, writes, LEADS)->status, VIEW_DONE);
	static unsigned char seen[LEADS];
	walk_all(t, seen, LEADS, &after);
	for (size_t i = 0; i < LEADS; i++)
		assert_int_equal(seen[i], 1);
}

static void impossible_requests_are_refused_unsent(void **state)
{
	struct view_test *t = the_test(state);
	const char *keys[] = {"ring/x"};
	const struct view_reply *reply = t_read(t, keys, 1, 0, 0);
	assert_int_equal(reply->status, VIEW_REFUSED);
	assert_int_equal(reply->err.code, ERR_VIEW_KEY);
	struct head head = fill_head(t);
	struct write odd[] = {t_put("lead/a", "A", 0), t_put("barrier", "x", 0)};
	reply = t_apply(t, head, t_head(3, 11, HASH_B), 101, odd, 2);
	assert_int_equal(reply->status, VIEW_REFUSED);
	assert_int_equal(reply->err.code, ERR_VIEW_KEY);
	reply = t_apply(t, head, t_head(3, 11, "not a hash at al"), 101, odd, 1);
	assert_int_equal(reply->err.code, ERR_VIEW_LIMIT);
	assert_dump(t, "[N 3 10 " HASH_A " 100 (nil) 2] [] [] [] []");
}

/* ---- applying */

static void apply_writes_all_and_the_head(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t), second = t_head(3, 11, HASH_B), third = t_head(3, 12, HASH_A);
	struct write first[] = {t_put("lead/a", "{A}", 50), t_put("lead/b", "{B}", 60), t_put("ident/i", "1 a", 0),
	                        t_put("ring/r", "R", 0)};
	const struct view_reply *reply = t_apply(t, head, second, 104, first, COUNT(first));
	assert_int_equal(reply->status, VIEW_DONE);
	assert_int_equal(reply->head.pos, 104);
	assert_true(head_equal(&reply->head.head, &second));
	struct write then[] = {t_put("lead/a", "AA", 0), t_delete("lead/b"), t_delete("ident/i"), t_delete("ring/none")};
	assert_int_equal(t_apply(t, second, third, 108, then, COUNT(then))->status, VIEW_DONE);
	assert_dump(t, "[N 3 12 " HASH_A " 108 (nil) 2] [a AA] [] [r R] []");
}

static void apply_on_another_head_is_stale_and_writes_nothing(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t), after = t_head(3, 11, HASH_B);
	struct write writes[] = {t_put("lead/a", "{A}", 50)};
	const struct head others[] = {t_head(2, 10, HASH_A), t_head(3, 9, HASH_A), t_head(3, 10, HASH_B)};
	for (size_t i = 0; i < COUNT(others); i++) {
		const struct view_reply *reply = t_apply(t, others[i], after, 101, writes, 1);
		assert_int_equal(reply->status, VIEW_STALE);
		assert_int_equal(reply->head.state, VIEW_HEAD_NORMAL);
		assert_true(head_equal(&reply->head.head, &head));
	}
	assert_dump(t, "[N 3 10 " HASH_A " 100 (nil) 2] [] [] [] []");
}

static void apply_again_is_done_and_changes_nothing(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t), after = t_head(3, 11, HASH_B);
	struct write writes[] = {t_put("lead/a", "{A}", 50)};
	assert_int_equal(t_apply(t, head, after, 101, writes, 1)->status, VIEW_DONE);
	rig_call(t->rig, "HSET {lr:7}:lead a changed");
	const struct view_reply *reply = t_apply(t, head, after, 101, writes, 1);
	assert_int_equal(reply->status, VIEW_DONE);
	assert_true(head_equal(&reply->head.head, &after));
	assert_dump(t, "[N 3 11 " HASH_B " 101 (nil) 2] [a changed] [] [] [a 50]");
}

static void apply_on_a_wiped_view_is_stale(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t);
	rig_call(t->rig, "FLUSHALL");
	struct write writes[] = {t_put("lead/a", "{A}", 50)};
	const struct view_reply *reply = t_apply(t, head, t_head(3, 11, HASH_B), 101, writes, 1);
	assert_int_equal(reply->status, VIEW_STALE);
	assert_int_equal(reply->head.state, VIEW_HEAD_MISSING);
	assert_call(t, "0", "DBSIZE");
}

static void large_numbers_are_compared_exactly(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = t_head(900000000000000001, 900719925474099301, HASH_A);
	t_begin(t, NOTHING, head.epoch);
	assert_int_equal(t_finish(t, 0, head, 900719925474099303)->status, VIEW_DONE);
	struct head near = head; /* the same double */
	near.seq++;
	struct write writes[] = {t_put("lead/a", "A", 0)};
	assert_int_equal(t_apply(t, near, t_head(head.epoch, near.seq + 1, HASH_B), 1, writes, 1)->status, VIEW_STALE);
	const struct view_reply *reply = t_apply(t, head, t_head(head.epoch, near.seq, HASH_B), 1, writes, 1);
	assert_int_equal(reply->status, VIEW_DONE);
	assert_int_equal(reply->head.head.seq, 900719925474099302);
}

static void the_largest_batch_fits_into_one_call(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t);
	static char keys[VIEW_WRITES_PER_CALL + 1][24];
	static struct write writes[VIEW_WRITES_PER_CALL + 1];
	for (int i = 0; i <= VIEW_WRITES_PER_CALL; i++) {
		snprintf(keys[i], sizeof keys[i], "lead/%d", i);
		writes[i] = t_put(keys[i], "{}", i + 1);
	}
	struct head after = t_head(3, 11, HASH_B);
	assert_int_equal(t_apply(t, head, after, 101, writes, VIEW_WRITES_PER_CALL + 1)->err.code, ERR_VIEW_LIMIT);
	assert_int_equal(t_apply(t, head, after, 101, writes, VIEW_WRITES_PER_CALL)->status, VIEW_DONE);
	assert_call(t, "8192", "HLEN {lr:7}:lead");
	assert_call(t, "{\"due\":1}", "HGET {lr:7}:lead 0");
	assert_int_equal(t_read(t, NULL, 0, VIEW_WRITES_PER_CALL, VIEW_DUE_MAX)->due_count, VIEW_WRITES_PER_CALL);
	for (int i = 0; i < VIEW_WRITES_PER_CALL; i++)
		writes[i] = t_delete(keys[i]);
	assert_int_equal(t_apply(t, after, t_head(3, 12, HASH_A), 102, writes, VIEW_WRITES_PER_CALL)->status, VIEW_DONE);
	assert_dump(t, "[N 3 12 " HASH_A " 102 (nil) 2] [] [] [] []");
}

/* ---- epoch and rebuild */

static void epoch_is_set_only_on_the_head_that_was_seen(void **state)
{
	struct view_test *t = the_test(state);
	struct view_head seen = {.state = VIEW_HEAD_NORMAL, .head = fill_head(t), .pos = 100};
	view_install_epoch(t->view, 7, &seen, 4, t_on_reply, t);
	const struct view_reply *reply = t_wait(t);
	assert_int_equal(reply->status, VIEW_DONE);
	assert_int_equal(reply->head.head.epoch, 4);
	view_install_epoch(t->view, 7, &seen, 5, t_on_reply, t);
	reply = t_wait(t);
	assert_int_equal(reply->status, VIEW_STALE);
	assert_int_equal(reply->head.head.epoch, 4);
	assert_dump(t, "[N 4 10 " HASH_A " 100 (nil) 2] [] [] [] []");
	view_install_epoch(t->view, 8, &NOTHING, 5, t_on_reply, t);
	assert_int_equal(t_wait(t)->status, VIEW_STALE);
	assert_call(t, "0", "EXISTS {lr:8}:head");
}

static void rebuild_empties_fills_and_finishes(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t), now = t_head(3, 11, HASH_B);
	struct write old[] = {t_put("lead/old", "{O}", 5), t_put("ident/old", "1 old", 0), t_put("ring/old", "R", 0)};
	t_apply(t, head, now, 103, old, COUNT(old));
	struct view_head seen = {.state = VIEW_HEAD_NORMAL, .head = now};
	const struct view_reply *reply = t_begin(t, seen, 4);
	assert_int_equal(reply->status, VIEW_DONE);
	assert_int_equal(reply->head.state, VIEW_HEAD_LOADING);
	assert_dump(t, "[L 4 (nil) (nil) (nil) 0 2] [] [] [] []");
	struct write one[] = {t_put("lead/a", "{A}", 7)}, two[] = {t_put("ident/i", "1 a", 0)};
	assert_int_equal(t_chunk(t, 4, 0, one, 1)->status, VIEW_DONE);
	reply = t_chunk(t, 4, 1, two, 1);
	assert_int_equal(reply->status, VIEW_DONE);
	assert_int_equal(reply->head.chunk, 2);
	assert_int_equal(t_finish(t, 1, t_head(4, 20, HASH_A), 200)->status, VIEW_STALE);
	assert_int_equal(t_finish(t, 2, t_head(4, 20, HASH_A), 200)->status, VIEW_DONE);
	assert_dump(t, "[N 4 20 " HASH_A " 200 (nil) 2] [a {\"due\":7,A}] [i 1 a] [] [a 7]");
}

static void half_a_rebuild_is_seen_as_loading(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t);
	t_begin(t, (struct view_head){.state = VIEW_HEAD_NORMAL, .head = head}, 4);
	struct write one[] = {t_put("lead/a", "{A}", 7)};
	t_chunk(t, 4, 0, one, 1);
	const char *keys[] = {"lead/a"};
	const struct view_reply *reply = t_read(t, keys, 1, 100, 5);
	assert_int_equal(reply->status, VIEW_DONE);
	assert_int_equal(reply->head.state, VIEW_HEAD_LOADING);
	assert_int_equal(reply->head.head.epoch, 4);
	assert_int_equal(reply->head.chunk, 1);
	assert_int_equal(reply->due_count, 0);
	reply = t_apply(t, head, t_head(3, 11, HASH_B), 101, one, 1);
	assert_int_equal(reply->status, VIEW_STALE);
	assert_int_equal(reply->head.state, VIEW_HEAD_LOADING);
}

static void chunks_of_two_rebuilders_do_not_mix(void **state)
{
	struct view_test *t = the_test(state);
	struct write one[] = {t_put("lead/a", "{old}", 7)}, two[] = {t_put("lead/b", "{new}", 8)};
	t_begin(t, NOTHING, 4);
	t_chunk(t, 4, 0, one, 1);
	struct view_head seen = {.state = VIEW_HEAD_LOADING, .head = {.epoch = 4}, .chunk = 1};
	assert_int_equal(t_begin(t, (struct view_head){.state = VIEW_HEAD_LOADING, .head = {.epoch = 4}}, 5)->status, VIEW_STALE);
	assert_int_equal(t_begin(t, seen, 5)->status, VIEW_DONE);
	assert_int_equal(t_chunk(t, 4, 0, one, 1)->status, VIEW_STALE);
	assert_int_equal(t_chunk(t, 5, 0, two, 1)->status, VIEW_DONE);
	assert_int_equal(t_chunk(t, 4, 1, one, 1)->status, VIEW_STALE);
	assert_int_equal(t_chunk(t, 5, 0, two, 1)->status, VIEW_STALE); /* the same chunk again is not guessed to be done */
	assert_int_equal(t_finish(t, 1, t_head(4, 30, HASH_A), 300)->status, VIEW_STALE);
	assert_int_equal(t_finish(t, 1, t_head(5, 30, HASH_A), 300)->status, VIEW_DONE);
	assert_dump(t, "[N 5 30 " HASH_A " 300 (nil) 2] [b {\"due\":8,new}] [] [] [b 8]");
}

static void a_rebuild_gives_the_same_dump_as_the_applies_did(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t), second = t_head(3, 11, HASH_B), third = t_head(3, 12, HASH_A);
	struct write first[] = {t_put("lead/b", "{B\x01 \\}", 50), t_put("lead/a", "{A}", 60), t_put("ident/i", "1 a", 0)};
	struct write then[] = {t_put("lead/b", "BB \n", 0), t_put("ring/r", "R", 0), t_delete("ident/i")};
	t_apply(t, head, second, 103, first, COUNT(first));
	t_apply(t, second, third, 106, then, COUNT(then));
	char live[512];
	snprintf(live, sizeof live, "%s", t_dump(t));
	assert_string_equal(live, "head e 3\nhead fmt 2\nhead h " HASH_A "\nhead pos 106\nhead q 12\nhead s N\n"
	                          "lead a {\"due\":60,A}\nlead b BB\\x20\\x0a\nring r R\ndue a 60\n");
	struct view_head seen = {.state = VIEW_HEAD_NORMAL, .head = third};
	t_begin(t, seen, 3);
	struct write all[] = {t_put("ring/r", "R", 0), t_put("lead/a", "{A}", 60), t_put("lead/b", "BB \n", 0)};
	t_chunk(t, 3, 0, all, 2);
	t_chunk(t, 3, 1, &all[2], 1);
	assert_int_equal(t_finish(t, 2, third, 106)->status, VIEW_DONE);
	assert_string_equal(t_dump(t), live);
}

/* ---- foreign data */

static void another_type_under_our_keys_is_broken_before_any_write(void **state)
{
	struct view_test *t = the_test(state);
	static const char *const keys[] = {"lead", "ident", "ring", "due", "pages"};
	struct write writes[] = {t_put("lead/a", "{A}", 5), t_put("ident/i", "1 a", 0), t_put("ring/r", "R", 0)};
	for (size_t i = 0; i < COUNT(keys); i++) {
		rig_call(t->rig, "FLUSHALL");
		struct head head = fill_head(t);
		rig_call(t->rig, "SET {lr:7}:%s mine", keys[i]);
		const struct view_reply *reply = t_apply(t, head, t_head(3, 11, HASH_B), 101, writes, COUNT(writes));
		assert_int_equal(reply->status, VIEW_BROKEN);
		assert_int_equal(reply->err.code, ERR_VIEW_FOREIGN);
		assert_true(head_equal(&reply->head.head, &head));
		assert_call(t, "2", "DBSIZE");
		assert_call(t, "[N 3 10 " HASH_A "]", "HMGET {lr:7}:head s e q h");
		view_read_memory(t->view, 7, t_on_reply, t);
		enum view_status rings = t_wait(t)->status;
		assert_int_equal(rings, i == 2 ? VIEW_BROKEN : VIEW_DONE);
		reply = t_read(t, NULL, 0, 0, 0);
		assert_int_equal(reply->status, i == 2 ? VIEW_DONE : VIEW_BROKEN);
		assert_int_equal(t_begin(t, reply->head, 4)->status, VIEW_DONE);
		assert_dump(t, "[L 4 (nil) (nil) (nil) 0 2] [] [] [] []");
	}
}

static void a_head_that_is_not_ours_is_broken_and_can_be_replaced(void **state)
{
	struct view_test *t = the_test(state);
	static const char *const heads[] = {
		"SET {lr:7}:head x",
		"HSET {lr:7}:head s N e 3 q 10 h " HASH_A " pos 100 fmt 1",
		"HSET {lr:7}:head s N e 3 q 10 h " HASH_A " fmt 2",
		"HSET {lr:7}:head s N e -3 q 10 h " HASH_A " pos 100 fmt 2",
		"HSET {lr:7}:head s N e 3 q 010 h " HASH_A " pos 100 fmt 2",
		"HSET {lr:7}:head s N e 3 q 1e3 h " HASH_A " pos 100 fmt 2",
		"HSET {lr:7}:head s N e 3 q 1000000000000000000 h " HASH_A " pos 100 fmt 2",
		"HSET {lr:7}:head s N e 3 q 10 h XYZ pos 100 fmt 2",
		"HSET {lr:7}:head s L e 3 fmt 2",
		"HSET {lr:7}:head s Q e 3 q 10 h " HASH_A " pos 100 fmt 2",
	};
	struct write writes[] = {t_put("lead/a", "{A}", 5)};
	for (size_t i = 0; i < COUNT(heads); i++) {
		rig_call(t->rig, "FLUSHALL");
		rig_call(t->rig, "%s", heads[i]);
		assert_int_equal(t_read(t, NULL, 0, 0, 0)->status, VIEW_BROKEN);
		assert_int_equal(t_apply(t, t_head(3, 10, HASH_A), t_head(3, 11, HASH_B), 101, writes, 1)->status, VIEW_BROKEN);
		const struct view_reply *reply = t_read(t, NULL, 0, 0, 0);
		assert_int_equal(reply->head.state, VIEW_HEAD_MISSING);
		assert_int_equal(t_begin(t, reply->head, 9)->status, VIEW_DONE);
		assert_dump(t, "[L 9 (nil) (nil) (nil) 0 2] [] [] [] []");
		assert_call(t, "4", "HLEN {lr:7}:head");
	}
}

/* ---- memory, scripts, order */

static void maxmemory_refuses_the_whole_script(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t), now = t_head(3, 11, HASH_B);
	struct write some[] = {t_put("lead/a", "{A}", 5), t_put("lead/b", "{B}", 6)};
	t_apply(t, head, now, 101, some, 2);
	const char *before = "[N 3 11 " HASH_B " 101 (nil) 2] [a {\"due\":5,A} b {\"due\":6,B}] [] [] [a 5 b 6]";
	assert_dump(t, before);
	rig_call(t->rig, "CONFIG SET maxmemory 1");
	struct write mixed[] = {t_delete("lead/a"), t_put("lead/c", "{C}", 7)}, only_deletes[] = {t_delete("lead/a")};
	const struct view_reply *reply = t_apply(t, now, t_head(3, 12, HASH_A), 102, mixed, 2);
	assert_int_equal(reply->status, VIEW_REFUSED);
	assert_int_equal(reply->err.code, ERR_REDIS_MEMORY);
	assert_int_equal(t_apply(t, now, t_head(3, 12, HASH_A), 102, only_deletes, 1)->status, VIEW_REFUSED);
	struct view_head seen = {.state = VIEW_HEAD_NORMAL, .head = now};
	view_install_epoch(t->view, 7, &seen, 4, t_on_reply, t);
	assert_int_equal(t_wait(t)->status, VIEW_REFUSED);
	assert_int_equal(t_begin(t, seen, 4)->status, VIEW_REFUSED);
	assert_dump(t, before);
	rig_call(t->rig, "CONFIG SET maxmemory 0");
	t_begin(t, seen, 4);
	rig_call(t->rig, "CONFIG SET maxmemory 1");
	assert_int_equal(t_chunk(t, 4, 0, mixed, 2)->status, VIEW_REFUSED);
	assert_int_equal(t_finish(t, 0, t_head(4, 12, HASH_A), 102)->status, VIEW_REFUSED);
	assert_dump(t, "[L 4 (nil) (nil) (nil) 0 2] [] [] [] []");
	rig_call(t->rig, "CONFIG SET maxmemory 0");
	assert_int_equal(t_chunk(t, 4, 0, mixed, 2)->status, VIEW_DONE);
}

static void flushed_scripts_are_loaded_again(void **state)
{
	struct view_test *t = the_test(state);
	struct head head = fill_head(t);
	rig_call(t->rig, "SCRIPT FLUSH");
	struct write writes[] = {t_put("lead/a", "{A}", 5)};
	assert_int_equal(t_apply(t, head, t_head(3, 11, HASH_B), 101, writes, 1)->status, VIEW_DONE);
	assert_int_equal(t_read(t, NULL, 0, 0, 0)->head.head.seq, 11);
	struct view_stats stats;
	view_stats(t->view, &stats);
	assert_int_equal(stats.scripts_reloaded, 2);
	assert_int_equal(stats.losses, 0);
	assert_int_equal(stats.pending, 0);
}

struct order {
	struct view_test *t;
	char seen[16];
	size_t count;
};

static void on_first(void *ctx, const struct view_reply *reply)
{
	struct order *order = ctx;
	(void)reply;
	order->seen[order->count++] = 'a';
}

static void on_last(void *ctx, const struct view_reply *reply)
{
	struct order *order = ctx;
	order->seen[order->count++] = 'b';
	t_on_reply(order->t, reply);
}

static void pipelined_requests_are_answered_in_order_but_for_cancelled_ones(void **state)
{
	struct view_test *t = the_test(state);
	struct order order = {.t = t};
	struct view_read_args args = {0};
	view_read(t->view, 7, &args, on_first, &order);
	struct view_request *request = view_read(t->view, 7, &args, on_first, &order);
	view_read(t->view, 7, &args, on_last, &order);
	view_cancel(request);
	assert_int_equal(order.count, 0);
	t_wait(t);
	assert_string_equal(order.seen, "ab");
}

static void sales_apps_read_and_do_not_write(void **state)
{
	struct view_test *t = the_test(state);
	struct write writes[] = {t_put("lead/a", "{A}", 5), t_put("ident/i", "1 a", 0)};
	t_apply(t, fill_head(t), t_head(3, 11, HASH_B), 101, writes, 2);
	char command[300];
	static const char *const cases[][2] = {
		{"HGET {lr:7}:lead a", "due.:5,A"},          {"HMGET {lr:7}:head s e q h", "^N$"},
		{"HGET {lr:7}:ident i", "NOPERM"},      {"HSET {lr:7}:lead a B", "NOPERM"},
		{"HGETALL {lr:7}:lead", "NOPERM"},      {"FLUSHALL", "NOPERM"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(command, sizeof command,
		         "redis-cli -s %s --user salesapp --pass CHANGE-ME-SALES --no-auth-warning %s 2>&1 | grep -q %s",
		         t->rig->socket, cases[i][0], cases[i][1]);
		if (system(command) != 0)
			fail_msg("%s", command);
	}
}

static void the_server_time_is_handed_on(void **state)
{
	struct view_test *t = the_test(state);
	assert_true(t->has_time);
	assert_true(t->server_ms > 1600000000000);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_view, close_view)

#define SHARED_TESTS \
	TEST(read_of_nothing_says_missing), \
	TEST(read_returns_head_values_and_what_they_lead_to), \
	TEST(a_lead_brings_the_one_beside_it), \
	TEST(timers_come_earliest_first_and_the_rest_is_announced), \
	TEST(bytes_come_back_as_they_went), \
	TEST(memory_is_read_with_the_head), \
	TEST(a_walk_sees_every_lead_that_stays), \
	TEST(impossible_requests_are_refused_unsent), \
	TEST(apply_writes_all_and_the_head), \
	TEST(apply_on_another_head_is_stale_and_writes_nothing), \
	TEST(apply_again_is_done_and_changes_nothing), \
	TEST(apply_on_a_wiped_view_is_stale), \
	TEST(large_numbers_are_compared_exactly), \
	TEST(the_largest_batch_fits_into_one_call), \
	TEST(epoch_is_set_only_on_the_head_that_was_seen), \
	TEST(rebuild_empties_fills_and_finishes), \
	TEST(a_rebuild_gives_the_same_dump_as_the_applies_did), \
	TEST(half_a_rebuild_is_seen_as_loading), \
	TEST(chunks_of_two_rebuilders_do_not_mix), \
	TEST(another_type_under_our_keys_is_broken_before_any_write), \
	TEST(a_head_that_is_not_ours_is_broken_and_can_be_replaced), \
	TEST(maxmemory_refuses_the_whole_script), \
	TEST(flushed_scripts_are_loaded_again), \
	TEST(pipelined_requests_are_answered_in_order_but_for_cancelled_ones), \
	TEST(the_server_time_is_handed_on)

int main(void)
{
	const struct CMUnitTest tests[] = {SHARED_TESTS};
	const struct CMUnitTest acl_tests[] = {SHARED_TESTS, TEST(sales_apps_read_and_do_not_write)};
	int failed = cmocka_run_group_tests_name("as the default user", tests, start_server, stop_server);
	failed += cmocka_run_group_tests_name("as the user of redis-acl.example", acl_tests, start_server_with_acl, stop_server);
	return failed;
}
