/*
 * segment_names_sets.c
 *	  The built-in sets of rules, and the vocabulary of the roles they speak of.
 */
#include <math.h>
#include <string.h>

#include "segment_names_internal.h"

const char *const rml_segment_role_names[RML_ROLES] = {"spend", "frequency", "spend_per_item",
													   "recency", "discount"};
const char *const rml_segment_set_names[RML_SETS] = {"purchase", "loyalty", "generic"};

/* ---------------------------------------------------------------- roles */

#define MOST_SYNONYMS 24

/* lower-case letters and digits only; the first that a model has plays the role */
static const char *const synonyms[RML_ROLES][MOST_SYNONYMS] = {
	[RML_ROLE_SPEND] = {"monetary",   "monetaryvalue", "spend",         "spending",
						"totalspend", "totalspent",    "totalspending", "amountspent",
						"amount",     "totalamount",   "revenue",       "totalrevenue",
						"sales",      "totalsales",    "turnover",      "purchaseamount",
						"spent",      "mnttotal",      "lifetimevalue", "clv"},
	[RML_ROLE_FREQUENCY] = {"frequency",       "orders",           "norders",
							"numorders",       "ordercount",       "numberoforders",
							"totalorders",     "purchases",        "npurchases",
							"numpurchases",    "purchasecount",    "numberofpurchases",
							"totalpurchases",  "transactions",     "ntransactions",
							"numtransactions", "transactioncount", "numberoftransactions",
							"visits",          "nvisits",          "visitcount",
							"invoices"},
	[RML_ROLE_SPEND_PER_ITEM] = {"spendperitem",
								 "priceperitem",
								 "avgitemprice",
								 "averageitemprice",
								 "avgprice",
								 "averageprice",
								 "unitprice",
								 "avgunitprice",
								 "avgbasket",
								 "averagebasket",
								 "basket",
								 "basketvalue",
								 "avgbasketvalue",
								 "averagebasketvalue",
								 "aov",
								 "avgordervalue",
								 "averageordervalue",
								 "spendperorder",
								 "spendperpurchase",
								 "avgpurchasevalue",
								 "avgamount",
								 "averageamount"},
	[RML_ROLE_RECENCY] = {"recency", "recencydays", "dayssincelastorder", "dayssincelastpurchase",
						  "dayssincepurchase", "dayssinceorder", "dayssincelastvisit",
						  "daysinactive", "inactivedays"},
	[RML_ROLE_DISCOUNT] = {"discount", "discounts", "discountrate", "avgdiscount",
						   "averagediscount", "discountshare", "deals", "ndeals", "numdeals",
						   "numdealspurchases", "dealpurchases", "dealspurchases", "coupons",
						   "couponuse", "promoshare", "promotions"},
};

/* the next letter or digit, in lower case; 0 at the end */
static char
next_letter(const char **text)
{
	while (**text != '\0')
	{
		char c = *(*text)++;

		if (c >= 'A' && c <= 'Z')
			return (char) (c + ('a' - 'A'));
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char) c >= 0x80)
			return c;
	}
	return '\0';
}

static bool
reads_like(const char *name, const char *synonym)
{
	char a, b;

	do
	{
		a = next_letter(&name);
		b = next_letter(&synonym);
	} while (a == b && a != '\0');
	return a == b;
}

/* what is left of "ln_monetary" or "log spend": a logarithm keeps the order */
static const char *
without_logarithm(const char *name)
{
	static const char *const prefixes[] = {"ln_", "log_", "log1p_", "log10_", "ln ", "log "};

	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return name + strlen(prefixes[i]);
	return name;
}

static int32_t
find_role(const RmlSegmentProfile *profile, const char *const *names)
{
	for (int i = 0; i < MOST_SYNONYMS && names[i] != NULL; i++)
		for (int t = 0; t < profile->m; t++)
			if (profile->traits[t].kind == RML_NUMERIC &&
				reads_like(without_logarithm(profile->traits[t].feature), names[i]))
				return t;
	return -1;
}

void
rml_segment_roles(const RmlSegmentProfile *profile, int32_t *roles)
{
	for (int role = 0; role < RML_ROLES; role++)
		roles[role] = find_role(profile, synonyms[role]);
}

/* ---------------------------------------------------------------- sets */

#define MOST_TERMS 4

/* a bound on the z of a role, and how much it counts */
typedef struct Term
{
	RmlSegmentRole role;
	double min_z, max_z;
	double weight;
} Term;

#define AT_LEAST(role, z, weight) \
	{ \
		(role), (z), INFINITY, (weight) \
	}
#define AT_MOST(role, z, weight) \
	{ \
		(role), -INFINITY, (z), (weight) \
	}
/* counts, but does not bind: does not matter when nothing plays the role */
#define PREFER(role, weight) \
	{ \
		(role), -INFINITY, INFINITY, (weight) \
	}

typedef struct SetRule
{
	const char *name;
	int n_terms;
	Term terms[MOST_TERMS];
} SetRule;

#define SPEND RML_ROLE_SPEND
#define FREQUENCY RML_ROLE_FREQUENCY
#define ITEM RML_ROLE_SPEND_PER_ITEM
#define RECENCY RML_ROLE_RECENCY
#define DISCOUNT RML_ROLE_DISCOUNT

