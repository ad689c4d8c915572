/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parser and the macro expander share.
 */
#ifndef LR_RULES_CEL_PARSE_H
#define LR_RULES_CEL_PARSE_H

#include "rules/cel/ast.h"
#include "rules/cel/lex.h"

struct parser {
	struct lexer lexer;
	struct token token; /* the next one */
	uint32_t end;       /* where the token before it ended */
	struct arena *work, *keep;
	struct cel_issues *issues;
	size_t node_count;
	int depth;
	bool is_broken; /* an issue was added: unwind, add no more */
};

struct node *parse_new_node(struct parser *parser, enum node_kind kind, struct extent span);
bool parse_add_arg(struct parser *parser, struct node *node, struct node *arg);
/* Adds an issue (only the first of an expression: what follows a syntax error is noise) and returns NULL. */
void *parse_fail(struct parser *parser, enum err_code code, struct extent span, const char *message, const char *help);

/* A call that is a macro becomes its node; any other is returned as it is. NULL after an issue. */
struct node *macro_expand(struct parser *parser, struct node *call);

#endif
