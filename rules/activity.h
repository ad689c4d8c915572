/* SPDX-License-Identifier: Apache-2.0
 *
 * What sales apps report about leads and reps. The types are in activity.def; those of design.md §4 that are not there are
 * known by name and refused with a code of their own.
 */
#ifndef LR_RULES_ACTIVITY_H
#define LR_RULES_ACTIVITY_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/appraisal.h"
#include "rules/base/err.h"
#include "rules/base/slice.h"
#include "rules/touch.h"

struct arena;
struct json;

enum { ACTIVITY_TEXT_BYTES_MAX = 64, ACTIVITY_OUTCOME_BYTES_MAX = 500 };

enum activity_type {
#define ACTIVITY(id, type, about, reader, decider) ACTIVITY_##id,
#include "rules/activity.def"
	ACTIVITY_TYPES
};

enum activity_about { ABOUT_LEAD, ABOUT_REP };

/* What every activity may say, and the members of its type. Texts are borrowed from the document and may be empty, but for
 * the one that `about` asks for. */
struct activity {
	enum activity_type type;
	enum activity_about about;
	struct slice lead_id, rep; /* ABOUT_LEAD has the first, ABOUT_REP the second */
	struct slice tenant;
	struct slice actor;        /* who did it; a rep's id, or whatever the app calls its user */
	struct slice approver;     /* who consented; a rep's id, or whatever the app calls its user */
	struct slice reason;
	int64_t at_ms;             /* when it happened; -1: not given */
	int64_t expected_version;  /* of ownership; -1: not given */
	const struct json *data;   /* the whole object, for members that only the type's reader knows */

	struct slice method, outcome; /* touch */
	struct touch touch;
	struct slice status, stage, next_step, verdict, every; /* status, nurture, verdict */
	int64_t until_ms;                                      /* status, nurture: 0 not given */
	struct slice kind, currency, customer;                 /* convert */
	int64_t date_ms;                                       /* convert: 0 not given */
	const struct json *amount;                             /* convert: a number, or NULL */
	bool is_barring;                                       /* disqualify, erase: the person is not to be contacted again */
	struct slice department, to, text;                     /* notes; to: reassign and handover, too */
	struct slice team;                                     /* reassign, handover */
	const struct json *helpers;                            /* reassign, collaborators: a list, or NULL */
	const struct json *evidence;                           /* claim: an object, or NULL */
	struct slice other;                                    /* merge, split: the second lead */
	int64_t rating;                                        /* feedback: 1 to 5; 0 not given */
	struct appraisal appraisal;                            /* verdict: graded */
	bool is_refused;                                       /* approve: decision "no" */
};

/* "activity.touch" */
const char *activity_type_name(enum activity_type type);

/* `type` is the event's type, empty for bare JSON without one. 0, or -1 with *err. */
int activity_read(struct slice type, const struct json *data, struct arena *arena, struct activity *ret_activity,
                  struct err *err);

/* For the readers. Absent, null and blank leave *ret as it is; -1 with *err on another type or a text that is too long. */
int activity_text(const struct json *data, const char *name, size_t max, struct slice *ret, struct err *err);
int activity_time(const struct json *data, const char *name, int64_t *ret_ms, struct err *err);
int activity_bool(const struct json *data, const char *name, bool *ret, struct err *err);
/* A list of at most STATE_HELPERS_MAX of {rep, role}. */
int activity_helpers(const struct json *data, const char *name, const struct json **ret, struct err *err);
/* The member as a number that is not negative, or NULL. */
int activity_number(const struct json *data, const char *name, const struct json **ret, struct err *err);
/* A span as "90d", in its written form. */
int activity_span(const struct json *data, const char *name, struct slice *ret, struct err *err);
int activity_int(const struct json *data, const char *name, int64_t low, int64_t high, int64_t *ret, struct err *err);

#define ACTIVITY(id, type, about, reader, decider) int reader(struct activity *activity, struct arena *, struct err *);
#include "rules/activity.def"

#endif