static const SetRule purchase[] = {
	{"High Spenders", 1, {AT_LEAST(SPEND, 0.5, 1)}},
	{"Frequent Shoppers", 1, {AT_LEAST(FREQUENCY, 0.5, 1)}},
	{"Occasional Buyers", 2, {AT_MOST(FREQUENCY, -0.25, -1), PREFER(ITEM, 0.5)}},
	{"Value Seekers", 2, {AT_MOST(ITEM, -0.25, -1), PREFER(FREQUENCY, 0.5)}},
	{"Value Seekers", 2, {AT_MOST(SPEND, -0.25, -1), AT_LEAST(FREQUENCY, -0.25, 0.5)}},
};

/* those who buy often come before those who stay away; the last rule fits all */
static const SetRule loyalty[] = {
	{"Insiders",
	 3,
	 {AT_LEAST(FREQUENCY, 0.75, 1), AT_LEAST(SPEND, 0.5, 1), AT_MOST(RECENCY, 0.5, -0.5)}},
	{"Insiders", 2, {AT_LEAST(FREQUENCY, 1.5, 1), AT_LEAST(SPEND, 1.0, 1)}},
	{"Loyal Customers", 2, {AT_LEAST(FREQUENCY, 0.5, 1), AT_MOST(RECENCY, 0.5, -0.5)}},
	{"Churn", 2, {AT_LEAST(RECENCY, 1.0, 1), AT_MOST(FREQUENCY, 0, -0.5)}},
	{"Need Attention", 2, {AT_LEAST(RECENCY, 0.25, 0.5), AT_LEAST(FREQUENCY, 0, 1)}},
	{"Need Attention", 2, {AT_LEAST(RECENCY, 0.25, 0.5), AT_LEAST(SPEND, 0.25, 1)}},
	{"Hibernating", 2, {AT_LEAST(RECENCY, 0.25, 1), AT_MOST(FREQUENCY, 0, -0.5)}},
	{"Price Sensitive", 1, {AT_LEAST(DISCOUNT, 0.5, 1)}},
	{"Price Sensitive", 2, {AT_MOST(ITEM, -0.5, -1), AT_MOST(SPEND, 0.5, -0.5)}},
	{"Potential Loyalists", 2, {AT_MOST(RECENCY, 0.25, -0.5), AT_LEAST(FREQUENCY, -0.25, 1)}},
	{"Promising", 2, {AT_MOST(RECENCY, 0.25, -1), AT_MOST(FREQUENCY, 0, 0.5)}},
	/* for models without recency */
	{"Loyal Customers", 1, {AT_LEAST(FREQUENCY, 0.5, 1)}},
	{"Churn", 2, {AT_MOST(FREQUENCY, -0.75, -1), AT_MOST(SPEND, -0.75, -1)}},
	{"Hibernating", 1, {AT_MOST(FREQUENCY, -0.5, -1)}},
	{"Potential Loyalists", 1, {AT_LEAST(FREQUENCY, 0, 1)}},
	{"Promising", 1, {AT_LEAST(SPEND, -0.25, 1)}},
	{"Need Attention", 0, {{0}}},
};

#define COUNT(array) ((int) (sizeof(array) / sizeof((array)[0])))

typedef struct Set
{
	int n;
	const SetRule *rules;
	bool needs[RML_ROLES];
} Set;

static const Set sets[RML_SETS] = {
	[RML_SET_PURCHASE] = {COUNT(purchase), purchase, {[SPEND] = true, [FREQUENCY] = true}},
	[RML_SET_LOYALTY] = {COUNT(loyalty), loyalty, {[SPEND] = true, [FREQUENCY] = true}},
	[RML_SET_GENERIC] = {0, NULL, {false}},
};

RmlSegmentRole
rml_segment_set_lacks(RmlSegmentSet set, const int32_t *roles)
{
	for (int role = 0; role < RML_ROLES; role++)
		if (sets[set].needs[role] && roles[role] < 0)
			return (RmlSegmentRole) role;
	return RML_ROLES;
}

/* the conditions of a rule, or false when it binds a role that nothing plays */
static bool
rule_for_roles(RmlSegmentRule *rule, RmlEnv *env, const SetRule *from, const int32_t *roles)
{
	*rule = (RmlSegmentRule){.name = from->name};
	rule->conditions = RML_NEW(env, RmlSegmentCondition, MOST_TERMS);
	for (int i = 0; i < from->n_terms; i++)
	{
		const Term *term = &from->terms[i];

		if (roles[term->role] >= 0)
			rule->conditions[rule->n_conditions++] =
				(RmlSegmentCondition){.trait = roles[term->role],
									  .min_z = term->min_z,
									  .max_z = term->max_z,
									  .min_mean = -INFINITY,
									  .max_mean = INFINITY,
									  .weight = term->weight};
		else if (isfinite(term->min_z) || isfinite(term->max_z))
			return false;
	}
	return true;
}

void
rml_segment_set_rules(RmlSegmentRules *rules, RmlEnv *env, RmlSegmentSet set, const int32_t *roles)
{
	*rules = (RmlSegmentRules){.spread = true};
	rules->rules = RML_NEW(env, RmlSegmentRule, (size_t) sets[set].n);
	for (int i = 0; i < sets[set].n; i++)
		rules->n += rule_for_roles(&rules->rules[rules->n], env, &sets[set].rules[i], roles);
}
