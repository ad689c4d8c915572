/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/history.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/kafka_tool.h"
#include "rules/json/json.h"
#include "rules/rules.h"

enum {
	LOOK_MS = 200,
	IDLE_MS = 10000, /* a broker that is slow to answer is not one that has no more */
	EVENT_BYTES_MAX = 4 << 20,
	INTAKES_MAX = 8, /* an id that was erased may come again */
};

struct search {
	struct history *history;
	const struct kafka_options *options;
	struct slice lead_id;
	struct history_event intakes[INTAKES_MAX];
	size_t intake_count;
};

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct slice keep(struct arena *arena, struct slice text)
{
	return (struct slice){arena_memdupz(arena, text.p != NULL ? text.p : "", text.len), text.len};
}

/* ---- one record of a topic */

/* "com.example.lead.assigned.v1" -> "lead.assigned" */
static struct slice bare_type(const struct kafka_options *options, struct slice type)
{
	struct slice prefix = slice_of(options->event_type_prefix), suffix = slice_of(options->event_type_suffix);
	if (prefix.len != 0 && slice_has_prefix(type, prefix))
		type = (struct slice){type.p + prefix.len, type.len - prefix.len};
	bool ends = suffix.len != 0 && type.len > suffix.len &&
	            memcmp(type.p + type.len - suffix.len, suffix.p, suffix.len) == 0;
	return ends ? (struct slice){type.p, type.len - suffix.len} : type;
}

static const struct json *read_value(struct search *search, struct slice value)
{
	const struct json_limits limits = {EVENT_BYTES_MAX, 64, 100000};
	return json_read_wide(keep(&search->history->arena, value), limits, &search->history->arena, NULL);
}

/* A lead is named by its bytes in all that is about it: the others need not be parsed. */
static bool names_lead(const struct search *search, const struct kafka_seen *seen)
{
	return seen->value.len != 0 && memmem(seen->value.p, seen->value.len, search->lead_id.p, search->lead_id.len) != NULL;
}

static bool read_rejected(struct search *search, const struct kafka_follower *follower, const struct kafka_seen *seen,
                          struct history_event *event)
{
	struct arena *arena = &search->history->arena;
	if (!slice_is(kafka_follower_header(follower, "leadrouter.error.record"), "lead"))
		return false;
	const struct json *record = read_value(search, seen->value), *data = json_get(record, "data");
	if (!slice_equal(json_get_text(data != NULL ? data : record, "lead_id"), search->lead_id))
		return false;
	event->type = SLICE("lead.rejected");
	event->id = keep(arena, kafka_follower_header(follower, "lr_id"));
	event->number = keep(arena, kafka_follower_header(follower, "leadrouter.error.number"));
	event->code = keep(arena, kafka_follower_header(follower, "leadrouter.error.code"));
	event->field = keep(arena, kafka_follower_header(follower, "leadrouter.error.field"));
	event->config = keep(arena, kafka_follower_header(follower, "leadrouter.error.config"));
	event->text = keep(arena, kafka_follower_header(follower, "__dlq.errors.message"));
	return true;
}

static bool read_event(struct search *search, const struct kafka_follower *follower, const struct kafka_seen *seen,
                       struct history_event *event)
{
	struct arena *arena = &search->history->arena;
	struct slice type = kafka_follower_header(follower, "ce_type");
	const struct json *root = read_value(search, seen->value);
	bool is_structured = type.len == 0 && json_get(root, "specversion") != NULL;
	event->data = is_structured ? json_get(root, "data") : root;
	event->type = bare_type(search->options, is_structured ? json_get_text(root, "type") : keep(arena, type));
	event->id = is_structured ? json_get_text(root, "id") : keep(arena, kafka_follower_header(follower, "ce_id"));
	if (event->data == NULL || event->type.len == 0)
		return false;
	return slice_equal(seen->key, search->lead_id) || slice_equal(json_get_text(event->data, "lead_id"), search->lead_id);
}

/* Another lead's record may place one that waits: that event has no stages behind it. */
static bool is_intake(const struct search *search, const struct history_event *event)
{
	const struct json *stages = json_get(json_get(event->data, "trace"), "stages");
	struct slice topic = slice_of(search->options->inputs[0].topic);
	for (size_t i = 0; i < search->options->input_count; i++)
		if (search->options->inputs[i].kind == RECORD_CAPTURED)
			topic = slice_of(search->options->inputs[i].topic);
	bool is_captured = slice_has_prefix(event->cause, topic) && event->cause.len > topic.len && event->cause.p[topic.len] == '/';
	bool is_its_own = slice_equal(json_get_text(event->data, "lead_id"), search->lead_id);
	return is_captured && (event->data == NULL || (is_its_own && stages != NULL && stages->count != 0));
}

static bool is_owning(struct slice type)
{
	return slice_is(type, "lead.assigned") || slice_is(type, "lead.unassigned");
}

