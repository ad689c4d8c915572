/* SPDX-License-Identifier: Apache-2.0
 *
 * Values as text: as CEL literals for people and traces, and as typed JSON for programs.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/cel/print.h"
#include "rules/cel/time.h"
#include "rules/cel/value.h"

void cel_print_double(struct strbuf *buf, double number, bool is_literal)
{
	char text[40];
	if (isnan(number) || isinf(number)) {
		strbuf_puts(buf, isnan(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf");
		return;
	}
	snprintf(text, sizeof text, "%.15g", number);
	if (strtod(text, NULL) != number)
		snprintf(text, sizeof text, "%.16g", number);
	if (strtod(text, NULL) != number)
		snprintf(text, sizeof text, "%.17g", number);
	strbuf_puts(buf, text);
	if (is_literal && strpbrk(text, ".e") == NULL)
		strbuf_puts(buf, ".0");
}

static void print_quoted(struct strbuf *buf, struct slice text)
{
	strbuf_putc(buf, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.p[i];
		if (byte == '"' || byte == '\\')
			strbuf_printf(buf, "\\%c", byte);
		else if (byte == '\n')
			strbuf_puts(buf, "\\n");
		else if (byte == '\t')
			strbuf_puts(buf, "\\t");
		else if (byte < 0x20 || byte == 0x7f)
			strbuf_printf(buf, "\\u%04x", byte);
		else
			strbuf_putc(buf, (char)byte);
	}
	strbuf_putc(buf, '"');
}

static void print_bytes(struct strbuf *buf, struct slice bytes)
{
	strbuf_puts(buf, "b\"");
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char byte = (unsigned char)bytes.p[i];
		if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\')
			strbuf_printf(buf, "\\x%02x", byte);
		else
			strbuf_putc(buf, (char)byte);
	}
	strbuf_putc(buf, '"');
}

static void print_list(struct strbuf *buf, const struct cel_list *list)
{
	strbuf_putc(buf, '[');
	for (uint32_t i = 0; i < list->count; i++) {
		if (i != 0)
			strbuf_puts(buf, ", ");
		cel_print(buf, list->items[i]);
	}
	strbuf_putc(buf, ']');
}

static void print_map(struct strbuf *buf, const struct cel_map *map)
{
	strbuf_putc(buf, '{');
	for (uint32_t i = 0; i < map->count; i++) {
		if (i != 0)
			strbuf_puts(buf, ", ");
		cel_print(buf, map->entries[i].key);
		strbuf_puts(buf, ": ");
		cel_print(buf, map->entries[i].value);
	}
	strbuf_putc(buf, '}');
}

static void print_time(struct strbuf *buf, struct cel_value value)
{
	bool is_timestamp = value.kind == CEL_TIMESTAMP;
	strbuf_puts(buf, is_timestamp ? "timestamp(\"" : "duration(\"");
	if (is_timestamp)
		cel_time_print(buf, value);
	else
		cel_duration_print(buf, value);
	strbuf_puts(buf, "\")");
}

static void print_optional(struct strbuf *buf, const struct cel_value *inner)
{
	if (inner == NULL) {
		strbuf_puts(buf, "optional.none()");
		return;
	}
	strbuf_puts(buf, "optional.of(");
	cel_print(buf, *inner);
	strbuf_putc(buf, ')');
}

void cel_print(struct strbuf *buf, struct cel_value value)
{
	switch ((enum cel_kind)value.kind) {
	case CEL_BOOL:
		strbuf_puts(buf, value.as.boolean ? "true" : "false");
		return;
	case CEL_INT:
		strbuf_put_int(buf, value.as.integer);
		return;
	case CEL_UINT:
		strbuf_printf(buf, "%" PRIu64 "u", value.as.natural);
		return;
	case CEL_DOUBLE:
		cel_print_double(buf, value.as.number, true);
		return;
	case CEL_STRING:
		print_quoted(buf, cel_slice(value));
		return;
	case CEL_BYTES:
		print_bytes(buf, cel_slice(value));
		return;
	case CEL_TIMESTAMP:
	case CEL_DURATION:
		print_time(buf, value);
		return;
	case CEL_LIST:
		print_list(buf, value.as.list);
		return;
	case CEL_MAP:
		print_map(buf, value.as.map);
		return;
	case CEL_OBJECT:
		strbuf_printf(buf, "%s{…}", value.as.object->type->name);
		return;
	case CEL_TYPE:
		strbuf_puts(buf, cel_type_label(value.as.type));
		return;
	case CEL_OPTIONAL:
		print_optional(buf, value.as.inner);
		return;
	case CEL_ERROR:
		strbuf_printf(buf, "error: %s", value.as.error->text);
		return;
	case CEL_NULL:
	case CEL_DYN:
	case CEL_PARAM:
		strbuf_puts(buf, "null");
		return;
	}
}

/* ---- typed JSON */

static void json_string(struct strbuf *buf, struct slice text)
{
	strbuf_putc(buf, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.p[i];
		if (byte == '"' || byte == '\\')
			strbuf_printf(buf, "\\%c", byte);
		else if (byte < 0x20)
			strbuf_printf(buf, "\\u%04x", byte);
		else
			strbuf_putc(buf, (char)byte);
	}
	strbuf_putc(buf, '"');
}

