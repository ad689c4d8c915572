/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/text/mask.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/text/normalise.h"

enum {
	HIDDEN_DIGITS = 4,
	HEAD_DIGITS_MAX = 5, /* "+86138"; more would show most of a number that stands right before another one */
	PHONE_DIGITS_MIN = 7, /* fewer digits are counts, codes and years */
	ISO_DATE_BYTES = 10,  /* 2026-11-21 */
	UUID_BYTES = 36,
	DIGEST_BYTES_MIN = 16, /* hex digits of the shortest digest in use */
	MASK_WORD_BYTES = 128, /* of the longest; words are not looked at any further */
};

#define STARS SLICE("***")

/* ---- single fields */

static size_t first_character(struct slice text)
{
	size_t len = 1;
	while (len < text.len && len < 4 && ((unsigned char)text.p[len] & 0xC0) == 0x80)
		len++;
	return text.len == 0 ? 0 : len;
}

static struct slice keep_first(struct arena *arena, struct slice text, struct slice rest)
{
	return ARENA_JOIN(arena, ((struct slice){text.p, first_character(text)}), rest);
}

struct slice mask_name(struct arena *arena, struct slice name)
{
	return name.len == 0 ? SLICE("") : keep_first(arena, name, STARS);
}

/* How many digits stay at the beginning and the end of a number of `count` digits. */
static void shown_digits(size_t count, size_t *ret_head, size_t *ret_tail)
{
	size_t shown = count > HIDDEN_DIGITS ? count - HIDDEN_DIGITS : 0;
	if (count < 2 * HIDDEN_DIGITS) {
		*ret_tail = count > HIDDEN_DIGITS ? 2 : 0;
		*ret_head = 0;
		return;
	}
	*ret_tail = (shown + 1) / 2 < 4 ? (shown + 1) / 2 : 4;
	*ret_head = shown - *ret_tail < HEAD_DIGITS_MAX ? shown - *ret_tail : HEAD_DIGITS_MAX;
}

static void put_masked_digits(struct strbuf *out, const char *digits, size_t count)
{
	size_t head, tail;
	shown_digits(count, &head, &tail);
	for (size_t at = 0; at < count; at++)
		strbuf_putc(out, at < head || at >= count - tail ? digits[at] : '*');
}

/* The value of a digit of any script, or -1; *ret_len is the length of the code point. */
static int digit_at(struct slice text, size_t at, size_t *ret_len)
{
	size_t next = at;
	UChar32 c;
	U8_NEXT((const uint8_t *)text.p, next, text.len, c);
	*ret_len = next - at;
	return c < 0 ? -1 : u_charDigitValue(c);
}

/* Appends the digits of `text` as ASCII, masked. */
static void put_masked_phone(struct strbuf *out, struct slice text)
{
	struct strbuf digits = STRBUF_INIT;
	size_t len;
	for (size_t at = 0; at < text.len; at += len) {
		int digit = digit_at(text, at, &len);
		if (digit >= 0)
			strbuf_putc(&digits, (char)('0' + digit));
	}
	if (text.len > 0 && text.p[0] == '+')
		strbuf_putc(out, '+');
	put_masked_digits(out, strbuf_text(&digits), digits.len);
	strbuf_done(&digits);
}

struct slice mask_phone(struct arena *arena, struct slice phone)
{
	struct strbuf out = STRBUF_INIT;
	put_masked_phone(&out, text_truncate(phone, MASK_TEXT_BYTES));
	struct slice masked = {arena_memdupz(arena, strbuf_text(&out), out.len), out.len};
	strbuf_done(&out);
	return masked;
}

/* Index of the last @, or text.len. */
static size_t find_at(struct slice text)
{
	for (size_t at = text.len; at > 0; at--)
		if (text.p[at - 1] == '@')
			return at - 1;
	return text.len;
}

static void put_masked_email(struct strbuf *out, struct slice email)
{
	size_t at = find_at(email);
	size_t shown = first_character((struct slice){email.p, at});
	if (shown < at)
		strbuf_append(out, email.p, shown);
	strbuf_append(out, STARS.p, STARS.len);
	strbuf_append(out, email.p + at, email.len - at);
}

