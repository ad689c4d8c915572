/* SPDX-License-Identifier: Apache-2.0
 *
 * CEL, the Common Expression Language, without protobuf messages: compile once, evaluate often.
 *
 *     text + env ── lex ─ parse ─ check ─ fold ─ compile ──► program ── eval(slots, scratch) ──► value
 *                          └── issues (code, span inside the text, message, help)
 *
 * A program is immutable and re-entrant; it lives in the arena it was compiled into (a generation's). Values are small
 * tagged unions that borrow: strings point into the lead, the program or the scratch arena, so a result lives as long
 * as the shortest of the three. Nothing here reads a clock: `now` is a variable like any other.
 *
 * Evaluation errors are values (kind CEL_ERROR), and `&&`, `||`, `all`, `exists` absorb them as the language says:
 * `lead.x / 0 > 1 || true` is true. The one exception is running out of steps, which always comes out as the result.
 *
 * Other headers: value.h (lists, maps, comparing, printing), conjunct.h (what a rule index and `explain` look at).
 */
#ifndef LR_RULES_CEL_CEL_H
#define LR_RULES_CEL_CEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/base/slice.h"

/* Limits. Each guards against an expression or a lead that was made to hurt; hitting one is an issue or an error value. */
enum {
	CEL_MAX_TEXT_BYTES = 64 * 1024, /* one expression */
	CEL_MAX_NODES = 8192,           /* syntax nodes of one expression */
	CEL_MAX_DEPTH = 192,            /* nesting, of syntax and so of recursion; the language asks for 24 */
	CEL_MAX_LITERAL_ITEMS = 4096,   /* of one list or map literal, or arguments of one call */
	CEL_MAX_LOCALS = 48,            /* macro variables alive at once */
	CEL_MAX_ISSUES = 16,            /* listed per expression; more are counted */
	CEL_MAX_VALUE_BYTES = 1 << 20,  /* one string or bytes value that an expression builds */
	CEL_MAX_WEIGHT = 1 << 18,       /* values inside a list or map that is built, nested ones counted; 64 bytes count as one */
	CEL_MAX_CONJUNCTS = 64,         /* top-level && operands that cel_program_conjuncts() describes */
	CEL_DEFAULT_STEPS = 100000,     /* for callers without an opinion: about a millisecond */
};

/* ---- types */

enum cel_kind {
	CEL_NULL,
	CEL_BOOL,
	CEL_INT,
	CEL_UINT,
	CEL_DOUBLE,
	CEL_STRING,
	CEL_BYTES,
	CEL_TIMESTAMP,
	CEL_DURATION,
	CEL_LIST,
	CEL_MAP,
	CEL_OBJECT,
	CEL_TYPE,
	CEL_OPTIONAL,
	CEL_ERROR, /* values only */
	CEL_DYN,   /* types only: not known before evaluation */
	CEL_PARAM, /* types only: a type parameter in a signature, `index` says which */
};

struct cel_object_type;

struct cel_type {
	enum cel_kind kind;
	uint32_t index;                       /* CEL_PARAM */
	const struct cel_type *key;           /* CEL_MAP */
	const struct cel_type *item;          /* CEL_LIST: items; CEL_MAP: values; CEL_TYPE, CEL_OPTIONAL: of what */
	const struct cel_object_type *object; /* CEL_OBJECT */
};

extern const struct cel_type cel_type_null, cel_type_bool, cel_type_int, cel_type_uint, cel_type_double, cel_type_string,
	cel_type_bytes, cel_type_timestamp, cel_type_duration, cel_type_dyn, cel_type_type;
/* list(dyn), list(string), map(string, dyn), map(string, string): the shapes that configuration needs most. */
extern const struct cel_type cel_type_list, cel_type_strings, cel_type_map, cel_type_string_map;

/* "string", "list(int)", "map(string, dyn)", the object's name. Lives in the arena. */
const char *cel_type_name(const struct cel_type *type, struct arena *arena);

/* ---- values: 16 bytes, passed by value */

struct cel_list;
struct cel_map;
struct cel_error;
struct cel_object;

struct cel_value {
	uint8_t kind; /* enum cel_kind */
	uint32_t len; /* string, bytes: how many bytes; timestamp: nanoseconds 0…999,999,999 */
	union {
		bool boolean;
		int64_t integer;   /* int; timestamp: seconds since 1970; duration: nanoseconds */
		uint64_t natural;  /* uint */
		double number;     /* double */
		const char *bytes; /* string (UTF-8), bytes: not NUL-terminated, may hold NULs */
		const struct cel_list *list;
		const struct cel_map *map;
		const struct cel_object *object;
		const struct cel_type *type;
		const struct cel_error *error;
		const struct cel_value *inner; /* optional: NULL when empty */
	} as;
};

