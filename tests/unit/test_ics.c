/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon/ics: what iCalendar files give, and that nothing of them is lost in silence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/ics.h"
#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/base/strbuf.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

#define DAY(date) "DTSTART;VALUE=DATE:" date "\n"
#define NAMED(lines, name) "BEGIN:VEVENT\nUID:" name "\n" lines "SUMMARY:" name "\nEND:VEVENT\n"
#define EVENT(lines) NAMED(lines, "x")
#define FILE_OF(events) "BEGIN:VCALENDAR\nVERSION:2.0\n" events "END:VCALENDAR\n"

static int read_bytes(struct slice bytes, struct arena *arena, struct ics_days *days, struct err *err)
{
	const struct ics_options options = {date_to_day(2026, 1, 1), date_to_day(2028, 12, 31), zone_load("Asia/Shanghai")};
	return ics_read(bytes, &options, arena, days, err);
}

static void assert_yaml(const char *ics, const struct ics_work *work, const char *yaml)
{
	static const struct ics_work none = {NULL, NULL};
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	struct err err = ERR_INIT;
	struct ics_days days;
	if (read_bytes(slice_of(ics), &arena, &days, &err) != 0)
		fail_msg("%s gives %s", ics, err.text);
	ics_write_yaml(&days, work != NULL ? work : &none, "t", &out);
	assert_string_equal(strbuf_text(&out), yaml);
	strbuf_done(&out);
	arena_done(&arena);
}

static void assert_refused(struct slice ics, enum err_code code, const char *part)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct ics_days days;
	if (read_bytes(ics, &arena, &days, &err) == 0)
		fail_msg("%.*s is taken", SLICE_ARG(ics));
	if (err.code != code || strstr(err.text, part) == NULL)
		fail_msg("%.*s gives %s %s", SLICE_ARG(ics), err_number(err.code), err.text);
	arena_done(&arena);
}

static void whole_days_become_holidays(void **state)
{
	(void)state;
	assert_yaml(FILE_OF(NAMED(DAY("20261225"), "Christmas")), NULL, "# t\nholidays:\n  - {date: 2026-12-25, name: \"Christmas\"}\n");
	/* the end is exclusive; a name is optional; a byte order mark and CRLF do not matter */
	assert_yaml("\xEF\xBB\xBF" "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261231\r\nDTEND;VALUE=DATE:20270102\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
	            NULL, "# t\nholidays:\n  - 2026-12-31\n  - 2027-01-01\n");
	/* midnight to midnight in the zone that was asked for, and in a zone of its own */
	assert_yaml(FILE_OF(EVENT("DTSTART:20260930T160000Z\nDTEND:20261001T160000Z\n")), NULL,
	            "# t\nholidays:\n  - {date: 2026-10-01, name: \"x\"}\n");
	assert_yaml(FILE_OF(EVENT("DTSTART;TZID=Europe/Oslo:20260517T000000\nDURATION:P1D\n")), NULL,
	            "# t\nholidays:\n  - {date: 2026-05-17, name: \"x\"}\n");
}

static void names_fit_the_configuration(void **state)
{
	(void)state;
	assert_yaml("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\n"
	            "SUMMARY:  \"Yule\" / \\n Jól\\, \\\\ \xE2\x80\xA8x \xC2\x85\nEND:VEVENT\nEND:VCALENDAR\n",
	            NULL, "# t\nholidays:\n  - {date: 2026-12-25, name: \"\\\"Yule\\\" - Jól, \\\\ x\"}\n");
	/* 63 bytes, and a character of two that does not fit any more */
	assert_yaml(FILE_OF("BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\nSUMMARY:123456789 123456789 123456789 123456789 123456789 123456789 123ö\nEND:VEVENT\n"),
	            NULL, "# t\nholidays:\n  - {date: 2026-12-25, name: \"123456789 123456789 123456789 123456789 123456789 123456789 123\"}\n");
	assert_yaml(FILE_OF(NAMED(DAY("20261225"), "b") NAMED(DAY("20261225"), "a") NAMED(DAY("20261225"), "b")), NULL,
	            "# t\nholidays:\n  - {date: 2026-12-25, name: \"a, b\"}\n");
}

