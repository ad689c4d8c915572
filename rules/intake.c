/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/intake.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/cleanse.h"
#include "rules/company.h"
#include "rules/decide.h"
#include "rules/json/json.h"
#include "rules/text/normalise.h"
#include "rules/text/zone.h"

const struct intake_rules *intake_rules(const struct model *model)
{
	static const struct intake_rules none = {.required_count = 0};
	return model->intake != NULL ? model->intake : &none;
}

/* ---- ways to reach the person */

enum { DIALLED_DIGITS_MIN = 6 };

/* A number that cannot be read may still be dialled by somebody who knows from where it was written; words, a few digits or
 * one digit over and over cannot. */
static bool is_dialled(struct slice text)
{
	size_t digits = 0;
	bool is_one_digit = true;
	char first = '\0';
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (c < '0' || c > '9')
			continue;
		if (digits++ == 0)
			first = c;
		is_one_digit &= c == first;
	}
	return digits >= DIALLED_DIGITS_MIN && !is_one_digit;
}

static bool is_something(struct slice text, struct arena *arena)
{
	struct slice key = text_key(arena, text);
	return text.len != 0 && !(key.len == 0 && text.len < 3) && !company_is_placeholder(key);
}

static bool can_be_reached(const struct prepared *prepared, const struct match_keys *keys)
{
	const struct lead_contact *contact = &prepared->lead.contact;
	return contact->email.len != 0 || keys->phone.len != 0 || is_dialled(contact->phone) ||
	       is_something(contact->wechat, prepared->arena);
}

/* ---- vocabularies */

static int compare_alias(const void *key, const void *row)
{
	const struct slice *folded = key;
	const struct vocabulary_alias *alias = row;
	return slice_compare(*folded, alias->folded);
}

size_t vocabulary_find(const struct vocabulary *vocabulary, struct slice text, struct arena *arena)
{
	struct slice folded = text_key(arena, text);
	if (vocabulary->alias_count == 0)
		return SIZE_MAX;
	const struct vocabulary_alias *alias = bsearch(&folded, vocabulary->aliases, vocabulary->alias_count,
	                                               sizeof *vocabulary->aliases, compare_alias);
	return alias != NULL ? alias->name : SIZE_MAX;
}

static void change(struct prepared *prepared, const struct schema_row *row, const char *what, struct slice to)
{
	struct slice *field = schema_text(&prepared->lead, row);
	if (slice_equal(*field, to))
		return;
	changes_add(&prepared->changes, (struct change){
						.field = row->path,
						.what = what,
						.from = cleanse_shown(row, *field, prepared->arena),
						.to = to,
					});
	*field = to;
}

static int check_word(struct prepared *prepared, const struct intake_vocabulary *vocabulary)
{
	const struct schema_row *row = vocabulary->row;
	struct slice text = schema_text_of(&prepared->lead, row);
	if (text.len == 0)
		return 0;
	size_t word = vocabulary_find(&vocabulary->words, text, prepared->arena);
	if (word != SIZE_MAX)
		change(prepared, row, "canonical", vocabulary->words.names[word]);
	else if (vocabulary->unknown == UNKNOWN_OTHER)
		change(prepared, row, "unknown_to_other", SLICE("other"));
	else if (vocabulary->unknown == UNKNOWN_REJECT)
		return err_set_at(&prepared->err, ERR_UNKNOWN_TERM, row->path, "not a word of the configured vocabulary");
	return 0;
}

/* ---- required fields */

static bool is_present(const struct lead *lead, const struct schema_row *row)
{
	const void *at = (const char *)lead + row->offset;
	switch (row->kind) {
	case SCHEMA_TEXT:
		return schema_text_of(lead, row).len != 0;
	case SCHEMA_INT:
	case SCHEMA_TIME:
		return ((const struct lead_int *)at)->is_set;
	case SCHEMA_REAL:
		return ((const struct lead_real *)at)->is_set;
	case SCHEMA_MAP:
		return *(const struct json *const *)at != NULL;
	case SCHEMA_PART:
		break;
	}
	return true;
}

