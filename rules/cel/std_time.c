/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of timestamps and durations: getHours() and its like, in UTC, at a fixed offset ("+02:00") or in a named
 * zone. A zone that is written in the expression is loaded when it is compiled.
 */
#include "rules/cel/std_time.h"

#include <stdlib.h>

#include "rules/cel/run.h"
#include "rules/cel/stdlib.h"
#include "rules/cel/time.h"
#include "rules/text/zone.h"

static const char *part_name(enum time_part part)
{
	switch (part) {
#define PART(id, name)                                                                                                 \
	case id:                                                                                                       \
		return name;
		TIME_PARTS(PART)
#undef PART
	}
	return "";
}

bool time_part_of(struct slice method, enum time_part *ret_part)
{
	for (int part = 0; part < TIME_PART_COUNT; part++)
		if (slice_is(method, part_name((enum time_part)part))) {
			*ret_part = (enum time_part)part;
			return true;
		}
	return false;
}

int64_t time_part_value(enum time_part part, struct cel_value at, int offset)
{
	struct cel_civil civil = cel_civil_of(at.as.integer, offset);
	switch (part) {
	case PART_YEAR:
		return civil.year;
	case PART_MONTH:
		return civil.month - 1;
	case PART_DATE:
		return civil.day;
	case PART_DAY_OF_MONTH:
		return civil.day - 1;
	case PART_DAY_OF_WEEK:
		return civil.week_day;
	case PART_DAY_OF_YEAR:
		return civil.year_day;
	case PART_HOURS:
		return civil.hour;
	case PART_MINUTES:
		return civil.minute;
	case PART_SECONDS:
		return civil.second;
	case PART_MILLISECONDS:
		return at.len / 1000000;
	}
	return 0;
}

static bool two_digits(const char *p, int *ret_number)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*ret_number = (p[0] - '0') * 10 + (p[1] - '0');
	return true;
}

/* "+02:00", "-08:00", "02:00" */
static bool read_offset(struct slice name, int *ret_offset)
{
	int sign = 1, hours, minutes;
	if (name.len == 6 && (name.p[0] == '+' || name.p[0] == '-')) {
		sign = name.p[0] == '-' ? -1 : 1;
		name.p++;
		name.len--;
	}
	if (name.len != 5 || name.p[2] != ':' || !two_digits(name.p, &hours) || !two_digits(name.p + 3, &minutes))
		return false;
	*ret_offset = sign * (hours * 3600 + minutes * 60);
	return hours <= 23 && minutes <= 59;
}

bool time_zone_of(struct slice name, struct time_zone *ret_zone)
{
	char text[ZONE_NAME_BYTES];
	*ret_zone = (struct time_zone){NULL, 0};
	if (slice_is(name, "UTC") || slice_is(name, "Z") || slice_is(name, "") || read_offset(name, &ret_zone->offset))
		return true;
	if (name.len >= sizeof text || memchr(name.p, '\0', name.len) != NULL)
		return false;
	memcpy(text, name.p, name.len);
	text[name.len] = '\0';
	ret_zone->zone = zone_load(text);
	return ret_zone->zone != NULL;
}

int time_zone_offset(struct time_zone zone, struct cel_value at)
{
	return zone.zone != NULL ? zone_offset_at(zone.zone, at.as.integer) : zone.offset;
}

static struct cel_value part_zoned(struct cel_run *run, const struct cel_value *args, enum time_part part)
{
	struct time_zone zone;
	if (!time_zone_of(cel_slice(args[1]), &zone))
		return cel_fail(run, ERR_CEL_ZONE, "unknown time zone \"%.*s\"", (int)(args[1].len < 60 ? args[1].len : 60),
				args[1].as.bytes);
	return cel_int(time_part_value(part, args[0], time_zone_offset(zone, args[0])));
}

/* One function for UTC and one with a zone per part. */
#define PART(id, name)                                                                                                 \
	static struct cel_value utc_##id(struct cel_run *run, const struct cel_value *args)                            \
	{                                                                                                              \
		(void)run;                                                                                             \
		return cel_int(time_part_value(id, args[0], 0));                                                       \
	}                                                                                                              \
	static struct cel_value zoned_##id(struct cel_run *run, const struct cel_value *args)                          \
	{                                                                                                              \
		return part_zoned(run, args, id);                                                                      \
	}
TIME_PARTS(PART)
#undef PART

static struct cel_value whole_units(const struct cel_value *args, int64_t nanoseconds)
{
	return cel_int(args[0].as.integer / nanoseconds);
}

static struct cel_value duration_hours(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return whole_units(args, 3600LL * NANOS_PER_SECOND);
}

static struct cel_value duration_minutes(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return whole_units(args, 60LL * NANOS_PER_SECOND);
}

static struct cel_value duration_seconds(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return whole_units(args, NANOS_PER_SECOND);
}

/* The milliseconds within the second, unlike the three above: so the specification has it. */
static struct cel_value duration_milliseconds(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_int(args[0].as.integer % NANOS_PER_SECOND / 1000000);
}

#define METHOD(text, count, fn, ...)                                                                                   \
	{.name = text, .is_method = true, .arity = count, .result = &cel_type_int, .params = {__VA_ARGS__}, .call = fn},
#define PART(id, name)                                                                                                 \
	METHOD(name, 1, utc_##id, &cel_type_timestamp)                                                                 \
	METHOD(name, 2, zoned_##id, &cel_type_timestamp, &cel_type_string)

static const struct cel_function times[] = {
	TIME_PARTS(PART)
	METHOD("getHours", 1, duration_hours, &cel_type_duration)
	METHOD("getMinutes", 1, duration_minutes, &cel_type_duration)
	METHOD("getSeconds", 1, duration_seconds, &cel_type_duration)
	METHOD("getMilliseconds", 1, duration_milliseconds, &cel_type_duration)
};

struct function_table stdlib_times(void)
{
	return (struct function_table){times, sizeof times / sizeof *times};
}
