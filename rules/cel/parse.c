/* SPDX-License-Identifier: Apache-2.0
 *
 * A Pratt parser: one function per prefix, one loop that binds operators by strength. The grammar is that of the CEL
 * specification ("Syntax"); the production stands above each function.
 */
#include "rules/cel/parse.h"

#include "rules/cel/utf8.h"

static struct node *parse_strength(struct parser *parser, int least);

void *parse_fail(struct parser *parser, enum err_code code, struct extent span, const char *message, const char *help)
{
	if (!parser->is_broken) {
		struct cel_issue *issue = issue_refuse(parser->issues, parser->keep, code, span, "%s", message);
		if (issue != NULL)
			issue->help = help;
	}
	parser->is_broken = true;
	return NULL;
}

static void advance(struct parser *parser)
{
	parser->end = parser->token.span.offset + parser->token.span.length;
	parser->token = lex_next(&parser->lexer);
	if (parser->token.kind == TOKEN_BAD)
		parser->is_broken = true; /* the lexer has told why */
}

static bool accept(struct parser *parser, enum token_kind kind)
{
	if (parser->token.kind != kind)
		return false;
	advance(parser);
	return true;
}

/* `not x`: the name was taken for a field, and the complaint would be about x. */
static bool is_behind_not(const struct parser *parser)
{
	struct slice before = {parser->lexer.text.p, parser->end};
	return parser->token.kind == TOKEN_NAME && before.len >= 3 && memcmp(before.p + before.len - 3, "not", 3) == 0 &&
	       (before.len == 3 || strchr(" (&|!", before.p[before.len - 4]) != NULL);
}

