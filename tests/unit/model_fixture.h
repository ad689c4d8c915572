/* SPDX-License-Identifier: Apache-2.0
 *
 * A small real model for tests, made by hand: two teams, four reps, two routes by condition, one by territory and a
 * catch-all, three grades. Included as source by each test that wants it (one executable per test file).
 *
 *     score   base 0; +40 intent high; +30 more than 100 employees; +20 source referral; -50 student address; +5 area "key"
 *     grades  A from 60 (2 bh, reminder 30 bm before), B from 0 (8 bh), D below (stops)
 *     routes  dach-high   grade A in DE, AT or CH           -> emea
 *             vip         facts["vip.is"] == true           -> key
 *             by-area     territory "areas" names the team
 *             rest                                          -> world
 *     emea    ana 2, bob 1, cy 1 (not active)   key  dee   world  ana 1, dee 1
 */
#ifndef LR_TESTS_MODEL_FIXTURE_H
#define LR_TESTS_MODEL_FIXTURE_H

#include "rules/base/arena.h"
#include "rules/model.h"
#include "rules/rules.h"

struct fixture {
	struct arena arena;
	struct model model;
	struct rep reps[4];
	struct member emea[3], key[1], world[2];
	struct team teams[3];
	struct criterion criteria[5];
	struct grade grades[3];
	struct route routes[4];
};

void fixture_init(struct fixture *fixture);
void fixture_done(struct fixture *fixture);

/* A view over a plain table of bytes: what Redis would hold. */
struct store_row {
	char *key, *value;
	size_t key_len, value_len;
};
struct store {
	struct store_row *rows;
	size_t count;
};
struct rules_view store_view(struct store *store);
void store_apply(struct store *store, const struct write *writes, size_t count);
void store_done(struct store *store);
/* The value of a key as text; "" when absent. */
const char *store_text(const struct store *store, const char *key);

/* A captured lead or an activity as bare JSON in partition 0. */
struct record fixture_record(enum record_kind kind, int64_t offset, const char *json);

#endif
