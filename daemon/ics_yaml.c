/* SPDX-License-Identifier: Apache-2.0
 *
 * Imported days as lines of the configuration. Each date comes once: names of the same day are joined, and a working day
 * beats a holiday, as in a calendar.
 */
#include <string.h>

#include "daemon/ics.h"
#include "rules/base/strbuf.h"
#include "rules/text/date.h"

static void put_date(struct strbuf *out, int64_t day)
{
	int64_t year;
	int month, date;
	date_from_day(day, &year, &month, &date);
	strbuf_printf(out, "%04d-%02d-%02d", (int)year, month, date);
}

static void put_quoted(struct strbuf *out, const char *text)
{
	strbuf_putc(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			strbuf_putc(out, '\\');
		strbuf_putc(out, *text);
	}
	strbuf_putc(out, '"');
}

static bool is_work(const struct ics_day *day, const struct ics_work *work)
{
	return work->text != NULL && day->is_whole && strstr(day->name, work->text) != NULL;
}

/* The names of a day, each once, as far as they fit. */
static void join_names(const struct ics_day *days, size_t count, char ret_name[ICS_NAME_BYTES + 1])
{
	size_t len = 0;
	ret_name[0] = '\0';
	for (size_t n = 0; n < count; n++) {
		size_t more = strlen(days[n].name);
		bool is_known = n > 0 && strcmp(days[n].name, days[n - 1].name) == 0;
		if (more == 0 || is_known || len + (len > 0 ? 2 : 0) + more > ICS_NAME_BYTES)
			continue;
		if (len > 0) {
			memcpy(ret_name + len, ", ", 2);
			len += 2;
		}
		memcpy(ret_name + len, days[n].name, more + 1);
		len += more;
	}
}

static void put_holiday(struct strbuf *out, const struct ics_day *days, size_t count)
{
	char name[ICS_NAME_BYTES + 1];
	join_names(days, count, name);
	strbuf_puts(out, name[0] ? "  - {date: " : "  - ");
	put_date(out, days->day);
	if (name[0]) {
		strbuf_puts(out, ", name: ");
		put_quoted(out, name);
		strbuf_putc(out, '}');
	}
	strbuf_putc(out, '\n');
}

static void put_work_day(struct strbuf *out, const struct ics_day *day, const char *hours)
{
	strbuf_puts(out, "  ");
	put_date(out, day->day);
	strbuf_puts(out, ": [\"");
	for (; *hours != '\0'; hours++)
		strbuf_puts(out, *hours == ',' ? "\", \"" : (char[]){*hours, '\0'});
	strbuf_printf(out, "\"] # %s\n", day->name);
}

/* Whole days of one date are beside each other; a working day among them decides. */
static void put_whole_days(const struct ics_days *days, const struct ics_work *work, bool wants_work, const char *head,
                           struct strbuf *out)
{
	bool has_head = false;
	for (size_t at = 0, end; at < days->count; at = end) {
		const struct ics_day *first = &days->items[at], *made_up = NULL;
		for (end = at; end < days->count && days->items[end].day == first->day && days->items[end].is_whole; end++)
			if (is_work(&days->items[end], work))
				made_up = &days->items[end];
		bool is_whole = end > at;
		end += !is_whole;
		if (!is_whole || (made_up != NULL) != wants_work)
			continue;
		if (!has_head)
			strbuf_puts(out, head);
		has_head = true;
		if (made_up != NULL)
			put_work_day(out, made_up, work->hours);
		else
			put_holiday(out, first, end - at);
	}
}

static void put_parts(const struct ics_days *days, struct strbuf *out)
{
	bool has_head = false;
	for (size_t n = 0; n < days->count; n++) {
		const struct ics_day *day = &days->items[n];
		if (day->is_whole)
			continue;
		if (!has_head)
			strbuf_puts(out, "# Not whole days, so left out:\n");
		has_head = true;
		strbuf_puts(out, "#   ");
		put_date(out, day->day);
		strbuf_printf(out, " %02d:%02d-%02d:%02d %s\n", day->from_s / 3600, day->from_s / 60 % 60, day->to_s / 3600,
		              day->to_s / 60 % 60, day->name);
	}
}

void ics_write_yaml(const struct ics_days *days, const struct ics_work *work, const char *title, struct strbuf *out)
{
	strbuf_printf(out, "# %s\n", title);
	put_whole_days(days, work, false, "holidays:\n", out);
	put_whole_days(days, work, true, "dates:\n", out);
	put_parts(days, out);
}
