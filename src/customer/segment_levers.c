/*
 * segment_levers.c
 *	  Levers by name, and by profile.  See segment_levers.h.
 */
#include "retailml/segment_levers.h"

#include <math.h>
#include <string.h>

#include "retailml/rfm.h"

/* ---------------------------------------------------------------- by name */

typedef struct NameLever
{
	const char *name;
	const char *lever;
} NameLever;

/* names of the sets that are no RFM segments */
static const NameLever name_levers[] = {
	{"High Spenders", "Keep them with service, early access and premium products; discounts would "
					  "only cost margin."},
	{"Frequent Shoppers",
	 "Raise the basket: bundles, products that go with what they buy, a threshold for free "
	 "shipping."},
	{"Occasional Buyers",
	 "Give a reason for the next order: a reminder at their usual interval, a voucher with a date."},
	{"Value Seekers",
	 "Offer multi-packs and the lower-priced lines, and move them up with a try-me price."},
	{"Insiders", "Make them ambassadors: first access, referrals, a say in new products."},
	{"Loyal Customers",
	 "Reward the habit with points or a tier, and show categories they have not tried."},
	{"Price Sensitive", "Tell them about offers and clearance, and keep them off full-price "
						"campaigns; watch the margin."},
	{"Churn", "Try one win-back offer at low cost, ask why they left, then stop mailing."},
};

/* length of the text before " 2" or " (2)"; all of it when there is no number at its end */
static size_t
length_without_number(const char *name)
{
	size_t length = strlen(name), end = length, begin;
	bool closed = length > 0 && name[length - 1] == ')';

	end -= closed;
	begin = end;
	while (begin > 0 && name[begin - 1] >= '0' && name[begin - 1] <= '9')
		begin--;
	if (begin == end || (closed && (begin == 0 || name[begin - 1] != '(')))
		return length;
	begin -= closed;
	return begin > 1 && name[begin - 1] == ' ' ? begin - 1 : length;
}

char *
rml_segment_base_name(RmlEnv *env, const char *name)
{
	return rml_strndup(env, name, length_without_number(name));
}

static const char *
lever_of(const char *name)
{
	const RmlRfmSegment *segment = rml_rfm_segment(name);

	for (size_t i = 0; i < sizeof name_levers / sizeof name_levers[0]; i++)
		if (strcmp(name_levers[i].name, name) == 0)
			return name_levers[i].lever;
	return segment == NULL ? NULL : segment->lever;
}

const char *
rml_segment_name_lever(RmlEnv *env, const char *name)
{
	const char *lever = lever_of(name);

	return lever != NULL ? lever : lever_of(rml_segment_base_name(env, name));
}

/* ---------------------------------------------------------------- by profile */

const char *const rml_segment_any_lever =
	"Ask a few of them what they value, then test one offer against a control group.";

/* a role beyond a z of |0.5|, in one direction */
typedef struct RoleSign
{
	RmlSegmentRole role;
	int sign; /* 0: no second role */
} RoleSign;

typedef struct ProfileLever
{
	RoleSign first, second;
	const char *lever;
} ProfileLever;

/* the first that applies */
static const ProfileLever profile_levers[] = {
	{{RML_ROLE_RECENCY, 1},
	 {RML_ROLE_SPEND, 1},
	 "Win them back in person: they were worth it. Ask what went wrong and make a strong offer."},
	{{RML_ROLE_RECENCY, 1},
	 {RML_ROLE_FREQUENCY, 1},
	 "Remind them at once: they bought often. Show what is new in their categories."},
	{{RML_ROLE_RECENCY, 1},
	 {RML_ROLE_SPEND, 0},
	 "Send a win-back message with an offer that expires; leave out those who do not react."},
	{{RML_ROLE_SPEND, 1},
	 {RML_ROLE_FREQUENCY, 1},
	 "Reward them: early access, a personal contact, referrals; no discounts needed."},
	{{RML_ROLE_SPEND, 1},
	 {RML_ROLE_SPEND, 0},
	 "Keep their value with service and premium products, and give them a reason to come more "
	 "often."},
	{{RML_ROLE_FREQUENCY, 1},
	 {RML_ROLE_SPEND, 0},
	 "Raise the basket: bundles, products that go with what they buy, a threshold for free "
	 "shipping."},
	{{RML_ROLE_DISCOUNT, 1},
	 {RML_ROLE_SPEND, 0},
	 "Tell them about offers, and test how small a discount still works."},
	{{RML_ROLE_RECENCY, -1},
	 {RML_ROLE_SPEND, 0},
	 "They were here lately: recommend the next product while they remember."},
	{{RML_ROLE_SPEND_PER_ITEM, -1},
	 {RML_ROLE_SPEND, 0},
	 "Offer multi-packs, and move them up with a try-me price."},
	{{RML_ROLE_FREQUENCY, -1},
	 {RML_ROLE_SPEND, 0},
	 "Give a reason for the next order: a reminder, a voucher with a date."},
	{{RML_ROLE_SPEND, -1},
	 {RML_ROLE_SPEND, 0},
	 "Use channels that cost little, and show popular products to raise the basket."},
};

static bool
has_sign(const RmlSegmentProfile *profile, const int32_t *roles, int segment, RoleSign wanted)
{
	int32_t trait = roles[wanted.role];

	if (wanted.sign == 0)
		return true;
	return trait >= 0 &&
		   wanted.sign * profile->z[(int64_t) segment * profile->m + trait] >= RML_TELLING;
}

/* of the trait with rank 1 */
static const char *
telling_lever(RmlEnv *env, const RmlSegmentProfile *profile, int segment)
{
	int32_t *ranked = RML_NEW(env, int32_t, (size_t) profile->m);
	const RmlTrait *trait;
	double z;

	rml_segment_by_rank(profile, segment, ranked);
	trait = &profile->traits[ranked[0]];
	z = profile->z[(int64_t) segment * profile->m + ranked[0]];
	if (fabs(z) < RML_TELLING)
		return rml_segment_any_lever;
	if (trait->kind == RML_NUMERIC)
		return rml_format(env,
						  "Build an offer around their %s %s, and test it against a control group.",
						  z > 0 ? "high" : "low", trait->feature);
	return rml_format(env,
					  "Build a campaign around %s, which is %s for them %s often than for others, "
					  "and test it against a control group.",
					  trait->feature,
					  trait->category == NULL ? "true" : rml_format(env, "\"%s\"", trait->category),
					  z > 0 ? "more" : "less");
}

const char *
rml_segment_profile_lever(RmlEnv *env, const RmlSegmentProfile *profile, int segment)
{
	int32_t roles[RML_ROLES];

	if (profile->m == 0)
		return rml_segment_any_lever;
	rml_segment_roles(profile, roles);
	for (size_t i = 0; i < sizeof profile_levers / sizeof profile_levers[0]; i++)
		if (has_sign(profile, roles, segment, profile_levers[i].first) &&
			has_sign(profile, roles, segment, profile_levers[i].second))
			return profile_levers[i].lever;
	return telling_lever(env, profile, segment);
}
