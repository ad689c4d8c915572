/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon/ics: whatever the file holds, it is refused with a code, or it gives days in order and in bounds, and YAML that
 * the configuration's own reader takes.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "daemon/ics.h"
#include "daemon/yaml.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/err.h"
#include "rules/base/source.h"
#include "rules/base/strbuf.h"
#include "rules/json/tree.h"
#include "rules/text/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { FROM_DAY = 20454, UNTIL_DAY = 21549 }; /* 2026 to 2028 */

static void check_day(const struct ics_day *day, const struct ics_day *before)
{
	assert(day->day >= FROM_DAY && day->day <= UNTIL_DAY);
	assert(before == NULL || day->day >= before->day);
	assert(strlen(day->name) <= ICS_NAME_BYTES && strchr(day->name, '/') == NULL);
	assert(day->is_whole || (day->from_s >= 0 && day->to_s <= 86400 && day->from_s <= day->to_s));
}

static void check_yaml(const struct ics_days *days, struct arena *arena)
{
	const struct ics_work work = {"a", "09:00-12:00,13:00-18:00"};
	struct strbuf out = STRBUF_INIT;
	struct diags *diags = diags_new();
	strbuf_puts(&out, "is: read\n");
	ics_write_yaml(days, &work, "fuzz.ics", &out);
	const struct source *source = source_new(arena, "fuzz.yaml", (struct slice){out.bytes, out.len});
	assert(yaml_read(source, arena, diags) != NULL && diags_error_count(diags) == 0);
	diags_free(diags);
	strbuf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct ics_options options = {FROM_DAY, UNTIL_DAY, zone_load("America/Havana")};
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct ics_days days;
	if (ics_read((struct slice){(const char *)bytes, size}, &options, &arena, &days, &err) == 0) {
		assert(days.count > 0);
		for (size_t n = 0; n < days.count; n++)
			check_day(&days.items[n], n > 0 ? &days.items[n - 1] : NULL);
		check_yaml(&days, &arena);
	} else {
		assert(err.code == ERR_BAD_ICS || err.code == ERR_ICS_LIMIT || err.code == ERR_ICS_NO_EVENTS);
		assert(err.text[0] != '\0' && strchr(err.text, '\n') == NULL);
	}
	arena_done(&arena);
	return 0;
}