/* What other languages write as a word between two operands. */
static const char *help_for_word(struct slice word)
{
	static const struct {
		const char *word, *help;
	} rows[] = {
		{"and", "`and` is written `&&`"},
		{"AND", "`and` is written `&&`"},
		{"or", "`or` is written `||`"},
		{"OR", "`or` is written `||`"},
		{"is", "`is` is written `==`"},
		{"not", "`not` is written `!`: !(x in list)"},
		{"like", "for texts there are x.contains(\"…\"), x.startsWith(\"…\"), x.matches(\"…\")"},
		{"contains", "a function is called: x.contains(\"…\")"},
		{"matches", "a function is called: x.matches(\"…\")"},
		{"startsWith", "a function is called: x.startsWith(\"…\")"},
		{"endsWith", "a function is called: x.endsWith(\"…\")"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (slice_is(word, rows[i].word))
			return rows[i].help;
	return NULL;
}

static void *fail_unexpected(struct parser *parser, const char *wanted)
{
	const struct token *token = &parser->token;
	if (is_behind_not(parser))
		return parse_fail(parser, ERR_CEL_SYNTAX, (struct extent){parser->end - 3, 3}, "`not` is no operator",
				  "`not` is written `!`");
	const char *found = token_name(token->kind);
	if (token->kind == TOKEN_NAME || token->kind == TOKEN_RESERVED || token->kind == TOKEN_INT)
		found = arena_printf(parser->keep, "`%.*s`", SLICE_ARG(token->text));
	const char *help = token->kind == TOKEN_NAME ? help_for_word(token->text) : NULL;
	if (token->kind == TOKEN_RESERVED && strcmp(wanted, "an operator or the end") != 0)
		help = "the word is reserved by the language; as a key write [\"…\"]";
	return parse_fail(parser, ERR_CEL_SYNTAX, token->span,
			  arena_printf(parser->keep, "expected %s, found %s", wanted, found), help);
}

static bool expect(struct parser *parser, enum token_kind kind)
{
	if (accept(parser, kind))
		return true;
	fail_unexpected(parser, token_name(kind));
	return false;
}

/* The end of a bracket pair: also names where it was opened. */
static bool expect_close(struct parser *parser, enum token_kind kind, struct extent open)
{
	if (accept(parser, kind))
		return true;
	if (!parser->is_broken) {
		bool is_list = kind == TOKEN_CLOSE_PAREN && parser->token.kind == TOKEN_COMMA;
		fail_unexpected(parser, token_name(kind));
		struct cel_issue *issue = parser->issues->count > 0 ? &parser->issues->items[parser->issues->count - 1] : NULL;
		if (is_list)
			issue_help(issue, parser->keep, "a list is written in square brackets: [a, b]");
		else
			issue_help(issue, parser->keep, "the bracket opened at character %u is still open", open.offset + 1);
	}
	return false;
}

struct node *parse_new_node(struct parser *parser, enum node_kind kind, struct extent span)
{
	if (++parser->node_count > CEL_MAX_NODES)
		return parse_fail(parser, ERR_CEL_TOO_LARGE, span,
				  arena_printf(parser->keep, "the expression has more than %d parts", CEL_MAX_NODES), NULL);
	struct node *node = arena_alloc(parser->work, sizeof *node);
	node->kind = kind;
	node->span = node->name_span = span;
	node->depth = 1;
	node->type = &cel_type_dyn;
	return node;
}

/* Grows by doubling: the capacity is implied, so that small nodes stay small. */
bool parse_add_arg(struct parser *parser, struct node *node, struct node *arg)
{
	if (node == NULL || arg == NULL)
		return false;
	if (node->arg_count == 2 * CEL_MAX_LITERAL_ITEMS) {
		parse_fail(parser, ERR_CEL_TOO_LARGE, node->span,
			   arena_printf(parser->keep, "more than %d items", CEL_MAX_LITERAL_ITEMS),
			   "long lists belong into a table");
		return false;
	}
	if (node->arg_count == node->arg_capacity) {
		uint32_t capacity = node->arg_capacity ? node->arg_capacity * 2 : 2;
		struct node **args = arena_array(parser->work, capacity, sizeof(struct node *));
		if (node->arg_count != 0)
			memcpy(args, node->args, node->arg_count * sizeof(struct node *));
		node->args = args;
		node->arg_capacity = capacity;
	}
	node->args[node->arg_count++] = arg;
	if (arg->depth >= node->depth)
		node->depth = (uint16_t)(arg->depth + 1);
	if (node->depth <= CEL_MAX_DEPTH)
		return true;
	parse_fail(parser, ERR_CEL_TOO_LARGE, arg->span,
		   arena_printf(parser->keep, "nested deeper than %d", CEL_MAX_DEPTH), NULL);
	return false;
}

static struct extent span_to_end(const struct parser *parser, uint32_t offset)
{
	return (struct extent){offset, parser->end - offset};
}

/* Expr, with a bound on recursion */
static struct node *parse_expr(struct parser *parser)
{
	if (++parser->depth > CEL_MAX_DEPTH)
		return parse_fail(parser, ERR_CEL_TOO_LARGE, parser->token.span,
				  arena_printf(parser->keep, "nested deeper than %d", CEL_MAX_DEPTH), NULL);
	struct node *node = parse_strength(parser, 0);
	parser->depth--;
	return node;
}

/* ExprList = Expr {"," Expr}, up to `close`; a comma at the end is fine in literals. */
static bool parse_args(struct parser *parser, struct node *node, enum token_kind close, struct extent open)
{
	while (parser->token.kind != close) {
		if (!parse_add_arg(parser, node, parse_expr(parser)))
			return false;
		if (!accept(parser, TOKEN_COMMA))
			break;
		if (close == TOKEN_CLOSE_PAREN && parser->token.kind == close) {
			fail_unexpected(parser, "an argument");
			return false;
		}
	}
	return expect_close(parser, close, open);
}

/* "?" before an item, key or field name */
static bool take_question(struct parser *parser, struct node *node)
{
	if (!accept(parser, TOKEN_QUESTION))
		return false;
	if (node->arg_is_optional == NULL)
		node->arg_is_optional = arena_array(parser->work, 2 * CEL_MAX_LITERAL_ITEMS, sizeof(bool));
	if (node->arg_count < 2 * CEL_MAX_LITERAL_ITEMS)
		node->arg_is_optional[node->arg_count] = true;
	return true;
}

/* "[" [ExprList] [","] "]" */
static struct node *parse_list(struct parser *parser)
{
	struct extent open = parser->token.span;
	struct node *list = parse_new_node(parser, NODE_LIST, open);
	advance(parser);
	while (list != NULL && parser->token.kind != TOKEN_CLOSE_BRACKET) {
		take_question(parser, list);
		if (!parse_add_arg(parser, list, parse_expr(parser)))
			return NULL;
		if (!accept(parser, TOKEN_COMMA))
			break;
	}
	if (list == NULL || !expect_close(parser, TOKEN_CLOSE_BRACKET, open))
		return NULL;
	list->span = span_to_end(parser, open.offset);
	return list;
}

/* "{" [MapInits] [","] "}" */
static struct node *parse_map(struct parser *parser)
{
	struct extent open = parser->token.span;
	struct node *map = parse_new_node(parser, NODE_MAP, open);
	advance(parser);
	while (map != NULL && parser->token.kind != TOKEN_CLOSE_BRACE) {
		take_question(parser, map);
		if (!parse_add_arg(parser, map, parse_expr(parser)) || !expect(parser, TOKEN_COLON))
			return NULL;
		if (!parse_add_arg(parser, map, parse_expr(parser)))
			return NULL;
		if (!accept(parser, TOKEN_COMMA))
			break;
	}
	if (map == NULL || !expect_close(parser, TOKEN_CLOSE_BRACE, open))
		return NULL;
	map->span = span_to_end(parser, open.offset);
	return map;
}

static struct node *parse_number(struct parser *parser, const struct token *minus)
{
	struct extent span = minus != NULL ? minus->span : parser->token.span;
	struct node *node = parse_new_node(parser, NODE_CONST, span);
	if (node == NULL)
		return NULL;
	if (!lex_number(&parser->lexer, &parser->token, minus != NULL, &node->value)) {
		parser->is_broken = true;
		return NULL;
	}
	advance(parser);
	node->span = node->name_span = span_to_end(parser, span.offset);
	return node;
}

static struct node *parse_string(struct parser *parser)
{
	struct node *node = parse_new_node(parser, NODE_CONST, parser->token.span);
	if (node == NULL)
		return NULL;
	if (!lex_string(&parser->lexer, &parser->token, parser->keep, &node->value)) {
		parser->is_broken = true;
		return NULL;
	}
	advance(parser);
	return node;
}

static struct node *parse_word(struct parser *parser)
{
	struct node *node = parse_new_node(parser, NODE_CONST, parser->token.span);
	if (node == NULL)
		return NULL;
	if (parser->token.kind != TOKEN_NULL)
		node->value = cel_bool(parser->token.kind == TOKEN_TRUE);
	advance(parser);
	return node;
}

/* Call arguments behind a name or method; `call` has its target already. */
static struct node *parse_call(struct parser *parser, struct node *call, uint32_t start)
{
	struct extent open = parser->token.span;
	advance(parser);
	if (!parse_args(parser, call, TOKEN_CLOSE_PAREN, open))
		return NULL;
	call->span = span_to_end(parser, start);
	return macro_expand(parser, call);
}

/* ["."] IDENT ["(" [ExprList] ")"] */
static struct node *parse_name(struct parser *parser)
{
	uint32_t start = parser->token.span.offset;
	bool is_rooted = accept(parser, TOKEN_DOT);
	if (parser->token.kind != TOKEN_NAME)
		return fail_unexpected(parser, is_rooted ? "a name" : "an expression");
	struct token name = parser->token;
	advance(parser);
	bool is_call = parser->token.kind == TOKEN_OPEN_PAREN;
	struct node *node = parse_new_node(parser, is_call ? NODE_CALL : NODE_NAME, span_to_end(parser, start));
	if (node == NULL)
		return NULL;
	node->name = name.text;
	node->name_span = name.span;
	node->is_rooted = is_rooted;
	return is_call ? parse_call(parser, node, start) : node;
}

static struct node *parse_parenthesis(struct parser *parser)
{
	struct extent open = parser->token.span;
	advance(parser);
	struct node *node = parse_expr(parser);
	return node != NULL && expect_close(parser, TOKEN_CLOSE_PAREN, open) ? node : NULL;
}

static struct node *parse_primary(struct parser *parser)
{
	switch (parser->token.kind) {
	case TOKEN_INT:
	case TOKEN_UINT:
	case TOKEN_DOUBLE:
		return parse_number(parser, NULL);
	case TOKEN_STRING:
	case TOKEN_BYTES:
		return parse_string(parser);
	case TOKEN_TRUE:
	case TOKEN_FALSE:
	case TOKEN_NULL:
		return parse_word(parser);
	case TOKEN_OPEN_PAREN:
		return parse_parenthesis(parser);
	case TOKEN_OPEN_BRACKET:
		return parse_list(parser);
	case TOKEN_OPEN_BRACE:
		return parse_map(parser);
	case TOKEN_NAME:
	case TOKEN_DOT:
		return parse_name(parser);
	default:
		return parser->is_broken ? NULL : fail_unexpected(parser, "an expression");
	}
}

static bool is_selector(enum token_kind kind)
{
	return kind == TOKEN_NAME || kind == TOKEN_RESERVED || kind == TOKEN_QUOTED_NAME;
}

/* Member "." SELECTOR ["(" [ExprList] ")"] */
static struct node *parse_select(struct parser *parser, struct node *target)
{
	advance(parser);
	bool is_optional = accept(parser, TOKEN_QUESTION);
	struct token name = parser->token;
	if (!is_selector(name.kind))
		return parser->is_broken ? NULL : fail_unexpected(parser, "a field or method name");
	advance(parser);
	bool is_call = parser->token.kind == TOKEN_OPEN_PAREN && name.kind != TOKEN_QUOTED_NAME && !is_optional;
	uint32_t start = target->span.offset;
	struct node *node = parse_new_node(parser, is_call ? NODE_CALL : NODE_SELECT, span_to_end(parser, start));
	if (!parse_add_arg(parser, node, target))
		return NULL;
	node->name = name.text;
	node->name_span = name.span;
	node->is_method = is_call;
	node->is_optional = is_optional;
	return is_call ? parse_call(parser, node, start) : node;
}

static struct node *new_operator(struct parser *parser, const struct token *token, const char *name)
{
	struct node *node = parse_new_node(parser, NODE_CALL, token->span);
	if (node == NULL)
		return NULL;
	node->name = slice_of(name);
	node->is_operator = true;
	return node;
}

/* Member "[" Expr "]" */
static struct node *parse_index(struct parser *parser, struct node *target)
{
	struct token open = parser->token;
	advance(parser);
	bool is_optional = accept(parser, TOKEN_QUESTION);
	struct node *node = new_operator(parser, &open, "[]");
	if (!parse_add_arg(parser, node, target) || !parse_add_arg(parser, node, parse_expr(parser)))
		return NULL;
	if (!expect_close(parser, TOKEN_CLOSE_BRACKET, open.span))
		return NULL;
	node->is_optional = is_optional;
	node->span = span_to_end(parser, target->span.offset);
	return node;
}

/* Member "{" [FieldInits] "}": there are no message types, so it is read only to say so. */
static struct node *parse_object(struct parser *parser, struct node *name)
{
	struct extent span = {name->span.offset, parser->token.span.offset + 1 - name->span.offset};
	return parse_fail(parser, ERR_CEL_UNKNOWN_NAME, span, "message literals are not supported",
			  "for a map write {\"key\": value}");
}

static bool is_name_path(const struct node *node)
{
	while (node->kind == NODE_SELECT)
		node = node->args[0];
	return node->kind == NODE_NAME;
}

/* Member = Primary {selector | index | fields} */
static struct node *parse_member(struct parser *parser, const struct token *minus)
{
	struct node *node = minus != NULL ? parse_number(parser, minus) : parse_primary(parser);
	while (node != NULL && !parser->is_broken) {
		if (parser->token.kind == TOKEN_DOT)
			node = parse_select(parser, node);
		else if (parser->token.kind == TOKEN_OPEN_BRACKET)
			node = parse_index(parser, node);
		else if (parser->token.kind == TOKEN_OPEN_BRACE && is_name_path(node))
			node = parse_object(parser, node);
		else
			break;
	}
	return parser->is_broken ? NULL : node;
}

/* Unary = Member | "!" {"!"} Member | "-" {"-"} Member */
static struct node *parse_unary(struct parser *parser)
{
	struct token sign = parser->token;
	if (sign.kind != TOKEN_NOT && sign.kind != TOKEN_MINUS)
		return parse_member(parser, NULL);
	advance(parser);
	enum token_kind next = parser->token.kind;
	if (sign.kind == TOKEN_MINUS && (next == TOKEN_INT || next == TOKEN_DOUBLE))
		return parse_member(parser, &sign);
	if (++parser->depth > CEL_MAX_DEPTH)
		return parse_fail(parser, ERR_CEL_TOO_LARGE, sign.span,
				  arena_printf(parser->keep, "nested deeper than %d", CEL_MAX_DEPTH), NULL);
	struct node *node = new_operator(parser, &sign, sign.kind == TOKEN_NOT ? "!" : "-_");
	if (!parse_add_arg(parser, node, parse_unary(parser)))
		return NULL;
	parser->depth--;
	node->span = span_to_end(parser, sign.span.offset);
	return node;
}

/* ---- binary operators */

enum { STRENGTH_CHOICE = 1, STRENGTH_OR, STRENGTH_AND, STRENGTH_RELATION, STRENGTH_SUM, STRENGTH_PRODUCT };

static const struct {
	enum token_kind token;
	int strength;
	const char *name;
} operators[] = {
	{TOKEN_QUESTION, STRENGTH_CHOICE, "?:"}, {TOKEN_OR, STRENGTH_OR, "||"},	    {TOKEN_AND, STRENGTH_AND, "&&"},
	{TOKEN_EQ, STRENGTH_RELATION, "=="},	 {TOKEN_NE, STRENGTH_RELATION, "!="}, {TOKEN_LT, STRENGTH_RELATION, "<"},
	{TOKEN_LE, STRENGTH_RELATION, "<="},	 {TOKEN_GT, STRENGTH_RELATION, ">"}, {TOKEN_GE, STRENGTH_RELATION, ">="},
	{TOKEN_IN, STRENGTH_RELATION, "in"},	 {TOKEN_PLUS, STRENGTH_SUM, "+"},    {TOKEN_MINUS, STRENGTH_SUM, "-"},
	{TOKEN_STAR, STRENGTH_PRODUCT, "*"},	 {TOKEN_SLASH, STRENGTH_PRODUCT, "/"}, {TOKEN_PERCENT, STRENGTH_PRODUCT, "%"},
};

/* && and || of the same kind are flattened: they are associative, and a list of clauses is what users see. */
static bool add_operand(struct parser *parser, struct node *node, struct node *operand)
{
	if (operand == NULL)
		return false;
	if (operand->kind != node->kind)
		return parse_add_arg(parser, node, operand);
	for (uint32_t i = 0; i < operand->arg_count; i++)
		if (!parse_add_arg(parser, node, operand->args[i]))
			return false;
	return true;
}

static struct node *parse_logic(struct parser *parser, struct node *left, const struct token *token)
{
	bool is_and = token->kind == TOKEN_AND;
	struct node *node = left;
	enum node_kind kind = is_and ? NODE_AND : NODE_OR;
	if (left->kind != kind) {
		node = parse_new_node(parser, kind, token->span);
		if (node == NULL || !add_operand(parser, node, left))
			return NULL;
		node->name = slice_of(is_and ? "&&" : "||");
		node->name_span = token->span;
	}
	if (!add_operand(parser, node, parse_strength(parser, is_and ? STRENGTH_AND : STRENGTH_OR)))
		return NULL;
	return node;
}

/* ConditionalOr "?" ConditionalOr ":" Expr */
static struct node *parse_choice(struct parser *parser, struct node *condition, const struct token *token)
{
	struct node *node = parse_new_node(parser, NODE_CHOICE, token->span);
	if (!parse_add_arg(parser, node, condition) ||
	    !parse_add_arg(parser, node, parse_strength(parser, STRENGTH_CHOICE)) || !expect(parser, TOKEN_COLON))
		return NULL;
	return parse_add_arg(parser, node, parse_expr(parser)) ? node : NULL;
}

static struct node *parse_binary(struct parser *parser, struct node *left, size_t which)
{
	struct token token = parser->token;
	uint32_t start = left->span.offset;
	advance(parser);
	struct node *node;
	if (token.kind == TOKEN_QUESTION) {
		node = parse_choice(parser, left, &token);
	} else if (token.kind == TOKEN_AND || token.kind == TOKEN_OR) {
		node = parse_logic(parser, left, &token);
	} else {
		node = new_operator(parser, &token, operators[which].name);
		if (!parse_add_arg(parser, node, left) ||
		    !parse_add_arg(parser, node, parse_strength(parser, operators[which].strength)))
			return NULL;
	}
	if (node != NULL)
		node->span = span_to_end(parser, start);
	return node;
}

/* Everything that binds more strongly than `least`. */
static struct node *parse_strength(struct parser *parser, int least)
{
	struct node *left = parse_unary(parser);
	while (left != NULL && !parser->is_broken) {
		size_t which = 0, count = sizeof operators / sizeof *operators;
		while (which < count && operators[which].token != parser->token.kind)
			which++;
		if (which == count || operators[which].strength <= least)
			break;
		left = parse_binary(parser, left, which);
	}
	return parser->is_broken ? NULL : left;
}

struct node *parse_expression(const struct parse_input *input)
{
	struct parser parser = {
		.lexer = {.text = input->text, .issues = input->issues, .arena = input->keep},
		.work = input->work,
		.keep = input->keep,
		.issues = input->issues,
	};
	advance(&parser);
	if (parser.token.kind == TOKEN_END)
		return parse_fail(&parser, ERR_CEL_SYNTAX, parser.token.span, "the expression is empty", NULL);
	struct node *node = parse_expr(&parser);
	if (node != NULL && !parser.is_broken && parser.token.kind != TOKEN_END)
		return fail_unexpected(&parser, "an operator or the end");
	return parser.is_broken ? NULL : node;
}
