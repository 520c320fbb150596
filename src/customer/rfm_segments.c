/*
 * rfm_segments.c
 *	  Names for codes: the built-in eleven segments, and patterns for names of the user's own.
 */
#include "retailml/rfm.h"

#include <ctype.h>
#include <string.h>

enum
{
	CHAMPIONS,
	LOYAL,
	POTENTIAL_LOYALISTS,
	NEW,
	PROMISING,
	NEED_ATTENTION,
	ABOUT_TO_SLEEP,
	AT_RISK,
	CANNOT_LOSE,
	HIBERNATING,
	LOST,
	N_SEGMENTS
};

/* scores compare customers of one shop: few means fewer than most others */
static const RmlRfmSegment segments[N_SEGMENTS] = {
	[CHAMPIONS] = {"Champions", "Bought recently, buy often and spend the most.",
				   "Reward them, give early access to new products, ask for reviews and referrals; "
				   "no discounts needed."},
	[LOYAL] =
		{"Loyal", "Buy often and are still active, with a smaller basket or a recent pause.",
		 "Offer a loyalty programme and products that go with what they own; raise the basket."},
	[POTENTIAL_LOYALISTS] = {"Potential Loyalists",
							 "Bought recently, with a middling number of orders.",
							 "Offer membership and recommend the next product to build the habit."},
	[NEW] = {"New", "Bought very recently, with the fewest orders, often the first.",
			 "Welcome them, help with the first product, and give a reason for the next order."},
	[PROMISING] = {"Promising", "Bought recently, with the fewest orders, often the first.",
				   "Remind them of the brand and offer a small incentive for the next order."},
	[NEED_ATTENTION] = {"Need Attention", "Average in orders or above in value, and slowing down.",
						"Make a limited-time offer based on past purchases."},
	[ABOUT_TO_SLEEP] = {"About to Sleep", "Few orders of small value, and none lately.",
						"Show popular products at a discount before they forget you."},
	[AT_RISK] = {"At Risk", "Bought often or spent well, but long ago.",
				 "Send a personal win-back message with an offer that expires."},
	[CANNOT_LOSE] = {"Cannot Lose", "Among the best customers once, and gone quiet.",
					 "Call or write in person, ask what went wrong, and make the strongest offer."},
	[HIBERNATING] = {"Hibernating", "Few orders of small value, quite long ago.",
					 "Include them in seasonal campaigns only, with products they bought before."},
	[LOST] = {"Lost", "Few orders of small value, longest ago.",
			  "Try one low-cost reactivation; otherwise leave them out and save the budget."},
};

const RmlRfmSegment *
rml_rfm_segment(const char *name)
{
	for (int i = 0; i < N_SEGMENTS; i++)
		if (strcmp(segments[i].name, name) == 0)
			return &segments[i];
	return NULL;
}

/* ---- built-in rules, on scores of 1 to 5; every code meets exactly one ---- */

static int
active_segment(int r, int f, int m)
{
	if (f >= 4)
		return m >= 4 ? CHAMPIONS : LOYAL;
	if (f >= 2)
		return POTENTIAL_LOYALISTS;
	return r == 5 ? NEW : PROMISING;
}

static int
slowing_segment(int f, int m)
{
	if (f >= 4)
		return LOYAL;
	return f == 3 || m >= 4 ? NEED_ATTENTION : ABOUT_TO_SLEEP;
}

static int
inactive_segment(int r, int f, int m)
{
	if (f >= 4 && m >= 4)
		return CANNOT_LOSE;
	if (f >= 3 || m >= 4)
		return AT_RISK;
	return r == 2 ? HIBERNATING : LOST;
}

static int
builtin_segment(int r, int f, int m)
{
	if (r >= 4)
		return active_segment(r, f, m);
	return r == 3 ? slowing_segment(f, m) : inactive_segment(r, f, m);
}

/* 1 .. bins to 1 .. 5: linear, both ends kept, halves up */
static int
to_five(int bins, int score)
{
	return 1 + (8 * (score - 1) + (bins - 1)) / (2 * (bins - 1));
}

void
rml_rfm_map_init(RmlRfmMap *map, RmlEnv *env, int bins)
{
	map->bins = bins;
	map->n_cells = bins * bins * bins;
	map->n_segments = N_SEGMENTS;
	map->segments = RML_NEW(env, char *, N_SEGMENTS + (size_t) map->n_cells);
	map->segment = RML_NEW(env, int32_t, (size_t) map->n_cells);
	map->claimed = RML_NEW_ZERO(env, uint8_t, (size_t) map->n_cells);
	for (int i = 0; i < N_SEGMENTS; i++)
		map->segments[i] = rml_strdup(env, segments[i].name);
	for (int cell = 0; cell < map->n_cells; cell++)
	{
		int scores[RML_RFM_DIMENSIONS];

		rml_rfm_cell_scores(bins, cell, scores);
		map->segment[cell] = builtin_segment(to_five(bins, scores[0]), to_five(bins, scores[1]),
											 to_five(bins, scores[2]));
	}
}

