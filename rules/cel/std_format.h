/* SPDX-License-Identifier: Apache-2.0
 *
 * format() and quote() of the "strings" extension, and base64.
 */
#ifndef LR_RULES_CEL_STD_FORMAT_H
#define LR_RULES_CEL_STD_FORMAT_H

#include "rules/cel/stdlib.h"

/* args: the format, a list of what it names. */
struct cel_value cel_format(struct cel_run *run, const struct cel_value *args);
/* args: a string. */
struct cel_value cel_quote(struct cel_run *run, const struct cel_value *args);

struct function_table stdlib_encoders(void);

#endif
