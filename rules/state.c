/* SPDX-License-Identifier: Apache-2.0
 *
 * The codecs. One table says which members a lead's value has; the writer, the fast scanner and the careful reader
 * (json_read, for escaped texts or another order) all walk it. tests/unit/test_state.c holds the two readers to the
 * same answer.
 */
#include "rules/state.h"

#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/base/utf8.h"
#include "rules/json/json.h"
#include "rules/pool.h"
#include "rules/rules.h"
#include "rules/scan.h"
#include "rules/state_clocks.h"

const char *lead_status_name(enum lead_status status)
{
	static const char *const names[] = {
#define STATE(id, name, flags, moves) name,
#include "rules/lifecycle.def"
	};
	return (size_t)status < sizeof names / sizeof *names ? names[status] : "?";
}

struct slice bar_word(int64_t bar)
{
	return bar == BAR_CONTACT ? SLICE("do_not_contact") : bar == BAR_GRADE ? SLICE("stopped_before") : SLICE_NONE;
}

/* ---- the members of a lead's value */

enum member_kind { IS_INT, IS_TEXT, IS_LIST, IS_STATUS, IS_FLAT, IS_FIRST, IS_CLOCKS };

struct member_row {
	struct slice name;
	enum member_kind kind;
	size_t offset;
	int64_t standard; /* an integer with this value is left out */
	size_t items;     /* IS_LIST: at most this many */
};

#define ROW(json, type, field, normal, max) \
	{{json, sizeof json - 1}, type, offsetof(struct lead_state, field), normal, max}
static const struct member_row rows[] = {
	ROW("ver", IS_INT, version, INT64_MIN, 0),
	ROW("state", IS_STATUS, status, 0, 0),
	ROW("owner", IS_TEXT, owner, 0, 0),
	ROW("team", IS_TEXT, team, 0, 0),
	ROW("rule", IS_TEXT, rule, 0, 0),
	ROW("score", IS_INT, score, INT64_MIN, 0),
	ROW("grade", IS_TEXT, grade, 0, 0),
	ROW("at", IS_INT, at_ms, INT64_MIN, 0),
	ROW("deadline", IS_INT, first_response.due_ms, 0, 0),
	ROW("remind", IS_INT, remind_ms, 0, 0),
	ROW("touched", IS_INT, touched_ms, 0, 0),
	ROW("cycle", IS_INT, first_response.cycle, 1, 0),
	ROW("level", IS_INT, first_response.level, 0, 0),
	ROW("dups", IS_INT, duplicates, 0, 0),
	ROW("idents", IS_LIST, idents, 0, STATE_IDENTS_MAX),
	ROW("recent", IS_LIST, recent, 0, STATE_RECENT_MAX),
	ROW("source", IS_TEXT, source, 0, 0),
	ROW("why", IS_TEXT, why, 0, 0),
	ROW("kept", IS_FLAT, kept, 0, 0),
	ROW("first", IS_FIRST, first_response, 0, 0),
	ROW("clocks", IS_CLOCKS, clocks, 0, 0),
	ROW("wake", IS_INT, wake_ms, 0, 0),
	ROW("every", IS_TEXT, every, 0, 0),
	ROW("wakes", IS_INT, wakes, 0, 0),
	ROW("stage", IS_TEXT, stage, 0, 0),
	ROW("fit", IS_INT, fit, 0, 0),
	ROW("interest", IS_INT, interest_milli, 0, 0),
	ROW("interest_at", IS_INT, interest_ms, 0, 0),
	ROW("reached", IS_INT, reached, 0, 0),
	ROW("taught", IS_TEXT, taught, 0, 0),
	ROW("size", IS_INT, size, 0, 0),
	ROW("lane", IS_TEXT, lane, 0, 0),
	ROW("free", IS_INT, is_free, 0, 0),
	ROW("given", IS_INT, given_ms, 0, 0),
	ROW("wait", IS_INT, wait_ms, 0, 0),
	ROW("step", IS_INT, step, 0, 0),
	ROW("familiar", IS_TEXT, familiar, 0, 0),
	ROW("closed", IS_INT, is_closed, 0, 0),
	ROW("far", IS_INT, furthest, 0, 0),
	ROW("cleared", IS_INT, cleared, 0, 0),
	ROW("prev", IS_TEXT, previous, 0, 0),
	ROW("left", IS_INT, left_ms, 0, 0),
	ROW("tried", IS_LIST, tried, 0, STATE_TRIED_MAX),
	ROW("with", IS_LIST, helpers, 0, STATE_HELPERS_MAX),
	ROW("exempt", IS_INT, exempt_ms, 0, 0),
	ROW("excused", IS_INT, excused, 0, 0),
	ROW("cand", IS_TEXT, candidate, 0, 0),
	ROW("asked", IS_TEXT, asked, 0, 0),
	ROW("tally", IS_TEXT, tally, 0, 0),
	ROW("dispute", IS_INT, dispute_ms, 0, 0),
	ROW("claims", IS_LIST, claims, 0, STATE_CLAIMS_MAX),
	ROW("back", IS_TEXT, back, 0, 0),
	ROW("no", IS_TEXT, number, 0, 0),
	ROW("ref", IS_TEXT, referral, 0, 0),
	ROW("from", IS_LIST, from, 0, STATE_FROM_MAX),
	ROW("under", IS_LIST, under, 0, STATE_FROM_MAX),
	ROW("added", IS_FLAT, added, 0, 0),
	ROW("into", IS_TEXT, into, 0, 0),
	ROW("was", IS_TEXT, was, 0, 0),
	ROW("contest", IS_TEXT, contest, 0, 0),
	ROW("apart", IS_LIST, apart, 0, STATE_APART_MAX),
	ROW("common", IS_INT, is_common, 0, 0),
	ROW("lesson", IS_FLAT, lesson, 0, 0),
	ROW("blocked", IS_INT, bar, BAR_NONE, 0),
	ROW("cool", IS_LIST, cooling, 0, STATE_COOLING_MAX),
	ROW("acted", IS_LIST, acted, 0, STATE_ACTED_MAX),
	ROW("sheltered", IS_INT, sheltered_ms, 0, 0),
	ROW("was_why", IS_TEXT, was_why, 0, 0),
	ROW("later", IS_INT, later_ms, 0, 0),
	ROW("seat", IS_TEXT, seat, 0, 0),
	ROW("turn", IS_TEXT, turn, 0, 0),
	ROW("ended", IS_INT, ended_ms, 0, 0),
	ROW("purge", IS_INT, purge_ms, 0, 0),
	ROW("appraised", IS_INT, appraised, 0, 0),
	ROW("odds", IS_INT, percent, 0, 0),
	ROW("ceded", IS_LIST, ceded, 0, STATE_CEDED_MAX),
	ROW("last", IS_INT, last_ms, 0, 0),
};
enum { ROWS = sizeof rows / sizeof *rows };