/* An object value points at one of these; it may be the first member of the caller's own struct. */
struct cel_object {
	const struct cel_object_type *type;
	const void *self;
};

struct cel_field {
	const char *name;
	const struct cel_type *type;
	bool is_optional; /* may be absent: reading it without has() is a warning */
};

/* Where a field lies that needs no call to be read, counted from the object's `self`. */
enum cel_layout {
	CEL_BY_CALL, /* nowhere: get() */
	CEL_TEXT_AT, /* string: a struct slice */
	CEL_INT_AT,  /* int: a struct cel_int_member; 0 unless it is set */
	CEL_PART_AT, /* object: one with the same `self` */
};

struct cel_member {
	enum cel_layout layout;
	uint32_t offset;
};

struct cel_int_member {
	bool is_set;
	int64_t value;
};

/* A declared object such as `lead`. Fields are resolved to their index when an expression is compiled. */
struct cel_object_type {
	const char *name;
	const struct cel_field *fields;
	size_t field_count;
	/* The field's value; for an absent one the caller's default of the declared type (cel_zero). What it returns may
	 * live in `scratch`. Never an object type other than the declared one. */
	struct cel_value (*get)(const void *self, uint32_t field, struct arena *scratch);
	/* Is the field present? NULL: all are. */
	bool (*has)(const void *self, uint32_t field);
	/* One per field: gives what get() gives. NULL: all by call. */
	const struct cel_member *members;
};

static inline struct cel_value cel_null(void)
{
	return (struct cel_value){.kind = CEL_NULL};
}

static inline struct cel_value cel_bool(bool value)
{
	return (struct cel_value){.kind = CEL_BOOL, .as.boolean = value};
}

static inline struct cel_value cel_int(int64_t value)
{
	return (struct cel_value){.kind = CEL_INT, .as.integer = value};
}

static inline struct cel_value cel_uint(uint64_t value)
{
	return (struct cel_value){.kind = CEL_UINT, .as.natural = value};
}

static inline struct cel_value cel_double(double value)
{
	return (struct cel_value){.kind = CEL_DOUBLE, .as.number = value};
}

/* Borrows the bytes, which are valid UTF-8 and fewer than 4 GiB. */
static inline struct cel_value cel_string(struct slice text)
{
	return (struct cel_value){.kind = CEL_STRING, .len = (uint32_t)text.len, .as.bytes = text.p};
}

static inline struct cel_value cel_bytes(struct slice bytes)
{
	return (struct cel_value){.kind = CEL_BYTES, .len = (uint32_t)bytes.len, .as.bytes = bytes.p};
}

/* Years 1 to 9999; `nanoseconds` 0…999,999,999 counts forward from `seconds`. */
static inline struct cel_value cel_timestamp(int64_t seconds, uint32_t nanoseconds)
{
	return (struct cel_value){.kind = CEL_TIMESTAMP, .len = nanoseconds, .as.integer = seconds};
}

static inline struct cel_value cel_duration(int64_t nanoseconds)
{
	return (struct cel_value){.kind = CEL_DURATION, .as.integer = nanoseconds};
}

static inline struct cel_value cel_object(const struct cel_object *object)
{
	return (struct cel_value){.kind = CEL_OBJECT, .as.object = object};
}

