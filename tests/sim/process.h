/* SPDX-License-Identifier: Apache-2.0
 *
 * One incarnation of a daemon process in the simulator: the real shards over faked loop, clock, committer, consumer,
 * view and state log. An instance that dies gets a new incarnation with the same transactional id.
 *
 * The struct itself lives in the schedule's arena, so that late steps can see that it is dead.
 */
#ifndef LR_TESTS_SIM_PROCESS_H
#define LR_TESTS_SIM_PROCESS_H

#include "daemon/shard.h"
#include "tests/sim/sim.h"

struct generation;

struct process {
	struct sim *sim;
	size_t instance;         /* index into sim->processes; names the transactional id */
	uint64_t incarnation;
	bool is_paused, is_dead;
	bool is_leaving;         /* must die, but its own code is still on the stack: it does nothing to the world any more */
	struct step *parked, **parked_tail;
	struct loop *loop;
	struct clock *clock;
	struct committer *committer;
	struct view *view;
	struct kafka_in *in;
	struct state_log *state_log;
	struct generation *generation;
	struct shard *shards[SIM_SHARDS];
};

/* Ends the process now; its code must not be on the stack. A successor starts later unless the schedule is over. */
void process_kill(struct process *process, const char *why);
/* The same, from inside the process. */
void process_exit_soon(struct process *process, const char *why);
bool process_is_gone(const struct process *process);

/* The fakes. Each lives until process death; the _free functions cope with work in progress. */
struct loop *loop_sim_new(struct process *process);
void loop_sim_free(struct loop *loop);
struct clock *clock_sim_new(struct process *process);
void clock_sim_free(struct clock *clock);
/* The guard says no for so long, and the wall clock is off by `jump_ms`. */
void clock_sim_upset(struct clock *clock, int64_t for_us, int64_t jump_ms);
struct committer *committer_sim_new(struct process *process);
void committer_sim_free(struct committer *committer);
struct view *view_sim_new(struct process *process);
struct kafka_in *kafka_in_sim_new(struct process *process);
void kafka_in_sim_free(struct kafka_in *in);
void kafka_in_sim_join(struct kafka_in *in);
void kafka_in_sim_leave(struct kafka_in *in);
uint64_t kafka_in_sim_member(const struct kafka_in *in);
/* The newest token of this member, or NULL: only what the mutation token-at-commit reads. */
struct commit_token *kafka_in_sim_newest_token(struct kafka_in *in);
struct generation *generation_sim_new(struct process *process);
struct state_log *state_log_sim_new(struct process *process);
void state_log_sim_free(struct state_log *log);

#endif
