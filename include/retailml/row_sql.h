/*
 * row_sql.h
 *	  Rows of SQL as numbers and category codes.
 *
 * A row is a composite value of any type (table, view, subquery, ROW(...)) or a float8[].  The
 * binding maps its columns to the columns of a frame (fit) or the features of a schema (predict),
 * once per row type: records are matched by name, arrays by position.
 */
#ifndef RETAILML_ROW_SQL_H
#define RETAILML_ROW_SQL_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "utils/array.h"

#include "retailml/frame.h"
#include "retailml/options.h"
#include "retailml/schema.h"

/* how one column's Datum becomes a number or a text */
typedef enum RmlConvert
{
	RML_FROM_FLOAT8,
	RML_FROM_FLOAT4,
	RML_FROM_INT2,
	RML_FROM_INT4,
	RML_FROM_INT8,
	RML_FROM_NUMERIC,
	RML_FROM_BOOL,
	RML_FROM_TEXT,
	RML_FROM_BPCHAR,
	RML_FROM_ENUM
} RmlConvert;

/* the code of a category text: target is a frame (fit) or a schema (predict) */
typedef int32_t (*RmlCodeFn)(void *target, int column, const char *text, size_t length);

typedef struct RmlBoundColumn
{
	int attribute; /* 0-based attribute of the row type */
	int width;     /* bytes of a value of fixed width */
	int offset;    /* of the value in a tuple without NULLs, -1 = not fixed */
	RmlConvert convert;
	bool categorical;
	int slot;
	uint8 *traits; /* where to note RML_HOLDS_NAN, ...; NULL: nobody asks */
	Oid enum_oid;  /* the enum label looked up last, and its code */
	int32_t enum_code;
} RmlBoundColumn;

typedef struct RmlBinding
{
	MemoryContext context;
	bool is_array;
	Oid type; /* row type bound now (records) */
	int32 typmod;
	TupleDesc tupdesc;
	int fixed_attributes; /* all columns are at fixed offsets in tuples of at least this
									 * many attributes and no NULLs; 0 = they are not */
	int n_columns;
	RmlBoundColumn *columns;
	char **names; /* [n_columns], for errors */
	RmlCodeFn code;
	void *target;
	Datum *values; /* [natts] scratch */
	bool *nulls;
} RmlBinding;

/* the columns a fit sees: chosen from the row type with features / exclude */
typedef struct RmlRowColumns
{
	int n;
	char **names;
	char **types;
	RmlKind *kinds;
} RmlRowColumns;

/*
 * The columns of this row that a fit uses as features: not those of roles, which are something
 * else to it (its label).  categories says whether the algorithm takes categorical columns.
 * Errors name the column and what to do.
 */
extern void rml_row_columns(RmlRowColumns *columns, RmlEnv *env, const char *function, Oid row_type,
							Datum row, const RmlNames *features, const RmlNames *exclude,
							const RmlNames *roles, bool categories);

/* what a column of this type is to a model; false when it is none to any */
extern bool rml_row_type_kind(Oid type, RmlKind *kind);

/* does a row like this one have a column of this name, of a type that can be read? */
extern bool rml_row_has_column(Datum row, const char *name);

/* add the column of a role ("label") to the columns; numeric: it must be a number */
extern void rml_row_role_column(RmlRowColumns *columns, RmlEnv *env, const char *function,
								Datum row, const char *role, const char *name, bool numeric);

/* the same for a value of this type that comes beside an array */
extern void rml_row_role_value(RmlRowColumns *columns, RmlEnv *env, const char *function,
							   const char *role, Oid type);

/* bind rows like this one to columns with these names, kinds and slots */
extern void rml_row_bind(RmlBinding *binding, MemoryContext context, Oid row_type, Datum row,
						 int n_columns, char *const *names, const RmlKind *kinds, const int *slots,
						 bool positional, RmlCodeFn code, void *target);

/*
 * Read a row: numbers by slot (NULL and NaN give NaN), codes by slot (NULL gives 0).  Returns the
 * number of missing values.  Infinity is an error that names the column.  Binds again by itself
 * when the row's type has changed.
 */
extern int rml_row_read(RmlBinding *binding, Datum row, double *numbers, int32_t *codes);

/* bind values of this type, one by one, to a place */
extern void rml_value_bind(RmlBinding *binding, MemoryContext context, Oid type, char *name,
						   int slot, RmlCodeFn code, void *target);

/* read a value as rml_row_read reads a column; true when it is missing */
extern bool rml_value_read(RmlBinding *binding, Datum value, bool null, double *numbers,
						   int32_t *codes);

/* note the traits of each bound column in traits [n_columns], from this row type on */
extern void rml_row_note_traits(RmlBinding *binding, uint8 *const *traits);

/* bind to the type of this row instead of the one before */
extern void rml_row_rebind(RmlBinding *binding, Datum row);

/* elements of an array of features; more than one dimension is an error */
extern int rml_row_array_length(const ArrayType *array);

/* name of a column a row had missing, for the error of impute = error */
extern const char *rml_row_first_missing(const RmlBinding *binding, const double *numbers,
										 const int32_t *codes);

/* a numeric as float8: exact and correctly rounded, equal to the SQL cast */
extern double rml_numeric_to_float8(Datum numeric);

#endif /* RETAILML_ROW_SQL_H */