static const struct intake_required *required_of(const struct intake_rules *rules, struct slice source)
{
	const struct intake_required *fallback = NULL;
	for (size_t i = 0; i < rules->required_count; i++) {
		if (slice_equal(rules->required[i].source, source))
			return &rules->required[i];
		if (rules->required[i].source.len == 0)
			fallback = &rules->required[i];
	}
	return fallback;
}

/* Two fields have words of their own: those that people use, too, who look at leads (S2-CLEAN, S3-CHANNELS). */
static int lacks(struct prepared *prepared, const struct schema_row *row)
{
	if (slice_is(row->name, "intent"))
		return err_set_at(&prepared->err, ERR_UNCLEAR_INTENT, row->path, "no intent is given, or none that is understood");
	if (slice_is(row->name, "referrer"))
		return err_set_at(&prepared->err, ERR_MISSING_REFERRER, row->path, "a referred lead has to name who referred it");
	return err_set_at(&prepared->err, ERR_MISSING_FIELD, row->path, "the configuration requires this field");
}

static int check_required(struct prepared *prepared)
{
	const struct intake_required *required = required_of(intake_rules(prepared->model), prepared->lead.source);
	for (size_t i = 0; required != NULL && i < required->count; i++)
		if (!is_present(&prepared->lead, required->rows[i]))
			return lacks(prepared, required->rows[i]);
	return 0;
}

int intake_check(struct prepared *prepared, const struct match_keys *keys)
{
	const struct intake_rules *rules = intake_rules(prepared->model);
	if (!can_be_reached(prepared, keys))
		return err_set_at(&prepared->err, ERR_BAD_CONTACT, "contact", "no usable way to reach the person is left");
	for (size_t i = 0; i < rules->vocabulary_count; i++)
		if (check_word(prepared, &rules->vocabularies[i]) != 0)
			return -1;
	return check_required(prepared);
}

/* ---- numbers */

enum { MEMORY_BYTES_MAX = 100, MEMORY_VALUES = 4, DATE_BYTES = 16 };

/* The date as it stands in the number, and the part of it that the running number belongs to. */
static void date_of(const struct intake_number *number, int64_t now_ms, char ret_date[DATE_BYTES], size_t *ret_period)
{
	static const size_t lengths[] = {[NUMBER_DAILY] = 8, [NUMBER_MONTHLY] = 6, [NUMBER_YEARLY] = 4, [NUMBER_NEVER] = 0};
	struct civil day;
	zone_to_civil(number->zone, now_ms / 1000 - (now_ms % 1000 < 0), &day);
	snprintf(ret_date, DATE_BYTES, "%04d%02u%02u", (int)(day.year % 10000), (unsigned)day.month % 100, (unsigned)day.day % 100);
	*ret_period = lengths[number->restart];
}

/* The last number of the period; 0: it begins. */
static int64_t last_number(const struct work *work, struct slice key, struct slice period)
{
	struct slice value = overlay_get(&work->decider->overlay, key);
	struct json_limits limits = {MEMORY_BYTES_MAX, 2, MEMORY_VALUES};
	const struct json *json = value.len != 0 ? json_read(value, limits, work->arena, NULL) : NULL;
	const struct json *last = json_get(json, "n");
	bool is_same = slice_equal(json_get_text(json, "of"), period);
	return is_same && last != NULL && last->type == JSON_IS_INT && last->integer > 0 ? last->integer : 0;
}

void intake_number_lead(struct work *work)
{
	const struct intake_number *number = &intake_rules(work->model)->number;
	char date[DATE_BYTES];
	size_t period_len;
	if (!number->is_on)
		return;
	date_of(number, work->now_ms, date, &period_len);
	struct slice key = ARENA_JOIN(work->arena, SLICE("mem/no/"), work->prepared->lead.tenant);
	struct slice period = {date, period_len};
	long long next = (long long)last_number(work, key, period) + 1;
	struct slice value = slice_of(arena_printf(work->arena, "{\"of\":\"%.*s\",\"n\":%lld}", SLICE_ARG(period), next));
	overlay_put(&work->decider->overlay, key, value, 0);
	work->state.number = slice_of(arena_printf(work->arena, "%.*s%s-%0*lld", SLICE_ARG(number->prefix), date, number->digits, next));
}
