/* SPDX-License-Identifier: Apache-2.0
 *
 * The values of number, string and bytes tokens.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "rules/cel/lex.h"
#include "rules/cel/utf8.h"

static bool refuse_number(struct lexer *lexer, const struct token *token, const char *type)
{
	issue_refuse(lexer->issues, lexer->arena, ERR_CEL_LITERAL, token->span, "`%.*s` does not fit into %s",
		     SLICE_ARG(token->text), type);
	return false;
}

/* Digits of an int or uint token, without prefix and suffix. False on overflow. */
static bool read_magnitude(struct slice digits, uint64_t *ret_value)
{
	uint64_t base = 10, value = 0;
	if (digits.len > 2 && digits.p[0] == '0' && (digits.p[1] == 'x' || digits.p[1] == 'X')) {
		base = 16;
		digits.p += 2;
		digits.len -= 2;
	}
	for (size_t i = 0; i < digits.len; i++) {
		char byte = digits.p[i];
		uint64_t digit = byte <= '9' ? (uint64_t)(byte - '0') : (uint64_t)((byte | 32) - 'a' + 10);
		if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value))
			return false;
	}
	*ret_value = value;
	return true;
}

static bool lex_double(struct lexer *lexer, const struct token *token, bool is_negative, struct cel_value *ret_value)
{
	char *text = arena_memdupz(lexer->arena, token->text.p, token->text.len);
	double number = strtod(text, NULL);
	if (isinf(number))
		return refuse_number(lexer, token, "double");
	*ret_value = cel_double(is_negative ? -number : number);
	return true;
}

bool lex_number(struct lexer *lexer, const struct token *token, bool is_negative, struct cel_value *ret_value)
{
	struct slice digits = token->text;
	uint64_t magnitude;
	if (token->kind == TOKEN_DOUBLE)
		return lex_double(lexer, token, is_negative, ret_value);
	if (token->kind == TOKEN_UINT) {
		digits.len--;
		if (!read_magnitude(digits, &magnitude))
			return refuse_number(lexer, token, "uint");
		*ret_value = cel_uint(magnitude);
		return true;
	}
	uint64_t limit = (uint64_t)INT64_MAX + is_negative;
	if (!read_magnitude(digits, &magnitude) || magnitude > limit)
		return refuse_number(lexer, token, "int");
	*ret_value = cel_int(is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude);
	return true;
}

/* ---- strings */

struct unescape {
	struct lexer *lexer;
	const char *at, *end; /* inside the token's text */
	char *out;
	bool is_bytes;
};

static bool refuse_escape(struct unescape *un, const char *from, const char *why)
{
	struct lexer *lexer = un->lexer;
	size_t len = (size_t)(un->end - from);
	size_t shown = len < 2 ? len : 1 + utf8_width(from[1]);
	struct extent span = {(uint32_t)(from - lexer->text.p), (uint32_t)(shown < len ? shown : len)};
	struct cel_issue *issue = issue_refuse(lexer->issues, lexer->arena, ERR_CEL_LITERAL, span, "%s", why);
	issue_help(issue, lexer->arena, "a backslash is written `\\\\`; r\"…\" takes every backslash as it is");
	return false;
}

static int digit_value(char byte, int base)
{
	int value = byte >= '0' && byte <= '9' ? byte - '0' : (byte | 32) >= 'a' ? (byte | 32) - 'a' + 10 : base;
	return value < base ? value : -1;
}

/* `count` digits at un->at. False when there are fewer. */
static bool take_code(struct unescape *un, int count, int base, uint32_t *ret_code)
{
	uint32_t code = 0;
	for (; count > 0; count--, un->at++) {
		int digit = un->at < un->end ? digit_value(*un->at, base) : -1;
		if (digit < 0)
			return false;
		code = code * (uint32_t)base + (uint32_t)digit;
	}
	*ret_code = code;
	return true;
}

/* \x41 \101 are code points in strings and bytes in bytes. \u needs Unicode, so bytes do not have it. */
static bool put_code(struct unescape *un, const char *from, int count, int base)
{
	uint32_t code;
	bool is_wide = count > 3;
	if (!take_code(un, count, base, &code) || (!is_wide && code > 0xff))
		return refuse_escape(un, from, "the escape has too few digits or too large a value");
	if (un->is_bytes && is_wide)
		return refuse_escape(un, from, "bytes have no \\u escape");
	if (un->is_bytes) {
		*un->out++ = (char)code;
		return true;
	}
	size_t width = utf8_put(un->out, code);
	un->out += width;
	return width != 0 || refuse_escape(un, from, "the escape is not a Unicode code point");
}

static bool put_escape(struct unescape *un)
{
	static const char names[] = "abfnrtv\\?\"'`", values[] = "\a\b\f\n\r\t\v\\?\"'`";
	const char *from = un->at - 1;
	char byte = *un->at++;
	const char *simple = byte != '\0' ? strchr(names, byte) : NULL;
	if (simple != NULL) {
		*un->out++ = values[simple - names];
		return true;
	}
	if (byte == 'x' || byte == 'X')
		return put_code(un, from, 2, 16);
	if (byte == 'u')
		return put_code(un, from, 4, 16);
	if (byte == 'U')
		return put_code(un, from, 8, 16);
	if (byte >= '0' && byte <= '3') {
		un->at--;
		return put_code(un, from, 3, 8);
	}
	return refuse_escape(un, from, "unknown escape");
}

bool lex_string(struct lexer *lexer, const struct token *token, struct arena *keep, struct cel_value *ret_value)
{
	struct slice text = token->text;
	bool is_raw = false;
	for (; *text.p != '"' && *text.p != '\''; text.p++, text.len--)
		is_raw |= *text.p == 'r' || *text.p == 'R';
	bool is_long = text.len >= 6 && text.p[1] == text.p[0] && text.p[2] == text.p[0];
	size_t width = is_long ? 3 : 1;
	/* no escape is shorter than what it stands for */
	char *bytes = arena_alloc(keep, text.len);
	struct unescape un = {lexer, text.p + width, text.p + text.len - width, bytes, token->kind == TOKEN_BYTES};
	while (un.at < un.end) {
		char byte = *un.at++;
		if (byte != '\\' || is_raw)
			*un.out++ = byte;
		else if (un.at == un.end || !put_escape(&un))
			return false;
	}
	struct slice value = {bytes, (size_t)(un.out - bytes)};
	*ret_value = un.is_bytes ? cel_bytes(value) : cel_string(value);
	return true;
}
