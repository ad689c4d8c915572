/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole shard in memory, under virtual time: state, clock, records in, decisions out. It goes through the doors of
 * rules.h and no others, so what it says is what the daemon does; `leadctl test` and property tests drive it.
 *
 *     world_feed()      a record arrives at this instant
 *     world_settle()    everything that arrived is decided, then what is due at this instant fires: the daemon's order
 *     world_advance()   time passes; timers fire one after the other, each at its own time
 *     world_sleep()     time passes and nobody is there; what came due fires late, at the next settling
 *
 * With batch 1 each record is decided when it is fed; with a larger one a decider takes up to that many records, or that
 * many timers of one instant. The outcome is the same: tests hold the core to it by world_dump().
 */
#ifndef LR_RULES_WORLD_H
#define LR_RULES_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/rules.h"

struct observer;
struct strbuf;
struct world; /* heap; one owner */

struct world_settings {
	size_t batch;   /* records, or timers, of one decider; 0 means 1 */
	int64_t now_ms; /* where the clock begins */
	const char *topic_prefix; /* stands before the names of the input topics; NULL: nothing. Borrowed */
	const struct observer *observer; /* rules/decide.h; NULL: nobody looks on. Borrowed */
	bool keeps_desk; /* deciders share what they keep in their heads, as in the daemon */
};

/* What a plug-in answered about a lead: a fact of one of three types. */
struct world_fact {
	const char *name;
	enum world_fact_kind { WORLD_FACT_BOOL, WORLD_FACT_INT, WORLD_FACT_TEXT } kind;
	bool boolean;
	int64_t integer;
	struct slice text;
};

/* A record that arrives; everything is copied. */
struct world_record {
	enum record_kind kind;
	struct slice value;
	bool has_no_value; /* a null value */
	struct slice key;  /* len 0: none */
	int64_t late_ms;   /* so long ago it was written */
	const struct header *headers;
	size_t header_count;
	const struct world_fact *facts;
	size_t fact_count;
};

/* What came of a record or a timer. Valid until world_forget(). */
struct world_decision {
	struct decision decision;
	int64_t at_ms;
	size_t record;    /* number of the record, from 0; SIZE_MAX: a timer */
	struct slice key; /* of a timer: the state key that was due */
};

/* `model` is borrowed until another one is set or the world ends. */
struct world *world_new(const struct model *model, const struct world_settings *settings);
void world_free(struct world *world);

/* Rules change, state stays: what a reload does. Settles first, under the old ones. */
void world_set_model(struct world *world, const struct model *model);
int64_t world_now_ms(const struct world *world);

/* Returns the record's number. */
size_t world_feed(struct world *world, const struct world_record *record);
void world_settle(struct world *world);
/* `to_ms` is not before now. What is due at `to_ms` itself fires when that instant is settled: after records that arrive
 * in it, so that an act in time stops its clock. */
void world_advance(struct world *world, int64_t to_ms);
void world_sleep(struct world *world, int64_t to_ms);

/* All decisions since the last world_forget(), in the order in which they were made. */
size_t world_decision_count(const struct world *world);
const struct world_decision *world_decision(const struct world *world, size_t index);
/* Forgets decisions and the records behind them, not the state. Settles first. */
void world_forget(struct world *world);

/* ---- state */

/* What is stored under a key, borrowed until the next call that decides. VIEW_FOUND or VIEW_ABSENT. */
enum view_answer world_get(const struct world *world, struct slice key, struct slice *ret_value);
/* When a key is due; 0: never. */
int64_t world_due_of(const struct world *world, struct slice key);
/* The earliest due time of all; 0: nothing is due. */
int64_t world_next_due(const struct world *world);
/* Stores a value as if it had been decided, with the due time that rules_due_of() reads in it. */
void world_put(struct world *world, struct slice key, struct slice value);

/* Calls `see` with each stored key in byte order. */
void world_each(const struct world *world, void (*see)(void *ctx, struct slice key, struct slice value, int64_t due_ms),
                void *ctx);
/* The whole state, a line per key in byte order: key, due time, value. */
void world_dump(const struct world *world, struct strbuf *out);
/* Every write since the world began, in order; borrowed until the next call that decides. */
struct slice world_log(const struct world *world);
/* Applies such a log, as a shard is rebuilt from leads.state: due times are read from the values. -1: it is no such log. */
int world_replay(struct world *world, struct slice log);
/* Everything but that log is lost, and the state is rebuilt from it: what a wiped Redis and a restarted daemon come to. Settles
 * first; decisions stay. */
void world_restore(struct world *world);

#endif