/* ---- patterns ---- */

typedef struct Range
{
	int low;
	int high;
} Range;

/* a number of at most two digits; false when there is none */
static bool
parse_number(const char **text, int *number)
{
	const char *p = *text;

	for (*number = 0; isdigit((unsigned char) *p) && p - *text < 2; p++)
		*number = *number * 10 + (*p - '0');
	if (p == *text || isdigit((unsigned char) *p))
		return false;
	*text = p;
	return true;
}

/* "4", "4-5" or "*" */
static bool
parse_entry(const char **text, int bins, Range *range)
{
	if (**text == '*')
	{
		*range = (Range){1, bins};
		++*text;
		return true;
	}
	if (!parse_number(text, &range->low))
		return false;
	range->high = range->low;
	if (**text != '-')
		return true;
	++*text;
	return parse_number(text, &range->high);
}

static bool
parse_entries(const char *text, int bins, Range *ranges)
{
	for (int i = 0; i < RML_RFM_DIMENSIONS; i++)
	{
		const char *start;

		while (*text == ' ')
			text++;
		start = text;
		if (!parse_entry(&text, bins, &ranges[i]) || text == start)
			return false;
		if (*text != ' ' && *text != '\0')
			return false;
	}
	while (*text == ' ')
		text++;
	return *text == '\0';
}

/* "555" or "5**": each character a score */
static bool
parse_code(const char *text, int bins, Range *ranges)
{
	if (bins > 9 || strlen(text) != RML_RFM_DIMENSIONS)
		return false;
	for (int i = 0; i < RML_RFM_DIMENSIONS; i++)
	{
		if (text[i] == '*')
			ranges[i] = (Range){1, bins};
		else if (isdigit((unsigned char) text[i]))
			ranges[i] = (Range){text[i] - '0', text[i] - '0'};
		else
			return false;
	}
	return true;
}

static const char *
parse_pattern(RmlEnv *env, const char *text, int bins, Range *ranges)
{
	if (!parse_code(text, bins, ranges) && !parse_entries(text, bins, ranges))
		return rml_format(env, "\"%s\" is not a pattern of codes", text);
	for (int i = 0; i < RML_RFM_DIMENSIONS; i++)
		if (ranges[i].low < 1 || ranges[i].high > bins || ranges[i].low > ranges[i].high)
			return rml_format(env, "\"%s\" has a %s score that is not from 1 to %d", text,
							  rml_rfm_value_names[i], bins);
	return NULL;
}

static int
find_or_add_name(RmlRfmMap *map, RmlEnv *env, const char *name)
{
	for (int i = 0; i < map->n_segments; i++)
		if (strcmp(map->segments[i], name) == 0)
			return i;
	map->segments[map->n_segments] = rml_strdup(env, name);
	return map->n_segments++;
}

static bool
within(const Range *ranges, const int *scores)
{
	for (int i = 0; i < RML_RFM_DIMENSIONS; i++)
		if (scores[i] < ranges[i].low || scores[i] > ranges[i].high)
			return false;
	return true;
}

const char *
rml_rfm_map_assign(RmlRfmMap *map, RmlEnv *env, const char *name, const char *pattern)
{
	Range ranges[RML_RFM_DIMENSIONS];
	const char *reason = parse_pattern(env, pattern, map->bins, ranges);
	int segment;

	if (reason != NULL)
		return reason;
	if (name[0] == '\0')
		return "a segment has an empty name";
	segment = find_or_add_name(map, env, name);
	for (int cell = 0; cell < map->n_cells; cell++)
	{
		int scores[RML_RFM_DIMENSIONS];

		rml_rfm_cell_scores(map->bins, cell, scores);
		if (!within(ranges, scores))
			continue;
		if (map->claimed[cell] && map->segment[cell] != segment)
			return rml_format(env, "code %d is in both \"%s\" and \"%s\"",
							  rml_rfm_cell_code(map->bins, cell), map->segments[map->segment[cell]],
							  name);
		map->segment[cell] = segment;
		map->claimed[cell] = 1;
	}
	return NULL;
}

void
rml_rfm_map_finish(RmlRfmMap *map, RmlEnv *env)
{
	int n = map->n_segments;
	int32_t *renumber = RML_NEW_ZERO(env, int32_t, (size_t) n);

	for (int cell = 0; cell < map->n_cells; cell++)
		renumber[map->segment[cell]] = 1;
	map->n_segments = 0;
	for (int i = 0; i < n; i++)
	{
		if (renumber[i] == 0)
			continue;
		map->segments[map->n_segments] = map->segments[i];
		renumber[i] = map->n_segments++;
	}
	for (int cell = 0; cell < map->n_cells; cell++)
		map->segment[cell] = renumber[map->segment[cell]];
	rml_release(env, renumber);
}
