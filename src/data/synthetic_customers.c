/*
 * synthetic_customers.c
 *	  The customers of the synthetic store.  See synthetic.h for the model.
 */
#include "retailml/synthetic.h"

#include "synthetic_draw.h"

#define SIGNUP_DAYS 1096 /* the three years 2020 to 2022 */
#define SCORE_UNITS 10000
#define N_AGE_BANDS 6
#define N_EDUCATIONS 5
#define N_EMPLOYMENTS 5
#define CENTS 100

typedef enum LifeStage
{
	STAGE_YOUNG,
	STAGE_WORKING,
	STAGE_RETIRED,
	STAGES
} LifeStage;

typedef struct AgeBand
{
	int16_t low;
	int16_t high; /* included */
	LifeStage stage;
} AgeBand;

static const AgeBand age_bands[N_AGE_BANDS] = {{18, 24, STAGE_YOUNG},   {25, 34, STAGE_WORKING},
											   {35, 44, STAGE_WORKING}, {45, 54, STAGE_WORKING},
											   {55, 64, STAGE_WORKING}, {65, 80, STAGE_RETIRED}};

/* shares in percent; each line adds up to 100 */
static const uint8_t age_band_shares[N_AGE_BANDS] = {13, 21, 20, 18, 15, 13};
static const uint8_t gender_shares[] = {50, 48, 2};
static const uint8_t region_shares[] = {25, 20, 15, 15, 25};
static const uint8_t power_shares[RML_POWERS] = {20, 60, 20};
static const uint8_t frequency_shares[RML_FREQUENCIES] = {30, 50, 20};
static const uint8_t education_shares[STAGES][N_EDUCATIONS] = {
	[STAGE_YOUNG] = {55, 25, 18, 2, 0},
	[STAGE_WORKING] = {25, 25, 30, 17, 3},
	[STAGE_RETIRED] = {40, 30, 18, 10, 2},
};
/* Employed, Self-employed, Student, Unemployed, Retired */
static const uint8_t employment_shares[STAGES][N_EMPLOYMENTS] = {
	[STAGE_YOUNG] = {37, 3, 50, 10, 0},
	[STAGE_WORKING] = {75, 14, 2, 9, 0},
	[STAGE_RETIRED] = {8, 5, 0, 0, 87},
};

/* income a year = base x employment x power x uniform(.7, 1.3), factors in percent */
static const int32_t income_bases[N_EDUCATIONS] = {30000, 34000, 44000, 55000, 65000};
static const int32_t income_by_employment[N_EMPLOYMENTS] = {100, 110, 35, 40, 65};
static const int32_t income_by_power[RML_POWERS] = {70, 100, 160};

/* loyalty is Beta(a, 7 - a) with this a: means 2/7, 4/7, 5/7 */
static const int loyalty_shape[RML_FREQUENCIES] = {2, 4, 5};

static const int frequency_weights[RML_FREQUENCIES] = {1, 3, 8};

int
rml_synthetic_weight(RmlSyntheticFrequency frequency)
{
	return frequency_weights[frequency];
}

/*
 * Beta(a, b) for whole a and b: the a-th smallest of a + b - 1 uniform numbers (H. A. David and
 * H. N. Nagaraja, Order Statistics, 3rd ed., 2003, eq. 2.1.6).  The result is in score units.
 */
static int64_t
draw_beta(uint64_t seed, enum SyntheticColumn column, int64_t index, int a, int b)
{
	double sorted[DRAWS_PER_ROW];

	draw_sorted(seed, column, index, a + b - 1, sorted);
	return (int64_t) (sorted[a - 1] * SCORE_UNITS + 0.5);
}

/*
 * Dirichlet(1, ..., 1): the gaps that uniform numbers leave in [0, 1] (ibid., section 6.4).  The
 * numbers are multiples of 2^-53, so the gaps and their sum are exact.
 */
static void
draw_preferences(uint64_t seed, int64_t index, double preferences[RML_SYNTHETIC_CATEGORIES])
{
	double cuts[RML_SYNTHETIC_CATEGORIES];

	draw_sorted(seed, CUSTOMER_PREFERENCES, index, RML_SYNTHETIC_CATEGORIES - 1, cuts);
	cuts[RML_SYNTHETIC_CATEGORIES - 1] = 1.0;
	preferences[0] = cuts[0];
	for (int i = 1; i < RML_SYNTHETIC_CATEGORIES; i++)
		preferences[i] = cuts[i] - cuts[i - 1];
}

static void
draw_person(uint64_t seed, RmlSyntheticCustomer *customer)
{
	int64_t id = customer->customer_id;
	AgeBand band = age_bands[draw_code(seed, CUSTOMER_AGE_BAND, id, age_band_shares)];

	customer->age = (int) draw_between(seed, CUSTOMER_AGE, id, band.low, band.high);
	customer->gender = draw_code(seed, CUSTOMER_GENDER, id, gender_shares);
	customer->region = draw_code(seed, CUSTOMER_REGION, id, region_shares);
	customer->education = draw_code(seed, CUSTOMER_EDUCATION, id, education_shares[band.stage]);
	customer->employment = draw_code(seed, CUSTOMER_EMPLOYMENT, id, employment_shares[band.stage]);
}

/* whole tens; factors are percents, the last one tenths of a percent */
static int64_t
draw_income(uint64_t seed, const RmlSyntheticCustomer *customer)
{
	int64_t income = (int64_t) income_bases[customer->education] *
					 income_by_employment[customer->employment] * income_by_power[customer->power];
	int64_t noise = draw_between(seed, CUSTOMER_INCOME, customer->customer_id, 700, 1300);

	return income * noise / (100 * 100 * 1000 * 10) * 10 * CENTS;
}

/* frequent customers are loyal, loyal ones read their mail: engagement is half loyalty */
static void
draw_scores(uint64_t seed, RmlSyntheticCustomer *customer)
{
	int64_t id = customer->customer_id;
	int a = loyalty_shape[customer->frequency];
	int64_t loyalty = draw_beta(seed, CUSTOMER_LOYALTY, id, a, 7 - a);
	int64_t own = draw_beta(seed, CUSTOMER_ENGAGEMENT, id, 2, 3);

	customer->loyalty = (double) loyalty / SCORE_UNITS;
	customer->engagement = (double) ((loyalty + own) / 2) / SCORE_UNITS;
}

void
rml_synthetic_customer(uint64_t seed, int32_t customer_id, RmlSyntheticCustomer *customer)
{
	customer->customer_id = customer_id;
	customer->signup_days =
		(int32_t) draw_between(seed, CUSTOMER_SIGNUP, customer_id, 1, SIGNUP_DAYS);
	customer->power = draw_code(seed, CUSTOMER_POWER, customer_id, power_shares);
	customer->frequency = draw_code(seed, CUSTOMER_FREQUENCY, customer_id, frequency_shares);
	draw_person(seed, customer);
	customer->income = draw_income(seed, customer);
	draw_scores(seed, customer);
	draw_preferences(seed, customer_id, customer->preferences);
}
