/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cloudevents.h"

#include <strings.h>

#include "rules/base/arena.h"
#include "rules/base/utf8.h"
#include "rules/json/json.h"
#include "rules/rules.h"

static const struct json_limits limits = {RULES_RECORD_BYTES_MAX, RULES_JSON_DEPTH_MAX, RULES_JSON_VALUES_MAX};

static bool equal_ignoring_case(struct slice text, const char *name)
{
	return text.len == strlen(name) && strncasecmp(text.p, name, text.len) == 0;
}

/* The last header of that name: Kafka keeps repeats in order, and the later one is the later word. */
static struct slice header(const struct record *record, const char *name)
{
	for (size_t i = record->header_count; i-- > 0;)
		if (equal_ignoring_case(record->headers[i].name, name))
			return record->headers[i].value.p != NULL ? record->headers[i].value : SLICE_NONE;
	return SLICE_NONE;
}

static bool contains_ignoring_case(struct slice text, const char *part)
{
	size_t len = strlen(part);
	for (size_t at = 0; at + len <= text.len; at++)
		if (strncasecmp(text.p + at, part, len) == 0)
			return true;
	return false;
}

/* The media type without parameters: "Application/JSON; charset=utf-8" is application/json. */
static struct slice media_type(struct slice content_type)
{
	size_t len = 0;
	while (len < content_type.len && content_type.p[len] != ';' && content_type.p[len] != ' ')
		len++;
	return (struct slice){content_type.p, len};
}

static bool is_json_type(struct slice media)
{
	if (media.len == 0 || equal_ignoring_case(media, "application/json") || equal_ignoring_case(media, "text/json"))
		return true;
	return media.len > 5 && equal_ignoring_case((struct slice){media.p + media.len - 5, 5}, "+json");
}

/* A traceparent is passed on only in its exact form: 00-<32 hex>-<16 hex>-<2 hex>. */
static bool is_traceparent(struct slice text)
{
	if (text.len != 55)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		bool is_dash = i == 2 || i == 35 || i == 52;
		char c = text.p[i];
		bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
		if (is_dash ? c != '-' : !is_hex)
			return false;
	}
	return true;
}

static int check_attribute(struct slice value, const char *name, struct err *err)
{
	if (value.len == 0)
		return err_set_at(err, ERR_BAD_CLOUDEVENT, name, "the attribute is missing or empty");
	if (value.len > CLOUDEVENT_ATTRIBUTE_BYTES_MAX || utf8_first_bad(value) != value.len)
		return err_set_at(err, ERR_BAD_CLOUDEVENT, name, "the attribute is too long or no UTF-8");
	return 0;
}

static int check_attributes(const struct envelope *envelope, struct slice version, struct err *err)
{
	if (!slice_is(version, "1.0"))
		return err_set_at(err, ERR_BAD_CLOUDEVENT, "specversion", "only 1.0 is understood");
	if (check_attribute(envelope->id, "id", err) != 0 || check_attribute(envelope->source, "source", err) != 0)
		return -1;
	return check_attribute(envelope->type, "type", err);
}

static int take_data(const struct json *data, struct envelope *envelope, struct err *err)
{
	if (data == NULL || data->type != JSON_IS_OBJECT)
		return err_set(err, ERR_NOT_AN_OBJECT, "the data is no JSON object");
	envelope->data = data;
	return 0;
}

static int open_binary(const struct record *record, struct slice content_type, const struct data_taker *taker,
                       struct arena *arena, struct envelope *envelope, struct err *err)
{
	envelope->id = header(record, "ce_id");
	envelope->source = header(record, "ce_source");
	envelope->type = header(record, "ce_type");
	if (check_attributes(envelope, header(record, "ce_specversion"), err) != 0)
		return -1;
	if (!is_json_type(media_type(content_type)))
		return err_set(err, ERR_CONTENT_TYPE, "the content type of the data is not JSON");
	if (taker->take(taker->ctx, record->value))
		return 0;
	const struct json *data = json_read(record->value, limits, arena, err);
	return data != NULL ? take_data(data, envelope, err) : -1;
}

static int open_structured(const struct json *root, struct envelope *envelope, struct err *err)
{
	envelope->id = json_get_text(root, "id");
	envelope->source = json_get_text(root, "source");
	envelope->type = json_get_text(root, "type");
	if (check_attributes(envelope, json_get_text(root, "specversion"), err) != 0)
		return -1;
	if (envelope->traceparent.len == 0)
		envelope->traceparent = json_get_text(root, "traceparent");
	if (json_get(root, "data_base64") != NULL || !is_json_type(media_type(json_get_text(root, "datacontenttype"))))
		return err_set(err, ERR_CONTENT_TYPE, "the data of the CloudEvent is not JSON");
	return take_data(json_get(root, "data"), envelope, err);
}

/* Structured or bare: both are one JSON document. */
static int open_document(const struct record *record, struct slice media, const struct data_taker *taker,
                         struct arena *arena, struct envelope *envelope, struct err *err)
{
	bool is_declared = contains_ignoring_case(media, "application/cloudevents");
	if (contains_ignoring_case(media, "cloudevents-batch") || !is_json_type(media))
		if (!equal_ignoring_case(media, "application/cloudevents"))
			return err_set(err, ERR_CONTENT_TYPE, "the content type of the record is not JSON");
	if (!is_declared && taker->take(taker->ctx, record->value))
		return 0;
	const struct json *root = json_read(record->value, limits, arena, err);
	if (root == NULL)
		return -1;
	if (root->type != JSON_IS_OBJECT)
		return err_set(err, ERR_NOT_AN_OBJECT, "the value is no JSON object");
	if (is_declared || json_get(root, "specversion") != NULL)
		return open_structured(root, envelope, err);
	envelope->type = json_get_text(root, "type");
	return take_data(root, envelope, err);
}

static int open_any(const struct record *record, const struct data_taker *taker, struct arena *arena,
                    struct envelope *envelope, struct err *err)
{
	struct slice content_type = header(record, "content-type");
	envelope->traceparent = header(record, "ce_traceparent");
	if (envelope->traceparent.len == 0)
		envelope->traceparent = header(record, "traceparent");
	if (header(record, "ce_specversion").len != 0)
		return open_binary(record, content_type, taker, arena, envelope, err);
	return open_document(record, media_type(content_type), taker, arena, envelope, err);
}

int cloudevents_open(const struct record *record, const struct data_taker *taker, struct arena *arena,
                     struct envelope *ret_envelope, struct err *err)
{
	if (!record->has_value || record->value.len == 0)
		return err_set(err, ERR_RECORD_EMPTY, "the record has no value");
	if (record->has_unreadable_headers)
		return err_set(err, ERR_TOO_MANY_HEADERS, "more headers than the Kafka client takes; the copy is without them");
	if (record->header_count > RULES_HEADERS_MAX)
		return err_set(err, ERR_TOO_MANY_HEADERS, "%zu headers, at most %d are taken", record->header_count,
		               RULES_HEADERS_MAX);
	struct envelope envelope = {0};
	int result = open_any(record, taker, arena, &envelope, err);
	if (!is_traceparent(envelope.traceparent))
		envelope.traceparent = SLICE_NONE;
	*ret_envelope = envelope;
	return result;
}
