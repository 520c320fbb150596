-- What is bought most.

CREATE TYPE popularity AS (
    item_id bigint,
    buyers bigint,
    units float8,
    share float8,
    rank int);
COMMENT ON TYPE popularity IS
'One item as item_popularity returns it. buyers: rows, or distinct users where they are given. units: the sum of the ratings. share: units over the units of all items, NULL when these are 0. rank: 1 is the most bought.';

CREATE TYPE popularity_text AS (
    item_id text,
    buyers bigint,
    units float8,
    share float8,
    rank int);
COMMENT ON TYPE popularity_text IS
'One item as item_popularity returns it for ids that are text; see type popularity.';

CREATE FUNCTION item_popularity_accum(internal, bigint, float8) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_item_popularity_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION item_popularity_accum(internal, bigint, float8) IS
'Transition function of item_popularity; not for direct use.';

CREATE FUNCTION item_popularity_accum(internal, text, float8) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_item_popularity_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION item_popularity_accum(internal, text, float8) IS
'Transition function of item_popularity; not for direct use.';

CREATE FUNCTION item_popularity_accum(internal, bigint, bigint, float8) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_item_popularity_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION item_popularity_accum(internal, bigint, bigint, float8) IS
'Transition function of item_popularity; not for direct use.';

CREATE FUNCTION item_popularity_accum(internal, text, text, float8) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_item_popularity_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION item_popularity_accum(internal, text, text, float8) IS
'Transition function of item_popularity; not for direct use.';

CREATE FUNCTION item_popularity_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_item_popularity_combine'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION item_popularity_combine(internal, internal) IS
'Combine function of item_popularity; not for direct use.';

CREATE FUNCTION item_popularity_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_item_popularity_serialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION item_popularity_serialize(internal) IS
'Serialization function of item_popularity; not for direct use.';

CREATE FUNCTION item_popularity_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_item_popularity_deserialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION item_popularity_deserialize(bytea, internal) IS
'Deserialization function of item_popularity; not for direct use.';

CREATE FUNCTION item_popularity_final(internal) RETURNS popularity[]
    AS 'MODULE_PATHNAME', 'rml_item_popularity_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION item_popularity_final(internal) IS
'Final function of item_popularity for ids that are bigint; not for direct use.';

CREATE FUNCTION item_popularity_text_final(internal) RETURNS popularity_text[]
    AS 'MODULE_PATHNAME', 'rml_item_popularity_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION item_popularity_text_final(internal) IS
'Final function of item_popularity for ids that are text; not for direct use.';

CREATE AGGREGATE item_popularity(item_id bigint, rating float8) (
    SFUNC = item_popularity_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = item_popularity_final,
    COMBINEFUNC = item_popularity_combine, SERIALFUNC = item_popularity_serialize,
    DESERIALFUNC = item_popularity_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE item_popularity(bigint, float8) IS
'What is bought most: an array of popularity, an element for each item, the most bought first. unnest gives the rows.

item_id: what; each row is one buyer of it. rating: how much of it, units are the sum (pieces, money, or stars). Where one buyer has several rows of an item, count buyers with item_popularity(bigint, bigint, float8). For ids that are text see item_popularity(text, float8).

rank: most buyers first, then most units, then the smaller id; no two items share a rank. share: units over the units of all items, which may be negative where there are returns; NULL when all units add up to 0.

Sums are exact and rounded once, so the order of rows and the plan do not matter.

NULL: rows without an item_id are left out; NULL when none is left. A rating that is NULL or NaN is a buyer with 0 units.

Errors: an infinite rating (22003); units beyond the range of float8 (22023); more items than retailml.max_memory holds (53400), or than one parallel worker can pass on (54000).

It is what a recommender offers to somebody it does not know, and what it should be compared with.

Example: SELECT p.* FROM (SELECT item_popularity(product_id, quantity) AS items FROM order_lines) s, unnest(items) p LIMIT 10';

CREATE AGGREGATE item_popularity(item_id text, rating float8) (
    SFUNC = item_popularity_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = item_popularity_text_final,
    COMBINEFUNC = item_popularity_combine, SERIALFUNC = item_popularity_serialize,
    DESERIALFUNC = item_popularity_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE item_popularity(text, float8) IS
'item_popularity for ids that are text: an array of popularity_text; see item_popularity(bigint, float8). Ids are the same when their bytes are, and those of equal rank otherwise are in order of their bytes.

Example: SELECT p.item_id, p.share FROM (SELECT item_popularity(sku, quantity) AS items FROM order_lines) s, unnest(items) p';

CREATE AGGREGATE item_popularity(user_id bigint, item_id bigint, rating float8) (
    SFUNC = item_popularity_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = item_popularity_final,
    COMBINEFUNC = item_popularity_combine, SERIALFUNC = item_popularity_serialize,
    DESERIALFUNC = item_popularity_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE item_popularity(bigint, bigint, float8) IS
'item_popularity that counts each user once an item, however many rows there are; otherwise as item_popularity(bigint, float8).

user_id: who; rows without one are left out. Memory grows with the distinct pairs of user and item.

Example: SELECT p.* FROM (SELECT item_popularity(customer_id, product_id, quantity) AS items FROM order_lines) s, unnest(items) p LIMIT 10';

CREATE AGGREGATE item_popularity(user_id text, item_id text, rating float8) (
    SFUNC = item_popularity_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = item_popularity_text_final,
    COMBINEFUNC = item_popularity_combine, SERIALFUNC = item_popularity_serialize,
    DESERIALFUNC = item_popularity_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE item_popularity(text, text, float8) IS
'item_popularity that counts each user once an item, for ids that are text; see item_popularity(bigint, bigint, float8) and item_popularity(text, float8).

Example: SELECT p.* FROM (SELECT item_popularity(email, sku, quantity) AS items FROM order_lines) s, unnest(items) p LIMIT 10';