static const void *field_of(const struct lead_state *lead, const struct member_row *row)
{
	return (const char *)lead + row->offset;
}

static void *field_in(struct lead_state *lead, const struct member_row *row)
{
	return (char *)lead + row->offset;
}

static void put_list(struct json_writer *writer, struct slice name, const struct state_list *list)
{
	if (list->count == 0)
		return;
	json_open_array_as(writer, name);
	for (size_t i = 0; i < list->count; i++)
		json_put_text(writer, NULL, list->items[i]);
	json_close_array(writer);
}

static void put_member(struct json_writer *writer, const struct member_row *row, const struct lead_state *lead)
{
	const void *field = field_of(lead, row);
	switch (row->kind) {
	case IS_INT:
		if (*(const int64_t *)field != row->standard)
			json_put_int_as(writer, row->name, *(const int64_t *)field);
		return;
	case IS_TEXT:
		if (((const struct slice *)field)->len != 0)
			json_put_text_as(writer, row->name, *(const struct slice *)field);
		return;
	case IS_STATUS:
		json_put_text_as(writer, row->name, slice_of(lead_status_name(*(const enum lead_status *)field)));
		return;
	case IS_LIST:
		put_list(writer, row->name, field);
		return;
	case IS_FLAT:
		if (((const struct slice *)field)->len != 0)
			json_put_raw_as(writer, row->name, *(const struct slice *)field);
		return;
	case IS_FIRST:
		state_put_first(writer, row->name, lead);
		return;
	case IS_CLOCKS:
		state_put_clocks(writer, row->name, lead);
		return;
	}
}

void state_put_lead(struct strbuf *out, const struct lead_state *lead)
{
	struct json_writer writer = JSON_WRITER(out);
	struct lead_state copy = *lead;
	state_clocks_stow(&copy);
	json_open_object(&writer, NULL);
	for (size_t i = 0; i < ROWS; i++)
		put_member(&writer, &rows[i], &copy);
	json_close_object(&writer);
}