static void what_comes_again_is_written_out(void **state)
{
	(void)state;
	assert_yaml(FILE_OF(NAMED(DAY("20061123") "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\nEXDATE;VALUE=DATE:20271125\n", "thanks")),
	            NULL, "# t\nholidays:\n  - {date: 2026-11-26, name: \"thanks\"}\n  - {date: 2028-11-23, name: \"thanks\"}\n");
	assert_yaml(FILE_OF(EVENT(DAY("20260217") "RDATE;VALUE=DATE:20270206,20280126\n")), NULL,
	            "# t\nholidays:\n  - {date: 2026-02-17, name: \"x\"}\n  - {date: 2027-02-06, name: \"x\"}\n  - {date: 2028-01-26, name: \"x\"}\n");
	assert_yaml(FILE_OF(EVENT(DAY("20280301") "RRULE:FREQ=DAILY;COUNT=2\n")), NULL,
	            "# t\nholidays:\n  - {date: 2028-03-01, name: \"x\"}\n  - {date: 2028-03-02, name: \"x\"}\n");
	assert_yaml(FILE_OF(EVENT(DAY("20260301") "RRULE:FREQ=YEARLY;UNTIL=20270228\n")), NULL,
	            "# t\nholidays:\n  - {date: 2026-03-01, name: \"x\"}\n");
	/* the last day asked for is in, the next is not */
	assert_yaml(FILE_OF(EVENT(DAY("20281230") "RRULE:FREQ=DAILY\n")), NULL,
	            "# t\nholidays:\n  - {date: 2028-12-30, name: \"x\"}\n  - {date: 2028-12-31, name: \"x\"}\n");
}

static void one_occurrence_is_moved_and_one_cancelled(void **state)
{
	(void)state;
	static const char file[] = FILE_OF(
		NAMED("RECURRENCE-ID;VALUE=DATE:20270101\n" DAY("20270104"), "ny")
		NAMED(DAY("20200101") "RRULE:FREQ=YEARLY\n", "ny")
		NAMED("RECURRENCE-ID;VALUE=DATE:20280101\nSTATUS:CANCELLED\n" DAY("20280101"), "ny")
		NAMED("RECURRENCE-ID;VALUE=DATE:20260101\n" DAY("20260102"), "another")
		NAMED(DAY("20260704") "STATUS:CANCELLED\n", "gone"));
	assert_yaml(file, NULL,
	            "# t\nholidays:\n  - {date: 2026-01-01, name: \"ny\"}\n  - {date: 2026-01-02, name: \"another\"}\n"
	            "  - {date: 2027-01-04, name: \"ny\"}\n");
}

static void working_days_and_parts_of_days_are_told_apart(void **state)
{
	(void)state;
	const struct ics_work work = {"补班", "09:00-12:00,13:00-18:00"};
	assert_yaml(FILE_OF(NAMED(DAY("20261010"), "国庆节 补班") NAMED(DAY("20261010"), "Saturday") NAMED(DAY("20261001"), "国庆节")
	                    NAMED("DTSTART:20261224T060000Z\nDURATION:PT4H30M\n", "party")
	                    NAMED("DTSTART:20261231T220000\nDTEND:20270101T020000\n", "ball")),
	            &work,
	            "# t\nholidays:\n  - {date: 2026-10-01, name: \"国庆节\"}\n"
	            "dates:\n  2026-10-10: [\"09:00-12:00\", \"13:00-18:00\"] # 国庆节 补班\n"
	            "# Not whole days, so left out:\n#   2026-12-24 14:00-18:30 party\n#   2026-12-31 22:00-24:00 ball\n"
	            "#   2027-01-01 00:00-02:00 ball\n");
}

static void an_empty_description_is_no_loss(void **state)
{
	(void)state;
	assert_yaml(FILE_OF(EVENT(DAY("20261225") "DESCRIPTION:\nLOCATION:\nX-ANY;A=\"b\":c\n")
	                    "BEGIN:VTODO\nDUE:nonsense\nEND:VTODO\n"),
	            NULL, "# t\nholidays:\n  - {date: 2026-12-25, name: \"x\"}\n");
}

