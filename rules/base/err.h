/* SPDX-License-Identifier: Apache-2.0
 *
 * What went wrong, for a person and for a machine.
 *
 * Every message that leaves leadrouter carries a code from errors.def. A code is a number that never changes its
 * meaning ("LR101"), a stable word that a program may decide on ("bad_json"), and one sentence that `leadctl
 * explain LR101` prints. The human text of an error may change at any time; never decide on it.
 *
 * struct err lives on the caller's stack, so reporting an error never allocates. Functions that can fail on somebody's
 * input take one as their last parameter and return 0 or -1; on success they leave it untouched.
 * Where many errors of one run are to be listed (configuration), see diag.h.
 */
#ifndef LR_RULES_BASE_ERR_H
#define LR_RULES_BASE_ERR_H

#include <stddef.h>

enum err_code {
	ERR_NONE = 0,
#define ERR(id, number, word, sentence) id,
#include "rules/base/errors.def"
#undef ERR
	ERR_COUNT
};

enum {
	ERR_TEXT_BYTES = 480,
	ERR_WHERE_BYTES = 200,
};

struct err {
	enum err_code code;
	char where[ERR_WHERE_BYTES]; /* "path:line:col", a field name, or "" */
	char text[ERR_TEXT_BYTES];   /* one line, lower case, cause first, then what to do */
};

/* The initial value: `struct err err = ERR_INIT;` */
#define ERR_INIT { ERR_NONE, "", "" }

/* "LR101"; "LR000" for ERR_NONE. Never NULL. */
const char *err_number(enum err_code code);
/* "bad_json". Never NULL. */
const char *err_word(enum err_code code);
/* One sentence for `leadctl explain`. Never NULL. */
const char *err_sentence(enum err_code code);
/* Why it is so and what to do: a paragraph. "" for ERR_NONE. */
const char *err_advice(enum err_code code);
/* The code whose number or word is `name` (case of the number does not matter), or ERR_NONE. */
enum err_code err_lookup(const char *name);

/* Fills *err and returns -1, so that a caller can `return err_set(err, …)`. Text that does not fit is cut.
 * `err` may be NULL: then only -1 is returned. */
int err_set(struct err *err, enum err_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same, with the place where it happened. */
int err_set_at(struct err *err, enum err_code code, const char *where, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
