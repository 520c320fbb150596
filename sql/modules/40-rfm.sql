-- RFM: recency, frequency, monetary; scores, codes, segments.

CREATE TYPE rfm_values AS (
    recency_days float8,
    frequency bigint,
    monetary float8,
    first_order_at timestamptz,
    last_order_at timestamptz);
COMMENT ON TYPE rfm_values IS
'One customer in the three numbers of RFM, as rfm() returns it. recency_days: days of 24 hours from the last order to as_of, fractions included. frequency: distinct orders. monetary: sum of amounts, in the unit of amount. first_order_at, last_order_at: earliest and latest date that counted.';

CREATE TYPE rfm_scores AS (
    r int,
    f int,
    m int,
    code int,
    segment text);
COMMENT ON TYPE rfm_scores IS
'One customer scored, as rfm_score() returns it. r, f, m: scores of recency, frequency and monetary, 1 (worst) .. 5 (best). code: the three digits as a number, 555 is the best (with the rfm_fit option bins = 10 two digits each: 101010). segment: the name of the code, see rfm_segments().';

-- ---- aggregate rfm

CREATE FUNCTION rfm_accum(internal, anyelement, timestamptz, float8, timestamptz) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_rfm_values_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_accum(internal, anyelement, timestamptz, float8, timestamptz) IS
'Transition function of rfm; not for direct use.';

CREATE FUNCTION rfm_accum(internal, anyelement, timestamptz, numeric, timestamptz) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_rfm_values_accum_numeric'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_accum(internal, anyelement, timestamptz, numeric, timestamptz) IS
'Transition function of rfm for numeric amounts; not for direct use.';

CREATE FUNCTION rfm_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_rfm_values_combine'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_combine(internal, internal) IS
'Combine function of rfm; not for direct use.';

CREATE FUNCTION rfm_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_rfm_values_serialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rfm_serialize(internal) IS
'Serialization function of rfm; not for direct use.';

CREATE FUNCTION rfm_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_rfm_values_deserialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rfm_deserialize(bytea, internal) IS
'Deserialization function of rfm; not for direct use.';

CREATE FUNCTION rfm_final(internal) RETURNS rfm_values
    AS 'MODULE_PATHNAME', 'rml_rfm_values_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rfm_final(internal) IS
'Final function of rfm; not for direct use.';

