/* SPDX-License-Identifier: Apache-2.0
 *
 * One follow-up clock: a timer of a lead with a name, a time that it allows, and levels that are told one by one.
 *
 *     start ──────── pre_breach ──────── due: breach ──── manager ──── …      levels, in the order of time
 *       │  after                           │   level 3, 4 … come `after` the due time
 *       └─ the start of a cycle            └─ start + after + what the pauses were long
 *
 * A clock is a pure function of its events: start, stop, pause and resume, each with the time at which it happened, which is
 * not the time at which it was heard of. Clocks of one lead run beside each other; none overrules another.
 *
 *   - At the same instant a stop beats a pause, and a pause beats a start.
 *   - A stop that happened before the due time ends the cycle in time, however late it is heard of. One that happened before
 *     the cycle began does not concern it.
 *   - A pause moves the due time by its length in the unit of the clock (rules/clock_pause.h).
 *   - Each level is told once per cycle. The cycle rises with each repetition and each change of owner.
 *   - Repeats: NEVER ends with the stop. RESTART begins the next cycle at the stop, or at the due time when the last level
 *     was told. RESET sets the clock back to its whole time at each further start: in the same cycle while nothing of it was
 *     told, else in the next one. RESUME goes on, at a start after a stop, with the time that was left.
 *   - A clock with `touch_extends` is moved on by acts that do not reset it, each time by a part of the time before, so that
 *     all of them together are bounded.
 *   - A clock with `times` counts: so many acts within each window of its length; a window with enough of them is met.
 *   - A message waits for the next open instant of its recipient's calendar; the due time and the measured response do not.
 *
 * Nothing here knows leads, conditions or events: rules/clocks_lead.h decides which clocks a lead has.
 */
#ifndef LR_RULES_CLOCKS_H
#define LR_RULES_CLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/calendar/span.h"

struct calendar;
struct calendar_memo;
struct cel_program;

enum {
	CLOCK_NAMES_MAX = 16,    /* clocks with different names in one configuration */
	CLOCK_PLANS_MAX = 500,   /* lines of followup.clocks */
	CLOCK_LEVELS_MAX = 12,   /* of one line, reminders and breach included */
	CLOCK_FIRED_AT_ONCE = 8, /* levels that one visit to a lead tells; the next visit comes at once */
	CLOCK_COUNT_MAX = 1000,
	CLOCK_HOPS_MAX = 8,      /* owners that one round of a lead tries */
	CLOCK_HOPS_USUAL = 3,
	CLOCK_PAUSES_MAX = 3,    /* of one cycle that are kept with their times; older ones are settled */
	CLOCK_EXTENSION_DIVISOR = 2, /* the least: each extension is at most half of the one before */
};

enum clock_kind {
	CLOCK_FIRST_RESPONSE,
	CLOCK_CADENCE,
	CLOCK_NEXT_FOLLOW_UP,
	CLOCK_RELEASE,
	CLOCK_NURTURE,
	CLOCK_OPPORTUNITY_EXPIRY,
	CLOCK_STALE,
	CLOCK_TOTAL_AGE,
	CLOCK_REPORT_DUE,
	CLOCK_KINDS
};

/* "first_response", … */
const char *clock_kind_name(enum clock_kind kind);

enum clock_repeat { CLOCK_NEVER, CLOCK_RESTART, CLOCK_RESET, CLOCK_RESUME };
const char *clock_repeat_name(enum clock_repeat repeat);

/* What a level does beside telling it. MANAGER tells the manager instead of the owner. */
enum clock_action { CLOCK_NOTIFY, CLOCK_TELL_MANAGER, CLOCK_REASSIGN, CLOCK_TO_POOL };
const char *clock_action_name(enum clock_action action);

/* Ranks of levels, which is how a lead remembers what was told, so that a changed list of levels tells nothing twice: the
 * last reminder is 1, the ones before it -1, -2 …, the breach 2, what follows 3, 4 …; 0: nothing was told yet. */
enum { CLOCK_RANK_NONE = 0, CLOCK_RANK_REMINDER = 1, CLOCK_RANK_BREACH = 2 };

struct clock_level {
	struct slice name;  /* "pre_breach", "breach", "manager", … */
	int rank;
	struct span offset; /* before the due time (rank < 2), or after it */
	enum clock_action action;
};

enum clock_calendar { CLOCK_BY_NEAREST, CLOCK_BY_REP, CLOCK_BY_TEAM, CLOCK_BY_CUSTOMER, CLOCK_BY_NAME };

struct place;

/* One line of followup.clocks. A clock's name may stand in several lines: the first whose condition holds is its plan. */
struct clock_plan {
	struct slice name; /* of the clock; that of the kind unless another is given */
	enum clock_kind kind;
	struct slice when_text;
	const struct cel_program *when;                 /* NULL: always */
	const struct cel_program *start, *stop, *pause; /* NULL: as the kind has it */
	struct span after;                              /* time allowed, or length of a window */
	int64_t times;                                  /* acts that a window asks for; 0: not a clock that counts */
	const struct clock_level *levels;               /* in the order of time */
	size_t level_count;
	enum clock_repeat repeat;
	enum clock_calendar calendar_by;
	const struct calendar *calendar;                /* CLOCK_BY_NAME */
	bool is_heard_when_open;                        /* notify_not_before */
	bool counts_attempts;                           /* an act without contact is an act */
	struct span lengthen_up_to;                     /* CADENCE: how far a date that the rep sets may move the due time on */
	struct span at_most;                            /* NEXT_FOLLOW_UP: how far ahead a date may be; zero: any */
	struct span touch_extends;                      /* RELEASE: what the first act moves the due time on; zero: nothing */
	int64_t touch_divisor;                          /* … each further one by that part of the one before, rounded down */
	struct slice suggested;                         /* method of the act that is waited for; may be empty */
	int64_t max_hops;                               /* REASSIGN: how often in one round */
	const char *file;                               /* where it is written; NULL: not in a file */
	unsigned line;
};

