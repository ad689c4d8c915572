/* SPDX-License-Identifier: Apache-2.0
 *
 * The compiled configuration that decisions are made from: teams, reps, territories, calendar, score, routes.
 *
 * A model is built once per generation by model_build() out of the configuration tree, checked as a whole, and never
 * changes afterwards; everything in it lives in the generation's arena. It holds no text that still has to be parsed:
 * expressions are CEL programs, spans are numbers, names are indexes.
 *
 *     leadrouter.yaml + conf.d   ->  tree (with positions)  ->  model  ->  decide
 *
 * Names that a person wrote are kept beside each item together with the place ("routes.yaml:14"), because every
 * decision says which rule of which file and line made it (design.md law 7).
 */
#ifndef LR_RULES_MODEL_H
#define LR_RULES_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/hash.h"
#include "rules/base/slice.h"
#include "rules/calendar/span.h"
#include "rules/clocks.h"
#include "rules/dedup.h"
#include "rules/touch.h"

struct arena;
struct calendar;
struct cel_env;
struct cel_field;
struct cel_program;
struct cel_value;
struct country_table;
struct diags;
struct capacity;
struct intake_rules;
struct lifecycle_rules;
struct grade_matrix;
struct hold;
struct likelihood_plan;
struct node;
struct pool;
struct ownership_rules;
struct degraded_rules;
struct region_table;
struct report_rules;
struct rule_index;
struct schema_row;
struct territory;

/* Named limits of a configuration. */
enum {
	MODEL_REPS_MAX = 100000,
	MODEL_TEAMS_MAX = 10000,
	MODEL_TEAM_MEMBERS_MAX = 50000,
	MODEL_KEY_ID_BYTES_MAX = 8,
	MODEL_ROUTES_MAX = 20000,
	MODEL_CRITERIA_MAX = 2000,
	MODEL_GRADES_MAX = 26,
	MODEL_TERRITORIES_MAX = 64,
	MODEL_SOURCES_MAX = 1000,
	MODEL_NAME_BYTES = 64, /* ids of reps, teams, grades, tables, routes; no control characters, no '/' */
	MODEL_WEIGHT_MAX = 1000,
	MODEL_ATTRIBUTES_MAX = 64,         /* different attributes of reps */
	MODEL_ATTRIBUTE_ITEMS_MAX = 100,   /* of one list */
	MODEL_KEPT_TEXT_BYTES_MAX = 400,   /* a lead's field that may be kept for later decisions */
	MODEL_KEPT_BYTES_MAX = 2000,       /* all of them together */
};

/* Where a person wrote an item. */
struct place {
	const char *file; /* as given, relative to the configuration directory */
	unsigned line;    /* from 1 */
};

struct rep {
	struct slice id;   /* unique */
	struct slice name; /* for people; the id when none was given */
	bool is_active;    /* false: in no rotation, keeps what is owned */
	const struct calendar *calendar; /* NULL: that of the team, see model_calendar_of */
	const struct capacity *capacity; /* NULL: that of the team, see rules/pool.h */
	const struct cel_value *attributes; /* one per model.attributes; CEL_NULL: the rep does not have it */
	struct place place;
};

/* What a customer may call a rep (rules/model/model_person.c). */
struct rep_word {
	struct slice key;
	size_t rep;
};

struct member {
	size_t rep;      /* index into model.reps */
	unsigned weight; /* 1…MODEL_WEIGHT_MAX */
};

struct team {
	struct slice id;
	struct slice name;
	const struct member *members; /* in the order of their rep ids, bytewise: order in the file has no effect */
	size_t member_count;          /* at least one of them active, checked at load */
	const struct calendar *calendar; /* NULL: that of the customer's area, see model_calendar_of */
	const struct pool *pool;         /* NULL: all standard; read it by pool_of(), rules/pool.h */
	struct place place;
};

/* followup.calendar_by: customers in this area are counted for by this calendar. */
struct area_calendar {
	struct slice area;
	const struct calendar *calendar;
};

/* One weighted criterion: when `when` is true for a lead, `points` (may be negative) are added. */
struct criterion {
	struct slice name;
	struct slice when_text; /* as written, for explanations */
	const struct cel_program *when;
	int32_t points;
	bool is_interest;       /* of that axis, else of fit: rules/interest.h */
	struct place place;
};