static inline struct cel_value cel_list(const struct cel_list *list)
{
	return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

static inline struct cel_value cel_map(const struct cel_map *map)
{
	return (struct cel_value){.kind = CEL_MAP, .as.map = map};
}

static inline struct slice cel_slice(struct cel_value value)
{
	return (struct slice){value.as.bytes, value.len};
}

static inline bool cel_is_error(struct cel_value value)
{
	return value.kind == CEL_ERROR;
}

static inline bool cel_is_true(struct cel_value value)
{
	return value.kind == CEL_BOOL && value.as.boolean;
}

/* What an evaluation error says. The span is inside the expression's text. */
struct cel_error {
	enum err_code code;
	uint32_t offset, length;
	const char *text; /* one line, lower case */
};

/* ---- environment: which names an expression may use. A plain struct of the caller, never changed by us; programs do
 * not refer to it after cel_compile, but for the types and functions it points at. */

struct cel_variable {
	const char *name; /* may be dotted: "rep.team" */
	const struct cel_type *type;
};

struct cel_run; /* one evaluation */

/* A function of the caller's own. `args` hold no error; each has its declared kind. Failing: cel_fail(). */
struct cel_function {
	const char *name;
	bool is_method; /* called as target.name(…); the target is args[0] */
	uint8_t arity;  /* target included */
	const struct cel_type *result;
	const struct cel_type *params[4];
	struct cel_value (*call)(struct cel_run *run, const struct cel_value *args);
};

struct arena *cel_run_arena(struct cel_run *run);
/* An error value; `text` is copied into the run's arena. */
struct cel_value cel_fail(struct cel_run *run, enum err_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The texts that a declared field can hold: comparing it with any other is a warning, with a suggestion. */
enum { CEL_VOCABULARY_PATH = 2 };
struct cel_vocabulary {
	uint32_t slot, path_count, path[CEL_VOCABULARY_PATH]; /* variable, and the declared fields behind it */
	const char *noun;           /* "source": for "there is no source `webb`" */
	const char *note;           /* background, or NULL */
	const struct slice *values; /* sorted bytewise, unless `canonical` is set */
	size_t count;
	bool is_closed;     /* the field never holds another text, but for "" when it can be absent */
	bool can_be_absent;
	/* Instead of values: the form in which the field holds what `text` means, or SLICE_NONE when it means nothing known. */
	struct slice (*canonical)(const void *self, struct slice text);
	const void *self;
};

/* A name that other places of the caller know, for whoever writes it where it is not: "only routes know `grade`". */
struct cel_elsewhere {
	const char *name, *who;
};

struct cel_env {
	const struct cel_variable *variables; /* slot = index in this array */
	size_t variable_count;
	const struct cel_function *functions;
	size_t function_count;
	const struct cel_vocabulary *vocabularies;
	size_t vocabulary_count;
	const struct cel_elsewhere *elsewhere;
	size_t elsewhere_count;
	const char *container; /* namespace in which names are looked up first; NULL: none */
	bool is_unchecked;     /* no type check: every mistake shows only when evaluated */
	bool is_lenient;       /* a constant part that must fail (1/0) is no issue; no lints either */
};

/* ---- compiling */

enum cel_severity { CEL_WARNING, CEL_REFUSED };

struct cel_issue {
	enum err_code code;
	enum cel_severity severity;
	uint32_t offset, length; /* bytes inside the expression */
	const char *message;     /* one line */
	const char *help;        /* "did you mean `source`?", or NULL */
	const char *note;        /* second line of background ("fields: …"), or NULL */
};

struct cel_issues {
	struct cel_issue items[CEL_MAX_ISSUES];
	size_t count;   /* of items */
	size_t omitted; /* found after the list was full */
	bool is_refused;
};

struct cel_program;

/* Compiles `text`. `wanted` is the type that the place asks for, or NULL for any. Returns 0 and a program, or -1 with
 * at least one issue of severity CEL_REFUSED; there may be warnings either way. The program and the issue texts live in
 * `arena`; `text` is copied. *issues is overwritten. */
int cel_compile(const struct cel_env *env, struct slice text, const struct cel_type *wanted, struct arena *arena,
		struct cel_issues *issues, struct cel_program **ret_program);

/* Frees what does not live in the arena: compiled regular expressions. Call it before the arena goes; most programs own
 * none, and then it does nothing. NULL is fine. */
void cel_program_done(struct cel_program *program);

/* Asks for the memory of a program that is evaluated soon, without waiting for it. */
void cel_program_fetch(const struct cel_program *program);

struct slice cel_program_text(const struct cel_program *program);
const struct cel_type *cel_program_type(const struct cel_program *program);
/* Estimate of the steps of one evaluation, with 100 items assumed where a size is not known. */
uint64_t cel_program_cost(const struct cel_program *program);

/* ---- evaluating */

/* `slots` has one value per variable of the env. The result may live in `scratch`, which is all that an evaluation takes
 * memory from, but for three forms that no rule needs on a hot path: format() and string() of a double or a time use
 * the heap within the call, and matches() compiles a pattern that is not a constant. A zone that is named by data, as in
 * now.getHours(rep.zone), is read from the system's files when it is met for the first time in the life of the process:
 * load such zones (zone_load) while the generation is built. `steps` bounds loop turns and bytes built; beyond it the
 * result is ERR_CEL_STEPS. */
struct cel_value cel_eval(const struct cel_program *program, const struct cel_value *slots, struct arena *scratch,
			  uint64_t steps);

#endif
