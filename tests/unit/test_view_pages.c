/* SPDX-License-Identifier: Apache-2.0
 *
 * Timers in pages (daemon/view_pages.lua, view_plan.lua) in a real redis-server against a sorted list: what is there, what is
 * read, and that the pages are as they must be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/sim/rng.h"
#include "tests/unit/view_rig.h"

enum { IDS = 1500, WRITES_MAX = 400, ROUNDS = 40, ID_BYTES = 64 };
static const char HASH[] = "0123456789abcdef";

/* ---- what should be there */

struct timer {
	char key[ID_BYTES + 8];
	size_t len;
	bool is_memory, is_stored;
	int64_t due_ms;  /* 0: none */
	int64_t round;   /* of the last write: a write-set names each key once */
};

struct kind {
	const char *name;
	size_t prefix;          /* bytes that all ids begin with */
	const char *alphabet;   /* of the rest */
	size_t letters, most;   /* how many letters there are; of the rest at most */
	int64_t from, width;    /* of due times */
};

static const struct kind KINDS[] = {
	{"one ms", 9, "0123456789abcdef-ABCDEF", 23, 24, 1790000000000, 1},
	{"a few ms", 0, "ab", 2, 14, 1790000000000, 7},
	{"a second", 30, "0123456789", 10, 8, 1790000000000, 1000},
	{"half a century", 2, "0123456789", 10, 10, 1, 1600000000000},
	{"all bytes", 0, "\0\1\7\10\11", 5, 7, 1, 3},
};

struct given {
	struct view_test test;
	const struct kind *kind;
	struct rng rng;
	struct head head;
	struct timer timers[IDS];
	struct write writes[WRITES_MAX];
	char values[WRITES_MAX][80];
	size_t count;
};

static uint64_t below(struct given *g, uint64_t limit)
{
	return rng_below(&g->rng, limit);
}

static bool is_taken(const struct given *g, const struct timer *timer)
{
	for (const struct timer *other = g->timers; other < timer; other++)
		if (other->len == timer->len && memcmp(other->key, timer->key, timer->len) == 0)
			return true;
	return false;
}

static void draw_id(struct given *g, struct timer *timer)
{
	*timer = (struct timer){.is_memory = below(g, 10) == 0};
	do {
		timer->len = (size_t)sprintf(timer->key, "%s", timer->is_memory ? "mem/" : "lead/");
		for (size_t i = 0; i < g->kind->prefix; i++)
			timer->key[timer->len++] = 'p';
		for (size_t left = 1 + below(g, g->kind->most); left > 0; left--)
			timer->key[timer->len++] = g->kind->alphabet[below(g, g->kind->letters)];
	} while (is_taken(g, timer));
}

/* As view_pages.lua orders them: a lead's id, or a memory key as a whole. */
static struct slice name_of(const struct timer *timer)
{
	size_t skip = timer->is_memory ? 0 : 5;
	return (struct slice){timer->key + skip, timer->len - skip};
}

static int by_place(const void *a, const void *b)
{
	const struct timer *x = *(const struct timer *const *)a, *y = *(const struct timer *const *)b;
	if (x->due_ms != y->due_ms)
		return x->due_ms < y->due_ms ? -1 : 1;
	return slice_compare(name_of(x), name_of(y));
}

static size_t pending(struct given *g, const struct timer **ret_timers)
{
	size_t count = 0;
	for (size_t i = 0; i < IDS; i++)
		if (g->timers[i].due_ms > 0)
			ret_timers[count++] = &g->timers[i];
	if (count > 0)
		qsort(ret_timers, count, sizeof *ret_timers, by_place);
	return count;
}

/* ---- writes */

static void put(struct given *g, struct timer *timer)
{
	char *value = g->values[g->count];
	bool is_timed_memory = timer->is_memory && timer->due_ms > 0;
	if (is_timed_memory)
		sprintf(value, "{\"due\":%lld,\"n\":1}", (long long)timer->due_ms);
	else
		sprintf(value, "{\"n\":%d}", (int)below(g, 1000));
	timer->is_stored = true;
	g->writes[g->count++] = (struct write){.key = {timer->key, timer->len}, .value = slice_of(value), .due_ms = timer->due_ms};
}

