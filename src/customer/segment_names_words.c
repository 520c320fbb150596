/*
 * segment_names_words.c
 *	  What traits are called in names, and the words for more and less of them.
 *
 * Legend: m traits.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "segment_names_internal.h"

#define MAX_LENGTH 63 /* bytes of a feature's or a category's name in a segment's name */

/* names as in display names */
struct RmlVocabulary
{
	const char *names[6];
	const char *words[RML_GRADES]; /* NULL: the general word */
};

static const RmlVocabulary vocabularies[] = {
	{{"recency", "recency days", "days since last order", "days since last purchase"},
	 {"very recent", "recent", NULL, "lapsed", "long lapsed"}},
	{{"frequency", "orders", "order count", "n orders", "purchases"},
	 {"very rare", "rare", NULL, "frequent", "very frequent"}},
	{{"age", "age years", "customer age"},
	 {"much younger", "younger", NULL, "older", "much older"}},
	{{"tenure", "tenure days", "tenure months", "tenure years"},
	 {"very new", "new", NULL, "long-standing", "very long-standing"}}};

#define N_VOCABULARIES ((int) (sizeof(vocabularies) / sizeof(vocabularies[0])))

static const char *const numeric_words[RML_GRADES] = {"very low", "low", "average", "high",
													  "very high"};
/* of shares; relative to the rest like all the others, hence no "mostly" or "never" */
static const char *const share_words[RML_GRADES] = {"much less often", "less often",
													"about as often", "more often",
													"much more often"};

RmlGrade
rml_grade(double z)
{
	if (fabs(z) < RML_TELLING)
		return RML_AVERAGE;
	if (fabs(z) < RML_VERY_TELLING)
		return z < 0 ? RML_LOW : RML_HIGH;
	return z < 0 ? RML_VERY_LOW : RML_VERY_HIGH;
}

/* ---------------------------------------------------------------- plain text */

static bool
is_separator(char c)
{
	unsigned char byte = (unsigned char) c;

	return byte <= ' ' || byte == 0x7f || c == '_' || c == ',' || c == '(' || c == ')';
}

/* text without what separates words in names: single spaces instead, none at the ends */
static char *
plain_text(RmlEnv *env, const char *text)
{
	char *plain = rml_strdup(env, text);
	size_t length = 0;

	for (const char *c = text; *c != '\0'; c++)
	{
		if (!is_separator(*c))
			plain[length++] = *c;
		else if (length > 0 && plain[length - 1] != ' ')
			plain[length++] = ' ';
	}
	while (length > 0 && plain[length - 1] == ' ')
		length--;
	plain[length] = '\0';
	return plain;
}

size_t
rml_whole_characters(const char *text, size_t most)
{
	size_t length = most;

	/* 10xxxxxx continues a character; text that is all such bytes is not UTF-8, cut it anywhere */
	while (length > most / 2 && ((unsigned char) text[length] & 0xC0) == 0x80)
		length--;
	return length;
}

static char *
shorten(RmlEnv *env, char *text)
{
	size_t length;

	if (strlen(text) <= MAX_LENGTH)
		return text;
	length = rml_whole_characters(text, MAX_LENGTH - 3);
	while (length > 0 && text[length - 1] == ' ')
		length--;
	return rml_format(env, "%.*s...", (int) length, text);
}

/* equal but for the case of ASCII letters, in any locale; b is in lower case */
static bool
same_name(const char *a, const char *b)
{
	for (; *a != '\0' && *b != '\0'; a++, b++)
	{
		int letter = *a >= 'A' && *a <= 'Z' ? *a + ('a' - 'A') : *a;

		if (letter != *b)
			return false;
	}
	return *a == *b;
}

/* ---------------------------------------------------------------- names of traits */

static char *
feature_name(RmlEnv *env, const RmlTrait *trait)
{
	char *name = plain_text(env, trait->feature);

	/* "more often member", from is_member */
	if (trait->kind == RML_BOOLEAN && strncmp(name, "is ", 3) == 0)
		name += 3;
	if (*name == '\0')
		return rml_format(env, "column %d", trait->position + 1);
	return shorten(env, name);
}

static char *
category_name(RmlEnv *env, const RmlTrait *trait)
{
	char *name = plain_text(env, trait->category);

	return *name == '\0' ? rml_strdup(env, "empty") : shorten(env, name);
}

