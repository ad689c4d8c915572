/* SPDX-License-Identifier: Apache-2.0
 *
 * Duplicates: random records of a few people in random order, merged and taken apart; what holds for all of them.
 *
 * Beside them, if there is a folder ../shared/data or one that LEADROUTER_SHARED_DATA names, dedup_*.jsonl: records with typing
 * errors, and which of them are one person. They have no e-mail and no phone, so exact keys could find a pair only where
 * name and birth date are free of errors; the test says which share that is.
 */
#include "tests/unit/core_rig.h"

#include <stdio.h>

#include "rules/company.h"
#include "rules/dedup.h"
#include "rules/lifecycle.h"
#include "rules/text/normalise.h"

enum { PEOPLE = 6, KEYS = 3, RECORDS = 60, ROUNDS = 60 };

static const char ONE_REP[] = "reps: [ana]\n"
                              "teams: [{id: all, reps: [ana]}]\n"
                              "routes: [{name: rest, team: all}]\n";

static const char TWO_REPS[] =
	"reps: [ana, ben]\n"
	"cleanse: {lead_no: {prefix: LR}}\n"
	"teams: [{id: all, reps: [ana, ben], criteria: [{name: nobody, when: 'rep.id == \"x\" && lead.company.industry == \"x\" && "
	"lead.location.city == \"x\"'}]}]\n" /* what a criterion reads is kept */
	"routes: [{name: rest, team: all}]\n";

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* ---- sets of keys that belong together, as the records say */

struct sets {
	int parent[PEOPLE * KEYS * 2];
	bool is_used[PEOPLE * KEYS * 2];
};

static int find_set(struct sets *sets, int key)
{
	while (sets->parent[key] != key)
		key = sets->parent[key];
	return key;
}

static int count_sets(struct sets *sets)
{
	int count = 0;
	for (int key = 0; key < PEOPLE * KEYS * 2; key++)
		count += sets->is_used[key] && find_set(sets, key) == key;
	return count;
}

/* A record of one of the people with one of their addresses, numbers, or both. */
static const char *random_record(struct rig *rig, uint64_t *random, int number, struct sets *sets)
{
	int person = (int)(next_random(random) % PEOPLE), what = (int)(next_random(random) % 3);
	int email = person * KEYS + (int)(next_random(random) % KEYS), phone = PEOPLE * KEYS + person * KEYS + (int)(next_random(random) % KEYS);
	const char *mail = what != 1 ? arena_printf(&rig->arena, "\"email\":\"p%d@example.com\"", email) : "";
	const char *call = what != 0 ? arena_printf(&rig->arena, "\"phone\":\"+4930123450%02d\"", phone) : "";
	sets->is_used[email] |= what != 1;
	sets->is_used[phone] |= what != 0;
	if (what == 2)
		sets->parent[find_set(sets, email)] = find_set(sets, phone);
	return arena_printf(&rig->arena, "{\"lead_id\":\"L%d\",\"source\":\"web\",\"contact\":{%s%s%s},\"company\":{\"industry\":\"i%d\"}}",
	                    number, mail, what == 2 ? "," : "", call, number % 3);
}

static void init_sets(struct sets *sets)
{
	memset(sets, 0, sizeof *sets);
	for (int key = 0; key < PEOPLE * KEYS * 2; key++)
		sets->parent[key] = key;
}

static int count_open(struct rig *rig)
{
	int open = 0;
	for (size_t i = 0; i < rig->store.count; i++) {
		struct slice key = {rig->store.rows[i].key, rig->store.rows[i].key_len}, value = {rig->store.rows[i].value, rig->store.rows[i].value_len};
		struct lead_state state;
		if (!slice_has_prefix(key, SLICE("lead/")))
			continue;
		assert_int_equal(state_get_lead(value, &rig->arena, &state, NULL), 0);
		open += lifecycle_is_open(state.status);
		assert_true(state.status != LEAD_MERGED || (state.owner.len == 0 && state.into.len != 0));
	}
	return open;
}

