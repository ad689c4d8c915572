/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/story/explain_orders.h"

#include "rules/story/explain_parts.h"

void say_converted(struct strbuf *out, const struct json *event)
{
	bool is_deferred = slice_is(json_get_text(event, "kind"), "deferred");
	strbuf_puts(out, is_deferred ? " is agreed" : " is won");
	put_between(out, " by ", event, "owner", "");
	put_between(out, is_deferred ? ", to be paid on " : ", on ", event, "date", "");
	put_between(out, "; reward band ", event, "band", "");
}

void say_erased(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " was erased");
	put_between(out, " by ", event, "actor", "");
	put_between(out, ", with the consent of ", event, "approver", "");
	if (slice_is(json_get_text(event, "reason"), "retention"))
		strbuf_puts(out, ": it had been closed for as long as such leads are kept");
}

void say_issue(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " has an issue");
	put_between(out, " for ", event, "department", "");
	put_between(out, " (", event, "to", ")");
	put_between(out, ", raised by ", event, "actor", "");
	put_between(out, ": ", event, "text", "");
}

void say_complaint(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " is complained about");
	put_between(out, " by ", event, "actor", "");
	put_between(out, ", which is for ", event, "to", "");
	put_between(out, ": ", event, "text", "");
}

void say_help(struct strbuf *out, const struct json *event)
{
	put_between(out, ": ", event, "actor", " asks");
	if (json_get_text(event, "actor").len == 0)
		strbuf_puts(out, ": somebody asks");
	put_between(out, " ", event, "to", "");
	strbuf_puts(out, " for help");
	put_between(out, ": ", event, "text", "");
}

void say_feedback(struct strbuf *out, const struct json *event)
{
	strbuf_printf(out, " was rated %lld of 5", (long long)int_of(event, "rating"));
	put_between(out, " by ", event, "actor", "");
	put_between(out, ": ", event, "text", "");
}

void say_graded(struct strbuf *out, const struct json *event)
{
	strbuf_printf(out, " has score %lld now, %lld before", (long long)int_of(event, "score"),
	              (long long)int_of(event, "previous_score"));
	if (slice_equal(json_get_text(event, "grade"), json_get_text(event, "previous_grade"))) {
		put_between(out, ", and still grade ", event, "grade", "");
	} else {
		put_between(out, ", and grade ", event, "grade", "");
		put_between(out, " instead of ", event, "previous_grade", "");
	}
	put_between(out, slice_is(json_get_text(event, "verdict"), "ungraded") ? "; counted again, says " : "; said by ", event, "actor", "");
	put_between(out, ": ", event, "comment", "");
}

void put_helpers(struct strbuf *out, const struct json *event)
{
	const struct json *helpers = json_get(event, "collaborators");
	for (size_t i = 0; i < count_of(helpers); i++) {
		strbuf_puts(out, i == 0 ? "; helped by " : ", ");
		put_text(out, &helpers->items[i], "rep");
		put_between(out, " (", &helpers->items[i], "role", ")");
	}
}

void say_conflict(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " was changed by somebody else before");
	put_between(out, " ", event, "actor", "'s");
	put_between(out, " ", event, "activity", " came: nothing was done");
}

void say_claim_rejected(struct strbuf *out, const struct json *event)
{
	put_between(out, " was claimed by ", event, "actor", " in vain: ");
	put_words(out, json_get_text(event, "code"));
	put_between(out, "; again from ", event, "until", "");
}

/* "none" and "holding_cap" are no criteria: the owner keeps it for want of one. */
static void put_verdict(struct strbuf *out, const struct json *event)
{
	struct slice criterion = json_get_text(event, "criterion");
	bool is_full = slice_is(criterion, "holding_cap");
	if (is_full || slice_is(criterion, "none")) {
		put_between(out, "; it stays with ", event, "winner", "");
		strbuf_puts(out, is_full ? ", as whoever claimed it holds as many leads as he may" : ", as nothing tells the claims apart");
		return;
	}
	put_between(out, "; it belongs to ", event, "winner", "");
	strbuf_puts(out, " by ");
	put_words(out, criterion);
}

void say_dispute(struct strbuf *out, const struct json *event)
{
	if (slice_is(json_get_text(event, "step"), "closed")) {
		strbuf_puts(out, " is not argued about any more: ");
		put_words(out, json_get_text(event, "criterion"));
		return;
	}
	if (json_get_text(event, "winner").len == 0) {
		strbuf_puts(out, " is claimed by others");
		put_between(out, "; it stays with ", event, "owner", "");
		put_between(out, " until ", event, "until", "");
		return;
	}
	if (slice_is(json_get_text(event, "step"), "undecided")) {
		strbuf_puts(out, " is claimed by others, and nothing tells the claims apart: a manager has to decide");
		put_between(out, "; it stays with ", event, "owner", " until then");
		return;
	}
	strbuf_puts(out, ": the dispute is over");
	put_verdict(out, event);
}

void say_woken(struct strbuf *out, const struct json *event)
{
	struct slice was = json_get_text(event, "previous_status");
	bool waits = slice_is(was, "pending") || slice_is(was, "waiting"); /* what it rests as goes on meanwhile */
	strbuf_puts(out, " was put off as ");
	put_words(out, waits ? json_get_text(event, "timer") : was);
	put_between(out, " until ", event, "due_at", ", and that is now");
	put_between(out, "; ", event, "owner", " is told");
}

void say_handed_over(struct strbuf *out, const struct json *event)
{
	bool is_done = slice_is(json_get_text(event, "step"), "done");
	put_between(out, "All that ", event, "rep", " owned ");
	strbuf_puts(out, is_done ? "has been handed over" : "is being handed over");
	put_between(out, " to ", event, "to", "");
	strbuf_putc(out, '.');
}
