/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cleanse.h"

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/changes.h"
#include "rules/intake.h"
#include "rules/model.h"
#include "rules/schema.h"
#include "rules/text/country.h"
#include "rules/text/email.h"
#include "rules/text/mask.h"
#include "rules/text/normalise.h"
#include "rules/text/phone.h"
#include "rules/text/region.h"

struct cleansing {
	const struct model *model;
	struct lead *lead;
	struct arena *arena;
	struct changes *changes;
	struct match_keys keys;
};

/* People write addresses and numbers into any field. */
static struct slice masked(struct slice text, struct arena *arena)
{
	struct strbuf buf = STRBUF_IN(arena);
	mask_text(&buf, text);
	return strbuf_keep(&buf, arena);
}

struct slice cleanse_shown(const struct schema_row *row, struct slice text, struct arena *arena)
{
	if (text.len == 0)
		return text;
	if (!row->is_person)
		return masked(text, arena);
	if (slice_is(slice_of(row->path), "contact.email"))
		return mask_email(arena, text);
	if (slice_is(slice_of(row->path), "contact.phone"))
		return mask_phone(arena, text);
	return mask_name(arena, text);
}

static void note(struct cleansing *cleansing, const struct schema_row *row, const char *what, struct slice from,
                 struct slice to)
{
	changes_add(cleansing->changes, (struct change){
						.field = row->path,
						.what = what,
						.from = cleanse_shown(row, from, cleansing->arena),
						.to = cleanse_shown(row, to, cleansing->arena),
					});
}

/* Sets the field of that path and notes it, unless nothing changes. */
static void change(struct cleansing *cleansing, struct slice *field, const char *path, const char *what, struct slice to)
{
	if (slice_equal(*field, to))
		return;
	note(cleansing, schema_find(slice_of(path)), what, *field, to);
	*field = to;
}

/* Nothing is changed, but somebody should know. */
static void remark(struct cleansing *cleansing, const char *path, const char *what)
{
	const struct schema_row *row = schema_find(slice_of(path));
	note(cleansing, row, what, schema_text_of(cleansing->lead, row), SLICE_NONE);
}

/* ---- all texts */

static void clean_text(struct cleansing *cleansing, const struct schema_row *row)
{
	struct slice *field = schema_text(cleansing->lead, row);
	if (field->len == 0)
		return;
	struct slice clean = text_clean(cleansing->arena, *field);
	if (slice_equal(clean, *field))
		return;
	note(cleansing, row, "cleaned", *field, clean);
	*field = clean;
}

static void clean_texts(struct cleansing *cleansing)
{
	for (int object = 0; object < SCHEMA_RECORD_OBJECTS; object++) {
		size_t count;
		const struct schema_row *rows = schema_rows((enum schema_object)object, &count);
		for (size_t i = 0; i < count; i++)
			if (rows[i].kind == SCHEMA_TEXT)
				clean_text(cleansing, &rows[i]);
	}
}

/* ---- vocabularies */

static void cleanse_source(struct cleansing *cleansing)
{
	const struct vocabulary *sources = &cleansing->model->sources;
	size_t name = vocabulary_find(sources, cleansing->lead->source, cleansing->arena);
	if (name != SIZE_MAX)
		change(cleansing, &cleansing->lead->source, "source", "canonical", sources->names[name]);
	else if (cleansing->lead->source.len == 0)
		cleansing->lead->source = SLICE("other"); /* absent: nothing was changed that somebody wrote */
	else
		change(cleansing, &cleansing->lead->source, "source", "unknown_to_other", SLICE("other"));
}

static void cleanse_intent(struct cleansing *cleansing)
{
	static const char *const levels[] = {"potential", "clear", "high"};
	if (cleansing->lead->intent.len == 0)
		return;
	struct slice folded = text_fold(cleansing->arena, cleansing->lead->intent);
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (slice_is(folded, levels[i])) {
			change(cleansing, &cleansing->lead->intent, "intent", "canonical", slice_of(levels[i]));
			return;
		}
	change(cleansing, &cleansing->lead->intent, "intent", "dropped_unknown_intent", SLICE_NONE);
}

/* ---- places */

