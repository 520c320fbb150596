/*
 * segment_names_generic.c
 *	  Names made of what sets segments apart: "high monetary, recent".
 *
 * A name is a list of words, one trait each.  Three passes: the telling traits of every segment;
 * more words where names clash, until no word tells the clashing segments apart; then comparisons
 * within what still clashes.  A longer name may clash with yet another one, so the second pass
 * repeats, and ends because names only grow.  The third needs no repetition: names whose words
 * differ keep differing, whatever is compared within a clash.
 *
 * Legend: k segments, m traits.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "segment_names_internal.h"

#define MAX_TELLING 3

typedef struct Naming
{
	RmlEnv *env;
	const RmlSegmentProfile *profile;
	int k;
	int m;
	const double *z;  /* [k x m] */
	RmlWord *words;   /* [k x m] */
	int32_t *order;   /* [k x m] traits in the order the name has them */
	int32_t *lengths; /* [k] traits in the name */
	int32_t *numbers; /* [k] 0, or what tells equal profiles apart */
} Naming;

/* ---------------------------------------------------------------- telling traits */

static void
add_word(Naming *s, int segment, int trait, RmlWord word)
{
	int64_t row = (int64_t) segment * s->m;

	s->words[row + trait] = word;
	s->order[row + s->lengths[segment]++] = trait;
}

static void
add_grade(Naming *s, int segment, int trait)
{
	RmlGrade grade = rml_grade(s->z[(int64_t) segment * s->m + trait]);

	add_word(s, segment, trait, (RmlWord){.grade = (int32_t) grade});
}

/* whether the name has a word about the trait's feature already */
static bool
is_said(const Naming *s, int segment, int trait)
{
	const RmlTrait *traits = s->profile->traits;
	int64_t row = (int64_t) segment * s->m;

	for (int i = 0; i < s->lengths[segment]; i++)
		if (traits[s->order[row + i]].position == traits[trait].position)
			return true;
	return false;
}

/* the first words of a segment's name; ranked [m] is scratch space */
static void
say_telling(Naming *s, int segment, int32_t *ranked)
{
	rml_segment_by_rank(s->profile, segment, ranked);
	for (int i = 0; i < s->m && s->lengths[segment] < MAX_TELLING; i++)
	{
		double z = s->z[(int64_t) segment * s->m + ranked[i]];

		if (i > 0 && (fabs(z) < RML_TELLING || rml_segment_is_echo(s->profile, segment, ranked[i])))
			break;
		if (!is_said(s, segment, ranked[i]))
			add_grade(s, segment, ranked[i]);
	}
}

/* ---------------------------------------------------------------- clashes */

typedef struct Member
{
	const RmlWord *words; /* [m] */
	size_t bytes;         /* of words */
	double z;             /* of the trait being compared */
	int64_t size;
	int32_t segment;
} Member;

static int
compare_words(const void *a, const void *b)
{
	const Member *p = a, *q = b;
	int words = memcmp(p->words, q->words, p->bytes);

	return words != 0 ? words : p->segment - q->segment;
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
	return p->segment - q->segment;
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

/* largest minus smallest z of a trait among members */
static double
spread_of(const Naming *s, const Member *members, int count, int trait)
{
	double low = INFINITY, high = -INFINITY;

	for (int i = 0; i < count; i++)
	{
		double z = s->z[(int64_t) members[i].segment * s->m + trait];

		low = fmin(low, z);
		high = fmax(high, z);
	}
	return high - low;
}

/* whether the members, whose names have the same words, would get different ones of this trait */
static bool
words_differ(const Naming *s, const Member *members, int count, int trait)
{
	RmlGrade first;

	if (members[0].words[trait].grade != RML_UNGRADED)
		return false;
	first = rml_grade(s->z[(int64_t) members[0].segment * s->m + trait]);
	for (int i = 1; i < count; i++)
		if (rml_grade(s->z[(int64_t) members[i].segment * s->m + trait]) != first)
			return true;
	return false;
}

/* of two categories the one that is in the name speaks, or the first */
static bool
is_silent(const Naming *s, const RmlWord *words, int trait)
{
	int mirror = s->profile->traits[trait].mirror;

	if (mirror < 0 || words[trait].grade != RML_UNGRADED)
		return false;
	return mirror < trait || words[mirror].grade != RML_UNGRADED;
}

/* the trait that separates the members most, or -1; by_words: only where their words differ */
static int
separating_trait(const Naming *s, const Member *members, int count, bool by_words)
{
	double largest = 0;
	int best = -1;

	for (int t = 0; t < s->m; t++)
	{
		double spread = spread_of(s, members, count, t);

		if (spread > largest && !is_silent(s, members[0].words, t) &&
			(!by_words || words_differ(s, members, count, t)))
		{
			largest = spread;
			best = t;
		}
	}
	return best;
}

/* members in order of their words, so that a clash is a run of them */
static void
sort_by_words(Naming *s, Member *members)
{
	for (int i = 0; i < s->k; i++)
		members[i] = (Member){.words = s->words + (int64_t) i * s->m,
							  .bytes = sizeof(RmlWord) * (size_t) s->m,
							  .size = s->profile->sizes[i],
							  .segment = i};
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
		int trait;

		end = clash_end(members, begin, s->k);
		if (end - begin == 1)
			continue;
		rml_poll(s->env);
		trait = separating_trait(s, members + begin, end - begin, true);
		if (trait < 0)
			continue;
		any = true;
		for (int i = begin; i < end; i++)
			add_grade(s, members[i].segment, trait);
	}
	return any;
}

