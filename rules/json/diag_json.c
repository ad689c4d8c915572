/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/json/diag_json.h"

#include "rules/base/diag.h"
#include "rules/base/strbuf.h"
#include "rules/json/json.h"

static void put_text(struct json_writer *writer, const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_put_text(writer, name, slice_of(text));
}

static void put_path(struct json_writer *writer, const char *path, const char *directory)
{
	struct strbuf full = STRBUF_INIT;
	strbuf_printf(&full, "%s%s", path[0] == '/' ? "" : directory, path);
	json_put_text(writer, "file", slice_of(full.bytes));
	strbuf_done(&full);
}

static void put_mark(struct json_writer *writer, const struct diag_mark *mark, const char *directory)
{
	if (mark->path == NULL)
		return;
	put_path(writer, mark->path, directory);
	if (mark->line != 0) {
		json_put_int(writer, "line", mark->line);
		json_put_int(writer, "column", mark->column);
		json_put_int(writer, "length", (int64_t)mark->mark_len);
	}
	put_text(writer, "label", mark->label);
}

static void put_notes(struct json_writer *writer, const struct diag *diag)
{
	if (diag->note_count == 0)
		return;
	json_open_array(writer, "notes");
	for (size_t i = 0; i < diag->note_count; i++)
		json_put_text(writer, NULL, slice_of(diag->notes[i]));
	json_close_array(writer);
}

static void put_diag(struct strbuf *out, const struct diag *diag, const char *directory)
{
	struct json_writer writer = JSON_WRITER(out);
	json_open_object(&writer, NULL);
	put_text(&writer, "severity", diag->severity == DIAG_ERROR ? "error" : "warning");
	put_text(&writer, "code", err_number(diag->code));
	put_text(&writer, "word", err_word(diag->code));
	put_text(&writer, "message", diag->message);
	put_mark(&writer, &diag->place, directory);
	if (diag->second.path != NULL) {
		json_open_object(&writer, "second");
		put_mark(&writer, &diag->second, directory);
		json_close_object(&writer);
	}
	put_notes(&writer, diag);
	put_text(&writer, "help", diag->help);
	json_close_object(&writer);
	strbuf_putc(out, '\n');
}

void diags_render_json(struct diags *diags, struct strbuf *out)
{
	size_t count;
	const struct diag *diag = diags_sorted(diags, &count);
	for (size_t i = 0; i < count; i++)
		put_diag(out, &diag[i], diags_directory(diags));
	struct json_writer writer = JSON_WRITER(out);
	json_open_object(&writer, NULL);
	put_text(&writer, "verdict", diags_error_count(diags) ? "bad" : "good");
	json_put_int(&writer, "errors", (int64_t)diags_error_count(diags));
	json_put_int(&writer, "warnings", (int64_t)diags_warning_count(diags));
	json_put_int(&writer, "hidden", (int64_t)diags_hidden_count(diags));
	json_put_bool(&writer, "partial", diags_is_partial(diags));
	json_close_object(&writer);
	strbuf_putc(out, '\n');
}
