/* SPDX-License-Identifier: Apache-2.0
 *
 * Phone numbers: what a person typed → E.164 and an identity key (libphonenumber plus our own rules).
 *
 * The library's answers change with its metadata: "+52 1 55 1234 5678" is valid and loses the 1 in one release, and is
 * invalid and keeps it in the next. Two numbers of one person must not become two people after an upgrade, so the
 * identity key follows rules of our own on top, and whoever stores a key stamps it with PHONE_NORMALISER_VERSION.
 * An invalid number lowers a grade; it is never a reason to reject a lead.
 */
#ifndef LR_RULES_TEXT_PHONE_H
#define LR_RULES_TEXT_PHONE_H

#include "rules/base/slice.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	/* Raise it whenever any input may get another key than before: a rule below changes, or one is added. Stored keys
	 * of the old version then live on beside the new ones. */
	PHONE_NORMALISER_VERSION = 1,
	PHONE_INPUT_BYTES = 250, /* longer text is no phone number; the library stops at the same length */
	PHONE_NUMBER_BYTES = 20, /* "+", 15 digits, room for the library's own 17, NUL */
	PHONE_EXTENSION_BYTES = 12,
};

enum phone_verdict {
	PHONE_VALID,      /* in the numbering plan of its country */
	PHONE_POSSIBLE,   /* of a possible length, but not in the plan that we have: keep it, trust it less */
	PHONE_UNPARSABLE, /* no number that could be dialled from abroad; see `problem` */
};

struct phone {
	enum phone_verdict verdict;
	char e164[PHONE_NUMBER_BYTES];         /* "+4915112345678"; "" when unparsable */
	char key[PHONE_NUMBER_BYTES];          /* e164 after our rules; equal keys = same line. "" when unparsable */
	char region[4];                        /* ISO alpha-2 of the numbering plan ("DE", "001" world-wide); "" unknown */
	char extension[PHONE_EXTENSION_BYTES]; /* "42" of "… ext. 42"; part of neither e164 nor key */
	const char *problem;                   /* "too short", …; static text, NULL unless PHONE_UNPARSABLE */
};

/* "valid", "possible", "unparsable". */
const char *phone_verdict_name(enum phone_verdict verdict);
/* `default_region` (ISO alpha-2, or NULL) is the country of numbers without a country code. Takes letters (vanity),
 * full-width and other scripts' digits, any punctuation. Fills *ret_phone always; returns its verdict. Thread-safe. */
enum phone_verdict phone_parse(struct slice text, const char *default_region, struct phone *ret_phone);
/* The same by the library alone, without our short way for plainly written numbers (phone_plan.h). For the test that
 * compares the two, and for the doubtful. */
enum phone_verdict phone_parse_slowly(struct slice text, const char *default_region, struct phone *ret_phone);
/* Loads the metadata (6 ms), so that the first lead need not wait for it. Once per process; more does no harm. */
void phone_warm_up(void);

#ifdef __cplusplus
}
#endif

#endif
