/* SPDX-License-Identifier: Apache-2.0
 *
 * One ask goes through the instances in order; at each it waits for at most one answer:
 *
 *     ask ─► instance 1: run() ─ done? ─► facts ─► instance 2: run() … deadline ─► (late) ─► instance 3 … ─► on_done
 *
 * An answer belongs to its instance from run() until done(): it outlives the ask when it is late, and dies with the
 * instance when done() never comes.
 */
#include "daemon/plugin_host.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/config.h"
#include "daemon/generation.h"
#include "daemon/log.h"
#include "daemon/plugin_check.h"
#include "daemon/stats.h"
#include "plugins/plugin.h"
#include "rules/base/diag.h"
#include "rules/base/mem.h"
#include "rules/base/utf8.h"
#include "rules/facts.h"
#include "rules/json/tree.h"

struct fact {
	struct fact *next;
	enum { FACT_TEXT, FACT_INT, FACT_BOOL, FACT_FILL } type;
	char *name, *text; /* of FACT_FILL: the path of the field */
	size_t text_len;
	int64_t number;
};

struct lr_answer {
	struct lr_answer *next; /* of the instance */
	struct instance *instance;
	struct plugin_ask *ask; /* NULL: late */
	struct fact *facts, **facts_last;
	size_t fact_count;
	bool is_done;
	bool is_late; /* counted in late_count of the instance */
};

struct lr_timer {
	struct lr_timer *next;
	struct instance *instance;
	struct loop_timer *timer;
	void (*fn)(void *ctx);
	void *ctx;
};

struct lr_watch {
	struct lr_watch *next;
	struct loop_watch *watch;
};

struct instance {
	struct plugin_set *set;
	const struct config_plugin *config;
	void *module;
	const struct lr_plugin *plugin;
	void *self;
	struct lr_host host;
	struct lr_answer *answers; /* not done yet */
	struct lr_timer *timers;
	struct lr_watch *watches;
	size_t late_count;
	bool is_off;
};

struct plugin_set {
	struct loop *loop;
	struct stats *stats;
	struct log *log;
	const char *directory;
	struct instance **instances; /* cleansing ones first */
	size_t count;
};

struct plugin_ask {
	struct plugin_set *set;
	struct prepared *prepared;
	size_t at;                 /* the instance that is being asked */
	struct lr_answer *answer;  /* waited for */
	bool is_in_run;
	struct loop_timer *deadline;
	loop_fn on_done;
	void *ctx;
};

/* ---- answers */

static void count_answer(const struct instance *instance, const char *result)
{
	if (instance->set->stats == NULL)
		return;
	const struct slice labels[] = {slice_of(instance->config->name), slice_of(result)};
	stats_count(instance->set->stats, STATS_PLUGIN_ANSWERS, labels, 1);
}

static void answer_free(struct lr_answer *answer)
{
	struct lr_answer **link = &answer->instance->answers;
	while (*link != answer)
		link = &(*link)->next;
	*link = answer->next;
	while (answer->facts != NULL) {
		struct fact *fact = answer->facts;
		answer->facts = fact->next;
		free(fact->name);
		free(fact->text);
		free(fact);
	}
	free(answer);
}

static struct lr_answer *answer_new(struct instance *instance, struct plugin_ask *ask)
{
	struct lr_answer *answer = xcalloc(1, sizeof *answer);
	answer->instance = instance;
	answer->ask = ask;
	answer->facts_last = &answer->facts;
	answer->next = instance->answers;
	instance->answers = answer;
	return answer;
}

static void keep_fact(struct prepared *prepared, const struct instance *instance, const struct fact *fact)
{
	char name[128];
	const struct slice text = {fact->text, fact->text_len};
	snprintf(name, sizeof name, "%s.%s", instance->config->name, fact->name);
	int result = 0;
	switch (fact->type) {
	case FACT_TEXT: result = rules_add_fact_text(prepared, name, text); break;
	case FACT_INT: result = rules_add_fact_int(prepared, name, fact->number); break;
	case FACT_BOOL: result = rules_add_fact_bool(prepared, name, fact->number != 0); break;
	case FACT_FILL: rules_fill_field(prepared, fact->name, text, instance->config->name); break;
	}
	if (result != 0) /* all plug-ins together have said too much about this lead */
		count_answer(instance, "fact_dropped");
}

static void keep_answer(struct plugin_ask *ask, const struct lr_answer *answer)
{
	for (const struct fact *fact = answer->facts; fact != NULL; fact = fact->next)
		keep_fact(ask->prepared, answer->instance, fact);
	count_answer(answer->instance, "answered");
}

/* ---- asking */

