/* SPDX-License-Identifier: Apache-2.0
 *
 * A short way for plainly written phone numbers; for phone.cc only (C++).
 *
 * libphonenumber spends 15 µs on a number, nearly all of it on finding out how it is written. Most numbers are digits
 * with blanks between them. For those, this module takes the library's steps 3 to 7 of Parse() and its validity check,
 * on the library's own metadata (read from memory, nothing is copied or guessed), with the same patterns compiled by
 * RE2. Whatever is not plain is declined and goes to the library, which also is the judge: tests compare both on random
 * numbers of every country.
 */
#ifndef LR_RULES_TEXT_PHONE_PLAN_H
#define LR_RULES_TEXT_PHONE_PLAN_H

#include <string>

#include "rules/base/slice.h"

struct plan_number {
	int country_code;
	std::string national; // significant number, leading zeros included
	std::string region;   // "ZZ": in no plan of this country code
	bool is_valid;
};

// true: *ret_number is what the library would say, and the number is of a possible length. false: ask the library.
bool plan_parse(struct slice text, const char *default_region, struct plan_number *ret_number);

#endif
