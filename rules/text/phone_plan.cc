// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <re2/re2.h>

#include "rules/text/phone_plan.hh"

// The library exports its metadata, but has no public header for it. Weak, so that a release that hides it still links;
// then everything is declined.
namespace i18n
{
namespace phonenumbers
{
__attribute__((weak)) int metadata_size();
__attribute__((weak)) const void *metadata_get();
} // namespace phonenumbers
} // namespace i18n

namespace {

using re2::StringPiece;

const size_t DIGITS_MIN = 5;  // shorter ones have rules of their own
const size_t DIGITS_MAX = 17; // the library's limit is 17 without the country code
const size_t TEXT_BYTES_MAX = 40;
const int MEXICO = 52; // has a rule of ours before the check of lengths, see phone.cc

// ---- the metadata: protocol buffer wire format, the few fields that are needed

struct wire {
	const uint8_t *at, *end;
	bool is_broken;
};

uint64_t read_varint(struct wire *wire)
{
	uint64_t value = 0;
	for (int shift = 0; shift < 64 && wire->at < wire->end; shift += 7) {
		uint8_t byte = *wire->at++;
		value |= static_cast<uint64_t>(byte & 0x7F) << shift;
		if ((byte & 0x80) == 0)
			return value;
	}
	wire->is_broken = true;
	return 0;
}

struct field {
	int number;
	uint64_t value;    // of a varint
	struct wire bytes; // of a string or message; empty otherwise
	bool has_bytes;
};

// false at the end, or where the data is not as expected.
bool read_field(struct wire *wire, struct field *ret_field)
{
	if (wire->at >= wire->end || wire->is_broken)
		return false;
	uint64_t tag = read_varint(wire);
	*ret_field = {static_cast<int>(tag >> 3), 0, {nullptr, nullptr, false}, (tag & 7) == 2};
	uint64_t value = read_varint(wire);
	bool is_known = (tag & 7) == 0 || (tag & 7) == 2;
	if (!is_known || wire->is_broken || (ret_field->has_bytes && value > static_cast<uint64_t>(wire->end - wire->at))) {
		wire->is_broken = true;
		return false;
	}
	ret_field->value = value;
	if (ret_field->has_bytes) {
		ret_field->bytes = {wire->at, wire->at + value, false};
		wire->at += value;
	}
	return true;
}

std::string text_of(const struct field &field)
{
	return std::string(reinterpret_cast<const char *>(field.bytes.at), field.bytes.end - field.bytes.at);
}

// Numbers of one kind: mobile, fixed line, …
struct kind {
	std::string pattern;
	std::vector<int> lengths, local_lengths;
	std::unique_ptr<RE2> compiled; // NULL: no pattern, nothing matches
};

struct plan {
	std::string id, idd, prefix, transform, leading_digits;
	int country_code = 0;
	bool is_main = false;
	struct kind general;
	std::deque<struct kind> kinds;
	// Compiled at first use: there are 250 plans and a site sees a few.
	std::once_flag once;
	bool is_usable = false;
	std::unique_ptr<RE2> compiled_idd, compiled_prefix, compiled_leading;
};

void read_lengths(const struct field &field, std::vector<int> *ret_lengths)
{
	struct wire packed = field.bytes;
	if (!field.has_bytes)
		ret_lengths->push_back(static_cast<int>(field.value));
	while (field.has_bytes && packed.at < packed.end && !packed.is_broken)
		ret_lengths->push_back(static_cast<int>(read_varint(&packed)));
}

struct kind read_kind(struct wire wire)
{
	struct kind kind;
	struct field field;
	while (read_field(&wire, &field)) {
		if (field.number == 2)
			kind.pattern = text_of(field);
		else if (field.number == 9)
			read_lengths(field, &kind.lengths);
		else if (field.number == 10)
			read_lengths(field, &kind.local_lengths);
	}
	return kind;
}

// The ten kinds that make a number valid: fixed line, mobile, toll free, premium rate, shared cost, personal, VoIP, pager,
// UAN, voicemail.
bool is_kind_field(int number)
{
	return (number >= 2 && number <= 8) || number == 21 || number == 25 || number == 28;
}

void read_plan_field(const struct field &field, struct plan *plan)
{
	switch (field.number) {
	case 1:
		plan->general = read_kind(field.bytes);
		break;
	case 9:
		plan->id = text_of(field);
		break;
	case 10:
		plan->country_code = static_cast<int>(field.value);
		break;
	case 11:
		plan->idd = text_of(field);
		break;
	case 15:
		plan->prefix = text_of(field);
		break;
	case 16:
		plan->transform = text_of(field);
		break;
	case 22:
		plan->is_main = field.value != 0;
		break;
	case 23:
		plan->leading_digits = text_of(field);
		break;
	default:
		if (is_kind_field(field.number))
			plan->kinds.push_back(read_kind(field.bytes));
	}
}

struct book {
	std::deque<struct plan> plans;
	std::map<std::string, struct plan *> by_region;
	std::map<int, std::vector<struct plan *>> by_code; // the main country first, as in the library