/* A letter and its band of scores: [from, next higher band's from). Ordered from the highest `from` to the lowest;
 * the lowest band reaches down to INT32_MIN, so that each score has exactly one grade. */
struct grade {
	struct slice letter;
	int32_t from;
	bool stops;               /* a lead of this grade is graded and kept, but not routed */
	bool has_first_response;  /* false: no clock runs for this grade */
	struct span first_response;
	struct span remind_before; /* before the deadline, same kinds of units; all zero: no reminder */
	struct place place;
};

struct route {
	struct slice name;
	struct slice when_text;         /* "" for a catch-all */
	const struct cel_program *when; /* NULL: always */
	size_t team;                    /* index into model.teams; SIZE_MAX when team_by is set */
	size_t team_by;                 /* index into model.territories: the area found names the team; else SIZE_MAX */
	struct place place;
	const struct hold *hold;        /* the lead is kept for somebody's decision, or cultivated; NULL: it goes to the team */
	size_t rep_plus_1;              /* 1 + index into model.reps of the one who gets it; 0: none is named */
	const struct slice *roles;      /* who helps whoever gets it, as "rep/role" */
	size_t role_count;
};

/* A closed vocabulary: canonical names and their aliases, compared by text_key() (rules/text/normalise.h): case, accents,
 * spaces and punctuation do not matter. */
struct vocabulary {
	const struct slice *names; /* canonical, in file order */
	size_t count;
	const struct vocabulary_alias *aliases; /* key -> index into names, sorted bytewise; holds the names too */
	size_t alias_count;
};

/* The lines of followup.clocks that share a name; the first whose condition holds is the plan. */
struct model_clock {
	struct slice name;
	enum clock_kind kind;
	const struct clock_plan *plans;
	size_t plan_count;
};

struct vocabulary_alias {
	struct slice folded; /* text_key() of the name or alias */
	size_t name;
};

struct model {
	/* identity of the configuration */
	const struct slice *told_terms, *told_routes; /* rules/trace.h: per criterion, per route; may be NULL */
	char config_hash[17]; /* first 16 hex digits of SHA-256 over all files, named in every event; set by the daemon */

	/* tenants; count 0 = single tenant, the tenant is not looked at */
	const struct slice *tenants;
	size_t tenant_count;

	/* cleanse */
	struct slice default_country; /* ISO alpha-2, for phone numbers without +; "" = none */
	struct vocabulary sources;    /* unknown text becomes "other", which is always in it */
	struct country_table *countries;
	struct region_table *regions; /* NULL: region codes are only folded, not checked */
	const struct intake_rules *intake; /* NULL: nothing more is asked of leads, see rules/intake.h */
	bool require_email, require_phone, require_company; /* required on every lead; one way of contact always is */

	/* dedup */
	struct dedup_rules dedup;
	bool match_gmail_dots, match_plus_tag; /* opt-in provider rules for the match key only */
	struct slice identity_secret; /* key of the HMAC; never printed. Set by model_set_secret */
	struct hash_hmac_key identity_hmac; /* the same, made ready */
	struct slice identity_key_id; /* part of each key's name, [a-z0-9]{1,8} */

	/* score */
	const struct criterion *criteria;
	size_t criterion_count;
	int32_t score_base;
	const struct grade *grades;
	size_t grade_count;
	int64_t half_life_ms;            /* of interest; 0: it does not fade */
	const struct criterion *acts;    /* what later acts are worth, all of the axis interest; their conditions see the act */
	size_t act_count;
	const struct grade_matrix *matrix;         /* NULL: grades are bands of the score */
	const struct likelihood_plan *likelihood; /* NULL: nothing is learned */

	/* people */
	const struct rep *reps; /* sorted by id, bytewise */
	size_t rep_count;
	const struct rep_word *rep_words; /* their ids and names as text_key() has them, sorted bytewise */
	size_t rep_word_count;
	const struct team *teams; /* sorted by id, bytewise */
	size_t team_count;
	const struct cel_field *attributes; /* of reps, by name, bytewise: text, whole number or list of texts */
	size_t attribute_count;