/* Mostly a timer; else without one, or gone, or with the one that it has. */
static void draw_write(struct given *g, struct timer *timer, unsigned removals)
{
	uint64_t drawn = below(g, 100);
	if (drawn < removals) {
		timer->due_ms = 0;
		timer->is_stored = false;
		g->writes[g->count++] = (struct write){.key = {timer->key, timer->len}, .is_tombstone = true};
		return;
	}
	if (drawn < removals + 10)
		timer->due_ms = 0;
	else if (drawn >= removals + 20)
		timer->due_ms = g->kind->from + (int64_t)below(g, (uint64_t)g->kind->width);
	put(g, timer);
}

static struct head next_head(struct given *g)
{
	struct head head = g->head;
	head.seq++;
	return head;
}

static void write_some(struct given *g, int64_t round, unsigned removals)
{
	g->count = 0;
	for (uint64_t left = 1 + below(g, below(g, 3) == 0 ? WRITES_MAX : 5); left > 0; left--) {
		struct timer *timer = &g->timers[below(g, IDS)];
		if (timer->round != round)
			draw_write(g, timer, removals);
		timer->round = round;
	}
	struct head after = next_head(g);
	assert_int_equal(t_apply(&g->test, g->head, after, 1, g->writes, g->count)->status, VIEW_DONE);
	if (below(g, 4) == 0) /* its answer was lost: once more */
		assert_int_equal(t_apply(&g->test, g->head, after, 1, g->writes, g->count)->status, VIEW_DONE);
	g->head = after;
}

/* ---- checks */

/* Written again, and not taken from view_pages.lua: every page in its bounds, not too large, not empty, in the index. */
static const char CHECK[] =
	"local function is_before(a, b)\n"
	"  for i = 1, math.min(#a, #b) do\n"
	"    if a:byte(i) ~= b:byte(i) then return a:byte(i) < b:byte(i) end\n"
	"  end\n"
	"  return #a < #b\n"
	"end\n"
	"local bounds, count = redis.call('ZRANGEBYLEX', KEYS[2], '-', '+'), 0\n"
	"if #bounds ~= redis.call('HLEN', KEYS[1]) then return 'index and hash differ' end\n"
	"for i = 1, #bounds do\n"
	"  local page, at = redis.call('HGET', KEYS[1], bounds[i]), 1\n"
	"  if not page or page == '' then return 'no page' end\n"
	"  if #page > 1024 then return 'a page is too large' end\n"
	"  while at <= #page do\n"
	"    local place = page:sub(at + 1, at + page:byte(at))\n"
	"    if #place ~= page:byte(at) or #place < 7 then return 'a page is torn' end\n"
	"    if i > 1 and is_before(place, bounds[i]) then return 'before its page' end\n"
	"    if i < #bounds and not is_before(place, bounds[i + 1]) then return 'behind its page' end\n"
	"    at, count = at + #place + 1, count + 1\n"
	"  end\n"
	"end\n"
	"return #bounds .. ' ' .. count\n";

/* Returns how many pages there are. */
static int check_pages(struct given *g, size_t timers)
{
	struct slice eval[] = {SLICE("EVAL"), slice_of(CHECK), SLICE("2"), SLICE("{lr:7}:due"), SLICE("{lr:7}:pages")};
	const char *answer = rig_call_slices(g->test.rig, eval, 5);
	int pages = -1, count = -1;
	if (sscanf(answer, "%d %d", &pages, &count) != 2 || count != (int)timers)
		fail_msg("%s: %s, but there are %zu timers", g->kind->name, answer, timers);
	return pages;
}

static void check_read(struct given *g, const struct timer *const *timers, size_t count, int64_t until_ms, size_t limit)
{
	const struct view_reply *reply = t_read(&g->test, NULL, 0, until_ms, limit);
	assert_int_equal(reply->status, VIEW_DONE);
	size_t due = 0;
	while (due < count && due < limit && timers[due]->due_ms <= until_ms)
		due++;
	assert_int_equal(reply->due_count, due);
	for (size_t i = 0; i < due; i++)
		assert_true(slice_equal(reply->due[i], name_of(timers[i])));
	assert_int_equal(reply->next_due_ms, due < count ? timers[due]->due_ms : 0);
	for (size_t i = 0; i < reply->value_count; i++) /* without what stands in front in Redis */
		assert_true(slice_has_prefix(reply->values[i].value, SLICE("{\"n\":")));
}

