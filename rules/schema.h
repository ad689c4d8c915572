/* SPDX-License-Identifier: Apache-2.0
 *
 * The lead as a struct, and the same fields as rows that code can walk and as objects that expressions can read.
 * What fields there are is in schema.def and nowhere else.
 *
 * Variables of expressions, in the order of their slots:
 *
 *     lead       the lead                       facts   map(string, dyn): answers of plug-ins, "geo.country"
 *     account    its company, and who has it    grade   string  } known to routes,
 *     now        timestamp of the decision      score   int     } not while scoring
 *     territory  one string field per table
 *     rep        who might get it: known to the criteria of a pool alone
 */
#ifndef LR_RULES_SCHEMA_H
#define LR_RULES_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/cel/cel.h"

struct arena;
struct json;

enum schema_kind { SCHEMA_TEXT, SCHEMA_INT, SCHEMA_REAL, SCHEMA_TIME, SCHEMA_PART, SCHEMA_MAP };

/* Members of the structs below. An absent text has len 0. */
struct lead_int {
	bool is_set;
	int64_t value;
};

struct lead_real {
	bool is_set;
	double value;
};

#define MEMBER_TEXT(name) struct slice name;
#define MEMBER_INT(name)  struct lead_int name;
#define MEMBER_TIME(name) struct lead_int name; /* ms since 1970 */
#define MEMBER_TEXT_ALWAYS(name) MEMBER_TEXT(name)
#define MEMBER_TIME_ALWAYS(name) MEMBER_TIME(name)
#define MEMBER_REAL(name) struct lead_real name;
#define MEMBER_MAP(name)  const struct json *name; /* a JSON object or NULL */
#define MEMBER_PART(name) struct lead_##name name;

struct lead_contact {
#define CONTACT_FIELD(name, kind, bytes, who) MEMBER_##kind(name)
#include "rules/schema.def"
};

struct lead_company {
#define COMPANY_FIELD(name, kind, bytes, who) MEMBER_##kind(name)
#include "rules/schema.def"
};

struct lead_account {
#define ACCOUNT_FIELD(name, kind, bytes, who) MEMBER_##kind(name)
#include "rules/schema.def"
};

struct lead_location {
#define LOCATION_FIELD(name, kind, bytes, who) MEMBER_##kind(name)
#include "rules/schema.def"
};

struct lead_budget {
#define BUDGET_FIELD(name, kind, bytes, who) MEMBER_##kind(name)
#include "rules/schema.def"
};

struct lead_interest {
#define INTEREST_FIELD(name, kind, bytes, who) MEMBER_##kind(name)
#include "rules/schema.def"
};

enum schema_object { SCHEMA_LEAD, SCHEMA_CONTACT, SCHEMA_COMPANY, SCHEMA_LOCATION, SCHEMA_INTEREST, SCHEMA_BUDGET,
	             SCHEMA_RECORD_OBJECTS, /* up to here: what a record has */
	             SCHEMA_ACCOUNT = SCHEMA_RECORD_OBJECTS, SCHEMA_OBJECTS };

/* Fields of SCHEMA_ACCOUNT: those of the company first. */
enum {
#define COMPANY_FIELD(name, kind, bytes, who) ACCOUNT_company_##name,
#include "rules/schema.def"
	ACCOUNT_OWN_FIELDS,
};

struct lead {
#define LEAD_FIELD(name, kind, bytes, who) MEMBER_##kind(name)
#include "rules/schema.def"
	struct lead_account account;               /* set while it is decided, never read from a record */
	struct cel_object objects[SCHEMA_OBJECTS]; /* what expressions see; set by lead_init, point back at this struct */
};

#undef MEMBER_TEXT
#undef MEMBER_INT
#undef MEMBER_TIME
#undef MEMBER_TEXT_ALWAYS
#undef MEMBER_TIME_ALWAYS
#undef MEMBER_REAL
#undef MEMBER_MAP
#undef MEMBER_PART

/* Makes the lead empty. It must not be moved afterwards. */
void lead_init(struct lead *lead);

struct schema_row {
	struct slice name;        /* "email" */
	const char *path;         /* "contact.email" */
	enum schema_kind kind;
	bool is_person;           /* contact data: mask it */
	enum schema_object part;  /* SCHEMA_PART: which object it is */
	size_t bytes_max;         /* SCHEMA_TEXT */
	size_t offset;            /* of the member in struct lead; unused for SCHEMA_PART */
};

/* The fields of one object, in the order of schema.def. */
const struct schema_row *schema_rows(enum schema_object object, size_t *ret_count);
/* The row of "contact.email", or NULL. Of what a record has. */
const struct schema_row *schema_find(struct slice path);
/* The text member of a row of kind SCHEMA_TEXT. */
struct slice *schema_text(struct lead *lead, const struct schema_row *row);
struct slice schema_text_of(const struct lead *lead, const struct schema_row *row);

/* ---- expressions */

enum schema_slot { SLOT_LEAD, SLOT_NOW, SLOT_TERRITORY, SLOT_FACTS, SLOT_ACCOUNT, SLOT_GRADE, SLOT_SCORE, SLOT_REP, SCHEMA_SLOTS };
enum { SCHEMA_SCORE_SLOTS = SLOT_GRADE, SCHEMA_ROUTE_SLOTS = SLOT_REP };

/* The names that expressions of a model may use. `tables` are the territory tables' names in the order of
 * model.territories. Lives in the arena. */
const struct cel_env *schema_env_new(const struct slice *tables, size_t table_count, struct arena *arena);
/* The same without what is not known while scoring. Shares the types of `env`: a program of either takes the same values,
 * which two environments made apart would not. */
const struct cel_env *schema_score_env(const struct cel_env *env, struct arena *arena);

/* The environment of routes and `rep`, whose attributes are `attributes` (model.attributes). Shares the types of `env`. */
const struct cel_env *schema_pool_env(const struct cel_env *env, const struct cel_field *attributes,
                                      size_t attribute_count, struct arena *arena);

/* What `rep` stands for: its fields in this order, and one value per attribute. */
enum schema_rep_field { REP_ID, REP_NAME, REP_ATTRIBUTES, REP_FIELDS };
struct rep;
struct schema_rep {
	struct cel_object object, attributes;
	const struct rep *rep;
	const struct cel_field *fields; /* of the attributes */
};
/* `env` is the one of schema_pool_env. */
void schema_rep_init(struct schema_rep *schema, const struct cel_env *env, const struct rep *rep);

/* What `territory` stands for in one decision: looked up when an expression asks. `type` is the first member of
 * what cel_object points at. */
struct territory;
struct schema_territories {
	struct cel_object object;
	const struct territory *const *tables;
	const struct lead *lead;
};
/* `env` is the one that programs were compiled with, or the one that it was made from. */
void schema_territories_init(struct schema_territories *territories, const struct cel_env *env,
                             const struct territory *const *tables, const struct lead *lead);

/* A JSON value as CEL sees it. Lives in the arena; texts are borrowed. */
struct cel_value schema_value_of(const struct json *json, struct arena *arena);

#endif
