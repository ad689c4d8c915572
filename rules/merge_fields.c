/* SPDX-License-Identifier: Apache-2.0
 *
 * What a survivor takes of a lead that goes into it, and how it is taken away again.
 *
 *     kept    {"intent":"high","location.country":"DE"}   what later decisions read, merged
 *     added   {"intent":"clear",                          the survivor's own, which another's has replaced
 *              "L-2 location.country":"DE",               what the others offer, in the order in which they came:
 *              "L-3 location.country":"FR",               the first one's counts, or the highest
 *              "L-3 intent":"high"}
 *
 * So when one leaves, the next in line has it. What the survivor has of its own nobody can replace, so that is not offered.
 * A company's keys ("L-2 ident/k1.1.d.…":1) may be several
 * leads' at once: those that came with another are listed until the last one who has them leaves.
 */
#include "rules/merge.h"

#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/idents.h"
#include "rules/json/json.h"
#include "rules/lead.h"

enum { FLAT_VALUES = 400 };

static const struct json *flat(struct work *work, struct slice text)
{
	struct json_limits limits = {STATE_VALUE_BYTES_MAX, 2, FLAT_VALUES};
	return text.len != 0 ? json_read(text, limits, work->arena, NULL) : NULL;
}

static size_t count_of(const struct json *object)
{
	return object != NULL ? object->count : 0;
}

static struct slice close_flat(struct work *work, struct strbuf *text, struct json_writer *writer)
{
	json_close_object(writer);
	return text->len > 2 ? strbuf_keep(text, work->arena) : (strbuf_done(text), SLICE_NONE);
}

/* ---- fields */

/* A value that somebody has: the survivor (`from` is empty) or one that went into it. */
struct field {
	struct slice from, name;
	const struct json *value;
};

struct fields {
	size_t count, room;
	struct field *items;
};

static struct fields fields_for(struct work *work, size_t room)
{
	return (struct fields){.room = room, .items = arena_array(work->arena, room, sizeof(struct field))};
}

static void add(struct fields *fields, const struct field *field)
{
	if (fields->count < fields->room)
		fields->items[fields->count++] = *field;
}

static bool is_place(struct slice name)
{
	return slice_has_prefix(name, SLICE("location."));
}

/* The address is one block: all of it is somebody's. */
static bool is_one(struct slice a, struct slice b)
{
	return slice_equal(a, b) || (is_place(a) && is_place(b));
}

static struct field *find(const struct fields *fields, struct slice name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (is_one(fields->items[i].name, name))
			return &fields->items[i];
	return NULL;
}

/* The higher intent counts: potential < clear < high. 0: of other fields the first one counts. */
static int rank(const struct field *field)
{
	const struct json *value = field->value;
	if (!slice_is(field->name, "intent") || value->type != JSON_IS_STRING)
		return 0;
	return slice_is(value->text, "high") ? 3 : slice_is(value->text, "clear") ? 2 : slice_is(value->text, "potential");
}

/* One member of `added`. */
static struct field offer_at(const struct json *added, size_t at)
{
	struct slice name = added->names[at];
	const char *blank = memchr(name.p, ' ', name.len);
	size_t id_len = blank != NULL ? (size_t)(blank - name.p) : 0;
	struct field offer = {.name = name, .value = &added->items[at]};
	if (blank != NULL) {
		offer.from = (struct slice){name.p, id_len};
		offer.name = (struct slice){blank + 1, name.len - id_len - 1};
	}
	return offer;
}

/* Does any of them offer it? One is not asked: `but`, which leaves. */
static bool is_offered(const struct json *added, struct slice name, struct slice but)
{
	for (size_t i = 0; i < count_of(added); i++) {
		struct field offer = offer_at(added, i);
		if (offer.from.len != 0 && is_one(offer.name, name) && !slice_equal(offer.from, but))
			return true;
	}
	return false;
}

/* "ident/<name>" */
static bool is_key(struct slice name)
{
	return slice_has_prefix(name, SLICE("ident/"));
}

