/* SPDX-License-Identifier: Apache-2.0
 *
 * Names come in order of trust: codes, English names, the short forms below, native names. The first to claim a
 * spelling keeps it.
 */
#include "rules/text/country.h"

#include <stdbool.h>
#include <string.h>

#include <unicode/uloc.h>
#include <unicode/ustring.h>

#include "rules/base/arena.h"
#include "rules/base/map.h"
#include "rules/text/normalise.h"
#include "rules/text/wide.h"

/* The spelling keys come from ICU and from this file, not from a producer, so a fixed seed is safe. */
static const uint64_t SEED[2] = {0x6c656164, 0x726f7574};

struct country_table {
	struct arena *arena;
	struct map spellings; /* text_key → alpha-2 */
};

/* What people write and ICU does not know, or knows under another name. Codes that are not ISO's but in wide use (UK,
 * EL) are here too. */
static const struct {
	const char *alpha2, *spelling;
} SHORT_FORMS[] = {
	{"US", "U.S."}, {"US", "United States of America"}, {"US", "America"}, {"US", "The United States"},
	{"US", "Estados Unidos"}, {"US", "EE. UU."}, {"US", "EEUU"}, {"US", "美国"}, {"US", "États-Unis"}, {"US", "Vereinigte Staaten"},
	{"GB", "UK"}, {"GB", "U.K."}, {"GB", "Great Britain"}, {"GB", "Britain"}, {"GB", "England"}, {"GB", "Scotland"},
	{"GB", "Wales"}, {"GB", "Northern Ireland"}, {"GB", "英国"}, {"GB", "Großbritannien"}, {"GB", "Reino Unido"},
	{"GB", "Royaume-Uni"}, {"GB", "United Kingdom of Great Britain and Northern Ireland"},
	{"GR", "EL"}, {"GR", "Hellas"}, {"GR", "Hellenic Republic"},
	{"CN", "PRC"}, {"CN", "P.R. China"}, {"CN", "PR China"}, {"CN", "People's Republic of China"}, {"CN", "Mainland China"},
	{"CN", "China Mainland"}, {"CN", "中华人民共和国"}, {"CN", "中國"}, {"CN", "中国大陆"},
	{"HK", "Hong Kong"}, {"HK", "Hongkong"}, {"HK", "香港"}, {"HK", "Hong Kong SAR"},
	{"MO", "Macau"}, {"MO", "Macao"}, {"MO", "澳门"}, {"MO", "澳門"},
	{"TW", "Taiwan"}, {"TW", "台湾"}, {"TW", "臺灣"}, {"TW", "Taiwan, Province of China"},
	{"KR", "Korea"}, {"KR", "South Korea"}, {"KR", "Republic of Korea"}, {"KR", "Korea, Republic of"},
	{"KR", "Korea (South)"}, {"KR", "한국"}, {"KR", "韩国"}, {"KP", "North Korea"},
	{"KP", "Korea, Democratic People's Republic of"}, {"KP", "DPRK"},
	{"JP", "日本国"}, {"JP", "Nippon"}, {"RU", "Russian Federation"}, {"RU", "Российская Федерация"},
	{"NL", "Holland"}, {"NL", "The Netherlands"}, {"CZ", "Czech Republic"}, {"CZ", "Česká republika"},
	{"DE", "Federal Republic of Germany"}, {"DE", "Bundesrepublik Deutschland"}, {"DE", "BRD"}, {"DE", "Allemagne"},
	{"DE", "德国"}, {"FR", "法国"}, {"IT", "意大利"}, {"ES", "西班牙"}, {"ES", "Espana"}, {"CH", "Swiss"},
	{"CH", "Swiss Confederation"}, {"AE", "UAE"}, {"AE", "U.A.E."}, {"AE", "Emirates"}, {"SA", "KSA"},
	{"SA", "Kingdom of Saudi Arabia"}, {"TR", "Turkey"}, {"TR", "Türkiye"}, {"TR", "Turkiye"},
	{"VN", "Viet Nam"}, {"VN", "Vietnam"}, {"LA", "Lao"}, {"LA", "Lao PDR"}, {"LA", "Lao People's Democratic Republic"},
	{"IR", "Iran, Islamic Republic of"}, {"IR", "Islamic Republic of Iran"}, {"SY", "Syrian Arab Republic"},
	{"MD", "Moldova"}, {"MD", "Republic of Moldova"}, {"MD", "Moldova, Republic of"},
	{"MK", "Macedonia"}, {"MK", "FYROM"}, {"SZ", "Swaziland"}, {"MM", "Burma"}, {"MM", "Myanmar"},
	{"CI", "Ivory Coast"}, {"CI", "Cote d'Ivoire"}, {"CV", "Cape Verde"}, {"CV", "Cabo Verde"},
	{"CD", "DR Congo"}, {"CD", "DRC"}, {"CD", "Democratic Republic of the Congo"},
	{"CD", "Congo, Democratic Republic of the"}, {"CG", "Congo"}, {"CG", "Republic of the Congo"},
	{"TZ", "Tanzania, United Republic of"}, {"TZ", "United Republic of Tanzania"},
	{"BO", "Bolivia, Plurinational State of"}, {"BO", "Plurinational State of Bolivia"},
	{"VE", "Venezuela, Bolivarian Republic of"}, {"VE", "Bolivarian Republic of Venezuela"},
	{"BN", "Brunei Darussalam"}, {"TL", "East Timor"}, {"PS", "Palestine"}, {"PS", "Palestine, State of"},
	{"PS", "State of Palestine"}, {"VA", "Vatican"}, {"VA", "Holy See"}, {"FM", "Micronesia, Federated States of"},
	{"IE", "Republic of Ireland"}, {"IE", "Eire"}, {"BY", "Belorussia"}, {"KG", "Kirghizia"}, {"GM", "The Gambia"},
	{"BS", "The Bahamas"}, {"PH", "The Philippines"}, {"FK", "Falkland Islands (Malvinas)"}, {"BR", "Brasil"},
	{"IN", "Bharat"}, {"IN", "印度"}, {"SG", "新加坡"}, {"MY", "马来西亚"}, {"TH", "泰国"}, {"AU", "澳大利亚"},
	{"CA", "加拿大"}, {"TW", "Republic of China"}, {"KP", "Democratic People's Republic of Korea"},
	{"CD", "Democratic Republic of Congo"}, {"CD", "Congo, The Democratic Republic of the"}, {"LB", "Lebanese Republic"},
	{"IT", "Italian Republic"}, {"FR", "French Republic"}, {"PT", "Portuguese Republic"}, {"SK", "Slovak Republic"},
	{"KG", "Kyrgyz Republic"}, {"AR", "Argentine Republic"}, {"GA", "Gabonese Republic"}, {"TG", "Togolese Republic"},
	{"MX", "United Mexican States"}, {"IL", "State of Israel"}, {"KW", "State of Kuwait"}, {"QA", "State of Qatar"},
	{"BQ", "Bonaire, Sint Eustatius and Saba"}, {"SX", "Sint Maarten (Dutch part)"}, {"MF", "Saint Martin (French part)"},
	{"VG", "Virgin Islands, British"}, {"VI", "Virgin Islands, U.S."}, {"PN", "Pitcairn"}, {"VA", "Vatican City State"},
	{"SH", "Saint Helena, Ascension and Tristan da Cunha"}, {"HM", "Heard Island and McDonald Islands"},
	{"VC", "Saint Vincent and the Grenadines"}, {"JO", "Hashemite Kingdom of Jordan"},
	{"GS", "South Georgia and the South Sandwich Islands"}, {"UM", "United States Minor Outlying Islands"}, {"RU", "俄罗斯"}, {"JP", "にほん"},
};

