/*
 * rfm_orders_sql.c
 *	  An exact set of SQL values.  See rfm_orders_sql.h.
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/guc_sql.h"
#include "retailml/rfm_orders_sql.h"

/* kinds BYTES and VALUE: short bytes are 00000000-0000LLLL (length + 1), then the bytes */
#define SHORT_BYTES 7
#define SHORT_SHIFT 56
/* or a reference to the pool: 1, 31 bits of hash, 32 bits of place in units of 8 bytes */
#define REFERENCE (UINT64CONST(1) << 63)
#define HASH_MASK 0x7FFFFFFF
#define POOL_ALIGN 8
#define ENTRY_HEAD 8

#define POLL_EVERY 65536

/* a value on its way into the set */
typedef struct Candidate
{
	uint64 word;       /* a reference has no place before it is found in the set */
	const char *bytes; /* of a reference; NULL for a by-value type */
	Size length;
	Datum value;
} Candidate;

/* ---- types ---- */

/* does the default btree operator class say that equal means the same bytes? */
static bool
equal_is_image(const TypeCacheEntry *entry, Oid collation)
{
	Oid function;

	if (!OidIsValid(entry->btree_opf))
		return false;
	function = get_opfamily_proc(entry->btree_opf, entry->btree_opintype, entry->btree_opintype,
								 BTEQUALIMAGE_PROC);
	return OidIsValid(function) &&
		   DatumGetBool(
			   OidFunctionCall1Coll(function, collation, ObjectIdGetDatum(entry->btree_opintype)));
}

static RmlOrderKind
kind_of(const TypeCacheEntry *entry, Oid collation)
{
	/* blanks at the end of character(n) do not count, whatever the operator class says */
	if (entry->btree_opintype == BPCHAROID || entry->typlen == -2 ||
		!equal_is_image(entry, collation))
		return RML_ORDER_VALUE;
	return entry->typbyval ? RML_ORDER_WORD : RML_ORDER_BYTES;
}

void
rml_order_type_init(RmlOrderType *order_type, MemoryContext context, Oid type, Oid collation)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY | TYPECACHE_HASH_PROC |
														TYPECACHE_EQ_OPR_FINFO);
	Oid hash, equal;

	order_type->type = type;
	order_type->collation = collation;
	order_type->length = entry->typlen;
	order_type->by_value = entry->typbyval;
	order_type->kind = kind_of(entry, collation);
	if (order_type->kind != RML_ORDER_VALUE)
		return;
	hash = entry->hash_proc;
	equal = entry->eq_opr_finfo.fn_oid;
	/* the type cache does not promise that all rows can be hashed; hash_record says if one cannot */
	if (type == RECORDOID)
		hash = F_HASH_RECORD;
	if (!OidIsValid(hash) || !OidIsValid(equal))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
						errmsg("rfm: order_id of type %s cannot be compared", format_type_be(type)),
						errhint("Cast it to text.")));
	fmgr_info_cxt(hash, &order_type->hash, context);
	fmgr_info_cxt(equal, &order_type->equal, context);
}

/* ---- pool ---- */

static bool
is_reference(const RmlOrderType *type, uint64 word)
{
	return type->kind != RML_ORDER_WORD && (word & REFERENCE) != 0;
}

static char *
pool_entry(const RmlOrderPool *pool, uint64 word)
{
	return (char *) pool->entries + (word & PG_UINT32_MAX) * POOL_ALIGN;
}

static uint64
entry_length(const char *entry)
{
	return *(const uint64 *) entry;
}

static Datum
entry_value(const RmlOrderType *type, const char *entry)
{
	if (type->by_value)
		return *(const Datum *) (entry + ENTRY_HEAD);
	return PointerGetDatum(entry + ENTRY_HEAD);
}

static void
refuse_size(Size size)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("rfm needs %zu MB for the orders of one group, retailml.max_memory is %zu MB",
					size >> 20, rml_guc_max_memory_bytes() >> 20),
			 errhint("Group by customer, or raise retailml.max_memory for this session with "
					 "SET.")));
}

static void *
allocate(MemoryContext context, Size size, int flags)
{
	if (size > rml_guc_max_memory_bytes())
		refuse_size(size);
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE | flags);
}