/* The answer of the current instance does not count any more; it is freed when the plug-in calls done(). */
static struct lr_answer *leave_behind(struct plugin_ask *ask)
{
	struct lr_answer *answer = ask->answer;
	answer->ask = NULL;
	ask->answer = NULL;
	return answer;
}

static void count_late(struct lr_answer *answer)
{
	struct instance *instance = answer->instance;
	answer->is_late = true;
	count_answer(instance, "late");
	if (++instance->late_count < PLUGIN_LATE_MAX || instance->is_off)
		return;
	instance->is_off = true;
	if (instance->set->log != NULL)
		log_write(instance->set->log, LOG_LEVEL_ERROR, "plug-in switched off: its answers do not come",
		          LOG_TEXT("plugin", instance->config->name), LOG_TEXT("err.code", err_number(ERR_PLUGIN_LATE)));
}

/* Asks instance ask->at; true when it need not be waited for. */
static bool ask_one(struct plugin_ask *ask)
{
	struct instance *instance = ask->set->instances[ask->at];
	if (instance->is_off)
		return true;
	struct lr_answer *answer = ask->answer = answer_new(instance, ask);
	ask->is_in_run = true;
	int refused = instance->plugin->run(instance->self, (const struct lr_record *)ask->prepared, answer);
	ask->is_in_run = false;
	if (refused == 0 && !answer->is_done) {
		loop_timer_start(ask->deadline, instance->config->deadline_ms);
		return false;
	}
	if (refused == 0)
		keep_answer(ask, answer);
	else
		count_answer(instance, "refused");
	ask->answer = NULL;
	answer_free(answer);
	return true;
}

static bool ask_rest(struct plugin_ask *ask)
{
	for (; ask->at < ask->set->count; ask->at++)
		if (!ask_one(ask))
			return false;
	return true;
}

static void ask_free(struct plugin_ask *ask)
{
	loop_timer_free(ask->deadline);
	free(ask);
}

/* This may be inside done(), with the plug-in on the stack. What follows an answer may end its generation and unload the
 * plug-in, so on_done comes from the loop. */
static void go_on(struct plugin_ask *ask)
{
	ask->at++;
	if (ask_rest(ask))
		loop_timer_start(ask->deadline, 0);
}

static void on_deadline(void *ctx)
{
	struct plugin_ask *ask = ctx;
	if (ask->answer != NULL) {
		count_late(leave_behind(ask));
		go_on(ask);
		return;
	}
	loop_fn on_done = ask->on_done;
	void *done_ctx = ask->ctx;
	ask_free(ask);
	on_done(done_ctx);
}

struct plugin_ask *plugin_host_ask(struct generation *generation, struct prepared *prepared, loop_fn on_done, void *ctx)
{
	struct plugin_set *set = generation_part(generation);
	if (set == NULL || set->count == 0)
		return NULL;
	struct plugin_ask *ask = xcalloc(1, sizeof *ask);
	*ask = (struct plugin_ask){.set = set, .prepared = prepared, .on_done = on_done, .ctx = ctx};
	ask->deadline = loop_timer_new(set->loop, on_deadline, ask);
	if (!ask_rest(ask))
		return ask;
	ask_free(ask);
	return NULL;
}

void plugin_host_cancel(struct plugin_ask *take_ask)
{
	if (take_ask->answer != NULL)
		count_answer(leave_behind(take_ask)->instance, "cancelled"); /* not late: the plug-in had time left */
	ask_free(take_ask);
}

/* ---- services of the host; `self` is the instance */

static struct lr_text to_lr(struct slice text)
{
	return (struct lr_text){text.p, text.len};
}

static struct lr_text host_setting(void *self, const struct lr_settings *settings, const char *name)
{
	(void)self;
	const struct node *value = node_get((const struct node *)settings, name);
	return value && value->kind == NODE_SCALAR ? to_lr(value->text) : (struct lr_text){NULL, 0};
}

static int host_resolve(void *self, const struct lr_settings *settings, struct lr_text name, char *path,
                        size_t path_bytes)
{
	(void)settings;
	const struct instance *instance = self;
	bool is_absolute = name.len > 0 && name.bytes[0] == '/';
	int len = is_absolute ? snprintf(path, path_bytes, "%.*s", (int)name.len, name.bytes)
	                      : snprintf(path, path_bytes, "%s/%.*s", instance->set->directory, (int)name.len, name.bytes);
	return len > 0 && (size_t)len < path_bytes ? 0 : -1;
}

static void host_log(void *self, int level, const char *text)
{
	const struct instance *instance = self;
	enum log_level at = level < 0 || level > LOG_LEVEL_DEBUG ? LOG_LEVEL_INFO : (enum log_level)level;
	if (instance->set->log != NULL)
		log_write(instance->set->log, at, text, LOG_TEXT("plugin", instance->config->name));
}

