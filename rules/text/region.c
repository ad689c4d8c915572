/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/text/region.h"

#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/map.h"
#include "rules/text/normalise.h"

/* Keys are "US/california" (country and text_key of a spelling); codes are looked up as they are. The rows come from the
 * operator's files, so a fixed seed is safe. */
static const uint64_t SEED[2] = {0x7265, 0x67696f6e};

/* How much a spelling may be trusted; the higher wins. */
enum trust { DERIVED, OFFICIAL, CODE };

struct spelling {
	const char *code; /* NULL: two subdivisions claim it with equal trust */
	enum trust trust;
};

struct region_table {
	struct arena *arena;
	struct map spellings; /* key → struct spelling */
	struct map names;     /* full code → first name */
	size_t rows;
};

struct region_table *region_table_new(struct arena *arena)
{
	struct region_table *table = arena_alloc(arena, sizeof *table);
	table->arena = arena;
	map_init(&table->spellings, SEED);
	map_init(&table->names, SEED);
	return table;
}

void region_table_done(struct region_table *table)
{
	if (table == NULL)
		return;
	map_done(&table->spellings);
	map_done(&table->names);
}

size_t region_table_count(const struct region_table *table)
{
	return table->names.live;
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_country(struct slice country)
{
	return country.len == 2 && is_upper(country.p[0]) && is_upper(country.p[1]);
}

static bool is_suffix(struct slice suffix)
{
	if (suffix.len < 1 || suffix.len > 3)
		return false;
	for (size_t at = 0; at < suffix.len; at++)
		if (!is_upper(suffix.p[at]) && (suffix.p[at] < '0' || suffix.p[at] > '9'))
			return false;
	return true;
}

/* "CA" of "US-CA" for country "US"; the text itself if it has no such prefix. */
static struct slice without_country(struct slice country, struct slice code)
{
	bool has_prefix = code.len > country.len && slice_has_prefix(code, country) && code.p[country.len] == '-';
	return has_prefix ? (struct slice){code.p + country.len + 1, code.len - country.len - 1} : code;
}

static struct slice spelling_key(struct arena *arena, struct slice country, struct slice text)
{
	struct slice key = text_key(arena, text);
	return key.len > 0 ? ARENA_JOIN(arena, country, SLICE("/"), key) : SLICE_NONE;
}

static void claim(struct region_table *table, const char *code, struct slice text, enum trust trust)
{
	struct slice key = spelling_key(table->arena, (struct slice){code, 2}, text);
	if (key.len == 0)
		return;
	struct spelling *known = map_get(&table->spellings, key);
	if (known == NULL) {
		known = arena_alloc(table->arena, sizeof *known);
		*known = (struct spelling){code, trust};
		map_put(&table->spellings, key, known);
	} else if (trust > known->trust) {
		*known = (struct spelling){code, trust};
	} else if (trust == known->trust && (known->code == NULL || strcmp(known->code, code) != 0)) {
		known->code = NULL;
	}
}

static size_t find_byte(struct slice text, char byte)
{
	const char *found = text.len > 0 ? memchr(text.p, byte, text.len) : NULL;
	return found != NULL ? (size_t)(found - text.p) : text.len;
}

static struct slice slice_from(struct slice text, size_t start)
{
	return start < text.len ? (struct slice){text.p + start, text.len - start} : SLICE_NONE;
}

/* "A Coruña [La Coruña]" and "Nafarroa/Navarra" are two names each; the bracket's end is no letter, so it needs no care. */
static void claim_alternatives(struct region_table *table, const char *code, struct slice name)
{
	for (const char *separator = "[/("; *separator != '\0'; separator++) {
		size_t at = find_byte(name, *separator);
		if (at == name.len)
			continue;
		claim(table, code, (struct slice){name.p, at}, DERIVED);
		claim(table, code, slice_from(name, at + 1), DERIVED);
	}
}

/* "Navarra, Comunidad Foral de" is also "Comunidad Foral de Navarra" and plain "Navarra". */
static void claim_turned_round(struct region_table *table, const char *code, struct slice name)
{
	size_t comma = find_byte(name, ',');
	if (comma == name.len)
		return;
	struct slice head = {name.p, comma}, tail = slice_from(name, comma + 1);
	const char *turned = arena_printf(table->arena, "%.*s %.*s", SLICE_ARG(tail), SLICE_ARG(head));
	claim(table, code, slice_of(turned), DERIVED);
	claim(table, code, head, DERIVED);
}

/* Words for "province" and the like that stand beside the name proper. */
static void claim_without_kind(struct region_table *table, const char *code, struct slice name)
{
	static const char *const behind[] = {" Sheng", " Shi", " Zizhiqu", " Province", " oblast", " Oblast", " Region",
	                                     " County", " Governorate", " Prefecture", " City", " kraj", " län",
	                                     "-teukbyeolsi", "-gwangyeoksi"};
	for (size_t at = 0; at < sizeof behind / sizeof *behind; at++) {
		size_t len = strlen(behind[at]);
		if (name.len > len && memcmp(name.p + name.len - len, behind[at], len) == 0)
			claim(table, code, (struct slice){name.p, name.len - len}, DERIVED);
	}
}

/* Provinces of China as they are written there, simplified and traditional, and those with another English name.
 * Romanised names cannot stand in for them: 陕西 and 山西 differ by a tone only. */
static const struct {
	const char *code, *spelling, *traditional;
} CHINESE_NAMES[] = {
	{"CN-AH", "安徽", "安徽"}, {"CN-BJ", "北京", "北京"}, {"CN-CQ", "重庆", "重慶"},
	{"CN-FJ", "福建", "福建"}, {"CN-GD", "广东", "廣東"}, {"CN-GS", "甘肃", "甘肅"},
	{"CN-GX", "广西", "廣西"}, {"CN-GZ", "贵州", "貴州"}, {"CN-HA", "河南", "河南"},
	{"CN-HB", "湖北", "湖北"}, {"CN-HE", "河北", "河北"}, {"CN-HI", "海南", "海南"},
	{"CN-HK", "香港", "香港"}, {"CN-HL", "黑龙江", "黑龍江"}, {"CN-HN", "湖南", "湖南"},
	{"CN-JL", "吉林", "吉林"}, {"CN-JS", "江苏", "江蘇"}, {"CN-JX", "江西", "江西"},
	{"CN-LN", "辽宁", "遼寧"}, {"CN-MO", "澳门", "澳門"}, {"CN-NM", "内蒙古", "內蒙古"},
	{"CN-NX", "宁夏", "寧夏"}, {"CN-QH", "青海", "青海"}, {"CN-SC", "四川", "四川"},
	{"CN-SD", "山东", "山東"}, {"CN-SH", "上海", "上海"}, {"CN-SN", "陕西", "陝西"},
	{"CN-SX", "山西", "山西"}, {"CN-TJ", "天津", "天津"}, {"CN-TW", "台湾", "臺灣"},
	{"CN-XJ", "新疆", "新疆"}, {"CN-XZ", "西藏", "西藏"}, {"CN-YN", "云南", "雲南"},
	{"CN-ZJ", "浙江", "浙江"},
	{"CN-NM", "Inner Mongolia", "Nei Mongol"}, {"CN-XZ", "Tibet", "Xizang"}, {"CN-XJ", "Sinkiang", "Xinjiang"},
};

/* What stands behind the name of a province, city or autonomous region. */
static const char *const CHINESE_KINDS[] = {"", "省", "市", "自治区", "自治區"};

static void claim_chinese_names(struct region_table *table, const char *code)
{
	for (size_t at = 0; at < sizeof CHINESE_NAMES / sizeof *CHINESE_NAMES; at++) {
		if (strcmp(CHINESE_NAMES[at].code, code) != 0)
			continue;
		for (size_t kind = 0; kind < sizeof CHINESE_KINDS / sizeof *CHINESE_KINDS; kind++) {
			const char *suffix = CHINESE_KINDS[kind];
			const char *simplified = arena_printf(table->arena, "%s%s", CHINESE_NAMES[at].spelling, suffix);
			const char *traditional = arena_printf(table->arena, "%s%s", CHINESE_NAMES[at].traditional, suffix);
			claim(table, code, slice_of(simplified), DERIVED);
			claim(table, code, slice_of(traditional), DERIVED);
		}
	}
}

int region_table_add(struct region_table *table, struct slice country, struct slice code, struct slice name)
{
	struct slice suffix = without_country(country, code);
	name = text_trim(name);
	if (!is_country(country) || !is_suffix(suffix) || name.len == 0 || name.len > REGION_NAME_BYTES)
		return -1;
	if (!text_is_utf8(name) || table->rows >= REGION_ROWS_MAX)
		return -1;
	table->rows++;
	const char *full = arena_printf(table->arena, "%.*s-%.*s", SLICE_ARG(country), SLICE_ARG(suffix));
	name = slice_of(arena_memdupz(table->arena, name.p, name.len));
	if (map_get(&table->names, slice_of(full)) == NULL)
		map_put(&table->names, slice_of(full), (void *)name.p);
	claim(table, full, slice_from(slice_of(full), 3), CODE);
	claim(table, full, name, OFFICIAL);
	claim_alternatives(table, full, name);
	claim_turned_round(table, full, name);
	claim_without_kind(table, full, name);
	claim_chinese_names(table, full);
	return 0;
}

/* "us-ca" → "US-CA" in place; false if it does not look like a code. */
static bool upper_code(struct slice text, char ret_code[REGION_CODE_BYTES])
{
	if (text.len < 4 || text.len >= REGION_CODE_BYTES || text.p[2] != '-')
		return false;
	for (size_t at = 0; at < text.len; at++)
		ret_code[at] = (char)(text.p[at] >= 'a' && text.p[at] <= 'z' ? text.p[at] - 'a' + 'A' : text.p[at]);
	ret_code[text.len] = '\0';
	return true;
}

/* Of a country by its two letters, and a text of at most REGION_NAME_BYTES. */
static const char *find_spelling(const struct region_table *table, struct slice country, struct slice text)
{
	char bytes[2 + 1 + REGION_NAME_BYTES];
	struct arena scratch = ARENA_INIT;
	struct slice key = text_key_short(text, bytes + 3, &scratch);
	if (key.p == bytes + 3 && key.len > 0) {
		memcpy(bytes, country.p, 2);
		bytes[2] = '/';
		key = (struct slice){bytes, 3 + key.len};
	} else if (key.len > 0) {
		key = ARENA_JOIN(&scratch, country, SLICE("/"), key);
	}
	const struct spelling *found = map_get(&table->spellings, key);
	arena_done(&scratch);
	return found != NULL ? found->code : NULL;
}

static const char *find_code(const struct region_table *table, struct slice country, struct slice code)
{
	if (country.len > 0 && !slice_has_prefix(code, country))
		return NULL;
	const struct map *names = &table->names;
	if (map_get(names, code) == NULL)
		return NULL;
	return find_spelling(table, (struct slice){code.p, 2}, slice_from(code, 3));
}

const char *region_lookup(const struct region_table *table, struct slice country, struct slice text)
{
	char code[REGION_CODE_BYTES];
	text = text_trim(text);
	if (text.len == 0 || text.len > REGION_NAME_BYTES)
		return NULL;
	const char *by_code = upper_code(text, code) ? find_code(table, country, slice_of(code)) : NULL;
	if (by_code != NULL || country.len != 2)
		return by_code;
	return find_spelling(table, country, text);
}

const char *region_name(const struct region_table *table, struct slice code)
{
	return map_get(&table->names, code);
}
