/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/process.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "daemon/admin.h"
#include "daemon/clock.h"
#include "daemon/committer_kafka.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/generation.h"
#include "daemon/kafka_check.h"
#include "daemon/kafka_in_kafka.h"
#include "daemon/loader.h"
#include "daemon/loop.h"
#include "daemon/notify.h"
#include "daemon/router.h"
#include "daemon/settings.h"
#include "daemon/state_log_kafka.h"
#include "daemon/stats.h"
#include "daemon/tzdata.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/mem.h"
#include "rules/model.h"
#include "rules/rules.h"

enum {
	TICK_MS = 500,             /* clock guard, watchdog */
	REDIS_CHECK_MS = 10000,
	COMMIT_STUCK_MARGIN_MS = 1000,
};

struct process {
	char *directory;
	struct arena arena;       /* options that live as long as the process */
	struct log *log;
	struct stats *stats;
	struct notify *notify;
	struct loop *loop;
	struct clock *clock;
	struct generation *generation;
	struct kafka_options kafka;
	struct view *view;
	struct kafka_in *in;
	struct committer *committer;
	struct state_log *state_log;
	struct router *router;
	struct admin *admin;
	struct control *control;
	struct loop_watch *on_term, *on_int, *on_hup;
	struct loop_timer *tick, *stop_deadline;
	int64_t last_ping_ms;
	bool is_stopping, was_ready;
	int exit_code;
};

/* ---- configuration */

static struct generation *load(const char *directory, struct loop *loop, struct stats *stats, struct log *log,
                               struct strbuf *out)
{
	struct diags *diags = diags_new();
	struct generation *generation = loader_load(directory, loop, stats, log, diags);
	diags_render(diags, false, out);
	diags_verdict(diags, out);
	strbuf_putc(out, '\n');
	diags_free(diags);
	return generation;
}

bool process_check(const char *directory, struct strbuf *out)
{
	struct generation *generation = load(directory, NULL, NULL, NULL, out);
	bool is_good = generation != NULL;
	generation_unref(generation);
	return is_good;
}

static void set_info(struct process *process)
{
	const struct slice labels[] = {SLICE(LEADROUTER_VERSION),
	                               slice_of(generation_model(process->generation)->config_hash)};
	const struct slice tzdata = slice_of(tzdata_version());
	stats_clear(process->stats, STATS_CONFIG_INFO);
	stats_set(process->stats, STATS_CONFIG_INFO, labels, 1);
	stats_set(process->stats, STATS_TZDATA_INFO, &tzdata, 1);
	stats_set(process->stats, STATS_CONFIG_AT, NULL, (double)time(NULL));
}

/* ---- reload */

struct fixed {
	struct strbuf *out;
	size_t count;
};

static void on_difference(void *ctx, const char *name, const char *before, const char *after, bool is_reloadable)
{
	struct fixed *fixed = ctx;
	if (is_reloadable) {
		strbuf_printf(fixed->out, "%s: %s -> %s\n", name, before, after);
		return;
	}
	fixed->count++;
	strbuf_printf(fixed->out, "error[%s]: %s cannot change while running (%s -> %s): restart to use it\n",
	              err_number(ERR_FIXED_OPTION), name, before, after);
}

/* Build aside, check all, compare, swap. Whatever fails leaves the old one in force. */
static bool take_new_generation(struct process *process, struct strbuf *out)
{
	struct generation *fresh = load(process->directory, process->loop, process->stats, process->log, out);
	if (fresh == NULL)
		return false;
	struct fixed fixed = {out, 0};
	config_compare(generation_config(process->generation), generation_config(fresh), on_difference, &fixed);
	if (fixed.count > 0) {
		generation_unref(fresh);
		return false;
	}
	bool is_same = strcmp(generation_model(process->generation)->config_hash, generation_model(fresh)->config_hash) == 0;
	router_use(process->router, fresh);
	generation_unref(process->generation);
	process->generation = fresh;
	const struct config *config = generation_config(fresh);
	log_configure(process->log, settings_log_level(config), settings_log_format(config, isatty(STDERR_FILENO)));
	set_info(process);
	strbuf_printf(out, "configuration %s is in force%s\n", generation_model(fresh)->config_hash,
	              is_same ? " (unchanged)" : "");
	return true;
}

