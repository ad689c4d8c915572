/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/pend.h"

#include <stdlib.h>
#include <string.h>

#include "rules/base/hash.h"
#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/event.h"
#include "rules/json/json.h"
#include "rules/model.h"

static const struct slice count_key = {"mem/pend-count", 14};

enum { TAG_BYTES = 16, HEX_PER_BYTE = 2, VALUE_BYTES_MAX = PEND_ITEMS_MAX * (4 * PEND_RECORD_BYTES_MAX + 1000) };

/* ---- a record as bytes: numbers and lengths as decimals that end in ':' */

static void put_number(struct strbuf *out, int64_t number)
{
	strbuf_put_int(out, number);
	strbuf_putc(out, ':');
}

static void put_bytes(struct strbuf *out, struct slice bytes)
{
	put_number(out, (int64_t)bytes.len);
	if (bytes.len != 0)
		strbuf_append(out, bytes.p, bytes.len);
}

static void put_record(struct strbuf *out, const struct record *record)
{
	put_number(out, record->timestamp_ms);
	put_number(out, record->partition_count);
	put_number(out, record->has_key);
	put_bytes(out, record->key);
	put_number(out, record->has_value);
	put_bytes(out, record->value);
	put_number(out, (int64_t)record->header_count);
	for (size_t i = 0; i < record->header_count; i++) {
		put_bytes(out, record->headers[i].name);
		put_number(out, record->headers[i].value.p != NULL);
		put_bytes(out, record->headers[i].value);
	}
}

static bool take_number(struct slice *from, int64_t *ret)
{
	char *end;
	if (from->len == 0)
		return false;
	*ret = strtoll(from->p, &end, 10); /* the bytes end in a NUL */
	size_t used = (size_t)(end - from->p);
	if (used == 0 || used >= from->len || *end != ':')
		return false;
	*from = (struct slice){end + 1, from->len - used - 1};
	return true;
}

static bool take_bytes(struct slice *from, struct slice *ret)
{
	int64_t len;
	if (!take_number(from, &len) || len < 0 || (uint64_t)len > from->len)
		return false;
	*ret = (struct slice){from->p, (size_t)len};
	*from = (struct slice){from->p + len, from->len - (size_t)len};
	return true;
}

static bool take_headers(struct slice *from, struct record *record, struct arena *arena)
{
	int64_t count, has_value;
	if (!take_number(from, &count) || count < 0 || count > RULES_HEADERS_MAX)
		return false;
	struct header *headers = arena_array(arena, (size_t)count + 1, sizeof *headers);
	for (int64_t i = 0; i < count; i++) {
		if (!take_bytes(from, &headers[i].name) || !take_number(from, &has_value) || !take_bytes(from, &headers[i].value))
			return false;
		if (has_value == 0)
			headers[i].value.p = NULL;
	}
	record->headers = headers;
	record->header_count = (size_t)count;
	return true;
}

static bool take_record(struct slice from, struct record *record, struct arena *arena)
{
	int64_t partition_count, has_key, has_value;
	if (!take_number(&from, &record->timestamp_ms) || !take_number(&from, &partition_count) ||
	    !take_number(&from, &has_key) || !take_bytes(&from, &record->key) || !take_number(&from, &has_value) ||
	    !take_bytes(&from, &record->value))
		return false;
	record->partition_count = (int32_t)partition_count;
	record->has_key = has_key != 0;
	record->has_value = has_value != 0;
	return take_headers(&from, record, arena);
}

/* ---- the seal */

struct seal {
	struct hash_hmac_key key;
	struct slice nonce;
};

static void seal_open(struct seal *seal, const struct model *model, struct slice nonce)
{
	uint8_t derived[SHA256_BYTES];
	hash_hmac(&model->identity_hmac, SLICE("leadrouter: records that wait, 1"), derived);
	hash_hmac_key_init(&seal->key, (struct slice){(const char *)derived, sizeof derived});
	seal->nonce = nonce;
}

static void stir(const struct seal *seal, char *bytes, size_t len, struct arena *arena)
{
	uint8_t block[SHA256_BYTES];
	for (size_t at = 0; at < len; at++) {
		if (at % SHA256_BYTES == 0)
			hash_hmac(&seal->key,
			          slice_of(arena_printf(arena, "stream %.*s %zu", SLICE_ARG(seal->nonce), at / SHA256_BYTES)), block);
		bytes[at] = (char)((uint8_t)bytes[at] ^ block[at % SHA256_BYTES]);
	}
}

static void tag_of(const struct seal *seal, struct slice sealed, struct arena *arena, uint8_t ret_tag[SHA256_BYTES])
{
	struct slice parts = ARENA_JOIN(arena, SLICE("tag "), seal->nonce, SLICE(" "), sealed);
	hash_hmac(&seal->key, parts, ret_tag);
}

