/* SPDX-License-Identifier: Apache-2.0
 *
 * The syntax tree, from parse to compile. It lives in a work arena and is gone when cel_compile returns.
 *
 * Operators are calls, named by their token ("+", "==", "[]", "-_", "!"). Macros become loop nodes while parsing:
 * they bind names, so they cannot be functions.
 */
#ifndef LR_RULES_CEL_AST_H
#define LR_RULES_CEL_AST_H

#include "rules/cel/issue.h"

enum node_kind {
	NODE_CONST,  /* value */
	NODE_NAME,   /* name; a leading dot in is_rooted */
	NODE_SELECT, /* args[0] . name */
	NODE_HAS,    /* has(args[0] . name) */
	NODE_CALL,   /* name(args…); a method has its target in args[0] */
	NODE_LIST,   /* args */
	NODE_MAP,    /* args: key, value, key, value… */
	NODE_OBJECT, /* name{…}: always refused, there are no messages */
	NODE_AND,    /* args, two or more: nested ones are flattened */
	NODE_OR,
	NODE_CHOICE, /* args: condition, then, else */
	NODE_LOOP,   /* loop, args[0] is the range */
	NODE_BIND,   /* loop->names[0] is args[0] inside args[1] */
};

enum loop_kind {
	LOOP_ALL,
	LOOP_EXISTS,
	LOOP_EXISTS_ONE,
	LOOP_MAP,           /* map, transformList: a list of `body` */
	LOOP_FILTER,        /* a list of the items themselves */
	LOOP_TRANSFORM_MAP, /* same keys, values are `body` */
	LOOP_TRANSFORM_ENTRY, /* `body` gives maps, which are merged */
	LOOP_OPT_MAP,         /* of an optional: optional of `body`, or none */
	LOOP_OPT_FLAT_MAP,    /* the same, `body` gives an optional itself */
};

struct node;

struct loop {
	enum loop_kind kind;
	struct slice names[2];
	struct extent name_spans[2];
	uint32_t name_count; /* 1: item (or key of a map); 2: index (or key) and item */
	struct node *guard;  /* only turns where it is true count; NULL: all */
	struct node *body;   /* NULL in filter */
	uint32_t local;      /* first of name_count locals; set by check */
};

enum resolution {
	RESOLVED_NOT,   /* NODE_NAME: unknown (unchecked mode); NODE_SELECT: by key at run time */
	RESOLVED_SLOT,  /* variable `index` of the env */
	RESOLVED_LOCAL, /* macro variable `index` */
	RESOLVED_FIELD, /* declared field `index` of an object */
	RESOLVED_CONST, /* a type's name: value */
};

struct node {
	enum node_kind kind;
	enum resolution resolution;
	struct extent span;      /* the whole sub-expression, without parentheses around it */
	struct extent name_span; /* operator, function or field name */
	struct slice name;
	struct cel_value value;
	struct node **args;
	uint32_t arg_count, arg_capacity;
	struct loop *loop;
	uint32_t index;    /* see enum resolution */
	uint16_t depth;    /* of the tree below, leaves are 1 */
	bool is_method;    /* called as args[0].name(…) */
	bool is_operator;
	bool is_rooted;    /* .name: looked up without the container */
	bool is_optional;  /* a?.b, a[?b] */
	bool *arg_is_optional; /* NODE_LIST, NODE_MAP: `?` before item or key i; NULL: none */
	/* set by compile */
	uint64_t free; /* what the value depends on: a bit per local, the highest for variables; 0: constant */
	/* set by check */
	const struct cel_type *type;
	const struct cel_function **overloads; /* NODE_CALL: what may be meant, in order */
	uint32_t overload_count;
};

/* Text to tree; NULL after adding an issue. Strings and names borrow `text`, values live in `keep`. */
struct parse_input {
	struct slice text;
	struct cel_issues *issues;
	struct arena *work; /* of the tree */
	struct arena *keep; /* of string literals and issue texts */
};
struct node *parse_expression(const struct parse_input *input);

#endif
