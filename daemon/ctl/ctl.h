/* SPDX-License-Identifier: Apache-2.0
 *
 * What the verbs of leadctl share: options, exit codes, the control socket.
 *
 * stdout is data, everything else goes to stderr.
 */
#ifndef LR_DAEMON_CTL_CTL_H
#define LR_DAEMON_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/strbuf.h"

enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,      /* checks or tests failed, or what was asked for is not there */
	CTL_USAGE = 2,
	CTL_UNAVAILABLE = 69, /* nobody answers */
	CTL_TRY_AGAIN = 75,
	CTL_CONFIG = 78,     /* the configuration is invalid */
};

/* Options that several verbs take; each verb says which it accepts. */
struct ctl_args {
	const char *directory; /* -c, $LEADROUTER_CONFIG or /etc/leadrouter */
	const char *socket;    /* -s; NULL: as the configuration says */
	const char *topic;     /* -t */
	const char *tenant;    /* -k */
	const char *port_file; /* -l */
	int64_t partitions;    /* -p, 0 not given */
	int64_t count;         /* -n, 0 no limit */
	int64_t idle_ms;       /* --idle-ms, 0 no limit */
	bool json, from_start, explain;
	char **rest;           /* what is no option */
	int rest_count;
	struct ctl_values *values; /* of the verb's own options */
};

#define COMMAND(name, function, options, arguments, summary, help) int function(const struct ctl_args *args);
#include "daemon/ctl/commands.def"
#undef COMMAND

/* What was given for an option that the verb's row of commands.def names: its value, "" for one that takes none, NULL when
 * it was not given. Given twice, the last one counts. */
const char *ctl_option(const struct ctl_args *args, const char *name);

/* One line on stderr: "leadctl: LR390[listen] …"; returns `code`. */
int ctl_fail(int code, const struct err *err);
/* "leadctl: " and the text on stderr; returns CTL_USAGE. */
int ctl_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Asks the instance behind the control socket; blocks for at most ten seconds. Returns the HTTP status and fills
 * ret_body, or -1 with *err. */
int ctl_ask(const struct ctl_args *args, bool is_post, const char *target, struct strbuf *ret_body, struct err *err);
/* Appends `text` percent-encoded for a query. */
void ctl_put_query(struct strbuf *out, const char *text);

/* explain for a lead that was decided; `id` is its id. `is_history`: each of its events by itself, nothing decided again. An
 * exit code. */
int ctl_explain_lead(const struct ctl_args *args, const char *id, bool is_history);
/* The story as the options ask for it, with a line end, on stdout: that of a record (rules/story/detail.h), or of a lead that was decided
 * (rules/story/story_lead.h). An exit code. */
struct json;
struct model;
int ctl_print_story(const struct ctl_args *args, const struct json *story, const struct model *model, bool is_decided);
/* On stdout, without what could steer a terminal: ids and names come from outside. */
void ctl_print_text(const struct strbuf *text);

/* The generation of args->directory with its diagnostics on stderr; NULL when it is invalid. */
struct generation;
struct generation *ctl_load(const struct ctl_args *args);

/* The calendar of that name; NULL with a message on stderr when there is none. */
struct calendar;
const struct calendar *ctl_find_calendar(const struct generation *generation, const char *name);
/* CTL_OK and the days [from, until] of --from and --until, else an exit code with a message on stderr. Without --from from
 * `first_day` on, without --until `length` days. */
int ctl_read_days(const struct ctl_args *args, int64_t first_day, int64_t length, int64_t *ret_from, int64_t *ret_until);
/* `leadctl calendar import FILE`. */
int ctl_calendar_import(const struct ctl_args *args);

#endif
