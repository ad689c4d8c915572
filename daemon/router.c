/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/router.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/batch.h"
#include "daemon/clock.h"
#include "daemon/committer.h"
#include "daemon/generation.h"
#include "daemon/kafka_in.h"
#include "daemon/log.h"
#include "daemon/stats.h"
#include "daemon/view.h"
#include "rules/base/mem.h"
#include "rules/base/strbuf.h"
#include "rules/pool_report.h"

enum { DRAIN_LOOK_MS = 20 };

struct router {
	struct router_parts parts;
	struct shard_limits limits;
	struct generation *generation;
	struct shard **shards; /* by number; NULL where never assigned */
	int32_t shard_count;
	bool is_draining;
	struct loop_timer *drain_timer;
	loop_fn on_drained;
	void *drained_ctx;
};

/* ---- what shards tell */

static struct generation *current_generation(void *ctx)
{
	const struct router *router = ctx;
	return router->generation;
}

static void log_decision(struct router *router, int32_t number, const struct decision *decision)
{
	char rule[256] = "";
	if (!log_wants(router->parts.log, LOG_LEVEL_INFO))
		return;
	if (decision->rule.file != NULL)
		snprintf(rule, sizeof rule, "%s:%u", decision->rule.file, decision->rule.line);
	log_write(router->parts.log, LOG_LEVEL_INFO, outcome_name(decision->outcome), LOG_INT("shard", number),
	          LOG_SLICE("lead_id", decision->lead_id), LOG_SLICE("owner", decision->owner),
	          LOG_SLICE("team", decision->team), LOG_SLICE("route", decision->route), LOG_TEXT("rule", rule),
	          LOG_SLICE("grade", decision->grade),
	          LOG_TEXT("err.code", decision->outcome == OUTCOME_REJECTED ? err_word(decision->code) : ""),
	          LOG_SLICE("event_id", decision->event_count ? decision->events[0].id : SLICE_NONE));
}

static void observe_delay(struct router *router, const struct decision *decision)
{
	enum stats_histogram histogram = decision->outcome == OUTCOME_TIMER ? STATS_TIMER_SECONDS : STATS_ROUTE_SECONDS;
	int64_t took_ms = clock_now_ms(router->parts.clock) - decision->since_ms;
	if (decision->since_ms > 0 && decision->outcome != OUTCOME_NOTHING)
		stats_observe(router->parts.stats, histogram, took_ms > 0 ? (double)took_ms / 1000 : 0);
}

static void on_decided(void *ctx, int32_t number, const struct decision *decision)
{
	struct router *router = ctx;
	struct stats *stats = router->parts.stats;
	const struct slice outcome = slice_of(outcome_name(decision->outcome));
	stats_count(stats, STATS_DECISIONS, &outcome, 1);
	if (decision->outcome == OUTCOME_ASSIGNED) {
		const struct slice labels[] = {decision->route, decision->team, decision->source, decision->grade};
		stats_count(stats, STATS_ASSIGNED, labels, 1);
	} else if (decision->outcome == OUTCOME_UNASSIGNED) {
		stats_count(stats, STATS_UNROUTED, &decision->grade, 1);
	} else if (decision->outcome == OUTCOME_REJECTED) {
		const struct slice code = slice_of(err_word(decision->code));
		stats_count(stats, STATS_REJECTED, &code, 1);
	}
	observe_delay(router, decision);
	log_decision(router, number, decision);
}

static void on_alarm(void *ctx, int32_t number, const struct err *err)
{
	struct router *router = ctx;
	const struct slice code = slice_of(err_word(err->code));
	(void)number;
	stats_count(router->parts.stats, STATS_ALARMS, &code, 1);
	log_err(router->parts.log, LOG_LEVEL_ERROR, "a batch is aborted again and again", err);
}

static void on_state(void *ctx, int32_t number, enum shard_state from, enum shard_state to, const struct err *err)
{
	struct router *router = ctx;
	const struct slice state = slice_of(shard_state_name(to));
	stats_count(router->parts.stats, STATS_TRANSITIONS, &state, 1);
	enum log_level level = to == SHARD_RUNNING || to == SHARD_CLOSED ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
	log_write(router->parts.log, to == SHARD_REBUILDING ? LOG_LEVEL_WARNING : level, "shard state",
	          LOG_INT("shard", number), LOG_TEXT("from", shard_state_name(from)), LOG_TEXT("state", shard_state_name(to)));
	if (to != SHARD_STOPPED || err == NULL)
		return;
	const struct slice code = slice_of(err_word(err->code));
	stats_count(router->parts.stats, STATS_ALARMS, &code, 1);
	log_err(router->parts.log, LOG_LEVEL_ERROR, "shard stopped: it needs a person", err);
}