static void
pool_reserve(RmlOrders *orders, MemoryContext context, Size size)
{
	RmlOrderPool *old = orders->pool;
	Size used = old == NULL ? 0 : old->used;
	Size capacity = old == NULL ? 64 : old->capacity;

	if (old != NULL && capacity - used >= size)
		return;
	while (capacity - used < size)
		capacity *= 2;
	orders->pool = allocate(context, offsetof(RmlOrderPool, entries) + capacity, 0);
	orders->pool->used = used;
	orders->pool->capacity = capacity;
	if (old == NULL)
		return;
	memcpy(orders->pool->entries, old->entries, used);
	pfree(old);
}

/* a copy of the candidate's bytes; returns the word that refers to it */
static uint64
pool_put(RmlOrders *orders, const RmlOrderType *type, MemoryContext context,
		 const Candidate *candidate)
{
	Size size = ENTRY_HEAD + TYPEALIGN(POOL_ALIGN, candidate->length);
	uint64 place;
	char *entry;

	pool_reserve(orders, context, size);
	place = orders->pool->used;
	if (place / POOL_ALIGN > PG_UINT32_MAX)
		refuse_size(place);
	entry = orders->pool->entries + place;
	*(uint64 *) entry = candidate->length;
	if (type->by_value)
		*(Datum *) (entry + ENTRY_HEAD) = candidate->value;
	else
		memcpy(entry + ENTRY_HEAD, candidate->bytes, candidate->length);
	orders->pool->used += size;
	return candidate->word | place / POOL_ALIGN;
}

/* ---- words ---- */

static bool
same_bytes(const char *entry, const Candidate *candidate)
{
	return entry_length(entry) == candidate->length &&
		   memcmp(entry + ENTRY_HEAD, candidate->bytes, candidate->length) == 0;
}

/* is this member the candidate? */
static bool
same(const RmlOrders *orders, RmlOrderType *type, uint64 word, const Candidate *candidate)
{
	const char *entry;

	if (!is_reference(type, candidate->word))
		return word == candidate->word;
	if (((word ^ candidate->word) & ~(uint64) PG_UINT32_MAX) != 0)
		return false;
	entry = pool_entry(orders->pool, word);
	if (type->kind == RML_ORDER_BYTES)
		return same_bytes(entry, candidate);
	return DatumGetBool(FunctionCall2Coll(&type->equal, type->collation, entry_value(type, entry),
										  candidate->value));
}

static uint64
reference_word(uint32 hash)
{
	return REFERENCE | (uint64) (hash & HASH_MASK) << 32;
}

static uint64
short_word(const char *bytes, Size length)
{
	uint64 word = 0;

	memcpy(&word, bytes, length);
	return word | (uint64) (length + 1) << SHORT_SHIFT;
}

static uint64
fixed_word(const RmlOrderType *type, Datum value)
{
	switch (type->length)
	{
		case 1:
			return (uint8) DatumGetChar(value);
		case 2:
			return (uint16) DatumGetInt16(value);
		case 4:
			return (uint32) DatumGetInt32(value);
		default:
			return (uint64) value;
	}
}

/* the image of a by-reference value, detoasted */
static void
candidate_bytes(Candidate *candidate, const RmlOrderType *type)
{
	struct varlena *packed;

	if (type->length > 0)
	{
		candidate->bytes = DatumGetPointer(candidate->value);
		candidate->length = type->length;
		return;
	}
	if (type->length == -2)
	{
		candidate->bytes = DatumGetCString(candidate->value);
		candidate->length = strlen(candidate->bytes) + 1;
		return;
	}
	packed = PG_DETOAST_DATUM_PACKED(candidate->value);
	candidate->value = PointerGetDatum(packed);
	/* a function of the type wants the header too */
	candidate->bytes = type->kind == RML_ORDER_BYTES ? VARDATA_ANY(packed) : (char *) packed;
	candidate->length =
		type->kind == RML_ORDER_BYTES ? VARSIZE_ANY_EXHDR(packed) : VARSIZE_ANY(packed);
}

static void
make_candidate(Candidate *candidate, RmlOrderType *type, Datum value)
{
	candidate->value = value;
	candidate->bytes = NULL;
	candidate->length = sizeof(Datum);
	if (type->kind == RML_ORDER_WORD)
	{
		candidate->word = fixed_word(type, value);
		return;
	}
	if (!type->by_value)
		candidate_bytes(candidate, type);
	if (type->kind == RML_ORDER_VALUE)
		candidate->word = reference_word(
			DatumGetUInt32(FunctionCall1Coll(&type->hash, type->collation, candidate->value)));
	else if (candidate->length <= SHORT_BYTES)
		candidate->word = short_word(candidate->bytes, candidate->length);
	else
		candidate->word = reference_word(
			hash_bytes((const unsigned char *) candidate->bytes, (int) candidate->length));
}