	/* Fields of a lead that are kept in its state, because expressions of later decisions read them; sorted by path.
	 * See rules/kept.h. */
	const struct schema_row *const *kept;
	size_t kept_count;
	const struct kept_member *kept_members; /* attributes of a lead that they compare; sorted by name. rules/kept_words.h */
	size_t kept_member_count;

	/* territories: table i is the CEL field territory.<name> */
	const struct territory *const *territories;
	size_t territory_count;

	/* routes, first match wins, the last one is a catch-all: it has a team and no condition. A route with team_by whose
	 * table has no area for the lead does not match. */
	const struct route *routes;
	size_t route_count;
	const struct rule_index *route_index; /* over their conditions; NULL: each is tried */

	/* calendars, sorted by name, bytewise */
	const struct calendar *const *calendars;
	size_t calendar_count;
	/* followup.calendar; never NULL: without one in the configuration it is always open, in UTC */
	const struct calendar *calendar;
	int64_t unavailable_after; /* breaches in a row after which a rep is taken as away; 0: never */
	size_t calendar_by; /* followup.calendar_by: index into territories; SIZE_MAX without one */
	const struct area_calendar *area_calendars; /* sorted by area, bytewise; an area may be missing */
	size_t area_calendar_count;
	struct touch_rules touch_rules;

	/* followup.clocks, in the order of their first lines; those of grades are not among them */
	const struct model_clock *clocks;
	size_t clock_count;
	char tzdata_version[32]; /* of the zones that the calendars were compiled with, "2026b"; set by the daemon */

	const struct lifecycle_rules *lifecycle; /* NULL: no section `lifecycle` */
	const struct report_rules *report;       /* NULL: no section `report`, and no figures are kept */
	const struct ownership_rules *ownership; /* NULL: no section `ownership` */
	const struct degraded_rules *degraded;   /* NULL: no section `degraded` */

	/* the declared variables of the routes' expressions; territory values are made from it */
	const struct cel_env *env;
	const struct cel_env *pool_env; /* the same and `rep` */
	uint64_t cel_step_limit;
};

/* Bytes that the tree refers to and that only the daemon can read. `read` returns 0 and bytes in the arena, or -1 with
 * *err filled. Given to model_build so that rules/ stays free of files. `path` is relative to the configuration
 * directory or absolute; is_secret asks the daemon to refuse a file that others can read. */
struct err;
struct model_files {
	int (*read)(void *ctx, struct slice path, bool is_secret, struct arena *, struct slice *ret_bytes, struct err *);
	void *ctx;
};

/* Compiles the whole tree (one mapping that holds all sections of all files). Adds every error to `diags` and returns
 * NULL if there was one; warnings alone do not fail. The model and all it points to live in `arena`; model_done() gives
 * back what arenas cannot hold (regular expressions). */
struct model *model_build(const struct node *root, const struct model_files *files, struct arena *arena,
                          struct diags *diags);
void model_done(struct model *model);

/* Names of the sections that model_build reads, NULL behind the last. */
const char *const *model_sections(void);

/* The secret of identity keys; its bytes are borrowed. */
void model_set_secret(struct model *model, struct slice secret);
/* Indexes by id, or SIZE_MAX. */
size_t model_find_rep(const struct model *model, struct slice id);
/* The same for what a customer wrote: an id or a name, however it is written. SIZE_MAX also when it may be several. */
size_t model_find_person(const struct model *model, struct slice text, struct arena *arena);
size_t model_find_team(const struct model *model, struct slice id);
/* By name; NULL if there is none. */
const struct calendar *model_find_calendar(const struct model *model, struct slice name);

/* The calendar that a lead's clocks run by. The one nearest to the person who has to act decides:
 *
 *     reps[].calendar  >  teams[].calendar  >  followup.calendar_by, by the customer's place  >  followup.calendar
 *
 * `rep` and `team` are indexes, or SIZE_MAX when nobody is chosen yet. Country is alpha-2, region a full code, as in a
 * cleansed lead; any may be empty. Never NULL. */
const struct calendar *model_calendar_of(const struct model *model, size_t rep, size_t team, struct slice country,
                                         struct slice region, struct slice postal_code);

#endif