static struct lr_text host_field(void *self, const struct lr_record *record, const char *path)
{
	(void)self;
	return to_lr(rules_field((const struct prepared *)record, path));
}

/* The whole name, with the plug-in's in front, has to fit. */
static bool is_fact_name(const struct instance *instance, const char *name)
{
	if (name == NULL || !islower((unsigned char)*name))
		return false;
	size_t len = 0, len_max = FACT_NAME_BYTES_MAX - strlen(instance->config->name) - 1;
	for (; name[len] != '\0' && len <= len_max; len++)
		if (!islower((unsigned char)name[len]) && !isdigit((unsigned char)name[len]) && name[len] != '_')
			return false;
	return len <= len_max;
}

static struct fact *add_fact(struct lr_answer *answer, const char *name, struct lr_text text)
{
	if (text.bytes == NULL)
		text.len = 0;
	if (answer->is_done || answer->fact_count == PLUGIN_FACTS_MAX || text.len > PLUGIN_FACT_BYTES ||
	    utf8_first_bad((struct slice){text.bytes, text.len}) != text.len)
		return NULL;
	answer->fact_count++;
	struct fact *fact = xcalloc(1, sizeof *fact);
	fact->name = xstrdup(name);
	fact->text = xmemdupz(text.bytes, text.len);
	fact->text_len = text.len;
	*answer->facts_last = fact;
	answer->facts_last = &fact->next;
	return fact;
}

static int add_value(struct lr_answer *answer, const char *name, int type, struct lr_text text, int64_t number)
{
	struct fact *fact = is_fact_name(answer->instance, name) ? add_fact(answer, name, text) : NULL;
	if (fact == NULL)
		return -1;
	fact->type = type;
	fact->number = number;
	return 0;
}

static int host_answer_text(void *self, struct lr_answer *answer, const char *name, struct lr_text value)
{
	(void)self;
	return add_value(answer, name, FACT_TEXT, value, 0);
}

static int host_answer_int(void *self, struct lr_answer *answer, const char *name, int64_t value)
{
	(void)self;
	return add_value(answer, name, FACT_INT, (struct lr_text){NULL, 0}, value);
}

static int host_answer_bool(void *self, struct lr_answer *answer, const char *name, int value)
{
	(void)self;
	return add_value(answer, name, FACT_BOOL, (struct lr_text){NULL, 0}, value != 0);
}

static int host_fill(void *self, struct lr_answer *answer, const char *path, struct lr_text value)
{
	(void)self;
	struct fact *fact = path != NULL ? add_fact(answer, path, value) : NULL;
	if (fact == NULL)
		return -1;
	fact->type = FACT_FILL;
	return 0;
}

static void host_done(void *self, struct lr_answer *take_answer)
{
	(void)self;
	struct lr_answer *answer = take_answer;
	struct plugin_ask *ask = answer->ask;
	answer->is_done = true;
	if (ask == NULL) {
		answer->instance->late_count -= answer->is_late;
		answer_free(answer);
	} else if (!ask->is_in_run) {
		loop_timer_stop(ask->deadline);
		keep_answer(ask, answer);
		ask->answer = NULL;
		answer_free(answer);
		go_on(ask);
	}
}

static void timer_free(struct lr_timer *timer)
{
	struct lr_timer **link = &timer->instance->timers;
	while (*link != timer)
		link = &(*link)->next;
	*link = timer->next;
	loop_timer_free(timer->timer);
	free(timer);
}

static void on_timer(void *ctx)
{
	struct lr_timer *timer = ctx;
	void (*fn)(void *) = timer->fn;
	void *fn_ctx = timer->ctx;
	timer_free(timer);
	fn(fn_ctx);
}

static struct lr_timer *host_timer(void *self, int64_t delay_ms, void (*fn)(void *ctx), void *ctx)
{
	struct instance *instance = self;
	if (instance->set->loop == NULL || delay_ms < 0)
		return NULL;
	struct lr_timer *timer = xcalloc(1, sizeof *timer);
	*timer = (struct lr_timer){.next = instance->timers, .instance = instance, .fn = fn, .ctx = ctx};
	timer->timer = loop_timer_new(instance->set->loop, on_timer, timer);
	instance->timers = timer;
	loop_timer_start(timer->timer, delay_ms);
	return timer;
}

static void host_timer_cancel(void *self, struct lr_timer *timer)
{
	(void)self;
	timer_free(timer);
}

static struct lr_watch *host_watch(void *self, int fd, void (*fn)(void *ctx), void *ctx)
{
	struct instance *instance = self;
	if (instance->set->loop == NULL)
		return NULL;
	struct lr_watch *watch = xcalloc(1, sizeof *watch);
	watch->next = instance->watches;
	watch->watch = loop_watch_readable(instance->set->loop, fd, fn, ctx);
	instance->watches = watch;
	return watch;
}

