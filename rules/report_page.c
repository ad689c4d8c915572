/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/event_page.h"
#include "rules/model.h"
#include "rules/report.h"
#include "rules/text/zone.h"

const char *report_kind_name(enum report_kind kind)
{
	static const char *const names[] = {
#define X(id, name) #name,
		REPORT_KINDS(X)
#undef X
	};
	return names[kind];
}

static void put_date(struct json_writer *writer, const char *name, int64_t day)
{
	char text[FIGURES_PERIOD_BYTES];
	figures_period_format(FIGURES_DAY, day, text);
	json_put_text(writer, name, slice_of(text));
}

struct json_writer *report_page_open(struct page *page, struct work *work, enum report_kind kind,
                                     const struct report_period *period)
{
	page->text = (struct strbuf)STRBUF_INIT;
	page->writer = (struct json_writer)JSON_WRITER(&page->text);
	struct json_writer *writer = &page->writer;
	json_open_object(writer, NULL);
	json_put_text(writer, "kind", slice_of(report_kind_name(kind)));
	json_put_int(writer, "shard", tally_shard(work));
	json_open_object(writer, "period");
	json_put_text(writer, "name", slice_of(period->name));
	put_date(writer, "from", period->from);
	put_date(writer, "until", period->until);
	json_close_object(writer);
	json_put_text(writer, "zone", slice_of(zone_name(work->model->report->zone)));
	return writer;
}

/* A digest is about no lead; its key is its kind, so that each kind is in order. */
void report_page_close(struct page *page, struct work *work, enum report_kind kind, const struct report_period *period,
                       struct slice scope)
{
	const char *name = report_kind_name(kind);
	json_put_text(&page->writer, "config", slice_of(work->model->config_hash));
	json_put_time(&page->writer, "at", work->now_ms);
	work->lead_id = SLICE_NONE;
	work->state = (struct lead_state){0};
	struct event *event = page_close(page, work, OUT_LIFECYCLE, "digest");
	event->key = slice_of(arena_printf(work->arena, "digest:%s", name));
	event->subject = SLICE_NONE;
	event->id = slice_of(arena_printf(work->arena, "digest:%s:%lld:%s%s%.*s", name, (long long)tally_shard(work), period->name,
	                                  scope.len != 0 ? ":" : "", SLICE_ARG(scope)));
	event->cause = slice_of(arena_printf(work->arena, "timer:report:%s:%s", name, period->name));
}
