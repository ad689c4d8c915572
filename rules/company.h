/* SPDX-License-Identifier: Apache-2.0
 *
 * What makes two companies the same: the domain, or the name without its legal form. Domains of public mail providers say
 * nothing about a company and are none (semantics.md 2.5, 2.6).
 */
#ifndef LR_RULES_COMPANY_H
#define LR_RULES_COMPANY_H

#include <stdbool.h>

#include "rules/base/slice.h"

struct arena;
struct dedup_rules;

/* Raise it when any input may get another key than before: it is part of stored keys. */
enum { COMPANY_NORMALISER_VERSION = 1 };

/* "ACME Europe GmbH & Co. KG" -> "acmeeurope". Empty for what is no name: "n/a", "-". */
struct slice company_name_key(struct slice name, struct arena *arena);
/* "https://www.Acme.example/contact" -> "acme.example". Empty for what is no domain, and for public mail. */
struct slice company_domain_key(const struct dedup_rules *rules, struct slice domain, struct arena *arena);
/* Does everybody get an address there? `domain` is canonical: ASCII, lower case. */
bool company_is_public_mail(const struct dedup_rules *rules, struct slice domain);
/* Is it a word that stands for nothing, such as "n/a" or "unknown"? `key` is a text_key(). */
bool company_is_placeholder(struct slice key);

#endif