static void what_is_broken_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		enum err_code code;
		const char *part;
	} cases[] = {
		{"", ERR_BAD_ICS, "empty"},
		{"\n \n", ERR_BAD_ICS, "empty"},
		{"date,name\n2026-12-25,Christmas\n", ERR_BAD_ICS, "line 1: an iCalendar file begins"},
		{"BEGIN:VEVENT\nEND:VEVENT\n", ERR_BAD_ICS, "line 1: an iCalendar file begins"},
		{"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\n", ERR_BAD_ICS, "cut off: there is no END:VEVENT"},
		{"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", ERR_BAD_ICS, "line 3: this END fits no BEGIN"},
		{FILE_OF("") "END:VCALENDAR\n", ERR_BAD_ICS, "line 4: this END fits no BEGIN"},
		{FILE_OF("") "more\n", ERR_BAD_ICS, "line 4"},
		{FILE_OF("SUMMARY:J\xF3l\n"), ERR_BAD_ICS, "line 3 is not UTF-8"},
		{"\xFF\xFE" "B", ERR_BAD_ICS, "UTF-16"},
		{FILE_OF(""), ERR_ICS_NO_EVENTS, "has no events"},
		{FILE_OF(EVENT(DAY("20251231"))), ERR_ICS_NO_EVENTS, "none of the 1 events"},
		{FILE_OF(EVENT(DAY("20290101"))), ERR_ICS_NO_EVENTS, "none of the 1 events"},
		{FILE_OF(EVENT("")), ERR_BAD_ICS, "has no DTSTART"},
		{FILE_OF(EVENT("DTSTART:\n")), ERR_BAD_ICS, "No value for DTSTART"},
		{FILE_OF(EVENT("DTSTART:Christmas\n")), ERR_BAD_ICS, "cannot be read in full"},
		{FILE_OF(EVENT("DTSTART;VALUE=TEXT:20261225\n")), ERR_BAD_ICS, "Invalid VALUE type"},
		{FILE_OF(EVENT(DAY("20261225") "RDATE;VALUE=TEXT:20261225\n")), ERR_BAD_ICS, "Invalid VALUE type"},
		{FILE_OF("BEGIN:VEVENT\n" DAY("20261225") "SUMMARY;VALUE=DATE:20261225\nEND:VEVENT\n"), ERR_BAD_ICS, "Invalid VALUE type"},
		{FILE_OF(EVENT(DAY("20261301"))), ERR_BAD_ICS, "a time that does not exist"},
		{FILE_OF(EVENT(DAY("20260229"))), ERR_BAD_ICS, "a time that does not exist"},
		{FILE_OF(EVENT(DAY("18991231"))), ERR_BAD_ICS, "before 1900"},
		{FILE_OF(EVENT(DAY("20261225") "DTEND;VALUE=DATE:20261224\n")), ERR_BAD_ICS, "ends before it begins"},
		{FILE_OF(EVENT(DAY("20261225") "DTEND:20261226T000000Z\n")), ERR_BAD_ICS, "times of two kinds"},
		{FILE_OF(EVENT(DAY("20260101") "DTEND;VALUE=DATE:20280101\n")), ERR_ICS_LIMIT, "longer than 366 days"},
		/* libical drops these rules and says that all went well */
		{FILE_OF(EVENT(DAY("20261225") "RRULE:FREQ=YEARLY;BYDAY=XX\n")), ERR_BAD_ICS, "Can't parse as RECUR"},
		{FILE_OF(EVENT(DAY("20261225") "RRULE:FREQ=SOMETIMES\n")), ERR_BAD_ICS, "Can't parse as RECUR"},
		{FILE_OF(EVENT(DAY("20261225") "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\n")), ERR_BAD_ICS, "never happens"},
		{FILE_OF(EVENT("DTSTART:20261225T000000\nRRULE:FREQ=SECONDLY\n")), ERR_BAD_ICS, "by the hour"},
		{FILE_OF(EVENT("DTSTART:20261225T000000\nRRULE:FREQ=DAILY;BYHOUR=1,2\n")), ERR_BAD_ICS, "by the hour"},
		{FILE_OF(EVENT(DAY("20260217") "RRULE:RSCALE=CHINESE;FREQ=YEARLY\n")), ERR_BAD_ICS, "another calendar"},
		{FILE_OF(EVENT(DAY("20260217") "EXRULE:FREQ=YEARLY\n")), ERR_BAD_ICS, "EXRULE"},
		{FILE_OF(EVENT(DAY("20260217") "EXDATE:20260217T000000Z\n")), ERR_BAD_ICS, "(EXDATE) a time of another kind"},
		{FILE_OF(EVENT(DAY("20260217") "RDATE;VALUE=PERIOD:20260217T000000Z/P1D\n")), ERR_BAD_ICS, "does not exist"},
		{FILE_OF(EVENT(DAY("20260217") "RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20260217\n")), ERR_BAD_ICS, "THISANDFUTURE"},
		{FILE_OF(EVENT(DAY("20260217") "a line without a name\n")), ERR_BAD_ICS, "cannot be read in full"},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++)
		assert_refused(slice_of(cases[n].file), cases[n].code, cases[n].part);
	assert_refused((struct slice){"BEGIN:VCALENDAR\nX\0Y", 19}, ERR_BAD_ICS, "line 2 has a NUL");
}

