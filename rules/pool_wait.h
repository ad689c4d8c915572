/* SPDX-License-Identifier: Apache-2.0
 *
 * Leads that wait for somebody, and their turn: by grade, then by original age (semantics.md 2.3, S1-PRIORITY).
 *
 *     mem/wait/<lead>   {"due":MS,"lead":{…}}   the lead's whole state, so that it can be given away without a read;
 *                                                due when the wait runs out, 0 without end
 *     mem/tick/pools    {"due":MS}              when time alone may free somebody for those who wait
 *
 * Each decision begins and ends with a drain: whatever made somebody free, those who wait come before those who arrive. A
 * drain asks for each queue (rules/backlog.h) whether anybody could take its leads, and only where somebody has become freer
 * since it was last asked, so it never chooses in vain. It is cut after POOL_DRAIN_MAX leads and goes on with the next
 * decision; a new lead then queues behind them.
 */
#ifndef LR_RULES_POOL_WAIT_H
#define LR_RULES_POOL_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/rules.h"
#include "rules/state.h"

struct arena;
struct desk;
struct overlay;
struct work;

enum { POOL_DRAIN_MAX = 200 };

#define POOL_TICK_KEY ((struct slice){"mem/tick/pools", 14})
#define POOL_WALK RULES_WALK_PREFIX "waits."

/* Around each decision. */
void pool_begin(struct work *work);
void pool_end(struct work *work);
/* A shard was opened, or other rules are in force: who waits and could be taken now is not left waiting for a record. */
void pool_open(struct work *work);

/* Everything below and in pool_choose.h needs the desk; whoever works outside of pool_begin() and pool_end() asks for it. */
void pool_ready(struct work *work);

/* work->state is that of a lead that waits for `team` until `until_ms` (0: without end), and goes on with outcome `step`. */
void pool_wait(struct work *work, size_t team, int64_t until_ms, size_t step);
/* Behind every write of a lead, and behind its removal (its status is then LEAD_STATUSES): the backlog follows its state. */
void pool_follow_write(struct work *work, struct slice lead_id);
/* True when others wait whom the last drain had no time for. */
bool pool_must_queue(const struct work *work, size_t team);
/* mem/wait/<lead>, and back: false when it is no key of a lead. pool_wait_read(): -1 when the value is not in our form. */
struct slice pool_wait_key(struct arena *arena, struct slice lead_id);
bool pool_wait_lead(struct slice key, struct slice *ret_lead_id);
int pool_wait_read(struct slice value, struct arena *arena, struct lead_state *ret_state);
/* Reads all waiting leads into a desk that is being made. */
void pool_load_waiters(struct desk *desk, const struct overlay *overlay);

/* A waiting lead whose value nobody here can read is not lost: the value goes to the rejects, its key goes, and a walk over all
 * leads (pool_visit) puts those that wait and stand in no line back into theirs. Returns false when there was none. */
bool pool_wait_mend(struct work *work);
void pool_wait_drop(struct work *work, struct slice key, struct slice value);
/* decider_set_aside() for work->lead_id. */
void pool_set_aside(struct work *work, bool is_cut);
/* Is there still such a value? Looks only when there was one. */
bool pool_wait_is_broken(struct work *work);
/* rules/walk.c */
void pool_visit(struct work *work, struct slice key);

/* rules/fire.c: the wait of a lead ran out; somebody may be free. */
void pool_fire_wait(struct work *work, struct slice key, struct slice value);
void pool_fire_tick(struct work *work, struct slice key, struct slice value);

#endif
