/* SPDX-License-Identifier: Apache-2.0
 *
 * E-mail addresses: could mail be delivered there, what is the canonical address, and what key means the same mailbox.
 *
 * Syntax is what mail systems deliver to: a dot-atom local part (UTF-8 allowed, RFC 6531) and a domain of two or more
 * labels. Quoted local parts, comments and address literals are legal in a header and nowhere in a lead; they are
 * refused. The domain goes through ICU's UTS #46 (STD3, CheckBidi, ContextJ, nontransitional), and any error bit means a
 * bad domain: a library that "repairs" domains would merge different people. The address itself is never rewritten by
 * what a provider is known to do; such rules make match keys only.
 */
#ifndef LR_RULES_TEXT_EMAIL_H
#define LR_RULES_TEXT_EMAIL_H

#include <stdint.h>

#include "rules/base/slice.h"

struct arena;
struct err;

enum {
	/* Raise it when email_parse or email_match_key may give another key for any input; it is part of stored keys. */
	EMAIL_NORMALISER_VERSION = 1,
	EMAIL_BYTES = 254,       /* RFC 5321 §4.5.3.1.3 without the angle brackets */
	EMAIL_LOCAL_BYTES = 64,  /* RFC 5321 §4.5.3.1.1 */
	EMAIL_DOMAIN_BYTES = 253,
};

struct email {
	struct slice address; /* canonical: local part as it was given, "@", domain */
	struct slice local;
	struct slice domain;  /* ASCII (A-labels), lower case */
	struct slice key;     /* identity: folded local part, "@", domain. Equal keys = same mailbox, as far as anybody outside
	                       * its provider can know */
};

/* Rules that hold for some providers only; opt-in, for match keys. */
enum email_rules {
	EMAIL_RULE_GMAIL = 1 << 0,    /* gmail.com, googlemail.com: one domain, dots and "+tag" do not count */
	EMAIL_RULE_PLUS_TAG = 1 << 1, /* any domain: "+tag" does not count */
};

/* `text` has been trimmed. 0 with slices in `arena`, or -1 and *err: ERR_BAD_EMAIL, a text for reject details that never
 * repeats the address. */
int email_parse(struct slice text, struct arena *arena, struct email *ret_email, struct err *err);
/* The key under the given rules (bits of enum email_rules); email->key itself if none applies. */
struct slice email_match_key(const struct email *email, unsigned rules, struct arena *arena);

#endif
