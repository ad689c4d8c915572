/* SPDX-License-Identifier: Apache-2.0
 *
 * What the errors of a Redis server mean for a request: whether anything can have been written, and what a person can do.
 *
 * Every error below comes before the first write: from the server's checks of the command itself, or from the scripts'
 * first write, which hands its error on. An error that is not listed may have come after a write, so the outcome of a
 * script that writes is unknown then.
 */
#include "daemon/view_request.h"

struct meaning {
	const char *word;
	enum view_status status;
	enum err_code code;
	const char *advice;
};

static const struct meaning MEANINGS[] = {
	{"OOM", VIEW_REFUSED, ERR_REDIS_MEMORY, "raise maxmemory (and leave maxmemory-policy noeviction)"},
	{"READONLY", VIEW_REFUSED, ERR_REDIS_ROLE, "this is a replica: point redis.host at the master"},
	{"MASTERDOWN", VIEW_REFUSED, ERR_REDIS_ROLE, "this is a replica without its master: point redis.host at the master"},
	{"NOREPLICAS", VIEW_REFUSED, ERR_REDIS_REFUSED, "too few replicas are connected (min-replicas-to-write)"},
	{"BUSY", VIEW_REFUSED, ERR_REDIS_REFUSED, "another script blocks the server; SCRIPT KILL ends it if it has not written"},
	{"LOADING", VIEW_REFUSED, ERR_REDIS_REFUSED, "the server is reading its data; it comes back by itself"},
	{"MISCONF", VIEW_REFUSED, ERR_REDIS_REFUSED, "the server cannot save to disk: see its log, mostly the disk is full"},
	{"NOPERM", VIEW_REFUSED, ERR_REDIS_PERMISSION, "give the user what config/redis-acl.example lists"},
	{"NOAUTH", VIEW_REFUSED, ERR_REDIS_AUTH, "set redis.user and redis.password_file"},
	{"MOVED", VIEW_REFUSED, ERR_REDIS_CLUSTER, "point leadrouter at a Redis that is not a cluster"},
	{"ASK", VIEW_REFUSED, ERR_REDIS_CLUSTER, "point leadrouter at a Redis that is not a cluster"},
	{"TRYAGAIN", VIEW_REFUSED, ERR_REDIS_CLUSTER, "a slot is being moved; point leadrouter at a Redis that is not a cluster"},
	{"CLUSTERDOWN", VIEW_REFUSED, ERR_REDIS_CLUSTER, "the cluster is down; point leadrouter at a Redis that is not a cluster"},
	{"CROSSSLOT", VIEW_REFUSED, ERR_REDIS_CLUSTER, "point leadrouter at a Redis that is not a cluster"},
	{"NOSCRIPT", VIEW_REFUSED, ERR_REDIS_SCRIPT, "the script was loaded and is gone again; somebody flushes scripts"},
	{"WRONGTYPE", VIEW_BROKEN, ERR_VIEW_FOREIGN, "somebody else writes to keys {lr:*}; the shard is rebuilt"},
};

/* What Redis says instead of NOPERM when a script calls a command that the user may not: 6.2 and 7.0, then 7.2. */
static bool is_denied(struct slice text)
{
	static const char *const TEXTS[] = {"The user executing the script can't", "ACL failure in script"};
	for (size_t i = 0; text.len > 0 && i < sizeof TEXTS / sizeof *TEXTS; i++)
		if (memmem(text.p, text.len, TEXTS[i], strlen(TEXTS[i])) != NULL)
			return true;
	return false;
}

/* An error that a script hands on reads "OOM …" in Redis 7 and "@user_script: 12: -OOM …" in 6.2. */
static struct slice without_place(struct slice text)
{
	static const char PLACE[] = "@user_script", MARK[] = ": -";
	if (!slice_has_prefix(text, slice_of(PLACE)))
		return text;
	const char *mark = memmem(text.p, text.len, MARK, strlen(MARK));
	if (mark == NULL)
		return text;
	const char *start = mark + strlen(MARK);
	return (struct slice){start, text.len - (size_t)(start - text.p)};
}

bool view_error_is(struct slice text, const char *word)
{
	text = without_place(text);
	struct slice want = slice_of(word);
	return slice_has_prefix(text, want) && (text.len == want.len || text.p[want.len] == ' ');
}

enum view_status view_explain_error(struct slice text, bool may_write, struct err *err)
{
	enum { SHOWN_BYTES = 250 };
	text = without_place(text);
	int shown = text.len < SHOWN_BYTES ? (int)text.len : SHOWN_BYTES;
	for (size_t i = 0; i < sizeof MEANINGS / sizeof *MEANINGS; i++) {
		const struct meaning *meaning = &MEANINGS[i];
		if (!view_error_is(text, meaning->word))
			continue;
		err_set(err, meaning->code, "redis answered: %.*s: %s", shown, text.p, meaning->advice);
		return meaning->status;
	}
	enum err_code code = may_write ? ERR_REDIS_SCRIPT : ERR_REDIS_REFUSED;
	if (is_denied(text))
		code = ERR_REDIS_PERMISSION;
	err_set(err, code, "redis answered: %.*s", shown, text.len ? text.p : "");
	return may_write ? VIEW_UNKNOWN : VIEW_REFUSED;
}