/* ---- what Kafka tells */

static struct shard *shard_of(struct router *router, int32_t number)
{
	if (number >= router->shard_count) {
		router->shards = xreallocarray(router->shards, (size_t)number + 1, sizeof *router->shards);
		while (router->shard_count <= number)
			router->shards[router->shard_count++] = NULL;
	}
	if (router->shards[number] == NULL) {
		const struct shard_parts parts = {
			.loop = router->parts.loop,
			.clock = router->parts.clock,
			.committer = router->parts.committer,
			.view = router->parts.view,
			.in = router->parts.in,
			.state_log = router->parts.state_log,
			.stats = router->parts.stats,
			.generation = current_generation,
			.on_decided = on_decided,
			.on_alarm = on_alarm,
			.on_state = on_state,
			.ctx = router,
		};
		router->shards[number] = shard_new(&parts, &router->limits, number);
		if (router->is_draining)
			shard_drain(router->shards[number]);
	}
	return router->shards[number];
}

static void on_assigned(void *ctx, int32_t number, struct commit_token *token, bool is_complete)
{
	shard_assigned(shard_of(ctx, number), token, is_complete);
}

static void on_revoked(void *ctx, int32_t number, bool is_lost)
{
	shard_revoked(shard_of(ctx, number), is_lost);
}

static void on_message(void *ctx, int32_t number, struct kafka_message *take_message)
{
	struct router *router = ctx;
	stats_count(router->parts.stats, STATS_MESSAGES, NULL, 1);
	shard_message(shard_of(router, number), take_message);
}

static void on_result(void *ctx, struct commit_job *job)
{
	struct router *router = ctx;
	const struct slice result = slice_of(commit_result_name(job->result));
	stats_count(router->parts.stats, STATS_COMMITS, &result, 1);
	if (job->kind == COMMIT_BATCH && job->result == COMMIT_DONE)
		stats_observe(router->parts.stats, STATS_BATCH_RECORDS, (double)((const struct batch *)job->ctx)->item_count);
	if (job->result == COMMIT_ABORTED || job->result == COMMIT_LOST)
		log_err(router->parts.log, LOG_LEVEL_WARNING, "transaction aborted", &job->err);
	shard_committed(shard_of(router, job->shard), job);
}

/* ---- life */

struct router *router_new(const struct router_parts *parts, const struct shard_limits *limits,
                          struct generation *generation)
{
	struct router *router = xcalloc(1, sizeof *router);
	router->parts = *parts;
	router->limits = *limits;
	router->generation = generation_ref(generation);
	const struct kafka_in_events events = {on_assigned, on_revoked, on_message, router};
	committer_on_result(parts->committer, on_result, router);
	kafka_in_listen(parts->in, &events);
	return router;
}

void router_free(struct router *router)
{
	if (router == NULL)
		return;
	for (int32_t i = 0; i < router->shard_count; i++)
		shard_free(router->shards[i]);
	loop_timer_free(router->drain_timer);
	generation_unref(router->generation);
	free(router->shards);
	free(router);
}

void router_use(struct router *router, struct generation *generation)
{
	struct generation *old = router->generation;
	router->generation = generation_ref(generation);
	generation_unref(old);
}

struct generation *router_generation(const struct router *router)
{
	return router->generation;
}

static void look_if_drained(void *ctx)
{
	struct router *router = ctx;
	for (int32_t i = 0; i < router->shard_count; i++)
		if (router->shards[i] != NULL && !shard_is_idle(router->shards[i])) {
			loop_timer_start(router->drain_timer, DRAIN_LOOK_MS);
			return;
		}
	router->on_drained(router->drained_ctx);
}

void router_drain(struct router *router, loop_fn on_drained, void *ctx)
{
	router->is_draining = true;
	router->on_drained = on_drained;
	router->drained_ctx = ctx;
	for (int32_t i = 0; i < router->shard_count; i++)
		if (router->shards[i] != NULL)
			shard_drain(router->shards[i]);
	if (router->drain_timer == NULL)
		router->drain_timer = loop_timer_new(router->parts.loop, look_if_drained, router);
	loop_timer_start(router->drain_timer, 0);
}