static int check_all(struct given *g)
{
	static const struct timer *timers[IDS];
	size_t count = pending(g, timers);
	check_read(g, timers, count, 0, 10);
	check_read(g, timers, count, INT64_MAX / 2, IDS);
	for (int i = 0; i < 3; i++)
		check_read(g, timers, count, g->kind->from + (int64_t)below(g, (uint64_t)g->kind->width), below(g, 200));
	return check_pages(g, count);
}

/* ---- tests */

static struct given *begin(void **state, const struct kind *kind)
{
	struct given *g = *state;
	g->kind = kind;
	g->rng.state = 20261122;
	g->head = t_head(3, 10, HASH);
	rig_call(g->test.rig, "FLUSHALL");
	assert_int_equal(t_begin(&g->test, (struct view_head){.state = VIEW_HEAD_MISSING}, 3)->status, VIEW_DONE);
	assert_int_equal(t_finish(&g->test, 0, g->head, 1)->status, VIEW_DONE);
	for (size_t i = 0; i < IDS; i++)
		draw_id(g, &g->timers[i]);
	return g;
}

static void check_kind(void **state, const struct kind *kind)
{
	struct given *g = begin(state, kind);
	int most = 0;
	for (int round = 1; round <= ROUNDS; round++) {
		bool is_growing = round % 30 < 20;
		write_some(g, round, is_growing ? 5 : 70);
		int pages = check_all(g);
		most = pages > most ? pages : most;
	}
	assert_true(most > 10); /* pages were split */
}

static void pages_hold_what_a_sorted_list_holds(void **state)
{
	if (((struct given *)*state)->test.rig == NULL)
		skip();
	for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
		check_kind(state, &KINDS[i]);
}

/* In chunks, in another order: other pages, the same view. */
static void rebuild(struct given *g)
{
	struct view_head seen = {.state = VIEW_HEAD_NORMAL, .head = g->head};
	uint64_t chunk = 0;
	assert_int_equal(t_begin(&g->test, seen, 3)->status, VIEW_DONE);
	assert_string_equal(rig_call(g->test.rig, "DBSIZE"), "1");
	for (size_t i = 0; i < IDS;) {
		for (g->count = 0; i < IDS && g->count < WRITES_MAX; i++)
			if (g->timers[IDS - 1 - i].is_stored)
				put(g, &g->timers[IDS - 1 - i]);
		assert_int_equal(t_chunk(&g->test, 3, chunk++, g->writes, g->count)->status, VIEW_DONE);
	}
	assert_int_equal(t_finish(&g->test, chunk, g->head, 1)->status, VIEW_DONE);
}

static char *timers_in(const char *dump)
{
	const char *from = strstr(dump, "\ndue ");
	return strdup(from != NULL ? from : "");
}

static void a_rebuild_gives_the_same_timers(void **state)
{
	if (((struct given *)*state)->test.rig == NULL)
		skip();
	for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
		struct given *g = begin(state, &KINDS[i]);
		for (int round = 1; round <= 10; round++)
			write_some(g, round, 5);
		char *live = timers_in(t_dump(&g->test));
		rebuild(g);
		check_all(g);
		char *rebuilt = timers_in(t_dump(&g->test));
		assert_true(strlen(live) > 100);
		assert_string_equal(rebuilt, live);
		free(live);
		free(rebuilt);
	}
}

static void all_timers_gone_leave_no_page(void **state)
{
	if (((struct given *)*state)->test.rig == NULL)
		skip();
	struct given *g = begin(state, &KINDS[2]);
	for (int round = 1; round <= 10; round++)
		write_some(g, round, 5);
	assert_true(check_all(g) > 3);
	for (size_t i = 0; i < IDS;) {
		for (g->count = 0; i < IDS && g->count < WRITES_MAX; i++)
			draw_write(g, &g->timers[i], 100);
		struct head after = next_head(g);
		assert_int_equal(t_apply(&g->test, g->head, after, 1, g->writes, g->count)->status, VIEW_DONE);
		g->head = after;
	}
	assert_string_equal(rig_call(g->test.rig, "KEYS *"), "[{lr:7}:head]");
	write_some(g, 100, 5);
	check_all(g);
}