struct clock_pause {
	int64_t from_ms, to_ms;
};

/* Where a cycle stood when the last pause ended of those that are no longer kept: so much of its time was used, in days and in
 * the rest, and so many extensions were in it. Not what was left, so that a changed plan changes that by as much. Where what is
 * left ends with a closing and it was due behind that, in closed time, `due_ms` says when. */
struct clock_settled {
	int64_t until_ms, days, rest_ms, count, due_ms;
};

/* A clock as a lead remembers it. Times are ms since 1970, 0: none. */
struct clock {
	struct slice name;
	int64_t cycle;     /* that runs or ran last, or the next one if none has begun; from 1 */
	int64_t level;     /* rank of the last level told in this cycle */
	int64_t start_ms;  /* of this cycle; 0: no cycle has begun */
	int64_t due_ms;    /* of the breach */
	int64_t next_ms;   /* when the next level is told; 0: not running, or all was told */
	int64_t stop_ms;   /* the cycle was stopped then */
	int64_t pause_ms;  /* it stands still since then */
	int64_t wanted_ms; /* a date that the rep set */
	int64_t count;     /* acts: in this window, of a clock that counts; that moved the due time on, of one that they extend.
	                    * Of another one that begins anew, 1: this cycle began behind a breach */
	int64_t moves;     /* how often another plan or calendar moved the due time of this cycle, and that was told */
	struct clock_pause pauses[CLOCK_PAUSES_MAX]; /* of this cycle, in the order of time; those behind the last one: 0 */
	struct clock_settled settled;                /* the pauses before those; until_ms 0: there was none */
};

/* The calendars that a clock of one lead runs by. */
struct clock_hours {
	const struct calendar *clock, *owner, *manager;
	struct calendar_memo *memo; /* NULL: nothing is remembered */
};

/* A cycle has begun and was not stopped; it may stand still. */
bool clock_has_cycle(const struct clock *clock);
bool clock_is_running(const struct clock *clock);
/* Begins a cycle at `at_ms`. `wanted_ms`: the date that it is for (next_follow_up, opportunity_expiry), or 0. A due time
 * outside of the calendar's range starts nothing. */
void clock_start(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms,
                 int64_t wanted_ms);
/* The act that the clock waits for. RESTART begins the next cycle. Returns whether it concerned the cycle. */
bool clock_stop(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms);
/* An act that is heard of late, from the cycle before: its breach was told, and nobody has acted since. This cycle begins with
 * the act then. Returns whether it is so; *ret_before is the cycle that it answered, as far as that is known still. */
bool clock_stop_before(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms,
                       struct clock *ret_before);
/* Nothing is waited for any more: the lead is closed, or nobody owns it. The next cycle has the next number. */
void clock_end(struct clock *clock);
void clock_pause(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms);
void clock_resume(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms);
/* Of a clock that counts: one more act at `at_ms`, unless it lies before the window. The windows that ended before must be
 * closed first (clock_roll). Returns whether it counted. */
bool clock_count(struct clock *clock, int64_t at_ms);
/* Its whole time from `at_ms` on; the next cycle, if something was told in this one. */
void clock_reset(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms);
/* An act at `at_ms` that plan->touch_extends speaks of: within the cycle and before its due time. Returns whether it moved. */
bool clock_extend(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms);
/* The rep's date for a cadence: earlier is taken as it is, later up to plan->lengthen_up_to. */
void clock_want(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t wanted_ms);
/* Computes the due time anew, by another plan or calendar; levels that were told stay told. Returns whether it moved. */
bool clock_plan_again(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours);

/* What a level that fell due came to. */
struct clock_told {
	const struct clock_level *level;
	int64_t cycle, start_ms, due_ms;
	int64_t at_ms; /* of the level; its message may have waited longer */
	int64_t count; /* clocks that count: acts in the window */
};
/* The next level that is due at `now_ms`, marked as told; false when nothing is. Windows that were met pass silently. A
 * clock that repeats begins its next cycle behind the last level. */
bool clock_fire(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t now_ms,
                struct clock_told *ret_told);

/* The breach of a clock that is about to end or to stop at `at_ms`, when it fell due by then and waits to be heard: marked as
 * told. A window that was met has none. */
bool clock_overdue(struct clock *clock, const struct clock_plan *plan, int64_t at_ms, struct clock_told *ret_told);

/* Of a clock that counts: closes the window if it ended at or before `at_ms`, and begins the next one. 0: none ended; 1: one
 * did; 2: one did whose breach is told by this. */
int clock_roll(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms,
               struct clock_told *ret_told);

/* The plan that a grade's first_response and remind_before stand for. `levels` has room for two. */
struct grade;
struct clock_plan clock_plan_of_grade(const struct grade *grade, struct clock_level levels[2]);

#endif