/* say the place of a member by a trait, with its word if the name has it */
static void
set_place(Naming *s, int segment, int trait, int place, int of)
{
	RmlWord *word = s->words + (int64_t) segment * s->m + trait;

	if (word->grade == RML_UNGRADED)
		add_word(s, segment, trait, *word);
	word->place = place;
	word->of = of;
}

/*
 * Tell members apart whose words are all equal: by their places in the order of one trait, those
 * that share a place by another, and by a number when no trait is left.
 */
static void
compare_within(Naming *s, Member *members, int count)
{
	int trait = separating_trait(s, members, count, false);
	int places = 1, place = 1;

	for (int i = 0; i < count; i++)
		members[i].z = trait < 0 ? 0 : s->z[(int64_t) members[i].segment * s->m + trait];
	qsort(members, (size_t) count, sizeof(Member), compare_members);
	for (int i = 0; trait < 0 && i < count; i++)
		s->numbers[members[i].segment] = i + 1;
	if (trait < 0)
		return;
	for (int i = 1; i < count; i++)
		places += members[i].z != members[i - 1].z;
	for (int begin = 0, end; begin < count; begin = end, place++)
	{
		for (end = begin; end < count && members[end].z == members[begin].z; end++)
			set_place(s, members[end].segment, trait, place, places);
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

/* ---------------------------------------------------------------- the whole */

static char *
name_text(const Naming *s, const RmlTraitWords *traits, int segment)
{
	int64_t row = (int64_t) segment * s->m;
	char *name = NULL;

	for (int i = 0; i < s->lengths[segment]; i++)
	{
		int trait = s->order[row + i];
		const char *word = rml_trait_word(traits, trait, s->words[row + trait]);

		name = name == NULL ? rml_strdup(s->env, word) : rml_format(s->env, "%s, %s", name, word);
	}
	if (name == NULL)
		name = rml_strdup(s->env, "average");
	if (s->numbers[segment] > 0)
		name = rml_format(s->env, "%s (%d)", name, s->numbers[segment]);
	return name;
}

static void
begin_naming(Naming *s, RmlEnv *env, const RmlSegmentProfile *profile)
{
	size_t cells = (size_t) profile->k * (size_t) profile->m;
	int32_t *ranked = RML_NEW(env, int32_t, (size_t) profile->m);

	*s =
		(Naming){.env = env, .profile = profile, .k = profile->k, .m = profile->m, .z = profile->z};
	s->words = RML_NEW(env, RmlWord, cells);
	s->order = RML_NEW(env, int32_t, cells);
	s->lengths = RML_NEW_ZERO(env, int32_t, (size_t) s->k);
	s->numbers = RML_NEW_ZERO(env, int32_t, (size_t) s->k);
	for (size_t i = 0; i < cells; i++)
		s->words[i] = (RmlWord){.grade = RML_UNGRADED};
	for (int i = 0; i < s->k; i++)
		say_telling(s, i, ranked);
	rml_release(env, ranked);
}

static void
end_naming(Naming *s)
{
	rml_release(s->env, s->words);
	rml_release(s->env, s->order);
	rml_release(s->env, s->lengths);
	rml_release(s->env, s->numbers);
}

char **
rml_segment_generic_names(RmlEnv *env, const RmlSegmentProfile *profile)
{
	char **names = RML_NEW(env, char *, (size_t) profile->k);
	RmlTraitWords traits;
	Naming s;

	begin_naming(&s, env, profile);
	resolve_clashes(&s);
	rml_trait_words(&traits, env, profile);
	for (int i = 0; i < s.k; i++)
		names[i] = name_text(&s, &traits, i);
	rml_trait_words_release(&traits);
	end_naming(&s);
	return names;
}