static bool status_of(struct slice text, enum lead_status *ret_status)
{
	for (int status = 0; status < LEAD_STATUSES; status++)
		if (slice_is(text, lead_status_name((enum lead_status)status))) {
			*ret_status = (enum lead_status)status;
			return true;
		}
	return false;
}

static struct lead_state blank(void)
{
	return (struct lead_state){.version = INT64_MIN, .score = INT64_MIN, .at_ms = INT64_MIN, .status = LEAD_STATUSES,
	                           .first_response = {.name = SLICE("first_response"), .cycle = 1}};
}

/* Required members are there, and every number means something. */
static bool is_sound(const struct lead_state *lead)
{
	return lead->version >= 0 && lead->status != LEAD_STATUSES && lead->score >= INT32_MIN &&
	       lead->score <= INT32_MAX && lead->at_ms != INT64_MIN && lead->duplicates >= 0 && lead->touched_ms >= 0 &&
	       lead->wake_ms >= 0 && lead->wakes >= 0 && lead->interest_ms >= 0 && lead->reached >= 0 && lead->size >= 0 &&
	       lead->size <= POOL_SIZE_MAX && lead->wait_ms >= 0 && lead->step >= 0 && lead->given_ms >= 0 &&
	       lead->furthest >= 0 && lead->bar >= BAR_NONE && lead->bar <= BAR_CONTACT &&
	       lead->left_ms >= 0 && lead->exempt_ms >= 0 && lead->dispute_ms >= 0 &&
	       lead->sheltered_ms >= 0 && lead->later_ms >= 0 && lead->ended_ms >= 0 && lead->purge_ms >= 0 && lead->excused >= EXCUSE_NONE && lead->excused <= EXCUSE_PASS_ON &&
	       (lead->excused == EXCUSE_NONE || lead->exempt_ms != 0) && lead->appraised >= 0 && lead->percent >= 0 &&
	       lead->percent < 100 && lead->last_ms >= 0;
}

/* ---- the fast way: our own form, members in our order */

static bool scan_list(struct scan *scan, size_t max, struct state_list *list)
{
	if (!scan_byte(scan, '['))
		return false;
	for (list->count = 0; list->count < max;) {
		if (!scan_text(scan, &list->items[list->count++]))
			return false;
		if (scan_byte(scan, ']'))
			return true;
		if (!scan_byte(scan, ','))
			return false;
	}
	return false;
}

/* An object of texts and integers, taken as it stands. */
static bool scan_flat(struct scan *scan, struct slice *ret)
{
	const char *start = scan->at;
	struct slice text;
	int64_t number;
	if (!scan_byte(scan, '{'))
		return false;
	do {
		if (!scan_text(scan, &text) || !scan_byte(scan, ':') || (!scan_text(scan, &text) && !scan_int(scan, &number)))
			return false;
	} while (scan_byte(scan, ','));
	if (!scan_byte(scan, '}'))
		return false;
	*ret = (struct slice){start, (size_t)(scan->at - start)};
	return true;
}

static bool scan_member(struct scan *scan, const struct member_row *row, struct lead_state *lead, struct arena *arena)
{
	void *field = field_in(lead, row);
	struct slice text;
	switch (row->kind) {
	case IS_INT:
		return scan_int(scan, field);
	case IS_TEXT:
		return scan_text(scan, field);
	case IS_STATUS:
		return scan_text(scan, &text) && status_of(text, field);
	case IS_LIST:
		return scan_list(scan, row->items, field);
	case IS_FLAT:
		return scan_flat(scan, field);
	case IS_FIRST:
		return state_scan_first(scan, lead);
	case IS_CLOCKS:
		return state_scan_clocks(scan, lead, arena);
	}
	return false;
}

static bool scan_lead(struct slice value, struct lead_state *lead, struct arena *arena)
{
	struct scan scan = {value.p, value.p + value.len};
	size_t next = 0; /* members come in the order of the table: each is looked for behind the one before */
	if (!scan_byte(&scan, '{'))
		return false;
	do {
		struct slice name;
		if (!scan_text(&scan, &name) || !scan_byte(&scan, ':'))
			return false;
		while (next < ROWS && !slice_equal(rows[next].name, name))
			next++;
		if (next == ROWS || !scan_member(&scan, &rows[next], lead, arena))
			return false;
		next++;
	} while (scan_byte(&scan, ','));
	return scan_byte(&scan, '}') && scan.at == scan.end;
}