/* A burst of one deadline is in pages of its own, and a lone timer before or behind it in others, too. */
static void what_is_far_apart_is_not_in_one_page(void **state)
{
	if (((struct given *)*state)->test.rig == NULL)
		skip();
	struct given *g = begin(state, &KINDS[0]);
	static char keys[WRITES_MAX][16];
	for (g->count = 0; g->count < WRITES_MAX; g->count++) {
		snprintf(keys[g->count], sizeof keys[0], "lead/L-%04zu", g->count);
		g->writes[g->count] = t_put(keys[g->count], "{}", 5000);
	}
	g->writes[7].due_ms = 1;
	g->writes[9].due_ms = 9000000;
	assert_int_equal(t_apply(&g->test, g->head, next_head(g), 1, g->writes, g->count)->status, VIEW_DONE);
	assert_true(check_pages(g, WRITES_MAX) >= 6); /* 14 bytes each */
	const struct view_reply *reply = t_read(&g->test, NULL, 0, 1, 10);
	assert_int_equal(reply->due_count, 1);
	assert_string_equal(reply->due[0].p, "L-0007");
	assert_int_equal(reply->next_due_ms, 5000);
	reply = t_read(&g->test, NULL, 0, 5000, WRITES_MAX);
	assert_int_equal(reply->due_count, WRITES_MAX - 1);
	assert_string_equal(reply->due[1].p, "L-0000");
	assert_string_equal(reply->due[WRITES_MAX - 2].p, "L-0399");
	assert_int_equal(reply->next_due_ms, 9000000);
}

/* The id of the first timer has the bytes of the second one's entry in it, but not at its end. */
static void bytes_that_look_like_an_entry_stay(void **state)
{
	if (((struct given *)*state)->test.rig == NULL)
		skip();
	struct given *g = begin(state, &KINDS[0]);
	const struct slice sly = SLICE("lead/\7\0\0\0\0\0\5xy");
	struct write writes[] = {{.key = sly, .value = SLICE("{}"), .due_ms = 4}, t_put("lead/x", "{}", 5), t_delete("lead/x")};
	struct head now = next_head(g), after = now;
	after.seq++;
	assert_int_equal(t_apply(&g->test, g->head, now, 1, writes, 2)->status, VIEW_DONE);
	assert_int_equal(t_apply(&g->test, now, after, 1, &writes[2], 1)->status, VIEW_DONE);
	const struct view_reply *reply = t_read(&g->test, NULL, 0, 9, 9);
	assert_int_equal(reply->due_count, 1);
	assert_int_equal(reply->due[0].len, sly.len - 5);
	assert_memory_equal(reply->due[0].p, sly.p + 5, sly.len - 5);
}

/* Their order in the page would tell. */
static void a_timer_that_is_set_again_as_it_was_is_not_touched(void **state)
{
	if (((struct given *)*state)->test.rig == NULL)
		skip();
	struct given *g = begin(state, &KINDS[0]);
	struct write writes[] = {t_put("lead/a", "{}", 0x616161616161), t_put("lead/b", "{}", 0x616161616162)}; /* printable */
	struct head now = next_head(g), after = now;
	after.seq++;
	assert_int_equal(t_apply(&g->test, g->head, now, 1, writes, 2)->status, VIEW_DONE);
	char *before = strdup(rig_call(g->test.rig, "HVALS {lr:7}:due"));
	writes[0].value = SLICE("{\"n\":1}");
	assert_int_equal(t_apply(&g->test, now, after, 1, writes, 1)->status, VIEW_DONE);
	assert_string_equal(rig_call(g->test.rig, "HGET {lr:7}:lead a"), "{\"due\":107070873493857,\"n\":1}");
	assert_string_equal(rig_call(g->test.rig, "HVALS {lr:7}:due"), before);
	free(before);
}

/* ---- not our pages */

static const char *const SPOILT[] = {
	"HSET {lr:7}:due aaaaaaa \7x",                                           /* torn */
	"HSET {lr:7}:due aaaaaaa nonsense",
	"HDEL {lr:7}:due aaaaaaa",
	"HSET {lr:7}:due aaaaaaa \7\1\1\1\1\1\1z",                               /* another timer only */
	"UNLINK {lr:7}:pages",
	"UNLINK {lr:7}:due",
};

