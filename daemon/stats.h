/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters, gauges and histograms of a process, and their Prometheus text (exposition format 0.0.4).
 *
 * The list below is the only place where a metric is named: it makes the enum, the help text and the output. Labels come
 * from the configuration and from closed lists only (outcome, route, team, source, grade, error code, shard), never from
 * a lead. Used by the loop's thread only.
 */
#ifndef LR_DAEMON_STATS_H
#define LR_DAEMON_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/base/strbuf.h"

/* X(id, name, label names or "", help) */
#define STATS_COUNTERS(X)                                                                                             \
	X(DECISIONS, "leadrouter_decisions_total", "outcome", "Records and timers decided and committed, by outcome.")    \
	X(ASSIGNED, "leadrouter_assigned_total", "route,team,source,grade", "Leads given to a rep.")                      \
	X(UNROUTED, "leadrouter_unrouted_leads_total", "grade", "Leads kept without an owner.")                           \
	X(REJECTED, "leadrouter_rejected_total", "code", "Records put to leads.rejected, by stable code.")                \
	X(MESSAGES, "leadrouter_messages_consumed_total", "", "Records taken from the input topics.")                     \
	X(COMMITS, "leadrouter_transactions_total", "result", "Jobs that came back from the commit thread, by result.")   \
	X(OPENS, "leadrouter_shard_opens_total", "way", "Shards opened, by way: equal, catch_up, rebuild.")               \
	X(TRANSITIONS, "leadrouter_shard_transitions_total", "state", "Times a shard entered a state.")                   \
	X(ALARMS, "leadrouter_alarms_total", "code", "Conditions that need a person, by stable code.")                    \
	X(RELOADS, "leadrouter_config_reloads_total", "result", "Reloads asked for, by result.")                          \
	X(PLUGIN_ANSWERS, "leadrouter_plugin_answers_total", "plugin,result", "Answers of plug-ins, by result.")          \
	X(HTTP_REQUESTS, "leadrouter_http_requests_total", "result", "Requests to the admin listener, by result.")          \
	X(STATS_DROPPED, "leadrouter_stats_series_dropped_total", "", "Label sets not counted because there are too many.")

#define STATS_GAUGES(X)                                                                                               \
	X(SHARDS, "leadrouter_shards", "state", "Shards of this instance, by state.")                                     \
	X(INBOX, "leadrouter_inbox_records", "shard", "Records fetched and not yet in a batch.")                          \
	X(INFLIGHT, "leadrouter_inflight_batches", "shard", "Batches not yet applied to the view.")                       \
	X(POOL_LAG, "leadrouter_pool_lag_rounds", "shard,team", "How far apart the members of a rotation are: farthest to last who is there; of teams that were given a lead since the shard opened or met other rules.") \
	X(POOL_WAITING, "leadrouter_pool_waiting_leads", "shard,team", "Leads that wait for somebody of a team.")        \
	X(HEAD_SEQ, "leadrouter_shard_seq", "shard", "Write-sets applied to the view of a shard.")                        \
	X(NEXT_DUE, "leadrouter_next_due_timestamp_seconds", "shard", "When the next timer of a shard is due; 0 none.")   \
	X(VIEW_UP, "leadrouter_view_up", "", "1 while the connection to Redis is up and passed its checks.")              \
	X(CLOCK_SANE, "leadrouter_clock_sane", "", "0 while timers are frozen because clocks disagree.")                  \
	X(CONFIG_OK, "leadrouter_config_last_reload_successful", "", "1 when the last reload was taken.")                 \
	X(CONFIG_AT, "leadrouter_config_last_reload_success_timestamp_seconds", "", "When a configuration was last taken.") \
	X(CONFIG_INFO, "leadrouter_config_info", "version,sha256", "The version and the configuration in force; always 1.") \
	X(TZDATA_INFO, "leadrouter_tzdata_info", "version", "The system's time zone data; always 1.")                     \
	X(START_AT, "leadrouter_start_timestamp_seconds", "", "When the process started.")

#define STATS_HISTOGRAMS(X)                                                                                           \
	X(ROUTE_SECONDS, "leadrouter_route_duration_seconds", "From the record's timestamp to the committed decision.",    \
	  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)                                      \
	X(TIMER_SECONDS, "leadrouter_timer_lateness_seconds", "From a timer's due time to the committed decision.",       \
	  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)                                      \
	X(BATCH_RECORDS, "leadrouter_batch_records", "Records per committed batch.", 1, 2, 5, 10, 20, 50, 100, 200, 500, \
	  1000)

enum stats_counter {
#define X(id, name, labels, help) STATS_##id,
	STATS_COUNTERS(X)
#undef X
	STATS_COUNTER_COUNT
};

enum stats_gauge {
#define X(id, name, labels, help) STATS_##id,
	STATS_GAUGES(X)
#undef X
	STATS_GAUGE_COUNT
};

enum stats_histogram {
#define X(id, ...) STATS_##id,
	STATS_HISTOGRAMS(X)
#undef X
	STATS_HISTOGRAM_COUNT
};

enum {
	STATS_LABELS_MAX = 4,
	STATS_SERIES_MAX = 20000, /* of one process; further label sets are counted as dropped */
	STATS_BUCKETS_MAX = 24,
};

struct stats;

struct stats *stats_new(void);
void stats_free(struct stats *stats);

/* `labels`: one value per label name of the metric, in order; NULL when it has none. Values are copied and escaped. */
void stats_count(struct stats *stats, enum stats_counter counter, const struct slice *labels, uint64_t add);
void stats_set(struct stats *stats, enum stats_gauge gauge, const struct slice *labels, double value);
/* Forgets all series of a gauge, before they are set anew. */
void stats_clear(struct stats *stats, enum stats_gauge gauge);
void stats_observe(struct stats *stats, enum stats_histogram histogram, double value);
/* 0 when the series does not exist. */
uint64_t stats_counter_value(const struct stats *stats, enum stats_counter counter, const struct slice *labels);

/* Appends all metrics as Prometheus text. */
void stats_print(const struct stats *stats, struct strbuf *out);

#endif
