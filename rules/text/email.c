/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/text/email.h"

#include <stdbool.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/utf8.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/text/normalise.h"

static const uint32_t IDNA_OPTIONS = UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                                     UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE;

enum { LABEL_BYTES = 63 };

static int refuse(struct err *err, const char *problem)
{
	return err_set(err, ERR_BAD_EMAIL, "%s", problem);
}

/* ---- local part */

/* RFC 5322 atext, without letters and digits. */
static bool is_atom_sign(char c)
{
	return c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL;
}

static bool is_ascii_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Beyond ASCII everything that can be seen and is no space. */
static bool is_visible(UChar32 c)
{
	uint32_t bad = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CS_MASK | U_GC_CN_MASK | U_GC_CO_MASK | U_GC_Z_MASK;
	return (U_GET_GC_MASK(c) & bad) == 0 && c != 0xFFFD;
}

static const char *problem_of_ascii(char c)
{
	if (c == ' ')
		return "there is a space in it";
	if (c == '"')
		return "quoted local parts are not accepted";
	if (c == '(' || c == ')')
		return "comments are not accepted";
	if (c == '@')
		return "there is more than one @";
	if (c == '<' || c == '>')
		return "write the address alone, without a name and angle brackets";
	if (c < ' ' || c == 0x7F)
		return "there is a control character in it";
	return "there is a character before the @ that no address has";
}

/* NULL when the code point may stand in an atom; moves *at behind it. */
static const char *check_atom_character(struct slice local, int32_t *at)
{
	char byte = local.p[*at];
	if ((unsigned char)byte < 0x80) {
		(*at)++;
		return is_ascii_letter_or_digit(byte) || is_atom_sign(byte) ? NULL : problem_of_ascii(byte);
	}
	UChar32 c;
	U8_NEXT((const uint8_t *)local.p, *at, (int32_t)local.len, c);
	return is_visible(c) ? NULL : "there is an invisible character before the @";
}

/* dot-atom := atom ("." atom)* */
static const char *check_local(struct slice local)
{
	if (local.len == 0)
		return "nothing stands before the @";
	if (local.len > EMAIL_LOCAL_BYTES)
		return "the part before the @ is longer than 64 bytes";
	bool is_after_dot = true;
	for (int32_t at = 0; at < (int32_t)local.len;) {
		if (local.p[at] == '.') {
			if (is_after_dot)
				return "a dot begins the address or follows another dot";
			is_after_dot = true;
			at++;
			continue;
		}
		const char *problem = check_atom_character(local, &at);
		if (problem != NULL)
			return problem;
		is_after_dot = false;
	}
	return is_after_dot ? "a dot stands right before the @" : NULL;
}

/* ---- domain */

static const char *problem_of_idna(uint32_t errors)
{
	if ((errors & (UIDNA_ERROR_EMPTY_LABEL)) != 0)
		return "the domain has an empty label (two dots in a row, or one at an end)";
	if ((errors & (UIDNA_ERROR_LABEL_TOO_LONG | UIDNA_ERROR_DOMAIN_NAME_TOO_LONG)) != 0)
		return "the domain, or a label of it, is too long";
	if ((errors & (UIDNA_ERROR_LEADING_HYPHEN | UIDNA_ERROR_TRAILING_HYPHEN | UIDNA_ERROR_HYPHEN_3_4)) != 0)
		return "a label of the domain has a hyphen where none may be";
	if ((errors & (UIDNA_ERROR_PUNYCODE | UIDNA_ERROR_INVALID_ACE_LABEL)) != 0)
		return "a label of the domain is broken punycode";
	return "the domain has a character that no domain has";
}

/* A top-level domain of digits only is an IPv4 address or a typing error. */
static bool is_number(struct slice label)
{
	for (size_t at = 0; at < label.len; at++)
		if (label.p[at] < '0' || label.p[at] > '9')
			return false;
	return true;
}

static const char *check_labels(struct slice domain)
{
	size_t last = domain.len;
	while (last > 0 && domain.p[last - 1] != '.')
		last--;
	if (last == 0)
		return "the domain has only one label";
	if (last == domain.len)
		return "the domain ends in a dot";
	if (is_number((struct slice){domain.p + last, domain.len - last}))
		return "the domain ends in a number";
	return NULL;
}

/* A label that UTS #46 leaves as it is but for capitals: letters, digits and hyphens, none of them where one may not be. */
static bool is_plain_label(struct slice label)
{
	if (label.len == 0 || label.len > LABEL_BYTES || label.p[0] == '-' || label.p[label.len - 1] == '-' ||
	    (label.len >= 4 && label.p[2] == '-' && label.p[3] == '-'))
		return false;
	for (size_t at = 0; at < label.len; at++)
		if (!is_ascii_letter_or_digit(label.p[at]) && label.p[at] != '-')
			return false;
	return true;
}

