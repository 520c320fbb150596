/*
 * segment_profile.c
 *	  Ranks of features, and names of segments.
 *
 * A name is a list of words, one feature each.  Three passes: the telling features of every
 * segment; more words where names clash, until no word tells the clashing segments apart; then
 * comparisons within what still clashes.  A longer name may clash with yet another one, so the
 * second pass repeats, and ends because names only grow.  The third needs no repetition: names
 * whose words differ keep differing, whatever is compared within a clash.
 *
 * Legend: k segments, d features.
 */
#include "retailml/segment_profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TELLING 0.5 /* |z| of a feature worth a word */
#define VERY 1.5    /* |z| of one that gets the word "very" */
#define MAX_TELLING 3
#define MAX_LENGTH 63 /* bytes of a feature's name in a segment's name */

typedef enum Grade
{
	VERY_LOW,
	LOW,
	AVERAGE,
	HIGH,
	VERY_HIGH,
	N_GRADES,
	UNGRADED = N_GRADES /* not in the name, unless compared */
} Grade;

/* what a name says of one feature; bytes are compared, so there is no padding */
typedef struct Word
{
	int32_t grade;
	int32_t place; /* from the top, 1 .. of, within a clash; 0: not compared */
	int32_t of;
} Word;

/* words of their own for features that many retailers have; names as in display names */
typedef struct Vocabulary
{
	const char *names[6];
	const char *words[N_GRADES]; /* NULL: the general word */
} Vocabulary;

static const Vocabulary vocabularies[] = {
	{{"recency", "recency days", "days since last order", "days since last purchase"},
	 {"very recent", "recent", NULL, "lapsed", "long lapsed"}},
	{{"frequency", "orders", "order count", "n orders", "purchases"},
	 {"very rare", "rare", NULL, "frequent", "very frequent"}},
	{{"age", "age years", "customer age"},
	 {"much younger", "younger", NULL, "older", "much older"}},
	{{"tenure", "tenure days", "tenure months", "tenure years"},
	 {"very new", "new", NULL, "long-standing", "very long-standing"}}};

#define N_VOCABULARIES ((int) (sizeof(vocabularies) / sizeof(vocabularies[0])))

static const char *const numeric_words[N_GRADES] = {"very low", "low", "average", "high",
													"very high"};
/* of the share of true; relative to the rest like all the others, hence no "mostly" or "never" */
static const char *const boolean_words[N_GRADES] = {"much less often", "less often", "as often",
													"more often", "much more often"};

typedef struct Naming
{
	RmlEnv *env;
	int k;
	int d;
	const RmlKind *kinds;          /* [d] */
	const int64_t *sizes;          /* [k] */
	double *z;                     /* [k x d] finite */
	char **display;                /* [d] features as they appear in names, all different */
	const Vocabulary **vocabulary; /* [d] or NULL */
	Word *words;                   /* [k x d] */
	int32_t *order;                /* [k x d] features in the order the name has them */
	int32_t *lengths;              /* [k] features in the name */
	int32_t *numbers;              /* [k] 0, or what tells equal profiles apart */
} Naming;

/* ---------------------------------------------------------------- names of features */

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

/* cut a long text before a character, never within one */
static char *
shorten(RmlEnv *env, char *text)
{
	size_t length = MAX_LENGTH - 3;

	if (strlen(text) <= MAX_LENGTH)
		return text;
	/* 10xxxxxx continues a character; text that is all such bytes is not UTF-8, cut it anywhere */
	while (length > MAX_LENGTH / 2 && ((unsigned char) text[length] & 0xC0) == 0x80)
		length--;
	while (length > 0 && text[length - 1] == ' ')
		length--;
	return rml_format(env, "%.*s...", (int) length, text);
}

static char *
display_name(RmlEnv *env, const char *feature, RmlKind kind, int position)
{
	char *name = plain_text(env, feature);

	/* "more often member", from is_member */
	if (kind == RML_BOOLEAN && strncmp(name, "is ", 3) == 0)
		name += 3;
	if (*name == '\0')
		return rml_format(env, "column %d", position + 1);
	return shorten(env, name);
}