static bool reload(void *ctx, struct strbuf *out)
{
	struct process *process = ctx;
	notify_reloading(process->notify);
	bool is_taken = take_new_generation(process, out);
	const struct slice result = is_taken ? SLICE("taken") : SLICE("refused");
	stats_count(process->stats, STATS_RELOADS, &result, 1);
	stats_set(process->stats, STATS_CONFIG_OK, NULL, is_taken);
	log_write(process->log, is_taken ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
	          is_taken ? "configuration reloaded" : "configuration refused, the old one stays in force",
	          LOG_TEXT("config", generation_model(process->generation)->config_hash),
	          LOG_TEXT("verdict", strbuf_text(out)));
	notify_ready(process->notify, is_taken ? "configuration reloaded" : "reload refused, the old configuration is in force");
	return is_taken;
}

static void on_hup(void *ctx)
{
	struct strbuf out = STRBUF_INIT;
	reload(ctx, &out);
	strbuf_done(&out);
}

/* ---- stopping */

static void stop_now(void *ctx)
{
	struct process *process = ctx;
	loop_stop(process->loop);
}

static void on_stop_deadline(void *ctx)
{
	struct process *process = ctx;
	log_write(process->log, LOG_LEVEL_WARNING, "not everything was applied in time; the next start catches up",
	          LOG_INT("limit_ms", generation_config(process->generation)->limits_stop_timeout_ms));
	loop_stop(process->loop);
}

static void on_term(void *ctx)
{
	struct process *process = ctx;
	if (process->is_stopping)
		return;
	process->is_stopping = true;
	notify_stopping(process->notify, "draining");
	log_write(process->log, LOG_LEVEL_INFO, "stopping: what is decided is committed and applied first",
	          LOG_INT("pid", getpid()));
	loop_timer_start(process->stop_deadline, generation_config(process->generation)->limits_stop_timeout_ms);
	router_drain(process->router, stop_now, process);
}

/* ---- watching */

static void on_clock_change(void *ctx, bool is_sane, int64_t jump_ms)
{
	struct process *process = ctx;
	const struct slice code = slice_of(err_word(ERR_CLOCK_JUMP));
	if (!is_sane)
		stats_count(process->stats, STATS_ALARMS, &code, 1);
	log_write(process->log, is_sane ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
	          is_sane ? "the clocks agree again: timers go on" : "clocks disagree: timers are frozen until they agree again",
	          LOG_TEXT("err.code", err_number(ERR_CLOCK_JUMP)), LOG_INT("jump_ms", jump_ms));
}

/* Redis is there but not as it must be: it does not mend itself. */
static void refuse_view(struct process *process, const struct err *why)
{
	const struct slice code = slice_of(err_word(why->code));
	stats_count(process->stats, STATS_ALARMS, &code, 1);
	log_err(process->log, LOG_LEVEL_ERROR, "redis cannot be used as it is: nothing is taken until that is changed", why);
}

static void on_view_state(void *ctx, bool is_up, const struct err *why)
{
	struct process *process = ctx;
	if (is_up)
		log_write(process->log, LOG_LEVEL_INFO, "redis is up", LOG_TEXT("url", generation_config(process->generation)->redis_url));
	else if (why->code == ERR_REDIS_AWAY || why->code == ERR_REDIS_TIMEOUT)
		log_err(process->log, LOG_LEVEL_WARNING, "redis is away: nothing is taken until it is back", why);
	else
		refuse_view(process, why);
}

static void on_server_time(void *ctx, int64_t server_ms, int64_t round_trip_ms)
{
	struct process *process = ctx;
	clock_witness(process->clock, server_ms + round_trip_ms / 2);
}

/* The ping says three things: the loop turns, the commit thread is within its deadline, and each running shard makes
 * progress or knows why not. A ping from a timer alone would hide a hung client call. */
static void on_tick(void *ctx)
{
	struct process *process = ctx;
	loop_timer_start(process->tick, TICK_MS);
	clock_is_sane(process->clock);
	bool is_ready = router_is_ready(process->router, NULL);
	if (is_ready != process->was_ready && !process->is_stopping)
		notify_status(process->notify, is_ready ? "routing" : "waiting: a shard opens, or Redis is away");
	process->was_ready = is_ready;
	int64_t watchdog_ms = notify_watchdog_ms(process->notify), now = loop_now_ms(process->loop);
	bool is_well = router_is_alive(process->router) &&
	               committer_call_ms(process->committer) <= kafka_deadline_ms(&process->kafka) + COMMIT_STUCK_MARGIN_MS;
	if (watchdog_ms > 0 && is_well && now - process->last_ping_ms >= watchdog_ms / 3) {
		notify_watchdog(process->notify);
		process->last_ping_ms = now;
	}
}