	book()
	{
		if (i18n::phonenumbers::metadata_get == nullptr || i18n::phonenumbers::metadata_size == nullptr)
			return;
		const uint8_t *bytes = static_cast<const uint8_t *>(i18n::phonenumbers::metadata_get());
		struct wire wire = {bytes, bytes + i18n::phonenumbers::metadata_size(), false};
		struct field field;
		while (read_field(&wire, &field))
			if (field.number == 1)
				add(field.bytes);
		if (wire.is_broken) { // another format than we know: decline everything
			by_region.clear();
			by_code.clear();
		}
	}

	void add(struct wire wire)
	{
		plans.emplace_back();
		struct plan *plan = &plans.back();
		struct field field;
		while (read_field(&wire, &field))
			read_plan_field(field, plan);
		std::vector<struct plan *> &same_code = by_code[plan->country_code];
		same_code.insert(plan->is_main ? same_code.begin() : same_code.end(), plan);
		by_region[plan->id] = plan;
	}
};

const struct book &the_book()
{
	static const struct book book;
	return book;
}

// ---- patterns

// NULL for an empty pattern. *ret_is_usable turns false where RE2 does not know the syntax.
std::unique_ptr<RE2> compile(const std::string &pattern, bool *ret_is_usable)
{
	if (pattern.empty())
		return nullptr;
	RE2::Options options(RE2::DefaultOptions);
	options.set_log_errors(false);
	std::unique_ptr<RE2> compiled(new RE2(pattern, options));
	*ret_is_usable = *ret_is_usable && compiled->ok();
	return compiled;
}

bool prepare(struct plan *plan)
{
	std::call_once(plan->once, [plan] {
		bool is_usable = true;
		plan->compiled_idd = compile(plan->idd, &is_usable);
		plan->compiled_prefix = compile(plan->prefix, &is_usable);
		plan->compiled_leading = compile(plan->leading_digits, &is_usable);
		plan->general.compiled = compile(plan->general.pattern, &is_usable);
		for (struct kind &kind : plan->kinds)
			kind.compiled = compile(kind.pattern, &is_usable);
		plan->is_usable = is_usable && !plan->general.lengths.empty();
	});
	return plan->is_usable;
}

bool matches_whole(const struct kind &kind, const std::string &number)
{
	return kind.compiled != nullptr && RE2::FullMatch(number, *kind.compiled);
}

// Does the pattern match at the beginning? *ret_len is the length of the match.
bool matches_start(const RE2 *pattern, const std::string &number, size_t *ret_len)
{
	StringPiece match;
	if (pattern == nullptr || !pattern->Match(number, 0, number.size(), RE2::ANCHOR_START, &match, 1))
		return false;
	*ret_len = match.size();
	return true;
}

bool contains(const std::vector<int> &lengths, size_t length)
{
	for (int one : lengths)
		if (one == static_cast<int>(length))
			return true;
	return false;
}

bool is_of_kind(const struct kind &kind, const std::string &number)
{
	return (kind.lengths.empty() || contains(kind.lengths, number.size())) && matches_whole(kind, number);
}

bool is_in_plan(const struct plan &plan, const std::string &number)
{
	if (!is_of_kind(plan.general, number))
		return false;
	for (const struct kind &kind : plan.kinds)
		if (is_of_kind(kind, number))
			return true;
	return false;
}

enum fit { FITS, FITS_NOT, FITS_TOO_LONG };

// The library's TestNumberLength(), as far as its callers here tell its answers apart.
enum fit length_fit(const struct plan &plan, size_t length)
{
	if (contains(plan.general.local_lengths, length))
		return FITS_NOT;
	if (contains(plan.general.lengths, length))
		return FITS;
	return static_cast<int>(length) > plan.general.lengths.back() ? FITS_TOO_LONG : FITS_NOT;
}

// ---- parsing

bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// Digits with blanks, dots, dashes and parentheses between them, perhaps a plus in front. Anything else is not plain.
bool plain_digits(struct slice text, std::string *ret_digits, bool *ret_has_plus)
{
	*ret_has_plus = false;
	if (text.len > TEXT_BYTES_MAX)
		return false;
	for (size_t at = 0; at < text.len; at++) {
		char c = text.p[at];
		if (is_digit(c))
			ret_digits->push_back(c);
		else if (c == '+' && ret_digits->empty() && !*ret_has_plus)
			*ret_has_plus = true;
		else if (c != ' ' && c != '-' && c != '.' && c != '(' && c != ')')
			return false;
	}
	return ret_digits->size() >= DIGITS_MIN && ret_digits->size() <= DIGITS_MAX;
}

struct plan *find_region(const char *region)
{
	auto found = the_book().by_region.find(region);
	return found != the_book().by_region.end() ? found->second : nullptr;
}

const std::vector<struct plan *> *find_code(int country_code)
{
	auto found = the_book().by_code.find(country_code);
	return found != the_book().by_code.end() ? &found->second : nullptr;
}

// Takes the country code off the front of an international number. NULL: there is none.
struct plan *take_country_code(std::string *number)
{
	int code = 0;
	for (size_t len = 1; len <= 3 && len < number->size() && (*number)[0] != '0'; len++) {
		code = code * 10 + ((*number)[len - 1] - '0');
		const std::vector<struct plan *> *plans = find_code(code);
		if (plans != nullptr) {
			number->erase(0, len);
			return plans->front();
		}
	}
	return nullptr;
}

// A number written as at home. Declined (NULL) where it could also be meant as an international one.
struct plan *home_plan(const std::string &number, const char *default_region)
{
	struct plan *plan = default_region != nullptr ? find_region(default_region) : nullptr;
	size_t ignored;
	if (plan == nullptr || !prepare(plan) || matches_start(plan->compiled_idd.get(), number, &ignored))
		return nullptr;
	std::string code = std::to_string(plan->country_code);
	return number.compare(0, code.size(), code) == 0 ? nullptr : plan;
}

// Takes the national prefix ("0" of 030…) off, under the library's conditions. false: there is a rule for rewriting.
bool drop_national_prefix(const struct plan &plan, std::string *number)
{
	size_t len;
	if (!matches_start(plan.compiled_prefix.get(), *number, &len))
		return true;
	if (!plan.transform.empty())
		return false;
	std::string rest = number->substr(len);
	if (matches_whole(plan.general, *number) && !matches_whole(plan.general, rest))
		return true;
	if (length_fit(plan, rest.size()) != FITS_NOT)
		*number = rest;
	return true;
}

// The region whose plan the number is in, of those that share its country code; NULL: none. *ret_is_sure is false where a
// plan cannot be used.
struct plan *region_of(int country_code, const std::string &number, bool *ret_is_sure)
{
	const std::vector<struct plan *> &plans = *find_code(country_code);
	size_t ignored;
	for (struct plan *plan : plans) {
		*ret_is_sure = *ret_is_sure && prepare(plan);
		if (!*ret_is_sure)
			return nullptr;
		bool is_alone = plans.size() == 1;
		bool has_leading = plan->compiled_leading != nullptr;
		if (is_alone || (has_leading ? matches_start(plan->compiled_leading.get(), number, &ignored) : is_in_plan(*plan, number)))
			return plan;
	}
	return nullptr;
}

bool describe(int country_code, const std::string &number, struct plan_number *ret_number)
{
	struct plan *main_plan = find_code(country_code)->front();
	if (!prepare(main_plan) || main_plan->id == "001" || length_fit(*main_plan, number.size()) != FITS)
		return false;
	bool is_sure = true;
	struct plan *plan = region_of(country_code, number, &is_sure);
	*ret_number = {country_code, number, plan != nullptr ? plan->id : "ZZ", plan != nullptr && is_in_plan(*plan, number)};
	return is_sure;
}

} // namespace

bool plan_parse(struct slice text, const char *default_region, struct plan_number *ret_number)
{
	std::string number;
	bool has_plus;
	if (!plain_digits(text, &number, &has_plus))
		return false;
	struct plan *plan = has_plus ? take_country_code(&number) : home_plan(number, default_region);
	if (plan == nullptr || plan->country_code == MEXICO || !prepare(plan) || !drop_national_prefix(*plan, &number))
		return false;
	return describe(plan->country_code, number, ret_number);
}
