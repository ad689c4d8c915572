/* SPDX-License-Identifier: Apache-2.0
 *
 * Well-formed UTF-8 only (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF.
 */
#include "rules/cel/utf8.h"

static bool is_tail(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Bytes of the well-formed code point at `p`, 0 when it is not one. */
static size_t width_at(const char *p, size_t left)
{
	unsigned char lead = (unsigned char)p[0];
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	size_t width = utf8_width(p[0]);
	if (left < width)
		return 0;
	for (size_t i = 1; i < width; i++)
		if (!is_tail(p[i]))
			return 0;
	unsigned char next = (unsigned char)p[1];
	bool is_long = (lead == 0xe0 && next < 0xa0) || (lead == 0xf0 && next < 0x90);
	bool is_surrogate = lead == 0xed && next > 0x9f;
	bool is_beyond = lead == 0xf4 && next > 0x8f;
	return is_long || is_surrogate || is_beyond ? 0 : width;
}

size_t utf8_valid_length(struct slice text)
{
	size_t at = 0;
	while (at < text.len) {
		size_t width = width_at(text.p + at, text.len - at);
		if (width == 0)
			break;
		at += width;
	}
	return at;
}

size_t utf8_count(struct slice text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += !is_tail(text.p[i]);
	return count;
}

size_t utf8_offset(struct slice text, size_t index)
{
	size_t at = 0;
	for (; index > 0 && at < text.len; index--)
		at += utf8_width(text.p[at]);
	return at < text.len ? at : text.len;
}

uint32_t utf8_first(struct slice text)
{
	static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t width = utf8_width(text.p[0]);
	uint32_t code_point = (unsigned char)text.p[0] & mask[width];
	for (size_t i = 1; i < width && i < text.len; i++)
		code_point = code_point << 6 | ((unsigned char)text.p[i] & 0x3f);
	return code_point;
}

size_t utf8_put(char *bytes, uint32_t code_point)
{
	if (code_point < 0x80) {
		bytes[0] = (char)code_point;
		return 1;
	}
	if (code_point > UTF8_LAST || (code_point >= 0xd800 && code_point <= 0xdfff))
		return 0;
	size_t width = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = width - 1; i > 0; i--, code_point >>= 6)
		bytes[i] = (char)(0x80 | (code_point & 0x3f));
	bytes[0] = (char)(lead[width] | code_point);
	return width;
}
