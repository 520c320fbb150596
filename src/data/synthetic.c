/*
 * synthetic.c
 *	  The texts of the synthetic store, and its products.  See synthetic.h for the model.
 */
#include "retailml/synthetic.h"

#include <stdio.h>

#include "synthetic_draw.h"

#define N_LINES 16
#define N_NOUNS 4

/* cents */
typedef struct PriceRange
{
	int32_t low;
	int32_t high;
} PriceRange;

static const PriceRange price_ranges[RML_SYNTHETIC_CATEGORIES] = {
	{10000, 80000}, {1000, 15000}, {3000, 40000}, {500, 4000}, {1000, 10000}};

static const char *const categories[] = {"Electronics", "Clothing", "Home & Living",
										 "Books",       "Beauty",   NULL};
static const char *const subcategories[] = {
	"Phones",   "Computers", "Audio",    "Cameras",   "Wearables",   /* Electronics */
	"Tops",     "Trousers",  "Dresses",  "Shoes",     "Accessories", /* Clothing */
	"Kitchen",  "Bedding",   "Lighting", "Furniture", "Decor",       /* Home & Living */
	"Fiction",  "History",   "Science",  "Children",  "Cooking",     /* Books */
	"Skincare", "Make-up",   "Haircare", "Fragrance", "Bath",        /* Beauty */
	NULL};
static const char *const genders[] = {"Female", "Male", "Other", NULL};
static const char *const regions[] = {"North", "South", "East", "West", "Central", NULL};
static const char *const educations[] = {"Secondary", "Vocational", "Bachelor",
										 "Master",    "Doctorate",  NULL};
static const char *const employments[] = {"Employed",   "Self-employed", "Student",
										  "Unemployed", "Retired",       NULL};
static const char *const powers[] = {"Low", "Medium", "High", NULL};
static const char *const frequencies[] = {"Rare", "Regular", "Frequent", NULL};
static const char *const channels[] = {"Online", "Store", "Mobile", NULL};

/* indexed by RmlSyntheticField */
static const char *const *const labels[RML_SYNTHETIC_FIELDS] = {
	[RML_SYNTHETIC_CATEGORY] = categories,  [RML_SYNTHETIC_SUBCATEGORY] = subcategories,
	[RML_SYNTHETIC_GENDER] = genders,       [RML_SYNTHETIC_REGION] = regions,
	[RML_SYNTHETIC_EDUCATION] = educations, [RML_SYNTHETIC_EMPLOYMENT] = employments,
	[RML_SYNTHETIC_POWER] = powers,         [RML_SYNTHETIC_FREQUENCY] = frequencies,
	[RML_SYNTHETIC_CHANNEL] = channels,
};

/* a product is called "<line> <noun> <number>" */
static const char *const lines[N_LINES] = {"Alba",   "Boreal",  "Cobalt", "Delta",
										   "Ember",  "Fjord",   "Gala",   "Harbor",
										   "Indigo", "Juniper", "Koru",   "Lumen",
										   "Meadow", "Nova",    "Onyx",   "Prairie"};

/* of different subcategories all different, so that the name is unique */
static const char *const nouns[][N_NOUNS] = {
	{"Phone", "Smartphone", "Handset", "Fold"},
	{"Laptop", "Notebook", "Desktop", "Tablet"},
	{"Headphones", "Earbuds", "Speaker", "Soundbar"},
	{"Camera", "Action Cam", "Lens", "Camcorder"},
	{"Watch", "Band", "Tracker", "Ring"},
	{"Shirt", "Sweater", "Blouse", "Hoodie"},
	{"Jeans", "Chinos", "Leggings", "Shorts"},
	{"Dress", "Skirt", "Gown", "Jumpsuit"},
	{"Sneakers", "Boots", "Sandals", "Loafers"},
	{"Scarf", "Belt", "Hat", "Bag"},
	{"Pan", "Kettle", "Blender", "Knife Set"},
	{"Duvet", "Pillow", "Sheet Set", "Blanket"},
	{"Lamp", "Pendant", "Sconce", "Floor Light"},
	{"Chair", "Table", "Shelf", "Stool"},
	{"Vase", "Mirror", "Rug", "Clock"},
	{"Novel", "Thriller", "Saga", "Short Stories"},
	{"Chronicle", "Biography", "Atlas", "Memoir"},
	{"Field Guide", "Handbook", "Primer", "Essays"},
	{"Picture Book", "Fairy Tales", "Activity Book", "Rhymes"},
	{"Cookbook", "Baking Book", "Wine Guide", "Grill Book"},
	{"Serum", "Moisturiser", "Cleanser", "Sunscreen"},
	{"Lipstick", "Mascara", "Foundation", "Palette"},
	{"Shampoo", "Conditioner", "Hair Mask", "Hair Oil"},
	{"Perfume", "Cologne", "Body Mist", "Eau Fraiche"},
	{"Bath Salts", "Shower Gel", "Soap", "Body Scrub"},
};

const char *
rml_synthetic_label(RmlSyntheticField field, int code)
{
	return labels[field][code];
}

/*
 * Categories take turns, then subcategories, so that every category has products as soon as there
 * are five and shares do not depend on luck.
 */
void
rml_synthetic_product(uint64_t seed, int32_t product_id, RmlSyntheticProduct *product)
{
	int32_t place = product_id - 1;
	int category = place % RML_SYNTHETIC_CATEGORIES;
	int subcategory = place / RML_SYNTHETIC_CATEGORIES % RML_SYNTHETIC_SUBCATEGORIES;
	int32_t number = place / (RML_SYNTHETIC_CATEGORIES * RML_SYNTHETIC_SUBCATEGORIES) + 1;
	PriceRange range = price_ranges[category];

	product->product_id = product_id;
	product->category = category;
	product->subcategory = category * RML_SYNTHETIC_SUBCATEGORIES + subcategory;
	product->base_price = draw_between(seed, PRODUCT_PRICE, product_id, range.low, range.high);
	product->popularity =
		(double) draw_between(seed, PRODUCT_POPULARITY, product_id, 1000, 10000) / 10000;
	snprintf(product->name, sizeof product->name, "%s %s %d",
			 lines[draw_below(seed, PRODUCT_LINE, product_id, N_LINES)],
			 nouns[product->subcategory][draw_below(seed, PRODUCT_NOUN, product_id, N_NOUNS)],
			 (int) number);
}