struct slice mask_email(struct arena *arena, struct slice email)
{
	size_t at = find_at(email);
	if (at == email.len)
		return SLICE("***");
	struct strbuf out = STRBUF_INIT;
	put_masked_email(&out, text_truncate(email, MASK_TEXT_BYTES));
	struct slice masked = {arena_memdupz(arena, strbuf_text(&out), out.len), out.len};
	strbuf_done(&out);
	return masked;
}

/* ---- free text */

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* What may stand in an address, the @ included. That takes in signs that rather surround one ("email=", quotes): then
 * more is hidden than needed, never less. */
static bool is_address_byte(char c)
{
	return is_letter_or_digit(c) || (unsigned char)c >= 0x80 || (c != '\0' && strchr("@.!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* An @ with a name before it and a domain that has a letter behind it ("17@3" is no address). */
static bool is_address(struct slice run)
{
	size_t at = find_at(run);
	if (at == run.len || at == 0)
		return false;
	for (size_t n = at + 1; n < run.len; n++)
		if (is_letter_or_digit(run.p[n]) ? run.p[n] > '9' : (unsigned char)run.p[n] >= 0x80)
			return true;
	return false;
}

static struct slice address_run(struct slice text, size_t start)
{
	size_t end = start;
	while (end < text.len && is_address_byte(text.p[end]))
		end++;
	return (struct slice){text.p + start, end - start};
}

static bool is_phone_separator(char c)
{
	return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/';
}

static bool is_ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "2026-11-21", alone or before a time. */
static bool is_iso_date(struct slice text)
{
	static const char form[ISO_DATE_BYTES + 1] = "dddd-dd-dd";
	if (text.len < ISO_DATE_BYTES)
		return false;
	for (size_t at = 0; at < ISO_DATE_BYTES; at++)
		if (form[at] == 'd' ? !is_ascii_digit(text.p[at]) : text.p[at] != form[at])
			return false;
	return text.len == ISO_DATE_BYTES || !is_ascii_digit(text.p[ISO_DATE_BYTES]);
}

static bool is_hex(char c)
{
	return is_ascii_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_uuid(struct slice text)
{
	static const char form[UUID_BYTES + 1] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	if (text.len != UUID_BYTES)
		return false;
	for (size_t at = 0; at < UUID_BYTES; at++)
		if (form[at] == 'x' ? !is_hex(text.p[at]) : text.p[at] != form[at])
			return false;
	return true;
}

/* A word of hex digits with a letter among them, as long as a digest. */
static bool is_digest(struct slice word)
{
	size_t letters = 0;
	for (size_t at = 0; at < word.len; at++) {
		if (!is_hex(word.p[at]))
			return false;
		letters += !is_ascii_digit(word.p[at]);
	}
	return word.len >= DIGEST_BYTES_MIN && letters > 0;
}

/* The run of digits that begins here, with up to two separators between two of them; from its first to its last digit.
 * Empty if it is too short for a phone. */
static struct slice phone_run(struct slice text, size_t start)
{
	size_t end = start, at = start, digits = 0, gap = 0;
	if (at < text.len && text.p[at] == '+')
		at++;
	while (at < text.len && gap <= 2) {
		size_t len;
		if (digit_at(text, at, &len) >= 0) {
			digits++;
			gap = 0;
			at += len;
			end = at;
		} else if (is_phone_separator(text.p[at])) {
			gap++;
			at++;
		} else {
			break;
		}
	}
	return digits >= PHONE_DIGITS_MIN ? (struct slice){text.p + start, end - start} : SLICE_NONE;
}

/* Copies one code point, made harmless; returns its length. */
static size_t put_character(struct strbuf *out, struct slice text, size_t at)
{
	size_t next = at;
	UChar32 c;
	U8_NEXT((const uint8_t *)text.p, next, text.len, c);
	if (c < 0)
		strbuf_putc(out, '?');
	else if (u_charType(c) == U_CONTROL_CHAR || c == 0x2028 || c == 0x2029)
		strbuf_putc(out, ' ');
	else
		strbuf_append(out, text.p + at, next - at);
	return next - at;
}

static bool begins_phone(struct slice text, size_t at)
{
	size_t len;
	return text.p[at] == '+' || digit_at(text, at, &len) >= 0;
}

/* Each byte is looked at a bounded number of times: a run without an address is remembered (`plain_until`), and so is a
 * run of digits that is too short (`short_until`). */
struct scan {
	struct slice text;
	size_t at, plain_until, short_until;
};

static bool mask_address(struct scan *scan, struct strbuf *out)
{
	if (scan->at < scan->plain_until)
		return false;
	struct slice run = address_run(scan->text, scan->at);
	scan->plain_until = scan->at + run.len;
	if (!is_address(run))
		return false;
	struct strbuf masked = STRBUF_INIT;
	put_masked_email(&masked, run);
	struct slice line = {strbuf_text(&masked), masked.len};
	for (size_t at = 0; at < line.len;)
		at += put_character(out, line, at);
	strbuf_done(&masked);
	scan->at += run.len;
	return true;
}

/* UUIDs and digests hold digits enough for many phones and belong to nobody: logs need them whole. */
static bool keep_identifier(struct scan *scan, struct strbuf *out)
{
	size_t end = scan->at;
	bool is_inside_word = scan->at > 0 && is_letter_or_digit(scan->text.p[scan->at - 1]);
	if (is_inside_word || !is_hex(scan->text.p[scan->at]))
		return false;
	while (end < scan->text.len && end - scan->at <= MASK_WORD_BYTES &&
	       (is_letter_or_digit(scan->text.p[end]) || scan->text.p[end] == '-'))
		end++;
	struct slice word = {scan->text.p + scan->at, end - scan->at};
	if (!is_uuid(word) && !is_digest(word))
		return false;
	strbuf_append(out, word.p, word.len);
	scan->at = end;
	return true;
}

static bool mask_number(struct scan *scan, struct strbuf *out)
{
	if (scan->at < scan->short_until || !begins_phone(scan->text, scan->at))
		return false;
	struct slice rest = {scan->text.p + scan->at, scan->text.len - scan->at};
	if (is_iso_date(rest)) {
		strbuf_append(out, rest.p, ISO_DATE_BYTES);
		scan->at += ISO_DATE_BYTES;
		return true;
	}
	struct slice run = phone_run(scan->text, scan->at);
	if (run.len == 0) {
		/* Only the digits that follow directly are known to be too few: the next group may begin a longer run. */
		size_t end = scan->at + 1;
		while (end < scan->text.len && is_ascii_digit(scan->text.p[end]))
			end++;
		scan->short_until = end;
		return false;
	}
	put_masked_phone(out, run);
	scan->at += run.len;
	return true;
}

/* Printable ASCII without an @ and with too few digits for a phone: nothing of it would be hidden or changed. Most texts
 * of a log are such. */
static bool is_harmless(struct slice text)
{
	size_t digits = 0;
	if (text.len > MASK_TEXT_BYTES)
		return false;
	for (size_t at = 0; at < text.len; at++) {
		if (text.p[at] < ' ' || text.p[at] > '~' || text.p[at] == '@')
			return false;
		digits += is_ascii_digit(text.p[at]);
	}
	return digits < PHONE_DIGITS_MIN;
}

void mask_text(struct strbuf *out, struct slice text)
{
	if (is_harmless(text)) {
		strbuf_append(out, text.p, text.len);
		return;
	}
	struct scan scan = {.text = text_truncate(text, MASK_TEXT_BYTES)};
	while (scan.at < scan.text.len)
		if (!mask_address(&scan, out) && !keep_identifier(&scan, out) && !mask_number(&scan, out))
			scan.at += put_character(out, scan.text, scan.at);
	if (scan.text.len < text.len)
		strbuf_puts(out, "…");
}