/* ---- list and hash table ---- */

/* the finalizer of MurmurHash3 */
static uint64
mix(uint64 word)
{
	word ^= word >> 33;
	word *= UINT64CONST(0xFF51AFD7ED558CCD);
	word ^= word >> 33;
	word *= UINT64CONST(0xC4CEB9FE1A85EC53);
	return word ^ word >> 33;
}

static uint32
slot_of(const RmlOrderType *type, uint64 word, uint32 mask)
{
	return (uint32) (is_reference(type, word) ? word >> 32 : mix(word)) & mask;
}

/* is the candidate a member?  Its word becomes the member's. */
static bool
find_in_list(const RmlOrders *orders, RmlOrderType *type, Candidate *candidate)
{
	for (uint32 i = 0; i < orders->n; i++)
		if (same(orders, type, orders->words[i], candidate))
		{
			candidate->word = orders->words[i];
			return true;
		}
	return false;
}

static bool
find_in_table(const RmlOrders *orders, RmlOrderType *type, Candidate *candidate)
{
	uint32 mask = orders->capacity - 1;
	uint32 slot = slot_of(type, candidate->word, mask);

	if (candidate->word == 0)
		return orders->has_zero;
	for (; orders->words[slot] != 0; slot = (slot + 1) & mask)
		if (same(orders, type, orders->words[slot], candidate))
		{
			candidate->word = orders->words[slot];
			return true;
		}
	return false;
}

/* put a word that is no member into the hash table */
static void
table_put(RmlOrders *orders, const RmlOrderType *type, uint64 word)
{
	uint32 mask = orders->capacity - 1;
	uint32 slot = slot_of(type, word, mask);

	if (word == 0)
	{
		orders->has_zero = true;
		return;
	}
	while (orders->words[slot] != 0)
		slot = (slot + 1) & mask;
	orders->words[slot] = word;
}

static bool
is_table(const RmlOrders *orders)
{
	return orders->capacity > RML_ORDERS_LIST;
}

static bool
find(const RmlOrders *orders, RmlOrderType *type, Candidate *candidate)
{
	return is_table(orders) ? find_in_table(orders, type, candidate)
							: find_in_list(orders, type, candidate);
}

static void
grow_list(RmlOrders *orders, MemoryContext context)
{
	uint32 capacity = orders->capacity <= RML_ORDERS_INLINE ? 8 : RML_ORDERS_LIST;
	uint64 *words = MemoryContextAlloc(context, capacity * sizeof(uint64));

	memcpy(words, orders->words, orders->n * sizeof(uint64));
	if (orders->words != orders->few)
		pfree(orders->words);
	orders->words = words;
	orders->capacity = capacity;
}

/* into a larger hash table, from a list or a smaller one */
static void
grow_table(RmlOrders *orders, const RmlOrderType *type, MemoryContext context, uint32 capacity)
{
	bool was_table = is_table(orders);
	uint32 n_old = was_table ? orders->capacity : orders->n;
	uint64 *old = orders->words;

	orders->words = allocate(context, capacity * sizeof(uint64), MCXT_ALLOC_ZERO);
	orders->capacity = capacity;
	for (uint32 i = 0; i < n_old; i++)
	{
		if (old[i] != 0 || !was_table)
			table_put(orders, type, old[i]);
		if (i % POLL_EVERY == POLL_EVERY - 1)
			CHECK_FOR_INTERRUPTS();
	}
	if (old != orders->few)
		pfree(old);
}

/*
 * Make room for n members.  A hash table is at most three quarters full.  Merging reserves room for
 * all before it adds: words of another table come in the order of their hash, and would fill the
 * beginning of a table that is too small for all of them.
 */
static void
reserve(RmlOrders *orders, const RmlOrderType *type, MemoryContext context, uint64 n)
{
	uint64 capacity = Max(orders->capacity, 2 * RML_ORDERS_LIST);

	if (n <= RML_ORDERS_LIST)
	{
		while (n > orders->capacity)
			grow_list(orders, context);
		return;
	}
	while (n > capacity - capacity / 4)
		capacity *= 2;
	if (capacity > PG_UINT32_MAX)
		refuse_size(capacity * sizeof(uint64));
	if (capacity > orders->capacity)
		grow_table(orders, type, context, (uint32) capacity);
}

