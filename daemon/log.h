/* SPDX-License-Identifier: Apache-2.0
 *
 * Structured lines on stderr: JSON (one object a line) or text for people. Each has ts, level and msg, then the fields
 * given. Every text value is masked before it is written (e-mail addresses and phone numbers, rules/text/mask.h) and
 * escaped, so that nothing from outside can forge a line or reach a terminal. With journald behind stderr each line
 * begins with its priority as <N>.
 *
 * May be called from any thread. Lines are written whole, many in one write() where they gather (log_gather).
 */
#ifndef LR_DAEMON_LOG_H
#define LR_DAEMON_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_TEXT };

enum {
	LOG_LINE_BYTES = 8192, /* longer lines lose their last fields and say so */
	LOG_FIELDS_MAX = 32,
};

struct log_field {
	const char *name;
	enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_BOOL } type;
	struct slice text;
	int64_t number;
};

#define LOG_TEXT(name, value) ((struct log_field){(name), LOG_FIELD_TEXT, slice_of(value), 0})
#define LOG_SLICE(name, value) ((struct log_field){(name), LOG_FIELD_TEXT, (value), 0})
#define LOG_INT(name, value) ((struct log_field){(name), LOG_FIELD_INT, SLICE_NONE, (value)})
#define LOG_BOOL(name, value) ((struct log_field){(name), LOG_FIELD_BOOL, SLICE_NONE, (value)})

struct log;
struct loop;

/* Writes to `fd`, which is borrowed. `with_priority`: put <N> in front, for journald. */
struct log *log_new(int fd, enum log_level level, enum log_format format, bool with_priority);
/* Writes what has gathered. */
void log_free(struct log *log);
/* From now on lines of level info and debug that the calling thread logs gather until the loop's turn is over, so that a
 * batch of decisions is a few write()s. A warning, an error or a line of another thread writes what has gathered first: the
 * order holds, and what tells of an end is never lost. NULL ends that; to be called before the loop is freed. */
void log_gather(struct log *log, struct loop *loop);
/* For a reload. */
void log_configure(struct log *log, enum log_level level, enum log_format format);
bool log_wants(const struct log *log, enum log_level level);

void log_line(struct log *log, enum log_level level, const char *msg, const struct log_field *fields, size_t count);
/* log_write(log, LOG_LEVEL_INFO, "shard opened", LOG_INT("shard", 3), LOG_TEXT("state", name)); at least one field */
#define log_write(log, level, msg, ...)                                                                               \
	log_line((log), (level), (msg), (const struct log_field[]){__VA_ARGS__},                                        \
	         sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
/* A line with err.code, err.word, where and the text. */
void log_err(struct log *log, enum log_level level, const char *msg, const struct err *err);

/* "error", "warning", "info", "debug". */
const char *log_level_name(enum log_level level);

#endif