/* features that read the same get their column: parentheses are in no other display name */
static void
tell_apart(Naming *s)
{
	bool *same = RML_NEW_ZERO(s->env, bool, (size_t) s->d);

	for (int f = 0; f < s->d; f++)
		for (int g = f + 1; g < s->d; g++)
			if (strcmp(s->display[f], s->display[g]) == 0)
				same[f] = same[g] = true;
	for (int f = 0; f < s->d; f++)
		if (same[f])
			s->display[f] = rml_format(s->env, "%s (column %d)", s->display[f], f + 1);
}

/* equal but for the case of ASCII letters, in any locale */
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

static bool
has_vocabulary(const Vocabulary *vocabulary, const char *display)
{
	for (int i = 0; i < 6 && vocabulary->names[i] != NULL; i++)
		if (same_name(display, vocabulary->names[i]))
			return true;
	return false;
}

/* a vocabulary is for one feature of a model: "frequent" must not mean two things */
static void
find_vocabularies(Naming *s)
{
	for (int v = 0; v < N_VOCABULARIES; v++)
	{
		int found = -1, count = 0;

		for (int f = 0; f < s->d; f++)
			if (s->kinds[f] == RML_NUMERIC && has_vocabulary(&vocabularies[v], s->display[f]))
			{
				found = f;
				count++;
			}
		if (count == 1)
			s->vocabulary[found] = &vocabularies[v];
	}
}

/* ---------------------------------------------------------------- telling features */

typedef struct Magnitude
{
	double magnitude;
	int32_t feature;
} Magnitude;

static int
compare_magnitudes(const void *a, const void *b)
{
	const Magnitude *p = a, *q = b;

	if (p->magnitude != q->magnitude)
		return p->magnitude > q->magnitude ? -1 : 1;
	return p->feature - q->feature;
}

static Grade
grade_of(double z)
{
	if (fabs(z) < TELLING)
		return AVERAGE;
	if (fabs(z) < VERY)
		return z < 0 ? LOW : HIGH;
	return z < 0 ? VERY_LOW : VERY_HIGH;
}

static void
add_word(Naming *s, int cluster, int feature, Word word)
{
	int64_t row = (int64_t) cluster * s->d;

	s->words[row + feature] = word;
	s->order[row + s->lengths[cluster]++] = feature;
}

static void
add_grade(Naming *s, int cluster, int feature)
{
	Grade grade = grade_of(s->z[(int64_t) cluster * s->d + feature]);

	add_word(s, cluster, feature, (Word){.grade = (int32_t) grade});
}

/* ranks [d] of one segment, and the first words of its name; sorted [d] is scratch space */
static void
rank_features(Naming *s, int cluster, Magnitude *sorted, int32_t *ranks)
{
	for (int f = 0; f < s->d; f++)
		sorted[f] = (Magnitude){fabs(s->z[(int64_t) cluster * s->d + f]), f};
	qsort(sorted, (size_t) s->d, sizeof(Magnitude), compare_magnitudes);
	for (int i = 0; i < s->d; i++)
	{
		ranks[sorted[i].feature] = i + 1;
		if (i == 0 || (i < MAX_TELLING && sorted[i].magnitude >= TELLING))
			add_grade(s, cluster, sorted[i].feature);
	}
}

/* ---------------------------------------------------------------- clashes */

typedef struct Member
{
	const Word *words; /* [d] */
	size_t bytes;      /* of words */
	double z;          /* of the feature being compared */
	int64_t size;
	int32_t cluster;
} Member;

static int
compare_words(const void *a, const void *b)
{
	const Member *p = a, *q = b;
	int words = memcmp(p->words, q->words, p->bytes);

	return words != 0 ? words : p->cluster - q->cluster;
}

/* highest first; equal ones by size, largest first */
static int
compare_members(const void *a, const void *b)
{
	const Member *p = a, *q = b;

	if (p->z != q->z)
		return p->z > q->z ? -1 : 1;
	if (p->size != q->size)
		return p->size > q->size ? -1 : 1;
	return p->cluster - q->cluster;
}

/* end of the clash that starts at member begin */
static int
clash_end(const Member *members, int begin, int k)
{
	int end = begin + 1;

	while (end < k && memcmp(members[begin].words, members[end].words, members[begin].bytes) == 0)
		end++;
	return end;
}