/* Hex of tag and sealed bytes. */
static struct slice seal_record(struct work *work, const struct record *record, struct slice nonce)
{
	struct strbuf plain = STRBUF_INIT;
	struct seal seal;
	uint8_t tag[SHA256_BYTES];
	put_record(&plain, record);
	size_t len = plain.len;
	char *bytes = arena_alloc(work->arena, TAG_BYTES + len);
	memcpy(bytes + TAG_BYTES, plain.bytes, len);
	strbuf_done(&plain);
	seal_open(&seal, work->model, nonce);
	stir(&seal, bytes + TAG_BYTES, len, work->arena);
	tag_of(&seal, (struct slice){bytes + TAG_BYTES, len}, work->arena, tag);
	memcpy(bytes, tag, TAG_BYTES);
	char *hex = arena_alloc(work->arena, HEX_PER_BYTE * (TAG_BYTES + len) + 1);
	hash_hex((const uint8_t *)bytes, TAG_BYTES + len, hex);
	return (struct slice){hex, HEX_PER_BYTE * (TAG_BYTES + len)};
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool unseal_record(struct work *work, struct slice hex, struct slice nonce, struct record *record)
{
	struct seal seal;
	uint8_t tag[SHA256_BYTES];
	if (hex.len % HEX_PER_BYTE != 0 || hex.len < HEX_PER_BYTE * TAG_BYTES)
		return false;
	size_t len = hex.len / HEX_PER_BYTE;
	char *bytes = arena_alloc(work->arena, len + 1);
	for (size_t i = 0; i < len; i++) {
		int high = nibble(hex.p[2 * i]), low = nibble(hex.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (char)(high << 4 | low);
	}
	struct slice sealed = {bytes + TAG_BYTES, len - TAG_BYTES};
	seal_open(&seal, work->model, nonce);
	tag_of(&seal, sealed, work->arena, tag);
	if (memcmp(tag, bytes, TAG_BYTES) != 0)
		return false;
	stir(&seal, bytes + TAG_BYTES, sealed.len, work->arena);
	return take_record(sealed, record, work->arena);
}

/* ---- what waits for one lead */

struct pending {
	struct slice texts[PEND_ITEMS_MAX];
	size_t count;
};

struct item {
	int64_t until_ms;
	struct slice place, sealed; /* "<topic>/<partition>/<offset>" */
};

static struct slice key_of(struct work *work, struct slice lead_id)
{
	return ARENA_JOIN(work->arena, SLICE(PEND_PREFIX), lead_id);
}

static void read_pending(struct work *work, struct slice value, struct pending *pending)
{
	struct json_limits limits = {VALUE_BYTES_MAX, 3, PEND_ITEMS_MAX + 4};
	const struct json *root = value.len != 0 ? json_read(value, limits, work->arena, NULL) : NULL;
	const struct json *items = root != NULL ? json_get(root, "items") : NULL;
	*pending = (struct pending){.count = 0};
	for (size_t i = 0; items != NULL && items->type == JSON_IS_ARRAY && i < items->count && i < PEND_ITEMS_MAX; i++)
		if (items->items[i].type == JSON_IS_STRING)
			pending->texts[pending->count++] = items->items[i].text;
}

static bool read_item(struct slice text, struct item *item)
{
	char *end;
	item->until_ms = strtoll(text.p, &end, 10);
	const char *limit = text.p + text.len, *space = end < limit ? memchr(end + 1, ' ', (size_t)(limit - end - 1)) : NULL;
	if (end == text.p || *end != ' ' || space == NULL)
		return false;
	item->place = (struct slice){end + 1, (size_t)(space - end - 1)};
	item->sealed = (struct slice){space + 1, (size_t)(limit - space - 1)};
	return true;
}

static int64_t count_of_leads(struct work *work)
{
	struct slice value = overlay_get(&work->decider->overlay, count_key);
	return value.len != 0 ? strtoll(value.p, NULL, 10) : 0;
}

static void add_to_count(struct work *work, int64_t change)
{
	int64_t count = count_of_leads(work) + change;
	if (count > 0)
		overlay_put(&work->decider->overlay, count_key, slice_of(arena_printf(work->arena, "%lld", (long long)count)), 0);
	else
		overlay_remove(&work->decider->overlay, count_key);
}

/* Nothing waits any more: the key goes. */
static void write_pending(struct work *work, struct slice key, const struct pending *pending)
{
	struct overlay *overlay = &work->decider->overlay;
	bool was_there = overlay_get(overlay, key).len != 0;
	if (pending->count == 0) {
		if (was_there) {
			overlay_remove(overlay, key);
			add_to_count(work, -1);
		}
		return;
	}
	int64_t due_ms = INT64_MAX;
	struct item item;
	for (size_t i = 0; i < pending->count; i++)
		if (read_item(pending->texts[i], &item) && item.until_ms < due_ms)
			due_ms = item.until_ms;
	struct strbuf value = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&value);
	json_open_object(&writer, NULL);
	json_put_int(&writer, "due", due_ms);
	json_open_array(&writer, "items");
	for (size_t i = 0; i < pending->count; i++)
		json_put_text(&writer, NULL, pending->texts[i]);
	json_close_array(&writer);
	json_close_object(&writer);
	overlay_put(overlay, key, strbuf_keep(&value, work->arena), due_ms);
	if (!was_there)
		add_to_count(work, 1);
}

static size_t bytes_of(const struct record *record)
{
	size_t bytes = record->key.len + record->value.len;
	for (size_t i = 0; i < record->header_count; i++)
		bytes += record->headers[i].name.len + record->headers[i].value.len;
	return bytes;
}

bool pend_keep(struct work *work)
{
	const struct record *record = work->prepared->record;
	int64_t wait_ms = work->model->touch_rules.wait_ms;
	struct slice key = key_of(work, work->lead_id);
	struct pending pending;
	if (wait_ms == 0 || bytes_of(record) > PEND_RECORD_BYTES_MAX || record->has_unreadable_headers)
		return false;
	if (work->activity->other.len != 0)
		return false; /* the record that brings the one lead does not have the other read */
	read_pending(work, overlay_get(&work->decider->overlay, key), &pending);
	if (pending.count == PEND_ITEMS_MAX || (pending.count == 0 && count_of_leads(work) >= PEND_LEADS_MAX))
		return false;
	struct slice place = event_cause(record, work->arena), sealed = seal_record(work, record, place);
	long long until_ms = (long long)work->now_ms + wait_ms;
	pending.texts[pending.count++] = slice_of(arena_printf(work->arena, "%lld %.*s %.*s", until_ms,
	                                                       SLICE_ARG(place), SLICE_ARG(sealed)));
	write_pending(work, key, &pending);
	work->ret->outcome = OUTCOME_NOTHING;
	work->ret->lead_id = work->lead_id;
	return true;
}

/* ---- the end of the wait */

/* Topic, partition and offset out of the item's place; the rest out of the seal, if that can be opened. */
static struct record *restore(struct work *work, const struct item *item, bool *ret_is_whole)
{
	struct record *record = arena_alloc(work->arena, sizeof *record);
	const char *end = item->place.p + item->place.len, *slash = end;
	*record = (struct record){.kind = RECORD_ACTIVITY, .timestamp_ms = -1};
	for (int parts = 0; parts < 2 && slash > item->place.p; parts++) {
		do
			slash--;
		while (slash > item->place.p && *slash != '/');
		int64_t number = strtoll(slash + 1, NULL, 10);
		if (parts == 0)
			record->offset = number;
		else
			record->partition = (int32_t)number;
	}
	record->topic = (struct slice){item->place.p, (size_t)(slash - item->place.p)};
	*ret_is_whole = unseal_record(work, item->sealed, item->place, record);
	return record;
}

static void take_events(struct work *work, const struct decision *from)
{
	for (size_t i = 0; i < from->event_count; i++) {
		if (work->ret->event_count == work->event_room)
			work_more_events(work);
		work->events[work->ret->event_count++] = from->events[i];
	}
}

static void decide_now(struct work *work, const struct record *record)
{
	struct prepared *prepared = rules_prepare(work->model, record, work->now_ms, work->arena);
	struct decision decision;
	struct work inner;
	work_begin(&inner, work->decider, prepared, work->now_ms, &decision);
	if (prepared->kind == PREPARED_ACTIVITY)
		decide_activity(&inner);
	else
		decide_reject(&inner, record, ERR_UNKNOWN_LEAD, "lead_id", "it waited for its lead and cannot be read any more");
	work_end(&inner);
	take_events(work, &decision);
}

static void reject(struct work *work, const struct record *record, bool is_whole)
{
	decide_reject(work, record, ERR_LEAD_NEVER_CAME, "lead_id",
	              is_whole ? "the lead did not come while the activity waited for it"
	                       : "the lead did not come; the record can only be found by its offset, its seal has another key");
}

void pend_take(struct work *work)
{
	struct slice key = key_of(work, work->lead_id);
	struct slice value = overlay_get(&work->decider->overlay, key);
	struct pending pending;
	struct item item;
	if (value.len == 0)
		return;
	read_pending(work, value, &pending);
	write_pending(work, key, &(struct pending){.count = 0});
	for (size_t i = 0; i < pending.count; i++) {
		bool is_whole;
		if (!read_item(pending.texts[i], &item))
			continue;
		const struct record *record = restore(work, &item, &is_whole);
		if (is_whole)
			decide_now(work, record);
	}
}

void pend_fire(struct work *work, struct slice key, struct slice value)
{
	struct pending pending, rest = {.count = 0};
	struct item item;
	read_pending(work, value, &pending);
	work->lead_id = (struct slice){key.p + strlen(PEND_PREFIX), key.len - strlen(PEND_PREFIX)};
	for (size_t i = 0; i < pending.count; i++) {
		bool is_whole;
		if (!read_item(pending.texts[i], &item))
			continue;
		if (item.until_ms > work->now_ms) {
			rest.texts[rest.count++] = pending.texts[i];
			continue;
		}
		const struct record *record = restore(work, &item, &is_whole);
		reject(work, record, is_whole);
	}
	write_pending(work, key, &rest);
}
