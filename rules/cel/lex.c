/* SPDX-License-Identifier: Apache-2.0
 *
 * One token at a time; no token is longer than the text, and nothing is copied before a literal is read (literal.c).
 */
#include "rules/cel/lex.h"

const char *token_name(enum token_kind kind)
{
	switch (kind) {
#define TOKEN(id, text)                                                                                                \
	case id:                                                                                                       \
		return text;
		TOKENS(TOKEN)
#undef TOKEN
	}
	return "a token";
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_hex(char byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static bool is_name_start(char byte)
{
	return byte == '_' || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_name(char byte)
{
	return is_name_start(byte) || is_digit(byte);
}

/* The byte `ahead` places on, or NUL beyond the end. */
static char peek(const struct lexer *lexer, size_t ahead)
{
	return lexer->at + ahead < lexer->text.len ? lexer->text.p[lexer->at + ahead] : '\0';
}

static void skip_blank(struct lexer *lexer)
{
	for (; lexer->at < lexer->text.len; lexer->at++) {
		char byte = peek(lexer, 0);
		if (byte == '/' && peek(lexer, 1) == '/') {
			while (lexer->at < lexer->text.len && peek(lexer, 0) != '\n')
				lexer->at++;
			continue;
		}
		if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\f' && byte != '\r')
			return;
	}
	lexer->at = lexer->text.len;
}

static struct token token_from(const struct lexer *lexer, enum token_kind kind, size_t start)
{
	return (struct token){
		.kind = kind,
		.span = {(uint32_t)start, (uint32_t)(lexer->at - start)},
		.text = {lexer->text.p + start, lexer->at - start},
	};
}

static enum token_kind word_kind(struct slice word)
{
	static const char *const reserved[] = {"as",   "break",	 "const",     "continue", "else", "for",
					       "function", "if", "import",    "let",	  "loop", "package",
					       "namespace", "return", "var", "void",	  "while"};
	if (slice_is(word, "true"))
		return TOKEN_TRUE;
	if (slice_is(word, "false"))
		return TOKEN_FALSE;
	if (slice_is(word, "null"))
		return TOKEN_NULL;
	if (slice_is(word, "in"))
		return TOKEN_IN;
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (word.p[0] == reserved[i][0] && slice_is(word, reserved[i]))
			return TOKEN_RESERVED;
	return TOKEN_NAME;
}

static struct token lex_word(struct lexer *lexer)
{
	size_t start = lexer->at;
	while (is_name(peek(lexer, 0)))
		lexer->at++;
	return token_from(lexer, word_kind((struct slice){lexer->text.p + start, lexer->at - start}), start);
}

static void skip_exponent(struct lexer *lexer)
{
	size_t sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-';
	lexer->at += 1 + sign;
	while (is_digit(peek(lexer, 0)))
		lexer->at++;
}

static bool at_exponent(const struct lexer *lexer)
{
	char next = peek(lexer, 1);
	if (peek(lexer, 0) != 'e' && peek(lexer, 0) != 'E')
		return false;
	return is_digit(next) || ((next == '+' || next == '-') && is_digit(peek(lexer, 2)));
}

static enum token_kind skip_decimal(struct lexer *lexer)
{
	enum token_kind kind = TOKEN_INT;
	while (is_digit(peek(lexer, 0)))
		lexer->at++;
	if (peek(lexer, 0) == '.' && is_digit(peek(lexer, 1))) {
		kind = TOKEN_DOUBLE;
		lexer->at++;
		while (is_digit(peek(lexer, 0)))
			lexer->at++;
	}
	if (at_exponent(lexer)) {
		kind = TOKEN_DOUBLE;
		skip_exponent(lexer);
	}
	return kind;
}

static struct token lex_digits(struct lexer *lexer)
{
	size_t start = lexer->at;
	enum token_kind kind = TOKEN_INT;
	if (peek(lexer, 0) == '0' && (peek(lexer, 1) == 'x' || peek(lexer, 1) == 'X') && is_hex(peek(lexer, 2))) {
		lexer->at += 2;
		while (is_hex(peek(lexer, 0)))
			lexer->at++;
	} else {
		kind = skip_decimal(lexer);
	}
	if (kind == TOKEN_INT && (peek(lexer, 0) == 'u' || peek(lexer, 0) == 'U')) {
		kind = TOKEN_UINT;
		lexer->at++;
	}
	if (!is_name(peek(lexer, 0)))
		return token_from(lexer, kind, start);
	while (is_name(peek(lexer, 0)))
		lexer->at++;
	struct token token = token_from(lexer, TOKEN_BAD, start);
	issue_refuse(lexer->issues, lexer->arena, ERR_CEL_LITERAL, token.span, "`%.*s` is not a number",
		     SLICE_ARG(token.text));
	return token;
}

/* Length of a string's prefix (r, b, br in any case) when a quote follows it, or -1. */
static int string_prefix(const struct lexer *lexer)
{
	int at = 0;
	if (peek(lexer, 0) == 'b' || peek(lexer, 0) == 'B')
		at++;
	if (peek(lexer, (size_t)at) == 'r' || peek(lexer, (size_t)at) == 'R')
		at++;
	char quote = peek(lexer, (size_t)at);
	return quote == '"' || quote == '\'' ? at : -1;
}

static struct token unterminated(struct lexer *lexer, size_t start)
{
	struct token token = token_from(lexer, TOKEN_BAD, start);
	token.span.length = 1;
	struct cel_issue *issue =
		issue_refuse(lexer->issues, lexer->arena, ERR_CEL_SYNTAX, token.span, "the string is never closed");
	issue_help(issue, lexer->arena, "close it with the same quote; three quotes allow line breaks inside");
	lexer->at = lexer->text.len;
	return token;
}

static bool at_quotes(const struct lexer *lexer, char quote, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (peek(lexer, i) != quote)
			return false;
	return true;
}

static struct token lex_quoted(struct lexer *lexer, int prefix)
{
	size_t start = lexer->at;
	char first = peek(lexer, 0);
	bool is_bytes = prefix > 0 && (first == 'b' || first == 'B');
	char last = prefix > 0 ? peek(lexer, (size_t)prefix - 1) : '\0';
	bool is_raw = last == 'r' || last == 'R';
	lexer->at += (size_t)prefix;
	char quote = peek(lexer, 0);
	size_t width = at_quotes(lexer, quote, 3) ? 3 : 1;
	for (lexer->at += width; lexer->at < lexer->text.len; lexer->at++) {
		char byte = peek(lexer, 0);
		if (at_quotes(lexer, quote, width)) {
			lexer->at += width;
			return token_from(lexer, is_bytes ? TOKEN_BYTES : TOKEN_STRING, start);
		}
		if (width == 1 && (byte == '\n' || byte == '\r'))
			break;
		if (byte == '\\' && !is_raw)
			lexer->at++;
	}
	if (lexer->at > lexer->text.len)
		lexer->at = lexer->text.len;
	return unterminated(lexer, start);
}

static struct token lex_backquoted(struct lexer *lexer)
{
	size_t start = lexer->at++;
	while (is_name(peek(lexer, 0)) || (peek(lexer, 0) != '\0' && strchr(".-/ ", peek(lexer, 0)) != NULL))
		lexer->at++;
	if (peek(lexer, 0) != '`' || lexer->at == start + 1)
		return unterminated(lexer, start);
	lexer->at++;
	struct token token = token_from(lexer, TOKEN_QUOTED_NAME, start);
	token.text = (struct slice){token.text.p + 1, token.text.len - 2};
	return token;
}

static const struct {
	char text[3];
	enum token_kind kind;
} symbols[] = {
	/* two bytes before one */
	{"||", TOKEN_OR},	   {"&&", TOKEN_AND},	      {"==", TOKEN_EQ},		  {"!=", TOKEN_NE},
	{"<=", TOKEN_LE},	   {">=", TOKEN_GE},	      {"<", TOKEN_LT},		  {">", TOKEN_GT},
	{"+", TOKEN_PLUS},	   {"-", TOKEN_MINUS},	      {"*", TOKEN_STAR},	  {"/", TOKEN_SLASH},
	{"%", TOKEN_PERCENT},	   {"!", TOKEN_NOT},	      {"?", TOKEN_QUESTION},	  {":", TOKEN_COLON},
	{",", TOKEN_COMMA},	   {".", TOKEN_DOT},	      {"(", TOKEN_OPEN_PAREN},	  {")", TOKEN_CLOSE_PAREN},
	{"[", TOKEN_OPEN_BRACKET}, {"]", TOKEN_CLOSE_BRACKET}, {"{", TOKEN_OPEN_BRACE}, {"}", TOKEN_CLOSE_BRACE},
};

/* What people of other languages type, and what CEL calls it. */
static const char *other_language(struct slice text)
{
	if (text.p[0] == '=')
		return "compare with `==`";
	if (text.p[0] == '&')
		return "`and` is written `&&`";
	if (text.p[0] == '|')
		return "`or` is written `||`";
	if (text.len >= 3 && (unsigned char)text.p[0] == 0xe2 && (unsigned char)text.p[1] == 0x80)
		return "write straight quotes, \" or '";
	return NULL;
}

static struct token lex_unknown(struct lexer *lexer)
{
	size_t start = lexer->at++;
	struct slice rest = {lexer->text.p + start, lexer->text.len - start};
	while (lexer->at < lexer->text.len && ((unsigned char)peek(lexer, 0) & 0xc0) == 0x80)
		lexer->at++; /* the rest of one code point */
	struct token token = token_from(lexer, TOKEN_BAD, start);
	bool is_control = (unsigned char)rest.p[0] < 0x20 || rest.p[0] == 0x7f;
	struct cel_issue *issue;
	if (is_control)
		issue = issue_refuse(lexer->issues, lexer->arena, ERR_CEL_SYNTAX, token.span,
				     "control character 0x%02x outside a string", (unsigned char)rest.p[0]);
	else
		issue = issue_refuse(lexer->issues, lexer->arena, ERR_CEL_SYNTAX, token.span, "unexpected `%.*s`",
				     SLICE_ARG(token.text));
	if (issue != NULL)
		issue->help = other_language(rest);
	return token;
}

struct token lex_next(struct lexer *lexer)
{
	skip_blank(lexer);
	if (lexer->at >= lexer->text.len)
		return token_from(lexer, TOKEN_END, lexer->at);
	int prefix = string_prefix(lexer);
	if (prefix >= 0)
		return lex_quoted(lexer, prefix);
	char byte = peek(lexer, 0);
	if (is_name_start(byte))
		return lex_word(lexer);
	if (is_digit(byte) || (byte == '.' && is_digit(peek(lexer, 1))))
		return lex_digits(lexer);
	if (byte == '`')
		return lex_backquoted(lexer);
	for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
		const char *symbol = symbols[i].text;
		if (symbol[0] != byte || (symbol[1] != '\0' && symbol[1] != peek(lexer, 1)))
			continue;
		size_t start = lexer->at;
		lexer->at += symbol[1] != '\0' ? 2 : 1;
		return token_from(lexer, symbols[i].kind, start);
	}
	return lex_unknown(lexer);
}