/* Those of a lead by itself. */
static struct fields fields_of(struct work *work, struct slice kept)
{
	const struct json *values = flat(work, kept);
	struct fields fields = fields_for(work, count_of(values));
	for (size_t i = 0; i < count_of(values); i++)
		add(&fields, &(struct field){.name = values->names[i], .value = &values->items[i]});
	return fields;
}

/* Those that the survivor would have had nothing gone into it. */
static struct fields own_fields(struct work *work, const struct lead_state *survivor, const struct json *added)
{
	struct fields all = fields_of(work, survivor->kept), own = fields_for(work, all.count + count_of(added));
	for (size_t i = 0; i < all.count; i++)
		if (!is_offered(added, all.items[i].name, SLICE_NONE))
			add(&own, &all.items[i]);
	for (size_t i = 0; i < count_of(added); i++) {
		struct field offer = offer_at(added, i);
		if (offer.from.len == 0 && is_offered(added, offer.name, SLICE_NONE))
			add(&own, &offer);
	}
	return own;
}

/* ---- the survivor of its own fields and of what is offered */

static void join_offer(struct fields *joined, const struct field *offer)
{
	struct field *mine = find(joined, offer->name);
	if (mine == NULL || (is_place(offer->name) && slice_equal(mine->from, offer->from)))
		add(joined, offer);
	else if (rank(offer) > rank(mine))
		*mine = *offer;
}

static int by_name(const void *left, const void *right)
{
	const struct field *a = left, *b = right;
	return slice_compare(a->name, b->name);
}

/* All names in bytewise order, as kept_text() writes them. */
static void put_joined(struct work *work, struct lead_state *survivor, struct fields *joined)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	qsort(joined->items, joined->count, sizeof *joined->items, by_name);
	json_open_object(&writer, NULL);
	for (size_t i = 0; i < joined->count; i++)
		json_put_value(&writer, joined->items[i].name, joined->items[i].value);
	survivor->kept = close_flat(work, &text, &writer);
}

static void join(struct work *work, struct lead_state *survivor, const struct fields *own, struct slice added)
{
	const struct json *offers = flat(work, added);
	struct fields joined = fields_for(work, own->count + count_of(offers));
	for (size_t i = 0; i < own->count; i++)
		add(&joined, &own->items[i]);
	for (size_t i = 0; i < count_of(offers); i++) {
		struct field offer = offer_at(offers, i);
		if (offer.from.len != 0 && !is_key(offer.name))
			join_offer(&joined, &offer);
	}
	survivor->added = added;
	put_joined(work, survivor, &joined);
}

/* ---- taking */

/* What it offers goes behind the others': what the survivor has of its own is not wanted, unless this is higher. */
static void put_offers(struct work *work, struct json_writer *writer, const struct fields *own, const struct json *added,
                       const struct merge_source *from)
{
	struct fields theirs = fields_of(work, from->kept);
	for (size_t i = 0; i < theirs.count; i++) {
		const struct field *offer = &theirs.items[i], *mine = find(own, offer->name);
		if (mine != NULL && rank(offer) <= rank(mine))
			continue;
		if (mine != NULL && !is_offered(added, offer->name, SLICE_NONE))
			json_put_value(writer, offer->name, mine->value);
		json_put_value(writer, ARENA_JOIN(work->arena, from->lead_id, SLICE(" "), offer->name), offer->value);
	}
}

/* Its company's keys, unless they are the survivor's own: those are the first ones of its list. */
static void put_keys(struct work *work, struct json_writer *writer, const struct lead_state *survivor, const struct json *added,
                     const struct merge_source *from)
{
	static const struct json one = {.type = JSON_IS_INT, .integer = 1};
	for (size_t i = 0; i < from->idents->count; i++) {
		struct slice name = from->idents->items[i], key = ARENA_JOIN(work->arena, SLICE("ident/"), name);
		if (ident_is_account(name) && (!ident_is_listed(&survivor->idents, from->listed, name) || is_offered(added, key, SLICE_NONE)))
			json_put_value(writer, ARENA_JOIN(work->arena, from->lead_id, SLICE(" "), key), &one);
	}
}