/* categories that say nothing without their column */
static bool
needs_column(const char *category)
{
	static const char *const common[] = {"missing", "empty", "yes",  "no",      "true",
										 "false",   "none",  "null", "unknown", "other"};
	unsigned char first = (unsigned char) category[0];
	bool letter = (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z') || first >= 0x80;

	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
		if (same_name(category, common[i]))
			return true;
	return !letter || strlen(category) < 3;
}

typedef struct Called
{
	const char *name;
	int32_t trait;
} Called;

static int
compare_called(const void *a, const void *b)
{
	const Called *p = a, *q = b;
	int order = strcmp(p->name, q->name);

	return order != 0 ? order : p->trait - q->trait;
}

/* which of names [m] are not the only one of their text */
static bool *
find_shared(RmlEnv *env, char *const *names, int m)
{
	Called *sorted = RML_NEW(env, Called, (size_t) m);
	bool *shared = RML_NEW_ZERO(env, bool, (size_t) m);

	for (int t = 0; t < m; t++)
		sorted[t] = (Called){names[t], t};
	qsort(sorted, (size_t) m, sizeof(Called), compare_called);
	for (int i = 1; i < m; i++)
		if (strcmp(sorted[i - 1].name, sorted[i].name) == 0)
			shared[sorted[i - 1].trait] = shared[sorted[i].trait] = true;
	rml_release(env, sorted);
	return shared;
}

/* features and categories by their own names, and with the column where that is not enough */
static void
name_traits(RmlTraitWords *words)
{
	RmlEnv *env = words->env;
	const RmlTrait *traits = words->profile->traits;
	bool *shared;

	for (int t = 0; t < words->profile->m; t++)
		words->display[t] = traits[t].category == NULL ? feature_name(env, &traits[t])
													   : category_name(env, &traits[t]);
	shared = find_shared(env, words->display, words->profile->m);
	for (int t = 0; t < words->profile->m; t++)
		if (traits[t].category != NULL && (shared[t] || needs_column(words->display[t])))
			words->display[t] =
				rml_format(env, "%s %s", feature_name(env, &traits[t]), words->display[t]);
	rml_release(env, shared);
}

/* traits that still read the same get their place: parentheses are in no other name */
static void
tell_apart(RmlTraitWords *words)
{
	const RmlTrait *traits = words->profile->traits;
	bool *shared = find_shared(words->env, words->display, words->profile->m);

	for (int t = 0, category = 0; t < words->profile->m; t++)
	{
		category = t > 0 && traits[t].position == traits[t - 1].position ? category + 1 : 1;
		if (shared[t] && traits[t].category == NULL)
			words->display[t] =
				rml_format(words->env, "%s (column %d)", words->display[t], traits[t].position + 1);
		else if (shared[t])
			words->display[t] = rml_format(words->env, "%s (category %d of column %d)",
										   words->display[t], category, traits[t].position + 1);
	}
	rml_release(words->env, shared);
}

/* ---------------------------------------------------------------- vocabularies */

static bool
has_vocabulary(const RmlVocabulary *vocabulary, const char *display)
{
	for (int i = 0; i < 6 && vocabulary->names[i] != NULL; i++)
		if (same_name(display, vocabulary->names[i]))
			return true;
	return false;
}

/* a vocabulary is for one feature of a model: "frequent" must not mean two things */
static void
find_vocabularies(RmlTraitWords *words)
{
	const RmlSegmentProfile *profile = words->profile;

	for (int v = 0; v < N_VOCABULARIES; v++)
	{
		int found = -1, count = 0;

		for (int t = 0; t < profile->m; t++)
			if (profile->traits[t].kind == RML_NUMERIC &&
				has_vocabulary(&vocabularies[v], words->display[t]))
			{
				found = t;
				count++;
			}
		if (count == 1)
			words->vocabulary[found] = &vocabularies[v];
	}
}

void
rml_trait_words(RmlTraitWords *words, RmlEnv *env, const RmlSegmentProfile *profile)
{
	size_t m = (size_t) profile->m;

	*words = (RmlTraitWords){.env = env, .profile = profile};
	words->display = RML_NEW(env, char *, m);
	words->vocabulary = (const RmlVocabulary **) RML_NEW_ZERO(env, RmlVocabulary *, m);
	name_traits(words);
	tell_apart(words);
	find_vocabularies(words);
}

void
rml_trait_words_release(RmlTraitWords *words)
{
	rml_release(words->env, words->display);
	rml_release(words->env, (void *) words->vocabulary);
}

/* ---------------------------------------------------------------- wording */

/* "second", "third", ..., "13th" */
static const char *
ordinal(RmlEnv *env, int n)
{
	static const char *const ordinals[] = {"second", "third",    "fourth", "fifth",
										   "sixth",  "seventh",  "eighth", "ninth",
										   "tenth",  "eleventh", "twelfth"};
	static const char *const endings[] = {"th", "st", "nd", "rd"};
	int last = n % 10;

	if (n <= 12)
		return ordinals[n - 2];
	return rml_format(env, "%d%s", n, last <= 3 && n % 100 / 10 != 1 ? endings[last] : "th");
}

/* place 1 .. of, from the top, in words counted from the nearer end */
static const char *
place_text(RmlEnv *env, int place, int of)
{
	bool upper = place <= of / 2;
	int from_end = upper ? place : of + 1 - place;

	if (of == 2)
		return upper ? "higher" : "lower";
	if (2 * place == of + 1)
		return "middle";
	if (from_end == 1)
		return upper ? "highest" : "lowest";
	return rml_format(env, "%s %s", ordinal(env, from_end), upper ? "highest" : "lowest");
}

static const char *
grade_text(const RmlTraitWords *words, int trait, int grade)
{
	const RmlVocabulary *vocabulary = words->vocabulary[trait];
	bool number = words->profile->traits[trait].kind == RML_NUMERIC;

	if (vocabulary != NULL && vocabulary->words[grade] != NULL)
		return vocabulary->words[grade];
	return rml_format(words->env, "%s %s", (number ? numeric_words : share_words)[grade],
					  words->display[trait]);
}

const char *
rml_trait_word(const RmlTraitWords *words, int trait, RmlWord word)
{
	const char *display = words->display[trait];
	const char *grade, *place;

	if (word.place == 0)
		return grade_text(words, trait, word.grade);
	place = place_text(words->env, word.place, word.of);
	if (word.grade == RML_UNGRADED && words->profile->traits[trait].category != NULL)
		return rml_format(words->env, "%s share of %s", place, display);
	if (word.grade == RML_UNGRADED)
		return rml_format(words->env, "%s %s", place, display);
	grade = grade_text(words, trait, word.grade);
	/* "recent (lower)" would leave open what is lower */
	if (words->vocabulary[trait] != NULL)
		return rml_format(words->env, "%s (%s %s)", grade, place, display);
	return rml_format(words->env, "%s (%s)", grade, place);
}