static void every_person_has_exactly_one_open_lead(void **state)
{
	(void)state;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		struct rig rig;
		struct sets sets;
		uint64_t random = round;
		rig_open(&rig, ONE_REP);
		init_sets(&sets);
		for (int i = 0; i < RECORDS; i++) {
			struct decision d = rig_lead(&rig, random_record(&rig, &random, i, &sets));
			assert_true(d.outcome == OUTCOME_ASSIGNED || d.outcome == OUTCOME_DUPLICATE);
			rig.now_ms += 1000;
			int open = count_open(&rig), wanted = count_sets(&sets);
			if (open != wanted)
				fail_msg("round %d, record %d: %d open leads of %d people", (int)round, i, open, wanted);
		}
		rig_close(&rig);
	}
}

/* ---- batches */

static void feed_in_batches(struct rig *rig, size_t size, uint64_t seed)
{
	struct sets sets;
	uint64_t random = seed;
	init_sets(&sets);
	for (int i = 0; i < RECORDS;) {
		struct decider *decider = decider_new(rig->model, store_view(&rig->store), &rig->arena);
		for (size_t n = 0; n < size && i < RECORDS; n++, i++) {
			struct record *record = arena_alloc(&rig->arena, sizeof *record);
			struct decision decision;
			*record = fixture_record(RECORD_CAPTURED, i, random_record(rig, &random, i, &sets));
			decider_decide(decider, rules_prepare(rig->model, record, rig->now_ms, &rig->arena), rig->now_ms, &decision);
		}
		const struct write *writes;
		size_t count;
		decider_finish(decider, &writes, &count);
		store_apply(&rig->store, writes, count);
	}
}

static void the_size_of_batches_changes_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct rig one, many;
		rig_open(&one, TWO_REPS);
		rig_open(&many, TWO_REPS);
		feed_in_batches(&one, 1, seed);
		feed_in_batches(&many, 7, seed);
		assert_int_equal(one.store.count, many.store.count);
		for (size_t i = 0; i < one.store.count; i++)
			assert_string_equal(one.store.rows[i].value, store_text(&many.store, one.store.rows[i].key));
		rig_close(&one);
		rig_close(&many);
	}
}

/* ---- merged, and taken apart */

static void expect_equal(struct slice a, struct slice b)
{
	if (!slice_equal(a, b))
		fail_msg("\"%.*s\" is not \"%.*s\"", SLICE_ARG(a), SLICE_ARG(b));
}

static void expect_same_lists(const struct state_list *a, const struct state_list *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++)
		expect_equal(a->items[i], b->items[i]);
}

/* All but what a change of owner changes, and the note that the two are not one. */
static void expect_same_lead(const struct lead_state *before, const struct lead_state *after)
{
	expect_equal(before->owner, after->owner);
	expect_equal(before->kept, after->kept);
	expect_equal(before->source, after->source);
	expect_equal(before->number, after->number);
	expect_equal(before->grade, after->grade);
	assert_int_equal(before->at_ms, after->at_ms);
	assert_int_equal(before->score, after->score);
	assert_int_equal(before->duplicates, after->duplicates);
	assert_int_equal(before->status, after->status);
	expect_same_lists(&before->idents, &after->idents);
	assert_int_equal(after->from.count, 0);
	assert_int_equal(after->added.len + after->into.len + after->was.len, 0);
}

