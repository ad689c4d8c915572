/* SPDX-License-Identifier: Apache-2.0
 *
 * capacity: how much one rep takes (semantics.md 2.3). Open leads, and leads per window: a window rolls with the clock or
 * begins at midnight of a zone that is named; a daily limit is never made out of a monthly one.
 */
#include "rules/base/suggest.h"
#include "rules/model/model_build.h"
#include "rules/pool.h"
#include "rules/text/zone.h"

static const char *const windows[] = {[CAP_DAY] = "day", [CAP_WEEK] = "week", [CAP_MONTH] = "month"};

static bool read_zone(struct model_builder *builder, const struct node *node, struct cap *cap)
{
	struct slice name;
	if (!node_read_text(node, "the zone of a cap", builder->diags, &name))
		return false;
	const char *text = arena_memdupz(&builder->scratch, name.p, name.len);
	cap->zone = zone_load(text);
	if (cap->zone != NULL)
		return true;
	diags_add(builder->diags, ERR_BAD_ZONE, node->span, "no time zone is called `%.*s`", SLICE_ARG(name));
	return false;
}

static bool read_calendar_window(struct model_builder *builder, const struct node *node, const struct node *per,
                                 struct cap *cap)
{
	struct slice text;
	const struct node *zone = node_require(node, "zone", "a cap per day, week or month", builder->diags);
	if (!node_read_text(per, "per", builder->diags, &text) || zone == NULL)
		return false;
	struct suggest suggest = suggest_for(text);
	for (int window = CAP_DAY; window <= CAP_MONTH; window++) {
		suggest_offer(&suggest, slice_of(windows[window]));
		if (!slice_is(text, windows[window]))
			continue;
		cap->window = (enum cap_window)window;
		if (!read_zone(builder, zone, cap))
			return false;
		cap->name = slice_of(arena_printf(builder->arena, "%s@%s", windows[window], zone_name(cap->zone)));
		return true;
	}
	struct diag *diag = diags_add(builder->diags, ERR_BAD_VALUE, per->span, "a cap is per day, week or month, not per `%.*s`",
	                              SLICE_ARG(text));
	diag_did_you_mean(builder->diags, diag, suggest.best);
	return false;
}

static bool read_rolling_window(struct model_builder *builder, const struct node *within, struct cap *cap)
{
	struct slice text;
	struct span span;
	struct err err = ERR_INIT;
	if (!node_read_text(within, "within", builder->diags, &text))
		return false;
	if (span_parse(text, &span, &err) != 0) {
		diags_add(builder->diags, err.code, within->span, "%s", err.text);
		return false;
	}
	if (span.business_days != 0 || span.business_ms != 0 || span.days != 0 || span.elapsed_ms <= 0) {
		struct diag *diag = diags_add(builder->diags, ERR_BAD_SPAN, within->span,
		                              "a rolling window is a time in h, m and s, not `%.*s`", SLICE_ARG(text));
		diag_help(builder->diags, diag, "calendar days are written {per: day, zone: …}");
		return false;
	}
	cap->window = CAP_ROLLING;
	cap->length_ms = span.elapsed_ms;
	cap->name = slice_of(arena_printf(builder->arena, "%lld", (long long)span.elapsed_ms));
	return true;
}

static bool read_cap(struct model_builder *builder, const struct node *node, struct cap *cap)
{
	static const char *const known[] = {"most", "per", "zone", "within", NULL};
	if (!node_expect_mapping(node, "a cap", builder->diags) || !node_check_keys(node, known, "a cap", builder->diags))
		return false;
	const struct node *most = node_require(node, "most", "a cap", builder->diags);
	const struct node *per = node_get(node, "per"), *within = node_get(node, "within");
	if (most == NULL)
		return false;
	if ((per == NULL) == (within == NULL)) {
		diags_add(builder->diags, ERR_BAD_VALUE, node->span,
		          "a cap has `per` (day, week or month, with its zone) or `within` (a rolling window)");
		return false;
	}
	if (!node_read_int(most, "most", 1, per != NULL ? POOL_UNITS_MAX : POOL_ROLLING_MAX, builder->diags, &cap->most))
		return false;
	return per != NULL ? read_calendar_window(builder, node, per, cap) : read_rolling_window(builder, within, cap);
}

static bool read_caps(struct model_builder *builder, const struct node *list, struct capacity *capacity)
{
	if (!node_expect_sequence(list, "caps", builder->diags))
		return false;
	if (list->count > POOL_CAPS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d caps", POOL_CAPS_MAX);
		return false;
	}
	struct cap *caps = arena_array(builder->arena, list->count, sizeof *caps);
	capacity->caps = caps;
	for (size_t i = 0; i < list->count; i++) {
		if (!read_cap(builder, list->items[i], &caps[i]))
			return false;
		for (size_t j = 0; j < i; j++)
			if (slice_equal(caps[i].name, caps[j].name)) {
				struct diag *diag = diags_add(builder->diags, ERR_DUPLICATE, list->items[i]->span,
				                              "two caps have the same window");
				diag_second(builder->diags, diag, list->items[j]->span, "the other one");
				return false;
			}
		capacity->cap_count++;
	}
	return true;
}

bool model_read_capacity(struct model_builder *builder, const struct node *node, struct capacity *ret_capacity)
{
	static const char *const known[] = {"open", "caps", NULL};
	*ret_capacity = (struct capacity){0};
	if (!node_expect_mapping(node, "capacity", builder->diags) ||
	    !node_check_keys(node, known, "capacity", builder->diags))
		return false;
	const struct node *open = node_get(node, "open"), *caps = node_get(node, "caps");
	if (open != NULL && !node_read_int(open, "open", 1, POOL_UNITS_MAX, builder->diags, &ret_capacity->open))
		return false;
	return caps == NULL || read_caps(builder, caps, ret_capacity);
}
