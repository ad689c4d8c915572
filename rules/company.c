/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/company.h"

#include <stdlib.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/dedup.h"
#include "rules/text/email.h"
#include "rules/text/normalise.h"

enum { DOMAIN_BYTES_MAX = 253 };

/* Sorted bytewise. A change is a change of the normaliser: see COMPANY_NORMALISER_VERSION. */
static const char *const public_mail[] = {
	"126.com", "139.com", "163.com", "189.cn", "aliyun.com", "aol.com", "att.net", "bigpond.com", "bk.ru",
	"bol.com.br", "btinternet.com", "comcast.net", "daum.net", "fastmail.com", "foxmail.com", "free.fr",
	"freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com",
	"hanmail.net", "hey.com", "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.fr", "hotmail.it",
	"icloud.com", "inbox.ru", "laposte.net", "libero.it", "list.ru", "live.com", "mac.com", "mail.com", "mail.ru",
	"mailbox.org", "me.com", "msn.com", "naver.com", "o2.pl", "orange.fr", "outlook.com", "outlook.de", "pm.me",
	"posteo.de", "proton.me", "protonmail.com", "qq.com", "rambler.ru", "rediffmail.com", "sbcglobal.net",
	"seznam.cz", "sina.cn", "sina.com", "sohu.com", "t-online.de", "terra.com.br", "tiscali.it", "tutanota.com",
	"uol.com.br", "verizon.net", "vip.163.com", "vip.qq.com", "virgilio.it", "wanadoo.fr", "web.de", "wp.pl",
	"yahoo.co.in", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.com.br", "yahoo.de", "yahoo.fr",
	"yandex.com", "yandex.ru", "yeah.net", "ymail.com", "zoho.com",
};

static int by_text(const void *key, const void *row)
{
	return slice_compare(*(const struct slice *)key, slice_of(*(const char *const *)row));
}

static int by_slice(const void *key, const void *row)
{
	return slice_compare(*(const struct slice *)key, *(const struct slice *)row);
}

bool company_is_public_mail(const struct dedup_rules *rules, struct slice domain)
{
	if (bsearch(&domain, public_mail, sizeof public_mail / sizeof *public_mail, sizeof *public_mail, by_text) != NULL)
		return true;
	return rules->public_mail_count != 0 &&
	       bsearch(&domain, rules->public_mail, rules->public_mail_count, sizeof *rules->public_mail, by_slice) != NULL;
}

bool company_is_placeholder(struct slice key)
{
	static const char *const words[] = {"na", "none", "null", "nil", "unknown", "test", "privat", "private", "keine", "無",
	                                    "无", "個人", "个人", "xx", "xxx"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_is(key, words[i]))
			return true;
	return false;
}

/* ---- names */

/* Forms of law at the end of a name, as text_key() writes them. */
static bool is_legal_form(struct slice word)
{
	static const char *const forms[] = {
		"ab", "ag", "aps", "as", "bhd", "bv", "co", "company", "corp", "corporation", "eg", "ek", "ev", "gbr", "gmbh", "inc",
		"incorporated", "kg", "kgaa", "kk", "limited", "llc", "llp", "lp", "ltd", "mbh", "nv", "ohg", "oy", "oyj", "plc",
		"pte", "pty", "pvt", "sa", "sarl", "sas", "sasu", "sdn", "se", "sl", "spa", "srl", "sro", "ug", "zoo",
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (slice_is(word, forms[i]))
			return true;
	return false;
}

static bool is_between_words(char c)
{
	return c == ' ' || c == ',' || c == '&' || c == '(' || c == ')' || c == '/';
}

/* Where the last word of `text` begins. */
static size_t last_word(struct slice text)
{
	size_t at = text.len;
	while (at > 0 && !is_between_words(text.p[at - 1]))
		at--;
	return at;
}

static struct slice without_ending(struct slice text, size_t len)
{
	while (len > 0 && is_between_words(text.p[len - 1]))
		len--;
	return (struct slice){text.p, len};
}

/* Written without a blank before it. */
static struct slice without_han_form(struct slice key)
{
	static const char *const forms[] = {"股份有限公司", "有限责任公司", "有限公司", "公司", "株式会社"};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		size_t len = strlen(forms[i]);
		if (key.len > len && memcmp(key.p + key.len - len, forms[i], len) == 0)
			return (struct slice){key.p, key.len - len};
	}
	return key;
}

struct slice company_name_key(struct slice name, struct arena *arena)
{
	struct slice rest = without_ending(name, name.len);
	for (;;) {
		size_t at = last_word(rest);
		struct slice word = {rest.p + at, rest.len - at};
		struct slice shorter = without_ending(rest, at);
		if (shorter.len == 0 || !is_legal_form(text_key(arena, word)))
			break;
		rest = shorter;
	}
	struct slice key = without_han_form(text_key(arena, rest));
	return key.len < 2 || company_is_placeholder(key) ? SLICE_NONE : key;
}

/* ---- domains */

static struct slice after(struct slice text, const char *prefix)
{
	size_t len = strlen(prefix);
	if (!slice_has_prefix(text, slice_of(prefix)))
		return text;
	return (struct slice){text.p + len, text.len - len};
}

struct slice company_domain_key(const struct dedup_rules *rules, struct slice domain, struct arena *arena)
{
	struct email email;
	struct slice host = text_fold(arena, text_trim(domain));
	host = after(after(after(host, "https://"), "http://"), "www.");
	const char *end = host.len != 0 ? memchr(host.p, '/', host.len) : NULL;
	if (end != NULL)
		host.len = (size_t)(end - host.p);
	if (host.len == 0 || host.len > DOMAIN_BYTES_MAX || memchr(host.p, '@', host.len) != NULL)
		return SLICE_NONE;
	/* whatever could receive mail is a domain, in the form that mail gives it */
	if (email_parse(ARENA_JOIN(arena, SLICE("x@"), host), arena, &email, NULL) != 0)
		return SLICE_NONE;
	return company_is_public_mail(rules, email.domain) ? SLICE_NONE : email.domain;
}