static void claim(struct country_table *table, struct slice spelling, const char *alpha2)
{
	struct slice key = text_key(table->arena, spelling);
	if (key.len > 0 && map_get(&table->spellings, key) == NULL)
		map_put(&table->spellings, key, (void *)alpha2);
}

/* "Trinidad & Tobago" and "St. Lucia" are also written out. */
static void claim_written_out(struct country_table *table, const char *name, const char *alpha2)
{
	static const struct {
		const char *sign, *word;
	} forms[] = {{"&", "and"}, {"St. ", "Saint "}};
	claim(table, slice_of(name), alpha2);
	for (size_t at = 0; at < sizeof forms / sizeof *forms; at++) {
		const char *found = strstr(name, forms[at].sign);
		if (found == NULL)
			continue;
		const char *rest = found + strlen(forms[at].sign);
		name = arena_printf(table->arena, "%.*s%s%s", (int)(found - name), name, forms[at].word, rest);
		claim(table, slice_of(name), alpha2);
	}
}

/* The name of `locale`'s country in the language `language`; NULL when ICU has none and would give the code. */
static const char *display_name(struct arena *arena, const char *locale, const char *language)
{
	struct wide wide;
	wide_init(&wide);
	UErrorCode status = U_ZERO_ERROR;
	wide.len = uloc_getDisplayCountry(locale, language, wide.units, wide.capacity, &status);
	bool has_name = U_SUCCESS(status) && status != U_USING_DEFAULT_WARNING && wide.len < wide.capacity;
	const char *name = has_name ? wide_text(&wide, arena).p : NULL;
	wide_done(&wide);
	return name;
}

