/* SPDX-License-Identifier: Apache-2.0
 *
 * Any JSON as a story of `leadctl explain`: events come from a topic, so nothing about their shape is sure. It is told in
 * every form, and its events are shown without contact data as JSON that can be read.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/event_shown.h"
#include "rules/json/json.h"
#include "rules/story/story.h"
#include "rules/story/story_lead.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(const struct json *story)
{
	struct strbuf out = STRBUF_INIT;
	story_text(&out, story);
	story_short(&out, story);
	story_timeline(&out, story);
	const struct json *routes = json_get(story, "routes");
	if (routes != NULL && routes->type == JSON_IS_ARRAY && routes->count > 0) {
		story_why_not(&out, story, json_get_text(&routes->items[routes->count - 1], "name"));
		story_lead_why_not(&out, story, json_get_text(&routes->items[0], "name"));
	}
	story_lead_text(&out, story);
	story_lead_short(&out, story, false);
	strbuf_done(&out);
}

static void show(const struct json *data, struct arena *arena)
{
	const struct json_limits limits = {.bytes = 16 << 20, .depth = 64, .values = 100000};
	struct strbuf out = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&out);
	event_put_shown(&writer, NULL, data, false);
	if (json_read((struct slice){out.bytes, out.len}, limits, arena, NULL) == NULL) {
		fprintf(stderr, "broken promise: what is shown is JSON\n");
		abort();
	}
	strbuf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_limits limits = {.bytes = 1 << 20, .depth = 32, .values = 10000};
	struct arena arena = ARENA_INIT;
	const struct json *story = json_read((struct slice){(const char *)data, size}, limits, &arena, NULL);
	if (story != NULL) {
		tell(story);
		show(story, &arena);
	}
	arena_done(&arena);
	return 0;
}
