/* SPDX-License-Identifier: Apache-2.0
 *
 * Contact data as persons may read it (design.md law 10): "138****5678", "a***@example.com", "王***". For logs, digests
 * and every screen that is not the owner's. Results lie in the caller's arena; work is linear in the input.
 */
#ifndef LR_RULES_TEXT_MASK_H
#define LR_RULES_TEXT_MASK_H

#include "rules/base/slice.h"

struct arena;
struct strbuf;

enum { MASK_TEXT_BYTES = 8192 }; /* mask_text cuts longer text and says so with "…" */

/* The digits (and a leading +) with at least four of them hidden; short numbers show two or none. */
struct slice mask_phone(struct arena *arena, struct slice phone);
/* First character of the local part, then the domain. A local part of one character is hidden whole, and so is text
 * without an @. */
struct slice mask_email(struct arena *arena, struct slice email);
/* First character and "***"; "" stays "". */
struct slice mask_name(struct arena *arena, struct slice name);
/* Appends `text` with everything that looks like an e-mail address or a phone number (7 or more digits, whatever stands
 * between them) masked. Errs on the side of masking: long numbers that are no phones are masked too; dates as in
 * ISO 8601, UUIDs and digests in hex are not. Control characters become spaces, bad UTF-8 becomes "?", so the result is one line. */
void mask_text(struct strbuf *out, struct slice text);

#endif