/* add a word that is no member */
static void
put(RmlOrders *orders, const RmlOrderType *type, MemoryContext context, uint64 word)
{
	reserve(orders, type, context, (uint64) orders->n + 1);
	if (is_table(orders))
		table_put(orders, type, word);
	else
		orders->words[orders->n] = word;
	orders->n++;
}

/* ---- the set ---- */

void
rml_orders_init(RmlOrders *orders)
{
	memset(orders, 0, sizeof *orders);
	orders->words = orders->few;
	orders->capacity = RML_ORDERS_INLINE;
}

static void
add_candidate(RmlOrders *orders, RmlOrderType *type, MemoryContext context, Candidate *candidate)
{
	if (!find(orders, type, candidate))
	{
		if (is_reference(type, candidate->word))
			candidate->word = pool_put(orders, type, context, candidate);
		put(orders, type, context, candidate->word);
	}
	orders->last = candidate->word;
}

void
rml_orders_add(RmlOrders *orders, RmlOrderType *type, MemoryContext context, Datum value)
{
	Candidate candidate;

	make_candidate(&candidate, type, value);
	/* the lines of an order come together */
	if (orders->n > 0 && same(orders, type, orders->last, &candidate))
		return;
	add_candidate(orders, type, context, &candidate);
}

/* the candidate a member of another set is */
static void
member_candidate(Candidate *candidate, const RmlOrders *source, const RmlOrderType *type,
				 uint64 word)
{
	const char *entry;

	candidate->word = word;
	if (!is_reference(type, word))
		return;
	entry = pool_entry(source->pool, word);
	candidate->word = word & ~(uint64) PG_UINT32_MAX;
	candidate->bytes = entry + ENTRY_HEAD;
	candidate->length = entry_length(entry);
	candidate->value = entry_value(type, entry);
}

/* the source is a list: a deserialized set always is */
void
rml_orders_merge(RmlOrders *orders, RmlOrderType *type, MemoryContext context,
				 const RmlOrders *source)
{
	reserve(orders, type, context, (uint64) orders->n + source->n);
	for (uint32 i = 0; i < source->n; i++)
	{
		Candidate candidate;

		member_candidate(&candidate, source, type, source->words[i]);
		add_candidate(orders, type, context, &candidate);
		if (i % POLL_EVERY == POLL_EVERY - 1)
			CHECK_FOR_INTERRUPTS();
	}
}

/* ---- bytes: n, length of the pool's entries, the words as a list, the entries ---- */

#define SERIAL_HEAD (2 * sizeof(uint64))

static Size
pool_length(const RmlOrders *orders)
{
	return orders->pool == NULL ? 0 : offsetof(RmlOrderPool, entries) + orders->pool->used;
}

Size
rml_orders_serial_size(const RmlOrders *orders)
{
	return SERIAL_HEAD + orders->n * sizeof(uint64) + pool_length(orders);
}

static void
write_words(const RmlOrders *orders, char *place)
{
	if (!is_table(orders))
	{
		memcpy(place, orders->words, orders->n * sizeof(uint64));
		return;
	}
	if (orders->has_zero)
	{
		memset(place, 0, sizeof(uint64));
		place += sizeof(uint64);
	}
	for (uint32 i = 0; i < orders->capacity; i++)
	{
		if (orders->words[i] != 0)
		{
			memcpy(place, &orders->words[i], sizeof(uint64));
			place += sizeof(uint64);
		}
		if (i % POLL_EVERY == POLL_EVERY - 1)
			CHECK_FOR_INTERRUPTS();
	}
}

void
rml_orders_serialize(const RmlOrders *orders, void *bytes)
{
	const uint64 head[] = {orders->n, pool_length(orders)};
	char *place = bytes;

	memcpy(place, head, SERIAL_HEAD);
	place += SERIAL_HEAD;
	write_words(orders, place);
	if (orders->pool != NULL)
		memcpy(place + orders->n * sizeof(uint64), orders->pool, pool_length(orders));
}

void
rml_orders_deserialize(RmlOrders *orders, void *bytes)
{
	const uint64 *head = bytes;

	rml_orders_init(orders);
	orders->n = (uint32) head[0];
	orders->words = (uint64 *) bytes + 2;
	if (head[1] > 0)
		orders->pool = (RmlOrderPool *) (orders->words + orders->n);
}
