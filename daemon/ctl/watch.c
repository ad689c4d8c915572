/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl watch: the output topics as they happen, one line an event for people or one object a line for programs.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/config.h"
#include "daemon/ctl/ctl.h"
#include "daemon/generation.h"
#include "daemon/kafka_tool.h"
#include "daemon/settings.h"
#include "rules/base/arena.h"
#include "rules/json/json.h"
#include "rules/story/explain.h"

enum { LOOK_MS = 200, EVENT_BYTES_MAX = 4 << 20 };

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int number)
{
	(void)number;
	is_interrupted = 1;
}

static void put_json(const struct kafka_follower *follower, const struct kafka_seen *seen, struct arena *arena,
                     struct strbuf *out)
{
	const struct json_limits limits = {EVENT_BYTES_MAX, 64, 100000};
	struct json_writer writer = JSON_WRITER(out);
	json_open_object(&writer, NULL);
	json_put_text(&writer, "topic", slice_of(seen->topic));
	json_put_int(&writer, "partition", seen->partition);
	json_put_int(&writer, "offset", seen->offset);
	json_put_text(&writer, "type", kafka_follower_header(follower, "ce_type"));
	json_put_time(&writer, "time", seen->timestamp_ms);
	json_put_text(&writer, "id", kafka_follower_header(follower, "ce_id"));
	json_put_text(&writer, "cause", kafka_follower_header(follower, "lr_cause"));
	json_put_text(&writer, "code", kafka_follower_header(follower, "leadrouter.error.code"));
	json_put_text(&writer, "number", kafka_follower_header(follower, "leadrouter.error.number"));
	json_put_text(&writer, "record", kafka_follower_header(follower, "leadrouter.error.record"));
	json_put_text(&writer, "text", kafka_follower_header(follower, "__dlq.errors.message"));
	if (json_read(seen->value, limits, arena, NULL) != NULL)
		json_put_raw(&writer, "data", seen->value);
	json_close_object(&writer);
}

/* The event's own sentence, or with --explain all that it says about itself; a rejected record is told by its code, never
 * by its bytes. */
static void put_line(const struct kafka_follower *follower, const struct kafka_seen *seen, bool explain,
                     struct arena *arena, struct strbuf *out)
{
	const struct json_limits limits = {EVENT_BYTES_MAX, 64, 100000};
	struct slice type = kafka_follower_header(follower, "ce_type");
	struct slice code = kafka_follower_header(follower, "leadrouter.error.code");
	struct slice text = kafka_follower_header(follower, "__dlq.errors.message");
	if (code.len > 0) {
		strbuf_printf(out, "rejected   %.*s: %.*s (%.*s)", SLICE_ARG(code), SLICE_ARG(text),
		              SLICE_ARG(kafka_follower_header(follower, "lr_cause")));
		return;
	}
	const struct json *event = json_read(seen->value, limits, arena, NULL);
	if (explain)
		explain_text(out, type, event);
	else
		explain_sentence(out, type, event);
}

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void print_event(const struct kafka_follower *follower, const struct kafka_seen *seen, const struct ctl_args *args)
{
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	if (args->json)
		put_json(follower, seen, &arena, &out);
	else
		put_line(follower, seen, args->explain, &arena, &out);
	puts(strbuf_text(&out));
	fflush(stdout);
	strbuf_done(&out);
	arena_done(&arena);
}

static int follow(struct kafka_follower *follower, const struct ctl_args *args, struct err *err)
{
	int64_t count = 0, last_ms = monotonic_ms();
	while (!is_interrupted && (args->count == 0 || count < args->count)) {
		struct kafka_seen seen;
		int found = kafka_follower_next(follower, LOOK_MS, &seen, err);
		if (found < 0)
			return ctl_fail(CTL_UNAVAILABLE, err);
		if (found > 0) {
			print_event(follower, &seen, args);
			count++;
			last_ms = monotonic_ms();
		} else if (args->idle_ms > 0 && monotonic_ms() - last_ms >= args->idle_ms) {
			break;
		}
	}
	return CTL_OK;
}

int ctl_watch(const struct ctl_args *args)
{
	struct generation *generation = ctl_load(args);
	if (generation == NULL)
		return CTL_CONFIG;
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	const struct kafka_options options = settings_kafka(generation_config(generation), &arena);
	signal(SIGINT, on_interrupt);
	signal(SIGTERM, on_interrupt);
	struct kafka_follower *follower = kafka_follower_new(&options, options.outputs, OUT_TOPICS, args->from_start, &err);
	int code = follower ? follow(follower, args, &err) : ctl_fail(CTL_UNAVAILABLE, &err);
	kafka_follower_free(follower);
	arena_done(&arena);
	generation_unref(generation);
	return code;
}