static void a_split_gives_back_what_was_merged(void **state)
{
	(void)state;
	static const char *const leads[][2] = {
		{"{\"lead_id\":\"L1\",\"contact\":{\"email\":\"a@example.com\"},\"company\":{\"industry\":\"retail\"}}",
	         "{\"lead_id\":\"L2\",\"contact\":{\"phone\":\"+49301234567\"},\"location\":{\"city\":\"Bonn\"}}"},
		{"{\"lead_id\":\"L1\",\"contact\":{\"email\":\"a@example.com\"}}",
	         "{\"lead_id\":\"L2\",\"contact\":{\"phone\":\"+49301234567\"},\"company\":{\"industry\":\"retail\"},"
	         "\"location\":{\"city\":\"Bonn\"}}"},
		{"{\"lead_id\":\"L1\",\"contact\":{\"email\":\"a@example.com\"},\"location\":{\"city\":\"Ulm\"}}",
	         "{\"lead_id\":\"L2\",\"contact\":{\"wechat\":\"x\"},\"location\":{\"city\":\"Bonn\"}}"},
	};
	for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
		struct rig rig;
		rig_open(&rig, TWO_REPS);
		rig_lead(&rig, leads[i][0]);
		rig_lead(&rig, leads[i][1]);
		struct lead_state one = rig_state(&rig, "L1"), two = rig_state(&rig, "L2");
		struct decision d = rig_act(&rig, "{\"type\":\"activity.merge\",\"lead_id\":\"L1\",\"other\":\"L2\",\"actor\":\"mia\"}");
		rig_expect(rig_event(&rig, &d, "lead.merged"), "into", "L1");
		assert_int_equal(count_open(&rig), 1);
		d = rig_act(&rig, "{\"type\":\"activity.split\",\"lead_id\":\"L1\",\"other\":\"L2\",\"actor\":\"mia\"}");
		rig_expect(rig_event(&rig, &d, "lead.split"), "lead_id", "L2");
		assert_int_equal(count_open(&rig), 2);
		struct lead_state one_after = rig_state(&rig, "L1"), two_after = rig_state(&rig, "L2");
		expect_same_lead(&one, &one_after);
		expect_same_lead(&two, &two_after);
		assert_int_equal(one_after.version, one.version); /* nobody lost it */
		assert_int_equal(two_after.version, two.version + 2);
		rig_close(&rig);
	}
}

static void three_into_one_and_the_middle_one_out(void **state)
{
	(void)state;
	struct rig rig;
	rig_open(&rig, TWO_REPS);
	rig_lead(&rig, "{\"lead_id\":\"L1\",\"source\":\"web\",\"contact\":{\"email\":\"a@example.com\"}}");
	rig_lead(&rig, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"a@example.com\"},\"company\":{\"industry\":\"retail\"}}");
	rig_lead(&rig, "{\"lead_id\":\"L3\",\"contact\":{\"email\":\"a@example.com\"},\"location\":{\"city\":\"Bonn\"}}");
	assert_int_equal(rig_state(&rig, "L1").from.count, 2);
	expect_equal(rig_state(&rig, "L1").kept, SLICE("{\"company.industry\":\"retail\",\"location.city\":\"Bonn\"}"));
	rig_act(&rig, "{\"type\":\"activity.split\",\"lead_id\":\"L1\",\"other\":\"L2\",\"to\":\"ben\"}");
	expect_equal(rig_state(&rig, "L1").kept, SLICE("{\"location.city\":\"Bonn\"}"));
	assert_int_equal(rig_state(&rig, "L1").from.count, 1);
	expect_equal(rig_state(&rig, "L2").owner, SLICE("ben"));
	expect_equal(rig_state(&rig, "L2").kept, SLICE("{\"company.industry\":\"retail\"}"));
	rig_close(&rig);
}

/* A lead lists so many that went into it. More records are duplicates all the same, and leave nothing behind. */
static void what_is_full_stays_one_lead(void **state)
{
	(void)state;
	struct rig rig;
	rig_open(&rig, ONE_REP);
	for (int i = 0; i < STATE_FROM_MAX + 5; i++)
		rig_lead(&rig, arena_printf(&rig.arena, "{\"lead_id\":\"L%d\",\"contact\":{\"email\":\"a@example.com\"}}", i));
	assert_int_equal(count_open(&rig), 1);
	assert_int_equal(rig_state(&rig, "L0").from.count, STATE_FROM_MAX);
	assert_int_equal(rig_state(&rig, "L0").duplicates, STATE_FROM_MAX + 4);
	assert_string_equal(store_text(&rig.store, arena_printf(&rig.arena, "lead/L%d", STATE_FROM_MAX + 2)), "");
	assert_true(strlen(store_text(&rig.store, "lead/L0")) < STATE_VALUE_BYTES_MAX / 2);
	struct decision d = rig_lead(&rig, arena_printf(&rig.arena, "{\"lead_id\":\"L%d\",\"contact\":{\"wechat\":\"new\"}}", STATE_FROM_MAX + 2));
	assert_int_equal(d.outcome, OUTCOME_DUPLICATE);
	rig_close(&rig);
}

