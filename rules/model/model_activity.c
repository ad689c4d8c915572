/* SPDX-License-Identifier: Apache-2.0
 *
 * followup.activity: the words for methods, and what a record of a follow-up has to say.
 */
#include "rules/base/suggest.h"
#include "rules/model/model_build.h"
#include "rules/touch.h"

static bool read_field(struct model_builder *builder, const struct node *node, unsigned *required)
{
	struct slice text;
	if (!node_read_text(node, "a member of a follow-up", builder->diags, &text))
		return false;
	struct suggest suggest = suggest_for(text);
	for (int field = 0; field < TOUCH_FIELDS_ALL; field++) {
		const char *name = touch_field_name((enum touch_field)field);
		suggest_offer(&suggest, slice_of(name));
		if (slice_is(text, name)) {
			*required |= 1u << field;
			return true;
		}
	}
	struct diag *diag = diags_add(builder->diags, ERR_BAD_VALUE, node->span, "a follow-up does not have `%.*s`", SLICE_ARG(text));
	diag_did_you_mean(builder->diags, diag, suggest.best);
	return false;
}

/* `[method, reaction]` */
static unsigned read_required(struct model_builder *builder, const struct node *list)
{
	unsigned required = 0;
	if (list == NULL || !node_expect_sequence(list, "required", builder->diags))
		return 0;
	for (size_t i = 0; i < list->count; i++)
		read_field(builder, list->items[i], &required);
	return required;
}

/* `- phone` or `- {method: visit, required: [content]}` */
static bool read_method(struct model_builder *builder, const struct node *node, unsigned required,
                        struct model_names *names, struct touch_method *method)
{
	static const char *const known[] = {"method", "required", NULL};
	const struct node *name = node;
	*method = (struct touch_method){.required = required};
	if (node->kind != NODE_SCALAR) {
		if (!node_expect_mapping(node, "a method", builder->diags) ||
		    !node_check_keys(node, known, "a method", builder->diags))
			return false;
		name = node_require(node, "method", "a method", builder->diags);
		method->required |= read_required(builder, node_get(node, "required"));
	}
	return name != NULL && model_read_name(builder, name, "a method", &method->name) &&
	       model_names_add(builder, names, method->name, name);
}

static void read_methods(struct model_builder *builder, const struct node *list, struct touch_rules *rules)
{
	if (!node_expect_sequence(list, "methods", builder->diags))
		return;
	if (list->count > TOUCH_METHODS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d methods", TOUCH_METHODS_MAX);
		return;
	}
	struct touch_method *methods = arena_array(builder->arena, list->count, sizeof *methods);
	struct model_names names;
	model_names_init(&names, "method");
	for (size_t i = 0; i < list->count; i++)
		rules->method_count +=
			read_method(builder, list->items[i], rules->required, &names, &methods[rules->method_count]);
	model_names_done(&names);
	rules->methods = methods;
}

/* The same for every lead: nobody's calendar counts. */
static void read_wait(struct model_builder *builder, const struct node *node, struct touch_rules *rules)
{
	struct span span;
	if (node == NULL || !model_read_span(builder, node, "wait_for_lead", &span))
		return;
	if (span.days != 0 || span.business_days != 0 || span.business_ms != 0 || span.elapsed_ms > TOUCH_WAIT_MS_MAX)
		diags_add(builder->diags, ERR_OUT_OF_RANGE, node->span, "in hours, minutes and seconds, at most 48h");
	rules->wait_ms = span.elapsed_ms;
}

void model_build_activity(struct model_builder *builder)
{
	static const char *const known[] = {"methods", "required", "wait_for_lead", NULL};
	const struct node *section = node_get(model_section(builder, "followup", NODE_MAPPING), "activity");
	struct touch_rules *rules = &builder->model->touch_rules;
	if (section == NULL || !node_expect_mapping(section, "followup.activity", builder->diags))
		return;
	node_check_keys(section, known, "followup.activity", builder->diags);
	rules->required = read_required(builder, node_get(section, "required"));
	read_wait(builder, node_get(section, "wait_for_lead"), rules);
	if (node_get(section, "methods") != NULL)
		read_methods(builder, node_get(section, "methods"), rules);
}
