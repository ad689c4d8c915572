/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/touch.h"

#include "rules/activity.h"
#include "rules/clocks_lead.h"
#include "rules/decide.h"
#include "rules/event_page.h"
#include "rules/kept.h"
#include "rules/merge.h"
#include "rules/model.h"
#include "rules/schema.h"

enum { CONTENT_BYTES_MAX = 300 };

const char *touch_field_name(enum touch_field field)
{
	static const char *const names[] = {
#define X(name) #name,
		TOUCH_FIELDS(X)
#undef X
	};
	return names[field];
}

/* ---- reading */

static bool is_one_of(struct slice text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (slice_is(text, *words))
			return true;
	return false;
}

static int check_word(struct slice text, const char *name, const char *const *words, const char *what, struct err *err)
{
	return text.len == 0 || is_one_of(text, words) ? 0 : err_set_at(err, ERR_UNKNOWN_WORD, name, "not one of %s", what);
}

static int read_words(struct activity *activity, struct err *err)
{
	static const char *const attitudes[] = {"positive", "neutral", "negative", NULL};
	static const char *const intents[] = {"potential", "clear", "high", NULL};
	struct touch *touch = &activity->touch;
	const struct json *data = activity->data;
	if (activity_text(data, "attitude", ACTIVITY_TEXT_BYTES_MAX, &touch->attitude, err) != 0 ||
	    activity_text(data, "intent", ACTIVITY_TEXT_BYTES_MAX, &touch->intent, err) != 0 ||
	    check_word(touch->attitude, "attitude", attitudes, "positive, neutral, negative", err) != 0)
		return -1;
	return check_word(touch->intent, "intent", intents, "potential, clear, high", err);
}

static int read_need(struct activity *activity, struct err *err)
{
	const struct json *need = json_get(activity->data, "need");
	if (need == NULL || need->type == JSON_IS_NULL)
		return 0;
	if (need->type != JSON_IS_OBJECT)
		return err_set_at(err, ERR_FIELD_TYPE, "need", "the field must be an object");
	activity->touch.need = need;
	return 0;
}

int touch_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	struct touch *touch = &activity->touch;
	const struct json *data = activity->data;
	bool reached = true;
	if (activity_text(data, "content", CONTENT_BYTES_MAX, &touch->content, err) != 0 ||
	    activity_text(data, "reaction", ACTIVITY_OUTCOME_BYTES_MAX, &touch->reaction, err) != 0 ||
	    activity_text(data, "next_aim", ACTIVITY_OUTCOME_BYTES_MAX, &touch->next_aim, err) != 0 ||
	    activity_time(data, "next_follow_up_at", &touch->next_ms, err) != 0 ||
	    activity_bool(data, "reached", &reached, err) != 0 || read_words(activity, err) != 0 ||
	    read_need(activity, err) != 0)
		return -1;
	touch->is_attempt = !reached;
	if (touch->next_ms != 0 && activity->at_ms > 0 && touch->next_ms <= activity->at_ms)
		return err_set_at(err, ERR_FOLLOW_UP_TIME, "next_follow_up_at", "not later than the follow-up itself");
	return 0;
}

/* ---- what the site asks for */

static bool is_given(const struct activity *activity, enum touch_field field)
{
	const struct touch *touch = &activity->touch;
	switch (field) {
	case TOUCH_at:
		return activity->at_ms >= 0;
	case TOUCH_actor:
		return activity->actor.len != 0;
	case TOUCH_method:
		return activity->method.len != 0;
	case TOUCH_outcome:
		return activity->outcome.len != 0;
	case TOUCH_content:
		return touch->content.len != 0;
	case TOUCH_reaction:
		return touch->reaction.len != 0;
	case TOUCH_attitude:
		return touch->attitude.len != 0;
	case TOUCH_need:
		return touch->need != NULL;
	case TOUCH_next_follow_up_at:
		return touch->next_ms != 0;
	case TOUCH_next_aim:
		return touch->next_aim.len != 0;
	case TOUCH_FIELDS_ALL:
		break;
	}
	return false;
}

static bool refuse(struct work *work, enum err_code code, const char *field, const char *text)
{
	decide_reject(work, work->prepared->record, code, field, text);
	return false;
}

static const struct touch_method *find_method(const struct touch_rules *rules, struct slice name)
{
	for (size_t i = 0; i < rules->method_count; i++)
		if (slice_equal(rules->methods[i].name, name))
			return &rules->methods[i];
	return NULL;
}

