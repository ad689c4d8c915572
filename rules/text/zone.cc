// SPDX-License-Identifier: Apache-2.0
//
// cctz behind a C face. Zones live on a list that only grows; a new one is put at its head by compare-and-swap, so
// readers take no lock. Two threads that load the same zone at once may leave two nodes: both are right.
#include <atomic>
#include <chrono>
#include <cstring>
#include <string>

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

#include "rules/text/zone.h"

struct zone {
	cctz::time_zone rules;
	std::string name;
	const struct zone *older;
};

namespace {

using instant = cctz::time_point<cctz::seconds>;

std::atomic<const struct zone *> newest{nullptr};
std::atomic<int> unknown_names{0};

instant instant_of(int64_t unix_seconds)
{
	return instant(cctz::seconds(unix_seconds));
}

int64_t unix_of(instant at)
{
	return at.time_since_epoch().count();
}

const struct zone *find_loaded(const char *name)
{
	for (const struct zone *zone = newest.load(std::memory_order_acquire); zone != nullptr; zone = zone->older)
		if (zone->name == name)
			return zone;
	return nullptr;
}

bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Letters, digits, "_", "+", "-" between single slashes, a letter first: what the zone folder holds and nothing that
// could leave it.
bool is_plain_name(const char *name)
{
	if (!is_letter(name[0]) || std::strlen(name) > ZONE_NAME_BYTES)
		return false;
	for (const char *at = name; *at != '\0'; at++) {
		bool is_plain = is_letter(*at) || (*at >= '0' && *at <= '9') || std::strchr("_+-", *at) != nullptr;
		bool is_separator = *at == '/' && at[1] != '/' && at[1] != '\0';
		if (!is_plain && !is_separator)
			return false;
	}
	return std::strncmp(name, "right/", 6) != 0 && std::strncmp(name, "posix/", 6) != 0 &&
	       std::strncmp(name, "Fixed/", 6) != 0 && std::strcmp(name, "localtime") != 0 &&
	       std::strcmp(name, "posixrules") != 0;
}

const struct zone *load_new(const char *name)
{
	if (unknown_names.load(std::memory_order_relaxed) >= ZONE_UNKNOWN_MAX)
		return nullptr;
	cctz::time_zone rules;
	if (!cctz::load_time_zone(name, &rules)) {
		unknown_names.fetch_add(1, std::memory_order_relaxed);
		return nullptr;
	}
	zone *fresh = new zone{rules, name, newest.load(std::memory_order_acquire)};
	while (!newest.compare_exchange_weak(fresh->older, fresh, std::memory_order_release, std::memory_order_acquire)) {
	}
	return fresh;
}

cctz::civil_second civil_of(const struct civil *civil)
{
	return cctz::civil_second(civil->year, civil->month, civil->day, civil->hour, civil->minute, civil->second);
}

int weekday_of(const cctz::civil_second &local)
{
	return static_cast<int>(cctz::get_weekday(cctz::civil_day(local))); // cctz counts from Monday too
}

} // namespace

extern "C" const struct zone *zone_load(const char *iana_name)
try {
	if (iana_name == nullptr || !is_plain_name(iana_name))
		return nullptr;
	const struct zone *loaded = find_loaded(iana_name);
	return loaded != nullptr ? loaded : load_new(iana_name);
} catch (...) {
	return nullptr;
}

extern "C" const char *zone_name(const struct zone *zone)
{
	return zone->name.c_str();
}

extern "C" int zone_offset_at(const struct zone *zone, int64_t unix_seconds)
try {
	return zone->rules.lookup(instant_of(unix_seconds)).offset;
} catch (...) {
	return 0;
}

extern "C" int64_t zone_from_civil(const struct zone *zone, const struct civil *civil, enum zone_pick pick)
try {
	cctz::time_zone::civil_lookup found = zone->rules.lookup(civil_of(civil));
	if (found.kind == cctz::time_zone::civil_lookup::SKIPPED)
		return unix_of(found.trans);
	return unix_of(pick == ZONE_LAST ? found.post : found.pre);
} catch (...) {
	return 0;
}

extern "C" bool zone_is_skipped(const struct zone *zone, const struct civil *civil)
try {
	return zone->rules.lookup(civil_of(civil)).kind == cctz::time_zone::civil_lookup::SKIPPED;
} catch (...) {
	return false;
}

extern "C" void zone_to_civil(const struct zone *zone, int64_t unix_seconds, struct civil *ret_civil)
try {
	cctz::civil_second local = zone->rules.lookup(instant_of(unix_seconds)).cs;
	*ret_civil = {local.year(),   local.month(),  local.day(),      local.hour(),
	              local.minute(), local.second(), weekday_of(local)};
} catch (...) {
	*ret_civil = {1970, 1, 1, 0, 0, 0, 3};
}

extern "C" bool zone_next_change(const struct zone *zone, int64_t unix_seconds, int64_t *ret_at)
try {
	cctz::time_zone::civil_transition change;
	if (!zone->rules.next_transition(instant_of(unix_seconds), &change))
		return false;
	*ret_at = unix_of(zone->rules.lookup(change.to).trans);
	return true;
} catch (...) {
	return false;
}
