/* SPDX-License-Identifier: Apache-2.0
 *
 * A plug-in for tests that behaves as its setting `mode` says: well, slowly, wrongly or not at all. Each mode is one row
 * of the table below; tests/unit/test_plugin_host.c says what the host must make of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "plugins/plugin.h"

enum { KEPT_MAX = 4000, LATER_MS = 5, FAR_MS = 40, HUNDRED = 100 };

struct instance {
	const struct lr_host *host;
	int (*run)(struct instance *instance, const struct lr_record *record, struct lr_answer *answer);
	int done_at_close;
	int64_t runs;
	struct lr_answer *kept[KEPT_MAX]; /* not answered yet, oldest first */
	size_t kept_count;
	struct lr_timer *timer;
	struct lr_watch *watch;
	int event_fd;
};

static struct lr_text text_of(const char *text)
{
	return (struct lr_text){text, strlen(text)};
}

static void say(struct instance *instance, struct lr_answer *answer)
{
	const struct lr_host *host = instance->host;
	host->answer_text(host->self, answer, "said", text_of("yes"));
	host->answer_int(host->self, answer, "runs", instance->runs);
	host->answer_bool(host->self, answer, "true", 1);
	host->done(host->self, answer);
}

static int keep(struct instance *instance, struct lr_answer *answer)
{
	if (instance->kept_count == KEPT_MAX)
		return 1;
	instance->kept[instance->kept_count++] = answer;
	return 0;
}

static void say_all(void *ctx)
{
	struct instance *instance = ctx;
	instance->timer = NULL;
	size_t count = instance->kept_count;
	instance->kept_count = 0;
	for (size_t i = 0; i < count; i++)
		say(instance, instance->kept[i]);
}

static int run_at_once(struct instance *instance, const struct lr_record *record, struct lr_answer *answer)
{
	(void)record;
	say(instance, answer);
	return 0;
}

static int keep_for(struct instance *instance, struct lr_answer *answer, int64_t delay_ms)
{
	if (instance->timer == NULL)
		instance->timer = instance->host->timer(instance->host->self, delay_ms, say_all, instance);
	return keep(instance, answer);
}

static int run_later(struct instance *instance, const struct lr_record *record, struct lr_answer *answer)
{
	(void)record;
	return keep_for(instance, answer, LATER_MS);
}

static int run_far(struct instance *instance, const struct lr_record *record, struct lr_answer *answer)
{
	(void)record;
	return keep_for(instance, answer, FAR_MS);
}

/* Answers a hundred together, when it is asked for the next. */
static int run_by_hundreds(struct instance *instance, const struct lr_record *record, struct lr_answer *answer)
{
	(void)record;
	if (instance->kept_count == HUNDRED)
		say_all(instance);
	return keep(instance, answer);
}

static int run_never(struct instance *instance, const struct lr_record *record, struct lr_answer *answer)
{
	(void)record;
	return keep(instance, answer);
}

static int run_refuse(struct instance *instance, const struct lr_record *record, struct lr_answer *answer)
{
	(void)record;
	instance->host->answer_text(instance->host->self, answer, "said", text_of("thrown away"));
	return 1;
}

static int run_done_and_refuse(struct instance *instance, const struct lr_record *record, struct lr_answer *answer)
{
	(void)record;
	say(instance, answer);
	return 1;
}

static void on_event(void *ctx)
{
	struct instance *instance = ctx;
	uint64_t count;
	if (read(instance->event_fd, &count, sizeof count) == sizeof count)
		say_all(instance);
}

static int run_watch(struct instance *instance, const struct lr_record *record, struct lr_answer *answer)
{
	(void)record;
	if (instance->watch == NULL)
		instance->watch = instance->host->watch(instance->host->self, instance->event_fd, on_event, instance);
	uint64_t one = 1;
	return write(instance->event_fd, &one, sizeof one) == sizeof one ? keep(instance, answer) : 1;
}

static int run_fill(struct instance *instance, const struct lr_record *record, struct lr_answer *answer)
{
	const struct lr_host *host = instance->host;
	struct lr_text city = host->field(host->self, record, "location.city");
	host->fill(host->self, answer, "location.country", text_of("AU"));
	host->fill(host->self, answer, "contact.email", text_of("other@example.com")); /* is set already */
	host->fill(host->self, answer, "no.such.field", text_of("x"));
	host->fill(host->self, answer, "lead_id", text_of("mine"));
	host->answer_text(host->self, answer, "city", city);
	host->done(host->self, answer);
	return 0;
}

