/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys under which a person or an event is recognised again, without keeping who it is:
 *
 *     ident/<key id>.<normaliser version>.<kind>.<15 characters>
 *
 * The last part is base64url of the first 11 bytes of HMAC-SHA-256(secret, kind 0x00 canonical value); kinds are e
 * (e-mail), p (phone), c (name of the company), d (its domain), v (event id of the producer), l (lead id of the producer,
 * where the lead is known here under another one: "lead/<lead id>" says it already where it is not). Secret and normaliser version are part of the name, so that a new
 * secret or another normalisation can never make two people one. Nothing that is blank gets a key.
 *
 * Why 88 bits: a key stands twice in Redis, and with "k1.1.e." before it fits into 24 bytes of an allocator. That two of n people of a
 * shard ever meet in one key has a chance of n * n / 2^89: 2 in 10^11 for 10^8 people. Nobody can aim at a meeting: that
 * takes the secret.
 */
#ifndef LR_RULES_IDENTITY_H
#define LR_RULES_IDENTITY_H

#include <stddef.h>

#include "rules/base/slice.h"

struct arena;
struct model;

enum identity_kind {
	IDENTITY_EVENT,
	IDENTITY_LEAD,
	IDENTITY_EMAIL,
	IDENTITY_PHONE,
	IDENTITY_COMPANY,
	IDENTITY_DOMAIN,
	IDENTITY_KINDS
};

enum { IDENTITY_MARK_BYTES = 11 };

struct identity {
	struct slice keys[IDENTITY_KINDS]; /* state keys; len 0: none */
};

/* 'e' for an e-mail: the kind as it stands in a key's name. */
char identity_letter(enum identity_kind kind);
/* The state key of one canonical value. `version` is that of the normaliser that made it. */
struct slice identity_key(const struct model *model, enum identity_kind kind, int version, struct slice canonical,
                          struct arena *arena);
/* What makes an event of a producer one: its source and its id, as one canonical value. */
struct slice identity_event(struct slice source, struct slice id, struct arena *arena);
/* A short mark of an event, kept in the lead that it was about: 11 characters. */
struct slice identity_mark(const struct model *model, struct slice event, struct arena *arena);

#endif
