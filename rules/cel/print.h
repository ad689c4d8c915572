/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces of printing that conversions and encoders share.
 */
#ifndef LR_RULES_CEL_PRINT_H
#define LR_RULES_CEL_PRINT_H

#include <stdbool.h>

#include "rules/base/slice.h"
#include "rules/base/strbuf.h"

/* The shortest text that reads back as the same number; as a literal it always shows that it is a double. */
void cel_print_double(struct strbuf *buf, double number, bool is_literal);
/* RFC 4648 §4, padded. */
void cel_print_base64(struct strbuf *buf, struct slice bytes);
/* The reverse; padding may be missing. `ret_bytes` has room for text.len. False when the text is not base64. */
bool cel_read_base64(struct slice text, char *ret_bytes, size_t *ret_len);

#endif