static void on_kafka_log(void *ctx, int level, const char *facility, const char *text)
{
	struct process *process = ctx;
	enum log_level at = level <= 3 ? LOG_LEVEL_ERROR : level == 4 ? LOG_LEVEL_WARNING : level <= 6 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
	log_write(process->log, at, "kafka client", LOG_TEXT("facility", facility), LOG_TEXT("text", text));
}

/* ---- building */

static int check_surroundings(struct process *process, const struct view_options *view, struct kafka_environment *found,
                              struct err *err)
{
	if (kafka_check(&process->kafka, found, err) != 0)
		return -1;
	for (size_t i = 0; i < found->warning_count; i++)
		log_write(process->log, LOG_LEVEL_WARNING, "kafka is not set up as it should be", LOG_TEXT("text", found->warnings[i]));
	process->kafka.partition_count = found->partition_count;
	process->kafka.message_max_bytes = found->message_max_bytes;
	struct err redis_err = ERR_INIT;
	if (view_check(view, REDIS_CHECK_MS, &redis_err) == 0)
		return 0;
	if (redis_err.code != ERR_REDIS_AWAY && redis_err.code != ERR_REDIS_TIMEOUT) {
		*err = redis_err;
		return -1;
	}
	log_err(process->log, LOG_LEVEL_WARNING, "redis does not answer yet: starting without it, nothing is taken until it is there",
	        &redis_err);
	return 0;
}

static int build_clients(struct process *process, struct err *err)
{
	const struct config *config = generation_config(process->generation);
	struct kafka_environment *found = arena_alloc(&process->arena, sizeof *found);
	struct view_options view = settings_view(config, process->directory, &process->arena);
	const struct view_events view_events = {on_view_state, on_server_time, process};
	process->kafka = settings_kafka(config, &process->arena);
	process->kafka.log = on_kafka_log;
	process->kafka.log_ctx = process;
	if (check_surroundings(process, &view, found, err) != 0)
		return -1;
	process->clock = clock_new(config->clock_max_jump_ms, on_clock_change, process);
	process->view = view_new(process->loop, &view, &view_events);
	process->in = kafka_in_new(process->loop, &process->kafka, err);
	if (process->in == NULL)
		return -1;
	process->committer = committer_new(process->loop, &process->kafka, kafka_in_consumer(process->in), err);
	if (process->committer == NULL)
		return -1;
	process->state_log = state_log_new(process->loop, &process->kafka, found->delete_retention_ms, err);
	return process->state_log ? 0 : -1;
}

static int build_router(struct process *process, struct err *err)
{
	const struct config *config = generation_config(process->generation);
	const struct router_parts parts = {
		.loop = process->loop,
		.clock = process->clock,
		.committer = process->committer,
		.view = process->view,
		.in = process->in,
		.state_log = process->state_log,
		.stats = process->stats,
		.log = process->log,
	};
	const struct shard_limits limits =
		settings_shard(config, process->kafka.input_count, process->kafka.partition_count);
	process->router = router_new(&parts, &limits, process->generation);
	const struct admin_parts admin = {.router = process->router, .stats = process->stats};
	const struct control_parts control = {process->loop, process->router, process->view, process->clock, reload, process};
	if (*config->http_listen && (process->admin = admin_new(process->loop, config->http_listen, &admin, err)) == NULL)
		return -1;
	if (*config->control_listen && (process->control = control_new(config->control_listen, &control, err)) == NULL)
		return -1;
	return kafka_in_start(process->in, err);
}

static void build_watches(struct process *process)
{
	process->on_term = loop_watch_signal(process->loop, SIGTERM, on_term, process);
	process->on_int = loop_watch_signal(process->loop, SIGINT, on_term, process);
	process->on_hup = loop_watch_signal(process->loop, SIGHUP, on_hup, process);
	process->tick = loop_timer_new(process->loop, on_tick, process);
	process->stop_deadline = loop_timer_new(process->loop, on_stop_deadline, process);
	loop_timer_start(process->tick, TICK_MS);
}

