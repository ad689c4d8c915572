/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/explain_orders.h"

#include "rules/base/strbuf.h"
#include "rules/json.h"

/* The text of a member behind `before`; nothing at all when it is absent. */
static void say(struct strbuf *out, const char *before, const struct json *event, const char *name, const char *after)
{
	struct slice text = json_get_text(event, name);
	if (text.len == 0)
		return;
	strbuf_puts(out, before);
	strbuf_append(out, text.p, text.len);
	strbuf_puts(out, after);
}

/* "cool_down" -> "cool down" */
static void say_code(struct strbuf *out, const struct json *event, const char *name)
{
	struct slice code = json_get_text(event, name);
	for (size_t i = 0; i < code.len; i++)
		strbuf_putc(out, code.p[i] == '_' ? ' ' : code.p[i]);
}

void say_converted(struct strbuf *out, const struct json *event)
{
	bool is_deferred = slice_is(json_get_text(event, "kind"), "deferred");
	strbuf_puts(out, is_deferred ? " is agreed" : " is won");
	say(out, " by ", event, "owner", "");
	say(out, is_deferred ? ", to be paid on " : ", on ", event, "date", "");
	say(out, "; reward band ", event, "band", "");
}

void say_erased(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " was erased");
	say(out, " by ", event, "actor", "");
	say(out, ", with the consent of ", event, "approver", "");
}

void say_note(struct strbuf *out, const struct json *event)
{
	say(out, ": ", event, "actor", " asks");
	if (json_get_text(event, "actor").len == 0)
		strbuf_puts(out, ": somebody asks");
	say(out, " ", event, "to", "");
	say(out, " of ", event, "department", "");
}

void say_conflict(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " was changed by somebody else before");
	say(out, " ", event, "actor", "'s");
	say(out, " ", event, "activity", " came: nothing was done");
}

void say_claim_rejected(struct strbuf *out, const struct json *event)
{
	say(out, " was claimed by ", event, "actor", " in vain: ");
	say_code(out, event, "code");
	say(out, "; again from ", event, "until", "");
}

void say_dispute(struct strbuf *out, const struct json *event)
{
	if (slice_is(json_get_text(event, "step"), "closed")) {
		strbuf_puts(out, " is not argued about any more: ");
		say_code(out, event, "criterion");
		return;
	}
	if (json_get_text(event, "winner").len == 0) {
		strbuf_puts(out, " is claimed by others");
		say(out, "; it stays with ", event, "owner", "");
		say(out, " until ", event, "until", "");
		return;
	}
	strbuf_puts(out, ": the dispute is over");
	say(out, "; it belongs to ", event, "winner", "");
	strbuf_puts(out, " by ");
	say_code(out, event, "criterion");
}

void say_woken(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " was put off as ");
	say_code(out, event, "previous_status");
	say(out, " until ", event, "due_at", ", and that is now");
	say(out, "; ", event, "owner", " is told");
}

void say_handed_over(struct strbuf *out, const struct json *event)
{
	bool is_done = slice_is(json_get_text(event, "step"), "done");
	say(out, "All that ", event, "rep", " owned ");
	strbuf_puts(out, is_done ? "has been handed over" : "is being handed over");
	say(out, " to ", event, "to", "");
	strbuf_putc(out, '.');
}
