/* SPDX-License-Identifier: Apache-2.0
 *
 * Events into figures and into the sample.
 */
#include <string.h>

#include "daemon/ctl/report.h"
#include "rules/calendar/instant.h"
#include "rules/json/json.h"

static struct slice keep(struct report *report, struct slice text)
{
	return (struct slice){arena_memdupz(&report->arena, text.p != NULL ? text.p : "", text.len), text.len};
}

/* A lead at its intake, or NULL: the event is about something else. */
static const struct json *obtained(const struct figures_event *event, const struct json *data, int64_t *ret_ms)
{
	const struct json *lead = json_get(data, "lead"), *origin = json_get(data, "origin");
	if (slice_is(event->type, "lead.assigned") && lead != NULL) {
		*ret_ms = instant_parse(json_get_text(data, "assigned_at"));
		return lead;
	}
	if (slice_is(event->type, "lead.unassigned") && json_get(origin, "gate") != NULL) {
		*ret_ms = instant_parse(json_get_text(data, "at"));
		return origin;
	}
	return NULL;
}

static size_t place_of(const struct report *report, const char *rank)
{
	size_t at = report->sample_count;
	while (at > 0 && strcmp(report->sample[at - 1].rank, rank) > 0)
		at--;
	return at;
}

/* Keeps the leads of the lowest ranks: in any order of events the same ones. */
static void consider(struct report *report, const struct json *data, const struct json *from, struct slice type,
                     int64_t at_ms)
{
	struct report_lead lead = {.lead_id = json_get_text(data, "lead_id"), .obtained_ms = at_ms};
	figures_sample_rank(report->seed, lead.lead_id, lead.rank);
	size_t at = place_of(report, lead.rank);
	if (at == report->sample_max || (at > 0 && strcmp(report->sample[at - 1].rank, lead.rank) == 0))
		return;
	lead.lead_id = keep(report, lead.lead_id);
	lead.grade = keep(report, json_get_text(data, "grade"));
	lead.source = keep(report, json_get_text(from, "source"));
	lead.owner = keep(report, json_get_text(data, "owner"));
	lead.team = keep(report, json_get_text(data, "team"));
	lead.outcome = slice_is(type, "lead.assigned") ? SLICE("assigned") : keep(report, json_get_text(data, "reason"));
	memmove(&report->sample[at + 1], &report->sample[at], (report->sample_count - at) * sizeof lead);
	report->sample[at] = lead;
	if (report->sample_count < report->sample_max)
		report->sample_count++;
}

static void take_sample(struct report *report, const struct figures_event *event)
{
	struct arena scratch = ARENA_INIT;
	int64_t at_ms = 0;
	const struct json_limits limits = {FIGURES_EVENT_BYTES_MAX, 64, 200000};
	const struct json *data = json_read_wide(event->data, limits, &scratch, NULL);
	const struct json *lead = data != NULL ? obtained(event, data, &at_ms) : NULL;
	bool is_late = report->settings.until_ms != 0 && at_ms >= report->settings.until_ms;
	if (lead != NULL && at_ms >= report->settings.from_ms && !is_late) {
		report->obtained++;
		consider(report, data, lead, event->type, at_ms);
	}
	arena_done(&scratch);
}

void report_take(struct report *report, const struct figures_event *event)
{
	report->events++;
	if (report->sample_max != 0)
		take_sample(report, event);
	else
		figures_take(report->figures, event);
}