bool touch_is_fine(struct work *work)
{
	const struct touch_rules *rules = &work->model->touch_rules;
	const struct activity *activity = work->activity;
	unsigned required = rules->required;
	if (rules->method_count != 0 && activity->method.len != 0) {
		const struct touch_method *method = find_method(rules, activity->method);
		if (method == NULL)
			return refuse(work, ERR_FOLLOW_UP_METHOD, "method", "not one of followup.activity.methods");
		required = method->required;
	}
	for (int field = 0; field < TOUCH_FIELDS_ALL; field++)
		if ((required >> field & 1) != 0 && !is_given(activity, (enum touch_field)field)) {
			const char *name = touch_field_name((enum touch_field)field);
			return refuse(work, ERR_FOLLOW_UP_FIELD, name,
			              arena_printf(work->arena, "a follow-up has to say %s", name));
		}
	return true;
}

/* ---- a changed need */

/* What conditions may ask for and fits; anything else is in the event all the same. */
static void take_text(struct work *work, struct lead *lead, const char *path, const struct json *value)
{
	const struct schema_row *row = schema_find(slice_of(path));
	if (value == NULL || value->type != JSON_IS_STRING || value->text.len > row->bytes_max)
		return;
	*schema_text(lead, row) = value->text;
	merge_own(work, &work->state, slice_of(path));
}

static void take_budget(struct work *work, struct lead *lead, const struct json *budget)
{
	if (budget == NULL || budget->type != JSON_IS_OBJECT)
		return;
	const struct json *amount = json_get(budget, "amount");
	if (amount != NULL && (amount->type == JSON_IS_INT || amount->type == JSON_IS_REAL)) {
		lead->interest.budget.amount =
			(struct lead_real){true, amount->type == JSON_IS_INT ? (double)amount->integer : amount->real};
		merge_own(work, &work->state, SLICE("interest.budget.amount"));
	}
	take_text(work, lead, "interest.budget.currency", json_get(budget, "currency"));
}

void touch_take_need(struct work *work)
{
	const struct touch *touch = &work->activity->touch;
	if (!kept_any(work->model) || (touch->intent.len == 0 && touch->need == NULL))
		return;
	struct lead *lead = arena_alloc(work->arena, sizeof *lead);
	kept_restore(work->model, &work->state, work->lead_id, work->arena, lead);
	if (touch->intent.len != 0) {
		lead->intent = touch->intent;
		merge_own(work, &work->state, SLICE("intent"));
	}
	if (touch->need != NULL) {
		take_text(work, lead, "interest.product", json_get(touch->need, "product"));
		take_text(work, lead, "interest.function", json_get(touch->need, "function"));
		take_text(work, lead, "interest.timeframe", json_get(touch->need, "timeframe"));
		take_budget(work, lead, json_get(touch->need, "budget"));
	}
	work->state.kept = kept_text(work->model, lead, work->arena);
	work->kept_lead = lead;
}

/* ---- telling */

static void put_need(struct json_writer *writer, const struct json *need)
{
	static const char *const texts[] = {"product", "function", "need", "timeframe"};
	const struct json *budget = json_get(need, "budget");
	json_open_object(writer, "need");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct json *value = json_get(need, texts[i]);
		if (value != NULL && value->type == JSON_IS_STRING && value->text.len <= ACTIVITY_OUTCOME_BYTES_MAX)
			json_put_text(writer, texts[i], value->text);
	}
	if (budget != NULL && budget->type == JSON_IS_OBJECT) {
		const struct json *amount = json_get(budget, "amount"), *currency = json_get(budget, "currency");
		json_open_object(writer, "budget");
		if (amount != NULL && amount->type == JSON_IS_INT)
			json_put_int(writer, "amount", amount->integer);
		else if (amount != NULL && amount->type == JSON_IS_REAL)
			json_put_real(writer, "amount", amount->real);
		if (currency != NULL && currency->type == JSON_IS_STRING && currency->text.len <= ACTIVITY_TEXT_BYTES_MAX)
			json_put_text(writer, "currency", currency->text);
		json_close_object(writer);
	}
	json_close_object(writer);
}

void touch_write(struct json_writer *writer, const struct work *work)
{
	const struct touch *touch = &work->activity->touch;
	event_put_if(writer, "content", touch->content);
	event_put_if(writer, "reaction", touch->reaction);
	event_put_if(writer, "attitude", touch->attitude);
	if (touch->is_attempt)
		json_put_bool(writer, "reached", false);
	event_put_if(writer, "intent", touch->intent);
	if (touch->need != NULL)
		put_need(writer, touch->need);
	if (touch->next_ms == 0)
		return;
	const struct clock *clock = clocks_running(work, CLOCK_NEXT_FOLLOW_UP);
	json_open_object(writer, "next");
	json_put_time(writer, "wanted_at", touch->next_ms);
	if (clock != NULL)
		json_put_time(writer, "due_at", clock->due_ms);
	event_put_if(writer, "aim", touch->next_aim);
	json_close_object(writer);
}