static void take(struct search *search, const struct kafka_follower *follower, const struct kafka_seen *seen)
{
	struct history *history = search->history;
	struct history_event event = {.timestamp_ms = seen->timestamp_ms, .order = history->found};
	bool is_rejected = strcmp(seen->topic, search->options->outputs[OUT_REJECTED]) == 0;
	if (!names_lead(search, seen))
		return;
	if (!(is_rejected ? read_rejected : read_event)(search, follower, seen, &event))
		return;
	event.topic = keep(&history->arena, slice_of(seen->topic));
	event.cause = keep(&history->arena, kafka_follower_header(follower, "lr_cause"));
	event.is_intake = is_intake(search, &event);
	history->found++;
	if (event.is_intake && is_owning(event.type) && search->intake_count < INTAKES_MAX)
		search->intakes[search->intake_count++] = event;
	else
		history->events[history->count++ % HISTORY_EVENTS_MAX] = event;
}

/* ---- all of them */

static int read_topics(struct search *search, struct kafka_follower *follower, int64_t idle_ms, struct err *err)
{
	int64_t begun_ms = monotonic_ms(), last_ms = begun_ms;
	while (monotonic_ms() - last_ms < idle_ms && !kafka_follower_has_read_all(follower)) {
		struct kafka_seen seen;
		int found = kafka_follower_next(follower, LOOK_MS, &seen, err);
		if (found < 0)
			return -1;
		if (found > 0) {
			take(search, follower, &seen);
			last_ms = monotonic_ms();
		}
		search->history->is_cut = last_ms - begun_ms > (int64_t)HISTORY_SECONDS_MAX * 1000;
		if (search->history->is_cut)
			break;
	}
	return 0;
}

/* Topics have no order among each other. What was overdue comes before what was done about it in the same decision. */
static int compare_events(const void *a, const void *b)
{
	const struct history_event *x = a, *y = b;
	bool is_x_late = slice_is(x->type, "followup.overdue"), is_y_late = slice_is(y->type, "followup.overdue");
	if (x->timestamp_ms != y->timestamp_ms)
		return x->timestamp_ms < y->timestamp_ms ? -1 : 1;
	if (is_x_late != is_y_late)
		return is_x_late ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

int history_read(struct history *history, const struct kafka_options *options, struct slice lead_id, int64_t idle_ms,
                 struct err *err)
{
	struct search search = {.history = history, .options = options, .lead_id = lead_id};
	*history = (struct history){.arena = ARENA_INIT};
	history->events = arena_array(&history->arena, HISTORY_EVENTS_MAX + INTAKES_MAX, sizeof *history->events);
	struct kafka_follower *follower = kafka_follower_new(options, options->outputs, OUT_TOPICS, true, err);
	int result = follower != NULL ? read_topics(&search, follower, idle_ms > 0 ? idle_ms : IDLE_MS, err) : -1;
	kafka_follower_free(follower);
	if (history->count > HISTORY_EVENTS_MAX)
		history->count = HISTORY_EVENTS_MAX;
	for (size_t i = 0; i < search.intake_count; i++)
		history->events[history->count++] = search.intakes[i];
	if (history->count != 0)
		qsort(history->events, history->count, sizeof *history->events, compare_events);
	return result;
}

void history_done(struct history *history)
{
	arena_done(&history->arena);
}

/* ---- which is which */

static int rank_of(const struct history_event *event)
{
	if (!event->is_intake)
		return 0;
	return is_owning(event->type) ? 3 : slice_is(event->type, "lead.duplicate") ? 2 : event->data == NULL ? 1 : 0;
}

/* Of several the latest, but of repeats the first: the others repeat it. */
const struct history_event *history_decided(const struct history *history)
{
	const struct history_event *best = NULL;
	for (size_t i = 0; i < history->count; i++) {
		const struct history_event *event = &history->events[i];
		int rank = rank_of(event), best_rank = best != NULL ? rank_of(best) : 0;
		if (rank > best_rank || (rank != 0 && rank == best_rank && rank != 2))
			best = event;
	}
	return best;
}

/* A lead that goes into another one is also taken from its owner: lead.merged says both. */
static bool is_change(const struct history_event *event)
{
	if (slice_is(event->type, "lead.unassigned") && slice_is(json_get_text(event->data, "reason"), "merged"))
		return false;
	const struct json *repeated = json_get(event->data, "repeated");
	if (repeated != NULL && repeated->type == JSON_IS_BOOL && repeated->boolean)
		return false;
	return is_owning(event->type) || slice_is(event->type, "lead.merged") || slice_is(event->type, "lead.split") ||
	       slice_is(event->type, "lead.erased");
}

/* That a record went into another lead is told twice, by lead.duplicate and lead.merged. */
const struct history_event *history_changed(const struct history *history, struct slice lead_id)
{
	const struct history_event *last = NULL, *decided = history_decided(history);
	for (size_t i = 0; i < history->count; i++) {
		const struct history_event *event = &history->events[i];
		bool is_same = decided != NULL && slice_equal(event->cause, decided->cause);
		if (is_change(event) && !is_same && slice_equal(json_get_text(event->data, "lead_id"), lead_id))
			last = event;
	}
	return last;
}