struct shard *router_shard(const struct router *router, int32_t number)
{
	return number >= 0 && number < router->shard_count ? router->shards[number] : NULL;
}

int32_t router_shard_count(const struct router *router)
{
	return router->shard_count;
}

/* ---- health */

bool router_is_ready(const struct router *router, struct strbuf *why)
{
	bool is_ready = view_is_up(router->parts.view);
	if (!is_ready && why != NULL)
		strbuf_puts(why, "redis: not connected, or a check failed\n");
	for (int32_t i = 0; i < router->shard_count; i++) {
		struct shard_status status;
		if (router->shards[i] == NULL)
			continue;
		shard_status(router->shards[i], &status);
		if (status.state == SHARD_RUNNING || status.state == SHARD_CLOSED)
			continue;
		is_ready = false;
		if (why != NULL)
			strbuf_printf(why, "shard %" PRId32 ": %s%s%s\n", i, shard_state_name(status.state),
			              status.state == SHARD_STOPPED ? ": " : "", status.state == SHARD_STOPPED ? status.why.text : "");
	}
	return is_ready;
}

bool router_is_alive(const struct router *router)
{
	int64_t now = loop_now_ms(router->parts.loop), limit_ms = 3 * router->limits.timer_poll_ms;
	if (limit_ms < ROUTER_STUCK_MS)
		limit_ms = ROUTER_STUCK_MS; /* an idle shard reads its view once per poll */
	for (int32_t i = 0; i < router->shard_count; i++) {
		struct shard_status status;
		if (router->shards[i] == NULL)
			continue;
		shard_status(router->shards[i], &status);
		if (status.state == SHARD_RUNNING && !status.is_paused && now - status.since_ms > limit_ms)
			return false;
	}
	return true;
}

static void measure_shard(struct stats *stats, int32_t number, const struct shard_status *status, size_t *counts)
{
	char text[16];
	snprintf(text, sizeof text, "%" PRId32, number);
	const struct slice label = slice_of(text);
	counts[status->state]++;
	if (status->state != SHARD_RUNNING)
		return;
	stats_set(stats, STATS_INBOX, &label, (double)status->inbox_records);
	stats_set(stats, STATS_INFLIGHT, &label, (double)status->inflight_batches);
	stats_set(stats, STATS_HEAD_SEQ, &label, (double)status->head.seq);
	stats_set(stats, STATS_NEXT_DUE, &label, (double)status->next_due_ms / 1000);
}

struct pool_gauge {
	struct stats *stats;
	int32_t shard;
};

static void measure_pool(void *ctx, struct slice team, double lag, size_t waiting)
{
	const struct pool_gauge *gauge = ctx;
	char number[DECIMAL_BYTES];
	const struct slice labels[] = {decimal_text(gauge->shard, number), team};
	stats_set(gauge->stats, STATS_POOL_LAG, labels, lag);
	stats_set(gauge->stats, STATS_POOL_WAITING, labels, (double)waiting);
}

void router_measure(const struct router *router)
{
	struct stats *stats = router->parts.stats;
	size_t counts[SHARD_STOPPED + 1] = {0};
	stats_clear(stats, STATS_INBOX);
	stats_clear(stats, STATS_INFLIGHT);
	stats_clear(stats, STATS_HEAD_SEQ);
	stats_clear(stats, STATS_POOL_LAG);
	stats_clear(stats, STATS_POOL_WAITING);
	stats_clear(stats, STATS_NEXT_DUE);
	for (int32_t i = 0; i < router->shard_count; i++) {
		struct shard_status status;
		if (router->shards[i] == NULL)
			continue;
		shard_status(router->shards[i], &status);
		measure_shard(stats, i, &status, counts);
		desk_measure(shard_desk(router->shards[i]), measure_pool, &(struct pool_gauge){stats, i});
	}
	for (int state = 0; state <= SHARD_STOPPED; state++) {
		const struct slice label = slice_of(shard_state_name((enum shard_state)state));
		stats_set(stats, STATS_SHARDS, &label, (double)counts[state]);
	}
	stats_set(stats, STATS_VIEW_UP, NULL, view_is_up(router->parts.view));
	stats_set(stats, STATS_CLOCK_SANE, NULL, clock_is_sane(router->parts.clock));
}