/* A repeat of a record that was absorbed by a lead that was absorbed itself: still no second lead. */
static void a_repeat_finds_its_way_through_two_merges(void **state)
{
	(void)state;
	struct rig rig;
	rig_open(&rig, ONE_REP);
	rig_lead(&rig, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"a@example.com\"}}");
	rig.now_ms += 1000;
	rig_lead(&rig, "{\"lead_id\":\"L2\",\"contact\":{\"phone\":\"+49301234567\"}}");
	rig_lead(&rig, "{\"lead_id\":\"L3\",\"contact\":{\"phone\":\"+49301234567\"}}");
	rig_act(&rig, "{\"type\":\"activity.merge\",\"lead_id\":\"L1\",\"other\":\"L2\"}");
	struct decision d = rig_lead(&rig, "{\"lead_id\":\"L3\",\"contact\":{\"wechat\":\"x\"}}");
	assert_int_equal(d.outcome, OUTCOME_DUPLICATE);
	d = rig_lead(&rig, "{\"lead_id\":\"L2\",\"contact\":{\"wechat\":\"x\"}}");
	assert_int_equal(d.outcome, OUTCOME_DUPLICATE);
	assert_int_equal(count_open(&rig), 1);
	rig_close(&rig);
}

/* ---- people who merge and split at random */

enum { ORDERS = 120, ORDER_LEADS = 8 };

static struct lead_state state_of(struct rig *rig, struct slice id)
{
	return rig_state(rig, arena_printf(&rig->arena, "%.*s", SLICE_ARG(id)));
}

/* Keys of people lead to a lead that lives, and pointers end in one. */
static void expect_no_dead_ends(struct rig *rig)
{
	for (size_t i = 0; i < rig->store.count; i++) {
		struct slice key = {rig->store.rows[i].key, rig->store.rows[i].key_len}, value = {rig->store.rows[i].value, rig->store.rows[i].value_len};
		bool is_person = key.len > 12 && slice_has_prefix(key, SLICE("ident/")) && (key.p[11] == 'e' || key.p[11] == 'p');
		struct lead_state state;
		if (is_person)
			assert_int_not_equal(state_of(rig, rules_ident_lead(value)).status, LEAD_MERGED);
		if (!slice_has_prefix(key, SLICE("lead/")))
			continue;
		assert_int_equal(state_get_lead(value, &rig->arena, &state, NULL), 0);
		for (int step = 0; state.status == LEAD_MERGED; step++) {
			assert_true(step < ORDER_LEADS);
			assert_int_equal(state.owner.len, 0);
			state = state_of(rig, state.into);
		}
	}
}

static void orders_at_random_leave_no_dead_ends(void **state)
{
	(void)state;
	for (uint64_t round = 1; round <= 40; round++) {
		struct rig rig;
		uint64_t random = round * 7919;
		rig_open(&rig, TWO_REPS);
		for (int i = 0; i < ORDER_LEADS; i++)
			rig_lead(&rig, arena_printf(&rig.arena, "{\"lead_id\":\"L%d\",\"contact\":{\"email\":\"p%d@example.com\",\"phone\":\"+493012345%03d\"},"
			                                        "\"location\":{\"city\":\"c%d\"}}", i, i, i, i));
		for (int i = 0; i < ORDERS; i++) {
			int a = (int)(next_random(&random) % ORDER_LEADS), b = (int)(next_random(&random) % ORDER_LEADS);
			uint32_t what = next_random(&random) % 3;
			rig.now_ms += 1000;
			if (what == 2)
				rig_lead(&rig, arena_printf(&rig.arena, "{\"contact\":{\"email\":\"p%d@example.com\",\"phone\":\"+493012345%03d\"}}", a, b));
			else
				rig_act(&rig, arena_printf(&rig.arena, "{\"type\":\"activity.%s\",\"lead_id\":\"L%d\",\"other\":\"L%d\",\"actor\":\"mia\"}",
				                           what == 0 ? "merge" : "split", a, b));
			expect_no_dead_ends(&rig);
		}
		rig_close(&rig);
	}
}

/* ---- companies */

