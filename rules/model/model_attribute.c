/* SPDX-License-Identifier: Apache-2.0
 *
 * reps[].attributes: what a rep is good at, where, how senior. A name is declared by its use; all reps must agree on what
 * kind of value it has, so that expressions can be checked:
 *
 *     region: emea          text         cost: 2           whole number       skills: [banking, risk]    list of texts
 *
 * Where one rep has a list, a single text of another is a list of one.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/cel/value.h"
#include "rules/model/model_build.h"

/* One attribute of one rep, as written. */
struct attribute {
	struct slice name;
	size_t rep;
	struct cel_value value;
	const struct node *key;
};

struct attributes {
	struct attribute *items;
	size_t count;
};

static bool is_identifier(struct slice name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] == '\0' || strchr(letters, name.p[i]) == NULL)
			return false;
	return name.len > 0 && name.len <= MODEL_NAME_BYTES && (name.p[0] < '0' || name.p[0] > '9');
}

static bool is_number(struct slice text)
{
	size_t at = text.len > 0 && text.p[0] == '-';
	if (text.len == at || text.len - at > 15 || (text.p[at] == '0' && text.len > 1))
		return false;
	for (; at < text.len; at++)
		if (text.p[at] < '0' || text.p[at] > '9')
			return false;
	return true;
}

static bool read_scalar(struct model_builder *builder, const struct node *node, struct cel_value *ret_value)
{
	struct slice text;
	if (node->kind == NODE_SCALAR && node->style == NODE_PLAIN && is_number(node->text)) {
		int64_t number;
		if (!node_read_int(node, "an attribute", INT64_MIN, INT64_MAX, builder->diags, &number))
			return false;
		*ret_value = cel_int(number);
		return true;
	}
	if (node->kind == NODE_SCALAR && node->style == NODE_PLAIN && (slice_is(node->text, "true") || slice_is(node->text, "false"))) {
		diags_add(builder->diags, ERR_WRONG_TYPE, node->span, "an attribute is a text, a whole number or a list of texts");
		return false;
	}
	if (!node_read_text(node, "an attribute", builder->diags, &text))
		return false;
	*ret_value = cel_string(text);
	return true;
}

static bool read_list(struct model_builder *builder, const struct node *node, struct cel_value *ret_value)
{
	if (node->count > MODEL_ATTRIBUTE_ITEMS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, node->span, "an attribute with more than %d items",
		          MODEL_ATTRIBUTE_ITEMS_MAX);
		return false;
	}
	struct cel_value *items = arena_array(builder->arena, node->count, sizeof *items);
	for (size_t i = 0; i < node->count; i++) {
		struct slice text;
		if (!node_read_text(node->items[i], "an item of an attribute", builder->diags, &text))
			return false;
		items[i] = cel_string(text);
	}
	*ret_value = cel_list_of(builder->arena, items, node->count);
	return true;
}

static void read_attribute(struct model_builder *builder, const struct node_member *member, size_t rep,
                           struct attributes *all)
{
	struct cel_value value;
	if (!is_identifier(member->key->text)) {
		struct diag *diag = diags_add(builder->diags, ERR_BAD_NAME, member->key->span,
		                              "an attribute is named by a lower-case letter, then letters, digits and `_`");
		diag_note(builder->diags, diag, "it becomes the expression rep.attributes.NAME");
		return;
	}
	bool is_read = member->value->kind == NODE_SEQUENCE ? read_list(builder, member->value, &value)
	                                                    : read_scalar(builder, member->value, &value);
	if (is_read)
		all->items[all->count++] = (struct attribute){member->key->text, rep, value, member->key};
}

static int by_name(const void *left, const void *right)
{
	const struct attribute *a = left, *b = right;
	int order = slice_compare(a->name, b->name);
	return order != 0 ? order : (a->rep > b->rep) - (a->rep < b->rep);
}

static const struct cel_type *type_of(const struct attribute *attributes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (attributes[i].value.kind == CEL_LIST)
			return &cel_type_strings;
	return attributes[0].value.kind == CEL_INT ? &cel_type_int : &cel_type_string;
}

