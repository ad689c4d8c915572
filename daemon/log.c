/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "rules/base/mem.h"
#include "rules/base/strbuf.h"
#include "rules/json/json.h"
#include "rules/text/mask.h"

struct log {
	int fd;
	atomic_int level, format; /* changed by a reload while the commit thread may be writing */
	bool with_priority;

	pthread_mutex_t lock; /* guards all below, and the order of lines */
	struct loop *loop;    /* NULL: each line is written at once */
	pthread_t gatherer;
	bool is_flush_due;    /* the loop will call on_turn_over() */
	size_t gathered_bytes;
	char gathered[PIPE_BUF]; /* whole lines; a write() of so many is not torn by another process on the same pipe */
};

const char *log_level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR: return "error";
	case LOG_LEVEL_WARNING: return "warning";
	case LOG_LEVEL_INFO: return "info";
	case LOG_LEVEL_DEBUG: return "debug";
	}
	return "?";
}

/* syslog(3) priorities, as sd-daemon(3) reads them. */
static int priority_of(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR: return 3;
	case LOG_LEVEL_WARNING: return 4;
	case LOG_LEVEL_INFO: return 6;
	case LOG_LEVEL_DEBUG: return 7;
	}
	return 6;
}

struct log *log_new(int fd, enum log_level level, enum log_format format, bool with_priority)
{
	struct log *log = xcalloc(1, sizeof *log);
	log->fd = fd;
	log->with_priority = with_priority;
	pthread_mutex_init(&log->lock, NULL);
	log_configure(log, level, format);
	return log;
}

/* ---- writing */

static void write_out(const struct log *log, const char *bytes, size_t len)
{
	ssize_t written = write(log->fd, bytes, len);
	(void)written; /* a full or closed stderr must not stop the router */
}

/* Under the lock. */
static void flush(struct log *log)
{
	if (log->gathered_bytes > 0)
		write_out(log, log->gathered, log->gathered_bytes);
	log->gathered_bytes = 0;
}

static void on_turn_over(void *ctx)
{
	struct log *log = ctx;
	pthread_mutex_lock(&log->lock);
	flush(log);
	log->is_flush_due = false;
	pthread_mutex_unlock(&log->lock);
}

/* Under the lock. */
static void gather(struct log *log, const struct strbuf *line)
{
	if (log->gathered_bytes + line->len > sizeof log->gathered)
		flush(log);
	memcpy(log->gathered + log->gathered_bytes, line->bytes, line->len);
	log->gathered_bytes += line->len;
	if (!log->is_flush_due)
		loop_defer(log->loop, on_turn_over, log);
	log->is_flush_due = true;
}

static void put_line(struct log *log, enum log_level level, const struct strbuf *line)
{
	pthread_mutex_lock(&log->lock);
	if (log->loop != NULL && level >= LOG_LEVEL_INFO && line->len <= sizeof log->gathered &&
	    pthread_equal(log->gatherer, pthread_self())) {
		gather(log, line);
	} else {
		flush(log);
		write_out(log, line->bytes, line->len);
	}
	pthread_mutex_unlock(&log->lock);
}

void log_gather(struct log *log, struct loop *loop)
{
	pthread_mutex_lock(&log->lock);
	flush(log);
	log->loop = loop;
	log->gatherer = pthread_self();
	log->is_flush_due = false;
	pthread_mutex_unlock(&log->lock);
}

void log_free(struct log *log)
{
	if (log == NULL)
		return;
	flush(log);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

/* ---- lines */

void log_configure(struct log *log, enum log_level level, enum log_format format)
{
	atomic_store(&log->level, (int)level);
	atomic_store(&log->format, (int)format);
}

bool log_wants(const struct log *log, enum log_level level)
{
	return (int)level <= atomic_load(&log->level);
}

static int64_t wall_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void put_json_field(struct json_writer *writer, const struct log_field *field)
{
	if (field->type == LOG_FIELD_INT) {
		json_put_int(writer, field->name, field->number);
	} else if (field->type == LOG_FIELD_BOOL) {
		json_put_bool(writer, field->name, field->number != 0);
	} else {
		struct strbuf masked = STRBUF_INIT;
		mask_text(&masked, field->text);
		json_put_text(writer, field->name, (struct slice){strbuf_text(&masked), masked.len});
		strbuf_done(&masked);
	}
}

/* One object; fields that would make the line too long are left out and counted. */
static void put_json(struct strbuf *line, enum log_level level, const char *msg, const struct log_field *fields,
                     size_t count)
{
	struct json_writer writer = JSON_WRITER(line);
	size_t left_out = 0;
	json_open_object(&writer, NULL);
	json_put_time(&writer, "ts", wall_ms());
	json_put_text(&writer, "level", slice_of(log_level_name(level)));
	json_put_text(&writer, "msg", slice_of(msg));
	for (size_t i = 0; i < count; i++) {
		bool fits = i < LOG_FIELDS_MAX && line->len + fields[i].text.len * 2 + 128 < LOG_LINE_BYTES;
		if (fits)
			put_json_field(&writer, &fields[i]);
		left_out += !fits;
	}
	if (left_out > 0)
		json_put_int(&writer, "fields_left_out", (int64_t)left_out);
	json_close_object(&writer);
}

/* For people: time, level, message, name=value; control characters cannot get through because texts are JSON strings. */
static void put_text(struct strbuf *line, enum log_level level, const char *msg, const struct log_field *fields,
                     size_t count)
{
	time_t now = time(NULL);
	struct tm civil;
	char stamp[32];
	gmtime_r(&now, &civil);
	strftime(stamp, sizeof stamp, "%H:%M:%S", &civil);
	strbuf_printf(line, "%s %-7s %s", stamp, log_level_name(level), msg);
	for (size_t i = 0; i < count && i < LOG_FIELDS_MAX && line->len + fields[i].text.len * 2 < LOG_LINE_BYTES; i++) {
		struct strbuf value = STRBUF_INIT;
		struct json_writer writer = JSON_WRITER(&value);
		struct log_field bare = fields[i];
		bare.name = NULL;
		put_json_field(&writer, &bare);
		strbuf_printf(line, " %s=%s", fields[i].name, strbuf_text(&value));
		strbuf_done(&value);
	}
}

void log_line(struct log *log, enum log_level level, const char *msg, const struct log_field *fields, size_t count)
{
	if (!log_wants(log, level))
		return;
	struct strbuf line = STRBUF_INIT;
	if (log->with_priority)
		strbuf_printf(&line, "<%d>", priority_of(level));
	if (atomic_load(&log->format) == LOG_FORMAT_JSON)
		put_json(&line, level, msg, fields, count);
	else
		put_text(&line, level, msg, fields, count);
	strbuf_putc(&line, '\n');
	put_line(log, level, &line);
	strbuf_done(&line);
}

void log_err(struct log *log, enum log_level level, const char *msg, const struct err *err)
{
	log_write(log, level, msg, LOG_TEXT("err.code", err_number(err->code)), LOG_TEXT("err.word", err_word(err->code)),
	          LOG_TEXT("where", err->where), LOG_TEXT("err.text", err->text));
}
