/*
 * rfm_orders_sql.h
 *	  The distinct orders of one customer: an exact set of SQL values of any type, small first.
 *
 * A value becomes a 64-bit word.  How depends on the type:
 *
 *	  WORD    by value and equal exactly when the bytes are (integers, dates, enums): the value
 *	  BYTES   by reference and equal exactly when the bytes are (text in deterministic collations,
 *			  uuid): up to 7 bytes inside the word, longer ones in the pool
 *	  VALUE   equal as the type's operator says (numeric 1.0 = 1.00): in the pool
 *
 * A word for the pool holds 31 bits of hash and the place, so most comparisons end in the word.
 *
 * Up to RML_ORDERS_LIST words are a list that is scanned, in the set itself while they fit; more
 * become a hash table with open addressing.  There are hundreds of thousands of customers with a
 * few orders, and each set is in a chunk of its own.
 */
#ifndef RETAILML_RFM_ORDERS_SQL_H
#define RETAILML_RFM_ORDERS_SQL_H

#include "postgres.h"

#include "fmgr.h"

typedef enum RmlOrderKind
{
	RML_ORDER_WORD,
	RML_ORDER_BYTES,
	RML_ORDER_VALUE
} RmlOrderKind;

/* how values of one type are told apart; made once per query */
typedef struct RmlOrderType
{
	Oid type;
	Oid collation;
	RmlOrderKind kind;
	int16 length; /* typlen */
	bool by_value;
	FmgrInfo hash; /* of kind VALUE */
	FmgrInfo equal;
} RmlOrderType;

#define RML_ORDERS_INLINE 3
#define RML_ORDERS_LIST 16

/* bytes of values too long for a word: each entry its length, then the bytes */
typedef struct RmlOrderPool
{
	uint64 used;
	uint64 capacity;
	char entries[FLEXIBLE_ARRAY_MEMBER];
} RmlOrderPool;

typedef struct RmlOrders
{
	uint64 *words;      /* list [n], or hash table [capacity], 0 = free */
	RmlOrderPool *pool; /* NULL until needed */
	uint64 last;        /* word of the value added last */
	uint32 n;           /* distinct values */
	uint32 capacity;    /* more than RML_ORDERS_LIST: words is a hash table */
	bool has_zero;      /* word 0 is a member, which the hash table cannot hold */
	uint64 few[RML_ORDERS_INLINE];
} RmlOrders;

/* fill in how values of a type are told apart; an error when the type has no equality */
extern void rml_order_type_init(RmlOrderType *order_type, MemoryContext context, Oid type,
								Oid collation);

/* an empty set; must not be moved afterwards */
extern void rml_orders_init(RmlOrders *orders);

/* add a value; memory comes from context */
extern void rml_orders_add(RmlOrders *orders, RmlOrderType *type, MemoryContext context,
						   Datum value);

/* add all members of source, which has the same type */
extern void rml_orders_merge(RmlOrders *orders, RmlOrderType *type, MemoryContext context,
							 const RmlOrders *source);

/* private bytes between processes of one server: size (a multiple of 8), write, read */
extern Size rml_orders_serial_size(const RmlOrders *orders);
extern void rml_orders_serialize(const RmlOrders *orders, void *bytes);

/* the set as a view of these bytes, aligned to 8; good for rml_orders_merge's source only */
extern void rml_orders_deserialize(RmlOrders *orders, void *bytes);

#endif /* RETAILML_RFM_ORDERS_SQL_H */
