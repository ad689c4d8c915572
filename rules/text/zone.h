/* SPDX-License-Identifier: Apache-2.0
 *
 * IANA time zones (cctz over the system's tz data; never ICU, whose data is years old). Instants are seconds since
 * 1970-01-01T00:00:00Z without leap seconds.
 *
 * A zone is loaded from the system's files once and kept for the life of the process: an upgrade of the tz data is
 * seen after a restart only. So zones are loaded while a generation is built, never inside a decision.
 */
#ifndef LR_RULES_TEXT_ZONE_H
#define LR_RULES_TEXT_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct zone; /* immutable, shared by all threads, never freed */

/* Local clock reading. For zone_from_civil the fields may lie outside their range and are carried over
 * (hour 24 is hour 0 of the next day). */
struct civil {
	int64_t year;
	int month, day;           /* 1–12, 1–31 */
	int hour, minute, second; /* 0–23, 0–59, 0–59 */
	int weekday;              /* 0 = Monday … 6 = Sunday; set by zone_to_civil, ignored by zone_from_civil */
};

/* Which instant a local time means where clocks change. A skipped local time is in both cases the first instant after
 * the gap. */
enum zone_pick {
	ZONE_FIRST, /* a repeated time is its first occurrence: for openings and for what a person wrote */
	ZONE_LAST,  /* … its last occurrence: for closings */
};

enum {
	ZONE_NAME_BYTES = 64,
	/* Names that were asked for and do not exist are remembered by the library for ever, so their number is bounded:
	 * after that many only zones already loaded are found. */
	ZONE_UNKNOWN_MAX = 10000,
};

/* The zone of that name ("Europe/Berlin"), or NULL if the system has none. Names are checked by their letters first, so
 * nothing outside the zone folder is ever opened: no "..", no absolute path, no leading-second variant ("right/"), and
 * not "localtime", which means something else on each machine. Thread-safe. */
const struct zone *zone_load(const char *iana_name);
/* The name it was loaded by. */
const char *zone_name(const struct zone *zone);
/* Seconds east of UTC in force at that instant. */
int zone_offset_at(const struct zone *zone, int64_t unix_seconds);
int64_t zone_from_civil(const struct zone *zone, const struct civil *civil, enum zone_pick pick);
/* Is that local time skipped (clocks jumped over it)? */
bool zone_is_skipped(const struct zone *zone, const struct civil *civil);
void zone_to_civil(const struct zone *zone, int64_t unix_seconds, struct civil *ret_civil);
/* The first instant after `unix_seconds` at which the rules of the zone change (offset, or only its abbreviation).
 * false if there is none. */
bool zone_next_change(const struct zone *zone, int64_t unix_seconds, int64_t *ret_at);

#ifdef __cplusplus
}
#endif

#endif