/* ---- the careful way */

static bool read_list(const struct json *from, size_t max, struct state_list *list)
{
	if (from->type != JSON_IS_ARRAY || from->count > max)
		return false;
	for (list->count = 0; list->count < from->count; list->count++) {
		if (from->items[list->count].type != JSON_IS_STRING)
			return false;
		list->items[list->count] = from->items[list->count].text;
	}
	return true;
}

/* Written again as it would have been. */
static bool read_flat(const struct json *from, struct arena *arena, struct slice *ret)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	bool is_flat = from->type == JSON_IS_OBJECT && from->count != 0;
	json_open_object(&writer, NULL);
	for (size_t i = 0; is_flat && i < from->count; i++) {
		const struct json *item = &from->items[i];
		is_flat = item->type == JSON_IS_STRING || item->type == JSON_IS_INT || item->type == JSON_IS_REAL;
		if (item->type == JSON_IS_STRING)
			json_put_text_as(&writer, from->names[i], item->text);
		else if (item->type == JSON_IS_INT)
			json_put_int_as(&writer, from->names[i], item->integer);
		else
			json_put_real_as(&writer, from->names[i], item->real);
	}
	json_close_object(&writer);
	*ret = (struct slice){arena_memdupz(arena, text.bytes, text.len), text.len};
	strbuf_done(&text);
	return is_flat;
}

static bool read_member(const struct json *from, const struct member_row *row, struct lead_state *lead,
                        struct arena *arena)
{
	void *field = field_in(lead, row);
	switch (row->kind) {
	case IS_INT:
		if (from->type != JSON_IS_INT)
			return false;
		*(int64_t *)field = from->integer;
		return true;
	case IS_TEXT:
		if (from->type != JSON_IS_STRING)
			return false;
		*(struct slice *)field = from->text;
		return true;
	case IS_STATUS:
		return from->type == JSON_IS_STRING && status_of(from->text, field);
	case IS_LIST:
		return read_list(from, row->items, field);
	case IS_FLAT:
		return read_flat(from, arena, field);
	case IS_FIRST:
		return state_read_first(from, lead);
	case IS_CLOCKS:
		return state_read_clocks(from, lead, arena);
	}
	return false;
}

static bool read_lead(const struct json *root, struct lead_state *lead, struct arena *arena)
{
	if (root->type != JSON_IS_OBJECT)
		return false;
	for (size_t i = 0; i < root->count; i++) {
		size_t row = 0;
		while (row < ROWS && !slice_equal(root->names[i], rows[row].name))
			row++;
		if (row == ROWS || !read_member(&root->items[i], &rows[row], lead, arena))
			return false;
	}
	return true;
}

static int malformed(struct err *err, const char *what)
{
	return err_set(err, ERR_STATE_MALFORMED, "the stored value of a %s does not have our form", what);
}

int state_get_lead(struct slice value, struct arena *arena, struct lead_state *ret_lead, struct err *err)
{
	if (value.len == 0 || value.len > STATE_VALUE_BYTES_MAX || utf8_first_bad(value) != value.len)
		return malformed(err, "lead");
	struct lead_state lead = blank();
	if (!scan_lead(value, &lead, arena)) {
		struct json_limits limits = {STATE_VALUE_BYTES_MAX, 3, 600};
		const struct json *root = json_read(value, limits, arena, NULL);
		lead = blank();
		if (root == NULL || !read_lead(root, &lead, arena))
			return malformed(err, "lead");
	}
	if (!state_clocks_settle(&lead) || !is_sound(&lead))
		return malformed(err, "lead");
	*ret_lead = lead;
	return 0;
}

int64_t state_given_ms(const struct lead_state *lead)
{
	return lead->given_ms != 0 ? lead->given_ms : lead->at_ms;
}

int64_t state_last_ms(const struct lead_state *lead)
{
	int64_t given_ms = state_given_ms(lead), acted_ms = lead->last_ms > lead->touched_ms ? lead->last_ms : lead->touched_ms;
	return acted_ms > given_ms ? acted_ms : given_ms;
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
	return b_ms == 0 || (a_ms != 0 && a_ms < b_ms) ? a_ms : b_ms;
}

