/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/story/story_ring.h"

#include "rules/story/explain_parts.h"

enum { REP_COLUMNS_MAX = 40 };

static double real_of(const struct json *object, const char *name)
{
	const struct json *value = json_get(object, name);
	return value == NULL ? 0 : value->type == JSON_IS_REAL ? value->real : (double)value->integer;
}

/* In columns, not in bytes: an id may be written in any script. */
static size_t width_of(struct slice text)
{
	size_t width = 0;
	for (size_t i = 0; i < text.len; i++)
		width += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return width;
}

static size_t width_of_reps(const struct json *members)
{
	size_t widest = sizeof "rep" - 1;
	for (size_t i = 0; i < count_of(members); i++) {
		size_t width = width_of(json_get_text(&members->items[i], "rep"));
		widest = width > widest ? width : widest;
	}
	return widest < REP_COLUMNS_MAX ? widest : REP_COLUMNS_MAX;
}

static void put_rep(struct strbuf *out, struct slice id, size_t columns)
{
	strbuf_puts(out, "  ");
	put(out, id);
	for (size_t width = width_of(id); width < columns; width++)
		strbuf_putc(out, ' ');
}

static void put_member(struct strbuf *out, const struct json *member, size_t columns)
{
	int64_t back = int_of(member, "given_back"), arrears = int_of(member, "arrears");
	struct slice position = json_get_text(member, "position");
	put_rep(out, json_get_text(member, "rep"), columns);
	strbuf_printf(out, "  %6lld  %7lld  %9.2f  %10.*s  %5lld  ", (long long)int_of(member, "weight"), (long long)int_of(member, "given"),
	              real_of(member, "owed"), SLICE_ARG(position), (long long)int_of(member, "open"));
	put_words(out, json_get_text(member, "presence"));
	if (back != 0)
		strbuf_printf(out, "; %lld given back", (long long)back);
	if (arrears != 0)
		strbuf_printf(out, "; %lld in arrears", (long long)arrears);
	strbuf_putc(out, '\n');
}

static void put_next(struct strbuf *out, const struct json *next)
{
	strbuf_puts(out, "next ");
	for (size_t i = 0; i < count_of(next); i++) {
		strbuf_puts(out, i != 0 ? ", " : "");
		put(out, next->items[i].text);
	}
	if (count_of(next) == 0)
		strbuf_puts(out, "nobody");
}

static void put_lane(struct strbuf *out, const struct json *lane)
{
	const struct json *members = json_get(lane, "members");
	size_t columns = width_of_reps(members);
	put_between(out, "Lane ", lane, "lane", ": ");
	put_next(out, json_get(lane, "next"));
	strbuf_printf(out, "; turns given: %lld; rounds apart: %.3g\n", (long long)int_of(lane, "given"), real_of(lane, "lag_rounds"));
	put_rep(out, SLICE("rep"), columns);
	strbuf_puts(out, "  weight    given       owed    position   open  presence\n");
	for (size_t i = 0; i < count_of(members); i++)
		put_member(out, &members->items[i], columns);
}

static void put_shard(struct strbuf *out, const struct json *shard)
{
	const struct json *ring = json_get(shard, "ring"), *lanes = json_get(ring, "lanes");
	strbuf_printf(out, "Shard %lld, team ", (long long)int_of(shard, "shard"));
	put_text(out, ring, "pool");
	put_between(out, ", ", ring, "rotation", "");
	if (slice_is(json_get_text(ring, "choose_by"), "load"))
		strbuf_puts(out, ", by load");
	strbuf_printf(out, "; there: %lld; leads that wait: %lld\n", (long long)int_of(ring, "available"), (long long)int_of(ring, "waiting"));
	for (size_t i = 0; i < count_of(lanes); i++)
		put_lane(out, &lanes->items[i]);
}

void story_ring(struct strbuf *out, const struct json *shards)
{
	for (size_t i = 0; i < count_of(shards); i++) {
		if (i != 0)
			strbuf_putc(out, '\n');
		put_shard(out, &shards->items[i]);
	}
}