static void spoilt_pages_are_broken_before_any_write(void **state)
{
	struct given *g = *state;
	if (g->test.rig == NULL)
		skip();
	for (size_t i = 0; i < sizeof SPOILT / sizeof *SPOILT; i++) {
		begin(state, &KINDS[0]);
		struct head now = next_head(g), after = now;
		after.seq++;
		struct write first[] = {t_put("lead/a", "{}", 0x616161616161), t_put("lead/b", "{}", 0x616161616161)};
		assert_int_equal(t_apply(&g->test, g->head, now, 1, first, 2)->status, VIEW_DONE);
		rig_call(g->test.rig, "%s", SPOILT[i]); /* "aaaaaaa" is the place of lead a */
		struct write then[] = {t_put("lead/a", "{}", 5), t_delete("lead/b"), t_put("ident/i", "1 a", 0)};
		const struct view_reply *reply = t_apply(&g->test, now, after, 2, then, 3);
		if (reply->status != VIEW_BROKEN)
			fail_msg("%s: %s", SPOILT[i], view_status_name(reply->status));
		assert_int_equal(reply->err.code, ERR_VIEW_FOREIGN);
		assert_true(head_equal(&reply->head.head, &now));
		assert_string_equal(rig_call(g->test.rig, "EXISTS {lr:7}:ident"), "0");
		assert_string_equal(rig_call(g->test.rig, "HLEN {lr:7}:lead"), "2");
		enum view_status read = t_read(&g->test, NULL, 0, 1, 1)->status;
		assert_int_equal(read, i == 3 || i == 4 ? VIEW_DONE : VIEW_BROKEN); /* those two cannot be seen from there */
	}
}

static void a_timer_needs_an_object_and_a_short_key(void **state)
{
	struct given *g = *state;
	if (g->test.rig == NULL)
		skip();
	begin(state, &KINDS[0]);
	char key[VIEW_TIMED_KEY_MAX + 2];
	memset(key, 'k', sizeof key);
	memcpy(key, "lead/", 5);
	key[VIEW_TIMED_KEY_MAX + 1] = '\0';
	struct write writes[] = {t_put("lead/a", "text", 5), t_put(key, "{}", 5), t_put(key, "{}", 5)};
	assert_int_equal(t_apply(&g->test, g->head, next_head(g), 1, &writes[0], 1)->err.code, ERR_VIEW_LIMIT);
	assert_int_equal(t_apply(&g->test, g->head, next_head(g), 1, &writes[1], 1)->err.code, ERR_VIEW_LIMIT);
	writes[2].key.len = VIEW_TIMED_KEY_MAX;
	assert_int_equal(t_apply(&g->test, g->head, next_head(g), 1, &writes[2], 1)->status, VIEW_DONE);
	assert_int_equal(t_read(&g->test, NULL, 0, 5, 1)->due[0].len, VIEW_TIMED_KEY_MAX - 5);
}

/* What waits for its log-in may send no more than 16 KiB in one argument (view_scripts.c). */
static void scripts_are_small(void **state)
{
	(void)state;
	for (int script = 0; script < VIEW_SCRIPTS; script++)
		assert_true(view_script_text((enum view_script)script).len < 16384);
}

static int start(void **state)
{
	struct given *g = calloc(1, sizeof *g);
	*state = g;
	if (g == NULL || !rig_has_server())
		return g == NULL ? -1 : 0;
	g->test.rig = rig_start(NULL);
	struct view_options options = t_options(g->test.rig);
	t_open(&g->test, &options);
	rig_wait(g->test.rig, &g->test.is_up);
	return 0;
}

static int stop(void **state)
{
	struct given *g = *state;
	if (g->test.rig != NULL) {
		t_close(&g->test);
		rig_stop(g->test.rig);
	}
	free(g);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_hold_what_a_sorted_list_holds),
		cmocka_unit_test(a_rebuild_gives_the_same_timers),
		cmocka_unit_test(all_timers_gone_leave_no_page),
		cmocka_unit_test(what_is_far_apart_is_not_in_one_page),
		cmocka_unit_test(bytes_that_look_like_an_entry_stay),
		cmocka_unit_test(a_timer_that_is_set_again_as_it_was_is_not_touched),
		cmocka_unit_test(spoilt_pages_are_broken_before_any_write),
		cmocka_unit_test(a_timer_needs_an_object_and_a_short_key),
		cmocka_unit_test(scripts_are_small),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