/* largest minus smallest z of a feature among members */
static double
spread_of(const Naming *s, const Member *members, int count, int feature)
{
	double low = INFINITY, high = -INFINITY;

	for (int i = 0; i < count; i++)
	{
		double z = s->z[(int64_t) members[i].cluster * s->d + feature];

		low = fmin(low, z);
		high = fmax(high, z);
	}
	return high - low;
}

/* whether the members, whose names have the same words, would get different ones of this feature */
static bool
words_differ(const Naming *s, const Member *members, int count, int feature)
{
	Grade first;

	if (members[0].words[feature].grade != UNGRADED)
		return false;
	first = grade_of(s->z[(int64_t) members[0].cluster * s->d + feature]);
	for (int i = 1; i < count; i++)
		if (grade_of(s->z[(int64_t) members[i].cluster * s->d + feature]) != first)
			return true;
	return false;
}

/* the feature that separates the members most, or -1; by_words: only where their words differ */
static int
separating_feature(const Naming *s, const Member *members, int count, bool by_words)
{
	double largest = 0;
	int best = -1;

	for (int f = 0; f < s->d; f++)
	{
		double spread = spread_of(s, members, count, f);

		if (spread > largest && (!by_words || words_differ(s, members, count, f)))
		{
			largest = spread;
			best = f;
		}
	}
	return best;
}

/* members in order of their words, so that a clash is a run of them */
static void
sort_by_words(Naming *s, Member *members)
{
	for (int i = 0; i < s->k; i++)
		members[i] = (Member){.words = s->words + (int64_t) i * s->d,
							  .bytes = sizeof(Word) * (size_t) s->d,
							  .size = s->sizes[i],
							  .cluster = i};
	qsort(members, (size_t) s->k, sizeof(Member), compare_words);
}

/* one more word for every clash that has one; whether there was any */
static bool
lengthen_names(Naming *s, Member *members)
{
	bool any = false;

	sort_by_words(s, members);
	for (int begin = 0, end; begin < s->k; begin = end)
	{
		int feature;

		end = clash_end(members, begin, s->k);
		if (end - begin == 1)
			continue;
		rml_poll(s->env);
		feature = separating_feature(s, members + begin, end - begin, true);
		if (feature < 0)
			continue;
		any = true;
		for (int i = begin; i < end; i++)
			add_grade(s, members[i].cluster, feature);
	}
	return any;
}

/* say the place of a member by a feature, with its word if the name has it */
static void
set_place(Naming *s, int cluster, int feature, int place, int of)
{
	Word *word = s->words + (int64_t) cluster * s->d + feature;

	if (word->grade == UNGRADED)
		add_word(s, cluster, feature, *word);
	word->place = place;
	word->of = of;
}

/*
 * Tell members apart whose words are all equal: by their places in the order of one feature,
 * those that share a place by another, and by a number when no feature is left.
 */
static void
compare_within(Naming *s, Member *members, int count)
{
	int feature = separating_feature(s, members, count, false);
	int places = 1, place = 1;

	for (int i = 0; i < count; i++)
		members[i].z = feature < 0 ? 0 : s->z[(int64_t) members[i].cluster * s->d + feature];
	qsort(members, (size_t) count, sizeof(Member), compare_members);
	for (int i = 0; feature < 0 && i < count; i++)
		s->numbers[members[i].cluster] = i + 1;
	if (feature < 0)
		return;
	for (int i = 1; i < count; i++)
		places += members[i].z != members[i - 1].z;
	for (int begin = 0, end; begin < count; begin = end, place++)
	{
		for (end = begin; end < count && members[end].z == members[begin].z; end++)
			set_place(s, members[end].cluster, feature, place, places);
		if (end - begin > 1)
			compare_within(s, members + begin, end - begin);
	}
}

