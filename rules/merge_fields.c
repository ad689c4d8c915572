/* SPDX-License-Identifier: Apache-2.0
 *
 * What a survivor takes of a lead that goes into it, and how it is taken away again.
 *
 *     kept    {"company.industry":"retail","location.country":"DE"}      what later decisions read, merged
 *     added   {"location.country":"L-2"}                                 … and whose that is; "L-2 clear": what stood there before
 */
#include "rules/merge.h"

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/json.h"
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

static const struct json *find(const struct json *object, struct slice name)
{
	for (size_t i = 0; i < count_of(object); i++)
		if (slice_equal(object->names[i], name))
			return &object->items[i];
	return NULL;
}

static bool has_place(const struct json *kept)
{
	for (size_t i = 0; i < count_of(kept); i++)
		if (slice_has_prefix(kept->names[i], SLICE("location.")))
			return true;
	return false;
}

/* potential < clear < high */
static int intent_rank(const struct json *intent)
{
	if (intent == NULL || intent->type != JSON_IS_STRING)
		return 0;
	return slice_is(intent->text, "high") ? 3 : slice_is(intent->text, "clear") ? 2 : 1;
}

/* ---- taking */

struct taking {
	const struct json *ours, *theirs;
	bool takes_place; /* the address is one block: all of it, or nothing */
};

static bool takes(const struct taking *taking, struct slice name)
{
	const struct json *ours = find(taking->ours, name), *theirs = find(taking->theirs, name);
	if (theirs == NULL)
		return false;
	if (slice_is(name, "intent"))
		return intent_rank(theirs) > intent_rank(ours);
	if (slice_has_prefix(name, SLICE("location.")))
		return taking->takes_place;
	return ours == NULL;
}

/* All names in bytewise order, as kept_text() writes them; each from where it is taken. */
static struct slice merged_kept(struct work *work, const struct taking *taking)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	size_t a = 0, b = 0;
	json_open_object(&writer, NULL);
	while (a < count_of(taking->ours) || b < count_of(taking->theirs)) {
		bool has_a = a < count_of(taking->ours), has_b = b < count_of(taking->theirs);
		int order = !has_a ? 1 : !has_b ? -1 : slice_compare(taking->ours->names[a], taking->theirs->names[b]);
		struct slice name = order <= 0 ? taking->ours->names[a] : taking->theirs->names[b];
		if (takes(taking, name))
			json_put_value(&writer, name, find(taking->theirs, name));
		else if (order <= 0)
			json_put_value(&writer, name, &taking->ours->items[a]);
		a += order <= 0;
		b += order >= 0;
	}
	json_close_object(&writer);
	return text.len > 2 ? work_keep(work->arena, &text) : (strbuf_done(&text), SLICE_NONE);
}

static void put_origin(struct work *work, struct json_writer *writer, const struct taking *taking, struct slice name,
                       struct slice lead_id)
{
	const struct json *before = find(taking->ours, name);
	if (before != NULL && before->type == JSON_IS_STRING)
		lead_id = ARENA_JOIN(work->arena, lead_id, SLICE(" "), before->text);
	json_put_text_as(writer, name, lead_id);
}

/* What was taken before stays the first one's. */
static struct slice merged_added(struct work *work, const struct taking *taking, struct slice added, struct slice lead_id)
{
	const struct json *old = flat(work, added);
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	for (size_t i = 0; i < count_of(old); i++)
		json_put_value(&writer, old->names[i], &old->items[i]);
	for (size_t i = 0; i < count_of(taking->theirs); i++)
		if (takes(taking, taking->theirs->names[i]) && find(old, taking->theirs->names[i]) == NULL)
			put_origin(work, &writer, taking, taking->theirs->names[i], lead_id);
	json_close_object(&writer);
	return text.len > 2 ? work_keep(work->arena, &text) : (strbuf_done(&text), SLICE_NONE);
}

bool merge_take(struct work *work, struct lead_state *survivor, const struct merge_source *from)
{
	struct taking taking = {flat(work, survivor->kept), flat(work, from->kept), false};
	taking.takes_place = !has_place(taking.ours);
	if (survivor->from.count == STATE_FROM_MAX)
		return false;
	struct slice added = merged_added(work, &taking, survivor->added, from->lead_id);
	struct slice kept = merged_kept(work, &taking);
	survivor->added = added;
	survivor->kept = kept;
	survivor->from.items[survivor->from.count++] = ARENA_JOIN(work->arena, from->lead_id, SLICE("/"), from->source);
	return true;
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

/* Is the value of `added` about that lead? *ret_before is what stood there. */
static bool is_from(const struct json *origin, struct slice lead_id, struct slice *ret_before)
{
	struct slice text = origin != NULL && origin->type == JSON_IS_STRING ? origin->text : SLICE_NONE;
	*ret_before = SLICE_NONE;
	if (!slice_has_prefix(text, lead_id) || (text.len > lead_id.len && text.p[lead_id.len] != ' '))
		return false;
	if (text.len > lead_id.len)
		*ret_before = (struct slice){text.p + lead_id.len + 1, text.len - lead_id.len - 1};
	return lead_id.len != 0;
}

static struct slice kept_without(struct work *work, const struct lead_state *survivor, struct slice lead_id)
{
	const struct json *kept = flat(work, survivor->kept), *added = flat(work, survivor->added);
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	struct slice before;
	json_open_object(&writer, NULL);
	for (size_t i = 0; i < count_of(kept); i++) {
		if (!is_from(find(added, kept->names[i]), lead_id, &before))
			json_put_value(&writer, kept->names[i], &kept->items[i]);
		else if (before.len != 0)
			json_put_text_as(&writer, kept->names[i], before);
	}
	json_close_object(&writer);
	return text.len > 2 ? work_keep(work->arena, &text) : (strbuf_done(&text), SLICE_NONE);
}

static struct slice added_without(struct work *work, const struct lead_state *survivor, struct slice lead_id)
{
	const struct json *added = flat(work, survivor->added);
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	struct slice before;
	json_open_object(&writer, NULL);
	for (size_t i = 0; i < count_of(added); i++)
		if (!is_from(&added->items[i], lead_id, &before))
			json_put_value(&writer, added->names[i], &added->items[i]);
	json_close_object(&writer);
	return text.len > 2 ? work_keep(work->arena, &text) : (strbuf_done(&text), SLICE_NONE);
}

bool merge_give_back(struct work *work, struct lead_state *survivor, struct slice lead_id)
{
	struct state_list *from = &survivor->from;
	size_t at = 0;
	while (at < from->count && !slice_equal(merge_from_id(from->items[at]), lead_id))
		at++;
	if (at == from->count)
		return false;
	struct slice kept = kept_without(work, survivor, lead_id), added = added_without(work, survivor, lead_id);
	survivor->kept = kept;
	survivor->added = added;
	from->count--;
	memmove(&from->items[at], &from->items[at + 1], (from->count - at) * sizeof *from->items);
	return true;
}
