/* SPDX-License-Identifier: Apache-2.0
 *
 * Leads that a tool reads from a file or from standard input, and what happens to them: prepared as the daemon prepares
 * them, plug-ins asked as the daemon asks them.
 */
#ifndef LR_DAEMON_CTL_LEADS_H
#define LR_DAEMON_CTL_LEADS_H

#include "daemon/ctl/ctl.h"
#include "rules/base/arena.h"
#include "rules/decide.h"
#include "rules/story/rehearse.h"

enum { LEADS_FILE_BYTES_MAX = 64 << 20 };

/* The whole of a file, "-" for standard input, in the arena. -1 with *err (ERR_TOOL_FILE). */
int leads_read_file(const char *name, struct arena *arena, struct slice *ret_bytes, struct err *err);

/* The documents of a text: each line that is not empty, or the whole text where no line is an object by itself. The
 * slices point into the text, their list lies in `arena`. */
size_t leads_split(struct slice text, struct arena *arena, const struct slice **ret_documents);

/* Says that there is nothing in the file `name`; the exit code. */
int leads_none(const char *name);

struct leads; /* a configuration and what was decided under it so far */

/* Loads args->directory as start does, with diagnostics on stderr. NULL when it is invalid. */
struct leads *leads_new(const struct ctl_args *args);
void leads_free(struct leads *leads);
const struct model *leads_model(const struct leads *leads);
struct rehearsal *leads_rehearsal(struct leads *leads);
/* The next lead finds nothing of those before it. */
void leads_forget(struct leads *leads);
/* One captured lead, as bytes, on its whole way. Results live in `arena`; `observer` may be NULL. */
void leads_decide(struct leads *leads, struct slice value, int64_t now_ms, const struct observer *observer,
                  struct arena *arena, struct decision *ret);
/* Why a lead was rejected, in the words of the event. */
struct slice leads_reject_text(const struct decision *decision);

#endif
