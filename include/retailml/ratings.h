/*
 * ratings.h
 *	  Who rated, bought or used what: the table a recommender learns from.
 *
 * A rating is a user, an item and a number (stars, or an amount).  Ids are integers or texts of the
 * warehouse, the same kind for users and items; here they are numbered 0, 1, ... in ascending order
 * (texts by bytes), so numbers do not depend on the order of rows.  Legend: u users, i items, n ratings
 * (distinct pairs), N(u) the items of a user.
 *
 * Several rows of one pair are merged into one rating: their sum or mean (exact and rounded once, so
 * the order of rows cannot matter), the last one in the order of arrival, or an error.  Then the
 * transform: log1p for amounts, whose large values would otherwise be all that is learnt.
 *
 * Rows are collected in an RmlRatingLog of 16 bytes a row and become an RmlRatings of 8 bytes a
 * rating: sparse rows by user, items ascending within a user.  On the way (two stable counting
 * sorts, by item and then by user) a row takes 28 bytes at most.
 */
#ifndef RETAILML_RATINGS_H
#define RETAILML_RATINGS_H

#include "retailml/env.h"
#include "retailml/frame.h"

/* ids in ascending order; position = number of the user or item */
typedef struct RmlRatingIds
{
	int32_t n;
	int64_t *numbers; /* [n]; NULL for texts */
	char **texts;     /* [n], NUL-terminated; NULL for numbers */
} RmlRatingIds;

/* the position of an id, or -1; of the kind the ids are */
extern int32_t rml_rating_ids_number(const RmlRatingIds *ids, int64_t number);
extern int32_t rml_rating_ids_text(const RmlRatingIds *ids, const char *text, size_t length);

/* an id as text, for messages and reasons (in the arena for numbers) */
extern const char *rml_rating_id_text(const RmlRatingIds *ids, RmlEnv *env, int32_t position);

typedef struct RmlRatings
{
	int32_t n_users;
	int32_t n_items;
	int64_t n;
	int64_t *starts; /* [u + 1]: the ratings of user u are starts[u] .. starts[u + 1] - 1 */
	int32_t *items;  /* [n] ascending within a user */
	float *values;   /* [n] */
} RmlRatings;

/*
 * 64 bits for a pair that depend on the ids' content and the seed only: what a hashed hold-out and folds go
 * by.  keys: of rml_rating_keys for the users and for the items.
 */
extern uint64_t *rml_rating_keys(const RmlRatingIds *ids, RmlEnv *env);
extern uint64_t rml_rating_pair_key(uint64_t user_key, uint64_t item_key, int64_t seed);

/*
 * The ratings whose side[r] (uint8, [n]) is not `side`, as ratings of the same users and items (a user may be left
 * with none): training rows of a fold.
 */
extern void rml_ratings_without(const RmlRatings *ratings, RmlEnv *env, const uint8_t *sides,
								uint8_t side, RmlRatings *part);

/* let go of the arrays */
extern void rml_ratings_release(RmlRatings *ratings, RmlEnv *env);

/* the users of each item: n [i] */
extern int64_t *rml_ratings_buyers(const RmlRatings *ratings, RmlEnv *env);

/* their logarithms [i], 0 for no users: what expected value adds to a prediction (recommend.h) */
extern double *rml_log_buyers(RmlEnv *env, const int64_t *buyers, int32_t n_items);

/*
 * Users in blocks of about equal work, each of them costing its ratings and `weight` more: block b has the users
 * from this one of b to that of b + 1.  There are rml_blocks(n + weight * n_users, size) blocks.
 */
extern int32_t rml_ratings_block_user(const RmlRatings *ratings, int64_t block, int64_t size,
									  int64_t weight);

/* ---- from rows to ratings ---- */

typedef enum RmlDuplicates
{
	RML_DUPLICATES_AUTO = 0, /* settled by the algorithm before use */
	RML_DUPLICATES_MEAN,
	RML_DUPLICATES_SUM,
	RML_DUPLICATES_LAST,
	RML_DUPLICATES_ERROR
} RmlDuplicates;

typedef enum RmlTransform
{
	RML_TRANSFORM_AUTO = 0,
	RML_TRANSFORM_NONE,
	RML_TRANSFORM_LOG1P
} RmlTransform;

