-- Segments that last: agreement of two segmentations, which cluster continues which, who moved.

CREATE TYPE cluster_mapping AS (
    old int,
    new int,
    overlap bigint,
    jaccard float8,
    old_size bigint,
    new_size bigint);
COMMENT ON TYPE cluster_mapping IS
'One line of the mapping of old to new clusters, as cluster_match() returns it. old, new: labels; new NULL: no cluster continues this one; old NULL: a new one. overlap: rows in both. jaccard: rows in both over rows in one or the other, 0 .. 1. old_size, new_size: rows of each, NULL where there is none.';

CREATE TYPE migration AS (
    "from" int,
    "to" int,
    n bigint,
    share float8);
COMMENT ON TYPE migration IS
'One flow between segments, as segment_migration(int, int) returns it. "from", "to": the labels; NULL: not there then. n: rows. share: part of all rows of "from" that went to "to", 0 .. 1.';

CREATE TYPE named_migration AS (
    "from" text,
    "to" text,
    n bigint,
    share float8);
COMMENT ON TYPE named_migration IS
'One flow between segments, as segment_migration(text, text) returns it. "from", "to": the names; NULL: not there then. n: rows. share: part of all rows of "from" that went to "to", 0 .. 1.';

-- ---- the state they share

CREATE FUNCTION label_pairs_accum(internal, int, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_label_pairs_accum_int'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION label_pairs_accum(internal, int, int) IS
'Transition function of the aggregates that compare two int labels; not for direct use.';

CREATE FUNCTION label_pairs_accum(internal, text, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_label_pairs_accum_text'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION label_pairs_accum(internal, text, text) IS
'Transition function of the aggregates that compare two text labels; not for direct use.';

CREATE FUNCTION label_pairs_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_label_pairs_combine'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION label_pairs_combine(internal, internal) IS
'Combine function of the aggregates that compare labels; not for direct use.';

CREATE FUNCTION label_pairs_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_label_pairs_serialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION label_pairs_serialize(internal) IS
'Serialization function of the aggregates that compare labels; not for direct use.';

CREATE FUNCTION label_pairs_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_label_pairs_deserialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION label_pairs_deserialize(bytea, internal) IS
'Deserialization function of the aggregates that compare labels; not for direct use.';

-- ---- agreement

CREATE FUNCTION adjusted_rand_index_final(internal) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_adjusted_rand_index_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION adjusted_rand_index_final(internal) IS
'Final function of adjusted_rand_index; not for direct use.';

CREATE AGGREGATE adjusted_rand_index(a int, b int) (
    SFUNC = label_pairs_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = adjusted_rand_index_final,
    COMBINEFUNC = label_pairs_combine, SERIALFUNC = label_pairs_serialize,
    DESERIALFUNC = label_pairs_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE adjusted_rand_index(int, int) IS
'How well two segmentations of the same rows agree, whatever they call their segments: 1 the same, about 0 independent, below 0 less than by chance (at least -0.5).

a and b are the labels of a row in the one and the other. The index is the share of pairs of rows on which both agree (together in both, or apart in both), adjusted for chance. It is symmetric, and exact up to rounding for any number of rows. Every number is a label like another, -1 (noise) too.

NULL: rows with a NULL on either side are left out; NULL when none is left. Two segmentations with one segment each agree: 1. A single row: 1.

Errors: more distinct pairs than retailml.max_memory holds (53400).

Source: Hubert and Arabie, Comparing partitions, J. Classification 1985; equal to adjusted_rand_score of scikit-learn.

Example: SELECT adjusted_rand_index(segment_before, segment_now) FROM customers';

CREATE FUNCTION normalized_mutual_information_final(internal) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_normalized_mutual_information_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION normalized_mutual_information_final(internal) IS
'Final function of normalized_mutual_information; not for direct use.';

CREATE AGGREGATE normalized_mutual_information(a int, b int) (
    SFUNC = label_pairs_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = normalized_mutual_information_final,
    COMBINEFUNC = label_pairs_combine, SERIALFUNC = label_pairs_serialize,
    DESERIALFUNC = label_pairs_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE normalized_mutual_information(int, int) IS
'What one segmentation tells about another, from 0 (nothing) to 1 (they are the same up to names): the mutual information of the labels over the mean of their entropies.

a and b are the labels of a row in the one and the other. It is symmetric. Unlike adjusted_rand_index it is not adjusted for chance: many small segments raise it. Every number is a label like another, -1 (noise) too.

NULL: rows with a NULL on either side are left out; NULL when none is left. 1 when both have one segment only, 0 when only one has.

Errors: more distinct pairs than retailml.max_memory holds (53400).

Source: Vinh, Epps and Bailey, JMLR 2010, with the arithmetic mean; equal to normalized_mutual_info_score of scikit-learn.

Example: SELECT normalized_mutual_information(segment_before, segment_now) FROM customers';

-- ---- which cluster continues which

CREATE FUNCTION cluster_match_final(internal) RETURNS cluster_mapping[]
    AS 'MODULE_PATHNAME', 'rml_cluster_match_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION cluster_match_final(internal) IS
'Final function of cluster_match; not for direct use.';

CREATE AGGREGATE cluster_match(old_label int, new_label int) (
    SFUNC = label_pairs_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = cluster_match_final,
    COMBINEFUNC = label_pairs_combine, SERIALFUNC = label_pairs_serialize,
    DESERIALFUNC = label_pairs_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_match(int, int) IS
'Which new cluster continues which old one, told from the customers they share: an array of cluster_mapping, a line for each old cluster, then the new ones that continue none. unnest gives the rows.

old_label and new_label are a customer''s cluster before and now. Clusters are paired one to one such that the pairs hold as many customers as possible (optimal assignment, the Hungarian method). Of several pairings that hold the same number, the one with the largest sum of jaccard is taken, then the one that gives the lowest old number the lowest new one. Clusters that share nobody are no pair: an old cluster that none continues has new NULL (a death), a new one that continues none has old NULL (a birth).

Noise: labels below 0 are no clusters and have no line; their rows count in the size of the other side''s cluster. Likewise NULL, not there then, on one side; rows with NULL on both are left out. NULL for no rows.

Errors: more distinct pairs, or more pairs of clusters, than retailml.max_memory holds (53400). Time grows with the cube of the number of clusters.

To give a model the numbers and names of an older one, without the rows, see match_model.

Example: SELECT m.* FROM (SELECT cluster_match(segment_before, segment_now) AS mapping FROM customers) s, unnest(mapping) m';

-- ---- who moved

CREATE FUNCTION segment_migration_final(internal) RETURNS migration[]
    AS 'MODULE_PATHNAME', 'rml_segment_migration_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION segment_migration_final(internal) IS
'Final function of segment_migration(int, int); not for direct use.';

CREATE FUNCTION named_segment_migration_final(internal) RETURNS named_migration[]
    AS 'MODULE_PATHNAME', 'rml_segment_migration_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION named_segment_migration_final(internal) IS
'Final function of segment_migration(text, text); not for direct use.';

CREATE AGGREGATE segment_migration(old_label int, new_label int) (
    SFUNC = label_pairs_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = segment_migration_final,
    COMBINEFUNC = label_pairs_combine, SERIALFUNC = label_pairs_serialize,
    DESERIALFUNC = label_pairs_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE segment_migration(int, int) IS
'How many went from which segment to which: an array of migration, a line for each pair of labels that occurs, in order of the labels. unnest gives the rows, which are what a Sankey diagram takes.

old_label and new_label are a customer''s segment before and now. share is n over all rows of the segment they come from, so the shares of a "from" add up to 1. "from" and "to" are reserved words: quote them.

NULL is a segment of its own, "not there": "from" NULL are new customers, "to" NULL those that are lost (a FULL JOIN of two months gives both); it comes last. Rows with NULL on both sides are left out. Every number is a label like another, -1 (noise) too. NULL for no rows.

Errors: more distinct pairs than retailml.max_memory holds (53400).

Example: SELECT m."from", m."to", m.n, m.share FROM (SELECT segment_migration(segment_before, segment_now) AS flows FROM customers) s, unnest(flows) m';

CREATE AGGREGATE segment_migration(old_label text, new_label text) (
    SFUNC = label_pairs_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = named_segment_migration_final,
    COMBINEFUNC = label_pairs_combine, SERIALFUNC = label_pairs_serialize,
    DESERIALFUNC = label_pairs_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE segment_migration(text, text) IS
'segment_migration for segments with names: an array of named_migration, in order of the bytes of the names; see segment_migration(int, int). Names are the same when their bytes are.

Example: SELECT m."from", m."to", m.n FROM (SELECT segment_migration(segment_before, segment_now) AS flows FROM customers) s, unnest(flows) m';

-- ---- models that continue one another

CREATE FUNCTION match_model(new_model bytea, old_model bytea, options jsonb DEFAULT NULL) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_match_model_sql'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION match_model(bytea, bytea, jsonb) IS
'The new model with its clusters renumbered and renamed to those of the old one that they continue. Only numbers and names change: which rows are together is as in new_model.

new_model, old_model: any two cluster models with columns in common, also of different algorithms; columns that only one of them has are ignored. No rows are needed.

Distance of two clusters: the root mean square, over the common columns, of the difference of their means in standard deviations of the old model''s training rows, whatever standardize was. A categorical column counts the total variation distance of the shares of its categories, in the unit that makes a column of two categories count as it would as boolean. A column that is constant in the old rows is measured by the new ones.

Clusters are paired one to one such that the sum of distances is smallest, each counted at most max_distance.

Options (jsonb object)
  max_distance  the largest distance at which a cluster is still the same, 0 .. 1e9, in the standard deviations above (default: the mean distance of an old cluster to the nearest other old one)

A cluster that continues an old one has its number and name. Others get numbers above all that were given before, by old_model or those that it continued: along a chain of models, each matched with the one before, a number means one segment for ever. They keep their own name, as its next twin ("Promising 2") if an old cluster had it.

NULL when new_model is NULL. Without an old model (NULL) the new one is the first of a chain, and returned as it is.

Errors: a model without clusters (22023), no common column that varies (22023), an unknown option or a value out of range (22023), a damaged model (XX001).

To match labels rather than models see cluster_match.

Example: SELECT model_save(''segments'', match_model(kmeans_fit(f, 4), (SELECT model_load(''segments'')))) FROM features f';
