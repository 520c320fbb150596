/*
 * options.h
 *	  The options of an algorithm as a table: name, type, range, default, place in the struct.
 *
 * One table serves everything that deals with options: defaults, parsing of jsonb with its
 * errors (options_sql.h), the values kept in the model, and what model_info() shows.
 *
 * In the params struct every INT, BOOL and CHOICE is an int64_t (a choice is the index into
 * choices), FLOAT is a double, AUTO a double or RML_AUTO for the word "auto" (its default; the
 * accepted range starts at 0), TEXT a char * (NULL = not given), NAMES and IDS (numbers or texts) an RmlNames, WEIGHTS an
 * RmlWeights (a word of choices or an object of numbers from low to high).  An OBJECT is
 * only checked for being a JSON object; the binding that declares it reads it by itself.
 */
#ifndef RETAILML_OPTIONS_H
#define RETAILML_OPTIONS_H

#include "retailml/info.h"
#include "retailml/model.h"

typedef enum RmlOptionType
{
	RML_OPTION_INT,
	RML_OPTION_FLOAT,
	RML_OPTION_AUTO,
	RML_OPTION_BOOL,
	RML_OPTION_CHOICE,
	RML_OPTION_TEXT,
	RML_OPTION_NAMES,
	RML_OPTION_IDS,
	RML_OPTION_WEIGHTS,
	RML_OPTION_OBJECT
} RmlOptionType;

typedef struct RmlNames
{
	int64_t n;
	char **names;
} RmlNames;

/* a choice by one word, or a number for each of some names */
typedef struct RmlWeights
{
	int64_t choice; /* index into choices; their number when numbers are given */
	int64_t n;
	char **names;
	double *numbers;
} RmlWeights;

typedef struct RmlOption
{
	const char *name;
	RmlOptionType type;
	size_t offset;   /* in the params struct; ignored for OBJECT */
	double standard; /* the default (index of the default choice); 0 = none / empty */
	double low;      /* accepted range of INT and FLOAT, both ends included */
	double high;
	const char *const *choices; /* NULL-terminated */
} RmlOption;

/* what one table and the struct it fills make together */
typedef struct RmlOptionSet
{
	const RmlOption *options;
	int n_options;
	void *params;
} RmlOptionSet;

extern void rml_options_default(const RmlOptionSet *set);
extern void rml_options_encode(const RmlOptionSet *set, RmlWriter *writer);
extern void rml_options_decode(const RmlOptionSet *set, RmlReader *reader);
extern void rml_options_describe(const RmlOptionSet *set, RmlInfo *info);

#define RML_AUTO (-1.0)

/* entries of a table */
#define RML_INT_OPTION(type, field, standard, low, high) \
	{ \
#field, RML_OPTION_INT, offsetof(type, field), (standard), (low), (high), NULL \
	}
#define RML_FLOAT_OPTION(type, field, standard, low, high) \
	{ \
#field, RML_OPTION_FLOAT, offsetof(type, field), (standard), (low), (high), NULL \
	}
#define RML_AUTO_OPTION(type, field, low, high) \
	{ \
#field, RML_OPTION_AUTO, offsetof(type, field), RML_AUTO, (low), (high), NULL \
	}
#define RML_BOOL_OPTION(type, field, standard) \
	{ \
#field, RML_OPTION_BOOL, offsetof(type, field), (standard), 0, 1, NULL \
	}
#define RML_CHOICE_OPTION(type, field, standard, choices) \
	{ \
#field, RML_OPTION_CHOICE, offsetof(type, field), (standard), 0, 0, (choices) \
	}
#define RML_TEXT_OPTION(type, field) \
	{ \
#field, RML_OPTION_TEXT, offsetof(type, field), 0, 0, 0, NULL \
	}
#define RML_NAMES_OPTION(type, field) \
	{ \
#field, RML_OPTION_NAMES, offsetof(type, field), 0, 0, 0, NULL \
	}
#define RML_IDS_OPTION(type, field) \
	{ \
#field, RML_OPTION_IDS, offsetof(type, field), 0, 0, 0, NULL \
	}
/* every stochastic method's seed: any bigint that a jsonb number holds exactly */
#define RML_SEED_OPTION(type) \
	RML_INT_OPTION(type, seed, 42, -9007199254740992.0, 9007199254740992.0)

#endif /* RETAILML_OPTIONS_H */
