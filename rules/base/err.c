/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of error codes and the two ways to fill a struct err.
 */
#include "rules/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "rules/base/slice.h"
#include "rules/base/utf8.h"

struct entry {
	const char *number, *word, *sentence;
};

static const struct entry table[ERR_COUNT] = {
	[ERR_NONE] = {"LR000", "ok", "No error."},
#define ERR(id, number, word, sentence) [id] = {number, word, sentence},
#include "rules/base/errors.def"
#undef ERR
};

static const char *const advice[ERR_COUNT] = {
	[ERR_NONE] = "",
#define ADVICE(id, text) [id] = text,
#include "rules/base/advice.def"
#undef ADVICE
};

static const struct entry *entry_of(enum err_code code)
{
	return &table[(unsigned)code < ERR_COUNT ? code : ERR_NONE];
}

const char *err_number(enum err_code code)
{
	return entry_of(code)->number;
}

const char *err_word(enum err_code code)
{
	return entry_of(code)->word;
}

const char *err_sentence(enum err_code code)
{
	return entry_of(code)->sentence;
}

const char *err_advice(enum err_code code)
{
	const char *text = advice[(unsigned)code < ERR_COUNT ? code : ERR_NONE];
	return text != NULL ? text : "";
}

enum err_code err_lookup(const char *name)
{
	for (int code = ERR_NONE + 1; code < ERR_COUNT; code++)
		if (strcasecmp(name, table[code].number) == 0 || strcmp(name, table[code].word) == 0)
			return (enum err_code)code;
	return ERR_NONE;
}

/* A quoted text may be cut inside of a character, by its own limit or by ours: what is left of one becomes a `?`. */
static void mend_utf8(char *text)
{
	size_t len = strlen(text);
	for (size_t bad = utf8_first_bad((struct slice){text, len}); bad < len;) {
		text[bad++] = '?';
		bad += utf8_first_bad((struct slice){text + bad, len - bad});
	}
}

static int set(struct err *err, enum err_code code, const char *where, const char *format, va_list args)
	__attribute__((format(printf, 4, 0)));

__attribute__((format(printf, 4, 0))) static int set(struct err *err, enum err_code code, const char *where,
                                                     const char *format, va_list args)
{
	if (err != NULL) {
		err->code = code;
		snprintf(err->where, sizeof err->where, "%s", where);
		vsnprintf(err->text, sizeof err->text, format, args);
		mend_utf8(err->text);
	}
	return -1;
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int result = set(err, code, "", format, args);
	va_end(args);
	return result;
}

int err_set_at(struct err *err, enum err_code code, const char *where, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int result = set(err, code, where, format, args);
	va_end(args);
	return result;
}