static void
resolve_clashes(Naming *s)
{
	Member *members = RML_NEW(s->env, Member, (size_t) s->k);

	while (lengthen_names(s, members))
		;
	for (int begin = 0, end; begin < s->k; begin = end)
	{
		end = clash_end(members, begin, s->k);
		/* the words change under the rest of the run, but no longer matter */
		if (end - begin > 1)
			compare_within(s, members + begin, end - begin);
		rml_poll(s->env);
	}
	rml_release(s->env, members);
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
grade_text(const Naming *s, int feature, int grade)
{
	const Vocabulary *vocabulary = s->vocabulary[feature];
	const char *const *words = s->kinds[feature] == RML_BOOLEAN ? boolean_words : numeric_words;

	if (vocabulary != NULL && vocabulary->words[grade] != NULL)
		return vocabulary->words[grade];
	return rml_format(s->env, "%s %s", words[grade], s->display[feature]);
}

/* "high x", "high x (higher)", "recent (lower recency)", "higher y" */
static const char *
word_text(const Naming *s, int feature, Word word)
{
	const char *grade, *place;

	if (word.place == 0)
		return grade_text(s, feature, word.grade);
	place = place_text(s->env, word.place, word.of);
	if (word.grade == UNGRADED)
		return rml_format(s->env, "%s %s", place, s->display[feature]);
	grade = grade_text(s, feature, word.grade);
	/* "recent (lower)" would leave open what is lower */
	if (s->vocabulary[feature] != NULL)
		return rml_format(s->env, "%s (%s %s)", grade, place, s->display[feature]);
	return rml_format(s->env, "%s (%s)", grade, place);
}

static char *
name_text(const Naming *s, int cluster)
{
	int64_t row = (int64_t) cluster * s->d;
	char *name = NULL;

	for (int i = 0; i < s->lengths[cluster]; i++)
	{
		int feature = s->order[row + i];
		const char *word = word_text(s, feature, s->words[row + feature]);

		name = name == NULL ? rml_strdup(s->env, word) : rml_format(s->env, "%s, %s", name, word);
	}
	if (name == NULL)
		name = rml_strdup(s->env, "average");
	if (s->numbers[cluster] > 0)
		name = rml_format(s->env, "%s (%d)", name, s->numbers[cluster]);
	return name;
}

/* ---------------------------------------------------------------- the whole */

/* z [k x d] with nothing in it that has no order or no difference */
static double *
finite_copy(RmlEnv *env, const double *z, int64_t count)
{
	double *copy = RML_NEW(env, double, (size_t) count);

	for (int64_t i = 0; i < count; i++)
		copy[i] = isnan(z[i]) ? 0 : fmax(-1e300, fmin(1e300, z[i]));
	return copy;
}

static void
begin_naming(Naming *s, char *const *features, const double *z)
{
	size_t cells = (size_t) s->k * (size_t) s->d;

	s->z = finite_copy(s->env, z, (int64_t) cells);
	s->words = RML_NEW(s->env, Word, cells);
	s->order = RML_NEW(s->env, int32_t, cells);
	s->lengths = RML_NEW_ZERO(s->env, int32_t, (size_t) s->k);
	s->numbers = RML_NEW_ZERO(s->env, int32_t, (size_t) s->k);
	for (size_t i = 0; i < cells; i++)
		s->words[i] = (Word){.grade = UNGRADED};
	s->display = RML_NEW(s->env, char *, (size_t) s->d);
	s->vocabulary = (const Vocabulary **) RML_NEW_ZERO(s->env, Vocabulary *, (size_t) s->d);
	for (int f = 0; f < s->d; f++)
		s->display[f] = display_name(s->env, features[f], s->kinds[f], f);
	tell_apart(s);
	find_vocabularies(s);
}

static void
end_naming(Naming *s)
{
	rml_release(s->env, s->z);
	rml_release(s->env, s->words);
	rml_release(s->env, s->order);
	rml_release(s->env, s->lengths);
	rml_release(s->env, s->numbers);
}

void
rml_segment_profile(RmlEnv *env, int k, int d, char *const *features, const RmlKind *kinds,
					const double *z, const int64_t *sizes, RmlSegmentProfile *profile)
{
	Naming s = {.env = env, .k = k, .d = d, .kinds = kinds, .sizes = sizes};
	Magnitude *sorted = RML_NEW(env, Magnitude, (size_t) d);

	begin_naming(&s, features, z);
	profile->ranks = RML_NEW(env, int32_t, (size_t) k * (size_t) d);
	profile->names = RML_NEW(env, char *, (size_t) k);
	for (int i = 0; i < k; i++)
		rank_features(&s, i, sorted, profile->ranks + (int64_t) i * d);
	resolve_clashes(&s);
	for (int i = 0; i < k; i++)
		profile->names[i] = name_text(&s, i);
	rml_release(env, sorted);
	end_naming(&s);
}