static bool fits(const struct attribute *attribute, const struct cel_type *type)
{
	return (attribute->value.kind == CEL_INT) == (type->kind == CEL_INT);
}

static void report_mixed(struct model_builder *builder, const struct attribute *attributes, size_t count,
                         const struct cel_type *type)
{
	const struct attribute *odd = attributes, *other = attributes;
	while (fits(odd, type) && odd < attributes + count - 1)
		odd++;
	while (!fits(other, type) && other < attributes + count - 1)
		other++;
	struct diag *diag = diags_add(builder->diags, ERR_ATTRIBUTE_KIND, odd->key->span,
	                              "the attribute `%.*s` is %s here, and %s elsewhere", SLICE_ARG(odd->name),
	                              odd->value.kind == CEL_INT ? "a number" : "text", type->kind == CEL_INT ? "a number" : "text");
	diag_second(builder->diags, diag, other->key->span, "there");
}

/* All reps' values of one name become one field. */
static void declare(struct model_builder *builder, const struct attribute *attributes, size_t count, size_t field,
                    struct cel_field *ret_field)
{
	const struct cel_type *type = type_of(attributes, count);
	bool some_lack_it = count < builder->model->rep_count; /* an absent text or list is empty, an absent number misleads */
	*ret_field = (struct cel_field){arena_memdupz(builder->arena, attributes[0].name.p, attributes[0].name.len), type,
	                                type->kind == CEL_INT && some_lack_it};
	for (size_t i = 0; i < count; i++) {
		struct cel_value value = attributes[i].value;
		if (!fits(&attributes[i], type)) {
			report_mixed(builder, attributes, count, type);
			return;
		}
		if (type->kind == CEL_LIST && value.kind != CEL_LIST) {
			struct cel_value *item = arena_alloc(builder->arena, sizeof *item);
			*item = value;
			value = cel_list_of(builder->arena, item, 1);
		}
		struct cel_value *values = (struct cel_value *)(uintptr_t)builder->model->reps[attributes[i].rep].attributes;
		values[field] = value;
	}
}

static size_t run_length(const struct attributes *all, size_t from)
{
	size_t to = from;
	while (to < all->count && slice_equal(all->items[to].name, all->items[from].name))
		to++;
	return to - from;
}

static void declare_all(struct model_builder *builder, struct attributes *all)
{
	struct model *model = builder->model;
	size_t count = 0;
	qsort(all->items, all->count, sizeof *all->items, by_name);
	for (size_t at = 0; at < all->count; at += run_length(all, at))
		count++;
	if (count > MODEL_ATTRIBUTES_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, all->items[0].key->span, "more than %d different attributes of reps",
		          MODEL_ATTRIBUTES_MAX);
		return;
	}
	struct cel_field *fields = arena_array(builder->arena, count, sizeof *fields);
	for (size_t i = 0; i < model->rep_count; i++)
		((struct rep *)(uintptr_t)model->reps)[i].attributes =
			arena_array(builder->arena, count, sizeof *model->reps[i].attributes);
	size_t field = 0;
	for (size_t at = 0; at < all->count; at += run_length(all, at), field++)
		declare(builder, &all->items[at], run_length(all, at), field, &fields[field]);
	model->attributes = fields;
	model->attribute_count = count;
}

void model_build_attributes(struct model_builder *builder, const struct node *const *nodes)
{
	size_t most = 0;
	for (size_t i = 0; i < builder->model->rep_count; i++)
		most += nodes[i] != NULL && nodes[i]->kind == NODE_MAPPING ? nodes[i]->count : 0;
	struct attributes all = {arena_array(&builder->scratch, most, sizeof *all.items), 0};
	for (size_t i = 0; i < builder->model->rep_count; i++) {
		if (nodes[i] == NULL || !node_expect_mapping(nodes[i], "attributes", builder->diags))
			continue;
		for (size_t m = 0; m < nodes[i]->count; m++)
			read_attribute(builder, &nodes[i]->members[m], i, &all);
	}
	declare_all(builder, &all);
}