int64_t state_next_due(const struct lead_state *lead)
{
	int64_t due_ms = lead->first_response.next_ms;
	for (size_t i = 0; i < lead->clock_count; i++) {
		int64_t next_ms = lead->clocks[i].next_ms;
		if (next_ms != 0 && (due_ms == 0 || next_ms < due_ms))
			due_ms = next_ms;
	}
	due_ms = earlier(due_ms, lead->wake_ms);
	due_ms = earlier(due_ms, lead->later_ms);
	due_ms = earlier(due_ms, lead->purge_ms);
	due_ms = earlier(due_ms, lead->dispute_ms);
	return lead->excused != 0 ? earlier(due_ms, lead->exempt_ms) : due_ms;
}

/* ---- ident */

void state_put_ident(struct strbuf *out, const struct ident_state *ident)
{
	strbuf_put_int(out, ident->at_ms);
	strbuf_putc(out, ' ');
	if (ident->is_barred)
		strbuf_putc(out, '!');
	else
		strbuf_append(out, ident->lead_id.p, ident->lead_id.len);
}

int state_get_ident(struct slice value, struct ident_state *ret_ident)
{
	if (value.len == 0)
		return -1;
	struct scan scan = {value.p, value.p + value.len};
	struct ident_state ident = {0};
	if (!scan_int(&scan, &ident.at_ms) || !scan_byte(&scan, ' '))
		return -1;
	ident.lead_id = (struct slice){scan.at, (size_t)(scan.end - scan.at)};
	ident.is_barred = slice_is(ident.lead_id, "!");
	if (ident.is_barred)
		ident.lead_id = SLICE_NONE;
	else if (!state_is_lead_id(ident.lead_id))
		return -1;
	*ret_ident = ident;
	return 0;
}

/* ---- names */

static struct slice join(struct arena *arena, const char *prefix, struct slice id)
{
	size_t prefix_len = strlen(prefix);
	char *text = arena_alloc(arena, prefix_len + id.len + 1);
	memcpy(text, prefix, prefix_len);
	memcpy(text + prefix_len, id.p, id.len);
	return (struct slice){text, prefix_len + id.len};
}

struct slice state_lead_key(struct arena *arena, struct slice lead_id)
{
	return join(arena, "lead/", lead_id);
}

struct slice state_ring_key(struct arena *arena, struct slice team_id)
{
	return join(arena, "ring/", team_id);
}

bool state_is_lead_id(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_letter && c != '.' && c != '_' && c != ':' && c != '-')
			return false;
	}
	return text.len >= 1 && text.len <= LEAD_ID_BYTES_MAX;
}

/* ---- for readers of the state that know no more than rules.h */

bool rules_is_memory(struct slice key)
{
	return slice_has_prefix(key, SLICE("ring/")) || slice_has_prefix(key, SLICE("mem/"));
}

/* {"due":MS… */
static int64_t memory_due(struct slice value)
{
	static const struct slice start = {"{\"due\":", 7};
	int64_t due_ms;
	struct scan scan = {value.p + start.len, value.p + value.len};
	return slice_has_prefix(value, start) && scan_int(&scan, &due_ms) && due_ms > 0 ? due_ms : 0;
}

int64_t rules_due_of(struct slice key, struct slice value)
{
	if (slice_has_prefix(key, SLICE("mem/")))
		return memory_due(value);
	struct arena arena = ARENA_INIT;
	struct lead_state lead;
	int64_t due_ms = 0;
	if (slice_has_prefix(key, SLICE("lead/")) && state_get_lead(value, &arena, &lead, NULL) == 0)
		due_ms = state_next_due(&lead);
	arena_done(&arena);
	return due_ms;
}

struct slice rules_ident_lead(struct slice value)
{
	struct ident_state ident;
	return state_get_ident(value, &ident) == 0 ? ident.lead_id : SLICE_NONE;
}

/* Quotes inside of a text are escaped, so this is the member. The reader finds it in the same way (daemon/view_read.lua). */
struct slice rules_lead_beside(struct slice value)
{
	static const char mark[] = "\"contest\":\"";
	const char *at = value.len != 0 ? memmem(value.p, value.len, mark, sizeof mark - 1) : NULL;
	if (at == NULL)
		return SLICE_NONE;
	at += sizeof mark - 1;
	const char *end = memchr(at, '"', (size_t)(value.p + value.len - at));
	return end != NULL ? (struct slice){at, (size_t)(end - at)} : SLICE_NONE;
}
