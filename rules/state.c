/* SPDX-License-Identifier: Apache-2.0
 *
 * The codecs. One table, rules/state.def, says which members a lead's value has, for the writer, the fast scanner and the
 * careful reader (json_read, for escaped texts or another order). tests/unit/test_state.c holds the two readers to the
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

enum member_kind { IS_INT, IS_TEXT, IS_LIST, IS_STATUS, IS_FLAT, IS_FIRST, IS_CLOCKS, IS_REMIND = IS_INT, IS_CYCLE = IS_INT };

struct member_row {
	struct slice name;
	enum member_kind kind;
	size_t offset;
	int64_t standard; /* an integer with this value is left out */
	size_t items;     /* IS_LIST: at most this many */
};

static const struct member_row rows[] = {
#define MEMBER(json, type, field, normal, max) \
	{{json, sizeof json - 1}, IS_##type, offsetof(struct lead_state, field), normal, max},
#include "rules/state.def"
};
enum { ROWS = sizeof rows / sizeof *rows };

static void *field_in(struct lead_state *lead, const struct member_row *row)
{
	return (char *)lead + row->offset;
}

static void write_list(struct json_writer *writer, struct slice name, const struct state_list *list)
{
	json_open_array_ours(writer, name);
	for (size_t i = 0; i < list->count; i++)
		json_put_text(writer, NULL, list->items[i]);
	json_close_array(writer);
}

static inline void put_list(struct json_writer *writer, struct slice name, const struct state_list *list)
{
	if (list->count != 0)
		write_list(writer, name, list);
}

static inline void put_text(struct json_writer *writer, struct slice name, struct slice text)
{
	if (text.len != 0)
		json_put_text_ours(writer, name, text);
}

static inline void put_flat(struct json_writer *writer, struct slice name, struct slice object)
{
	if (object.len != 0)
		json_put_raw_ours(writer, name, object);
}

static inline void put_int(struct json_writer *writer, struct slice name, int64_t value, int64_t standard)
{
	if (value != standard)
		json_put_int_ours(writer, name, value);
}

#define PUT_INT(name, field, normal) put_int(&writer, name, lead->field, normal)
#define PUT_TEXT(name, field, normal) put_text(&writer, name, lead->field)
#define PUT_STATUS(name, field, normal) json_put_text_ours(&writer, name, slice_of(lead_status_name(lead->field)))
#define PUT_LIST(name, field, normal) put_list(&writer, name, &lead->field)
#define PUT_FLAT(name, field, normal) put_flat(&writer, name, lead->field)
#define PUT_FIRST(name, field, normal) state_put_first(&writer, name, lead)
#define PUT_CLOCKS(name, field, normal) state_put_clocks(&writer, name, lead)
#define PUT_REMIND(name, field, normal) put_int(&writer, name, state_remind_ms(lead), normal)
#define PUT_CYCLE(name, field, normal) put_int(&writer, name, lead->field != 0 ? lead->field : 1, normal)

/* Member by member without a walk over the table: nearly all have their default, and pass by at an instruction or two. */
void state_put_lead(struct strbuf *out, const struct lead_state *lead)
{
	struct json_writer writer = JSON_WRITER(out);
	json_open_object(&writer, NULL);
#define MEMBER(json, type, field, normal, max) PUT_##type(SLICE(json), field, normal);
#include "rules/state.def"
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

void state_clear(struct lead_state *lead)
{
	memset(lead, 0, offsetof(struct lead_state, idents));
	lead->idents.count = lead->recent.count = lead->cooling.count = lead->tried.count = lead->helpers.count = 0;
	lead->claims.count = lead->acted.count = lead->from.count = lead->under.count = lead->ceded.count = lead->apart.count = 0;
}

/* Before it is read. */
static void make_blank(struct lead_state *lead)
{
	state_clear(lead);
	lead->version = lead->score = lead->at_ms = INT64_MIN;
	lead->status = LEAD_STATUSES;
	lead->first_response.name = SLICE("first_response");
	lead->first_response.cycle = 1;
}

/* Required members are there, and every number means something. */
static bool is_sound(const struct lead_state *lead)
{
	return lead->version >= 0 && lead->status != LEAD_STATUSES && lead->score >= INT32_MIN &&
	       lead->score <= INT32_MAX && lead->at_ms >= 0 && lead->duplicates >= 0 && lead->touched_ms >= 0 &&
	       lead->wake_ms >= 0 && lead->wakes >= 0 && lead->interest_ms >= 0 && lead->reached >= 0 && lead->size >= 0 &&
	       lead->size <= POOL_SIZE_MAX && lead->wait_ms >= 0 && lead->step >= 0 && lead->given_ms >= 0 &&
	       lead->furthest >= 0 && lead->bar >= BAR_NONE && lead->bar <= BAR_CONTACT &&
	       lead->left_ms >= 0 && lead->exempt_ms >= 0 && lead->dispute_ms >= 0 &&
	       lead->sheltered_ms >= 0 && lead->later_ms >= 0 && lead->ended_ms >= 0 && lead->purge_ms >= 0 && lead->excused >= EXCUSE_NONE && lead->excused <= EXCUSE_PASS_ON &&
	       (lead->excused == EXCUSE_NONE || lead->exempt_ms != 0) && lead->appraised >= 0 && lead->percent >= 0 &&
	       lead->percent < 100 && lead->last_ms >= 0 && (lead->at_ms > 0 || lead->first_response.due_ms == 0);
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

/* The name of one of the rows from `next` on. A name that is no row's makes the careful way refuse it. */
static size_t scan_name(struct scan *scan, size_t next)
{
	size_t left = (size_t)(scan->end - scan->at);
	for (; next < ROWS; next++) {
		size_t len = rows[next].name.len;
		if (left > len + 3 && scan->at[1] == rows[next].name.p[0] && scan->at[len + 1] == '"' &&
		    memcmp(scan->at + 1, rows[next].name.p, len) == 0)
			break;
	}
	if (next == ROWS || !scan_byte(scan, '"'))
		return ROWS;
	scan->at += rows[next].name.len + 1;
	return scan_byte(scan, ':') ? next : ROWS;
}

static bool scan_lead(struct slice value, struct lead_state *lead, struct arena *arena)
{
	struct scan scan = {value.p, value.p + value.len};
	size_t next = 0; /* members come in the order of the table: each is looked for behind the one before */
	if (!scan_byte(&scan, '{'))
		return false;
	do {
		next = scan_name(&scan, next);
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

static bool take_lead(struct slice value, struct arena *arena, struct lead_state *lead)
{
	make_blank(lead);
	if (scan_lead(value, lead, arena))
		return true;
	struct json_limits limits = {STATE_VALUE_BYTES_MAX, 3, 600};
	const struct json *root = json_read(value, limits, arena, NULL);
	make_blank(lead);
	return root != NULL && read_lead(root, lead, arena);
}

int state_get_lead(struct slice value, struct arena *arena, struct lead_state *ret_lead, struct err *err)
{
	bool is_text = value.len != 0 && value.len <= STATE_VALUE_BYTES_MAX && utf8_first_bad(value) == value.len;
	if (is_text && take_lead(value, arena, ret_lead) && state_clocks_settle(ret_lead) && is_sound(ret_lead))
		return 0;
	state_clear(ret_lead);
	return err_set(err, ERR_STATE_MALFORMED, "the stored value of a lead does not have our form");
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
