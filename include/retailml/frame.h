/*
 * frame.h
 *	  The rows of a fit while they are collected, and the matrix a kernel gets.
 *
 * A frame holds rows of d_num float8 numbers and d_cat int4 category codes in chunks that grow
 * geometrically, so a group of ten rows stays small and a million rows are few pieces.  A chunk
 * keeps its rows contiguous: the canonical order gathers rows at random and touches each once.
 *
 * A missing number is NaN.  Category codes are 0 = missing, 1 .. = dictionary entry; while rows
 * are collected the numbering is by first appearance, rml_frame_order renumbers by sorted text.
 *
 * Frames are made by parallel workers, serialized, and merged.  Canonical order is what makes
 * the result independent of how that happened: rows sorted by a 64-bit hash of their content
 * (ties by content).  Since the hash scatters rows evenly, any prefix of the canonical order is
 * also a uniform random sample, the same one every time.
 */
#ifndef RETAILML_FRAME_H
#define RETAILML_FRAME_H

#include "retailml/env.h"

typedef enum RmlKind
{
	RML_NUMERIC = 0,
	RML_BOOLEAN = 1, /* a number that is 0 or 1 */
	RML_CATEGORICAL = 2
} RmlKind;

/*
 * What SQL sees in a column and its numbers do not show.  Noted only where a fit asks for it (raw
 * rows): whoever writes a condition that SQL is to evaluate has to know.
 */
#define RML_HOLDS_NAN 1     /* some value is NaN, not NULL */
#define RML_HOLDS_ROUNDED 2 /* some bigint or numeric is not exactly its float8 */
#define RML_LOOSE_EQUAL 4   /* texts of different bytes can be equal by the column's collation */

/* texts numbered 1, 2, ... by first appearance */
typedef struct RmlDictionary
{
	int32_t n;
	int32_t capacity; /* of texts, lengths */
	char **texts;     /* [n], entry i has code i + 1; NUL-terminated */
	uint32_t *lengths;
	int32_t *table;      /* open addressing: code, or 0 for a free slot */
	uint32_t table_size; /* a power of two */
} RmlDictionary;

/* the code of a text, new or known; a dictionary starts zeroed */
extern int32_t rml_dictionary_code(RmlDictionary *dictionary, RmlEnv *env, const char *text,
								   size_t length);

typedef struct RmlColumn
{
	char *name;
	char *type; /* the SQL type's name, for people */
	RmlKind kind;
	uint8_t traits;           /* RML_HOLDS_NAN, ... */
	int slot;                 /* position among the numbers, or among the codes, of a row */
	RmlDictionary dictionary; /* of a categorical column */
} RmlColumn;

typedef struct RmlChunk
{
	struct RmlChunk *next;
	int64_t n;
	int64_t capacity;
	double *numbers; /* [n x d_num] */
	int32_t *codes;  /* [n x d_cat] */
} RmlChunk;

typedef struct RmlFrame
{
	RmlEnv *env;
	int n_columns;
	int d_num;
	int d_cat;
	RmlColumn *columns;
	int64_t n;       /* rows held */
	int64_t skipped; /* rows left out (NULL rows, impute = skip) */
	RmlChunk *first;
	RmlChunk *last;
} RmlFrame;

/* rows in canonical order, row-major and contiguous */
typedef struct RmlMatrix
{
	int64_t n;
	int d_num;
	int d_cat;
	double *numbers; /* [n x d_num] */
	int32_t *codes;  /* [n x d_cat] */
	/*
	 * row i of the matrix was the origin[i]-th row pushed, counted over chunks; NULL unless asked
	 * for (window functions give every row its label back)
	 */
	int64_t *origin;
} RmlMatrix;

/*
 * An empty frame.  names, types and kinds are copied; slots are dealt out in column order.
 */
extern void rml_frame_init(RmlFrame *frame, RmlEnv *env, int n_columns, char *const *names,
						   char *const *types, const RmlKind *kinds);

/*
 * Add a row and get the places to fill: *numbers [d_num], *codes [d_cat].
 */
extern void rml_frame_push(RmlFrame *frame, double **numbers, int32_t **codes);

/* take back the row pushed last */
extern void rml_frame_pop(RmlFrame *frame);

/* the code of a text in a categorical column, new or known */
extern int32_t rml_frame_code(RmlFrame *frame, RmlColumn *column, const char *text, size_t length);

/* why two frames cannot be merged (columns differ), or NULL */
extern const char *rml_frame_mismatch(const RmlFrame *a, const RmlFrame *b);

/* so many different texts that they may differ in every row: cheap, to be asked row by row */
static inline bool
rml_frame_may_be_key(const RmlFrame *frame, const RmlColumn *column)
{
	return column->kind == RML_CATEGORICAL && column->dictionary.n >= frame->n;
}

/* is a text there in every row, and different in each?  Not said of a few rows. */
extern bool rml_frame_is_key(const RmlFrame *frame, const RmlColumn *column);

/* are all texts of a categorical column numbers, but for blank ones? */
extern bool rml_column_is_numbers(const RmlColumn *column, RmlEnv *env);

/* take out a categorical column, as if it had not been collected */
extern void rml_frame_drop_texts(RmlFrame *frame, int column);

/* move all rows of source to the end of target; source is empty afterwards */
extern void rml_frame_merge(RmlFrame *target, RmlFrame *source);

/* let go of all rows */
extern void rml_frame_clear(RmlFrame *frame);

/*
 * Private bytes between processes of one server: size, write, read.  Writing lets go of the rows as
 * it goes, so they are never held twice.
 */
extern size_t rml_frame_serial_size(const RmlFrame *frame);
extern void rml_frame_serialize(RmlFrame *frame, void *bytes);
extern void rml_frame_deserialize(RmlFrame *frame, RmlEnv *env, const void *bytes);

/* bytes of memory that rml_frame_order takes on top of the frame, at its peak */
extern size_t rml_frame_order_bytes(const RmlFrame *frame);

/*
 * Renumber categories by sorted text, put the rows in canonical order and clear the frame.  Negative zero becomes zero and every NaN the same NaN first.
 */
extern void rml_frame_order(RmlFrame *frame, bool want_origin, RmlMatrix *matrix);

/* a column taken out of a matrix */
typedef struct RmlTaken
{
	RmlColumn column;
	double *numbers; /* [n]; NULL for a categorical column */
	int32_t *codes;  /* [n]; NULL for a number */
} RmlTaken;

/*
 * Take the columns from the keep-th on out of an ordered matrix and its frame: what came with the
 * rows and is no feature.  taken [n_columns - keep] has them in the order of the matrix.
 */
extern void rml_frame_take(RmlFrame *frame, RmlMatrix *matrix, int keep, RmlTaken *taken);

/* the same for one column of integers: labels [n] */
extern int32_t *rml_frame_take_labels(RmlFrame *frame, RmlMatrix *matrix);

#endif /* RETAILML_FRAME_H */