CREATE AGGREGATE rfm(order_id anyelement, ordered_at timestamptz, amount float8, as_of timestamptz) (
    SFUNC = rfm_accum, STYPE = internal, SSPACE = 256,
    FINALFUNC = rfm_final,
    COMBINEFUNC = rfm_combine, SERIALFUNC = rfm_serialize, DESERIALFUNC = rfm_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE rfm(anyelement, timestamptz, float8, timestamptz) IS
'Recency, frequency and monetary of one customer from orders or order lines; use it with GROUP BY customer.

Arguments
  order_id    what makes lines one order, of any type that can be compared; frequency counts its distinct values
  ordered_at  when; date and timestamp are taken in the session''s time zone
  amount      value of the line or order in any unit; returns are negative. float8 or numeric
  as_of       the moment the numbers are meant for, the same in all rows of a group

It computes, in one pass and without sorting,
  recency_days    as_of - max(ordered_at), in days of 24 hours with fractions
  frequency       count(DISTINCT order_id)
  monetary        sum(amount), 0 when all are NULL
  first_order_at  min(ordered_at)
  last_order_at   max(ordered_at)
over the rows WHERE ordered_at <= as_of: rows after as_of are ignored, so numbers for a day in the past are what they would have been on that day. A row at as_of itself counts; in customer_snapshot it does not (ordered_at < as_of), and where ordered_at is a date, that is a day of orders. Say WHERE ordered_at < as_of to have the same rows. monetary is the exact sum, rounded once: it has the same bits whatever the order of the rows or the plan, and equals sum(amount)::float8 for numeric amounts.

NULL: a row whose ordered_at is NULL or infinite is ignored; a NULL (or NaN) amount adds nothing, but its order counts; a NULL order_id is no order, but its amount and date count. The result is NULL when no row is left: on that day this was no customer yet.

Errors: as_of NULL or infinite (22023) or not the same in the group (22023), infinite amount (22003), order_id of a type without equality (42883).

Example: SELECT customer_id, (rfm(order_id, purchased_at, amount, ''2025-01-01'')).* FROM purchases WHERE purchased_at < ''2025-01-01'' GROUP BY customer_id';

CREATE AGGREGATE rfm(order_id anyelement, ordered_at timestamptz, amount numeric, as_of timestamptz) (
    SFUNC = rfm_accum, STYPE = internal, SSPACE = 256,
    FINALFUNC = rfm_final,
    COMBINEFUNC = rfm_combine, SERIALFUNC = rfm_serialize, DESERIALFUNC = rfm_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE rfm(anyelement, timestamptz, numeric, timestamptz) IS
'rfm for numeric amounts, which are summed as decimals; see rfm(anyelement, timestamptz, float8, timestamptz).

Example: SELECT customer_id, (rfm(order_id, purchased_at, amount, now())).* FROM purchases GROUP BY customer_id';

-- ---- scores

CREATE FUNCTION rfm_score(recency float8, frequency float8, monetary float8) RETURNS rfm_scores
    AS 'MODULE_PATHNAME', 'rml_rfm_sql_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rfm_score(float8, float8, float8) IS
'Window function: RFM scores 1 (worst) .. 5 (best) of each row within its partition, code and segment.

recency: days since the last order, low is good; frequency and monetary: high is good. Take all three from one source: rfm counts orders at as_of itself, customer_snapshot does not. The score of a value is 1 + floor(5 * share of rows that are strictly worse): a 5 is better than at least 80 % of the partition, equal values get equal scores, and the order of rows does not matter. ORDER BY and frame of the window have no effect.

NULL for a row with a NULL or NaN argument; such rows are left out of the comparison.

Errors: an infinite argument (22003), more memory than retailml.max_memory (53400).

To score customers that were not there, keep the cut points with rfm_fit.

Example: SELECT customer_id, (rfm_score(recency_days, frequency, monetary) OVER (PARTITION BY region)).* FROM customers';

CREATE FUNCTION rfm_fit_accum(internal, float8, float8, float8) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_rfm_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_fit_accum(internal, float8, float8, float8) IS
'Transition function of rfm_fit; not for direct use.';

CREATE FUNCTION rfm_fit_accum(internal, float8, float8, float8, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_rfm_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_fit_accum(internal, float8, float8, float8, jsonb) IS
'Transition function of rfm_fit; not for direct use.';

CREATE FUNCTION rfm_fit_final(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_rfm_fit_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION rfm_fit_final(internal) IS
'Final function of rfm_fit; not for direct use.';

CREATE AGGREGATE rfm_fit(recency float8, frequency float8, monetary float8, options jsonb) (
    SFUNC = rfm_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = rfm_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE rfm_fit(float8, float8, float8, jsonb) IS
'The cut points of RFM scores, as a model: rfm_score(model, ...) then scores any customer on this scale, today''s or next month''s.

recency: days since the last order, low is good; frequency and monetary: high is good. Fit and score values of one source: rfm counts orders at as_of itself, customer_snapshot does not. On the rows it was fitted on a model gives the scores of the window function rfm_score.

Options (jsonb object)
  bins      number of scores, 2 .. 10 (5). The built-in segments of other numbers than 5 follow from the scores brought to 1 .. 5 in proportion. With 10, codes have two digits per score
  segments  names of your own: {"name": pattern or [patterns], ...}. A pattern is a code with * for any score ("555", "5**"), or three entries with blanks between, each a score, a range or *: "5 4-5 *" (recency frequency monetary). Codes that no pattern names keep the built-in segment; a code with two names is an error

Rows with a NULL or NaN are left out (model_info counts them as skipped). NULL for no rows. The same rows and options give the same bytes.

Errors: an infinite argument (22003), an unknown option or a value out of range (22023), a pattern that is none (22023).

Example: SELECT rfm_fit(recency_days, frequency, monetary, ''{"segments": {"VIP": ["555", "5 4-5 5"]}}'') FROM customers';

CREATE AGGREGATE rfm_fit(recency float8, frequency float8, monetary float8) (
    SFUNC = rfm_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = rfm_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE rfm_fit(float8, float8, float8) IS
'rfm_fit with the default options: quintiles and the built-in segments; see rfm_fit(float8, float8, float8, jsonb).

Example: SELECT region, rfm_fit(recency_days, frequency, monetary) FROM customers GROUP BY region';

CREATE FUNCTION rfm_score(model bytea, recency float8, frequency float8, monetary float8)
    RETURNS rfm_scores
    AS 'MODULE_PATHNAME', 'rml_rfm_sql_score'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rfm_score(bytea, float8, float8, float8) IS
'RFM scores, code and segment of one customer by the cut points of a model of rfm_fit. A value equal to one of the training rows gets its score; values beyond them get the lowest or highest score.

recency in days, frequency and monetary as in the fit. NULL when an argument is NULL or NaN.

Errors: an infinite argument (22003), a model that is damaged (XX001) or not of rfm_fit (22023).

Example: SELECT customer_id, (rfm_score((SELECT model_load(''rfm'')), recency_days, frequency, monetary)).* FROM customers';

-- ---- segments

CREATE FUNCTION rfm_segments(OUT code int, OUT segment text, OUT description text, OUT lever text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_rfm_sql_segments'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 125;
COMMENT ON FUNCTION rfm_segments() IS
'The segment of each of the 125 codes of quintile scores, who these customers are, and what marketing can do with them (lever). The segments are Champions, Loyal, Potential Loyalists, New, Promising, Need Attention, About to Sleep, At Risk, Cannot Lose, Hibernating and Lost.

Example: SELECT segment, min(lever) AS lever, array_agg(code) AS codes FROM rfm_segments() GROUP BY segment';

CREATE FUNCTION rfm_segments(model bytea, OUT code int, OUT segment text, OUT description text, OUT lever text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_rfm_sql_segments'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 125;
COMMENT ON FUNCTION rfm_segments(bytea) IS
'The segment of each code of a model of rfm_fit, bins * bins * bins rows. description and lever are NULL for names of your own.

Example: SELECT s.* FROM rfm_segments(model_load(''rfm'')) s';
