// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

#include "rules/text/phone.h"
#include "rules/text/phone_plan.hh"

namespace {

using i18n::phonenumbers::NullLogger;
using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

const int MEXICO = 52;
const int ARGENTINA = 54;

// The library's one instance, with its logging to stdout silenced before anybody else can use it.
const PhoneNumberUtil &library()
{
	static const PhoneNumberUtil &silenced = []() -> const PhoneNumberUtil & {
		PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
		util->SetLogger(new NullLogger()); // the library owns it
		return *util;
	}();
	return silenced;
}

const char *problem_of(PhoneNumberUtil::ErrorType error)
{
	switch (error) {
	case PhoneNumberUtil::NO_PARSING_ERROR:
		return nullptr;
	case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
		return "no such country code, or none and no default country";
	case PhoneNumberUtil::NOT_A_NUMBER:
		return "not a phone number";
	case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
	case PhoneNumberUtil::TOO_SHORT_NSN:
		return "too short";
	case PhoneNumberUtil::TOO_LONG_NSN:
		return "too long";
	}
	return "not a phone number";
}

const char *problem_of(PhoneNumberUtil::ValidationResult length)
{
	switch (length) {
	case PhoneNumberUtil::IS_POSSIBLE:
		return nullptr;
	case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
		return "area code missing";
	case PhoneNumberUtil::INVALID_COUNTRY_CODE:
		return "no such country code";
	case PhoneNumberUtil::TOO_SHORT:
		return "too short";
	case PhoneNumberUtil::INVALID_LENGTH:
		return "no number of this country has this length";
	case PhoneNumberUtil::TOO_LONG:
		return "too long";
	}
	return "not a phone number";
}

// Mexico dropped the 1 between country code and area code in 2019. Older metadata removes it, newer calls the number
// too long; so we remove it ourselves and get the same answer from both.
void drop_mexican_mobile_digit(PhoneNumber *number)
{
	const uint64_t lowest = 10000000000u, highest = 19999999999u; // 1 and ten digits
	uint64_t national = number->national_number();
	if (number->country_code() == MEXICO && national >= lowest && national <= highest)
		number->set_national_number(national - lowest);
}

// Argentina: 9 after the country code marks a mobile dialled from abroad, and is absent in the same number dialled at
// home. One line, two spellings, one key.
std::string key_national_number(int country_code, const std::string &national)
{
	const size_t mobile_digits = 11; // 9 and ten digits
	bool is_mobile = country_code == ARGENTINA && national.size() == mobile_digits && national[0] == '9';
	return is_mobile ? national.substr(1) : national;
}

void copy_bounded(const std::string &from, char *ret_text, size_t size)
{
	size_t len = from.size() < size ? from.size() : 0;
	std::memcpy(ret_text, from.data(), len);
	ret_text[len] = '\0';
}

enum phone_verdict refuse(struct phone *ret_phone, const char *problem)
{
	*ret_phone = {};
	ret_phone->verdict = PHONE_UNPARSABLE;
	ret_phone->problem = problem;
	return PHONE_UNPARSABLE;
}

enum phone_verdict describe(const struct plan_number &number, const std::string &extension, struct phone *ret_phone)
{
	std::string front = "+" + std::to_string(number.country_code);
	std::string e164 = front + number.national;
	std::string key = front + key_national_number(number.country_code, number.national);
	if (e164.size() >= PHONE_NUMBER_BYTES)
		return refuse(ret_phone, "too long");
	std::string region = number.region;
	if (region == "ZZ")
		library().GetRegionCodeForCountryCode(number.country_code, &region);
	copy_bounded(e164, ret_phone->e164, sizeof ret_phone->e164);
	copy_bounded(key, ret_phone->key, sizeof ret_phone->key);
	copy_bounded(region == "ZZ" ? "" : region, ret_phone->region, sizeof ret_phone->region);
	copy_bounded(extension, ret_phone->extension, sizeof ret_phone->extension);
	ret_phone->verdict = number.is_valid ? PHONE_VALID : PHONE_POSSIBLE;
	return ret_phone->verdict;
}

// The long way, for whatever is not plainly written.
enum phone_verdict parse_by_library(struct slice text, const char *default_region, struct phone *ret_phone)
{
	PhoneNumber parsed;
	PhoneNumberUtil::ErrorType error = library().Parse(std::string(text.p, text.len),
	                                                   default_region != nullptr ? default_region : "ZZ", &parsed);
	if (error != PhoneNumberUtil::NO_PARSING_ERROR)
		return refuse(ret_phone, problem_of(error));
	drop_mexican_mobile_digit(&parsed);
	const char *problem = problem_of(library().IsPossibleNumberWithReason(parsed));
	if (problem != nullptr)
		return refuse(ret_phone, problem);
	struct plan_number number = {parsed.country_code(), "", "", false};
	library().GetNationalSignificantNumber(parsed, &number.national);
	// The same two steps as IsValidNumber(), but the region is looked for once.
	library().GetRegionCodeForNumber(parsed, &number.region);
	number.is_valid = library().IsValidNumberForRegion(parsed, number.region);
	return describe(number, parsed.extension(), ret_phone);
}

} // namespace

extern "C" const char *phone_verdict_name(enum phone_verdict verdict)
{
	switch (verdict) {
	case PHONE_VALID:
		return "valid";
	case PHONE_POSSIBLE:
		return "possible";
	case PHONE_UNPARSABLE:
		return "unparsable";
	}
	return "unknown";
}

extern "C" enum phone_verdict phone_parse(struct slice text, const char *default_region, struct phone *ret_phone)
try {
	*ret_phone = {};
	if (text.len == 0)
		return refuse(ret_phone, "empty");
	if (text.len > PHONE_INPUT_BYTES)
		return refuse(ret_phone, "too long");
	struct plan_number number;
	if (plan_parse(text, default_region, &number))
		return describe(number, "", ret_phone);
	return parse_by_library(text, default_region, ret_phone);
} catch (...) {
	return refuse(ret_phone, "not a phone number");
}

extern "C" enum phone_verdict phone_parse_slowly(struct slice text, const char *default_region, struct phone *ret_phone)
try {
	*ret_phone = {};
	return parse_by_library(text, default_region, ret_phone);
} catch (...) {
	return refuse(ret_phone, "not a phone number");
}

extern "C" void phone_warm_up(void)
{
	struct phone ignored;
	phone_parse(SLICE("+12015550123"), nullptr, &ignored);
	phone_parse_slowly(SLICE("+12015550123"), nullptr, &ignored);
}