static void cleanse_country(struct cleansing *cleansing)
{
	struct slice country = cleansing->lead->location.country;
	if (country.len == 0 || cleansing->model->countries == NULL)
		return;
	const char *code = country_lookup(cleansing->model->countries, country);
	if (code != NULL)
		change(cleansing, &cleansing->lead->location.country, "location.country", "canonical", slice_of(code));
	else
		remark(cleansing, "location.country", "kept_unknown_country");
}

static void cleanse_region(struct cleansing *cleansing)
{
	struct lead_location *location = &cleansing->lead->location;
	if (location->region.len == 0 || cleansing->model->regions == NULL)
		return;
	struct slice country = location->country.len == 2 ? location->country : SLICE_NONE;
	const char *code = region_lookup(cleansing->model->regions, country, location->region);
	if (code != NULL)
		change(cleansing, &cleansing->lead->location.region, "location.region", "canonical", slice_of(code));
	else
		remark(cleansing, "location.region", "kept_unknown_region");
}

/* ---- ways to reach the person */

static unsigned email_rules(const struct model *model)
{
	return (model->match_gmail_dots ? EMAIL_RULE_GMAIL : 0u) | (model->match_plus_tag ? EMAIL_RULE_PLUS_TAG : 0u);
}

static void cleanse_email(struct cleansing *cleansing)
{
	struct email email;
	if (cleansing->lead->contact.email.len == 0)
		return;
	if (email_parse(cleansing->lead->contact.email, cleansing->arena, &email, NULL) != 0) {
		change(cleansing, &cleansing->lead->contact.email, "contact.email", "dropped_bad_email", SLICE_NONE);
		return;
	}
	change(cleansing, &cleansing->lead->contact.email, "contact.email", "canonical", email.address);
	cleansing->keys.email_domain = email.domain;
	cleansing->keys.email = email_match_key(&email, email_rules(cleansing->model), cleansing->arena);
}

static const char *phone_country(const struct cleansing *cleansing)
{
	struct slice country = cleansing->lead->location.country;
	if (country.len != 2)
		country = cleansing->model->default_country;
	return country.len == 2 ? arena_memdupz(cleansing->arena, country.p, country.len) : NULL;
}

static struct slice copy(struct cleansing *cleansing, const char *text)
{
	return slice_of(arena_strdup(cleansing->arena, text));
}

/* "0000000" is what forms are filled with that ask for a number; its key would make many people one. */
static bool is_one_digit(struct slice text)
{
	char digit = '\0';
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			continue;
		if (digit != '\0' && text.p[i] != digit)
			return false;
		digit = text.p[i];
	}
	return digit != '\0';
}

static void cleanse_phone(struct cleansing *cleansing)
{
	struct phone phone;
	if (cleansing->lead->contact.phone.len == 0)
		return;
	phone_parse(cleansing->lead->contact.phone, phone_country(cleansing), &phone);
	if (is_one_digit(cleansing->lead->contact.phone))
		phone.verdict = PHONE_UNPARSABLE;
	cleansing->keys.phone_verdict = phone_verdict_name(phone.verdict);
	if (phone.verdict == PHONE_UNPARSABLE) {
		remark(cleansing, "contact.phone", "kept_unparsable_phone");
		return;
	}
	struct slice number = copy(cleansing, phone.e164);
	if (phone.extension[0] != '\0')
		number = slice_of(arena_printf(cleansing->arena, "%s;ext=%s", phone.e164, phone.extension));
	change(cleansing, &cleansing->lead->contact.phone, "contact.phone", "canonical", number);
	cleansing->keys.phone = copy(cleansing, phone.key);
}

void cleanse_lead(const struct model *model, struct lead *lead, struct arena *arena, struct changes *changes,
                  struct match_keys *ret_keys)
{
	struct cleansing cleansing = {.model = model, .lead = lead, .arena = arena, .changes = changes};
	clean_texts(&cleansing);
	cleanse_source(&cleansing);
	cleanse_intent(&cleansing);
	cleanse_country(&cleansing); /* before region and phone: both are read in its light */
	cleanse_region(&cleansing);
	cleanse_email(&cleansing);
	cleanse_phone(&cleansing);
	*ret_keys = cleansing.keys;
}