/* How many of the wrong calls were refused, as a fact. */
static int run_wrong(struct instance *instance, const struct lr_record *record, struct lr_answer *answer)
{
	(void)record;
	static const char *const names[] = {"", "Upper", "1st", "dot.ted", "spa ce", "_x", "\xc3\xa4", NULL,
	                                    "a_name_that_is_much_longer_than_any_fact_may_be_with_its_plugin"};
	const struct lr_host *host = instance->host;
	static char long_text[2000];
	memset(long_text, 'x', sizeof long_text);
	int64_t refused = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		refused += host->answer_int(host->self, answer, names[i], 1) == -1;
	refused += host->answer_text(host->self, answer, "long", (struct lr_text){long_text, sizeof long_text}) == -1;
	refused += host->answer_text(host->self, answer, "not_utf8", text_of("\xff")) == -1;
	refused += host->fill(host->self, answer, NULL, text_of("x")) == -1;
	refused += host->timer(host->self, -1, say_all, instance) == NULL;
	host->answer_int(host->self, answer, "refused", refused);
	host->done(host->self, answer);
	host->log(host->self, 99, "a level that does not exist");
	return 0;
}

static int run_many(struct instance *instance, const struct lr_record *record, struct lr_answer *answer)
{
	(void)record;
	const struct lr_host *host = instance->host;
	for (int i = 0; i < 100; i++) {
		char name[16];
		snprintf(name, sizeof name, "f%d", i);
		host->answer_int(host->self, answer, name, i);
	}
	host->done(host->self, answer);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct instance *instance, const struct lr_record *record, struct lr_answer *answer);
	int done_at_close;
} modes[] = {
	{"at_once", run_at_once, 0}, {"later", run_later, 0},
	{"far", run_far, 0},         {"never", run_never, 0},
	{"at_close", run_never, 1},  {"refuse", run_refuse, 0},
	{"watch", run_watch, 0},     {"done_and_refuse", run_done_and_refuse, 0},
	{"fill", run_fill, 0},       {"wrong", run_wrong, 0},
	{"many", run_many, 0},       {"by_hundreds", run_by_hundreds, 0},
};

static void *open_instance(const struct lr_host *host, const struct lr_settings *settings, struct lr_err *err)
{
	char path[256];
	struct lr_text mode = host->setting(host->self, settings, "mode");
	struct instance *instance = calloc(1, sizeof *instance);
	instance->host = host;
	instance->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (mode.len == strlen(modes[i].name) && memcmp(mode.bytes, modes[i].name, mode.len) == 0) {
			instance->run = modes[i].run;
			instance->done_at_close = modes[i].done_at_close;
		}
	if (instance->run != NULL && host->resolve(host->self, settings, mode, path, sizeof path) == 0 &&
	    host->resolve(host->self, settings, mode, path, 3) == -1)
		return instance;
	if (mode.len != 6 || memcmp(mode.bytes, "silent", 6) != 0)
		snprintf(err->text, sizeof err->text, "no mode %.*s", (int)mode.len, mode.bytes);
	close(instance->event_fd);
	free(instance);
	return NULL;
}

static int run(void *self, const struct lr_record *record, struct lr_answer *answer)
{
	struct instance *instance = self;
	instance->runs++;
	return instance->run(instance, record, answer);
}

static void close_instance(void *self)
{
	struct instance *instance = self;
	const struct lr_host *host = instance->host;
	if (instance->timer != NULL)
		host->timer_cancel(host->self, instance->timer);
	if (instance->watch != NULL)
		host->unwatch(host->self, instance->watch);
	for (size_t i = 0; instance->done_at_close && i < instance->kept_count; i++)
		host->done(host->self, instance->kept[i]);
	close(instance->event_fd);
	free(instance);
}

static const struct lr_option options[] = {
	{"mode", "what it does", 1},
	{"note", "is not used", 0},
	{NULL, NULL, 0},
};

__attribute__((visibility("default"))) const struct lr_plugin lr_plugin_v1 = {
	.abi = LR_PLUGIN_ABI,
	.size = sizeof(struct lr_plugin),
	.name = "scripted",
#ifdef SCRIPTED_CLEANSES
	.steps = LR_CLEANSE,
#else
	.steps = LR_ENRICH,
#endif
	.options = options,
	.open = open_instance,
	.run = run,
	.close = close_instance,
};
