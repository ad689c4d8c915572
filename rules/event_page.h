/* SPDX-License-Identifier: Apache-2.0
 *
 * The frame around every event, for rules/event*.c only:
 *
 *     struct page page;
 *     struct json_writer *writer = page_open(&page, work);    {"lead_id": …
 *     … members …
 *     page_close(&page, work, OUT_LIFECYCLE, "lead.status");  }, and one more event in work->ret
 *
 * One cause has at most one event of a type: its id is "<type>:<cause>". Whoever makes several gives them other ids.
 */
#ifndef LR_RULES_EVENT_PAGE_H
#define LR_RULES_EVENT_PAGE_H

#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/base/strbuf.h"
#include "rules/json/json.h"
#include "rules/rules.h"

struct work;

struct page {
	struct strbuf text;
	struct json_writer writer;
};

/* The page has the lead's id already. */
struct json_writer *page_open(struct page *page, const struct work *work);
/* Turns the page into the value of one more event, whose key is the lead's id. The result may still be changed, until the
 * next event is added. */
struct event *page_close(struct page *page, struct work *work, enum out_topic topic, const char *type);

/* Nothing for an empty text, or for the time 0. */
static inline void event_put_if(struct json_writer *writer, const char *name, struct slice text)
{
	if (text.len != 0)
		json_put_text(writer, name, text);
}

static inline void event_put_time_if(struct json_writer *writer, const char *name, int64_t ms)
{
	if (ms != 0)
		json_put_time(writer, name, ms);
}

/* Owner and team by id and by the name that people know. A rep who left the configuration has only an id. */
void event_put_owner(struct json_writer *writer, const struct work *work);
/* Who helps him, as "collaborators"; nothing when nobody does. In event_own.c. */
struct lead_state;
void event_put_helpers(struct json_writer *writer, const struct lead_state *state);

#endif