/* The offers of all but one of them. */
static void put_others(struct json_writer *writer, const struct json *added, struct slice but)
{
	for (size_t i = 0; i < count_of(added); i++) {
		struct field offer = offer_at(added, i);
		if (offer.from.len != 0 ? !slice_equal(offer.from, but) : is_offered(added, offer.name, but))
			json_put_value(writer, added->names[i], &added->items[i]);
	}
}

bool merge_take(struct work *work, struct lead_state *survivor, const struct merge_source *from)
{
	const struct json *added = flat(work, survivor->added);
	struct fields own = own_fields(work, survivor, added);
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	put_others(&writer, added, SLICE_NONE);
	put_offers(work, &writer, &own, added, from);
	put_keys(work, &writer, survivor, added, from);
	struct slice offers = close_flat(work, &text, &writer);
	if (survivor->from.count == STATE_FROM_MAX || offers.len > STATE_ADDED_BYTES_MAX)
		return false;
	join(work, survivor, &own, offers);
	survivor->from.items[survivor->from.count++] = ARENA_JOIN(work->arena, from->lead_id, SLICE("/"), from->source);
	return true;
}

void merge_own(struct work *work, struct lead_state *survivor, struct slice name)
{
	const struct json *added = flat(work, survivor->added);
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	for (size_t i = 0; i < count_of(added); i++)
		if (!slice_equal(offer_at(added, i).name, name))
			json_put_value(&writer, added->names[i], &added->items[i]);
	survivor->added = close_flat(work, &text, &writer);
}

bool merge_take_under(struct lead_state *survivor, const struct lead_state *other)
{
	struct state_list *under = &survivor->under;
	if (under->count + other->from.count + other->under.count > STATE_FROM_MAX)
		return false;
	for (size_t i = 0; i < other->from.count; i++)
		under->items[under->count++] = merge_from_id(other->from.items[i]);
	for (size_t i = 0; i < other->under.count; i++)
		under->items[under->count++] = other->under.items[i];
	return true;
}

static bool has_taken(const struct lead_state *lead, struct slice id)
{
	for (size_t i = 0; i < lead->from.count; i++)
		if (slice_equal(merge_from_id(lead->from.items[i]), id))
			return true;
	for (size_t i = 0; i < lead->under.count; i++)
		if (slice_equal(lead->under.items[i], id))
			return true;
	return false;
}

void merge_take_out(struct lead_state *survivor, const struct lead_state *other)
{
	struct state_list *under = &survivor->under;
	size_t kept = 0;
	for (size_t i = 0; i < under->count; i++)
		if (!has_taken(other, under->items[i]))
			under->items[kept++] = under->items[i];
	under->count = kept;
}

/* ---- giving back */

struct slice merge_from_id(struct slice item)
{
	const char *slash = memchr(item.p, '/', item.len);
	return slash != NULL ? (struct slice){item.p, (size_t)(slash - item.p)} : item;
}

struct slice merge_from_source(struct slice item)
{
	size_t id_len = merge_from_id(item).len;
	return id_len < item.len ? (struct slice){item.p + id_len + 1, item.len - id_len - 1} : SLICE_NONE;
}

static void give_back(struct work *work, struct lead_state *survivor, struct slice lead_id)
{
	const struct json *added = flat(work, survivor->added);
	struct fields own = own_fields(work, survivor, added);
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	put_others(&writer, added, lead_id);
	join(work, survivor, &own, close_flat(work, &text, &writer));
}

bool merge_is_only_one(struct work *work, const struct lead_state *survivor, struct slice lead_id, struct slice name)
{
	const struct json *added = flat(work, survivor->added);
	struct slice key = ARENA_JOIN(work->arena, SLICE("ident/"), name);
	return is_offered(added, key, SLICE_NONE) && !is_offered(added, key, lead_id);
}

bool merge_give_back(struct work *work, struct lead_state *survivor, struct slice lead_id)
{
	struct state_list *from = &survivor->from;
	size_t at = 0;
	while (at < from->count && !slice_equal(merge_from_id(from->items[at]), lead_id))
		at++;
	if (at == from->count)
		return false;
	give_back(work, survivor, lead_id);
	from->count--;
	memmove(&from->items[at], &from->items[at + 1], (from->count - at) * sizeof *from->items);
	return true;
}
