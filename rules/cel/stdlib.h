/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators and functions of the language, as tables. A row is a struct cel_function like those of a caller, so that
 * the checker, the folder and the evaluator know no difference.
 */
#ifndef LR_RULES_CEL_STDLIB_H
#define LR_RULES_CEL_STDLIB_H

#include "rules/cel/cel.h"

struct function_table {
	const struct cel_function *rows;
	size_t count;
};

/* Tables of functions and methods; `index` counts up until one is empty. */
struct function_table stdlib_table(size_t index);
struct function_table stdlib_operators(void);
struct function_table stdlib_strings(void);
struct function_table stdlib_times(void);
struct function_table stdlib_conversions(void);
struct function_table stdlib_math(void);
struct function_table stdlib_optionals(void);

/* Parameters of generic signatures, and shapes made of them. */
extern const struct cel_type type_a, type_b, type_list_a, type_map_ab, type_of_a, type_optional_a;

#endif
