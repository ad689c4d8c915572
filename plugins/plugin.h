/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole ABI between leadrouterd and a plug-in: this header, nothing else. Version 1.
 *
 * The story of one lead
 *
 *   A record has been parsed and cleansed. Before it is decided, the host asks each plug-in of the configuration, in
 *   order, with run(self, record, answer). The plug-in looks at fields of the record through the host (`field`), and
 *   answers with facts ("country is AU", "this mailbox is disposable") that rules and scores can use as
 *   facts["<plugin>.<name>"], or by filling a field that the lead left empty. When it has nothing more to say it calls
 *   done(answer), inside run() or any time later from a timer or watch of the host. Then the next plug-in is asked, and
 *   after the last one the lead goes on. The answer is kept with the lead: if its transaction is aborted and it is
 *   decided again, it sees the same answer, and run() is not called a second time.
 *
 * The story when it goes wrong
 *
 *   run() returns non-zero: the plug-in refuses this lead; whatever it has answered is thrown away, the lead goes on.
 *   done() does not come within the deadline of the configuration: the lead goes on without an answer; a done() that
 *   comes later is accepted, counted and has no effect. The plug-in need not know.
 *   A plug-in whose late answers pile up is switched off until the next reload, with an alarm.
 *   The shared object is missing, has no symbol lr_plugin_v1, another abi, a size that is too small, an option it does
 *   not know or open() fails: the configuration is refused, with the place in the file; the old one stays.
 *   In no case is a lead lost or rejected because of a plug-in.
 *
 * Rules
 *
 *   - Everything runs on the host's loop thread and must not block: no network call, no sleep, no lock. A plug-in that
 *     needs to wait watches a descriptor or starts a timer through the host.
 *   - Texts are bytes with a length; they are borrowed until the call that gave them returns. An answer's texts are
 *     copied by the host.
 *   - A plug-in links against nothing of leadrouter. It exports one symbol:
 *         const struct lr_plugin lr_plugin_v1 = { .abi = LR_PLUGIN_ABI, .size = sizeof(struct lr_plugin), … };
 *   - Structs only grow at the end, and `size` says how far a side knows them. A new meaning is lr_plugin_v2.
 *   - Contact data that a plug-in sees must not leave it: no logs, no files.
 *   - A shared object that was replaced is loaded at the next start: while an old instance lives, the loader hands out
 *     the old code for the same path. A new name is loaded by a reload.
 */
#ifndef LR_PLUGIN_H
#define LR_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define LR_PLUGIN_ABI 1u

struct lr_text {
	const char *bytes; /* NULL: absent */
	size_t len;
};

/* Why something failed, for a person; one line, lower case. */
struct lr_err {
	char text[256];
};

/* What a plug-in does; the host asks cleansing plug-ins before enriching and scoring ones. */
enum lr_step { LR_CLEANSE = 1, LR_ENRICH = 2, LR_SCORE = 4 };

/* One setting that the plug-in knows. The list ends with a NULL name. */
struct lr_option {
	const char *name;
	const char *help;
	int is_required;
};

/* The settings of one instance, as the configuration gives them. */
struct lr_settings;
struct lr_record; /* the lead in question; valid until done(answer) or close() */
struct lr_answer; /* handed to run(); the plug-in gives it back with done() */
struct lr_timer;
struct lr_watch;

/* Services of the host. Check `size` before using a member that is not of version 1. */
struct lr_host {
	uint32_t abi, size;
	void *self; /* first argument of every service */

	/* A setting's text, or absent. File names are relative to the configuration directory: resolve() them. */
	struct lr_text (*setting)(void *self, const struct lr_settings *settings, const char *name);
	/* The absolute path of a file named in a setting, into `path`; 0 or -1 when it does not fit. */
	int (*resolve)(void *self, const struct lr_settings *settings, struct lr_text name, char *path, size_t path_bytes);
	/* level: 0 error, 1 warning, 2 info, 3 debug */
	void (*log)(void *self, int level, const char *text);

	/* A cleansed field ("contact.email", "location.ip"), or absent. */
	struct lr_text (*field)(void *self, const struct lr_record *record, const char *path);

	/* Facts. `name` is [a-z][a-z0-9_]*, without the plug-in's name; a text is UTF-8 of at most 1024 bytes. -1 when an
	 * answer has 32 facts and fields already, or name or text are bad. */
	int (*answer_text)(void *self, struct lr_answer *answer, const char *name, struct lr_text value);
	int (*answer_int)(void *self, struct lr_answer *answer, const char *name, int64_t value);
	int (*answer_bool)(void *self, struct lr_answer *answer, const char *name, int value);
	/* Fills a field of the lead if it is still empty; the change is told in the decision with the plug-in's name. */
	int (*fill)(void *self, struct lr_answer *answer, const char *path, struct lr_text value);
	/* The answer is complete. Exactly once per run() that returned 0. */
	void (*done)(void *self, struct lr_answer *take_answer);

	/* Calls fn(ctx) once after delay_ms. NULL while a configuration is only being checked. Freed by cancel or after fn. */
	struct lr_timer *(*timer)(void *self, int64_t delay_ms, void (*fn)(void *ctx), void *ctx);
	void (*timer_cancel)(void *self, struct lr_timer *timer);
	/* Calls fn(ctx) whenever fd is readable. NULL while a configuration is only being checked. */
	struct lr_watch *(*watch)(void *self, int fd, void (*fn)(void *ctx), void *ctx);
	void (*unwatch)(void *self, struct lr_watch *watch);
};

struct lr_plugin {
	uint32_t abi, size; /* checked before any other member is read */
	const char *name;
	uint32_t steps;     /* enum lr_step, or-ed */
	const struct lr_option *options;
	/* One instance. NULL and *err filled when it cannot work. The host and settings outlive the instance. */
	void *(*open)(const struct lr_host *host, const struct lr_settings *settings, struct lr_err *err);
	/* 0: done(answer) has come or will come. Other: refused; the host takes the answer back. */
	int (*run)(void *self, const struct lr_record *record, struct lr_answer *answer);
	/* No callback and no done() may come after this returns. */
	void (*close)(void *self);
};

#endif