/* one row as it came: codes of the log's own dictionaries */
typedef struct RmlRatingRow
{
	int32_t user;
	int32_t item;
	double value;
} RmlRatingRow;

/* ids as they come: codes 0, 1, ... by first appearance */
typedef struct RmlRatingNames
{
	bool text;
	int32_t n;
	int32_t last; /* the code asked for last: rows of one user often follow each other */
	RmlDictionary dictionary; /* of texts, whose codes are one more */
	int64_t *numbers;         /* [n] of numbers, code -> number */
	int32_t *table;           /* open addressing by number: code + 1, or 0 for a free slot */
	uint32_t table_size;      /* a power of two */
	int32_t capacity;         /* of numbers */
} RmlRatingNames;

/* the code of an id, new or known; names start zeroed but for text */
extern int32_t rml_rating_code_number(RmlRatingNames *names, RmlEnv *env, int64_t number);
extern int32_t rml_rating_code_text(RmlRatingNames *names, RmlEnv *env, const char *text,
									size_t length);

/*
 * The ids in ascending order, and ranks [n]: code -> position.  Texts are shared with the names, which
 * must stay.
 */
extern int32_t *rml_rating_names_sort(const RmlRatingNames *names, RmlEnv *env, RmlRatingIds *ids);

/* let go of the tables, not of the texts */
extern void rml_rating_names_release(RmlRatingNames *names, RmlEnv *env);

/* the codes [n] in target of all names of source, which are added to it */
extern int32_t *rml_rating_names_merge(RmlRatingNames *target, RmlEnv *env,
									   const RmlRatingNames *source);

/* private bytes between processes: size, write, read (the end of what was written or read is returned) */
extern size_t rml_rating_names_serial_size(const RmlRatingNames *names);
extern char *rml_rating_names_write(const RmlRatingNames *names, RmlEnv *env, char *bytes);
/* codes [n] in names of those that were written */
extern const char *rml_rating_names_read(RmlRatingNames *names, RmlEnv *env, const char *bytes,
										 int32_t **codes);

typedef struct RmlRatingChunk
{
	struct RmlRatingChunk *next;
	int64_t n;
	int64_t capacity;
	RmlRatingRow *rows; /* [capacity] */
} RmlRatingChunk;

typedef struct RmlRatingLog
{
	RmlRatingNames users;
	RmlRatingNames items;
	int64_t n;       /* rows held */
	int64_t skipped; /* rows left out: without a user, an item or a value */
	RmlRatingChunk *first;
	RmlRatingChunk *last;
} RmlRatingLog;

/* an empty log; nothing is allocated before the first row */
extern void rml_rating_log_init(RmlRatingLog *log, bool text);

/* add one row; value is finite */
extern void rml_rating_log_add(RmlRatingLog *log, RmlEnv *env, int32_t user, int32_t item,
							   double value);

/* let go of the rows */
extern void rml_rating_log_clear(RmlRatingLog *log, RmlEnv *env);

/* move all rows of source, of the same kind of ids, to the end of target */
extern void rml_rating_log_merge(RmlRatingLog *target, RmlEnv *env, RmlRatingLog *source);

/* private bytes between processes; writing lets go of the rows as it goes, reading adds them */
extern size_t rml_rating_log_serial_size(const RmlRatingLog *log);
extern void rml_rating_log_write(RmlRatingLog *log, RmlEnv *env, char *bytes);
extern void rml_rating_log_read(RmlRatingLog *log, RmlEnv *env, const char *bytes);

/* bytes that rml_ratings_make takes on top of the log, at its peak */
extern size_t rml_ratings_make_bytes(const RmlRatingLog *log);

/*
 * The ratings of the log, whose rows are let go of.  Returns NULL, or the reason it cannot be done, worded
 * with the ids, and a hint: a pair that occurs twice under RML_DUPLICATES_ERROR, a value that log1p does
 * not have, one beyond float4.  Of several such pairs the first in order of the ids is named.
 */
extern const char *rml_ratings_make(RmlRatingLog *log, RmlEnv *env, RmlDuplicates duplicates,
									RmlTransform transform, RmlRatings *ratings,
									RmlRatingIds *users, RmlRatingIds *items, const char **hint);

#endif /* RETAILML_RATINGS_H */