static void companies_are_known_by_name_and_domain(void **state)
{
	(void)state;
	static const struct dedup_rules rules = {.public_mail_count = 0};
	static const char *const names[][2] = {
		{"ACME Tools GmbH & Co. KG", "acmetools"}, {"Acme Tools, Inc.", "acmetools"}, {"acme-tools", "acmetools"},
		{"Müller AG", "muller"}, {"南海电子有限公司", "南海电子"}, {"Co", "co"}, {"SE", "se"}, {"n/a", ""}, {"-", ""}, {"", ""},
		{"X", ""}, {"Unknown", ""}, {"The Company Company", "the"},
	};
	static const char *const domains[][2] = {
		{"Acme.example", "acme.example"}, {"https://www.acme.example/contact?x=1", "acme.example"}, {"www.acme.example", "acme.example"},
		{"gmail.com", ""}, {"QQ.com", ""}, {"b\xc3\xbc" "cher.example", "xn--bcher-kva.example"}, {"localhost", ""}, {"jo@acme.example", ""},
		{"", ""}, {"no domain", ""},
	};
	struct arena arena = ARENA_INIT;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		expect_equal(company_name_key(slice_of(names[i][0]), &arena), slice_of(names[i][1]));
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
		expect_equal(company_domain_key(&rules, slice_of(domains[i][0]), &arena), slice_of(domains[i][1]));
	arena_done(&arena);
}

/* ---- records with typing errors, made by others */

static int by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static size_t count_pairs(char **sorted, size_t count)
{
	size_t pairs = 0;
	qsort(sorted, count, sizeof *sorted, by_text);
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count && strcmp(sorted[i], sorted[j]) == 0; j++)
			pairs++;
	return pairs;
}

/* Everything that the records have of a person, normalised as identity keys are. */
static char *exact_key(struct arena *arena, const struct json *fields)
{
	char *text = arena_printf(arena, "%.*s|%.*s|%.*s", SLICE_ARG(text_key(arena, json_get_text(fields, "first_name"))),
	                          SLICE_ARG(text_key(arena, json_get_text(fields, "last_name"))),
	                          SLICE_ARG(json_get_text(fields, "birth_date")));
	return text;
}

static bool share_of(const char *folder, const char *name, size_t true_pairs)
{
	struct arena arena = ARENA_INIT;
	char line[4096], **keys = calloc(2000, sizeof *keys), **both = calloc(2000, sizeof *both);
	size_t count = 0;
	FILE *file = fopen(arena_printf(&arena, "%s/%s", folder, name), "r");
	while (file != NULL && count < 2000 && fgets(line, sizeof line, file) != NULL) {
		struct slice text = {arena_memdupz(&arena, line, strlen(line)), strlen(line)};
		const struct json *root = json_read(text, (struct json_limits){4096, 4, 100}, &arena, NULL);
		assert_non_null(root);
		keys[count] = exact_key(&arena, json_get(root, "fields"));
		both[count] = arena_printf(&arena, "%.*s|%s", SLICE_ARG(json_get_text(root, "entity")), keys[count]);
		count++;
	}
	if (count != 0) {
		size_t found = count_pairs(both, count), said = count_pairs(keys, count);
		printf("%s: name and birth date, exactly equal: %zu of %zu true pairs, %zu false\n", name, found, true_pairs, said - found);
		assert_true(found < true_pairs); /* errors are in most of them: exact keys cannot find those */
		assert_int_equal(said, found);   /* and never make two people one */
	}
	if (file != NULL)
		fclose(file);
	free(keys);
	free(both);
	arena_done(&arena);
	return count != 0;
}

static void exact_keys_never_make_two_people_one(void **state)
{
	(void)state;
	const char *named = getenv("LEADROUTER_SHARED_DATA"), *folder = named != NULL ? named : "../shared/data";
	bool has_febrl = share_of(folder, "dedup_febrl1.jsonl", 500), has_rldata = share_of(folder, "dedup_rldata500.jsonl", 50);
	if (!has_febrl && !has_rldata)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_person_has_exactly_one_open_lead),
		cmocka_unit_test(the_size_of_batches_changes_nothing),
		cmocka_unit_test(a_split_gives_back_what_was_merged),
		cmocka_unit_test(three_into_one_and_the_middle_one_out),
		cmocka_unit_test(what_is_full_stays_one_lead),
		cmocka_unit_test(a_repeat_finds_its_way_through_two_merges),
		cmocka_unit_test(orders_at_random_leave_no_dead_ends),
		cmocka_unit_test(companies_are_known_by_name_and_domain),
		cmocka_unit_test(exact_keys_never_make_two_people_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
