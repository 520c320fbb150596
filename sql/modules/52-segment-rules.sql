-- A rule for each segment, as runnable SQL.

CREATE TYPE segment_rule AS (
    cluster int,
    predicate text,
    precision float8,
    recall float8,
    n bigint,
    f1 float8,
    conditions int
);
COMMENT ON TYPE segment_rule IS
'One segment''s rule, an element of what segment_rules returns. cluster: its number. predicate: a condition on the columns of the row, to be put behind WHERE. n: rows the predicate selects, of those the rule was made from. precision: share of the selected rows that are in the cluster. recall: share of the cluster''s rows that are selected. f1: 2 * precision * recall / (precision + recall). conditions: how many conditions the predicate has; 0 is the predicate true.';

CREATE FUNCTION segment_rules_accum(internal, record, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_segment_rules_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION segment_rules_accum(internal, record, int) IS
'Transition function of segment_rules; not for direct use.';

CREATE FUNCTION segment_rules_accum(internal, record, int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_segment_rules_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION segment_rules_accum(internal, record, int, jsonb) IS
'Transition function of segment_rules; not for direct use.';

CREATE FUNCTION segment_rules_accum(internal, float8[], int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_segment_rules_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION segment_rules_accum(internal, float8[], int) IS
'Transition function of segment_rules; not for direct use.';

CREATE FUNCTION segment_rules_accum(internal, float8[], int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_segment_rules_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION segment_rules_accum(internal, float8[], int, jsonb) IS
'Transition function of segment_rules; not for direct use.';

CREATE FUNCTION segment_rules_final(internal) RETURNS segment_rule[]
    AS 'MODULE_PATHNAME', 'rml_segment_rules_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION segment_rules_final(internal) IS
'Final function of segment_rules; not for direct use.';

CREATE AGGREGATE segment_rules(data record, cluster int, options jsonb) (
    SFUNC = segment_rules_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = segment_rules_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE segment_rules(record, int, jsonb) IS
'A short predicate for each segment, such as recency_days > 90 AND orders <= 2: an array of segment_rule, one element for each cluster, by number. The predicate is SQL over the columns of the row: comparisons of numbers, boolean columns as they are, lists of categories and IS NULL, joined by AND; names and texts are quoted where they have to be. Its precision, recall and n are those of running it as the WHERE clause over the same rows (those with a cluster).

cluster: the segment of each row, from anywhere. Rows where it is NULL are left out. Rows where it is -1 (noise) are in no segment: they get no rule, but a rule that selects them is less precise.

For each cluster the rule with the largest F1 - min_gain * length is looked for. NULL satisfies no condition but IS NULL. NaN satisfies none: where a column holds NaN, the predicate says so. A bound is the roundest number between two values that the rule tells apart; numbers of a numeric or bigint column that agree in about 16 digits are not told apart. A cluster that nothing sets apart has the predicate true. A numeric column that equals the cluster in all rows is not used, with a NOTICE.

Options: max_conditions (4; 1 to 8), the most conditions a predicate has; two bounds on one column are two, a list of categories is one. max_values (5; 1 to 50), the most categories in a list. min_gain (0.005; 0 to 1), how much F1 each condition, and each category in a list after the first, must add. features, exclude: names of columns to use or not to use. max_categories (1000): more different texts in a column are an error.

NULL for no rows. Errors name the column or option: a type that is neither number, boolean, text nor enum, infinity, an unknown option, more than 1000 clusters, more memory than retailml.max_memory.

Source: beam search over conjunctions as in CN2, Clark and Niblett 1989; scans of sorted values as in bump hunting, Friedman and Fisher 1999. Method: docs/algorithms/segment-rules.md

Example: SELECT r.* FROM (SELECT segment_rules(f, kmeans_predict((SELECT model_load(''segments'')), f), ''{"exclude": ["customer_id"]}'') AS rules FROM features f) x, unnest(rules) AS r';

CREATE AGGREGATE segment_rules(data record, cluster int) (
    SFUNC = segment_rules_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = segment_rules_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE segment_rules(record, int) IS
'segment_rules with the default options; see segment_rules(record, int, jsonb).';

CREATE AGGREGATE segment_rules(data float8[], cluster int, options jsonb) (
    SFUNC = segment_rules_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = segment_rules_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE segment_rules(float8[], int, jsonb) IS
'segment_rules of arrays: predicates are about x[1], x[2], ..., so they run where the array is called x (and its first element has the subscript 1, as usual). All arrays must have the same length. Options features and exclude do not apply. Otherwise as segment_rules(record, int, jsonb).

Example: SELECT segment_rules(x, cluster) FROM (SELECT embedding AS x, cluster FROM customers) s';

CREATE AGGREGATE segment_rules(data float8[], cluster int) (
    SFUNC = segment_rules_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = segment_rules_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE segment_rules(float8[], int) IS
'segment_rules of arrays with the default options; see segment_rules(float8[], int, jsonb).';