struct process *process_new(const char *directory, struct strbuf *out, struct err *err)
{
	struct process *process = xcalloc(1, sizeof *process);
	signal(SIGPIPE, SIG_IGN); /* a peer that goes is an error of a write, not the end */
	process->directory = xstrdup(directory);
	process->stats = stats_new();
	process->notify = notify_new();
	process->loop = loop_new();
	process->log = log_new(STDERR_FILENO, LOG_LEVEL_INFO, LOG_FORMAT_JSON, getenv("JOURNAL_STREAM") != NULL);
	process->generation = load(directory, process->loop, process->stats, process->log, out);
	if (process->generation == NULL) {
		err_set(err, ERR_CONFIG_REFUSED, "the configuration in %s is refused", directory);
		process_free(process);
		return NULL;
	}
	const struct config *config = generation_config(process->generation);
	log_configure(process->log, settings_log_level(config), settings_log_format(config, isatty(STDERR_FILENO)));
	if (build_clients(process, err) != 0 || build_router(process, err) != 0) {
		process_free(process);
		return NULL;
	}
	build_watches(process);
	set_info(process);
	stats_set(process->stats, STATS_CONFIG_OK, NULL, 1);
	stats_set(process->stats, STATS_START_AT, NULL, (double)time(NULL));
	return process;
}

void process_free(struct process *process)
{
	if (process == NULL)
		return;
	control_free(process->control);
	admin_free(process->admin);
	if (process->in != NULL)
		kafka_in_close(process->in);
	if (process->committer != NULL)
		committer_stop(process->committer); /* batches and their messages come home before the consumer goes */
	router_free(process->router);
	committer_free(process->committer);
	state_log_free(process->state_log);
	kafka_in_free(process->in);
	view_free(process->view);
	loop_watch_free(process->on_term);
	loop_watch_free(process->on_int);
	loop_watch_free(process->on_hup);
	loop_timer_free(process->tick);
	loop_timer_free(process->stop_deadline);
	clock_free(process->clock);
	generation_unref(process->generation);
	loop_free(process->loop);
	notify_free(process->notify);
	stats_free(process->stats);
	log_free(process->log);
	arena_done(&process->arena);
	free(process->directory);
	free(process);
}

int process_run(struct process *process)
{
	const struct model *model = generation_model(process->generation);
	log_write(process->log, LOG_LEVEL_INFO, "leadrouterd is up", LOG_TEXT("version", LEADROUTER_VERSION),
	          LOG_TEXT("config", model->config_hash), LOG_INT("partitions", process->kafka.partition_count),
	          LOG_TEXT("tzdata", tzdata_version()), LOG_TEXT("group", process->kafka.group),
	          LOG_TEXT("instance", process->kafka.instance));
	notify_ready(process->notify, "joined, waiting for shards");
	log_gather(process->log, process->loop);
	loop_run(process->loop);
	log_gather(process->log, NULL);
	log_write(process->log, LOG_LEVEL_INFO, "stopped", LOG_INT("exit_code", process->exit_code));
	return process->exit_code;
}

/* ---- first start */

int process_bootstrap(const char *directory, struct strbuf *out, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct strbuf diagnostics = STRBUF_INIT;
	struct generation *generation = load(directory, NULL, NULL, NULL, &diagnostics);
	int result = -1;
	if (generation == NULL) {
		strbuf_puts(out, strbuf_text(&diagnostics));
		err_set(err, ERR_CONFIG_REFUSED, "the configuration in %s is refused", directory);
	} else {
		struct kafka_environment *found = arena_alloc(&arena, sizeof *found);
		struct kafka_options options = settings_kafka(generation_config(generation), &arena);
		result = kafka_check(&options, found, err);
		options.partition_count = found->partition_count;
		if (result == 0)
			result = kafka_bootstrap(&options, err);
		if (result == 0)
			strbuf_printf(out, "group %s: %" PRId32 " shards, begins with the oldest record of each input topic\n",
			              options.group, options.partition_count);
	}
	generation_unref(generation);
	strbuf_done(&diagnostics);
	arena_done(&arena);
	return result;
}
