/* SPDX-License-Identifier: Apache-2.0
 *
 * One schedule: virtual time, its pending steps, the world in which they happen, and what was counted.
 *
 *     sim_run():  take the earliest step ─► run it ─► perhaps a fault ─► …        until all is quiet, or too many steps
 *
 * A step is one callback of one process (loop or commit thread), or of the world (broker, Redis, network). Steps of a
 * paused process wait; steps of a dead one vanish. Latencies are drawn from the seed, so the order of steps is random
 * and the same at every replay. All memory of a schedule lives in its arena, except what the code under test allocates.
 */
#ifndef LR_TESTS_SIM_SIM_H
#define LR_TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/base/slice.h"
#include "tests/sim/rng.h"

enum {
	SIM_SHARDS = 2,
	SIM_TOPICS = 2,         /* captured (the anchor), activity */
	SIM_INSTANCES_MAX = 3,
	SIM_STEPS_MAX = 60000,  /* a schedule that needs more is stuck */
	SIM_RETENTION_MS = 4000,  /* delete.retention.ms of leads.state */
};
/* Wall time at virtual time 0: 2026-09-21, in ms. */
#define SIM_WALL_START INT64_C(1790000000000)

struct broker;
struct process;
struct refused;
struct redis_model;
struct reference;
struct step;

typedef void (*sim_fn)(void *ctx);

/* What the schedules of one run came to. */
#define SIM_COUNTS(X)                                             \
	X(schedules) X(steps) X(commits) X(claims) X(equal) X(catch_ups) \
	X(rebuilds) X(aborts) X(discarded) X(exits) X(kills) X(pauses)    \
	X(expulsions) X(delayed_end_txn) X(view_faults) X(lost_replies)   \
	X(compactions) X(too_large) X(waited) X(waiters_set_aside) X(decisions) X(timers_fired)  \
	X(lost) X(double_owned) X(duplicate) X(early) X(view_differs) X(log_differs) X(stuck)

struct sim_counts {
#define X(name) uint64_t name;
	SIM_COUNTS(X)
#undef X
};

/* Chances of one schedule, drawn from its seed: each schedule is strong in some faults and free of others. */
struct sim_chances {
	unsigned faults;        /* how many world faults are still to come */
	unsigned fault_gap;     /* mean steps between two of them */
	unsigned inject_abort, commit_unknown, commit_retry, delay_end_txn, delay_offsets; /* per 10,000 calls */
	unsigned lose_reply, late_command, refuse, half_script; /* per 10,000 commands */
	unsigned weight_kill, weight_pause, weight_expel, weight_leave, weight_txn_timeout;
	unsigned weight_wipe, weight_rollback, weight_foreign, weight_outage, weight_clock, weight_garbage;
	unsigned slow_step;     /* per 10,000 steps: seconds instead of milliseconds */
	unsigned slow_reader;   /* per 10,000 readings of a piece of leads.state */
	int64_t stall_max_us;   /* how long such a reading stalls at most */
	unsigned compaction;    /* the higher, the more often; 0 never */
	unsigned too_large;     /* per 10,000 events: the broker does not take it */
	unsigned log_fails;     /* per 10,000 readings of a piece of leads.state */
	unsigned plugins;       /* per 10,000 leads: plug-ins are waited for */
	bool is_in_order;       /* Redis answers in the order of the requests */
};

enum sim_bad { BAD_LOST, BAD_DOUBLE, BAD_DUPLICATE, BAD_EARLY, BAD_VIEW, BAD_LOG, BAD_STUCK };

struct sim {
	uint64_t seed;
	struct rng rng;
	struct arena arena;
	int64_t now_us;
	uint64_t step_count, step_order;
	struct step **heap;
	size_t heap_count, heap_capacity;
	struct step *free_steps;
	struct sim_chances chances;
	uint64_t next_fault_step;
	bool is_healed;            /* faults are over */
	int64_t rest_since_us;
	struct broker *broker;
	struct redis_model *redis;
	const struct reference *reference;
	struct process *processes[SIM_INSTANCES_MAX]; /* the living incarnation of each instance, or NULL */
	size_t instance_count;
	bool expects_stop;         /* stops.c: a stopped shard is what is wanted */
	int stop_code;             /* enum err_code of the latest one */
	uint32_t split_shards;     /* shards of which only some topics are assigned */
	struct refused *refused;   /* what was told to be too large */
	struct sim_counts counts;
	char bad_text[400];        /* the first finding */
	bool is_tracing;
};

/* The cause of an event that was too large once: its record may be set aside unseen. */
struct refused {
	struct slice cause;
	struct refused *next;
};

/* Runs the schedule of `seed`; adds to *totals. True when nothing was found. `ret_text` gets the first finding. */
bool sim_run(uint64_t seed, const struct reference *reference, bool is_tracing, struct sim_counts *totals,
             char *ret_text, size_t text_bytes);

/* Runs at most so many steps, or until the world is quiet; true when it is. */
bool sim_steps(struct sim *sim, uint64_t count);
/* A step of `process` (NULL: of the world) after delay_us. The handle is valid until it ran or was cancelled. */
struct step *sim_after(struct sim *sim, struct process *process, int64_t delay_us, sim_fn fn, void *ctx);
void sim_cancel(struct step *step);
/* A latency: mostly below typical_us, sometimes seconds. */
int64_t sim_latency(struct sim *sim, int64_t typical_us);
void sim_resume_parked(struct sim *sim, struct process *process);
void sim_finding(struct sim *sim, enum sim_bad bad, const char *format, ...) __attribute__((format(printf, 3, 4)));
void sim_trace(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Copies into the schedule's arena. */
struct slice sim_copy(struct sim *sim, struct slice bytes);

/* world.c */
void world_build(struct sim *sim);
void world_done(struct sim *sim);
void world_fault(struct sim *sim);
void world_heal(struct sim *sim);
bool world_is_quiet(struct sim *sim);

/* oracle.c: judges a schedule that has come to rest. */
void oracle_judge(struct sim *sim);

#endif