void cel_print_base64(struct strbuf *buf, struct slice bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t word = (uint32_t)(unsigned char)bytes.p[i] << 16;
		if (left > 1)
			word |= (uint32_t)(unsigned char)bytes.p[i + 1] << 8;
		if (left > 2)
			word |= (unsigned char)bytes.p[i + 2];
		strbuf_putc(buf, digits[word >> 18]);
		strbuf_putc(buf, digits[word >> 12 & 63]);
		strbuf_putc(buf, left > 1 ? digits[word >> 6 & 63] : '=');
		strbuf_putc(buf, left > 2 ? digits[word & 63] : '=');
	}
}

static int digit_of(char byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return byte - 'A';
	if (byte >= 'a' && byte <= 'z')
		return byte - 'a' + 26;
	if (byte >= '0' && byte <= '9')
		return byte - '0' + 52;
	return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}

bool cel_read_base64(struct slice text, char *ret_bytes, size_t *ret_len)
{
	for (int pad = 0; pad < 2 && text.len > 0 && text.p[text.len - 1] == '='; pad++)
		text.len--;
	if (text.len % 4 == 1)
		return false;
	size_t len = 0;
	uint32_t word = 0;
	for (size_t i = 0; i < text.len; i++) {
		int digit = digit_of(text.p[i]);
		if (digit < 0)
			return false;
		word = word << 6 | (uint32_t)digit;
		if (i % 4 != 0)
			ret_bytes[len++] = (char)(word >> (6 - 2 * (i % 4)));
	}
	*ret_len = len;
	return true;
}

static void json_list(struct strbuf *buf, const struct cel_list *list)
{
	strbuf_puts(buf, "{\"list\":[");
	for (uint32_t i = 0; i < list->count; i++) {
		if (i != 0)
			strbuf_putc(buf, ',');
		cel_print_typed(buf, list->items[i]);
	}
	strbuf_puts(buf, "]}");
}

static void json_map(struct strbuf *buf, const struct cel_map *map)
{
	strbuf_puts(buf, "{\"map\":[");
	for (uint32_t i = 0; i < map->count; i++) {
		strbuf_puts(buf, i != 0 ? ",[" : "[");
		cel_print_typed(buf, map->entries[i].key);
		strbuf_putc(buf, ',');
		cel_print_typed(buf, map->entries[i].value);
		strbuf_putc(buf, ']');
	}
	strbuf_puts(buf, "]}");
}

/* JSON has no word for NaN and the infinities: they go as strings, as in protobuf's JSON. */
static void json_double(struct strbuf *buf, double number)
{
	strbuf_puts(buf, "{\"double\":");
	if (isnan(number) || isinf(number))
		strbuf_puts(buf, isnan(number) ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
	else
		cel_print_double(buf, number, true);
	strbuf_putc(buf, '}');
}

static void json_time(struct strbuf *buf, struct cel_value value)
{
	strbuf_puts(buf, value.kind == CEL_TIMESTAMP ? "{\"timestamp\":\"" : "{\"duration\":\"");
	if (value.kind == CEL_TIMESTAMP)
		cel_time_print(buf, value);
	else
		cel_duration_print(buf, value);
	strbuf_puts(buf, "\"}");
}

static void json_text(struct strbuf *buf, const char *key, struct slice text)
{
	strbuf_printf(buf, "{\"%s\":", key);
	json_string(buf, text);
	strbuf_putc(buf, '}');
}

static void json_bytes(struct strbuf *buf, struct slice bytes)
{
	strbuf_puts(buf, "{\"bytes\":\"");
	cel_print_base64(buf, bytes);
	strbuf_puts(buf, "\"}");
}

static void json_optional(struct strbuf *buf, const struct cel_value *inner)
{
	strbuf_puts(buf, "{\"optional\":");
	if (inner == NULL)
		strbuf_puts(buf, "null");
	else
		cel_print_typed(buf, *inner);
	strbuf_putc(buf, '}');
}

void cel_print_typed(struct strbuf *buf, struct cel_value value)
{
	switch ((enum cel_kind)value.kind) {
	case CEL_BOOL:
		strbuf_printf(buf, "{\"bool\":%s}", value.as.boolean ? "true" : "false");
		return;
	case CEL_INT:
		strbuf_printf(buf, "{\"int\":\"%" PRId64 "\"}", value.as.integer);
		return;
	case CEL_UINT:
		strbuf_printf(buf, "{\"uint\":\"%" PRIu64 "\"}", value.as.natural);
		return;
	case CEL_DOUBLE:
		json_double(buf, value.as.number);
		return;
	case CEL_STRING:
		json_text(buf, "string", cel_slice(value));
		return;
	case CEL_BYTES:
		json_bytes(buf, cel_slice(value));
		return;
	case CEL_TIMESTAMP:
	case CEL_DURATION:
		json_time(buf, value);
		return;
	case CEL_LIST:
		json_list(buf, value.as.list);
		return;
	case CEL_MAP:
		json_map(buf, value.as.map);
		return;
	case CEL_OBJECT:
		json_text(buf, "object", slice_of(value.as.object->type->name));
		return;
	case CEL_TYPE:
		json_text(buf, "type", slice_of(cel_type_label(value.as.type)));
		return;
	case CEL_OPTIONAL:
		json_optional(buf, value.as.inner);
		return;
	case CEL_ERROR:
		json_text(buf, "error", slice_of(value.as.error->text));
		return;
	case CEL_NULL:
	case CEL_DYN:
	case CEL_PARAM:
		strbuf_puts(buf, "{\"null\":true}");
		return;
	}
}