static void fill(struct strbuf *file, const char *line, size_t count)
{
	for (size_t n = 0; n < count; n++)
		strbuf_puts(file, line);
}

static void every_limit_holds(void **state)
{
	(void)state;
	struct strbuf file = STRBUF_INIT;
	fill(&file, "BEGIN:VCALENDAR\n", 1);
	fill(&file, "x", ICS_LINE_BYTES_MAX + 1);
	assert_refused((struct slice){file.bytes, file.len}, ERR_ICS_LIMIT, "line 2 has more than");
	fill(&file, "\n ", ICS_BYTES_MAX / 2);
	assert_refused((struct slice){file.bytes, file.len}, ERR_ICS_LIMIT, "the file has more than");
	strbuf_clear(&file);
	fill(&file, "BEGIN:VCALENDAR\n", ICS_DEPTH_MAX + 1);
	assert_refused((struct slice){file.bytes, file.len}, ERR_BAD_ICS, "inside each other");
	strbuf_clear(&file);
	fill(&file, "BEGIN:VCALENDAR\n", 1);
	fill(&file, EVENT(DAY("20261225")), ICS_EVENTS_MAX + 1);
	fill(&file, "END:VCALENDAR\n", 1);
	assert_refused((struct slice){file.bytes, file.len}, ERR_ICS_LIMIT, "more than 5000 events");
	strbuf_clear(&file);
	fill(&file, "BEGIN:VCALENDAR\n", 1);
	fill(&file, EVENT(DAY("20260101") "RRULE:FREQ=DAILY\n"), 10);
	fill(&file, "END:VCALENDAR\n", 1);
	assert_refused((struct slice){file.bytes, file.len}, ERR_ICS_LIMIT, "more than 10000 days");
	strbuf_clear(&file);
	fill(&file, "BEGIN:VCALENDAR\n", 1);
	fill(&file, EVENT(DAY("20260101") "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\n"), ICS_FRUITLESS_MAX + 1);
	fill(&file, "END:VCALENDAR\n", 1);
	assert_refused((struct slice){file.bytes, file.len}, ERR_ICS_LIMIT, "rules never happen");
	strbuf_clear(&file);
	fill(&file, "BEGIN:VCALENDAR\n", 1);
	fill(&file, EVENT(DAY("19000101") "RRULE:FREQ=DAILY;UNTIL=20251231\n"), 22);
	fill(&file, "END:VCALENDAR\n", 1);
	assert_refused((struct slice){file.bytes, file.len}, ERR_ICS_LIMIT, "more than 1000000 occurrences");
	strbuf_done(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_days_become_holidays),
		cmocka_unit_test(names_fit_the_configuration),
		cmocka_unit_test(what_comes_again_is_written_out),
		cmocka_unit_test(one_occurrence_is_moved_and_one_cancelled),
		cmocka_unit_test(working_days_and_parts_of_days_are_told_apart),
		cmocka_unit_test(an_empty_description_is_no_loss),
		cmocka_unit_test(what_is_broken_is_refused),
		cmocka_unit_test(every_limit_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