/* Nearly all domains; ICU costs fifty times as much. */
static bool plain_domain(struct slice domain, struct arena *arena, struct slice *ret_lower)
{
	if (domain.len > EMAIL_DOMAIN_BYTES)
		return false;
	for (size_t start = 0, at = 0; at <= domain.len; at++)
		if (at == domain.len || domain.p[at] == '.') {
			if (!is_plain_label((struct slice){domain.p + start, at - start}))
				return false;
			start = at + 1;
		}
	*ret_lower = text_fold(arena, domain);
	return true;
}

/* UTS #46; on success *ret_domain is ASCII in lower case. */
static const char *domain_to_ascii(struct slice domain, struct arena *arena, struct slice *ret_domain)
{
	char ascii[EMAIL_BYTES + 2];
	UErrorCode status = U_ZERO_ERROR;
	UIDNAInfo info = UIDNA_INFO_INITIALIZER;
	UIDNA *idna = uidna_openUTS46(IDNA_OPTIONS, &status);
	if (U_FAILURE(status))
		return "the domain could not be checked";
	int32_t len = uidna_nameToASCII_UTF8(idna, domain.p, (int32_t)domain.len, ascii, sizeof ascii, &info, &status);
	uidna_close(idna);
	if (info.errors != 0)
		return problem_of_idna(info.errors);
	if (status == U_BUFFER_OVERFLOW_ERROR || len > EMAIL_DOMAIN_BYTES)
		return "the domain, or a label of it, is too long";
	if (U_FAILURE(status))
		return "the domain could not be checked";
	struct slice result = {ascii, (size_t)len};
	const char *problem = check_labels(result);
	if (problem == NULL)
		*ret_domain = (struct slice){arena_memdupz(arena, ascii, (size_t)len), (size_t)len};
	return problem;
}

static const char *check_domain(struct slice domain, struct arena *arena, struct slice *ret_domain)
{
	struct slice lower;
	if (domain.len == 0)
		return "nothing stands behind the @";
	if (domain.p[0] == '[')
		return "address literals are not accepted";
	if (plain_domain(domain, arena, &lower)) {
		const char *problem = check_labels(lower);
		if (problem == NULL)
			*ret_domain = lower;
		return problem;
	}
	for (size_t at = 0; at < domain.len; at++)
		if (domain.p[at] == ' ' || domain.p[at] == '(' || domain.p[at] == '>')
			return problem_of_ascii(domain.p[at]);
	return domain_to_ascii(domain, arena, ret_domain);
}

/* ---- the whole */

static struct slice join(struct arena *arena, struct slice local, struct slice domain)
{
	return ARENA_JOIN(arena, local, SLICE("@"), domain);
}

/* The last @ ends the local part; a full-width one is an ordinary character of it. */
static size_t find_at(struct slice text)
{
	size_t at = text.len;
	while (at > 0 && text.p[at - 1] != '@')
		at--;
	return at;
}

int email_parse(struct slice text, struct arena *arena, struct email *ret_email, struct err *err)
{
	/* A domain of letters beyond ASCII may be longer as it was written than as it is sent. */
	if (text.len > EMAIL_BYTES * 4)
		return refuse(err, "longer than 254 bytes");
	if (!text_is_utf8(text))
		return refuse(err, "not valid UTF-8");
	size_t at = find_at(text);
	if (at == 0)
		return refuse(err, "there is no @ in it");
	struct email email = {.local = {text.p, at - 1}};
	const char *problem = check_local(email.local);
	if (problem == NULL)
		problem = check_domain((struct slice){text.p + at, text.len - at}, arena, &email.domain);
	if (problem == NULL && email.local.len + 1 + email.domain.len > EMAIL_BYTES)
		problem = "longer than 254 bytes";
	if (problem != NULL)
		return refuse(err, problem);
	email.address = join(arena, email.local, email.domain);
	email.local.p = email.address.p;
	email.key = join(arena, text_fold(arena, email.local), email.domain);
	*ret_email = email;
	return 0;
}

static struct slice without_tag(struct slice local)
{
	const char *plus = memchr(local.p, '+', local.len);
	bool has_tag = plus != NULL && plus != local.p; /* "+@…" is all tag: then it is the name */
	return has_tag ? (struct slice){local.p, (size_t)(plus - local.p)} : local;
}

static struct slice without_dots(struct arena *arena, struct slice local)
{
	char *text = arena_alloc(arena, local.len + 1);
	size_t len = 0;
	for (size_t at = 0; at < local.len; at++)
		if (local.p[at] != '.')
			text[len++] = local.p[at];
	return (struct slice){text, len};
}

struct slice email_match_key(const struct email *email, unsigned rules, struct arena *arena)
{
	bool is_gmail = slice_is(email->domain, "gmail.com") || slice_is(email->domain, "googlemail.com");
	bool has_gmail_rule = (rules & EMAIL_RULE_GMAIL) != 0 && is_gmail;
	if (!has_gmail_rule && (rules & EMAIL_RULE_PLUS_TAG) == 0)
		return email->key;
	struct slice local = without_tag((struct slice){email->key.p, email->key.len - email->domain.len - 1});
	if (!has_gmail_rule)
		return join(arena, local, email->domain);
	return join(arena, without_dots(arena, local), SLICE("gmail.com"));
}
