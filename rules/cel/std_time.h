/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of a timestamp in a zone, for the functions and for the node that a constant zone is compiled to.
 */
#ifndef LR_RULES_CEL_STD_TIME_H
#define LR_RULES_CEL_STD_TIME_H

#include "rules/cel/cel.h"

#define TIME_PARTS(X)                                                                                                  \
	X(PART_YEAR, "getFullYear")                                                                                    \
	X(PART_MONTH, "getMonth")                                                                                      \
	X(PART_DATE, "getDate")                                                                                        \
	X(PART_DAY_OF_MONTH, "getDayOfMonth")                                                                          \
	X(PART_DAY_OF_WEEK, "getDayOfWeek")                                                                            \
	X(PART_DAY_OF_YEAR, "getDayOfYear")                                                                            \
	X(PART_HOURS, "getHours")                                                                                      \
	X(PART_MINUTES, "getMinutes")                                                                                  \
	X(PART_SECONDS, "getSeconds")                                                                                  \
	X(PART_MILLISECONDS, "getMilliseconds")

enum time_part {
#define PART(id, name) id,
	TIME_PARTS(PART)
#undef PART
};
enum { TIME_PART_COUNT = PART_MILLISECONDS + 1 };

struct zone;

/* A named zone, or NULL and a fixed offset in seconds east of UTC. */
struct time_zone {
	const struct zone *zone;
	int offset;
};

bool time_part_of(struct slice method, enum time_part *ret_part);
int64_t time_part_value(enum time_part part, struct cel_value at, int offset);
/* "UTC", "+02:00", "Europe/Berlin". May load the zone from disk the first time a name is met. */
bool time_zone_of(struct slice name, struct time_zone *ret_zone);
int time_zone_offset(struct time_zone zone, struct cel_value at);

#endif