static void host_unwatch(void *self, struct lr_watch *watch)
{
	struct instance *instance = self;
	struct lr_watch **link = &instance->watches;
	while (*link != watch)
		link = &(*link)->next;
	*link = watch->next;
	loop_watch_free(watch->watch);
	free(watch);
}

static const struct lr_host HOST = {
	.abi = LR_PLUGIN_ABI,
	.size = sizeof(struct lr_host),
	.setting = host_setting,
	.resolve = host_resolve,
	.log = host_log,
	.field = host_field,
	.answer_text = host_answer_text,
	.answer_int = host_answer_int,
	.answer_bool = host_answer_bool,
	.fill = host_fill,
	.done = host_done,
	.timer = host_timer,
	.timer_cancel = host_timer_cancel,
	.watch = host_watch,
	.unwatch = host_unwatch,
};

/* ---- opening and closing */

static void instance_close(struct instance *instance)
{
	if (instance->self != NULL)
		instance->plugin->close(instance->self);
	for (struct lr_timer *timer = instance->timers, *next; timer != NULL; timer = next) {
		next = timer->next;
		timer_free(timer);
	}
	for (struct lr_watch *watch = instance->watches, *next; watch != NULL; watch = next) {
		next = watch->next;
		host_unwatch(instance, watch);
	}
	for (struct lr_answer *answer = instance->answers, *next; answer != NULL; answer = next) {
		next = answer->next;
		answer_free(answer);
	}
	if (instance->module != NULL)
		dlclose(instance->module);
}

static bool load_module(struct instance *instance, struct diags *diags)
{
	char path[4096];
	const struct lr_text name = {instance->config->path, strlen(instance->config->path)};
	if (host_resolve(instance, NULL, name, path, sizeof path) != 0) {
		diags_add(diags, ERR_PLUGIN_OPEN, plugin_entry_span(instance->config, "path"), "the path of the plug-in is too long");
		return false;
	}
	instance->module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (instance->module == NULL)
		diags_add(diags, ERR_PLUGIN_OPEN, plugin_entry_span(instance->config, "path"), "the plug-in cannot be loaded: %s", dlerror());
	else
		instance->plugin = dlsym(instance->module, "lr_plugin_v1");
	return instance->module != NULL;
}

static bool instance_open(struct instance *instance, struct diags *diags)
{
	if (!load_module(instance, diags) || !plugin_check(instance->plugin, instance->config, diags))
		return false;
	struct lr_err why = {""};
	instance->host = HOST;
	instance->host.self = instance;
	instance->self =
		instance->plugin->open(&instance->host, (const struct lr_settings *)instance->config->settings, &why);
	if (instance->self == NULL)
		diags_add(diags, ERR_PLUGIN_OPEN, plugin_entry_span(instance->config, instance->config->settings ? "settings" : "path"),
		          "the plug-in `%s` refuses to open: %.200s", instance->plugin->name,
		          why.text[0] ? why.text : "it does not say why");
	return instance->self != NULL;
}

/* Cleansing plug-ins first, otherwise in the order of the configuration. */
static void sort_by_step(struct plugin_set *set)
{
	for (size_t i = 1; i < set->count; i++)
		for (size_t j = i; j > 0 && (set->instances[j]->plugin->steps & LR_CLEANSE) &&
		                   !(set->instances[j - 1]->plugin->steps & LR_CLEANSE);
		     j--) {
			struct instance *swap = set->instances[j];
			set->instances[j] = set->instances[j - 1];
			set->instances[j - 1] = swap;
		}
}

struct plugin_set *plugin_set_open(const struct config *config, const char *directory, struct loop *loop,
                                   struct stats *stats, struct log *log, struct diags *diags)
{
	struct plugin_set *set = xcalloc(1, sizeof *set);
	*set = (struct plugin_set){.loop = loop, .stats = stats, .log = log};
	set->directory = xstrdup(directory);
	set->instances = xcalloc(config->plugin_count, sizeof *set->instances);
	set->count = config->plugin_count;
	bool is_good = true;
	for (size_t i = 0; i < set->count; i++) {
		struct instance *instance = set->instances[i] = xcalloc(1, sizeof *instance);
		instance->set = set;
		instance->config = &config->plugins[i];
		is_good &= instance_open(instance, diags);
	}
	if (is_good) {
		sort_by_step(set);
		return set;
	}
	plugin_set_close(set);
	return NULL;
}

void plugin_set_close(void *take_set)
{
	struct plugin_set *set = take_set;
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->count; i++) {
		instance_close(set->instances[i]);
		free(set->instances[i]);
	}
	free(set->instances);
	free((char *)(uintptr_t)set->directory);
	free(set);
}
