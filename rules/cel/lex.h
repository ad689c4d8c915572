/* SPDX-License-Identifier: Apache-2.0
 *
 * CEL text to tokens, and literals to values.
 */
#ifndef LR_RULES_CEL_LEX_H
#define LR_RULES_CEL_LEX_H

#include "rules/cel/issue.h"

/* Each token with the way it is named in a message. */
#define TOKENS(X)                                                                                                      \
	X(TOKEN_END, "the end of the expression")                                                                      \
	X(TOKEN_BAD, "an unknown character")                                                                           \
	X(TOKEN_NAME, "a name")                                                                                        \
	X(TOKEN_QUOTED_NAME, "a quoted name")                                                                          \
	X(TOKEN_RESERVED, "a reserved word")                                                                           \
	X(TOKEN_INT, "a number")                                                                                       \
	X(TOKEN_UINT, "a number")                                                                                      \
	X(TOKEN_DOUBLE, "a number")                                                                                    \
	X(TOKEN_STRING, "a string")                                                                                    \
	X(TOKEN_BYTES, "bytes")                                                                                        \
	X(TOKEN_TRUE, "`true`")                                                                                        \
	X(TOKEN_FALSE, "`false`")                                                                                      \
	X(TOKEN_NULL, "`null`")                                                                                        \
	X(TOKEN_IN, "`in`")                                                                                            \
	X(TOKEN_OR, "`||`")                                                                                            \
	X(TOKEN_AND, "`&&`")                                                                                           \
	X(TOKEN_EQ, "`==`")                                                                                            \
	X(TOKEN_NE, "`!=`")                                                                                            \
	X(TOKEN_LE, "`<=`")                                                                                            \
	X(TOKEN_GE, "`>=`")                                                                                            \
	X(TOKEN_LT, "`<`")                                                                                             \
	X(TOKEN_GT, "`>`")                                                                                             \
	X(TOKEN_PLUS, "`+`")                                                                                           \
	X(TOKEN_MINUS, "`-`")                                                                                          \
	X(TOKEN_STAR, "`*`")                                                                                           \
	X(TOKEN_SLASH, "`/`")                                                                                          \
	X(TOKEN_PERCENT, "`%`")                                                                                        \
	X(TOKEN_NOT, "`!`")                                                                                            \
	X(TOKEN_QUESTION, "`?`")                                                                                       \
	X(TOKEN_COLON, "`:`")                                                                                          \
	X(TOKEN_COMMA, "`,`")                                                                                          \
	X(TOKEN_DOT, "`.`")                                                                                            \
	X(TOKEN_OPEN_PAREN, "`(`")                                                                                     \
	X(TOKEN_CLOSE_PAREN, "`)`")                                                                                    \
	X(TOKEN_OPEN_BRACKET, "`[`")                                                                                   \
	X(TOKEN_CLOSE_BRACKET, "`]`")                                                                                  \
	X(TOKEN_OPEN_BRACE, "`{`")                                                                                     \
	X(TOKEN_CLOSE_BRACE, "`}`")

enum token_kind {
#define TOKEN(id, text) id,
	TOKENS(TOKEN)
#undef TOKEN
};

struct token {
	enum token_kind kind;
	struct extent span;
	struct slice text; /* the token's bytes; of a quoted name what stands between the quotes */
};

struct lexer {
	struct slice text;
	size_t at;
	struct cel_issues *issues;
	struct arena *arena; /* of issue texts */
};

const char *token_name(enum token_kind kind);
/* The next token. Beyond the end it is TOKEN_END for ever; what cannot be a token is TOKEN_BAD, with an issue. */
struct token lex_next(struct lexer *lexer);

/* The value of a literal token; string bytes go to `keep`. False after adding an issue. `is_negative`: a minus stood
 * before it, so that the smallest int can be written. */
bool lex_number(struct lexer *lexer, const struct token *token, bool is_negative, struct cel_value *ret_value);
bool lex_string(struct lexer *lexer, const struct token *token, struct arena *keep, struct cel_value *ret_value);

#endif