static void claim_codes(struct country_table *table, const char *const *countries)
{
	for (; *countries != NULL; countries++) {
		const char *locale = arena_printf(table->arena, "und_%s", *countries);
		claim(table, slice_of(*countries), *countries);
		claim(table, slice_of(uloc_getISO3Country(locale)), *countries);
	}
}

static void claim_english_names(struct country_table *table, const char *const *countries)
{
	for (; *countries != NULL; countries++) {
		const char *locale = arena_printf(table->arena, "und_%s", *countries);
		const char *name = display_name(table->arena, locale, "en");
		if (name != NULL)
			claim_written_out(table, name, *countries);
	}
}

static const char *find_alpha2(const char *const *countries, const char *code)
{
	for (; *countries != NULL; countries++)
		if (strcmp(*countries, code) == 0)
			return *countries;
	return NULL;
}

static void claim_native_names(struct country_table *table, const char *const *countries)
{
	int32_t count = uloc_countAvailable();
	for (int32_t at = 0; at < count; at++) {
		const char *locale = uloc_getAvailable(at);
		char code[ULOC_COUNTRY_CAPACITY];
		UErrorCode status = U_ZERO_ERROR;
		uloc_getCountry(locale, code, sizeof code, &status);
		const char *alpha2 = U_SUCCESS(status) ? find_alpha2(countries, code) : NULL;
		const char *name = alpha2 != NULL ? display_name(table->arena, locale, locale) : NULL;
		if (name != NULL)
			claim_written_out(table, name, alpha2);
	}
}

struct country_table *country_table_new(struct arena *arena)
{
	struct country_table *table = arena_alloc(arena, sizeof *table);
	const char *const *countries = uloc_getISOCountries();
	table->arena = arena;
	map_init(&table->spellings, SEED);
	claim_codes(table, countries);
	for (size_t at = 0; at < sizeof SHORT_FORMS / sizeof *SHORT_FORMS; at++)
		claim(table, slice_of(SHORT_FORMS[at].spelling), SHORT_FORMS[at].alpha2);
	claim_english_names(table, countries);
	claim_native_names(table, countries);
	return table;
}

void country_table_done(struct country_table *table)
{
	if (table != NULL)
		map_done(&table->spellings);
}

/* Solemn beginnings that official names have and common ones have not, as text_key writes them; longer ones first. "State
 * of" is none of them: the State of Georgia is no country. */
static const char *const SOLEMN[] = {
	"federaldemocraticrepublicof", "peoplesdemocraticrepublicof", "democraticsocialistrepublicof",
	"democraticrepublicof", "independentstateof", "socialistrepublicof", "federativerepublicof", "peoplesrepublicof",
	"islamicrepublicof", "federalrepublicof", "commonwealthof", "easternrepublicof", "arabrepublicof",
	"principalityof", "grandduchyof", "sultanateof", "republicof", "kingdomof", "unionof",
};

static struct slice without_prefix(struct slice key, const char *prefix)
{
	size_t len = strlen(prefix);
	bool has_prefix = key.len > len && slice_has_prefix(key, slice_of(prefix));
	return has_prefix ? (struct slice){key.p + len, key.len - len} : key;
}

static const char *lookup_without_solemnity(const struct country_table *table, struct slice key)
{
	struct slice plain = without_prefix(key, "the");
	for (size_t at = 0; at < sizeof SOLEMN / sizeof *SOLEMN; at++) {
		struct slice rest = without_prefix(plain, SOLEMN[at]);
		if (rest.len == plain.len)
			continue;
		const char *alpha2 = map_get(&table->spellings, rest);
		return alpha2 != NULL ? alpha2 : map_get(&table->spellings, without_prefix(rest, "the"));
	}
	return map_get(&table->spellings, plain);
}

const char *country_lookup(const struct country_table *table, struct slice text)
{
	if (text.len == 0 || text.len > COUNTRY_NAME_BYTES)
		return NULL;
	char plain[COUNTRY_NAME_BYTES];
	struct arena scratch = ARENA_INIT;
	struct slice key = text_key_short(text, plain, &scratch);
	const char *alpha2 = map_get(&table->spellings, key);
	if (alpha2 == NULL)
		alpha2 = lookup_without_solemnity(table, key);
	arena_done(&scratch);
	return alpha2;
}
